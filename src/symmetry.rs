//! Symmetries of a material.

use crate::mandel::{Moduli, rotation};
use nalgebra::{Quaternion, UnitQuaternion, Vector3};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The symmetry group of a material: rotations of it that change nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Symmetry {
    /// No rotations: records of every direction have to say how it answers.
    #[default]
    None,
    /// All rotations. With three components, those within the plane; a bar answers to compression
    /// as to tension.
    Isotropic,
    /// Rotations about axis 1, that of the fibres, and half turns of it. Six components.
    TransverselyIsotropic,
    /// Half turns about axis 1, 2 or 3. Three or six components.
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
}
