//! Classical laws, each written once in three dimensions, and their reduction to stress states.
//!
//! [`ReferenceLaw`] is what a material card names; the generic tests run over [`example_laws`].

pub mod damage;
pub mod elastic;
pub mod examples;
mod hardening;
pub mod j2;
mod lanes;
pub mod maxwell;
pub(crate) mod mixed_control;
pub mod perzyna;
pub mod plane_strain;
mod return_mapping;
mod stress_state;
pub mod zero_stress;

pub use damage::{Damage, DamageParameters};
pub use elastic::{Elastic, IsotropicParameters, OrthotropicParameters};
pub use examples::example_laws;
pub use hardening::{Backstress, PlasticityParameters, Voce};
pub use j2::J2;
pub use maxwell::{Maxwell, MaxwellBranch, MaxwellIntegration, MaxwellParameters};
pub use perzyna::{Perzyna, PerzynaParameters};
pub use plane_strain::PlaneStrain;
pub use zero_stress::{PlaneStress, UniaxialStress, ZeroStress};

pub use crate::mandel::StressState;

use crate::error::{Error, Result, UpdateError};
use crate::law::{MaterialLaw, Response, Status, prepare};
use crate::mandel::{Mandel, Moduli};
use serde::{Deserialize, Serialize};

/// A classical law with its parameters, as a card states it: `law = "j2"`, then the parameters.
/// Unknown keys are errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "law", rename_all = "kebab-case")]
pub enum ReferenceLaw {
    IsotropicElastic(IsotropicParameters),
    OrthotropicElastic(OrthotropicParameters),
    Maxwell(MaxwellParameters),
    J2(PlasticityParameters),
    Perzyna(PerzynaParameters),
    Damage(DamageParameters),
}

impl ReferenceLaw {
    /// The law with 6 components, with 3 under plane stress, or with 1 under uniaxial stress.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other components, and naming the parameter that is out of its range.
    pub fn build(&self, components: usize) -> Result<Box<dyn MaterialLaw>> {
        match StressState::of_components(components) {
            Some(state) if state != StressState::Axisymmetric => self.build_in(state),
            _ => Err(Error::invalid(format!(
                "a law has 1, 3 or 6 components, not {components}"
            ))),
        }
    }

    /// The law under a stress state.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the parameter that is out of its range.
    pub fn build_in(&self, state: StressState) -> Result<Box<dyn MaterialLaw>> {
        match self {
            Self::IsotropicElastic(p) => state.around(Elastic::isotropic(p)?),
            Self::OrthotropicElastic(p) => state.around(Elastic::orthotropic(p)?),
            Self::Maxwell(p) => state.around(Maxwell::new(p)?),
            Self::J2(p) => state.around(J2::new(p)?),
            Self::Perzyna(p) => state.around(Perzyna::new(p)?),
            Self::Damage(p) => state.around(Damage::new(p)?),
        }
    }
}

/// The response, if every number in it is finite.
fn checked_response(
    stress: Mandel,
    tangent: Moduli,
    stored_energy: f64,
    dissipation: f64,
) -> Result<Response, UpdateError> {
    let overflow = |what| Err(UpdateError::Overflow { what });
    if !stress.iter().all(|s| s.is_finite()) {
        return overflow("stress");
    }
    if !tangent.iter().all(|c| c.is_finite()) {
        return overflow("tangent");
    }
    if !(stored_energy.is_finite() && dissipation.is_finite()) {
        return overflow("energy");
    }
    Ok(Response {
        stress,
        tangent,
        stored_energy,
        dissipation,
        status: Status::Inside,
    })
}

fn invalid_if(wrong: bool, message: &str) -> Result<()> {
    if wrong {
        return Err(Error::invalid(message));
    }
    Ok(())
}

fn positive(key: &str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{key} must be positive and finite, found {value}"
    )))
}

fn non_negative(key: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{key} must be finite and not negative, found {value}"
    )))
}
