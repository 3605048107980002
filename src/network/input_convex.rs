//! A scalar network that is convex in its input for any weights.
//!
//! Amos, Xu, Kolter (2017), Input convex neural networks, ICML: `h_i = softplus(W_i h_{i−1} +
//! V_i x + b_i)` with `W_i ≥ 0`, and a positive output layer; softplus is convex and increasing.
//! Where `x` alone is the input, `W_1` is left out; else `h_0` is any convex function of other
//! quantities, and the whole is convex in these, too.

use super::{Dense, Potential};
use crate::algebra::{Activation, Algebra, Constraint, ParameterLayout};

#[derive(Clone, Debug)]
struct Layer {
    /// From the layer below, positive; the first layer may have none.
    below: Option<Dense>,
    /// From the input, free.
    skip: Dense,
}

/// Convex in `x [inputs]`, `→ [1]`.
#[derive(Clone, Debug)]
pub struct InputConvex {
    layers: Vec<Layer>,
    output: Dense,
}

impl InputConvex {
    /// `layers ≥ 1` hidden layers of `width`.
    pub fn new(layout: &mut ParameterLayout, name: &str, inputs: usize, size: [usize; 2]) -> Self {
        Self::above(layout, name, [inputs, 0], size)
    }

    /// Also of `h_0 [convex]`, in which it is convex and does not fall.
    pub fn above(
        layout: &mut ParameterLayout,
        name: &str,
        [inputs, convex]: [usize; 2],
        [width, layers]: [usize; 2],
    ) -> Self {
        let layers = (0..layers.max(1))
            .map(|i| {
                let below = if i > 0 { width } else { convex };
                Layer {
                    below: (below > 0).then(|| {
                        let name = format!("{name}.{i}.below");
                        Dense::without_bias(layout, &name, below, width, Constraint::Positive)
                    }),
                    skip: Dense::new(layout, &format!("{name}.{i}.skip"), inputs, width),
                }
            })
            .collect();
        let output = Dense::without_bias(
            layout,
            &format!("{name}.output"),
            width,
            1,
            Constraint::Positive,
        );
        Self { layers, output }
    }

    /// `x [inputs], h_0 [convex]` → value `[1]` and its gradients.
    pub fn value_and_gradients<A: Algebra>(
        &self,
        a: &A,
        x: &A::Vector,
        convex: &A::Vector,
    ) -> (A::Vector, A::Vector, A::Vector) {
        let (value, below, gradient) = self.climb(a, 0, x, Some(convex));
        let below = below.unwrap_or_else(|| a.scale(convex, 0.0));
        (value, gradient, below)
    }

    /// Value, gradient with respect to the vector below layer `i`, where there is one, and the
    /// share of the gradient that reaches `x` through the skips.
    fn climb<A: Algebra>(
        &self,
        a: &A,
        i: usize,
        x: &A::Vector,
        h: Option<&A::Vector>,
    ) -> (A::Vector, Option<A::Vector>, A::Vector) {
        let layer = &self.layers[i];
        let mut s = layer.skip.forward(a, x);
        if let (Some(below), Some(h)) = (&layer.below, h) {
            s = a.add(&s, &below.forward(a, h));
        }
        let [h, slope] = a.derivatives(Activation::Softplus, 0, &s);
        let (value, gradient, skips) = if i + 1 < self.layers.len() {
            let (value, gradient, skips) = self.climb(a, i + 1, x, Some(&h));
            (value, gradient, Some(skips))
        } else {
            let gradient = a.parameter(self.output.weight);
            (self.output.forward(a, &h), Some(gradient), None)
        };
        let gradient = match gradient {
            Some(gradient) => a.mul(&gradient, &slope),
            None => slope,
        };
        let through_skip = layer.skip.transposed(a, &gradient);
        let skips = match skips {
            Some(skips) => a.add(&skips, &through_skip),
            None => through_skip,
        };
        let down = layer.below.as_ref().map(|b| b.transposed(a, &gradient));
        (value, down, skips)
    }
}

impl Potential for InputConvex {
    fn value_and_gradient<A: Algebra>(&self, a: &A, x: &A::Vector) -> (A::Vector, A::Vector) {
        let (value, _, gradient) = self.climb(a, 0, x, None);
        (value, gradient)
    }
}
