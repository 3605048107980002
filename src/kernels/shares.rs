//! Sums over bundles, `Σ c ∘ B`: what the vectors of a bundle share is loaded once for all of them.

use super::combine::{Factor, Kind, MAX_TERMS, Term};
use super::simd::{Isa, Numbers, Register};
use crate::kernels::Real;

/// `factor · share ∘ bundle`; without a share, `factor · bundle`.
#[derive(Clone, Copy)]
struct Shared<T> {
    factor: T,
    share: Option<Factor<T>>,
    bundle: Factor<T>,
}

impl<T: Real> Shared<T> {
    const NONE: Self = Self {
        factor: T::ZERO,
        share: None,
        bundle: Factor::NONE,
    };

    fn of(term: &Term<T>) -> Option<Self> {
        let (share, bundle) = match term.kind {
            Kind::Number => return None,
            Kind::Lanes | Kind::Uniform => (None, term.x),
            _ if term.x.next == 0 => (Some(term.x), term.y),
            _ if term.y.next == 0 => (Some(term.y), term.x),
            _ => return None,
        };
        (bundle.next != 0).then_some(Self {
            factor: term.factor,
            share,
            bundle,
        })
    }
}

/// Computes the sum if each of its terms is a bundle times what its vectors share; returns whether it
/// is.
///
/// # Safety
/// As for [`super::combine::combine`].
#[inline(always)]
pub(super) unsafe fn shares<I: Isa, T: Real, const W: usize>(
    terms: &[Term<T>],
    to: *mut T,
    shape: [usize; 3],
) -> bool {
    let len = I::Register::<T>::LEN;
    if ![1, len, 2 * len].contains(&W) {
        return false;
    }
    let mut shared = [None; MAX_TERMS];
    for (shared, term) in shared.iter_mut().zip(terms) {
        *shared = Shared::of(term);
        if shared.is_none() {
            return false;
        }
    }
    let known = shared.iter().flatten();
    let spread = known.clone().all(|s| s.bundle.uniform);
    // Of a single point, only what stands for all entries is called uniform.
    if spread && W == 1 || !spread && known.clone().any(|s| s.bundle.uniform) {
        return false;
    }
    macro_rules! sized {
        ($($n:literal)+) => {
            match terms.len() {
                $($n => {
                    let mut terms = [Shared::NONE; $n];
                    terms.iter_mut().zip(known).for_each(|(to, from)| *to = *from);
                    // SAFETY: the caller's.
                    unsafe {
                        match spread {
                            true => all::<I, T, W, $n, true>(terms, to, shape),
                            false => all::<I, T, W, $n, false>(terms, to, shape),
                        }
                    }
                })+
                _ => return false,
            }
        };
    }
    sized!(1 2 3);
    true
}

/// `SPREAD`: the numbers of the bundles stand for whole registers.
///
/// # Safety
/// As for [`shares`].
#[inline(always)]
unsafe fn all<I: Isa, T: Real, const W: usize, const N: usize, const SPREAD: bool>(
    shared: [Shared<T>; N],
    to: *mut T,
    [count, n, next]: [usize; 3],
) {
    let len = I::Register::<T>::LEN;
    // SAFETY: the caller's.
    unsafe {
        macro_rules! entries {
            ($register:ty, $registers:literal, $range:expr) => {
                entries::<$register, T, W, N, $registers, SPREAD>(shared, to, [count, next], $range)
            };
        }
        if W == len {
            entries!(I::Register<T>, 1, [0, n]);
        } else if W == 2 * len {
            entries!(I::Register<T>, 2, [0, n]);
        } else if !SPREAD {
            // Entries fill the registers; the rest one by one.
            let [twos, ones] = [2 * len, len].map(|some| n / some * some);
            entries!(I::Register<T>, 2, [0, twos]);
            entries!(I::Register<T>, 1, [twos, ones]);
            match I::FUSED {
                true => entries!(Numbers<T, 1, true>, 1, [ones, n]),
                false => entries!(Numbers<T, 1, false>, 1, [ones, n]),
            }
        }
    }
}

/// Entries from one to another, `V` registers at a time.
///
/// # Safety
/// As for [`shares`]; for a single point, the entries are whole registers.
#[inline(always)]
unsafe fn entries<
    R: Register<T>,
    T: Real,
    const W: usize,
    const N: usize,
    const V: usize,
    const SPREAD: bool,
>(
    shared: [Shared<T>; N],
    to: *mut T,
    [count, next]: [usize; 2],
    [start, end]: [usize; 2],
) {
    // SAFETY: the caller's.
    unsafe {
        let zero = R::splat(T::ZERO);
        let mut e = start;
        while e < end {
            let mut share = [[zero; V]; N];
            let mut from = [std::ptr::null::<T>(); N];
            for t in 0..N {
                let factor = R::splat(shared[t].factor);
                from[t] = shared[t].bundle.from.add(e * shared[t].bundle.step);
                for v in 0..V {
                    share[t][v] = match &shared[t].share {
                        None => factor,
                        Some(share) => {
                            let at = share.from.add(e * share.step);
                            let x = match share.uniform {
                                true => R::splat(*at),
                                false => R::load(at.add(v * R::LEN)),
                            };
                            x.mul_add(factor, zero)
                        }
                    };
                }
            }
            let mut to = to.add(e * W);
            for _ in 0..count {
                let mut sum = [zero; V];
                for t in 0..N {
                    let spread = R::splat(*from[t]);
                    for v in 0..V {
                        let x = match SPREAD {
                            true => spread,
                            false => R::load(from[t].add(v * R::LEN)),
                        };
                        sum[v] = share[t][v].mul_add(x, sum[v]);
                    }
                    from[t] = from[t].wrapping_add(shared[t].bundle.next);
                }
                for v in 0..V {
                    sum[v].store(to.add(v * R::LEN));
                }
                to = to.wrapping_add(next);
            }
            e += if W == 1 { V * R::LEN } else { 1 };
        }
    }
}
