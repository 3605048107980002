//! What the jobs of all hosts share: one element of unit size under a strain cycle.

use crate::law::{Increment, MaterialLaw, Response, Status};

/// Steps of the cycle: up, down beyond zero, back.
pub(super) const STEPS: usize = 40;

/// Corners of the unit cube in the order of a hexahedron.
pub(super) const CORNERS: [[u8; 3]; 8] = [
    [0, 0, 0],
    [1, 0, 0],
    [1, 1, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 0, 1],
    [1, 1, 1],
    [0, 1, 1],
];

/// The largest strain of the cycle: a typical one of the law, or less where that is outside the
/// range of its training.
pub(super) fn amplitude(law: &dyn MaterialLaw) -> f64 {
    let (state, mut next) = (law.new_state(), law.new_state());
    let external = law.typical_external();
    let mut inside = |strain: f64| {
        let mut response = Response::default();
        let increment = Increment {
            strain_old: &[0.0; 6],
            strain_new: &[strain, -0.5 * strain, -0.5 * strain, 0.0, 0.0, 0.0],
            dt: 1.0,
            external_old: &external,
            external_new: &external,
        };
        law.update(&increment, &state, &mut next, &mut response)
            .is_ok()
            && response.status == Status::Inside
    };
    let mut strain = law.scales().strain;
    for _ in 0..8 {
        if inside(strain) && inside(-strain) {
            break;
        }
        strain *= 0.5;
    }
    strain
}

/// Faces that are held or moved: axis, coordinate, name.
pub(super) const FACES: [(usize, u8, &str); 4] = [
    (0, 0, "left"),
    (1, 0, "front"),
    (2, 0, "bottom"),
    (0, 1, "right"),
];

/// The corners of a face, from 0.
pub(super) fn face(axis: usize, value: u8) -> impl Iterator<Item = usize> {
    (0..8).filter(move |&corner| CORNERS[corner][axis] == value)
}

/// Time, and strain over its amplitude, at the corners of the cycle.
pub(super) const CYCLE: [[f64; 2]; 4] = [[0.0, 0.0], [1.0, 1.0], [3.0, -1.0], [4.0, 0.0]];

/// To six digits, as a deck has it.
pub(super) fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}
