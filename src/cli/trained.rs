//! After a training: audit, comparison with the records, files.

use super::Verdict;
use super::output::{Table, note, one_line, print, print_json, short, splits};
use super::source::audit_options;
use super::train::Arguments;
use hysteron::audit::{Audit, audit};
use hysteron::card::Card;
use hysteron::driver::{Curve, follow};
use hysteron::evaluate::{Quantity, Score, mean, score};
use hysteron::law::InitialModuli;
use hysteron::model::LearnedLaw;
use hysteron::plot::{LearningPoint, learning_curve, stress_strain};
use hysteron::record::Record;
use hysteron::recurrent::{Architecture, Symmetry};
use hysteron::train::{Fit, Stop, Trained, Training};
use hysteron::{Error, MaterialLaw, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Records that a figure shows at most.
const PANELS: usize = 16;

/// Card, options and records of a training.
pub struct TrainingRun<'a> {
    pub card: Card,
    pub architecture: Architecture,
    pub options: Training,
    pub training: Vec<&'a Record>,
    pub validation: Vec<&'a Record>,
}

/// The summary of a training that is saved with the law. It holds no times and no paths, so that the
/// same training gives the same file.
#[derive(Serialize)]
struct Summary<'a> {
    hysteron: &'static str,
    records: Group<Vec<&'a str>>,
    cycles: Option<usize>,
    seed: u64,
    epochs_run: usize,
    /// From 1.
    best_epoch: usize,
    /// Loss of the best epoch.
    score: f64,
    stop: Stop,
    options: &'a Training,
    scores: Group<Vec<&'a Score>>,
    /// Errors of the records that the law could not follow.
    failures: Vec<String>,
}

#[derive(Serialize)]
struct Group<T> {
    train: T,
    validation: T,
}

/// The files that a training leaves.
#[derive(Serialize)]
struct Files {
    model: PathBuf,
    learning_curve: Option<PathBuf>,
    figure: Option<PathBuf>,
}

/// The object of `--json`.
#[derive(Serialize)]
struct TrainingReport<'a> {
    #[serde(flatten)]
    files: &'a Files,
    training: &'a serde_json::Value,
    audit: &'a Audit,
}

/// Saves the law, audits it, draws its figures and reports; fails where the law breaks a guarantee.
pub fn finish(
    arguments: &Arguments,
    out: &Path,
    context: TrainingRun,
    trained: Trained,
) -> Result<Verdict> {
    let Trained { law, fit } = trained;
    let ended = match fit.stop {
        Stop::Interrupted => Some("interrupted"),
        Stop::Converged => Some("the line search found no further decrease"),
        Stop::Diverged => Some("the loss became infinite again and again; stopped"),
        Stop::Complete | Stop::Patience => None,
    };
    if let Some(ended) = ended.filter(|_| !arguments.quiet) {
        let (run, best) = (fit.history.len(), fit.best_epoch + 1);
        note(&format!(
            "{ended} after {run} epochs; keeping the law of epoch {best}"
        ));
    }
    // Saved before the audit, so that a failure there does not lose the law.
    let model = context.card.model(law, context.architecture.clone());
    model.save(out)?;
    let law = &model.law;
    let audit = audit(law, &audit_options(law.typical_external(), None));
    let compared = Group {
        train: compare(law, &context.training),
        validation: compare(law, &context.validation),
    };
    let summary = summary(arguments.cycles, &context, &fit, &compared);
    let summary = serde_json::to_value(summary).map_err(|e| Error::invalid(e.to_string()))?;
    let model = model.with_training(summary).with_audit(&audit)?;
    model.save(out)?;

    let unlearned = unlearned(&compared);
    let files = figures(arguments.no_plots, out, &context, &fit, &compared)?;
    if arguments.json {
        print_json(&TrainingReport {
            files: &files,
            training: &model.metadata.training,
            audit: &audit,
        })?;
    } else {
        print(&tables(&compared, &audit, &files))?;
    }
    unlearned.iter().for_each(|line| note(line));
    let isotropic = model.law.guarantees().symmetry == Symmetry::Isotropic;
    let moduli = InitialModuli::of(&model.law);
    if let Some(doubt) = moduli.and_then(|moduli| moduli.doubt(isotropic)) {
        note(&format!("doubt: {doubt}"));
    }
    Ok(match audit.pass && unlearned.is_empty() {
        true => Verdict::Pass,
        false => Verdict::Fail,
    })
}

fn compare<'a>(law: &LearnedLaw, records: &[&'a Record]) -> Vec<Comparison<'a>> {
    let compared = records.iter().map(|record| Comparison::of(law, record));
    compared.collect()
}

/// A line for each record that the law follows worse than the mean of its stresses does.
fn unlearned(compared: &Group<Vec<Comparison<'_>>>) -> Vec<String> {
    let all = compared.train.iter().chain(&compared.validation);
    let lines = all.filter_map(|comparison| {
        let (curve, score) = comparison.answer.as_ref().ok()?;
        let r2 = score.r2.filter(|r2| *r2 < 0.0)?;
        let (entry, error) = largest_error(&comparison.record.stress, &curve.record.stress);
        let row = entry / curve.record.components;
        let time = match curve.record.timeless {
            true => String::new(),
            false => format!("{} s, ", short(curve.record.time[row])),
        };
        Some(format!(
            "record {} is not learned: the law is worse than the mean of its stresses (R² {r2:.3}); \
             largest error {} MPa at {time}row {}",
            score.name,
            short(error),
            row + 1
        ))
    });
    lines.collect()
}

/// The entry with the largest error, and the error.
fn largest_error(measured: &[f64], predicted: &[f64]) -> (usize, f64) {
    let errors = measured.iter().zip(predicted).map(|(m, p)| (m - p).abs());
    errors.enumerate().fold(
        (0, 0.0),
        |worst, now| if now.1 > worst.1 { now } else { worst },
    )
}

/// The prediction of a record and its score.
struct Comparison<'a> {
    record: &'a Record,
    answer: Result<(Curve, Score), Error>,
}

impl<'a> Comparison<'a> {
    fn of(law: &LearnedLaw, record: &'a Record) -> Self {
        let answer = follow(law, record).and_then(|curve| {
            let score = score(record, &curve)?;
            Ok((curve, score))
        });
        Self { record, answer }
    }

    fn score(&self) -> Option<&Score> {
        self.answer.as_ref().ok().map(|(_, score)| score)
    }

    fn failure(&self) -> Option<String> {
        let error = self.answer.as_ref().err()?;
        Some(one_line(&error.to_string()))
    }
}

fn summary<'a>(
    cycles: Option<usize>,
    context: &'a TrainingRun,
    fit: &Fit,
    compared: &'a Group<Vec<Comparison<'a>>>,
) -> Summary<'a> {
    let names = |records: &[&'a Record]| records.iter().map(|r| r.name.as_str()).collect();
    let scores = |group: &'a [Comparison<'a>]| group.iter().filter_map(Comparison::score).collect();
    let all = compared.train.iter().chain(&compared.validation);
    Summary {
        hysteron: env!("CARGO_PKG_VERSION"),
        records: Group {
            train: names(&context.training),
            validation: names(&context.validation),
        },
        cycles,
        seed: context.options.seed,
        epochs_run: fit.history.len(),
        best_epoch: fit.best_epoch + 1,
        score: fit.best_score,
        stop: fit.stop,
        options: &context.options,
        scores: Group {
            train: scores(&compared.train),
            validation: scores(&compared.validation),
        },
        failures: all.filter_map(Comparison::failure).collect(),
    }
}

fn figures(
    none: bool,
    out: &Path,
    context: &TrainingRun,
    fit: &Fit,
    compared: &Group<Vec<Comparison<'_>>>,
) -> Result<Files> {
    let mut files = Files {
        model: out.to_path_buf(),
        learning_curve: None,
        figure: None,
    };
    if none {
        return Ok(files);
    }
    let mut name = out.file_stem().unwrap_or_default().to_os_string();
    name.push("-learning.svg");
    let learning = out.with_file_name(name);
    // Epochs count from 1 wherever they are shown.
    let history: Vec<_> = fit
        .history
        .iter()
        .map(|point| LearningPoint {
            epoch: point.epoch + 1,
            ..*point
        })
        .collect();
    learning_curve(&history, &learning)?;
    files.learning_curve = Some(learning);
    let records = context.training.iter().chain(&context.validation);
    let answers = compared.train.iter().chain(&compared.validation);
    let pairs: Vec<_> = records
        .zip(answers)
        .filter_map(|(record, answer)| Some((*record, Some(&answer.answer.as_ref().ok()?.0))))
        .take(PANELS)
        .collect();
    if !pairs.is_empty() {
        let figure = out.with_extension("svg");
        stress_strain(&pairs, 0, &figure)?;
        files.figure = Some(figure);
    }
    Ok(files)
}

fn tables(compared: &Group<Vec<Comparison<'_>>>, audit: &Audit, files: &Files) -> String {
    let mut table = Table::new(Quantity::Stress);
    for (heading, group) in [
        ("training", &compared.train),
        ("validation", &compared.validation),
    ] {
        let scores: Vec<Score> = group
            .iter()
            .filter_map(Comparison::score)
            .cloned()
            .collect();
        if scores.is_empty() {
            continue;
        }
        table.heading(heading);
        scores.iter().for_each(|score| table.score(score));
        if let (Some(mean), true) = (mean(&scores), scores.len() > 1) {
            table.mean(&mean);
        }
    }
    let all = compared.train.iter().chain(&compared.validation);
    let scores: Vec<Score> = all.filter_map(Comparison::score).cloned().collect();
    let mut text = format!("{table}{}\n", splits(&scores));
    let all = compared.train.iter().chain(&compared.validation);
    for failure in all.filter_map(Comparison::failure) {
        text.push_str(&format!("not followed: {failure}\n"));
    }
    text.push_str(&verdict(audit));
    let figures = [&files.learning_curve, &files.figure];
    for file in figures.into_iter().flatten().chain([&files.model]) {
        text.push_str(&format!("wrote {}\n", file.display()));
    }
    text
}

fn verdict(audit: &Audit) -> String {
    let beyond = audit.rows.iter().filter(|row| !row.pass && !row.undecided);
    let names: Vec<_> = beyond.map(|row| row.name).collect();
    let verdict = audit.verdict();
    match names.is_empty() {
        true => format!("audit {verdict}\n"),
        false => format!(
            "audit {verdict}; beyond their limits: {} (see `hysteron audit`)\n",
            names.join(", ")
        ),
    }
}
