//! The plastic increment and the overstress as functions of the unknown `y` of the yield condition:
//! `Δp = scale y^exponent`, `v = drag y`.

use super::yield_condition::YieldCondition;
use crate::laws::lanes::Lanes;

/// The overstress law at the points of a register.
pub(super) trait Overstress<L> {
    /// `dv/dy`, MPa.
    fn drag(&self) -> f64;

    /// Positive where a point can flow: `ṗ₀ dt` of a viscous law.
    fn scale(&self) -> L;

    /// `Δp` and `dΔp/dy`.
    fn plastic_increment(&self, y: L) -> (L, L);

    /// An upper bound of `y`: elastic unloading or the overstress alone balances this stress there.
    fn limit(&self, stress: L, three_shear: f64) -> L;

    /// Where Newton's method starts; `condition` is that of the trial.
    fn start(&self, condition: &YieldCondition<L>, three_shear: f64) -> L;
}

/// `y = Δp`, `v = 0`.
pub(super) struct RateIndependent;

impl<L: Lanes> Overstress<L> for RateIndependent {
    #[inline(always)]
    fn drag(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn scale(&self) -> L {
        L::all(1.0)
    }

    #[inline(always)]
    fn plastic_increment(&self, y: L) -> (L, L) {
        (y, L::all(1.0))
    }

    #[inline(always)]
    fn limit(&self, stress: L, three_shear: f64) -> L {
        stress / three_shear
    }

    /// The root where all hardening is linear.
    #[inline(always)]
    fn start(&self, condition: &YieldCondition<L>, three_shear: f64) -> L {
        let slope = condition.hardening_slope;
        let least = L::all(0.5 * three_shear);
        condition.value / slope.where_greater(least, slope, L::all(three_shear))
    }
}

/// `v = K (Δp / (ṗ₀ dt))^{1/m}`: the scale is `ṗ₀ dt`.
pub(super) struct Viscous<L> {
    pub scale: L,
    pub exponent: f64,
    pub drag: f64,
}

impl<L: Lanes> Overstress<L> for Viscous<L> {
    #[inline(always)]
    fn drag(&self) -> f64 {
        self.drag
    }

    #[inline(always)]
    fn scale(&self) -> L {
        self.scale
    }

    #[inline(always)]
    fn plastic_increment(&self, y: L) -> (L, L) {
        let slope = self.scale * y.map(|y| y.powf(self.exponent - 1.0));
        (slope * y, slope * self.exponent)
    }

    #[inline(always)]
    fn limit(&self, stress: L, three_shear: f64) -> L {
        let plastic = stress / three_shear / self.scale;
        let plastic = plastic.map(|ratio| ratio.powf(1.0 / self.exponent));
        plastic.min(stress / self.drag)
    }

    #[inline(always)]
    fn start(&self, condition: &YieldCondition<L>, three_shear: f64) -> L {
        self.limit(condition.value, three_shear)
    }
}
