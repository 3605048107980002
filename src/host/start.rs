//! The first stiffness of a step.

use crate::error::{BatchError, UpdateError};
use crate::law::{
    BatchInput, BatchOutput, Increment, MaterialLaw, Response, delegate, update_one_by_one,
};
use std::sync::Arc;

/// Length of the probing increments, in strain scales.
const PROBE: f64 = 1e-6;

/// A law whose tangent at an empty increment means nothing, with the stiffness that the next increment meets.
///
/// Most programs begin a step with an increment of no strain, and take its tangent for the first iteration. A law
/// whose state follows the strain path does not move there: its tangent is that of the energy at a fixed state,
/// which can be negative. In its place stand the secants over small increments along each component; of the two
/// directions the stiffer one, which unloads as a rule: the elastic stiffness. A step along an empty increment
/// costs twice as many updates as the law has components. All other increments, and stress and state of the
/// empty ones, are those of the law.
pub(super) struct StartStiffness {
    law: Arc<dyn MaterialLaw>,
}

impl StartStiffness {
    pub fn new(law: Arc<dyn MaterialLaw>) -> Self {
        Self { law }
    }

    /// Replaces the tangent of an empty increment.
    fn stiffen(&self, increment: &Increment, state_old: &[f64], response: &mut Response) {
        let n = self.components();
        let length = PROBE * self.scales().strain;
        let mut state = state_old.to_vec();
        let mut strain = increment.strain_new.to_vec();
        for column in 0..n {
            let secants = [length, -length].map(|step| {
                strain[column] = increment.strain_new[column] + step;
                let probe = Increment {
                    strain_new: &strain,
                    ..*increment
                };
                let mut met = Response::default();
                self.law
                    .update(&probe, state_old, &mut state, &mut met)
                    .ok()?;
                Some((met.stress - response.stress) / step)
            });
            strain[column] = increment.strain_new[column];
            let stiffer = secants
                .into_iter()
                .flatten()
                .max_by(|a, b| a[column].total_cmp(&b[column]));
            if let Some(secant) = stiffer {
                response.tangent.set_column(column, &secant);
            }
        }
    }
}

impl MaterialLaw for StartStiffness {
    delegate!(law: name, components, external_variables, state_layout, initial_state, free_energy, guarantees,
        typical_external, departure, trained_path, scales);

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        self.law.update(increment, state_old, state_new, response)?;
        if increment.strain_old == increment.strain_new {
            self.stiffen(increment, state_old, response);
        }
        Ok(())
    }

    fn update_batch(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        self.law.update_batch(input, output)?;
        let (n, points) = (self.components(), input.points);
        for point in 0..points {
            let is_same = |c: usize| {
                input.strain_old[c * points + point] == input.strain_new[c * points + point]
            };
            if (0..n).all(is_same) {
                update_one_by_one(self, input, output, point..point + 1)?;
            }
        }
        Ok(())
    }
}
