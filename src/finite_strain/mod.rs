//! Finite strain: turns any small-strain law into an objective law of the deformation gradient.
//!
//! ```text
//! C = FᵀF        E = ½ ln C        T, z' = law(E_n → E)
//! S = P T        P = ∂E/∂E_GL
//! dS/dE_GL = P (dT/dE) P + T · ∂²E/∂E_GL²
//! ```
//!
//! with the Green–Lagrange strain `E_GL = ½(C − 1)` and the second Piola–Kirchhoff stress `S`. The
//! stress `T` is conjugate to the logarithmic strain, so that energy and dissipation are those of the
//! law, per undeformed volume. For an isotropic law of coaxial stress `T` is the rotated
//! Kirchhoff stress. The tangent is exact ([`LogarithmicStrain`]).
//!
//! Internal variables: those of the law, in the undeformed configuration; they are not rotated.
//!
//! Source: C. Miehe, N. Apel, M. Lambrecht, Comput. Methods Appl. Mech. Eng. 191 (2002) 5383–5425.
//!
//! Guaranteed: objectivity for any law; for energy and dissipation the guarantees of the law,
//! including isotropy.

mod logarithm;
mod response;

pub use logarithm::LogarithmicStrain;
pub use response::{FiniteResponse, TENSOR_PLACES};

use crate::error::{Error, Result, UpdateError};
use crate::law::{Departure, Increment, MaterialLaw, Response};
use crate::mandel::{Mandel, Moduli};
use nalgebra::Matrix3;

/// One increment of the deformation.
#[derive(Clone, Copy, Debug)]
pub struct FiniteIncrement<'a> {
    /// `F_n`
    pub deformation_old: &'a Matrix3<f64>,
    /// `F_{n+1}`
    pub deformation_new: &'a Matrix3<f64>,
    /// Seconds, `≥ 0`.
    pub dt: f64,
    pub external_old: &'a [f64],
    pub external_new: &'a [f64],
}

/// A small-strain law, evaluated at the logarithmic strain.
#[derive(Clone, Debug)]
pub struct FiniteStrain<L> {
    law: L,
}

impl<L: MaterialLaw> FiniteStrain<L> {
    /// # Errors
    /// A law with neither six components nor four (11, 22, 33, 12).
    pub fn new(law: L) -> Result<Self> {
        match law.components() {
            4 | 6 => Ok(Self { law }),
            n => Err(Error::invalid(format!(
                "finite strain needs a law with 6 components, or 4 in a section; `{}` has {n}",
                law.name()
            ))),
        }
    }

    pub fn law(&self) -> &L {
        &self.law
    }

    /// In what an increment is outside the range of the law, as [`MaterialLaw::departure`].
    pub fn departure(&self, increment: &FiniteIncrement) -> Option<Departure> {
        let n = self.law.components();
        let old = LogarithmicStrain::new(increment.deformation_old).ok()?;
        let new = LogarithmicStrain::new(increment.deformation_new).ok()?;
        self.law.departure(&Increment {
            strain_old: &old.strain().as_slice()[..n],
            strain_new: &new.strain().as_slice()[..n],
            dt: increment.dt,
            external_old: increment.external_old,
            external_new: increment.external_new,
        })
    }

    /// Advances one point. With four components there is no shear out of the plane 1–2.
    ///
    /// # Errors
    /// Those of the law; `det F ≤ 0`. The outputs are then unchanged.
    pub fn update(
        &self,
        increment: &FiniteIncrement,
        state_old: &[f64],
        state_new: &mut [f64],
    ) -> Result<FiniteResponse, UpdateError> {
        let n = self.law.components();
        let old = LogarithmicStrain::new(increment.deformation_old)?;
        let new = LogarithmicStrain::new(increment.deformation_new)?;
        let inner = Increment {
            strain_old: &old.strain().as_slice()[..n],
            strain_new: &new.strain().as_slice()[..n],
            dt: increment.dt,
            external_old: increment.external_old,
            external_new: increment.external_new,
        };
        let mut response = Response::default();
        self.law
            .update(&inner, state_old, state_new, &mut response)?;
        let (stress, tangent): (Mandel, Moduli) = (response.stress, response.tangent);
        let projection = new.derivative();
        Ok(FiniteResponse {
            deformation: *increment.deformation_new,
            second_piola: projection * stress,
            tangent: projection * tangent * projection + new.second_derivative(&stress),
            stored_energy: response.stored_energy,
            dissipation: response.dissipation,
            status: response.status,
        })
    }
}
