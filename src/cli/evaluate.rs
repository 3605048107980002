//! `hysteron evaluate`

use super::Verdict;
use super::output::{Table, print, print_json};
use super::source::{Records, Source};
use clap::Args;
use hysteron::Result;
use hysteron::evaluate::{MeanScore, Score, evaluate, mean};
use serde::Serialize;
use std::path::PathBuf;

/// Compares a law with measured records.
///
/// The law follows the strains of each record on its own, from the virgin state, and never sees a
/// measured stress. The figures: root mean square error, the same over the range of the measured
/// stress, R², smallest dissipation of a step, share of steps that break the second law; and their
/// means.
#[derive(Args)]
#[command(after_help = "Examples:
  hysteron evaluate steel.safetensors --data tests/example_1.csv
  hysteron evaluate steel.safetensors --data tests --records a,b --cycles 5 --json")]
pub struct Arguments {
    /// A saved law (.safetensors), or a card with a [reference] law.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    records: Records,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    records: Vec<Score>,
    mean: Option<MeanScore>,
}

impl Arguments {
    pub fn run(self) -> Result<Verdict> {
        let law = Source::open(&self.model)?.law;
        let records = self.records.load(law.as_ref())?;
        let scores = records
            .iter()
            .map(|record| evaluate(law.as_ref(), record))
            .collect::<Result<Vec<_>>>()?;
        let report = Report {
            mean: mean(&scores),
            records: scores,
        };
        match self.json {
            true => print_json(&report)?,
            false => {
                let mut table = Table::new();
                report.records.iter().for_each(|score| table.score(score));
                if let (Some(mean), true) = (&report.mean, report.records.len() > 1) {
                    table.mean(mean);
                }
                print(&table.to_string())?;
            }
        }
        Ok(Verdict::Pass)
    }
}
