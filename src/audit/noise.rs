//! The round-off of a law's answers, found from the answers themselves.
//!
//! Seven neighbouring strains lie so close together that smooth functions of them have no third
//! differences. What these differences show is round-off: it is large, for instance, where a small
//! stress is the difference of two large ones, as in nearly incompressible materials.
//!
//! Source: J. J. Moré, S. M. Wild, SIAM J. Sci. Comput. 33 (2011) 1292–1314.

use super::histories::norm;
use super::subject::Subject;
use crate::law::{Increment, Response};

/// Distance of neighbouring strains, in units of their own round-off.
const SPACING: f64 = 64.0 * f64::EPSILON;
const POINTS: usize = 7;
/// Standard deviations that a difference of two energies may have.
pub(super) const ENERGY_DEVIATIONS: f64 = 8.0;
/// Variance of a value over the mean square of its third differences: `(3!)² / 6!`.
const SHARE: f64 = 36.0 / 720.0;

/// Standard deviations of the round-off; zero where a neighbouring strain has no finite answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Noise {
    /// Norm over the components, MPa.
    pub stress: f64,
    /// Of the stored energy or the dissipation, whichever is larger, MJ/m³.
    pub energy: f64,
}

/// The noise of the answers near the end of an increment.
pub(super) fn noise(subject: &Subject, increment: &Increment, state_old: &[f64]) -> Noise {
    let n = subject.n;
    let mut state = state_old.to_vec();
    let mut answers = [[0.0; 8]; POINTS];
    let spacing = SPACING * norm(increment.strain_new).max(subject.scales.strain);
    for (k, answer) in answers.iter_mut().enumerate() {
        let shift = (k as f64 - (POINTS / 2) as f64) * spacing;
        let mut strain = [0.0; 6];
        for (shifted, value) in strain.iter_mut().zip(increment.strain_new) {
            *shifted = value + shift;
        }
        let increment = Increment {
            strain_new: &strain[..n],
            ..*increment
        };
        let mut response = Response::default();
        let law = subject.law;
        if law
            .update(&increment, state_old, &mut state, &mut response)
            .is_err()
        {
            return Noise::default();
        }
        answer[..6].copy_from_slice(response.stress.as_slice());
        answer[6] = response.stored_energy;
        answer[7] = response.dissipation;
    }
    let deviation = |entry: usize| {
        let third = answers.windows(4).map(|a| {
            let [a, b, c, d] = [a[0], a[1], a[2], a[3]].map(|answer| answer[entry]);
            d - 3.0 * (c - b) - a
        });
        let squares: f64 = third.map(|difference| difference.powi(2)).sum();
        (SHARE * squares / (POINTS - 3) as f64).sqrt()
    };
    let noise = Noise {
        stress: norm(&std::array::from_fn::<f64, 6, _>(deviation)),
        energy: deviation(6).max(deviation(7)),
    };
    match noise.stress.is_finite() && noise.energy.is_finite() {
        true => noise,
        false => Noise::default(),
    }
}
