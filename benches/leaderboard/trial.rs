//! Training of one law on one task, and its evaluation.

use crate::entry::Entry;
use crate::tasks::{Data, Task};
use hysteron::audit::{AuditOptions, audit};
use hysteron::law::{Increment, MaterialLaw, Response};
use hysteron::model::{Adaptive, LearnedLaw, Tolerance};
use hysteron::record::Record;
use hysteron::recurrent::Architecture;
use hysteron::train::{Progress, Trained, Trainer, Training};

use hysteron::{Error, Result};
use std::ops::ControlFlow;
use std::time::Instant;

/// Fraction of the budget by which a training may exceed it.
const SLACK: f64 = 0.2;
/// Number of epochs before the length of the training is known; epochs and seconds after which it is
/// estimated.
const MANY_EPOCHS: usize = 1_000_000;
const FIRST_EPOCHS: usize = 3;
const FIRST_SECONDS: f64 = 0.3;

/// A training.
pub struct Plan<'a> {
    pub law: &'static str,
    /// Budget of processor time, s.
    pub seconds: f64,
    pub learn: &'a Architecture,
    pub training: &'a Training,
}

/// Trains and evaluates, with adaptive steps as well if the task requests it; failures are recorded in
/// the entry.
pub fn run(task: &Task, plan: &Plan, seed: u64, data: &Data) -> Vec<Entry> {
    let mut entry = Entry {
        task: task.name.into(),
        variant: task.variant.clone(),
        law: plan.law.into(),
        seed,
        seconds: plan.seconds,
        errors: vec![None; task.columns.len()],
        ..Entry::default()
    };
    let mut entries = Vec::new();
    match fill(&mut entry, plan, task, data) {
        Ok(trained) if task.adaptive.contains(&plan.law) => {
            let mut steps = Entry {
                law: adaptive_name(plan.law),
                errors: vec![None; task.columns.len()],
                negative_share: None,
                spread_strain: None,
                spread_stress: None,
                tangent_error: None,
                microseconds: None,
                ..entry.clone()
            };
            if let Err(error) = in_steps(&mut steps, task, trained, data) {
                steps.failure = Some(error.to_string());
            }
            entries.push(steps);
        }
        Ok(_) => {}
        Err(error) => entry.failure = Some(error.to_string()),
    }
    entries.insert(0, entry);
    entries
}

pub fn adaptive_name(law: &str) -> String {
    format!("{law}, adaptive")
}

/// The errors of the same law with adaptive steps. It is not audited: the audit's histories go far beyond
/// the records and would take hours.
fn in_steps(entry: &mut Entry, task: &Task, law: LearnedLaw, data: &Data) -> Result<()> {
    let law = Adaptive::new(law, Tolerance::default())?;
    entry.errors = errors(task, &law, data)?;
    entry.microseconds = Some(microseconds(&law, &data.fitted[0])?);
    Ok(())
}

/// The reference laws, evaluated in the same way, and the bounds from the records.
pub fn references(task: &Task, data: &Data) -> Result<Vec<Entry>> {
    let named = |name: &str, errors| Entry {
        task: task.name.into(),
        variant: task.variant.clone(),
        law: name.into(),
        errors,
        ..Entry::default()
    };
    let mut entries = Vec::new();
    if let Some(reference) = &task.reference {
        let law = (reference.law)()?;
        entries.push(Entry {
            states: law.state_layout().len(),
            microseconds: Some(microseconds(law.as_ref(), &data.fitted[0])?),
            ..named(reference.name, errors(task, law.as_ref(), data)?)
        });
    }
    if let Some(estimate) = &task.estimate {
        let errors = (estimate.errors)(data);
        entries.push(named(estimate.name, errors.into_iter().map(Some).collect()));
    }
    Ok(entries)
}

fn errors(task: &Task, law: &dyn MaterialLaw, data: &Data) -> Result<Vec<Option<f64>>> {
    let errors = (task.errors)(law, data)?.into_iter();
    Ok(errors.map(|e| e.is_finite().then_some(e)).collect())
}

fn fill(entry: &mut Entry, plan: &Plan, task: &Task, data: &Data) -> Result<LearnedLaw> {
    let learn = Architecture {
        law: entry.law.clone(),
        ..plan.learn.clone()
    };
    let options = Training {
        seed: entry.seed,
        ..plan.training.clone()
    };
    let fit = |epochs: usize, observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>| {
        trained(&learn, &options, data, epochs, observe)
    };
    // The decay of the learning rate needs the final epoch.
    let start = processor_seconds();
    let mut each = f64::NAN;
    fit(MANY_EPOCHS, &mut |progress| {
        let (spent, done) = (processor_seconds() - start, progress.point.epoch + 1);
        each = spent / done as f64;
        match done >= FIRST_EPOCHS && spent >= FIRST_SECONDS {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    let epochs = (entry.seconds / each).ceil().max(1.0) as usize;
    let start = processor_seconds();
    let late = (1.0 + SLACK) * entry.seconds;
    let trained = fit(epochs, &mut |progress| {
        entry.epochs = progress.point.epoch + 1;
        match processor_seconds() - start > late {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    entry.training_seconds = processor_seconds() - start;
    measure(entry, &trained.law, data)?;
    entry.errors = errors(task, &trained.law, data)?;
    Ok(trained.law)
}

fn trained(
    learn: &Architecture,
    options: &Training,
    data: &Data,
    epochs: usize,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Trained> {
    let first = &data.fitted[0];
    Trainer::of(&learn.for_records(first.components, first.external_names.len()))?
        .records(&data.fitted.iter().collect::<Vec<_>>())
        .validation(&data.selecting.iter().collect::<Vec<_>>())
        .options(&Training {
            epochs,
            ..options.clone()
        })
        .observe(observe)
        .run()
}

fn measure(entry: &mut Entry, law: &LearnedLaw, data: &Data) -> Result<()> {
    let scales = &law.normalisation().external;
    let audit = audit(
        law,
        &AuditOptions {
            histories: 4,
            growth_increments: 100,
            cycles: 1,
            external: scales.iter().map(|[mean, _]| *mean).collect(),
            ..AuditOptions::default()
        },
    );
    let row = |name| audit.row(name).and_then(|row| row.value);
    let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
    entry.parameters = law.layout().len();
    entry.states = law.state_layout().len();
    entry.negative_share = finite(row("negative_share"));
    entry.spread_strain = finite(row("self_consistency_strain"));
    entry.spread_stress = finite(row("self_consistency_stress"));
    entry.tangent_error = finite(row("tangent_error"));
    entry.microseconds = Some(microseconds(law, &data.fitted[0])?);
    Ok(())
}

/// Time of stress and tangent of one point, the smallest of five runs along a record.
fn microseconds(law: &dyn MaterialLaw, record: &Record) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..5 {
        let (mut state, mut next, mut response) =
            (law.new_state(), law.new_state(), Response::default());
        let start = Instant::now();
        for row in 1..record.rows() {
            let increment = Increment {
                strain_old: record.strain_at(row - 1),
                strain_new: record.strain_at(row),
                dt: record.time[row] - record.time[row - 1],
                external_old: record.external_at(row - 1),
                external_new: record.external_at(row),
            };
            law.update(&increment, &state, &mut next, &mut response)
                .map_err(|error| Error::invalid(format!("row {row}: {error}")))?;
            std::mem::swap(&mut state, &mut next);
        }
        least = least.min(1e6 * start.elapsed().as_secs_f64() / (record.rows() - 1) as f64);
    }
    Ok(least)
}

/// Processor time of this process on Linux, so that other processes do not shorten the budget; elsewhere
/// wall time.
fn processor_seconds() -> f64 {
    /// User plus system time, in clock ticks.
    fn ticks() -> Option<f64> {
        let line = std::fs::read_to_string("/proc/self/stat").ok()?;
        let after_name = line.rsplit_once(") ")?.1;
        let mut fields = after_name.split(' ').skip(11);
        let mut next = || fields.next()?.parse::<f64>().ok();
        Some(next()? + next()?)
    }
    const TICKS_PER_SECOND: f64 = 100.0;
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(Instant::now);
    match ticks() {
        Some(ticks) => ticks / TICKS_PER_SECOND,
        None => start.elapsed().as_secs_f64(),
    }
}
