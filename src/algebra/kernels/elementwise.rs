//! Operations entry by entry, over flat slices of lanes.

use super::dispatched;
use super::math::fma;
use super::simd::Isa;
use crate::algebra::Real;
use crate::algebra::activation::{Activation, Visitor};

/// What two vectors make entry by entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    /// `y − x`
    SubFrom,
    Mul,
}

dispatched!(
    /// For each of several pairs of `n` entries, which lie `strides` apart; the results lie one
    /// after the other.
    pub(crate) fn binary [T: Real] [T] = binary_body(
        operation: Binary, x: &[T], y: &[T], strides: [usize; 2], n: usize, result: &mut [T])
);
dispatched!(
    /// The second vector has the same entry at every lane.
    pub(crate) fn binary_uniform [T: Real, const W: usize] [T, W] = binary_uniform_body(
        operation: Binary, x: &[[T; W]], y: &[T], result: &mut [[T; W]])
);
dispatched!(
    pub(crate) fn affine [T: Real] [T] = affine_body(factor: T, offset: T, x: &[T], y: &mut [T])
);
dispatched!(
    pub(crate) fn dot [T: Real, const W: usize] [T, W] = dot_body(
        x: &[[T; W]], y: &[[T; W]], result: &mut [T; W])
);
dispatched!(
    pub(crate) fn dot_uniform [T: Real, const W: usize] [T, W] = dot_uniform_body(
        x: &[[T; W]], y: &[T], result: &mut [T; W])
);
dispatched!(
    pub(crate) fn select [T: Real, const W: usize] [T, W] = select_body(
        condition: &[T; W], yes: &[[T; W]], no: &[[T; W]], result: &mut [[T; W]])
);
dispatched!(
    /// `y [K, n]`: the derivatives from the `order`-th on, one after the other.
    pub(crate) fn activate [T: Real, const K: usize] [T, K] = activate_body(
        f: Activation, order: u8, x: &[T], y: &mut [T])
);
dispatched!(
    /// `x̄ += Σ_k f^{(order + k + 1)}(x) ȳ_k`, `y_k = f^{(order + k)}(x)`, `k < K`.
    pub(crate) fn activate_adjoint [T: Real, const K: usize] [T, K] = activate_adjoint_body(
        f: Activation, order: u8, x: &[T], y: &[T], y_bar: &[T], x_bar: &mut [T])
);

#[inline(always)]
fn binary_body<I: Isa, T: Real>(
    operation: Binary,
    x: &[T],
    y: &[T],
    strides: [usize; 2],
    n: usize,
    result: &mut [T],
) {
    #[inline(always)]
    fn each<T: Real>(
        x: &[T],
        y: &[T],
        [dx, dy]: [usize; 2],
        n: usize,
        result: &mut [T],
        f: impl Fn(T, T) -> T,
    ) {
        for (k, result) in result.chunks_exact_mut(n.max(1)).enumerate() {
            let (x, y) = (&x[k * dx..][..n], &y[k * dy..][..n]);
            for ((result, x), y) in result.iter_mut().zip(x).zip(y) {
                *result = f(*x, *y);
            }
        }
    }
    match operation {
        Binary::Add => each(x, y, strides, n, result, |x, y| x + y),
        Binary::Sub => each(x, y, strides, n, result, |x, y| x - y),
        Binary::SubFrom => each(x, y, strides, n, result, |x, y| y - x),
        Binary::Mul => each(x, y, strides, n, result, |x, y| x * y),
    }
}

#[inline(always)]
fn binary_uniform_body<I: Isa, T: Real, const W: usize>(
    operation: Binary,
    x: &[[T; W]],
    y: &[T],
    result: &mut [[T; W]],
) {
    #[inline(always)]
    fn each<T: Real, const W: usize>(
        x: &[[T; W]],
        y: &[T],
        result: &mut [[T; W]],
        f: impl Fn(T, T) -> T,
    ) {
        for ((result, x), y) in result.iter_mut().zip(x).zip(y) {
            for w in 0..W {
                result[w] = f(x[w], *y);
            }
        }
    }
    match operation {
        Binary::Add => each(x, y, result, |x, y| x + y),
        Binary::Sub => each(x, y, result, |x, y| x - y),
        Binary::SubFrom => each(x, y, result, |x, y| y - x),
        Binary::Mul => each(x, y, result, |x, y| x * y),
    }
}

#[inline(always)]
fn affine_body<I: Isa, T: Real>(factor: T, offset: T, x: &[T], y: &mut [T]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = factor * *x + offset;
    }
}

#[inline(always)]
fn dot_body<I: Isa, T: Real, const W: usize>(x: &[[T; W]], y: &[[T; W]], result: &mut [T; W]) {
    let mut sum = [T::ZERO; W];
    for (x, y) in x.iter().zip(y) {
        for w in 0..W {
            sum[w] = fma::<I, T>(x[w], y[w], sum[w]);
        }
    }
    *result = sum;
}

#[inline(always)]
fn dot_uniform_body<I: Isa, T: Real, const W: usize>(x: &[[T; W]], y: &[T], result: &mut [T; W]) {
    let mut sum = [T::ZERO; W];
    for (x, y) in x.iter().zip(y) {
        for w in 0..W {
            sum[w] = fma::<I, T>(x[w], *y, sum[w]);
        }
    }
    *result = sum;
}

#[inline(always)]
fn select_body<I: Isa, T: Real, const W: usize>(
    condition: &[T; W],
    yes: &[[T; W]],
    no: &[[T; W]],
    result: &mut [[T; W]],
) {
    for ((result, yes), no) in result.iter_mut().zip(yes).zip(no) {
        for w in 0..W {
            result[w] = if condition[w] > T::ZERO {
                yes[w]
            } else {
                no[w]
            };
        }
    }
}

/// Runs `$body` with the order as a constant, so that the loop computes only what it writes.
macro_rules! with_order {
    ($order:expr, |$constant:ident| $body:expr) => {
        match $order {
            0 => {
                const $constant: usize = 0;
                $body
            }
            1 => {
                const $constant: usize = 1;
                $body
            }
            2 => {
                const $constant: usize = 2;
                $body
            }
            _ => {
                const $constant: usize = 3;
                $body
            }
        }
    };
}

#[inline(always)]
fn activate_body<I: Isa, T: Real, const K: usize>(f: Activation, order: u8, x: &[T], y: &mut [T]) {
    struct Apply<'a, T, const ORDER: usize, const K: usize>(&'a [T], &'a mut [T]);
    impl<T: Real, const ORDER: usize, const K: usize> Visitor<T> for Apply<'_, T, ORDER, K> {
        #[inline(always)]
        fn visit(self, f: impl Fn(T) -> [T; 4]) {
            let n = self.0.len();
            // Split, or the compiler must assume that the results overlap.
            let (first, rest) = self.1.split_at_mut(n);
            let (second, third) = rest.split_at_mut(if K > 1 { n } else { 0 });
            match K {
                1 => {
                    for (y, x) in first.iter_mut().zip(self.0) {
                        *y = f(*x)[ORDER];
                    }
                }
                2 => {
                    for ((y, z), x) in first.iter_mut().zip(second).zip(self.0) {
                        let all = f(*x);
                        (*y, *z) = (all[ORDER], all[(ORDER + 1) % 4]);
                    }
                }
                _ => {
                    for (((u, v), w), x) in first.iter_mut().zip(second).zip(third).zip(self.0) {
                        let all = f(*x);
                        (*u, *v, *w) = (all[ORDER], all[(ORDER + 1) % 4], all[(ORDER + 2) % 4]);
                    }
                }
            }
        }
    }
    with_order!(order, |ORDER| f.visit::<I, T>(Apply::<T, ORDER, K>(x, y)));
}

#[inline(always)]
fn activate_adjoint_body<I: Isa, T: Real, const K: usize>(
    f: Activation,
    order: u8,
    x: &[T],
    y: &[T],
    y_bar: &[T],
    x_bar: &mut [T],
) {
    struct Chain<'a, T, const ORDER: usize>(&'a [T], &'a [T], &'a mut [T]);
    impl<T: Real, const ORDER: usize> Visitor<T> for Chain<'_, T, ORDER> {
        #[inline(always)]
        fn visit(self, f: impl Fn(T) -> [T; 4]) {
            for ((x_bar, y_bar), x) in self.2.iter_mut().zip(self.1).zip(self.0) {
                *x_bar += f(*x)[ORDER] * *y_bar;
            }
        }
    }
    struct FromValue<'a, T>(&'a [T], &'a [T], &'a mut [T]);
    impl<T: Real> FromValue<'_, T> {
        #[inline(always)]
        fn visit(self, f: impl Fn(T) -> T) {
            for ((x_bar, y_bar), y) in self.2.iter_mut().zip(self.1).zip(self.0) {
                *x_bar += f(*y) * *y_bar;
            }
        }
    }
    let n = x.len();
    // The derivative of all but the last result is the result after it.
    for k in 0..K - 1 {
        let next = FromValue(&y[(k + 1) * n..][..n], &y_bar[k * n..][..n], x_bar);
        next.visit(|slope| slope);
    }
    let (last, last_bar) = (&y[(K - 1) * n..], &y_bar[(K - 1) * n..]);
    let from_value = FromValue(last, last_bar, &mut *x_bar);
    let order = order + K as u8 - 1;
    match (f, order) {
        (Activation::Tanh, 0) => from_value.visit(|y| T::ONE - y * y),
        (Activation::Sigmoid, 0) | (Activation::Softplus, 1) => {
            from_value.visit(|y| y * (T::ONE - y));
        }
        (Activation::Exp, _) => from_value.visit(|y| y),
        _ => with_order!(order + 1, |ORDER| {
            f.visit::<I, T>(Chain::<T, ORDER>(x, last_bar, x_bar));
        }),
    }
}
