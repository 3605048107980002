//! A training from records to a law.

use super::fit::{Lessons, fit};
use super::poisson::PoissonRatio;
use super::{Fit, Histories, Progress, Training, probes, reduced};
use crate::error::{Error, Result};
use crate::graph::ParameterLayout;
use crate::mandel::StressState;
use crate::model::{LearnedLaw, Normalisation, TrainedRange};
use crate::record::{Padded, Record, RecordScales};
use crate::recurrent::{Architecture, RecurrentLaw, Reduced};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a training writes its checkpoints, and resumes from them.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    /// File of the checkpoint; none keeps nothing.
    pub file: Option<PathBuf>,
    /// Epochs between two checkpoints.
    pub every: usize,
}

/// A trained law and how it came about.
#[derive(Clone, Debug)]
pub struct Trained {
    pub law: LearnedLaw,
    pub fit: Fit,
}

/// Sees every epoch of a training, and may end it.
type Observer<'a> = Box<dyn FnMut(&Progress) -> ControlFlow<()> + 'a>;

/// A training to be run.
///
/// ```no_run
/// # use hysteron::{record::Record, recurrent::Architecture, train::Trainer};
/// # fn learn(architecture: &Architecture, records: &[&Record]) -> hysteron::Result<()> {
/// let trained = Trainer::of(architecture)?.name("steel").records(records).run()?;
/// # Ok(())
/// # }
/// ```
pub struct Trainer<'a> {
    name: String,
    law: Arc<dyn RecurrentLaw>,
    layout: ParameterLayout,
    training: Vec<&'a Record>,
    validation: Vec<&'a Record>,
    stress_state: Option<StressState>,
    poisson: Option<f64>,
    options: Training,
    resume: Resume,
    observe: Observer<'a>,
}

impl<'a> Trainer<'a> {
    /// Of a law with the layout of its parameters.
    pub fn new(law: Arc<dyn RecurrentLaw>, layout: ParameterLayout) -> Self {
        Self {
            name: "law".into(),
            law,
            layout,
            training: Vec::new(),
            validation: Vec::new(),
            stress_state: None,
            poisson: None,
            options: Training::default(),
            resume: Resume::default(),
            observe: Box::new(|_| ControlFlow::Continue(())),
        }
    }

    /// Of a law of the [registry](crate::recurrent::laws).
    ///
    /// # Errors
    /// Those of [`Architecture::build`].
    pub fn of(architecture: &Architecture) -> Result<Self> {
        let (law, layout) = architecture.build()?;
        Ok(Self::new(law, layout).name(&architecture.law))
    }

    /// What the trained law is called.
    pub fn name(self, name: &str) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// The records to learn from.
    pub fn records(self, training: &[&'a Record]) -> Self {
        Self {
            training: training.to_vec(),
            ..self
        }
    }

    /// Records that choose the best law, and teach it nothing. Without any, the loss on the training
    /// records chooses.
    pub fn validation(self, validation: &[&'a Record]) -> Self {
        Self {
            validation: validation.to_vec(),
            ..self
        }
    }

    /// That of records with fewer components than the law; bars where nothing is said and the records have one.
    pub fn stress_state(self, stress_state: Option<StressState>) -> Self {
        Self {
            stress_state,
            ..self
        }
    }

    /// Poisson's ratio at rest, which a law of six components needs that learns from bars alone.
    pub fn poisson(self, ratio: Option<f64>) -> Self {
        Self {
            poisson: ratio,
            ..self
        }
    }

    pub fn options(self, options: &Training) -> Self {
        Self {
            options: options.clone(),
            ..self
        }
    }

    /// Where checkpoints are written, and resumed from.
    pub fn resume(self, resume: Resume) -> Self {
        Self { resume, ..self }
    }

    /// Sees every epoch and may end the training; the best law so far is then returned.
    pub fn observe(self, observe: impl FnMut(&Progress) -> ControlFlow<()> + 'a) -> Self {
        Self {
            observe: Box::new(observe),
            ..self
        }
    }

    /// Learns the law.
    ///
    /// An isotropic law of six components also learns from records of fewer: of bars under uniaxial
    /// stress, of plane stress, of plane strain ([`Reduced`]).
    ///
    /// # Errors
    /// Options out of range; records that do not fit the law, or are timeless where it sees time, or records of
    /// fewer components for a law that is not isotropic; bars without Poisson's ratio, which they do not hold; a
    /// checkpoint of another training; a loss that is infinite from the start; validation records whose loss is
    /// never finite.
    pub fn run(mut self) -> Result<Trained> {
        let options = self.options.check();
        options.map_err(|(key, message)| Error::invalid(format!("{key}: {message}")))?;
        let Some(stress_state) = self.reduction()? else {
            return self.learn(None);
        };
        let (whole, name, training) = (self.law.clone(), self.name.clone(), self.training.clone());
        let law;
        (law, self.options) = reduced::reduced(whole.clone(), stress_state, &self.options)?;
        self.law = Arc::new(law.clone());
        let bar = match (stress_state, self.poisson) {
            (StressState::Uniaxial, None) => {
                return Err(Error::invalid(
                    "records of bars do not hold Poisson's ratio: give it ([elastic] poisson in the card, \
                     `Trainer::poisson`), or a column strain_transverse in every record",
                ));
            }
            (StressState::Uniaxial, Some(ratio)) => Some((ratio, law)),
            _ => None,
        };
        reduced::whole(&name, whole, stress_state, self.learn(bar)?, &training)
    }

    /// The stress state of records with fewer components than the law.
    fn reduction(&self) -> Result<Option<StressState>> {
        let Some(record) = self.training.first() else {
            return Ok(None);
        };
        if self.law.components() != 6 || record.components == 6 {
            return Ok(None);
        }
        match self.stress_state {
            Some(state) if state.components() == record.components => Ok(Some(state)),
            None if record.components == 1 => Ok(Some(StressState::Uniaxial)),
            _ => Err(Error::invalid(format!(
                "record `{}` has {} components, the law 6: say under which stress state, such as \"plane-stress\"",
                record.name, record.components
            ))),
        }
    }

    /// Learns the law from records with its components.
    fn learn(mut self, bar: Option<(f64, Reduced)>) -> Result<Trained> {
        let options = &self.options;
        let rate_independent = self.law.guarantees().rate_independent;
        for record in self.training.iter().chain(&self.validation) {
            record.check_clock(rate_independent)?;
        }
        let training = thinned(&self.training, options, rate_independent)?;
        let validation = thinned(&self.validation, options, rate_independent)?;
        for record in training.iter().chain(&validation) {
            if record.components != self.law.components() {
                return Err(Error::invalid(format!(
                    "record `{}` has {} components, the law {}",
                    record.name,
                    record.components,
                    self.law.components()
                )));
            }
        }
        for record in &training {
            teaches(record)?;
        }
        let guarantees = self.law.guarantees();
        let normalisation = Normalisation {
            // Of the records as they are: thinned ones have shorter paths.
            range: Some(TrainedRange::of(
                self.training.iter().copied(),
                guarantees.symmetry,
                rate_independent,
            )),
            ..normalisation(&training)?
        };
        // A law that cannot break the second law has nothing to learn from probes of it.
        let kept = self.law.guarantees().second_law && options.dissipation_margin == 0.0;
        let count = match kept || options.dissipation_weight == 0.0 {
            true => 0,
            false => options.probes,
        };
        let (range, seed) = (options.probe_range, options.seed);
        let probes = probes::probes(&training, &normalisation, count, range, seed)?;
        let histories = |measured: &[Record], probes: &[Record]| -> Result<Histories> {
            let records: Vec<_> = measured.iter().chain(probes).collect();
            let padded = Padded::new(&records)?;
            Ok(Histories::with_probes(
                padded,
                normalisation.clone(),
                measured.len(),
            ))
        };
        let train = Arc::new(histories(&training, &probes)?);
        let validate = (!validation.is_empty())
            .then(|| histories(&validation, &[]))
            .transpose()?;
        let poisson = bar.map(|(ratio, bar)| PoissonRatio::new(ratio, bar, &normalisation));
        let poisson = poisson.transpose()?;
        let lessons = Lessons {
            train: &train,
            validate: validate.as_ref(),
            poisson: poisson.as_ref(),
        };
        let fit = fit(
            self.law.as_ref(),
            &self.layout,
            &lessons,
            options,
            &self.resume,
            &mut self.observe,
        )?;
        let unconstrained = fit.unconstrained.clone();
        let law = LearnedLaw::new(
            self.name,
            self.law,
            self.layout,
            unconstrained,
            normalisation,
        )?;
        Ok(Trained { law, fit })
    }
}

/// # Errors
/// A record from which no law can be learned.
fn teaches(record: &Record) -> Result<()> {
    let nothing = |what: &str| {
        Err(Error::invalid(format!(
            "record `{}` teaches nothing: {what}; leave it out",
            record.name
        )))
    };
    if record.rows() < 2 {
        return nothing("it has a single row");
    }
    if record.strain.iter().all(|e| *e == 0.0) {
        return nothing("all its strains are zero");
    }
    if record.stress.iter().all(|s| *s == 0.0) {
        return nothing("all its stresses are zero");
    }
    let rows = 1..record.rows();
    let same = |row: usize| {
        record.strain_at(row) == record.strain_at(0) && record.stress_at(row) == record.stress_at(0)
    };
    if rows.into_iter().all(same) {
        return nothing("all its rows are the same");
    }
    Ok(())
}

/// Records in the spacings of the options.
fn thinned(records: &[&Record], options: &Training, rate_independent: bool) -> Result<Vec<Record>> {
    let spacings = options.spacing.iter();
    let each = spacings.flat_map(|spacing| records.iter().map(move |r| (*spacing, r)));
    each.map(|(spacing, record)| match spacing {
        0.0 => Ok((*record).clone()),
        spacing => record.thinned(spacing, rate_independent),
    })
    .collect()
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
            let spread = variance.sqrt();
            // The mean of a constant is rounded.
            match spread > 1e-9 * mean.abs() {
                true => [mean, spread],
                false => [mean, 0.0],
            }
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
        range: None,
    })
}
