//! What the audit of a saved law says to the user of a solver.

use crate::audit::{meaning, saved_rows_beyond};
use serde_json::Value;
use std::fmt;

/// Rows that a solver suffers from: its iterations, or the result by its steps, its cuts and its round-off. A
/// law with one of them beyond its limit is exported only where that is allowed.
const SOLVER_ROWS: [&str; 9] = [
    "tangent_error",
    "taylor_slope",
    "stationarity",
    "self_consistency_strain",
    "self_consistency_stress",
    "rollback",
    "min_tangent_eigenvalue",
    "state_growth",
    "rest_stress",
];

/// A row beyond its limit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Beyond {
    pub row: String,
    value: Option<f64>,
    limit: Option<f64>,
    guaranteed: bool,
}

impl Beyond {
    /// The rows of a saved audit; `None` where there is none.
    pub fn of(audit: &Value) -> Option<Vec<Self>> {
        audit["rows"].as_array()?;
        let read = |row: &Value| Self {
            row: row["name"].as_str().unwrap_or("?").to_string(),
            value: row["value"].as_f64(),
            limit: row["limit"].as_f64(),
            guaranteed: row["kind"] == "guaranteed",
        };
        Some(saved_rows_beyond(audit).map(read).collect())
    }

    /// Whether a solver suffers from it. A guarantee that fails is a fault of the law.
    pub fn harms(&self) -> bool {
        self.guaranteed || SOLVER_ROWS.contains(&self.row.as_str())
    }
}

/// The row in words.
impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |x: Option<f64>| x.map_or("no value".into(), |x| format!("{x:.3e}"));
        let (value, limit) = (number(self.value), number(self.limit));
        write!(f, "`{}`: {value}, limit {limit}", self.row)?;
        match meaning(&self.row) {
            Some(meaning) => write!(f, " ({meaning})"),
            None => Ok(()),
        }
    }
}

/// Whether there is a row of this name.
pub(super) fn is_row(name: &str) -> bool {
    meaning(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_are_those_of_the_audit_and_undecided_ones_are_left() {
        assert!(SOLVER_ROWS.iter().all(|row| is_row(row)));
        let row = |name: &str, pass: bool, undecided: bool, kind: &str| json!({"name": name, "value": 2.0, "limit": 0.1, "pass": pass, "undecided": undecided, "kind": kind});
        let audit = json!({"rows": [
            row("state_growth", false, false, "tested"),
            row("closed_loop", false, true, "tested"),
            row("rollback", true, false, "guaranteed"),
            row("negative_share", false, false, "tested"),
            row("negative_share", false, false, "guaranteed"),
        ]});
        let beyond = Beyond::of(&audit).unwrap();
        let harms: Vec<_> = beyond.iter().map(|b| (b.row.as_str(), b.harms())).collect();
        let expected = [
            ("state_growth", true),
            ("negative_share", false),
            ("negative_share", true),
        ];
        assert_eq!(harms, expected);
        let words = beyond[0].to_string();
        assert!(
            words.contains("2.000e0, limit 1.000e-1") && words.contains("round-off"),
            "{words}"
        );
        assert_eq!(Beyond::of(&json!({})), None);
    }
}
