//! Contributions of the reverse pass to an adjoint: added to it, or (`set`) its first one.
//!
//! To be inlined where the instruction set is known.

use crate::kernels::Real;

/// How the slope of a function follows from what is on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slope {
    /// It is on the tape, behind the results.
    Kept,
    /// `1 − y²`
    Tanh,
    /// `y (1 − y)`
    Sigmoid,
    /// `y`
    Exp,
}

/// `to += f(x, y)` entry by entry.
#[inline(always)]
fn each<T: Real>(x: &[T], y: &[T], to: &mut [T], set: bool, f: impl Fn(T, T) -> T) {
    if set {
        for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
            *to = f(*x, *y);
        }
    } else {
        for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
            *to += f(*x, *y);
        }
    }
}

#[inline(always)]
fn product<T: Real>(x: &[T], y: &[T], to: &mut [T], set: bool) {
    each(x, y, to, set, |x, y| x * y);
}

/// `to += Σ_i x_i`
#[inline(always)]
pub(crate) fn sum<T: Real, const W: usize>(x: &[[T; W]], to: &mut [T; W], set: bool) {
    let mut sum = if set { [T::ZERO; W] } else { *to };
    for x in x {
        for w in 0..W {
            sum[w] += x[w];
        }
    }
    *to = sum;
}

/// `to += x` where the condition is positive, or where it is not.
#[inline(always)]
pub(crate) fn chosen<T: Real, const W: usize>(
    condition: &[T; W],
    positive: bool,
    x: &[[T; W]],
    to: &mut [[T; W]],
    set: bool,
) {
    for (to, x) in to.iter_mut().zip(x) {
        for w in 0..W {
            let chosen = (condition[w] > T::ZERO) == positive;
            let value = if chosen { x[w] } else { T::ZERO };
            to[w] = if set { value } else { to[w] + value };
        }
    }
}

/// Through the results of an activation: `bar` holds the adjoints of `count ≤ 3` results; `y` the
/// last result, or all results from the second on and the slope behind them.
#[inline(always)]
pub(crate) fn chain<T: Real>(
    slope: Slope,
    count: usize,
    y: &[T],
    bar: &[T],
    to: &mut [T],
    set: bool,
) {
    let n = to.len();
    // The slope of all but the last result is the result after it.
    let known = if slope == Slope::Kept {
        count
    } else {
        count - 1
    };
    for k in 0..known {
        product(&y[k * n..][..n], &bar[k * n..][..n], to, set && k == 0);
    }
    if known < count {
        let (y, bar) = (&y[y.len() - n..], &bar[(count - 1) * n..][..n]);
        let set = set && known == 0;
        match slope {
            Slope::Tanh => each(y, bar, to, set, |y, bar| bar * (T::ONE - y * y)),
            Slope::Sigmoid => each(y, bar, to, set, |y, bar| bar * (y * (T::ONE - y))),
            _ => product(y, bar, to, set),
        }
    }
}
