//! Vector registers of each instruction set, for the kernels that the compiler does not turn into
//! good vector code by itself.

use crate::kernels::Real;

/// An instruction set. All but the portable one multiply and add in one rounding.
pub(crate) trait Isa: 'static {
    const FUSED: bool;
    /// How many accumulators of a tile fit into the registers beside what is loaded.
    const ACCUMULATORS: usize;
    type Register<T: Real>: Register<T>;
    /// The set itself, or any that needs no feature of the machine.
    type Anywhere: Isa;
}

/// Any machine; loops over arrays that the compiler may vectorise.
pub(crate) struct Portable;
/// 64-bit ARM: the same loops with fused multiply-add.
pub(crate) struct Neon;
#[cfg(target_arch = "x86_64")]
pub(crate) struct Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) struct Avx512;

impl Isa for Portable {
    const FUSED: bool = false;
    const ACCUMULATORS: usize = 4;
    type Register<T: Real> = T::Portable<false>;
    type Anywhere = Self;
}

impl Isa for Neon {
    const FUSED: bool = true;
    const ACCUMULATORS: usize = 4;
    type Register<T: Real> = T::Portable<true>;
    type Anywhere = Self;
}

#[cfg(target_arch = "x86_64")]
impl Isa for Avx2 {
    const FUSED: bool = true;
    const ACCUMULATORS: usize = 12;
    type Register<T: Real> = T::Avx2;
    type Anywhere = Portable;
}

#[cfg(target_arch = "x86_64")]
impl Isa for Avx512 {
    const FUSED: bool = true;
    const ACCUMULATORS: usize = 24;
    type Register<T: Real> = T::Avx512;
    type Anywhere = Portable;
}

/// `LEN` numbers that are computed together.
pub trait Register<T>: Copy {
    const LEN: usize;

    /// # Safety
    /// The machine has the instruction set.
    unsafe fn splat(value: T) -> Self;

    /// # Safety
    /// The machine has the instruction set, and `LEN` numbers can be read.
    unsafe fn load(from: *const T) -> Self;

    /// # Safety
    /// The machine has the instruction set, and `LEN` numbers can be written.
    unsafe fn store(self, to: *mut T);

    /// # Safety
    /// The machine has the instruction set.
    unsafe fn add(self, other: Self) -> Self;

    /// `self · factor + term`
    ///
    /// # Safety
    /// The machine has the instruction set.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
}

/// `N` numbers in an array.
#[derive(Clone, Copy)]
pub struct Numbers<T, const N: usize, const FUSED: bool>([T; N]);

impl<T: Real, const N: usize, const FUSED: bool> Register<T> for Numbers<T, N, FUSED> {
    const LEN: usize = N;

    #[inline(always)]
    unsafe fn splat(value: T) -> Self {
        Self([value; N])
    }

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { from.cast::<[T; N]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[T; N]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|n| self.0[n] + other.0[n]))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        let mut result = term.0;
        for n in 0..N {
            result[n] = if FUSED {
                self.0[n].mul_add(factor.0[n], result[n])
            } else {
                self.0[n] * factor.0[n] + result[n]
            };
        }
        Self(result)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Register;
    use std::arch::x86_64::*;

    macro_rules! register {
        ($type:ty, $register:ty, $len:literal, $splat:ident, $load:ident, $store:ident, $add:ident, $fma:ident) => {
            impl Register<$type> for $register {
                const LEN: usize = $len;

                #[inline(always)]
                unsafe fn splat(value: $type) -> Self {
                    // SAFETY: the caller's, as below.
                    unsafe { $splat(value) }
                }

                #[inline(always)]
                unsafe fn load(from: *const $type) -> Self {
                    unsafe { $load(from) }
                }

                #[inline(always)]
                unsafe fn store(self, to: *mut $type) {
                    unsafe { $store(to, self) }
                }

                #[inline(always)]
                unsafe fn add(self, other: Self) -> Self {
                    unsafe { $add(self, other) }
                }

                #[inline(always)]
                unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                    unsafe { $fma(self, factor, term) }
                }
            }
        };
    }

    register!(
        f64,
        __m256d,
        4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_add_pd,
        _mm256_fmadd_pd
    );
    register!(
        f32,
        __m256,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_add_ps,
        _mm256_fmadd_ps
    );
    register!(
        f64,
        __m512d,
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_add_pd,
        _mm512_fmadd_pd
    );
    register!(
        f32,
        __m512,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_add_ps,
        _mm512_fmadd_ps
    );
}
