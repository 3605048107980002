//! Export of a law to a host program: a folder with library, law, a job that runs, README.
//!
//! The library is a copy of the one built from this crate. It carries no law: it reads the one that
//! lies beside it ([`adjacent_law`](super::adjacent_law)), so that nothing has to be compiled.

mod audited;
mod calculix;
mod check;
mod job;
mod open_geo_sys;
mod subject;

use super::adjacent::{CARD, MODEL};
use super::outside::FILE as OUTSIDE;
use crate::error::{Error, Result};
use crate::file;
use crate::law::MaterialLaw;
use crate::open::{LawSource, open};
use std::path::{Path, PathBuf};
use subject::Subject;

/// The interface that a host speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Host {
    /// CalculiX, Abaqus, Elmer.
    Umat,
    /// OpenGeoSys, code_aster.
    Mgis,
}

/// A law to export, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Export<'a> {
    /// A saved law, or a card with a reference law.
    pub model: &'a Path,
    pub host: Host,
    /// Name of the law in the host.
    pub name: &'a str,
    /// The folder to write; made where it is not there.
    pub out: &'a Path,
    /// The shared library; by default the one beside the running program.
    pub library: Option<&'a Path>,
    /// Rows of the audit that may be beyond their limits although a solver suffers from them, and inputs that
    /// OpenGeoSys does not give.
    pub allow: &'a [String],
}

/// The files of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    pub files: Vec<PathBuf>,
    /// What this machine lacks to run the job, and how to get it.
    pub missing: Vec<String>,
}

/// Longest name: CalculiX has 80 characters for a material, with its prefix.
const MAX_NAME: usize = 60;

impl Export<'_> {
    /// Writes the folder, once the library has been loaded with the law.
    ///
    /// # Errors
    /// A name that the host cannot use, a law that it cannot use, that cannot be loaded, or that a solver
    /// suffers from without leave; no library, a folder that cannot be written, a library that does not find the law.
    pub fn write(&self) -> Result<Exported> {
        let name = self.checked_name()?;
        let source = open(self.model)?;
        let (file, extension) = match &source {
            LawSource::Model(_) => (self.model.to_path_buf(), MODEL),
            LawSource::Card(card) => (card.path().to_path_buf(), CARD),
        };
        let subject = Subject::new(name.clone(), source)?;
        subject.check_allowed(self.host, self.allow)?;
        let built = self.library()?;
        let read = |path: &Path| std::fs::read(path).map_err(|e| Error::io(path, e));
        let other = if extension == MODEL { CARD } else { MODEL };
        let stale = self.out.join(format!("{name}.{other}"));
        if stale.exists() {
            return Err(Error::invalid(format!(
                "{} is there from another export: remove it, or choose another folder",
                stale.display()
            )));
        }
        let library = (format!("lib{name}.so"), read(&built)?);
        let law = (format!("{name}.{extension}"), read(&file)?);
        let missing = check::missing(self.host);
        let job = match self.host {
            Host::Umat => calculix::files(&subject),
            Host::Mgis => open_geo_sys::files(&subject),
        };
        let job = job
            .into_iter()
            .map(|(name, text)| (name, text.into_bytes()));
        self.try_out(&library, &law, &subject.law)?;
        let outside = (format!("{name}.{OUTSIDE}"), b"warn\n".to_vec());
        let all = [library, law, outside].into_iter().chain(job);
        let files = all.map(|(name, bytes)| put(self.out, &name, &bytes));
        Ok(Exported {
            files: files.collect::<Result<_>>()?,
            missing,
        })
    }

    /// Loads the library with its law from a folder of their own, before anything is replaced.
    fn try_out(
        &self,
        library: &(String, Vec<u8>),
        law: &(String, Vec<u8>),
        solid: &dyn MaterialLaw,
    ) -> Result<()> {
        let made = !self.out.exists();
        let trial = self.out.join(format!(".trial-{}", std::process::id()));
        std::fs::create_dir_all(&trial).map_err(|e| Error::io(&trial, e))?;
        let loaded = put(&trial, &law.0, &law.1)
            .and_then(|_| put(&trial, &library.0, &library.1))
            .and_then(|library| check::loads(&library, solid));
        // Nothing more can be done about a folder that cannot be removed.
        let _ = std::fs::remove_dir_all(&trial);
        if loaded.is_err() && made {
            let _ = std::fs::remove_dir(self.out);
        }
        loaded
    }

    /// The name as the host spells it.
    fn checked_name(&self) -> Result<String> {
        let name = self.name;
        let fail = |message: &str| Err(Error::invalid(format!("--name {name}: {message}")));
        if name.is_empty() || name.len() > MAX_NAME {
            return fail("1 to 60 characters are possible");
        }
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return fail("it must begin with a letter");
        }
        let letters = |c: char| c.is_ascii_alphanumeric() || (self.host == Host::Mgis && c == '_');
        if !name.chars().all(letters) {
            return fail("only letters and digits are possible (and _ for mgis)");
        }
        if name.eq_ignore_ascii_case(env!("CARGO_PKG_NAME")) {
            return fail("this is the name of the library without a law");
        }
        Ok(match self.host {
            // CalculiX reads names in capitals.
            Host::Umat => name.to_ascii_uppercase(),
            Host::Mgis => name.to_string(),
        })
    }

    fn library(&self) -> Result<PathBuf> {
        if let Some(library) = self.library {
            return Ok(library.to_path_buf());
        }
        let program = std::env::current_exe().map_err(|e| Error::io("this program", e))?;
        let library = program.with_file_name("libhysteron.so");
        match library.is_file() {
            true => Ok(library),
            false => Err(Error::invalid(format!(
                "{} is not there. Build it once, in the folder of hysteron, with\n    cargo rustc \
                 --release --no-default-features --features capi --crate-type cdylib\nor say where \
                 it is: --library FILE",
                library.display()
            ))),
        }
    }
}

/// Writes a file of a folder.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let path = folder.join(name);
    file::write(&path, bytes).map_err(|e| Error::io(&path, e))?;
    Ok(path)
}
