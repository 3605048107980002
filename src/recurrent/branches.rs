//! Parallel branches: linear maps of the strain that internal variables follow.

use super::Symmetry;
use crate::graph::{
    Coefficients, Constraint, Initial, Matrix, ParameterLayout, Vector, concat, stack,
};
use crate::network::{Coordinates, Parts};
use std::f64::consts::FRAC_1_SQRT_2;

const FRAC_1_SQRT_3: f64 = 0.577_350_269_189_625_8;

/// `P` maps `e_p = B_p ε` of the strain `ε [n]` onto local strains.
///
/// A vector over the branches is `[n·P]`, component by component: the first components of all
/// branches, then the second ones. A vector of one number each is `[P]`. With a symmetry the
/// components are the coordinates in its parts, in which it is a rotation within `k` **groups** of
/// components; without one every component is a group. A vector of one number for each group and
/// branch is `[k·P]`.
#[derive(Clone, Debug)]
pub struct Branches {
    count: usize,
    /// Number of components of each group.
    groups: Vec<usize>,
    map: Map,
    /// `s_p` of each branch, `[n·P]`
    scale: Vec<f64>,
}

#[derive(Clone, Debug)]
enum Map {
    /// `B_p = s_p (1 + M_p)`, `M [n·P, n]`
    General(Matrix),
    /// `B_p = s_p (1 + M_p)` on the linear invariants, `M [i·P, i]`, and `s_p d_p` on each other
    /// part, `d [P]`.
    Symmetric {
        parts: Parts,
        invariants: Matrix,
        irreducible: Vec<Coefficients>,
    },
}

/// Spread of the maps at the start.
const INITIAL_SPREAD: f64 = 0.2;

impl Branches {
    /// One branch for each scale, at which its map starts.
    pub fn new(
        layout: &mut ParameterLayout,
        name: &str,
        n: usize,
        scales: &[f64],
        symmetry: Symmetry,
    ) -> Self {
        let count = scales.len();
        let mut square = |name: String, n: usize| {
            let start = Initial::Scaled(INITIAL_SPREAD);
            layout.matrix(name, [n * count, n], Constraint::Free, start)
        };
        // Every map of a bar is isotropic.
        let (map, groups) = match Parts::of(symmetry, n).filter(|_| n > 1) {
            None => (Map::General(square(format!("{name}.map"), n)), vec![1; n]),
            Some(parts) => {
                let groups = parts.sizes();
                let invariants = square(format!("{name}.invariants"), parts.invariants());
                // The name of 0.1.0, which saved laws have.
                let irreducible = (0..parts.irreducible()).map(|part| {
                    let name = format!("{name}.turning.{part}");
                    layout.coefficients(name, count, Constraint::Free, Initial::Value(1.0))
                });
                let map = Map::Symmetric {
                    invariants,
                    irreducible: irreducible.collect(),
                    parts,
                };
                (map, groups)
            }
        };
        Self {
            count,
            groups,
            map,
            scale: scales.repeat(n),
        }
    }

    /// `P`
    pub fn count(&self) -> usize {
        self.count
    }

    /// `n·P`
    pub fn len(&self) -> usize {
        self.scale.len()
    }

    /// `n`
    fn components(&self) -> usize {
        self.len() / self.count
    }

    /// `k`
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// `B ε`, `[n] → [n·P]`
    pub fn strains<'g>(&self, strain: Vector<'g>) -> Vector<'g> {
        let strains = match &self.map {
            Map::General(map) => strain.repeat_each(self.count) + *map * strain,
            Map::Symmetric {
                parts,
                invariants,
                irreducible,
            } => {
                let of_strain = parts.split(strain);
                let linear = concat(&of_strain.invariants);
                let mut strains = vec![linear.repeat_each(self.count) + *invariants * linear];
                for (factor, part) in irreducible.iter().zip(&of_strain.irreducible) {
                    strains.extend(part.iter().map(|x| *factor * x.broadcast(self.count)));
                }
                concat(strains)
            }
        };
        strains * &self.scale
    }

    /// `Σ_p B_pᵀ s_p`, `[n·P] → [n]`
    pub fn stress<'g>(&self, forces: Vector<'g>) -> Vector<'g> {
        let forces = forces * &self.scale;
        let components = forces.chunks(self.components());
        match &self.map {
            Map::General(map) => forces.sum_chunks(self.components()) + map.transposed(forces),
            Map::Symmetric {
                parts,
                invariants,
                irreducible,
            } => {
                let count = parts.invariants();
                let linear = forces.slice(0..count * self.count);
                let mixed = linear.sum_chunks(count) + invariants.transposed(linear);
                let mut others = components[count..].iter();
                let factors = irreducible.iter().zip(&self.groups[count..]);
                let coordinates = Coordinates {
                    invariants: mixed.chunks(count),
                    irreducible: factors
                        .map(|(factor, size)| {
                            let factor = forces.graph().parameter(*factor);
                            let part = others.by_ref().take(*size);
                            part.map(|x| x.dot(factor)).collect()
                        })
                        .collect(),
                };
                parts.join(&coordinates)
            }
        }
    }

    /// `x_p · y_p`, `[P]`
    pub fn products<'g>(&self, x: Vector<'g>, y: Vector<'g>) -> Vector<'g> {
        self.total(x * y)
    }

    /// The sum of all numbers of a branch, `[n·P]` or `[k·P]` to `[P]`.
    pub fn total<'g>(&self, x: Vector<'g>) -> Vector<'g> {
        sum(&x.chunks(x.len() / self.count))
    }

    /// The same factor `[P]` for every component, `[n·P]`.
    pub fn each<'g>(&self, factor: Vector<'g>) -> Vector<'g> {
        factor.repeat(self.components())
    }

    /// The same factor `[P]` for every group, `[k·P]`.
    pub fn each_group<'g>(&self, factor: Vector<'g>) -> Vector<'g> {
        factor.repeat(self.groups())
    }

    /// The factor `[k·P]` of a group for each of its components, `[n·P]`.
    pub fn of_groups<'g>(&self, factors: Vector<'g>) -> Vector<'g> {
        let groups = factors.chunks(self.groups()).into_iter().zip(&self.groups);
        let each = groups.flat_map(|(factor, size)| vec![factor; *size]);
        stack(each)
    }

    /// `|x_p|²` of each group, `[n·P] → [k·P]`.
    pub fn squares<'g>(&self, x: Vector<'g>) -> Vector<'g> {
        self.group_products(x, x)
    }

    /// `x_p · y_p` of each group, `[n·P] → [k·P]`.
    pub fn group_products<'g>(&self, x: Vector<'g>, y: Vector<'g>) -> Vector<'g> {
        let products = (x * y).chunks(self.components());
        let mut products = &products[..];
        let groups = self.groups.iter().map(|size| {
            let (group, rest) = products.split_at(*size);
            products = rest;
            sum(group)
        });
        stack(groups)
    }
}

/// Of one vector or more.
fn sum<'g>(parts: &[Vector<'g>]) -> Vector<'g> {
    let sum = parts.iter().copied().reduce(|sum, part| sum + part);
    sum.expect("at least one")
}

/// Even steps from the first to the last number.
pub(super) fn spread([first, last]: [f64; 2], count: usize) -> Vec<f64> {
    let share = |i: usize| (i as f64 + 0.5) / count as f64;
    (0..count)
        .map(|i| first + (last - first) * share(i))
        .collect()
}

/// The volumetric tensor of unit norm, `[n]`; with three components, of the plane. A bar has none: it
/// answers to compression as to tension.
pub(super) fn volumetric(n: usize) -> Vec<f64> {
    let unit = FRAC_1_SQRT_3;
    match n {
        6 => vec![unit, unit, unit, 0.0, 0.0, 0.0],
        3 => vec![FRAC_1_SQRT_2, FRAC_1_SQRT_2, 0.0],
        _ => vec![0.0],
    }
}

/// Share `ρ [P]` of the elastic strain that branches keep over an increment,
///
/// ```text
/// ρ = e^{−g_t} / (1 + g_s)
/// ```
///
/// with the lengths `g_s` and `g_t [P]` of the clocks of strain path and time, over the memory; one
/// where a clock is not there. A hold is exact; on the strain path backward Euler meets the elastic
/// strain at which a branch saturates however large the increment, where an exponential would lose it.
pub(super) fn kept_share<'g>(path: Option<Vector<'g>>, time: Option<Vector<'g>>) -> Vector<'g> {
    let path = path.map(|g| (g + 1.0).recip());
    let time = time.map(|g| (-g).exp());
    match (path, time) {
        (Some(path), Some(time)) => path * time,
        (path, time) => path.or(time).expect("a law has a clock"),
    }
}
