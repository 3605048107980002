//! Scales and range of a learned law.

use super::TrainedRange;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Spread over mean of an external variable that did not vary.
const CONSTANT: f64 = 1e-11;

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
    /// `[offset, scale]` of each external variable. One that did not vary in training has the scale zero and
    /// no influence.
    pub external: Vec<[f64; 2]>,
    /// `[least, most]` of each Mandel strain component seen in training.
    pub strain_range: Vec<[f64; 2]>,
    /// What else training has seen; laws of 0.1.0 have the strain range alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<TrainedRange>,
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
            range: None,
        }
    }

    /// An external variable in the units of the law.
    pub(crate) fn scaled(&self, i: usize, value: f64) -> f64 {
        let [offset, scale] = self.external[i];
        // 0.1.0 gave variables that did not vary a scale of nearly nothing.
        match scale > CONSTANT * offset.abs() {
            true => (value - offset) / scale,
            false => 0.0,
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
        for (what, scale) in scales {
            if !(scale.is_finite() && scale > 0.0) {
                return fail(format!("the scale {scale} of {what} is not positive"));
            }
        }
        for (name, [_, scale]) in self.external_names.iter().zip(&self.external) {
            if !(scale.is_finite() && *scale >= 0.0) {
                return fail(format!("the scale {scale} of {name} is negative"));
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
        if let Some(range) = &self.range {
            range.check(external).map_err(Error::Invalid)?;
        }
        Ok(())
    }
}
