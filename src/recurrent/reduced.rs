//! A law of six components under a stress state with fewer.

use super::{Forces, RecurrentLaw, Step, Symmetry};
use crate::graph::{Vector, concat};
use crate::law::{Guarantees, StateLayout};
use crate::mandel::StressState;
use std::sync::Arc;

/// The variable that carries the free strain.
pub(crate) const FREE_STRAIN: &str = "free_strain";

/// An isotropic law of six components as one of a stress state with fewer: a bar, plane stress or plane strain.
///
/// The strains of the stress state are given. Those that its zero stresses leave free, the lateral strain `x`
/// of a bar and `x = ε_33` of plane stress, are an implicit variable, found anew in every increment,
///
/// ```text
/// bar           σ_22(ε'_11, x, x; z'(ε'_11, x, x, z)) = 0
/// plane stress  σ_33(ε'_11, ε'_22, x, ε'_12; z'(ε'_11, ε'_22, x, ε'_12, z)) = 0
/// ```
///
/// and carried in the state behind the law's own variables. Its derivatives are those of the
/// implicit function theorem ([`Vector::solve`]): the law of six components trains on records of the stress
/// state. By isotropy both lateral strains of a bar are the same, and there is no further shear. Plane strain
/// leaves nothing free.
///
/// The second law holds where it holds for the law: the driving force of the free strain is the
/// stress along it, which is zero up to round-off.
#[derive(Clone, Debug)]
pub struct Reduced {
    law: Arc<dyn RecurrentLaw>,
    stress_state: StressState,
}

impl Reduced {
    /// `None` where the law does not have six components or is not isotropic, since records of fewer
    /// components do not show the other directions; or where the stress state is not one of 1 or 3 components.
    pub fn new(law: Arc<dyn RecurrentLaw>, stress_state: StressState) -> Option<Self> {
        let isotropic = law.guarantees().symmetry == Symmetry::Isotropic;
        let fewer = matches!(stress_state.components(), 1 | 3);
        (law.components() == 6 && isotropic && fewer).then_some(Self { law, stress_state })
    }

    /// How many components share the free strain, and one of them; `None` where none is free.
    fn free(&self) -> Option<(f64, usize)> {
        match self.stress_state {
            StressState::Uniaxial => Some((2.0, 1)),
            StressState::PlaneStress => Some((1.0, 2)),
            _ => None,
        }
    }

    /// All six components of the strain.
    fn tensor<'g>(&self, given: Vector<'g>, free: Vector<'g>) -> Vector<'g> {
        let zeros = |n| given.graph().zeros(n);
        match self.stress_state {
            StressState::Uniaxial => concat([given, free, free, zeros(3)]),
            StressState::PlaneStress => concat([given.slice(0..2), free, given.at(2), zeros(2)]),
            _ => concat([given.slice(0..2), zeros(1), given.at(2), zeros(2)]),
        }
    }

    fn split<'g>(&self, state: Vector<'g>) -> [Vector<'g>; 2] {
        state.split(self.law.state_layout().len())
    }
}

impl RecurrentLaw for Reduced {
    fn components(&self) -> usize {
        self.stress_state.components()
    }

    fn state_layout(&self) -> StateLayout {
        let inner = self.law.state_layout();
        let inner = inner.variables().iter().map(|v| (v.name.clone(), v.len));
        let free = self.free().map(|_| (FREE_STRAIN.to_string(), 1));
        StateLayout::new(inner.chain(free))
    }

    fn guarantees(&self) -> Guarantees {
        let guarantees = self.law.guarantees();
        match self.free() {
            None => guarantees,
            Some(_) => Guarantees {
                second_law: false,
                stationary: false,
                ..guarantees
            },
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, state: Vector<'g>) -> Vector<'g> {
        let [z, free_old] = self.split(state);
        let solid = |free| Step {
            strain_old: self.tensor(step.strain_old, free_old),
            strain_new: self.tensor(step.strain_new, free),
            ..*step
        };
        let Some((_, component)) = self.free() else {
            return self.law.evolve(&solid(free_old), z);
        };
        let free = free_old.solve(|free| {
            let step = solid(free);
            let z = self.law.evolve(&step, z);
            let forces = self.law.forces(step.strain_new, step.external, z);
            forces.stress.at(component)
        });
        concat([self.law.evolve(&solid(free), z), free])
    }

    fn forces<'g>(
        &self,
        strain: Vector<'g>,
        external: Vector<'g>,
        state: Vector<'g>,
    ) -> Forces<'g> {
        let [z, free] = self.split(state);
        let solid = self.law.forces(self.tensor(strain, free), external, z);
        let stress = self.stress_state.positions();
        let stress: Vec<_> = stress.iter().map(|&i| solid.stress.at(i)).collect();
        let driving_force = match self.free() {
            None => solid.driving_force,
            Some((count, component)) => {
                concat([solid.driving_force, -count * solid.stress.at(component)])
            }
        };
        Forces {
            energy: solid.energy,
            stress: concat(stress),
            driving_force,
        }
    }
}
