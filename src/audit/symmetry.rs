//! Objectivity, material symmetry, and the virgin state.

use super::histories::{Leg, history, norm};
use super::options::AuditOptions;
use super::report::Finding;
use super::subject::{Subject, larger};
use crate::law::Response;
use crate::mandel::Mandel;
use crate::symmetry::Symmetry;
use rand_chacha::ChaCha8Rng;

/// Increments of the rotated histories.
const INCREMENTS: usize = 16;

/// Rotates histories by arbitrary rotations.
pub(super) fn objectivity(
    subject: &Subject,
    options: &AuditOptions,
    random: &mut ChaCha8Rng,
) -> Finding {
    let finding = rotated(subject, Symmetry::Isotropic, options, random);
    match (subject.law.guarantees().symmetry, finding.value) {
        (Symmetry::Isotropic, _) | (_, None) => finding,
        _ => finding.note("isotropy is not claimed: this is the anisotropy of the law"),
    }
}

/// Rotates histories by elements of the symmetry group that the law claims.
pub(super) fn material(
    subject: &Subject,
    options: &AuditOptions,
    random: &mut ChaCha8Rng,
) -> Finding {
    match subject.law.guarantees().symmetry {
        Symmetry::None => Finding::exempt("no symmetry is claimed"),
        symmetry => rotated(subject, symmetry, options, random),
    }
}

/// Rotates histories and compares their stresses with the rotated stresses.
fn rotated(
    subject: &Subject,
    symmetry: Symmetry,
    options: &AuditOptions,
    random: &mut ChaCha8Rng,
) -> Finding {
    if subject.n != 6 {
        return Finding::exempt(format!(
            "a law of {} components has no rotations",
            subject.n
        ));
    }
    let scales = subject.scales;
    let mut worst: Option<f64> = None;
    for kind in 0..options.rotations {
        let legs = history(kind, 6, scales.strain, scales.time, INCREMENTS, random);
        let rotation = symmetry.rotation(random);
        let rotated: Vec<Leg> = legs
            .iter()
            .map(|leg| Leg {
                strain: (rotation * Mandel::from(leg.strain)).into(),
                ..*leg
            })
            .collect();
        let (Some(plain), Some(rotated)) = (stresses(subject, &legs), stresses(subject, &rotated))
        else {
            continue;
        };
        let peak = plain.iter().fold(scales.stress, |a, s| a.max(s.norm()));
        let differences = plain
            .iter()
            .zip(&rotated)
            .map(|(a, b)| (rotation * a - b).norm() / peak);
        worst = Some(differences.fold(worst.unwrap_or(0.0), larger));
    }
    match worst {
        Some(value) => Finding::of(value),
        None => Finding::missing("no history was completed"),
    }
}

/// Stresses along a history, `None` if an increment is rejected.
fn stresses(subject: &Subject, legs: &[Leg]) -> Option<Vec<Mandel>> {
    let mut stresses = Vec::with_capacity(legs.len());
    subject.walk_only(legs, &mut |visit| stresses.push(visit.response.stress));
    (stresses.len() == legs.len()).then_some(stresses)
}

/// Stress and energy of the virgin material at zero strain.
pub(super) fn rest(subject: &Subject) -> Finding {
    let state = subject.law.new_state();
    let mut next = state.clone();
    let zero = [0.0; 6];
    let zero = &zero[..subject.n];
    let mut response = Response::default();
    match subject.update(zero, zero, 0.0, &state, &mut next, &mut response) {
        Ok(()) => {
            let stress = norm(response.stress.as_slice()) / subject.scales.stress;
            let energy = subject.free_energy(zero, &state).abs() / subject.energy;
            Finding::of(larger(stress, energy))
        }
        Err(error) => Finding::missing(error.to_string()),
    }
}
