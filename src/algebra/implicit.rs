//! Roots of a residual: what an implicit update is made of.
//!
//! For `R(x; k) = 0` a root is found point by point, without a record of the search. One Newton
//! step at the root, `x = x̄ − J⁻¹ R(x̄; k)` with the constant `J = ∂R/∂x`, then carries the exact
//! first derivatives in every reading, `∂x/∂k = −J⁻¹ ∂R/∂k`: the implicit function theorem.
//! Derivatives of derivatives (a [`Tangent`] read on a [`Tape`](super::Tape)) would need a second
//! step.
//!
//! The search is Newton's, damped by shortening the step until the residual falls. Every point has
//! its own step and its own end: a point that has converged stays as it is, so that no other point
//! can change it. Where `J` is regular wherever the search comes, a point that it stops at is a
//! root (Dennis & Schnabel, 1983, Numerical methods for unconstrained optimization and nonlinear
//! equations, chapter 6).

use super::kernels::dispatched;
use super::{Algebra, Dual, Lanes, Span, Tangent};

/// Equations `R(x; known) = 0` in as many unknowns `x [n]`.
///
/// Written once for every reading; all that changes from point to point or from step to step
/// comes in through the `K` known vectors, and so do all derivatives but those of the parameters.
/// The unknowns should be of order one: convergence below `10⁻⁸` is judged against that.
pub trait Residual<const K: usize> {
    /// `R [n]`
    fn evaluate<A: Algebra>(&self, a: &A, known: &[A::Vector; K], unknown: &A::Vector)
    -> A::Vector;
}

/// A root and the inverse Jacobian there; both count as constants.
#[derive(Clone, Debug)]
pub struct Root<V> {
    /// `x̄ [n]`; NaN at the points where no root was found.
    pub value: V,
    /// `J⁻¹ [n·n]`, row by row.
    pub inverse: V,
}

/// A search that found no root.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsolved {
    /// Evaluations of the Jacobian.
    pub iterations: usize,
    /// Norm of the least residual.
    pub residual: f64,
}

/// Columns of the Jacobian that one evaluation of the residual gives.
const DIRECTIONS: usize = 8;
/// Evaluations of the Jacobian before a point gives up.
const PASSES: usize = 200;
/// A Newton step below this share of the unknown ends the search.
const TOLERANCE: f64 = 4096.0 * f64::EPSILON;
/// A Newton step below this (relative to unknowns of order one) is within quadratic convergence: it
/// is taken whatever the residual says, and ends the search once it no longer shrinks.
const NEARLY: f64 = 1.5e-8;
/// Least fall of the residual's norm that accepts a step, over the fall that the step predicts.
const SUFFICIENT: f64 = 1e-4;
/// Share of a Newton step below which a point gives up.
const SMALLEST_SHARE: f64 = 1e-9;

/// Where the search stands at one point.
#[derive(Clone, Copy)]
struct Search {
    open: bool,
    found: bool,
    iterations: usize,
    /// Norm of the residual where the step began.
    residual: f64,
    /// Norm of the whole step.
    step: f64,
    /// Share of the step that is tried.
    share: f64,
}

/// Searches a root from `guess [n]` at every lane. `watch` sees the length of the Newton step of
/// every lane that is still searching, once an evaluation.
pub(crate) fn newton<R: Residual<K>, const K: usize, const W: usize>(
    lanes: &Lanes<W>,
    residual: &R,
    known: &[Span; K],
    guess: Span,
    mut watch: impl FnMut(usize, f64),
) -> Root<Span> {
    let n = guess.len;
    let zeros = |n| lanes.input(n, |_, _| 0.0);
    let value = lanes.concat(&[&guess]);
    let inverse = zeros(n * n);
    let kept = lanes.used();
    let (start, step, rest, pivots) = (zeros(n), zeros(n), zeros(n), zeros(n));
    let mut search = [Search {
        open: true,
        found: false,
        iterations: 0,
        residual: f64::INFINITY,
        step: f64::INFINITY,
        share: 1.0,
    }; W];
    let within_pass = lanes.used();
    for _ in 0..PASSES {
        linearise(lanes, residual, known, value, rest, inverse);
        lanes.edit(|arena| {
            let (matrix, pivots_on) = arena.split_at_mut(pivots.start);
            invert(&mut matrix[inverse.range()], &mut pivots_on[..n]);
        });
        let full = lanes.solve_linear(&inverse, &rest);
        lanes.edit(|arena| {
            for (w, lane) in search.iter_mut().enumerate().filter(|(_, s)| s.open) {
                let norm = |x: Span| norm_at(&arena[x.range()], w);
                let (size, step_size, rest_size) = (norm(value), norm(full), norm(rest));
                watch(w, step_size);
                lane.iterations += 1;
                let finite = step_size.is_finite() && rest_size.is_finite();
                let nearly = finite && step_size <= NEARLY * (1.0 + size);
                let falls = rest_size <= (1.0 - SUFFICIENT * lane.share) * lane.residual;
                if finite && step_size <= TOLERANCE * size || nearly && 2.0 * step_size >= lane.step
                {
                    (lane.open, lane.found) = (false, true);
                    continue;
                }
                if finite && (nearly || falls) {
                    (lane.residual, lane.step, lane.share) = (rest_size, step_size, 1.0);
                    for i in 0..n {
                        arena[start.at(i)][w] = arena[value.at(i)][w];
                        arena[step.at(i)][w] = arena[full.at(i)][w];
                    }
                } else {
                    lane.share *= shortened(lane, rest_size);
                }
                // Without a finite residual at the guess there is no step to shorten.
                lane.open = lane.step.is_finite() && lane.share > SMALLEST_SHARE;
                for i in 0..n {
                    arena[value.at(i)][w] =
                        arena[start.at(i)][w] - lane.share * arena[step.at(i)][w];
                }
            }
        });
        lanes.truncate(within_pass);
        if search.iter().all(|lane| !lane.open) {
            break;
        }
    }
    for (w, lane) in search.iter().enumerate().filter(|(_, s)| !s.found) {
        let unsolved = Unsolved {
            iterations: lane.iterations,
            residual: lane.residual,
        };
        lanes.mark_unsolved(w, unsolved);
        lanes.edit(|arena| {
            arena[value.range()]
                .iter_mut()
                .for_each(|x| x[w] = f64::NAN)
        });
    }
    lanes.truncate(kept);
    Root { value, inverse }
}

/// Share of the tried step to try next: the least of the parabola through the squares of both
/// residuals that starts with the slope of the Newton step.
fn shortened(lane: &Search, residual: f64) -> f64 {
    let (before, after) = (lane.residual.powi(2), residual.powi(2));
    let least = lane.share * before / (after + (2.0 * lane.share - 1.0) * before);
    // What is not a number lies far outside.
    if least.is_nan() {
        0.1
    } else {
        least.clamp(0.1, 0.5)
    }
}

fn norm_at<const W: usize>(x: &[[f64; W]], lane: usize) -> f64 {
    x.iter().map(|x| x[lane] * x[lane]).sum::<f64>().sqrt()
}

/// `R [n]` and `J [n·n]` at `unknown`, written over `rest` and `jacobian`.
fn linearise<R: Residual<K>, const K: usize, const W: usize>(
    lanes: &Lanes<W>,
    residual: &R,
    known: &[Span; K],
    unknown: Span,
    rest: Span,
    jacobian: Span,
) {
    let n = unknown.len;
    let used = lanes.used();
    let t = Tangent::<_, DIRECTIONS>::new(lanes);
    for first in (0..n).step_by(DIRECTIONS) {
        let unit = |k| lanes.input(n, |i, _| f64::from(u8::from(i == first + k)));
        let moving = Dual {
            value: unknown,
            directions: Some(std::array::from_fn(unit)),
        };
        let result = residual.evaluate(&t, &known.map(|k| t.fixed(k)), &moving);
        assert_eq!(result.value.len, n, "as many equations as unknowns");
        lanes.edit(|arena| {
            arena.copy_within(result.value.range(), rest.start);
            for k in 0..DIRECTIONS.min(n - first) {
                for i in 0..n {
                    let column = result.directions.as_ref().map(|d| arena[d[k].at(i)]);
                    arena[jacobian.at(i * n + first + k)] = column.unwrap_or([0.0; W]);
                }
            }
        });
        lanes.truncate(used);
    }
}

dispatched!(
    /// The inverse of `matrix [n·n]` at every lane, in its place: Gauss and Jordan with row pivots
    /// of each lane's own. The Jacobian of a dissipative flow has no negative eigenvalue, but that
    /// does not keep its leading minors from zero. A singular matrix gives numbers that are not
    /// finite.
    fn invert = invert_body(matrix: &mut [[f64; W]], pivots: &mut [[f64; W]])
);
dispatched!(
    /// `y += M x` at every lane with a matrix `[y.len()·x.len()]` of each lane's own.
    pub(super) fn matrix_add = matrix_body(matrix: &[[f64; W]], x: &[[f64; W]], y: &mut [[f64; W]])
);
dispatched!(
    /// `x += Mᵀ y`.
    pub(super) fn matrix_transposed_add = matrix_transposed_body(
        matrix: &[[f64; W]], y: &[[f64; W]], x: &mut [[f64; W]])
);

#[inline(always)]
fn invert_body<const FMA: bool, const W: usize>(matrix: &mut [[f64; W]], pivots: &mut [[f64; W]]) {
    let n = pivots.len();
    for k in 0..n {
        // Row numbers are exact as floating point numbers and compare lane by lane.
        let (mut largest, mut row) = ([0.0; W], [k as f64; W]);
        for i in k..n {
            let entry = &matrix[i * n + k];
            for w in 0..W {
                let better = entry[w].abs() > largest[w];
                largest[w] = if better { entry[w].abs() } else { largest[w] };
                row[w] = if better { i as f64 } else { row[w] };
            }
        }
        pivots[k] = row;
        for w in 0..W {
            let row = row[w] as usize;
            if row != k {
                for j in 0..n {
                    let other = matrix[row * n + j][w];
                    matrix[row * n + j][w] = std::mem::replace(&mut matrix[k * n + j][w], other);
                }
            }
        }
        let pivot = matrix[k * n + k].map(|p| 1.0 / p);
        matrix[k * n + k] = [1.0; W];
        for entry in &mut matrix[k * n..(k + 1) * n] {
            for w in 0..W {
                entry[w] *= pivot[w];
            }
        }
        for i in (0..n).filter(|i| *i != k) {
            let factor = std::mem::replace(&mut matrix[i * n + k], [0.0; W]);
            for j in 0..n {
                let above = matrix[k * n + j];
                let entry = &mut matrix[i * n + j];
                for w in 0..W {
                    entry[w] -= factor[w] * above[w];
                }
            }
        }
    }
    // Rows that were swapped before are columns that are swapped after.
    for k in (0..n).rev() {
        for w in 0..W {
            let column = pivots[k][w] as usize;
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
fn matrix_body<const FMA: bool, const W: usize>(
    matrix: &[[f64; W]],
    x: &[[f64; W]],
    y: &mut [[f64; W]],
) {
    for (row, y) in matrix.chunks_exact(x.len()).zip(y) {
        for (entry, x) in row.iter().zip(x) {
            for w in 0..W {
                y[w] += entry[w] * x[w];
            }
        }
    }
}

#[inline(always)]
fn matrix_transposed_body<const FMA: bool, const W: usize>(
    matrix: &[[f64; W]],
    y: &[[f64; W]],
    x: &mut [[f64; W]],
) {
    for (row, y) in matrix.chunks_exact(x.len()).zip(y) {
        for (entry, x) in row.iter().zip(x.iter_mut()) {
            for w in 0..W {
                x[w] += entry[w] * y[w];
            }
        }
    }
}
