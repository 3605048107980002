//! Registers of x86-64.
//!
//! Values of these types exist only in functions that [`super::on_every_machine`] compiles for their
//! instruction set and calls where the machine has it; every `unsafe` below rests on that.

use super::Lanes;
use crate::kernels::math;
use crate::kernels::simd;
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
                self.map(math::exp_m1::<simd::Avx2, f64>)
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
