//! Internal variables that relax towards the strain, each with its own clock.
//!
//! `P` branches in parallel, each with a tensor `z_p` of internal variables, and a few memories
//! `m` of how far the path has come:
//!
//! ```text
//! ψ  = ψ_e(ε) + ½ Σ_p c_p |s_p|²        s_p = B_p ε − z_p        c_p = e^{W_p θ}
//! z_p' = z_p + (1 − ρ_p) s*_p           s*_p = B_p ε_{n+1} − z_p
//! m'   = m + (1 − ρ_m) (1 − m)          ρ = e^{−dt τ} / (1 + ‖Δε‖ α)
//! ```
//!
//! `ln α` and `ln τ` are networks of the energies of the branches, of strain, memories and external
//! variables `θ`, `ln α` also of the stresses of the branches along the increment and of its direction;
//! both are held within ±`R`. For branches `α` has a factor, the gate `cos⁺_p`: the positive part of the
//! cosine between `s*_p` and `B_p Δε`, so that a branch that is unloaded is elastic. The memories have no energy; with them the rates, and so the stresses
//! at which the branches saturate, change with the path: isotropic hardening. A branch whose rate
//! is constant is an Armstrong–Frederick backstress or, on the clock of time, a Maxwell element;
//! with other rates the law behaves like the endochronic theory (Valanis 1971) and Bouc–Wen models.
//!
//! On the strain path `ρ` is backward Euler, which meets the stress at which a branch saturates however
//! large the increment; a hold in time is exact. Rates are taken at the end of the increment, with the
//! state before it: first order in the step.
//!
//! The strain-path clock leaves `τ` out (rate-independent), the time clock `α`.
//!
//! Guarantees, for any parameters and any step, whatever makes the rates, as `0 ≤ ρ ≤ 1`:
//! - second law: `A_p' = c_p ρ_p s*_p` and `z_p' − z_p = (1 − ρ_p) s*_p`, so that
//!   `D_end = Σ c_p ρ_p (1 − ρ_p) |s*_p|² ≥ 0`;
//! - the same where an increment is taken in several updates on the clock of the strain path: there
//!   only branches move whose `s*` has a positive product with `d = B Δε`. Each `s*`, and the last
//!   `s'`, is then a sum of `d` and of what of the first `s` is normal to it, with factors that are
//!   not negative; so every product `s'·s*` of the last with an earlier one is not negative either;
//! - stationary: without strain and time `ρ = 1`, and nothing moves, exactly; at rest;
//! - the [`Symmetry`] asked for: all that enters is made of joint invariants.

use super::branches::{Branches, kept_share, spread};
use super::strain_energy::StrainEnergy;
use super::{Architecture, Clock, Forces, RecurrentLaw, Step, Symmetry};
use crate::graph::{Constraint, Function, Initial, Matrix, ParameterLayout, Vector, concat};
use crate::law::{Guarantees, StateLayout};
use crate::network::{Mlp, Parts};

/// See the module.
#[derive(Clone, Debug)]
pub struct Relaxation {
    components: usize,
    clock: Clock,
    symmetry: Symmetry,
    parts: Option<Parts>,
    energy: StrainEnergy,
    branches: Branches,
    /// `W [P, m]`
    stiffness: Matrix,
    path_rates: Option<Mlp>,
    time_rates: Option<Mlp>,
    /// `ln α` at the start, `[P + M]`
    log_rates: Vec<f64>,
}

/// `M`
const MEMORIES: usize = 2;
/// `ln α` of the memories at the start.
const MEMORY_LOG_RATES: [f64; MEMORIES] = [-1.0, 1.0];
/// Range of `ln α` of the branches at the start: memories of 0.6 to 0.01 strain scales.
const LOG_RATES: [f64; 2] = [0.5, 4.5];
/// `R`
const LARGEST_LOG_RATE: f64 = 7.0;
/// Elastic strain and strain below which the networks see them as zero.
const SMOOTHING: f64 = 0.1;
/// `ln τ − ln α` at the start.
const LOG_TIME_SHARE: f64 = -4.0;

impl Relaxation {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, count, m) = (sizes.components, sizes.states, sizes.external);
        let (clock, symmetry) = (sizes.clock, sizes.symmetry);
        let log_rates = spread(LOG_RATES, count);
        // Every branch saturates at the same stress, all together at the stress scale.
        let scale = |log: &f64| (log.exp() / count as f64).sqrt();
        let scales: Vec<f64> = log_rates.iter().map(scale).collect();
        let parts = Parts::of(symmetry, n);
        let raw = match (symmetry, &parts) {
            (Symmetry::Isotropic, _) => 0,
            (_, None) => n,
            (_, Some(parts)) => parts.invariants() + parts.irreducible(),
        };
        let of_state = count + 1 + MEMORIES + raw + m;
        let mut rates = |used: bool, name: &str, inputs: usize| {
            let shape = [inputs, count + MEMORIES];
            used.then(|| Mlp::new(layout, name, shape, sizes.size(), Function::Tanh))
        };
        Self {
            components: n,
            clock,
            symmetry,
            parts,
            path_rates: rates(clock.has_path(), "path_rates", of_state + count + 1 + raw),
            time_rates: rates(clock.has_time(), "time_rates", of_state),
            energy: StrainEnergy::new(layout, [n, m], sizes.energy_size(), symmetry),
            branches: Branches::new(layout, "branches", n, &scales, symmetry),
            stiffness: {
                let zero = Initial::Value(0.0);
                layout.matrix("branches.stiffness", [count, m], Constraint::Free, zero)
            },
            log_rates: log_rates.into_iter().chain(MEMORY_LOG_RATES).collect(),
        }
    }

    /// What of a strain the symmetry leaves to be seen beyond its size.
    fn invariants<'g>(&self, strain: Vector<'g>) -> Vector<'g> {
        match (self.symmetry, &self.parts) {
            (Symmetry::Isotropic, _) => strain.slice(0..0),
            (_, None) => strain,
            (_, Some(parts)) => {
                let of_strain = parts.split(strain);
                let mut invariants = of_strain.invariants;
                let parts = of_strain.irreducible.iter();
                invariants.extend(parts.map(|part| smooth(concat(part).squared_norm())));
                concat(invariants)
            }
        }
    }

    /// `ρ [P + M]`
    fn kept<'g>(&self, step: &Step<'g>, s_trial: Vector<'g>, m: Vector<'g>) -> Vector<'g> {
        let (branches, strain) = (&self.branches, step.strain_new);
        let increment = step.strain_increment();
        let squares = branches.products(s_trial, s_trial);
        let of_state = concat([
            smooth(squares),
            smooth(strain.squared_norm()),
            m,
            self.invariants(strain),
            step.external,
        ]);
        let path = self.path_rates.as_ref().map(|network| {
            let direction = increment.direction();
            let along = branches.strains(direction);
            let power = branches.products(s_trial, along);
            let projection = strain.dot(direction);
            let features = concat([of_state, power, projection, self.invariants(direction)]);
            let lengths = squares * branches.products(along, along);
            let gate = power.positive_part() * lengths.inverse_sqrt();
            let open = strain.graph().ones(MEMORIES);
            self.rates(network, features, 0.0) * concat([gate, open]) * increment.norm()
        });
        // The direction of the increment has no part in this: where time passes and the strain
        // rests but for its last digits, it means nothing.
        let time = self.time_rates.as_ref();
        let time = time.map(|network| self.rates(network, of_state, LOG_TIME_SHARE) * step.dt);
        kept_share(path, time)
    }

    /// `α` or `τ [P + M]`
    fn rates<'g>(&self, network: &Mlp, features: Vector<'g>, shift: f64) -> Vector<'g> {
        let start = features.graph().constant(&self.log_rates) + shift;
        let log = start + network.of(features);
        (LARGEST_LOG_RATE * (log / LARGEST_LOG_RATE).tanh()).exp()
    }
}

/// `√(x + δ²)` of a square: without the kink of a norm at zero, which would be one of the rates.
fn smooth(square: Vector<'_>) -> Vector<'_> {
    (square + SMOOTHING.powi(2)).sqrt()
}

impl RecurrentLaw for Relaxation {
    fn components(&self) -> usize {
        self.components
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([
            ("inelastic_strain", self.branches.len()),
            ("memory", MEMORIES),
        ])
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: true,
            second_law_in_parts: self.clock == Clock::StrainPath,
            stationary: true,
            rate_independent: self.clock == Clock::StrainPath,
            symmetry: self.symmetry,
            ..Guarantees::default()
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, state: Vector<'g>) -> Vector<'g> {
        let [z, m] = state.split(self.branches.len());
        let s_trial = self.branches.strains(step.strain_new) - z;
        // Without strain and time exactly zero.
        let share = 1.0 - self.kept(step, s_trial, m);
        let [of_branches, of_memories] = share.split(self.branches.count());
        let z = z + self.branches.each(of_branches) * s_trial;
        let m = m + of_memories * (1.0 - m);
        concat([z, m])
    }

    fn forces<'g>(
        &self,
        strain: Vector<'g>,
        external: Vector<'g>,
        state: Vector<'g>,
    ) -> Forces<'g> {
        let (energy, stress) = self.energy.value_and_gradient(strain, external);
        let s = self.branches.strains(strain) - state.slice(0..self.branches.len());
        let c = self.branches.each((self.stiffness * external).exp());
        let force = s * c;
        Forces {
            energy: energy + 0.5 * s.dot(force),
            stress: stress + self.branches.stress(force),
            driving_force: concat([force, strain.graph().zeros(MEMORIES)]),
        }
    }
}
