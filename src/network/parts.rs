//! Tensors in the parts that a symmetry of the material keeps apart.
//!
//! The rotations of a symmetry group leave some directions of the space of strains as they are, the
//! linear invariants, and turn the others within irreducible parts. Of those that occur here no two
//! are alike. So, by Schur's lemma, a linear map that commutes with the group mixes the invariants
//! as it likes and is one number on every other part; and several tensors have as joint invariants,
//! up to the second order, their linear invariants and their inner products within a part.

use crate::algebra::Algebra;

/// An orthonormal basis of the strains `[n]`, sorted by parts.
///
/// A list of `N` tensors is `[n·N]`, component by component: the first components of all tensors,
/// then the second ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    invariants: Vec<Vec<f64>>,
    turning: Vec<Vec<Vec<f64>>>,
}

/// The coordinates of `N` tensors in the basis of the parts, `[N]` each.
#[derive(Clone, Debug)]
pub struct Coordinates<V> {
    pub invariants: Vec<V>,
    /// One list for each irreducible part.
    pub turning: Vec<Vec<V>>,
}

impl Parts {
    /// Linear invariants, and bases of the other irreducible parts.
    pub fn new(invariants: Vec<Vec<f64>>, turning: Vec<Vec<Vec<f64>>>) -> Self {
        Self {
            invariants,
            turning,
        }
    }

    /// `n`
    pub fn components(&self) -> usize {
        self.invariants.len() + self.turning.iter().map(Vec::len).sum::<usize>()
    }

    /// Number of linear invariants of a tensor.
    pub fn invariants(&self) -> usize {
        self.invariants.len()
    }

    /// Number of coordinates of each invariant, which is one, and of each irreducible part.
    pub fn sizes(&self) -> Vec<usize> {
        let invariants = vec![1; self.invariants.len()];
        let turning = self.turning.iter().map(Vec::len);
        invariants.into_iter().chain(turning).collect()
    }

    /// Number of irreducible parts that the group turns.
    pub fn turning(&self) -> usize {
        self.turning.len()
    }

    /// `[n·N]` → coordinates.
    pub fn split<A: Algebra>(&self, a: &A, x: &A::Vector) -> Coordinates<A::Vector> {
        let count = a.len(x) / self.components();
        let along = |direction: &Vec<f64>| {
            let component = |c: usize| a.slice(x, c * count..(c + 1) * count);
            combination(a, count, direction.iter().copied(), component)
        };
        Coordinates {
            invariants: self.invariants.iter().map(along).collect(),
            turning: self
                .turning
                .iter()
                .map(|part| part.iter().map(along).collect())
                .collect(),
        }
    }

    /// Coordinates → `[n·N]`.
    pub fn join<A: Algebra>(&self, a: &A, coordinates: &Coordinates<A::Vector>) -> A::Vector {
        let directions: Vec<_> = self
            .invariants
            .iter()
            .chain(self.turning.iter().flatten())
            .collect();
        let values: Vec<_> = coordinates
            .invariants
            .iter()
            .chain(coordinates.turning.iter().flatten())
            .collect();
        let component = |c: usize| {
            let factors = directions.iter().map(|direction| direction[c]);
            combination(a, a.len(values[0]), factors, |d| values[d].clone())
        };
        let components: Vec<_> = (0..self.components()).map(component).collect();
        stack(a, &components)
    }
}

/// `Σ_i factor_i x_i`, without the terms whose factor is zero.
fn combination<A: Algebra>(
    a: &A,
    len: usize,
    factors: impl Iterator<Item = f64>,
    x: impl Fn(usize) -> A::Vector,
) -> A::Vector {
    let terms = factors.enumerate().filter(|(_, factor)| *factor != 0.0);
    let scaled = terms.map(|(i, factor)| match factor {
        1.0 => x(i),
        factor => a.scale(&x(i), factor),
    });
    let sum = scaled.reduce(|sum, term| a.add(&sum, &term));
    sum.unwrap_or_else(|| a.zeros(len))
}

/// A vector cut into so many of equal length.
pub(crate) fn pieces<A: Algebra>(a: &A, x: &A::Vector, count: usize) -> Vec<A::Vector> {
    let len = a.len(x) / count.max(1);
    let piece = |i: usize| a.slice(x, i * len..(i + 1) * len);
    (0..count).map(piece).collect()
}

/// One vector after the other.
pub(crate) fn stack<A: Algebra>(a: &A, parts: &[A::Vector]) -> A::Vector {
    match parts {
        [one] => one.clone(),
        _ => a.concat(&parts.iter().collect::<Vec<_>>()),
    }
}
