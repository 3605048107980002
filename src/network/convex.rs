//! A convex scalar network of a vector, or of tensors under a symmetry group.
//!
//! Of tensors `x_1 … x_N` it sees the linear invariants `t` and, of every other part of the space of
//! strains ([`Parts`]), the sizes of learned combinations,
//!
//! ```text
//! m_j = √(1 + |Σ_k E_jk x_k|²) − 1
//! ```
//!
//! Both are convex functions of the tensors, `m` also smooth where it is zero. The network is convex
//! in `(t, m)` and does not fall with `m`, so that it is convex in the tensors; and as it sees them
//! through invariants only, it has the symmetry. The differences `x_j − x_k` and all mixed inner
//! products are cases of such combinations. Invariants of the third order are left out.

use super::pieces;
use super::{Coordinates, InputConvex, Parts, Potential};
use crate::algebra::{Activation, Algebra, Constraint, Initial, Parameter, ParameterLayout};

/// See the module.
#[derive(Clone, Debug)]
pub struct Convex {
    tensors: Option<Tensors>,
    network: InputConvex,
}

#[derive(Clone, Debug)]
struct Tensors {
    parts: Parts,
    /// `n·N`
    len: usize,
    /// `E [width, N]` of each part.
    combinations: Vec<Parameter>,
}

/// Of the combinations in one part.
struct Size<V> {
    /// `E x`, coordinate by coordinate, `[width]` each.
    combined: Vec<V>,
    /// `1/(1 + m)`
    inverse: V,
    /// `m`
    value: V,
}

impl Convex {
    /// Of `inputs` entries, tensors as [`Parts`] lists them where there is a symmetry, and of
    /// `external` variables behind them; hidden `[width, layers]`.
    pub fn new(
        layout: &mut ParameterLayout,
        name: &str,
        [inputs, external]: [usize; 2],
        [width, layers]: [usize; 2],
        parts: Option<&Parts>,
    ) -> Self {
        let Some(parts) = parts else {
            let network = InputConvex::new(layout, name, inputs + external, [width, layers]);
            return Self {
                tensors: None,
                network,
            };
        };
        let count = inputs / parts.components();
        let combinations: Vec<_> = (0..parts.turning())
            .map(|part| {
                let name = format!("{name}.combinations.{part}");
                let initial = Initial::Scaled(1.0);
                layout.add(name, [width, count], Constraint::Free, initial)
            })
            .collect();
        // Where there is no linear invariant, a zero stands for them.
        let linear = (count * parts.invariants() + external).max(1);
        let sizes = width * parts.turning();
        Self {
            network: InputConvex::above(layout, name, [linear, sizes], [width, layers]),
            tensors: Some(Tensors {
                parts: parts.clone(),
                len: inputs,
                combinations,
            }),
        }
    }
}

impl Potential for Convex {
    fn value_and_gradient<A: Algebra>(&self, a: &A, x: &A::Vector) -> (A::Vector, A::Vector) {
        match &self.tensors {
            None => self.network.value_and_gradient(a, x),
            Some(tensors) => tensors.value_and_gradient(a, &self.network, x),
        }
    }
}

impl Tensors {
    fn value_and_gradient<A: Algebra>(
        &self,
        a: &A,
        network: &InputConvex,
        x: &A::Vector,
    ) -> (A::Vector, A::Vector) {
        let coordinates = self.parts.split(a, &a.slice(x, 0..self.len));
        let external = (a.len(x) > self.len).then(|| a.slice(x, self.len..a.len(x)));
        let sizes = self.sizes(a, &coordinates);
        let mut linear: Vec<_> = coordinates.invariants.iter().chain(&external).collect();
        let zero = a.zeros(1);
        if linear.is_empty() {
            linear.push(&zero);
        }
        let all = a.concat(&sizes.iter().map(|size| &size.value).collect::<Vec<_>>());
        let (value, of_linear, of_sizes) = network.value_and_gradients(a, &a.concat(&linear), &all);

        let invariants = coordinates.invariants.len();
        let split = invariants * self.len / self.parts.components();
        let slopes = pieces(a, &of_sizes, sizes.len());
        let parts = self.combinations.iter().zip(sizes.iter().zip(&slopes));
        let turning = parts.map(|(map, (size, slope))| {
            let slope = a.mul(slope, &size.inverse);
            let back = |combined: &A::Vector| a.dense_transposed(*map, &a.mul(&slope, combined));
            size.combined.iter().map(back).collect()
        });
        let gradient = Coordinates {
            turning: turning.collect(),
            invariants: match invariants {
                0 => Vec::new(),
                count => pieces(a, &a.slice(&of_linear, 0..split), count),
            },
        };
        let gradient = self.parts.join(a, &gradient);
        match external {
            None => (value, gradient),
            Some(_) => {
                let rest = a.slice(&of_linear, split..a.len(&of_linear));
                (value, a.concat(&[&gradient, &rest]))
            }
        }
    }

    fn sizes<A: Algebra>(
        &self,
        a: &A,
        coordinates: &Coordinates<A::Vector>,
    ) -> Vec<Size<A::Vector>> {
        let parts = self.combinations.iter().zip(&coordinates.turning);
        let size = |(map, part): (&Parameter, &Vec<A::Vector>)| {
            let combined: Vec<_> = part.iter().map(|x| a.dense(*map, None, x)).collect();
            let squares = combined.iter().map(|x| a.mul(x, x));
            let square = squares.reduce(|sum, x| a.add(&sum, &x));
            let square = square.unwrap_or_else(|| a.zeros(map.shape()[0]));
            let square = a.affine(&square, 1.0, 1.0);
            Size {
                combined,
                inverse: a.apply(Activation::InverseSqrt, &square),
                value: a.affine(&a.apply(Activation::Sqrt, &square), 1.0, -1.0),
            }
        };
        parts.map(size).collect()
    }
}
