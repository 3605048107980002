//! Dependence of the response on the number of increments, and consistency of strain and stress
//! control.

use super::histories::{direction, triangle};
use super::report::Finding;
use super::subject::{Subject, Visit, larger};
use crate::driver::{Curve, drive};
use crate::error::Error;
use crate::loading::{Control, LoadStep, Programme};
use crate::record::distance;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Numbers of increments of the path.
const CUTS: [usize; 6] = [25, 50, 100, 200, 400, 800];
/// Straight segments of the path; divides every entry of `CUTS`.
const PIECES: usize = 5;
/// Duration of the path and of the closed loop, in time scales.
const DURATION: f64 = 100.0;
/// Increments of the closed loop: one and a half cycles that end at zero strain.
const LOOP: usize = 120;

/// Change in zero increments.
#[derive(Default)]
pub(super) struct StationarityProbe {
    increments: usize,
    refused: usize,
    change: f64,
}

impl StationarityProbe {
    pub fn visit(&mut self, subject: &Subject, visit: &Visit) {
        let mut state = visit.state_new.to_vec();
        let mut response = visit.response.clone();
        let strain = visit.strain_new;
        let answer = subject.update(
            strain,
            strain,
            0.0,
            visit.state_new,
            &mut state,
            &mut response,
        );
        if answer.is_err() {
            self.refused += 1;
            return;
        }
        self.increments += 1;
        let scale = visit.state_new.iter().fold(0.0f64, |a, z| a.max(z.abs()));
        let moved = state
            .iter()
            .zip(visit.state_new)
            .fold(0.0, |a, (new, old)| larger(a, (new - old).abs()));
        if moved != 0.0 {
            self.change = larger(self.change, moved / scale.max(f64::MIN_POSITIVE));
        }
        let stress = (response.stress - visit.response.stress).norm();
        let scale = subject.stress_scale(visit.response.stress.as_slice());
        self.change = larger(self.change, stress / scale);
    }

    pub fn finding(&self) -> Finding {
        match (self.increments, self.refused) {
            (0, _) => Finding::missing("no zero increment was accepted"),
            (_, 0) => Finding::of(self.change),
            (_, refused) => Finding::of(f64::INFINITY)
                .note(format!("the law rejected {refused} zero increments")),
        }
    }
}

/// Spread of the final stress, and of the final strain under stress control.
pub(super) fn self_consistency(subject: &Subject, random: &mut ChaCha8Rng) -> (Finding, Finding) {
    let n = subject.n;
    let corners: Vec<[f64; 6]> = (0..PIECES)
        .map(|_| {
            let length = subject.scales.strain * random.random_range(0.5..1.0);
            direction(n, random).map(|d| d * length)
        })
        .collect();
    let strain_at = |k: usize, count: usize| -> Vec<Control> {
        let per_piece = count / PIECES;
        let (piece, part) = ((k - 1) / per_piece, ((k - 1) % per_piece + 1) as f64);
        let start = if piece > 0 {
            corners[piece - 1]
        } else {
            [0.0; 6]
        };
        let part = part / per_piece as f64;
        let between = |i: usize| start[i] + part * (corners[piece][i] - start[i]);
        (0..n).map(|i| Control::Strain(between(i))).collect()
    };
    let mut ends = Vec::new();
    let mut finest = Curve::default();
    for count in CUTS {
        match run(subject, count, |k| strain_at(k, count)) {
            Ok(curve) => {
                ends.push(curve.record.stress_at(count).to_vec());
                finest = curve;
            }
            Err(error) => {
                let missing = || Finding::missing(format!("{count} increments: {error}"));
                return (missing(), missing());
            }
        }
    }
    let finest = finest.record;
    let strain_driven = Finding::of(spread(&ends) / peak(&finest.stress, n));
    let last = finest.rows() - 1;
    ends.clear();
    for count in CUTS {
        let stress_at = |k: usize| {
            let stress = finest.stress_at(k * last / count);
            stress.iter().map(|&s| Control::Stress(s)).collect()
        };
        match run(subject, count, stress_at) {
            Ok(curve) => ends.push(curve.record.strain_at(count).to_vec()),
            Err(error) => {
                let missing = Finding::missing(format!("{count} increments: {error}"));
                return (strain_driven, missing);
            }
        }
    }
    let stress_driven = Finding::of(spread(&ends) / peak(&finest.strain, n));
    (strain_driven, stress_driven)
}

/// A strain cycle that ends at zero strain, then the same cycle under stress control.
pub(super) fn closed_loop(subject: &Subject, random: &mut ChaCha8Rng) -> Finding {
    let n = subject.n;
    let d = direction(n, random);
    let strain_at = |k: usize| {
        let value = subject.scales.strain * triangle(1.5 * k as f64 / LOOP as f64);
        d[..n].iter().map(|d| Control::Strain(d * value)).collect()
    };
    let strain_driven = match run(subject, LOOP, strain_at) {
        Ok(curve) => curve.record,
        Err(error) => return Finding::missing(format!("under strain control: {error}")),
    };
    let stress_at = |k: usize| {
        let stress = strain_driven.stress_at(k);
        stress.iter().map(|&s| Control::Stress(s)).collect()
    };
    match run(subject, LOOP, stress_at) {
        Ok(curve) => {
            let differences =
                (0..=LOOP).map(|k| distance(curve.record.strain_at(k), strain_driven.strain_at(k)));
            Finding::of(differences.fold(0.0, larger) / peak(&strain_driven.strain, n))
        }
        Err(error) => Finding::missing(format!("under stress control: {error}")),
    }
}

fn run(
    subject: &Subject,
    count: usize,
    targets: impl Fn(usize) -> Vec<Control>,
) -> Result<Curve, Error> {
    let dt = DURATION * subject.scales.time / count as f64;
    let programme = Programme {
        name: "audit".into(),
        components: subject.n,
        external_names: subject.law.external_variables().to_vec(),
        steps: (1..=count)
            .map(|k| LoadStep {
                dt,
                targets: targets(k),
                external: subject.external.clone(),
            })
            .collect(),
    };
    drive(subject.law, &programme)
}

fn spread(ends: &[Vec<f64>]) -> f64 {
    let pairs = ends
        .iter()
        .enumerate()
        .flat_map(|(i, a)| ends[..i].iter().map(move |b| (a, b)));
    pairs.fold(0.0, |worst, (a, b)| larger(worst, distance(a, b)))
}

/// Largest norm of the rows.
fn peak(values: &[f64], n: usize) -> f64 {
    values.chunks(n).fold(f64::MIN_POSITIVE, |a, row| {
        a.max(super::histories::norm(row))
    })
}
