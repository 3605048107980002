//! Parallel branches: linear maps of the strain that internal variables follow.

use super::Symmetry;
use crate::algebra::{Activation, Algebra, Constraint, Initial, Parameter, ParameterLayout};
use crate::network::{Coordinates, Parts};
use std::f64::consts::FRAC_1_SQRT_2;

const FRAC_1_SQRT_3: f64 = 0.577_350_269_189_625_8;

/// `P` maps `e_p = B_p ε` of the strain `ε [n]` onto itself.
///
/// A vector over the branches is `[n·P]`, component by component: the first components of all
/// branches, then the second ones. A vector of one number each is `[P]`.
#[derive(Clone, Debug)]
pub struct Branches {
    components: usize,
    count: usize,
    map: Map,
    /// `s_p` of each branch, `[n·P]`
    scale: Vec<f64>,
}

#[derive(Clone, Debug)]
enum Map {
    /// `B_p = s_p (1 + M_p)`, `M [n·P, n]`
    General(Parameter),
    /// `B_p ε = s_p (v_p vol ε + d_p dev ε)`, `v` and `d [P]`
    Isotropic {
        volumetric: Parameter,
        deviatoric: Parameter,
    },
    /// `B_p = s_p (1 + M_p)` on the linear invariants, `M [k·P, k]`, and `s_p d_p` on each other
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
        // Every map of a bar is isotropic.
        let map = match symmetry {
            Symmetry::TransverselyIsotropic | Symmetry::Orthotropic => {
                Self::symmetric(layout, name, [n, count], symmetry)
            }
            Symmetry::Isotropic if n > 1 => {
                let mut factor = |name: String| {
                    layout.add(name, [count, 1], Constraint::Free, Initial::Value(1.0))
                };
                Map::Isotropic {
                    volumetric: factor(format!("{name}.volumetric")),
                    deviatoric: factor(format!("{name}.deviatoric")),
                }
            }
            _ => Map::General(layout.add(
                format!("{name}.map"),
                [n * count, n],
                Constraint::Free,
                Initial::Scaled(INITIAL_SPREAD),
            )),
        };
        Self {
            components: n,
            count,
            map,
            scale: scales.repeat(n),
        }
    }

    fn symmetric(
        layout: &mut ParameterLayout,
        name: &str,
        [n, count]: [usize; 2],
        symmetry: Symmetry,
    ) -> Map {
        let Some(parts) = symmetry.parts(n) else {
            unreachable!("a symmetry has parts")
        };
        let linear = parts.invariants();
        let turning = 0..parts.turning();
        Map::Symmetric {
            invariants: layout.add(
                format!("{name}.invariants"),
                [linear * count, linear],
                Constraint::Free,
                Initial::Scaled(INITIAL_SPREAD),
            ),
            turning: turning
                .map(|part| {
                    let name = format!("{name}.turning.{part}");
                    layout.add(name, [count, 1], Constraint::Free, Initial::Value(1.0))
                })
                .collect(),
            parts,
        }
    }

    /// `P`
    pub fn count(&self) -> usize {
        self.count
    }

    /// `n·P`
    pub fn len(&self) -> usize {
        self.components * self.count
    }

    /// Component `c` of all branches, `[P]`.
    pub fn component<A: Algebra>(&self, a: &A, x: &A::Vector, c: usize) -> A::Vector {
        a.slice(x, c * self.count..(c + 1) * self.count)
    }

    /// A vector over the branches of its components `[P]`.
    fn of_components<A: Algebra>(
        &self,
        a: &A,
        component: impl Fn(usize) -> A::Vector,
    ) -> A::Vector {
        // Without a list that would be allocated.
        match self.components {
            1 => component(0),
            3 => a.concat(&[&component(0), &component(1), &component(2)]),
            _ => a.concat(&[
                &component(0),
                &component(1),
                &component(2),
                &component(3),
                &component(4),
                &component(5),
            ]),
        }
    }

    /// `B ε`, `[n] → [n·P]`
    pub fn strains<A: Algebra>(&self, a: &A, strain: &A::Vector) -> A::Vector {
        let spread = |x: &A::Vector, c| a.broadcast(&a.slice(x, c..c + 1), self.count);
        let strains = match &self.map {
            Map::General(map) => {
                let start = self.of_components(a, |c| spread(strain, c));
                a.add(&start, &a.dense(*map, None, strain))
            }
            Map::Isotropic {
                volumetric,
                deviatoric,
            } => {
                let (volume, deviator) = split(a, strain);
                let (v, d) = (a.parameter(*volumetric), a.parameter(*deviatoric));
                self.of_components(a, |c| {
                    let (volume, deviator) = (spread(&volume, c), spread(&deviator, c));
                    a.add(&a.mul(&v, &volume), &a.mul(&d, &deviator))
                })
            }
            Map::Symmetric {
                parts,
                invariants,
                turning,
            } => {
                let of_strain = parts.split(a, strain);
                let all = a.concat(&of_strain.invariants.iter().collect::<Vec<_>>());
                let mixed = a.dense(*invariants, None, &all);
                let each = |x: &A::Vector| a.broadcast(x, self.count);
                let linear = of_strain.invariants.iter().enumerate();
                let turned = turning.iter().zip(&of_strain.turning);
                let coordinates = Coordinates {
                    invariants: linear
                        .map(|(i, x)| a.add(&each(x), &self.component(a, &mixed, i)))
                        .collect(),
                    turning: turned
                        .map(|(factor, part)| {
                            let factor = a.parameter(*factor);
                            part.iter().map(|x| a.mul(&factor, &each(x))).collect()
                        })
                        .collect(),
                };
                parts.join(a, &coordinates)
            }
        };
        a.mul(&strains, &a.constant(&self.scale))
    }

    /// `Σ_p B_pᵀ s_p`, `[n·P] → [n]`
    pub fn stress<A: Algebra>(&self, a: &A, forces: &A::Vector) -> A::Vector {
        let forces = a.mul(forces, &a.constant(&self.scale));
        let sums = |weight: &A::Vector| {
            let sum = |c| a.dot(&self.component(a, &forces, c), weight);
            self.of_components(a, sum)
        };
        match &self.map {
            Map::General(map) => {
                let ones = a.broadcast(&a.constant(&[1.0]), self.count);
                a.add(&sums(&ones), &a.dense_transposed(*map, &forces))
            }
            Map::Isotropic {
                volumetric,
                deviatoric,
            } => {
                let (volume, _) = split(a, &sums(&a.parameter(*volumetric)));
                let (_, deviator) = split(a, &sums(&a.parameter(*deviatoric)));
                a.add(&volume, &deviator)
            }
            Map::Symmetric {
                parts,
                invariants,
                turning,
            } => {
                let of_forces = parts.split(a, &forces);
                let all = a.concat(&of_forces.invariants.iter().collect::<Vec<_>>());
                let mixed = a.dense_transposed(*invariants, &all);
                let ones = a.broadcast(&a.constant(&[1.0]), self.count);
                let linear = of_forces.invariants.iter().enumerate();
                let turned = turning.iter().zip(&of_forces.turning);
                let coordinates = Coordinates {
                    invariants: linear
                        .map(|(i, x)| a.add(&a.dot(x, &ones), &a.slice(&mixed, i..i + 1)))
                        .collect(),
                    turning: turned
                        .map(|(factor, part)| {
                            let factor = a.parameter(*factor);
                            part.iter().map(|x| a.dot(x, &factor)).collect()
                        })
                        .collect(),
                };
                parts.join(a, &coordinates)
            }
        }
    }

    /// `x_p · y_p`, `[P]`
    pub fn products<A: Algebra>(&self, a: &A, x: &A::Vector, y: &A::Vector) -> A::Vector {
        let all = a.mul(x, y);
        let first = self.component(a, &all, 0);
        (1..self.components).fold(first, |sum, c| a.add(&sum, &self.component(a, &all, c)))
    }

    /// The same factor `[P]` for every component, `[n·P]`.
    pub fn each<A: Algebra>(&self, a: &A, factor: &A::Vector) -> A::Vector {
        self.of_components(a, |_| factor.clone())
    }
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

/// Volumetric and deviatoric part of a tensor `[n]`.
fn split<A: Algebra>(a: &A, x: &A::Vector) -> (A::Vector, A::Vector) {
    let unit = volumetric(a, a.len(x));
    let volume = a.times(&unit, &a.dot(&unit, x));
    let deviator = a.sub(x, &volume);
    (volume, deviator)
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
    let path = path.map(|g| reciprocal(a, &a.affine(g, 1.0, 1.0)));
    let time = time.map(|g| a.apply(Activation::Exp, &a.scale(g, -1.0)));
    match (path, time) {
        (Some(path), Some(time)) => Some(a.mul(&path, &time)),
        (path, time) => path.or(time),
    }
}

/// `max(x, 0)` entry by entry.
pub(super) fn positive_part<A: Algebra>(a: &A, x: &A::Vector) -> A::Vector {
    let root = a.apply(Activation::Sqrt, x);
    a.mul(&root, &root)
}

/// `1/x` entry by entry; zero where `x ≤ 0`.
pub(super) fn reciprocal<A: Algebra>(a: &A, x: &A::Vector) -> A::Vector {
    let root = a.apply(Activation::InverseSqrt, x);
    a.mul(&root, &root)
}
