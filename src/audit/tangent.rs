//! The consistent tangent against central differences, and its smallest eigenvalue.

use super::histories::norm;
use super::report::Finding;
use super::subject::{Subject, Tally, Visit, larger, smaller};
use crate::error::UpdateError;
use crate::law::Response;
use crate::mandel::Moduli;
use nalgebra::DMatrix;

/// Steps of the differences are `1/16, 1/64, …` strain scales, as long as round-off permits.
const FIRST_STEP: f64 = 1.0 / 16.0;
const RATIO: f64 = 0.25;
/// The smallest step is a billionth of the strain scale.
const STEPS: usize = 14;
/// Largest round-off of a difference, relative to the stiffness.
const ROUND_OFF: f64 = 1e-8;
/// If two extrapolated differences differ by more, the increment is undecided.
const UNDECIDED: f64 = 1e-8;
/// Jump of the one-sided differences below which a point is smooth.
const SMOOTH: f64 = 1e-7;
/// Largest share of undecided increments for a valid row.
const MOST_UNDECIDED: f64 = 0.5;

#[derive(Default)]
pub(super) struct TangentProbe {
    decided: usize,
    undecided: usize,
    error: f64,
    eigenvalue: Option<f64>,
}

/// `dσ/dε` from differences with one step.
struct Difference {
    central: Moduli,
    /// Forward minus backward difference: decreases with the step if the law is smooth, does not at a
    /// kink.
    jump: f64,
}

impl TangentProbe {
    pub fn visit(&mut self, subject: &Subject, visit: &Visit) {
        let tangent = leading(&visit.response.tangent, subject.n);
        if tangent.iter().all(|c| c.is_finite()) {
            let symmetric = (&tangent + tangent.transpose()) / 2.0;
            let smallest = symmetric.symmetric_eigenvalues().min() / subject.stiffness;
            let so_far = self.eigenvalue.unwrap_or(f64::INFINITY);
            self.eigenvalue = Some(smaller(so_far, smallest));
        } else {
            self.eigenvalue = Some(f64::NEG_INFINITY);
        }
        match numerical_tangent(subject, visit) {
            Some(reference) => {
                self.decided += 1;
                let scale = reference.norm().max(subject.stiffness);
                let error = (visit.response.tangent - reference).norm() / scale;
                self.error = larger(self.error, error);
            }
            None => self.undecided += 1,
        }
    }

    pub fn error(&self, tally: &Tally) -> Finding {
        let share = self.undecided as f64 / (self.decided + self.undecided).max(1) as f64;
        let note = match self.undecided {
            0 => String::new(),
            _ => format!(
                "{:.1} % of the increments end at a kink or below the resolution of differences; \
                 they are excluded",
                100.0 * share
            ),
        };
        if tally.broken > 0 {
            Finding::of(f64::INFINITY).note(tally.note())
        } else if self.decided == 0 || share > MOST_UNDECIDED {
            Finding::missing("too few increments have a numerical tangent").note(note)
        } else {
            Finding::of(self.error).note(note)
        }
    }

    pub fn eigenvalue(&self) -> Finding {
        match self.eigenvalue {
            Some(value) => Finding::of(value),
            None => Finding::missing("no increment was accepted"),
        }
    }
}

fn leading(moduli: &Moduli, n: usize) -> DMatrix<f64> {
    moduli.view((0, 0), (n, n)).into_owned()
}

/// The tangent by Richardson-extrapolated central differences, at the step with the best agreement
/// with the next larger one. `None` if they do not converge, or if the one-sided differences disagree
/// at every step: there is no derivative at a kink. A nearby kink is detected by a jump of finer
/// differences. The law's own tangent is not used here, so that a wrong one cannot exclude itself.
fn numerical_tangent(subject: &Subject, visit: &Visit) -> Option<Moduli> {
    let size = norm(visit.strain_new) + visit.response.stress.norm() / subject.stiffness;
    let smallest = 4.0 * f64::EPSILON * size / ROUND_OFF;
    let mut best: Option<(f64, Moduli)> = None;
    let mut before: Option<(Difference, Option<Moduli>)> = None;
    let mut step = FIRST_STEP * subject.scales.strain;
    for _ in 0..STEPS {
        if step < smallest {
            break;
        }
        let difference = differentiate(subject, visit, step).ok();
        step *= RATIO;
        let Some(difference) = difference else {
            before = None;
            continue;
        };
        let mut extrapolated = None;
        if let Some((coarse, coarse_extrapolated)) = &before {
            let fine = &difference.central;
            let scale = fine.norm().max(subject.stiffness);
            let extrapolation = (fine - coarse.central * RATIO.powi(2)) / (1.0 - RATIO.powi(2));
            extrapolated = Some(extrapolation);
            let smooth = difference.jump <= (0.5 * coarse.jump).max(SMOOTH * scale);
            if best.is_some() && !smooth {
                // Finer differences detect a kink within the better step.
                return None;
            }
            if let (true, Some(coarse)) = (smooth, coarse_extrapolated) {
                let disagreement = (extrapolation - coarse).norm() / scale;
                if disagreement < best.as_ref().map_or(UNDECIDED, |b| b.0) {
                    best = Some((disagreement, extrapolation));
                }
            }
        }
        before = Some((difference, extrapolated));
    }
    best.map(|(_, moduli)| moduli)
}

fn differentiate(subject: &Subject, visit: &Visit, step: f64) -> Result<Difference, UpdateError> {
    let n = subject.n;
    let mut state = visit.state_new.to_vec();
    let mut response = Response::default();
    let mut central = Moduli::zeros();
    let mut jump = 0.0;
    for j in 0..n {
        let mut stress_at = |sign: f64| {
            let mut strain = [0.0; 6];
            strain[..n].copy_from_slice(visit.strain_new);
            strain[j] += sign * step;
            // The actual step after rounding.
            let step = strain[j] - visit.strain_new[j];
            subject
                .update(
                    visit.strain_old,
                    &strain[..n],
                    visit.dt,
                    visit.state_old,
                    &mut state,
                    &mut response,
                )
                .map(|()| (response.stress, step))
        };
        let (forward, up) = stress_at(1.0)?;
        let (backward, down) = stress_at(-1.0)?;
        let middle = visit.response.stress;
        let slopes = ((forward - middle) / up, (middle - backward) / -down);
        jump += (slopes.0 - slopes.1).norm_squared();
        central.set_column(j, &((forward - backward) / (up - down)));
    }
    Ok(Difference {
        central,
        jump: jump.sqrt(),
    })
}
