//! The radial return at `W` points side by side: one code for a single point and for a batch.
//!
//! Every lane is computed as if it were alone, in the same order of operations for any `W`, so that
//! a batch answers bit for bit as its points do.

use super::overstress::Overstress;
use super::tile::Tile;
use super::{MAX_WIDTH, ROOT_3_2, ReturnMapping};
use crate::error::UpdateError;
use crate::laws::hardening::IsotropicHardening;
use crate::laws::lanes::{
    Lanes, Tensor, components, dot, load, load_tensor, scaled, scaled_sum, store, store_tensor,
};

/// Share of the stresses that round-off may leave on the yield function. An increment within it is
/// elastic, so that a repeated row changes nothing.
const YIELD_TOLERANCE: f64 = 1e-12;
const ROUND_OFF: f64 = 4.0 * f64::EPSILON;
const MAX_ITERATIONS: usize = 200;

/// What the increment starts from.
struct Trial<'a, L, const P: usize> {
    /// `2G dev(ε − ε_p)`.
    deviator: Tensor<L>,
    accumulated: L,
    /// The old `α_k`, of which the points from `first` on are meant.
    kinematic: &'a [[[f64; P]; 6]],
    first: usize,
    /// Size of the stresses that cancel in the yield function.
    magnitude: L,
}

/// The yield condition at one `Δp`, without the overstress, and what it is made of.
pub(super) struct YieldCondition<L> {
    /// Positive below the root (MPa).
    pub value: L,
    /// Its slope in `Δp`, sign reversed (MPa).
    pub hardening_slope: L,
    /// `√(3/2) |ξ|`, `3G + Σ_k C_k / (1 + γ_k Δp)` and the slope without isotropic hardening (MPa).
    equivalent: L,
    moduli: L,
    kinematic_slope: L,
    /// `n = ξ / |ξ|`, zero where `ξ` is, and `1 / |ξ|`.
    normal: Tensor<L>,
    inverse_norm: L,
    /// `dξ/dΔp`, and its part along `n`: zero where no backstress recalls.
    change: Tensor<L>,
    turning: L,
    isotropic: IsotropicHardening<L>,
}

/// What the yield condition leaves of an increment.
struct Flow<L> {
    /// `Δp`; zero where elastic.
    plastic_increment: L,
    /// `dΔp` over `√6 G n : dε`; zero where elastic.
    gain: L,
    /// At this `Δp`.
    condition: YieldCondition<L>,
}

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
    let zero = L::all(0.0);
    // Filled in place: these are too many numbers to move about.
    let mut flow = Flow {
        plastic_increment: zero,
        gain: zero,
        condition: YieldCondition::new(),
    };
    mapping.flow(&trial, overstress, &mut flow)?;

    let plastic = flow.plastic_increment;
    let normal = &flow.condition.normal;
    let amount = plastic * ROOT_3_2;
    let plastic_strain = scaled_sum(amount, normal, &plastic_strain);
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
    let mut dissipation = dot(&deviator, normal) * amount - isotropic.stress * plastic;
    for (k, b) in mapping.parameters.backstress.iter().enumerate() {
        // X = (2/3) C α; Δα = Δε_p − γ Δp α.
        let old = load_tensor(&kinematic[k], first);
        let alpha = kinematic_strain(&old, b.gamma, plastic, amount, normal);
        let square = dot(&alpha, &alpha);
        energy = square.mul_add(b.c / 3.0, energy);
        let recalled = square * plastic * b.gamma;
        let released = dot(&alpha, normal).mul_add(amount, -recalled);
        dissipation = released.mul_add(-2.0 / 3.0 * b.c, dissipation);
    }

    // C = K 1⊗1 + a P_dev + m⊗n
    let root_6_shear = 2.0 * ROOT_3_2 * shear;
    let shrink = plastic * flow.condition.inverse_norm * root_6_shear;
    let deviatoric = shrink.mul_add(-2.0 * shear, 2.0 * shear);
    let along_change = -(shrink * flow.gain * root_6_shear);
    let along_normal = flow.gain.mul_add(
        -root_6_shear * root_6_shear,
        shrink.mul_add(2.0 * shear, -(along_change * flow.condition.turning)),
    );
    let change = &flow.condition.change;
    let mut left = scaled(along_normal, normal);
    if mapping.recalls {
        left = scaled_sum(along_change, change, &left);
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
        let alpha = kinematic_strain(&old, b.gamma, plastic, amount, normal);
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
    amount: L,
    normal: &Tensor<L>,
) -> Tensor<L> {
    let moved = scaled_sum(amount, normal, old);
    if gamma == 0.0 {
        return moved;
    }
    scaled(L::all(1.0) / plastic_increment.mul_add(gamma, 1.0), &moved)
}

impl<L: Lanes> YieldCondition<L> {
    #[inline(always)]
    fn new() -> Self {
        let zero = L::all(0.0);
        Self {
            value: zero,
            hardening_slope: zero,
            equivalent: zero,
            moduli: zero,
            kinematic_slope: zero,
            normal: [zero; 6],
            inverse_norm: zero,
            change: [zero; 6],
            turning: zero,
            isotropic: IsotropicHardening {
                stress: zero,
                slope: zero,
                energy: zero,
            },
        }
    }
}

impl ReturnMapping {
    /// `ξ` and what hangs on it alone.
    #[inline(always)]
    fn direct<L: Lanes, const P: usize>(
        &self,
        trial: &Trial<L, P>,
        plastic_increment: L,
        condition: &mut YieldCondition<L>,
    ) {
        let three_shear = 3.0 * self.elastic.shear;
        let mut direction = trial.deviator;
        let mut change = [L::all(0.0); 6];
        let (mut moduli, mut slopes) = (L::all(three_shear), L::all(three_shear));
        for (k, b) in self.parameters.backstress.iter().enumerate() {
            let alpha = load_tensor(&trial.kinematic[k], trial.first);
            if b.gamma > 0.0 {
                let inverse = L::all(1.0) / plastic_increment.mul_add(b.gamma, 1.0);
                let modulus = inverse * b.c;
                moduli = moduli + modulus;
                slopes = modulus.mul_add(inverse, slopes);
                direction = scaled_sum(modulus * (-2.0 / 3.0), &alpha, &direction);
                let recall = modulus * inverse * (2.0 / 3.0 * b.gamma);
                change = scaled_sum(recall, &alpha, &change);
            } else {
                moduli = moduli + b.c;
                slopes = slopes + b.c;
                direction = scaled_sum(L::all(-2.0 / 3.0 * b.c), &alpha, &direction);
            }
        }
        let norm = dot(&direction, &direction).sqrt();
        // A subnormal norm has no inverse.
        let least = L::all(f64::MIN_POSITIVE);
        let inverse_norm = norm.where_greater(least, L::all(1.0) / norm, L::all(0.0));
        let normal = scaled(inverse_norm, &direction);
        condition.equivalent = norm * ROOT_3_2;
        condition.moduli = moduli;
        condition.normal = normal;
        condition.inverse_norm = inverse_norm;
        condition.kinematic_slope = slopes;
        if self.recalls {
            let turning = dot(&normal, &change);
            condition.kinematic_slope = turning.mul_add(-ROOT_3_2, slopes);
            condition.change = change;
            condition.turning = turning;
        }
    }

    /// The yield condition at a `Δp`, where `ξ` is known.
    #[inline(always)]
    fn evaluate<L: Lanes, const P: usize>(
        &self,
        trial: &Trial<L, P>,
        plastic_increment: L,
        condition: &mut YieldCondition<L>,
    ) {
        let isotropic = self
            .parameters
            .isotropic_hardening(trial.accumulated + plastic_increment);
        let resistance = isotropic.stress + self.parameters.yield_stress;
        let carried = plastic_increment.mul_add(condition.moduli, resistance);
        condition.value = condition.equivalent - carried;
        condition.hardening_slope = condition.kinematic_slope + isotropic.slope;
        condition.isotropic = isotropic;
    }

    /// Solves the yield condition where the trial exceeds it.
    #[inline(always)]
    fn flow<L: Lanes, const P: usize>(
        &self,
        trial: &Trial<L, P>,
        overstress: &impl Overstress<L>,
        flow: &mut Flow<L>,
    ) -> Result<(), UpdateError> {
        let (zero, one) = (L::all(0.0), L::all(1.0));
        self.direct(trial, zero, &mut flow.condition);
        self.evaluate(trial, zero, &mut flow.condition);
        let excess = flow.condition.value;
        if !excess.is_finite() {
            return Err(UpdateError::Overflow {
                what: "trial stress",
            });
        }
        let tolerance = trial.magnitude * YIELD_TOLERANCE;
        let exceeds = excess.where_greater(tolerance, one, zero);
        let flows = overstress.scale().where_greater(zero, exceeds, zero);
        if flows.is_zero() {
            return Ok(());
        }
        self.solve(trial, overstress, flows, flow)
    }

    /// The root of the yield condition where `flows` is not zero: Newton's method, kept inside a
    /// bracket by bisection.
    #[inline(always)]
    fn solve<L: Lanes, const P: usize>(
        &self,
        trial: &Trial<L, P>,
        overstress: &impl Overstress<L>,
        flows: L,
        flow: &mut Flow<L>,
    ) -> Result<(), UpdateError> {
        let (zero, three_shear) = (L::all(0.0), 3.0 * self.elastic.shear);
        let start = overstress.start(&flow.condition, three_shear);
        let mut y = flows.where_greater(zero, start, zero);
        let (mut low, mut high, mut last_step) = (zero, zero, zero);
        let mut moves = flows;
        let mut residual = zero;
        for iteration in 0..MAX_ITERATIONS {
            let (plastic_increment, rate) = overstress.plastic_increment(y);
            if self.recalls {
                self.direct(trial, plastic_increment, &mut flow.condition);
            }
            self.evaluate(trial, plastic_increment, &mut flow.condition);
            let condition = &flow.condition;
            let value = y.mul_add(-overstress.drag(), condition.value);
            let slope = condition.hardening_slope.mul_add(rate, overstress.drag());
            if !value.is_finite() {
                return Err(UpdateError::Overflow {
                    what: "yield condition",
                });
            }
            let step = value / slope;
            moves = (value.abs()).where_greater(trial.magnitude * ROUND_OFF, moves, zero);
            moves = (step.abs()).where_greater(y * ROUND_OFF, moves, zero);
            let mut next = y;
            if !moves.is_zero() {
                if iteration == 0 {
                    high = overstress.limit(self.largest_stress(trial), three_shear);
                    last_step = high;
                }
                low = value.where_greater(zero, y, low);
                high = value.where_greater(zero, high, high.min(y));
                let (newton, middle) = (y + step, (low + high) * 0.5);
                next = (last_step * 0.5).where_greater(step.abs(), newton, middle);
                next = newton.where_greater(low, next, middle);
                next = high.where_greater(newton, next, middle);
                last_step = (next - y).abs();
                let small =
                    value
                        .abs()
                        .where_greater(trial.magnitude * YIELD_TOLERANCE, moves, zero);
                moves = last_step.where_greater(y * ROUND_OFF, moves, small);
            }
            if moves.is_zero() {
                flow.plastic_increment = plastic_increment;
                // A vanishing rate (no flow yet) gives no gain.
                flow.gain = flows.where_greater(zero, rate / slope, zero);
                return Ok(());
            }
            y = moves.where_greater(zero, next, y);
            residual = value;
        }
        // Of a single point: a batch asks its points one by one.
        let mut residuals = [0.0; MAX_WIDTH];
        residual.store(&mut residuals);
        Err(UpdateError::NotConverged {
            what: "the plastic increment",
            iterations: MAX_ITERATIONS,
            residual: residuals[0],
        })
    }

    /// A bound on `√(3/2) |ξ|` over all `Δp`.
    #[inline(always)]
    fn largest_stress<L: Lanes, const P: usize>(&self, trial: &Trial<L, P>) -> L {
        let mut sum = dot(&trial.deviator, &trial.deviator).sqrt();
        for (k, b) in self.parameters.backstress.iter().enumerate() {
            let alpha: Tensor<L> = load_tensor(&trial.kinematic[k], trial.first);
            sum = dot(&alpha, &alpha).sqrt().mul_add(2.0 / 3.0 * b.c, sum);
        }
        sum * ROOT_3_2
    }
}
