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
//! Source: S. Hartmann, P. Haupt, Int. J. Numer. Methods Eng. 36 (1993) 3801–3814; J. C. Simo,
//! T. J. R. Hughes, Computational Inelasticity, Springer, 1998, ch. 3.

use super::checked_response;
use super::elastic::Isotropic;
use super::hardening::{Backstress, PlasticityParameters};
use crate::error::{Result, UpdateError};
use crate::law::{Increment, Response, Scales, StateLayout};
use crate::mandel::{self, Mandel, Moduli};

const ROOT_3_2: f64 = 1.224_744_871_391_589;
/// Share of the stresses that round-off may leave on the yield function. An increment within it is
/// elastic, so that a repeated row changes nothing.
const YIELD_TOLERANCE: f64 = 1e-12;
const MAX_ITERATIONS: usize = 200;

/// How `Δp` and the overstress hang on the unknown: `Δp = scale y^exponent`, `v = drag y`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overstress {
    pub scale: f64,
    pub exponent: f64,
    pub drag: f64,
}

impl Overstress {
    pub const NONE: Self = Self {
        scale: 1.0,
        exponent: 1.0,
        drag: 0.0,
    };

    /// `Δp` and `dΔp/dy`.
    fn plastic_increment(&self, y: f64) -> (f64, f64) {
        let slope = self.scale * y.powf(self.exponent - 1.0);
        (slope * y, slope * self.exponent)
    }

    /// The `y` of a `Δp`.
    fn unknown(&self, plastic_increment: f64) -> f64 {
        (plastic_increment / self.scale).powf(1.0 / self.exponent)
    }
}

/// State: plastic strain (6), accumulated plastic strain `p` (1), one `α_k` (6) per backstress.
#[derive(Clone, Debug)]
pub(super) struct ReturnMapping {
    elastic: Isotropic,
    parameters: PlasticityParameters,
    layout: StateLayout,
}

/// The yield condition at one value of `y`.
struct Residual {
    value: f64,
    slope: f64,
}

/// What the increment starts from, read from the old state.
struct Trial<'a> {
    /// `2G dev(ε − ε_p)`.
    deviator: Mandel,
    plastic_strain: Mandel,
    accumulated: f64,
    kinematic: &'a [f64],
    /// Size of the stresses that cancel in the yield function.
    magnitude: f64,
}

impl ReturnMapping {
    pub fn new(parameters: &PlasticityParameters) -> Result<Self> {
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
        self.elastic.energy(&elastic_strain)
            + kinematic
            + self.parameters.isotropic_energy(state[6])
    }

    /// The backstresses with `X_k,n` and `1 + γ_k Δp`.
    fn backstresses<'a>(
        &'a self,
        trial: &'a Trial,
        plastic_increment: f64,
    ) -> impl Iterator<Item = (&'a Backstress, Mandel, f64)> {
        let backstresses = self.parameters.backstress.iter();
        backstresses
            .zip(trial.kinematic.chunks_exact(6))
            .map(move |(b, alpha)| {
                let old = Mandel::from_column_slice(alpha) * (2.0 / 3.0 * b.c);
                (b, old, 1.0 + b.gamma * plastic_increment)
            })
    }

    /// `ξ(Δp)` and `dξ/dΔp`.
    fn direction(&self, trial: &Trial, plastic_increment: f64) -> (Mandel, Mandel) {
        let start = (trial.deviator, Mandel::zeros());
        self.backstresses(trial, plastic_increment).fold(
            start,
            |(direction, slope), (b, old, recall)| {
                (
                    direction - old / recall,
                    slope + old * (b.gamma / (recall * recall)),
                )
            },
        )
    }

    /// Slope of the yield condition in `Δp` without the overstress, sign reversed (MPa).
    fn hardening_slope(&self, trial: &Trial, plastic_increment: f64) -> f64 {
        let (direction, change) = self.direction(trial, plastic_increment);
        let (_, isotropic) = self
            .parameters
            .isotropic_hardening(trial.accumulated + plastic_increment);
        let kinematic: f64 = self
            .backstresses(trial, plastic_increment)
            .map(|(b, _, recall)| b.c / (recall * recall))
            .sum();
        let norm = direction.norm();
        let turning = if norm > 0.0 {
            ROOT_3_2 * direction.dot(&change) / norm
        } else {
            0.0
        };
        3.0 * self.elastic.shear + isotropic + kinematic - turning
    }

    fn residual(&self, trial: &Trial, overstress: &Overstress, y: f64) -> Residual {
        let (plastic_increment, rate) = overstress.plastic_increment(y);
        let (direction, _) = self.direction(trial, plastic_increment);
        let (isotropic, _) = self
            .parameters
            .isotropic_hardening(trial.accumulated + plastic_increment);
        let kinematic: f64 = self
            .backstresses(trial, plastic_increment)
            .map(|(b, _, recall)| b.c / recall)
            .sum();
        Residual {
            value: ROOT_3_2 * direction.norm()
                - plastic_increment * (3.0 * self.elastic.shear + kinematic)
                - self.parameters.yield_stress
                - isotropic
                - overstress.drag * y,
            slope: -self.hardening_slope(trial, plastic_increment) * rate - overstress.drag,
        }
    }

    /// The root `y` of the yield condition: Newton's method, kept inside a bracket by bisection.
    fn solve(
        &self,
        trial: &Trial,
        overstress: &Overstress,
        excess: f64,
    ) -> Result<f64, UpdateError> {
        let three_shear = 3.0 * self.elastic.shear;
        let largest_stress = ROOT_3_2
            * self
                .backstresses(trial, 0.0)
                .fold(trial.deviator.norm(), |sum, (_, old, _)| sum + old.norm());
        let limit = |stress: f64| {
            let plastic = overstress.unknown(stress / three_shear);
            if overstress.drag > 0.0 {
                plastic.min(stress / overstress.drag)
            } else {
                plastic
            }
        };
        let (mut low, mut high) = (0.0, limit(largest_stress));
        let mut y = limit(excess).min(high);
        let mut last_step = high;
        let round_off = 4.0 * f64::EPSILON;
        let mut value = excess;
        for _ in 0..MAX_ITERATIONS {
            let residual = self.residual(trial, overstress, y);
            value = residual.value;
            if !value.is_finite() {
                return Err(UpdateError::Overflow {
                    what: "yield condition",
                });
            }
            let step = -value / residual.slope;
            if value.abs() <= round_off * trial.magnitude || step.abs() <= round_off * y {
                return Ok(y);
            }
            if value > 0.0 {
                low = y;
            } else {
                high = y;
            }
            let newton = y + step;
            let next = if newton > low && newton < high && step.abs() <= 0.5 * last_step {
                newton
            } else {
                0.5 * (low + high)
            };
            last_step = (next - y).abs();
            if last_step <= round_off * y && value.abs() <= YIELD_TOLERANCE * trial.magnitude {
                return Ok(y);
            }
            y = next;
        }
        Err(UpdateError::NotConverged {
            what: "the plastic increment",
            iterations: MAX_ITERATIONS,
            residual: value,
        })
    }

    /// The update, after the inputs were checked. `overstress` is `None` where no time passes for a
    /// viscous law: the increment is then elastic.
    pub fn update(
        &self,
        overstress: Option<&Overstress>,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        let strain = Mandel::from_column_slice(increment.strain_new);
        let plastic_strain = Mandel::from_column_slice(&state_old[..6]);
        let deviator = mandel::deviator(&(strain - plastic_strain)) * (2.0 * self.elastic.shear);
        let trial = Trial {
            deviator,
            plastic_strain,
            accumulated: state_old[6],
            kinematic: &state_old[7..],
            magnitude: 3.0 * self.elastic.shear * (strain.norm() + plastic_strain.norm())
                + self.parameters.yield_stress,
        };
        let (isotropic, _) = self.parameters.isotropic_hardening(trial.accumulated);
        let excess = ROOT_3_2 * self.direction(&trial, 0.0).0.norm()
            - self.parameters.yield_stress
            - isotropic;
        if !excess.is_finite() {
            return Err(UpdateError::Overflow {
                what: "trial stress",
            });
        }
        match overstress {
            Some(overstress) if excess > YIELD_TOLERANCE * trial.magnitude => {
                let y = self.solve(&trial, overstress, excess)?;
                self.flow(&trial, overstress, y, &strain, state_new, response)
            }
            _ => {
                let stress = self.elastic.stress(&(strain - plastic_strain));
                let energy = self.free_energy(increment.strain_new, state_old);
                *response = checked_response(stress, self.elastic.moduli(), energy, 0.0)?;
                state_new.copy_from_slice(state_old);
                Ok(())
            }
        }
    }

    fn flow(
        &self,
        trial: &Trial,
        overstress: &Overstress,
        y: f64,
        strain: &Mandel,
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        let (plastic_increment, rate) = overstress.plastic_increment(y);
        let (direction, change) = self.direction(trial, plastic_increment);
        let norm = direction.norm();
        let normal = direction / norm;
        let flow = normal * (ROOT_3_2 * plastic_increment);
        let plastic_strain = trial.plastic_strain + flow;
        let elastic_strain = strain - plastic_strain;
        let stress = self.elastic.stress(&elastic_strain);
        let accumulated = trial.accumulated + plastic_increment;
        let (isotropic, _) = self.parameters.isotropic_hardening(accumulated);

        let mut energy =
            self.elastic.energy(&elastic_strain) + self.parameters.isotropic_energy(accumulated);
        let mut dissipation = mandel::deviator(&stress).dot(&flow) - isotropic * plastic_increment;
        for (b, old, recall) in self.backstresses(trial, plastic_increment) {
            // With X = (2/3) C α: Δα = Δε_p − γ Δp α, and (C / 3) |α|² = X : α / 2.
            let backstress = (old + flow * (2.0 / 3.0 * b.c)) / recall;
            dissipation -= backstress.dot(&flow);
            if b.c > 0.0 {
                let squared = 1.5 / b.c * backstress.norm_squared();
                dissipation += b.gamma * plastic_increment * squared;
                energy += 0.5 * squared;
            }
        }

        // dΔp = gain √6 G n : dε; a vanishing rate (no flow yet) gives no gain.
        let gain = rate / (self.hardening_slope(trial, plastic_increment) * rate + overstress.drag);
        let root_6_shear = 2.0 * ROOT_3_2 * self.elastic.shear;
        let along = normal * (root_6_shear * gain);
        let turn = mandel::deviatoric_projector() * (2.0 * self.elastic.shear)
            + change * along.transpose();
        let turn = turn - normal * (normal.transpose() * turn);
        let tangent: Moduli = self.elastic.moduli()
            - (normal * along.transpose() + turn * (plastic_increment / norm)) * root_6_shear;
        *response = checked_response(stress, tangent, energy, dissipation)?;

        state_new[..6].copy_from_slice(plastic_strain.as_slice());
        state_new[6] = accumulated;
        for ((b, old), new) in self
            .parameters
            .backstress
            .iter()
            .zip(trial.kinematic.chunks_exact(6))
            .zip(state_new[7..].chunks_exact_mut(6))
        {
            let alpha =
                (Mandel::from_column_slice(old) + flow) / (1.0 + b.gamma * plastic_increment);
            new.copy_from_slice(alpha.as_slice());
        }
        Ok(())
    }
}
