//! The parts that laws are built of: dense layers, networks, and networks whose gradient is
//! written out layer by layer, so that no reading needs second-order differentiation.

mod anchored;
mod dense;
mod input_convex;
mod mlp;
mod potential;

pub use anchored::Anchored;
pub use dense::Dense;
pub use input_convex::InputConvex;
pub use mlp::Mlp;
pub use potential::Potential;
