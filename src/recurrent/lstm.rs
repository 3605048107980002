//! The long short-term memory.
//!
//! Hochreiter & Schmidhuber (1997), Neural Comput. 9:1735–1780, with the forget gate of Gers,
//! Schmidhuber & Cummins (2000): with `x = [ε_{n+1}; Δε; dt; θ]` and the state `z = [h; c]`,
//!
//! ```text
//! [i; f; o] = σ(W x + U h + b)        forget gate f from one on
//! c' = f ⊙ c + i ⊙ tanh(W_c x + U_c h + b_c)
//! h' = o ⊙ tanh(c')
//! ```
//!
//! Both halves are internal variables: the free energy and the dissipation see all of `z`.
//!
//! Guarantees only that `ψ` and `σ` vanish at `ε = 0`, `z = 0`: the second law is penalised in
//! training, the answer depends on the number of increments, and an increment without strain or
//! time still moves the state. With the strain-path clock `dt` is not an input, and the law is
//! rate-independent. A baseline, as [`Gru`](super::Gru) is.

use super::gru::{features, features_len};
use super::{Architecture, Clock, Forces, FreeEnergy, RecurrentLaw, Step};
use crate::graph::{ParameterLayout, Vector, concat};
use crate::law::{Guarantees, StateLayout};
use crate::network::Dense;

/// See the module.
#[derive(Clone, Debug)]
pub struct Lstm {
    clock: Clock,
    /// `[W; W_c]`, `[b; b_c]`
    input: Dense,
    /// `[U; U_c]`
    recurrent: Dense,
    energy: FreeEnergy,
}

/// Added to the forget gate, which is then open at the start (Jozefowicz, Zaremba & Sutskever
/// 2015).
const FORGET_BIAS: f64 = 1.0;

impl Lstm {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, s, m) = (sizes.components, sizes.states, sizes.external);
        Self {
            clock: sizes.clock,
            input: Dense::new(layout, "lstm.input", features_len(sizes), 4 * s),
            recurrent: Dense::new(layout, "lstm.recurrent", s, 4 * s),
            energy: FreeEnergy::new(layout, [n, 2 * s, m], sizes.energy_size()),
        }
    }
}

impl RecurrentLaw for Lstm {
    fn components(&self) -> usize {
        self.energy.components()
    }

    fn state_layout(&self) -> StateLayout {
        let cells = self.energy.states() / 2;
        StateLayout::new([("hidden_state", cells), ("cell_state", cells)])
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            rate_independent: self.clock == Clock::StrainPath,
            ..Guarantees::default()
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, z: Vector<'g>) -> Vector<'g> {
        let [h, c] = z.split(z.len() / 2);
        let sum = self.input.of(features(self.clock, step)) + self.recurrent.of(h);
        let [i, f, o, candidate] =
            std::array::from_fn(|k| sum.slice(k * c.len()..(k + 1) * c.len()));
        let c = (f + FORGET_BIAS).sigmoid() * c + i.sigmoid() * candidate.tanh();
        let h = o.sigmoid() * c.tanh();
        concat([h, c])
    }

    fn forces<'g>(&self, strain: Vector<'g>, external: Vector<'g>, z: Vector<'g>) -> Forces<'g> {
        self.energy.forces(strain, external, z)
    }
}
