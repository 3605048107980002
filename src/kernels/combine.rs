//! Sums of products, entry by entry: all arithmetic of a law that is neither a product with a
//! weight nor an elementwise function.

use super::for_each_isa;
use super::shares::shares;
use super::simd::{Isa, Numbers, Register};
use crate::kernels::Real;

/// Most terms of a sum.
pub(crate) const MAX_TERMS: usize = 4;

/// One factor of a term: numbers from an address on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factor<T> {
    pub from: *const T,
    /// Whether there is one number an entry, the same at every lane, and not one a lane.
    pub uniform: bool,
    /// Numbers from one entry to the next; zero where one entry stands for all.
    pub step: usize,
    /// Numbers from one vector of a bundle to the next; zero where one stands for all.
    pub next: usize,
}

impl<T> Factor<T> {
    pub(super) const NONE: Self = Self {
        from: std::ptr::null(),
        uniform: true,
        step: 0,
        next: 0,
    };
}

/// What a term is a product of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    /// `x` at every lane.
    Lanes,
    /// `x` the same at every lane.
    Uniform,
    BothLanes,
    /// `x` at every lane, `y` the same at every lane.
    LanesAndUniform,
    BothUniform,
}

/// `factor · x ⊙ y`, each of `x` and `y` if there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term<T> {
    pub(super) kind: Kind,
    pub(super) factor: T,
    pub(super) x: Factor<T>,
    pub(super) y: Factor<T>,
}

impl<T: Real> Term<T> {
    /// A number without factors.
    #[inline(always)]
    pub fn number(factor: T) -> Self {
        Self {
            kind: Kind::Number,
            factor,
            x: Factor::NONE,
            y: Factor::NONE,
        }
    }

    #[inline(always)]
    pub fn one(factor: T, x: Factor<T>) -> Self {
        let kind = match x.uniform {
            true => Kind::Uniform,
            false => Kind::Lanes,
        };
        let y = x;
        Self { kind, factor, x, y }
    }

    #[inline(always)]
    pub fn two(factor: T, x: Factor<T>, y: Factor<T>) -> Self {
        let (kind, x, y) = match (x.uniform, y.uniform) {
            (true, true) => (Kind::BothUniform, x, y),
            (true, false) => (Kind::LanesAndUniform, y, x),
            (false, true) => (Kind::LanesAndUniform, x, y),
            (false, false) => (Kind::BothLanes, x, y),
        };
        Self { kind, factor, x, y }
    }

    /// Goes on to the next vector of a bundle.
    #[inline(always)]
    fn advance(&mut self) {
        for x in [&mut self.x, &mut self.y] {
            x.from = x.from.wrapping_add(x.next);
        }
    }

    /// Whether the vectors of its bundle follow each other, `next` numbers apart.
    #[inline(always)]
    fn follow(&self, next: usize) -> bool {
        self.x.next == next && self.y.next == next
    }

    /// Whether its numbers lie one after the other, `step` an entry.
    #[inline(always)]
    fn follows(&self, step: usize) -> bool {
        let lanes = matches!(self.kind, Kind::Lanes | Kind::BothLanes);
        lanes && self.x.step == step && self.y.step == step
    }
}

for_each_isa!(
    /// `to_e = Σ factor · x_e · y_e` for the entries of `W` lanes of some vectors, `next` numbers
    /// apart: `[vectors, entries, next]`. Every factor has its numbers; the result may be a factor,
    /// but overlaps none otherwise.
    pub(crate) fn combine [T: Real, const W: usize] [T, W] = combine_body(
        terms: &mut [Term<T>], to: *mut T, shape: [usize; 3])
);

#[inline(always)]
fn combine_body<I: Isa, T: Real, const W: usize>(
    terms: &mut [Term<T>],
    to: *mut T,
    [mut count, mut n, next]: [usize; 3],
) {
    // SAFETY: the numbers are there, as the caller says; the instruction set is the machine's.
    if count > 1 && unsafe { shares::<I, T, W>(terms, to, [count, n, next]) } {
        return;
    }
    let len = I::Register::<T>::LEN;
    let runs_straight = terms.len() <= 2 && terms.iter().all(|term| term.follows(W));
    if runs_straight && next == n * W && terms.iter().all(|term| term.follow(next)) {
        // One long vector.
        (n, count) = (n * count, 1);
    }
    for k in 0..count {
        // SAFETY: as above.
        unsafe {
            let to = to.add(k * next);
            if runs_straight {
                let numbers = n * W;
                let whole = numbers / len * len;
                straight::<I::Register<T>, T>(terms, to, 0, whole);
                match I::FUSED {
                    true => straight::<Numbers<T, 1, true>, T>(terms, to, whole, numbers),
                    false => straight::<Numbers<T, 1, false>, T>(terms, to, whole, numbers),
                }
            } else if W == 1 {
                // Entries fill the registers; what is left goes one by one.
                let whole = n / len;
                entries::<I::Register<T>, T, 1>(terms, to, [0, whole], len);
                single::<I, T, 1>(terms, to, [whole * len, n]);
            } else if W == len {
                entries::<I::Register<T>, T, 1>(terms, to, [0, n], 1);
            } else if W == 2 * len {
                entries::<I::Register<T>, T, 2>(terms, to, [0, n], 1);
            } else {
                single::<I, T, W>(terms, to, [0, n]);
            }
        }
        terms.iter_mut().for_each(Term::advance);
    }
}

/// One or two terms whose numbers all lie one after the other.
///
/// # Safety
/// As for [`combine_body`].
#[inline(always)]
unsafe fn straight<R: Register<T>, T: Real>(
    terms: &[Term<T>],
    to: *mut T,
    start: usize,
    end: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        macro_rules! run {
            (|$at:ident| $value:expr) => {{
                let mut at = start;
                while at + 4 * R::LEN <= end {
                    let mut values = [R::splat(T::ZERO); 4];
                    for i in 0..4 {
                        let $at = at + i * R::LEN;
                        values[i] = $value;
                    }
                    for i in 0..4 {
                        values[i].store(to.add(at + i * R::LEN));
                    }
                    at += 4 * R::LEN;
                }
                while at < end {
                    let $at = at;
                    let value = $value;
                    value.store(to.add(at));
                    at += R::LEN;
                }
            }};
        }
        let zero = R::splat(T::ZERO);
        let numbers = |term: &Term<T>| (term.x.from, term.y.from, term.kind);
        let (x, y, kind) = numbers(&terms[0]);
        let f = R::splat(terms[0].factor);
        macro_rules! first {
            ($at:expr) => {
                R::load(x.add($at)).mul_add(f, zero)
            };
        }
        match (kind, terms.get(1)) {
            (Kind::Lanes, None) => run!(|at| first!(at)),
            (_, None) => run!(|at| first!(at).mul_add(R::load(y.add(at)), zero)),
            (Kind::Lanes, Some(second)) => {
                let (u, v, other) = numbers(second);
                let g = R::splat(second.factor);
                match other {
                    Kind::Lanes => run!(|at| R::load(u.add(at)).mul_add(g, first!(at))),
                    _ => run!(|at| R::load(u.add(at))
                        .mul_add(g, zero)
                        .mul_add(R::load(v.add(at)), first!(at))),
                }
            }
            (_, Some(second)) => {
                let (u, v, other) = numbers(second);
                let g = R::splat(second.factor);
                match other {
                    Kind::Lanes => run!(|at| first!(at)
                        .mul_add(R::load(y.add(at)), R::load(u.add(at)).mul_add(g, zero))),
                    _ => run!(|at| R::load(u.add(at)).mul_add(g, zero).mul_add(
                        R::load(v.add(at)),
                        first!(at).mul_add(R::load(y.add(at)), zero)
                    )),
                }
            }
        }
    }
}

/// One number to a register.
///
/// # Safety
/// As for [`combine_body`].
#[inline(always)]
unsafe fn single<I: Isa, T: Real, const W: usize>(
    terms: &[Term<T>],
    to: *mut T,
    range: [usize; 2],
) {
    // SAFETY: the caller's.
    unsafe {
        match I::FUSED {
            true => entries::<Numbers<T, 1, true>, T, W>(terms, to, range, 1),
            false => entries::<Numbers<T, 1, false>, T, W>(terms, to, range, 1),
        }
    }
}

/// Entries from one to another with `V` registers each; `group` entries of the factors are one.
///
/// # Safety
/// As for [`combine_body`].
#[inline(always)]
unsafe fn entries<R: Register<T>, T: Real, const V: usize>(
    terms: &[Term<T>],
    to: *mut T,
    [mut e, end]: [usize; 2],
    group: usize,
) {
    // SAFETY: the caller's; `e + entries ≤ end`.
    unsafe {
        while e + 4 <= end {
            tile::<R, T, V, 4>(terms, to, e, group);
            e += 4;
        }
        while e < end {
            tile::<R, T, V, 1>(terms, to, e, group);
            e += 1;
        }
    }
}

/// # Safety
/// As for [`combine_body`], from entry `e` on.
#[inline(always)]
unsafe fn tile<R: Register<T>, T: Real, const V: usize, const E: usize>(
    terms: &[Term<T>],
    to: *mut T,
    e: usize,
    group: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut acc = [[R::splat(T::ZERO); V]; E];
        // Macros, as closures would not be compiled for the instruction set.
        macro_rules! each {
            (|$i:ident| $number:expr, |$v:ident, $sum:ident, $common:ident| $value:expr) => {
                for $i in 0..E {
                    let $common = $number;
                    for $v in 0..V {
                        let $sum = acc[$i][$v];
                        acc[$i][$v] = $value;
                    }
                }
            };
        }
        for term in terms {
            let factor = R::splat(term.factor);
            let plain = term.factor == T::ONE;
            let (dx, dy) = (term.x.step * group, term.y.step * group);
            let (x, y) = (
                term.x.from.wrapping_add(e * dx),
                term.y.from.wrapping_add(e * dy),
            );
            match term.kind {
                Kind::BothLanes if plain => each!(
                    |i| [x.add(i * dx), y.add(i * dy)],
                    |v, sum, at| R::load(at[0].add(v * R::LEN))
                        .mul_add(R::load(at[1].add(v * R::LEN)), sum)
                ),
                Kind::BothLanes => each!(|i| [x.add(i * dx), y.add(i * dy)], |v, sum, at| R::load(
                    at[0].add(v * R::LEN)
                )
                .mul_add(factor, R::splat(T::ZERO))
                .mul_add(R::load(at[1].add(v * R::LEN)), sum)),
                Kind::LanesAndUniform => {
                    each!(|i| R::splat(term.factor * *y.add(i * dy)), |v, sum, y| {
                        R::load(x.add(i * dx + v * R::LEN)).mul_add(y, sum)
                    })
                }
                Kind::Lanes => each!(|i| x.add(i * dx), |v, sum, x| R::load(x.add(v * R::LEN))
                    .mul_add(factor, sum)),
                Kind::Uniform => each!(|i| R::splat(term.factor * *x.add(i * dx)), |v, sum, x| sum
                    .add(x)),
                Kind::BothUniform => each!(
                    |i| R::splat(term.factor * *x.add(i * dx) * *y.add(i * dy)),
                    |v, sum, xy| sum.add(xy)
                ),
                Kind::Number => each!(|i| R::splat(term.factor), |v, sum, one| sum.add(one)),
            }
        }
        let to = to.add(e * V * R::LEN);
        for i in 0..E {
            for v in 0..V {
                acc[i][v].store(to.add((i * V + v) * R::LEN));
            }
        }
    }
}
