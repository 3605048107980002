//! Cells: laws that are a free energy of strain and state, and any evolution of the state.

use super::{Claims, Forces, FreeEnergy, Inputs, RecurrentLaw};
use crate::algebra::Algebra;
use std::fmt::Debug;

/// An evolution with the free energy that makes a law of it.
pub trait Cell: Debug + Send + Sync {
    fn energy(&self) -> &FreeEnergy;

    /// See [`RecurrentLaw::claims`].
    fn guarantees(&self) -> Claims;

    /// See [`RecurrentLaw::evolve`].
    fn advance<A: Algebra>(
        &self,
        a: &A,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector;
}

impl<C: Cell> RecurrentLaw for C {
    fn components(&self) -> usize {
        self.energy().components()
    }

    fn states(&self) -> usize {
        self.energy().states()
    }

    fn claims(&self) -> Claims {
        self.guarantees()
    }

    fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        self.energy().prepare(a)
    }

    fn evolve<A: Algebra>(
        &self,
        a: &A,
        _: &A::Vector,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        self.advance(a, inputs, state)
    }

    fn forces<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        strain: &A::Vector,
        external: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        self.energy().forces(a, prepared, strain, external, state)
    }
}
