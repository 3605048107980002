//! Any three-dimensional law under plane stress or uniaxial stress.
//!
//! The strains along the stress-free components are unknowns, found by Newton's method
//! (`laws/mixed_control.rs`); the tangent is condensed,
//!
//! ```text
//! C = C_gg − C_gf C_ff⁻¹ C_fg
//! ```
//!
//! with `g` the given and `f` the free components. That suffices for increments of thousands of yield
//! strains (`tests/every_law.rs`); where it does not, the error asks for a smaller increment.
//!
//! Internal variables: those of the inner law, then the free strains (so that the inner law gets its
//! true old strain). As `σ_f = 0`, the free strains contribute nothing to `D_end`.
//!
//! Source: S. Klinkel, S. Govindjee, Eng. Comput. 19 (2002) 147–164.
//!
//! Guaranteed: what the inner law guarantees, isotropy excepted (it concerns six components).

use super::mixed_control::{ControlledIncrement, Evaluation, Failure, FreeComponents, Limits};
use super::stress_state::require_solid;
use crate::error::{Error, Result, UpdateError};
use crate::law::{
    Guarantees, Increment, MAX_COMPONENTS, MaterialLaw, Response, StateLayout, delegate,
};
use crate::mandel::{Mandel, Moduli, StressState};
use crate::symmetry::Symmetry;
use std::cell::RefCell;

/// Stress in 11 only.
pub type UniaxialStress<L> = ZeroStress<L, 1>;
/// Stress in 11, 22 and 12 only.
pub type PlaneStress<L> = ZeroStress<L, 3>;

/// Residuals over (stiffness × strain + stress): what round-off leaves, and what is accepted where
/// round-off forbids a smaller one.
const LIMITS: Limits = Limits {
    tolerance: 1e-13,
    acceptable: 1e-10,
    max_iterations: 50,
};

/// A three-dimensional law of which the stress vanishes outside `N` components.
#[derive(Clone, Debug)]
pub struct ZeroStress<L, const N: usize> {
    law: L,
    name: String,
    stress_state: StressState,
    free: FreeComponents,
    layout: StateLayout,
    /// Norm of the virgin tangent, MPa: the scale of the residual.
    stiffness: f64,
}

thread_local! {
    /// New inner states of the current strain and of a trial.
    static STATES: RefCell<[Vec<f64>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

impl<L: MaterialLaw, const N: usize> ZeroStress<L, N> {
    /// `law` must have six components.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other laws, and for an `N` other than 1 and 3; a law that cannot be
    /// evaluated at rest.
    pub fn new(law: L) -> Result<Self> {
        require_solid(&law)?;
        let stress_state = match N {
            1 => StressState::Uniaxial,
            3 => StressState::PlaneStress,
            _ => {
                return Err(Error::invalid(format!(
                    "no stress state has {N} components"
                )));
            }
        };
        let state = law.new_state();
        let mut state_new = state.clone();
        let mut virgin = Response::default();
        let external = law.typical_external();
        let rest = Increment {
            strain_old: &[0.0; 6],
            strain_new: &[0.0; 6],
            dt: 0.0,
            external_old: &external,
            external_new: &external,
        };
        law.update(&rest, &state, &mut state_new, &mut virgin)?;
        let given = stress_state.positions();
        let inner = law.state_layout().variables().iter();
        let inner = inner.map(|variable| (variable.name.clone(), variable.len));
        let free_strain = ("free_strain".to_string(), MAX_COMPONENTS - N);
        Ok(Self {
            name: format!("{}, {stress_state}", law.name()),
            stress_state,
            free: FreeComponents(std::array::from_fn(|i| !given.contains(&i))),
            layout: StateLayout::new(inner.chain([free_strain])),
            stiffness: virgin.tangent.norm(),
            law,
        })
    }

    fn whole_strain(&self, given: &[f64], free: &[f64]) -> Mandel {
        let mut strain = self.stress_state.expand(given);
        for (component, &value) in self.free.iter().zip(free) {
            strain[component] = value;
        }
        strain
    }

    /// Finds the free strains and the inner state.
    fn equilibrate(
        &self,
        increment: &Increment,
        state_old: &[f64],
        current: &mut Evaluation,
        trial: &mut Evaluation,
    ) -> Result<(), UpdateError> {
        let (inner_old, free_old) = state_old.split_at(self.law.state_layout().len());
        let strain_old = self.whole_strain(increment.strain_old, free_old);
        let controlled = ControlledIncrement {
            law: &self.law,
            strain_old: strain_old.as_slice(),
            state_old: inner_old,
            dt: increment.dt,
            external_old: increment.external_old,
            external_new: increment.external_new,
            free: self.free,
            stress: Mandel::zeros(),
        };
        current.strain = self.whole_strain(increment.strain_new, free_old);
        controlled.evaluate(current)?;
        let scale = |at: &Evaluation| self.stiffness * at.strain.norm() + at.response.stress.norm();
        let solved = controlled.solve(current, trial, &LIMITS, scale);
        solved.map_err(|failure| match failure {
            Failure::Law(error) => error,
            Failure::NoEquilibrium {
                iterations,
                residual,
            } => UpdateError::NotConverged {
                what: "the strain of the stress-free components",
                iterations,
                residual,
            },
        })
    }

    /// Writes the response with the tangent condensed to the given components; nothing after an error.
    fn condense(&self, whole: &Response, response: &mut Response) -> Result<(), UpdateError> {
        let coupling = self
            .free
            .coupling(&whole.tangent)
            .ok_or(UpdateError::NotConverged {
                what: "the condensation of the tangent",
                iterations: 0,
                residual: f64::INFINITY,
            })?;
        let mut tangent = Moduli::zeros();
        let given = self.stress_state.positions();
        for (j, &column) in given.iter().enumerate() {
            for (i, &row) in given.iter().enumerate() {
                let free = self.free.iter();
                let relief: f64 = free
                    .map(|f| whole.tangent[(row, f)] * coupling[(f, column)])
                    .sum();
                tangent[(i, j)] = whole.tangent[(row, column)] - relief;
            }
        }
        if !tangent.iter().all(|c| c.is_finite()) {
            return Err(UpdateError::Overflow {
                what: "condensed tangent",
            });
        }
        *response = Response {
            stress: self.stress_state.restrict(&whole.stress),
            tangent,
            ..*whole
        };
        Ok(())
    }
}

impl<L: MaterialLaw, const N: usize> MaterialLaw for ZeroStress<L, N> {
    delegate!(law: external_variables, typical_external, trained_path, scales);

    fn name(&self) -> &str {
        &self.name
    }

    fn components(&self) -> usize {
        N
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, state: &mut [f64]) {
        let (inner, free) = state.split_at_mut(self.law.state_layout().len());
        self.law.initial_state(inner);
        free.fill(0.0);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
        let (inner, free) = state.split_at(self.law.state_layout().len());
        let strain = self.whole_strain(strain, free);
        self.law.free_energy(strain.as_slice(), inner, external)
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        super::prepare(self, increment, state_old, state_new)?;
        let inner = self.law.state_layout().len();
        // Taken, not borrowed: the inner law may use these buffers too.
        let [first, second] = STATES.with(RefCell::take);
        let mut solution = Evaluation::with_memory(first, inner);
        let mut trial = Evaluation::with_memory(second, inner);
        let result = self
            .equilibrate(increment, state_old, &mut solution, &mut trial)
            .and_then(|()| self.condense(&solution.response, response));
        if result.is_ok() {
            state_new[..inner].copy_from_slice(&solution.state);
            for (component, value) in self.free.iter().zip(&mut state_new[inner..]) {
                *value = solution.strain[component];
            }
        }
        STATES.with(|cell| cell.replace([solution.state, trial.state]));
        result
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            symmetry: Symmetry::None,
            ..self.law.guarantees()
        }
    }
}
