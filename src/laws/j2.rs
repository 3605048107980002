//! Rate-independent J2 plasticity with Voce and linear isotropic hardening and any number of
//! Armstrong–Frederick backstresses (Chaboche).
//!
//! ```text
//! f = √(3/2) |s − Σ_k X_k| − σ_y − R(p) ≤ 0,    ṗ ≥ 0,    f ṗ = 0
//! ```
//!
//! Energy, hardening and integration are those of `return_mapping/mod.rs`.
//!
//! Parameters: `E`, `σ_y`, `Q_i`, `H`, `C_k` in MPa; `ν`, `b_i`, `γ_k` dimensionless.
//! Internal variables: plastic strain `ε_p`, accumulated plastic strain `p`, kinematic strains `α_k`.
//!
//! Source: J. Lemaitre, J.-L. Chaboche, Mechanics of Solid Materials, Cambridge University Press,
//! 1990, ch. 5.
//!
//! Guaranteed: the second law, stationary, rate-independent, isotropic, at rest for zero strain.

use super::hardening::PlasticityParameters;
use super::prepare;
use super::return_mapping::{ReturnMapping, Viscosity};
use crate::error::{BatchError, Result, UpdateError};
use crate::law::{
    BatchInput, BatchOutput, Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout,
};
use crate::symmetry::Symmetry;

/// J2 plasticity in three dimensions.
#[derive(Clone, Debug)]
pub struct J2 {
    return_mapping: ReturnMapping,
}

impl J2 {
    pub fn new(parameters: &PlasticityParameters) -> Result<Self> {
        Ok(Self {
            return_mapping: ReturnMapping::new(parameters, Viscosity::None)?,
        })
    }
}

impl MaterialLaw for J2 {
    fn name(&self) -> &str {
        "j2"
    }

    fn components(&self) -> usize {
        6
    }

    fn state_layout(&self) -> &StateLayout {
        self.return_mapping.state_layout()
    }

    fn initial_state(&self, state: &mut [f64]) {
        state.fill(0.0);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], _external: &[f64]) -> f64 {
        self.return_mapping.free_energy(strain, state)
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        prepare(self, increment, state_old, state_new)?;
        self.return_mapping
            .update(increment, state_old, state_new, response)
    }

    fn update_batch(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        self.return_mapping.update_batch(self, input, output)
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: true,
            second_law_in_parts: false,
            stationary: true,
            rate_independent: true,
            symmetry: Symmetry::Isotropic,
            rest: true,
        }
    }

    fn scales(&self) -> Scales {
        self.return_mapping.scales()
    }
}
