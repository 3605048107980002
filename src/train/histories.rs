//! Histories as a roll-out reads them.

use crate::learned::Normalisation;
use crate::record::Padded;
use crate::recurrent::Inputs;
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Histories in the units of a law.
#[derive(Clone, Debug)]
pub struct Histories {
    padded: Padded,
    normalisation: Normalisation,
    measured: usize,
}

impl Histories {
    /// Every record has a measured stress.
    pub fn new(padded: Padded, normalisation: Normalisation) -> Self {
        let measured = padded.records;
        Self::with_probes(padded, normalisation, measured)
    }

    /// Only the first `measured` records have one; the others are probes of the second law.
    pub fn with_probes(padded: Padded, normalisation: Normalisation, measured: usize) -> Self {
        Self {
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

    fn at(&self, values: &[f64], width: usize, row: usize, i: usize, record: usize) -> f64 {
        let record = record.min(self.records() - 1);
        values[(row * width + i) * self.records() + record]
    }

    /// `ε/s_ε`; the row before the first is the virgin material.
    fn strain(&self, row: Option<usize>, i: usize, record: usize) -> f64 {
        row.map_or(0.0, |row| {
            self.at(&self.padded.strain, self.components(), row, i, record)
                / self.normalisation.strain
        })
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

    /// The inputs of the increment that ends in `row`, read by `input(len, fill(i, record))`.
    pub(super) fn inputs<V: Clone>(
        &self,
        row: usize,
        input: impl Fn(usize, &dyn Fn(usize, usize) -> f64) -> V,
    ) -> Inputs<V> {
        let n = self.components();
        let external = &self.normalisation.external;
        Inputs {
            strain_old: input(n, &|i, r| self.strain(row.checked_sub(1), i, r)),
            strain_new: input(n, &|i, r| self.strain(Some(row), i, r)),
            dt: input(1, &|_, r| {
                self.at(&self.padded.dt, 1, row, 0, r) / self.normalisation.time
            }),
            external: (!external.is_empty()).then(|| {
                input(external.len(), &|i, r| {
                    let [offset, scale] = external[i];
                    (self.at(&self.padded.external, external.len(), row, i, r) - offset) / scale
                })
            }),
        }
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
