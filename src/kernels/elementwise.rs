//! Operations entry by entry, over flat slices of lanes.

use super::dispatched;
use super::math::fma;
use super::simd::Isa;
use crate::kernels::Real;
use crate::kernels::function::{Function, Visitor};

/// What two vectors make entry by entry.
#[inline(always)]
pub(crate) fn dot<I: Isa, T: Real, const W: usize>(x: &[[T; W]], y: &[[T; W]]) -> [T; W] {
    let mut sum = [T::ZERO; W];
    for (x, y) in x.iter().zip(y) {
        for w in 0..W {
            sum[w] = fma::<I, T>(x[w], y[w], sum[w]);
        }
    }
    sum
}

/// With `y` the same at every lane.
#[inline(always)]
pub(crate) fn dot_uniform<I: Isa, T: Real, const W: usize>(x: &[[T; W]], y: &[T]) -> [T; W] {
    let mut sum = [T::ZERO; W];
    for (x, y) in x.iter().zip(y) {
        for w in 0..W {
            sum[w] = fma::<I, T>(x[w], *y, sum[w]);
        }
    }
    sum
}

/// The same at every lane, written out.
#[inline(always)]
pub(crate) fn spread<T: Real, const W: usize>(x: &[T], result: &mut [[T; W]]) {
    for (result, x) in result.iter_mut().zip(x) {
        *result = [*x; W];
    }
}

#[inline(always)]
pub(crate) fn select<T: Real, const W: usize>(
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

/// Where numbers go: the lanes of an entry side by side.
#[derive(Debug)]
pub struct Delivery<'a, T> {
    pub to: &'a mut [T],
    /// From one entry to the next.
    pub stride: usize,
    /// Lanes that are wanted, from the first on.
    pub count: usize,
}

/// Whether all numbers are finite.
pub(crate) fn finite<T: Real>(x: &[T]) -> bool {
    let mut zero = T::ZERO;
    zero_times(x, &mut zero);
    zero == T::ZERO
}

dispatched!(
    /// Adds up zero times each number: zero, or NaN where one is not finite.
    fn zero_times [T: Real] [T] = zero_times_body(x: &[T], zero: &mut T)
);

#[inline(always)]
fn zero_times_body<I: Isa, T: Real>(x: &[T], zero: &mut T) {
    let (blocks, rest) = x.as_chunks::<32>();
    let mut zeros = [T::ZERO; 32];
    for block in blocks {
        for (zero, x) in zeros.iter_mut().zip(block) {
            *zero = fma::<I, T>(T::ZERO, *x, *zero);
        }
    }
    for x in rest.iter().chain(&zeros) {
        *zero += T::ZERO * *x;
    }
}

dispatched!(
    /// Writes entries times a scale. Adds zero times each to `check`, which becomes NaN where one
    /// is not finite.
    pub(crate) fn deliver [T: Real, const W: usize] [T, W] = deliver_body(
        entries: &[[T; W]], scale: T, to: Delivery<T>, check: &mut [T; W])
);

#[inline(always)]
fn deliver_body<I: Isa, T: Real, const W: usize>(
    entries: &[[T; W]],
    scale: T,
    Delivery { to, stride, count }: Delivery<T>,
    check: &mut [T; W],
) {
    let mut zero = [T::ZERO; W];
    for (entry, to) in entries.iter().zip(to.chunks_mut(stride)) {
        let mut scaled = *entry;
        for w in 0..W {
            scaled[w] = entry[w] * scale;
            zero[w] += T::ZERO * scaled[w];
        }
        match to.first_chunk_mut::<W>() {
            Some(full) if count == W => *full = scaled,
            _ => to[..count].copy_from_slice(&scaled[..count]),
        }
    }
    for w in 0..W {
        check[w] += zero[w];
    }
}

dispatched!(
    /// The derivatives from the `order`-th on, one after the other: as many as fit into `y`, none
    /// beyond the third.
    pub(crate) fn derivatives [T: Real] [T] = derivatives_body(
        f: Function, order: u8, x: &[T], y: &mut [T])
);

#[inline(always)]
fn derivatives_body<I: Isa, T: Real>(f: Function, order: u8, x: &[T], y: &mut [T]) {
    macro_rules! each {
        ($(($order:literal, $count:literal))+) => {
            match (order, y.len() / x.len().max(1)) {
                $(($order, $count) => f.visit::<I, T>(Apply::<T, $order, $count>(x, y)),)+
                (_, 0) => {}
                (order, count) => panic!("{count} derivatives from the {order}th on"),
            }
        };
    }
    each!((0, 1)(0, 2)(0, 3)(0, 4)(1, 1)(1, 2)(1, 3)(2, 1)(2, 2)(3, 1));
}

/// A loop over a function that writes `COUNT` derivatives from the `ORDER`-th on.
struct Apply<'a, T, const ORDER: usize, const COUNT: usize>(&'a [T], &'a mut [T]);

impl<T: Real, const ORDER: usize, const COUNT: usize> Visitor<T> for Apply<'_, T, ORDER, COUNT> {
    #[inline(always)]
    fn visit(self, f: impl Fn(T) -> [T; 4]) {
        let n = self.0.len();
        // Split, or the compiler must assume that the results overlap.
        let (a, rest) = self.1.split_at_mut(n);
        let (b, rest) = rest.split_at_mut(if COUNT > 1 { n } else { 0 });
        let (c, d) = rest.split_at_mut(if COUNT > 2 { n } else { 0 });
        let order = |k: usize| (ORDER + k) % 4;
        match COUNT {
            1 => {
                for (a, x) in a.iter_mut().zip(self.0) {
                    *a = f(*x)[ORDER];
                }
            }
            2 => {
                for ((a, b), x) in a.iter_mut().zip(b).zip(self.0) {
                    let all = f(*x);
                    (*a, *b) = (all[ORDER], all[order(1)]);
                }
            }
            3 => {
                for (((a, b), c), x) in a.iter_mut().zip(b).zip(c).zip(self.0) {
                    let all = f(*x);
                    (*a, *b, *c) = (all[ORDER], all[order(1)], all[order(2)]);
                }
            }
            _ => {
                for ((((a, b), c), d), x) in a.iter_mut().zip(b).zip(c).zip(d).zip(self.0) {
                    let all = f(*x);
                    (*a, *b, *c) = (all[ORDER], all[order(1)], all[order(2)]);
                    *d = all[order(3)];
                }
            }
        }
    }
}
