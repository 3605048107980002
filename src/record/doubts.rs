//! What in test records deserves a doubt before a law is learned from them.

use super::facts::{NOTICEABLE, RATES};
use super::noise::Noise;
use super::reversals::distance;
use super::{Facts, Record};

/// Moduli of materials, MPa.
const MODULI: [f64; 2] = [1e-3, 1e6];
/// Below this modulus, MPa, strains up to the second number are those of rubber and gels.
const SOFT: [f64; 2] = [30.0, 20.0];
/// Share of the strain range that is more than the noise of a first row.
const OFFSET: f64 = 0.01;
/// Names of further records in a line.
const NAMED: usize = 3;

impl Record {
    /// What deserves a doubt, by kind.
    fn own_doubts(&self, rate_independent: bool, spacing: f64) -> [Option<String>; 7] {
        let modulus = self.initial_modulus();
        let largest = self.strain.iter().fold(0.0f64, |a, e| a.max(e.abs()));
        let soft = modulus.is_some_and(|modulus| modulus.abs() < SOFT[0]);
        let per_cent = largest > if soft { SOFT[1] } else { 1.0 };
        let per_cent =
            per_cent.then(|| format!("its strains reach {largest}: are they in per cent or µm/m?"));
        let modulus = modulus.filter(|modulus| !(MODULI[0]..=MODULI[1]).contains(modulus));
        let units = modulus.map(|modulus| {
            let question = match modulus < 0.0 {
                true => "are strain and stress of the same sign, positive in tension?",
                false => "are its units MPa and a number for the strain?",
            };
            format!("its initial modulus is {modulus:.3e} MPa: {question}")
        });
        let (strain, stress) = (self.strain_range(), self.stress_size());
        let first = |values: &[f64]| distance(values, &vec![0.0; values.len()]);
        let (e, s) = (first(self.strain_at(0)), first(self.stress_at(0)));
        let offset = (e > OFFSET * strain || s > NOTICEABLE * stress).then(|| {
            format!(
                "it starts at a strain of {e:.3e} and {s:.3} MPa, a law starts at rest: take preload and \
                 offset off"
            )
        });
        let [duration, relaxed] = self.longest_hold();
        let held = (rate_independent && relaxed > NOTICEABLE * stress).then(|| {
            format!(
                "its stress changes by {relaxed:.3} MPa while the strain is held for {duration:.3} s: only a \
                 law with clock = \"time\" or \"both\" can follow"
            )
        });
        let mut steps = self.time.windows(2).map(|t| t[1] - t[0]);
        let counted = !rate_independent && self.rows() > 3 && steps.all(|dt| dt == 1.0);
        let counted = counted.then(|| {
            "every row is 1 s after the one before: is this time, or a count of rows?".into()
        });
        let learned = (spacing > 0.0).then(|| self.thinned(spacing, rate_independent).ok());
        let noise = Noise::of(learned.flatten().as_ref().unwrap_or(self));
        let [noisy_strain, noisy_stress] = noise.doubts(self, rate_independent);
        [
            per_cent,
            units,
            offset,
            held,
            counted,
            noisy_strain,
            noisy_stress,
        ]
    }
}

/// What deserves a doubt before a law is learned from records in strain steps of these spacings (0: the rows as
/// measured), a line each: units, offsets, noise, holds and rates that a law without a clock of time cannot
/// follow, times that are none, and loading without unloading.
pub fn doubts(records: &[&Record], rate_independent: bool, spacing: &[f64]) -> Vec<String> {
    let finest = spacing.iter().copied().reduce(f64::min).unwrap_or(0.0);
    let of_each = records
        .iter()
        .map(|record| record.own_doubts(rate_independent, finest));
    let of_each: Vec<_> = of_each.collect();
    let mut doubts = Vec::new();
    for kind in 0..of_each.first().map_or(0, |kinds| kinds.len()) {
        let said = records.iter().zip(&of_each);
        let mut said =
            said.filter_map(|(record, kinds)| Some((&record.name, kinds[kind].as_ref()?)));
        if let Some((name, doubt)) = said.next() {
            let others: Vec<_> = said.map(|(name, _)| format!("`{name}`")).collect();
            let shown = others[..others.len().min(NAMED)].join(", ");
            doubts.push(match others.len() {
                0 => format!("record `{name}`: {doubt}"),
                count if count > NAMED => {
                    format!(
                        "record `{name}`: {doubt} (likewise {shown} and {} more)",
                        count - NAMED
                    )
                }
                _ => format!("record `{name}`: {doubt} (likewise {shown})"),
            });
        }
    }
    let facts = Facts::of(records);
    if facts.turning == 0 {
        doubts.push("no reversal in any record: the law learns nothing of unloading".into());
    }
    let rates: Vec<f64> = records
        .iter()
        .filter_map(|record| record.mean_rate())
        .collect();
    let slowest = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let fastest = rates.iter().copied().fold(0.0, f64::max);
    if rate_independent && fastest > RATES * slowest {
        doubts.push(format!(
            "the mean strain rates of the records go from {slowest:.1e} to {fastest:.1e} /s, which a law \
             without a clock of time does not see"
        ));
    }
    if !rate_independent && facts.turning == 0 && !facts.tell_of_time() {
        doubts.push(
            "the law sees time, but the records have no hold, one rate and no unloading: they do not tell what \
             time does"
                .into(),
        );
    }
    doubts
}
