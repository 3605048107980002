//! Learning a recurrent law from records, with burn.
//!
//! Roll-outs are free-running over whole records: the law never sees a measured stress. The whole
//! roll-out is one operation of burn's graph ([`rollout`]), the loss and its gradient are burn's
//! ([`loss`]), the optimisers are burn's Adam and
//! then L-BFGS ([`mod@fit`]). On a GPU the roll-out is many operations ([`mod@device`]).

mod bars;
pub mod checkpoint;
pub mod device;
pub mod fit;
mod histories;
pub mod loss;
pub mod probes;
pub mod quasi_newton;
pub mod rollout;

pub use crate::learning::LearningPoint;
pub use checkpoint::Checkpoint;
pub use device::device;
pub use fit::{Fit, Progress, Stop, constrain, fit};
pub use histories::Histories;

use crate::algebra::ParameterLayout;
use crate::card::Training;
use crate::error::{Error, Result};
use crate::learned::{LearnedLaw, Normalisation};
use crate::record::{Padded, Record, RecordScales};
use crate::recurrent::{AnyLaw, Architecture, RecurrentLaw};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

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
///
/// An isotropic law of six components also learns from records of one: those of bars under uniaxial
/// stress ([`Uniaxial`](crate::recurrent::Uniaxial)).
///
/// # Errors
/// Those of [`train_law`]; records of bars for a law that is not isotropic.
pub fn train(
    name: &str,
    architecture: &Architecture,
    training: &[&Record],
    validation: &[&Record],
    options: &Training,
    resume: &Resume,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Trained> {
    let (law, layout) = architecture.build()?;
    let bars = training.iter().all(|record| record.components == 1);
    if !bars || architecture.components != 6 {
        return train_law(
            name, law, layout, training, validation, options, resume, observe,
        );
    }
    let (bar, options) = bars::bar(law, options)?;
    let trained = train_law(
        name, bar, layout, training, validation, &options, resume, observe,
    )?;
    bars::whole(name, trained, training)
}

/// Learns any recurrent law.
///
/// `observe` sees every epoch and may end the training; the best law so far is then returned.
///
/// # Errors
/// Options out of range; records that do not fit the law; a checkpoint of another training; a loss
/// that is infinite from the start; validation records whose loss is never finite.
#[allow(clippy::too_many_arguments)]
pub fn train_law<L: RecurrentLaw + Clone + 'static>(
    name: &str,
    law: L,
    layout: ParameterLayout,
    training: &[&Record],
    validation: &[&Record],
    options: &Training,
    resume: &Resume,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Trained<L>> {
    options
        .check()
        .map_err(|(key, message)| Error::invalid(format!("{key}: {message}")))?;
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
    // A law that cannot break the second law has nothing to learn from probes of it.
    let kept = law.claims().second_law && options.dissipation_margin == 0.0;
    let count = match kept || options.dissipation_weight == 0.0 {
        true => 0,
        false => options.probes,
    };
    let unmeasured = probes::probes(
        &training,
        &normalisation,
        count,
        options.probe_range,
        options.seed,
    )?;
    let histories = |measured: &[Record], probes: &[Record]| -> Result<Histories> {
        let records: Vec<_> = measured.iter().chain(probes).collect();
        let padded = Padded::new(&records)?;
        let normalisation = normalisation.clone();
        Ok(Histories::with_probes(
            padded,
            normalisation,
            measured.len(),
        ))
    };
    let train = Arc::new(histories(&training, &unmeasured)?);
    let validate = (!validation.is_empty())
        .then(|| histories(&validation, &[]))
        .transpose()?;
    let shared = Arc::new(law.clone());
    let fit = fit(
        &shared,
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
