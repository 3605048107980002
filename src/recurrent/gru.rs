//! The gated recurrent unit.
//!
//! Cho et al. (2014), EMNLP, in the form of PyTorch and cuDNN: with `x = [ε_{n+1}; Δε; dt; θ]`,
//!
//! ```text
//! r  = σ(W_r x + U_r z + b_r)
//! u  = σ(W_u x + U_u z + b_u)
//! c  = tanh(W_c x + b_c + r ⊙ (U_c z + d_c))
//! z' = (1 − u) ⊙ c + u ⊙ z
//! ```
//!
//! Guarantees only that `ψ` and `σ` vanish at `ε = 0`, `z = 0`: the second law is penalised in
//! training, the answer depends on the number of increments, and an increment without strain or
//! time still moves the state, so that even a virgin point does not stay at rest. With the
//! strain-path clock `dt` is not an input, and the law is rate-independent.

use super::{Architecture, Cell, Claims, Clock, FreeEnergy, Inputs};
use crate::algebra::{Activation, Algebra, ParameterLayout};
use crate::network::Dense;

/// See the module.
#[derive(Clone, Debug)]
pub struct Gru {
    states: usize,
    clock: Clock,
    /// `[W_r; W_u; W_c]`
    input: Dense,
    /// `[U_r; U_u; U_c]`
    recurrent: Dense,
    energy: FreeEnergy,
}

/// `Δε` is a small share of `ε`; this brings both inputs to a similar size.
const INCREMENT_GAIN: f64 = 20.0;

/// `[ε_{n+1}; 20 Δε; dt; θ]`, `dt` only where time counts.
pub(super) fn features<A: Algebra>(a: &A, clock: Clock, inputs: &Inputs<A::Vector>) -> A::Vector {
    let increment = a.sub(&inputs.strain_new, &inputs.strain_old);
    let increment = a.scale(&increment, INCREMENT_GAIN);
    let mut x = a.concat(&[&inputs.strain_new, &increment]);
    if clock != Clock::StrainPath {
        x = a.concat(&[&x, &inputs.dt]);
    }
    match &inputs.external {
        Some(external) => a.concat(&[&x, external]),
        None => x,
    }
}

impl Gru {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, s, m) = (sizes.components, sizes.states, sizes.external);
        let time = usize::from(sizes.clock != Clock::StrainPath);
        Self {
            states: s,
            clock: sizes.clock,
            input: Dense::new(layout, "gru.input", 2 * n + time + m, 3 * s),
            recurrent: Dense::new(layout, "gru.recurrent", s, 3 * s),
            energy: FreeEnergy::new(layout, [n, s, m], sizes.energy_size()),
        }
    }
}

impl Cell for Gru {
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
        let s = self.states;
        let from_input = self.input.forward(a, &features(a, self.clock, inputs));
        let from_state = self.recurrent.forward(a, state);
        let gates = a.apply(
            Activation::Sigmoid,
            &a.add(
                &a.slice(&from_input, 0..2 * s),
                &a.slice(&from_state, 0..2 * s),
            ),
        );
        let (reset, update) = (a.slice(&gates, 0..s), a.slice(&gates, s..2 * s));
        let candidate = a.apply(
            Activation::Tanh,
            &a.add(
                &a.slice(&from_input, 2 * s..3 * s),
                &a.mul(&reset, &a.slice(&from_state, 2 * s..3 * s)),
            ),
        );
        a.add(&candidate, &a.mul(&update, &a.sub(state, &candidate)))
    }
}
