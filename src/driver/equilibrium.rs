//! One increment under mixed control: the strains at which the prescribed stresses are met.

use super::DriverOptions;
use crate::error::UpdateError;
use crate::law::{MAX_COMPONENTS, MaterialLaw};
use crate::laws::mixed_control::{
    ControlledIncrement, Evaluation, Failure, FreeComponents, Limits,
};
use crate::mandel::Mandel;
use std::mem::swap;

/// Compliances of the restarts, over the typical strain by the typical stress: elastic to plastic.
const RESTARTS: [f64; 3] = [0.1, 0.3, 1.0];

/// What is prescribed at the end of one increment.
pub(super) struct Goal<'a> {
    /// Strain, or stress at the free components.
    pub value: Mandel,
    /// The components under stress control.
    pub free: FreeComponents,
    pub dt: f64,
    pub external_old: &'a [f64],
    pub external_new: &'a [f64],
}

/// A material point: the accepted state, and two candidates for the next one. The accepted state
/// is only ever replaced as a whole, by a candidate in equilibrium.
pub(super) struct MaterialPoint<'a> {
    law: &'a dyn MaterialLaw,
    pub accepted: Evaluation,
    current: Evaluation,
    trial: Evaluation,
}

impl<'a> MaterialPoint<'a> {
    /// The virgin state at zero strain. Its stress and tangent are those of an empty increment,
    /// whose new state is discarded.
    pub fn new(law: &'a dyn MaterialLaw, external: &[f64]) -> Result<Self, UpdateError> {
        let virgin = Evaluation {
            state: law.new_state(),
            ..Evaluation::default()
        };
        let mut point = Self {
            law,
            current: virgin.clone(),
            trial: virgin.clone(),
            accepted: virgin,
        };
        let nothing = Goal {
            value: Mandel::zeros(),
            free: FreeComponents([false; MAX_COMPONENTS]),
            dt: 0.0,
            external_old: external,
            external_new: external,
        };
        controlled(law, &point.accepted, &nothing).evaluate(&mut point.trial)?;
        point.accepted.response = point.trial.response.clone();
        Ok(point)
    }

    /// Advances to the goal, or leaves the accepted state as it was.
    ///
    /// Where the response has a kink at an empty increment, the tangent there may hold for neither
    /// side; Newton's method then starts again from strains moved off it.
    pub fn advance(&mut self, goal: &Goal, options: &DriverOptions) -> Result<(), Failure> {
        self.guess(goal)?;
        let mut result = self.iterate(goal, options);
        for compliance in RESTARTS {
            if !matches!(result, Err(Failure::NoEquilibrium { .. })) {
                break;
            }
            self.trial.strain = self.moved(goal, compliance);
            if self.evaluate_trial(goal).is_ok() {
                swap(&mut self.current, &mut self.trial);
                result = self.iterate(goal, options).or(result);
            }
        }
        result?;
        swap(&mut self.accepted, &mut self.current);
        Ok(())
    }

    /// Newton's method from `current`.
    fn iterate(&mut self, goal: &Goal, options: &DriverOptions) -> Result<(), Failure> {
        let limits = Limits {
            tolerance: options.tolerance,
            acceptable: options.tolerance,
            max_iterations: options.max_iterations,
        };
        // Round-off grows with the largest stress, also where another component carries it.
        let least = goal.free.part(&goal.value).amax();
        let least = least.max(self.law.scales().stress);
        controlled(self.law, &self.accepted, goal).solve(
            &mut self.current,
            &mut self.trial,
            &limits,
            |at| at.response.stress.amax().max(least),
        )
    }

    /// Evaluates the law at the strain of `trial`.
    fn evaluate_trial(&mut self, goal: &Goal) -> Result<(), UpdateError> {
        controlled(self.law, &self.accepted, goal).evaluate(&mut self.trial)
    }

    /// The accepted strains, the given ones at the goal.
    fn stayed(&self, goal: &Goal) -> Mandel {
        Mandel::from_fn(|i, _| match goal.free.0[i] {
            true => self.accepted.strain[i],
            false => goal.value[i],
        })
    }

    /// Free strains that move towards the goal by a share of the law's typical compliance.
    fn moved(&self, goal: &Goal, compliance: f64) -> Mandel {
        let scales = self.law.scales();
        let missing = goal
            .free
            .part(&(goal.value - self.accepted.response.stress));
        self.stayed(goal) + missing * (compliance * scales.strain / scales.stress)
    }

    /// Starts from the better of two guesses: free strains that follow the last tangent, which is
    /// right while loading goes on, and free strains that stay, which is right at a reversal.
    fn guess(&mut self, goal: &Goal) -> Result<(), Failure> {
        let stay = self.stayed(goal);
        self.trial.strain = stay;
        let stayed = self.evaluate_trial(goal);
        swap(&mut self.current, &mut self.trial);
        if goal.free.any() {
            let (tangent, stress) = (
                &self.accepted.response.tangent,
                &self.accepted.response.stress,
            );
            let missing = goal.value - stress - tangent * (stay - self.accepted.strain);
            if let Some(step) = goal.free.solve(tangent, &missing) {
                self.trial.strain = stay + step;
                let followed = self.evaluate_trial(goal).is_ok();
                if followed && (stayed.is_err() || self.trial.residual < self.current.residual) {
                    swap(&mut self.current, &mut self.trial);
                    return Ok(());
                }
            }
        }
        stayed.map_err(Failure::Law)
    }
}

/// The increment from an accepted state to a goal.
fn controlled<'a>(
    law: &'a dyn MaterialLaw,
    accepted: &'a Evaluation,
    goal: &Goal<'a>,
) -> ControlledIncrement<'a, dyn MaterialLaw + 'a> {
    ControlledIncrement {
        law,
        strain_old: &accepted.strain.as_slice()[..law.components()],
        state_old: &accepted.state,
        dt: goal.dt,
        external_old: goal.external_old,
        external_new: goal.external_new,
        free: goal.free,
        stress: goal.value,
    }
}
