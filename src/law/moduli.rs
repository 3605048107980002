//! Elastic constants of the virgin material.

use super::{Increment, MaterialLaw, Response};
use nalgebra::DMatrix;
use std::fmt;

/// Size of the probing strains, over the strain scale of the law.
const PROBE: f64 = 1e-4;

/// Moduli of a law at rest, as secants over small strains: they also mean something for a law whose tangent of
/// an empty increment does not.
#[derive(Clone, Debug, PartialEq)]
pub struct InitialModuli {
    /// Young's modulus along each axis, MPa; of one component, its only stiffness.
    pub young: Vec<f64>,
    /// `ν_12 = −S_12/S_11`; a bar has none.
    pub poisson: Option<f64>,
    /// `G_12`, MPa; a bar has none.
    pub shear: Option<f64>,
}

impl InitialModuli {
    /// At the [typical](MaterialLaw::typical_external) external variables, within no time; `None` where the law
    /// does not answer or its stiffness is singular.
    pub fn of(law: &(impl MaterialLaw + ?Sized)) -> Option<Self> {
        let n = law.components();
        let external = law.typical_external();
        let (old, mut new) = (law.new_state(), law.new_state());
        let zero = vec![0.0; n];
        let size = PROBE * law.scales().strain;
        let mut stiffness = DMatrix::zeros(n, n);
        for column in 0..n {
            let mut strain = zero.clone();
            strain[column] = size;
            let mut response = Response::default();
            let increment = Increment {
                strain_old: &zero,
                strain_new: &strain,
                dt: 0.0,
                external_old: &external,
                external_new: &external,
            };
            law.update(&increment, &old, &mut new, &mut response).ok()?;
            for row in 0..n {
                stiffness[(row, column)] = response.stress[row] / size;
            }
        }
        let compliance = stiffness.try_inverse()?;
        let normals = match n {
            6 => 3,
            3 => 2,
            _ => 1,
        };
        let shear = (n > 1).then(|| 0.5 / compliance[(normals, normals)]);
        Some(Self {
            young: (0..normals).map(|i| 1.0 / compliance[(i, i)]).collect(),
            poisson: (n > 1).then(|| -compliance[(1, 0)] / compliance[(0, 0)]),
            shear,
        })
    }

    /// What is implausible of them: a modulus that is not positive, Poisson's ratio of an isotropic material
    /// outside zero to one half.
    pub fn doubt(&self, isotropic: bool) -> Option<String> {
        let moduli = self.young.iter().chain(&self.shear);
        if let Some(modulus) = moduli.copied().find(|m| m.is_nan() || *m <= 0.0) {
            return Some(format!(
                "a modulus of {modulus:.4e} MPa at rest is not positive"
            ));
        }
        let poisson = self.poisson.filter(|_| isotropic)?;
        (!(0.0..=0.5).contains(&poisson)).then(|| {
            format!(
                "Poisson's ratio of {poisson:.3} at rest is implausible: bars alone do not determine it, \
                 records of lateral strains or of other directions do"
            )
        })
    }
}

impl fmt::Display for InitialModuli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let young: Vec<_> = self.young.iter().map(|e| format!("{e:.5e}")).collect();
        let same = young.iter().all(|e| *e == young[0]);
        let young = if same {
            young[0].clone()
        } else {
            young.join(", ")
        };
        write!(f, "E {young} MPa")?;
        if let Some(poisson) = self.poisson {
            write!(f, ", ν₁₂ {poisson:.4}")?;
        }
        match self.shear {
            Some(shear) => write!(f, ", G₁₂ {shear:.5e} MPa"),
            None => Ok(()),
        }
    }
}
