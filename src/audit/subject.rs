//! The law under audit, with valid scales, and its response to a history.

use super::histories::{Leg, norm};
use super::noise::{ENERGY_DEVIATIONS, Noise, noise};
use crate::error::UpdateError;
use crate::law::{DISSIPATION_ROUND_OFF, Increment, MaterialLaw, Response, Scales};

/// The law and the scales of its measurements.
pub(super) struct Subject<'a> {
    pub law: &'a dyn MaterialLaw,
    pub n: usize,
    pub external: Vec<f64>,
    /// The law's scales; those that are not positive and finite are replaced by one.
    pub scales: Scales,
    /// `σ_s ε_s`, MJ/m³.
    pub energy: f64,
    /// Frobenius norm of the initial tangent, MPa.
    pub stiffness: f64,
}

/// One accepted increment.
pub(super) struct Visit<'a> {
    pub strain_old: &'a [f64],
    pub strain_new: &'a [f64],
    pub dt: f64,
    pub state_old: &'a [f64],
    pub state_new: &'a [f64],
    pub response: &'a Response,
    /// The round-off of the response.
    pub noise: Noise,
    /// The largest of `σ_s ε_s`, of the `|ψ|` of the history so far, and of the energy whose
    /// [`DISSIPATION_ROUND_OFF`] is the round-off of `ψ` so far: a smaller change of energy is none.
    pub energy: f64,
    /// The same without the round-off.
    pub plain_energy: f64,
}

/// Counts of increments and of failures.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub asked: usize,
    /// Rejected with an error that a smaller step can help; the history continues without them.
    pub refused: usize,
    /// Rejected as inadmissible although they are admissible; the history ends there.
    pub broken: usize,
}

impl Tally {
    pub fn add(&mut self, other: Tally) {
        self.asked += other.asked;
        self.refused += other.refused;
        self.broken += other.broken;
    }

    pub fn note(&self) -> String {
        let mut parts = Vec::new();
        if self.refused > 0 {
            parts.push(format!(
                "the law rejected {} of {} increments as too large; they are excluded",
                self.refused, self.asked
            ));
        }
        if self.broken > 0 {
            parts.push(format!(
                "{} histories ended in an error that a smaller step cannot help",
                self.broken
            ));
        }
        parts.join("; ")
    }
}

impl<'a> Subject<'a> {
    pub fn new(law: &'a dyn MaterialLaw, external: &[f64]) -> Self {
        let positive = |x: f64| if x.is_finite() && x > 0.0 { x } else { 1.0 };
        let given = law.scales();
        let scales = Scales {
            strain: positive(given.strain),
            stress: positive(given.stress),
            time: positive(given.time),
        };
        let mut external = external.to_vec();
        external.resize(law.external_variables().len(), 0.0);
        let mut subject = Self {
            law,
            n: law.components(),
            external,
            scales,
            energy: scales.stress * scales.strain,
            stiffness: scales.stress / scales.strain,
        };
        let (state, zero) = (law.new_state(), [0.0; 6]);
        let mut response = Response::default();
        let (mut new, zero) = (state.clone(), &zero[..subject.n]);
        if subject
            .update(zero, zero, 0.0, &state, &mut new, &mut response)
            .is_ok()
        {
            let norm = response.tangent.norm();
            if norm.is_finite() && norm > 0.0 {
                subject.stiffness = norm;
            }
        }
        subject
    }

    pub fn update(
        &self,
        strain_old: &[f64],
        strain_new: &[f64],
        dt: f64,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        let increment = Increment {
            strain_old,
            strain_new,
            dt,
            external_old: &self.external,
            external_new: &self.external,
        };
        self.law.update(&increment, state_old, state_new, response)
    }

    /// The increment between two ends of increments.
    pub fn increment<'i>(&'i self, start: &'i Leg, end: &'i Leg) -> Increment<'i> {
        Increment {
            strain_old: &start.strain[..self.n],
            strain_new: &end.strain[..self.n],
            dt: end.dt,
            external_old: &self.external,
            external_new: &self.external,
        }
    }

    /// Follows a history from the virgin state and calls `visit` for every accepted increment, with the noise
    /// of its answer.
    pub fn walk(&self, history: &[Leg], visit: &mut dyn FnMut(&Visit)) -> Tally {
        self.walk_with(history, noise, visit)
    }

    /// [`Subject::walk`] without the noise, which costs seven further updates of each increment.
    pub fn walk_only(&self, history: &[Leg], visit: &mut dyn FnMut(&Visit)) -> Tally {
        self.walk_with(history, |_, _, _| Noise::default(), visit)
    }

    fn walk_with(
        &self,
        history: &[Leg],
        noise: impl Fn(&Self, &Increment, &[f64]) -> Noise,
        visit: &mut dyn FnMut(&Visit),
    ) -> Tally {
        let mut tally = Tally::default();
        let mut strain_old = [0.0; 6];
        let mut state_old = self.law.new_state();
        let mut state_new = state_old.clone();
        let mut response = Response::default();
        let mut plain_energy = self.energy;
        let mut energy_noise = 0.0f64;
        for leg in history {
            tally.asked += 1;
            let increment = Increment {
                strain_old: &strain_old[..self.n],
                strain_new: &leg.strain[..self.n],
                dt: leg.dt,
                external_old: &self.external,
                external_new: &self.external,
            };
            match self
                .law
                .update(&increment, &state_old, &mut state_new, &mut response)
            {
                Ok(()) => {}
                Err(error) if error.cut().is_some() => {
                    tally.refused += 1;
                    continue;
                }
                Err(_) => {
                    tally.broken += 1;
                    break;
                }
            }
            let noise = noise(self, &increment, &state_old);
            plain_energy = plain_energy.max(response.stored_energy.abs());
            energy_noise = energy_noise.max(noise.energy);
            visit(&Visit {
                strain_old: increment.strain_old,
                strain_new: increment.strain_new,
                dt: increment.dt,
                state_old: &state_old,
                state_new: &state_new,
                response: &response,
                noise,
                energy: plain_energy.max(ENERGY_DEVIATIONS * energy_noise / DISSIPATION_ROUND_OFF),
                plain_energy,
            });
            strain_old = leg.strain;
            std::mem::swap(&mut state_old, &mut state_new);
        }
        tally
    }

    /// `ψ(ε, z)`.
    pub fn free_energy(&self, strain: &[f64], state: &[f64]) -> f64 {
        self.law.free_energy(strain, state, &self.external)
    }

    /// The larger of the stress scale and a stress.
    pub fn stress_scale(&self, stress: &[f64]) -> f64 {
        self.scales.stress.max(norm(stress))
    }
}

/// The maximum of two errors; NaN counts as infinite.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    match a.is_nan() || b.is_nan() {
        true => f64::INFINITY,
        false => a.max(b),
    }
}

/// The minimum of two margins; NaN counts as −infinity.
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}
