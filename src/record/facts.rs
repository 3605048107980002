//! What test records hold: reversals, holds, rates.

use super::reversals::{REVERSAL_TOLERANCE, distance};
use super::{Record, rounded};
use std::fmt;

/// Share of the stress range that is more than noise.
pub(super) const NOTICEABLE: f64 = 0.02;
/// Share of the strain range within which a strain is held.
pub(super) const HELD: f64 = 1e-3;
/// Shares of the strain range between which the initial modulus is taken.
const INITIAL: [f64; 2] = [0.01, 0.05];
/// Share of a noticeable stress that an elastic strain may cause within a hold.
const ELASTIC: f64 = 0.1;
/// Ratio of rates that matters.
pub(super) const RATES: f64 = 5.0;
/// Steps that resolve the elastic range, and the whole strain.
const ELASTIC_STEPS: f64 = 4.0;
const STEPS: f64 = 50.0;
/// Parts of a record in which its rate is taken.
const PARTS: usize = 20;

impl Record {
    /// Steepest secant of stress over strain from the first row on, MPa, of strains between a hundredth and a
    /// twentieth of their range, or the next one beyond; of the norms where there are several components. None
    /// where the strain does not vary.
    pub fn initial_modulus(&self) -> Option<f64> {
        let range = self.strain_range();
        let change = |values: &[f64], row: usize| match self.components {
            1 => values[row] - values[0],
            n => distance(&values[row * n..][..n], &values[..n]),
        };
        let mut steepest: Option<f64> = None;
        for row in (1..self.rows()).filter(|_| range > 0.0) {
            let strain = change(&self.strain, row);
            if strain.abs() < INITIAL[0] * range {
                continue;
            }
            let modulus = change(&self.stress, row) / strain;
            if steepest.is_none_or(|most| modulus.abs() > most.abs()) {
                steepest = Some(modulus);
            }
            if strain.abs() >= INITIAL[1] * range {
                break;
            }
        }
        steepest
    }

    /// Strain steps that resolve its elastic range and its whole strain: a quarter of the largest stress over the
    /// initial modulus, at most a fiftieth of the range. None where the strain does not vary.
    pub fn resolution(&self) -> Option<f64> {
        let elastic = self.stress_size() / self.initial_modulus()?.abs();
        let steps = (elastic / ELASTIC_STEPS).min(self.strain_range() / STEPS);
        steps.is_normal().then(|| rounded(steps))
    }

    /// Longest hold of the strain, s, and the change of the stress in it, MPa. What an elastic strain changes, or
    /// what lasts no longer than a row does, is no hold.
    pub(super) fn longest_hold(&self) -> [f64; 2] {
        let (mut start, mut longest) = (0, [0.0, 0.0]);
        if self.timeless || self.rows() == 0 {
            return longest;
        }
        let elastic = match self.initial_modulus() {
            Some(modulus) if modulus != 0.0 => {
                ELASTIC * NOTICEABLE * self.stress_size() / modulus.abs()
            }
            _ => f64::INFINITY,
        };
        let margin = elastic.min(HELD * self.strain_range());
        longest[0] = (self.time[self.rows() - 1] - self.time[0]) / self.rows() as f64;
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

    /// Largest stress, MPa.
    pub(super) fn stress_size(&self) -> f64 {
        self.stress.iter().fold(0.0, |size, s| size.max(s.abs()))
    }

    /// Strain path between two rows.
    fn path(&self, from: usize, to: usize) -> f64 {
        let rows = from + 1..=to;
        rows.map(|row| distance(self.strain_at(row - 1), self.strain_at(row)))
            .sum()
    }

    /// Mean strain rate between two rows, 1/s; none where no time passes or is known.
    fn rate(&self, from: usize, to: usize) -> Option<f64> {
        let duration = self.time[to] - self.time[from];
        let rate = self.path(from, to) / duration;
        (duration > 0.0 && rate > 0.0 && !self.timeless).then_some(rate)
    }

    /// Mean strain rate, 1/s; none where no time passes or is known.
    pub(super) fn mean_rate(&self) -> Option<f64> {
        self.rate(0, self.rows().checked_sub(1)?)
    }

    /// Strain rates that a fifth of the parts of the record are below and above, 1/s.
    fn rates(&self) -> Option<[f64; 2]> {
        let parts = PARTS.min(self.rows().saturating_sub(1));
        let end = |part: usize| part * (self.rows() - 1) / parts;
        let rates = (0..parts).filter_map(|part| self.rate(end(part), end(part + 1)));
        let mut rates: Vec<f64> = rates.collect();
        rates.sort_by(f64::total_cmp);
        let fifth = rates.len() / 5;
        Some([*rates.get(fifth)?, *rates.get(rates.len() - 1 - fifth)?])
    }

    /// Whether the strain comes back towards its start, by more than noise.
    pub(super) fn turns_back(&self) -> bool {
        let tolerance = REVERSAL_TOLERANCE * self.strain_range();
        let mut furthest: f64 = 0.0;
        (0..self.rows()).any(|row| {
            let away = distance(self.strain_at(0), self.strain_at(row));
            furthest = furthest.max(away);
            furthest - away > tolerance
        })
    }
}

/// What a set of records holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub records: usize,
    /// Records without time.
    pub timeless: usize,
    /// Records whose strain comes back towards its start.
    pub turning: usize,
    /// Reversals of all records.
    pub reversals: usize,
    /// Longest hold of the strain in which the stress changes by more than noise, s; 0 without any.
    pub hold: f64,
    /// Slowest and fastest strain rates, 1/s, without the fifth of each record that is slower, and the fifth that
    /// is faster.
    pub rates: Option<[f64; 2]>,
}

impl Facts {
    pub fn of(records: &[&Record]) -> Self {
        let count = |holds: fn(&Record) -> bool| records.iter().filter(|r| holds(r)).count();
        let holds = records.iter().filter_map(|record| {
            let [duration, change] = record.longest_hold();
            (change > NOTICEABLE * record.stress_size()).then_some(duration)
        });
        let rates = records.iter().filter_map(|record| record.rates());
        Self {
            records: records.len(),
            timeless: count(|record| record.timeless),
            turning: count(Record::turns_back),
            reversals: records.iter().map(|record| record.reversals().len()).sum(),
            hold: holds.fold(0.0, f64::max),
            rates: rates.reduce(|[a, b], [c, d]| [a.min(c), b.max(d)]),
        }
    }

    /// Whether they say what time does: by a hold in which the stress changes, or by different rates.
    pub fn tell_of_time(&self) -> bool {
        let [slow, fast] = self.rates.unwrap_or([1.0; 2]);
        self.hold > 0.0 || fast > RATES * slow
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} reversals, unloading in {} of {} records",
            self.reversals, self.turning, self.records
        )?;
        match self.hold > 0.0 {
            true => write!(
                f,
                ", holds of up to {} s that change the stress",
                three_digits(self.hold)
            )?,
            false => write!(f, ", no hold that changes the stress")?,
        }
        if let Some([slow, fast]) = self.rates {
            write!(f, ", strain rates {slow:.1e} to {fast:.1e} /s")?;
        }
        match self.timeless {
            0 => Ok(()),
            count => write!(f, ", {count} without time"),
        }
    }
}

fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
