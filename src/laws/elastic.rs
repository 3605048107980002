//! Linear elasticity, isotropic and orthotropic.
//!
//! ```text
//! ψ = ½ ε : C : ε        σ = C : ε
//! ```
//!
//! Isotropic: `C = 3K P_vol + 2G P_dev`, `K = E / 3(1 − 2ν)`, `G = E / 2(1 + ν)`.
//! Orthotropic: `C = S⁻¹` with the compliance of the nine engineering constants
//! (`ν_ij / E_i = ν_ji / E_j`), in the axes of the material.
//!
//! Source: S. G. Lekhnitskii, Theory of Elasticity of an Anisotropic Body, Mir, 1981.
//!
//! Internal variables: none. Guaranteed: no dissipation, stationary, rate-independent, at rest for
//! zero strain; isotropic or orthotropic as the parameters are.

use super::{checked_response, positive, prepare};
use crate::error::{Error, Result, UpdateError};
use crate::law::{Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout};
use crate::mandel::{self, Mandel, Moduli};
use crate::symmetry::Symmetry;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsotropicParameters {
    /// Young's modulus `E`, MPa.
    #[serde(rename = "young_MPa")]
    pub young: f64,
    /// Poisson's ratio `ν`, in (−1, ½).
    pub poisson: f64,
}

/// `ν_ij` is the contraction along j over the extension along i under a stress along i.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrthotropicParameters {
    /// Young's moduli, MPa.
    #[serde(rename = "young_1_MPa")]
    pub young_1: f64,
    #[serde(rename = "young_2_MPa")]
    pub young_2: f64,
    #[serde(rename = "young_3_MPa")]
    pub young_3: f64,
    pub poisson_12: f64,
    pub poisson_13: f64,
    pub poisson_23: f64,
    /// Shear moduli, MPa.
    #[serde(rename = "shear_12_MPa")]
    pub shear_12: f64,
    #[serde(rename = "shear_13_MPa")]
    pub shear_13: f64,
    #[serde(rename = "shear_23_MPa")]
    pub shear_23: f64,
}

/// Bulk and shear modulus of an isotropic solid, MPa.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Isotropic {
    pub bulk: f64,
    pub shear: f64,
}

impl Isotropic {
    /// Checks the engineering constants and converts them.
    pub fn new(young: f64, poisson: f64) -> Result<Self> {
        positive("young_MPa", young)?;
        if !(poisson > -1.0 && poisson < 0.5) {
            return Err(Error::invalid(format!(
                "poisson must lie between −1 and 0.5, found {poisson}"
            )));
        }
        Ok(Self {
            bulk: young / (3.0 * (1.0 - 2.0 * poisson)),
            shear: young / (2.0 * (1.0 + poisson)),
        })
    }

    pub fn stress(&self, strain: &Mandel) -> Mandel {
        mandel::identity() * (self.bulk * mandel::trace(strain))
            + mandel::deviator(strain) * (2.0 * self.shear)
    }

    pub fn energy(&self, strain: &Mandel) -> f64 {
        let trace = mandel::trace(strain);
        0.5 * self.bulk * trace * trace + self.shear * mandel::deviator(strain).norm_squared()
    }

    pub fn moduli(&self) -> Moduli {
        mandel::isotropic_moduli(self.bulk, self.shear)
    }
}

/// Linear elasticity in three dimensions.
#[derive(Clone, Debug)]
pub struct Elastic {
    name: &'static str,
    moduli: Moduli,
    symmetry: Symmetry,
    layout: StateLayout,
    young: f64,
}

/// Strain of a typical cycle, inside the elastic range of metals and composites.
const TYPICAL_STRAIN: f64 = 1e-3;

impl Elastic {
    pub fn isotropic(parameters: &IsotropicParameters) -> Result<Self> {
        let constants = Isotropic::new(parameters.young, parameters.poisson)?;
        Ok(Self {
            name: "isotropic-elastic",
            moduli: constants.moduli(),
            symmetry: Symmetry::Isotropic,
            layout: StateLayout::default(),
            young: parameters.young,
        })
    }

    /// Fails where a modulus is not positive or the compliance is not positive definite.
    pub fn orthotropic(parameters: &OrthotropicParameters) -> Result<Self> {
        let p = parameters;
        for (key, value) in [
            ("young_1_MPa", p.young_1),
            ("young_2_MPa", p.young_2),
            ("young_3_MPa", p.young_3),
            ("shear_12_MPa", p.shear_12),
            ("shear_13_MPa", p.shear_13),
            ("shear_23_MPa", p.shear_23),
        ] {
            positive(key, value)?;
        }
        let mut compliance = Moduli::from_diagonal(&Mandel::from([
            1.0 / p.young_1,
            1.0 / p.young_2,
            1.0 / p.young_3,
            0.5 / p.shear_12,
            0.5 / p.shear_13,
            0.5 / p.shear_23,
        ]));
        for (i, j, poisson, young) in [
            (0, 1, p.poisson_12, p.young_1),
            (0, 2, p.poisson_13, p.young_1),
            (1, 2, p.poisson_23, p.young_2),
        ] {
            compliance[(i, j)] = -poisson / young;
            compliance[(j, i)] = compliance[(i, j)];
        }
        let moduli = compliance
            .cholesky()
            .map(|factor| factor.inverse())
            .filter(|moduli| moduli.iter().all(|m| m.is_finite()))
            .ok_or_else(|| {
                Error::invalid(
                    "the orthotropic compliance is not positive definite: \
                     Poisson's ratios are too large for the ratios of Young's moduli",
                )
            })?;
        Ok(Self {
            name: "orthotropic-elastic",
            moduli,
            symmetry: Symmetry::Orthotropic,
            layout: StateLayout::default(),
            young: p.young_1.max(p.young_2).max(p.young_3),
        })
    }
}

impl MaterialLaw for Elastic {
    fn name(&self) -> &str {
        self.name
    }

    fn components(&self) -> usize {
        6
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, _state: &mut [f64]) {}

    fn free_energy(&self, strain: &[f64], _state: &[f64], _external: &[f64]) -> f64 {
        let strain = Mandel::from_column_slice(strain);
        0.5 * strain.dot(&(self.moduli * strain))
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        prepare(self, increment, state_old, state_new)?;
        let strain = Mandel::from_column_slice(increment.strain_new);
        let stress = self.moduli * strain;
        *response = checked_response(stress, self.moduli, 0.5 * strain.dot(&stress), 0.0)?;
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: true,
            second_law_in_parts: false,
            stationary: true,
            rate_independent: true,
            symmetry: self.symmetry,
            rest: true,
        }
    }

    fn scales(&self) -> Scales {
        Scales {
            strain: TYPICAL_STRAIN,
            stress: self.young * TYPICAL_STRAIN,
            time: 1.0,
        }
    }
}
