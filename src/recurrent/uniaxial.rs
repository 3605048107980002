//! A bar: a law of six components under uniaxial stress.

use super::{Forces, RecurrentLaw, Step, Symmetry};
use crate::graph::{Vector, concat};
use crate::law::{Guarantees, StateLayout};
use std::sync::Arc;

/// An isotropic law of six components as a law of one: the axial strain is given, the lateral stress
/// is zero.
///
/// The lateral strain `x` is an implicit variable, found anew in every increment,
///
/// ```text
/// σ_22(ε'_11, x, x; z'(ε'_11, x, x, z)) = 0
/// ```
///
/// and carried in the state behind the law's own variables. Its derivatives are those of the
/// implicit function theorem ([`Vector::solve`]): the law of six components trains on records of bars.
/// By isotropy both lateral strains are the same and there is no shear.
///
/// The second law holds where it holds for the law: the driving force of the lateral strain is the
/// lateral stress, which is zero up to round-off.
#[derive(Clone, Debug)]
pub struct Uniaxial {
    law: Arc<dyn RecurrentLaw>,
}

impl Uniaxial {
    /// `None` where the law does not have six components or is not isotropic: uniaxial tests do not show
    /// other directions.
    pub fn new(law: Arc<dyn RecurrentLaw>) -> Option<Self> {
        let isotropic = law.guarantees().symmetry == Symmetry::Isotropic;
        (law.components() == 6 && isotropic).then_some(Self { law })
    }

    fn split<'g>(&self, state: Vector<'g>) -> [Vector<'g>; 2] {
        state.split(self.law.state_layout().len())
    }
}

/// `[axial, lateral, lateral, 0, 0, 0]`
fn tensor<'g>(axial: Vector<'g>, lateral: Vector<'g>) -> Vector<'g> {
    concat([axial, lateral, lateral, axial.graph().zeros(3)])
}

impl RecurrentLaw for Uniaxial {
    fn components(&self) -> usize {
        1
    }

    fn state_layout(&self) -> StateLayout {
        let inner = self.law.state_layout();
        let inner = inner.variables().iter().map(|v| (v.name.clone(), v.len));
        StateLayout::new(inner.chain([("lateral_strain".to_string(), 1)]))
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: false,
            stationary: false,
            ..self.law.guarantees()
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, state: Vector<'g>) -> Vector<'g> {
        let [z, lateral_old] = self.split(state);
        let solid = |lateral| Step {
            strain_old: tensor(step.strain_old, lateral_old),
            strain_new: tensor(step.strain_new, lateral),
            ..*step
        };
        let lateral = lateral_old.solve(|lateral| {
            let step = solid(lateral);
            let z = self.law.evolve(&step, z);
            self.law
                .forces(step.strain_new, step.external, z)
                .stress
                .at(1)
        });
        concat([self.law.evolve(&solid(lateral), z), lateral])
    }

    fn forces<'g>(
        &self,
        strain: Vector<'g>,
        external: Vector<'g>,
        state: Vector<'g>,
    ) -> Forces<'g> {
        let [z, lateral] = self.split(state);
        let solid = self.law.forces(tensor(strain, lateral), external, z);
        let lateral_force = -(solid.stress.at(1) + solid.stress.at(2));
        Forces {
            energy: solid.energy,
            stress: solid.stress.at(0),
            driving_force: concat([solid.driving_force, lateral_force]),
        }
    }
}
