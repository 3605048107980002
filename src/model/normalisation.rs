//! Scales and range of a learned law.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What turns physical units into the law's own, and the range that training has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// `s_ε`
    pub strain: f64,
    /// `s_σ`, MPa
    pub stress: f64,
    /// `s_t`, s
    pub time: f64,
    /// Names of the external variables.
    pub external_names: Vec<String>,
    /// `[offset, scale]` of each external variable.
    pub external: Vec<[f64; 2]>,
    /// `[least, most]` of each Mandel strain component seen in training.
    pub strain_range: Vec<[f64; 2]>,
}

impl Normalisation {
    /// Unit scales without external variables and with an unlimited range.
    pub fn unit(components: usize) -> Self {
        Self {
            strain: 1.0,
            stress: 1.0,
            time: 1.0,
            external_names: Vec::new(),
            external: Vec::new(),
            strain_range: vec![[f64::NEG_INFINITY, f64::INFINITY]; components],
        }
    }

    /// # Errors
    /// [`Error::Invalid`] where a scale is not positive, or a list does not have an entry for each
    /// of so many strain components or external variables.
    pub fn check(&self, components: usize, external: usize) -> Result<()> {
        let fail = |message: String| Err(Error::Invalid(message));
        let scales = [
            ("strain", self.strain),
            ("stress", self.stress),
            ("time", self.time),
        ];
        let named = self.external_names.iter().zip(&self.external);
        let external_scales = named.map(|(name, [_, scale])| (name.as_str(), *scale));
        for (what, scale) in scales.into_iter().chain(external_scales) {
            if !(scale.is_finite() && scale > 0.0) {
                return fail(format!("the scale {scale} of {what} is not positive"));
            }
        }
        for (what, found, expected) in [
            ("strain ranges", self.strain_range.len(), components),
            ("external names", self.external_names.len(), external),
            ("external scales", self.external.len(), external),
        ] {
            if found != expected {
                return fail(format!("{found} {what}, {expected} are needed"));
            }
        }
        if self.external.iter().any(|[offset, _]| !offset.is_finite()) {
            return fail("the offset of an external variable is not finite".into());
        }
        let mut names = self.external_names.iter().enumerate();
        if let Some((_, name)) = names.find(|(i, n)| self.external_names[..*i].contains(n)) {
            return fail(format!("external variable `{name}` is there twice"));
        }
        if let Some([low, high]) = self
            .strain_range
            .iter()
            .find(|[low, high]| low.partial_cmp(high).is_none_or(|order| order.is_gt()))
        {
            return fail(format!("strain range [{low}, {high}] is not a range"));
        }
        Ok(())
    }
}
