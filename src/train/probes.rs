//! Histories that nobody measured, on which only the second law is asked for.
//!
//! `D ≥ 0` holds for every strain history, so the penalty needs no stress: random paths, inside
//! and beyond the measured range, tell the law what the few measured ones cannot.

use crate::error::Result;
use crate::loading::{Control, Kernel, ProgrammeKind};
use crate::model::Normalisation;
use crate::record::Record;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Increments of a probe.
const STEPS: usize = 240;

/// Gaussian-process paths of various smoothness and amplitude, up to `range` times the strain
/// scale; the stress is zero and means nothing. Time steps are a tenth to ten times the time scale,
/// external variables those of a measured row.
pub fn probes(
    records: &[Record],
    normalisation: &Normalisation,
    count: usize,
    range: f64,
    seed: u64,
) -> Result<Vec<Record>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x9e37_79b9_7f4a_7c15);
    let mut list = Vec::with_capacity(count);
    for i in 0..count {
        let like = &records[random.random_range(0..records.len())];
        let n = like.components;
        // A third of the peak: a Gaussian process stays within three standard deviations.
        let peak = normalisation.strain * range * random.random_range(0.2..1.0);
        let programme = ProgrammeKind::GaussianProcess {
            amplitude: peak / (3.0 * (n as f64).sqrt()),
            correlation: 10f64.powf(random.random_range(-2.0..-0.7)),
            kernel: Kernel::default(),
            steps: STEPS,
            seed: random.random_range(0..1 << 60),
            rate: 1.0,
        }
        .build(n)?;
        let mut record = Record {
            name: format!("probe {i}"),
            components: n,
            external_names: like.external_names.clone(),
            time: vec![0.0],
            strain: vec![0.0; n],
            ..Record::default()
        };
        let mut time = 0.0;
        for step in &programme.steps {
            time += normalisation.time * 10f64.powf(random.random_range(-1.0..1.0));
            record.time.push(time);
            record.strain.extend(step.targets.iter().map(|t| match t {
                Control::Strain(e) | Control::Stress(e) => *e,
            }));
        }
        record.stress = vec![0.0; record.strain.len()];
        let row = random.random_range(0..like.rows());
        record.external = like.external_at(row).repeat(record.rows());
        list.push(record);
    }
    Ok(list)
}
