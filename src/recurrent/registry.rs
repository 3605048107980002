//! The list of laws that cards, models and the program know by name.

use super::integrator::integrate;
use super::{
    Claims, DecayingMemory, FiniteWindow, Forces, GeneralizedStandard, Gru, Inputs, Lstm,
    MinimalState, PhysicallyRecurrent, RecurrentLaw, Relaxation, Symmetry,
};
use crate::algebra::{Algebra, ParameterLayout};
use crate::error::Error;
use serde::{Deserialize, Serialize};

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

/// Names of the laws that can have a [`Symmetry`].
pub const SYMMETRIC_LAWS: &[&str] = &[
    "decaying-memory",
    "relaxation",
    "physically-recurrent",
    "generalized-standard",
];

/// Unknowns that the search of an implicit update can have.
const MOST_UNKNOWNS: usize = 512;

/// Which law, and its sizes: all that is needed to lay out its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// A name of [`LAWS`].
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
    pub(super) fn energy_size(&self) -> [usize; 2] {
        [self.energy_width, self.energy_layers]
    }

    /// Checks every size; returns the key at fault and the cause.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if !LAWS.contains(&self.law.as_str()) {
            let message = format!("\"{}\", there are {}", self.law, LAWS.join(", "));
            return Err(("law", message));
        }
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
        if self.symmetry != Symmetry::None && !SYMMETRIC_LAWS.contains(&self.law.as_str()) {
            let (law, able) = (&self.law, SYMMETRIC_LAWS.join(", "));
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
        let unknowns = self.components * self.states;
        let tensors = self.symmetry != Symmetry::None && self.law == "generalized-standard";
        if tensors && unknowns > MOST_UNKNOWNS {
            let message = format!(
                "{} tensors have {unknowns} components, {MOST_UNKNOWNS} are possible",
                self.states
            );
            return Err(("states", message));
        }
        Ok(())
    }
}

/// One line a law: its name, its type.
macro_rules! registry {
    ($($name:literal => $law:ident),+ $(,)?) => {
        /// Names of the laws that can be learned.
        pub const LAWS: &[&str] = &[$($name),+];

        /// A law of the list by itself.
        #[derive(Clone, Debug)]
        enum Listed {
            $($law($law)),+
        }

        impl Architecture {
            /// Builds the law and the layout of its parameters.
            ///
            /// # Errors
            /// [`Error::Invalid`] where a size is out of range or no law has this name.
            pub fn build(&self) -> Result<(AnyLaw, ParameterLayout), Error> {
                let fault = |(key, message)| Error::invalid(format!("{key}: {message}"));
                self.check().map_err(fault)?;
                let mut layout = ParameterLayout::default();
                $(if self.law == $name {
                    let law = Listed::$law($law::new(&mut layout, self));
                    return Ok((AnyLaw { law, substeps: self.substeps }, layout));
                })+
                Err(fault(("law", self.law.clone())))
            }
        }

        impl RecurrentLaw for Listed {
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

/// Any law of the list, an increment taken in one update or in several even ones.
#[derive(Clone, Debug)]
pub struct AnyLaw {
    law: Listed,
    substeps: usize,
}

impl RecurrentLaw for AnyLaw {
    fn components(&self) -> usize {
        self.law.components()
    }

    fn states(&self) -> usize {
        self.law.states()
    }

    fn claims(&self) -> Claims {
        let claims = self.law.claims();
        Claims {
            second_law: claims.second_law && (self.substeps == 1 || claims.in_parts),
            ..claims
        }
    }

    fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        self.law.prepare(a)
    }

    fn evolve<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        let count = self.substeps;
        let knots = (1..=count).map(|k| k as f64 / count as f64);
        integrate(&self.law, a, prepared, inputs, state, knots)
    }

    fn forces<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        strain: &A::Vector,
        external: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        self.law.forces(a, prepared, strain, external, state)
    }
}

registry! {
    "gru" => Gru,
    "lstm" => Lstm,
    "finite-window" => FiniteWindow,
    "minimal-state" => MinimalState,
    "decaying-memory" => DecayingMemory,
    "relaxation" => Relaxation,
    "physically-recurrent" => PhysicallyRecurrent,
    "generalized-standard" => GeneralizedStandard,
}
