//! A solid of hexahedra, coloured by a nodal value of a finite element program.

use super::axis::{Axis, Extent, Scale};
use super::data::check_values;
use super::page::{Align, Colour, Dash, Page, Point, save};
use super::palette::BLACK;
use super::panel::{LABEL, Rectangle, TICK, titled_page};
use crate::error::Result;
use std::collections::HashMap;
use std::path::Path;

/// Corners of the faces of a hexahedron in VTK's order, counterclockwise from outside.
const FACES: [[usize; 4]; 6] = [
    [0, 3, 2, 1],
    [4, 5, 6, 7],
    [0, 1, 5, 4],
    [1, 2, 6, 5],
    [2, 3, 7, 6],
    [3, 0, 4, 7],
];
/// View direction in degrees: azimuth about z from −y towards x, and elevation.
const AZIMUTH: f64 = 30.0;
const ELEVATION: f64 = 25.0;
/// Patches along an edge of a face, each of one colour.
const PATCHES: usize = 8;
/// Viridis (Smith, van der Walt & Firing 2015, CC0), equidistant.
const COLOURS: [[f64; 3]; 5] = [
    [68.0, 1.0, 84.0],
    [59.0, 82.0, 139.0],
    [33.0, 145.0, 140.0],
    [94.0, 201.0, 98.0],
    [253.0, 231.0, 37.0],
];
/// Width of the colour bar without and with its labels.
const BAR: f64 = 26.0;
const BAR_ROOM: f64 = 130.0;

/// The surface of a solid in parallel projection, z upwards, with interpolated nodal values.
///
/// `nodes` are positions, `cells` the indices of their eight nodes in VTK's order, `values` one per
/// node.
///
/// # Errors
/// [`Error::Plot`](crate::Error::Plot) on nodes that are not there, numbers that are not finite, or a
/// path that cannot be used.
pub fn solid(
    nodes: &[[f64; 3]],
    cells: &[[usize; 8]],
    values: &[f64],
    axis: &Axis,
    title: &str,
    path: impl AsRef<Path>,
) -> Result<()> {
    save(solid_page(nodes, cells, values, axis, title), path)
}

/// A visible face: its corners on the page (right, up), their values, and its depth.
struct Face {
    corners: [Point; 4],
    values: [f64; 4],
    nearness: f64,
}

fn solid_page(
    nodes: &[[f64; 3]],
    cells: &[[usize; 8]],
    values: &[f64],
    axis: &Axis,
    title: &str,
) -> Result<Page, String> {
    check_values("values at the nodes", nodes.len(), values)?;
    check_values("places", 3 * nodes.len(), nodes.as_flattened())?;
    if let Some(node) = cells.as_flattened().iter().find(|n| **n >= nodes.len()) {
        return Err(format!("there is no node {node}"));
    }
    let mut faces = visible(nodes, cells, values);
    faces.sort_by(|a, b| a.nearness.total_cmp(&b.nearness));
    let extent = |values: &dyn Fn(&Face) -> Vec<f64>| {
        let all: Vec<f64> = faces.iter().flat_map(values).collect();
        Extent::of(&all).ok_or("there is no face to draw")
    };
    let across = extent(&|face| face.corners.map(|c| c.0).to_vec())?;
    let up = extent(&|face| face.corners.map(|c| c.1).to_vec())?;
    let range = extent(&|face| face.values.to_vec())?;

    let (mut page, area) = titled_page(title, &[], (1, 1))?;
    let room = Rectangle {
        right: area.right - BAR_ROOM,
        ..area
    };
    let size = |extent: Extent| (extent.high - extent.low).max(f64::MIN_POSITIVE);
    let zoom = (0.92 * room.width() / size(across)).min(0.92 * room.height() / size(up));
    let centre = (
        0.5 * (room.left + room.right),
        0.5 * (room.top + room.bottom),
    );
    let place = |(x, y): Point| {
        (
            centre.0 + zoom * (x - 0.5 * (across.low + across.high)),
            centre.1 - zoom * (y - 0.5 * (up.low + up.high)),
        )
    };
    for face in &faces {
        fill(&mut page, face, range, place);
        let outline = [0, 1, 2, 3, 0].map(|k| place(face.corners[k]));
        page.line(outline.to_vec(), BLACK, 0.7, Dash::Solid);
    }
    bar(&mut page, &area, axis, range)?;
    Ok(page)
}

/// Faces that belong to one cell and face the viewer.
fn visible(nodes: &[[f64; 3]], cells: &[[usize; 8]], values: &[f64]) -> Vec<Face> {
    let mut count: HashMap<[usize; 4], usize> = HashMap::new();
    let key = |mut face: [usize; 4]| {
        face.sort_unstable();
        face
    };
    let faces = |cell: &[usize; 8]| {
        let cell = *cell;
        FACES.map(|face| face.map(|corner| cell[corner]))
    };
    for face in cells.iter().flat_map(faces) {
        *count.entry(key(face)).or_default() += 1;
    }
    let (turn, rise) = (AZIMUTH.to_radians(), ELEVATION.to_radians());
    let right = [turn.cos(), turn.sin(), 0.0];
    let viewer = [
        rise.cos() * turn.sin(),
        -rise.cos() * turn.cos(),
        rise.sin(),
    ];
    let up = [
        -rise.sin() * turn.sin(),
        rise.sin() * turn.cos(),
        rise.cos(),
    ];
    let along = |axis: &[f64; 3], node: usize| -> f64 {
        axis.iter().zip(&nodes[node]).map(|(a, x)| a * x).sum()
    };
    cells
        .iter()
        .flat_map(faces)
        .filter(|face| count[&key(*face)] == 1)
        .map(|face| Face {
            corners: face.map(|node| (along(&right, node), along(&up, node))),
            values: face.map(|node| values[node]),
            nearness: face.iter().map(|node| along(&viewer, *node)).sum(),
        })
        .filter(|face| {
            let [a, b, c, d] = face.corners;
            (c.0 - a.0) * (d.1 - b.1) - (c.1 - a.1) * (d.0 - b.0) > 0.0
        })
        .collect()
}

/// Colours a face patch by patch.
fn fill(page: &mut Page, face: &Face, range: Extent, place: impl Fn(Point) -> Point) {
    let weights = |s: f64, t: f64| {
        let weights = [(1.0 - s) * (1.0 - t), s * (1.0 - t), s * t, (1.0 - s) * t];
        move |values: [f64; 4]| -> f64 { weights.iter().zip(values).map(|(w, v)| w * v).sum() }
    };
    let at = |s: f64, t: f64| {
        let mean = weights(s, t);
        place((
            mean(face.corners.map(|c| c.0)),
            mean(face.corners.map(|c| c.1)),
        ))
    };
    let step = 1.0 / PATCHES as f64;
    // Patches overlap, so that no gap is visible between them.
    let end = |i: usize| (i as f64 + 1.1) * step;
    for i in 0..PATCHES {
        for j in 0..PATCHES {
            let (s, t) = (i as f64 * step, j as f64 * step);
            let (u, v) = (end(i).min(1.0), end(j).min(1.0));
            let value = weights(s + 0.5 * step, t + 0.5 * step)(face.values);
            let corners = vec![at(s, t), at(u, t), at(u, v), at(s, v)];
            page.area(corners, colour(value, range));
        }
    }
}

fn colour(value: f64, range: Extent) -> Colour {
    let size = range.high - range.low;
    let place = if size > 0.0 {
        (value - range.low) / size
    } else {
        0.5
    };
    let place = place.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let first = (place as usize).min(COLOURS.len() - 2);
    let share = place - first as f64;
    let [r, g, b] = std::array::from_fn(|k| {
        (COLOURS[first][k] + share * (COLOURS[first + 1][k] - COLOURS[first][k])).round() as u8
    });
    plotters::style::RGBColor(r, g, b)
}

/// The colours with their values.
fn bar(page: &mut Page, area: &Rectangle, axis: &Axis, range: Extent) -> Result<(), String> {
    let scale = Scale::new(axis, range, 7)?;
    let (top, bottom) = (area.top + 40.0, area.bottom - 30.0);
    let left = area.right - BAR_ROOM + 40.0;
    let right = left + BAR;
    // The axis is padded at its ends, the bar is not.
    let (low, high) = (scale.place(range.low), scale.place(range.high));
    let height = |place: f64| match high > low {
        true => bottom - (bottom - top) * (place - low) / (high - low),
        false => 0.5 * (top + bottom),
    };
    let slices = 256;
    for k in 0..slices {
        let share = k as f64 / slices as f64;
        let value = range.low + (share + 0.5 / slices as f64) * (range.high - range.low);
        let y = bottom - (bottom - top) * share;
        page.rectangle(left, top, right, y, colour(value, range));
    }
    let corners = [
        (left, top),
        (right, top),
        (right, bottom),
        (left, bottom),
        (left, top),
    ];
    page.line(corners.to_vec(), BLACK, 1.0, Dash::Solid);
    for (value, label) in &scale.ticks {
        let y = height(scale.place(*value));
        if (top..=bottom).contains(&y) {
            page.line(vec![(right, y), (right + 5.0, y)], BLACK, 1.0, Dash::Solid);
            page.text(
                label,
                (right + 9.0, y + 0.36 * TICK),
                TICK,
                Align::Left,
                BLACK,
            );
        }
    }
    let middle = (left - 12.0, 0.5 * (top + bottom));
    page.upward_text(&scale.label, middle, LABEL, BLACK);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube() -> ([[f64; 3]; 8], [usize; 8]) {
        let corner = |x, y, z| [f64::from(x), f64::from(y), f64::from(z)];
        let nodes = [(0, 0), (1, 0), (1, 1), (0, 1)];
        let layer = |z| nodes.map(|(x, y)| corner(x, y, z));
        let ([a, b, c, d], [e, f, g, h]) = (layer(0), layer(1));
        ([a, b, c, d, e, f, g, h], std::array::from_fn(|i| i))
    }

    #[test]
    fn three_faces_of_a_cube_are_seen_and_none_between_two() {
        let (nodes, cell) = cube();
        let seen = visible(&nodes, &[cell], &[0.0; 8]);
        assert_eq!(seen.len(), 3);
        // The top, and the sides with normals −y and x.
        let heights = |face: &Face| face.nearness;
        assert!(seen.iter().all(|face| heights(face).is_finite()));

        let mut all = nodes.to_vec();
        all.extend(nodes.map(|[x, y, z]| [x + 1.0, y, z]));
        // The second cube shares the face x = 1.
        let second = [1, 9, 10, 2, 5, 13, 14, 6];
        let seen = visible(&all, &[cell, second], &[0.0; 16]);
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn colours_run_from_end_to_end() {
        let range = Extent::new(-1.0, 3.0);
        let ends = |k: usize| COLOURS[k].map(|c| c as u8);
        for (value, expected) in [
            (-1.0, ends(0)),
            (1.0, ends(2)),
            (3.0, ends(4)),
            (9.0, ends(4)),
        ] {
            let plotters::style::RGBColor(r, g, b) = colour(value, range);
            assert_eq!([r, g, b], expected);
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let (nodes, mut cell) = cube();
        let axis = Axis::linear("stress", "MPa");
        let page = |nodes: &[[f64; 3]], cells: &[[usize; 8]], values: &[f64]| {
            solid_page(nodes, cells, values, &axis, "").map(|_| ())
        };
        assert_eq!(page(&nodes, &[cell], &[1.0; 8]), Ok(()));
        assert!(page(&nodes, &[cell], &[1.0; 7]).is_err());
        assert!(page(&nodes, &[cell], &[f64::NAN; 8]).is_err());
        assert!(page(&nodes, &[], &[1.0; 8]).is_err());
        cell[3] = 8;
        assert!(page(&nodes, &[cell], &[1.0; 8]).is_err());
    }
}
