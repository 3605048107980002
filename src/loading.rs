//! Loading programmes.

/// What is prescribed on one strain component at the end of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// Mandel strain.
    Strain(f64),
    /// Mandel stress, MPa.
    Stress(f64),
}

/// One step: reach the targets linearly over `dt`.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadStep {
    /// Seconds.
    pub dt: f64,
    /// One entry per component.
    pub targets: Vec<Control>,
    /// External variables at the end of the step.
    pub external: Vec<f64>,
}

/// A loading programme: increments one after the other from the virgin state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Programme {
    pub name: String,
    /// 1, 3 or 6.
    pub components: usize,
    pub external_names: Vec<String>,
    pub steps: Vec<LoadStep>,
}
