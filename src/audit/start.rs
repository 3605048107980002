//! The tangent of a zero increment, with which most programs begin a step.
//!
//! It is the stiffness of the first iteration. A modified Newton iteration with the stiffness `C_0`
//! in place of `C` has the error factor `|1 − C/C_0|`: it converges if `C_0` is more than half of `C`.
//! J2 codes return the elastic stiffness there, which is safe.

use super::histories::{direction, norm};
use super::report::Finding;
use super::subject::{Subject, Visit, smaller};
use crate::law::Response;
use crate::mandel::Mandel;
use rand_chacha::ChaCha8Rng;

/// Length of the next increments, in strain scales.
const LENGTH: f64 = 1e-6;
/// Stiffness below which nothing is compared, relative to the initial stiffness.
const SOFT: f64 = 1e-3;

/// Compares the tangent of a zero increment with the stiffness of the next small increment.
#[derive(Default)]
pub(super) struct StartProbe {
    least: Option<f64>,
}

impl StartProbe {
    /// Continues from the end of an increment within the strain scale, in both directions along a
    /// random line.
    pub fn visit(&mut self, subject: &Subject, visit: &Visit, random: &mut ChaCha8Rng) {
        let n = subject.n;
        let d = direction(n, random);
        if norm(visit.strain_new) > subject.scales.strain * (1.0 + 1e-9) {
            return;
        }
        let mut state = visit.state_new.to_vec();
        let mut answer = |shift: f64| {
            let mut strain = [0.0; 6];
            strain[..n].copy_from_slice(visit.strain_new);
            (0..n).for_each(|i| strain[i] += shift * d[i]);
            let mut response = Response::default();
            subject
                .update(
                    visit.strain_new,
                    &strain[..n],
                    0.0,
                    visit.state_new,
                    &mut state,
                    &mut response,
                )
                .map(|()| response)
        };
        let Ok(start) = answer(0.0) else {
            return;
        };
        let along = Mandel::from(d);
        let tangent = along.dot(&(start.tangent * along));
        let length = LENGTH * subject.scales.strain;
        for shift in [length, -length] {
            let Ok(response) = answer(shift) else {
                continue;
            };
            let met = along.dot(&(response.stress - start.stress)) / shift;
            if met.is_nan() || met > SOFT * subject.stiffness {
                self.least = Some(smaller(self.least.unwrap_or(f64::INFINITY), tangent / met));
            }
        }
    }

    pub fn finding(&self) -> Finding {
        match self.least {
            Some(value) => Finding::of(value),
            None => Finding::missing("no increment was accepted"),
        }
    }
}
