//! Roots of a residual, point by point: Newton's method, damped by shortening the step until the
//! residual falls. What it guarantees is said at [`crate::algebra::Residual`].
//!
//! A residual costs a fraction of its Jacobian. After a whole step, the inverse serves further steps as
//! long as the residual falls well (Shamanskii 1967); the next Jacobian starts so much nearer.

use super::run::{Runner, Workspace};
use super::{Program, Recorder};
use crate::algebra::{Algebra, Bundles, Dual, Real, Residual, Tangent, Unsolved, kernels};

/// Evaluations of the Jacobian before a point gives up.
const PASSES: usize = 200;
/// A Newton step below so many roundings of the unknown ends the search.
const TOLERANCE: f64 = 4096.0;
/// A Newton step below so many square roots of a rounding (relative to unknowns of order one) is
/// within quadratic convergence: it is taken whatever the residual says, and ends the search once
/// it no longer shrinks.
const NEARLY: f64 = 1.0;
/// Least fall of the residual's norm that accepts a step, over the fall that the step predicts.
const SUFFICIENT: f64 = 1e-4;
/// Share of a Newton step below which a point gives up.
const SMALLEST_SHARE: f64 = 1e-9;

/// Most steps between two evaluations of the Jacobian, but for Newton's own.
const FURTHER: usize = 6;
/// Share to which the residual must have fallen for a further step.
const WELL_FALLEN: f64 = 0.25;

/// A residual with its Jacobian, recorded: from what is known and the unknown, one after the
/// other, to the residual and the columns of the Jacobian.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub program: Program,
    /// Number of unknowns.
    pub unknowns: usize,
}

impl Search {
    /// Lengths of the known vectors and of the unknown.
    pub fn record<R: Residual<K>, const K: usize>(
        residual: &R,
        known: [usize; K],
        n: usize,
    ) -> Self {
        let recorder = Recorder::new();
        let all = recorder.input(known.iter().sum::<usize>() + n);
        let mut start = 0;
        let mut next = |len: usize| {
            start += len;
            recorder.slice(&all, start - len..start)
        };
        let known = known.map(&mut next);
        let unknown = next(n);
        // First alone: the residual can be computed without the Jacobian.
        residual.evaluate(&recorder, &known, &unknown);
        let t = Tangent::new(&recorder);
        let moving = Dual {
            value: unknown,
            directions: Some(recorder.units(n)),
        };
        let result = residual.evaluate(&t, &known.map(|k| t.fixed(k)), &moving);
        assert_eq!(result.value.len, n, "as many equations as unknowns");
        let columns = match result.directions {
            Some(columns) => columns,
            None => recorder.scale(&recorder.units(n), 0.0),
        };
        Self {
            program: Program::new(recorder, &[result.value, columns]),
            unknowns: n,
        }
    }
}

/// Where the search stands at one point.
#[derive(Clone, Copy)]
struct Lane {
    open: bool,
    found: bool,
    iterations: usize,
    /// Norm of the residual where the step began.
    residual: f64,
    /// Norm of the whole step.
    step: f64,
    /// Share of the step that is tried.
    share: f64,
    /// Norm of the residual that has to fall well; none where the lane takes no further step.
    falling: Option<f64>,
}

/// Searches a root at every lane from what is known and a guess, `x`: writes the root and the
/// inverse Jacobian there. `watch` sees every lane that is still searching, once an evaluation of the
/// Jacobian. `n` is the number of unknowns.
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
    let mut search = [Lane {
        open: true,
        found: false,
        iterations: 0,
        residual: f64::INFINITY,
        step: f64::INFINITY,
        share: 1.0,
        falling: None,
    }; W];
    for _ in 0..PASSES {
        let mut evaluate = |value: &[[T; W]], rest: &mut [[T; W]]| {
            runner.set(memory, 0, 0, |i| match i.checked_sub(known) {
                Some(i) => value[i],
                None => x[i],
            });
            runner.run_first(memory);
            runner.read(memory, 0, 0, |_, i, r| rest[i] = *r);
        };
        evaluate(value, rest);
        for _ in 0..FURTHER {
            if !falls_well(&mut search, rest) {
                break;
            }
            kernels::matrix(inverse, rest, full);
            let falling = |w: &usize| search[*w].falling.is_some();
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
        for (w, lane) in search.iter_mut().enumerate().filter(|(_, s)| s.open) {
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
                (lane.open, lane.found) = (false, true);
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
            lane.open = lane.step.is_finite() && lane.share > SMALLEST_SHARE;
            for i in 0..n {
                value[i][w] = start[i][w] - T::of(lane.share) * step[i][w];
            }
        }
        if search.iter().all(|lane| !lane.open) {
            break;
        }
    }
    for (w, lane) in search.iter().enumerate().filter(|(_, s)| !s.found) {
        unsolved[w] = Some(Unsolved {
            iterations: lane.iterations,
            residual: lane.residual,
        });
        value.iter_mut().for_each(|x| x[w] = T::of(f64::NAN));
    }
    memory.own = own;
}

/// Finds the lanes whose residual has fallen well; says whether there is one.
fn falls_well<T: Real, const W: usize>(search: &mut [Lane; W], rest: &[[T; W]]) -> bool {
    for (w, lane) in search.iter_mut().enumerate() {
        let size = norm_at(rest, w);
        let well = |last: f64| lane.open && size > 0.0 && size <= WELL_FALLEN * last;
        lane.falling = lane.falling.is_some_and(well).then_some(size);
    }
    search.iter().any(|lane| lane.falling.is_some())
}

/// Share of the tried step to try next: the least of the parabola through the squares of both
/// residuals that starts with the slope of the Newton step.
fn shortened(lane: &Lane, residual: f64) -> f64 {
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
