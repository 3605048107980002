//! The radial return at `W` points side by side: one code for a single point and for a batch.
//!
//! Every lane is computed as if it were alone, in the same order of operations for any `W`, so that
//! a batch answers bit for bit as its points do.

use super::overstress::Overstress;
use super::tile::Tile;
use super::yield_condition::{Flow, Trial};
use super::{ROOT_3_2, ReturnMapping};
use crate::error::UpdateError;
use crate::laws::lanes::{
    Lanes, Tensor, components, dot, load, load_tensor, scaled, scaled_sum, store, store_tensor,
};

/// Advances the points of the tile from `first` on, as many as there are lanes. An error writes
/// nothing.
///
/// `kinematic` are the old `α_k`; `transposed` writes the tangent by columns.
#[inline(always)]
pub(super) fn advance<L: Lanes, const P: usize>(
    mapping: &ReturnMapping,
    overstress: &impl Overstress<L>,
    tile: &mut Tile<P>,
    kinematic: &[[[f64; P]; 6]],
    kinematic_new: &mut [[[f64; P]; 6]],
    first: usize,
    transposed: bool,
) -> Result<(), UpdateError> {
    let (bulk, shear) = (mapping.elastic.bulk, mapping.elastic.shear);
    let strain: Tensor<L> = load_tensor(&tile.strain, first);
    let plastic_strain: Tensor<L> = load_tensor(&tile.plastic_strain, first);

    let (deviator, _) = stress(
        &components!(i => strain[i] - plastic_strain[i]),
        bulk,
        shear,
    );
    let squares = dot(&strain, &strain) + dot(&plastic_strain, &plastic_strain);
    let trial = Trial {
        deviator,
        accumulated: load(&tile.accumulated, first),
        kinematic,
        first,
        magnitude: (squares * 2.0)
            .sqrt()
            .mul_add(3.0 * shear, mapping.parameters.yield_stress),
    };
    // Filled in place: a return by value would copy it through memory.
    let mut flow = Flow::none();
    mapping.flow(&trial, overstress, &mut flow)?;

    let plastic = flow.plastic_increment;
    let normal = &flow.condition.normal;
    // |Δε_p|
    let plastic_norm = plastic * ROOT_3_2;
    let plastic_strain = scaled_sum(plastic_norm, normal, &plastic_strain);
    let (deviator, volumetric) = stress(
        &components!(i => strain[i] - plastic_strain[i]),
        bulk,
        shear,
    );

    let isotropic = &flow.condition.isotropic;
    let mut energy = (volumetric * volumetric).mul_add(
        0.5 / bulk,
        dot(&deviator, &deviator).mul_add(0.25 / shear, isotropic.energy),
    );
    let mut dissipation = dot(&deviator, normal) * plastic_norm - isotropic.stress * plastic;
    for (k, b) in mapping.parameters.backstress.iter().enumerate() {
        // X = (2/3) C α; Δα = Δε_p − γ Δp α.
        let old = load_tensor(&kinematic[k], first);
        let alpha = kinematic_strain(&old, b.gamma, plastic, plastic_norm, normal);
        let square = dot(&alpha, &alpha);
        energy = square.mul_add(b.c / 3.0, energy);
        let recovered = square * plastic * b.gamma;
        let released = dot(&alpha, normal).mul_add(plastic_norm, -recovered);
        dissipation = released.mul_add(-2.0 / 3.0 * b.c, dissipation);
    }

    // C = K 1⊗1 + a P_dev + m⊗n
    let root_6_shear = 2.0 * ROOT_3_2 * shear;
    let beta = plastic * flow.condition.inverse_norm * root_6_shear;
    let deviatoric = beta.mul_add(-2.0 * shear, 2.0 * shear);
    let along_slope = -(beta * flow.gain * root_6_shear);
    let along_normal = flow.gain.mul_add(
        -root_6_shear * root_6_shear,
        beta.mul_add(2.0 * shear, -(along_slope * flow.condition.normal_slope)),
    );
    let direction_slope = &flow.condition.direction_slope;
    let mut left = scaled(along_normal, normal);
    if mapping.recovers {
        left = scaled_sum(along_slope, direction_slope, &left);
    }

    // Zero times a number that is not finite is NaN. The energy overflows where the stress does.
    let mut product = deviatoric.mul_add(0.0, energy.mul_add(0.0, dissipation * 0.0));
    components!(i => product = left[i].mul_add(0.0, product));
    if !product.is_zero() {
        let mut stress = volumetric;
        components!(i => stress = deviator[i].mul_add(0.0, stress));
        return Err(UpdateError::Overflow {
            what: match (stress.is_finite(), energy.is_finite()) {
                (false, _) => "stress",
                (_, false) => "energy",
                _ => "tangent",
            },
        });
    }

    store_tensor(&plastic_strain, &mut tile.plastic_strain_new, first);
    store(
        trial.accumulated + plastic,
        &mut tile.accumulated_new,
        first,
    );
    for (k, b) in mapping.parameters.backstress.iter().enumerate() {
        let old = load_tensor(&kinematic[k], first);
        let alpha = kinematic_strain(&old, b.gamma, plastic, plastic_norm, normal);
        store_tensor(&alpha, &mut kinematic_new[k], first);
    }
    let stress = components!(i => if i < 3 { deviator[i] + volumetric } else { deviator[i] });
    store_tensor(&stress, &mut tile.stress, first);
    let coupling = deviatoric.mul_add(-1.0 / 3.0, bulk);
    let diagonal = deviatoric.mul_add(2.0 / 3.0, bulk);
    let (outer, inner) = match transposed {
        false => (&left, normal),
        true => (normal, &left),
    };
    components!(i => components!(j => {
        let entry = match (i, j) {
            _ if i == j && i < 3 => outer[i].mul_add(inner[j], diagonal),
            _ if i == j => outer[i].mul_add(inner[j], deviatoric),
            _ if i < 3 && j < 3 => outer[i].mul_add(inner[j], coupling),
            _ => outer[i] * inner[j],
        };
        store(entry, &mut tile.tangent[6 * i + j], first)
    }));
    store(energy, &mut tile.energy, first);
    store(dissipation, &mut tile.dissipation, first);
    Ok(())
}

/// `2G dev(ε)` and `K tr(ε)`.
#[inline(always)]
fn stress<L: Lanes>(strain: &Tensor<L>, bulk: f64, shear: f64) -> (Tensor<L>, L) {
    let trace = strain[0] + strain[1] + strain[2];
    let deviator = components!(i => {
        let part = if i < 3 { trace.mul_add(-1.0 / 3.0, strain[i]) } else { strain[i] };
        part * (2.0 * shear)
    });
    (deviator, trace * bulk)
}

/// `α_{n+1} = (α_n + Δε_p) / (1 + γ Δp)`
#[inline(always)]
fn kinematic_strain<L: Lanes>(
    old: &Tensor<L>,
    gamma: f64,
    plastic_increment: L,
    plastic_norm: L,
    normal: &Tensor<L>,
) -> Tensor<L> {
    let moved = scaled_sum(plastic_norm, normal, old);
    if gamma == 0.0 {
        return moved;
    }
    scaled(L::all(1.0) / plastic_increment.mul_add(gamma, 1.0), &moved)
}
