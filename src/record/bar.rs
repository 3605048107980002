//! Bars whose transverse strain is known.

use super::Record;

/// The column of the transverse strain of a bar, negative in tension.
pub const TRANSVERSE_STRAIN: &str = "strain_transverse";

impl Record {
    /// A bar with a measured transverse strain, in the column [`TRANSVERSE_STRAIN`], as a record of six
    /// components: strain `[ε, ε_t, ε_t, 0, 0, 0]`, stress `[σ, 0, 0, 0, 0, 0]`. The bar contracts alike in
    /// both transverse directions, as an isotropic material does. `None` for other components, or without the
    /// column.
    pub fn solid_bar(&self) -> Option<Record> {
        let m = self.external_names.len();
        let names = self.external_names.iter();
        let column = names
            .clone()
            .position(|name| name == TRANSVERSE_STRAIN)
            .filter(|_| self.components == 1)?;
        let transverse = self.external.chunks_exact(m).map(|row| row[column]);
        let other = |(at, value): (usize, &f64)| (at % m != column).then_some(*value);
        Some(Record {
            external_names: names.filter(|n| *n != TRANSVERSE_STRAIN).cloned().collect(),
            external: self.external.iter().enumerate().filter_map(other).collect(),
            ..self.with_transverse(transverse)
        })
    }

    /// A bar of one component as a record of six, as [`Record::solid_bar`], with the transverse strain of an
    /// elastoplastic material,
    ///
    /// ```text
    /// ε_t = −ν σ/E − ν_p (ε − σ/E)
    /// ```
    ///
    /// of Young's modulus `E`, MPa, Poisson's ratio `ν` and plastic Poisson's ratio `ν_p`, which is one half where
    /// plastic flow keeps the volume.
    pub fn elastoplastic_bar(&self, young: f64, poisson: f64, plastic_poisson: f64) -> Record {
        let rows = self.strain.iter().zip(&self.stress);
        let transverse = rows.map(|(strain, stress)| {
            let elastic = stress / young;
            -poisson * elastic - plastic_poisson * (strain - elastic)
        });
        self.with_transverse(transverse)
    }

    fn with_transverse(&self, transverse: impl Iterator<Item = f64>) -> Record {
        let strain = self.strain.iter().zip(transverse);
        let stress = self.stress.iter();
        Record {
            components: 6,
            strain: strain
                .flat_map(|(&e, t)| [e, t, t, 0.0, 0.0, 0.0])
                .collect(),
            stress: stress.flat_map(|&s| [s, 0.0, 0.0, 0.0, 0.0, 0.0]).collect(),
            ..self.clone()
        }
    }
}
