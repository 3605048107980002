//! `hysteron export`

use super::Verdict;
use super::output::{note, print};
use clap::Args;
use hysteron::Result;
use hysteron::host::export::{Export, Host};
use std::path::PathBuf;

/// Writes a folder with which a finite element program uses a law: a shared library, the law, a job
/// that runs, and a README of three commands.
///
/// No compiler is needed: the library is a copy of the one that came with this program, and reads
/// the law that lies beside it.
#[derive(Args)]
#[command(after_help = "Examples:
  hysteron export steel.safetensors --host mgis --name steel --out steel_ogs
  hysteron export materials/carbon_epoxy_as4_3501_6 --host umat --name ply --out ply_ccx

umat: CalculiX, Abaqus, Elmer; mgis: OpenGeoSys, code_aster.")]
pub struct Arguments {
    /// A saved law, or a card with a reference law.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The interface of the program that will use the law.
    #[arg(long, value_enum)]
    host: Host,
    /// What the law is called there.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The shared library to copy [default: libhysteron.so beside this program].
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,
    /// Export the law although these rows of its audit are beyond their limits, or although OpenGeoSys does not
    /// give it these inputs.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    allow: Vec<String>,
}

impl Arguments {
    pub fn run(self) -> Result<Verdict> {
        let exported = Export {
            model: &self.model,
            host: self.host,
            name: &self.name,
            out: &self.out,
            library: self.library.as_deref(),
            allow: &self.allow,
        }
        .write()?;
        for file in &exported.files {
            print(&format!("{}\n", file.display()))?;
        }
        for missing in &exported.missing {
            note(&format!("missing: {missing}"));
        }
        Ok(Verdict::Pass)
    }
}
