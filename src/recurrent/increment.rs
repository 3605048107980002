//! One increment of a law as a graph: the same for use, training and adaptive steps.

use super::{Forces, RecurrentLaw, Step};
use crate::graph::{Graph, Vector};

/// The inputs of an increment by their numbers; a free energy has the first three.
pub(crate) mod input {
    pub const STATE: usize = 0;
    pub const STRAIN_NEW: usize = 1;
    pub const EXTERNAL: usize = 2;
    pub const STRAIN_OLD: usize = 3;
    pub const TIME: usize = 4;
}

/// The outputs of an increment by their numbers.
pub(crate) mod output {
    pub const STATE: usize = 0;
    pub const STRESS: usize = 1;
    pub const DISSIPATION: usize = 2;
    /// A training does without it.
    pub const ENERGY: usize = 3;
    /// Of the update of a law in use.
    pub const TANGENT: usize = 4;
}

/// The inputs of an increment in a graph, in their order.
#[derive(Clone, Copy, Debug)]
pub struct IncrementInputs<'g> {
    pub state: Vector<'g>,
    pub step: Step<'g>,
}

impl<'g> IncrementInputs<'g> {
    /// Those of a law with so many external variables.
    pub fn new(graph: &'g Graph, law: &dyn RecurrentLaw, external: usize) -> Self {
        let n = law.components();
        let state = graph.input("state", law.state_layout().len());
        let strain_new = graph.input("strain_new", n);
        let external = graph.input("external", external);
        Self {
            state,
            step: Step {
                strain_new,
                external,
                strain_old: graph.input("strain_old", n),
                dt: graph.input("dt", 1),
            },
        }
    }
}

/// One increment of a law.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Advance<'g> {
    pub state: Vector<'g>,
    pub forces: Forces<'g>,
    /// `D_end = A_{n+1}·(z_{n+1} − z_n)`, `[1]`
    pub dissipation: Vector<'g>,
}

impl<'g> Advance<'g> {
    /// Advances a law.
    pub fn of(law: &dyn RecurrentLaw, inputs: &IncrementInputs<'g>) -> Self {
        let IncrementInputs { state: old, step } = *inputs;
        let state = law.evolve(&step, old);
        let forces = law.forces(step.strain_new, step.external, state);
        Self {
            state,
            forces,
            dissipation: forces.driving_force.dot(state - old),
        }
    }

    /// In the order of [`output`].
    pub fn outputs(&self) -> [Vector<'g>; 4] {
        let Forces { stress, energy, .. } = self.forces;
        [self.state, stress, self.dissipation, energy]
    }
}
