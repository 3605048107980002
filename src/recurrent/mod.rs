//! Recurrent constitutive models: a free energy, and an evolution of the hidden state.
//!
//! A law is written once, over the [`Algebra`], in normalised units; see
//! [`RecurrentLaw`]. [`LearnedLaw`](crate::learned::LearnedLaw) turns it into a
//! [`MaterialLaw`](crate::law::MaterialLaw).

mod adaptive;
mod branches;
mod cell;
mod decaying_memory;
mod energy;
mod finite_window;
mod generalized_standard;
mod gru;
pub mod integrator;
mod lstm;
mod minimal_state;
mod physically_recurrent;
mod registry;
mod relaxation;
mod strain_energy;
mod uniaxial;

pub use adaptive::{Adaptive, Tolerance};
pub use cell::Cell;
pub use decaying_memory::DecayingMemory;
pub use energy::FreeEnergy;
pub use finite_window::FiniteWindow;
pub use generalized_standard::GeneralizedStandard;
pub use gru::Gru;
pub use lstm::Lstm;
pub use minimal_state::MinimalState;
pub use physically_recurrent::PhysicallyRecurrent;
pub use registry::{AnyLaw, Architecture, Clock, LAWS, SYMMETRIC_LAWS};
pub use relaxation::Relaxation;
pub use uniaxial::Uniaxial;

pub use crate::symmetry::Symmetry;

use crate::algebra::Algebra;
use std::fmt::Debug;

/// What one increment gives a law, normalised.
#[derive(Clone, Debug)]
pub struct Inputs<V> {
    /// `ε_n / s_ε`, `[n]`
    pub strain_old: V,
    /// `ε_{n+1} / s_ε`, `[n]`
    pub strain_new: V,
    /// `dt / s_t`, `[1]`
    pub dt: V,
    /// External variables at the end of the increment, scaled, `[m]`; absent where `m = 0`.
    pub external: Option<V>,
}

/// Free energy and its derivatives, normalised by `s_σ s_ε`.
#[derive(Clone, Debug)]
pub struct Forces<V> {
    /// `ψ`, `[1]`
    pub energy: V,
    /// `σ = ∂ψ/∂ε`, `[n]`
    pub stress: V,
    /// `A = −∂ψ/∂z`, `[s]`
    pub driving_force: V,
}

/// What holds for a recurrent law whatever its parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    pub second_law: bool,
    /// That the second law, `D_end` over all of a straight increment, also holds where the increment
    /// is taken in several updates.
    pub in_parts: bool,
    pub stationary: bool,
    pub rate_independent: bool,
    pub symmetry: Symmetry,
}

/// A recurrent constitutive model, written once for every reading of the algebra.
///
/// Everything is normalised: strain by `s_ε`, stress by `s_σ`, time by `s_t`, energy by
/// `s_σ s_ε`. The virgin state is `z_0 = 0`, and the hidden state is the whole internal variable.
/// What [`Debug`] writes tells a checkpoint which law it belongs to.
pub trait RecurrentLaw: Debug + Send + Sync {
    /// Number of strain components `n`.
    fn components(&self) -> usize;

    /// Number of internal variables `s`.
    fn states(&self) -> usize;

    /// What the law guarantees for any parameters; that the virgin material is free of stress and
    /// energy holds for every law.
    fn claims(&self) -> Claims;

    /// Quantities of the parameters alone, in one vector: computed once per roll-out in training
    /// and once at loading in use.
    fn prepare<A: Algebra>(&self, a: &A) -> A::Vector;

    /// `z_{n+1} [s]` from `z_n [s]`.
    fn evolve<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector;

    /// Free energy, stress and driving force at `(ε, z)`.
    fn forces<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        strain: &A::Vector,
        external: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector>;
}

/// One increment of a law.
#[derive(Clone, Debug)]
pub struct Step<V> {
    pub state: V,
    pub forces: Forces<V>,
    /// `D_end = A_{n+1}·(z_{n+1} − z_n)`, `[1]`
    pub dissipation: V,
}

/// Advances a law by one increment.
pub fn step<A: Algebra, L: RecurrentLaw>(
    law: &L,
    a: &A,
    prepared: &A::Vector,
    inputs: &Inputs<A::Vector>,
    state: &A::Vector,
) -> Step<A::Vector> {
    let new = law.evolve(a, prepared, inputs, state);
    let external = inputs.external.as_ref();
    let forces = law.forces(a, prepared, &inputs.strain_new, external, &new);
    let dissipation = a.dot(&forces.driving_force, &a.sub(&new, state));
    Step {
        state: new,
        forces,
        dissipation,
    }
}
