//! A trained recurrent law as a [`MaterialLaw`]: physical units, exact consistent tangent.

mod memory;
mod normalisation;
mod points;

pub use normalisation::Normalisation;

use crate::algebra::{Algebra, Dual, Lanes, ParameterLayout, Span, Tangent};
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
    effective: Vec<f64>,
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
        let effective = layout.effective(&raw);
        let lanes = Lanes::<1>::new(&effective);
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
            effective,
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
        value: impl Fn(usize, usize) -> f64,
    ) -> Option<Span> {
        let scales = &self.normalisation.external;
        (!scales.is_empty()).then(|| {
            lanes.input(scales.len(), |i, w| {
                let [offset, scale] = scales[i];
                (value(i, w) - offset) / scale
            })
        })
    }

    /// Advances `W` points; the answer stays in the arena.
    fn advance<const W: usize, const N: usize>(
        &self,
        lanes: &Lanes<W>,
        points: &impl Points,
    ) -> Answer<N> {
        let scale = self.normalisation.strain;
        let t = Tangent::<_, N>::new(lanes);
        let old = lanes.input(N, |i, w| points.strain_old(i, w) / scale);
        let new = lanes.input(N, |i, w| points.strain_new(i, w) / scale);
        let dt = lanes.input(1, |_, w| points.dt(w) / self.normalisation.time);
        let external = self.external(lanes, |i, w| points.external(i, w));
        let state = lanes.input(self.law.states(), |i, w| points.state(i, w));
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

    fn update_with<const N: usize>(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        with_lanes::<1, _>(&self.effective, |lanes| {
            let one = OnePoint {
                increment,
                state: state_old,
            };
            let answer = self.advance::<1, N>(lanes, &one);
            let value = |span, i| lanes.get(span, i)[0];
            let (stress_scale, energy_scale) = (self.normalisation.stress, self.energy_scale());
            let mut result = Response {
                stored_energy: value(answer.energy, 0) * energy_scale,
                dissipation: value(answer.dissipation, 0) * energy_scale,
                status: self.status(|i| increment.strain_new[i]),
                ..Response::default()
            };
            for i in 0..N {
                result.stress[i] = value(answer.stress.value, i) * stress_scale;
                for j in 0..N {
                    result.tangent[(i, j)] =
                        answer.slope(lanes, i, j, 0) * stress_scale / self.normalisation.strain;
                }
            }
            let finite = result.stored_energy.is_finite()
                && result.dissipation.is_finite()
                && result.stress.iter().all(|v| v.is_finite())
                && result.tangent.iter().all(|v| v.is_finite())
                && (0..state_new.len()).all(|i| value(answer.state, i).is_finite());
            if !finite {
                return Err(fault(lanes, 0));
            }
            for (i, new) in state_new.iter_mut().enumerate() {
                *new = value(answer.state, i);
            }
            *response = result;
            Ok(())
        })
    }

    fn batch_with<const N: usize>(
        &self,
        input: &BatchInput,
        output: &mut BatchOutput,
    ) -> Result<(), BatchError> {
        let p = input.points;
        let (stress_scale, energy_scale) = (self.normalisation.stress, self.energy_scale());
        let tangent_scale = stress_scale / self.normalisation.strain;
        for first in (0..p).step_by(WIDTH) {
            let count = WIDTH.min(p - first);
            with_lanes::<WIDTH, _>(&self.effective, |lanes| {
                let answer = self.advance::<WIDTH, N>(lanes, &Chunk { input, first });
                let mut finite = [true; WIDTH];
                let mut put = |to: &mut [f64], at: usize, from: [f64; WIDTH], scale: f64| {
                    for w in 0..count {
                        let value = from[w] * scale;
                        finite[w] &= value.is_finite();
                        to[at * p + first + w] = value;
                    }
                };
                for i in 0..self.law.states() {
                    put(output.state, i, lanes.get(answer.state, i), 1.0);
                }
                for i in 0..N {
                    put(
                        output.stress,
                        i,
                        lanes.get(answer.stress.value, i),
                        stress_scale,
                    );
                    for j in 0..N {
                        let slope = std::array::from_fn(|w| answer.slope(lanes, i, j, w));
                        put(output.tangent, i * N + j, slope, tangent_scale);
                    }
                }
                put(
                    output.stored_energy,
                    0,
                    lanes.get(answer.energy, 0),
                    energy_scale,
                );
                put(
                    output.dissipation,
                    0,
                    lanes.get(answer.dissipation, 0),
                    energy_scale,
                );
                for w in 0..count {
                    output.status[first + w] = self.status(|i| input.strain_new[i * p + first + w]);
                }
                match finite[..count].iter().position(|ok| !ok) {
                    None => Ok(()),
                    Some(w) => Err(BatchError {
                        point: first + w,
                        source: fault(lanes, w),
                    }),
                }
            })?;
        }
        Ok(())
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
        with_lanes::<1, _>(&self.effective, |lanes| {
            let scale = self.normalisation.strain;
            let prepared = lanes.constant(&self.prepared);
            let strain = lanes.input(strain.len(), |i, _| strain[i] / scale);
            let external = self.external(lanes, |i, _| external[i]);
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
        match self.components() {
            1 => self.update_with::<1>(increment, state_old, state_new, response),
            3 => self.update_with::<3>(increment, state_old, state_new, response),
            _ => self.update_with::<6>(increment, state_old, state_new, response),
        }
    }

    fn update_batch(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        check_batch(self, input, output)?;
        check_values(input)?;
        match self.components() {
            1 => self.batch_with::<1>(input, output),
            3 => self.batch_with::<3>(input, output),
            _ => self.batch_with::<6>(input, output),
        }
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
struct Answer<const N: usize> {
    state: Span,
    stress: Dual<Span, N>,
    energy: Span,
    dissipation: Span,
}

impl<const N: usize> Answer<N> {
    /// `∂σ_i/∂ε_j` at a lane, normalised; zero where the stress does not depend on the strain.
    fn slope<const W: usize>(&self, lanes: &Lanes<W>, i: usize, j: usize, lane: usize) -> f64 {
        self.stress
            .directions
            .as_ref()
            .map_or(0.0, |d| lanes.get(d[j], i)[lane])
    }
}
