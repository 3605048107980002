//! Radial return for J2 flow with Voce and Armstrong–Frederick hardening, rate-independent or with
//! a viscous overstress: the part that [`super::j2`] and [`super::perzyna`] share.
//!
//! ```text
//! ψ = ½ (ε − ε_p) : C : (ε − ε_p) + Σ_k (C_k / 3) |α_k|² + ∫₀^p R dp
//! R(p) = Σ_i Q_i (1 − e^{−b_i p}) + H p          X_k = (2/3) C_k α_k
//! q = √(3/2) |s − Σ_k X_k|                       n = (s − Σ_k X_k) / |s − Σ_k X_k|
//! ε̇_p = √(3/2) ṗ n        α̇_k = ε̇_p − γ_k ṗ α_k
//! ```
//!
//! Backward Euler with `Δε_p = √(3/2) Δp n` leaves one scalar equation: with the trial direction
//! `ξ(Δp) = s_trial − Σ_k X_k,n / (1 + γ_k Δp)`,
//!
//! ```text
//! √(3/2) |ξ(Δp)| − Δp [3G + Σ_k C_k / (1 + γ_k Δp)] = σ_y + R(p_n + Δp) + v,    n = ξ / |ξ|
//! ```
//!
//! where `v = K (Δp / (ṗ₀ dt))^{1/m}` is the overstress (zero where rate-independent). Its slope is
//! infinite at `Δp = 0`, so the unknown is `y`, with `Δp = ṗ₀ dt y^m` and `v = K y`.
//!
//! The driving forces of `ε_p, α_k, p` are `σ, −X_k, −R`. Whatever the step,
//! `D_end = Δp (q − R) + Σ_k γ_k Δp X_k : α_k = Δp (σ_y + v) + Σ_k (2/3) C_k γ_k Δp |α_k|² ≥ 0`.
//!
//! With `N = √6 G n : dε`, `dΔp = g N` (`g` of the slope of that equation), `β = √6 G Δp / |ξ|` and
//! the part `χ` of `dξ/dΔp` normal to `n`, the consistent tangent is
//!
//! ```text
//! C = K 1⊗1 + 2G (1 − β) P_dev + [(2G β − 6G² g) n − √6 G β g χ] ⊗ n
//! ```
//!
//! for deviatoric `α_k`; evolution from a virgin state keeps them so. It is symmetric without dynamic recovery.
//!
//! Points lie in the vector lanes; a point alone is one lane of the same code.
//!
//! Source: S. Hartmann, P. Haupt, Int. J. Numer. Methods Eng. 36 (1993) 3801–3814; J. C. Simo,
//! T. J. R. Hughes, Computational Inelasticity, Springer, 1998, ch. 3.

mod kernel;
mod overstress;
mod tile;
mod yield_condition;

use super::elastic::Isotropic;
use super::hardening::PlasticityParameters;
use super::lanes::Plain;
use crate::error::{BatchError, Result, UpdateError};
use crate::law::{
    BatchInput, BatchOutput, Increment, MaterialLaw, Response, Scales, StateLayout, check_batch,
    update_one_by_one,
};
use crate::mandel::Mandel;
use std::cell::RefCell;
use tile::{Kinematic, TILE, advance_batch, advance_point};

const ROOT_3_2: f64 = 1.224_744_871_391_589;
/// Most lanes of a register.
const MAX_WIDTH: usize = 8;

thread_local! {
    /// Kinematic strains of a tile, before and after.
    static KINEMATIC: RefCell<Vec<Kinematic<TILE>>> = const { RefCell::new(Vec::new()) };
}

/// The overstress, beyond the hardening.
#[derive(Clone, Copy, Debug)]
pub(super) enum Viscosity {
    None,
    /// `v = K (ṗ / ṗ₀)^{1/m}`
    PowerLaw {
        reference_rate: f64,
        exponent: f64,
        drag: f64,
    },
}

/// State: plastic strain (6), accumulated plastic strain `p` (1), one `α_k` (6) per backstress.
#[derive(Clone, Debug)]
pub(super) struct ReturnMapping {
    elastic: Isotropic,
    parameters: PlasticityParameters,
    viscosity: Viscosity,
    /// Whether a backstress has dynamic recovery (`γ > 0`); else `ξ` does not depend on `Δp`.
    recovers: bool,
    layout: StateLayout,
}

impl ReturnMapping {
    pub fn new(parameters: &PlasticityParameters, viscosity: Viscosity) -> Result<Self> {
        let p = parameters;
        let elastic = Isotropic::new(p.young, p.poisson)?;
        p.check_hardening(elastic.shear)?;
        let kinematic = (1..=p.backstress.len()).map(|k| (format!("kinematic_strain_{k}"), 6));
        let variables = [
            ("plastic_strain".to_string(), 6),
            ("accumulated_plastic_strain".to_string(), 1),
        ];
        Ok(Self {
            elastic,
            parameters: p.clone(),
            viscosity,
            recovers: p.backstress.iter().any(|b| b.gamma > 0.0),
            layout: StateLayout::new(variables.into_iter().chain(kinematic)),
        })
    }

    pub fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    pub fn scales(&self) -> Scales {
        let p = &self.parameters;
        Scales {
            strain: 5.0 * p.yield_stress / p.young,
            stress: p.yield_stress,
            time: 1.0,
        }
    }

    pub fn free_energy(&self, strain: &[f64], state: &[f64]) -> f64 {
        let elastic_strain =
            Mandel::from_column_slice(strain) - Mandel::from_column_slice(&state[..6]);
        let backstresses = self.parameters.backstress.iter();
        let kinematic: f64 = backstresses
            .zip(state[7..].chunks_exact(6))
            .map(|(b, alpha)| b.c / 3.0 * Mandel::from_column_slice(alpha).norm_squared())
            .sum();
        let accumulated = Plain::<false, 1>([state[6]]);
        let [isotropic] = self.parameters.isotropic_hardening(accumulated).energy.0;
        self.elastic.energy(&elastic_strain) + kinematic + isotropic
    }

    /// The update of one point, after the inputs were checked.
    pub fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        let mut outcome = Ok(());
        advance_point(
            self,
            increment,
            state_old,
            state_new,
            response,
            &mut outcome,
        );
        outcome
    }

    /// The update of many points for the law that this return mapping belongs to.
    pub fn update_batch<L: MaterialLaw>(
        &self,
        law: &L,
        input: &BatchInput,
        output: &mut BatchOutput,
    ) -> Result<(), BatchError> {
        check_batch(law, input, output)?;
        let mut kinematic = KINEMATIC.with(RefCell::take);
        kinematic.clear();
        kinematic.resize(2 * self.parameters.backstress.len(), [[0.0; TILE]; 6]);
        let (mut first, mut result) = (0, Ok(()));
        while first < input.points && result.is_ok() {
            advance_batch(self, input, output, &mut kinematic, &mut first);
            // A point of this tile fails: its own update gives the error.
            let end = input.points.min(first + TILE);
            result = update_one_by_one(law, input, output, first..end);
            first = end;
        }
        KINEMATIC.with(|cell| cell.replace(kinematic));
        result
    }
}
