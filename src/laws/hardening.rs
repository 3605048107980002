//! Parameters of J2 flow, and its isotropic hardening
//!
//! ```text
//! R(p) = Σ_i Q_i (1 − e^{−b_i p}) + H p
//! ```
//!
//! Source: E. Voce, J. Inst. Met. 74 (1948) 537–562; C. O. Frederick, P. J. Armstrong, Mater. High
//! Temp. 24 (2007) 1–26 (the backstress, a report of 1966).

use super::lanes::Lanes;
use super::{invalid_if, non_negative, positive};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Elastic constants and hardening.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlasticityParameters {
    /// Young's modulus `E`, MPa.
    #[serde(rename = "young_MPa")]
    pub young: f64,
    /// Poisson's ratio `ν`.
    pub poisson: f64,
    /// Initial yield stress `σ_y`, MPa.
    #[serde(rename = "yield_MPa")]
    pub yield_stress: f64,
    #[serde(default)]
    pub voce: Vec<Voce>,
    /// Slope `H` of the linear isotropic hardening, MPa.
    #[serde(rename = "linear_hardening_MPa", default)]
    pub linear_hardening: f64,
    #[serde(default)]
    pub backstress: Vec<Backstress>,
}

/// Saturating isotropic hardening `Q (1 − e^{−b p})`; `Q < 0` softens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voce {
    /// `Q`, MPa.
    #[serde(rename = "q_MPa")]
    pub q: f64,
    /// `b`.
    pub rate: f64,
}

/// Armstrong–Frederick backstress; under uniaxial stress it saturates at `C / γ`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backstress {
    /// `C`, MPa.
    #[serde(rename = "c_MPa")]
    pub c: f64,
    /// `γ`; zero for Prager's linear hardening.
    pub gamma: f64,
}

impl PlasticityParameters {
    /// Checks everything but the elastic constants, whose shear modulus is given (MPa).
    pub(super) fn check_hardening(&self, shear: f64) -> Result<()> {
        positive("yield_MPa", self.yield_stress)?;
        non_negative("linear_hardening_MPa", self.linear_hardening)?;
        let (mut lowest_yield, mut steepest_softening) = (self.yield_stress, 0.0);
        for voce in &self.voce {
            positive("voce.rate", voce.rate)?;
            invalid_if(!voce.q.is_finite(), "voce.q_MPa must be finite")?;
            lowest_yield += voce.q.min(0.0);
            steepest_softening += (voce.q * voce.rate).min(0.0);
        }
        invalid_if(
            lowest_yield <= 0.0,
            "the softening terms of voce bring the yield stress to zero",
        )?;
        invalid_if(
            3.0 * shear + steepest_softening <= 0.0,
            "the softening terms of voce are steeper than the elastic unloading (3G)",
        )?;
        for backstress in &self.backstress {
            non_negative("backstress.c_MPa", backstress.c)?;
            non_negative("backstress.gamma", backstress.gamma)?;
        }
        Ok(())
    }

    /// At accumulated plastic strains `p`.
    #[inline(always)]
    pub(super) fn isotropic_hardening<L: Lanes>(&self, accumulated: L) -> IsotropicHardening<L> {
        let linear = accumulated * self.linear_hardening;
        let mut hardening = IsotropicHardening {
            stress: linear,
            slope: L::all(self.linear_hardening),
            energy: linear * accumulated * 0.5,
        };
        for v in &self.voce {
            let exponent = accumulated * -v.rate;
            let less_one = exponent.exp_m1();
            hardening.stress = less_one.mul_add(-v.q, hardening.stress);
            hardening.slope = hardening.slope + less_one.mul_add(v.q * v.rate, v.q * v.rate);
            hardening.energy = (less_one - exponent).mul_add(v.q / v.rate, hardening.energy);
        }
        hardening
    }
}

/// The isotropic hardening at `W` points.
pub(super) struct IsotropicHardening<L> {
    /// `R(p)`, MPa.
    pub stress: L,
    /// `dR/dp`, MPa.
    pub slope: L,
    /// `∫₀^p R dp`, MJ/m³.
    pub energy: L,
}
