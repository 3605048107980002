//! Progress of a training, and its interruption by ctrl-c.

use super::output::{note, short};
use hysteron::train::Progress;
use hysteron::{Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Interval between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Exit code after a second ctrl-c, as after SIGINT.
const INTERRUPTED: i32 = 130;

/// A flag that ctrl-c sets; a second one ends the process.
pub fn interruption(display: &Display) -> Result<Arc<AtomicBool>> {
    let asked = Arc::new(AtomicBool::new(false));
    let flag = asked.clone();
    let bar = match display {
        Display::Bar(bar) => Some(bar.clone()),
        Display::Nothing | Display::Lines { .. } => None,
    };
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED);
        }
        let text = "stopping; the best law so far will be saved (ctrl-c again gives up at once)";
        match &bar {
            Some(bar) => bar.println(text),
            None => note(text),
        }
    })
    .map_err(|e| Error::invalid(format!("ctrl-c cannot be caught: {e}")))?;
    Ok(asked)
}

/// Shows progress on the standard error.
pub enum Display {
    Nothing,
    Bar(ProgressBar),
    Lines { last: Option<Instant> },
}

impl Display {
    pub fn new(quiet: bool, epochs: usize) -> Self {
        if quiet {
            return Self::Nothing;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines { last: None };
        }
        let target = ProgressDrawTarget::stderr_with_hz(8);
        let bar = ProgressBar::with_draw_target(Some(epochs as u64), target);
        let template = "{bar:30} epoch {pos}/{len}  {prefix}\n{wide_msg}";
        let style = ProgressStyle::with_template(template);
        Self::Bar(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    pub fn show(&mut self, progress: &Progress) {
        let epoch = progress.point.epoch + 1;
        match self {
            Self::Nothing => {}
            Self::Bar(bar) => {
                bar.set_position(epoch as u64);
                bar.set_prefix(outlook(progress));
                bar.set_message(figures(progress));
            }
            Self::Lines { last } => {
                let due = last.is_none_or(|at| at.elapsed() >= LINE_EVERY);
                if due || epoch == progress.epochs {
                    *last = Some(Instant::now());
                    let (figures, outlook) = (figures(progress), outlook(progress));
                    note(&format!(
                        "epoch {epoch}/{}  {figures}  {outlook}",
                        progress.epochs
                    ));
                }
            }
        }
    }

    pub fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// Errors and terms of the loss of an epoch.
fn figures(progress: &Progress) -> String {
    let point = &progress.point;
    let mut parts = format!("stress {}", short(point.stress));
    for (name, value) in [
        ("dissipation", point.dissipation),
        ("tangent", point.tangent),
        ("Poisson's ratio", point.poisson),
    ] {
        if value != 0.0 {
            parts.push_str(&format!(" + {name} {}", short(value)));
        }
    }
    format!(
        "RMSE {} MPa  loss {parts}  D < 0 {} %",
        short(progress.rmse),
        short(100.0 * point.negative_share)
    )
}

/// The best epoch so far, and the time left.
fn outlook(progress: &Progress) -> String {
    let left = duration(progress.remaining);
    format!("best epoch {}, {left} left", progress.best_epoch + 1)
}

fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}
