//! A feed-forward network, and its gradient where the network is a potential.

use super::{Dense, Potential};
use crate::algebra::{Activation, Algebra, Constraint, ParameterLayout};

/// `h_i = f(W_i h_{i−1} + b_i)`, `y = W h_L (+ b)`.
#[derive(Clone, Debug)]
pub struct Mlp {
    hidden: Vec<Dense>,
    output: Dense,
    activation: Activation,
}

impl Mlp {
    /// `layers` hidden layers of `width` and an output of `outputs`.
    pub fn new(
        layout: &mut ParameterLayout,
        name: &str,
        [inputs, outputs]: [usize; 2],
        [width, layers]: [usize; 2],
        activation: Activation,
    ) -> Self {
        let (hidden, last) = hidden_layers(layout, name, inputs, [width, layers]);
        let output = Dense::new(layout, &format!("{name}.output"), last, outputs);
        Self {
            hidden,
            output,
            activation,
        }
    }

    /// A scalar potential without a constant.
    pub fn potential(
        layout: &mut ParameterLayout,
        name: &str,
        inputs: usize,
        [width, layers]: [usize; 2],
    ) -> Self {
        let (hidden, last) = hidden_layers(layout, name, inputs, [width, layers]);
        let output =
            Dense::without_bias(layout, &format!("{name}.output"), last, 1, Constraint::Free);
        Self {
            hidden,
            output,
            activation: Activation::Softplus,
        }
    }

    /// `[inputs] → [outputs]`.
    pub fn forward<A: Algebra>(&self, a: &A, x: &A::Vector) -> A::Vector {
        let mut h = x.clone();
        for layer in &self.hidden {
            h = a.apply(self.activation, &layer.forward(a, &h));
        }
        self.output.forward(a, &h)
    }

    /// Value and gradient from hidden layer `i` on, by recursion up and back down the layers.
    fn climb<A: Algebra>(&self, a: &A, i: usize, h: &A::Vector) -> (A::Vector, A::Vector) {
        match self.hidden.get(i) {
            None => (self.output.forward(a, h), a.parameter(self.output.weight)),
            Some(layer) => {
                let x = layer.forward(a, h);
                let [y, slope] = a.derivatives(self.activation, 0, &x);
                let (value, gradient) = self.climb(a, i + 1, &y);
                (value, layer.transposed(a, &a.mul(&gradient, &slope)))
            }
        }
    }
}

impl Potential for Mlp {
    fn value_and_gradient<A: Algebra>(&self, a: &A, x: &A::Vector) -> (A::Vector, A::Vector) {
        self.climb(a, 0, x)
    }
}

fn hidden_layers(
    layout: &mut ParameterLayout,
    name: &str,
    inputs: usize,
    [width, layers]: [usize; 2],
) -> (Vec<Dense>, usize) {
    let mut last = inputs;
    let mut hidden = Vec::with_capacity(layers);
    for i in 0..layers {
        hidden.push(Dense::new(layout, &format!("{name}.{i}"), last, width));
        last = width;
    }
    (hidden, last)
}
