//! `hysteron evaluate`

use super::Verdict;
use super::output::{Table, departures, one_line, print, print_json, splits};
use super::source::Records;
use clap::Args;
use hysteron::evaluate::{MeanScore, Score, mean, score};
use hysteron::{Error, Result, open};
use serde::Serialize;
use std::path::PathBuf;

/// Compares a law with measured records.
///
/// The law follows the strains of each record on its own, from the virgin state, and never sees a
/// measured stress; with --stress-controlled it follows measured stresses and never sees the strain there. The
/// figures: root mean square error, the same over the range of the measured
/// values, R², smallest dissipation of a step, share of steps that break the second law; and their
/// means. A record that the law cannot follow is left out, and named at the end.
#[derive(Args)]
#[command(after_help = "Examples:
  hysteron evaluate steel.safetensors --data tests/example_1.csv
  hysteron evaluate steel.safetensors --data tests --records a,b --cycles 5 --json
  hysteron evaluate solid.safetensors --data sheet.csv --stress-state plane-stress
  hysteron evaluate steel.safetensors --data creep.csv --stress-controlled all")]
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
struct EvaluationReport {
    records: Vec<Score>,
    mean: Option<MeanScore>,
}

impl Arguments {
    pub fn run(self) -> Result<Verdict> {
        let loading = &self.records.loading;
        let law = loading.law(open(&self.model)?)?;
        let records = self.records.load(law.as_ref())?;
        let (mut scores, mut failures) = (Vec::new(), Vec::new());
        for record in &records {
            let curve = loading.follow(law.as_ref(), record);
            match curve.and_then(|curve| score(record, &curve)) {
                Ok(score) => scores.push(score),
                Err(error) => failures.push(one_line(&error.to_string())),
            }
        }
        let report = EvaluationReport {
            mean: mean(&scores),
            records: scores,
        };
        match self.json {
            true => print_json(&report)?,
            false => {
                let mut table = Table::new(loading.quantity());
                report.records.iter().for_each(|score| table.score(score));
                if let (Some(mean), true) = (&report.mean, report.records.len() > 1) {
                    table.mean(mean);
                }
                let (split, outside) = (splits(&report.records), departures(&report.records));
                print(&format!("{table}{split}{outside}"))?;
            }
        }
        match failures.is_empty() {
            true => Ok(Verdict::Pass),
            false => Err(Error::invalid(format!(
                "{} of {} records without an answer: {}",
                failures.len(),
                records.len(),
                failures.join("; ")
            ))),
        }
    }
}
