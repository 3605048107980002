//! Small matrices of each lane's own.

use super::dispatched;
use super::simd::Isa;
use crate::kernels::Real;

dispatched!(
    /// The inverse of `matrix [n·n]` at every lane, in place: Gauss and Jordan with row pivots
    /// of each lane's own. The Jacobian of a dissipative flow has no negative eigenvalue, but that
    /// does not keep its leading minors from zero. A singular matrix gives numbers that are not
    /// finite.
    pub(crate) fn invert [T: Real, const W: usize] [T, W] = invert_body(
        matrix: &mut [[T; W]], pivots: &mut [[T; W]])
);
dispatched!(
    /// `y = M x` at every lane with a matrix `[y.len()·x.len()]` of each lane's own.
    pub(crate) fn matrix [T: Real, const W: usize] [T, W] = matrix_body(
        matrix: &[[T; W]], x: &[[T; W]], y: &mut [[T; W]])
);
dispatched!(
    /// `x += Mᵀ y`.
    pub(crate) fn matrix_transposed_add [T: Real, const W: usize] [T, W] = matrix_transposed_body(
        matrix: &[[T; W]], y: &[[T; W]], x: &mut [[T; W]])
);

#[inline(always)]
fn invert_body<I: Isa, T: Real, const W: usize>(matrix: &mut [[T; W]], pivots: &mut [[T; W]]) {
    let n = pivots.len();
    for k in 0..n {
        let (mut largest, mut row) = ([T::ZERO; W], [k; W]);
        for i in k..n {
            let entry = &matrix[i * n + k];
            for w in 0..W {
                let better = entry[w].abs() > largest[w];
                largest[w] = if better { entry[w].abs() } else { largest[w] };
                row[w] = if better { i } else { row[w] };
            }
        }
        pivots[k] = row.map(|row| T::of(row as f64));
        for w in 0..W {
            let row = row[w];
            if row != k {
                for j in 0..n {
                    let other = matrix[row * n + j][w];
                    matrix[row * n + j][w] = std::mem::replace(&mut matrix[k * n + j][w], other);
                }
            }
        }
        let pivot = matrix[k * n + k].map(|p| T::ONE / p);
        matrix[k * n + k] = [T::ONE; W];
        for entry in &mut matrix[k * n..(k + 1) * n] {
            for w in 0..W {
                entry[w] = entry[w] * pivot[w];
            }
        }
        for i in (0..n).filter(|i| *i != k) {
            let factor = std::mem::replace(&mut matrix[i * n + k], [T::ZERO; W]);
            for j in 0..n {
                let above = matrix[k * n + j];
                let entry = &mut matrix[i * n + j];
                for w in 0..W {
                    entry[w] = entry[w] - factor[w] * above[w];
                }
            }
        }
    }
    // Rows that were swapped before are columns that are swapped after.
    for k in (0..n).rev() {
        for w in 0..W {
            let column = pivots[k][w].to_f64() as usize;
            if column != k {
                for i in 0..n {
                    let other = matrix[i * n + column][w];
                    matrix[i * n + column][w] = std::mem::replace(&mut matrix[i * n + k][w], other);
                }
            }
        }
    }
}

#[inline(always)]
fn matrix_body<I: Isa, T: Real, const W: usize>(matrix: &[[T; W]], x: &[[T; W]], y: &mut [[T; W]]) {
    for (row, y) in matrix.chunks_exact(x.len()).zip(y) {
        *y = [T::ZERO; W];
        for (entry, x) in row.iter().zip(x) {
            for w in 0..W {
                y[w] += entry[w] * x[w];
            }
        }
    }
}

#[inline(always)]
fn matrix_transposed_body<I: Isa, T: Real, const W: usize>(
    matrix: &[[T; W]],
    y: &[[T; W]],
    x: &mut [[T; W]],
) {
    for (row, y) in matrix.chunks_exact(x.len()).zip(y) {
        for (entry, x) in row.iter().zip(x.iter_mut()) {
            for w in 0..W {
                x[w] += entry[w] * y[w];
            }
        }
    }
}
