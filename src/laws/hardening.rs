//! Parameters of J2 flow, and its isotropic hardening
//!
//! ```text
//! R(p) = Σ_i Q_i (1 − e^{−b_i p}) + H p
//! ```
//!
//! Source: E. Voce, J. Inst. Met. 74 (1948) 537–562; C. O. Frederick, P. J. Armstrong, Mater. High
//! Temp. 24 (2007) 1–26 (the backstress, a report of 1966).

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

    /// `R(p)` and its slope, MPa.
    pub(super) fn isotropic_hardening(&self, accumulated: f64) -> (f64, f64) {
        let linear = self.linear_hardening;
        let voce = self.voce.iter();
        voce.fold((linear * accumulated, linear), |(stress, slope), v| {
            let saturated = -(-v.rate * accumulated).exp_m1();
            (
                stress + v.q * saturated,
                slope + v.q * v.rate * (1.0 - saturated),
            )
        })
    }

    /// Energy of the isotropic hardening, `∫₀^p R dp`.
    pub(super) fn isotropic_energy(&self, accumulated: f64) -> f64 {
        let linear = 0.5 * self.linear_hardening * accumulated * accumulated;
        let voce = self.voce.iter();
        voce.fold(linear, |energy, v| {
            energy + v.q * (accumulated + (-v.rate * accumulated).exp_m1() / v.rate)
        })
    }
}
