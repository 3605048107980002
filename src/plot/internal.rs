//! Dissipation and internal variables.

use super::axis::{Axis, Extent, number};
use super::data::{Abscissa, check_curve};
use super::page::{Align, Dash, Page, save, shortened, text_width};
use super::palette::{BLACK, BLUE, GREY, Marker, VERMILLION, mark, pen};
use super::panel::{Frame, Key, Kind, Panel, Rectangle, Sample, TICK, arrangement, titled_page};
use crate::driver::Curve;
use crate::error::Result;
use std::path::Path;

/// The dissipation `D_end` of every step, with negative values marked, and below it its sum; a column
/// per curve. The title of a column gives the number and the share of negative steps.
///
/// A step is negative if it [violates the second law](crate::law::breaks_second_law) by more than
/// round-off.
///
/// # Errors
/// [`Error::Plot`](crate::Error::Plot) on data or a path that cannot be used.
pub fn dissipation(curves: &[&Curve], path: impl AsRef<Path>) -> Result<()> {
    save(dissipation_page(curves), path)
}

fn dissipation_page(curves: &[&Curve]) -> Result<Page, String> {
    if curves.is_empty() {
        return Err("there is no curve to draw".into());
    }
    for curve in curves {
        check_curve(curve)?;
        if curve.record.rows() < 2 {
            return Err(format!("curve {} has no step", curve.record.name));
        }
    }
    let keys = [
        Key::new("D ≥ 0", Sample::Line(BLUE, 5.0, Dash::Solid)),
        Key::new("D < 0", Sample::Marker(Marker::Fall, VERMILLION)),
    ];
    let columns = curves.len().min(4);
    let rows = 2 * curves.len().div_ceil(columns);
    let (mut page, area) = titled_page(
        "Dissipation of each step, and its sum",
        &keys,
        (columns, rows),
    )?;
    let cells = area.grid(columns, rows);
    for (k, curve) in curves.iter().enumerate() {
        let upper = 2 * columns * (k / columns) + k % columns;
        dissipation_panels(&mut page, cells[upper], cells[upper + columns], curve)?;
    }
    Ok(page)
}

fn dissipation_panels(
    page: &mut Page,
    upper: Rectangle,
    lower: Rectangle,
    curve: &Curve,
) -> Result<(), String> {
    // Row 0 is the start, not a step.
    let steps = &curve.dissipation[1..];
    let negative = &curve.negative_dissipation()[1..];
    let count = negative.iter().filter(|n| **n).count();
    let share = 100.0 * count as f64 / steps.len() as f64;

    let numbers = Extent::new(0.0, steps.len() as f64);
    let x_axis = Axis::whole("step", "–");
    let y_axis = Axis::linear("dissipation D", "MJ/m³");
    let extent = Extent::of(steps).ok_or("no data")?.including(0.0);
    let frame = Frame {
        name: &curve.record.name,
        figure: format!(
            ": {count} of {} steps negative ({} %)",
            steps.len(),
            number(share)
        ),
        x: (&x_axis, numbers),
        y: (&y_axis, extent),
        right: 0.0,
        kind: Kind::Free,
    };
    let panel = Panel::new(page, upper, &frame)?;
    stems(page, &panel, steps, negative);

    let mut sums = vec![0.0];
    for (k, d) in steps.iter().enumerate() {
        sums.push(sums[k] + d);
    }
    let y_axis = Axis::linear("sum of D", "MJ/m³");
    let total = sums[steps.len()];
    let frame = Frame {
        name: "",
        figure: format!("sum: {} MJ/m³", number(total)),
        x: (&x_axis, numbers),
        y: (&y_axis, Extent::of(&sums).ok_or("no data")?),
        right: 0.0,
        kind: Kind::Free,
    };
    let panel = Panel::new(page, lower, &frame)?;
    let x: Vec<f64> = (0..sums.len()).map(|k| k as f64).collect();
    panel.curve(page, &x, &sums, (BLUE, 2.4, Dash::Solid));
    let mut start = 0;
    for run in negative.chunk_by(|a, b| a == b) {
        let end = start + run.len();
        if run[0] {
            let (x, y) = (&x[start..=end], &sums[start..=end]);
            panel.curve(page, x, y, (VERMILLION, 3.4, Dash::Solid));
        }
        start = end;
    }
    Ok(())
}

/// A stem per step; with more steps than pixels, a stem per pixel from the lowest to the highest of
/// its steps.
fn stems(page: &mut Page, panel: &Panel, steps: &[f64], negative: &[bool]) {
    let zero = panel.at_y(0.0);
    let place = |k: usize| panel.at_x((k + 1) as f64);
    let width = (0.6 * (panel.at_x(1.0) - panel.at_x(0.0))).clamp(1.4, 8.0);
    let mut falls = Vec::new();
    let mut first = 0;
    let pixels: Vec<i64> = (0..steps.len()).map(|k| place(k) as i64).collect();
    for run in pixels.chunk_by(|a, b| a == b) {
        let range = first..first + run.len();
        let (x, here) = (place(first), &steps[range.clone()]);
        let falling = negative[range].contains(&true);
        first += run.len();
        let Some(Extent { low, high, .. }) = Extent::of(here) else {
            continue;
        };
        let mut stem = |value: f64, colour| {
            let points = vec![(x, zero), (x, panel.at_y(value))];
            page.line(points, colour, width, Dash::Solid);
        };
        if high > 0.0 {
            stem(high, BLUE);
        }
        if falling {
            stem(low, VERMILLION);
            falls.push((x, panel.at_y(low)));
        }
    }
    let (left, right) = (panel.plot.left, panel.plot.right);
    page.line(vec![(left, zero), (right, zero)], BLACK, 1.0, Dash::Solid);
    for at in falls {
        mark(page, Marker::Fall, at, 4.5, VERMILLION);
    }
}

/// Largest number of panels, one per internal variable.
const MOST_PANELS: usize = 12;
/// Entries of a variable with their own colours.
const MOST_LABELS: usize = 21;
const LINE: f64 = 15.0;

/// Every internal variable over time, row or strain path: a panel per named variable, its entries
/// labelled at the end of their curves. If there are too many, those with the largest variation have a
/// colour and a label, and the others are grey.
///
/// # Errors
/// [`Error::Plot`](crate::Error::Plot) on data or a path that cannot be used, or a law without
/// internal variables.
pub fn internal_variables(curve: &Curve, over: Abscissa, path: impl AsRef<Path>) -> Result<()> {
    save(internal_variables_page(curve, over), path)
}

struct Entry {
    label: String,
    values: Vec<f64>,
}

impl Entry {
    fn movement(&self) -> f64 {
        Extent::of(&self.values).map_or(0.0, |e| e.high - e.low)
    }
}

fn internal_variables_page(curve: &Curve, over: Abscissa) -> Result<Page, String> {
    check_curve(curve)?;
    let (layout, rows) = (&curve.state_layout, curve.record.rows());
    let name = &curve.record.name;
    if layout.is_empty() {
        return Err(format!("curve {name} has no internal variables"));
    }
    let mut entries = layout.labels().into_iter().enumerate().map(|(k, label)| {
        let values = (0..rows).map(|row| curve.states[row * layout.len() + k]);
        Entry {
            label,
            values: values.collect(),
        }
    });
    let variables = layout.variables().iter().filter(|v| v.len > 0);
    let groups: Vec<(&str, Vec<Entry>)> = match variables.clone().count() {
        0..=MOST_PANELS => variables
            .map(|v| (v.name.as_str(), entries.by_ref().take(v.len).collect()))
            .collect(),
        _ => vec![("all internal variables", entries.collect())],
    };
    let (columns, lines) = arrangement(groups.len());
    let title = format!("Internal variables: {name}");
    let (mut page, area) = titled_page(&title, &[], (columns, lines))?;
    let over = over.known([&curve.record]);
    let x = over.values(&curve.record);
    for ((name, entries), cell) in groups.iter().zip(area.grid(columns, lines)) {
        variable_panel(&mut page, cell, name, entries, over, &x)?;
    }
    Ok(page)
}

fn variable_panel(
    page: &mut Page,
    cell: Rectangle,
    name: &str,
    entries: &[Entry],
    over: Abscissa,
    x: &[f64],
) -> Result<(), String> {
    let (x_axis, y_axis) = (over.axis(), Axis::linear("internal variable", ""));
    let room = ((cell.height() - 100.0) / LINE) as usize;
    // The labelled entries, those with the largest variation first.
    let mut labelled: Vec<usize> = match entries.len() {
        1 => Vec::new(),
        n => (0..n).collect(),
    };
    labelled.sort_by(|&a, &b| entries[b].movement().total_cmp(&entries[a].movement()));
    labelled.truncate(room.min(MOST_LABELS));
    labelled.sort_unstable();
    let widest = labelled
        .iter()
        .map(|&k| text_width(&entries[k].label, TICK))
        .fold(0.0, f64::max);
    let right = match labelled.len() {
        0 => 0.0,
        _ => (widest + 30.0).min(0.35 * cell.width()),
    };
    let rest = match entries.len() {
        1 => 0,
        n => n - labelled.len(),
    };
    let figure = match rest {
        0 => String::new(),
        rest => format!(" ({rest} that move less in grey)"),
    };
    let none = "no data";
    let frame = Frame {
        name,
        figure,
        x: (&x_axis, Extent::of(x).ok_or(none)?),
        y: (
            &y_axis,
            Extent::of(entries.iter().flat_map(|e| &e.values)).ok_or(none)?,
        ),
        right,
        kind: Kind::Free,
    };
    let panel = Panel::new(page, cell, &frame)?;
    for (k, entry) in entries.iter().enumerate() {
        if rest > 0 && !labelled.contains(&k) {
            panel.curve(page, x, &entry.values, (GREY, 1.0, Dash::Solid));
        }
    }
    let single = entries.len() == 1;
    for (rank, &k) in if single { &[0][..] } else { &labelled }.iter().enumerate() {
        let (colour, dash) = pen(rank);
        panel.curve(page, x, &entries[k].values, (colour, 2.0, dash));
    }
    direct_labels(page, &panel, entries, labelled, (x[x.len() - 1], right));
    Ok(())
}

/// Labels right of the axes, as close to the ends of their curves as they fit without overlap.
fn direct_labels(
    page: &mut Page,
    panel: &Panel,
    entries: &[Entry],
    labelled: Vec<usize>,
    (last_x, width): (f64, f64),
) {
    let last = |k: usize| entries[k].values[entries[k].values.len() - 1];
    let mut labels: Vec<(usize, usize, f64)> = labelled
        .into_iter()
        .enumerate()
        .map(|(rank, k)| (rank, k, panel.at_y(last(k))))
        .collect();
    labels.sort_by(|a, b| a.2.total_cmp(&b.2));
    let mut heights: Vec<f64> = labels.iter().map(|l| l.2).collect();
    let count = heights.len();
    for k in 1..count {
        heights[k] = heights[k].max(heights[k - 1] + LINE);
    }
    for k in (0..count).rev() {
        let below = match k + 1 {
            next if next < count => heights[next] - LINE,
            _ => panel.plot.bottom - 4.0,
        };
        heights[k] = heights[k].min(below);
    }
    let right = panel.plot.right;
    for ((rank, k, end), height) in labels.into_iter().zip(heights) {
        let (colour, dash) = pen(rank);
        let leader = vec![(panel.at_x(last_x), end), (right + 10.0, height)];
        page.line(leader, GREY, 1.0, Dash::Solid);
        let sample = vec![(right + 10.0, height), (right + 24.0, height)];
        page.line(sample, colour, 2.4, dash);
        let text = shortened(&entries[k].label, TICK, width - 28.0);
        let at = (right + 28.0, height + 0.36 * TICK);
        page.text(&text, at, TICK, Align::Left, BLACK);
    }
}
