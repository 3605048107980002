//! The second law, and the consistency of stress, energy and dissipation with one free energy.

use super::noise::ENERGY_DEVIATIONS;
use super::report::{Finding, Worst};
use super::subject::{Subject, Visit, larger, smaller};
use crate::law::breaks_second_law;

/// Steps of the extrapolated differences of the free energy, in strain scales or state changes; the
/// smallest error counts.
const STEPS: [f64; 4] = [1e-2, 1e-3, 1e-4, 1e-5];

/// Of the rows on the gradients of the energy.
pub(super) const GRADIENT_LIMIT: f64 = 1e-6;
/// Where round-off raises the energy scale by more than this, the rows on dissipation decide nothing.
const UNDECIDED: f64 = 1e3;

/// Three definitions of the dissipation of an increment.
pub(super) struct DissipationProbe {
    increments: usize,
    /// Largest ratio of the energy scale to that without round-off.
    blur: f64,
    negative: usize,
    end: f64,
    split: f64,
    work: f64,
}

impl Default for DissipationProbe {
    fn default() -> Self {
        Self {
            increments: 0,
            blur: 1.0,
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
        self.blur = self.blur.max(visit.energy / visit.plain_energy);
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
        let undecided = self.blur > UNDECIDED;
        [self.end, self.split, share, self.work].map(|v| Finding::of(v).undecided(undecided))
    }
}

/// `σ = ∂ψ/∂ε` and `D_end = −∂ψ/∂z·Δz` by central differences of the free energy.
#[derive(Default)]
pub(super) struct GradientProbe {
    energy: Worst,
    dissipation: Worst,
}

impl GradientProbe {
    pub fn visit(&mut self, subject: &Subject, visit: &Visit) {
        let stored = subject.free_energy(visit.strain_new, visit.state_new);
        let stored_error = (visit.response.stored_energy - stored).abs() / visit.energy;
        let noise = ENERGY_DEVIATIONS * visit.noise.energy;
        // The smallest error over the steps, unless round-off may account for all of it but the limit.
        let judge = |worst: &mut Worst, error: &dyn Fn(f64) -> f64, unit: f64| {
            let errors = STEPS.map(|step| (error(step), noise / (step * unit)));
            let least = errors.iter().map(|e| e.0).fold(f64::INFINITY, f64::min);
            let hidden = errors
                .iter()
                .any(|(error, blur)| error - blur <= GRADIENT_LIMIT);
            match least > GRADIENT_LIMIT && hidden {
                true => worst.leave_out(),
                false => worst.decide(least),
            }
        };
        let stress = subject.stress_scale(visit.response.stress.as_slice());
        let of_stress = |step| larger(stored_error, stress_error(subject, visit, step));
        judge(&mut self.energy, &of_stress, stress * subject.scales.strain);
        let of_state = |step| dissipation_error(subject, visit, step);
        judge(&mut self.dissipation, &of_state, visit.energy);
    }

    pub fn energy(&self) -> Finding {
        self.energy.finding(WHY)
    }

    pub fn dissipation(&self) -> Finding {
        self.dissipation.finding(WHY)
    }
}

/// What increments that the gradients leave out have in common.
const WHY: &str = "lie below the resolution of differences of the energy";

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
