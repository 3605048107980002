//! How much an audit does.

/// Size of an audit. The defaults take about two seconds for a law of a few microseconds per
/// update.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditOptions {
    /// Seed of every random number: the same seed gives the same figures.
    pub seed: u64,
    /// Random histories per range: within the law's strain scale, ten and a hundred times beyond.
    pub histories: usize,
    /// Increments per random history.
    pub increments: usize,
    /// Increments over which a perturbation of the state is followed.
    pub growth_increments: usize,
    /// Random rotations of the rows on objectivity and symmetry.
    pub rotations: usize,
    /// Values at which the external variables are held; missing ones are zero.
    pub external: Vec<f64>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            seed: 2026,
            histories: 12,
            increments: 48,
            growth_increments: 10_000,
            rotations: 100,
            external: Vec::new(),
        }
    }
}
