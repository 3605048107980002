//! Parallel branches: linear maps of the strain that internal variables follow.

use super::Symmetry;
use crate::algebra::{Activation, Algebra, Constraint, Initial, Parameter, ParameterLayout};
use crate::network::{Coordinates, Parts, pieces, stack};
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
    General(Parameter),
    /// `B_p = s_p (1 + M_p)` on the linear invariants, `M [i·P, i]`, and `s_p d_p` on each other
    /// part, `d [P]`.
    Symmetric {
        parts: Parts,
        invariants: Parameter,
        turning: Vec<Parameter>,
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
            layout.add(name, [n * count, n], Constraint::Free, start)
        };
        // Every map of a bar is isotropic.
        let (map, groups) = match symmetry.parts(n).filter(|_| n > 1) {
            None => (Map::General(square(format!("{name}.map"), n)), vec![1; n]),
            Some(parts) => {
                let groups = parts.sizes();
                let invariants = square(format!("{name}.invariants"), parts.invariants());
                let turning = (0..parts.turning()).map(|part| {
                    let name = format!("{name}.turning.{part}");
                    layout.add(name, [count, 1], Constraint::Free, Initial::Value(1.0))
                });
                let map = Map::Symmetric {
                    invariants,
                    turning: turning.collect(),
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

    /// `k`
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// `B ε`, `[n] → [n·P]`
    pub fn strains<A: Algebra>(&self, a: &A, strain: &A::Vector) -> A::Vector {
        let each = |x: &A::Vector| a.broadcast(x, self.count);
        let strains = match &self.map {
            Map::General(map) => {
                let start = pieces(a, strain, self.groups.len());
                let start: Vec<_> = start.iter().map(each).collect();
                a.add(&stack(a, &start), &a.dense(*map, None, strain))
            }
            Map::Symmetric {
                parts,
                invariants,
                turning,
            } => {
                let of_strain = parts.split(a, strain);
                let start: Vec<_> = of_strain.invariants.iter().map(each).collect();
                let mixed = a.dense(*invariants, None, &stack(a, &of_strain.invariants));
                let mut strains = vec![a.add(&stack(a, &start), &mixed)];
                for (factor, part) in turning.iter().zip(&of_strain.turning) {
                    let factor = a.parameter(*factor);
                    strains.extend(part.iter().map(|x| a.mul(&factor, &each(x))));
                }
                stack(a, &strains)
            }
        };
        a.mul(&strains, &a.constant(&self.scale))
    }

    /// `Σ_p B_pᵀ s_p`, `[n·P] → [n]`
    pub fn stress<A: Algebra>(&self, a: &A, forces: &A::Vector) -> A::Vector {
        let forces = a.mul(forces, &a.constant(&self.scale));
        let components = pieces(a, &forces, self.len() / self.count);
        let ones = a.broadcast(&a.constant(&[1.0]), self.count);
        let sum = |x: &A::Vector| a.dot(x, &ones);
        match &self.map {
            Map::General(map) => {
                let sums: Vec<_> = components.iter().map(sum).collect();
                a.add(&stack(a, &sums), &a.dense_transposed(*map, &forces))
            }
            Map::Symmetric {
                parts,
                invariants,
                turning,
            } => {
                let (linear, turned) = components.split_at(parts.invariants());
                let sums: Vec<_> = linear.iter().map(sum).collect();
                let mixed = a.dense_transposed(*invariants, &stack(a, linear));
                let mixed = a.add(&stack(a, &sums), &mixed);
                let mut turned = turned.iter();
                let turning = turning.iter().zip(&self.groups[parts.invariants()..]);
                let coordinates = Coordinates {
                    invariants: pieces(a, &mixed, linear.len()),
                    turning: turning
                        .map(|(factor, size)| {
                            let factor = a.parameter(*factor);
                            let part = turned.by_ref().take(*size);
                            part.map(|x| a.dot(x, &factor)).collect()
                        })
                        .collect(),
                };
                parts.join(a, &coordinates)
            }
        }
    }

    /// `x_p · y_p`, `[P]`
    pub fn products<A: Algebra>(&self, a: &A, x: &A::Vector, y: &A::Vector) -> A::Vector {
        self.total(a, &a.mul(x, y))
    }

    /// The sum of all numbers of a branch, `[n·P]` or `[k·P]` to `[P]`.
    pub fn total<A: Algebra>(&self, a: &A, x: &A::Vector) -> A::Vector {
        sum(a, &pieces(a, x, a.len(x) / self.count))
    }

    /// The same factor `[P]` for every component, `[n·P]`.
    pub fn each<A: Algebra>(&self, a: &A, factor: &A::Vector) -> A::Vector {
        stack(a, &vec![factor.clone(); self.len() / self.count])
    }

    /// The same factor `[P]` for every group, `[k·P]`.
    pub fn each_group<A: Algebra>(&self, a: &A, factor: &A::Vector) -> A::Vector {
        stack(a, &vec![factor.clone(); self.groups()])
    }

    /// The factor `[k·P]` of a group for each of its components, `[n·P]`.
    pub fn of_groups<A: Algebra>(&self, a: &A, factors: &A::Vector) -> A::Vector {
        let factors = pieces(a, factors, self.groups());
        let groups = factors.into_iter().zip(&self.groups);
        let each: Vec<_> = groups
            .flat_map(|(factor, size)| vec![factor; *size])
            .collect();
        stack(a, &each)
    }

    /// `|x_p|²` of each group, `[n·P] → [k·P]`.
    pub fn squares<A: Algebra>(&self, a: &A, x: &A::Vector) -> A::Vector {
        let squares = pieces(a, &a.mul(x, x), self.len() / self.count);
        let mut squares = &squares[..];
        let groups = self.groups.iter().map(|size| {
            let (group, rest) = squares.split_at(*size);
            squares = rest;
            sum(a, group)
        });
        stack(a, &groups.collect::<Vec<_>>())
    }
}

/// Of one vector or more.
fn sum<A: Algebra>(a: &A, parts: &[A::Vector]) -> A::Vector {
    let (first, others) = parts.split_first().expect("at least one");
    let add = |sum, part| a.add(&sum, part);
    others.iter().fold(first.clone(), add)
}

/// The volumetric tensor of unit norm, `[n]`; with three components, of the plane. A bar has none: it
/// answers to compression as to tension.
pub(super) fn volumetric<A: Algebra>(a: &A, n: usize) -> A::Vector {
    let unit = FRAC_1_SQRT_3;
    match n {
        6 => a.constant(&[unit, unit, unit, 0.0, 0.0, 0.0]),
        3 => a.constant(&[FRAC_1_SQRT_2, FRAC_1_SQRT_2, 0.0]),
        _ => a.zeros(1),
    }
}

/// Share `ρ [P]` of the stretch that branches keep over an increment,
///
/// ```text
/// ρ = e^{−g_t} / (1 + g_s)
/// ```
///
/// with the lengths `g_s` and `g_t [P]` of the clocks of strain path and time, over the memory. A hold
/// is exact; on the strain path backward Euler meets the stretch at which a branch saturates however
/// large the increment, where an exponential would lose it. One where both lengths are zero.
pub(super) fn kept_share<A: Algebra>(
    a: &A,
    path: Option<&A::Vector>,
    time: Option<&A::Vector>,
) -> Option<A::Vector> {
    let path = path.map(|g| a.apply(Activation::Reciprocal, &a.affine(g, 1.0, 1.0)));
    let time = time.map(|g| a.apply(Activation::Exp, &a.scale(g, -1.0)));
    match (path, time) {
        (Some(path), Some(time)) => Some(a.mul(&path, &time)),
        (path, time) => path.or(time),
    }
}
