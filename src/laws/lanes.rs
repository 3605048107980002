//! Numbers of several material points side by side, one point a lane, in the vector registers of
//! each instruction set, and their rows in memory.
//!
//! All of them round alike: a lane of a register is the scalar computation, bit for bit, if both
//! have a fused multiply-add.

use crate::algebra::kernels::math;
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
        for w in 0..W {
            result[w] = f(self.0[w], other.0[w]);
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
        for w in 0..W {
            result[w] = math::fma::<FMA>(self.0[w], factor.0[w], result[w]);
        }
        Self(result)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(f64::sqrt)
    }

    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.map(math::expm1::<FMA>)
    }

    #[inline(always)]
    fn where_greater(self, other: Self, yes: Self, no: Self) -> Self {
        let mut result = no.0;
        for w in 0..W {
            if self.0[w] > other.0[w] {
                result[w] = yes.0[w];
            }
        }
        Self(result)
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        let mut zero = true;
        for w in 0..W {
            zero &= self.0[w] == 0.0;
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
pub(super) use x86::{Avx2, Avx512};

/// Registers of x86-64. Values of these types exist only in functions that [`on_every_machine`]
/// compiles for their instruction set and calls where the machine has it; every `unsafe` below rests
/// on that.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Lanes, math};
    use std::arch::x86_64::*;
    use std::ops::{Add, Div, Mul, Neg, Sub};

    macro_rules! register {
        (
            $name:ident, $register:ty, $width:literal, $splat:ident, $load:ident, $store:ident,
            $add:ident, $sub:ident, $mul:ident, $div:ident, $fma:ident, $sqrt:ident, $xor:ident,
            $where_greater:ident, $is_zero:ident
        ) => {
            #[derive(Clone, Copy)]
            pub(in crate::laws) struct $name($register);

            impl Lanes for $name {
                const WIDTH: usize = $width;

                #[inline(always)]
                fn all(value: f64) -> Self {
                    // SAFETY: see the module.
                    Self(unsafe { $splat(value) })
                }

                #[inline(always)]
                fn load(from: &[f64]) -> Self {
                    // SAFETY: see the module; the slice was just cut to the width.
                    Self(unsafe { $load(from[..$width].as_ptr()) })
                }

                #[inline(always)]
                fn store(self, to: &mut [f64]) {
                    // SAFETY: see the module; the slice was just cut to the width.
                    unsafe { $store(to[..$width].as_mut_ptr(), self.0) }
                }

                #[inline(always)]
                fn map(self, f: impl Fn(f64) -> f64) -> Self {
                    let mut lanes = [0.0; $width];
                    self.store(&mut lanes);
                    for w in 0..$width {
                        lanes[w] = f(lanes[w]);
                    }
                    Self::load(&lanes)
                }

                #[inline(always)]
                fn mul_add(self, factor: impl Into<Self>, term: impl Into<Self>) -> Self {
                    // SAFETY: see the module.
                    Self(unsafe { $fma(self.0, factor.into().0, term.into().0) })
                }

                #[inline(always)]
                fn sqrt(self) -> Self {
                    // SAFETY: see the module.
                    Self(unsafe { $sqrt(self.0) })
                }

                #[inline(always)]
                fn exp_m1(self) -> Self {
                    self.map(math::expm1::<true>)
                }

                #[inline(always)]
                fn where_greater(self, other: Self, yes: Self, no: Self) -> Self {
                    // SAFETY: see the module.
                    Self(unsafe { $where_greater(self.0, other.0, yes.0, no.0) })
                }

                #[inline(always)]
                fn is_zero(self) -> bool {
                    // SAFETY: see the module.
                    unsafe { $is_zero(self.0) }
                }
            }

            impl Neg for $name {
                type Output = Self;

                #[inline(always)]
                fn neg(self) -> Self {
                    // SAFETY: see the module.
                    Self(unsafe { $xor(self.0, $splat(-0.0)) })
                }
            }

            register!($name: Add add $add, Sub sub $sub, Mul mul $mul, Div div $div);
            with_numbers!([] $name);
        };
        ($name:ident: $($trait:ident $function:ident $intrinsic:ident),+) => {$(
            impl $trait for $name {
                type Output = Self;

                #[inline(always)]
                fn $function(self, other: Self) -> Self {
                    // SAFETY: see the module.
                    Self(unsafe { $intrinsic(self.0, other.0) })
                }
            }
        )+};
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn where_greater_256(a: __m256d, b: __m256d, yes: __m256d, no: __m256d) -> __m256d {
        _mm256_blendv_pd(no, yes, _mm256_cmp_pd::<_CMP_GT_OQ>(a, b))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn is_zero_256(x: __m256d) -> bool {
        _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_EQ_OQ>(x, _mm256_setzero_pd())) == 0b1111
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn where_greater_512(a: __m512d, b: __m512d, yes: __m512d, no: __m512d) -> __m512d {
        _mm512_mask_blend_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(a, b), no, yes)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn is_zero_512(x: __m512d) -> bool {
        _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(x, _mm512_setzero_pd()) == 0xff
    }

    register!(
        Avx2,
        __m256d,
        4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_add_pd,
        _mm256_sub_pd,
        _mm256_mul_pd,
        _mm256_div_pd,
        _mm256_fmadd_pd,
        _mm256_sqrt_pd,
        _mm256_xor_pd,
        where_greater_256,
        is_zero_256
    );
    register!(
        Avx512,
        __m512d,
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_add_pd,
        _mm512_sub_pd,
        _mm512_mul_pd,
        _mm512_div_pd,
        _mm512_fmadd_pd,
        _mm512_sqrt_pd,
        _mm512_xor_pd,
        where_greater_512,
        is_zero_512
    );
}

/// Compiles a function for each instruction set, with its lanes as the first type parameter of the
/// body, and picks at run time: `lanes` wide ones, or `point` for a single point.
macro_rules! on_every_machine {
    ($visibility:vis fn $name:ident = $body:ident($($arg:ident: $type:ty),* $(,)?), $avx512:ty, $avx2:ty, $any:ty) => {
        $visibility fn $name($($arg: $type),*) {
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
