//! Sums of products, entry by entry: all arithmetic of a law that is neither a product with a
//! weight nor an elementwise function.

use super::for_each_isa;
use super::simd::{Isa, Numbers, Register};
use crate::algebra::Real;

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
}

/// `factor · x ⊙ y`, each of `x` and `y` if there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term<T> {
    pub factor: T,
    pub x: Option<Factor<T>>,
    pub y: Option<Factor<T>>,
}

impl<T: Real> Term<T> {
    pub const NONE: Self = Self {
        factor: T::ZERO,
        x: None,
        y: None,
    };

    /// From another entry on, and with another step.
    fn moved(self, entries: usize, by: usize) -> Self {
        let moved = |x: Factor<T>| Factor {
            from: x.from.wrapping_add(entries * x.step),
            step: x.step * by,
            ..x
        };
        Self {
            factor: self.factor,
            x: self.x.map(moved),
            y: self.y.map(moved),
        }
    }
}

for_each_isa!(
    /// `to_e = Σ factor · x_e · y_e` for `n` entries of `W` lanes. Every factor has its numbers;
    /// the result may be a factor, but overlaps none otherwise.
    pub(crate) fn combine [T: Real, const W: usize] [T, W] = combine_body(
        terms: &[Term<T>; MAX_TERMS], count: usize, to: *mut T, n: usize)
);

#[inline(always)]
fn combine_body<I: Isa, T: Real, const W: usize>(
    terms: &[Term<T>; MAX_TERMS],
    count: usize,
    to: *mut T,
    n: usize,
) {
    let len = I::Register::<T>::LEN;
    // SAFETY: the numbers are there, as the caller says; the instruction set is the machine's.
    unsafe {
        if W == 1 {
            // Entries fill the registers; what is left goes one by one.
            let whole = n / len;
            let wide = terms.map(|term| term.moved(0, len));
            entries::<I::Register<T>, T, 1>(&wide[..count], to, whole);
            let rest = terms.map(|term| term.moved(whole * len, 1));
            let to = to.add(whole * len);
            single::<I, T, 1>(&rest[..count], to, n - whole * len);
        } else if W == len {
            entries::<I::Register<T>, T, 1>(&terms[..count], to, n);
        } else if W == 2 * len {
            entries::<I::Register<T>, T, 2>(&terms[..count], to, n);
        } else {
            single::<I, T, W>(&terms[..count], to, n);
        }
    }
}

/// One number to a register.
///
/// # Safety
/// As for [`combine_body`].
#[inline(always)]
unsafe fn single<I: Isa, T: Real, const W: usize>(terms: &[Term<T>], to: *mut T, n: usize) {
    // SAFETY: the caller's.
    unsafe {
        match I::FUSED {
            true => entries::<Numbers<T, 1, true>, T, W>(terms, to, n),
            false => entries::<Numbers<T, 1, false>, T, W>(terms, to, n),
        }
    }
}

/// `V` registers an entry.
///
/// # Safety
/// As for [`combine_body`].
#[inline(always)]
unsafe fn entries<R: Register<T>, T: Real, const V: usize>(
    terms: &[Term<T>],
    to: *mut T,
    n: usize,
) {
    let mut e = 0;
    // SAFETY: the caller's; `e + entries ≤ n`.
    unsafe {
        while e + 4 <= n {
            tile::<R, T, V, 4>(terms, to, e);
            e += 4;
        }
        while e < n {
            tile::<R, T, V, 1>(terms, to, e);
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
            let start = |x: &Factor<T>| x.from.add(e * x.step);
            match (&term.x, &term.y) {
                (Some(x), Some(y)) => {
                    // What is the same at every lane comes second.
                    let (x, y) = if x.uniform { (y, x) } else { (x, y) };
                    let (dx, dy) = (x.step, y.step);
                    let (lanes, numbers) = (!x.uniform, y.uniform);
                    let (x, y) = (start(x), start(y));
                    match (lanes, numbers) {
                        (true, true) if plain => each!(
                            |i| R::splat(*y.add(i * dy)),
                            |v, sum, y| R::load(x.add(i * dx + v * R::LEN)).mul_add(y, sum)
                        ),
                        (true, true) => {
                            each!(|i| R::splat(term.factor * *y.add(i * dy)), |v, sum, y| {
                                R::load(x.add(i * dx + v * R::LEN)).mul_add(y, sum)
                            })
                        }
                        (true, false) if plain => each!(
                            |i| [x.add(i * dx), y.add(i * dy)],
                            |v, sum, at| R::load(at[0].add(v * R::LEN))
                                .mul_add(R::load(at[1].add(v * R::LEN)), sum)
                        ),
                        (true, false) => {
                            each!(|i| [x.add(i * dx), y.add(i * dy)], |v, sum, at| R::load(
                                at[0].add(v * R::LEN)
                            )
                            .mul_add(factor, R::splat(T::ZERO))
                            .mul_add(R::load(at[1].add(v * R::LEN)), sum))
                        }
                        _ => each!(
                            |i| R::splat(term.factor * *x.add(i * dx) * *y.add(i * dy)),
                            |v, sum, xy| sum.add(xy)
                        ),
                    }
                }
                (Some(x), None) | (None, Some(x)) => {
                    let (from, step) = (start(x), x.step);
                    match x.uniform {
                        true => each!(
                            |i| R::splat(term.factor * *from.add(i * step)),
                            |v, sum, x| sum.add(x)
                        ),
                        false if plain => each!(|i| from.add(i * step), |v, sum, x| sum
                            .add(R::load(x.add(v * R::LEN)))),
                        false => each!(|i| from.add(i * step), |v, sum, x| R::load(
                            x.add(v * R::LEN)
                        )
                        .mul_add(factor, sum)),
                    }
                }
                (None, None) => each!(|i| factor, |v, sum, factor| sum.add(factor)),
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
