//! Any three-dimensional law under plane stress or uniaxial stress.
//!
//! The strains along the stress-free components are unknowns, found by Newton's method from
//!
//! ```text
//! σ_f(ε_g, ε_f, z_n) = 0        ε_f ← ε_f − C_ff⁻¹ σ_f
//! C = C_gg − C_gf C_ff⁻¹ C_fg
//! ```
//!
//! with `g` the given and `f` the free components; `C` is the consistent tangent of the whole
//! update. A step is shortened until the residual falls. That suffices for increments of thousands of
//! yield strains (`tests/battery.rs`); where it does not, the error asks for a smaller increment.
//!
//! Internal variables: those of the inner law, then the free strains (so that the inner law gets its
//! true old strain). As `σ_f = 0`, the free strains contribute nothing to `D_end`.
//!
//! Source: S. Klinkel, S. Govindjee, Eng. Comput. 19 (2002) 147–164.
//!
//! Guaranteed: what the inner law guarantees, isotropy excepted (it concerns six components).

use crate::error::{Error, Result, UpdateError};
use crate::law::{
    Guarantees, Increment, MAX_COMPONENTS, MaterialLaw, Response, Scales, StateLayout,
};
use crate::mandel::{self, Mandel, Moduli};
use crate::symmetry::Symmetry;
use std::cell::RefCell;

/// Stress in 11 only.
pub type UniaxialStress<L> = ZeroStress<L, 1>;
/// Stress in 11, 22 and 12 only.
pub type PlaneStress<L> = ZeroStress<L, 3>;

const MAX_ITERATIONS: usize = 50;
const MAX_HALVINGS: usize = 12;
/// Residual over (stiffness × strain + stress) at which the iteration has converged: round-off.
const TOLERANCE: f64 = 1e-13;
/// Residual, likewise, that is accepted where round-off forbids a smaller one.
const ACCEPTABLE: f64 = 1e-10;

/// A three-dimensional law of which the stress vanishes outside `N` components.
#[derive(Clone, Debug)]
pub struct ZeroStress<L, const N: usize> {
    law: L,
    name: String,
    given: &'static [usize],
    layout: StateLayout,
    /// Norm of the virgin tangent, MPa: the scale of the residual.
    stiffness: f64,
}

pub(super) fn reduced_layout<L: MaterialLaw>(law: &L, free: usize) -> StateLayout {
    let inner = law.state_layout().variables().iter();
    let inner = inner.map(|variable| (variable.name.clone(), variable.len));
    StateLayout::new(inner.chain((free > 0).then(|| ("free_strain".to_string(), free))))
}

pub(super) fn given_components<L: MaterialLaw>(
    law: &L,
    components: usize,
) -> Result<&'static [usize]> {
    if law.components() != 6 {
        return Err(Error::invalid(format!(
            "a stress state needs a law with 6 components, {} has {}",
            law.name(),
            law.components()
        )));
    }
    mandel::positions(components)
        .ok_or_else(|| Error::invalid(format!("no stress state has {components} components")))
}

/// The Mandel vector with these values at these components.
pub(super) fn placed(components: &[usize], values: &[f64]) -> Mandel {
    let mut vector = Mandel::zeros();
    for (&component, &value) in components.iter().zip(values) {
        vector[component] = value;
    }
    vector
}

thread_local! {
    static STATE: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

impl<L: MaterialLaw, const N: usize> ZeroStress<L, N> {
    /// `law` must have six components.
    pub fn new(law: L) -> Result<Self> {
        let given = given_components(&law, N)?;
        let state = law.new_state();
        let mut state_new = state.clone();
        let mut virgin = Response::default();
        let external = vec![0.0; law.external_variables().len()];
        let rest = Increment {
            strain_old: &[0.0; 6],
            strain_new: &[0.0; 6],
            dt: 0.0,
            external_old: &external,
            external_new: &external,
        };
        law.update(&rest, &state, &mut state_new, &mut virgin)?;
        let suffix = if N == 1 {
            "uniaxial stress"
        } else {
            "plane stress"
        };
        Ok(Self {
            name: format!("{}, {suffix}", law.name()),
            given,
            layout: reduced_layout(&law, MAX_COMPONENTS - N),
            stiffness: virgin.tangent.norm(),
            law,
        })
    }

    fn free(&self) -> impl Iterator<Item = usize> + '_ {
        (0..MAX_COMPONENTS).filter(|component| !self.given.contains(component))
    }

    fn whole_strain(&self, given: &[f64], free: &[f64]) -> Mandel {
        let mut strain = placed(self.given, given);
        for (component, &value) in self.free().zip(free) {
            strain[component] = value;
        }
        strain
    }

    /// The stress at the free components, zero at the given ones.
    fn residual(&self, stress: &Mandel) -> Mandel {
        let mut residual = *stress;
        for &component in self.given {
            residual[component] = 0.0;
        }
        residual
    }

    /// `C_ff`, with the identity at the given components.
    fn free_block(&self, tangent: &Moduli) -> Moduli {
        let mut block = *tangent;
        for &component in self.given {
            block.row_mut(component).fill(0.0);
            block.column_mut(component).fill(0.0);
            block[(component, component)] = 1.0;
        }
        block
    }

    /// Newton's method at fixed given strains. `strain` starts the iteration and returns the
    /// solution with its response and inner state.
    fn equilibrate(
        &self,
        strain: &mut Mandel,
        mut update: impl FnMut(&Mandel, &mut Response) -> Result<(), UpdateError>,
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        update(strain, response)?;
        let mut residual = self.residual(&response.stress);
        let scale = |strain: &Mandel, response: &Response| {
            self.stiffness * strain.norm() + response.stress.norm()
        };
        let mut candidate = Response::default();
        for iterations in 0..MAX_ITERATIONS {
            let norm = residual.norm();
            if norm <= TOLERANCE * scale(strain, response) {
                return Ok(());
            }
            let step = self.free_block(&response.tangent).lu().solve(&residual);
            let mut shortened = 1.0;
            let accepted = step.is_some_and(|step| {
                (0..MAX_HALVINGS).any(|_| {
                    let trial = *strain - step * shortened;
                    let falls = update(&trial, &mut candidate).is_ok()
                        && self.residual(&candidate.stress).norm() < norm;
                    if falls {
                        *strain = trial;
                    }
                    shortened *= 0.5;
                    falls
                })
            });
            if accepted {
                std::mem::swap(response, &mut candidate);
                residual = self.residual(&response.stress);
            } else if norm <= ACCEPTABLE * scale(strain, response) {
                return update(strain, response);
            } else {
                return Err(UpdateError::NotConverged {
                    what: "the strain of the stress-free components",
                    iterations,
                    residual: norm,
                });
            }
        }
        Err(UpdateError::NotConverged {
            what: "the strain of the stress-free components",
            iterations: MAX_ITERATIONS,
            residual: residual.norm(),
        })
    }

    /// The response with the tangent condensed to the given components.
    fn condense(&self, whole: &Response) -> Result<Response, UpdateError> {
        let mut coupling = whole.tangent;
        for &component in self.given {
            coupling.row_mut(component).fill(0.0);
        }
        // Rows f of this are C_ff⁻¹ C_fg.
        let follow = self
            .free_block(&whole.tangent)
            .lu()
            .solve(&coupling)
            .ok_or(UpdateError::NotConverged {
                what: "the condensation of the tangent",
                iterations: 0,
                residual: f64::INFINITY,
            })?;
        let mut condensed = Response {
            stored_energy: whole.stored_energy,
            dissipation: whole.dissipation,
            status: whole.status,
            ..Response::default()
        };
        for (i, &row) in self.given.iter().enumerate() {
            condensed.stress[i] = whole.stress[row];
            for (j, &column) in self.given.iter().enumerate() {
                let relief: f64 = self
                    .free()
                    .map(|f| whole.tangent[(row, f)] * follow[(f, column)])
                    .sum();
                condensed.tangent[(i, j)] = whole.tangent[(row, column)] - relief;
            }
        }
        if condensed.tangent.iter().all(|c| c.is_finite()) {
            Ok(condensed)
        } else {
            Err(UpdateError::Overflow {
                what: "condensed tangent",
            })
        }
    }

    /// Finds the free strains and the inner state; the whole response on success.
    fn solve(
        &self,
        increment: &Increment,
        state_old: &[f64],
        inner_new: &mut [f64],
    ) -> Result<(Mandel, Response), UpdateError> {
        let (inner_old, free_old) = state_old.split_at(inner_new.len());
        let strain_old = self.whole_strain(increment.strain_old, free_old);
        let update = |strain: &Mandel, response: &mut Response| {
            let whole = Increment {
                strain_old: strain_old.as_slice(),
                strain_new: strain.as_slice(),
                ..*increment
            };
            self.law.update(&whole, inner_old, inner_new, response)
        };

        let mut strain = self.whole_strain(increment.strain_new, free_old);
        let mut response = Response::default();
        self.equilibrate(&mut strain, update, &mut response)?;
        Ok((strain, response))
    }
}

impl<L: MaterialLaw, const N: usize> MaterialLaw for ZeroStress<L, N> {
    fn name(&self) -> &str {
        &self.name
    }

    fn components(&self) -> usize {
        N
    }

    fn external_variables(&self) -> &[String] {
        self.law.external_variables()
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
        // Taken, not borrowed: the inner law may use this buffer too.
        let mut buffer = STATE.with(RefCell::take);
        buffer.clear();
        buffer.resize(inner, 0.0);
        let result = self
            .solve(increment, state_old, &mut buffer)
            .and_then(|(strain, whole)| Ok((strain, self.condense(&whole)?)));
        if let Ok((strain, condensed)) = &result {
            *response = condensed.clone();
            state_new[..inner].copy_from_slice(&buffer);
            for (component, value) in self.free().zip(&mut state_new[inner..]) {
                *value = strain[component];
            }
        }
        STATE.with(|cell| cell.replace(buffer));
        result.map(|_| ())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            symmetry: Symmetry::None,
            ..self.law.guarantees()
        }
    }

    fn scales(&self) -> Scales {
        self.law.scales()
    }
}
