//! Classical laws.

use crate::error::{Error, Result};
use crate::law::MaterialLaw;
use serde::{Deserialize, Serialize};

/// A law with published parameters, as a card names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "law", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReferenceLaw {
    Elastic {
        #[serde(rename = "young_MPa")]
        young: f64,
        poisson: f64,
    },
}

impl ReferenceLaw {
    /// The law for a number of strain components.
    pub fn build(&self, _components: usize) -> Result<Box<dyn MaterialLaw>> {
        Err(Error::invalid("reference laws are not there yet"))
    }
}
