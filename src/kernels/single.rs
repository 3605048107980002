//! Products with a weight for one point: the outputs of the layer fill the registers, and several
//! vectors (the directions of a tangent) share each load of the weight.

use super::simd::{Isa, Numbers, Register};
use super::{Columns, Start, for_each_isa};
use crate::kernels::Real;

for_each_isa!(
    /// `y_k = A x_k + start` for several vectors. `[count, stride, m]` says how many vectors `[m]`
    /// lie in `x`, and how far apart; `y [count, n]` holds the results one after the other. Sums run
    /// in the order of the lanes' kernel, so that both give the same bits.
    pub(crate) fn dense_single [T: Real] [T] = dense_single_body(
        columns: Columns<T>, start: Start<T>, x: &[T], shape: [usize; 3], y: &mut [T])
);

#[inline(always)]
pub(super) fn dense_single_body<I: Isa, T: Real>(
    columns: Columns<T>,
    start: Start<T>,
    x: &[T],
    [count, stride, m]: [usize; 3],
    y: &mut [T],
) {
    let n = y.len() / count;
    let mut k = 0;
    macro_rules! vectors {
        ($($some:literal)+) => {$(
            while k + $some <= count {
                let x: [&[T]; $some] = std::array::from_fn(|i| &x[(k + i) * stride..][..m]);
                some::<I, T, $some>(columns, start, x, &mut y[k * n..(k + $some) * n]);
                k += $some;
            }
        )+};
    }
    vectors!(6 3 2 1);
}

/// So many vectors at once.
#[inline(always)]
fn some<I: Isa, T: Real, const K: usize>(
    columns: Columns<T>,
    start: Start<T>,
    x: [&[T]; K],
    y: &mut [T],
) {
    let (n, m) = (y.len() / K, x[0].len());
    columns.check(n, m);
    if let Start::Bias(bias) = start {
        assert_eq!(bias.len(), n, "entries of the bias");
    }
    let mut i = 0;
    macro_rules! rows {
        ($($registers:literal)+) => {$(
            while K * $registers <= I::ACCUMULATORS.max(K)
                && i + $registers * I::Register::<T>::LEN <= n
            {
                // SAFETY: the sizes were checked; the instruction set is that of the dispatch.
                unsafe { tile::<I::Register<T>, T, K, $registers>(columns, start, x, y, i) };
                i += $registers * I::Register::<T>::LEN;
            }
        )+};
    }
    rows!(8 4 2 1);
    let len = I::Register::<T>::LEN;
    if i < n && n >= len && !matches!(start, Start::Present) {
        // The last whole register, again in part.
        // SAFETY: as above.
        unsafe { tile::<I::Register<T>, T, K, 1>(columns, start, x, y, n - len) };
        return;
    }
    while i < n {
        // SAFETY: as above; fused or not as the wide registers.
        unsafe {
            if I::FUSED {
                tile::<Numbers<T, 1, true>, T, K, 1>(columns, start, x, y, i);
            } else {
                tile::<Numbers<T, 1, false>, T, K, 1>(columns, start, x, y, i);
            }
        }
        i += 1;
    }
}

/// `V` registers of outputs from `i` on.
///
/// # Safety
/// A weight `[n, m]`, `x_k [m]`, `y [K, n]`, a bias `[n]`; `i + V·LEN ≤ n`.
#[inline(always)]
unsafe fn tile<R: Register<T>, T: Real, const K: usize, const V: usize>(
    columns: Columns<T>,
    start: Start<T>,
    x: [&[T]; K],
    y: &mut [T],
    i: usize,
) {
    let n = y.len() / K;
    // SAFETY: the caller's.
    unsafe {
        let y = y.as_mut_ptr().add(i);
        let mut acc = [[R::splat(T::ZERO); V]; K];
        let mut column = columns.from.as_ptr().add(i);
        for j in 0..x[0].len() {
            let mut a = [R::splat(T::ZERO); V];
            for v in 0..V {
                a[v] = R::load(column.add(v * R::LEN));
            }
            for k in 0..K {
                let x = R::splat(*x[k].get_unchecked(j));
                for v in 0..V {
                    acc[k][v] = a[v].mul_add(x, acc[k][v]);
                }
            }
            column = column.wrapping_add(columns.stride);
        }
        for k in 0..K {
            for v in 0..V {
                let to = y.add(k * n + v * R::LEN);
                match start {
                    Start::Zero => acc[k][v],
                    Start::Bias(bias) => acc[k][v].add(R::load(bias.as_ptr().add(i + v * R::LEN))),
                    Start::Present => acc[k][v].add(R::load(to)),
                }
                .store(to);
            }
        }
    }
}
