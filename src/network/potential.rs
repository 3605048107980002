//! Scalar functions with a written-out gradient.

use crate::graph::Vector;
use std::fmt::Debug;

/// A scalar function of a vector that gives its gradient in closed form.
pub trait Potential: Debug + Send + Sync {
    /// `x [n] → (value [1], gradient [n])`.
    fn value_and_gradient<'g>(&self, x: Vector<'g>) -> (Vector<'g>, Vector<'g>);
}
