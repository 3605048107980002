//! Memory of a batched update.

use super::{BatchInput, BatchOutput, MaterialLaw, Status};
use crate::error::BatchError;

/// The arrays of a batched update, component-major over points: what [`BatchInput`] and
/// [`BatchOutput`] borrow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    pub points: usize,
    /// `[n][points]`
    pub strain_old: Vec<f64>,
    /// `[n][points]`
    pub strain_new: Vec<f64>,
    /// `[points]`, seconds
    pub dt: Vec<f64>,
    /// `[m][points]`
    pub external_old: Vec<f64>,
    /// `[m][points]`
    pub external_new: Vec<f64>,
    /// `[states][points]`
    pub state_old: Vec<f64>,
    /// `[states][points]`
    pub state_new: Vec<f64>,
    /// `[n][points]`, MPa
    pub stress: Vec<f64>,
    /// `[n][n][points]`, MPa
    pub tangent: Vec<f64>,
    /// `[points]`, MJ/m³
    pub stored_energy: Vec<f64>,
    /// `[points]`, MJ/m³
    pub dissipation: Vec<f64>,
    /// `[points]`
    pub status: Vec<Status>,
}

impl Batch {
    /// Virgin material without strain; no time passes, and external variables are the
    /// [typical](MaterialLaw::typical_external) ones, until they are set.
    pub fn new<L: MaterialLaw + ?Sized>(law: &L, points: usize) -> Self {
        let mut batch = Self::default();
        batch.resize(law, points);
        let virgin = law.new_state();
        let states = batch.state_old.iter_mut().enumerate();
        states.for_each(|(k, z)| *z = virgin[k / points]);
        let typical = law.typical_external();
        for external in [&mut batch.external_old, &mut batch.external_new] {
            let values = external.iter_mut().enumerate();
            values.for_each(|(k, value)| *value = typical[k / points]);
        }
        batch
    }

    /// Memory for so many points of a law; what it holds is not to be used.
    pub(super) fn resize<L: MaterialLaw + ?Sized>(&mut self, law: &L, points: usize) {
        let (n, s) = (law.components(), law.state_layout().len());
        let m = law.external_variables().len();
        self.points = points;
        for (rows, values) in [
            (n, &mut self.strain_old),
            (n, &mut self.strain_new),
            (1, &mut self.dt),
            (m, &mut self.external_old),
            (m, &mut self.external_new),
            (s, &mut self.state_old),
            (s, &mut self.state_new),
            (n, &mut self.stress),
            (n * n, &mut self.tangent),
            (1, &mut self.stored_energy),
            (1, &mut self.dissipation),
        ] {
            values.resize(rows * points, 0.0);
        }
        self.status.resize(points, Status::Inside);
    }

    /// What an update reads, and what it writes.
    pub fn split(&mut self) -> (BatchInput<'_>, BatchOutput<'_>) {
        let input = BatchInput {
            points: self.points,
            strain_old: &self.strain_old,
            strain_new: &self.strain_new,
            dt: &self.dt,
            external_old: &self.external_old,
            external_new: &self.external_new,
            state: &self.state_old,
        };
        let output = BatchOutput {
            state: &mut self.state_new,
            stress: &mut self.stress,
            tangent: &mut self.tangent,
            stored_energy: &mut self.stored_energy,
            dissipation: &mut self.dissipation,
            status: &mut self.status,
        };
        (input, output)
    }

    /// See [`MaterialLaw::update_batch`].
    pub fn update<L: MaterialLaw + ?Sized>(&mut self, law: &L) -> Result<(), BatchError> {
        let (input, mut output) = self.split();
        law.update_batch(&input, &mut output)
    }

    /// Takes the new state, strain and external variables for the old ones.
    pub fn accept(&mut self) {
        self.strain_old.copy_from_slice(&self.strain_new);
        self.external_old.copy_from_slice(&self.external_new);
        self.state_old.copy_from_slice(&self.state_new);
    }
}
