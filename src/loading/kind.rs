//! Loading programmes described by a few numbers.

use super::{Kernel, Programme};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The boundary condition of the components that a uniaxial programme does not drive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Others {
    /// Their stress stays zero: a tension test.
    #[default]
    Stress,
    /// Their strain stays zero.
    Strain,
}

/// A loading programme in a few numbers. In a card: `kind = "cyclic"`, then the fields.
///
/// Strains are Mandel components; rates are in 1/s (of the norm where several components move),
/// times in s, stresses in MPa. `component` is the label of the component that a uniaxial
/// programme drives (`"11"`), `others` what holds on the rest, `steps` the increments of each
/// straight piece.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProgrammeKind {
    /// From zero to `strain`.
    Monotonic {
        strain: f64,
        #[serde(default = "default_rate")]
        rate: f64,
        #[serde(default = "default_steps")]
        steps: usize,
        #[serde(default = "default_component")]
        component: String,
        #[serde(default)]
        others: Others,
    },
    /// `cycles` times `mean + amplitude`, `mean − amplitude`, then `mean`. With `final_amplitude`,
    /// the amplitude changes evenly from the first to the last cycle.
    Cyclic {
        amplitude: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        final_amplitude: Option<f64>,
        #[serde(default)]
        mean: f64,
        cycles: usize,
        #[serde(default = "default_rate")]
        rate: f64,
        #[serde(default = "default_steps")]
        steps: usize,
        #[serde(default = "default_component")]
        component: String,
        #[serde(default)]
        others: Others,
    },
    /// `2 · cycles` reversals at random strains within `± amplitude`, in turn above and below
    /// zero.
    RandomCyclic {
        amplitude: f64,
        cycles: usize,
        #[serde(default = "default_seed")]
        seed: u64,
        #[serde(default = "default_rate")]
        rate: f64,
        #[serde(default = "default_steps")]
        steps: usize,
        #[serde(default = "default_component")]
        component: String,
        #[serde(default)]
        others: Others,
    },
    /// A ramp to `strain`, then `hold` seconds at it. Each hold step is `growth` times as long as
    /// the one before.
    Relaxation {
        strain: f64,
        hold: f64,
        #[serde(default = "default_rate")]
        rate: f64,
        #[serde(default = "default_steps")]
        steps: usize,
        #[serde(default = "default_steps")]
        hold_steps: usize,
        #[serde(default = "default_growth")]
        growth: f64,
        #[serde(default = "default_component")]
        component: String,
        #[serde(default)]
        others: Others,
    },
    /// A ramp to `stress` at `stress_rate` (MPa/s), then `hold` seconds at it.
    Creep {
        stress: f64,
        hold: f64,
        #[serde(default = "default_stress_rate")]
        stress_rate: f64,
        #[serde(default = "default_steps")]
        steps: usize,
        #[serde(default = "default_steps")]
        hold_steps: usize,
        #[serde(default = "default_growth")]
        growth: f64,
        #[serde(default = "default_component")]
        component: String,
        #[serde(default)]
        others: Others,
    },
    /// From zero to `strain` in equal pieces, one per rate, each of `steps` increments.
    RateJumps {
        strain: f64,
        rates: Vec<f64>,
        #[serde(default = "default_steps")]
        steps: usize,
        #[serde(default = "default_component")]
        component: String,
        #[serde(default)]
        others: Others,
    },
    /// All components under strain control: steps of length `increment` in random directions,
    /// within `‖ε‖ ≤ amplitude`.
    RandomWalk {
        amplitude: f64,
        increment: f64,
        steps: usize,
        #[serde(default = "default_seed")]
        seed: u64,
        #[serde(default = "default_rate")]
        rate: f64,
    },
    /// All components under strain control: independent Gaussian processes of standard deviation
    /// `amplitude` that start at zero. `correlation` is their correlation length as a share of the
    /// path.
    GaussianProcess {
        amplitude: f64,
        #[serde(default = "default_correlation")]
        correlation: f64,
        #[serde(default)]
        kernel: Kernel,
        steps: usize,
        #[serde(default = "default_seed")]
        seed: u64,
        #[serde(default = "default_rate")]
        rate: f64,
    },
}

fn default_rate() -> f64 {
    1e-3
}
fn default_stress_rate() -> f64 {
    1.0
}
fn default_steps() -> usize {
    100
}
fn default_growth() -> f64 {
    1.0
}
fn default_correlation() -> f64 {
    0.1
}
fn default_seed() -> u64 {
    1
}
fn default_component() -> String {
    "11".into()
}

/// A programme of a material card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedProgramme {
    pub name: String,
    /// External variables, constant over the programme.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub external: BTreeMap<String, f64>,
    /// Unknown keys are errors there.
    #[serde(flatten)]
    pub kind: ProgrammeKind,
}

impl NamedProgramme {
    /// The programme for a law with these components.
    ///
    /// # Errors
    /// Those of [`ProgrammeKind::build`], with the programme's name.
    pub fn build(&self, components: usize) -> Result<Programme> {
        let named = |e: Error| Error::invalid(format!("loading programme `{}`: {e}", self.name));
        let mut programme = self.kind.build(components).map_err(named)?;
        programme.name.clone_from(&self.name);
        programme.external_names = self.external.keys().cloned().collect();
        let external: Vec<f64> = self.external.values().copied().collect();
        for step in &mut programme.steps {
            step.external.clone_from(&external);
        }
        programme.check()?;
        Ok(programme)
    }
}
