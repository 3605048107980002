//! Fading memories: `z_i` follows the strain, over the length of the strain path.
//!
//! ```text
//! z_i' = z_i + (1 − e^{−g_i}) (ε' − z_i)     g_i = α_i |Δε|/R,   α = softplus(network(ε − z, Δε/|Δε|))
//! ψ = ½ |L ε|² + ½ Σ k_i |ε − z_i|²         k_i > 0
//! σ = LᵀL ε + Σ k_i (ε − z_i)               A_i = k_i (ε − z_i)
//! ```
//!
//! Whatever the network says, `D_end = Σ k_i e^{−g_i} (1 − e^{−g_i}) |ε' − z_i|² ≥ 0`. With constant
//! rates it is an endochronic law; a rate that depends on the direction of loading and on `ε − z_i`
//! can vanish on unloading, which gives an elastic range.

use hysteron::graph::{
    Coefficients, Constraint, Initial, Matrix, ParameterLayout, Unit, Vector, concat,
};
use hysteron::law::{Guarantees, StateLayout};
use hysteron::network::Dense;
use hysteron::recurrent::{Architecture, Entry, Forces, RecurrentLaw, Step};
use std::sync::Arc;

/// What makes the law known by its name.
pub const FADING_MEMORIES: Entry = Entry::new("fading-memories", |layout, sizes| {
    Arc::new(FadingMemories::new(layout, sizes))
});

/// `R`: memories fade over about this share of the largest strain, before training.
const REACH: f64 = 0.05;

#[derive(Debug)]
pub struct FadingMemories {
    components: usize,
    /// `L`
    elastic: Matrix,
    /// `k`
    stiffness: Coefficients,
    hidden: Dense,
    rate: Dense,
}

impl FadingMemories {
    fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, p) = (sizes.components, sizes.states);
        // Equal memories would learn equal values, and stay one: they start apart.
        let (positive, apart) = (Constraint::Positive, Initial::Spread([0.5, 8.0]));
        let stiffness = layout.coefficients("stiffness", p, positive, apart);
        layout.measured_in(stiffness, Unit::Modulus);
        let start = Initial::Scaled(0.5);
        Self {
            components: n,
            elastic: layout.matrix("elastic", [n, n], Constraint::Free, start),
            stiffness,
            hidden: Dense::new(layout, "hidden", n * p + n, sizes.width),
            rate: Dense::new(layout, "rate", sizes.width, p),
        }
    }
}

impl RecurrentLaw for FadingMemories {
    fn components(&self) -> usize {
        self.components
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([("memory", self.components * self.stiffness.len())])
    }

    /// The audit holds the law to this.
    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: true,
            stationary: true,
            rate_independent: true,
            ..Guarantees::default()
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, z: Vector<'g>) -> Vector<'g> {
        let (n, p) = (self.components, self.stiffness.len());
        let increment = step.strain_increment();
        let lag = step.strain_old.repeat_each(p) - z;
        let seen = concat([lag / REACH, increment.direction()]);
        let alpha = self.rate.of(self.hidden.of(seen).tanh()).softplus();
        let g = (alpha * increment.norm() / REACH).repeat(n);
        // Without strain the second term is exactly zero.
        z + (1.0 - (-g).exp()) * (step.strain_new.repeat_each(p) - z)
    }

    fn forces<'g>(&self, strain: Vector<'g>, _: Vector<'g>, z: Vector<'g>) -> Forces<'g> {
        let lag = strain.repeat_each(self.stiffness.len()) - z;
        let elastic = self.elastic * strain;
        let pull = z.graph().parameter(self.stiffness).repeat(self.components) * lag;
        Forces {
            energy: 0.5 * elastic.squared_norm() + 0.5 * pull.dot(lag),
            stress: self.elastic.transposed(elastic) + pull.sum_chunks(self.components),
            driving_force: pull,
        }
    }
}
