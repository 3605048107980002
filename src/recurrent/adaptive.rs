//! A learned law that takes an increment in as many steps as its evolution asks for.
//!
//! The pair of methods is embedded by doubling: a step `z → Φ(z)` of the law's own update is also taken
//! in halves, `z → Φ_½(Φ_½(z))`. Both are of first order, so that what they differ by is the error of
//! the second; steps grow and shrink with its root. What is kept is the extrapolation
//! `2 Φ_½(Φ_½(z)) − Φ(z)`, of second order (Hairer, Nørsett & Wanner 1993, Solving ordinary
//! differential equations I, section II.4). A combination of states is no update, however: where the
//! law guarantees the second law [in parts](super::Claims::in_parts) the two halves are kept as they
//! are, and the guarantee with them.
//!
//! A Runge–Kutta pair asks for the rate `ż`, which the laws do not have: their updates are exponential
//! or implicit maps. Where an evolution is stiff and has come to rest, these need no small steps.
//!
//! The tangent is the derivative of the steps that were taken. That their number changes with the
//! strain is left out of it: a change of the order of the tolerance.
//!
//! Stationary, at rest, rate-independent and isotropic where the law is.

use super::{AnyLaw, Inputs, RecurrentLaw};
use crate::algebra::{Algebra, Bundles, Dual, Program, Recorder, Runner, Tangent, Workspace};
use crate::error::{Error, Result, UpdateError};
use crate::law::{Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout, prepare};
use crate::learned::{LearnedLaw, Points, Prepared, input, with_workspace};

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
pub struct Adaptive<L = AnyLaw> {
    law: LearnedLaw<L>,
    /// One step.
    step: Prepared,
    /// One step with its tangent.
    tangent: Prepared,
    /// Energy and stress after the last step, with their tangent.
    forces: Prepared,
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

impl Points<1> for Part<'_> {
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

/// A vector with its slopes along the strain at the end of the increment.
type Moving = Dual<<Recorder as Algebra>::Vector>;

/// From the state, the strain at both ends, `dt` and external variables to the state.
fn step<L: RecurrentLaw>(law: &L, external: usize) -> Program {
    let a = Recorder::new();
    let (n, state) = (law.components(), a.input(law.states()));
    let strain_new = a.input(n);
    let inputs = Inputs {
        strain_new,
        strain_old: a.input(n),
        dt: a.input(1),
        external: (external > 0).then(|| a.input(external)),
    };
    let new = law.evolve(&a, &law.prepare(&a), &inputs, &state);
    Program::new(a, &[new])
}

/// The same with slopes: of the state `[n, states]`, and of the strains by the share `[1]` of the
/// increment at which the step starts and ends.
fn tangent<L: RecurrentLaw>(law: &L, external: usize) -> Program {
    let a = Recorder::new();
    let (t, n) = (Tangent::new(&a), law.components());
    let (state, strain_new, strain_old) = (a.input(law.states()), a.input(n), a.input(n));
    let dt = a.input(1);
    let external = (external > 0).then(|| t.fixed(a.input(external)));
    let slopes = a.bundle(n, law.states());
    let shares = [a.input(1), a.input(1)];
    let moving = |value, share| Moving {
        value,
        directions: Some(a.times(&a.units(n), &share)),
    };
    let inputs = Inputs {
        strain_old: moving(strain_old, shares[0]),
        strain_new: moving(strain_new, shares[1]),
        dt: t.fixed(dt),
        external,
    };
    let state = Moving {
        value: state,
        directions: Some(slopes),
    };
    let new = law.evolve(&t, &law.prepare(&t), &inputs, &state);
    let slopes = new.directions.unwrap_or_else(|| a.scale(&slopes, 0.0));
    Program::new(a, &[new.value, slopes])
}

/// From the state, the strain, external variables, the slopes of the state and the state at the start
/// of the increment to what an update of a learned law gives.
fn forces<L: RecurrentLaw>(law: &L, external: usize) -> Program {
    let a = Recorder::new();
    let (t, n) = (Tangent::new(&a), law.components());
    let (state, strain) = (a.input(law.states()), a.input(n));
    let external = (external > 0).then(|| t.fixed(a.input(external)));
    let moving = Moving {
        value: state,
        directions: Some(a.bundle(n, law.states())),
    };
    let change = a.sub(&state, &a.input(law.states()));
    let strain = t.variable(strain);
    let forces = law.forces(&t, &law.prepare(&t), &strain, external.as_ref(), &moving);
    let none = || a.scale(&a.units(n), 0.0);
    let outputs = [
        state,
        forces.stress.value,
        forces.stress.directions.unwrap_or_else(none),
        forces.energy.value,
        a.dot(&forces.driving_force.value, &change),
    ];
    Program::new(a, &outputs)
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

impl<L: RecurrentLaw> Adaptive<L> {
    /// # Errors
    /// [`Error::Invalid`] where a tolerance is not positive.
    pub fn new(law: LearnedLaw<L>, tolerance: Tolerance) -> Result<Self> {
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
        let parameters = law.layout().effective(law.raw_parameters());
        let external = law.normalisation().external.len();
        let prepared = |program| Prepared::new(program, &parameters);
        Ok(Self {
            step: prepared(step(law.law(), external)),
            tangent: prepared(tangent(law.law(), external)),
            forces: prepared(forces(law.law(), external)),
            law,
            tolerance,
        })
    }

    /// The law that is taken in steps.
    pub fn law(&self) -> &LearnedLaw<L> {
        &self.law
    }

    /// Runs a part of an increment after its other inputs are set, and gives the outputs.
    fn outputs<const N: usize>(
        &self,
        step: &Prepared,
        part: &Part,
        set: impl FnOnce(&Runner, &mut Workspace<1>),
    ) -> [Vec<f64>; N] {
        let runner = step.runner();
        with_workspace::<1, _>(|workspace| {
            runner.prepare(workspace, 1);
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
            // No sliver is left over at the end.
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

    /// What of a step is kept, of the state or of its slopes.
    fn kept(&self, mut halves: Vec<f64>, whole: &[f64]) -> Vec<f64> {
        if !self.law.law().claims().in_parts {
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

impl<L: RecurrentLaw> MaterialLaw for Adaptive<L> {
    fn name(&self) -> &str {
        self.law.name()
    }

    fn components(&self) -> usize {
        self.law.components()
    }

    fn external_variables(&self) -> &[String] {
        self.law.external_variables()
    }

    fn state_layout(&self) -> &StateLayout {
        self.law.state_layout()
    }

    fn initial_state(&self, state: &mut [f64]) {
        self.law.initial_state(state);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
        self.law.free_energy(strain, state, external)
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        prepare(self, increment, state_old, state_new)?;
        let knots = self.knots(increment, state_old)?;
        let extra = usize::from(!increment.external_new.is_empty());
        // State and slopes at the end of a step from those at its start.
        let advance = |[state, slopes]: &[Vec<f64>; 2], shares: [f64; 2]| {
            let part = Part {
                increment,
                shares,
                state,
            };
            self.outputs(&self.tangent, &part, |runner, workspace| {
                let first = input::TIME + 1 + extra;
                runner.set(workspace, 0, first, |i| [slopes[i]]);
                runner.set(workspace, 0, first + 1, |_| [shares[0]]);
                runner.set(workspace, 0, first + 2, |_| [shares[1]]);
            })
        };
        let slopes = vec![0.0; self.components() * state_old.len()];
        let mut now = [state_old.to_vec(), slopes];
        let mut start = 0.0;
        for step in knots.chunks_exact(2) {
            let (middle, end) = (step[0], step[1]);
            let half = advance(&now, [start, middle]);
            let [state, slopes] = advance(&half, [middle, end]);
            now = match self.law.law().claims().in_parts {
                true => [state, slopes],
                false => {
                    let whole = advance(&now, [start, end]);
                    [self.kept(state, &whole[0]), self.kept(slopes, &whole[1])]
                }
            };
            start = end;
        }
        let [state, slopes] = now;
        let (strain, external) = (increment.strain_new, increment.external_new);
        let runner = self.forces.runner();
        with_workspace::<1, _>(|workspace| {
            runner.prepare(workspace, 1);
            let law = &self.law;
            law.set_point(&runner, workspace, strain, &state, external);
            let first = input::EXTERNAL_OF_ENERGY + extra;
            runner.set(workspace, 0, first, |i| [slopes[i]]);
            runner.set(workspace, 0, first + 1, |i| [state_old[i]]);
            runner.run(workspace, 0);
            law.read_response(&runner, workspace, strain, state_new, response)
        })
    }

    fn guarantees(&self) -> Guarantees {
        let guarantees = self.law.guarantees();
        Guarantees {
            second_law: guarantees.second_law && self.law.law().claims().in_parts,
            ..guarantees
        }
    }

    fn scales(&self) -> Scales {
        self.law.scales()
    }
}
