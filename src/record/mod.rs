//! Test records: strain–stress histories, read from and written to CSV files.
//!
//! * [`Record`]: one history, with [`Record::from_csv`], [`Record::to_csv`] and
//!   [`Record::from_dir`];
//! * [`Record::resample`] (by strain path) and [`Record::resample_time`] (for rate-dependent laws)
//!   reduce its rows, [`Record::reversals`] and [`Record::first_cycles`] divide it into cycles;
//! * [`Facts`] and [`doubts`] look at records before a law is learned from them;
//! * [`Split`], [`RecordScales`] and [`Padded`] prepare several records for training.

mod bar;
mod batch;
mod cause;
mod columns;
mod csv;
mod doubts;
mod facts;
mod noise;
mod resample;
mod reversals;

pub use bar::TRANSVERSE_STRAIN;
pub use batch::{Padded, RecordScales, Split};
pub use columns::MAX_COLUMNS;
pub use csv::MAX_ROWS;
pub use doubts::doubts;
pub use facts::Facts;
pub use resample::IncrementLimits;
pub use reversals::REVERSAL_TOLERANCE;
pub(crate) use reversals::distance;

use crate::error::{Error, Result};
use crate::mandel::positions;

/// One strain–stress history with `n` components, Mandel, row-major (`[row * n + component]`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub name: String,
    /// 1, 3 or 6.
    pub components: usize,
    /// Seconds, non-decreasing.
    pub time: Vec<f64>,
    /// Whether nothing is known of the time: `time` then counts the rows, 0, 1, 2, …, and only laws that do not
    /// see time follow the record.
    pub timeless: bool,
    /// `[rows * n]`
    pub strain: Vec<f64>,
    /// `[rows * n]`, MPa
    pub stress: Vec<f64>,
    pub external_names: Vec<String>,
    /// `[rows * m]`
    pub external: Vec<f64>,
}

impl Record {
    pub fn rows(&self) -> usize {
        self.time.len()
    }

    pub fn strain_at(&self, row: usize) -> &[f64] {
        &self.strain[row * self.components..][..self.components]
    }

    pub fn stress_at(&self, row: usize) -> &[f64] {
        &self.stress[row * self.components..][..self.components]
    }

    pub fn external_at(&self, row: usize) -> &[f64] {
        let m = self.external_names.len();
        &self.external[row * m..][..m]
    }

    /// Checks the invariants of a record: 1, 3 or 6 components, at least one row, arrays of matching
    /// length, finite numbers, non-decreasing time, which counts the rows of a timeless record.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the record, the row (from 0) and the array.
    pub fn check(&self) -> Result<()> {
        self.check_but_stress()?;
        self.check_column("stress", &self.stress, self.components)
    }

    /// [`Record::check`] without the stresses.
    pub(crate) fn check_but_stress(&self) -> Result<()> {
        let fail = |what: String| Err(self.fault(what));
        let (rows, n, m) = (self.rows(), self.components, self.external_names.len());
        if positions(n).is_none() {
            return fail(format!("{n} components, a record has 1, 3 or 6"));
        }
        if rows == 0 {
            return fail("no rows".into());
        }
        self.check_column("time", &self.time, 1)?;
        self.check_column("strain", &self.strain, n)?;
        self.check_column("external variables", &self.external, m)?;
        if let Some(row) = self.time.windows(2).position(|t| t[1] < t[0]) {
            return fail(format!("time decreases in row {}", row + 1));
        }
        match self.timeless && self.time != counted(rows) {
            true => fail("it is timeless, but its time does not count the rows".into()),
            false => Ok(()),
        }
    }

    /// Checks that a law can follow a record without a time: it must not see time.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the record, where it is timeless and the law is not rate-independent.
    pub fn check_clock(&self, rate_independent: bool) -> Result<()> {
        match self.timeless && !rate_independent {
            true => Err(self.fault(
                "it has no column `time_s`, and the law sees time: add the column, or choose a \
                 rate-independent law, such as one with clock = \"strain-path\""
                    .into(),
            )),
            false => Ok(()),
        }
    }

    fn check_column(&self, what: &str, values: &[f64], width: usize) -> Result<()> {
        let (rows, found, needed) = (self.rows(), values.len(), self.rows() * width);
        if found != needed {
            let message = format!("{what} has {found} entries, {rows} rows need {needed}");
            return Err(self.fault(message));
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => {
                let (row, value) = (at / width, values[at]);
                let message = format!("{what} of row {row} is not finite ({value})");
                Err(self.fault(message))
            }
            None => Ok(()),
        }
    }

    fn fault(&self, what: String) -> Error {
        Error::invalid(format!("record `{}`: {what}", self.name))
    }

    /// Keeps the external variables of these names, in this order, and gives the names of the others, which
    /// are left out.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the record where it does not have one of them.
    pub fn keep_external(&mut self, names: &[String]) -> Result<Vec<String>> {
        let position = |name: &String| {
            let found = self.external_names.iter().position(|known| known == name);
            found.ok_or_else(|| {
                let known = match self.external_names.is_empty() {
                    true => "there are no further columns".to_string(),
                    false => format!("further columns: {}", self.external_names.join(", ")),
                };
                self.fault(format!(
                    "no column `{name}` for this external variable ({known})"
                ))
            })
        };
        let columns: Vec<usize> = names.iter().map(position).collect::<Result<_>>()?;
        let rows = 0..self.rows();
        let kept = rows.flat_map(|row| columns.iter().map(move |c| (row, *c)));
        self.external = kept.map(|(row, c)| self.external_at(row)[c]).collect();
        let all = std::mem::replace(&mut self.external_names, names.to_vec());
        Ok(all
            .into_iter()
            .filter(|name| !names.contains(name))
            .collect())
    }

    /// The first `rows` rows.
    pub fn truncated(&self, rows: usize) -> Record {
        let rows = rows.min(self.rows());
        let m = self.external_names.len();
        Record {
            name: self.name.clone(),
            components: self.components,
            time: self.time[..rows].to_vec(),
            timeless: self.timeless,
            strain: self.strain[..rows * self.components].to_vec(),
            stress: self.stress[..rows * self.components].to_vec(),
            external_names: self.external_names.clone(),
            external: self.external[..rows * m].to_vec(),
        }
    }
}

/// The time of a timeless record.
fn counted(rows: usize) -> Vec<f64> {
    (0..rows).map(|row| row as f64).collect()
}

/// The number with one digit that is next below; as it is where it is not positive.
fn rounded(value: f64) -> f64 {
    if value.is_nan() || value <= 0.0 || value.is_infinite() {
        return value;
    }
    let exponent = value.log10().floor();
    let digit = (value / 10f64.powf(exponent)).floor().clamp(1.0, 9.0);
    // Read from text, it is written as briefly.
    format!("{digit}e{exponent}").parse().unwrap_or(value)
}
