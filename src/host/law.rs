//! The law behind a host: loaded from a file, in every stress state that it has.

use super::HostError;
use super::outside::Outside;
use super::start::StartStiffness;
use crate::audit::saved_rows_beyond;
use crate::error::Result;
use crate::law::MaterialLaw;
use crate::mandel::StressState;
use crate::open::{LawSource, open};
use std::path::Path;
use std::sync::Arc;

/// The stress states of host programs, each with another number of components.
const STRESS_STATES: [StressState; 4] = [
    StressState::Solid,
    StressState::Axisymmetric,
    StressState::PlaneStress,
    StressState::Uniaxial,
];

/// Whether the row `start_tangent` of a saved audit is beyond its limit.
fn starts_soft(audit: &serde_json::Value) -> bool {
    saved_rows_beyond(audit).any(|row| row["name"] == "start_tangent")
}

/// A law in every stress state that it has: a three-dimensional law in all of them, another one in
/// its own.
#[derive(Clone)]
pub struct HostLaw {
    name: String,
    components: usize,
    /// In the order of [`STRESS_STATES`].
    laws: [Option<Arc<dyn MaterialLaw>>; 4],
    outside: Outside,
}

impl HostLaw {
    /// # Errors
    /// A law that cannot be evaluated at rest.
    pub fn new(law: Arc<dyn MaterialLaw>) -> Result<Self> {
        let (name, components) = (law.name().to_string(), law.components());
        let mut laws = [const { None }; 4];
        for (place, state) in laws.iter_mut().zip(STRESS_STATES) {
            if state.components() == components {
                *place = Some(law.clone());
            } else if components == StressState::Solid.components() {
                *place = Some(Arc::from(state.around(law.clone())?));
            }
        }
        Ok(Self {
            name,
            components,
            laws,
            outside: Outside::default(),
        })
    }

    /// What UMAT and MGIS do with increments outside the trained range.
    pub fn with_outside(self, outside: Outside) -> Self {
        Self { outside, ..self }
    }

    pub fn outside(&self) -> Outside {
        self.outside
    }

    /// Opens a saved law, or the reference law of a material card, which is always the
    /// three-dimensional one.
    ///
    /// # Errors
    /// Those of [`open`]; a card without a reference law.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_source(open(path)?)
    }

    /// [`HostLaw::load`] from the bytes of either file; `name` stands in the errors.
    ///
    /// # Errors
    /// As [`HostLaw::load`].
    pub fn from_bytes(name: impl AsRef<Path>, bytes: &[u8]) -> Result<Self> {
        Self::from_source(LawSource::from_bytes(name, bytes)?)
    }

    /// A saved law whose audit says that the tangent of its empty increments is too soft begins a step with the
    /// stiffness that the next increment meets.
    ///
    /// # Errors
    /// As [`HostLaw::load`].
    pub fn from_source(source: LawSource) -> Result<Self> {
        let name = match &source {
            LawSource::Model(model) => model.metadata.name.clone(),
            LawSource::Card(card) => card.name.clone(),
        };
        let soft = matches!(&source, LawSource::Model(model) if starts_soft(&model.metadata.audit));
        let law: Arc<dyn MaterialLaw> = source.solid_law()?.into();
        let law = match soft {
            true => Arc::new(StartStiffness::new(law)),
            false => law,
        };
        Ok(Self {
            name,
            ..Self::new(law)?
        })
    }

    /// The name of the saved law or card, or of the law itself where it comes from neither.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Strain components of the law itself.
    pub fn components(&self) -> usize {
        self.components
    }

    /// The law in a stress state.
    ///
    /// # Errors
    /// [`HostError::Call`] where the law does not have it.
    pub fn in_stress_state(&self, state: StressState) -> Result<&Arc<dyn MaterialLaw>, HostError> {
        let place = STRESS_STATES.iter().position(|s| *s == state);
        let law = place.and_then(|place| self.laws[place].as_ref());
        law.ok_or_else(|| self.unusable(format!("{} components ({state})", state.components())))
    }

    /// The law in the stress state of so many components: 6, 4 (plane strain, axisymmetric), 3 (plane
    /// stress) or 1.
    ///
    /// # Errors
    /// [`HostError::Call`] where the law has no such stress state.
    pub fn with_components(&self, components: usize) -> Result<&Arc<dyn MaterialLaw>, HostError> {
        match StressState::of_components(components) {
            Some(state) => self.in_stress_state(state),
            None => Err(self.unusable(format!("{components} components"))),
        }
    }

    fn unusable(&self, what: String) -> HostError {
        HostError::call(format!(
            "`{}`, a law of {} components, cannot be used with {what}",
            self.name, self.components
        ))
    }
}
