//! Learning a recurrent law from records, with burn.
//!
//! Roll-outs are free-running over whole records: the law never sees a measured stress. The whole
//! roll-out is one operation of burn's graph ([`rollout`]), the loss and its gradient are burn's
//! ([`loss`]), the optimiser is burn's Adam ([`fit`]).

pub mod checkpoint;
pub mod fit;
pub mod loss;
pub mod rollout;

pub use checkpoint::Checkpoint;
pub use crate::learning::LearningPoint;
pub use fit::{Fit, Progress, Stop, fit};
pub use rollout::Histories;

use crate::algebra::ParameterLayout;
use crate::error::{Error, Result};
use crate::learned::{LearnedLaw, Normalisation};
use crate::record::{Padded, Record, RecordScales};
use crate::recurrent::{AnyLaw, Architecture, RecurrentLaw};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::path::PathBuf;

/// How a law is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Passes over the training records.
    pub epochs: usize,
    /// Adam's step at the start.
    pub learning_rate: f64,
    /// And at the end of a cosine decay.
    pub final_learning_rate: f64,
    /// Largest norm of the gradient.
    pub clip: f64,
    /// `λ_D`, weight of `mean relu(margin − D_end/s_D)²`.
    pub dissipation_weight: f64,
    /// Dissipation, over `s_D`, below which a step is penalised.
    pub dissipation_margin: f64,
    /// Share of the epochs over which `λ_D` rises from zero.
    pub dissipation_warmup: f64,
    /// `λ_C`, weight of the error of the stress increments along the path (the secant stiffness).
    pub tangent_weight: f64,
    /// Stop after so many epochs without a better law.
    pub patience: Option<usize>,
    /// The records are learned at each of these largest strain increments at once, zero being the
    /// rows as measured. Several make a law that does not depend on the step.
    pub spacing: Vec<f64>,
    /// Epochs between two looks at the validation records.
    pub validate_every: usize,
    /// Starts the parameters.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            epochs: 2000,
            learning_rate: 1e-2,
            final_learning_rate: 1e-4,
            clip: 1.0,
            dissipation_weight: 1.0,
            dissipation_margin: 0.0,
            dissipation_warmup: 0.0,
            tangent_weight: 0.0,
            patience: None,
            spacing: vec![0.0],
            validate_every: 10,
            seed: 1,
        }
    }
}

impl Options {
    /// # Errors
    /// [`Error::Invalid`] naming the option that is out of range.
    pub fn check(&self) -> Result<()> {
        let positive = |v: f64| v.is_finite() && v > 0.0;
        let not_negative = |v: f64| v.is_finite() && v >= 0.0;
        for (name, ok) in [
            ("epochs", (1..=10_000_000).contains(&self.epochs)),
            ("learning-rate", positive(self.learning_rate)),
            (
                "final-learning-rate",
                not_negative(self.final_learning_rate),
            ),
            ("clip", positive(self.clip)),
            ("dissipation-weight", not_negative(self.dissipation_weight)),
            ("dissipation-margin", not_negative(self.dissipation_margin)),
            (
                "dissipation-warmup",
                (0.0..=1.0).contains(&self.dissipation_warmup),
            ),
            ("tangent-weight", not_negative(self.tangent_weight)),
            ("patience", self.patience.is_none_or(|p| p > 0)),
            (
                "spacing",
                !self.spacing.is_empty() && self.spacing.iter().all(|s| not_negative(*s)),
            ),
            ("validate-every", self.validate_every > 0),
        ] {
            if !ok {
                return Err(Error::invalid(format!("{name} is out of range")));
            }
        }
        Ok(())
    }
}

/// Where a training writes its state, and whether it goes on from there.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    /// File of the checkpoint; none keeps nothing.
    pub file: Option<PathBuf>,
    /// Epochs between two checkpoints.
    pub every: usize,
}

/// A trained law and how it came about.
#[derive(Clone, Debug)]
pub struct Trained<L = AnyLaw> {
    pub law: LearnedLaw<L>,
    pub fit: Fit,
}

/// Learns a law of the list. See [`train_law`].
pub fn train(
    name: &str,
    architecture: &Architecture,
    training: &[&Record],
    validation: &[&Record],
    options: &Options,
    resume: &Resume,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Trained> {
    let (law, layout) = architecture.build()?;
    train_law(
        name, law, layout, training, validation, options, resume, observe,
    )
}

/// Learns any recurrent law.
///
/// `observe` sees every epoch and may end the training; the best law so far is then returned.
///
/// # Errors
/// Options out of range; records that do not fit the law; a checkpoint of another training; a loss
/// that stays infinite.
#[allow(clippy::too_many_arguments)]
pub fn train_law<L: RecurrentLaw>(
    name: &str,
    law: L,
    layout: ParameterLayout,
    training: &[&Record],
    validation: &[&Record],
    options: &Options,
    resume: &Resume,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Trained<L>> {
    options.check()?;
    let prepare = |records: &[&Record]| -> Result<Vec<Record>> {
        let spacings = options.spacing.iter();
        spacings
            .flat_map(|spacing| records.iter().map(move |r| (*spacing, r)))
            .map(|(spacing, r)| match spacing {
                0.0 => Ok((*r).clone()),
                spacing => r.resample(spacing),
            })
            .collect()
    };
    let (training, validation) = (prepare(training)?, prepare(validation)?);
    for record in training.iter().chain(&validation) {
        if record.components != law.components() {
            return Err(Error::invalid(format!(
                "record `{}` has {} components, the law {}",
                record.name,
                record.components,
                law.components()
            )));
        }
    }
    let normalisation = normalisation(&training)?;
    let histories = |records: &[Record]| -> Result<Histories> {
        let padded = Padded::new(&records.iter().collect::<Vec<_>>())?;
        Ok(Histories::new(padded, normalisation.clone()))
    };
    let train = histories(&training)?;
    let validate = (!validation.is_empty())
        .then(|| histories(&validation))
        .transpose()?;
    let fit = fit(
        &law,
        &layout,
        &train,
        validate.as_ref(),
        options,
        resume,
        observe,
    )?;
    let law = LearnedLaw::new(name, law, layout, fit.raw.clone(), normalisation)?;
    Ok(Trained { law, fit })
}

/// Scales and ranges of a set of training records.
///
/// # Errors
/// [`Error::Invalid`] without records.
pub fn normalisation(records: &[Record]) -> Result<Normalisation> {
    let first = records
        .first()
        .ok_or_else(|| Error::invalid("there is no training record"))?;
    let scales = RecordScales::of(records);
    let external = (0..first.external_names.len())
        .map(|i| {
            let values = || {
                records
                    .iter()
                    .flat_map(move |r| (0..r.rows()).map(move |row| r.external_at(row)[i]))
            };
            let count = values().count() as f64;
            let mean = values().sum::<f64>() / count;
            let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
            [mean, variance.sqrt().max(1e-12 * mean.abs()).max(1e-300)]
        })
        .collect();
    let strain_range = (0..first.components)
        .map(|i| {
            records
                .iter()
                .flat_map(|r| (0..r.rows()).map(move |row| r.strain_at(row)[i]))
                .fold([0.0f64, 0.0], |[least, most], e| {
                    [least.min(e), most.max(e)]
                })
        })
        .collect();
    Ok(Normalisation {
        strain: scales.strain,
        stress: scales.stress,
        time: scales.time,
        external_names: first.external_names.clone(),
        external,
        strain_range,
    })
}
