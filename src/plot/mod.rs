//! Figures of records, predictions, dissipation, internal variables, training and solids, as SVG or PNG.
//!
//! The extension of the path selects the format. A figure that cannot be drawn (no data, numbers
//! that are not finite, a path that cannot be written) is an [`Error::Plot`](crate::Error::Plot).
//! Shear components are shown as tensor components: stress `σ₁₂`, engineering strain `γ₁₂`.

mod axis;
mod data;
mod histories;
mod internal;
mod page;
mod palette;
mod panel;
mod path;
mod series;
mod solid;
mod training;

pub use crate::train::LearningPoint;
pub use axis::{Axis, Division};
pub use data::Abscissa;
pub use histories::{parity, stress_over_time, stress_strain};
pub use internal::{dissipation, internal_variables};
pub use series::{Bars, Series, Style, bars, lines};
pub use solid::solid;
pub use training::learning_curve;
