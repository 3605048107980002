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

use super::gru::features;
use super::{Architecture, Cell, Claims, Clock, FreeEnergy, Inputs};
use crate::algebra::{Activation, Algebra, ParameterLayout};
use crate::network::Dense;

/// See the module.
#[derive(Clone, Debug)]
pub struct Lstm {
    /// Of `h` and of `c`.
    cells: usize,
    clock: Clock,
    /// `[W; W_c]`
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
        let time = usize::from(sizes.clock != Clock::StrainPath);
        Self {
            cells: s,
            clock: sizes.clock,
            input: Dense::new(layout, "lstm.input", 2 * n + time + m, 4 * s),
            recurrent: Dense::new(layout, "lstm.recurrent", s, 4 * s),
            energy: FreeEnergy::new(layout, [n, 2 * s, m], sizes.energy_size()),
        }
    }
}

impl Cell for Lstm {
    fn energy(&self) -> &FreeEnergy {
        &self.energy
    }

    fn guarantees(&self) -> Claims {
        Claims {
            rate_independent: self.clock == Clock::StrainPath,
            ..Claims::default()
        }
    }

    fn advance<A: Algebra>(
        &self,
        a: &A,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        let s = self.cells;
        let (hidden, cell) = (a.slice(state, 0..s), a.slice(state, s..2 * s));
        let from_input = self.input.forward(a, &features(a, self.clock, inputs));
        let sum = a.add(&from_input, &self.recurrent.forward(a, &hidden));
        let part = |i: usize| a.slice(&sum, i * s..(i + 1) * s);
        let gate = |x: &A::Vector| a.apply(Activation::Sigmoid, x);
        let forget = gate(&a.affine(&part(1), 1.0, FORGET_BIAS));
        let candidate = a.apply(Activation::Tanh, &part(3));
        let kept = a.mul(&forget, &cell);
        let cell = a.add(&kept, &a.mul(&gate(&part(0)), &candidate));
        let hidden = a.mul(&gate(&part(2)), &a.apply(Activation::Tanh, &cell));
        a.concat(&[&hidden, &cell])
    }
}
