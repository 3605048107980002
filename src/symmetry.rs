//! Symmetries of a material.

use crate::mandel::{Moduli, rotation};
use crate::network::Parts;
use nalgebra::{Quaternion, UnitQuaternion, Vector3};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// What a rotation of the material changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Symmetry {
    /// Anything: records of every direction have to say what.
    #[default]
    None,
    /// Nothing. With three components, rotations within the plane; a bar answers to compression
    /// as to tension.
    Isotropic,
    /// Nothing, where it is about axis 1, that of the fibres, or a half turn of it. Six components.
    TransverselyIsotropic,
    /// Nothing, where it is a half turn about axis 1, 2 or 3. Three or six components.
    Orthotropic,
}

impl Symmetry {
    /// The numbers of components of the laws that can have it.
    pub fn components(self) -> &'static [usize] {
        match self {
            Self::None | Self::Isotropic => &[1, 3, 6],
            Self::TransverselyIsotropic => &[6],
            Self::Orthotropic => &[3, 6],
        }
    }

    /// A rotation of the group, in Mandel's components; without a symmetry, none.
    pub fn rotation(self, random: &mut impl Rng) -> Moduli {
        let half_turn = |axis: Vector3<f64>| UnitQuaternion::from_scaled_axis(axis * PI);
        let turn = match self {
            Self::None => UnitQuaternion::identity(),
            Self::Isotropic => {
                // Uniform over the rotations.
                let [w, x, y, z]: [f64; 4] = std::array::from_fn(|_| random.sample(StandardNormal));
                UnitQuaternion::from_quaternion(Quaternion::new(w, x, y, z))
            }
            Self::TransverselyIsotropic => {
                let about = Vector3::x() * random.random_range(-PI..PI);
                let turn = UnitQuaternion::from_scaled_axis(about);
                match random.random_bool(0.5) {
                    true => turn * half_turn(Vector3::y()),
                    false => turn,
                }
            }
            Self::Orthotropic => {
                let axes = [Vector3::x(), Vector3::y(), Vector3::z()];
                half_turn(axes[random.random_range(0..3)])
            }
        };
        rotation(turn.to_rotation_matrix().matrix())
    }

    /// The parts of the strains `[n]` that the symmetry keeps apart.
    pub(crate) fn parts(self, n: usize) -> Option<Parts> {
        let unit = |i: usize| -> Vec<f64> { (0..n).map(|k| f64::from(k == i)).collect() };
        let normals = |factors: [f64; 3]| -> Vec<f64> {
            let size = factors.iter().map(|f| f * f).sum::<f64>().sqrt();
            let factor = |i: usize| factors.get(i).map_or(0.0, |f| f / size);
            (0..n).map(factor).collect()
        };
        let [plus, minus] = [1.0, -1.0].map(|sign| vec![FRAC_1_SQRT_2, sign * FRAC_1_SQRT_2, 0.0]);
        match (self, n) {
            (Self::None, _) => None,
            (Self::Isotropic, 6) => {
                let pressure = normals([1.0, 1.0, 1.0]);
                let deviators = [normals([1.0, -1.0, 0.0]), normals([1.0, 1.0, -2.0])];
                let shears = (3..6).map(unit);
                let deviators = deviators.into_iter().chain(shears).collect();
                Some(Parts::new(vec![pressure], vec![deviators]))
            }
            (Self::Isotropic, 3) => Some(Parts::new(vec![plus], vec![vec![minus, unit(2)]])),
            (Self::Isotropic, _) => Some(Parts::new(Vec::new(), vec![vec![unit(0)]])),
            (Self::TransverselyIsotropic, _) => Some(Parts::new(
                vec![unit(0), normals([0.0, 1.0, 1.0])],
                vec![
                    vec![normals([0.0, 1.0, -1.0]), unit(5)],
                    vec![unit(3), unit(4)],
                ],
            )),
            (Self::Orthotropic, 6) => Some(Parts::new(
                (0..3).map(unit).collect(),
                (3..6).map(|i| vec![unit(i)]).collect(),
            )),
            (Self::Orthotropic, _) => Some(Parts::new(vec![unit(0), unit(1)], vec![vec![unit(2)]])),
        }
    }
}
