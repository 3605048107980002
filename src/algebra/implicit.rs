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

use super::{Algebra, Bundles, Dual, Lanes, Real, Span, Tangent, kernels};

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

/// Evaluations of the Jacobian before a point gives up.
const PASSES: usize = 200;
/// A Newton step below so many roundings of the unknown ends the search.
const TOLERANCE: f64 = 4096.0;
/// A Newton step below so many square roots of a rounding (relative to unknowns of order one) is within quadratic convergence: it
/// is taken whatever the residual says, and ends the search once it no longer shrinks.
const NEARLY: f64 = 1.0;
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
pub(crate) fn newton<R: Residual<K>, T: Real, const K: usize, const W: usize>(
    lanes: &Lanes<W, T>,
    residual: &R,
    known: &[Span; K],
    guess: Span,
    mut watch: impl FnMut(usize, f64),
) -> Root<Span> {
    let n = guess.len();
    let rounding = T::EPSILON.to_f64();
    let zeros = |n| lanes.rows(n, |_| [T::ZERO; W]);
    let value = lanes.copied(guess);
    let inverse = zeros(n * n);
    let kept = lanes.mark();
    let (start, step, rest, pivots) = (zeros(n), zeros(n), zeros(n), zeros(n));
    let mut search = [Search {
        open: true,
        found: false,
        iterations: 0,
        residual: f64::INFINITY,
        step: f64::INFINITY,
        share: 1.0,
    }; W];
    let within_pass = lanes.mark();
    for _ in 0..PASSES {
        linearise(lanes, residual, known, value, rest, inverse);
        lanes.edit(|arena| {
            let (matrix, pivots_on) = arena.split_at_mut(pivots.at(0));
            kernels::invert(&mut matrix[inverse.range()], &mut pivots_on[..n]);
        });
        let full = lanes.solve_linear(&inverse, &rest);
        lanes.edit(|arena| {
            for (w, lane) in search.iter_mut().enumerate().filter(|(_, s)| s.open) {
                let norm = |x: Span| norm_at(&arena[x.range()], w);
                let (size, step_size, rest_size) = (norm(value), norm(full), norm(rest));
                watch(w, step_size);
                lane.iterations += 1;
                let finite = step_size.is_finite() && rest_size.is_finite();
                let nearly = finite && step_size <= NEARLY * rounding.sqrt() * (1.0 + size);
                let falls = rest_size <= (1.0 - SUFFICIENT * lane.share) * lane.residual;
                if finite && step_size <= TOLERANCE * rounding * size
                    || nearly && 2.0 * step_size >= lane.step
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
                        arena[start.at(i)][w] - T::of(lane.share) * arena[step.at(i)][w];
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
                .for_each(|x| x[w] = T::of(f64::NAN))
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

fn norm_at<T: Real, const W: usize>(x: &[[T; W]], lane: usize) -> f64 {
    let squares = x.iter().map(|x| x[lane].to_f64().powi(2));
    squares.sum::<f64>().sqrt()
}

/// `R [n]` and `J [n·n]` at `unknown`, written over `rest` and `jacobian`.
fn linearise<R: Residual<K>, T: Real, const K: usize, const W: usize>(
    lanes: &Lanes<W, T>,
    residual: &R,
    known: &[Span; K],
    unknown: Span,
    rest: Span,
    jacobian: Span,
) {
    let n = unknown.len();
    let before = lanes.mark();
    let t = Tangent::new(lanes);
    let moving = Dual {
        value: unknown,
        directions: Some(lanes.units(n)),
    };
    let result = residual.evaluate(&t, &known.map(|k| t.fixed(k)), &moving);
    assert_eq!(result.value.len(), n, "as many equations as unknowns");
    let value = lanes.copied(result.value);
    let columns = lanes.copied(result.directions.unwrap_or_else(|| lanes.zeros(n * n)));
    lanes.edit(|arena| {
        arena.copy_within(value.range(), rest.at(0));
        for k in 0..n {
            for i in 0..n {
                arena[jacobian.at(i * n + k)] = arena[columns.at(k * n + i)];
            }
        }
    });
    lanes.truncate(before);
}
