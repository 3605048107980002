//! The order of the Taylor remainder of the stress.

use super::histories::{direction, norm};
use super::report::Finding;
use super::subject::{Subject, Visit, smaller};
use crate::law::Response;
use crate::mandel::Mandel;
use rand_chacha::ChaCha8Rng;

/// Longest step along a ray, in strain scales; each further one is half of the previous.
const LONGEST: f64 = 0.02;
const POINTS: usize = 8;
/// Remainders below this, over the stress, or below so many standard deviations of the stress are
/// round-off.
const ROUND_OFF: f64 = 1e-12;
const DEVIATIONS: f64 = 10.0;
/// Smallest slope, between neighbouring steps, of the second difference along a smooth ray.
const SMOOTH: f64 = 1.8;
/// Smallest number of remainders above round-off for a slope.
const FEWEST: usize = 3;

#[derive(Default)]
pub(super) struct TaylorProbe {
    rays: usize,
    rough: usize,
    slope: Option<f64>,
}

impl TaylorProbe {
    /// Follows one random ray, in both directions, from the end of an increment within the strain
    /// scale.
    pub fn visit(&mut self, subject: &Subject, visit: &Visit, random: &mut ChaCha8Rng) {
        let n = subject.n;
        let d = direction(n, random);
        if norm(visit.strain_new) > subject.scales.strain * (1.0 + 1e-9) {
            return;
        }
        self.rays += 1;
        let direction = Mandel::from(d);
        let start = visit.response.stress;
        let slope = visit.response.tangent * direction;
        let mut state = visit.state_new.to_vec();
        let mut response = Response::default();
        let mut stress_at = |step: f64| {
            let mut strain = [0.0; 6];
            strain[..n].copy_from_slice(visit.strain_new);
            (0..n).for_each(|i| strain[i] += step * d[i]);
            subject
                .update(
                    visit.strain_old,
                    &strain[..n],
                    visit.dt,
                    visit.state_old,
                    &mut state,
                    &mut response,
                )
                .map(|()| response.stress)
        };
        let mut remainders = Vec::with_capacity(POINTS);
        let mut bends = Vec::with_capacity(POINTS);
        for k in 0..POINTS {
            let step = LONGEST * subject.scales.strain * 0.5f64.powi(k as i32);
            let (Ok(forward), Ok(backward)) = (stress_at(step), stress_at(-step)) else {
                self.rough += 1;
                return;
            };
            // The mean of both directions cancels the third-order term.
            let ahead = (forward - start - slope * step).norm();
            let behind = (backward - start + slope * step).norm();
            remainders.push((step, 0.5 * (ahead + behind)));
            bends.push((forward - start * 2.0 + backward).norm());
        }
        // If the ray starts at a kink or crosses one, no tangent has a second-order remainder. The
        // second difference detects such rays without using the law's tangent.
        let floor = (ROUND_OFF * subject.stress_scale(start.as_slice()))
            .max(DEVIATIONS * visit.noise.stress);
        let smooth = bends
            .windows(2)
            .all(|pair| pair[0] <= 4.0 * floor || (pair[0] / pair[1].max(floor)).log2() >= SMOOTH);
        if !smooth {
            self.rough += 1;
            return;
        }
        let points: Vec<(f64, f64)> = remainders
            .iter()
            .filter(|(_, remainder)| remainder.is_nan() || *remainder > 4.0 * floor)
            .map(|(step, remainder)| (step.ln(), remainder.ln()))
            .collect();
        let slope = match points.len() < FEWEST {
            true => 2.0,
            false => regression_slope(&points),
        };
        self.slope = Some(smaller(self.slope.unwrap_or(f64::INFINITY), slope));
    }

    pub fn finding(&self) -> Finding {
        let note = match self.rough {
            0 => String::new(),
            rough => format!(
                "{:.1} % of the rays cross a kink; they are excluded",
                100.0 * rough as f64 / self.rays as f64
            ),
        };
        match self.slope {
            Some(slope) => Finding::of(slope).note(note),
            None => Finding::missing("no smooth ray was found")
                .undecided(self.rays > 0)
                .note(note),
        }
    }
}

fn regression_slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let covariance: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let variance: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    covariance / variance
}

#[cfg(test)]
mod tests {
    use super::regression_slope;

    #[test]
    fn the_slope_of_a_power_is_its_exponent() {
        let points = [1.0, 2.0, 4.0, 8.0f64].map(|h| (h.ln(), (3.0 * h.powi(2)).ln()));
        assert!((regression_slope(&points) - 2.0).abs() < 1e-14);
    }
}
