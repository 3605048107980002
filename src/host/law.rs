//! The law behind a host: loaded from a file, in every section that it has.

use super::HostError;
use crate::card::Card;
use crate::error::{Error, Result};
use crate::law::MaterialLaw;
use crate::laws::{PlaneStrain, PlaneStress, UniaxialStress};
use crate::model::Model;
use std::path::Path;
use std::sync::Arc;

/// The sections of hosts by their number of components, which names them without doubt.
const SECTIONS: [(usize, &str); 4] = [
    (6, "three-dimensional"),
    (4, "plane strain or axisymmetric"),
    (3, "plane stress"),
    (1, "uniaxial stress"),
];

/// A law in every section that it has: a three-dimensional law in all of them, another one in its
/// own.
#[derive(Clone)]
pub struct HostLaw {
    name: String,
    components: usize,
    /// In the order of [`SECTIONS`].
    sections: [Option<Arc<dyn MaterialLaw>>; 4],
}

impl HostLaw {
    /// # Errors
    /// A law that cannot be evaluated at rest.
    pub fn new(law: Arc<dyn MaterialLaw>) -> Result<Self> {
        let (name, components) = (law.name().to_string(), law.components());
        let sections = match components {
            6 => [
                Some(law.clone()),
                Some(Arc::new(PlaneStrain::with_normal_component(law.clone())?)),
                Some(Arc::new(PlaneStress::new(law.clone())?)),
                Some(Arc::new(UniaxialStress::new(law)?)),
            ],
            _ => SECTIONS.map(|(n, _)| (n == components).then(|| law.clone())),
        };
        Ok(Self {
            name,
            components,
            sections,
        })
    }

    /// Loads a saved law, or the reference law of a material card (a file ending in .toml), which is
    /// always the three-dimensional one.
    ///
    /// # Errors
    /// Those of [`Model::load`] and [`Card::open`]; a card without a reference law.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let extension = path.extension().unwrap_or_default();
        match extension.eq_ignore_ascii_case("toml") {
            true => Self::of_card(&Card::open(path)?),
            false => Self::new(Arc::new(Model::load(path)?.law)),
        }
    }

    /// [`HostLaw::load`] from the bytes of either file; `name` stands in the errors.
    ///
    /// # Errors
    /// As [`HostLaw::load`].
    pub fn from_bytes(name: impl AsRef<Path>, bytes: &[u8]) -> Result<Self> {
        // A saved law begins with the length of its header, below 2²⁴; no text does.
        let saved = bytes.get(3..8) == Some(&[0; 5]);
        match saved {
            true => Self::new(Arc::new(Model::from_bytes(name, bytes)?.law)),
            false => Self::of_card(&Card::from_bytes(name, bytes)?),
        }
    }

    fn of_card(card: &Card) -> Result<Self> {
        let Some(reference) = &card.reference else {
            return Err(Error::Card {
                path: card.path().to_path_buf(),
                line: None,
                message: "no [reference] law here, and a host needs one (or a saved law)".into(),
            });
        };
        Self::new(Arc::from(reference.build(6)?))
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Strain components of the law itself.
    pub fn components(&self) -> usize {
        self.components
    }

    /// The law for a section of so many components: 6, 4 (plane strain, axisymmetric), 3 (plane
    /// stress) or 1.
    ///
    /// # Errors
    /// [`HostError::Call`] where the law has no such section.
    pub fn section(&self, components: usize) -> Result<&Arc<dyn MaterialLaw>, HostError> {
        let place = SECTIONS.iter().position(|(n, _)| *n == components);
        let law = place.and_then(|place| self.sections[place].as_ref());
        law.ok_or_else(|| {
            let what = match place {
                Some(place) => format!("{components} components ({})", SECTIONS[place].1),
                None => format!("{components} components"),
            };
            HostError::call(format!(
                "`{}`, a law of {} components, cannot be used with {what}",
                self.name, self.components
            ))
        })
    }
}
