//! A potential that vanishes at zero together with its gradient.

use super::{Potential, Quadratic};
use crate::algebra::Algebra;

/// `P(x; θ) = ½ |L x|² + N([x; θ]) − N([0; θ]) − ∂N([0; θ])·x`
///
/// `P` and `∂P/∂x` are zero at `x = 0` for any parameters and any external variables `θ`. `P` is
/// convex in `x` where the network `N` is, and then has its least value there: `P ≥ 0`. `L` keeps
/// `P` growing outside the trained range.
#[derive(Clone, Debug)]
pub struct Anchored<P> {
    inputs: usize,
    external: usize,
    quadratic: Quadratic,
    network: P,
}

impl<P: Potential> Anchored<P> {
    /// `network` takes `inputs + external` entries, `quadratic` the `inputs`.
    pub fn new([inputs, external]: [usize; 2], quadratic: Quadratic, network: P) -> Self {
        Self {
            inputs,
            external,
            quadratic,
            network,
        }
    }

    fn at_zero<A: Algebra>(&self, a: &A, external: Option<&A::Vector>) -> A::Vector {
        let zero = a.zeros(self.inputs);
        let x = match external {
            Some(external) => a.concat(&[&zero, external]),
            None => zero,
        };
        let (value, gradient) = self.network.value_and_gradient(a, &x);
        a.concat(&[&value, &a.slice(&gradient, 0..self.inputs)])
    }

    /// Length of what [`Anchored::prepare`] gives.
    pub fn prepared_len(&self) -> usize {
        match self.external {
            0 => 1 + self.inputs,
            _ => 1,
        }
    }

    /// `[N; ∂N]` at zero where no external variable moves it.
    pub fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        match self.external {
            0 => self.at_zero(a, None),
            _ => a.zeros(1),
        }
    }

    /// `[N; ∂N]` at zero and these external variables, `[1 + inputs]`.
    pub fn anchor<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        external: Option<&A::Vector>,
    ) -> A::Vector {
        match external {
            None => prepared.clone(),
            Some(_) => self.at_zero(a, external),
        }
    }

    /// `x [inputs] → (P [1], ∂P/∂x [inputs])`, with the anchor of the external variables.
    pub fn value_and_gradient<A: Algebra>(
        &self,
        a: &A,
        anchor: &A::Vector,
        x: &A::Vector,
        external: Option<&A::Vector>,
    ) -> (A::Vector, A::Vector) {
        let n = self.inputs;
        let (value, gradient) = match external {
            None => self.network.value_and_gradient(a, x),
            Some(external) => {
                let full = a.concat(&[x, external]);
                let (value, gradient) = self.network.value_and_gradient(a, &full);
                (value, a.slice(&gradient, 0..n))
            }
        };
        let (value_at_zero, slope_at_zero) = (a.slice(anchor, 0..1), a.slice(anchor, 1..1 + n));
        let (quadratic, stretch) = self.quadratic.value_and_gradient(a, x);
        let linear = a.add(&value_at_zero, &a.dot(&slope_at_zero, x));
        let gradient = a.add(&a.sub(&gradient, &slope_at_zero), &stretch);
        (a.add(&quadratic, &a.sub(&value, &linear)), gradient)
    }
}
