//! The tables and figures of the leaderboard.

use crate::entry::Entry;
use crate::tasks::Task;
use hysteron::plot::{Axis, Bars, bars};
use hysteron::{Error, Result};
use std::fmt::Write;

const DOCUMENT: &str = "docs/src/leaderboard.md";
const FIGURES: &str = "docs/src/images";
/// The text above it is written by hand.
const MARKER: &str = "<!-- Below: written by `cargo bench --bench leaderboard`. -->";

/// Writes the tables below the text of the page, and the figures; `longer` had more time.
pub fn write(tasks: &[Task], entries: &[Entry], longer: &[Entry]) -> Result<()> {
    let old = std::fs::read_to_string(DOCUMENT).map_err(|e| Error::io(DOCUMENT, e))?;
    let Some((text, _)) = old.split_once(MARKER) else {
        return Err(Error::invalid(format!(
            "{DOCUMENT} has no line `{MARKER}` below which the tables could stand"
        )));
    };
    let mut page = format!("{text}{MARKER}\n");
    let mut name = "";
    for task in tasks.iter().filter(|task| {
        let other = task.name != name;
        name = task.name;
        other
    }) {
        let variants: Vec<_> = tasks.iter().filter(|t| t.name == task.name).collect();
        page.push_str(&heading(variants[0]));
        page.push_str(&table(&variants, entries));
        let of = |e: &&Entry| e.seed > 0 && e.task == task.name;
        let longer: Vec<_> = longer.iter().filter(of).cloned().collect();
        if let Some(plan) = task.longer.as_ref().filter(|_| !longer.is_empty()) {
            let _ = write!(
                page,
                "\nWith eight times the time{}, seed 1:\n\n",
                plan.note
            );
            page.push_str(&table(&variants, &longer));
        }
        if let Some(file) = figure(&variants, entries)? {
            // Writing to a string cannot fail.
            let _ = writeln!(page, "\n![{}](images/{file})", task.name);
        }
    }
    std::fs::write(DOCUMENT, page).map_err(|e| Error::io(DOCUMENT, e))?;
    println!("wrote {DOCUMENT} and its figures in {FIGURES}");
    Ok(())
}

/// Mean and worst of the entries; `None` if one of them has no value.
fn summary<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    value: impl Fn(&Entry) -> Option<f64>,
) -> Option<[f64; 2]> {
    let all: Option<Vec<f64>> = entries.into_iter().map(value).collect();
    let all = all.filter(|all| !all.is_empty())?;
    let worst = all.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
    Some([all.iter().sum::<f64>() / all.len() as f64, worst])
}

/// Three significant digits.
fn figures(value: f64) -> String {
    let size = value.abs();
    match size {
        0.0 => "0".into(),
        _ if !(1e-3..1e5).contains(&size) => format!("{value:.0e}"),
        _ => {
            let digits = (2.0 - size.log10().floor()).max(0.0) as usize;
            format!("{value:.digits$}")
        }
    }
}

fn both(summary: Option<[f64; 2]>) -> String {
    match summary {
        Some([mean, worst]) => format!("{} ({})", figures(mean), figures(worst)),
        None => "–".into(),
    }
}

fn first(summary: Option<[f64; 2]>) -> String {
    summary.map_or("–".into(), |[mean, _]| figures(mean))
}

fn heading(task: &Task) -> String {
    format!(
        "\n## {}\n\n{}\nTo beat: {}. Aim: {}.\n\n",
        task.name, task.protocol, task.to_beat, task.aim,
    )
}

fn table(variants: &[&Task], entries: &[Entry]) -> String {
    let task = variants[0];
    let errors: Vec<_> = variants
        .iter()
        .flat_map(|variant| (0..variant.columns.len()).map(move |column| (*variant, column)))
        .collect();
    let titles: Vec<_> = errors
        .iter()
        .map(|(variant, column)| variant.label(*column))
        .collect();
    let own = |e: &&Entry| e.task == task.name;
    let mut text = format!(
        "| law | {} | parameters | states | training, s | epochs | D < 0, % | spread, strain, % | \
         spread, stress, % | tangent | µs |\n|---|{}---|---|---|---|---|---|---|---|---|\n",
        titles.join(" | "),
        "---|".repeat(titles.len())
    );
    for law in &task.rows() {
        let of: Vec<_> = entries
            .iter()
            .filter(own)
            .filter(|e| e.law == *law)
            .collect();
        let Some(any) = of.first() else { continue };
        let label = match any.seed {
            0 => law.clone(),
            _ => format!("`{law}`"),
        };
        let column = |variant: &Task, column: usize| {
            let of = of.iter().filter(|e| e.is_of(variant, law)).copied();
            both(summary(of, |e| e.errors[column]))
        };
        let cells: Vec<_> = errors.iter().map(|(v, c)| column(v, *c)).collect();
        let of = |value: &dyn Fn(&Entry) -> Option<f64>| summary(of.iter().copied(), value);
        let percent = |share: Option<f64>| share.map(|s| 100.0 * s);
        let worst = |value: &dyn Fn(&Entry) -> Option<f64>| {
            of(value).map_or("–".into(), |[_, worst]| format!("{worst:.0e}"))
        };
        let _ = writeln!(
            text,
            "| {label} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            cells.join(" | "),
            any.parameters,
            any.states,
            first(of(&|e| Some(e.training_seconds))),
            first(of(&|e| Some(e.epochs as f64))),
            both(of(&|e| percent(e.negative_share))),
            first(of(&|e| percent(e.spread_strain))),
            first(of(&|e| percent(e.spread_stress))),
            worst(&|e| e.tangent_error),
            first(of(&|e| e.microseconds)),
        );
    }
    let mut failures: Vec<_> = entries
        .iter()
        .filter(own)
        .filter_map(|e| Some(format!("`{}`: {}", e.law, e.failure.as_ref()?)))
        .collect();
    failures.sort();
    failures.dedup();
    if !failures.is_empty() {
        let _ = writeln!(text, "\nNo figure: {}.", failures.join("; "));
    }
    text
}

/// Bars of the selected column, for the laws that have it in all variants.
fn figure(variants: &[&Task], entries: &[Entry]) -> Result<Option<String>> {
    let task = variants[0];
    let value = |variant: &Task, law: &str| {
        let of = entries.iter().filter(|e| e.is_of(variant, law));
        let [mean, _] = summary(of, |e| e.errors[variant.shown])?;
        Some(mean).filter(|mean| *mean > 0.0)
    };
    let laws: Vec<_> = task
        .rows()
        .into_iter()
        .filter(|law| variants.iter().all(|v| value(v, law).is_some()))
        .collect();
    if laws.is_empty() {
        return Ok(None);
    }
    let series = variants.iter().map(|variant| Bars {
        label: variant.label(variant.shown),
        values: laws.iter().filter_map(|law| value(variant, law)).collect(),
    });
    let file = format!("leaderboard_{}.svg", task.name.replace([' ', '-'], "_"));
    let shown = |variant: &Task| variant.columns[variant.shown];
    let (quantity, unit) = shown(task).rsplit_once(", ").unwrap_or((shown(task), ""));
    let alike = variants.iter().all(|v| shown(v) == shown(task));
    let quantity = if alike { quantity } else { "error" };
    let names: Vec<_> = laws.iter().map(String::as_str).collect();
    bars(
        &names,
        &series.collect::<Vec<_>>(),
        &Axis::logarithmic(quantity, unit),
        task.name,
        format!("{FIGURES}/{file}"),
    )?;
    Ok(Some(file))
}
