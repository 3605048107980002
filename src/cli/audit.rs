//! `hysteron audit`

use super::Verdict;
use super::output::{print, print_json};
use super::source::audit_options;
use clap::Args;
use hysteron::audit::audit;
use hysteron::{Result, open};
use std::path::PathBuf;

/// Measures what makes a law fit for a finite element solver.
///
/// Consistent tangent, second law, stationarity, dependence on the step, and more, along random
/// histories within the trained strains and ten and a hundred times beyond. Guaranteed rows hold by
/// construction of the law, tested rows are only measured; a row that round-off hides is
/// undecided. The exit code is 1 where a guaranteed row fails.
#[derive(Args)]
#[command(after_help = "Examples:
  hysteron audit steel.safetensors
  hysteron audit materials/steel_s355_voce_chaboche/card.toml    (its classical law)
  hysteron audit steel.safetensors --json")]
pub struct Arguments {
    /// A saved law (.safetensors), or a card with a [reference] law.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Seed of the random histories.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub fn run(self) -> Result<Verdict> {
        let law = open(&self.model)?.law()?;
        let options = audit_options(law.typical_external(), self.seed);
        let audit = audit(law.as_ref(), &options);
        match self.json {
            true => print_json(&audit)?,
            false => print(&audit.to_string())?,
        }
        Ok(match audit.pass {
            true => Verdict::Pass,
            false => Verdict::Fail,
        })
    }
}
