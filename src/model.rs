//! A trained law with all that is needed to use and to trust it: what `hysteron train` saves.

use crate::audit::Audit;
use crate::card::{Card, Measure};
use crate::error::{Error, Result};
use crate::learned::LearnedLaw;
use crate::model_file::{Metadata, ModelFile, NamedTensor, SCHEMA, Units};
use crate::recurrent::Architecture;
use std::path::Path;

/// A law of the list, trained, and where it comes from.
#[derive(Clone, Debug)]
pub struct Model {
    pub law: LearnedLaw,
    /// Version of the crate that wrote the file.
    pub crate_version: String,
    pub architecture: Architecture,
    pub strain_measure: Measure,
    pub stress_measure: Measure,
    pub card_name: String,
    /// [`Card::hash`]
    pub card_hash: String,
    /// How it was trained, as the training reports it.
    pub training: serde_json::Value,
    /// The [`Audit`] at the end of training.
    pub audit: serde_json::Value,
}

impl Model {
    /// A law trained from a card.
    pub fn new(law: LearnedLaw, architecture: Architecture, card: &Card) -> Self {
        Self {
            law,
            crate_version: env!("CARGO_PKG_VERSION").into(),
            architecture,
            strain_measure: card.strain_measure,
            stress_measure: card.stress_measure,
            card_name: card.name.clone(),
            card_hash: card.hash(),
            training: serde_json::Value::Null,
            audit: serde_json::Value::Null,
        }
    }

    /// Keeps an audit with the law.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the audit cannot be written as JSON.
    pub fn with_audit(mut self, audit: &Audit) -> Result<Self> {
        self.audit = serde_json::to_value(audit).map_err(|e| Error::Invalid(e.to_string()))?;
        Ok(self)
    }

    /// What the file says beside the parameters.
    pub fn metadata(&self) -> Metadata {
        Metadata {
            schema: SCHEMA,
            crate_version: self.crate_version.clone(),
            name: crate::MaterialLaw::name(&self.law).into(),
            architecture: self.architecture.clone(),
            normalisation: self.law.normalisation().clone(),
            units: Units::default(),
            strain_measure: self.strain_measure,
            stress_measure: self.stress_measure,
            card_name: self.card_name.clone(),
            card_hash: self.card_hash.clone(),
            training: self.training.clone(),
            audit: self.audit.clone(),
        }
    }

    /// Writes the file; see [`crate::model_file`].
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Model`] where the law could not be loaded again.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let raw = self.law.raw_parameters();
        let tensors = self.law.layout().tensors().iter();
        ModelFile {
            metadata: Metadata {
                crate_version: env!("CARGO_PKG_VERSION").into(),
                ..self.metadata()
            },
            tensors: tensors
                .map(|t| NamedTensor {
                    name: t.name.clone(),
                    shape: t.parameter.shape().to_vec(),
                    values: t.parameter.of(raw).to_vec(),
                })
                .collect(),
        }
        .save(path)
    }

    /// Reads a file written by [`Model::save`].
    ///
    /// # Errors
    /// Those of [`ModelFile::load`], and [`Error::Model`] where a tensor is missing, superfluous
    /// or of another shape than the law's.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_file(ModelFile::load(path)?, path)
    }

    /// From memory; `path` stands in the errors.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_bytes(path: impl AsRef<Path>, bytes: &[u8]) -> Result<Self> {
        let path = path.as_ref();
        Self::from_file(ModelFile::from_bytes(path, bytes)?, path)
    }

    fn from_file(file: ModelFile, path: &Path) -> Result<Self> {
        let problem = |message: String| Error::Model {
            path: path.to_path_buf(),
            message,
        };
        let metadata = &file.metadata;
        let built = metadata.architecture.build();
        let (law, layout) = built.map_err(|e| problem(e.to_string()))?;
        let mut raw = vec![0.0; layout.len()];
        for wanted in layout.tensors() {
            let found = file
                .tensor(&wanted.name)
                .ok_or_else(|| problem(format!("the tensor `{}` is missing", wanted.name)))?;
            if found.shape != wanted.parameter.shape() {
                return Err(problem(format!(
                    "the tensor `{}` has the shape {:?}, the law needs {:?}",
                    wanted.name,
                    found.shape,
                    wanted.parameter.shape()
                )));
            }
            wanted
                .parameter
                .of_mut(&mut raw)
                .copy_from_slice(&found.values);
        }
        let known = |t: &&NamedTensor| !layout.tensors().iter().any(|w| w.name == t.name);
        if let Some(extra) = file.tensors.iter().find(known) {
            return Err(problem(format!("the law has no tensor `{}`", extra.name)));
        }
        let metadata = file.metadata;
        let law = LearnedLaw::new(metadata.name, law, layout, raw, metadata.normalisation)
            .map_err(|e| problem(e.to_string()))?;
        Ok(Self {
            law,
            crate_version: metadata.crate_version,
            architecture: metadata.architecture,
            strain_measure: metadata.strain_measure,
            stress_measure: metadata.stress_measure,
            card_name: metadata.card_name,
            card_hash: metadata.card_hash,
            training: metadata.training,
            audit: metadata.audit,
        })
    }
}
