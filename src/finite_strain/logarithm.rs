//! The logarithmic strain with its first and second derivatives.

use crate::error::UpdateError;
use crate::mandel::{self, Mandel, Moduli};
use nalgebra::{Matrix3, SymmetricEigen, Vector3};

const MAX_ITERATIONS: usize = 100;
/// Relative spread of the eigenvalues below which the second divided difference is a series.
const CLOSE: f64 = 0.05;
/// Terms of that series: `(2/3 CLOSE)^TERMS` is below round-off.
const TERMS: usize = 12;

/// `E = ½ ln FᵀF`, `∂E/∂E_GL` and `T · ∂²E/∂E_GL²`.
///
/// In the eigenvectors of `C` the derivatives of a function `f` of a tensor are divided differences
/// of the eigenvalues `λ`,
///
/// ```text
/// (Df[H])_ij = f[λ_i, λ_j] H_ij
/// (D²f[H, K])_ij = Σ_k f[λ_i, λ_k, λ_j] (H_ik K_kj + K_ik H_kj)
/// ```
///
/// which holds whether or not eigenvalues coincide; here `f = ½ ln`, and the differences are
/// evaluated without cancellation.
///
/// Source: R. Bhatia, Matrix Analysis, Springer, 1997, ch. V.3.
#[derive(Clone, Debug)]
pub struct LogarithmicStrain {
    /// Eigenvalues of `C`.
    eigenvalues: Vector3<f64>,
    /// Rotation from the eigenbasis to the reference frame.
    rotation: Moduli,
    strain: Mandel,
}

impl LogarithmicStrain {
    /// # Errors
    /// A deformation gradient that is not finite, or with `det F ≤ 0`.
    pub fn new(deformation: &Matrix3<f64>) -> Result<Self, UpdateError> {
        if let Some(&value) = deformation.iter().find(|f| !f.is_finite()) {
            return Err(UpdateError::NonFinite {
                what: "deformation gradient",
                value,
            });
        }
        let jacobian = deformation.determinant();
        if jacobian <= 0.0 {
            return Err(UpdateError::Inverted { jacobian });
        }
        let overflow = UpdateError::Overflow {
            what: "deformation gradient",
        };
        let right = deformation.transpose() * deformation;
        if !right.iter().all(|c| c.is_finite()) {
            return Err(overflow);
        }
        let eigen = SymmetricEigen::try_new(right, f64::EPSILON, MAX_ITERATIONS)
            .filter(|eigen| eigen.eigenvalues.iter().all(|value| *value > 0.0));
        let SymmetricEigen {
            eigenvectors,
            eigenvalues,
        } = eigen.ok_or(overflow)?;
        let rotation = mandel::rotation(&eigenvectors);
        let logarithms = eigenvalues.map(|value| 0.5 * value.ln());
        let principal = Mandel::from_fn(|i, _| if i < 3 { logarithms[i] } else { 0.0 });
        Ok(Self {
            eigenvalues,
            rotation,
            strain: rotation * principal,
        })
    }

    /// `E`, Mandel.
    pub fn strain(&self) -> &Mandel {
        &self.strain
    }

    /// `∂E/∂E_GL`, symmetric.
    pub fn derivative(&self) -> Moduli {
        let entries = Mandel::from_fn(|k, _| {
            let (i, j) = mandel::PAIRS[k];
            2.0 * first_difference(self.eigenvalues[i], self.eigenvalues[j])
        });
        self.rotation * Moduli::from_diagonal(&entries) * self.rotation.transpose()
    }

    /// `T · ∂²E/∂E_GL²`, symmetric.
    pub fn second_derivative(&self, stress: &Mandel) -> Moduli {
        let stress = mandel::to_tensor(&(self.rotation.transpose() * stress));
        let units: [Matrix3<f64>; 6] = std::array::from_fn(|k| {
            let mut unit = Mandel::zeros();
            unit[k] = 1.0;
            mandel::to_tensor(&unit)
        });
        let mut local = Moduli::zeros();
        for i in 0..3 {
            for j in 0..3 {
                for k in 0..3 {
                    let [a, b, c] = [i, k, j].map(|i| self.eigenvalues[i]);
                    let weight = 4.0 * second_difference(a, b, c) * stress[(i, j)];
                    for (row, h) in units.iter().enumerate() {
                        for (column, g) in units.iter().enumerate() {
                            local[(row, column)] +=
                                weight * (h[(i, k)] * g[(k, j)] + g[(i, k)] * h[(k, j)]);
                        }
                    }
                }
            }
        }
        self.rotation * local * self.rotation.transpose()
    }
}

/// `f[a, b] = (f(a) − f(b)) / (a − b)` of `f = ½ ln`.
fn first_difference(a: f64, b: f64) -> f64 {
    let x = (a - b) / b;
    let slope = if x == 0.0 { 1.0 } else { x.ln_1p() / x };
    0.5 * slope / b
}

/// `f[a, b, c] = (f[b, c] − f[a, b]) / (c − a)` of `f = ½ ln`.
fn second_difference(a: f64, b: f64, c: f64) -> f64 {
    let mut sorted = [a, b, c];
    sorted.sort_by(f64::total_cmp);
    let [a, b, c] = sorted;
    let mean = (a + b + c) / 3.0;
    if c - a > CLOSE * mean {
        return (first_difference(b, c) - first_difference(a, b)) / (c - a);
    }
    // Taylor's series about the mean: Σ_m f⁽ᵐ⁺²⁾/(m+2)! h_m with the complete homogeneous
    // polynomials h_m of the deviations, and f⁽ⁿ⁾/n! = ½ (−1)ⁿ⁻¹ / (n meanⁿ).
    let d = sorted.map(|value| (value - mean) / mean);
    let [mut one, mut two, mut three] = [1.0; 3];
    let (mut sum, mut sign) = (0.0, -1.0);
    for m in 0..TERMS {
        sum += sign * three / (m + 2) as f64;
        sign = -sign;
        // h_{m+1} of one, two, three deviations: h(d_1 … d_k) = h(d_1 … d_{k−1}) + d_k h_m(d_1 … d_k)
        one *= d[0];
        two = one + d[1] * two;
        three = two + d[2] * three;
    }
    0.5 * sum / (mean * mean)
}
