//! Drift over many cycles inside the trained strains.
//!
//! Most records have a few cycles, a structure may see thousands. A law whose peaks still move after
//! them hardens or softens without end.

use super::histories::triangle;
use super::options::AuditOptions;
use super::report::Finding;
use super::subject::{Subject, larger};
use crate::driver::drive;
use crate::error::Error;
use crate::loading::{Control, LoadStep, Programme};

/// Increments per cycle.
const PER_CYCLE: usize = 20;

/// Change of the largest and the smallest stress from a tenth of the cycles to the last one, over the
/// largest stress of both. The first component is strained between plus and minus the strain scale, at
/// zero stress elsewhere; at zero strain elsewhere if no such state is found.
pub(super) fn drift(subject: &Subject, options: &AuditOptions) -> Finding {
    let cycles = options.cycles.max(1);
    let early = cycles.div_ceil(10);
    let (stresses, note) = match cycle(subject, cycles, 1) {
        Ok(stresses) => (stresses, String::new()),
        Err(_) if subject.n > 1 => match cycle(subject, cycles, subject.n) {
            Ok(stresses) => (stresses, "at zero strain of the other components".into()),
            Err(error) => return Finding::missing(error.to_string()),
        },
        Err(error) => return Finding::missing(error.to_string()),
    };
    let peaks = |number: usize| {
        let stresses = &stresses[(number - 1) * PER_CYCLE..number * PER_CYCLE];
        let largest = stresses.iter().copied().fold(f64::NEG_INFINITY, larger);
        let smallest = -stresses.iter().map(|s| -s).fold(f64::NEG_INFINITY, larger);
        [largest, smallest]
    };
    let (then, now) = (peaks(early), peaks(cycles));
    let size = then
        .iter()
        .chain(&now)
        .fold(f64::MIN_POSITIVE, |a, s| a.max(s.abs()));
    let changes = then
        .iter()
        .zip(now)
        .map(|(then, now)| (now - then).abs() / size);
    Finding::of(changes.fold(0.0, larger)).note(note)
}

/// Stresses of the first component at the ends of the increments, MPa, with the first component, or the
/// first of all components, under strain control.
fn cycle(subject: &Subject, cycles: usize, components: usize) -> Result<Vec<f64>, Error> {
    let strain = |k: usize| subject.scales.strain * triangle(k as f64 / PER_CYCLE as f64);
    let targets = |k: usize| {
        let mut targets = vec![Control::Strain(0.0); components];
        targets[0] = Control::Strain(strain(k));
        targets
    };
    let programme = Programme {
        name: "audit".into(),
        components,
        external_names: subject.law.external_variables().to_vec(),
        steps: (1..=cycles * PER_CYCLE)
            .map(|k| LoadStep {
                dt: subject.scales.time,
                targets: targets(k),
                external: subject.external.clone(),
            })
            .collect(),
    };
    let record = drive(subject.law, &programme)?.record;
    Ok(record
        .stress
        .chunks(components)
        .skip(1)
        .map(|s| s[0])
        .collect())
}
