//! The history of a training.

use super::axis::{Axis, Extent, number};
use super::data::check_values;
use super::page::{Colour, Dash, Page, save};
use super::palette::{
    BLACK, BLUE, DASH_DOTTED, DASHED, DOTTED, GREEN, GREY, Marker, ORANGE, PURPLE, SKY, VERMILLION,
    mark,
};
use super::panel::{Frame, Key, Kind, Panel, Rectangle, Sample, titled_page};
use crate::error::Result;
use crate::train::LearningPoint;
use std::path::Path;

/// The loss, its terms and the validation loss over the epochs, the best epoch marked; below, the
/// share of steps with negative dissipation and the learning rate. The best epoch has the smallest
/// validation loss, or the smallest loss if no epoch was validated.
///
/// A term that is zero cannot be shown on the logarithmic axis: its curve has a gap there, and the
/// legend says so if it is zero throughout.
///
/// # Errors
/// [`Error::Plot`](crate::Error::Plot) on data or a path that cannot be used.
pub fn learning_curve(points: &[LearningPoint], path: impl AsRef<Path>) -> Result<()> {
    save(learning_page(points), path)
}

struct Term {
    label: &'static str,
    pen: (Colour, f64, Dash),
    /// Epoch and value.
    points: Vec<(f64, f64)>,
}

fn learning_page(points: &[LearningPoint]) -> Result<Page, String> {
    let best = check(points)?;
    let terms = terms(points);
    let mut keys: Vec<Key> = terms
        .iter()
        .map(|term| {
            let (colour, width, dash) = term.pen;
            let label = match term.points.iter().all(|p| p.1 == 0.0) {
                true => format!("{} (zero)", term.label),
                false => term.label.to_string(),
            };
            Key::new(label, Sample::Line(colour, width, dash))
        })
        .collect();
    keys.push(Key::new("best epoch", Sample::Marker(Marker::Ring, BLACK)));
    let title = match points[best].validation {
        Some(v) => format!("validation loss {}", number(v)),
        None => format!("loss {}", number(points[best].loss())),
    };
    let title = format!("Training: best epoch {}, {title}", points[best].epoch);
    let (mut page, area) = titled_page(&title, &keys, (1, 1))?;
    let split = area.top + 0.66 * area.height();
    let upper = Rectangle {
        bottom: split,
        ..area
    };
    let lower = Rectangle { top: split, ..area };
    losses(&mut page, upper, points, best, &terms)?;

    let epochs: Vec<f64> = points.iter().map(|p| p.epoch as f64).collect();
    let share: Vec<f64> = points.iter().map(|p| 100.0 * p.negative_share).collect();
    let rate: Vec<f64> = points.iter().map(|p| p.learning_rate).collect();
    let rate_axis = match rate.iter().all(|&r| r > 0.0) {
        true => Axis::logarithmic("learning rate", "–"),
        false => Axis::linear("learning rate", "–"),
    };
    let share_axis = Axis::linear("steps with D < 0", "%");
    let x_axis = Axis::whole("epoch", "–");
    let small = [(share, share_axis, VERMILLION), (rate, rate_axis, SKY)];
    for ((values, axis, colour), cell) in small.into_iter().zip(lower.grid(2, 1)) {
        let none = "no data";
        let frame = Frame {
            name: "",
            figure: String::new(),
            x: (&x_axis, Extent::of(&epochs).ok_or(none)?),
            y: (&axis, Extent::of(&values).ok_or(none)?),
            right: 0.0,
            kind: Kind::Free,
        };
        let panel = Panel::new(&mut page, cell, &frame)?;
        best_line(&mut page, &panel, points[best].epoch);
        panel.curve(&mut page, &epochs, &values, (colour, 2.2, Dash::Solid));
    }
    Ok(page)
}

/// Checks the numbers and finds the best epoch.
fn check(points: &[LearningPoint]) -> Result<usize, String> {
    for p in points {
        let loss = [p.stress, p.dissipation, p.tangent, p.poisson, p.loss()];
        let rest = [p.negative_share, p.learning_rate];
        let what = format!("epoch {}", p.epoch);
        for values in [&loss[..], &rest, p.validation.as_slice()] {
            check_values(&what, values.len(), values)?;
        }
    }
    let validated = points.iter().any(|p| p.validation.is_some());
    let score = |p: &LearningPoint| match validated {
        true => p.validation,
        false => Some(p.loss()),
    };
    let scores = points.iter().enumerate();
    scores
        .filter_map(|(k, p)| score(p).map(|score| (k, score)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(k, _)| k)
        .ok_or_else(|| "there is no epoch to draw".to_string())
}

fn terms(points: &[LearningPoint]) -> Vec<Term> {
    let column = |value: fn(&LearningPoint) -> Option<f64>| -> Vec<(f64, f64)> {
        let of = |p: &LearningPoint| value(p).map(|v| (p.epoch as f64, v));
        points.iter().filter_map(of).collect()
    };
    let mut terms = vec![
        Term {
            label: "loss",
            pen: (BLACK, 2.8, Dash::Solid),
            points: column(|p| Some(p.loss())),
        },
        Term {
            label: "stress",
            pen: (BLUE, 2.2, DASHED),
            points: column(|p| Some(p.stress)),
        },
        Term {
            label: "dissipation",
            pen: (ORANGE, 2.2, DASH_DOTTED),
            points: column(|p| Some(p.dissipation)),
        },
        Term {
            label: "tangent",
            pen: (PURPLE, 2.6, DOTTED),
            points: column(|p| Some(p.tangent)),
        },
        Term {
            label: "Poisson's ratio",
            pen: (GREY, 2.2, DOTTED),
            points: column(|p| (p.poisson > 0.0).then_some(p.poisson)),
        },
        Term {
            label: "validation",
            pen: (GREEN, 2.4, Dash::Solid),
            points: column(|p| p.validation),
        },
    ];
    terms.retain(|term| !term.points.is_empty());
    terms
}

fn losses(
    page: &mut Page,
    cell: Rectangle,
    points: &[LearningPoint],
    best: usize,
    terms: &[Term],
) -> Result<(), String> {
    let positive = |p: &&(f64, f64)| p.1 > 0.0;
    let values = terms.iter().flat_map(|t| &t.points).filter(positive);
    let extent = Extent::of(values.map(|p| &p.1)).ok_or("every loss is zero")?;
    // A vanishing term must not compress the range of the others.
    let floor = 1e-12 * extent.high;
    let extent = Extent {
        low: extent.low.max(floor),
        ..extent
    };
    let epochs: Vec<f64> = points.iter().map(|p| p.epoch as f64).collect();
    let (x_axis, y_axis) = (
        Axis::whole("epoch", "–"),
        Axis::logarithmic("loss and its terms", "–"),
    );
    let frame = Frame {
        name: "",
        figure: String::new(),
        x: (&x_axis, Extent::of(&epochs).ok_or("no data")?),
        y: (&y_axis, extent),
        right: 0.0,
        kind: Kind::Free,
    };
    let panel = Panel::new(page, cell, &frame)?;
    best_line(page, &panel, points[best].epoch);
    for term in terms {
        let drawn = |p: &(f64, f64)| p.1 >= floor && p.1 > 0.0;
        for run in term.points.chunk_by(|a, b| drawn(a) == drawn(b)) {
            if drawn(&run[0]) {
                let (x, y): (Vec<f64>, Vec<f64>) = run.iter().copied().unzip();
                panel.curve(page, &x, &y, term.pen);
                if run.len() == 1 {
                    page.disc(panel.at(x[0], y[0]), 3.0, term.pen.0);
                }
            }
        }
    }
    let epoch = points[best].epoch as f64;
    let score = points[best].validation.unwrap_or(points[best].loss());
    let height = match score > 0.0 {
        true => panel.at_y(score.max(floor)),
        false => panel.plot.bottom,
    };
    mark(page, Marker::Ring, (panel.at_x(epoch), height), 7.0, BLACK);
    Ok(())
}

fn best_line(page: &mut Page, panel: &Panel, epoch: usize) {
    let x = panel.at_x(epoch as f64);
    let line = vec![(x, panel.plot.top), (x, panel.plot.bottom)];
    page.line(line, BLACK, 1.0, Dash::Pattern(&[4.0, 4.0]));
}
