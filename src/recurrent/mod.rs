//! Recurrent constitutive models: a free energy, and an evolution of the hidden state.
//!
//! A law writes its equations once, in normalised units, into a [`Graph`](crate::graph::Graph); see
//! [`RecurrentLaw`]. [`LearnedLaw`](crate::model::LearnedLaw) turns it into a
//! [`MaterialLaw`](crate::law::MaterialLaw).

mod architecture;
mod branches;
mod decaying_memory;
mod energy;
mod finite_window;
mod generalized_standard;
mod gru;
mod increment;
mod lstm;
mod minimal_state;
mod physically_recurrent;
mod reduced;
mod registry;
mod relaxation;
mod strain_energy;
mod substeps;

pub use architecture::{Architecture, Clock};
pub use decaying_memory::DecayingMemory;
pub use energy::FreeEnergy;
pub use finite_window::FiniteWindow;
pub use generalized_standard::GeneralizedStandard;
pub use gru::Gru;
pub use increment::IncrementInputs;
pub(crate) use increment::{Advance, input, output};
pub use lstm::Lstm;
pub use minimal_state::MinimalState;
pub use physically_recurrent::PhysicallyRecurrent;
#[cfg(feature = "train")]
pub(crate) use reduced::FREE_STRAIN;
pub use reduced::Reduced;
pub use registry::{Entry, laws, register, symmetric_laws};
pub use relaxation::Relaxation;
pub use substeps::Substeps;

pub use crate::symmetry::Symmetry;

use crate::graph::Vector;
use crate::law::{Guarantees, StateLayout};
use std::fmt::Debug;

/// What one increment gives a law, normalised.
#[derive(Clone, Copy, Debug)]
pub struct Step<'g> {
    /// `ε_n / s_ε`, `[n]`
    pub strain_old: Vector<'g>,
    /// `ε_{n+1} / s_ε`, `[n]`
    pub strain_new: Vector<'g>,
    /// `dt / s_t`, `[1]`
    pub dt: Vector<'g>,
    /// External variables at the end of the increment, scaled, `[m]`, `m ≥ 0`.
    pub external: Vector<'g>,
}

impl<'g> Step<'g> {
    /// `Δε [n]`
    #[track_caller]
    pub fn strain_increment(&self) -> Vector<'g> {
        self.strain_new - self.strain_old
    }
}

/// Free energy and its derivatives, normalised by `s_σ s_ε`.
#[derive(Clone, Copy, Debug)]
pub struct Forces<'g> {
    /// `ψ`, `[1]`
    pub energy: Vector<'g>,
    /// `σ = ∂ψ/∂ε`, `[n]`
    pub stress: Vector<'g>,
    /// `A = −∂ψ/∂z`, `[s]`
    pub driving_force: Vector<'g>,
}

/// A recurrent constitutive model.
///
/// Everything is normalised: strain by `s_ε`, stress by `s_σ`, time by `s_t`, energy by `s_σ s_ε`. The
/// virgin state is `z_0 = 0`, and the hidden state is the whole internal variable. What [`Debug`]
/// writes tells a checkpoint which law it belongs to.
pub trait RecurrentLaw: Debug + Send + Sync {
    /// Number of strain components `n`.
    fn components(&self) -> usize;

    /// The internal variables by their names, `[s]` in all.
    fn state_layout(&self) -> StateLayout;

    /// What holds for any parameters. That the virgin material is free of stress and energy holds for
    /// every law; that it stays so ([`Guarantees::rest`]) follows where the law is stationary.
    fn guarantees(&self) -> Guarantees;

    /// `z_{n+1} [s]` from `z_n [s]`.
    fn evolve<'g>(&self, step: &Step<'g>, state: Vector<'g>) -> Vector<'g>;

    /// Free energy, stress and driving force at `(ε, z)`.
    fn forces<'g>(&self, strain: Vector<'g>, external: Vector<'g>, state: Vector<'g>)
    -> Forces<'g>;
}
