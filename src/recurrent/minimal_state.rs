//! The minimal-state cell.
//!
//! Bonatti & Mohr (2022), On the importance of self-consistency in recurrent neural network models
//! representing elasto-plastic solids, J. Mech. Phys. Solids 158:104697 (LMSC); the rate term as in
//! Heidenreich & Mohr (2024), Extended minimal state cells (EMSC). With the length of the increment
//! `ν = ‖Δε‖`, its direction `n = Δε/ν` and `l_0 = [z; n; θ]`,
//!
//! ```text
//! l_i = tanh(W_a l_{i−1} + b_a) ⊙ tanh(W_b l_{i−1} + b_b)
//! α = e^{r(W_α l + b_α)},  α_t = e^{r(W_t l + b_t)},  β = tanh(W_β l + b_β)
//! z' = β + e^{−(ν α + dt α_t)} ⊙ (z − β)
//! ```
//!
//! The published cell has `r(x) = x`. Records cannot tell rates apart that are fast against their
//! increments, and training drives such rates up without end: the law then jumps within the
//! smallest increment, its tangent grows without bound and its answer hangs on the step. Here
//! `r(x) = R tanh(x/R)`, `R = 6`: no memory is shorter than `e^{−6}` of the strain (time) scale.
//!
//! The strain-path clock leaves `α_t` out (rate-independent), the time clock `ν α`.
//!
//! Guarantees: stationary (no strain and no time, no change), `|z| ≤ 1`. The second law is
//! penalised in training.

use super::{Architecture, Cell, Claims, Clock, FreeEnergy, Inputs};
use crate::algebra::{Activation, Algebra, ParameterLayout};
use crate::network::Dense;

/// See the module.
#[derive(Clone, Debug)]
pub struct MinimalState {
    states: usize,
    /// `[W_a; W_b]` of each layer.
    layers: Vec<Dense>,
    path_rate: Option<Dense>,
    time_rate: Option<Dense>,
    target: Dense,
    energy: FreeEnergy,
}

/// `ln α` at the start: memory fades over a tenth of the strain scale.
const INITIAL_LOG_RATE: f64 = 2.0;
/// `R`
const LARGEST_LOG_RATE: f64 = 6.0;

impl MinimalState {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, s, m) = (sizes.components, sizes.states, sizes.external);
        let width = sizes.width;
        let layers: Vec<_> = (0..sizes.layers)
            .map(|i| {
                let inputs = if i == 0 { s + n + m } else { width };
                Dense::new(layout, &format!("cell.{i}"), inputs, 2 * width)
            })
            .collect();
        let inputs = if layers.is_empty() { s + n + m } else { width };
        let path = sizes.clock != Clock::Time;
        let time = sizes.clock != Clock::StrainPath;
        Self {
            states: s,
            layers,
            path_rate: path
                .then(|| Dense::with_bias(layout, "cell.path_rate", inputs, s, INITIAL_LOG_RATE)),
            time_rate: time.then(|| Dense::with_bias(layout, "cell.time_rate", inputs, s, -2.0)),
            target: Dense::new(layout, "cell.target", inputs, s),
            energy: FreeEnergy::new(layout, [n, s, m], sizes.energy_size()),
        }
    }
}

impl Cell for MinimalState {
    fn energy(&self) -> &FreeEnergy {
        &self.energy
    }

    fn guarantees(&self) -> Claims {
        Claims {
            stationary: true,
            rate_independent: self.time_rate.is_none(),
            ..Claims::default()
        }
    }

    fn advance<A: Algebra>(
        &self,
        a: &A,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        let increment = a.sub(&inputs.strain_new, &inputs.strain_old);
        let direction = a.direction(&increment);
        let mut l = match &inputs.external {
            Some(external) => a.concat(&[state, &direction, external]),
            None => a.concat(&[state, &direction]),
        };
        for layer in &self.layers {
            let both = a.apply(Activation::Tanh, &layer.forward(a, &l));
            let width = layer.outputs() / 2;
            l = a.mul(&a.slice(&both, 0..width), &a.slice(&both, width..2 * width));
        }
        let clock = |rate: &Dense, length: &A::Vector| {
            let x = a.scale(&rate.forward(a, &l), 1.0 / LARGEST_LOG_RATE);
            let log = a.scale(&a.apply(Activation::Tanh, &x), LARGEST_LOG_RATE);
            a.times(&a.apply(Activation::Exp, &log), length)
        };
        let path = self
            .path_rate
            .as_ref()
            .map(|r| clock(r, &a.norm(&increment)));
        let time = self.time_rate.as_ref().map(|r| clock(r, &inputs.dt));
        let elapsed = match (path, time) {
            (Some(path), Some(time)) => a.add(&path, &time),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => a.zeros(self.states),
        };
        let decay = a.apply(Activation::Exp, &a.scale(&elapsed, -1.0));
        let target = a.apply(Activation::Tanh, &self.target.forward(a, &l));
        // z + (1 − e^{−g})(β − z): without strain and time the second term is exactly zero.
        let gain = a.affine(&decay, -1.0, 1.0);
        a.add(state, &a.mul(&gain, &a.sub(&target, state)))
    }
}
