//! Roots of a residual: what an implicit update is made of.
//!
//! For `R(x; k) = 0` a root is found point by point, without a record of the search. One Newton
//! step at the root, `x = x̄ − J⁻¹ R(x̄; k)` with the constant `J = ∂R/∂x`, then carries the exact
//! first derivatives in every reading, `∂x/∂k = −J⁻¹ ∂R/∂k`: the implicit function theorem.
//! Derivatives of derivatives would need a second step.
//!
//! The search is Newton's, damped by shortening the step until the residual falls, with further steps
//! by the same Jacobian while the residual falls well. Every point has its own step and its own end: a
//! point that has converged stays as it is, so that no other point can change it. Where `J` is regular
//! wherever the search comes, a point that it stops at is a root (Dennis & Schnabel, 1983, Numerical
//! methods for unconstrained optimization and nonlinear equations, chapter 6).

use super::Algebra;

/// Equations `R(x; known) = 0` in as many unknowns `x [n]`.
///
/// Written once for every reading; all that changes from point to point or from step to step
/// comes in through the `K` known vectors, and so do all derivatives but those of the parameters.
/// The unknowns should be of order one: convergence below `10⁻⁸` is judged against that.
pub trait Residual<const K: usize> {
    /// `R [n]`
    fn evaluate<A: Algebra>(&self, a: &A, known: &[A::Vector; K], unknown: &A::Vector)
    -> A::Vector;
}

/// A root and the inverse Jacobian there; both count as constants.
#[derive(Clone, Debug)]
pub struct Root<V> {
    /// `x̄ [n]`; NaN at the points where no root was found.
    pub value: V,
    /// `J⁻¹ [n·n]`, row by row.
    pub inverse: V,
}

/// A search that found no root.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsolved {
    /// Evaluations of the Jacobian.
    pub iterations: usize,
    /// Norm of the least residual.
    pub residual: f64,
}
