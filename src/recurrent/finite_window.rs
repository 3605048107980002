//! The last `k` strains: what a law without internal variables can know.
//!
//! ```text
//! z' = [ε_n; z_1; …; z_{k−1}]        z_j the strain at the start of the j-th last increment
//! σ  = ∂ψ/∂ε (ε_{n+1}, z')
//! ```
//!
//! A feed-forward network of a window of strains, with the free energy of the other laws so that
//! the stress has a potential. Its memory ends after `k` increments, its parameters grow with `k`,
//! and what it remembers depends on the step. The law to beat, never the one to take.
//!
//! Guarantees only that `ψ` and `σ` vanish at `ε = 0`, `z = 0`, and that time plays no role
//! whatever the clock: rate-independent. The second law is penalised in training; the window moves
//! on without strain, too.

use super::{Architecture, Forces, FreeEnergy, RecurrentLaw, Step};
use crate::graph::{ParameterLayout, Vector, concat};
use crate::law::{Guarantees, StateLayout};

/// See the module.
#[derive(Clone, Debug)]
pub struct FiniteWindow {
    energy: FreeEnergy,
}

impl FiniteWindow {
    /// `k` is the number of states.
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, k, m) = (sizes.components, sizes.states, sizes.external);
        Self {
            energy: FreeEnergy::new(layout, [n, n * k, m], sizes.energy_size()),
        }
    }
}

impl RecurrentLaw for FiniteWindow {
    fn components(&self) -> usize {
        self.energy.components()
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([("past_strains", self.energy.states())])
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            rate_independent: true,
            ..Guarantees::default()
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, z: Vector<'g>) -> Vector<'g> {
        let kept = z.len() - step.strain_old.len();
        concat([step.strain_old, z.slice(0..kept)])
    }

    fn forces<'g>(&self, strain: Vector<'g>, external: Vector<'g>, z: Vector<'g>) -> Forces<'g> {
        self.energy.forces(strain, external, z)
    }
}
