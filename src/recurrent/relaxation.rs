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

use super::branches::{Branches, kept_share};
use super::strain_energy::StrainEnergy;
use super::{Architecture, Claims, Clock, Forces, Inputs, RecurrentLaw, Symmetry};
use crate::algebra::{Activation, Algebra, Constraint, Initial, Parameter, ParameterLayout};
use crate::network::{Mlp, Parts, stack};

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
    stiffness: Option<Parameter>,
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
/// Stretch and strain below which the networks see them as zero.
const SMOOTHING: f64 = 0.1;
/// `ln τ − ln α` at the start.
const LOG_TIME_SHARE: f64 = -4.0;

impl Relaxation {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, count, m) = (sizes.components, sizes.states, sizes.external);
        let log_rates = spread(LOG_RATES, count);
        // Every branch saturates at the same stress, all together at the stress scale.
        let scales: Vec<_> = log_rates
            .iter()
            .map(|log| (log.exp() / count as f64).sqrt())
            .collect();
        let symmetry = sizes.symmetry;
        let parts = symmetry.parts(n);
        let raw = match (symmetry, &parts) {
            (Symmetry::Isotropic, _) => 0,
            (_, None) => n,
            (_, Some(parts)) => parts.invariants() + parts.turning(),
        };
        let of_state = count + 1 + MEMORIES + raw + m;
        let mut rates = |used: bool, name: &str, inputs: usize| {
            let size = [sizes.width, sizes.layers];
            let shape = [inputs, count + MEMORIES];
            used.then(|| Mlp::new(layout, name, shape, size, Activation::Tanh))
        };
        Self {
            components: n,
            clock: sizes.clock,
            symmetry,
            parts,
            path_rates: rates(
                sizes.clock != Clock::Time,
                "path_rates",
                of_state + count + 1 + raw,
            ),
            time_rates: rates(sizes.clock != Clock::StrainPath, "time_rates", of_state),
            energy: StrainEnergy::new(layout, [n, m], sizes.energy_size(), symmetry),
            branches: Branches::new(layout, "branches", n, &scales, symmetry),
            stiffness: (m > 0).then(|| {
                let zero = Initial::Value(0.0);
                layout.add("branches.stiffness", [count, m], Constraint::Free, zero)
            }),
            log_rates: log_rates.into_iter().chain(MEMORY_LOG_RATES).collect(),
        }
    }

    /// `c [n·P]`
    fn stiffness<A: Algebra>(&self, a: &A, external: Option<&A::Vector>) -> Option<A::Vector> {
        let (stiffness, external) = (self.stiffness?, external?);
        let factor = a.apply(Activation::Exp, &a.dense(stiffness, None, external));
        Some(self.branches.each(a, &factor))
    }

    /// `ρ [P + M]`
    fn kept<A: Algebra>(
        &self,
        a: &A,
        inputs: &Inputs<A::Vector>,
        increment: &A::Vector,
        trial: &A::Vector,
        memory: &A::Vector,
    ) -> A::Vector {
        let branches = &self.branches;
        let strain = &inputs.strain_new;
        let squares = branches.products(a, trial, trial);
        // Without the kink of a norm at zero, which would be one of the rates.
        let size = |square: &A::Vector| {
            a.apply(Activation::Sqrt, &a.affine(square, 1.0, SMOOTHING.powi(2)))
        };
        let mut features = a.concat(&[&size(&squares), &size(&a.dot(strain, strain)), memory]);
        // What else of a strain the symmetry leaves to be seen.
        let seen = |strain: &A::Vector| match (self.symmetry, &self.parts) {
            (Symmetry::Isotropic, _) => None,
            (_, None) => Some(strain.clone()),
            (_, Some(parts)) => {
                let of_strain = parts.split(a, strain);
                let mut seen = of_strain.invariants;
                seen.extend(of_strain.turning.iter().map(|part| {
                    let part = stack(a, part);
                    size(&a.dot(&part, &part))
                }));
                Some(stack(a, &seen))
            }
        };
        if let Some(strain) = seen(strain) {
            features = a.concat(&[&features, &strain]);
        }
        if let Some(external) = &inputs.external {
            features = a.concat(&[&features, external]);
        }
        let path = self.path_rates.as_ref().map(|network| {
            let direction = a.direction(increment);
            let along = branches.strains(a, &direction);
            let power = branches.products(a, trial, &along);
            let mut features = a.concat(&[&features, &power, &a.dot(strain, &direction)]);
            if let Some(direction) = seen(&direction) {
                features = a.concat(&[&features, &direction]);
            }
            let lengths = a.mul(&squares, &branches.products(a, &along, &along));
            let inverse = a.apply(Activation::InverseSqrt, &lengths);
            let gate = a.mul(&a.apply(Activation::PositivePart, &power), &inverse);
            let open = a.broadcast(&a.constant(&[1.0]), MEMORIES);
            let rates = self.rates(a, network, &features, 0.0);
            let gated = a.mul(&rates, &a.concat(&[&gate, &open]));
            a.times(&gated, &a.norm(increment))
        });
        // The direction of the increment has no part in this: where time passes and the strain
        // rests but for its last digits, it means nothing.
        let time = self.time_rates.as_ref().map(|network| {
            let rates = self.rates(a, network, &features, LOG_TIME_SHARE);
            a.times(&rates, &inputs.dt)
        });
        let kept = kept_share(a, path.as_ref(), time.as_ref());
        kept.unwrap_or_else(|| a.affine(&a.zeros(self.log_rates.len()), 1.0, 1.0))
    }

    /// `α` or `τ [P + M]`
    fn rates<A: Algebra>(
        &self,
        a: &A,
        network: &Mlp,
        features: &A::Vector,
        shift: f64,
    ) -> A::Vector {
        let start = a.affine(&a.constant(&self.log_rates), 1.0, shift);
        let log = a.add(&start, &network.forward(a, features));
        let log = a.apply(Activation::Tanh, &a.scale(&log, 1.0 / LARGEST_LOG_RATE));
        a.apply(Activation::Exp, &a.scale(&log, LARGEST_LOG_RATE))
    }
}

/// Even steps from the first to the last number.
pub(super) fn spread([first, last]: [f64; 2], count: usize) -> Vec<f64> {
    let share = |i: usize| (i as f64 + 0.5) / count as f64;
    (0..count)
        .map(|i| first + (last - first) * share(i))
        .collect()
}

impl RecurrentLaw for Relaxation {
    fn components(&self) -> usize {
        self.components
    }

    fn states(&self) -> usize {
        self.branches.len() + MEMORIES
    }

    fn claims(&self) -> Claims {
        Claims {
            second_law: true,
            in_parts: self.clock == Clock::StrainPath,
            stationary: true,
            rate_independent: self.clock == Clock::StrainPath,
            symmetry: self.symmetry,
        }
    }

    fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        self.energy.prepare(a)
    }

    fn evolve<A: Algebra>(
        &self,
        a: &A,
        _: &A::Vector,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        let (branches, count) = (&self.branches, self.branches.count());
        let old = a.slice(state, 0..branches.len());
        let memory = a.slice(state, branches.len()..self.states());
        let trial = a.sub(&branches.strains(a, &inputs.strain_new), &old);
        let increment = a.sub(&inputs.strain_new, &inputs.strain_old);
        // Without strain and time exactly zero.
        let share = a.affine(
            &self.kept(a, inputs, &increment, &trial, &memory),
            -1.0,
            1.0,
        );
        let followed = branches.each(a, &a.slice(&share, 0..count));
        let new = a.add(&old, &a.mul(&followed, &trial));
        let missing = a.affine(&memory, -1.0, 1.0);
        let saturated = a.mul(&a.slice(&share, count..count + MEMORIES), &missing);
        a.concat(&[&new, &a.add(&memory, &saturated)])
    }

    fn forces<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        strain: &A::Vector,
        external: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        let branches = &self.branches;
        let (energy, stress) = self
            .energy
            .value_and_gradient(a, prepared, strain, external);
        let old = a.slice(state, 0..branches.len());
        let stretch = a.sub(&branches.strains(a, strain), &old);
        let force = match self.stiffness(a, external) {
            Some(stiffness) => a.mul(&stretch, &stiffness),
            None => stretch.clone(),
        };
        let stored = a.scale(&a.dot(&stretch, &force), 0.5);
        Forces {
            energy: a.add(&energy, &stored),
            stress: a.add(&stress, &branches.stress(a, &force)),
            driving_force: a.concat(&[&force, &a.zeros(MEMORIES)]),
        }
    }
}
