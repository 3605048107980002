//! Perzyna viscoplasticity: J2 flow by overstress, with the hardening of [`super::j2`].
//!
//! ```text
//! f = √(3/2) |s − Σ_k X_k| − σ_y − R(p)        ṗ = ṗ₀ ⟨f / K⟩^m
//! ```
//!
//! With `K = σ_y` this is the law of Cowper and Symonds, `σ = σ_y (1 + (ṗ / D)^{1/q})`: `ṗ₀ = D`,
//! `m = q`. `ṗ₀ → ∞` is rate-independent plasticity; `dt = 0` is elastic.
//!
//! Energy, hardening and integration are those of `return_mapping/mod.rs`.
//!
//! Parameters: those of J2; drag stress `K` (MPa), exponent `m ≥ 1`, reference rate `ṗ₀` (1/s).
//! Internal variables: plastic strain `ε_p`, accumulated plastic strain `p`, kinematic strains `α_k`.
//!
//! Source: P. Perzyna, Adv. Appl. Mech. 9 (1966) 243–377.
//!
//! Guaranteed: the second law, stationary, isotropic, at rest for zero strain.

use super::hardening::PlasticityParameters;
use super::return_mapping::{ReturnMapping, Viscosity};
use super::{invalid_if, positive, prepare};
use crate::error::{BatchError, Result, UpdateError};
use crate::law::{
    BatchInput, BatchOutput, Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout,
};
use crate::symmetry::Symmetry;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerzynaParameters {
    pub plasticity: PlasticityParameters,
    /// `K`, MPa.
    #[serde(rename = "drag_MPa")]
    pub drag: f64,
    /// `m`.
    pub exponent: f64,
    /// `ṗ₀`, 1/s.
    #[serde(rename = "reference_rate_per_s")]
    pub reference_rate: f64,
}

/// Perzyna viscoplasticity in three dimensions.
#[derive(Clone, Debug)]
pub struct Perzyna {
    return_mapping: ReturnMapping,
    reference_rate: f64,
}

impl Perzyna {
    pub fn new(parameters: &PerzynaParameters) -> Result<Self> {
        let p = parameters;
        positive("drag_MPa", p.drag)?;
        positive("exponent", p.exponent)?;
        invalid_if(p.exponent < 1.0, "exponent must be at least 1")?;
        positive("reference_rate_per_s", p.reference_rate)?;
        let viscosity = Viscosity::PowerLaw {
            reference_rate: p.reference_rate,
            exponent: p.exponent,
            drag: p.drag,
        };
        Ok(Self {
            return_mapping: ReturnMapping::new(&p.plasticity, viscosity)?,
            reference_rate: p.reference_rate,
        })
    }
}

impl MaterialLaw for Perzyna {
    fn name(&self) -> &str {
        "perzyna"
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
            rate_independent: false,
            symmetry: Symmetry::Isotropic,
            rest: true,
        }
    }

    /// The time is that in which the reference rate gives a tenth of the typical strain.
    fn scales(&self) -> Scales {
        let scales = self.return_mapping.scales();
        Scales {
            time: 0.1 * scales.strain / self.reference_rate,
            ..scales
        }
    }
}
