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

/// The prescribed value of one component at the end of a step.
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

impl LoadStep {
    /// Checks that the numbers are finite, `dt ≥ 0`, and that there are so many; the error is a message.
    pub(crate) fn check(&self, components: usize, external: usize) -> Result<(), String> {
        if !(self.dt.is_finite() && self.dt >= 0.0) {
            return Err(format!("time step {} s", self.dt));
        }
        let count = self.targets.len();
        if count != components {
            return Err(format!("{count} targets for {components} components"));
        }
        let count = self.external.len();
        if count != external {
            return Err(format!("{count} values of {external} external variables"));
        }
        let targets = self.targets.iter().map(|target| match target {
            Control::Strain(value) | Control::Stress(value) => value,
        });
        match targets.chain(&self.external).find(|v| !v.is_finite()) {
            Some(value) => Err(format!("{value} is not finite")),
            None => Ok(()),
        }
    }
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
    /// [`Error::Invalid`] naming the programme and the step (from 1).
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
            if let Err(fault) = step.check(self.components, self.external_names.len()) {
                return fail(format!("step {}: {fault}", i + 1));
            }
        }
        Ok(())
    }
}
