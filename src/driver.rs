//! Material-point driver: strain, stress or mixed control of any law.

use crate::law::{StateLayout, Status};
use crate::record::Record;

/// The answer of a law to a loading programme, row 0 being the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Time, strain, stress and external variables.
    pub record: Record,
    pub state_layout: StateLayout,
    /// Internal variables, `[rows * states]`.
    pub states: Vec<f64>,
    /// `ψ`, `[rows]`, MJ/m³.
    pub stored_energy: Vec<f64>,
    /// `D_end` of the increment that ends in this row (row 0: zero), `[rows]`, MJ/m³.
    pub dissipation: Vec<f64>,
    /// `[rows]`
    pub status: Vec<Status>,
}
