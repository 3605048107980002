//! Material cards: a material, its records, and how to learn a law from them.
//!
//! ```toml
//! name = "steel"
//! description = "cyclic tests on structural steel"
//! licence = "MIT"
//! strain_measure = "true"
//! stress_measure = "true"
//! records = ["tests"]              # files or folders, beside the card
//!
//! [elastic]
//! young_MPa = 205e3
//! poisson = 0.3
//!
//! [split]
//! validation = ["test_3"]
//!
//! [learn]
//! states = 8
//! ```
//!
//! In place of records, or beside them, a card may name a reference law with its parameters
//! (`[reference]`) and loading programmes (`[[programme]]`) that make records of it.

mod check;

use crate::driver::drive;
use crate::error::{Error, Result};
use crate::file;
use crate::laws::ReferenceLaw;
use crate::loading::{NamedProgramme, Programme};
use crate::mandel::{Measure, StressState};
use crate::model::{LearnedLaw, Model};
use crate::record::{Record, Split};
use crate::recurrent::Architecture;
use crate::train::Training;
use check::line_of;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The name of the card in a material's folder.
pub const CARD_FILE: &str = "card.toml";
const MAX_BYTES: u64 = 1 << 20;

/// Elastic constants where they are known. A law of six components that learns from bars takes Poisson's ratio
/// from here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(non_snake_case)] // The unit, as it stands in the card.
pub struct ElasticConstants {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub young_MPa: Option<f64>,
    pub poisson: f64,
    /// Of the flow: with it and `young_MPa`, the transverse strains of bars are
    /// [known](Record::elastoplastic_bar); one half for metals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plastic_poisson: Option<f64>,
}

/// A material card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub citation: String,
    #[serde(default)]
    pub licence: String,
    #[serde(default)]
    pub strain_measure: Measure,
    #[serde(default)]
    pub stress_measure: Measure,
    /// 1, 3 or 6.
    #[serde(default = "one")]
    pub components: usize,
    /// Names of the external variables: further columns of the records that the law takes as inputs, such as a
    /// temperature. Other columns are left out.
    #[serde(default)]
    pub external: Vec<String>,
    #[serde(default)]
    pub elastic: Option<ElasticConstants>,
    /// CSV files, and folders of them, relative to the card.
    #[serde(default)]
    pub records: Vec<PathBuf>,
    #[serde(default)]
    pub reference: Option<ReferenceLaw>,
    #[serde(default)]
    pub programme: Vec<NamedProgramme>,
    #[serde(default)]
    pub split: Split,
    #[serde(default)]
    pub learn: Architecture,
    #[serde(default)]
    pub train: Training,
    /// The card's file, or the folder without one.
    #[serde(skip)]
    path: PathBuf,
}

fn one() -> usize {
    1
}

impl Card {
    /// Opens a card file, a folder with a `card.toml`, or a folder of CSV records (also in its
    /// subfolder `tests`), for which a card with the folder's name is made.
    ///
    /// # Errors
    /// [`Error::Card`] naming file, line and cause; [`Error::Io`]; for a folder of records also
    /// [`Error::Record`].
    pub fn open(path: impl AsRef<Path>) -> Result<Card> {
        let path = path.as_ref();
        let about = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
        if !about.is_dir() {
            return Self::read(path);
        }
        let file = path.join(CARD_FILE);
        if file.is_file() {
            return Self::read(&file);
        }
        Self::of_folder(path)
    }

    fn read(path: &Path) -> Result<Card> {
        let problem = |message| Error::Card {
            path: path.to_path_buf(),
            line: None,
            message,
        };
        Self::from_bytes(path, &file::read(path, MAX_BYTES, problem)?)
    }

    /// A card from memory; `path` is named in the errors, and record paths are relative to its folder.
    ///
    /// # Errors
    /// [`Error::Card`] naming line and cause.
    pub fn from_bytes(path: impl AsRef<Path>, bytes: &[u8]) -> Result<Card> {
        let path = path.as_ref();
        let line_at = |at: usize| 1 + bytes.iter().take(at).filter(|b| **b == b'\n').count();
        let problem = |line: Option<usize>, message: String| Error::Card {
            path: path.to_path_buf(),
            line,
            message,
        };
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let line = line_at(e.valid_up_to());
            problem(Some(line), "not UTF-8 text".into())
        })?;
        let mut card: Card = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|span| line_at(span.start));
            problem(line, e.message().to_string())
        })?;
        card.path = path.to_path_buf();
        card.check().map_err(|fault| {
            let place = match fault.table {
                "" => fault.key.to_string(),
                table => format!("{table}.{}", fault.key),
            };
            let line = line_of(text, fault.table, fault.key);
            problem(line, format!("{place}: {}", fault.message))
        })?;
        Ok(card)
    }

    fn of_folder(path: &Path) -> Result<Card> {
        let records = Record::from_dir(path)?;
        let full = path.canonicalize().map_err(|e| Error::io(path, e))?;
        let name = full.file_name().unwrap_or(full.as_os_str());
        let first = records.into_iter().next().unwrap_or_default();
        Ok(Card {
            name: name.to_string_lossy().into_owned(),
            description: String::new(),
            citation: String::new(),
            licence: String::new(),
            strain_measure: Measure::default(),
            stress_measure: Measure::default(),
            components: first.components,
            external: Vec::new(),
            elastic: None,
            records: vec![PathBuf::from(".")],
            reference: None,
            programme: Vec::new(),
            split: Split::default(),
            learn: Architecture::default(),
            train: Training::default(),
            path: path.to_path_buf(),
        })
    }

    /// The card's file, or the folder without one.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder to which the card's paths are relative.
    pub fn folder(&self) -> &Path {
        match self.path.is_dir() {
            true => &self.path,
            false => self.path.parent().unwrap_or(Path::new("")),
        }
    }

    /// Reads the records that the card lists, in its order.
    ///
    /// # Errors
    /// Those of [`Record::from_csv`]; [`Error::Card`] where a record's components or external
    /// variables are not the card's, or two records share a name.
    pub fn load_records(&self) -> Result<Vec<Record>> {
        Ok(self.records_and_left_out()?.0)
    }

    fn records_and_left_out(&self) -> Result<(Vec<Record>, Vec<String>)> {
        let mut records: Vec<Record> = Vec::new();
        for entry in &self.records {
            let path = self.folder().join(entry);
            match path.is_dir() {
                true => records.extend(Record::from_dir(&path)?),
                false => records.push(Record::from_csv(&path)?),
            }
        }
        if self.learn.stress_state == Some(StressState::Uniaxial) {
            let bars: Option<Vec<Record>> = records.iter().map(Record::solid_bar).collect();
            records = bars.unwrap_or(records);
        }
        let mut names = HashSet::new();
        let mut left_out: Vec<String> = Vec::new();
        for record in &mut records {
            let solid_bar = self.learn.stress_state.is_some() && record.components == 6;
            if record.components != self.components && !solid_bar {
                return Err(self.problem(format!(
                    "record `{}` has {} components, the card says components = {}",
                    record.name, record.components, self.components
                )));
            }
            let others = record.keep_external(&self.external);
            for column in others.map_err(|e| self.problem(e.to_string()))? {
                if !left_out.contains(&column) {
                    left_out.push(column);
                }
            }
            if !names.insert(record.name.clone()) {
                return Err(self.problem(format!("two records are called `{}`", record.name)));
            }
        }
        Ok((records, left_out))
    }

    /// Every record of the card: those that it lists, then those that its reference law makes of
    /// its loading programmes. Bars with a known transverse strain that teach a law of six components are records
    /// of six.
    ///
    /// # Errors
    /// Those of [`Card::load_records`] and [`Card::programmes`]; [`Error::Drive`] where the
    /// reference law cannot follow a programme.
    pub fn all_records(&self) -> Result<Vec<Record>> {
        Ok(self.all_records_and_left_out()?.0)
    }

    /// [`Card::all_records`], and the names of the columns of the card's files that are no external variables of
    /// the card.
    ///
    /// # Errors
    /// Those of [`Card::all_records`].
    pub fn all_records_and_left_out(&self) -> Result<(Vec<Record>, Vec<String>)> {
        let (mut records, left_out) = self.records_and_left_out()?;
        if let Some(reference) = &self.reference {
            let law = reference.build(self.components)?;
            for programme in self.programmes()? {
                records.push(drive(law.as_ref(), &programme)?.record);
            }
        }
        if let (Some(elastic), Some(StressState::Uniaxial)) =
            (self.elastic, self.learn.stress_state)
            && let (Some(young), Some(plastic)) = (elastic.young_MPa, elastic.plastic_poisson)
        {
            for bar in records.iter_mut().filter(|record| record.components == 1) {
                *bar = bar.elastoplastic_bar(young, elastic.poisson, plastic);
            }
        }
        if records.is_empty() {
            let message =
                "nothing to learn from: add records, or a [[programme]] for the reference";
            return Err(self.problem(message.into()));
        }
        Ok((records, left_out))
    }

    /// Builds the card's loading programmes for its components, external variables in the card's
    /// order.
    ///
    /// # Errors
    /// [`Error::Card`] naming the programme and the cause.
    pub fn programmes(&self) -> Result<Vec<Programme>> {
        let build = |p: &NamedProgramme| {
            let built = p.build(self.components);
            let mut programme = built.map_err(|e| self.problem(e.to_string()))?;
            let value = |name: &String| p.external.get(name).copied();
            let values: Option<Vec<f64>> = self.external.iter().map(value).collect();
            let Some(values) = values.filter(|v| v.len() == p.external.len()) else {
                return Err(self.problem(format!(
                    "loading programme `{}` gives the external variables [{}], the card says [{}]",
                    p.name,
                    programme.external_names.join(", "),
                    self.external.join(", ")
                )));
            };
            programme.external_names.clone_from(&self.external);
            for step in &mut programme.steps {
                step.external.clone_from(&values);
            }
            Ok(programme)
        };
        self.programme.iter().map(build).collect()
    }

    /// A law of these sizes that was trained from this card.
    pub fn model(&self, law: LearnedLaw, architecture: Architecture) -> Model {
        let mut model = Model::new(law, architecture);
        model.metadata.strain_measure = self.strain_measure;
        model.metadata.stress_measure = self.stress_measure;
        model.metadata.card_name = self.name.clone();
        model.metadata.card_hash = self.hash();
        model
    }

    /// SHA-256, in hexadecimal, of the values of the card: formatting and comments do not count.
    pub fn hash(&self) -> String {
        // Serialising plain data to memory cannot fail; an empty text would only change the hash.
        let text = serde_json::to_string(self).unwrap_or_default();
        file::hexadecimal(&Sha256::digest(text))
    }

    fn problem(&self, message: String) -> Error {
        Error::Card {
            path: self.path.clone(),
            line: None,
            message,
        }
    }
}
