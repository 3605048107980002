//! Kelvin–Mandel vectors and moduli, the component orders of the hosts, and rotations.
//!
//! A symmetric tensor `t` is the vector `[t11, t22, t33, √2 t12, √2 t13, √2 t23]`. The product of
//! a stress and a strain vector is then the energy product `σ:ε`, and the norm is the tensor norm.
//! A law has `n` components: 6 (3D), 3 (in the plane: 11, 22, 12) or 1 (11: bars, fibres, tests).

mod stress_state;

pub use stress_state::StressState;

use nalgebra::{Matrix3, SMatrix, SVector};
use serde::{Deserialize, Serialize};

/// A symmetric second-order tensor.
pub type Mandel = SVector<f64, 6>;
/// A fourth-order tensor with minor symmetries, `∂σ_i/∂ε_j` between Mandel components.
pub type Moduli = SMatrix<f64, 6, 6>;

const SQRT_2: f64 = std::f64::consts::SQRT_2;
/// Weight of each Mandel component over the tensor component.
pub const WEIGHTS: [f64; 6] = [1.0, 1.0, 1.0, SQRT_2, SQRT_2, SQRT_2];
/// Tensor indices of the six components.
pub const LABELS: [&str; 6] = ["11", "22", "33", "12", "13", "23"];
pub(crate) const PAIRS: [(usize, usize); 6] = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)];

/// Positions, among the six components, of those that an `n`-component law has.
/// `None` where no such law exists.
pub fn positions(components: usize) -> Option<&'static [usize]> {
    match components {
        1 => Some(StressState::Uniaxial.positions()),
        3 => Some(StressState::PlaneStress.positions()),
        6 => Some(StressState::Solid.positions()),
        _ => None,
    }
}

/// The second-order identity.
pub fn identity() -> Mandel {
    Mandel::from([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
}

pub fn trace(t: &Mandel) -> f64 {
    t[0] + t[1] + t[2]
}

pub fn deviator(t: &Mandel) -> Mandel {
    t - identity() * (trace(t) / 3.0)
}

/// `(1/3) 1⊗1`.
pub fn volumetric_projector() -> Moduli {
    identity() * identity().transpose() / 3.0
}

/// `I − (1/3) 1⊗1`.
pub fn deviatoric_projector() -> Moduli {
    Moduli::identity() - volumetric_projector()
}

/// Isotropic elastic moduli `3K P_vol + 2G P_dev` (MPa).
pub fn isotropic_moduli(bulk: f64, shear: f64) -> Moduli {
    volumetric_projector() * (3.0 * bulk) + deviatoric_projector() * (2.0 * shear)
}

pub fn to_tensor(t: &Mandel) -> Matrix3<f64> {
    let mut m = Matrix3::zeros();
    for (k, &(i, j)) in PAIRS.iter().enumerate() {
        m[(i, j)] = t[k] / WEIGHTS[k];
        m[(j, i)] = m[(i, j)];
    }
    m
}

/// The Mandel vector of the symmetric part.
pub fn from_tensor(m: &Matrix3<f64>) -> Mandel {
    Mandel::from_fn(|k, _| {
        let (i, j) = PAIRS[k];
        0.5 * (m[(i, j)] + m[(j, i)]) * WEIGHTS[k]
    })
}

/// The orthogonal 6×6 matrix `Q` with `Q t = mandel(R T Rᵀ)`; moduli turn as `Q C Qᵀ`.
pub fn rotation(r: &Matrix3<f64>) -> Moduli {
    let mut q = Moduli::zeros();
    for k in 0..6 {
        let mut unit = Mandel::zeros();
        unit[k] = 1.0;
        q.set_column(k, &from_tensor(&(r * to_tensor(&unit) * r.transpose())));
    }
    q
}

/// Abaqus, CalculiX and Elmer: order 11 22 33 12 13 23, engineering shear strain `γ = 2ε`,
/// moduli `∂σ_i/∂γ_j` without factors.
pub mod abaqus {
    use super::{Mandel, Moduli, StressState, WEIGHTS};

    /// The stress state of elements with `NDI` direct and `NSHR` shear components.
    pub fn stress_state(ndi: i32, nshr: i32) -> Option<StressState> {
        match (ndi, nshr) {
            (3, 3) => Some(StressState::Solid),
            (3, 1) => Some(StressState::Axisymmetric),
            (2, 1) => Some(StressState::PlaneStress),
            (1, 0) => Some(StressState::Uniaxial),
            _ => None,
        }
    }

    pub fn strain_in(host: &[f64; 6]) -> Mandel {
        Mandel::from_fn(|k, _| host[k] / WEIGHTS[k])
    }

    pub fn strain_out(strain: &Mandel) -> [f64; 6] {
        std::array::from_fn(|k| strain[k] * WEIGHTS[k])
    }

    pub fn stress_in(host: &[f64; 6]) -> Mandel {
        Mandel::from_fn(|k, _| host[k] * WEIGHTS[k])
    }

    pub fn stress_out(stress: &Mandel) -> [f64; 6] {
        std::array::from_fn(|k| stress[k] / WEIGHTS[k])
    }

    /// `DDSDDE` as a matrix; Abaqus stores it column by column.
    pub fn moduli_out(moduli: &Moduli) -> Moduli {
        Moduli::from_fn(|i, j| moduli[(i, j)] / (WEIGHTS[i] * WEIGHTS[j]))
    }

    pub fn moduli_in(host: &Moduli) -> Moduli {
        Moduli::from_fn(|i, j| host[(i, j)] * WEIGHTS[i] * WEIGHTS[j])
    }
}

/// The reference configuration of strain or stress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Small strain, where the others coincide.
    #[default]
    Small,
    /// Over the undeformed length or area.
    #[serde(alias = "nominal")]
    Engineering,
    /// Logarithmic strain, Cauchy stress.
    True,
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use nalgebra::{Rotation3, Vector3};

    fn sample() -> Mandel {
        Mandel::from([0.3, -1.2, 0.7, 0.4, -0.9, 1.6])
    }

    #[test]
    fn norm_is_the_tensor_norm() {
        let t = sample();
        assert_relative_eq!(t.norm(), to_tensor(&t).norm(), epsilon = 1e-14);
        assert_relative_eq!(from_tensor(&to_tensor(&t)), t, epsilon = 1e-15);
    }

    #[test]
    fn rotation_turns_the_tensor_and_is_orthogonal() {
        let r = Rotation3::from_axis_angle(&Vector3::y_axis(), 0.7)
            * Rotation3::from_axis_angle(&Vector3::x_axis(), -1.1);
        let q = rotation(r.matrix());
        let turned = r.matrix() * to_tensor(&sample()) * r.matrix().transpose();
        assert_relative_eq!(to_tensor(&(q * sample())), turned, epsilon = 1e-14);
        assert_relative_eq!(q * q.transpose(), Moduli::identity(), epsilon = 1e-14);
    }

    #[test]
    fn abaqus_energy_and_stress_power_are_kept() {
        let (strain, stress) = (sample(), sample() * 3.0);
        let (e, s) = (abaqus::strain_out(&strain), abaqus::stress_out(&stress));
        let power: f64 = e.iter().zip(&s).map(|(a, b)| a * b).sum();
        assert_relative_eq!(power, strain.dot(&stress), epsilon = 1e-14);
        assert_relative_eq!(abaqus::strain_in(&e), strain, epsilon = 1e-15);
        assert_relative_eq!(abaqus::stress_in(&s), stress, epsilon = 1e-15);
    }

    #[test]
    fn abaqus_moduli_of_isotropic_elasticity_have_the_shear_modulus_on_the_diagonal() {
        let d = abaqus::moduli_out(&isotropic_moduli(160e3, 77e3));
        assert_relative_eq!(d[(3, 3)], 77e3, max_relative = 1e-15);
        assert_relative_eq!(d[(0, 0)], 160e3 + 4.0 / 3.0 * 77e3, max_relative = 1e-15);
        let moduli = Moduli::from_fn(|i, j| (1 + i * 6 + j) as f64);
        let strain = sample();
        let host = abaqus::moduli_out(&moduli) * Mandel::from(abaqus::strain_out(&strain));
        assert_relative_eq!(
            abaqus::stress_in(&host.into()),
            moduli * strain,
            max_relative = 1e-14
        );
    }
}
