//! Records of a command, and what several commands share.

use super::loading::Loading;
use super::output::say_left_out;
use clap::Args;
use hysteron::audit::AuditOptions;
use hysteron::record::Record;
use hysteron::{Error, MaterialLaw, Result};
use std::path::{Path, PathBuf};

/// The default audit, external variables held at these values.
pub fn audit_options(external: Vec<f64>, seed: Option<u64>) -> AuditOptions {
    let default = AuditOptions::default();
    AuditOptions {
        seed: seed.unwrap_or(default.seed),
        external,
        ..default
    }
}

pub fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case(extension))
}

/// Reads a whole number above zero.
pub fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number above zero is needed".into()),
        Ok(number) => Ok(number),
    }
}

/// What columns are that a law does not take.
pub const UNSEEN: &str = "the law does not see them";

/// Selection of records.
#[derive(Args)]
pub struct Records {
    /// A CSV record, or a folder of them.
    #[arg(long, value_name = "CSV|DIR")]
    data: PathBuf,
    /// Only these records of the folder, by name.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    records: Vec<String>,
    /// Only the initial loading and the first N cycles of each record.
    #[arg(long, value_name = "N", value_parser = positive)]
    cycles: Option<usize>,
    /// Even steps of at most this strain along the path, in place of the rows as measured.
    #[arg(long, value_name = "STRAIN")]
    spacing: Option<f64>,
    #[command(flatten)]
    pub loading: Loading,
}

impl Records {
    /// Reads the records and checks that the law can follow them.
    ///
    /// # Errors
    /// Those of the record files; unknown names; records of another kind than the law.
    pub fn load(&self, law: &dyn MaterialLaw) -> Result<Vec<Record>> {
        let all = match self.data.is_dir() {
            true => Record::from_dir(&self.data)?,
            false => vec![Record::from_csv(&self.data)?],
        };
        let unknown = |name: &&String| !all.iter().any(|r| r.name == **name);
        if let Some(name) = self.records.iter().find(unknown) {
            let known: Vec<_> = all.iter().map(|r| r.name.as_str()).collect();
            return Err(Error::invalid(format!(
                "{}: no record is called `{name}`; there are: {}",
                self.data.display(),
                known.join(", ")
            )));
        }
        let chosen = all
            .into_iter()
            .filter(|r| self.records.is_empty() || self.records.contains(&r.name));
        let mut left_out: Vec<String> = Vec::new();
        let cut = chosen.map(|mut record| {
            check_kind(&self.data, law, &record)?;
            for column in record.keep_external(law.external_variables())? {
                if !left_out.contains(&column) {
                    left_out.push(column);
                }
            }
            let record = match self.cycles {
                Some(cycles) => record.first_cycles(cycles),
                None => record,
            };
            match self.spacing {
                Some(spacing) => record.thinned(spacing, law.guarantees().rate_independent),
                None => Ok(record),
            }
        });
        let records = cut.collect();
        say_left_out(&left_out, UNSEEN);
        records
    }
}

/// Checks that a law can follow a record: one with its components, or a uniaxial one, with time if it sees time.
///
/// # Errors
/// [`Error::Invalid`] naming the file or folder, and the record.
pub fn check_kind(data: &Path, law: &dyn MaterialLaw, record: &Record) -> Result<()> {
    let clock = record.check_clock(law.guarantees().rate_independent);
    clock.map_err(|e| Error::invalid(format!("{}: {e}", data.display())))?;
    let (found, needed) = (record.components, law.components());
    if found == needed || found == 1 {
        return Ok(());
    }
    let advice = match (found, needed) {
        (3, 6) => "say --stress-state plane-stress or plane-strain",
        _ => "choose other records or another law",
    };
    Err(Error::invalid(format!(
        "{}: record `{}` has {found} components, the law `{}` has {needed}; {advice}",
        data.display(),
        record.name,
        law.name()
    )))
}
