//! Roots of a residual, point by point: Newton's method, damped by shortening the step until the
//! residual falls. See [`crate::graph::solve`].
//!
//! A residual costs a fraction of its Jacobian. After a whole step, the inverse serves further steps as
//! long as the residual falls well (Shamanskii 1967); the next Jacobian starts so much nearer.

use super::Program;
use super::run::{Runner, Workspace};
use crate::graph::forward::Seeds;
use crate::graph::nodes::Routine;
use crate::graph::pass::first_output_first;
use crate::graph::solve::Unsolved;
use crate::kernels::{self, Real};

/// Evaluations of the Jacobian before a point gives up.
const PASSES: usize = 200;
/// A Newton step below so many roundings of the unknown ends the iteration.
const TOLERANCE: f64 = 4096.0;
/// A Newton step below so many square roots of a rounding (relative to unknowns of order one) is
/// within quadratic convergence: it is taken whatever the residual says, and ends the iteration once
/// it no longer shrinks.
const NEARLY: f64 = 1.0;
/// Least fall of the residual's norm that accepts a step, over the fall that the step predicts.
const SUFFICIENT: f64 = 1e-4;
/// Share of a Newton step below which a point gives up.
const SMALLEST_SHARE: f64 = 1e-9;

/// Most steps between two evaluations of the Jacobian, but for Newton's own.
const FURTHER: usize = 6;
/// Share to which the residual must have fallen for a further step.
const SUFFICIENT_DECREASE: f64 = 0.25;

/// A residual with its Jacobian, compiled: from what it reads and the unknown to the residual and the
/// columns of the Jacobian.
#[derive(Clone, Debug)]
pub(crate) struct NonlinearSolve {
    pub program: Program,
    /// Number of unknowns.
    pub unknowns: usize,
}

/// Inputs of the program of a residual.
const KNOWN: usize = 0;
const UNKNOWN: usize = 1;

impl NonlinearSolve {
    /// Of a residual `[n]` with the inputs `known` and `unknown [n]`.
    pub fn new(residual: &Routine, n: usize) -> Self {
        let both = residual.with_tangents(&Seeds::Input(UNKNOWN), &[0]);
        // The residual first: it is also computed without the Jacobian.
        Self {
            program: first_output_first(&both).compile(),
            unknowns: n,
        }
    }
}

/// Where the iteration stands at one point.
#[derive(Clone, Copy)]
struct Iteration {
    active: bool,
    found: bool,
    iterations: usize,
    /// Norm of the residual where the step began.
    residual: f64,
    /// Norm of the whole step.
    step: f64,
    /// Share of the step that is tried.
    share: f64,
    /// Norm of the residual that has to decrease; none where the lane takes no further step.
    falling: Option<f64>,
}

/// Finds a root at every lane from what is known and a guess, `x`: writes the root and the
/// inverse Jacobian there. `watch` sees every lane that is still iterating, at every evaluation of
/// the Jacobian. `n` is the number of unknowns.
pub(super) fn newton<T: Real, const W: usize>(
    n: usize,
    runner: &Runner<T>,
    memory: &mut Workspace<W, T>,
    x: &[[T; W]],
    to: &mut [[T; W]],
    unsolved: &mut [Option<Unsolved>; W],
    watch: &mut dyn FnMut(usize),
) {
    let rounding = T::EPSILON.to_f64();
    let known = x.len() - n;
    let (value, inverse) = to.split_at_mut(n);
    value.copy_from_slice(&x[known..]);
    let mut own = std::mem::take(&mut memory.own);
    own.reserve::<[T; W]>(4 * n);
    let (start, vectors) = own.entries_mut::<T, W>(4 * n).split_at_mut(n);
    let (step, vectors) = vectors.split_at_mut(n);
    let (full, rest) = vectors.split_at_mut(n);
    let mut lanes = [Iteration {
        active: true,
        found: false,
        iterations: 0,
        residual: f64::INFINITY,
        step: f64::INFINITY,
        share: 1.0,
        falling: None,
    }; W];
    for _ in 0..PASSES {
        let mut evaluate = |value: &[[T; W]], rest: &mut [[T; W]]| {
            runner.set(memory, 0, KNOWN, |i| x[i]);
            runner.set(memory, 0, UNKNOWN, |i| value[i]);
            runner.run_first(memory);
            runner.read(memory, 0, 0, |_, i, r| rest[i] = *r);
        };
        evaluate(value, rest);
        for _ in 0..FURTHER {
            if !sufficient_decrease(&mut lanes, rest) {
                break;
            }
            kernels::matrix(inverse, rest, full);
            let falling = |w: &usize| lanes[*w].falling.is_some();
            for w in (0..W).filter(falling) {
                for (value, step) in value.iter_mut().zip(full.iter()) {
                    value[w] = value[w] - step[w];
                }
            }
            evaluate(value, rest);
        }
        runner.run_rest(memory);
        runner.read(memory, 0, 1, |k, i, slope| inverse[i * n + k] = *slope);
        // Its pivots go where the step is written next.
        kernels::invert(inverse, full);
        kernels::matrix(inverse, rest, full);
        for (w, lane) in lanes.iter_mut().enumerate().filter(|(_, s)| s.active) {
            let norm = |x: &[[T; W]]| norm_at(x, w);
            let (size, step_size, rest_size) = (norm(value), norm(full), norm(rest));
            watch(w);
            lane.iterations += 1;
            let finite = step_size.is_finite() && rest_size.is_finite();
            let nearly = finite && step_size <= NEARLY * rounding.sqrt() * (1.0 + size);
            let falls = rest_size <= (1.0 - SUFFICIENT * lane.share) * lane.residual;
            if finite && step_size <= TOLERANCE * rounding * size
                || nearly && 2.0 * step_size >= lane.step
            {
                (lane.active, lane.found) = (false, true);
                continue;
            }
            lane.falling = None;
            if finite && (nearly || falls) {
                (lane.residual, lane.step, lane.share) = (rest_size, step_size, 1.0);
                lane.falling = Some(rest_size);
                for i in 0..n {
                    start[i][w] = value[i][w];
                    step[i][w] = full[i][w];
                }
            } else {
                lane.share *= shortened(lane, rest_size);
            }
            // Without a finite residual at the guess there is no step to shorten.
            lane.active = lane.step.is_finite() && lane.share > SMALLEST_SHARE;
            for i in 0..n {
                value[i][w] = start[i][w] - T::of(lane.share) * step[i][w];
            }
        }
        if lanes.iter().all(|lane| !lane.active) {
            break;
        }
    }
    for (w, lane) in lanes.iter().enumerate().filter(|(_, s)| !s.found) {
        unsolved[w] = Some(Unsolved {
            iterations: lane.iterations,
            residual: lane.residual,
        });
        value.iter_mut().for_each(|x| x[w] = T::of(f64::NAN));
    }
    memory.own = own;
}

/// Finds the lanes whose residual has decreased enough for a further step; says whether there is one.
fn sufficient_decrease<T: Real, const W: usize>(
    lanes: &mut [Iteration; W],
    rest: &[[T; W]],
) -> bool {
    for (w, lane) in lanes.iter_mut().enumerate() {
        let size = norm_at(rest, w);
        let well = |last: f64| lane.active && size > 0.0 && size <= SUFFICIENT_DECREASE * last;
        lane.falling = lane.falling.is_some_and(well).then_some(size);
    }
    lanes.iter().any(|lane| lane.falling.is_some())
}

/// Share of the tried step to try next: the least of the parabola through the squares of both
/// residuals that starts with the slope of the Newton step.
fn shortened(lane: &Iteration, residual: f64) -> f64 {
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
