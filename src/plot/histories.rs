//! Measured and predicted stress.

use super::axis::{Axis, Extent, number};
use super::data::{Abscissa, Component, check_pair, check_record};
use super::page::{Dash, Page, save};
use super::palette::{BAND, BLACK, BLUE, COLOURS, GREY, MARKERS, Marker, PALE};
use super::panel::{Frame, Key, Kind, Panel, Rectangle, Sample, arrangement, titled_page};
use crate::driver::Curve;
use crate::error::Result;
use crate::evaluate::{Quantity, r2, rmse};
use crate::law::Status;
use crate::record::Record;
use std::path::Path;

/// Largest number of rows for which each measurement has a marker.
const FEW: usize = 80;
const MEASURED: (super::page::Colour, f64, Dash) = (GREY, 4.6, Dash::Solid);
const PREDICTED: (super::page::Colour, f64, Dash) = (BLUE, 2.2, Dash::Solid);

/// Stress against strain, one panel per record: measurement, prediction (with the same rows), root
/// mean square error, and the increments outside the trained range.
///
/// `component` is an index among the components of the records.
///
/// # Errors
/// [`Error::Plot`](crate::Error::Plot) on data or a path that cannot be used.
pub fn stress_strain(
    records: &[(&Record, Option<&Curve>)],
    component: usize,
    path: impl AsRef<Path>,
) -> Result<()> {
    save(histories(records, component, None), path)
}

/// Stress over time, row or strain path; otherwise as [`stress_strain`].
///
/// # Errors
/// [`Error::Plot`](crate::Error::Plot) on data or a path that cannot be used.
pub fn stress_over_time(
    records: &[(&Record, Option<&Curve>)],
    component: usize,
    over: Abscissa,
    path: impl AsRef<Path>,
) -> Result<()> {
    save(histories(records, component, Some(over)), path)
}

fn histories(
    records: &[(&Record, Option<&Curve>)],
    component: usize,
    over: Option<Abscissa>,
) -> Result<Page, String> {
    for (measured, predicted) in records {
        match predicted {
            Some(curve) => check_pair(measured, curve)?,
            None => check_record(measured)?,
        }
    }
    let Some((first, _)) = records.first() else {
        return Err("there is no record to draw".into());
    };
    let mut keys = vec![Key::new(
        "measured",
        Sample::Line(MEASURED.0, MEASURED.1, MEASURED.2),
    )];
    if records.iter().any(|(_, predicted)| predicted.is_some()) {
        let (colour, width, dash) = PREDICTED;
        keys.push(Key::new("predicted", Sample::Line(colour, width, dash)));
    }
    let mut curves = records.iter().filter_map(|(_, predicted)| *predicted);
    if curves.any(|curve| curve.status.contains(&Status::Outside)) {
        let label = "prediction outside the trained range";
        keys.push(Key::new(label, Sample::Band(BAND)));
    }
    let drawn = Component::of(first, component)?;
    let of_first = records.first().and_then(|(_, predicted)| *predicted);
    let quantity = of_first.map_or(Quantity::Stress, |curve| drawn.quantity(curve));
    let symbol = match quantity {
        Quantity::Stress => format!("Stress {}", drawn.stress_symbol()),
        Quantity::Strain => format!("Strain {}", drawn.strain_symbol()),
    };
    let over = over.map(|over| over.known(records.iter().map(|(measured, _)| *measured)));
    let title = match over {
        None => format!("Stress {} against strain", drawn.stress_symbol()),
        Some(Abscissa::Time) => format!("{symbol} over time"),
        Some(Abscissa::Row) => format!("{symbol} row by row"),
        Some(Abscissa::PathLength) => format!("{symbol} along the strain path"),
    };
    let (columns, rows) = arrangement(records.len());
    let (mut page, area) = titled_page(&title, &keys, (columns, rows))?;
    let cells = area.grid(columns, rows);
    for ((measured, predicted), cell) in records.iter().zip(cells) {
        history(&mut page, cell, measured, *predicted, component, over)?;
    }
    Ok(page)
}

fn history(
    page: &mut Page,
    cell: Rectangle,
    measured: &Record,
    predicted: Option<&Curve>,
    component: usize,
    over: Option<Abscissa>,
) -> Result<(), String> {
    let component = Component::of(measured, component)?;
    let quantity = predicted.map_or(Quantity::Stress, |curve| component.quantity(curve));
    let vertical = match over {
        None => Quantity::Stress,
        Some(_) => quantity,
    };
    let horizontal = |record: &Record| match over {
        None => component.strain(record),
        Some(over) => over.values(record),
    };
    let (x, y) = (horizontal(measured), component.values(vertical, measured));
    let (x_axis, y_axis) = (
        over.map_or_else(|| component.strain_axis(), Abscissa::axis),
        component.axis(vertical),
    );
    let answer = predicted.map(|curve| {
        let (x, y) = (
            horizontal(&curve.record),
            component.values(vertical, &curve.record),
        );
        (x, y, &curve.status)
    });
    let figure = predicted.map_or_else(String::new, |curve| {
        let [m, p] = [measured, &curve.record].map(|record| component.values(quantity, record));
        format!(": RMSE {}", error_text(&m, &p, quantity))
    });
    let none = Vec::new();
    let (px, py) = answer
        .as_ref()
        .map_or((&none, &none), |(px, py, _)| (px, py));
    let both = |a: &[f64], b: &[f64]| Extent::of(a.iter().chain(b)).ok_or("no data");
    let frame = Frame {
        name: &measured.name,
        figure,
        x: (&x_axis, both(&x, px)?),
        y: (&y_axis, both(&y, py)?),
        right: 0.0,
        kind: Kind::Free,
    };
    let panel = Panel::new(page, cell, &frame)?;
    if let Some((px, py, status)) = &answer {
        outside(page, &panel, px, py, status);
    }
    panel.curve(page, &x, &y, MEASURED);
    if x.len() <= FEW {
        let points = x.iter().copied().zip(y.iter().copied());
        panel.markers(page, points, (Marker::Disc, 4.0, GREY));
    }
    panel.curve(page, px, py, PREDICTED);
    Ok(())
}

/// The root mean square error with its unit.
fn error_text(measured: &[f64], predicted: &[f64], quantity: Quantity) -> String {
    let unit = match quantity {
        Quantity::Stress => "MPa",
        Quantity::Strain => "of strain",
    };
    format!("{} {unit}", number(rmse(measured, predicted)))
}

/// A shaded band at the increments that end outside the trained range.
fn outside(page: &mut Page, panel: &Panel, x: &[f64], y: &[f64], status: &[Status]) {
    const WIDTH: f64 = 15.0;
    let mut row = 0;
    for run in status.chunk_by(|a, b| a == b) {
        let end = row + run.len();
        if run[0] == Status::Outside {
            let start = row.saturating_sub(1);
            let (x, y) = (&x[start..end], &y[start..end]);
            panel.curve(page, x, y, (BAND, WIDTH, Dash::Solid));
            for k in [0, x.len() - 1] {
                page.disc(panel.at(x[k], y[k]), 0.5 * WIDTH, BAND);
            }
        }
        row = end;
    }
}

/// Predicted against measured stress of one component, with the line of equality, a band of ±10 %,
/// `R²` and the root mean square error over all rows.
///
/// # Errors
/// [`Error::Plot`](crate::Error::Plot) on data or a path that cannot be used.
pub fn parity(pairs: &[(&Record, &Curve)], component: usize, path: impl AsRef<Path>) -> Result<()> {
    save(parity_page(pairs, component), path)
}

/// Largest number of records with their own colours and legend entries.
const NAMED: usize = 7;

fn parity_page(pairs: &[(&Record, &Curve)], component: usize) -> Result<Page, String> {
    let mut groups = Vec::new();
    for (measured, predicted) in pairs {
        check_pair(measured, predicted)?;
        let component = Component::of(measured, component)?;
        let quantity = component.quantity(predicted);
        groups.push((
            component.values(quantity, measured),
            component.values(quantity, &predicted.record),
        ));
    }
    let Some((first, curve)) = pairs.first() else {
        return Err("there is no record to draw".into());
    };
    let drawn = Component::of(first, component)?;
    let quantity = drawn.quantity(curve);
    let (kind, symbol, unit) = match quantity {
        Quantity::Stress => ("stress", drawn.stress_symbol(), "MPa"),
        Quantity::Strain => ("strain", drawn.strain_symbol(), "–"),
    };
    let measured: Vec<f64> = groups.iter().flat_map(|g| &g.0).copied().collect();
    let predicted: Vec<f64> = groups.iter().flat_map(|g| &g.1).copied().collect();
    let extent = Extent::of(measured.iter().chain(&predicted)).ok_or("no data")?;

    let appearance = |k: usize| match groups.len() {
        0..=NAMED => (MARKERS[k % MARKERS.len()], COLOURS[k]),
        _ => (Marker::Disc, BLUE),
    };
    let mut keys = vec![
        Key::new(
            "predicted = measured",
            Sample::Line(BLACK, 1.4, Dash::Solid),
        ),
        Key::new("±10 %", Sample::Band(PALE)),
    ];
    if groups.len() <= NAMED {
        for (k, (record, _)) in pairs.iter().enumerate() {
            let (marker, colour) = appearance(k);
            keys.push(Key::new(&record.name, Sample::Marker(marker, colour)));
        }
    }
    let title = format!("Predicted against measured {kind} {symbol}");
    let (mut page, area) = titled_page(&title, &keys, (1, 1))?;
    // The plot area is square; labels and ticks use the rest of the cell.
    let side = area.height() - 82.0;
    let left = area.left + 0.5 * (area.width() - side) - 50.0;
    let cell = Rectangle {
        left,
        right: left + side + 98.0,
        ..area
    };
    let axis = |which: &str| Axis::linear(format!("{which} {kind} {symbol}"), unit);
    let determination = r2(&measured, &predicted, 1).map_or_else(String::new, |r| {
        // Rounded down, so that only a perfect fit shows 1.
        format!("R² = {}, ", number((r * 1e4).floor() / 1e4))
    });
    let frame = Frame {
        name: "",
        figure: format!(
            "{determination}RMSE {}, {} rows",
            error_text(&measured, &predicted, quantity),
            measured.len()
        ),
        x: (&axis("measured"), extent),
        y: (&axis("predicted"), extent),
        right: 0.0,
        kind: Kind::Square,
    };
    let panel = Panel::new(&mut page, cell, &frame)?;
    tolerance(&mut page, &panel);
    panel.outline(&mut page);
    for (k, (measured, predicted)) in groups.iter().enumerate() {
        let (marker, colour) = appearance(k);
        let points = measured.iter().copied().zip(predicted.iter().copied());
        panel.markers(&mut page, points, (marker, 2.8, colour));
    }
    Ok(page)
}

/// The line of equality within its band of ±10 %, clipped at the axes.
fn tolerance(page: &mut Page, panel: &Panel) {
    let (low, high) = panel.x.ends();
    let mut wedge = |end: f64| {
        // The outer border leaves the square where 1.1 x = end.
        let corners = [(0.0, 0.0), (end, 0.9 * end), (end, end), (end / 1.1, end)];
        page.area(corners.map(|(x, y)| panel.at(x, y)).to_vec(), PALE);
    };
    for end in [low, high] {
        if end != 0.0 && low <= 0.0 && high >= 0.0 {
            wedge(end);
        }
    }
    if low > 0.0 || high < 0.0 {
        // If all stresses have one sign the band starts at the axis.
        let clamp = |v: f64| v.clamp(low, high);
        let steps = 0..=200;
        let x = steps.map(|k| low + (high - low) * f64::from(k) / 200.0);
        let mut border: Vec<_> = x.clone().map(|x| panel.at(x, clamp(0.9 * x))).collect();
        border.extend(x.rev().map(|x| panel.at(x, clamp(1.1 * x))));
        page.area(border, PALE);
    }
    let ends = vec![panel.at(low, low), panel.at(high, high)];
    page.line(ends, BLACK, 1.4, Dash::Solid);
}
