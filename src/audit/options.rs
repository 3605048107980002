//! Size of an audit.

/// Options of an audit. The defaults take about two seconds for a law of a few microseconds per
/// update.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditOptions {
    /// Seed of all random numbers: the same seed gives the same values.
    pub seed: u64,
    /// Random histories per amplitude: one, ten and a hundred times the law's strain scale.
    pub histories: usize,
    /// Increments per random history.
    pub increments: usize,
    /// Increments of the row `state_growth`.
    pub growth_increments: usize,
    /// Cycles of the row `cyclic_drift`.
    pub cycles: usize,
    /// Random rotations of the rows on objectivity and symmetry.
    pub rotations: usize,
    /// Constant values of the external variables; missing ones are zero.
    pub external: Vec<f64>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            seed: 2026,
            histories: 12,
            increments: 48,
            growth_increments: 10_000,
            cycles: 1000,
            rotations: 100,
            external: Vec::new(),
        }
    }
}
