//! One increment under mixed control: the strains at which the prescribed stresses are met.

use super::DriverOptions;
use crate::error::UpdateError;
use crate::law::{Increment, MAX_COMPONENTS, MaterialLaw, Response};
use crate::mandel::{Mandel, Moduli};
use std::mem::swap;

/// Shortest Newton step that the line search tries.
const SHORTEST: f64 = 1.0 / 1024.0;
/// Part of the predicted decrease of the residual that a Newton step must achieve.
const SUFFICIENT: f64 = 1e-4;

/// Compliances of the restarts, over the typical strain by the typical stress: elastic to plastic.
const RESTARTS: [f64; 3] = [0.1, 0.3, 1.0];

/// What is prescribed at the end of one increment.
pub(super) struct Goal<'a> {
    /// Strain, or stress where `stress_controlled`.
    pub value: [f64; MAX_COMPONENTS],
    pub stress_controlled: [bool; MAX_COMPONENTS],
    pub dt: f64,
    pub external_old: &'a [f64],
    pub external_new: &'a [f64],
}

/// Why an increment was not completed.
pub(super) enum Failure {
    Law(UpdateError),
    NoEquilibrium { iterations: usize, residual: f64 },
}

impl Failure {
    /// The factor by which to shrink the increment, `None` where that cannot help.
    pub fn cut(&self) -> Option<f64> {
        match self {
            Self::Law(error) => error.cut(),
            Self::NoEquilibrium { .. } => Some(0.5),
        }
    }
}

/// A strain, and what the law answers to it.
#[derive(Clone)]
pub(super) struct Candidate {
    pub strain: [f64; MAX_COMPONENTS],
    pub state: Vec<f64>,
    pub response: Response,
    /// Norm of the stresses that miss their goal, MPa.
    residual: f64,
}

/// A material point: the accepted state, and two candidates for the next one. The accepted state
/// is only ever replaced as a whole, by a candidate in equilibrium.
pub(super) struct Point<'a> {
    law: &'a dyn MaterialLaw,
    pub accepted: Candidate,
    current: Candidate,
    trial: Candidate,
}

impl<'a> Point<'a> {
    /// The virgin state at zero strain. Its stress and tangent are those of an empty increment,
    /// whose new state is dropped.
    pub fn new(law: &'a dyn MaterialLaw, external: &[f64]) -> Result<Self, UpdateError> {
        let virgin = Candidate {
            strain: [0.0; MAX_COMPONENTS],
            state: law.new_state(),
            response: Response::default(),
            residual: 0.0,
        };
        let mut point = Self {
            law,
            current: virgin.clone(),
            trial: virgin.clone(),
            accepted: virgin,
        };
        let nothing = Goal {
            value: [0.0; MAX_COMPONENTS],
            stress_controlled: [false; MAX_COMPONENTS],
            dt: 0.0,
            external_old: external,
            external_new: external,
        };
        point.try_strain(&nothing, [0.0; MAX_COMPONENTS])?;
        point.accepted.response = point.trial.response.clone();
        Ok(point)
    }

    /// Advances to the goal, or leaves the accepted state as it was.
    ///
    /// A law whose answer has a kink at an empty increment may have a tangent there that says
    /// nothing of either side; Newton's method then starts again from strains moved off it.
    pub fn advance(&mut self, goal: &Goal, options: &DriverOptions) -> Result<(), Failure> {
        self.guess(goal)?;
        let mut result = self.iterate(goal, options);
        for compliance in RESTARTS {
            if !matches!(result, Err(Failure::NoEquilibrium { .. })) {
                break;
            }
            let start = self.moved(goal, compliance);
            if self.try_strain(goal, start).is_ok() {
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
        let mut iterations = 0;
        while self.current.residual > self.threshold(goal, options) {
            let step = match self.newton_step(goal) {
                Some(step) if iterations < options.max_iterations => step,
                _ => return Err(self.no_equilibrium(iterations)),
            };
            iterations += 1;
            if !self.search(goal, &step)? {
                return Err(self.no_equilibrium(iterations));
            }
        }
        Ok(())
    }

    /// The accepted strains, moved towards the goal by a share of the law's typical compliance.
    fn moved(&self, goal: &Goal, compliance: f64) -> [f64; MAX_COMPONENTS] {
        let scales = self.law.scales();
        let mut strain = self.accepted.strain;
        for (i, strain) in strain[..self.law.components()].iter_mut().enumerate() {
            if goal.stress_controlled[i] {
                let missing = goal.value[i] - self.accepted.response.stress[i];
                *strain += compliance * missing * scales.strain / scales.stress;
            } else {
                *strain = goal.value[i];
            }
        }
        strain
    }

    /// Starts from the better of two guesses: free strains that follow the last tangent, which is
    /// right while loading goes on, and free strains that stay, which is right at a reversal.
    fn guess(&mut self, goal: &Goal) -> Result<(), Failure> {
        let mut stay = self.accepted.strain;
        let mut change = Mandel::zeros();
        for i in 0..self.law.components() {
            if goal.stress_controlled[i] {
                change[i] = goal.value[i] - self.accepted.response.stress[i];
            } else {
                change[i] = goal.value[i] - stay[i];
                stay[i] = goal.value[i];
            }
        }
        if !goal.stress_controlled.contains(&true) {
            self.try_strain(goal, stay).map_err(Failure::Law)?;
            swap(&mut self.current, &mut self.trial);
            return Ok(());
        }
        let stayed = self.try_strain(goal, stay);
        swap(&mut self.current, &mut self.trial);
        if let Some(step) = self.solve(&self.accepted.response.tangent, goal, change) {
            let mut follow = stay;
            for i in 0..self.law.components() {
                if goal.stress_controlled[i] {
                    follow[i] += step[i];
                }
            }
            let followed = self.try_strain(goal, follow);
            if followed.is_ok() && (stayed.is_err() || self.trial.residual < self.current.residual)
            {
                swap(&mut self.current, &mut self.trial);
                return Ok(());
            }
        }
        stayed.map_err(Failure::Law)
    }

    /// Evaluates the law at a strain into `trial`.
    fn try_strain(
        &mut self,
        goal: &Goal,
        strain: [f64; MAX_COMPONENTS],
    ) -> Result<(), UpdateError> {
        let n = self.law.components();
        let trial = &mut self.trial;
        trial.strain = strain;
        let increment = Increment {
            strain_old: &self.accepted.strain[..n],
            strain_new: &trial.strain[..n],
            dt: goal.dt,
            external_old: goal.external_old,
            external_new: goal.external_new,
        };
        self.law.update(
            &increment,
            &self.accepted.state,
            &mut trial.state,
            &mut trial.response,
        )?;
        if !trial.response.stress.iter().all(|s| s.is_finite()) {
            return Err(UpdateError::Overflow { what: "stress" });
        }
        trial.residual = missing_stress(goal, &trial.response).norm();
        Ok(())
    }

    fn threshold(&self, goal: &Goal, options: &DriverOptions) -> f64 {
        let prescribed = (0..self.law.components())
            .filter(|&i| goal.stress_controlled[i])
            .map(|i| goal.value[i].abs());
        // Round-off grows with the largest stress, also where another component carries it.
        let stress = self.current.response.stress.amax();
        options.tolerance * prescribed.fold(self.law.scales().stress.max(stress), f64::max)
    }

    fn newton_step(&self, goal: &Goal) -> Option<Mandel> {
        let missing = missing_stress(goal, &self.current.response);
        self.solve(&self.current.response.tangent, goal, missing)
    }

    /// Strain step for given changes of the prescribed strains and stresses.
    fn solve(&self, tangent: &Moduli, goal: &Goal, change: Mandel) -> Option<Mandel> {
        let n = self.law.components();
        let stiffness = match tangent.amax() {
            0.0 => 1.0,
            largest => largest,
        };
        let mut matrix = Moduli::identity();
        let mut right = Mandel::zeros();
        for i in 0..n {
            if goal.stress_controlled[i] {
                for j in 0..n {
                    matrix[(i, j)] = tangent[(i, j)] / stiffness;
                }
                right[i] = change[i] / stiffness;
            } else {
                right[i] = change[i];
            }
        }
        let step = matrix.lu().solve(&right)?;
        step.iter().all(|s| s.is_finite()).then_some(step)
    }

    /// Shortens the Newton step until the residual decreases; `false` if it never does.
    fn search(&mut self, goal: &Goal, step: &Mandel) -> Result<bool, Failure> {
        let mut length = 1.0;
        while length >= SHORTEST {
            let mut strain = self.current.strain;
            for i in 0..self.law.components() {
                if goal.stress_controlled[i] {
                    strain[i] += length * step[i];
                }
            }
            let shrink = match self.try_strain(goal, strain) {
                Ok(())
                    if self.trial.residual
                        < (1.0 - SUFFICIENT * length) * self.current.residual =>
                {
                    swap(&mut self.current, &mut self.trial);
                    return Ok(true);
                }
                Ok(()) => 0.5,
                Err(error) => match error.cut() {
                    Some(cut) => cut,
                    None => return Err(Failure::Law(error)),
                },
            };
            length *= shrink;
        }
        Ok(false)
    }

    fn no_equilibrium(&self, iterations: usize) -> Failure {
        Failure::NoEquilibrium {
            iterations,
            residual: self.current.residual,
        }
    }
}

/// Prescribed minus actual stress, zero where the strain is prescribed.
fn missing_stress(goal: &Goal, response: &Response) -> Mandel {
    Mandel::from_fn(|i, _| match goal.stress_controlled[i] {
        true => goal.value[i] - response.stress[i],
        false => 0.0,
    })
}
