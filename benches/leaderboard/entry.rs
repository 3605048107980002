//! One training as a line of the results file.

use crate::tasks::Task;
use hysteron::{Error, Result};
use serde::{Deserialize, Serialize};
use std::io::Write;

const FOLDER: &str = "out/leaderboard";
const FILE: &str = "out/leaderboard/results.jsonl";

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Entry {
    pub task: String,
    pub variant: String,
    pub law: String,
    pub seed: u64,
    /// Budget of processor time, s.
    pub seconds: f64,
    /// One per column of the task; `None` if the law has no result.
    pub errors: Vec<Option<f64>>,
    /// Reason for missing values.
    pub failure: Option<String>,
    pub epochs: usize,
    pub parameters: usize,
    pub states: usize,
    /// Processor time.
    pub training_seconds: f64,
    /// Of the audit's histories, up to 100 times the trained strains.
    pub negative_share: Option<f64>,
    pub spread_strain: Option<f64>,
    pub spread_stress: Option<f64>,
    pub tangent_error: Option<f64>,
    pub microseconds: Option<f64>,
}

impl Entry {
    pub fn is_of(&self, task: &Task, law: &str) -> bool {
        self.task == task.name && self.variant == task.variant && self.law == law
    }

    pub fn line(&self, task: &Task) -> String {
        let figure = |(column, error): (&&str, &Option<f64>)| match error {
            Some(error) => format!("{column} {error:.3}"),
            None => format!("{column} –"),
        };
        let figures: Vec<_> = task.columns.iter().zip(&self.errors).map(figure).collect();
        format!(
            "{}, {}, seed {}: {}; {} epochs, {:.1} s{}",
            task.title(),
            self.law,
            self.seed,
            figures.join(", "),
            self.epochs,
            self.training_seconds,
            self.failure
                .as_ref()
                .map_or(String::new(), |f| format!("; {f}"))
        )
    }
}

pub fn read() -> Result<Vec<Entry>> {
    let Ok(text) = std::fs::read_to_string(FILE) else {
        return Ok(Vec::new());
    };
    let entry = |(i, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|e| Error::invalid(format!("{FILE}, line {}: {e}; delete the line", i + 1)))
    };
    text.lines().enumerate().map(entry).collect()
}

pub fn append(entry: &Entry) -> Result<()> {
    std::fs::create_dir_all(FOLDER).map_err(|e| Error::io(FOLDER, e))?;
    let line = serde_json::to_string(entry).map_err(|e| Error::invalid(e.to_string()))?;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.create(true).append(true).open(FILE);
    let written = opened.and_then(|mut open| writeln!(open, "{line}"));
    written.map_err(|e| Error::io(FILE, e))
}
