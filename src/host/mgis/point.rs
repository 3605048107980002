//! The update of one integration point, in the stress measure and tangent that the host requests.

use crate::finite_strain::{FiniteIncrement, FiniteResponse, FiniteStrain, TENSOR_PLACES};
use crate::host::HostError;
use crate::host::pointer::read;
use crate::host::state::States;
use crate::law::{Departure, Increment, MaterialLaw, Response, Status};
use nalgebra::Matrix3;
use std::sync::Arc;

/// Largest tangent: `∂P/∂F`.
const MAX_TANGENT: usize = 81;

/// The outputs of a call.
pub(super) struct Outputs {
    pub forces: [f64; 9],
    pub force_count: usize,
    pub tangent: [f64; MAX_TANGENT],
    pub tangent_count: usize,
    pub stored_energy: f64,
    pub dissipation: f64,
    pub status: Status,
    /// In what the increment is outside the range of the law.
    pub departure: Option<Departure>,
}

/// One point, with its law in the stress state of the call.
pub(super) struct IntegrationPoint<'a> {
    pub law: &'a Arc<dyn MaterialLaw>,
    pub gradient_old: *const f64,
    pub gradient_new: *const f64,
    pub dt: f64,
    pub external_old: &'a [f64],
    pub external_new: &'a [f64],
}

impl IntegrationPoint<'_> {
    /// # Safety
    /// The gradients are null or lead to as many numbers as the law has components.
    pub unsafe fn small(&self, states: &mut States) -> Result<Outputs, HostError> {
        let n = self.law.components();
        // SAFETY: as the caller promises.
        let (old, new) = unsafe {
            (
                read::<6>("strain", self.gradient_old, n)?,
                read::<6>("strain", self.gradient_new, n)?,
            )
        };
        let increment = Increment {
            strain_old: &old[..n],
            strain_new: &new[..n],
            dt: self.dt,
            external_old: self.external_old,
            external_new: self.external_new,
        };
        let mut response = Response::default();
        self.law
            .update(&increment, &states.old, &mut states.new, &mut response)?;
        let outputs = Outputs::new(
            n,
            n,
            |i| response.stress[i],
            |i, j| response.tangent[(i, j)],
            (response.stored_energy, response.dissipation),
            response.status,
        );
        Ok(outputs.with_departure(|| self.law.departure(&increment)))
    }

    /// # Safety
    /// The gradients are null or lead to nine numbers, or to five where the law has four
    /// components.
    pub unsafe fn finite(
        &self,
        states: &mut States,
        stress: f64,
        tangent: f64,
    ) -> Result<Outputs, HostError> {
        let law = FiniteStrain::new(self.law.clone())?;
        let (n, m) = match self.law.components() {
            6 => (6, 9),
            _ => (4, 5),
        };
        // SAFETY: as the caller promises.
        let (old, new) = unsafe {
            (
                deformation(read("deformation gradient", self.gradient_old, m)?, m),
                deformation(read("deformation gradient", self.gradient_new, m)?, m),
            )
        };
        let increment = FiniteIncrement {
            deformation_old: &old,
            deformation_new: &new,
            dt: self.dt,
            external_old: self.external_old,
            external_new: self.external_new,
        };
        let answer = law.update(&increment, &states.old, &mut states.new)?;
        let outputs = answer.outputs(n, m, stress, tangent)?;
        Ok(outputs.with_departure(|| law.departure(&increment)))
    }
}

/// The deformation gradient of the first nine, or five, components.
fn deformation(values: [f64; 9], count: usize) -> Matrix3<f64> {
    let mut tensor = Matrix3::zeros();
    for (value, place) in values.iter().zip(TENSOR_PLACES).take(count) {
        tensor[place] = *value;
    }
    tensor
}

impl FiniteResponse {
    /// The stress that `K[1]` selects and the tangent that `K[2]` selects.
    fn outputs(&self, n: usize, m: usize, stress: f64, tangent: f64) -> Result<Outputs, HostError> {
        let unknown = |what: &str, value| {
            Err(HostError::call(format!(
                "{what} = {value} is not supported"
            )))
        };
        let energies = (self.stored_energy, self.dissipation);
        let symmetric = |i: usize, tensor: &Matrix3<f64>| crate::mandel::from_tensor(tensor)[i];
        let force: &dyn Fn(usize) -> f64 = match stress {
            0.0 => &|i| symmetric(i, &self.cauchy()),
            1.0 => &|i| self.second_piola[i],
            2.0 => &|i| self.first_piola()[TENSOR_PLACES[i]],
            other => return unknown("stress measure K[1]", other),
        };
        let forces = if stress == 2.0 { m } else { n };
        let mut outputs = Outputs::new(forces, 0, force, |_, _| 0.0, energies, self.status);
        match tangent {
            0.0 => {
                let tangent = self.cauchy_tangent();
                outputs.set_tangent(n, m, |i, j| tangent[(i, j)]);
            }
            1.0 => outputs.set_tangent(n, n, |i, j| self.tangent[(i, j)]),
            2.0 => {
                let tangent = self.first_piola_tangent();
                outputs.set_tangent(m, m, |i, j| tangent[(i, j)]);
            }
            other => return unknown("tangent K[2]", other),
        }
        Ok(outputs)
    }
}

impl Outputs {
    fn new(
        forces: usize,
        tangent: usize,
        force: impl Fn(usize) -> f64,
        slope: impl Fn(usize, usize) -> f64,
        (stored_energy, dissipation): (f64, f64),
        status: Status,
    ) -> Self {
        let mut outputs = Self {
            forces: std::array::from_fn(|i| if i < forces { force(i) } else { 0.0 }),
            force_count: forces,
            tangent: [0.0; MAX_TANGENT],
            tangent_count: 0,
            stored_energy,
            dissipation,
            status,
            departure: None,
        };
        outputs.set_tangent(tangent, tangent, slope);
        outputs
    }

    fn with_departure(mut self, departure: impl FnOnce() -> Option<Departure>) -> Self {
        if self.status == Status::Outside {
            self.departure = departure();
        }
        self
    }

    /// Row by row.
    fn set_tangent(&mut self, rows: usize, columns: usize, slope: impl Fn(usize, usize) -> f64) {
        for i in 0..rows {
            for j in 0..columns {
                self.tangent[i * columns + j] = slope(i, j);
            }
        }
        self.tangent_count = rows * columns;
    }
}
