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

use super::{Coordinates, InputConvex, Parts, Potential};
use crate::graph::{Constraint, Initial, Matrix, ParameterLayout, Vector, concat};

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
    combinations: Vec<Matrix>,
}

/// Of the combinations in one part.
struct Size<'g> {
    /// `E x`, coordinate by coordinate, `[width]` each.
    combined: Vec<Vector<'g>>,
    /// `1/(1 + m)`
    inverse: Vector<'g>,
    /// `m`
    value: Vector<'g>,
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
        let combinations: Vec<_> = (0..parts.irreducible())
            .map(|part| {
                let name = format!("{name}.combinations.{part}");
                layout.matrix(name, [width, count], Constraint::Free, Initial::Scaled(1.0))
            })
            .collect();
        // Where there is no linear invariant, a zero stands for them.
        let linear = (count * parts.invariants() + external).max(1);
        let sizes = width * parts.irreducible();
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
    fn value_and_gradient<'g>(&self, x: Vector<'g>) -> (Vector<'g>, Vector<'g>) {
        match &self.tensors {
            None => self.network.value_and_gradient(x),
            Some(tensors) => tensors.value_and_gradient(&self.network, x),
        }
    }
}

impl Tensors {
    fn value_and_gradient<'g>(
        &self,
        network: &InputConvex,
        x: Vector<'g>,
    ) -> (Vector<'g>, Vector<'g>) {
        let [tensors, external] = x.split(self.len);
        let Coordinates {
            invariants: t,
            irreducible,
        } = self.parts.split(tensors);
        let parts = self.combinations.iter().zip(&irreducible);
        let sizes: Vec<_> = parts.map(|(e, part)| Size::of(*e, part)).collect();
        let m: Vec<_> = sizes.iter().map(|size| size.value).collect();
        let mut linear = t.clone();
        linear.push(external);
        if t.is_empty() && external.is_empty() {
            linear.push(x.graph().zeros(1));
        }
        let (value, of_linear, of_sizes) = network.value_and_gradients(concat(linear), concat(m));

        let of_invariants: usize = t.iter().map(|x| x.len()).sum();
        let slopes = of_sizes.chunks(sizes.len());
        let parts = self.combinations.iter().zip(sizes.iter().zip(slopes));
        let gradient = Coordinates {
            // ∂m/∂x = Eᵀ E x / (1 + m)
            irreducible: parts
                .map(|(e, (size, slope))| {
                    let slope = slope * size.inverse;
                    let back = |combined: &Vector<'g>| e.transposed(slope * *combined);
                    size.combined.iter().map(back).collect()
                })
                .collect(),
            invariants: of_linear.slice(0..of_invariants).chunks(t.len()),
        };
        let of_external = of_linear.slice(of_invariants..of_invariants + external.len());
        (value, concat([self.parts.join(&gradient), of_external]))
    }
}

impl<'g> Size<'g> {
    /// Of the combinations `E` of the coordinates in one part.
    fn of(e: Matrix, part: &[Vector<'g>]) -> Self {
        let combined: Vec<_> = part.iter().map(|x| e * *x).collect();
        let squares = combined.iter().map(|x| *x * *x);
        let square = squares
            .reduce(|sum, x| sum + x)
            .expect("a part has coordinates")
            + 1.0;
        Self {
            combined,
            inverse: square.inverse_sqrt(),
            value: square.sqrt() - 1.0,
        }
    }
}
