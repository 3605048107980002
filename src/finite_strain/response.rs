//! The response of a finite-strain law, in the stress measures of finite element programs.

use crate::law::Status;
use crate::mandel::{self, Mandel, Moduli};
use nalgebra::{Matrix3, SMatrix, SVector};

/// Order of the nine components of a deformation gradient or first Piola–Kirchhoff stress in MGIS:
/// 11 22 33 12 21 13 31 23 32; the first five in plane strain and axial symmetry.
pub const TENSOR_PLACES: [(usize, usize); 9] = [
    (0, 0),
    (1, 1),
    (2, 2),
    (0, 1),
    (1, 0),
    (0, 2),
    (2, 0),
    (1, 2),
    (2, 1),
];

/// Stress, exact tangent and energies at a deformation gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct FiniteResponse {
    /// `F`
    pub deformation: Matrix3<f64>,
    /// `S`, Mandel, MPa.
    pub second_piola: Mandel,
    /// `dS/dE_GL`, MPa.
    pub tangent: Moduli,
    /// Per undeformed volume, MJ/m³.
    pub stored_energy: f64,
    /// Of this increment, per undeformed volume, MJ/m³.
    pub dissipation: f64,
    pub status: Status,
}

impl FiniteResponse {
    /// Cauchy stress `F S Fᵀ / det F`, MPa.
    pub fn cauchy(&self) -> Matrix3<f64> {
        let f = &self.deformation;
        f * mandel::to_tensor(&self.second_piola) * f.transpose() / f.determinant()
    }

    /// First Piola–Kirchhoff stress `F S`, MPa.
    pub fn first_piola(&self) -> Matrix3<f64> {
        self.deformation * mandel::to_tensor(&self.second_piola)
    }

    /// `dS` along `dF`.
    fn second_piola_along(&self, direction: &Matrix3<f64>) -> Matrix3<f64> {
        let strain = mandel::from_tensor(&(self.deformation.transpose() * direction));
        mandel::to_tensor(&(self.tangent * strain))
    }

    /// `dσ` along `dF`.
    fn cauchy_along(&self, direction: &Matrix3<f64>) -> Matrix3<f64> {
        let f = &self.deformation;
        let jacobian = f.determinant();
        let stress = mandel::to_tensor(&self.second_piola);
        let half = direction * stress * f.transpose();
        let change = f * self.second_piola_along(direction) * f.transpose();
        // d(det F) / det F = F⁻ᵀ : dF
        let growth = f
            .try_inverse()
            .map_or(0.0, |inverse| (inverse * direction).trace());
        (half + half.transpose() + change) / jacobian - self.cauchy() * growth
    }

    /// `∂σ/∂F`: Mandel rows, columns in the order of [`TENSOR_PLACES`].
    pub fn cauchy_tangent(&self) -> SMatrix<f64, 6, 9> {
        let mut tangent = SMatrix::<f64, 6, 9>::zeros();
        for (column, direction) in units().enumerate() {
            let change = mandel::from_tensor(&self.cauchy_along(&direction));
            tangent.set_column(column, &change);
        }
        tangent
    }

    /// `∂P/∂F`: rows and columns in the order of [`TENSOR_PLACES`].
    pub fn first_piola_tangent(&self) -> SMatrix<f64, 9, 9> {
        let stress = mandel::to_tensor(&self.second_piola);
        let mut tangent = SMatrix::<f64, 9, 9>::zeros();
        for (column, direction) in units().enumerate() {
            let change =
                direction * stress + self.deformation * self.second_piola_along(&direction);
            let change = SVector::<f64, 9>::from_fn(|k, _| change[TENSOR_PLACES[k]]);
            tangent.set_column(column, &change);
        }
        tangent
    }

    /// Abaqus's DDSDDE at finite strain: derivative of the Jaumann rate of the Kirchhoff stress, over
    /// `det F`, with respect to the rate of deformation; both Mandel.
    pub fn jaumann_tangent(&self) -> Moduli {
        let cauchy = mandel::from_tensor(&self.cauchy());
        let mut tangent = Moduli::zeros();
        for column in 0..6 {
            let mut rate = Mandel::zeros();
            rate[column] = 1.0;
            // Without spin the Jaumann rate is the material time derivative.
            let direction = mandel::to_tensor(&rate) * self.deformation;
            let change = mandel::from_tensor(&self.cauchy_along(&direction));
            tangent.set_column(column, &(change + cauchy * mandel::trace(&rate)));
        }
        tangent
    }
}

/// The unit tensors of the components of a deformation gradient.
fn units() -> impl Iterator<Item = Matrix3<f64>> {
    TENSOR_PLACES.into_iter().map(|place| {
        let mut unit = Matrix3::zeros();
        unit[place] = 1.0;
        unit
    })
}
