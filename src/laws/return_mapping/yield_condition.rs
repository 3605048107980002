//! The scalar equation of the radial return, solved in every lane.

use super::overstress::Overstress;
use super::{MAX_WIDTH, ROOT_3_2, ReturnMapping};
use crate::error::UpdateError;
use crate::laws::hardening::IsotropicHardening;
use crate::laws::lanes::{Lanes, Tensor, dot, load_tensor, scaled, scaled_sum};

/// Share of the stresses that round-off may leave on the yield function. An increment within it is
/// elastic, so that a repeated row changes nothing.
const YIELD_TOLERANCE: f64 = 1e-12;
const ROUND_OFF: f64 = 4.0 * f64::EPSILON;
const MAX_ITERATIONS: usize = 200;

/// The elastic trial state.
pub(super) struct Trial<'a, L, const P: usize> {
    /// `2G dev(ε − ε_p)`.
    pub deviator: Tensor<L>,
    pub accumulated: L,
    /// The old `α_k` of a tile; the points of the register begin at `first`.
    pub kinematic: &'a [[[f64; P]; 6]],
    pub first: usize,
    /// Size of the stresses that cancel in the yield function.
    pub magnitude: L,
}

/// The yield condition at one `Δp`, without the overstress, and its terms.
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
    pub normal: Tensor<L>,
    pub inverse_norm: L,
    /// `dξ/dΔp`, and its component along `n`: zero without dynamic recovery.
    pub direction_slope: Tensor<L>,
    pub normal_slope: L,
    pub isotropic: IsotropicHardening<L>,
}

/// The plastic flow that satisfies the yield condition.
pub(super) struct Flow<L> {
    /// `Δp`; zero where elastic.
    pub plastic_increment: L,
    /// `dΔp` over `√6 G n : dε`; zero where elastic.
    pub gain: L,
    /// At this `Δp`.
    pub condition: YieldCondition<L>,
}

impl<L: Lanes> Flow<L> {
    /// No flow, and a condition to be filled.
    #[inline(always)]
    pub fn none() -> Self {
        Self {
            plastic_increment: L::all(0.0),
            gain: L::all(0.0),
            condition: YieldCondition::new(),
        }
    }
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
            direction_slope: [zero; 6],
            normal_slope: zero,
            isotropic: IsotropicHardening {
                stress: zero,
                slope: zero,
                energy: zero,
            },
        }
    }
}

impl ReturnMapping {
    /// `ξ` and what depends on it alone.
    #[inline(always)]
    fn set_direction<L: Lanes, const P: usize>(
        &self,
        trial: &Trial<L, P>,
        plastic_increment: L,
        condition: &mut YieldCondition<L>,
    ) {
        let three_shear = 3.0 * self.elastic.shear;
        let mut direction = trial.deviator;
        let mut direction_slope = [L::all(0.0); 6];
        let (mut moduli, mut slopes) = (L::all(three_shear), L::all(three_shear));
        for (k, b) in self.parameters.backstress.iter().enumerate() {
            let alpha = load_tensor(&trial.kinematic[k], trial.first);
            if b.gamma > 0.0 {
                let inverse = L::all(1.0) / plastic_increment.mul_add(b.gamma, 1.0);
                let modulus = inverse * b.c;
                moduli = moduli + modulus;
                slopes = modulus.mul_add(inverse, slopes);
                direction = scaled_sum(modulus * (-2.0 / 3.0), &alpha, &direction);
                let recovery = modulus * inverse * (2.0 / 3.0 * b.gamma);
                direction_slope = scaled_sum(recovery, &alpha, &direction_slope);
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
        if self.recovers {
            let normal_slope = dot(&normal, &direction_slope);
            condition.kinematic_slope = normal_slope.mul_add(-ROOT_3_2, slopes);
            condition.direction_slope = direction_slope;
            condition.normal_slope = normal_slope;
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
    pub(super) fn flow<L: Lanes, const P: usize>(
        &self,
        trial: &Trial<L, P>,
        overstress: &impl Overstress<L>,
        flow: &mut Flow<L>,
    ) -> Result<(), UpdateError> {
        let (zero, one) = (L::all(0.0), L::all(1.0));
        self.set_direction(trial, zero, &mut flow.condition);
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
            if self.recovers {
                self.set_direction(trial, plastic_increment, &mut flow.condition);
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
        // That of the first lane: where it is reported, the update is that of a single point.
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
