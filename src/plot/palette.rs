//! Colours, dashes and markers.

use super::page::{Colour, Dash, Page, Point};

pub(super) const BLACK: Colour = plotters::style::RGBColor(0x1A, 0x1A, 0x1A);
pub(super) const GREY: Colour = plotters::style::RGBColor(0xA6, 0xA6, 0xA6);
pub(super) const PALE: Colour = plotters::style::RGBColor(0xE4, 0xE4, 0xE4);
pub(super) const BAND: Colour = plotters::style::RGBColor(0xFB, 0xD9, 0xA0);
pub(super) const BLUE: Colour = plotters::style::RGBColor(0x00, 0x72, 0xB2);
pub(super) const VERMILLION: Colour = plotters::style::RGBColor(0xD5, 0x5E, 0x00);
pub(super) const GREEN: Colour = plotters::style::RGBColor(0x00, 0x9E, 0x73);
pub(super) const PURPLE: Colour = plotters::style::RGBColor(0xCC, 0x79, 0xA7);
pub(super) const ORANGE: Colour = plotters::style::RGBColor(0xE6, 0x9F, 0x00);
pub(super) const SKY: Colour = plotters::style::RGBColor(0x56, 0xB4, 0xE9);
const WHITE: Colour = plotters::style::RGBColor(0xFF, 0xFF, 0xFF);
/// The colours of Okabe and Ito without yellow, which has too little contrast on white.
pub(super) const COLOURS: [Colour; 7] = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK];
pub(super) const DASHED: Dash = Dash::Pattern(&[9.0, 5.0]);
pub(super) const DOTTED: Dash = Dash::Pattern(&[2.5, 4.0]);
pub(super) const DASH_DOTTED: Dash = Dash::Pattern(&[10.0, 4.0, 2.5, 4.0]);
const DASHES: [Dash; 4] = [Dash::Solid, DASHED, DOTTED, DASH_DOTTED];

/// Colour and dash pattern of a curve by its index: the colours repeat with the next dash pattern.
pub(super) fn pen(number: usize) -> (Colour, Dash) {
    let (turn, colour) = (number / COLOURS.len(), number % COLOURS.len());
    (COLOURS[colour], DASHES[turn % DASHES.len()])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Disc,
    Ring,
    Square,
    Triangle,
    Diamond,
    /// A triangle that points down.
    Fall,
}

pub(super) const MARKERS: [Marker; 5] = [
    Marker::Disc,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::Ring,
];

pub(super) fn mark(page: &mut Page, marker: Marker, at: Point, radius: f64, colour: Colour) {
    let mut polygon = |corners: &[Point]| {
        let corners = corners
            .iter()
            .map(|(x, y)| (at.0 + radius * x, at.1 + radius * y));
        page.area(corners.collect(), colour);
    };
    match marker {
        Marker::Disc => page.disc(at, radius, colour),
        Marker::Ring => {
            page.disc(at, radius, colour);
            page.disc(at, 0.55 * radius, WHITE);
        }
        Marker::Square => polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        Marker::Triangle => polygon(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]),
        Marker::Diamond => polygon(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
        Marker::Fall => polygon(&[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)]),
    }
}
