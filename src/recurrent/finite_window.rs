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

use super::{Architecture, Cell, Claims, FreeEnergy, Inputs};
use crate::algebra::{Algebra, ParameterLayout};

/// See the module.
#[derive(Clone, Debug)]
pub struct FiniteWindow {
    components: usize,
    /// `k`
    window: usize,
    energy: FreeEnergy,
}

impl FiniteWindow {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, k, m) = (sizes.components, sizes.states, sizes.external);
        Self {
            components: n,
            window: k,
            energy: FreeEnergy::new(layout, [n, n * k, m], sizes.energy_size()),
        }
    }
}

impl Cell for FiniteWindow {
    fn energy(&self) -> &FreeEnergy {
        &self.energy
    }

    fn guarantees(&self) -> Claims {
        Claims {
            rate_independent: true,
            ..Claims::default()
        }
    }

    fn advance<A: Algebra>(
        &self,
        a: &A,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        let kept = self.components * (self.window - 1);
        a.concat(&[&inputs.strain_old, &a.slice(state, 0..kept)])
    }
}
