//! `hysteron predict`

use super::Verdict;
use super::loading::Loading;
use super::output::{check_output, print, same_file, say_left_out};
use super::source::{UNSEEN, check_kind};
use clap::Args;
use hysteron::driver::Curve;
use hysteron::law::Status;
use hysteron::record::Record;
use hysteron::{Error, Result, open};
use std::path::PathBuf;

/// Predicts the stress of a record.
///
/// Writes the record with the stress that the law predicts from its strains, or with the strain that it predicts
/// from its stresses, as a CSV record that every command reads.
#[derive(Args)]
#[command(after_help = "Example:
  hysteron predict steel.safetensors --data tests/example_1.csv --out predicted.csv")]
pub struct Arguments {
    /// A saved law (.safetensors), or a card with a [reference] law.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The record whose strains are followed; its stresses are not used, or drive the law.
    #[arg(long, value_name = "CSV")]
    data: PathBuf,
    /// Where to write the prediction.
    #[arg(long, value_name = "CSV")]
    out: PathBuf,
    /// Add stored energy, dissipation and internal variables as further columns. A program that
    /// reads the file as a record takes them for external variables.
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    loading: Loading,
}

impl Arguments {
    pub fn run(self) -> Result<Verdict> {
        check_output(&self.out)?;
        for input in [&self.data, &self.model] {
            if same_file(&self.out, input) {
                return Err(Error::invalid(format!(
                    "{}: this would overwrite an input; give --out another name",
                    self.out.display()
                )));
            }
        }
        let law = self.loading.law(open(&self.model)?)?;
        let mut record = Record::from_csv(&self.data)?;
        say_left_out(&record.keep_external(law.external_variables())?, UNSEEN);
        check_kind(&self.data, law.as_ref(), &record)?;
        let curve = self.loading.follow(law.as_ref(), &record)?;
        let rows = record.rows();
        let mut predicted = Record {
            strain: curve.record.strain.clone(),
            stress: curve.record.stress.clone(),
            ..record
        };
        if self.full {
            add_inside(&mut predicted, &curve);
        }
        predicted.to_csv(&self.out)?;
        let outside = curve.status.iter().filter(|s| **s == Status::Outside);
        let outside = match (&curve.departure, outside.count()) {
            (Some(what), count) => {
                format!(", {count} outside the trained range of the law, first in {what}")
            }
            (None, 0) => String::new(),
            (None, count) => format!(", {count} outside the trained range of the law"),
        };
        print(&format!("{}: {rows} rows{outside}\n", self.out.display()))?;
        Ok(Verdict::Pass)
    }
}

/// Adds energies and internal variables as columns of external variables.
fn add_inside(record: &mut Record, curve: &Curve) {
    let states = curve.state_layout.len();
    let mut external = Vec::new();
    for row in 0..record.rows() {
        external.extend_from_slice(record.external_at(row));
        external.extend([curve.stored_energy[row], curve.dissipation[row]]);
        external.extend_from_slice(&curve.states[row * states..][..states]);
    }
    record.external = external;
    let names = &mut record.external_names;
    names.extend(["energy_MJ_m3", "dissipation_MJ_m3"].map(String::from));
    names.extend(curve.state_layout.labels());
}
