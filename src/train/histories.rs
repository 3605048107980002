//! Histories as a roll-out reads them.

use crate::model::Normalisation;
use crate::record::Padded;
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Histories in the units of a law.
#[derive(Clone, Debug)]
pub struct Histories {
    padded: Padded,
    normalisation: Normalisation,
    measured: usize,
    /// `[rows + 1, n, records]`, from the virgin material on.
    strain: Vec<f64>,
    /// `[rows, records]`
    dt: Vec<f64>,
    /// `[rows, m, records]`
    external: Vec<f64>,
}

impl Histories {
    /// Every record has a measured stress.
    pub fn new(padded: Padded, normalisation: Normalisation) -> Self {
        let measured = padded.records;
        Self::with_probes(padded, normalisation, measured)
    }

    /// Only the first `measured` records have one; the others are probes of the second law.
    pub fn with_probes(padded: Padded, normalisation: Normalisation, measured: usize) -> Self {
        let (records, scale) = (padded.records, normalisation.strain);
        let virgin = vec![0.0; padded.components * records];
        let strain = virgin
            .into_iter()
            .chain(padded.strain.iter().map(|e| e / scale));
        let strain = strain.collect();
        let dt = padded.dt.iter().map(|dt| dt / normalisation.time).collect();
        let count = normalisation.external.len();
        let external = padded.external.iter().enumerate();
        let external = external.map(|(k, value)| normalisation.scaled(k / records % count, *value));
        Self {
            external: external.collect(),
            strain,
            dt,
            padded,
            normalisation,
            measured,
        }
    }

    /// Number of records with a measured stress; they come first.
    pub fn measured(&self) -> usize {
        self.measured
    }

    pub fn padded(&self) -> &Padded {
        &self.padded
    }

    pub fn rows(&self) -> usize {
        self.padded.rows
    }

    pub fn records(&self) -> usize {
        self.padded.records
    }

    pub fn components(&self) -> usize {
        self.padded.components
    }

    /// `[rows, components + 1, records]`: the shape of a roll-out, stress and then dissipation.
    pub fn shape(&self) -> [usize; 3] {
        [self.rows(), self.components() + 1, self.records()]
    }

    /// `s_ε`
    pub fn strain_scale(&self) -> f64 {
        self.normalisation.strain
    }

    /// `s_σ`, MPa
    pub fn stress_scale(&self) -> f64 {
        self.normalisation.stress
    }

    /// `[rows, components, records]` of the measured stress, over `s_σ`.
    pub fn target(&self) -> Vec<f64> {
        let scale = self.normalisation.stress;
        self.padded.stress.iter().map(|s| s / scale).collect()
    }

    /// Number of external variables.
    pub fn external(&self) -> usize {
        self.normalisation.external.len()
    }

    /// Strain at both ends, `dt` and external variables of the increment that ends in `row`: each
    /// `[n, records]`, one component after the other, normalised.
    pub(super) fn inputs_at(&self, row: usize) -> [&[f64]; 4] {
        let (records, m) = (self.records(), self.external());
        let n = self.components() * records;
        [
            &self.strain[row * n..][..n],
            &self.strain[(row + 1) * n..][..n],
            &self.dt[row * records..][..records],
            &self.external[row * m * records..][..m * records],
        ]
    }

    /// Feeds all that a training sees of the histories to a hash.
    pub(super) fn digest(&self, hash: &mut Sha256) {
        let padded = &self.padded;
        hash.update(format!("{:?} {};", self.shape(), self.measured));
        for values in [
            &padded.dt,
            &padded.strain,
            &padded.stress,
            &padded.mask,
            &padded.external,
        ] {
            for value in values {
                hash.update(value.to_le_bytes());
            }
        }
    }

    /// Ranges of up to `width` records.
    pub(super) fn blocks(&self, width: usize) -> Vec<Range<usize>> {
        (0..self.records())
            .step_by(width)
            .map(|first| first..(first + width).min(self.records()))
            .collect()
    }
}
