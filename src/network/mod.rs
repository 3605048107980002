//! The parts that laws are built of: dense layers, networks, and networks whose gradient is
//! written out layer by layer, so that no derivative of second order is needed.

mod anchored;
mod convex;
mod dense;
mod input_convex;
mod mlp;
mod parts;
mod potential;
mod quadratic;

pub use anchored::Anchored;
pub use convex::Convex;
pub use dense::Dense;
pub use input_convex::InputConvex;
pub use mlp::Mlp;
pub use parts::{Coordinates, Parts};
pub use potential::Potential;
pub use quadratic::Quadratic;
