//! Any three-dimensional law under plane strain: strain in 11, 22 and 12, none elsewhere; or, with
//! four components, in 11, 22, 33 and 12, which finite element programs use for axisymmetry, and for
//! plane strain with the stress across the plane.
//!
//! Internal variables and guarantees are those of the inner law, isotropy excepted (it concerns six
//! components).

use super::prepare;
use super::stress_state::require_solid;
use crate::error::{Result, UpdateError};
use crate::law::{Departure, Guarantees, Increment, MaterialLaw, Response, delegate};
use crate::mandel::{Mandel, StressState};
use crate::symmetry::Symmetry;

/// A three-dimensional law with strain in 11, 22 and 12 only, or in 11, 22, 33 and 12.
#[derive(Clone, Debug)]
pub struct PlaneStrain<L> {
    law: L,
    name: String,
    stress_state: StressState,
}

impl<L: MaterialLaw> PlaneStrain<L> {
    /// With the components 11, 22 and 12. `law` must have six.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for other laws.
    pub fn new(law: L) -> Result<Self> {
        Self::in_state(StressState::PlaneStrain, law)
    }

    /// With the components 11, 22, 33 and 12. `law` must have six.
    ///
    /// # Errors
    /// As [`PlaneStrain::new`].
    pub fn axisymmetric(law: L) -> Result<Self> {
        Self::in_state(StressState::Axisymmetric, law)
    }

    fn in_state(stress_state: StressState, law: L) -> Result<Self> {
        require_solid(&law)?;
        Ok(Self {
            name: format!("{}, {stress_state}", law.name()),
            stress_state,
            law,
        })
    }

    fn whole_strains(&self, increment: &Increment) -> [Mandel; 2] {
        [increment.strain_old, increment.strain_new].map(|strain| self.stress_state.expand(strain))
    }
}

impl<L: MaterialLaw> MaterialLaw for PlaneStrain<L> {
    delegate!(law: external_variables, state_layout, initial_state, typical_external, trained_path, scales);

    fn name(&self) -> &str {
        &self.name
    }

    fn components(&self) -> usize {
        self.stress_state.components()
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
        let strain = self.stress_state.expand(strain);
        self.law.free_energy(strain.as_slice(), state, external)
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        prepare(self, increment, state_old, state_new)?;
        let [strain_old, strain_new] = self.whole_strains(increment);
        let whole_increment = Increment {
            strain_old: strain_old.as_slice(),
            strain_new: strain_new.as_slice(),
            ..*increment
        };
        let mut whole = Response::default();
        self.law
            .update(&whole_increment, state_old, state_new, &mut whole)?;
        *response = Response {
            stress: self.stress_state.restrict(&whole.stress),
            tangent: self.stress_state.restrict_moduli(&whole.tangent),
            ..whole
        };
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            symmetry: Symmetry::None,
            ..self.law.guarantees()
        }
    }

    fn departure(&self, increment: &Increment) -> Option<Departure> {
        let [strain_old, strain_new] = self.whole_strains(increment);
        self.law.departure(&Increment {
            strain_old: strain_old.as_slice(),
            strain_new: strain_new.as_slice(),
            ..*increment
        })
    }
}
