//! Every law on the same tasks: the same records, processor time and seeds.
//!
//! ```text
//! cargo bench --bench leaderboard -- DATA [--seconds S] [--seeds N] [--task WORD] [--law NAME] [--tables]
//! ```
//!
//! `DATA` is a folder with the records of each task. Every training of a task has the same budget: `S`
//! times the weight of the task; the laws closest to the aim are trained again, with the first seed and
//! eight times the budget, for a separate table. Every training is a line in
//! `out/leaderboard/results.jsonl`; a restarted run continues after the last one. When all are done, or
//! at any time with `--tables`, the tables in `docs/src/leaderboard.md` and their figures are written
//! again; the text above the tables is kept. `--task` and `--law` select trainings, and no tables are
//! written then. Tasks without their records are skipped.

mod entry;
mod measured;
mod score;
mod synthetic;
mod table;
mod tasks;
mod trial;

use entry::Entry;
use hysteron::recurrent::laws;
use hysteron::{Error, Result};
use std::path::PathBuf;
use tasks::Task;
use trial::Plan;

struct Options {
    data: PathBuf,
    seconds: f64,
    seeds: u64,
    task: String,
    law: String,
    tables: bool,
}

/// Ratio of the budget of the tables with more time to that of the others.
const LONGER: f64 = 8.0;

const USAGE: &str = "usage: cargo bench --bench leaderboard -- DATA [--seconds S] [--seeds N] \
                     [--task WORD] [--law NAME] [--tables]";

impl Options {
    fn read() -> Result<Self> {
        let mut options = Self {
            data: PathBuf::new(),
            seconds: 2.5,
            seeds: 3,
            task: String::new(),
            law: String::new(),
            tables: false,
        };
        // `cargo bench` adds `--bench`.
        let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
        while let Some(argument) = arguments.next() {
            let usage = || Error::invalid(format!("{argument}: {USAGE}"));
            let mut value = || arguments.next().ok_or_else(usage);
            match argument.as_str() {
                "--seconds" => options.seconds = value()?.parse().map_err(|_| usage())?,
                "--seeds" => options.seeds = value()?.parse().map_err(|_| usage())?,
                "--task" => options.task = value()?,
                "--law" => options.law = value()?,
                "--tables" => options.tables = true,
                folder if !folder.starts_with("--") => options.data = folder.into(),
                _ => return Err(usage()),
            }
        }
        if options.data.as_os_str().is_empty() || options.seconds.is_nan() || options.seconds <= 0.0
        {
            return Err(Error::invalid(USAGE));
        }
        Ok(options)
    }

    /// The trainings of a task with a seed.
    fn trainings<'a>(&self, task: &'a Task, seed: u64) -> Vec<Plan<'a>> {
        let seconds = self.seconds * task.weight;
        let all = laws().into_iter().map(|law| Plan {
            law,
            seconds,
            learn: &task.learn,
            training: &task.training,
        });
        let longer = task.longer.iter().filter(|_| seed == 1);
        let longer = longer.flat_map(|longer| {
            longer.laws.iter().map(move |law| Plan {
                law,
                seconds: LONGER * seconds,
                learn: &longer.learn,
                training: &longer.training,
            })
        });
        let chosen = |plan: &Plan| self.chooses(task, plan.law);
        all.chain(longer).filter(chosen).collect()
    }

    fn chooses(&self, task: &Task, law: &str) -> bool {
        task.title().contains(&self.task) && (self.law.is_empty() || self.law == law)
    }
}

fn main() -> Result<()> {
    let options = Options::read()?;
    let tasks = tasks::all();
    let mut entries = entry::read()?;
    // The first seed of every law comes before the second of any.
    for seed in 1..=options.seeds {
        for task in tasks.iter().filter(|_| !options.tables) {
            let plans = options.trainings(task, seed);
            if plans.is_empty() {
                continue;
            }
            let Some(data) = (task.data)(&options.data, seed)? else {
                println!("skipped {}: its records are absent", task.title());
                continue;
            };
            let known = |e: &Entry| e.seed == 0 && e.task == task.name && e.variant == task.variant;
            if !entries.iter().any(known) {
                keep(task, trial::references(task, &data)?, &mut entries)?;
            }
            for plan in plans {
                let same = |e: &Entry| {
                    e.is_of(task, plan.law) && e.seed == seed && e.seconds == plan.seconds
                };
                if !entries.iter().any(same) {
                    keep(task, trial::run(task, &plan, seed, &data), &mut entries)?;
                }
            }
        }
    }
    let all = options.task.is_empty() && options.law.is_empty();
    if !(all || options.tables) {
        return Ok(());
    }
    let with = |share: f64| -> Vec<Entry> {
        let budget = |e: &Entry| {
            let of = |task: &&Task| e.is_of(task, &e.law);
            let task = tasks.iter().find(of);
            task.map(|t| share * t.weight * options.seconds)
        };
        let of = |e: &&Entry| e.seed == 0 || Some(e.seconds) == budget(e);
        entries.iter().filter(of).cloned().collect()
    };
    table::write(&tasks, &with(1.0), &with(LONGER))
}

/// Prints and writes entries, and adds them to the known ones.
fn keep(task: &Task, new: Vec<Entry>, entries: &mut Vec<Entry>) -> Result<()> {
    for entry in new {
        println!("{}", entry.line(task));
        entry::append(&entry)?;
        entries.push(entry);
    }
    Ok(())
}
