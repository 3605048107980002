//! Several records as training data: split, scales, and the padded batch.

use super::Record;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Training and validation records, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Split {
    /// Names of the training records; if empty, all that are not used for validation.
    pub train: Vec<String>,
    pub validation: Vec<String>,
}

impl Split {
    /// The training and the validation records, in the order of `records`. If `train` is not empty,
    /// records in neither list are not used.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a name is unknown, in both lists or twice in one, if two records have the
    /// same name, or if there is no training record.
    pub fn apply<'a>(&self, records: &'a [Record]) -> Result<(Vec<&'a Record>, Vec<&'a Record>)> {
        let mut names = HashSet::new();
        if let Some(twice) = records.iter().find(|r| !names.insert(r.name.as_str())) {
            return Err(Error::invalid(format!(
                "two records are called `{}`: rename one",
                twice.name
            )));
        }
        let mut listed = HashSet::new();
        for name in self.train.iter().chain(&self.validation) {
            if !names.contains(name.as_str()) {
                let known: Vec<_> = records.iter().map(|r| r.name.as_str()).collect();
                return Err(Error::invalid(format!(
                    "split: no record is called `{name}`; there are: {}",
                    known.join(", ")
                )));
            }
            if !listed.insert(name.as_str()) {
                let both = self.train.contains(name) && self.validation.contains(name);
                let message = if both {
                    "is in both train and validation"
                } else {
                    "is listed twice"
                };
                return Err(Error::invalid(format!("split: `{name}` {message}")));
            }
        }
        let is_in = |list: &[String], r: &Record| list.contains(&r.name);
        let validation: Vec<_> = records
            .iter()
            .filter(|r| is_in(&self.validation, r))
            .collect();
        let train: Vec<_> = records
            .iter()
            .filter(|r| match self.train.is_empty() {
                true => !is_in(&self.validation, r),
                false => is_in(&self.train, r),
            })
            .collect();
        if train.is_empty() {
            return Err(Error::invalid("split: no record is left to train on"));
        }
        Ok((train, validation))
    }
}

/// Typical magnitudes of the training records, with which a learned law normalises its quantities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordScales {
    /// Largest ‖ε‖.
    pub strain: f64,
    /// Root mean square of the stress components, MPa.
    pub stress: f64,
    /// Median of the nonzero time steps, s; timeless records have none.
    pub time: f64,
}

impl RecordScales {
    /// The scales of some records; 1 if the records do not determine them (no rows, only zeros).
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut strain: f64 = 0.0;
        // Division by the peak prevents overflow of the squares.
        let (mut peak, mut stresses) = (0.0_f64, Vec::new());
        let mut steps = Vec::new();
        for record in records {
            for row in 0..record.rows() {
                let norm = record.strain_at(row).iter().map(|e| e * e).sum::<f64>();
                strain = strain.max(norm.sqrt());
            }
            peak = record.stress.iter().fold(peak, |p, s| p.max(s.abs()));
            stresses.push(&record.stress);
            let differences = record.time.windows(2).map(|t| t[1] - t[0]);
            steps.extend(differences.filter(|dt| *dt > 0.0 && !record.timeless));
        }
        let entries: usize = stresses.iter().map(|s| s.len()).sum();
        let squares = stresses.into_iter().flatten().map(|s| (s / peak).powi(2));
        let stress = peak * (squares.sum::<f64>() / entries as f64).sqrt();
        let middle = steps.len() / 2;
        let time = match steps.is_empty() {
            true => 1.0,
            false => *steps.select_nth_unstable_by(middle, f64::total_cmp).1,
        };
        let or_one = |value: f64| match value.is_normal() && value > 0.0 {
            true => value,
            false => 1.0,
        };
        Self {
            strain: or_one(strain),
            stress: or_one(stress),
            time: or_one(time),
        }
    }
}

/// A batch of records, padded to the length of the longest. The index of component `c` in row `k` of
/// record `r` is `(k * width + c) * records + r`.
///
/// Padding rows repeat the last row with `dt = 0` and mask 0: these are zero increments, in which the
/// state of a stationary law does not change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Padded {
    pub names: Vec<String>,
    pub records: usize,
    /// Rows of the longest record.
    pub rows: usize,
    /// 1, 3 or 6.
    pub components: usize,
    pub external_names: Vec<String>,
    /// Rows of each record, `[records]`.
    pub lengths: Vec<usize>,
    /// Time since the previous row, s, `[rows][records]`; zero in row 0.
    pub dt: Vec<f64>,
    /// Mandel strain, `[rows][components][records]`.
    pub strain: Vec<f64>,
    /// Mandel stress, MPa, `[rows][components][records]`.
    pub stress: Vec<f64>,
    /// 1 in the rows of the record, 0 in padding, `[rows][records]`.
    pub mask: Vec<f64>,
    /// `[rows][external variables][records]`.
    pub external: Vec<f64>,
}

impl Padded {
    /// # Errors
    /// [`Error::Invalid`] if there is no record, a record does not pass [`Record::check`], or records
    /// differ in components or external variables.
    pub fn new(records: &[&Record]) -> Result<Self> {
        let Some(first) = records.first() else {
            return Err(Error::invalid("a batch needs at least one record"));
        };
        for record in records {
            record.check()?;
            first.check_same_kind(record)?;
        }
        let count = records.len();
        let lengths: Vec<_> = records.iter().map(|r| r.rows()).collect();
        let rows = lengths.iter().copied().max().unwrap_or_default();
        let gather = |width: usize, entry: &dyn Fn(&Record, usize, usize) -> f64| {
            let mut out = Vec::with_capacity(rows * width * count);
            for row in 0..rows {
                for c in 0..width {
                    out.extend(records.iter().map(|r| entry(r, row, c)));
                }
            }
            out
        };
        let clamp = |r: &Record, row: usize| row.min(r.rows() - 1);
        let (n, m) = (first.components, first.external_names.len());
        Ok(Self {
            names: records.iter().map(|r| r.name.clone()).collect(),
            records: count,
            rows,
            components: n,
            external_names: first.external_names.clone(),
            dt: gather(1, &|r, row, _| match row {
                0 => 0.0,
                _ => r.time[clamp(r, row)] - r.time[clamp(r, row - 1)],
            }),
            strain: gather(n, &|r, row, c| r.strain_at(clamp(r, row))[c]),
            stress: gather(n, &|r, row, c| r.stress_at(clamp(r, row))[c]),
            mask: gather(1, &|r, row, _| f64::from(u8::from(row < r.rows()))),
            external: gather(m, &|r, row, c| r.external_at(clamp(r, row))[c]),
            lengths,
        })
    }
}

impl Record {
    /// Checks that another record has the same components and external variables.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming both records.
    pub fn check_same_kind(&self, other: &Record) -> Result<()> {
        if self.components != other.components {
            return Err(Error::invalid(format!(
                "record `{}` has {} components, record `{}` has {}",
                self.name, self.components, other.name, other.components
            )));
        }
        if self.external_names != other.external_names {
            return Err(Error::invalid(format!(
                "record `{}` has the external variables [{}], record `{}` has [{}]",
                self.name,
                self.external_names.join(", "),
                other.name,
                other.external_names.join(", ")
            )));
        }
        Ok(())
    }
}
