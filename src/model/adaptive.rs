//! A learned law that takes an increment in as many steps as its evolution asks for.
//!
//! The pair of methods is embedded by doubling: a step `z → Φ(z)` of the law's own update is also taken
//! in halves, `z → Φ_½(Φ_½(z))`. Both are of first order, so that what they differ by is the error of
//! the second; steps grow and shrink with its root. What is kept is the extrapolation
//! `2 Φ_½(Φ_½(z)) − Φ(z)`, of second order (Hairer, Nørsett & Wanner 1993, Solving ordinary
//! differential equations I, section II.4). A combination of states is no update, however: where the
//! law guarantees the second law [in parts](Guarantees::second_law_in_parts) the two halves are kept as they
//! are, and the guarantee with them.
//!
//! A Runge–Kutta pair asks for the rate `ż`, which the laws do not have: their updates are exponential
//! or implicit maps. Where an evolution is stiff and has come to rest, these need no small steps.
//!
//! The tangent is the derivative of the steps that were taken. That their number changes with the
//! strain is left out of it: a change of the order of the tolerance.
//!
//! Stationary, at rest, rate-independent and isotropic where the law is.

use super::LearnedLaw;
use super::learned::Compiled;
use super::memory::with_workspace;
use super::points::PointInputs;
use crate::error::{Error, Result, UpdateError};
use crate::graph::{Graph, Routine, Runner, Seeds, Workspace};
use crate::law::{Guarantees, Increment, MaterialLaw, Response, delegate, prepare};
use crate::recurrent::{IncrementInputs, RecurrentLaw};

/// How exact an increment is, and what it may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Error of an internal variable in one step, which is of order one.
    pub absolute: f64,
    /// The same over the variable.
    pub relative: f64,
    /// Steps, taken or rejected, that an increment may need.
    pub steps: usize,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            absolute: 1e-5,
            relative: 1e-4,
            steps: 10_000,
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Adaptive {
    law: LearnedLaw,
    /// One step.
    step: Compiled,
    /// One step with its tangent.
    tangent: Compiled,
    /// Energy and stress after the last step, with their tangent.
    forces: Compiled,
    tolerance: Tolerance,
}

/// The part of an increment between two shares of it.
struct Part<'a> {
    increment: &'a Increment<'a>,
    shares: [f64; 2],
    state: &'a [f64],
}

impl Part<'_> {
    /// Exact at both ends of the increment.
    fn strain(&self, share: f64, i: usize) -> [f64; 1] {
        let (old, new) = (self.increment.strain_old[i], self.increment.strain_new[i]);
        [match share {
            0.0 => old,
            1.0 => new,
            _ => old + share * (new - old),
        }]
    }
}

impl PointInputs<1> for Part<'_> {
    fn strain_old(&self, i: usize) -> [f64; 1] {
        self.strain(self.shares[0], i)
    }

    fn strain_new(&self, i: usize) -> [f64; 1] {
        self.strain(self.shares[1], i)
    }

    fn dt(&self) -> [f64; 1] {
        [self.increment.dt * (self.shares[1] - self.shares[0])]
    }

    fn external(&self, i: usize) -> [f64; 1] {
        [self.increment.external_new[i]]
    }

    fn state(&self, i: usize) -> [f64; 1] {
        [self.state[i]]
    }
}

/// Further inputs: the tangents of the state at the start of a step, along the strain at the end of
/// the increment; and the shares of the increment at which the step starts and ends.
mod input {
    pub const TANGENTS: usize = 5;
    pub const START: usize = 6;
    pub const END: usize = 7;
    /// Of the forces: the state at the start of the increment.
    pub const STATE_OLD: usize = 6;
}

/// One step: the state.
fn step(law: &dyn RecurrentLaw, external: usize) -> Routine {
    let graph = Graph::new();
    let IncrementInputs { state, step } = IncrementInputs::new(&graph, law, external);
    graph.routine(&[law.evolve(&step, state)])
}

/// One step with its tangents: both strains of the step move by their shares with the strain at the
/// end of the increment.
fn tangent(law: &dyn RecurrentLaw, external: usize) -> Routine {
    let graph = Graph::new();
    let IncrementInputs { state, step } = IncrementInputs::new(&graph, law, external);
    let n = law.components();
    let tangents = graph.bundle("tangents", [n, state.len()]);
    let [start, end] = ["start", "end"].map(|name| graph.input(name, 1));
    let units = graph.units(n);
    let seeds = Seeds::along(&[
        (state, tangents),
        (step.strain_old, units * start),
        (step.strain_new, units * end),
    ]);
    graph
        .routine(&[law.evolve(&step, state)])
        .with_tangents(&seeds, &[0])
}

/// What an update of a learned law gives, at the state that the steps end with.
fn forces(law: &dyn RecurrentLaw, external: usize) -> Routine {
    let graph = Graph::new();
    let IncrementInputs { state, step } = IncrementInputs::new(&graph, law, external);
    let n = law.components();
    let tangents = graph.bundle("tangents", [n, state.len()]);
    let old = graph.input("state_old", state.len());
    let forces = law.forces(step.strain_new, step.external, state);
    let dissipation = forces.driving_force.dot(state - old);
    let seeds = Seeds::along(&[(state, tangents), (step.strain_new, graph.units(n))]);
    let routine = graph.routine(&[state, forces.stress, dissipation, forces.energy]);
    routine.with_tangents(&seeds, &[1])
}

/// An output as numbers, vector by vector.
fn numbers(runner: &Runner, workspace: &Workspace<1>, output: usize) -> Vec<f64> {
    let mut values = Vec::new();
    runner.read(workspace, 0, output, |_, _, [value]| values.push(*value));
    values
}

/// Share of the step that the error would allow.
const SAFETY: f64 = 0.9;
/// Least and largest factor from one step to the next.
const FACTORS: [f64; 2] = [0.2, 4.0];

impl Adaptive {
    /// # Errors
    /// [`Error::Invalid`] where a tolerance is not positive.
    pub fn new(law: LearnedLaw, tolerance: Tolerance) -> Result<Self> {
        let Tolerance {
            absolute,
            relative,
            steps,
        } = tolerance;
        if !(absolute > 0.0 && absolute.is_finite() && relative >= 0.0 && relative.is_finite()) {
            return Err(Error::invalid(format!(
                "tolerances {absolute} and {relative}: the absolute one is positive, the relative one not negative"
            )));
        }
        if steps == 0 {
            return Err(Error::invalid("an increment needs one step at least"));
        }
        let parameters = law.layout().constrained(law.unconstrained_parameters());
        let external = law.normalisation().external.len();
        let compiled = |routine: fn(&dyn RecurrentLaw, usize) -> Routine| {
            Compiled::new(routine(law.law().as_ref(), external).compile(), &parameters)
        };
        Ok(Self {
            step: compiled(step),
            tangent: compiled(tangent),
            forces: compiled(forces),
            law,
            tolerance,
        })
    }

    /// The law that is taken in steps.
    pub fn law(&self) -> &LearnedLaw {
        &self.law
    }

    /// Runs a part of an increment after its other inputs are set, and gives the outputs.
    fn outputs<const N: usize>(
        &self,
        step: &Compiled,
        part: &Part,
        set: impl FnOnce(&Runner, &mut Workspace<1>),
    ) -> [Vec<f64>; N] {
        let runner = step.runner();
        with_workspace::<1, _>(|workspace| {
            runner.reserve(workspace, 1);
            self.law.set_increment(&runner, workspace, part);
            set(&runner, workspace);
            runner.run(workspace, 0);
            std::array::from_fn(|output| numbers(&runner, workspace, output))
        })
    }

    /// The shares of an increment at which the two halves of each step end.
    ///
    /// # Errors
    /// [`UpdateError::StepBudget`] where the steps do not suffice.
    pub fn knots(&self, increment: &Increment, state: &[f64]) -> Result<Vec<f64>, UpdateError> {
        let update = |state: &[f64], shares: [f64; 2]| {
            let part = Part {
                increment,
                shares,
                state,
            };
            let [state] = self.outputs(&self.step, &part, |_, _| ());
            state
        };
        let (mut knots, mut now, mut step) = (Vec::new(), state.to_vec(), 1.0f64);
        let mut start = 0.0;
        for _ in 0..self.tolerance.steps {
            // The last step is not much shorter than the one before it.
            let end = if start + 1.001 * step >= 1.0 {
                1.0
            } else {
                start + step
            };
            let middle = 0.5 * (start + end);
            let whole = update(&now, [start, end]);
            let half = update(&now, [start, middle]);
            let halves = update(&half, [middle, end]);
            let error = self.error(&now, &whole, &halves);
            let [least, most] = FACTORS;
            // What is not a number is shortened, too.
            let factor = match error.is_nan() {
                true => least,
                false => (SAFETY / error.sqrt()).clamp(least, most),
            };
            step = factor * (end - start);
            if error <= 1.0 {
                knots.extend([middle, end]);
                if end == 1.0 {
                    return Ok(knots);
                }
                (now, start) = (self.kept(halves, &whole), end);
            }
        }
        Err(UpdateError::StepBudget {
            steps: self.tolerance.steps,
        })
    }

    /// What of a step is kept, of the state or of its tangents.
    fn kept(&self, mut halves: Vec<f64>, whole: &[f64]) -> Vec<f64> {
        if !self.law.law().guarantees().second_law_in_parts {
            let both = halves.iter_mut().zip(whole);
            both.for_each(|(halves, whole)| *halves = 2.0 * *halves - whole);
        }
        halves
    }

    /// Over the tolerance.
    fn error(&self, old: &[f64], whole: &[f64], halves: &[f64]) -> f64 {
        let mut worst = 0.0f64;
        for ((old, whole), halves) in old.iter().zip(whole).zip(halves) {
            let size = old.abs().max(halves.abs());
            let allowed = self.tolerance.absolute + self.tolerance.relative * size;
            let error = (whole - halves).abs() / allowed;
            if error.is_nan() {
                return f64::NAN;
            }
            worst = worst.max(error);
        }
        worst
    }
}

impl MaterialLaw for Adaptive {
    delegate!(law: name, components, external_variables, state_layout, initial_state, free_energy,
        typical_external, departure, trained_path, scales);

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        prepare(self, increment, state_old, state_new)?;
        let knots = self.knots(increment, state_old)?;
        // State and tangents at the end of a step from those at its start.
        let advance = |[state, tangents]: &[Vec<f64>; 2], shares: [f64; 2]| {
            let part = Part {
                increment,
                shares,
                state,
            };
            self.outputs(&self.tangent, &part, |runner, workspace| {
                runner.set(workspace, 0, input::TANGENTS, |i| [tangents[i]]);
                runner.set(workspace, 0, input::START, |_| [shares[0]]);
                runner.set(workspace, 0, input::END, |_| [shares[1]]);
            })
        };
        let tangents = vec![0.0; self.components() * state_old.len()];
        let mut now = [state_old.to_vec(), tangents];
        let mut start = 0.0;
        for step in knots.chunks_exact(2) {
            let (middle, end) = (step[0], step[1]);
            let half = advance(&now, [start, middle]);
            let [state, tangents] = advance(&half, [middle, end]);
            now = match self.law.law().guarantees().second_law_in_parts {
                true => [state, tangents],
                false => {
                    let whole = advance(&now, [start, end]);
                    [self.kept(state, &whole[0]), self.kept(tangents, &whole[1])]
                }
            };
            start = end;
        }
        let [state, tangents] = now;
        let (strain, external) = (increment.strain_new, increment.external_new);
        let whole = Part {
            increment,
            shares: [0.0, 1.0],
            state: state_old,
        };
        let runner = self.forces.runner();
        with_workspace::<1, _>(|workspace| {
            runner.reserve(workspace, 1);
            let law = &self.law;
            law.set_point(&runner, workspace, strain, &state, external);
            runner.set(workspace, 0, input::TANGENTS, |i| [tangents[i]]);
            runner.set(workspace, 0, input::STATE_OLD, |i| [state_old[i]]);
            runner.run(workspace, 0);
            law.read_response(&runner, workspace, &whole, state_new, response)
        })
    }

    fn guarantees(&self) -> Guarantees {
        let guarantees = self.law.guarantees();
        Guarantees {
            second_law: guarantees.second_law && self.law.law().guarantees().second_law_in_parts,
            ..guarantees
        }
    }
}
