//! The small vector algebra in which a law is written once.
//!
//! A law is generic Rust over [`Algebra`]; each job is another reading of the same text:
//!
//! | reading | a vector is | used for |
//! |---|---|---|
//! | [`Recorder`] | a place in a [`Program`], which then runs over `W` points or histories side by side, forward and backward | solvers, prediction, audit, training on the CPU |
//! | [`Tangent`] | a value and its directional derivatives, over another reading | consistent tangent |
//! | `Tensors` | burn tensors `[batch, n]` | training on any burn device, and the oracle of the programs |
//!
//! Every vector belongs to the reading that made it. Lengths must match where two vectors meet;
//! a mismatch is a fault of the law's text and panics in every reading the first time it runs.

mod activation;
mod implicit;
pub(crate) mod kernels;
mod parameters;
mod program;
mod real;
mod tangent;
#[cfg(feature = "train")]
mod tensors;

pub use activation::Activation;
pub use implicit::{Residual, Root, Unsolved};
pub(crate) use kernels::elementwise::Delivery;
pub use parameters::{Constraint, Initial, Parameter, ParameterLayout, ParameterTensor};
pub use program::{Backward, Gradient, Program, Recorder, Runner, Tables, View, Workspace};
pub use real::Real;
pub use tangent::{Dual, Tangent};
#[cfg(feature = "train")]
pub use tensors::Tensors;
#[cfg(feature = "train")]
pub(crate) use tensors::{numbers, tensor, values};

use std::ops::Range;

/// Vector operations over a batch of material points. `n`, `m` are vector lengths per point.
pub trait Algebra: Sized {
    /// A vector per material point.
    type Vector: Clone;

    /// Length of a vector.
    fn len(&self, x: &Self::Vector) -> usize;

    /// The same constant vector `[n]` at every point.
    fn constant(&self, values: &[f64]) -> Self::Vector;

    /// A parameter as a vector: an `[n, m]` tensor gives its `n·m` entries row by row.
    fn parameter(&self, parameter: Parameter) -> Self::Vector;

    /// `W x (+ b)`: `W [n, m]`, `b [n]`, `x [m]` → `[n]`.
    fn dense(&self, weight: Parameter, bias: Option<Parameter>, x: &Self::Vector) -> Self::Vector;

    /// `Wᵀ y`: `W [n, m]`, `y [n]` → `[m]`.
    fn dense_transposed(&self, weight: Parameter, y: &Self::Vector) -> Self::Vector;

    /// The `order`-th derivative of an activation and those after it, entry by entry, `K ≤ 3` of
    /// them up to the third.
    fn derivatives<const K: usize>(
        &self,
        activation: Activation,
        order: u8,
        x: &Self::Vector,
    ) -> [Self::Vector; K];

    fn add(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector;

    fn sub(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector;

    /// Entry by entry.
    fn mul(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector;

    /// `factor · x + offset`, with numbers.
    fn affine(&self, x: &Self::Vector, factor: f64, offset: f64) -> Self::Vector;

    /// `x` as a constant: no derivative flows through it.
    fn detach(&self, x: &Self::Vector) -> Self::Vector;

    /// `x · y → [1]`.
    fn dot(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector;

    /// One to eight parts, one after the other.
    fn concat(&self, parts: &[&Self::Vector]) -> Self::Vector;

    fn slice(&self, x: &Self::Vector, range: Range<usize>) -> Self::Vector;

    /// `[1] → [n]`.
    fn broadcast(&self, x: &Self::Vector, n: usize) -> Self::Vector;

    /// `yes` at the points where `condition [1] > 0`, else `no`.
    fn select(
        &self,
        condition: &Self::Vector,
        yes: &Self::Vector,
        no: &Self::Vector,
    ) -> Self::Vector;

    /// A root of `residual` near `guess [n]`, found point by point; see [`Residual`]. No derivative
    /// flows through the search: a law calls [`Algebra::solve`].
    fn root<R: Residual<K>, const K: usize>(
        &self,
        residual: &R,
        known: &[Self::Vector; K],
        guess: &Self::Vector,
    ) -> Root<Self::Vector>;

    /// `J⁻¹ y`, with the inverse `[n·n]` of [`Algebra::root`] as a constant and `y [n]`.
    fn solve_linear(&self, inverse: &Self::Vector, y: &Self::Vector) -> Self::Vector;

    // What follows from the above.

    /// The root `x [n]` of `R(x; known) = 0` near `guess [n]`, with the exact derivatives of the
    /// implicit function theorem. A point where no root is found is NaN.
    fn solve<R: Residual<K>, const K: usize>(
        &self,
        residual: &R,
        known: &[Self::Vector; K],
        guess: &Self::Vector,
    ) -> Self::Vector {
        let root = self.root(residual, known, guess);
        let rest = residual.evaluate(self, known, &root.value);
        self.sub(&root.value, &self.solve_linear(&root.inverse, &rest))
    }

    fn zeros(&self, n: usize) -> Self::Vector {
        self.broadcast(&self.constant(&[0.0]), n)
    }

    fn scale(&self, x: &Self::Vector, factor: f64) -> Self::Vector {
        self.affine(x, factor, 0.0)
    }

    /// The `order`-th derivative of an activation, entry by entry.
    fn activate(&self, activation: Activation, order: u8, x: &Self::Vector) -> Self::Vector {
        let [y] = self.derivatives(activation, order, x);
        y
    }

    fn apply(&self, activation: Activation, x: &Self::Vector) -> Self::Vector {
        self.activate(activation, 0, x)
    }

    /// `x` times a scalar `[1]`.
    fn times(&self, x: &Self::Vector, scalar: &Self::Vector) -> Self::Vector {
        self.mul(x, &self.broadcast(scalar, self.len(x)))
    }

    /// `‖x‖ → [1]`; its derivative at zero is taken as zero.
    fn norm(&self, x: &Self::Vector) -> Self::Vector {
        self.apply(Activation::Sqrt, &self.dot(x, x))
    }

    /// `x/‖x‖`, zero where `x` is zero.
    fn direction(&self, x: &Self::Vector) -> Self::Vector {
        self.times(x, &self.apply(Activation::InverseSqrt, &self.dot(x, x)))
    }
}

/// A reading in which a vector may be a **bundle** of several of one length, as the directions of
/// a tangent are. An operation acts on each of a bundle; beside a bundle, a single vector stands
/// for as many equal ones.
pub trait Bundles: Algebra {
    /// The `n` unit vectors `[n]`.
    fn units(&self, n: usize) -> Self::Vector;
}
