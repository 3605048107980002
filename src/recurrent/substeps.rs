//! Several even updates of a law within one increment.

use super::{Forces, RecurrentLaw, Step};
use crate::graph::Vector;
use crate::law::{Guarantees, StateLayout};
use std::sync::Arc;

/// A law whose update is a method of first order for the evolution along an increment, on which strain
/// and time grow evenly. Taken over the whole increment it is the plain recurrent cell; over parts of
/// it, it comes nearer to the evolution:
///
/// ```text
/// z_{k+1} = Φ(ε_n + k/K Δε, ε_n + (k+1)/K Δε, dt/K, z_k)        k = 0 … K − 1
/// ```
///
/// Guarantees what the law does, the second law only where it holds
/// [in parts](Guarantees::second_law_in_parts).
#[derive(Clone, Debug)]
pub struct Substeps {
    pub law: Arc<dyn RecurrentLaw>,
    /// `K`
    pub count: usize,
}

impl<'g> Step<'g> {
    /// The part of an increment between two shares of it.
    fn part(&self, [start, end]: [f64; 2]) -> Self {
        let at = |share: f64| match share {
            0.0 => self.strain_old,
            1.0 => self.strain_new,
            _ => self.strain_old + self.strain_increment() * share,
        };
        Self {
            strain_old: at(start),
            strain_new: at(end),
            dt: self.dt * (end - start),
            external: self.external,
        }
    }
}

impl RecurrentLaw for Substeps {
    fn components(&self) -> usize {
        self.law.components()
    }

    fn state_layout(&self) -> StateLayout {
        self.law.state_layout()
    }

    fn guarantees(&self) -> Guarantees {
        let guarantees = self.law.guarantees();
        Guarantees {
            second_law: guarantees.second_law && guarantees.second_law_in_parts,
            ..guarantees
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, state: Vector<'g>) -> Vector<'g> {
        let share = |k: usize| k as f64 / self.count as f64;
        let parts = (0..self.count).map(|k| step.part([share(k), share(k + 1)]));
        parts.fold(state, |state, part| self.law.evolve(&part, state))
    }

    fn forces<'g>(
        &self,
        strain: Vector<'g>,
        external: Vector<'g>,
        state: Vector<'g>,
    ) -> Forces<'g> {
        self.law.forces(strain, external, state)
    }
}
