//! One affine layer.

use crate::algebra::{Algebra, Constraint, Initial, Parameter, ParameterLayout};

/// `y = W x + b`, `W [outputs, inputs]`.
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    pub weight: Parameter,
    pub bias: Option<Parameter>,
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
        let weight = layout.add(
            format!("{name}.weight"),
            [outputs, inputs],
            Constraint::Free,
            Initial::Scaled(1.0),
        );
        let bias = layout.add(
            format!("{name}.bias"),
            [outputs, 1],
            Constraint::Free,
            Initial::Value(bias),
        );
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
        let weight = layout.add(
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

    pub fn forward<A: Algebra>(&self, a: &A, x: &A::Vector) -> A::Vector {
        a.dense(self.weight, self.bias, x)
    }

    /// `Wᵀ y`.
    pub fn transposed<A: Algebra>(&self, a: &A, y: &A::Vector) -> A::Vector {
        a.dense_transposed(self.weight, y)
    }
}
