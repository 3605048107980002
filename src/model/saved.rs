//! A trained law with all that is needed to use and to trust it: what `hysteron train` saves.

use super::{LearnedLaw, Metadata, ModelFile, NamedTensor, SCHEMA, Units};
use crate::MaterialLaw;
use crate::audit::Audit;
use crate::error::{Error, Result};
use crate::mandel::Measure;
use crate::recurrent::Architecture;
use std::path::Path;

/// A law of the registry, trained, and where it comes from.
#[derive(Clone, Debug)]
pub struct Model {
    pub law: LearnedLaw,
    /// Everything in the file except the parameters; name and scales are those of the law.
    pub metadata: Metadata,
}

impl Model {
    /// A law of these sizes. [`Card::model`](crate::card::Card::model) also says what it was trained from.
    pub fn new(law: LearnedLaw, architecture: Architecture) -> Self {
        let metadata = Metadata {
            schema: SCHEMA,
            crate_version: env!("CARGO_PKG_VERSION").into(),
            name: law.name().into(),
            architecture,
            normalisation: law.normalisation().clone(),
            units: Units::default(),
            strain_measure: Measure::default(),
            stress_measure: Measure::default(),
            card_name: String::new(),
            card_hash: String::new(),
            training: serde_json::Value::Null,
            audit: serde_json::Value::Null,
        };
        Self { law, metadata }
    }

    /// Keeps how the law was trained.
    pub fn with_training(mut self, training: serde_json::Value) -> Self {
        self.metadata.training = training;
        self
    }

    /// Keeps an audit with the law.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the audit cannot be written as JSON.
    pub fn with_audit(mut self, audit: &Audit) -> Result<Self> {
        let audit = serde_json::to_value(audit);
        self.metadata.audit = audit.map_err(|e| Error::Invalid(e.to_string()))?;
        Ok(self)
    }

    /// Writes the file; see [`ModelFile`].
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Model`] where the law could not be loaded again.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let unconstrained = self.law.unconstrained_parameters();
        let tensors = self.law.layout().tensors().iter();
        let tensors = tensors.map(|t| NamedTensor {
            name: t.name.clone(),
            shape: t.parameter.shape().to_vec(),
            values: t.parameter.of(unconstrained).to_vec(),
        });
        ModelFile {
            metadata: self.metadata.clone(),
            tensors: tensors.collect(),
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
        let built = file.metadata.architecture.build();
        let (law, layout) = built.map_err(|e| problem(e.to_string()))?;
        let mut unconstrained = vec![0.0; layout.len()];
        for wanted in layout.tensors() {
            let found = file.tensor(&wanted.name).ok_or_else(|| {
                problem(format!(
                    "the tensor `{}` is missing: `{}` was another law when the file was written \
                         (hysteron {}); train it again",
                    wanted.name, file.metadata.architecture.law, file.metadata.crate_version
                ))
            })?;
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
                .of_mut(&mut unconstrained)
                .copy_from_slice(&found.values);
        }
        let known = |t: &&NamedTensor| !layout.tensors().iter().any(|w| w.name == t.name);
        if let Some(extra) = file.tensors.iter().find(known) {
            return Err(problem(format!("the law has no tensor `{}`", extra.name)));
        }
        let metadata = file.metadata;
        let (name, scales) = (metadata.name.clone(), metadata.normalisation.clone());
        let law = LearnedLaw::new(name, law, layout, unconstrained, scales);
        Ok(Self {
            law: law.map_err(|e| problem(e.to_string()))?,
            metadata,
        })
    }
}
