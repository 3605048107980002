//! The common layout of all figures: title and legend above a grid of panels.

use super::axis::{Axis, Extent, Scale};
use super::page::{Align, Colour, Dash, LARGEST_HEIGHT, Page, Point, shortened, text_width};
use super::palette::{BLACK, Marker, PALE, mark};
use super::path::thinned;

const TITLE: f64 = 21.0;
pub(super) const PANEL_TITLE: f64 = 15.5;
pub(super) const LABEL: f64 = 15.0;
pub(super) const TICK: f64 = 13.5;
const LEGEND: f64 = 15.0;
const MARGIN: f64 = 16.0;

#[derive(Clone, Debug)]
pub(super) enum Sample {
    Line(Colour, f64, Dash),
    Marker(Marker, Colour),
    /// A line through markers.
    Both(Colour, f64, Dash, Marker),
    Band(Colour),
}

/// An entry of the legend.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub label: String,
    pub sample: Sample,
}

impl Key {
    pub fn new(label: impl Into<String>, sample: Sample) -> Self {
        let label = label.into();
        Self { label, sample }
    }

    fn draw(&self, page: &mut Page, left: f64, baseline: f64) {
        let (y, right) = (baseline - 5.0, left + SAMPLE);
        let line = |page: &mut Page, colour, width, dash| {
            page.line(vec![(left, y), (right, y)], colour, width, dash);
        };
        match self.sample {
            Sample::Line(colour, width, dash) => line(page, colour, width, dash),
            Sample::Marker(marker, colour) => {
                mark(page, marker, (left + 0.5 * SAMPLE, y), 5.0, colour);
            }
            Sample::Both(colour, width, dash, marker) => {
                line(page, colour, width, dash);
                mark(page, marker, (left + 0.5 * SAMPLE, y), 4.5, colour);
            }
            Sample::Band(colour) => page.rectangle(left, y - 6.0, right, y + 6.0, colour),
        }
        let text = (right + 8.0, baseline);
        page.text(&self.label, text, LEGEND, Align::Left, BLACK);
    }

    fn width(&self) -> f64 {
        SAMPLE + 8.0 + text_width(&self.label, LEGEND) + 26.0
    }
}

const SAMPLE: f64 = 34.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rectangle {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rectangle {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Equal cells, row by row.
    pub fn grid(&self, columns: usize, rows: usize) -> Vec<Rectangle> {
        let (width, height) = (self.width() / columns as f64, self.height() / rows as f64);
        let cell = |row: usize, column: usize| Rectangle {
            left: self.left + column as f64 * width,
            top: self.top + row as f64 * height,
            right: self.left + (column + 1) as f64 * width,
            bottom: self.top + (row + 1) as f64 * height,
        };
        (0..rows)
            .flat_map(|row| (0..columns).map(move |column| cell(row, column)))
            .collect()
    }
}

/// Columns and rows for a number of panels.
pub(super) fn arrangement(panels: usize) -> (usize, usize) {
    let columns = match panels {
        0 | 1 => 1,
        2..=4 => 2,
        5..=9 => 3,
        _ => 4,
    };
    (columns, panels.div_ceil(columns).max(1))
}

/// A page with title and legend; the rectangle is the remaining area.
pub(super) fn titled_page(
    title: &str,
    keys: &[Key],
    (columns, rows): (usize, usize),
) -> Result<(Page, Rectangle), String> {
    let (width, least) = if columns > 3 {
        (1600.0, 290.0)
    } else {
        (1200.0, 260.0)
    };
    // Rows of the legend within the width.
    let mut lines: Vec<Vec<(f64, Key)>> = Vec::new();
    let mut x = f64::INFINITY;
    for key in keys {
        let label = shortened(&key.label, LEGEND, 0.5 * width);
        let key = Key::new(label, key.sample.clone());
        if x + key.width() > width - MARGIN {
            lines.push(Vec::new());
            x = MARGIN + 8.0;
        }
        let next = x + key.width();
        if let Some(line) = lines.last_mut() {
            line.push((x, key));
        }
        x = next;
    }
    let top = 44.0 + 24.0 * lines.len() as f64 + if lines.is_empty() { 2.0 } else { 8.0 };
    let height = (top + rows as f64 * least + MARGIN).max(800.0).round();
    if height > LARGEST_HEIGHT {
        return Err(format!(
            "{} panels do not fit on one page; split them over several figures",
            columns * rows
        ));
    }
    let mut page = Page::new(width, height);
    let text = shortened(title, TITLE, width - 2.0 * MARGIN - 16.0);
    page.text(&text, (MARGIN + 8.0, 32.0), TITLE, Align::Left, BLACK);
    for (number, line) in lines.iter().enumerate() {
        let baseline = 62.0 + 24.0 * number as f64;
        for (left, key) in line {
            key.draw(&mut page, *left, baseline);
        }
    }
    let rest = Rectangle {
        left: MARGIN,
        top,
        right: width - MARGIN,
        bottom: height - MARGIN,
    };
    Ok((page, rest))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Free,
    /// Both axes show the same quantity and have the same ticks.
    Square,
    /// The figure writes its own labels instead of the ticks of x.
    Categories,
}

/// Title and axes of a panel.
pub(super) struct Frame<'a> {
    /// Truncated with an ellipsis if it does not fit.
    pub name: &'a str,
    /// Follows the name and is never truncated.
    pub figure: String,
    pub x: (&'a Axis, Extent),
    pub y: (&'a Axis, Extent),
    /// Free width right of the axes.
    pub right: f64,
    pub kind: Kind,
}

/// The middle of a pixel, where a thin line is sharp.
fn sharp(position: f64) -> f64 {
    position.floor() + 0.5
}

/// One pair of axes.
pub(super) struct Panel {
    pub plot: Rectangle,
    pub x: Scale,
    pub y: Scale,
}

impl Panel {
    /// Draws the axes into a cell of the page.
    pub fn new(page: &mut Page, cell: Rectangle, frame: &Frame) -> Result<Self, String> {
        let count = |length: f64, each: f64| ((length / each) as usize).clamp(3, 9);
        let up = count(cell.height() - 90.0, 50.0);
        let across = match frame.kind {
            Kind::Square => up,
            _ => count(cell.width() - 110.0, 85.0),
        };
        let x = Scale::new(frame.x.0, frame.x.1, across)?;
        let y = Scale::new(frame.y.0, frame.y.1, up)?;
        let titled = !(frame.name.is_empty() && frame.figure.is_empty());
        let widest = y
            .ticks
            .iter()
            .map(|(_, label)| text_width(label, TICK))
            .fold(38.0, f64::max);
        let plot = Rectangle {
            left: (cell.left + widest + 42.0).round(),
            top: (cell.top + if titled { 30.0 } else { 12.0 }).round(),
            right: (cell.right - 18.0 - frame.right).round(),
            bottom: (cell.bottom - 52.0).round(),
        };
        let panel = Self { plot, x, y };
        let categories = frame.kind == Kind::Categories;
        panel.grid(page, categories);
        panel.outline(page);
        panel.labels(page, cell, frame, categories);
        Ok(panel)
    }

    fn grid(&self, page: &mut Page, categories: bool) {
        let Rectangle {
            left,
            top,
            right,
            bottom,
        } = self.plot;
        for (value, _) in self.x.ticks.iter().filter(|_| !categories) {
            let x = sharp(self.at_x(*value));
            page.line(vec![(x, top), (x, bottom)], PALE, 1.0, Dash::Solid);
            let tick = vec![(x, bottom), (x, bottom + 5.0)];
            page.line(tick, BLACK, 1.0, Dash::Solid);
        }
        for (value, _) in &self.y.ticks {
            let y = sharp(self.at_y(*value));
            page.line(vec![(left, y), (right, y)], PALE, 1.0, Dash::Solid);
            page.line(vec![(left - 5.0, y), (left, y)], BLACK, 1.0, Dash::Solid);
        }
        for value in self.x.minor.iter().filter(|_| !categories) {
            let x = sharp(self.at_x(*value));
            let tick = vec![(x, bottom), (x, bottom + 3.0)];
            page.line(tick, BLACK, 1.0, Dash::Solid);
        }
        for value in &self.y.minor {
            let y = sharp(self.at_y(*value));
            page.line(vec![(left - 3.0, y), (left, y)], BLACK, 1.0, Dash::Solid);
        }
    }

    /// The border, to be drawn again over shapes that cover it.
    pub fn outline(&self, page: &mut Page) {
        let plot = self.plot;
        let (left, top) = (sharp(plot.left), sharp(plot.top));
        let (right, bottom) = (sharp(plot.right), sharp(plot.bottom));
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        let closed = corners.into_iter().chain([corners[0]]);
        page.line(closed.collect(), BLACK, 1.0, Dash::Solid);
    }

    fn labels(&self, page: &mut Page, cell: Rectangle, frame: &Frame, categories: bool) {
        let plot = self.plot;
        let middle = |a: f64, b: f64| 0.5 * (a + b);
        for (value, label) in self.x.ticks.iter().filter(|_| !categories) {
            let at = (self.at_x(*value), plot.bottom + 20.0);
            page.text(label, at, TICK, Align::Centre, BLACK);
        }
        for (value, label) in &self.y.ticks {
            let at = (plot.left - 9.0, self.at_y(*value) + 0.36 * TICK);
            page.text(label, at, TICK, Align::Right, BLACK);
        }
        let below = (middle(plot.left, plot.right), plot.bottom + 42.0);
        if !categories {
            let label = shortened(&self.x.label, LABEL, cell.width());
            page.text(&label, below, LABEL, Align::Centre, BLACK);
        }
        let beside = (cell.left + 17.0, middle(plot.top, plot.bottom));
        let label = shortened(&self.y.label, LABEL, cell.height());
        page.upward_text(&label, beside, LABEL, BLACK);
        let room = plot.width() + frame.right - text_width(&frame.figure, PANEL_TITLE);
        let title = shortened(frame.name, PANEL_TITLE, room) + &frame.figure;
        let above = (plot.left, plot.top - 9.0);
        page.text(&title, above, PANEL_TITLE, Align::Left, BLACK);
    }

    pub fn at_x(&self, x: f64) -> f64 {
        self.plot.left + self.plot.width() * self.x.place(x)
    }

    pub fn at_y(&self, y: f64) -> f64 {
        self.plot.bottom - self.plot.height() * self.y.place(y)
    }

    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.at_x(x), self.at_y(y))
    }

    /// A curve through the points, thinned to the resolution of the page.
    pub fn curve(
        &self,
        page: &mut Page,
        x: &[f64],
        y: &[f64],
        (colour, width, dash): (Colour, f64, Dash),
    ) {
        let points = x.iter().zip(y).map(|(&x, &y)| self.at(x, y)).collect();
        page.line(thinned(points), colour, width, dash);
    }

    /// Markers, at most one per third of a pixel.
    pub fn markers(
        &self,
        page: &mut Page,
        points: impl IntoIterator<Item = (f64, f64)>,
        (marker, radius, colour): (Marker, f64, Colour),
    ) {
        let mut seen = std::collections::HashSet::new();
        for (x, y) in points {
            let at = self.at(x, y);
            if seen.insert(((3.0 * at.0) as i64, (3.0 * at.1) as i64)) {
                mark(page, marker, at, radius, colour);
            }
        }
    }
}
