//! The consistent tangent against central differences, and its smallest eigenvalue.

use super::histories::norm;
use super::report::{Finding, Worst};
use super::subject::{Subject, Tally, Visit, smaller};
use crate::error::UpdateError;
use crate::law::Response;
use crate::mandel::Moduli;
use nalgebra::DMatrix;

/// The longest step in strain scales. Longer ones agree on the slope far away from a bend of the law.
const FIRST_STEP: f64 = 1.0 / 16.0;
/// Where round-off forbids short steps, the longest step over the shortest one: three extrapolations.
const SPAN: f64 = 256.0;
/// The longest step of all, in strain scales. Where the answer jumps, as that of a law that sees the direction of
/// the increment does at a hold, its noise is that jump: there is nothing to resolve.
const LONGEST: f64 = 1.0;
const RATIO: f64 = 0.25;
/// The smallest step is a billionth of the longest one.
const STEPS: usize = 14;
/// Largest round-off of a difference, relative to the stiffness.
const ROUND_OFF: f64 = 1e-8;
/// A reference that is less certain does not decide.
const UNDECIDED: f64 = 1e-8;
/// Standard deviations of the round-off of a stress that a difference may have, and its jump.
const DEVIATIONS: f64 = 4.0;
const JUMP_DEVIATIONS: f64 = 12.0;
/// An error this many times the round-off of its reference is real.
const CERTAIN: f64 = 10.0;
/// Jump of the one-sided differences below which a point is smooth.
const SMOOTH: f64 = 1e-7;

#[derive(Default)]
pub(super) struct TangentProbe {
    error: Worst,
    eigenvalue: Option<f64>,
}

/// `dσ/dε` from differences with one step.
struct Difference {
    central: Moduli,
    /// Forward minus backward difference: decreases with the step if the law is smooth, does not at a
    /// kink.
    jump: Moduli,
}

/// `dσ/dε` by Richardson's extrapolation of two differences.
struct Reference {
    moduli: Moduli,
    /// The larger of its norm and the initial stiffness, MPa.
    scale: f64,
    /// The larger of the distance from the extrapolation with larger steps, and half of the jump that
    /// remains at step zero, over the stiffness. The jump shows a weak kink beside a curvature.
    disagreement: f64,
    /// Over the stiffness.
    round_off: f64,
}

impl Reference {
    fn uncertainty(&self) -> f64 {
        self.disagreement.max(self.round_off)
    }
}

impl TangentProbe {
    pub fn visit(&mut self, subject: &Subject, visit: &Visit) {
        let tangent = leading(&visit.response.tangent, subject.n);
        let mut answers = tangent.iter().chain(visit.response.stress.iter());
        if !answers.all(|v| v.is_finite()) {
            self.eigenvalue = Some(f64::NEG_INFINITY);
            self.error.decide(f64::INFINITY);
            return;
        }
        let symmetric = (&tangent + tangent.transpose()) / 2.0;
        let smallest = symmetric.symmetric_eigenvalues().min() / subject.stiffness;
        let so_far = self.eigenvalue.unwrap_or(f64::INFINITY);
        self.eigenvalue = Some(smaller(so_far, smallest));
        let Some(reference) = numerical_tangent(subject, visit) else {
            return self.error.leave_out();
        };
        let error = (visit.response.tangent - reference.moduli).norm() / reference.scale;
        // Where round-off alone blurs the reference, an error far above it still counts.
        let real = reference.disagreement <= reference.round_off
            && error > CERTAIN * (reference.round_off + UNDECIDED);
        match real || reference.uncertainty() < UNDECIDED {
            true => self.error.decide(error),
            false => self.error.leave_out(),
        }
    }

    pub fn error(&self, tally: &Tally) -> Finding {
        match tally.broken {
            0 => self
                .error
                .finding("end at a kink or below the resolution of differences"),
            _ => Finding::of(f64::INFINITY).note(tally.note()),
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

/// The tangent by Richardson-extrapolated central differences, at the step with the smallest
/// uncertainty. `None` if the one-sided differences disagree at every step: there is no derivative at a
/// kink. A nearby kink is detected by a jump of finer differences. The law's own tangent is not used
/// here, so that a wrong one cannot exclude itself.
fn numerical_tangent(subject: &Subject, visit: &Visit) -> Option<Reference> {
    let size = norm(visit.strain_new) + visit.response.stress.norm() / subject.stiffness;
    let noise = DEVIATIONS * visit.noise.stress * (subject.n as f64).sqrt();
    let smallest = (4.0 * f64::EPSILON * size).max(noise / subject.stiffness) / ROUND_OFF;
    let mut references: Vec<Reference> = Vec::new();
    let mut before: Option<(Difference, Option<Moduli>)> = None;
    let mut step = (FIRST_STEP * subject.scales.strain).max(SPAN * smallest);
    if step > LONGEST * subject.scales.strain {
        return None;
    }
    for _ in 0..STEPS {
        if step < smallest {
            break;
        }
        let difference = differentiate(subject, visit, step).ok();
        let blur = noise / step;
        step *= RATIO;
        let Some(difference) = difference else {
            before = None;
            references.clear();
            continue;
        };
        let mut extrapolated = None;
        if let Some((coarse, coarse_extrapolated)) = &before {
            let fine = &difference.central;
            let scale = fine.norm().max(subject.stiffness);
            let moduli = (fine - coarse.central * RATIO.powi(2)) / (1.0 - RATIO.powi(2));
            extrapolated = Some(moduli);
            let least = (SMOOTH * scale).max(JUMP_DEVIATIONS / DEVIATIONS * blur);
            let kink = (difference.jump - coarse.jump * RATIO) / (1.0 - RATIO);
            if difference.jump.norm() > (0.5 * coarse.jump.norm()).max(least) {
                // A kink lies within all steps so far.
                if references.iter().any(|r| r.uncertainty() < UNDECIDED) {
                    return None;
                }
                references.clear();
            } else if let Some(coarse) = coarse_extrapolated {
                references.push(Reference {
                    moduli,
                    scale,
                    disagreement: (moduli - coarse).norm().max(0.5 * kink.norm()) / scale,
                    round_off: blur / scale,
                });
            }
        }
        before = Some((difference, extrapolated));
    }
    most_certain(references)
}

/// The reference with the smallest uncertainty, from the longest to the shortest step. Extrapolations can
/// agree without being right: by chance, by round-off that the noise does not show (that of an iteration
/// that ends at a tolerance), or because their steps are longer than the distances over which the law
/// bends. Hence shorter steps must confirm a reference. Their disagreement, as round-off inverse to the
/// step, is the least that counts; and none may lie farther away than its own uncertainty.
fn most_certain(mut references: Vec<Reference>) -> Option<Reference> {
    let judged = |k: usize| {
        let this = &references[k];
        let shorter = references[k + 1..].iter().zip(1..);
        let doubts = shorter.flat_map(|(finer, count)| {
            let distance = (this.moduli - finer.moduli).norm() / finer.scale;
            [
                finer.disagreement * RATIO.powi(count),
                distance - finer.uncertainty(),
            ]
        });
        doubts.fold(this.disagreement, f64::max)
    };
    let disagreements: Vec<f64> = (0..references.len()).map(judged).collect();
    for (reference, disagreement) in references.iter_mut().zip(disagreements) {
        reference.disagreement = disagreement;
    }
    references.pop();
    references
        .into_iter()
        .min_by(|a, b| a.uncertainty().total_cmp(&b.uncertainty()))
}

fn differentiate(subject: &Subject, visit: &Visit, step: f64) -> Result<Difference, UpdateError> {
    let n = subject.n;
    let mut state = visit.state_new.to_vec();
    let mut response = Response::default();
    let mut central = Moduli::zeros();
    let mut jump = Moduli::zeros();
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
        jump.set_column(j, &(slopes.0 - slopes.1));
        central.set_column(j, &((forward - backward) / (up - down)));
    }
    Ok(Difference { central, jump })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(value: f64, disagreement: f64) -> Reference {
        Reference {
            moduli: Moduli::identity() * value,
            scale: 1.0,
            disagreement,
            round_off: 1e-12,
        }
    }

    /// The value that is taken of `(value, disagreement)`, and its uncertainty.
    fn taken(list: &[(f64, f64)]) -> Option<(f64, f64)> {
        let list = list.iter().map(|&(v, d)| reference(v, d)).collect();
        most_certain(list).map(|best| (best.moduli[(0, 0)], best.uncertainty()))
    }

    #[test]
    fn an_agreement_by_chance_is_not_taken() {
        // The second agrees with the first by chance, the third corrects both.
        let converging = [
            (1.1, 1e-1),
            (1.1, 1e-11),
            (1.0, 1e-1),
            (1.0, 4e-4),
            (1.0, 2e-6),
            (1.0, 1e-9),
            (1.0, 4e-11),
        ];
        let (value, uncertainty) = taken(&converging).unwrap();
        assert_eq!(value, 1.0);
        assert!(uncertainty < UNDECIDED, "{uncertainty}");
        // Round-off: one step happens to agree.
        let noisy = [(1.0, 2e-7), (1.0 + 5e-7, 1e-10), (1.0, 1e-6), (1.0, 4e-6)];
        assert!(taken(&noisy).unwrap().1 > UNDECIDED);
        // Nothing confirms the last one.
        assert!(taken(&[(1.2, 1e-2), (1.1, 1e-11)]).unwrap().1 > UNDECIDED);
        assert!(taken(&[(1.0, 1e-11)]).is_none());
    }

    #[test]
    fn steps_beyond_the_length_of_a_bend_are_not_taken() {
        let (value, uncertainty) = taken(&[
            (1.0, 1e-15),
            (1.0, 1e-15),
            (1.0, 1e-15),
            (1.0002, 2e-4),
            (1.0001, 1e-4),
            (1.0001, 1e-7),
            (1.0001, 4e-10),
            (1.0001, 1e-11),
        ])
        .unwrap();
        assert_eq!(value, 1.0001);
        assert!(uncertainty < UNDECIDED, "{uncertainty}");
    }
}
