//! Products with a weight for `W` points side by side: each weight is broadcast, the points fill
//! the registers.

use super::simd::{Isa, Numbers, Register};
use super::{Columns, Start, dispatched, for_each_isa};
use crate::kernels::Real;

dispatched!(
    /// `gradient[i, j] += Σ_calls Σ_lanes ȳ_i x_j`, `calls` being pairs of starts of `ȳ` in
    /// `adjoints` and of `x` in `values`: each register tile runs through all calls.
    pub(crate) fn outer_add [T: Real, const W: usize] [T, W] = outer_body(
        calls: &[(usize, usize)], adjoints: &[[T; W]], values: &[[T; W]],
        rows: usize, columns: usize, gradient: &mut [T])
);

dispatched!(
    /// `sums_i += Σ_starts Σ_lanes x_{start + i}`.
    pub(crate) fn sum_add [T: Real, const W: usize] [T, W] = sum_body(
        starts: &[usize], x: &[[T; W]], sums: &mut [T])
);

#[inline(always)]
fn sum_body<I: Isa, T: Real, const W: usize>(starts: &[usize], x: &[[T; W]], sums: &mut [T]) {
    for (i, sum) in sums.iter_mut().enumerate() {
        let mut lanes = [T::ZERO; W];
        for start in starts {
            let x = &x[start + i];
            for w in 0..W {
                lanes[w] += x[w];
            }
        }
        *sum += lanes.iter().copied().sum::<T>();
    }
}

/// One number in a register, where the lanes do not fill a wider one.
type One<T> = Numbers<T, 1, false>;

for_each_isa!(
    /// `y = A x + start` at every lane.
    pub(crate) fn dense [T: Real, const W: usize] [T, W] = dense_body(
        columns: Columns<T>, start: Start<T>, x: &[[T; W]], y: &mut [[T; W]])
);

#[inline(always)]
pub(super) fn dense_body<I: Isa, T: Real, const W: usize>(
    columns: Columns<T>,
    start: Start<T>,
    x: &[[T; W]],
    y: &mut [[T; W]],
) {
    let (n, m) = (y.len(), x.len());
    columns.check(n, m);
    if let Start::Bias(bias) = start {
        assert_eq!(bias.len(), n, "entries of the bias");
    }
    let mut product = Product {
        columns,
        start,
        x,
        y,
    };
    let registers = W / I::Register::<T>::LEN;
    match registers * I::Register::<T>::LEN == W {
        true if registers == 1 => product.run::<I::Register<T>, 1>(I::ACCUMULATORS),
        true if registers == 2 => product.run::<I::Register<T>, 2>(I::ACCUMULATORS),
        _ => (0..W).for_each(|lane| product.lane::<I>(lane)),
    }
}

/// `y_i = Σ_j a_ij x_j + start_i`
struct Product<'a, T, const W: usize> {
    columns: Columns<'a, T>,
    start: Start<'a, T>,
    x: &'a [[T; W]],
    y: &'a mut [[T; W]],
}

impl<T: Real, const W: usize> Product<'_, T, W> {
    /// `V` registers hold the lanes of one row.
    #[inline(always)]
    fn run<R: Register<T>, const V: usize>(&mut self, accumulators: usize) {
        let n = self.y.len();
        let mut i = 0;
        macro_rules! rows {
            ($($rows:literal)+) => {$(
                // Eight rows go better by four and four than by six and two.
                while $rows * V <= accumulators && i + $rows <= n && ($rows != 6 || n - i != 8) {
                    // SAFETY: the sizes were checked, `i + rows ≤ n`, and the instruction set is
                    // that of the dispatch.
                    unsafe { self.tile::<R, V, $rows>(i) };
                    i += $rows;
                }
            )+};
        }
        rows!(12 6 4 2 1);
    }

    /// # Safety
    /// `columns` has an entry for each pair of `x` and `y`, the bias one for each of `y`; `i + N ≤ n`.
    #[inline(always)]
    unsafe fn tile<R: Register<T>, const V: usize, const N: usize>(&mut self, i: usize) {
        let (stride, m) = (self.columns.stride, self.x.len());
        // SAFETY: the caller's; `V` registers of `LEN` are the `W` lanes of an entry.
        unsafe {
            let mut acc = [[R::splat(T::ZERO); V]; N];
            let x = self.x.as_ptr().cast::<T>();
            let first = self.columns.from.as_ptr().add(i);
            // A macro, as a closure would not be compiled for the instruction set.
            macro_rules! column {
                ($j:expr) => {{
                    let mut lanes = [R::splat(T::ZERO); V];
                    for v in 0..V {
                        lanes[v] = R::load(x.add($j * W + v * R::LEN));
                    }
                    let column = first.add($j * stride);
                    for k in 0..N {
                        let a = R::splat(*column.add(k));
                        for v in 0..V {
                            acc[k][v] = a.mul_add(lanes[v], acc[k][v]);
                        }
                    }
                }};
            }
            for j in (0..m - m % 2).step_by(2) {
                column!(j);
                column!(j + 1);
            }
            if m % 2 == 1 {
                column!(m - 1);
            }
            let y = self.y.as_mut_ptr().add(i).cast::<T>();
            for k in 0..N {
                for v in 0..V {
                    let to = y.add(k * W + v * R::LEN);
                    match self.start {
                        Start::Zero => acc[k][v],
                        Start::Bias(bias) => acc[k][v].add(R::splat(*bias.get_unchecked(i + k))),
                        Start::Present => acc[k][v].add(R::load(to)),
                    }
                    .store(to);
                }
            }
        }
    }

    /// One lane of any width.
    #[inline(always)]
    fn lane<I: Isa>(&mut self, lane: usize) {
        let Columns { from, stride } = self.columns;
        for (i, y) in self.y.iter_mut().enumerate() {
            let mut sum = T::ZERO;
            for (j, x) in self.x.iter().enumerate() {
                sum = super::math::fma::<I, T>(from[j * stride + i], x[lane], sum);
            }
            y[lane] = match self.start {
                Start::Zero => sum,
                Start::Bias(bias) => sum + bias[i],
                Start::Present => sum + y[lane],
            };
        }
    }
}

#[inline(always)]
pub(super) fn outer_body<I: Isa, T: Real, const W: usize>(
    calls: &[(usize, usize)],
    adjoints: &[[T; W]],
    values: &[[T; W]],
    rows: usize,
    columns: usize,
    gradient: &mut [T],
) {
    assert_eq!(gradient.len(), rows * columns, "entries of the gradient");
    for &(y, x) in calls {
        assert!(y + rows <= adjoints.len() && x + columns <= values.len());
    }
    let mut outer = Outer {
        calls,
        adjoints,
        values,
        columns,
        gradient,
    };
    // SAFETY: the sizes were just checked; the instruction set is that of the dispatch.
    unsafe {
        if W.is_multiple_of(I::Register::<T>::LEN) {
            outer.run::<I::Register<T>>(rows, I::ACCUMULATORS);
        } else {
            outer.run::<One<T>>(rows, I::ACCUMULATORS);
        }
    }
}

struct Outer<'a, T, const W: usize> {
    calls: &'a [(usize, usize)],
    adjoints: &'a [[T; W]],
    values: &'a [[T; W]],
    columns: usize,
    gradient: &'a mut [T],
}

impl<T: Real, const W: usize> Outer<'_, T, W> {
    /// # Safety
    /// Every call has `rows` adjoints and `columns` values, the gradient an entry for each pair.
    #[inline(always)]
    unsafe fn run<R: Register<T>>(&mut self, rows: usize, accumulators: usize) {
        let mut i = 0;
        macro_rules! tiles {
            ($($rows:literal x $columns:literal)+) => {$(
                while $rows * $columns <= accumulators && i + $rows <= rows {
                    let mut j = 0;
                    // SAFETY: the caller's; the tile lies inside the gradient.
                    unsafe {
                        while j + $columns <= self.columns {
                            self.tile::<R, $rows, $columns>(i, j);
                            j += $columns;
                        }
                        while j + 2 <= self.columns {
                            self.tile::<R, $rows, 2>(i, j);
                            j += 2;
                        }
                        while j < self.columns {
                            self.tile::<R, $rows, 1>(i, j);
                            j += 1;
                        }
                    }
                    i += $rows;
                }
            )+};
        }
        tiles!(4 x 6 4 x 3 2 x 2 1 x 4);
    }

    /// One register tile through all calls.
    ///
    /// # Safety
    /// As for [`Self::run`]; `i + N ≤ rows`, `j + M ≤ columns`.
    #[inline(always)]
    unsafe fn tile<R: Register<T>, const N: usize, const M: usize>(&mut self, i: usize, j: usize) {
        // SAFETY: the caller's.
        unsafe {
            let mut acc = [[R::splat(T::ZERO); M]; N];
            for &(y, x) in self.calls {
                let mut y = self.adjoints.as_ptr().add(y + i).cast::<T>();
                let mut x = self.values.as_ptr().add(x + j).cast::<T>();
                for _ in 0..W / R::LEN {
                    let mut right = [R::splat(T::ZERO); M];
                    for c in 0..M {
                        right[c] = R::load(x.add(c * W));
                    }
                    for r in 0..N {
                        let left = R::load(y.add(r * W));
                        for c in 0..M {
                            acc[r][c] = left.mul_add(right[c], acc[r][c]);
                        }
                    }
                    y = y.add(R::LEN);
                    x = x.add(R::LEN);
                }
            }
            for r in 0..N {
                for c in 0..M {
                    let mut lanes = [T::ZERO; W];
                    acc[r][c].store(lanes.as_mut_ptr());
                    let sum = lanes.iter().copied().sum::<T>();
                    *self
                        .gradient
                        .get_unchecked_mut((i + r) * self.columns + j + c) += sum;
                }
            }
        }
    }
}
