//! How a law is trained.

use serde::{Deserialize, Serialize};

const MAX_EPOCHS: usize = 10_000_000;
const MAX_PROBES: usize = 4096;

/// Where roll-outs are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum TrainingDevice {
    /// The processor, a whole roll-out as one operation: the fastest for all but large batches.
    #[default]
    Cpu,
    /// The processor, operation by operation on burn's CPU device: slow, to check the others.
    Flex,
    /// A GPU through the graphics interface, with the feature `wgpu`.
    Wgpu,
    /// A GPU through CUDA, with the feature `cuda`.
    Cuda,
}

/// Number format of roll-outs and gradients; the optimiser keeps `f64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    #[default]
    F64,
    F32,
}

/// Normalisation of the stress error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorScale {
    /// By the root mean square stress of all records: a MPa counts the same everywhere.
    #[default]
    Common,
    /// By that of the record: a per cent counts the same, where records differ in their stress.
    Record,
}

/// How a law is trained, `[train]` in a card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// The records are learned at each of these largest strain increments at once, zero being the
    /// rows as measured ([`Record::thinned`](crate::record::Record::thinned)). Several make a law that depends
    /// less on the step.
    pub spacing: Vec<f64>,
    /// Passes over the training records.
    pub epochs: usize,
    /// Adam's step at the start.
    pub learning_rate: f64,
    /// Adam's step at the end of its cosine decay.
    pub final_learning_rate: f64,
    /// Share of the epochs, the last ones, in which L-BFGS takes the place of Adam.
    #[serde(skip_serializing_if = "is_default")]
    pub quasi_newton: f64,
    /// `λ_R`: L2 penalty on the distance of the unconstrained parameters from their initial values, at
    /// which it holds what the records do not determine.
    #[serde(skip_serializing_if = "is_default")]
    pub ridge: f64,
    /// Largest norm of the gradient.
    pub clip: f64,
    /// `λ_D`, weight of `mean relu(margin − D_end/s_D)²`.
    pub dissipation_weight: f64,
    /// Dissipation, over `s_D`, below which a step is penalised.
    pub dissipation_margin: f64,
    /// Share of the epochs over which `λ_D` rises from zero.
    pub dissipation_warmup: f64,
    /// Random histories without a measured stress on which the penalty is taken as well.
    pub probes: usize,
    /// Largest strain of the probes, over the largest training strain.
    pub probe_range: f64,
    /// `λ_C`, weight of the error of the stress increments along the path (the secant stiffness).
    pub tangent_weight: f64,
    #[serde(skip_serializing_if = "is_default")]
    pub error_scale: ErrorScale,
    /// Stop after so many epochs without a better law.
    pub patience: Option<usize>,
    /// Epochs between two evaluations of the validation records.
    pub validate_every: usize,
    /// Seed of the initial parameters.
    pub seed: u64,
    // Not serialised where they are the default, so that they do not change the hash of older cards.
    #[serde(skip_serializing_if = "is_default")]
    pub device: TrainingDevice,
    #[serde(skip_serializing_if = "is_default")]
    pub precision: Precision,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for Training {
    fn default() -> Self {
        Self {
            spacing: vec![0.0],
            epochs: 2000,
            learning_rate: 1e-2,
            final_learning_rate: 1e-4,
            quasi_newton: 0.0,
            ridge: 0.0,
            clip: 1.0,
            dissipation_weight: 1.0,
            dissipation_margin: 0.0,
            dissipation_warmup: 0.0,
            probes: 8,
            probe_range: 2.0,
            tangent_weight: 0.0,
            error_scale: ErrorScale::default(),
            patience: None,
            validate_every: 10,
            seed: 1,
            device: TrainingDevice::default(),
            precision: Precision::default(),
        }
    }
}

impl Training {
    /// Checks every range; returns the key at fault and the cause.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        for (key, value) in [
            ("epochs", self.epochs),
            ("patience", self.patience.unwrap_or(1)),
            ("validate_every", self.validate_every),
        ] {
            if value == 0 || value > MAX_EPOCHS {
                return Err((key, format!("{value}, 1 to {MAX_EPOCHS} are possible")));
            }
        }
        for (key, value) in [
            ("learning_rate", self.learning_rate),
            ("clip", self.clip),
            ("probe_range", self.probe_range),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err((key, format!("{value} is not a positive number")));
            }
        }
        let spacings = self.spacing.iter().map(|s| ("spacing", *s));
        for (key, value) in spacings.chain([
            ("final_learning_rate", self.final_learning_rate),
            ("dissipation_weight", self.dissipation_weight),
            ("dissipation_margin", self.dissipation_margin),
            ("tangent_weight", self.tangent_weight),
            ("ridge", self.ridge),
        ]) {
            if !(value.is_finite() && value >= 0.0) {
                return Err((key, format!("{value} is negative or not a number")));
            }
        }
        if self.spacing.is_empty() {
            return Err((
                "spacing",
                "the list is empty; 0 keeps the rows as measured".into(),
            ));
        }
        if self.probes > MAX_PROBES {
            return Err((
                "probes",
                format!("{}, 0 to {MAX_PROBES} are possible", self.probes),
            ));
        }
        for (key, share) in [
            ("dissipation_warmup", self.dissipation_warmup),
            ("quasi_newton", self.quasi_newton),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err((key, format!("{share}, 0 to 1 are possible")));
            }
        }
        if self.dissipation_warmup + self.quasi_newton > 1.0 {
            let message = format!(
                "{} and quasi_newton = {} are more than all epochs: L-BFGS needs a loss that stays",
                self.dissipation_warmup, self.quasi_newton
            );
            return Err(("dissipation_warmup", message));
        }
        if self.final_learning_rate > self.learning_rate {
            let message = format!(
                "{} is above learning_rate = {}",
                self.final_learning_rate, self.learning_rate
            );
            return Err(("final_learning_rate", message));
        }
        Ok(())
    }
}
