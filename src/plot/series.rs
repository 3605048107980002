//! General figures: lines and grouped bars.

use super::axis::{Axis, Division, Extent, number};
use super::data::check_values;
use super::page::{Align, Dash, Page, save, shortened, text_width};
use super::palette::{BLACK, COLOURS, DASH_DOTTED, DASHED, DOTTED, MARKERS};
use super::panel::{Frame, Key, Kind, Panel, Sample, TICK, titled_page};
use crate::error::Result;
use std::path::Path;

/// Line style of a series; its colour follows from its index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    #[default]
    Solid,
    Dashed,
    Dotted,
    DashDotted,
    Points,
    /// A solid line through marked points.
    Marked,
}

impl Style {
    fn dash(self) -> Dash {
        match self {
            Self::Dashed => DASHED,
            Self::Dotted => DOTTED,
            Self::DashDotted => DASH_DOTTED,
            Self::Solid | Self::Points | Self::Marked => Dash::Solid,
        }
    }
}

/// A curve with its entry in the legend.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    pub label: String,
    pub x: Vec<f64>,
    /// Of the same length as `x`.
    pub y: Vec<f64>,
    pub style: Style,
}

/// Curves over common axes, with a legend above them.
///
/// # Errors
/// [`Error::Plot`](crate::Error::Plot) on data or a path that cannot be used; a logarithmic axis
/// takes positive values only.
pub fn lines(
    series: &[Series],
    x: &Axis,
    y: &Axis,
    title: &str,
    path: impl AsRef<Path>,
) -> Result<()> {
    save(lines_page(series, x, y, title), path)
}

const WIDTH: f64 = 2.4;
const RADIUS: f64 = 4.0;

fn lines_page(series: &[Series], x: &Axis, y: &Axis, title: &str) -> Result<Page, String> {
    for s in series {
        check_values(&format!("x of {}", s.label), s.x.len(), &s.x)?;
        check_values(&format!("y of {}", s.label), s.x.len(), &s.y)?;
    }
    let extent = |values: fn(&Series) -> &Vec<f64>| {
        Extent::of(series.iter().flat_map(values)).ok_or("there is no point to draw")
    };
    let appearance = |k: usize| (COLOURS[k % COLOURS.len()], MARKERS[k % MARKERS.len()]);
    let keys: Vec<Key> = series
        .iter()
        .enumerate()
        .map(|(k, s)| {
            let (colour, marker) = appearance(k);
            let sample = match s.style {
                Style::Points => Sample::Marker(marker, colour),
                Style::Marked => Sample::Both(colour, WIDTH, Dash::Solid, marker),
                style => Sample::Line(colour, WIDTH, style.dash()),
            };
            Key::new(&s.label, sample)
        })
        .collect();
    let frame = Frame {
        name: "",
        figure: String::new(),
        x: (x, extent(|s| &s.x)?),
        y: (y, extent(|s| &s.y)?),
        right: 0.0,
        kind: Kind::Free,
    };
    let (mut page, area) = titled_page(title, &keys, (1, 1))?;
    let panel = Panel::new(&mut page, area, &frame)?;
    for (k, s) in series.iter().enumerate() {
        let (colour, marker) = appearance(k);
        if s.style != Style::Points {
            panel.curve(&mut page, &s.x, &s.y, (colour, WIDTH, s.style.dash()));
        }
        if matches!(s.style, Style::Points | Style::Marked) {
            let points = s.x.iter().copied().zip(s.y.iter().copied());
            panel.markers(&mut page, points, (marker, RADIUS, colour));
        }
    }
    Ok(page)
}

/// A series of bars: one value in every group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    pub label: String,
    /// One per group.
    pub values: Vec<f64>,
}

/// Bars side by side in groups, each with its value above it. On a logarithmic axis the bars start
/// at the decade below the smallest value.
///
/// # Errors
/// [`Error::Plot`](crate::Error::Plot) on data or a path that cannot be used; a logarithmic axis
/// takes positive values only.
pub fn bars(
    groups: &[&str],
    bars: &[Bars],
    y: &Axis,
    title: &str,
    path: impl AsRef<Path>,
) -> Result<()> {
    save(bars_page(groups, bars, y, title), path)
}

fn bars_page(groups: &[&str], bars: &[Bars], y: &Axis, title: &str) -> Result<Page, String> {
    for b in bars {
        check_values(&format!("values of {}", b.label), groups.len(), &b.values)?;
    }
    let values = bars.iter().flat_map(|b| &b.values);
    let extent = Extent::of(values).ok_or("there is no bar to draw")?;
    // A logarithmic axis has no zero at which bars could start.
    let start = match y.division {
        Division::Logarithmic if extent.low > 0.0 => 10f64.powf((0.9 * extent.low).log10().floor()),
        _ => 0.0,
    };
    let extent = extent.including(start);
    let extent = Extent {
        grounded: extent.low == start,
        ..extent
    };
    let colour = |k: usize| COLOURS[k % COLOURS.len()];
    let keys: Vec<Key> = bars
        .iter()
        .enumerate()
        .map(|(k, b)| Key::new(&b.label, Sample::Band(colour(k))))
        .collect();
    let (mut page, area) = titled_page(title, &keys, (1, 1))?;
    let x_axis = Axis::default();
    let positions = Extent::new(0.0, groups.len() as f64);
    let frame = Frame {
        name: "",
        figure: String::new(),
        x: (&x_axis, positions),
        y: (y, extent),
        right: 0.0,
        kind: Kind::Categories,
    };
    let panel = Panel::new(&mut page, area, &frame)?;
    let group_width = panel.at_x(1.0) - panel.at_x(0.0);
    let bar_width = (0.78 * group_width / bars.len() as f64).min(110.0);
    let base = panel.at_y(start);
    for (g, group) in groups.iter().enumerate() {
        let middle = panel.at_x(g as f64 + 0.5);
        for (k, b) in bars.iter().enumerate() {
            let value = b.values[g];
            let left = middle + (k as f64 - 0.5 * bars.len() as f64) * bar_width;
            let (right, end) = (left + 0.92 * bar_width, panel.at_y(value));
            page.rectangle(left, end.min(base), right, end.max(base), colour(k));
            let above = if value < start { 16.0 } else { -5.0 };
            let text = number(value);
            if text_width(&text, TICK) < bar_width {
                let at = (0.5 * (left + right), end + above);
                page.text(&text, at, TICK, Align::Centre, BLACK);
            }
        }
        for (line, text) in wrapped(group, group_width - 8.0).iter().enumerate() {
            let at = (middle, panel.plot.bottom + 19.0 + 15.5 * line as f64);
            page.text(text, at, TICK, Align::Centre, BLACK);
        }
    }
    let ends = vec![(panel.plot.left, base), (panel.plot.right, base)];
    page.line(ends, BLACK, 1.0, Dash::Solid);
    Ok(page)
}

/// A label in at most two lines, broken at a space or an underscore.
fn wrapped(text: &str, width: f64) -> Vec<String> {
    if text_width(text, TICK) <= width {
        return vec![text.to_string()];
    }
    let breaks = text.match_indices([' ', '_', '-']).map(|(at, _)| at + 1);
    let mut fitting = breaks.filter(|&at| text_width(text[..at].trim_end(), TICK) <= width);
    let lines = match fitting.next_back() {
        Some(at) => vec![text[..at].trim_end(), &text[at..]],
        None => vec![text],
    };
    let lines = lines.into_iter();
    lines.map(|line| shortened(line, TICK, width)).collect()
}
