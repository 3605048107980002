//! Any three-dimensional law under plane strain: strain in 11, 22 and 12, none elsewhere; or, with
//! four components, in 11, 22, 33 and 12, which is what finite element programs keep of a section:
//! axisymmetry, and plane strain with the stress across the plane.
//!
//! Internal variables and guarantees are those of the inner law, isotropy excepted (it concerns six
//! components).

use super::prepare;
use super::stress_state::{given_components, placed, reduced_layout};
use crate::error::{Result, UpdateError};
use crate::law::{Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout};
use crate::mandel::{Mandel, Moduli};
use crate::symmetry::Symmetry;

/// A three-dimensional law with strain in 11, 22 and 12 only, or in 11, 22, 33 and 12.
#[derive(Clone, Debug)]
pub struct PlaneStrain<L> {
    law: L,
    name: String,
    given: &'static [usize],
    layout: StateLayout,
}

impl<L: MaterialLaw> PlaneStrain<L> {
    /// `law` must have six components.
    pub fn new(law: L) -> Result<Self> {
        Ok(Self {
            name: format!("{}, plane strain", law.name()),
            given: given_components(&law, 3)?,
            layout: reduced_layout(&law, 0),
            law,
        })
    }

    /// With the components 11, 22, 33 and 12. `law` must have six components.
    pub fn with_normal_component(law: L) -> Result<Self> {
        Ok(Self {
            name: format!("{}, plane strain or axisymmetry", law.name()),
            given: &[0, 1, 2, 3],
            ..Self::new(law)?
        })
    }
}

impl<L: MaterialLaw> MaterialLaw for PlaneStrain<L> {
    fn name(&self) -> &str {
        &self.name
    }

    fn components(&self) -> usize {
        self.given.len()
    }

    fn external_variables(&self) -> &[String] {
        self.law.external_variables()
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, state: &mut [f64]) {
        self.law.initial_state(state);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
        let strain = placed(self.given, strain);
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
        let strain_old = placed(self.given, increment.strain_old);
        let strain_new = placed(self.given, increment.strain_new);
        let whole_increment = Increment {
            strain_old: strain_old.as_slice(),
            strain_new: strain_new.as_slice(),
            ..*increment
        };
        let mut whole = Response::default();
        self.law
            .update(&whole_increment, state_old, state_new, &mut whole)?;
        *response = Response {
            stress: Mandel::zeros(),
            tangent: Moduli::zeros(),
            ..whole
        };
        for (i, &row) in self.given.iter().enumerate() {
            response.stress[i] = whole.stress[row];
            for (j, &column) in self.given.iter().enumerate() {
                response.tangent[(i, j)] = whole.tangent[(row, column)];
            }
        }
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            symmetry: Symmetry::None,
            ..self.law.guarantees()
        }
    }

    fn scales(&self) -> Scales {
        self.law.scales()
    }
}
