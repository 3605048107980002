//! Which law, and its sizes.

use super::{RecurrentLaw, Substeps, Symmetry, registry};
use crate::error::Error;
use crate::graph::ParameterLayout;
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

/// Which law, and its sizes: all that is needed to lay out its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// A name of [`laws`](super::laws).
    pub law: String,
    /// Strain components, 1, 3 or 6.
    pub components: usize,
    /// External variables.
    pub external: usize,
    /// What the law counts: internal variables, tensors, cells or material points.
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
    /// Models that do not name it have none.
    #[serde(default)]
    pub symmetry: Symmetry,
    /// Updates in which an increment is taken.
    #[serde(default = "one")]
    pub substeps: usize,
}

fn one() -> usize {
    1
}

impl Architecture {
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
