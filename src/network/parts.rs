//! Tensors in the irreducible parts of a symmetry group.
//!
//! The rotations of a symmetry group leave some directions of the space of strains as they are, the
//! linear invariants, and turn the others within irreducible parts. Of those that occur here no two
//! are alike. So, by Schur's lemma, a linear map that commutes with the group mixes the invariants
//! as it likes and is one number on every other part; and several tensors have as joint invariants,
//! up to the second order, their linear invariants and their inner products within a part.

use crate::graph::{Vector, stack};
use crate::symmetry::Symmetry;
use std::f64::consts::FRAC_1_SQRT_2;

/// An orthonormal basis of the strains `[n]`, sorted by parts.
///
/// A list of `N` tensors is `[n·N]`, component by component: the first components of all tensors,
/// then the second ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    invariants: Vec<Vec<f64>>,
    irreducible: Vec<Vec<Vec<f64>>>,
}

/// The coordinates of `N` tensors in the basis of the parts, `[N]` each.
#[derive(Clone, Debug)]
pub struct Coordinates<'g> {
    pub invariants: Vec<Vector<'g>>,
    /// One list for each irreducible part.
    pub irreducible: Vec<Vec<Vector<'g>>>,
}

impl Parts {
    /// Linear invariants, and bases of the other irreducible parts.
    pub fn new(invariants: Vec<Vec<f64>>, irreducible: Vec<Vec<Vec<f64>>>) -> Self {
        Self {
            invariants,
            irreducible,
        }
    }

    /// Those of the strains `[n]` under the group of a symmetry; none without one.
    pub fn of(symmetry: Symmetry, n: usize) -> Option<Self> {
        let unit = |i: usize| -> Vec<f64> { (0..n).map(|k| f64::from(k == i)).collect() };
        let normals = |factors: [f64; 3]| -> Vec<f64> {
            let size = factors.iter().map(|f| f * f).sum::<f64>().sqrt();
            let factor = |i: usize| factors.get(i).map_or(0.0, |f| f / size);
            (0..n).map(factor).collect()
        };
        let [plus, minus] = [1.0, -1.0].map(|sign| vec![FRAC_1_SQRT_2, sign * FRAC_1_SQRT_2, 0.0]);
        let (invariants, irreducible) = match (symmetry, n) {
            (Symmetry::None, _) => return None,
            (Symmetry::Isotropic, 6) => {
                let pressure = normals([1.0, 1.0, 1.0]);
                let deviators = [normals([1.0, -1.0, 0.0]), normals([1.0, 1.0, -2.0])];
                let deviators = deviators.into_iter().chain((3..6).map(unit)).collect();
                (vec![pressure], vec![deviators])
            }
            (Symmetry::Isotropic, 3) => (vec![plus], vec![vec![minus, unit(2)]]),
            (Symmetry::Isotropic, _) => (Vec::new(), vec![vec![unit(0)]]),
            (Symmetry::TransverselyIsotropic, _) => (
                vec![unit(0), normals([0.0, 1.0, 1.0])],
                vec![
                    vec![normals([0.0, 1.0, -1.0]), unit(5)],
                    vec![unit(3), unit(4)],
                ],
            ),
            (Symmetry::Orthotropic, 6) => {
                let shears = (3..6).map(|i| vec![unit(i)]);
                ((0..3).map(unit).collect(), shears.collect())
            }
            (Symmetry::Orthotropic, _) => (vec![unit(0), unit(1)], vec![vec![unit(2)]]),
        };
        Some(Self::new(invariants, irreducible))
    }

    /// `n`
    pub fn components(&self) -> usize {
        self.invariants.len() + self.irreducible.iter().map(Vec::len).sum::<usize>()
    }

    /// Unit tensors of the linear invariants.
    pub fn invariant_directions(&self) -> &[Vec<f64>] {
        &self.invariants
    }

    /// Orthonormal bases of the irreducible parts that the group turns.
    pub fn irreducible_directions(&self) -> &[Vec<Vec<f64>>] {
        &self.irreducible
    }

    /// Number of linear invariants of a tensor.
    pub fn invariants(&self) -> usize {
        self.invariants.len()
    }

    /// Number of coordinates of each invariant, which is one, and of each irreducible part.
    pub fn sizes(&self) -> Vec<usize> {
        let invariants = vec![1; self.invariants.len()];
        let irreducible = self.irreducible.iter().map(Vec::len);
        invariants.into_iter().chain(irreducible).collect()
    }

    /// Number of irreducible parts that the group turns.
    pub fn irreducible(&self) -> usize {
        self.irreducible.len()
    }

    /// `[n·N]` → coordinates.
    pub fn split<'g>(&self, x: Vector<'g>) -> Coordinates<'g> {
        let components = x.chunks(self.components());
        let along = |direction: &Vec<f64>| combination(direction.iter().copied(), &components);
        let part = |part: &Vec<Vec<f64>>| part.iter().map(along).collect();
        Coordinates {
            invariants: self.invariants.iter().map(along).collect(),
            irreducible: self.irreducible.iter().map(part).collect(),
        }
    }

    /// Coordinates → `[n·N]`.
    pub fn join<'g>(&self, coordinates: &Coordinates<'g>) -> Vector<'g> {
        let Coordinates {
            invariants,
            irreducible,
        } = coordinates;
        let values = invariants.iter().chain(irreducible.iter().flatten());
        let values: Vec<_> = values.copied().collect();
        let directions = self
            .invariants
            .iter()
            .chain(self.irreducible.iter().flatten());
        let directions: Vec<_> = directions.collect();
        let component = |c: usize| combination(directions.iter().map(|d| d[c]), &values);
        stack((0..self.components()).map(component))
    }
}

/// `Σ_i factor_i x_i`, without the terms whose factor is zero.
fn combination<'g>(factors: impl Iterator<Item = f64>, x: &[Vector<'g>]) -> Vector<'g> {
    let terms = factors.zip(x).filter(|(factor, _)| *factor != 0.0);
    let sum = terms
        .map(|(factor, x)| factor * *x)
        .reduce(|sum, term| sum + term);
    sum.unwrap_or_else(|| x[0].graph().zeros(x[0].len()))
}
