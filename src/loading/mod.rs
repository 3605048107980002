//! Loading programmes: ramps, cycles, relaxation, creep, rate jumps, random and Gaussian-process
//! paths.
//!
//! A [`ProgrammeKind`] describes one in a few numbers, as a material card lists it, and builds it
//! for a law's number of components.

mod build;
mod kind;
mod random;

pub use kind::{NamedProgramme, Others, ProgrammeKind};
pub use random::Kernel;

use crate::error::{Error, Result};
use crate::mandel::positions;

/// Most steps that a programme may have.
pub const MAX_STEPS: usize = 10_000_000;

/// What is prescribed on one strain component at the end of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// Mandel strain.
    Strain(f64),
    /// Mandel stress, MPa.
    Stress(f64),
}

/// One step: reach the targets linearly over `dt`.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadStep {
    /// Seconds.
    pub dt: f64,
    /// One entry per component.
    pub targets: Vec<Control>,
    /// External variables at the end of the step.
    pub external: Vec<f64>,
}

/// A loading programme: increments one after the other from the virgin state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Programme {
    pub name: String,
    /// 1, 3 or 6.
    pub components: usize,
    pub external_names: Vec<String>,
    pub steps: Vec<LoadStep>,
}

impl Programme {
    /// Checks what every driver of a programme relies on: 1, 3 or 6 components, one target per
    /// component and one value per external variable in each step, finite numbers, `dt ≥ 0`.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the programme and the step (from 0).
    pub fn check(&self) -> Result<()> {
        let fail = |what: String| {
            Err(Error::invalid(format!(
                "loading programme `{}`: {what}",
                self.name
            )))
        };
        if positions(self.components).is_none() {
            return fail(format!(
                "{} components, a law has 1, 3 or 6",
                self.components
            ));
        }
        if self.steps.is_empty() || self.steps.len() > MAX_STEPS {
            let count = self.steps.len();
            return fail(format!("{count} steps, 1 to {MAX_STEPS} are possible"));
        }
        for (i, step) in self.steps.iter().enumerate() {
            if !(step.dt.is_finite() && step.dt >= 0.0) {
                return fail(format!("step {i}: time step {} s", step.dt));
            }
            if step.targets.len() != self.components {
                return fail(format!("step {i}: {} targets", step.targets.len()));
            }
            if step.external.len() != self.external_names.len() {
                let count = step.external.len();
                return fail(format!("step {i}: {count} external variables"));
            }
            let targets = step.targets.iter().map(|target| match target {
                Control::Strain(value) | Control::Stress(value) => value,
            });
            if let Some(value) = targets.chain(&step.external).find(|v| !v.is_finite()) {
                return fail(format!("step {i}: {value} is not finite"));
            }
        }
        Ok(())
    }
}
