//! Quadratic forms that are never negative.

use super::{Coordinates, Parts, Potential};
use crate::graph::{Constraint, Initial, Matrix, ParameterLayout, Vector, concat};

/// `½ |L x|²`
#[derive(Clone, Debug)]
pub struct Quadratic {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// `L [inputs, inputs]`
    General(Matrix),
    /// `L` commutes with a symmetry group of the tensors that `x` lists.
    Symmetric {
        parts: Parts,
        /// On the linear invariants of all tensors.
        invariants: Matrix,
        /// On each irreducible part, `[N, N]`.
        irreducible: Vec<Matrix>,
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
            layout.matrix(name, [n, n], Constraint::Free, Initial::Scaled(gain))
        };
        let form = match parts {
            None => Form::General(square(format!("{name}.quadratic"), inputs)),
            Some(parts) => {
                let count = inputs / parts.components();
                let invariants = count * parts.invariants();
                Form::Symmetric {
                    parts: parts.clone(),
                    invariants: square(format!("{name}.quadratic.invariants"), invariants),
                    irreducible: (0..parts.irreducible())
                        .map(|part| square(format!("{name}.quadratic.{part}"), count))
                        .collect(),
                }
            }
        };
        Self { form }
    }
}

/// `½ |L x|²` and `LᵀL x`
fn form<'g>(l: Matrix, x: Vector<'g>) -> (Vector<'g>, Vector<'g>) {
    let mapped = l * x;
    (0.5 * mapped.squared_norm(), l.transposed(mapped))
}

impl Potential for Quadratic {
    fn value_and_gradient<'g>(&self, x: Vector<'g>) -> (Vector<'g>, Vector<'g>) {
        match &self.form {
            Form::General(l) => form(*l, x),
            Form::Symmetric {
                parts,
                invariants,
                irreducible,
            } => {
                let coordinates = parts.split(x);
                let mut total = x.graph().zeros(1);
                let mut slope = |l: Matrix, x: Vector<'g>| {
                    let (value, gradient) = form(l, x);
                    total = total + value;
                    gradient
                };
                let count = coordinates.invariants.len();
                let gradient = Coordinates {
                    invariants: match count {
                        0 => Vec::new(),
                        _ => slope(*invariants, concat(coordinates.invariants)).chunks(count),
                    },
                    irreducible: irreducible
                        .iter()
                        .zip(coordinates.irreducible)
                        .map(|(l, part)| part.into_iter().map(|x| slope(*l, x)).collect())
                        .collect(),
                };
                (total, parts.join(&gradient))
            }
        }
    }
}
