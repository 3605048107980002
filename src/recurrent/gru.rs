//! The gated recurrent unit.
//!
//! Cho et al. (2014), EMNLP, in the form of PyTorch and cuDNN: with `x = [ε_{n+1}; Δε; dt; θ]`,
//!
//! ```text
//! r  = σ(W_r x + U_r z + b_r)
//! u  = σ(W_u x + U_u z + b_u)
//! c  = tanh(W_c x + b_c + r ⊙ (U_c z + d_c))
//! z' = (1 − u) ⊙ c + u ⊙ z = c + u ⊙ (z − c)
//! ```
//!
//! Guarantees only that `ψ` and `σ` vanish at `ε = 0`, `z = 0`: the second law is penalised in
//! training, the answer depends on the number of increments, and an increment without strain or
//! time still moves the state, so that even a virgin point does not stay at rest. With the
//! strain-path clock `dt` is not an input, and the law is rate-independent.

use super::{Architecture, Clock, Forces, FreeEnergy, RecurrentLaw, Step};
use crate::graph::{ParameterLayout, Vector, concat};
use crate::law::{Guarantees, StateLayout};
use crate::network::Dense;

/// See the module.
#[derive(Clone, Debug)]
pub struct Gru {
    clock: Clock,
    /// `[W_r; W_u; W_c]`, `[b_r; b_u; b_c]`
    input: Dense,
    /// `[U_r; U_u; U_c]`, `[0; 0; d_c]`
    recurrent: Dense,
    energy: FreeEnergy,
}

/// `Δε` is a small share of `ε`; this brings both inputs to a similar size.
const INCREMENT_GAIN: f64 = 20.0;

/// `[ε_{n+1}; 20 Δε; dt; θ]`, `dt` only where time counts.
pub(super) fn features<'g>(clock: Clock, step: &Step<'g>) -> Vector<'g> {
    let increment = step.strain_increment() * INCREMENT_GAIN;
    let time = if clock.has_time() {
        step.dt
    } else {
        step.dt.slice(0..0)
    };
    concat([step.strain_new, increment, time, step.external])
}

/// The length of [`features`].
pub(super) fn features_len(sizes: &Architecture) -> usize {
    2 * sizes.components + usize::from(sizes.clock.has_time()) + sizes.external
}

impl Gru {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, s, m) = (sizes.components, sizes.states, sizes.external);
        Self {
            clock: sizes.clock,
            input: Dense::new(layout, "gru.input", features_len(sizes), 3 * s),
            recurrent: Dense::new(layout, "gru.recurrent", s, 3 * s),
            energy: FreeEnergy::new(layout, [n, s, m], sizes.energy_size()),
        }
    }
}

impl RecurrentLaw for Gru {
    fn components(&self) -> usize {
        self.energy.components()
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([("hidden_state", self.energy.states())])
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            rate_independent: self.clock == Clock::StrainPath,
            ..Guarantees::default()
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, z: Vector<'g>) -> Vector<'g> {
        let [wx_gates, wx_candidate] = self.input.of(features(self.clock, step)).split(2 * z.len());
        let [uz_gates, uz_candidate] = self.recurrent.of(z).split(2 * z.len());
        let [r, u] = (wx_gates + uz_gates).sigmoid().split(z.len());
        let c = (wx_candidate + r * uz_candidate).tanh();
        c + u * (z - c)
    }

    fn forces<'g>(&self, strain: Vector<'g>, external: Vector<'g>, z: Vector<'g>) -> Forces<'g> {
        self.energy.forces(strain, external, z)
    }
}
