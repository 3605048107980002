//! Numbers of several material points side by side, one point a lane, in the vector registers of
//! each instruction set, and their rows in memory.
//!
//! All of them round alike: a lane of a register is the scalar computation, bit for bit, if both
//! have a fused multiply-add.

use crate::kernels::math;
use crate::kernels::simd::{Neon, Portable};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// One number per point.
pub(super) trait Lanes:
    Copy
    + From<f64>
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    const WIDTH: usize;

    fn all(value: f64) -> Self;

    /// The first numbers of a slice that has at least [`Lanes::WIDTH`].
    fn load(from: &[f64]) -> Self;

    fn store(self, to: &mut [f64]);

    fn map(self, f: impl Fn(f64) -> f64) -> Self;

    /// `self · factor + term`
    fn mul_add(self, factor: impl Into<Self>, term: impl Into<Self>) -> Self;

    fn sqrt(self) -> Self;

    /// `e^x − 1`
    fn exp_m1(self) -> Self;

    /// `yes` where this is greater than `other`, `no` elsewhere and where one is NaN.
    fn where_greater(self, other: Self, yes: Self, no: Self) -> Self;

    /// Whether every lane is zero; NaN is not.
    fn is_zero(self) -> bool;

    #[inline(always)]
    fn is_finite(self) -> bool {
        (self * 0.0).is_zero()
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.where_greater(Self::all(0.0), self, -self)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        other.where_greater(self, self, other)
    }
}

/// An array of lanes: a single point where `W` is 1, and the way of machines without registers of
/// their own here. `FMA`: whether the machine has a fused multiply-add.
#[derive(Clone, Copy)]
pub(super) struct Plain<const FMA: bool, const W: usize>(pub [f64; W]);

impl<const FMA: bool, const W: usize> Plain<FMA, W> {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let mut result = [0.0; W];
        for (w, value) in result.iter_mut().enumerate() {
            *value = f(self.0[w], other.0[w]);
        }
        Self(result)
    }
}

impl<const FMA: bool, const W: usize> Lanes for Plain<FMA, W> {
    const WIDTH: usize = W;

    #[inline(always)]
    fn all(value: f64) -> Self {
        Self([value; W])
    }

    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        let mut result = [0.0; W];
        result.copy_from_slice(&from[..W]);
        Self(result)
    }

    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        to[..W].copy_from_slice(&self.0);
    }

    #[inline(always)]
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        self.zip(self, |x, _| f(x))
    }

    #[inline(always)]
    fn mul_add(self, factor: impl Into<Self>, term: impl Into<Self>) -> Self {
        let (factor, term) = (factor.into(), term.into());
        let mut result = term.0;
        for (w, value) in result.iter_mut().enumerate() {
            *value = match FMA {
                true => math::fma::<Neon, f64>(self.0[w], factor.0[w], *value),
                false => math::fma::<Portable, f64>(self.0[w], factor.0[w], *value),
            };
        }
        Self(result)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(f64::sqrt)
    }

    #[inline(always)]
    fn exp_m1(self) -> Self {
        match FMA {
            true => self.map(math::exp_m1::<Neon, f64>),
            false => self.map(math::exp_m1::<Portable, f64>),
        }
    }

    #[inline(always)]
    fn where_greater(self, other: Self, yes: Self, no: Self) -> Self {
        let mut result = no.0;
        for (w, value) in result.iter_mut().enumerate() {
            if self.0[w] > other.0[w] {
                *value = yes.0[w];
            }
        }
        Self(result)
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        let mut zero = true;
        for value in self.0 {
            zero &= value == 0.0;
        }
        zero
    }
}

impl<const FMA: bool, const W: usize> Neg for Plain<FMA, W> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|x| -x)
    }
}

macro_rules! plain_operators {
    ($($trait:ident $function:ident $sign:tt),+) => {$(
        impl<const FMA: bool, const W: usize> $trait for Plain<FMA, W> {
            type Output = Self;

            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                self.zip(other, |a, b| a $sign b)
            }
        }
    )+};
}

plain_operators!(Add add +, Sub sub -, Mul mul *, Div div /);

/// Operators between lanes and one number for all of them.
macro_rules! with_numbers {
    ([$($generics:tt)*] $lanes:ty) => {
        impl<$($generics)*> From<f64> for $lanes {
            #[inline(always)]
            fn from(value: f64) -> Self {
                Self::all(value)
            }
        }

        with_numbers!(operators [$($generics)*] $lanes);
    };
    (operators $generics:tt $lanes:ty) => {
        with_numbers!($generics $lanes, Add add);
        with_numbers!($generics $lanes, Sub sub);
        with_numbers!($generics $lanes, Mul mul);
        with_numbers!($generics $lanes, Div div);
    };
    ([$($generics:tt)*] $lanes:ty, $trait:ident $function:ident) => {
        impl<$($generics)*> $trait<f64> for $lanes {
            type Output = Self;

            #[inline(always)]
            fn $function(self, other: f64) -> Self {
                $trait::$function(self, Self::all(other))
            }
        }
    };
}

with_numbers!([const FMA: bool, const W: usize] Plain<FMA, W>);

#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

/// Compiles a function for AVX-512, AVX2 and any machine, with the lanes named for each as the type
/// parameter of its body, and picks at run time. The body must be `#[inline(always)]`.
macro_rules! on_every_machine {
    ($visibility:vis fn $name:ident = $body:ident($($arg:ident: $type:ty),* $(,)?), $avx512:ty, $avx2:ty, $any:ty) => {
        $visibility fn $name($($arg: $type),*) {
            #[cfg(test)]
            if $crate::kernels::forced::loops().is_some() {
                return $body::<$any>($($arg),*);
            }
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,fma")]
                fn avx512($($arg: $type),*) {
                    $body::<$avx512>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) {
                    $body::<$avx2>($($arg),*)
                }
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                    // SAFETY: the features were just detected.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the features were just detected.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body::<$any>($($arg),*)
        }
    };
}

pub(super) use on_every_machine;

/// A Mandel vector per point.
pub(super) type Tensor<L> = [L; 6];

/// An array of the expression for `i` from 0 to 5, written out: the compiler then keeps the numbers
/// in registers, which it does not do for a loop over a vector of lanes.
macro_rules! components {
    ($i:ident => $value:expr) => {
        [
            {
                let $i = 0;
                $value
            },
            {
                let $i = 1;
                $value
            },
            {
                let $i = 2;
                $value
            },
            {
                let $i = 3;
                $value
            },
            {
                let $i = 4;
                $value
            },
            {
                let $i = 5;
                $value
            },
        ]
    };
}

pub(super) use components;

#[inline(always)]
pub(super) fn dot<L: Lanes>(a: &Tensor<L>, b: &Tensor<L>) -> L {
    // Two sums, so that one does not wait for the other.
    let even = a[4].mul_add(b[4], a[2].mul_add(b[2], a[0] * b[0]));
    let odd = a[5].mul_add(b[5], a[3].mul_add(b[3], a[1] * b[1]));
    even + odd
}

/// `scale · a`
#[inline(always)]
pub(super) fn scaled<L: Lanes>(scale: L, a: &Tensor<L>) -> Tensor<L> {
    components!(i => a[i] * scale)
}

/// `scale · a + b`
#[inline(always)]
pub(super) fn scaled_sum<L: Lanes>(scale: L, a: &Tensor<L>, b: &Tensor<L>) -> Tensor<L> {
    components!(i => a[i].mul_add(scale, b[i]))
}

/// The lanes of neighbouring points, `P` of which lie in a row.
#[inline(always)]
pub(super) fn load<L: Lanes, const P: usize>(row: &[f64; P], first: usize) -> L {
    L::load(&row[first..first + L::WIDTH])
}

#[inline(always)]
pub(super) fn load_tensor<L: Lanes, const P: usize>(
    rows: &[[f64; P]; 6],
    first: usize,
) -> Tensor<L> {
    components!(i => load(&rows[i], first))
}

#[inline(always)]
pub(super) fn store<L: Lanes, const P: usize>(lanes: L, row: &mut [f64; P], first: usize) {
    lanes.store(&mut row[first..first + L::WIDTH]);
}

#[inline(always)]
pub(super) fn store_tensor<L: Lanes, const P: usize>(
    tensor: &Tensor<L>,
    rows: &mut [[f64; P]; 6],
    first: usize,
) {
    components!(i => store(tensor[i], &mut rows[i], first));
}
