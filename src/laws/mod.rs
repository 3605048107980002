//! Classical laws, each written once in three dimensions, and the stress states around them.
//!
//! [`ReferenceLaw`] is what a material card names; [`mod@battery`] is the list that every generic test
//! runs over.

pub mod battery;
pub mod damage;
pub mod elastic;
mod hardening;
pub mod j2;
mod lanes;
pub mod maxwell;
pub mod perzyna;
pub mod plane_strain;
mod return_mapping;
pub mod stress_state;

pub use battery::battery;
pub use damage::{Damage, DamageParameters};
pub use elastic::{Elastic, IsotropicParameters, OrthotropicParameters};
pub use hardening::{Backstress, PlasticityParameters, Voce};
pub use j2::J2;
pub use maxwell::{Maxwell, MaxwellBranch, MaxwellIntegration, MaxwellParameters};
pub use perzyna::{Perzyna, PerzynaParameters};
pub use plane_strain::PlaneStrain;
pub use stress_state::{PlaneStress, UniaxialStress, ZeroStress};

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

/// What is prescribed outside the components of a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StressState {
    /// Six components.
    ThreeDimensional,
    /// Three components, no other strain.
    PlaneStrain,
    /// Three components, no other stress.
    PlaneStress,
    /// One component, no other stress.
    UniaxialStress,
}

impl ReferenceLaw {
    /// The law with 6 components, with 3 under plane stress, or with 1 under uniaxial stress.
    pub fn build(&self, components: usize) -> Result<Box<dyn MaterialLaw>> {
        match components {
            6 => self.build_in(StressState::ThreeDimensional),
            3 => self.build_in(StressState::PlaneStress),
            1 => self.build_in(StressState::UniaxialStress),
            _ => Err(Error::invalid(format!(
                "a law has 1, 3 or 6 components, not {components}"
            ))),
        }
    }

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

impl StressState {
    /// Puts a three-dimensional law under this stress state.
    pub fn around<L: MaterialLaw + 'static>(self, law: L) -> Result<Box<dyn MaterialLaw>> {
        Ok(match self {
            Self::ThreeDimensional => Box::new(law),
            Self::PlaneStrain => Box::new(PlaneStrain::new(law)?),
            Self::PlaneStress => Box::new(PlaneStress::new(law)?),
            Self::UniaxialStress => Box::new(UniaxialStress::new(law)?),
        })
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
