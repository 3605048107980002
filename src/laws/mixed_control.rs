//! Newton's method for an increment with some strains and, elsewhere, the stresses prescribed: plane
//! stress, uniaxial stress, the mixed control of the driver.
//!
//! ```text
//! σ_f(ε_g, ε_f, z_n) = σ̄_f        ε_f ← ε_f + C_ff⁻¹ (σ̄_f − σ_f)
//! ```
//!
//! with `g` the given and `f` the free components; `C` is the consistent tangent of the whole update. A
//! step is shortened until the residual falls. Where the update of a trial fails, its error gives the factor.
//!
//! Source: S. Klinkel, S. Govindjee, Eng. Comput. 19 (2002) 147–164.

use crate::error::UpdateError;
use crate::law::{Increment, MAX_COMPONENTS, MaterialLaw, Response};
use crate::mandel::{Mandel, Moduli};
use std::mem::swap;

/// Shortest share of a Newton step that the line search tries.
const SHORTEST: f64 = 1.0 / 2048.0;
/// Part of the predicted decrease of the residual that a step must achieve.
const SUFFICIENT: f64 = 1e-4;

/// The components with an unknown strain and a prescribed stress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FreeComponents(pub [bool; MAX_COMPONENTS]);

impl FreeComponents {
    pub fn any(&self) -> bool {
        self.0.contains(&true)
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..MAX_COMPONENTS).filter(|&i| self.0[i])
    }

    /// The vector with zeros at the given components.
    pub fn part(&self, vector: &Mandel) -> Mandel {
        Mandel::from_fn(|i, _| if self.0[i] { vector[i] } else { 0.0 })
    }

    /// `C_ff`, with the identity at the given components.
    fn block(&self, tangent: &Moduli) -> Moduli {
        let mut block = *tangent;
        for component in (0..MAX_COMPONENTS).filter(|&i| !self.0[i]) {
            block.row_mut(component).fill(0.0);
            block.column_mut(component).fill(0.0);
            block[(component, component)] = 1.0;
        }
        block
    }

    /// `C_ff⁻¹ r_f`, zero at the given components; `None` where the block is singular.
    pub fn solve(&self, tangent: &Moduli, right: &Mandel) -> Option<Mandel> {
        let step = self.block(tangent).lu().solve(&self.part(right))?;
        step.iter().all(|s| s.is_finite()).then_some(step)
    }

    /// Rows `f` of the result are `C_ff⁻¹ C_fg`: how the free strains follow the given ones.
    pub fn coupling(&self, tangent: &Moduli) -> Option<Moduli> {
        let mut right = *tangent;
        for component in (0..MAX_COMPONENTS).filter(|&i| !self.0[i]) {
            right.row_mut(component).fill(0.0);
        }
        self.block(tangent).lu().solve(&right)
    }
}

/// When the iteration ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Residual over its scale at which it has converged.
    pub tolerance: f64,
    /// Residual over its scale that is accepted where no step makes it smaller.
    pub acceptable: f64,
    pub max_iterations: usize,
}

/// Why no equilibrium was found.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
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

/// A strain, and the response of the law.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evaluation {
    /// The components of the law, zeros after them.
    pub strain: Mandel,
    /// The new internal variables.
    pub state: Vec<f64>,
    pub response: Response,
    /// Norm of the stresses that miss their prescribed values, MPa.
    pub residual: f64,
}

/// An increment under mixed control.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControlledIncrement<'a, L: ?Sized> {
    pub law: &'a L,
    /// `[n]`, as the law has components.
    pub strain_old: &'a [f64],
    pub state_old: &'a [f64],
    pub dt: f64,
    pub external_old: &'a [f64],
    pub external_new: &'a [f64],
    pub free: FreeComponents,
    /// `σ̄`, MPa; only the free components are used.
    pub stress: Mandel,
}

impl Evaluation {
    /// Zeros, in the memory of a state of another law.
    pub fn with_memory(mut state: Vec<f64>, states: usize) -> Self {
        state.clear();
        state.resize(states, 0.0);
        Self {
            state,
            ..Self::default()
        }
    }
}

impl<L: MaterialLaw + ?Sized> ControlledIncrement<'_, L> {
    /// Evaluates the law at the strain of `at`, whose state has the law's length.
    pub fn evaluate(&self, at: &mut Evaluation) -> Result<(), UpdateError> {
        // A Newton step from valid inputs: a shorter one can help.
        if !at.strain.iter().all(|e| e.is_finite()) {
            return Err(UpdateError::Overflow { what: "strain" });
        }
        let increment = Increment {
            strain_old: self.strain_old,
            strain_new: &at.strain.as_slice()[..self.strain_old.len()],
            dt: self.dt,
            external_old: self.external_old,
            external_new: self.external_new,
        };
        self.law
            .update(&increment, self.state_old, &mut at.state, &mut at.response)?;
        if !at.response.stress.iter().all(|s| s.is_finite()) {
            return Err(UpdateError::Overflow { what: "stress" });
        }
        at.residual = self.missing(&at.response).norm();
        Ok(())
    }

    /// Prescribed minus actual stress at the free components.
    fn missing(&self, response: &Response) -> Mandel {
        self.free.part(&(self.stress - response.stress))
    }

    /// Newton's method from `current`, which must have been evaluated; the solution replaces it.
    /// `candidate` is memory for trials; `scale` is the stress that the residual is compared with.
    pub fn solve(
        &self,
        current: &mut Evaluation,
        candidate: &mut Evaluation,
        limits: &Limits,
        scale: impl Fn(&Evaluation) -> f64,
    ) -> Result<(), Failure> {
        // References are exchanged, not the evaluations, which are large.
        let (mut at, mut trial) = (&mut *current, &mut *candidate);
        let (mut iterations, mut exchanged) = (0, false);
        loop {
            let scale = scale(at);
            if at.residual <= limits.tolerance * scale {
                break;
            }
            let mut fell = false;
            if iterations < limits.max_iterations {
                let missing = self.missing(&at.response);
                if let Some(step) = self.free.solve(&at.response.tangent, &missing) {
                    iterations += 1;
                    fell = self.search(at, trial, &step).map_err(Failure::Law)?;
                }
            }
            if fell {
                swap(&mut at, &mut trial);
                exchanged = !exchanged;
            } else if at.residual <= limits.acceptable * scale {
                break;
            } else {
                return Err(Failure::NoEquilibrium {
                    iterations,
                    residual: at.residual,
                });
            }
        }
        if exchanged {
            swap(current, candidate);
        }
        Ok(())
    }

    /// Evaluates shorter and shorter steps until the residual falls; `false` if it never does.
    fn search(
        &self,
        from: &Evaluation,
        trial: &mut Evaluation,
        step: &Mandel,
    ) -> Result<bool, UpdateError> {
        let mut length = 1.0;
        while length >= SHORTEST {
            trial.strain = from.strain + step * length;
            length *= match self.evaluate(trial) {
                Ok(()) if trial.residual < (1.0 - SUFFICIENT * length) * from.residual => {
                    return Ok(true);
                }
                Ok(()) => 0.5,
                Err(error) => error.cut().ok_or(error)?,
            };
        }
        Ok(false)
    }
}
