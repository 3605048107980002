//! Which law, and its sizes.

use super::{RecurrentLaw, Substeps, Symmetry, registry};
use crate::error::Error;
use crate::graph::ParameterLayout;
use crate::mandel::StressState;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What drives the internal variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// `‖Δε‖`: rate-independent, also where a record's time is pseudo-time.
    #[default]
    StrainPath,
    /// `dt`: viscous.
    Time,
    /// Both.
    Both,
}

impl Clock {
    /// Whether the strain path drives.
    pub fn has_path(self) -> bool {
        self != Self::Time
    }

    /// Whether time drives.
    pub fn has_time(self) -> bool {
        self != Self::StrainPath
    }
}

/// Which law, and its sizes: all that is needed to lay out its parameters. `[learn]` in a card, where
/// components and external variables are left to the records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Architecture {
    /// A name of [`laws`](super::laws).
    pub law: String,
    /// Strain components, 1, 3 or 6; zero: those of the records.
    #[serde(skip_serializing_if = "is_zero")]
    pub components: usize,
    /// Number of external variables.
    #[serde(skip_serializing_if = "is_zero")]
    pub external: usize,
    /// Number of internal variables, tensors, cells or material points, as the law has them.
    pub states: usize,
    /// Hidden width of the evolution network.
    pub width: usize,
    /// Hidden layers of the evolution network.
    pub layers: usize,
    /// Hidden width of the free energy.
    pub energy_width: usize,
    /// Hidden layers of the free energy.
    pub energy_layers: usize,
    pub clock: Clock,
    pub symmetry: Symmetry,
    /// Number of updates that an increment is split into.
    pub substeps: usize,
    /// Of `physically-recurrent`: isotropic hardening also has a linear part, which never saturates. Only
    /// for single loadings: over many cycles such a law hardens without end.
    #[serde(skip_serializing_if = "is_false")]
    pub linear_hardening: bool,
    /// That of records with fewer components than the isotropic law of six components that they teach:
    /// uniaxial, plane stress or plane strain. `None`: the law has the components of the records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stress_state: Option<StressState>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Default for Architecture {
    fn default() -> Self {
        Self {
            law: "minimal-state".into(),
            components: 0,
            external: 0,
            states: 8,
            width: 16,
            layers: 2,
            energy_width: 16,
            energy_layers: 2,
            clock: Clock::default(),
            symmetry: Symmetry::default(),
            substeps: 1,
            linear_hardening: false,
            stress_state: None,
        }
    }
}

impl Architecture {
    /// The law of these sizes for records of so many strain components and external variables.
    pub fn for_records(&self, components: usize, external: usize) -> Self {
        Self {
            components: match self.stress_state {
                None => components,
                Some(_) => 6,
            },
            external,
            stress_state: None,
            ..self.clone()
        }
    }

    /// The same, checked.
    ///
    /// # Errors
    /// The key at fault and the cause.
    pub fn checked_for_records(
        &self,
        components: usize,
        external: usize,
    ) -> Result<Self, (&'static str, String)> {
        if let Some(stress_state) = self.stress_state {
            let fault = |message: String| Err(("stress_state", message));
            let needed = stress_state.components();
            if !matches!(needed, 1 | 3) {
                return fault(
                    "\"uniaxial\", \"plane-stress\" and \"plane-strain\" are possible; without it the law has \
                     the components of the records"
                        .into(),
                );
            }
            if components != needed {
                return fault(format!(
                    "records of {stress_state} have {needed} components, not {components}"
                ));
            }
            if self.symmetry != Symmetry::Isotropic {
                return fault(
                    "records of fewer components say nothing of other directions: symmetry = \"isotropic\" is \
                     needed"
                        .into(),
                );
            }
        }
        let architecture = self.for_records(components, external);
        architecture.check()?;
        Ok(architecture)
    }

    /// Hidden `[width, layers]` of the free energy.
    pub fn energy_size(&self) -> [usize; 2] {
        [self.energy_width, self.energy_layers]
    }

    /// Hidden `[width, layers]` of the evolution network.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.layers]
    }

    /// Checks every size; returns the key at fault and the cause.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let entry = registry::find(&self.law).map_err(|message| ("law", message))?;
        if crate::mandel::positions(self.components).is_none() {
            let message = format!("{}, a law has 1, 3 or 6", self.components);
            return Err(("components", message));
        }
        for (key, value, least, most) in [
            ("external", self.external, 0, 64),
            ("states", self.states, 1, 512),
            ("width", self.width, 1, 4096),
            ("layers", self.layers, 0, 32),
            ("energy_width", self.energy_width, 1, 4096),
            ("energy_layers", self.energy_layers, 1, 32),
            ("substeps", self.substeps, 1, 1024),
        ] {
            if !(least..=most).contains(&value) {
                return Err((key, format!("{value}, {least} to {most} are possible")));
            }
        }
        if self.linear_hardening && !entry.hardens_linearly {
            return Err(("linear_hardening", format!("{} has no such part", self.law)));
        }
        if self.symmetry != Symmetry::None && !entry.symmetric {
            let (law, able) = (&self.law, registry::symmetric_laws().join(", "));
            return Err(("symmetry", format!("{law} cannot have one, {able} can")));
        }
        let able = self.symmetry.components();
        if !able.contains(&self.components) {
            let able: Vec<_> = able.iter().map(usize::to_string).collect();
            let message = format!(
                "a law with this one has {} components, not {}",
                able.join(" or "),
                self.components
            );
            return Err(("symmetry", message));
        }
        (entry.check)(self)
    }

    /// Builds the law and the layout of its parameters.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a size is out of range or no law has this name.
    pub fn build(&self) -> Result<(Arc<dyn RecurrentLaw>, ParameterLayout), Error> {
        let fault = |(key, message): (&str, String)| Error::invalid(format!("{key}: {message}"));
        self.check().map_err(fault)?;
        let entry = registry::find(&self.law).map_err(|message| fault(("law", message)))?;
        let mut layout = ParameterLayout::default();
        let law = (entry.build)(&mut layout, self);
        let law = match self.substeps {
            1 => law,
            count => Arc::new(Substeps { law, count }),
        };
        Ok((law, layout))
    }
}
