//! Three-dimensional laws under a stress state.

use super::{PlaneStrain, PlaneStress, UniaxialStress};
use crate::error::{Error, Result};
use crate::law::MaterialLaw;
use crate::mandel::StressState;

impl StressState {
    /// Puts a three-dimensional law under this stress state.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the law has other than six components; a law that cannot be evaluated
    /// at rest.
    pub fn around<L: MaterialLaw + 'static>(self, law: L) -> Result<Box<dyn MaterialLaw>> {
        Ok(match self {
            Self::Solid => {
                require_solid(&law)?;
                Box::new(law)
            }
            Self::PlaneStrain => Box::new(PlaneStrain::new(law)?),
            Self::Axisymmetric => Box::new(PlaneStrain::axisymmetric(law)?),
            Self::PlaneStress => Box::new(PlaneStress::new(law)?),
            Self::Uniaxial => Box::new(UniaxialStress::new(law)?),
        })
    }
}

pub(super) fn require_solid<L: MaterialLaw>(law: &L) -> Result<()> {
    match law.components() {
        6 => Ok(()),
        n => Err(Error::invalid(format!(
            "a stress state needs a law with 6 components, {} has {n}",
            law.name()
        ))),
    }
}
