//! The result of an audit: rows, their verdicts, and the table.

use super::subject::larger;
use serde::Serialize;
use std::fmt;

/// Share of the increments that must be decided for a valid row.
const FEWEST_DECIDED: f64 = 0.5;

/// Whether a row must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The law claims it by construction: a failure refutes the claim.
    Guaranteed,
    /// Measured, not claimed: a failure is a warning.
    Tested,
}

/// One row of the audit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub name: &'static str,
    /// `None` if there was nothing to measure.
    pub value: Option<f64>,
    pub limit: f64,
    pub kind: Kind,
    /// The value is within its limit, or the row does not apply.
    pub pass: bool,
    /// Round-off hides whether the value is within its limit; then `pass` is false.
    pub undecided: bool,
    /// What was excluded, or why there is no value.
    #[serde(skip)]
    pub note: String,
    #[serde(skip)]
    bound: Bound,
    #[serde(skip)]
    meaning: &'static str,
}

/// The rows of a saved audit that are beyond their limits; undecided ones are not.
pub fn saved_rows_beyond(audit: &serde_json::Value) -> impl Iterator<Item = &serde_json::Value> {
    let rows = audit["rows"].as_array().into_iter().flatten();
    rows.filter(|row| row["pass"] == false && row["undecided"] != true)
}

/// The audit of one law. Serialised, it is an object with `law`, `pass` and `rows`, each row with
/// `name`, `value` (`null` if there was nothing to measure), `limit`, `kind`, `pass` and `undecided`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    pub law: String,
    /// Every guaranteed row passes or is undecided.
    pub pass: bool,
    pub rows: Vec<Row>,
}

/// Whether a limit is an upper or a lower bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    AtMost,
    AtLeast,
}

/// The part of a row that does not depend on the law.
pub(super) struct Definition {
    pub name: &'static str,
    pub bound: Bound,
    pub limit: f64,
    pub meaning: &'static str,
}

/// The result of a probe.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Finding {
    pub value: Option<f64>,
    /// The row passes without a value: it does not apply to this law.
    pub exempt: bool,
    /// Too much was left out for a value within the limit, or none, to decide the row.
    pub undecided: bool,
    pub note: String,
}

impl Finding {
    pub fn of(value: f64) -> Self {
        Self {
            value: Some(value),
            ..Self::default()
        }
    }

    /// The row does not apply.
    pub fn exempt(note: impl Into<String>) -> Self {
        Self {
            exempt: true,
            note: note.into(),
            ..Self::default()
        }
    }

    /// No value could be measured: the row does not pass.
    pub fn missing(note: impl Into<String>) -> Self {
        Self {
            note: note.into(),
            ..Self::default()
        }
    }

    /// Round-off leaves too little to measure.
    pub fn undecided(mut self, undecided: bool) -> Self {
        self.undecided = undecided;
        self
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        let note = note.into();
        if !self.note.is_empty() && !note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(&note);
        self
    }
}

/// The worst error over the increments where differences and round-off let it be told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Worst {
    decided: usize,
    undecided: usize,
    error: f64,
}

impl Worst {
    pub fn decide(&mut self, error: f64) {
        self.decided += 1;
        self.error = larger(self.error, error);
    }

    pub fn leave_out(&mut self) {
        self.undecided += 1;
    }

    /// `why`: what the increments that were left out have in common.
    pub fn finding(&self, why: &str) -> Finding {
        let all = self.decided + self.undecided;
        if all == 0 {
            return Finding::missing("no increment was accepted");
        }
        let share = self.decided as f64 / all as f64;
        let finding = match self.decided {
            0 => Finding::default(),
            _ => Finding::of(self.error),
        };
        let note = match self.undecided {
            0 => String::new(),
            _ => format!(
                "{:.1} % of the increments {why}; they are excluded",
                100.0 * (1.0 - share)
            ),
        };
        finding.undecided(share < FEWEST_DECIDED).note(note)
    }
}

impl Definition {
    pub fn row(&self, guaranteed: bool, finding: Finding) -> Row {
        let within = match (finding.value, self.bound) {
            (Some(value), Bound::AtMost) => value <= self.limit,
            (Some(value), Bound::AtLeast) => value >= self.limit,
            (None, _) => finding.exempt || finding.undecided,
        };
        Row {
            name: self.name,
            value: finding.value,
            limit: self.limit,
            kind: match guaranteed {
                true => Kind::Guaranteed,
                false => Kind::Tested,
            },
            pass: within && !finding.undecided,
            undecided: within && finding.undecided,
            note: finding.note,
            bound: self.bound,
            meaning: self.meaning,
        }
    }
}

impl Audit {
    pub(super) fn new(law: &str, rows: Vec<Row>) -> Self {
        Self {
            law: law.to_string(),
            pass: rows
                .iter()
                .all(|r| r.pass || r.undecided || r.kind == Kind::Tested),
            rows,
        }
    }

    /// One sentence: whether the guarantees hold, and the rows that round-off leaves open.
    pub fn verdict(&self) -> String {
        let undecided: Vec<_> = self.rows.iter().filter(|r| r.undecided).collect();
        let open = undecided.iter().any(|r| r.kind == Kind::Guaranteed);
        let verdict = match (self.pass, open) {
            (true, false) => "passes: every guarantee holds",
            (true, true) => "passes: no guarantee is violated",
            (false, _) => "FAILS: a guarantee is violated",
        };
        let names: Vec<_> = undecided.iter().map(|r| r.name).collect();
        match names.is_empty() {
            true => verdict.into(),
            false => format!("{verdict}; undecided: {}", names.join(", ")),
        }
    }

    /// The row of that name.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|r| r.name == name)
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.law, self.verdict())?;
        writeln!(
            f,
            "{:<24} {:>10}    {:<7} {:<10} {:<9} meaning",
            "row", "value", "limit", "kind", "result"
        )?;
        for row in &self.rows {
            let value = match row.value {
                Some(value) => format!("{value:.3e}"),
                None => "–".to_string(),
            };
            let sign = match row.bound {
                Bound::AtMost => "≤",
                Bound::AtLeast => "≥",
            };
            let kind = match row.kind {
                Kind::Guaranteed => "guaranteed",
                Kind::Tested => "tested",
            };
            let result = match (row.pass, row.kind) {
                (true, _) => "ok",
                _ if row.undecided => "undecided",
                (false, Kind::Guaranteed) => "FAILS",
                (false, Kind::Tested) => "beyond",
            };
            let limit = format!("{:e}", row.limit);
            write!(
                f,
                "{:<24} {value:>10}  {sign} {limit:<7} {kind:<10} {result:<9} {}",
                row.name, row.meaning
            )?;
            match row.note.is_empty() {
                true => writeln!(f)?,
                false => writeln!(f, " ({})", row.note)?,
            }
        }
        Ok(())
    }
}
