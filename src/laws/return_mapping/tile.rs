//! Tiles: points of a batch copied into contiguous rows, so that rows a power of two apart in the batch
//! do not compete for the same cache sets.

use super::kernel::advance;
use super::overstress::{RateIndependent, Viscous};
use super::{ReturnMapping, Viscosity};
use crate::error::UpdateError;
use crate::law::{BatchInput, BatchOutput, Increment, Response, Status};
#[cfg(target_arch = "x86_64")]
use crate::laws::lanes::{Avx2, Avx512};
use crate::laws::lanes::{Lanes, Plain, load, on_every_machine, store};

/// Points of a tile of a batch.
pub(super) const TILE: usize = 32;
/// Whether every machine of this architecture has a fused multiply-add.
const FUSED: bool = cfg!(target_arch = "aarch64");

/// The `α_k` of the points of a tile, before and after.
pub(super) type Kinematic<const P: usize> = [[f64; P]; 6];

/// Inputs and outputs of `P` points, one row per number.
pub(super) struct Tile<const P: usize> {
    pub dt: [f64; P],
    pub strain: [[f64; P]; 6],
    pub plastic_strain: [[f64; P]; 6],
    pub accumulated: [f64; P],
    pub plastic_strain_new: [[f64; P]; 6],
    pub accumulated_new: [f64; P],
    pub stress: [[f64; P]; 6],
    pub tangent: [[f64; P]; 36],
    pub energy: [f64; P],
    pub dissipation: [f64; P],
}

impl<const P: usize> Tile<P> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            dt: [0.0; P],
            strain: [[0.0; P]; 6],
            plastic_strain: [[0.0; P]; 6],
            accumulated: [0.0; P],
            plastic_strain_new: [[0.0; P]; 6],
            accumulated_new: [0.0; P],
            stress: [[0.0; P]; 6],
            tangent: [[0.0; P]; 36],
            energy: [0.0; P],
            dissipation: [0.0; P],
        }
    }

    #[inline(always)]
    fn advance<L: Lanes>(
        &mut self,
        mapping: &ReturnMapping,
        kinematic: &[Kinematic<P>],
        kinematic_new: &mut [Kinematic<P>],
        first: usize,
        transposed: bool,
    ) -> Result<(), UpdateError> {
        match mapping.viscosity {
            Viscosity::None => {
                let overstress = RateIndependent;
                advance::<L, P>(
                    mapping,
                    &overstress,
                    self,
                    kinematic,
                    kinematic_new,
                    first,
                    transposed,
                )
            }
            Viscosity::PowerLaw {
                reference_rate,
                exponent,
                drag,
            } => {
                let overstress = Viscous {
                    scale: load::<L, P>(&self.dt, first) * reference_rate,
                    exponent,
                    drag,
                };
                advance::<L, P>(
                    mapping,
                    &overstress,
                    self,
                    kinematic,
                    kinematic_new,
                    first,
                    transposed,
                )
            }
        }
    }

    /// Fills the inputs with the points from `first` on; lanes beyond the last point keep their values.
    #[inline(always)]
    fn read<L: Lanes>(&mut self, input: &BatchInput, kinematic: &mut [Kinematic<P>], first: usize) {
        let range = first..input.points.min(first + P);
        copy_in::<L, P>(&mut self.dt, input.dt, &range);
        let mut rows = input.strain_new.chunks_exact(input.points);
        for (to, from) in self.strain.iter_mut().zip(&mut rows) {
            copy_in::<L, P>(to, from, &range);
        }
        let mut rows = input.state.chunks_exact(input.points);
        let state = self.plastic_strain.iter_mut();
        let state = state.chain(std::iter::once(&mut self.accumulated));
        for (to, from) in state.chain(kinematic.as_flattened_mut()).zip(&mut rows) {
            copy_in::<L, P>(to, from, &range);
        }
    }

    /// Copies the outputs to the points from `first` on.
    #[inline(always)]
    fn write<L: Lanes>(&self, output: &mut BatchOutput, kinematic: &[Kinematic<P>], first: usize) {
        let points = output.status.len();
        let range = first..points.min(first + P);
        let state = self.plastic_strain_new.iter();
        let state = state.chain(std::iter::once(&self.accumulated_new));
        let rows = output.state.chunks_exact_mut(points);
        for (from, to) in state.chain(kinematic.as_flattened()).zip(rows) {
            copy_out::<L, P>(from, to, &range);
        }
        let rows = output.stress.chunks_exact_mut(points);
        for (from, to) in self.stress.iter().zip(rows) {
            copy_out::<L, P>(from, to, &range);
        }
        let rows = output.tangent.chunks_exact_mut(points);
        for (from, to) in self.tangent.iter().zip(rows) {
            copy_out::<L, P>(from, to, &range);
        }
        copy_out::<L, P>(&self.energy, output.stored_energy, &range);
        copy_out::<L, P>(&self.dissipation, output.dissipation, &range);
        output.status[range].fill(Status::Inside);
    }
}

/// Copies by registers: for so few numbers a call of `memcpy` costs more than the copy.
#[inline(always)]
fn copy_in<L: Lanes, const P: usize>(
    to: &mut [f64; P],
    from: &[f64],
    range: &std::ops::Range<usize>,
) {
    let from = &from[range.clone()];
    let Some(whole) = from.first_chunk::<P>() else {
        return to[..from.len()].copy_from_slice(from);
    };
    for first in (0..P).step_by(L::WIDTH) {
        store::<L, P>(load(whole, first), to, first);
    }
}

#[inline(always)]
fn copy_out<L: Lanes, const P: usize>(
    from: &[f64; P],
    to: &mut [f64],
    range: &std::ops::Range<usize>,
) {
    let to = &mut to[range.clone()];
    let Some(whole) = to.first_chunk_mut::<P>() else {
        return to.copy_from_slice(&from[..to.len()]);
    };
    for first in (0..P).step_by(L::WIDTH) {
        store::<L, P>(load(from, first), whole, first);
    }
}

on_every_machine!(
    pub(super) fn advance_point = advance_point_body(
        mapping: &ReturnMapping,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
        outcome: &mut Result<(), UpdateError>,
    ),
    Plain<true, 1>,
    Plain<true, 1>,
    Plain<FUSED, 1>
);

#[inline(always)]
fn advance_point_body<L: Lanes>(
    mapping: &ReturnMapping,
    increment: &Increment,
    state_old: &[f64],
    state_new: &mut [f64],
    response: &mut Response,
    outcome: &mut Result<(), UpdateError>,
) {
    let mut tile = Tile::<1>::new();
    tile.dt = [increment.dt];
    tile.strain
        .as_flattened_mut()
        .copy_from_slice(increment.strain_new);
    let (plastic_strain, rest) = state_old.split_at(6);
    tile.plastic_strain
        .as_flattened_mut()
        .copy_from_slice(plastic_strain);
    tile.accumulated = [rest[0]];
    let kinematic = rest[1..].as_chunks::<1>().0.as_chunks::<6>().0;
    let (plastic_strain_new, rest) = state_new.split_at_mut(6);
    let (accumulated_new, rest) = rest.split_at_mut(1);
    let kinematic_new = rest.as_chunks_mut::<1>().0.as_chunks_mut::<6>().0;
    // The moduli lie by columns.
    *outcome = tile.advance::<L>(mapping, kinematic, kinematic_new, 0, true);
    if outcome.is_err() {
        return;
    }
    plastic_strain_new.copy_from_slice(tile.plastic_strain_new.as_flattened());
    accumulated_new.copy_from_slice(&tile.accumulated_new);
    response
        .stress
        .as_mut_slice()
        .copy_from_slice(tile.stress.as_flattened());
    response
        .tangent
        .as_mut_slice()
        .copy_from_slice(tile.tangent.as_flattened());
    [response.stored_energy] = tile.energy;
    [response.dissipation] = tile.dissipation;
    response.status = Status::Inside;
}

on_every_machine!(
    pub(super) fn advance_batch = advance_batch_body(
        mapping: &ReturnMapping,
        input: &BatchInput,
        output: &mut BatchOutput,
        kinematic: &mut [Kinematic<TILE>],
        first: &mut usize,
    ),
    Avx512,
    Avx2,
    Plain<FUSED, 4>
);

/// Advances the points from `first` on, tile by tile; stops with `first` at a tile that holds a
/// point that fails. `kinematic` holds the old `α_k` of a tile, then the new ones.
#[inline(always)]
fn advance_batch_body<L: Lanes>(
    mapping: &ReturnMapping,
    input: &BatchInput,
    output: &mut BatchOutput,
    kinematic: &mut [Kinematic<TILE>],
    first: &mut usize,
) {
    let mut tile = Tile::<TILE>::new();
    let (kinematic, kinematic_new) = kinematic.split_at_mut(kinematic.len() / 2);
    while *first < input.points {
        tile.read::<L>(input, kinematic, *first);
        let points = TILE.min(input.points - *first);
        // Lanes beyond the end hold stale but finite points: zeros, or those of the tile before.
        for start in (0..points).step_by(L::WIDTH) {
            if tile
                .advance::<L>(mapping, kinematic, kinematic_new, start, false)
                .is_err()
            {
                return;
            }
        }
        if !unused_inputs_are_valid(input, *first..*first + points) {
            return;
        }
        tile.write::<L>(output, kinematic_new, *first);
        *first += points;
    }
}

/// Whether the inputs that the response does not depend on are valid; the others make the stored energy
/// NaN or infinite where they are.
#[inline(always)]
fn unused_inputs_are_valid(input: &BatchInput, range: std::ops::Range<usize>) -> bool {
    let mut sum = [0.0; 8];
    let mut add = |values: &[f64]| {
        let (chunks, rest) = values.as_chunks::<8>();
        for chunk in chunks {
            for w in 0..8 {
                sum[w] += 0.0 * chunk[w];
            }
        }
        for value in rest {
            sum[0] += 0.0 * value;
        }
    };
    for row in input.strain_old.chunks_exact(input.points) {
        add(&row[range.clone()]);
    }
    let dt = &input.dt[range];
    add(dt);
    let mut valid = true;
    for dt in dt {
        valid &= *dt >= 0.0;
    }
    valid & sum.iter().all(|zero| *zero == 0.0)
}
