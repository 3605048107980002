//! Random strain paths.
//!
//! The draws depend on the seed alone, on every platform; the strains agree to the rounding of the
//! platform's elementary functions.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// Frequencies per component of a Gaussian-process path.
const FREQUENCIES: usize = 128;

/// Covariance of a Gaussian process over the distance `r` along the path, in units of its
/// correlation length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// `exp(−r²/2)`: smooth.
    #[default]
    SquaredExponential,
    /// `(1 + √3 r) exp(−√3 r)`: one derivative.
    Matern32,
    /// `(1 + √5 r + 5r²/3) exp(−√5 r)`: two derivatives.
    Matern52,
}

impl Kernel {
    /// The correlation at the distance `r`.
    pub fn correlation(self, r: f64) -> f64 {
        match self {
            Self::SquaredExponential => (-0.5 * r * r).exp(),
            Self::Matern32 => {
                let s = 3f64.sqrt() * r.abs();
                (1.0 + s) * (-s).exp()
            }
            Self::Matern52 => {
                let s = 5f64.sqrt() * r.abs();
                (1.0 + s + s * s / 3.0) * (-s).exp()
            }
        }
    }

    /// A draw from the kernel's spectral density: normal, or Student's t with 2ν degrees of
    /// freedom for Matérn.
    fn frequency(self, rng: &mut ChaCha8Rng) -> f64 {
        let degrees = match self {
            Self::SquaredExponential => return normal(rng),
            Self::Matern32 => 3,
            Self::Matern52 => 5,
        };
        let numerator = normal(rng);
        let squares: f64 = (0..degrees).map(|_| normal(rng).powi(2)).sum();
        numerator / (squares / f64::from(degrees)).sqrt().max(1e-12)
    }
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    rng.sample(StandardNormal)
}

/// `count` numbers, even over `[-1, 1)`.
pub(super) fn uniform(seed: u64, count: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// A walk in steps of length `increment` inside the ball of radius `amplitude`:
/// `[steps][components]`, without the start at zero. Steps that would leave the ball turn around.
pub(super) fn walk(
    seed: u64,
    steps: usize,
    components: usize,
    increment: f64,
    amplitude: f64,
) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut at = vec![0.0; components];
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    (0..steps)
        .map(|_| {
            let direction: Vec<f64> = (0..components).map(|_| normal(&mut rng)).collect();
            let scale = increment / norm(&direction).max(f64::MIN_POSITIVE);
            let moved = |sign: f64| -> Vec<f64> {
                let step = at.iter().zip(&direction);
                step.map(|(a, d)| a + sign * scale * d).collect()
            };
            let mut next = moved(1.0);
            if norm(&next) > amplitude {
                next = moved(-1.0);
            }
            let shrink = (amplitude / norm(&next)).min(1.0);
            for value in &mut next {
                *value *= shrink;
            }
            at.clone_from(&next);
            next
        })
        .collect()
}

/// Independent Gaussian processes over the path parameter 0…1, conditioned to start at zero:
/// `[steps][components]`, without the start. `correlation` is a share of the path.
///
/// Random Fourier features (Rahimi & Recht, 2007): `f(t) = σ/√M Σ (a cos ωt + b sin ωt)` with
/// `ω` from the kernel's spectral density, then `f(t) − k(t) f(0)`.
pub(super) fn gaussian_process(
    seed: u64,
    steps: usize,
    components: usize,
    kernel: Kernel,
    amplitude: f64,
    correlation: f64,
) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let scale = amplitude / (FREQUENCIES as f64).sqrt();
    let features: Vec<Vec<[f64; 3]>> = (0..components)
        .map(|_| {
            let feature = |_| {
                let frequency = kernel.frequency(&mut rng) / correlation;
                [frequency, normal(&mut rng), normal(&mut rng)]
            };
            (0..FREQUENCIES).map(feature).collect()
        })
        .collect();
    (1..=steps)
        .map(|step| {
            let t = step as f64 / steps as f64;
            let start = kernel.correlation(t / correlation);
            let value = |component: &Vec<[f64; 3]>| {
                let terms = component.iter().map(|&[frequency, a, b]| {
                    let (sin, cos) = (frequency * t).sin_cos();
                    a * (cos - start) + b * sin
                });
                scale * terms.sum::<f64>()
            };
            features.iter().map(value).collect()
        })
        .collect()
}
