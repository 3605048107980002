//! The two scalars that laws are read with.

use super::simd::Numbers;
use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// `f32` or `f64`.
pub trait Real:
    Copy
    + Debug
    + Display
    + Default
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + sealed::Format
    + sealed::Registers
    + 'static
{
    const ZERO: Self;
    const ONE: Self;
    /// Distance from one to the next number.
    const EPSILON: Self;

    /// The nearest number.
    fn of(value: f64) -> Self;

    fn to_f64(self) -> f64;

    fn mul_add(self, factor: Self, term: Self) -> Self;

    fn sqrt(self) -> Self;

    fn abs(self) -> Self;

    /// This size with the sign of another.
    fn copysign(self, sign: Self) -> Self;
}

pub(crate) mod sealed {
    use crate::kernels::simd::Register;

    /// The registers of each instruction set.
    pub trait Registers: Sized {
        type Portable<const FUSED: bool>: Register<Self>;
        #[cfg(target_arch = "x86_64")]
        type Avx2: Register<Self>;
        #[cfg(target_arch = "x86_64")]
        type Avx512: Register<Self>;
    }

    /// What functions need of a floating-point format.
    pub trait Format: Sized + 'static {
        const LOG2_E: Self;
        /// `ln 2` in two parts, the first with trailing zeros so that its multiples are exact.
        const LN_2: [Self; 2];
        /// Adding and subtracting this rounds to the nearest integer, which the low bits then hold.
        const ROUND: Self;
        /// Logarithms of the least normal number and of the largest one over `√2`.
        const RANGE: [Self; 2];
        /// `(e^r − 1 − r)/r²` for `|r| ≤ ½ ln 2`, highest power first; minimax.
        const EXP: &'static [Self];
        /// `(artanh(√t)/√t − 1)/t` for `0 ≤ t ≤ (3 − √8)²`, highest power first; minimax.
        const ARTANH: &'static [Self];

        /// Up to here a function with a pole at zero is zero: beyond, the first derivatives of `√x`,
        /// `1/√x` and `1/x` stay far from overflow, in `f64` the first three.
        const POLE: Self;

        /// `2^k` where `self = ROUND + k`.
        fn power_of_two(self) -> Self;
    }
}

macro_rules! real {
    ($type:ident, bits $bits:expr, bias $bias:expr, registers $avx2:ident $avx512:ident of $len:literal, $($constant:item)+) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = $type::EPSILON;

            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $type
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                $type::mul_add(self, factor, term)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                $type::sqrt(self)
            }

            #[inline(always)]
            fn abs(self) -> Self {
                $type::abs(self)
            }

            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                $type::copysign(self, sign)
            }
        }

        impl sealed::Registers for $type {
            type Portable<const FUSED: bool> = Numbers<$type, $len, FUSED>;
            #[cfg(target_arch = "x86_64")]
            type Avx2 = std::arch::x86_64::$avx2;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = std::arch::x86_64::$avx512;
        }

        impl sealed::Format for $type {
            const LOG2_E: Self = std::$type::consts::LOG2_E;
            $($constant)+

            #[inline(always)]
            fn power_of_two(self) -> Self {
                $type::from_bits(self.to_bits().wrapping_add($bias) << $bits)
            }
        }
    };
}

real! {
    f64, bits 52, bias 1023, registers __m256d __m512d of 8,
    const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const RANGE: [f64; 2] = [-708.396_418_532_264, 709.436];
    const EXP: &'static [f64] = &[
        2.092_166_704_494_432e-9,
        2.510_531_296_749_289e-8,
        2.755_725_268_738_763e-7,
        2.755_725_516_938_446e-6,
        2.480_158_734_756_744e-5,
        1.984_126_987_500_284_6e-4,
        1.388_888_888_887_430_5e-3,
        8.333_333_333_326_084e-3,
        4.166_666_666_666_668_5e-2,
        1.666_666_666_666_667e-1,
        0.5,
    ];
    const ARTANH: &'static [f64] = &[
        7.312_626_865_379_782e-2,
        7.665_498_706_728_48e-2,
        9.091_455_666_285_27e-2,
        1.111_110_541_154_195_5e-1,
        1.428_571_431_394_847e-1,
        1.999_999_999_994_751_8e-1,
        3.333_333_333_333_335e-1,
    ];
    const POLE: f64 = 1e-75;
}

real! {
    f32, bits 23, bias 127, registers __m256 __m512 of 16,
    const LN_2: [f32; 2] = [6.933_594e-1, -2.121_944_4e-4];
    const ROUND: f32 = 12_582_912.0;
    const RANGE: [f32; 2] = [-87.336_54, 88.376];
    const EXP: &'static [f32] = &[
        1.990_770_8e-4,
        1.393_373_4e-3,
        8.333_286e-3,
        4.166_646_3e-2,
        1.666_666_7e-1,
        0.5,
    ];
    const ARTANH: &'static [f32] = &[1.479_390_1e-1, 1.999_429_6e-1, 3.333_334_3e-1];
    const POLE: f32 = 1e-18;
}
