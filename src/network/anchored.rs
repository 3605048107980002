//! A potential that vanishes at zero together with its gradient.

use super::{Potential, Quadratic};
use crate::graph::{Vector, concat};

/// `P(x; θ) = ½ |L x|² + N([x; θ]) − N([0; θ]) − ∂N([0; θ])·x`
///
/// `P` and `∂P/∂x` are zero at `x = 0` for any parameters and any external variables `θ`. `P` is
/// convex in `x` where the network `N` is, and then has its least value there: `P ≥ 0`. `L` keeps
/// `P` growing outside the trained range.
#[derive(Clone, Debug)]
pub struct Anchored<P> {
    quadratic: Quadratic,
    network: P,
}

impl<P: Potential> Anchored<P> {
    /// `network` takes `x` with `θ` behind it, `quadratic` takes `x`.
    pub fn new(quadratic: Quadratic, network: P) -> Self {
        Self { quadratic, network }
    }

    /// `x [n], θ [m] → (P [1], ∂P/∂x [n])`. What is taken off is computed once where `θ` is the same.
    pub fn value_and_gradient<'g>(
        &self,
        x: Vector<'g>,
        external: Vector<'g>,
    ) -> (Vector<'g>, Vector<'g>) {
        let network = |x: Vector<'g>| {
            let (value, gradient) = self.network.value_and_gradient(concat([x, external]));
            (value, gradient.slice(0..x.len()))
        };
        let (value_at_zero, slope_at_zero) = network(x.graph().zeros(x.len()));
        let (value, gradient) = network(x);
        let (quadratic, elastic) = self.quadratic.value_and_gradient(x);
        let linear = value_at_zero + slope_at_zero.dot(x);
        (
            quadratic + (value - linear),
            gradient - slope_at_zero + elastic,
        )
    }
}
