//! The state of a training, in memory and on disk.

use super::quasi_newton::QuasiNewton;
use super::rollout::vector;
use super::{LearningPoint, Training};
use crate::error::{Error, Result};
use crate::graph::values;
use burn::optim::AdamState;
use burn::optim::AdaptiveMomentumState;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Adam's running means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    steps: usize,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Moments {
    pub(super) fn into_state(self, device: &Device) -> AdamState<1> {
        let mut momentum = AdaptiveMomentumState::new(
            self.steps,
            vector(self.first, device),
            vector(self.second, device),
        );
        momentum.max_moment_2 = None;
        AdamState::new(momentum)
    }

    pub(super) fn from_state(state: AdamState<1>) -> Self {
        Self {
            steps: state.momentum.time,
            first: values(state.momentum.moment_1),
            second: values(state.momentum.moment_2),
        }
    }
}

/// Largest file that is read: a long history of a large law.
const MAX_BYTES: u64 = 1 << 30;

/// Everything that a training needs to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The next epoch.
    pub epoch: usize,
    #[serde(rename = "raw")]
    pub unconstrained: Vec<f64>,
    pub moments: Option<Moments>,
    /// Once L-BFGS has taken over.
    #[serde(default)]
    pub quasi_newton: Option<QuasiNewton>,
    pub best: Vec<f64>,
    pub best_epoch: usize,
    #[serde(with = "infinite_as_null")]
    pub best_score: f64,
    pub recoveries: usize,
    pub history: Vec<LearningPoint>,
}

/// Version of the file: the text of a law, by which a checkpoint knows it, is that of a version.
const FORMAT: u32 = 2;

/// What is written. Options and subject make sure that it is the same training.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// Files of 0.1.0 do not have it.
    #[serde(default)]
    format: u32,
    options: Training,
    /// Digest of the law's tensors and of the histories.
    subject: String,
    checkpoint: Checkpoint,
}

impl Checkpoint {
    pub fn start(unconstrained: Vec<f64>) -> Self {
        Self {
            epoch: 0,
            best: unconstrained.clone(),
            unconstrained,
            moments: None,
            quasi_newton: None,
            best_epoch: 0,
            best_score: f64::INFINITY,
            recoveries: 0,
            history: Vec::new(),
        }
    }

    /// Writes the checkpoint as JSON, to an adjacent file first, which then replaces it.
    pub fn save(&self, file: &Path, options: &Training, subject: &str) -> Result<()> {
        let stored = Stored {
            format: FORMAT,
            options: options.clone(),
            subject: subject.into(),
            checkpoint: self.clone(),
        };
        let text = serde_json::to_vec(&stored)
            .map_err(|e| Error::Training(format!("the checkpoint cannot be written: {e}")))?;
        crate::file::write(file, &text).map_err(|e| Error::io(file, e))
    }

    /// Reads a checkpoint of the same training.
    ///
    /// # Errors
    /// A file that is none, or one of other options, another law or other records.
    pub fn load(file: &Path, parameters: usize, options: &Training, subject: &str) -> Result<Self> {
        let problem = |why: String| Error::Training(format!("{}: {why}", file.display()));
        let unusable = |why: String| problem(format!("{why}; delete the file to start afresh"));
        let text = crate::file::read(file, MAX_BYTES, problem)?;
        let stored: Stored = serde_json::from_slice(&text)
            .map_err(|e| problem(format!("not a checkpoint ({e}); name another file")))?;
        if stored.format != FORMAT {
            return Err(problem(
                "a checkpoint of another version of hysteron; finish the training with that \
                 version, or delete the file to start afresh"
                    .into(),
            ));
        }
        if stored.options != *options {
            return Err(unusable(
                "a checkpoint of a training with other options".into(),
            ));
        }
        if stored.subject != subject {
            return Err(unusable(
                "a checkpoint of another law or of other records".into(),
            ));
        }
        let checkpoint = stored.checkpoint;
        let lengths = [checkpoint.unconstrained.len(), checkpoint.best.len()];
        let moments = checkpoint.moments.iter();
        let lengths = moments
            .flat_map(|m| [m.first.len(), m.second.len()])
            .chain(checkpoint.quasi_newton.iter().map(QuasiNewton::parameters))
            .chain(lengths);
        if let Some(found) = lengths.into_iter().find(|n| *n != parameters) {
            return Err(unusable(format!(
                "a checkpoint of {found} parameters, the law has {parameters}"
            )));
        }
        Ok(checkpoint)
    }
}

/// JSON has no infinity.
mod infinite_as_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}
