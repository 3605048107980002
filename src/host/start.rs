//! The first stiffness of a step.

use crate::error::{BatchError, UpdateError};
use crate::law::{BatchInput, BatchOutput, Increment, MaterialLaw, Response, delegate};
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

fn is_empty(increment: &Increment) -> bool {
    increment.strain_old == increment.strain_new
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
        if is_empty(increment) {
            self.stiffen(increment, state_old, response);
        }
        Ok(())
    }

    fn update_batch(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        self.law.update_batch(input, output)?;
        let (n, points) = (self.components(), input.points);
        let external = self.external_variables().len();
        let states = self.state_layout().len();
        for point in 0..points {
            let of = |values: &[f64], count: usize| -> Vec<f64> {
                (0..count).map(|c| values[c * points + point]).collect()
            };
            let strains = [input.strain_old, input.strain_new].map(|strain| of(strain, n));
            let externals = [input.external_old, input.external_new].map(|e| of(e, external));
            let increment = Increment {
                strain_old: &strains[0],
                strain_new: &strains[1],
                dt: input.dt[point],
                external_old: &externals[0],
                external_new: &externals[1],
            };
            if !is_empty(&increment) {
                continue;
            }
            let mut response = Response::default();
            (0..n).for_each(|i| response.stress[i] = output.stress[i * points + point]);
            for (k, value) in of(output.tangent, n * n).into_iter().enumerate() {
                response.tangent[(k / n, k % n)] = value;
            }
            self.stiffen(&increment, &of(input.state, states), &mut response);
            for k in 0..n * n {
                output.tangent[k * points + point] = response.tangent[(k / n, k % n)];
            }
        }
        Ok(())
    }
}
