//! Quadratic forms that are never negative.

use super::{Coordinates, Parts, Potential, pieces};
use crate::algebra::{Algebra, Constraint, Initial, Parameter, ParameterLayout};

/// `½ |L x|²`
#[derive(Clone, Debug)]
pub struct Quadratic {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// `L [inputs, inputs]`
    General(Parameter),
    /// `L` commutes with a symmetry group of the tensors that `x` lists.
    Symmetric {
        parts: Parts,
        /// On the linear invariants of all tensors, where there are some.
        invariants: Option<Parameter>,
        /// On each irreducible part, `[N, N]`.
        turning: Vec<Parameter>,
    },
}

impl Quadratic {
    /// `LᵀL` starts near `gain²`. With a symmetry, `x` lists tensors as [`Parts`] says.
    pub fn new(
        layout: &mut ParameterLayout,
        name: &str,
        inputs: usize,
        gain: f64,
        parts: Option<&Parts>,
    ) -> Self {
        let mut square = |name: String, n: usize| {
            layout.add(name, [n, n], Constraint::Free, Initial::Scaled(gain))
        };
        let form = match parts {
            None => Form::General(square(format!("{name}.quadratic"), inputs)),
            Some(parts) => {
                let count = inputs / parts.components();
                let linear = count * parts.invariants();
                Form::Symmetric {
                    parts: parts.clone(),
                    invariants: (linear > 0)
                        .then(|| square(format!("{name}.quadratic.invariants"), linear)),
                    turning: (0..parts.turning())
                        .map(|part| square(format!("{name}.quadratic.{part}"), count))
                        .collect(),
                }
            }
        };
        Self { form }
    }
}

impl Potential for Quadratic {
    fn value_and_gradient<A: Algebra>(&self, a: &A, x: &A::Vector) -> (A::Vector, A::Vector) {
        let form = |map: Parameter, x: &A::Vector| {
            let stretched = a.dense(map, None, x);
            let value = a.scale(&a.dot(&stretched, &stretched), 0.5);
            (value, a.dense_transposed(map, &stretched))
        };
        match &self.form {
            Form::General(map) => form(*map, x),
            Form::Symmetric {
                parts,
                invariants,
                turning,
            } => {
                let coordinates = parts.split(a, x);
                let mut total = a.zeros(1);
                let mut slope = |map: Parameter, x: &A::Vector| {
                    let (value, gradient) = form(map, x);
                    total = a.add(&total, &value);
                    gradient
                };
                let gradient = Coordinates {
                    invariants: match invariants {
                        None => Vec::new(),
                        Some(map) => {
                            let all: Vec<_> = coordinates.invariants.iter().collect();
                            let gradient = slope(*map, &a.concat(&all));
                            pieces(a, &gradient, all.len())
                        }
                    },
                    turning: turning
                        .iter()
                        .zip(&coordinates.turning)
                        .map(|(map, part)| part.iter().map(|x| slope(*map, x)).collect())
                        .collect(),
                };
                (total, parts.join(a, &gradient))
            }
        }
    }
}
