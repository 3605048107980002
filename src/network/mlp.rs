//! A feed-forward network, and its gradient where the network is a potential.

use super::{Dense, Potential};
use crate::graph::{Constraint, Function, ParameterLayout, Vector};

/// `h_i = f(W_i h_{i−1} + b_i)`, `y = W h_L (+ b)`.
#[derive(Clone, Debug)]
pub struct Mlp {
    hidden: Vec<Dense>,
    output: Dense,
    function: Function,
}

impl Mlp {
    /// Hidden `[width, layers]` with an elementwise `function`.
    pub fn new(
        layout: &mut ParameterLayout,
        name: &str,
        [inputs, outputs]: [usize; 2],
        [width, layers]: [usize; 2],
        function: Function,
    ) -> Self {
        let (hidden, last) = hidden_layers(layout, name, inputs, [width, layers]);
        let output = Dense::new(layout, &format!("{name}.output"), last, outputs);
        Self {
            hidden,
            output,
            function,
        }
    }

    /// A scalar potential without a constant, of softplus layers.
    pub fn potential(
        layout: &mut ParameterLayout,
        name: &str,
        inputs: usize,
        [width, layers]: [usize; 2],
    ) -> Self {
        let (hidden, last) = hidden_layers(layout, name, inputs, [width, layers]);
        let output = format!("{name}.output");
        Self {
            hidden,
            output: Dense::without_bias(layout, &output, last, 1, Constraint::Free),
            function: Function::Softplus,
        }
    }

    /// `[inputs] → [outputs]`.
    #[track_caller]
    pub fn of<'g>(&self, x: Vector<'g>) -> Vector<'g> {
        let layer = |h, layer: &Dense| layer.of(h).map(self.function);
        self.output.of(self.hidden.iter().fold(x, layer))
    }
}

impl Potential for Mlp {
    /// Up the layers, and the slopes back down: `∂y/∂h_{i−1} = W_iᵀ (f'_i ⊙ ∂y/∂h_i)`.
    fn value_and_gradient<'g>(&self, x: Vector<'g>) -> (Vector<'g>, Vector<'g>) {
        let mut h = x;
        let mut slopes = Vec::new();
        for layer in &self.hidden {
            let [y, slope] = layer.of(h).with_slope(self.function);
            slopes.push((layer, slope));
            h = y;
        }
        let mut gradient = x.graph().parameter(self.output.weight);
        let value = self.output.of(h);
        for (layer, slope) in slopes.into_iter().rev() {
            gradient = layer.transposed(gradient * slope);
        }
        (value, gradient)
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
