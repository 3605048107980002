//! What a training reports of each epoch: to its observer, its checkpoints and its figure.

use serde::{Deserialize, Serialize};

/// One epoch of a training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LearningPoint {
    pub epoch: usize,
    /// The terms of the loss with their weights; the loss is their sum.
    pub stress: f64,
    pub dissipation: f64,
    pub tangent: f64,
    /// Of Poisson's ratio at rest, where it is held to a value.
    #[serde(default)]
    pub poisson: f64,
    /// The loss on the validation records, in the epochs that compute it.
    pub validation: Option<f64>,
    /// Share of the steps with negative dissipation, 0 to 1.
    pub negative_share: f64,
    /// Of Adam, or the share of its direction that L-BFGS went.
    pub learning_rate: f64,
}

impl LearningPoint {
    pub fn loss(&self) -> f64 {
        self.stress + self.dissipation + self.tangent + self.poisson
    }
}
