//! Generalised Maxwell solid (Prony series), isotropic.
//!
//! ```text
//! ψ = ½ ε : C∞ : ε + Σ_k ½ (ε − ε_k) : C_k : (ε − ε_k)
//! σ = C∞ : ε + Σ_k C_k : (ε − ε_k)
//! ε̇_k = (ε − ε_k) / τ_k
//! ```
//!
//! Parameters: `K∞`, `G∞`, and per branch `K_k` (may be zero), `G_k` in MPa and `τ_k` in s.
//! Internal variables: the viscous strains `ε_k`. With `x = dt / τ_k`, `r = e^{−x}`:
//!
//! ```text
//! ε_k' = ε_k + (1 − r)(ε_n − ε_k) + (1 − φ)(ε_{n+1} − ε_n)
//! ```
//!
//! * `LinearStrain`: `φ = (1 − r) / x`, exact for a strain linear in the increment (Taylor, Pister &
//!   Goudreau 1970). `D_end` is *not* always positive: where the elastic strain of a branch changes
//!   sign inside a coarse increment, `A_{n+1}` opposes most of the flow that the exact solution had
//!   before. The true dissipation of the increment is positive.
//! * `EndStrain`: `φ = r`, exact for a strain that jumps to its end value at once; first order.
//!   `D_end = Σ r (1 − r) (ε_{n+1} − ε_k) : C_k : (ε_{n+1} − ε_k) ≥ 0`, guaranteed.
//!
//! Source: R. L. Taylor, K. S. Pister, G. L. Goudreau, Int. J. Numer. Methods Eng. 2 (1970) 45–59;
//! J. C. Simo, T. J. R. Hughes, Computational Inelasticity, Springer, 1998, ch. 10.
//!
//! Guaranteed: stationary, isotropic, at rest for zero strain; the second law with `EndStrain`.

use super::elastic::Isotropic;
use super::{checked_response, invalid_if, non_negative, positive, prepare};
use crate::error::{Result, UpdateError};
use crate::law::{Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout};
use crate::mandel::Mandel;
use crate::symmetry::Symmetry;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxwellParameters {
    /// Long-term bulk modulus `K∞`, MPa.
    #[serde(rename = "bulk_MPa")]
    pub bulk: f64,
    /// Long-term shear modulus `G∞`, MPa; zero for a fluid.
    #[serde(rename = "shear_MPa")]
    pub shear: f64,
    pub branches: Vec<MaxwellBranch>,
    #[serde(default)]
    pub integration: MaxwellIntegration,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxwellBranch {
    /// `K_k`, MPa.
    #[serde(rename = "bulk_MPa", default)]
    pub bulk: f64,
    /// `G_k`, MPa.
    #[serde(rename = "shear_MPa")]
    pub shear: f64,
    /// `τ_k`, s.
    #[serde(rename = "relaxation_time_s")]
    pub relaxation_time: f64,
}

/// How the strain is taken to run inside an increment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaxwellIntegration {
    #[default]
    LinearStrain,
    EndStrain,
}

#[derive(Clone, Debug)]
struct Branch {
    elastic: Isotropic,
    relaxation_time: f64,
}

/// Generalised Maxwell solid in three dimensions.
#[derive(Clone, Debug)]
pub struct Maxwell {
    long_term: Isotropic,
    branches: Vec<Branch>,
    integration: MaxwellIntegration,
    layout: StateLayout,
}

impl Maxwell {
    pub fn new(parameters: &MaxwellParameters) -> Result<Self> {
        let p = parameters;
        positive("bulk_MPa", p.bulk)?;
        non_negative("shear_MPa", p.shear)?;
        for branch in &p.branches {
            non_negative("branches.bulk_MPa", branch.bulk)?;
            non_negative("branches.shear_MPa", branch.shear)?;
            positive("branches.relaxation_time_s", branch.relaxation_time)?;
        }
        let instantaneous: f64 = p.shear + p.branches.iter().map(|b| b.shear).sum::<f64>();
        invalid_if(
            instantaneous == 0.0,
            "a Maxwell solid needs a shear modulus: shear_MPa and all branches are zero",
        )?;
        Ok(Self {
            long_term: Isotropic {
                bulk: p.bulk,
                shear: p.shear,
            },
            branches: p
                .branches
                .iter()
                .map(|b| Branch {
                    elastic: Isotropic {
                        bulk: b.bulk,
                        shear: b.shear,
                    },
                    relaxation_time: b.relaxation_time,
                })
                .collect(),
            integration: p.integration,
            layout: StateLayout::new(
                (1..=p.branches.len()).map(|k| (format!("viscous_strain_{k}"), 6)),
            ),
        })
    }

    /// `(1 − r, φ)` of a branch.
    fn weights(&self, branch: &Branch, dt: f64) -> (f64, f64) {
        let x = dt / branch.relaxation_time;
        let lost = -(-x).exp_m1();
        let weight = match self.integration {
            MaxwellIntegration::LinearStrain if x > 0.0 && x.is_finite() => lost / x,
            MaxwellIntegration::LinearStrain if x > 0.0 => 0.0,
            _ => 1.0 - lost,
        };
        (lost, weight)
    }
}

impl MaterialLaw for Maxwell {
    fn name(&self) -> &str {
        "maxwell"
    }

    fn components(&self) -> usize {
        6
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, state: &mut [f64]) {
        state.fill(0.0);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], _external: &[f64]) -> f64 {
        let strain = Mandel::from_column_slice(strain);
        let branches = self.branches.iter().zip(state.chunks_exact(6));
        branches.fold(
            self.long_term.energy(&strain),
            |energy, (branch, viscous)| {
                energy
                    + branch
                        .elastic
                        .energy(&(strain - Mandel::from_column_slice(viscous)))
            },
        )
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        prepare(self, increment, state_old, state_new)?;
        let strain_old = Mandel::from_column_slice(increment.strain_old);
        let strain = Mandel::from_column_slice(increment.strain_new);
        let flow = |branch: &Branch, viscous: &Mandel| {
            let (lost, weight) = self.weights(branch, increment.dt);
            let flow = (strain_old - viscous) * lost + (strain - strain_old) * (1.0 - weight);
            (flow, weight)
        };

        let mut stress = self.long_term.stress(&strain);
        let mut moduli = self.long_term;
        let mut energy = self.long_term.energy(&strain);
        let mut dissipation = 0.0;
        for (branch, old) in self.branches.iter().zip(state_old.chunks_exact(6)) {
            let old = Mandel::from_column_slice(old);
            let (flow, weight) = flow(branch, &old);
            let elastic_strain = strain - (old + flow);
            let driving_force = branch.elastic.stress(&elastic_strain);
            stress += driving_force;
            moduli.bulk += branch.elastic.bulk * weight;
            moduli.shear += branch.elastic.shear * weight;
            energy += branch.elastic.energy(&elastic_strain);
            dissipation += driving_force.dot(&flow);
        }
        *response = checked_response(stress, moduli.moduli(), energy, dissipation)?;
        for ((branch, old), new) in self
            .branches
            .iter()
            .zip(state_old.chunks_exact(6))
            .zip(state_new.chunks_exact_mut(6))
        {
            let old = Mandel::from_column_slice(old);
            new.copy_from_slice((old + flow(branch, &old).0).as_slice());
        }
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: self.integration == MaxwellIntegration::EndStrain,
            second_law_in_parts: false,
            stationary: true,
            rate_independent: self.branches.is_empty(),
            symmetry: Symmetry::Isotropic,
            rest: true,
        }
    }

    /// The time is that of the branch that carries most of the relaxing shear stiffness.
    fn scales(&self) -> Scales {
        let dominant = self
            .branches
            .iter()
            .max_by(|a, b| a.elastic.shear.total_cmp(&b.elastic.shear));
        let shear =
            self.long_term.shear + self.branches.iter().map(|b| b.elastic.shear).sum::<f64>();
        let strain = 0.01;
        Scales {
            strain,
            stress: 2.0 * shear * strain,
            time: dominant.map_or(1.0, |b| 0.1 * b.relaxation_time),
        }
    }
}
