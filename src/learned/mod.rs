//! A trained recurrent law as a [`MaterialLaw`]: physical units, exact consistent tangent.

mod memory;
mod normalisation;
mod points;

pub use normalisation::Normalisation;

use crate::algebra::{Algebra, Arena, Dual, Lanes, ParameterLayout, Span, Tangent, Weights};
use crate::error::{BatchError, Error, Result, UpdateError};
use crate::law::{
    BatchInput, BatchOutput, Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout,
    Status, check_batch, prepare,
};
use crate::recurrent::{AnyLaw, Inputs, RecurrentLaw};
use memory::with_lanes;
use points::{Chunk, OnePoint, Points, check_values};

/// Points that one pass of a batch advances together.
const WIDTH: usize = 8;

/// A recurrent law with its parameters and scales.
///
/// `σ = ∂ψ/∂ε` holds in physical units: the energy is scaled by `s_σ s_ε`, the strain by `s_ε`.
/// The virgin state is free of stress and energy by construction. What the recurrent law claims
/// beyond that is in its [`Claims`](crate::recurrent::Claims).
#[derive(Clone, Debug)]
pub struct LearnedLaw<L = AnyLaw> {
    name: String,
    law: L,
    layout: ParameterLayout,
    raw: Vec<f64>,
    weights: Weights,
    prepared: Vec<f64>,
    normalisation: Normalisation,
    state_layout: StateLayout,
}

impl<L: RecurrentLaw> LearnedLaw<L> {
    /// `raw` holds the parameters in the order of the layout, before their constraints.
    ///
    /// # Errors
    /// A wrong number of parameters, a parameter that is not finite, scales that are not positive.
    pub fn new(
        name: impl Into<String>,
        law: L,
        layout: ParameterLayout,
        raw: Vec<f64>,
        normalisation: Normalisation,
    ) -> Result<Self> {
        if raw.len() != layout.len() {
            return Err(Error::invalid(format!(
                "the law has {} parameters, {} were given",
                layout.len(),
                raw.len()
            )));
        }
        if let Some(bad) = raw.iter().find(|v| !v.is_finite()) {
            return Err(Error::invalid(format!("a parameter is {bad}")));
        }
        if !matches!(law.components(), 1 | 3 | 6) {
            return Err(Error::invalid(format!(
                "a law has 1, 3 or 6 strain components, not {}",
                law.components()
            )));
        }
        let external = normalisation.external_names.len();
        normalisation.check(law.components(), external)?;
        let weights = layout.weights(&raw);
        let lanes = Lanes::<1>::with_weights(&weights, Arena::default());
        let prepared = law.prepare(&lanes);
        let prepared = (0..lanes.len(&prepared))
            .map(|i| lanes.get(prepared, i)[0])
            .collect();
        Ok(Self {
            name: name.into(),
            state_layout: StateLayout::new([("internal_variables", law.states())]),
            law,
            layout,
            raw,
            weights,
            prepared,
            normalisation,
        })
    }

    pub fn law(&self) -> &L {
        &self.law
    }

    pub fn layout(&self) -> &ParameterLayout {
        &self.layout
    }

    /// The parameters before their constraints.
    pub fn raw_parameters(&self) -> &[f64] {
        &self.raw
    }

    pub fn normalisation(&self) -> &Normalisation {
        &self.normalisation
    }

    fn energy_scale(&self) -> f64 {
        self.normalisation.strain * self.normalisation.stress
    }

    fn status(&self, strain: impl Fn(usize) -> f64) -> Status {
        let inside = self
            .normalisation
            .strain_range
            .iter()
            .enumerate()
            .all(|(i, [least, most])| (*least..=*most).contains(&strain(i)));
        if inside {
            Status::Inside
        } else {
            Status::Outside
        }
    }

    fn external<const W: usize>(
        &self,
        lanes: &Lanes<W>,
        value: impl Fn(usize) -> [f64; W],
    ) -> Option<Span> {
        let scales = &self.normalisation.external;
        (!scales.is_empty()).then(|| {
            lanes.rows(scales.len(), |i| {
                let [offset, scale] = scales[i];
                value(i).map(|value| (value - offset) / scale)
            })
        })
    }

    /// Advances `W` points; the answer stays in the arena.
    fn advance<const W: usize>(&self, lanes: &Lanes<W>, points: &impl Points<W>) -> Answer {
        let scale = self.normalisation.strain;
        let (t, n) = (Tangent::new(lanes), self.law.components());
        let old = lanes.rows(n, |i| points.strain_old(i).map(|e| e / scale));
        let new = lanes.rows(n, |i| points.strain_new(i).map(|e| e / scale));
        let dt = lanes.rows(1, |_| points.dt().map(|dt| dt / self.normalisation.time));
        let external = self.external(lanes, |i| points.external(i));
        let state = lanes.rows(self.law.states(), |i| points.state(i));
        let prepared = t.constant(&self.prepared);
        let inputs = Inputs {
            strain_old: t.fixed(old),
            strain_new: t.variable(new),
            dt: t.fixed(dt),
            external: external.map(|e| t.fixed(e)),
        };
        let next = self.law.evolve(&t, &prepared, &inputs, &t.fixed(state));
        let forces = self.law.forces(
            &t,
            &prepared,
            &inputs.strain_new,
            inputs.external.as_ref(),
            &next,
        );
        Answer {
            state: next.value,
            stress: forces.stress,
            energy: forces.energy.value,
            dissipation: lanes.dot(&forces.driving_force.value, &lanes.sub(&next.value, &state)),
        }
    }

    fn update_with(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        with_lanes::<1, _>(&self.weights, |lanes| {
            let one = OnePoint {
                increment,
                state: state_old,
            };
            let answer = self.advance::<1>(lanes, &one);
            let (stress_scale, energy_scale) = (self.normalisation.stress, self.energy_scale());
            let tangent_scale = stress_scale / self.normalisation.strain;
            let mut result = Response {
                stored_energy: lanes.get(answer.energy, 0)[0] * energy_scale,
                dissipation: lanes.get(answer.dissipation, 0)[0] * energy_scale,
                status: self.status(|i| increment.strain_new[i]),
                ..Response::default()
            };
            let stress = answer.stress;
            lanes.read(stress.value, |_, i, [s]| {
                result.stress[i] = s * stress_scale
            });
            if let Some(directions) = stress.directions {
                lanes.read(directions, |j, i, [slope]| {
                    result.tangent[(i, j)] = slope * tangent_scale;
                });
            }
            // Becomes NaN where a value is not finite.
            let mut check = 0.0 * (result.stored_energy + result.dissipation);
            check += 0.0 * (result.stress.sum() + result.tangent.sum());
            lanes.read(answer.state, |_, _, [z]| check += 0.0 * z);
            if check.is_nan() {
                return Err(fault(lanes, 0));
            }
            lanes.read(answer.state, |_, i, [z]| state_new[i] = *z);
            *response = result;
            Ok(())
        })
    }

    fn batch_with(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        let (p, n) = (input.points, self.components());
        let (stress_scale, energy_scale) = (self.normalisation.stress, self.energy_scale());
        let tangent_scale = stress_scale / self.normalisation.strain;
        with_lanes::<WIDTH, _>(&self.weights, |lanes| {
            for first in (0..p).step_by(WIDTH) {
                lanes.clear();
                let count = WIDTH.min(p - first);
                let answer = self.advance::<WIDTH>(lanes, &Chunk { input, first });
                // Becomes NaN where a value is not finite.
                let mut check = [0.0; WIDTH];
                let mut put = |to: &mut [f64], at: usize, from: &[f64; WIDTH], scale: f64| {
                    let values = from.map(|value| value * scale);
                    for w in 0..WIDTH {
                        check[w] += 0.0 * values[w];
                    }
                    let to = &mut to[at * p + first..];
                    match to.first_chunk_mut() {
                        Some(full) if count == WIDTH => *full = values,
                        _ => to[..count].copy_from_slice(&values[..count]),
                    }
                };
                lanes.read(answer.state, |_, i, z| put(output.state, i, z, 1.0));
                lanes.read(answer.stress.value, |_, i, stress| {
                    put(output.stress, i, stress, stress_scale);
                });
                lanes.read(answer.energy, |_, _, energy| {
                    put(output.stored_energy, 0, energy, energy_scale);
                });
                lanes.read(answer.dissipation, |_, _, dissipation| {
                    put(output.dissipation, 0, dissipation, energy_scale);
                });
                match answer.stress.directions {
                    Some(directions) => lanes.read(directions, |j, i, slope| {
                        put(output.tangent, i * n + j, slope, tangent_scale);
                    }),
                    // The stress does not depend on the strain.
                    None => (0..n * n).for_each(|i| put(output.tangent, i, &[0.0; WIDTH], 0.0)),
                }
                for w in 0..count {
                    output.status[first + w] = self.status(|i| input.strain_new[i * p + first + w]);
                }
                if let Some(w) = check[..count].iter().position(|check| check.is_nan()) {
                    return Err(BatchError {
                        point: first + w,
                        source: fault(lanes, w),
                    });
                }
            }
            Ok(())
        })
    }
}

impl<L: RecurrentLaw> MaterialLaw for LearnedLaw<L> {
    fn name(&self) -> &str {
        &self.name
    }

    fn components(&self) -> usize {
        self.law.components()
    }

    fn external_variables(&self) -> &[String] {
        &self.normalisation.external_names
    }

    fn state_layout(&self) -> &StateLayout {
        &self.state_layout
    }

    fn initial_state(&self, state: &mut [f64]) {
        state.fill(0.0);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
        with_lanes::<1, _>(&self.weights, |lanes| {
            let scale = self.normalisation.strain;
            let prepared = lanes.constant(&self.prepared);
            let strain = lanes.input(strain.len(), |i, _| strain[i] / scale);
            let external = self.external(lanes, |i| [external[i]]);
            let state = lanes.constant(state);
            let forces = self
                .law
                .forces(lanes, &prepared, &strain, external.as_ref(), &state);
            lanes.get(forces.energy, 0)[0] * self.energy_scale()
        })
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        prepare(self, increment, state_old, state_new)?;
        self.update_with(increment, state_old, state_new, response)
    }

    fn update_batch(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        check_batch(self, input, output)?;
        check_values(input)?;
        self.batch_with(input, output)
    }

    fn guarantees(&self) -> Guarantees {
        let claims = self.law.claims();
        Guarantees {
            second_law: claims.second_law,
            stationary: claims.stationary,
            rate_independent: claims.rate_independent,
            isotropic: claims.isotropic,
            // `σ(0, z_0) = 0` always; the virgin point also stays there if its state does.
            rest: claims.stationary,
        }
    }

    fn scales(&self) -> Scales {
        Scales {
            strain: self.normalisation.strain,
            stress: self.normalisation.stress,
            time: self.normalisation.time,
        }
    }
}

/// Why the answer of a lane is not finite.
fn fault<const W: usize>(lanes: &Lanes<W>, lane: usize) -> UpdateError {
    match lanes.unsolved()[lane] {
        None => UpdateError::Overflow { what: "the law" },
        Some(unsolved) => UpdateError::NotConverged {
            what: "the implicit update",
            iterations: unsolved.iterations,
            residual: unsolved.residual,
        },
    }
}

/// Where the answers of [`LearnedLaw::advance`] lie.
struct Answer {
    state: Span,
    stress: Dual<Span>,
    energy: Span,
    dissipation: Span,
}
