//! The result of an audit: rows, their verdicts, and the table.

use serde::Serialize;
use std::fmt;

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
    pub pass: bool,
    /// What was excluded, or why there is no value.
    #[serde(skip)]
    pub note: String,
    #[serde(skip)]
    bound: Bound,
    #[serde(skip)]
    meaning: &'static str,
}

/// The audit of one law. Serialised, it is an object with `law`, `pass` and `rows`, each row with
/// `name`, `value` (`null` if there was nothing to measure), `limit`, `kind` and `pass`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    pub law: String,
    /// Every guaranteed row passes.
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

    pub fn note(mut self, note: impl Into<String>) -> Self {
        let note = note.into();
        if !self.note.is_empty() && !note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(&note);
        self
    }
}

impl Definition {
    pub fn row(&self, guaranteed: bool, finding: Finding) -> Row {
        let pass = match (finding.value, self.bound) {
            (Some(value), Bound::AtMost) => value <= self.limit,
            (Some(value), Bound::AtLeast) => value >= self.limit,
            (None, _) => finding.exempt,
        };
        Row {
            name: self.name,
            value: finding.value,
            limit: self.limit,
            kind: match guaranteed {
                true => Kind::Guaranteed,
                false => Kind::Tested,
            },
            pass,
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
            pass: rows.iter().all(|r| r.pass || r.kind == Kind::Tested),
            rows,
        }
    }

    /// The row of that name.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|r| r.name == name)
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.pass {
            true => "passes: every guarantee holds",
            false => "FAILS: a guarantee is violated",
        };
        writeln!(f, "{} {verdict}", self.law)?;
        writeln!(
            f,
            "{:<24} {:>10}    {:<7} {:<10} {:<6} meaning",
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
                (false, Kind::Guaranteed) => "FAILS",
                (false, Kind::Tested) => "beyond",
            };
            let limit = format!("{:e}", row.limit);
            write!(
                f,
                "{:<24} {value:>10}  {sign} {limit:<7} {kind:<10} {result:<6} {}",
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
