//! A page of shapes and its rendering as SVG or PNG.
//!
//! The layout uses fractional page units (one PNG pixel), but plotters' backends accept whole pixels
//! only. Both renderings therefore use a finer grid: the PNG is averaged down, which also smooths its
//! edges, and the SVG is scaled by its view box.

use super::path::strokes;
use crate::error::{Error, Result};
use crate::file;
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};
use std::fmt::Display;
use std::path::Path;
use std::sync::Once;

pub(super) type Colour = RGBColor;
pub(super) type Point = (f64, f64);

/// The registered font name, and the CSS font list for SVG viewers.
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";
const FONT_BYTES: &[u8] = include_bytes!("font/DejaVuSans-subset.ttf");
/// Ascent plus descent of the font in em: the bitmap backend measures a font size in these.
const FONT_HEIGHT: f64 = 1.164;
/// The SVG backend divides a font size by this.
const SVG_FONT_FACTOR: f64 = 1.24;
/// Half the height of a lower-case x in em, by which the SVG backend lifts text.
const SVG_FONT_LIFT: f64 = 0.27;
/// Steps of the SVG grid per page unit.
const SVG_SCALE: f64 = 10.0;
/// Largest number of grid cells of a PNG.
const LARGEST_BITMAP: f64 = 40e6;
/// Largest height of a page: taller ones have too many panels to be readable.
pub(super) const LARGEST_HEIGHT: f64 = 20_000.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Dash {
    Solid,
    /// Lengths of stroke and gap, alternating.
    Pattern(&'static [f64]),
}

#[derive(Clone, Debug)]
enum Shape {
    Line {
        points: Vec<Point>,
        colour: Colour,
        width: f64,
    },
    Area {
        points: Vec<Point>,
        colour: Colour,
    },
    Disc {
        centre: Point,
        radius: f64,
        colour: Colour,
    },
    Text {
        text: String,
        baseline: Point,
        size: f64,
        align: Align,
        upward: bool,
        colour: Colour,
    },
}

/// Shapes in drawing order.
pub(super) struct Page {
    pub width: f64,
    pub height: f64,
    shapes: Vec<Shape>,
}

impl Page {
    pub fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            shapes: Vec::new(),
        }
    }

    pub fn line(&mut self, points: Vec<Point>, colour: Colour, width: f64, dash: Dash) {
        let mut push = |points: Vec<Point>| {
            if points.len() > 1 {
                self.shapes.push(Shape::Line {
                    points,
                    colour,
                    width,
                });
            }
        };
        match dash {
            Dash::Solid => push(points),
            Dash::Pattern(lengths) => strokes(&points, lengths).into_iter().for_each(push),
        }
    }

    pub fn area(&mut self, points: Vec<Point>, colour: Colour) {
        self.shapes.push(Shape::Area { points, colour });
    }

    pub fn rectangle(&mut self, left: f64, top: f64, right: f64, bottom: f64, colour: Colour) {
        let corners = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
        self.area(corners, colour);
    }

    pub fn disc(&mut self, centre: Point, radius: f64, colour: Colour) {
        self.shapes.push(Shape::Disc {
            centre,
            radius,
            colour,
        });
    }

    pub fn text(&mut self, text: &str, baseline: Point, size: f64, align: Align, colour: Colour) {
        self.push_text(text, baseline, size, align, colour, false);
    }

    /// Text rotated by 90°, from bottom to top.
    pub fn upward_text(&mut self, text: &str, baseline: Point, size: f64, colour: Colour) {
        self.push_text(text, baseline, size, Align::Centre, colour, true);
    }

    fn push_text(
        &mut self,
        text: &str,
        baseline: Point,
        size: f64,
        align: Align,
        colour: Colour,
        upward: bool,
    ) {
        // XML does not permit control characters.
        let text = text.replace(|c: char| c.is_control(), " ");
        self.shapes.push(Shape::Text {
            text,
            baseline,
            size,
            align,
            upward,
            colour,
        });
    }

    /// Writes the page; the extension of the path selects the format.
    pub fn save(&self, path: &Path) -> Result<()> {
        let extension = path.extension().and_then(|e| e.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => self.save_svg(path),
            Some("png") => self.save_png(path),
            _ => Err(failed(
                path,
                "a figure is written as .svg or .png; give the file one of these extensions",
            )),
        }
    }

    fn save_svg(&self, path: &Path) -> Result<()> {
        let grid = |length: f64| (length * SVG_SCALE).round() as u32;
        let size = (grid(self.width), grid(self.height));
        let mut svg = String::new();
        {
            let mut backend = SVGBackend::with_string(&mut svg, size);
            self.draw(&mut backend, SVG_SCALE, false)
                .map_err(|e| failed(path, e))?;
        }
        let body = svg.split_once('>').map_or("", |(_, body)| body);
        let head = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" \
             viewBox=\"0 0 {} {}\" stroke-linejoin=\"round\" stroke-linecap=\"butt\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>",
            self.width, self.height, size.0, size.1,
        );
        file::write(path, (head + body).as_bytes()).map_err(|e| failed(path, e))
    }

    fn save_png(&self, path: &Path) -> Result<()> {
        let fit = (LARGEST_BITMAP / (self.width * self.height)).sqrt();
        let scale = fit.floor().clamp(1.0, 4.0) as usize;
        let (width, height) = (self.width as usize, self.height as usize);
        let mut fine = vec![255; 3 * width * height * scale * scale];
        {
            let size = ((width * scale) as u32, (height * scale) as u32);
            let mut backend = BitMapBackend::with_buffer(&mut fine, size);
            self.draw(&mut backend, scale as f64, true)
                .map_err(|e| failed(path, e))?;
        }
        let pixels = average_down(&fine, width, height, scale);
        let size = (width as u32, height as u32);
        let written = file::replace(path, |part| {
            let mut backend = BitMapBackend::new(part, size);
            backend
                .blit_bitmap((0, 0), size, &pixels)
                .and_then(|()| backend.present())
                .map_err(|e| std::io::Error::other(e.to_string()))
        });
        written.map_err(|e| failed(path, e))
    }

    fn draw<B: DrawingBackend>(
        &self,
        backend: &mut B,
        scale: f64,
        bitmap: bool,
    ) -> Result<(), String> {
        register_font();
        let grid = |&(x, y): &Point| ((x * scale).round() as i32, (y * scale).round() as i32);
        let style = |colour: &Colour, width: f64| ShapeStyle {
            color: (*colour).into(),
            filled: true,
            stroke_width: (width * scale).round().max(1.0) as u32,
        };
        for shape in &self.shapes {
            match shape {
                Shape::Line {
                    points,
                    colour,
                    width,
                } if bitmap => {
                    stroke(backend, points, colour, width * scale, scale)?;
                    Ok(())
                }
                Shape::Line {
                    points,
                    colour,
                    width,
                } => backend.draw_path(points.iter().map(grid), &style(colour, *width)),
                Shape::Area { points, colour } => {
                    backend.fill_polygon(points.iter().map(grid), &style(colour, 1.0))
                }
                Shape::Disc {
                    centre,
                    radius,
                    colour,
                } => {
                    let radius = (radius * scale).round().max(1.0) as u32;
                    backend.draw_circle(grid(centre), radius, &style(colour, 1.0), true)
                }
                Shape::Text {
                    text,
                    baseline,
                    size,
                    align,
                    upward,
                    colour,
                } => {
                    // Position of the baseline of text that a backend anchors at its top (bitmap)
                    // or bottom (SVG).
                    let (factor, lift, vertical) = match bitmap {
                        true => (FONT_HEIGHT, -0.5 * FONT_HEIGHT, VPos::Top),
                        false => (SVG_FONT_FACTOR, SVG_FONT_LIFT, VPos::Bottom),
                    };
                    let (x, y) = *baseline;
                    let (anchor, transform) = match upward {
                        true => ((x + lift * size, y), FontTransform::Rotate270),
                        false => ((x, y + lift * size), FontTransform::None),
                    };
                    let horizontal = match align {
                        Align::Left => HPos::Left,
                        Align::Centre => HPos::Center,
                        Align::Right => HPos::Right,
                    };
                    let font = (FONT, size * factor * scale).into_font();
                    let style = TextStyle::from(font.transform(transform))
                        .color(colour)
                        .pos(Pos::new(horizontal, vertical));
                    backend.draw_text(text, &style, grid(&anchor))
                }
            }
            .map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}

/// Draws a line with round joints: plotters' own wide lines have gaps at self-intersections, which
/// every hysteresis loop has.
fn stroke<B: DrawingBackend>(
    backend: &mut B,
    points: &[Point],
    colour: &Colour,
    width: f64,
    scale: f64,
) -> Result<(), String> {
    let style = ShapeStyle::from(colour).filled();
    let round = |x: f64| x.round() as i32;
    let half = 0.5 * width;
    for (k, pair) in points.windows(2).enumerate() {
        let [(ax, ay), (bx, by)] = [0, 1].map(|i| (pair[i].0 * scale, pair[i].1 * scale));
        if ax == bx || ay == by {
            let (dx, dy) = if ay == by { (0.0, half) } else { (half, 0.0) };
            // The rectangle includes its last row and column.
            let corner = (round(ax.min(bx) - dx), round(ay.min(by) - dy));
            let opposite = (round(ax.max(bx) + dx) - 1, round(ay.max(by) + dy) - 1);
            let opposite = (opposite.0.max(corner.0), opposite.1.max(corner.1));
            backend.draw_rect(corner, opposite, &style, true)
        } else {
            let length = (bx - ax).hypot(by - ay);
            let (nx, ny) = (-(by - ay) / length * half, (bx - ax) / length * half);
            let corners = [
                (ax + nx, ay + ny),
                (bx + nx, by + ny),
                (bx - nx, by - ny),
                (ax - nx, ay - ny),
            ];
            backend.fill_polygon(corners.map(|(x, y)| (round(x), round(y))), &style)
        }
        .map_err(|e| e.to_string())?;
        if k > 0 && half > 1.0 {
            backend
                .draw_circle((round(ax), round(ay)), half.floor() as u32, &style, true)
                .map_err(|e| e.to_string())?;
        }
    }
    Ok(())
}

fn average_down(fine: &[u8], width: usize, height: usize, scale: usize) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(3 * width * height);
    let cells = (scale * scale) as u32;
    for y in 0..height {
        for x in 0..width {
            let mut sum = [0; 3];
            for row in y * scale..(y + 1) * scale {
                let start = 3 * (row * width * scale + x * scale);
                for cell in fine[start..start + 3 * scale].chunks_exact(3) {
                    for (total, &value) in sum.iter_mut().zip(cell) {
                        *total += u32::from(value);
                    }
                }
            }
            pixels.extend(sum.map(|total| ((total + cells / 2) / cells) as u8));
        }
    }
    pixels
}

fn register_font() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // A failure appears as a font error of the first text.
        let _ = plotters::style::register_font(FONT, FontStyle::Normal, FONT_BYTES);
    });
}

/// Width of a text, page units.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    register_font();
    let measured = (FONT, 1000.0 * FONT_HEIGHT)
        .into_font()
        .layout_box(text)
        .map_or(600 * text.chars().count() as i32, |(_, (right, _))| right);
    f64::from(measured) * size / 1000.0
}

/// The text, truncated to a width with an ellipsis.
pub(super) fn shortened(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_string();
    }
    let mut kept: Vec<char> = text.chars().collect();
    loop {
        kept.pop();
        let cut: String = kept.iter().collect::<String>().trim_end().to_string() + "…";
        if kept.is_empty() || text_width(&cut, size) <= width {
            return cut;
        }
    }
}

/// Writes a page.
pub(super) fn save(page: std::result::Result<Page, String>, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    page.map_err(|message| failed(path, message))?.save(path)
}

/// The error of a figure that cannot be drawn.
fn failed(path: &Path, message: impl Display) -> Error {
    Error::Plot {
        path: path.to_path_buf(),
        message: message.to_string(),
    }
}
