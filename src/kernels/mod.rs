//! Vector arithmetic over points side by side, compiled for AVX-512, AVX2, 64-bit ARM and any other
//! machine; the instruction set is chosen at run time.

// Tiles are loops over constant ranges, so that they unroll into registers; a macro's tile sizes
// include one.
#![allow(clippy::needless_range_loop, clippy::int_plus_one)]

pub(crate) mod accumulate;
#[cfg(test)]
mod accuracy;
pub(crate) mod combine;
mod dense;
pub(crate) mod elementwise;
#[cfg(test)]
pub(crate) mod forced;
pub(crate) mod function;
pub(crate) mod math;
mod matrix;
pub(crate) mod real;
mod shares;
pub(crate) mod simd;
mod single;
#[cfg(test)]
mod tests;

pub(crate) use accumulate::Slope;
pub(crate) use combine::MAX_TERMS;
pub(crate) use dense::{dense, outer_add, sum_add};
pub use function::Function;
pub use real::Real;

pub(crate) use matrix::{invert, matrix, matrix_transposed_add};
pub(crate) use single::dense_single;

/// Compiles one body for each instruction set, to be called where the instruction set is known: a
/// function by itself, so that a caller of many of them stays small. The body takes the instruction
/// set as its first type parameter and must be `#[inline(always)]`.
macro_rules! for_each_isa {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident [$($generics:tt)*] [$($names:tt)*]
        = $body:ident ( $($arg:ident : $type:ty),* $(,)? )) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The machine has the instruction set.
        #[inline(always)]
        #[allow(clippy::too_many_arguments)]
        $visibility unsafe fn $name<I: $crate::kernels::simd::Isa, $($generics)*>(
            $($arg: $type),*
        ) {
            #[cfg(target_arch = "x86_64")]
            {
                use $crate::kernels::simd::{Avx2, Avx512};
                #[target_feature(enable = "avx512f,avx512dq,fma")]
                #[allow(clippy::too_many_arguments)]
                fn avx512<$($generics)*>($($arg: $type),*) {
                    $body::<Avx512, $($names)*>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn avx2<$($generics)*>($($arg: $type),*) {
                    $body::<Avx2, $($names)*>($($arg),*)
                }
                if std::any::TypeId::of::<I>() == std::any::TypeId::of::<Avx512>() {
                    // SAFETY: the caller's.
                    return unsafe { avx512::<$($names)*>($($arg),*) };
                }
                if std::any::TypeId::of::<I>() == std::any::TypeId::of::<Avx2>() {
                    // SAFETY: the caller's.
                    return unsafe { avx2::<$($names)*>($($arg),*) };
                }
            }
            // Not inlined: the bodies are large.
            #[inline(never)]
            #[allow(clippy::too_many_arguments)]
            fn portable<I: $crate::kernels::simd::Isa, $($generics)*>(
                $($arg: $type),*
            ) {
                $body::<I, $($names)*>($($arg),*)
            }
            portable::<I::Anywhere, $($names)*>($($arg),*)
        }
    };
}

pub(crate) use for_each_isa;

/// The same with the instruction set of this machine, chosen at run time.
macro_rules! dispatched {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident [$($generics:tt)*] [$($names:tt)*]
        = $body:ident ( $($arg:ident : $type:ty),* $(,)? )) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $visibility fn $name<$($generics)*>($($arg: $type),*) {
            use $crate::kernels::simd;
            #[cfg(test)]
            match $crate::kernels::forced::loops() {
                None => {}
                Some($crate::kernels::forced::Loops::Fused) => {
                    return $body::<simd::Neon, $($names)*>($($arg),*);
                }
                Some($crate::kernels::forced::Loops::Portable) => {
                    return $body::<simd::Portable, $($names)*>($($arg),*);
                }
            }
            #[cfg(target_arch = "x86_64")]
            {
                $crate::kernels::for_each_isa!(
                    fn each [$($generics)*] [$($names)*] = $body($($arg: $type),*)
                );
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                    // SAFETY: the features were just detected.
                    return unsafe { each::<simd::Avx512, $($names)*>($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the features were just detected.
                    return unsafe { each::<simd::Avx2, $($names)*>($($arg),*) };
                }
            }
            if cfg!(target_arch = "aarch64") {
                $body::<simd::Neon, $($names)*>($($arg),*)
            } else {
                $body::<simd::Portable, $($names)*>($($arg),*)
            }
        }
    };
}

pub(crate) use dispatched;

/// A weight `[n, m]` by columns, or some of its rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns<'a, T> {
    /// From the first entry of the first column to the last of the last.
    pub from: &'a [T],
    /// From one column to the next.
    pub stride: usize,
}

impl<T> Columns<'_, T> {
    /// Panics where it is not as large.
    #[inline(always)]
    fn check(&self, n: usize, m: usize) {
        let last = self.stride * m.saturating_sub(1);
        assert!(
            n <= self.stride && last + n <= self.from.len(),
            "entries of the weight"
        );
    }
}

/// What a product is added to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a, T> {
    Zero,
    /// One number a row, the same at every point.
    Bias(&'a [T]),
    /// What is there.
    Present,
}
