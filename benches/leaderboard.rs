//! Every law on the same tasks, with the same records, epochs and seeds.
//!
//! ```text
//! cargo bench --bench leaderboard -- DATA [EPOCHS [SEEDS]]
//! ```
//!
//! `DATA` is a folder with the records of each task. Every finished training is a line in
//! `out/leaderboard/results.jsonl`; a run that is started again goes on after the last one. In the end
//! `out/leaderboard/leaderboard.md` has the tables. Tasks whose records are absent are left out.

use hysteron::audit::{AuditOptions, audit};
use hysteron::card::{Learn, Training};
use hysteron::driver::follow;
use hysteron::evaluate::score;
use hysteron::law::{Increment, MaterialLaw, Response};
use hysteron::record::Record;
use hysteron::recurrent::{Clock, LAWS};
use hysteron::train::{Resume, train};
use hysteron::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

const OUT: &str = "out/leaderboard";

/// Fitted, selecting and unseen records.
struct Split {
    fitted: Vec<Record>,
    selecting: Vec<Record>,
    unseen: Vec<Record>,
}

struct Task {
    name: &'static str,
    about: &'static str,
    folder: &'static str,
    clock: Clock,
    /// Errors as a share of the range of the measured stress, in per cent, in place of MPa.
    relative: bool,
    /// The records of a seed.
    split: fn(Vec<Record>, u64) -> Result<Split>,
}

const TASKS: [Task; 3] = [
    Task {
        name: "cyclic steel",
        about: "fitted: RESSPyLab examples 1 and 2; unseen: LP8 and 18 cycles of C12; in strain steps of 0.001",
        folder: "steel_epfl_resslab/tests",
        clock: Clock::StrainPath,
        relative: false,
        split: steel,
    },
    Task {
        name: "multiaxial path dependence",
        about: "18 fitted, 10 selecting and 18 unseen curves, drawn by the seed",
        folder: "rve_prnn_2d/tests",
        clock: Clock::StrainPath,
        relative: false,
        split: composite,
    },
    Task {
        name: "nonlinear viscoelasticity",
        about: "fitted: the two records to stretch 3; unseen: the other nine",
        folder: "vhb4910_hossain2012/tests",
        clock: Clock::Time,
        relative: true,
        split: elastomer,
    },
];

/// One training.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    task: String,
    law: String,
    seed: u64,
    epochs: usize,
    fitted: f64,
    unseen: f64,
    parameters: usize,
    states: usize,
    training_seconds: f64,
    /// Of the audit's histories, up to 100 times the trained strains.
    negative_share: Option<f64>,
    spread_strain: Option<f64>,
    spread_stress: Option<f64>,
    tangent_error: Option<f64>,
    microseconds: f64,
}

fn named(records: &[Record], names: &[&str]) -> Result<Vec<Record>> {
    let find = |name: &&str| {
        let found = records.iter().find(|r| r.name == **name).cloned();
        found.ok_or_else(|| Error::invalid(format!("there is no record `{name}`")))
    };
    names.iter().map(find).collect()
}

fn steel(records: Vec<Record>, _: u64) -> Result<Split> {
    let prepare = |records: Vec<Record>| -> Result<Vec<Record>> {
        let each = records.iter();
        each.map(|r| r.first_cycles(18).resample(1e-3)).collect()
    };
    Ok(Split {
        fitted: prepare(named(
            &records,
            &["resspylab_example_1", "resspylab_example_2"],
        )?)?,
        selecting: Vec::new(),
        unseen: prepare(named(
            &records,
            &["hartloper_HEM320C_LP8", "hartloper_S355_HEB500web_C12_raw"],
        )?)?,
    })
}

fn composite(mut records: Vec<Record>, seed: u64) -> Result<Split> {
    if records.len() < 46 {
        return Err(Error::invalid("46 records are needed"));
    }
    records.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let unseen = records.split_off(28);
    let selecting = records.split_off(18);
    Ok(Split {
        fitted: records,
        selecting,
        unseen,
    })
}

fn elastomer(records: Vec<Record>, _: u64) -> Result<Split> {
    let (fitted, unseen) = records
        .into_iter()
        .partition(|r| r.name.starts_with("lam3.0"));
    Ok(Split {
        fitted,
        selecting: Vec::new(),
        unseen,
    })
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let usage =
        || Error::invalid("usage: cargo bench --bench leaderboard -- DATA [EPOCHS [SEEDS]]");
    let data = arguments.first().ok_or_else(usage)?;
    let number = |i: usize, default: usize| match arguments.get(i) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| usage()),
    };
    let (epochs, seeds) = (number(1, 300)?, number(2, 3)? as u64);
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    let file = format!("{OUT}/results.jsonl");
    let mut entries = read(&file)?;
    for task in &TASKS {
        let folder = Path::new(data).join(task.folder);
        if !folder.is_dir() {
            println!(
                "skipped {}: there is no folder {}",
                task.name,
                folder.display()
            );
            continue;
        }
        for law in LAWS {
            for seed in 1..=seeds {
                let done = |e: &Entry| {
                    e.task == task.name && e.law == *law && e.seed == seed && e.epochs == epochs
                };
                if entries.iter().any(done) {
                    continue;
                }
                let records = Record::from_dir(&folder)?;
                let entry = run(task, law, seed, epochs, (task.split)(records, seed)?)?;
                println!(
                    "{}, {law}, seed {seed}: fitted {:.2}, unseen {:.2}, {:.0} s",
                    task.name, entry.fitted, entry.unseen, entry.training_seconds
                );
                append(&file, &entry)?;
                entries.push(entry);
            }
        }
    }
    let table = format!("{OUT}/leaderboard.md");
    let text = tables(&entries, epochs);
    std::fs::write(&table, text).map_err(|e| Error::io(&table, e))?;
    println!("wrote {table}");
    Ok(())
}

fn run(task: &Task, name: &str, seed: u64, epochs: usize, split: Split) -> Result<Entry> {
    let learn = Learn {
        law: name.into(),
        clock: task.clock,
        layers: 1,
        energy_layers: 1,
        ..Learn::default()
    };
    let options = Training {
        epochs,
        seed,
        learning_rate: 2e-2,
        ..Training::default()
    };
    let first = &split.fitted[0];
    let architecture = learn.architecture(first.components, first.external_names.len());
    let start = Instant::now();
    let trained = train(
        name,
        &architecture,
        &split.fitted.iter().collect::<Vec<_>>(),
        &split.selecting.iter().collect::<Vec<_>>(),
        &options,
        &Resume::default(),
        &mut |_| ControlFlow::Continue(()),
    )?;
    let training_seconds = start.elapsed().as_secs_f64();
    let law = &trained.law;
    let error = |records: &[Record]| -> Result<f64> {
        let mut sum = 0.0;
        for record in records {
            let score = score(record, &follow(law, record)?)?;
            sum += match task.relative {
                true => 100.0 * score.nrmse.unwrap_or(f64::NAN),
                false => score.rmse,
            };
        }
        Ok(sum / records.len() as f64)
    };
    let options = AuditOptions {
        histories: 6,
        growth_increments: 100,
        ..AuditOptions::default()
    };
    let audit = audit(law, &options);
    let row = |name| audit.row(name).and_then(|row| row.value);
    Ok(Entry {
        task: task.name.into(),
        law: name.into(),
        seed,
        epochs,
        fitted: error(&split.fitted)?,
        unseen: error(&split.unseen)?,
        parameters: law.layout().len(),
        states: law.state_layout().len(),
        training_seconds,
        negative_share: row("negative_share"),
        spread_strain: row("self_consistency_strain"),
        spread_stress: row("self_consistency_stress"),
        tangent_error: row("tangent_error"),
        microseconds: microseconds(law, first)?,
    })
}

/// Stress and tangent of one point, the least of five runs along a record.
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
                external_old: &[],
                external_new: &[],
            };
            law.update(&increment, &state, &mut next, &mut response)
                .map_err(|error| Error::invalid(format!("row {row}: {error}")))?;
            std::mem::swap(&mut state, &mut next);
        }
        least = least.min(1e6 * start.elapsed().as_secs_f64() / (record.rows() - 1) as f64);
    }
    Ok(least)
}

fn read(file: &str) -> Result<Vec<Entry>> {
    let Ok(text) = std::fs::read_to_string(file) else {
        return Ok(Vec::new());
    };
    let entry = |(i, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|e| Error::invalid(format!("{file}, line {}: {e}; delete the line", i + 1)))
    };
    text.lines().enumerate().map(entry).collect()
}

fn append(file: &str, entry: &Entry) -> Result<()> {
    let line = serde_json::to_string(entry).map_err(|e| Error::invalid(e.to_string()))?;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.create(true).append(true).open(file);
    let written = opened.and_then(|mut open| writeln!(open, "{line}"));
    written.map_err(|e| Error::io(file, e))
}

fn tables(entries: &[Entry], epochs: usize) -> String {
    let mut text = String::new();
    for task in &TASKS {
        let of_task = |e: &&Entry| e.task == task.name && e.epochs == epochs;
        if !entries.iter().any(|e| of_task(&e)) {
            continue;
        }
        let unit = if task.relative {
            "% of the range"
        } else {
            "MPa"
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "## {}\n{}. {epochs} epochs; means over the seeds, in brackets the worst.\n\n\
             | law | fitted, {unit} | unseen, {unit} | parameters | states | training, s | D < 0, % | \
             spread, strain-driven, % | stress-driven, % | tangent | µs |\n\
             |---|---|---|---|---|---|---|---|---|---|---|",
            task.name, task.about
        );
        for law in LAWS {
            let of: Vec<&Entry> = entries
                .iter()
                .filter(of_task)
                .filter(|e| e.law == *law)
                .collect();
            let Some(first) = of.first() else { continue };
            let column = |value: &dyn Fn(&Entry) -> Option<f64>| -> Option<[f64; 2]> {
                let all: Option<Vec<f64>> = of.iter().map(|e| value(e)).collect();
                let all = all?;
                let worst = all.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
                Some([all.iter().sum::<f64>() / all.len() as f64, worst])
            };
            let both = |value: &dyn Fn(&Entry) -> Option<f64>| match column(value) {
                Some([mean, worst]) => format!("{mean:.2} ({worst:.2})"),
                None => "–".into(),
            };
            let tangent = match column(&|e| e.tangent_error) {
                Some([_, worst]) => format!("{worst:.0e}"),
                None => "–".into(),
            };
            let mean =
                |value: &dyn Fn(&Entry) -> Option<f64>| column(value).map_or(f64::NAN, |c| c[0]);
            let _ = writeln!(
                text,
                "| `{law}` | {} | {} | {} | {} | {:.0} | {} | {} | {} | {tangent} | {:.1} |",
                both(&|e| Some(e.fitted)),
                both(&|e| Some(e.unseen)),
                first.parameters,
                first.states,
                mean(&|e| Some(e.training_seconds)),
                both(&|e| e.negative_share.map(|s| 100.0 * s)),
                both(&|e| e.spread_strain.map(|s| 100.0 * s)),
                both(&|e| e.spread_stress.map(|s| 100.0 * s)),
                mean(&|e| Some(e.microseconds)),
            );
        }
        text.push('\n');
    }
    text
}
