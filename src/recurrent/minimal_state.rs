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
//! z' = β + e^{−(ν α + dt α_t)} ⊙ (z − β) = z + (1 − e^{−(ν α + dt α_t)}) ⊙ (β − z)
//! ```
//!
//! The published cell has `r(x) = x`. Records cannot tell rates apart that are fast against their
//! increments, and training drives such rates up without end: the law then jumps within the
//! smallest increment, its tangent grows without bound and its answer depends on the step. Here
//! `r(x) = R tanh(x/R)`, `R = 6`: no memory is shorter than `e^{−6}` of the strain (time) scale.
//!
//! The strain-path clock leaves `α_t` out (rate-independent), the time clock `ν α`.
//!
//! Guarantees: stationary (no strain and no time, no change), `|z| ≤ 1`. The second law is
//! penalised in training.

use super::{Architecture, Forces, FreeEnergy, RecurrentLaw, Step};
use crate::graph::{ParameterLayout, Vector, concat};
use crate::law::{Guarantees, StateLayout};
use crate::network::Dense;

/// See the module.
#[derive(Clone, Debug)]
pub struct MinimalState {
    /// `[W_a; W_b]` of each layer.
    layers: Vec<Dense>,
    /// `W_α`
    path_rate: Option<Dense>,
    /// `W_t`
    time_rate: Option<Dense>,
    /// `W_β`
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
        let mut inputs = s + n + m;
        let mut layers = Vec::new();
        for i in 0..sizes.layers {
            layers.push(Dense::new(layout, &format!("cell.{i}"), inputs, 2 * width));
            inputs = width;
        }
        let mut rate = |used: bool, name: &str, start: f64| {
            used.then(|| Dense::with_bias(layout, name, inputs, s, start))
        };
        Self {
            path_rate: rate(sizes.clock.has_path(), "cell.path_rate", INITIAL_LOG_RATE),
            time_rate: rate(sizes.clock.has_time(), "cell.time_rate", -2.0),
            layers,
            target: Dense::new(layout, "cell.target", inputs, s),
            energy: FreeEnergy::new(layout, [n, s, m], sizes.energy_size()),
        }
    }
}

impl RecurrentLaw for MinimalState {
    fn components(&self) -> usize {
        self.energy.components()
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([("hidden_state", self.energy.states())])
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            stationary: true,
            rate_independent: self.time_rate.is_none(),
            ..Guarantees::default()
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, z: Vector<'g>) -> Vector<'g> {
        let increment = step.strain_increment();
        let mut l = concat([z, increment.direction(), step.external]);
        for layer in &self.layers {
            let [a, b] = {
                let both = layer.of(l).tanh();
                both.split(both.len() / 2)
            };
            l = a * b;
        }
        let rate = |log: &Dense| {
            let bounded = LARGEST_LOG_RATE * (log.of(l) / LARGEST_LOG_RATE).tanh();
            bounded.exp()
        };
        let path = self
            .path_rate
            .as_ref()
            .map(|log| rate(log) * increment.norm());
        let time = self.time_rate.as_ref().map(|log| rate(log) * step.dt);
        let elapsed = path
            .into_iter()
            .chain(time)
            .reduce(|path, time| path + time);
        let decay = (-elapsed.expect("a law has a clock")).exp();
        let beta = self.target.of(l).tanh();
        // Without strain and time the second term is exactly zero.
        z + (1.0 - decay) * (beta - z)
    }

    fn forces<'g>(&self, strain: Vector<'g>, external: Vector<'g>, z: Vector<'g>) -> Forces<'g> {
        self.energy.forces(strain, external, z)
    }
}
