//! A bar: a law of six components under uniaxial stress.

use super::{Claims, Forces, Inputs, RecurrentLaw, Symmetry};
use crate::algebra::{Algebra, Residual};

/// An isotropic law of six components as a law of one: the axial strain is given, the lateral stress
/// is zero.
///
/// The lateral strain is an implicit variable, found anew in every increment,
///
/// ```text
/// σ_22(ε'_11, x, x; z'(ε'_11, x, x, z)) = 0
/// ```
///
/// and carried in the state behind the law's own variables. Its derivatives are those of the
/// implicit function theorem ([`Algebra::solve`]), in every reading: the law of six components trains
/// on records of bars. By isotropy both lateral strains are the same and there is no shear.
///
/// The second law holds where it holds for the law: the driving force of the lateral strain is the
/// lateral stress, which is zero up to round-off.
#[derive(Clone, Debug)]
pub struct Uniaxial<L> {
    law: L,
}

impl<L: RecurrentLaw> Uniaxial<L> {
    /// `None` where the law does not have six components or does not claim isotropy: tests on bars
    /// say nothing of other directions.
    pub fn new(law: L) -> Option<Self> {
        let isotropic = law.claims().symmetry == Symmetry::Isotropic;
        (law.components() == 6 && isotropic).then_some(Self { law })
    }

    /// The law of six components.
    pub fn into_law(self) -> L {
        self.law
    }

    fn split<A: Algebra>(&self, a: &A, state: &A::Vector) -> (A::Vector, A::Vector) {
        let s = self.law.states();
        (a.slice(state, 0..s), a.slice(state, s..s + 1))
    }
}

/// `[axial, lateral, lateral, 0, 0, 0]`
fn tensor<A: Algebra>(a: &A, axial: &A::Vector, lateral: &A::Vector) -> A::Vector {
    a.concat(&[axial, lateral, lateral, &a.zeros(3)])
}

/// The lateral stress. Known are the old strain, the new axial strain, time, external variables, the
/// old state, and what the law has prepared; unknown is the lateral strain.
struct LateralStress<'a, L> {
    law: &'a L,
    external: bool,
}

impl<L: RecurrentLaw> LateralStress<'_, L> {
    fn inputs<A: Algebra>(
        &self,
        a: &A,
        [old, new, dt, external, _, _]: &[A::Vector; 6],
        lateral: &A::Vector,
    ) -> Inputs<A::Vector> {
        Inputs {
            strain_old: old.clone(),
            strain_new: tensor(a, new, lateral),
            dt: dt.clone(),
            external: self.external.then(|| external.clone()),
        }
    }
}

impl<L: RecurrentLaw> Residual<6> for LateralStress<'_, L> {
    fn evaluate<A: Algebra>(
        &self,
        a: &A,
        known: &[A::Vector; 6],
        lateral: &A::Vector,
    ) -> A::Vector {
        let [_, _, _, _, state, prepared] = known;
        let inputs = self.inputs(a, known, lateral);
        let new = self.law.evolve(a, prepared, &inputs, state);
        let external = inputs.external.as_ref();
        let forces = self
            .law
            .forces(a, prepared, &inputs.strain_new, external, &new);
        a.slice(&forces.stress, 1..2)
    }
}

impl<L: RecurrentLaw> RecurrentLaw for Uniaxial<L> {
    fn components(&self) -> usize {
        1
    }

    fn states(&self) -> usize {
        self.law.states() + 1
    }

    fn claims(&self) -> Claims {
        Claims {
            second_law: false,
            stationary: false,
            ..self.law.claims()
        }
    }

    fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        self.law.prepare(a)
    }

    fn evolve<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        let (own, lateral) = self.split(a, state);
        let residual = LateralStress {
            law: &self.law,
            external: inputs.external.is_some(),
        };
        let known = [
            tensor(a, &inputs.strain_old, &lateral),
            inputs.strain_new.clone(),
            inputs.dt.clone(),
            inputs.external.clone().unwrap_or_else(|| a.zeros(1)),
            own,
            prepared.clone(),
        ];
        let lateral = a.solve(&residual, &known, &lateral);
        let inputs = residual.inputs(a, &known, &lateral);
        let new = self.law.evolve(a, prepared, &inputs, &known[4]);
        a.concat(&[&new, &lateral])
    }

    fn forces<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        strain: &A::Vector,
        external: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        let (own, lateral) = self.split(a, state);
        let strain = tensor(a, strain, &lateral);
        let forces = self.law.forces(a, prepared, &strain, external, &own);
        let at = |i: usize| a.slice(&forces.stress, i..i + 1);
        let lateral_force = a.scale(&a.add(&at(1), &at(2)), -1.0);
        Forces {
            energy: forces.energy.clone(),
            stress: at(0),
            driving_force: a.concat(&[&forces.driving_force, &lateral_force]),
        }
    }
}
