//! The second law, and the consistency of stress, energy and dissipation with one free energy.

use super::report::Finding;
use super::subject::{Subject, Visit, larger, smaller};
use crate::law::breaks_second_law;

/// Steps of the extrapolated differences of the free energy, in strain scales or state changes; the
/// smallest error counts.
const STEPS: [f64; 4] = [1e-2, 1e-3, 1e-4, 1e-5];

/// Three definitions of the dissipation of an increment.
pub(super) struct DissipationProbe {
    increments: usize,
    negative: usize,
    end: f64,
    split: f64,
    work: f64,
}

impl Default for DissipationProbe {
    fn default() -> Self {
        Self {
            increments: 0,
            negative: 0,
            end: f64::INFINITY,
            split: f64::INFINITY,
            work: f64::INFINITY,
        }
    }
}

impl DissipationProbe {
    pub fn visit(&mut self, subject: &Subject, visit: &Visit) {
        let energy = |strain, state| subject.free_energy(strain, state);
        let before = energy(visit.strain_old, visit.state_old);
        let held = energy(visit.strain_new, visit.state_old);
        let stored = energy(visit.strain_new, visit.state_new);
        let power: f64 = (0..subject.n)
            .map(|i| visit.response.stress[i] * (visit.strain_new[i] - visit.strain_old[i]))
            .sum();
        let end = visit.response.dissipation / visit.energy;
        self.increments += 1;
        if breaks_second_law(visit.response.dissipation, visit.energy) {
            self.negative += 1;
        }
        self.end = smaller(self.end, end);
        self.split = smaller(self.split, (held - stored) / visit.energy);
        self.work = smaller(self.work, (power - stored + before) / visit.energy);
    }

    /// `D_end`, `D_split`, the share of negative increments, `σ·Δε − Δψ`.
    pub fn findings(&self) -> [Finding; 4] {
        if self.increments == 0 {
            return std::array::from_fn(|_| Finding::missing("no increment was accepted"));
        }
        let share = self.negative as f64 / self.increments as f64;
        [self.end, self.split, share, self.work].map(Finding::of)
    }
}

/// `σ = ∂ψ/∂ε` and `D_end = −∂ψ/∂z·Δz` by central differences of the free energy.
#[derive(Default)]
pub(super) struct GradientProbe {
    increments: usize,
    energy: f64,
    dissipation: f64,
}

impl GradientProbe {
    pub fn visit(&mut self, subject: &Subject, visit: &Visit) {
        self.increments += 1;
        let stored = subject.free_energy(visit.strain_new, visit.state_new);
        let stored_error = (visit.response.stored_energy - stored).abs() / visit.energy;
        let best = |error: &dyn Fn(f64) -> f64| {
            STEPS
                .iter()
                .map(|&step| error(step))
                .fold(f64::INFINITY, f64::min)
        };
        let stress_error = best(&|step| stress_error(subject, visit, step));
        let dissipation_error = best(&|step| dissipation_error(subject, visit, step));
        self.energy = larger(self.energy, larger(stored_error, stress_error));
        self.dissipation = larger(self.dissipation, dissipation_error);
    }

    pub fn energy(&self) -> Finding {
        self.finding(self.energy)
    }

    pub fn dissipation(&self) -> Finding {
        self.finding(self.dissipation)
    }

    fn finding(&self, value: f64) -> Finding {
        match self.increments {
            0 => Finding::missing("no increment was accepted"),
            _ => Finding::of(value),
        }
    }
}

/// Richardson's extrapolation of a central difference, because the plain difference is not accurate
/// enough where the curvature of an energy changes within a few steps.
fn extrapolated(central: impl Fn(f64) -> f64, step: f64) -> f64 {
    (4.0 * central(0.5 * step) - central(step)) / 3.0
}

fn stress_error(subject: &Subject, visit: &Visit, step: f64) -> f64 {
    let n = subject.n;
    let mut error = 0.0;
    for i in 0..n {
        let energy_at = |along: f64| {
            let mut strain = [0.0; 6];
            strain[..n].copy_from_slice(visit.strain_new);
            strain[i] += along * subject.scales.strain;
            (
                subject.free_energy(&strain[..n], visit.state_new),
                strain[i],
            )
        };
        let central = |step: f64| {
            let ((up, above), (down, below)) = (energy_at(step), energy_at(-step));
            (up - down) / (above - below)
        };
        error += (extrapolated(central, step) - visit.response.stress[i]).powi(2);
    }
    error.sqrt() / subject.stress_scale(visit.response.stress.as_slice())
}

fn dissipation_error(subject: &Subject, visit: &Visit, step: f64) -> f64 {
    let energy_at = |along: f64| {
        let state: Vec<f64> = visit
            .state_new
            .iter()
            .zip(visit.state_old)
            .map(|(new, old)| new + along * (new - old))
            .collect();
        subject.free_energy(visit.strain_new, &state)
    };
    let central = |step: f64| (energy_at(step) - energy_at(-step)) / (2.0 * step);
    (visit.response.dissipation + extrapolated(central, step)).abs() / visit.energy
}
