//! What in test records deserves a doubt before a law is learned from them.

use super::Record;
use super::reversals::distance;

/// Moduli of materials, MPa.
const MODULI: [f64; 2] = [1e-3, 1e6];
/// Share of the stress range that is more than noise.
const NOTICEABLE: f64 = 0.02;
/// Share of the strain range within which a strain is held.
const HELD: f64 = 1e-3;
/// Share of the strain range over which the initial modulus is taken.
const INITIAL: f64 = 0.05;
/// Ratio of the rates of two records that matters.
const RATES: f64 = 5.0;

impl Record {
    /// Slope of the first stress over the first strain component from the first row on, over a twentieth of the
    /// range of the strain, MPa; none where that component does not vary.
    pub fn initial_modulus(&self) -> Option<f64> {
        let range = self.strain_range();
        let change = |values: &[f64], row: usize| values[row * self.components] - values[0];
        let row = (1..self.rows()).find(|row| change(&self.strain, *row).abs() >= INITIAL * range);
        let row = row.filter(|_| range > 0.0)?;
        Some(change(&self.stress, row) / change(&self.strain, row))
    }

    /// Longest hold of the strain, s, and the change of the stress in it, MPa.
    fn longest_hold(&self) -> [f64; 2] {
        let margin = HELD * self.strain_range();
        let (mut start, mut longest) = (0, [0.0, 0.0]);
        if self.timeless {
            return longest;
        }
        for row in 1..self.rows() {
            if distance(self.strain_at(start), self.strain_at(row)) > margin {
                start = row;
                continue;
            }
            let duration = self.time[row] - self.time[start];
            if duration > longest[0] {
                let change = distance(self.stress_at(start), self.stress_at(row));
                longest = [duration, change];
            }
        }
        longest
    }

    fn stress_size(&self) -> f64 {
        self.stress.iter().fold(0.0, |size, s| size.max(s.abs()))
    }

    /// Mean strain rate, 1/s; none where no time passes.
    fn mean_rate(&self) -> Option<f64> {
        let rows = 1..self.rows();
        let length = rows.map(|row| distance(self.strain_at(row - 1), self.strain_at(row)));
        let duration = self.time.last()? - self.time.first()?;
        let rate = length.sum::<f64>() / duration;
        (duration > 0.0 && rate > 0.0 && !self.timeless).then_some(rate)
    }

    /// What deserves a doubt, a line each.
    fn own_doubts(&self, rate_independent: bool) -> Vec<String> {
        let mut doubts = Vec::new();
        let largest = self.strain.iter().fold(0.0f64, |a, e| a.max(e.abs()));
        if largest > 1.0 {
            doubts.push(format!(
                "its strains reach {largest}: are they in per cent?"
            ));
        }
        if let Some(modulus) = self.initial_modulus()
            && !(MODULI[0]..=MODULI[1]).contains(&modulus)
        {
            doubts.push(format!(
                "its initial modulus is {modulus:.3e} MPa: are its units MPa and a number for the strain?"
            ));
        }
        let (strain, stress) = (self.strain_range(), self.stress_size());
        let first = |values: &[f64]| distance(values, &vec![0.0; values.len()]);
        let (e, s) = (first(self.strain_at(0)), first(self.stress_at(0)));
        if e > HELD * strain || s > NOTICEABLE * stress {
            doubts.push(format!(
                "it starts at a strain of {e:.3e} and {s:.3} MPa, a law starts at rest: take preload and \
                 offset off"
            ));
        }
        let [duration, relaxed] = self.longest_hold();
        if rate_independent && relaxed > NOTICEABLE * stress {
            doubts.push(format!(
                "its stress changes by {relaxed:.3} MPa while the strain is held for {duration:.3} s: only a \
                 law with clock = \"time\" or \"both\" can follow"
            ));
        }
        let steps = self.time.windows(2).map(|t| t[1] - t[0]);
        if !rate_independent && self.rows() > 3 && steps.clone().all(|dt| dt == 1.0) {
            doubts.push(
                "every row is 1 s after the one before: is this time, or a count of rows?".into(),
            );
        }
        let doubts = doubts.into_iter();
        doubts
            .map(|doubt| format!("record `{}`: {doubt}", self.name))
            .collect()
    }
}

/// What deserves a doubt before a law is learned from records, a line each: units, offsets, holds and rates
/// that a law without a clock of time cannot follow, and times that are none.
pub fn doubts(records: &[&Record], rate_independent: bool) -> Vec<String> {
    let of_each = records
        .iter()
        .flat_map(|record| record.own_doubts(rate_independent));
    let mut doubts: Vec<String> = of_each.collect();
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
    doubts
}
