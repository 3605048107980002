//! Isotropic damage with a history threshold and exponential softening.
//!
//! ```text
//! ψ = (1 − d) ½ ε : C : ε        σ = (1 − d) C : ε        Y = −∂ψ/∂d = ½ ε : C : ε
//! κ = max over the history of τ(ε),   τ = √(ε : C : ε / E)
//! d(κ) = 0                                    κ ≤ κ₀
//! d(κ) = 1 − (κ₀ / κ) (1 − α + α exp(−(κ − κ₀) / ε_f))    κ > κ₀, at most MAX_DAMAGE
//! ```
//!
//! Parameters: `E` (MPa), `ν`, threshold strain `κ₀`, softening strain `ε_f`, softening share `α`: the
//! strength falls to `(1 − α) E κ₀`. Under uniaxial stress `κ` is the axial strain. Tension and compression damage alike.
//! Internal variable: `d`. As `d(κ)` increases, `d' = max(d, d(τ))` remembers the same as `κ`.
//!
//! Source: J. C. Simo, J. W. Ju, Int. J. Solids Struct. 23 (1987) 821–840; J. Oliver, M. Cervera,
//! S. Oller, J. Lubliner, SCI-C 1990, 945–957 (exponential softening); R. H. J. Peerlings, R. de Borst,
//! W. A. M. Brekelmans, M. G. D. Geers, Mech. Cohesive-frict. Mater. 3 (1998) 323–342 (`α`).
//!
//! Guaranteed: `D_end = Y_{n+1} Δd ≥ 0`, stationary, rate-independent, isotropic, at rest for zero
//! strain. Softening makes the tangent lose ellipticity: a mesh needs a regularisation.

use super::elastic::Isotropic;
use super::{checked_response, invalid_if, positive, prepare};
use crate::error::{Result, UpdateError};
use crate::law::{Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout};
use crate::mandel::Mandel;
use crate::symmetry::Symmetry;
use serde::{Deserialize, Serialize};

/// A little stiffness is kept, so that the tangent of a broken point is not singular.
pub const MAX_DAMAGE: f64 = 0.999_999;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DamageParameters {
    /// Young's modulus `E`, MPa.
    #[serde(rename = "young_MPa")]
    pub young: f64,
    /// Poisson's ratio `ν`.
    pub poisson: f64,
    /// `κ₀`.
    pub threshold_strain: f64,
    /// `ε_f`.
    pub softening_strain: f64,
    /// `α`, above 0, at most 1; 1 loses all strength.
    #[serde(default = "one")]
    pub softening_share: f64,
}

fn one() -> f64 {
    1.0
}

/// Isotropic damage in three dimensions.
#[derive(Clone, Debug)]
pub struct Damage {
    parameters: DamageParameters,
    elastic: Isotropic,
    layout: StateLayout,
}

impl Damage {
    pub fn new(parameters: &DamageParameters) -> Result<Self> {
        positive("threshold_strain", parameters.threshold_strain)?;
        positive("softening_strain", parameters.softening_strain)?;
        positive("softening_share", parameters.softening_share)?;
        invalid_if(
            parameters.softening_share > 1.0,
            "softening_share is above 1",
        )?;
        Ok(Self {
            elastic: Isotropic::new(parameters.young, parameters.poisson)?,
            parameters: parameters.clone(),
            layout: StateLayout::new([("damage", 1)]),
        })
    }

    /// `d(κ)` and its slope.
    fn damage(&self, kappa: f64) -> (f64, f64) {
        let p = &self.parameters;
        if kappa <= p.threshold_strain {
            return (0.0, 0.0);
        }
        let decay = (-(kappa - p.threshold_strain) / p.softening_strain).exp();
        let lost = p.softening_share * decay;
        let integrity = p.threshold_strain / kappa * (1.0 - p.softening_share + lost);
        if 1.0 - integrity >= MAX_DAMAGE {
            return (MAX_DAMAGE, 0.0);
        }
        let slope = integrity / kappa + p.threshold_strain / kappa * lost / p.softening_strain;
        (1.0 - integrity, slope)
    }
}

impl MaterialLaw for Damage {
    fn name(&self) -> &str {
        "damage"
    }

    fn components(&self) -> usize {
        6
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, state: &mut [f64]) {
        state.fill(0.0);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], _external: &[f64]) -> f64 {
        (1.0 - state[0]) * self.elastic.energy(&Mandel::from_column_slice(strain))
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
        let effective_stress = self.elastic.stress(&strain);
        let driving_force = self.elastic.energy(&strain);
        let young = self.parameters.young;
        let equivalent_strain = (2.0 * driving_force / young).sqrt();

        let (reached, slope) = self.damage(equivalent_strain);
        let grows = reached > state_old[0];
        let damage = if grows { reached } else { state_old[0] };
        let mut tangent = self.elastic.moduli() * (1.0 - damage);
        if grows {
            let softening = slope / (young * equivalent_strain);
            tangent -= effective_stress * effective_stress.transpose() * softening;
        }
        *response = checked_response(
            effective_stress * (1.0 - damage),
            tangent,
            (1.0 - damage) * driving_force,
            driving_force * (damage - state_old[0]),
        )?;
        state_new[0] = damage;
        Ok(())
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
        let strain = 2.0 * self.parameters.threshold_strain;
        Scales {
            strain,
            stress: self.parameters.young * self.parameters.threshold_strain,
            time: 1.0,
        }
    }
}
