//! A scalar network that is convex in its input for any weights.
//!
//! Amos, Xu, Kolter (2017), Input convex neural networks, ICML: `h_i = softplus(W_i h_{i−1} +
//! V_i x + b_i)` with `W_i ≥ 0`, and a positive output layer; softplus is convex and increasing.
//! Where `x` alone is the input, `W_1` is left out; else `h_0` is any convex function of other
//! quantities, and the whole is convex in these, too.

use super::{Dense, Potential};
use crate::graph::{Constraint, Function, ParameterLayout, Vector};

#[derive(Clone, Debug)]
struct Layer {
    /// `W_i`, positive; the first layer may have none.
    below: Option<Dense>,
    /// `V_i` and `b_i`, free.
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
        let positive = |layout: &mut ParameterLayout, name: String, inputs, outputs| {
            Dense::without_bias(layout, &name, inputs, outputs, Constraint::Positive)
        };
        let layers = (0..layers.max(1)).map(|i| {
            let below = if i > 0 { width } else { convex };
            let name = format!("{name}.{i}");
            Layer {
                below: (below > 0).then(|| positive(layout, format!("{name}.below"), below, width)),
                skip: Dense::new(layout, &format!("{name}.skip"), inputs, width),
            }
        });
        let layers = layers.collect();
        let output = positive(layout, format!("{name}.output"), width, 1);
        Self { layers, output }
    }

    /// `x [inputs], h_0 [convex]` → value `[1]` and its gradients.
    pub fn value_and_gradients<'g>(
        &self,
        x: Vector<'g>,
        convex: Vector<'g>,
    ) -> (Vector<'g>, Vector<'g>, Vector<'g>) {
        let (value, gradient, below) = self.climb(x, Some(convex));
        (value, gradient, below.unwrap_or_else(|| convex * 0.0))
    }

    /// Value, gradient with respect to `x`, and with respect to `h_0` where there is one: up the
    /// layers, and the slopes back down.
    fn climb<'g>(
        &self,
        x: Vector<'g>,
        convex: Option<Vector<'g>>,
    ) -> (Vector<'g>, Vector<'g>, Option<Vector<'g>>) {
        let mut h = convex;
        let mut slopes = Vec::new();
        for layer in &self.layers {
            let mut sum = layer.skip.of(x);
            if let (Some(below), Some(h)) = (&layer.below, h) {
                sum = sum + below.of(h);
            }
            let [y, slope] = sum.with_slope(Function::Softplus);
            slopes.push((layer, slope));
            h = Some(y);
        }
        let value = self.output.of(h.unwrap_or(x));
        let mut above = Some(x.graph().parameter(self.output.weight));
        let mut gradient: Option<Vector> = None;
        for (layer, slope) in slopes.into_iter().rev() {
            let through = above.map_or(slope, |above| above * slope);
            let skip = layer.skip.transposed(through);
            gradient = Some(gradient.map_or(skip, |gradient| gradient + skip));
            above = layer.below.as_ref().map(|below| below.transposed(through));
        }
        (value, gradient.unwrap_or(x), above)
    }
}

impl Potential for InputConvex {
    fn value_and_gradient<'g>(&self, x: Vector<'g>) -> (Vector<'g>, Vector<'g>) {
        let (value, gradient, _) = self.climb(x, None);
        (value, gradient)
    }
}
