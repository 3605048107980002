//! Updates of the benchmarks.

use hysteron::error::UpdateError;
use hysteron::law::{Batch, Increment, MaterialLaw, Response};

/// Virgin material strained to `strain [n][points]` in 0.1 s.
pub fn batch(law: &dyn MaterialLaw, strain: Vec<f64>) -> Batch {
    let mut batch = Batch::new(law, strain.len() / law.components());
    batch.strain_new = strain;
    batch.dt.fill(0.1);
    batch
}

/// Inputs and outputs of one point.
pub struct Point {
    strain_old: Vec<f64>,
    strain_new: Vec<f64>,
    dt: f64,
    state_old: Vec<f64>,
    state_new: Vec<f64>,
    response: Response,
}

impl Point {
    /// The first point of a batch.
    pub fn first(batch: &Batch) -> Self {
        let first = |values: &[f64]| values.iter().step_by(batch.points).copied().collect();
        Self {
            strain_old: first(&batch.strain_old),
            strain_new: first(&batch.strain_new),
            dt: batch.dt[0],
            state_old: first(&batch.state_old),
            state_new: first(&batch.state_new),
            response: Response::default(),
        }
    }

    pub fn update(&mut self, law: &dyn MaterialLaw) -> Result<(), UpdateError> {
        let increment = Increment {
            strain_old: &self.strain_old,
            strain_new: std::hint::black_box(&self.strain_new),
            dt: self.dt,
            external_old: &[],
            external_new: &[],
        };
        let (old, new) = (&self.state_old, &mut self.state_new);
        law.update(&increment, old, new, &mut self.response)
    }
}
