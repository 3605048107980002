//! Scalar functions with a written-out gradient.

use crate::algebra::Algebra;

/// A scalar function of a vector that gives its gradient in closed form.
pub trait Potential {
    /// `x [n] → (value [1], gradient [n])`.
    fn value_and_gradient<A: Algebra>(&self, a: &A, x: &A::Vector) -> (A::Vector, A::Vector);
}
