//! A learned law that takes an increment in as many steps as its evolution asks for.
//!
//! The pair of methods is embedded by doubling: a part of the increment is taken in one update and in
//! two; the second is kept, and what they differ by is its error, as both are of first order. Steps
//! grow and shrink with the root of that error (Hairer, Nørsett & Wanner 1993, Solving ordinary
//! differential equations I, section II.4). The updates of the listed laws are exponential or implicit:
//! where an evolution is stiff and has come to rest, they need no small steps.
//!
//! The tangent is the derivative of the steps that were taken. That their number changes with the
//! strain is left out of it: a change of the order of the tolerance.
//!
//! Stationary, at rest, rate-independent and isotropic where the law is; the second law holds where the
//! law claims it [in parts](super::Claims::in_parts).

use super::integrator::{integrate, part};
use super::{AnyLaw, Inputs, RecurrentLaw};
use crate::algebra::{Algebra, Arena, Lanes, Span, Tangent, Weights};
use crate::error::{Error, Result, UpdateError};
use crate::law::{
    Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout, Status, prepare,
};
use crate::learned::LearnedLaw;

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
    weights: Weights,
    prepared: Vec<f64>,
    tolerance: Tolerance,
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
        let weights = law.layout().weights(law.raw_parameters());
        let lanes = Lanes::<1>::with_weights(&weights, Arena::default());
        let prepared = numbers(&lanes, law.law().prepare(&lanes));
        Ok(Self {
            law,
            weights,
            prepared,
            tolerance,
        })
    }

    /// The law that is taken in steps.
    pub fn law(&self) -> &LearnedLaw<L> {
        &self.law
    }

    fn inputs(&self, lanes: &Lanes<1>, increment: &Increment) -> Inputs<Span> {
        let scales = self.law.normalisation();
        let strain = |e: &[f64]| lanes.input(e.len(), |i, _| e[i] / scales.strain);
        let external = &scales.external;
        Inputs {
            strain_old: strain(increment.strain_old),
            strain_new: strain(increment.strain_new),
            dt: lanes.input(1, |_, _| increment.dt / scales.time),
            external: (!external.is_empty()).then(|| {
                let value =
                    |i: usize| (increment.external_new[i] - external[i][0]) / external[i][1];
                lanes.input(external.len(), |i, _| value(i))
            }),
        }
    }

    /// The shares of an increment at which its steps end.
    ///
    /// # Errors
    /// [`UpdateError::StepBudget`] where the steps do not suffice.
    pub fn knots(&self, increment: &Increment, state: &[f64]) -> Result<Vec<f64>, UpdateError> {
        let lanes = Lanes::<1>::with_weights(&self.weights, Arena::default());
        let prepared = lanes.constant(&self.prepared);
        let inputs = self.inputs(&lanes, increment);
        let kept = lanes.mark();
        let update = |from: &[f64], ends: [f64; 2]| {
            let inputs = part(&lanes, &inputs, ends);
            let old = lanes.input(from.len(), |i, _| from[i]);
            let new = numbers(
                &lanes,
                self.law.law().evolve(&lanes, &prepared, &inputs, &old),
            );
            lanes.truncate(kept);
            new
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
                (now, start) = (halves, end);
            }
        }
        Err(UpdateError::StepBudget {
            steps: self.tolerance.steps,
        })
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

fn numbers(lanes: &Lanes<1>, x: Span) -> Vec<f64> {
    (0..lanes.len(&x)).map(|i| lanes.get(x, i)[0]).collect()
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
        let lanes = Lanes::<1>::with_weights(&self.weights, Arena::default());
        let t = Tangent::new(&lanes);
        let plain = self.inputs(&lanes, increment);
        let inputs = Inputs {
            strain_old: t.fixed(plain.strain_old),
            strain_new: t.variable(plain.strain_new),
            dt: t.fixed(plain.dt),
            external: plain.external.map(|e| t.fixed(e)),
        };
        let law = self.law.law();
        let prepared = t.constant(&self.prepared);
        let old = lanes.input(state_old.len(), |i, _| state_old[i]);
        let new = integrate(law, &t, &prepared, &inputs, &t.fixed(old), knots);
        let external = inputs.external.as_ref();
        let forces = law.forces(&t, &prepared, &inputs.strain_new, external, &new);
        let change = lanes.sub(&new.value, &old);
        let dissipation = lanes.dot(&forces.driving_force.value, &change);
        let scales = self.law.normalisation();
        let energy_scale = scales.strain * scales.stress;
        let mut result = Response {
            stored_energy: lanes.get(forces.energy.value, 0)[0] * energy_scale,
            dissipation: lanes.get(dissipation, 0)[0] * energy_scale,
            status: Status::Inside,
            ..Response::default()
        };
        for (i, stress) in numbers(&lanes, forces.stress.value).into_iter().enumerate() {
            result.stress[i] = stress * scales.stress;
        }
        if let Some(directions) = forces.stress.directions {
            lanes.read(directions, |j, i, [slope]| {
                result.tangent[(i, j)] = slope * scales.stress / scales.strain;
            });
        }
        let mut within = increment.strain_new.iter().zip(&scales.strain_range);
        if !within.all(|(e, [least, most])| (*least..=*most).contains(e)) {
            result.status = Status::Outside;
        }
        let state = numbers(&lanes, new.value);
        let sum = result.stored_energy + result.dissipation + result.stress.sum();
        if !(sum + result.tangent.sum() + state.iter().sum::<f64>()).is_finite() {
            return Err(UpdateError::Overflow { what: "the law" });
        }
        state_new.copy_from_slice(&state);
        *response = result;
        Ok(())
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
