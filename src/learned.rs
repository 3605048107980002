//! A trained recurrent law as a [`MaterialLaw`]: physical units, exact consistent tangent.

use crate::algebra::{Algebra, Dual, Lanes, ParameterLayout, Span, Tangent};
use crate::error::{BatchError, Error, Result, UpdateError};
use crate::law::{
    BatchInput, BatchOutput, Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout,
    Status, check_batch,
};
use crate::recurrent::{AnyLaw, Inputs, RecurrentLaw};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// Points that one pass of a batch advances together.
const WIDTH: usize = 8;

/// What turns physical units into the law's own, and the range that training has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// `s_ε`
    pub strain: f64,
    /// `s_σ`, MPa
    pub stress: f64,
    /// `s_t`, s
    pub time: f64,
    /// Names of the external variables.
    pub external_names: Vec<String>,
    /// `[offset, scale]` of each external variable.
    pub external: Vec<[f64; 2]>,
    /// `[least, most]` of each Mandel strain component seen in training.
    pub strain_range: Vec<[f64; 2]>,
}

impl Normalisation {
    /// Unit scales without external variables and with an unlimited range.
    pub fn unit(components: usize) -> Self {
        Self {
            strain: 1.0,
            stress: 1.0,
            time: 1.0,
            external_names: Vec::new(),
            external: Vec::new(),
            strain_range: vec![[f64::NEG_INFINITY, f64::INFINITY]; components],
        }
    }

    /// # Errors
    /// [`Error::Invalid`] where a scale is not positive, or a list does not have an entry for each
    /// of so many strain components or external variables.
    pub fn check(&self, components: usize, external: usize) -> Result<()> {
        let fail = |message: String| Err(Error::Invalid(message));
        let scales = [
            ("strain", self.strain),
            ("stress", self.stress),
            ("time", self.time),
        ];
        let named = self.external_names.iter().zip(&self.external);
        let external_scales = named.map(|(name, [_, scale])| (name.as_str(), *scale));
        for (what, scale) in scales.into_iter().chain(external_scales) {
            if !(scale.is_finite() && scale > 0.0) {
                return fail(format!("the scale {scale} of {what} is not positive"));
            }
        }
        for (what, found, expected) in [
            ("strain ranges", self.strain_range.len(), components),
            ("external names", self.external_names.len(), external),
            ("external scales", self.external.len(), external),
        ] {
            if found != expected {
                return fail(format!("{found} {what}, {expected} are needed"));
            }
        }
        if self.external.iter().any(|[offset, _]| !offset.is_finite()) {
            return fail("the offset of an external variable is not finite".into());
        }
        let mut names = self.external_names.iter().enumerate();
        if let Some((_, name)) = names.find(|(i, n)| self.external_names[..*i].contains(n)) {
            return fail(format!("external variable `{name}` is there twice"));
        }
        if let Some([low, high]) = self
            .strain_range
            .iter()
            .find(|[low, high]| low.partial_cmp(high).is_none_or(|order| order.is_gt()))
        {
            return fail(format!("strain range [{low}, {high}] is not a range"));
        }
        Ok(())
    }
}

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
                return Err(UpdateError::Overflow { what: "the law" });
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
                        source: UpdateError::Overflow { what: "the law" },
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
        self.check(increment, state_old)?;
        let expected = state_old.len();
        if state_new.len() != expected {
            return Err(UpdateError::Shape {
                what: "new state",
                expected,
                found: state_new.len(),
            });
        }
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

/// Where the inputs of `W` points come from.
trait Points {
    fn strain_old(&self, i: usize, lane: usize) -> f64;
    fn strain_new(&self, i: usize, lane: usize) -> f64;
    fn dt(&self, lane: usize) -> f64;
    fn external(&self, i: usize, lane: usize) -> f64;
    fn state(&self, i: usize, lane: usize) -> f64;
}

struct OnePoint<'a> {
    increment: &'a Increment<'a>,
    state: &'a [f64],
}

impl Points for OnePoint<'_> {
    fn strain_old(&self, i: usize, _: usize) -> f64 {
        self.increment.strain_old[i]
    }

    fn strain_new(&self, i: usize, _: usize) -> f64 {
        self.increment.strain_new[i]
    }

    fn dt(&self, _: usize) -> f64 {
        self.increment.dt
    }

    fn external(&self, i: usize, _: usize) -> f64 {
        self.increment.external_new[i]
    }

    fn state(&self, i: usize, _: usize) -> f64 {
        self.state[i]
    }
}

/// Some points of a batch from `first` on; lanes beyond the end repeat the last point.
struct Chunk<'a> {
    input: &'a BatchInput<'a>,
    first: usize,
}

impl Chunk<'_> {
    fn at(&self, values: &[f64], i: usize, lane: usize) -> f64 {
        let points = self.input.points;
        values[i * points + (self.first + lane).min(points - 1)]
    }
}

impl Points for Chunk<'_> {
    fn strain_old(&self, i: usize, lane: usize) -> f64 {
        self.at(self.input.strain_old, i, lane)
    }

    fn strain_new(&self, i: usize, lane: usize) -> f64 {
        self.at(self.input.strain_new, i, lane)
    }

    fn dt(&self, lane: usize) -> f64 {
        self.at(self.input.dt, 0, lane)
    }

    fn external(&self, i: usize, lane: usize) -> f64 {
        self.at(self.input.external_new, i, lane)
    }

    fn state(&self, i: usize, lane: usize) -> f64 {
        self.at(self.input.state, i, lane)
    }
}

/// Refuses a batch with a number that is not finite, or a negative time step.
fn check_values(input: &BatchInput) -> Result<(), BatchError> {
    let p = input.points;
    for (what, values) in [
        ("old strain", input.strain_old),
        ("new strain", input.strain_new),
        ("time step", input.dt),
        ("old external variables", input.external_old),
        ("new external variables", input.external_new),
        ("state", input.state),
    ] {
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let source = UpdateError::NonFinite {
                what,
                value: values[at],
            };
            return Err(BatchError {
                point: at % p,
                source,
            });
        }
    }
    match input.dt.iter().position(|dt| *dt < 0.0) {
        None => Ok(()),
        Some(point) => Err(BatchError {
            point,
            source: UpdateError::NegativeTime {
                dt: input.dt[point],
            },
        }),
    }
}

/// Memory of the lanes, kept per thread so that nothing is allocated after the first call.
trait Memory: Sized + 'static {
    fn with<R>(f: impl FnOnce(&RefCell<Vec<Self>>) -> R) -> R;
}

macro_rules! memory {
    ($($width:expr),+) => {$(
        impl Memory for [f64; $width] {
            fn with<R>(f: impl FnOnce(&RefCell<Vec<Self>>) -> R) -> R {
                thread_local!(static ARENA: RefCell<Vec<[f64; $width]>> = const {
                    RefCell::new(Vec::new())
                });
                ARENA.with(f)
            }
        }
    )+};
}
memory!(1, WIDTH);

fn with_lanes<const W: usize, R>(parameters: &[f64], work: impl FnOnce(&Lanes<W>) -> R) -> R
where
    [f64; W]: Memory,
{
    let arena = <[f64; W] as Memory>::with(RefCell::take);
    let lanes = Lanes::with_arena(parameters, arena);
    let result = work(&lanes);
    <[f64; W] as Memory>::with(|cell| cell.replace(lanes.into_arena()));
    result
}
