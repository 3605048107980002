//! One affine layer.

use crate::graph::{Coefficients, Constraint, Initial, Matrix, ParameterLayout, Vector};

/// `y = W x + b`, `W [outputs, inputs]`.
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    pub weight: Matrix,
    pub bias: Option<Coefficients>,
}

impl Dense {
    /// Weights start at unit variance in and out, the bias at zero.
    pub fn new(layout: &mut ParameterLayout, name: &str, inputs: usize, outputs: usize) -> Self {
        Self::with_bias(layout, name, inputs, outputs, 0.0)
    }

    /// The bias starts at `bias`.
    pub fn with_bias(
        layout: &mut ParameterLayout,
        name: &str,
        inputs: usize,
        outputs: usize,
        bias: f64,
    ) -> Self {
        let weight = format!("{name}.weight");
        let weight = layout.matrix(
            weight,
            [outputs, inputs],
            Constraint::Free,
            Initial::Scaled(1.0),
        );
        let start = Initial::Value(bias);
        let bias = layout.coefficients(format!("{name}.bias"), outputs, Constraint::Free, start);
        Self {
            weight,
            bias: Some(bias),
        }
    }

    /// Without a bias; positive weights start at `1/inputs`.
    pub fn without_bias(
        layout: &mut ParameterLayout,
        name: &str,
        inputs: usize,
        outputs: usize,
        constraint: Constraint,
    ) -> Self {
        let initial = match constraint {
            Constraint::Free => Initial::Scaled(1.0),
            Constraint::Positive => Initial::Value(1.0 / inputs as f64),
        };
        let weight = layout.matrix(
            format!("{name}.weight"),
            [outputs, inputs],
            constraint,
            initial,
        );
        Self { weight, bias: None }
    }

    pub fn outputs(&self) -> usize {
        self.weight.shape()[0]
    }

    /// `W x + b`
    #[track_caller]
    pub fn of<'g>(&self, x: Vector<'g>) -> Vector<'g> {
        x.affine_map(self.weight, self.bias)
    }

    /// `Wᵀ y`
    #[track_caller]
    pub fn transposed<'g>(&self, y: Vector<'g>) -> Vector<'g> {
        self.weight.transposed(y)
    }
}
