//! The list of laws that cards, models and the program know by name.

use super::{Claims, Forces, Gru, Inputs, MinimalState, RecurrentLaw};
use crate::algebra::{Algebra, ParameterLayout};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What drives the internal variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// Which law, and its sizes: all that is needed to lay out its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Architecture {
    /// A name of [`LAWS`].
    pub law: String,
    /// Strain components, 1, 3 or 6.
    pub components: usize,
    /// External variables.
    pub external: usize,
    /// Internal variables.
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
}

impl Architecture {
    pub(super) fn energy_size(&self) -> [usize; 2] {
        [self.energy_width, self.energy_layers]
    }

    fn check(&self) -> Result<()> {
        if crate::mandel::positions(self.components).is_none() {
            return Err(Error::invalid(format!(
                "a law has 1, 3 or 6 strain components, not {}",
                self.components
            )));
        }
        for (what, value, least, most) in [
            ("external", self.external, 0, 64),
            ("states", self.states, 1, 512),
            ("width", self.width, 1, 4096),
            ("layers", self.layers, 0, 16),
            ("energy-width", self.energy_width, 1, 4096),
            ("energy-layers", self.energy_layers, 1, 16),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Error::invalid(format!(
                    "{what} = {value} is outside {least} to {most}"
                )));
            }
        }
        Ok(())
    }
}

/// One line a law: its name, its type.
macro_rules! registry {
    ($($name:literal => $law:ident),+ $(,)?) => {
        /// Names of the laws that can be learned.
        pub const LAWS: &[&str] = &[$($name),+];

        /// Any law of the list.
        #[derive(Clone, Debug)]
        pub enum AnyLaw {
            $($law($law)),+
        }

        impl Architecture {
            /// Builds the law and the layout of its parameters.
            pub fn build(&self) -> Result<(AnyLaw, ParameterLayout)> {
                self.check()?;
                let mut layout = ParameterLayout::default();
                let law = match self.law.as_str() {
                    $($name => AnyLaw::$law($law::new(&mut layout, self)),)+
                    other => return Err(Error::invalid(format!(
                        "no law is called \"{other}\"; there are {}",
                        LAWS.join(", ")
                    ))),
                };
                Ok((law, layout))
            }
        }

        impl RecurrentLaw for AnyLaw {
            fn components(&self) -> usize {
                match self { $(Self::$law(law) => law.components()),+ }
            }

            fn states(&self) -> usize {
                match self { $(Self::$law(law) => law.states()),+ }
            }

            fn claims(&self) -> Claims {
                match self { $(Self::$law(law) => law.claims()),+ }
            }

            fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
                match self { $(Self::$law(law) => law.prepare(a)),+ }
            }

            fn evolve<A: Algebra>(
                &self,
                a: &A,
                prepared: &A::Vector,
                inputs: &Inputs<A::Vector>,
                state: &A::Vector,
            ) -> A::Vector {
                match self { $(Self::$law(law) => law.evolve(a, prepared, inputs, state)),+ }
            }

            fn forces<A: Algebra>(
                &self,
                a: &A,
                prepared: &A::Vector,
                strain: &A::Vector,
                external: Option<&A::Vector>,
                state: &A::Vector,
            ) -> Forces<A::Vector> {
                match self {
                    $(Self::$law(law) => law.forces(a, prepared, strain, external, state)),+
                }
            }
        }
    };
}

registry! {
    "gru" => Gru,
    "minimal-state" => MinimalState,
}
