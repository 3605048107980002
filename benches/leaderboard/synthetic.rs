//! Records of J2 plasticity under random strain paths, integrated with fine steps.

use crate::score::rmse;
use crate::tasks::Data;
use hysteron::driver::drive;
use hysteron::law::MaterialLaw;
use hysteron::laws::{Backstress, PlasticityParameters, ReferenceLaw, Voce};
use hysteron::loading::{Control, Kernel, LoadStep, Programme, ProgrammeKind};
use hysteron::record::Record;
use hysteron::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A path of straight legs from zero strain.
type Corners = Vec<Vec<f64>>;

/// The path with a number of increments per leg.
fn walked(corners: &Corners, each: usize, stress: bool) -> Programme {
    let mut from = vec![0.0; corners[0].len()];
    let mut steps = Vec::with_capacity(each * corners.len());
    for corner in corners {
        for k in 1..=each {
            let share = k as f64 / each as f64;
            let between = from.iter().zip(corner);
            let between = between.map(|(a, b)| a + share * (b - a));
            steps.push(LoadStep {
                dt: 1.0 / each as f64,
                targets: between
                    .map(if stress {
                        Control::Stress
                    } else {
                        Control::Strain
                    })
                    .collect(),
                external: Vec::new(),
            });
        }
        from.clone_from(corner);
    }
    Programme {
        name: "legs".into(),
        components: corners[0].len(),
        external_names: Vec::new(),
        steps,
    }
}

/// Every `k`-th row.
fn every(record: &Record, k: usize) -> Record {
    let n = record.components;
    let rows = (0..record.rows()).step_by(k);
    Record {
        name: record.name.clone(),
        components: n,
        time: rows.clone().map(|row| record.time[row]).collect(),
        strain: rows
            .clone()
            .flat_map(|row| record.strain_at(row))
            .copied()
            .collect(),
        stress: rows
            .flat_map(|row| record.stress_at(row))
            .copied()
            .collect(),
        ..Record::default()
    }
}

/// The response of the law with `each` increments per leg, each integrated in `fine` steps.
fn record(law: &dyn MaterialLaw, corners: &Corners, each: usize, fine: usize) -> Result<Record> {
    let answer = drive(law, &walked(corners, each * fine, false))?;
    Ok(every(&answer.record, fine))
}

fn j2(parameters: PlasticityParameters, components: usize) -> Result<Box<dyn MaterialLaw>> {
    ReferenceLaw::J2(parameters).build(components)
}

/// `k p^m`, `m = 0.3`, as a sum of saturating terms: `p^m = m/Γ(1−m) ∫ (1 − e^{−b p}) b^{−m−1} db`.
fn power_hardening(k: f64) -> Vec<Voce> {
    const M: f64 = 0.3;
    /// `Γ(1 − M)`
    const GAMMA: f64 = 1.298_055_332_647_558;
    // Half a decade between the rates: within 4 % of the power for plastic strains above 1e-3.
    let spacing = 0.5 * 10f64.ln();
    let rates = (-6..=14).map(|i| (f64::from(i) * spacing).exp());
    let term = |rate: f64| Voce {
        q: k * M / GAMMA * rate.powf(-M) * spacing,
        rate,
    };
    rates.map(term).collect()
}

/// E 70 GPa, yield stress 300 MPa, hardening 1000 p^0.3.
fn aluminium() -> PlasticityParameters {
    PlasticityParameters {
        young: 70e3,
        poisson: 0.3,
        yield_stress: 300.0,
        voce: power_hardening(1000.0),
        linear_hardening: 0.0,
        backstress: Vec::new(),
    }
}

/// Isotropic and kinematic hardening.
fn mixed() -> PlasticityParameters {
    PlasticityParameters {
        young: 200e3,
        poisson: 0.3,
        yield_stress: 250.0,
        voce: vec![Voce {
            q: 100.0,
            rate: 20.0,
        }],
        linear_hardening: 0.0,
        backstress: vec![Backstress {
            c: 20e3,
            gamma: 150.0,
        }],
    }
}

const AMPLITUDE: f64 = 0.012;
/// Increments per leg of the records, and integration steps of each.
const LEG: usize = 25;
const FINE: usize = 8;

/// 240 paths of four legs in plane stress, every fourth unseen.
pub fn four_legs() -> Result<Option<Data>> {
    let law = j2(aluminium(), 3)?;
    let mut random = ChaCha8Rng::seed_from_u64(240);
    let mut data = Data::default();
    for i in 0..240 {
        let mut strain = || random.random_range(-AMPLITUDE..AMPLITUDE);
        let corners: Corners = (0..4).map(|_| (0..3).map(|_| strain()).collect()).collect();
        let mut record = record(law.as_ref(), &corners, LEG, FINE)?;
        record.name = format!("path {i}");
        match i % 4 {
            3 => data.unseen.push(record),
            _ => data.fitted.push(record),
        }
    }
    Ok(Some(data))
}

/// Number of paths with varied step size, and increments per leg; each divides the last, so that the
/// corners of the path are the same.
const SPREAD_PATHS: usize = 10;
const CUTS: [usize; 5] = [10, 25, 50, 100, 200];

/// RMSE, MPa; spread of the final stress under strain control over the largest stress, and of the final
/// strain under control by the stresses of the finest run over the largest strain, means, %.
pub fn four_legs_errors(law: &dyn MaterialLaw, data: &Data) -> Result<Vec<f64>> {
    let (mut strain_driven, mut stress_driven) = (0.0, 0.0);
    for record in &data.unseen[..SPREAD_PATHS] {
        let corners: Corners = (1..=4)
            .map(|k| record.strain_at(k * LEG).to_vec())
            .collect();
        let (mut ends, mut finest) = (Vec::new(), Record::default());
        for cut in CUTS {
            finest = drive(law, &walked(&corners, cut, false))?.record;
            ends.push(finest.stress_at(finest.rows() - 1).to_vec());
        }
        strain_driven += spread(&ends) / peak(&finest.stress, 3);
        stress_driven += under_stress(law, &finest).unwrap_or(f64::NAN);
    }
    let mean = |sum: f64| 100.0 * sum / SPREAD_PATHS as f64;
    let unseen = rmse(law, &data.unseen)?;
    Ok(vec![unseen, mean(strain_driven), mean(stress_driven)])
}

fn under_stress(law: &dyn MaterialLaw, finest: &Record) -> Result<f64> {
    let mut ends = Vec::new();
    for cut in CUTS {
        let points = every(finest, CUTS[CUTS.len() - 1] / cut);
        let legs = (1..points.rows()).map(|row| points.stress_at(row).to_vec());
        let answer = drive(law, &walked(&legs.collect(), 1, true))?.record;
        ends.push(answer.strain_at(answer.rows() - 1).to_vec());
    }
    Ok(spread(&ends) / peak(&finest.strain, finest.components))
}

fn norm(v: impl Iterator<Item = f64>) -> f64 {
    v.map(|x| x * x).sum::<f64>().sqrt()
}

/// Largest distance between two of the points.
fn spread(points: &[Vec<f64>]) -> f64 {
    let distance = |a: &Vec<f64>, b: &Vec<f64>| norm(a.iter().zip(b).map(|(a, b)| a - b));
    let pairs = points
        .iter()
        .flat_map(|a| points.iter().map(move |b| (a, b)));
    pairs.fold(0.0, |most, (a, b)| distance(a, b).max(most))
}

fn peak(values: &[f64], n: usize) -> f64 {
    let rows = values.chunks(n).map(|row| norm(row.iter().copied()));
    rows.fold(0.0, f64::max)
}

/// Increments per leg in training and in the tests.
const WALK: usize = 4;
const WALK_TESTS: [usize; 3] = [1, WALK, 16];
const WALK_LEGS: usize = 125;

/// Random walks of 125 legs in plane stress, in 500 increments.
pub fn walks(seed: u64) -> Result<Option<Data>> {
    let law = j2(mixed(), 3)?;
    let walk = |seed: u64| -> Result<Record> {
        let kind = ProgrammeKind::RandomWalk {
            amplitude: AMPLITUDE,
            increment: AMPLITUDE / 3.0,
            steps: WALK_LEGS,
            seed,
            rate: 1.0,
        };
        record(law.as_ref(), &corners_of(&kind, 3)?, WALK, FINE)
    };
    drawn("walk", seed, [24, 12], walk)
}

/// RMSE at the ends of the legs with 500 increments, MPa, and those with 125 and 2000 relative to it.
pub fn walks_errors(law: &dyn MaterialLaw, data: &Data) -> Result<Vec<f64>> {
    let mut squares = [0.0; WALK_TESTS.len()];
    for record in &data.unseen {
        let ends = every(record, WALK);
        let corners = (1..ends.rows()).map(|row| ends.strain_at(row).to_vec());
        let corners = corners.collect();
        for (each, squares) in WALK_TESTS.into_iter().zip(&mut squares) {
            let answer = drive(law, &walked(&corners, each, false))?.record;
            let answer = every(&answer, each);
            let errors = answer.stress.iter().zip(&ends.stress);
            *squares += errors.map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        }
    }
    let count = data.unseen.len() * WALK_LEGS * 3;
    let [coarse, trained, fine] = squares.map(|s| (s / count as f64).sqrt());
    Ok(vec![trained, coarse / trained, fine / trained])
}

/// A number of records to fit, which depend on the seed, and to test, which do not.
fn drawn(
    what: &str,
    seed: u64,
    [fitted, unseen]: [u64; 2],
    draw: impl Fn(u64) -> Result<Record>,
) -> Result<Option<Data>> {
    let named = |seed: u64| -> Result<Record> {
        let name = format!("{what} {seed}");
        Ok(Record {
            name,
            ..draw(seed)?
        })
    };
    Ok(Some(Data {
        fitted: (0..fitted)
            .map(|i| named(1000 * seed + i))
            .collect::<Result<_>>()?,
        unseen: (500..500 + unseen).map(named).collect::<Result<_>>()?,
        ..Data::default()
    }))
}

fn corners_of(kind: &ProgrammeKind, components: usize) -> Result<Corners> {
    let steps = kind.build(components)?.steps;
    let strain = |target: &Control| match target {
        Control::Strain(value) => Ok(*value),
        Control::Stress(_) => Err(Error::invalid("the path prescribes a stress")),
    };
    let corner = |step: &LoadStep| step.targets.iter().map(strain).collect();
    steps.iter().map(corner).collect()
}

/// Gaussian-process paths of all six components: a number to fit, 32 unseen.
pub fn paths(seed: u64, count: usize) -> Result<Option<Data>> {
    let law = j2(mixed(), 6)?;
    let path = |seed: u64| -> Result<Record> {
        let kind = ProgrammeKind::GaussianProcess {
            amplitude: AMPLITUDE / 3.0,
            correlation: 0.2,
            kernel: Kernel::default(),
            steps: 80,
            seed,
            rate: 1.0,
        };
        record(law.as_ref(), &corners_of(&kind, 6)?, 1, FINE)
    };
    drawn("path", seed, [count as u64, 32], path)
}

pub fn paths_errors(law: &dyn MaterialLaw, data: &Data) -> Result<Vec<f64>> {
    Ok(vec![rmse(law, &data.unseen)?])
}
