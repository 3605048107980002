//! Output of the command line: text, JSON, tables, and the checks of output paths.

use hysteron::evaluate::{MeanScore, Quantity, Score};
use hysteron::{Error, Result};
use serde::Serialize;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Writes to the standard output. A closed pipe is not an error: the reader wants no more.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Error::io("standard output", e)),
        _ => Ok(()),
    }
}

/// Writes one JSON object to the standard output.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|e| Error::invalid(e.to_string()))?;
    print(&(text + "\n"))
}

/// Writes a line to the standard error; a failure is ignored, as there is no other place to report it.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Names the columns of records that are not used, and what to do about it.
pub fn say_left_out(columns: &[String], advice: &str) {
    if !columns.is_empty() {
        note(&format!(
            "columns left out: {} ({advice})",
            columns.join(", ")
        ));
    }
}

/// A message in one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Checks, before the work, that a file can be written there after it.
///
/// # Errors
/// A folder in place of a file, or a folder that is not there or cannot be written to.
pub fn check_output(path: &Path) -> Result<()> {
    let fail = |message: String| Err(Error::invalid(format!("{}: {message}", path.display())));
    if path.is_dir() || path.file_name().is_none() {
        return fail("this is a folder, the name of a file is needed".into());
    }
    if path.starts_with("/dev") && path.is_file() {
        return fail("this leads to a file that others write to: give a name of its own".into());
    }
    // As for every output: a link is followed to its target, and a device or pipe is written to in place.
    let resolved = path.canonicalize();
    let path = resolved.as_deref().unwrap_or(path);
    if path.exists() && !path.is_file() {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return fail(format!(
            "there is no folder {}; make it first",
            folder.display()
        ));
    }
    let probe = folder.join(format!(".hysteron-{}.probe", std::process::id()));
    std::fs::File::create_new(&probe)
        .and_then(|_| std::fs::remove_file(&probe))
        .map_err(|e| Error::io(folder, e))
}

/// Whether two paths are the same file, which exists.
pub fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// A number with four significant digits.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".into();
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = (3 - size.log10().floor() as i32).max(0);
    format!("{value:.*}", decimals as usize)
}

fn optional(value: Option<f64>) -> String {
    value.map_or("–".into(), short)
}

/// Where records leave the trained range of the law: a line for each that does.
pub fn departures(scores: &[Score]) -> String {
    let lines = scores.iter().filter_map(|score| {
        let what = score.departure.as_ref()?;
        let share = short(100.0 * score.outside_share);
        Some(format!(
            "{}: {share} % of the rows are outside the trained range, first in {what}\n",
            score.name
        ))
    });
    lines.collect()
}

/// Pressure and deviator of the errors of six components: a line for each record.
pub fn splits(scores: &[Score]) -> String {
    let lines = scores.iter().filter_map(|score| {
        let split = score.split.as_ref()?;
        Some(format!(
            "{}: pressure {} of {} MPa, von Mises equivalent of the deviator {} of {} MPa\n",
            score.name,
            short(split.pressure),
            short(split.largest_pressure),
            short(split.deviator),
            short(split.largest_equivalent)
        ))
    });
    lines.collect()
}

/// A table of scores, a heading above each group.
pub struct Table {
    rows: Vec<[String; 8]>,
}

impl Table {
    pub fn new(quantity: Quantity) -> Self {
        let heads = [
            "record", "rows", "RMSE", "NRMSE", "R²", "min D", "D < 0", "outside",
        ];
        let rmse = match quantity {
            Quantity::Stress => "MPa",
            Quantity::Strain => "strain",
        };
        let units = ["", "", rmse, "%", "–", "MJ/m³", "%", "%"];
        Self {
            rows: vec![heads.map(String::from), units.map(String::from)],
        }
    }

    pub fn heading(&mut self, text: &str) {
        let mut row = std::array::from_fn(|_| String::new());
        row[0] = text.into();
        self.rows.push(row);
    }

    pub fn score(&mut self, score: &Score) {
        self.rows.push([
            score.name.clone(),
            score.rows.to_string(),
            short(score.rmse),
            optional(score.nrmse.map(|v| 100.0 * v)),
            optional(score.r2),
            short(score.min_dissipation),
            short(100.0 * score.negative_share),
            short(100.0 * score.outside_share),
        ]);
    }

    pub fn mean(&mut self, mean: &MeanScore) {
        self.rows.push([
            "mean".into(),
            short(mean.rows),
            short(mean.rmse),
            optional(mean.nrmse.map(|v| 100.0 * v)),
            optional(mean.r2),
            short(mean.min_dissipation),
            short(100.0 * mean.negative_share),
            short(100.0 * mean.outside_share),
        ]);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = |column: usize| {
            let lengths = self.rows.iter().map(|row| row[column].chars().count());
            lengths.max().unwrap_or(0)
        };
        let widths: [usize; 8] = std::array::from_fn(width);
        for row in &self.rows {
            let mut line = format!("{:<1$}", row[0], widths[0]);
            for (text, width) in row.iter().zip(widths).skip(1) {
                line.push_str(&format!("  {text:>width$}"));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
