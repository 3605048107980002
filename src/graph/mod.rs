//! The text of a law as a value: a graph of vector operations, and what is done with it.
//!
//! A law writes its equations once, with operators on [`Vector`]s, into a [`Graph`]. Every job is a
//! function of that graph:
//!
//! | function of the text | used for |
//! |---|---|
//! | compiled ([`Routine::compile`]), points or histories side by side, `f64` and `f32` | solvers, prediction, audit, training on the processor |
//! | forward derivative ([`Routine::with_tangents`]), with respect to inputs or parameters | consistent tangent, Jacobians of implicit updates, sensitivities |
//! | reverse derivative ([`Routine::compile_with_reverse`]) | training |
//! | interpreted on burn tensors (`Interpreter`) | training on any burn device, and the oracle of the programs |
//! | printed (`Display`) | reading and debugging |
//!
//! Lengths must match where two vectors meet; a mismatch is an error of the law's text and panics in
//! the line that has it, the first time that the law is written into a graph.

mod forward;
#[cfg(feature = "train")]
mod interpret;
mod listing;
mod lower;
mod nodes;
mod operation;
mod parameters;
mod pass;
mod program;
mod reverse;
mod solve;
#[cfg(test)]
mod tests;
mod vector;
mod view;

pub use crate::kernels::{Function, Real};
pub use forward::{Direction, Seeds};
#[cfg(feature = "train")]
pub use interpret::Interpreter;
#[cfg(feature = "train")]
pub(crate) use interpret::{numbers, tensor, values};
pub use nodes::{Graph, Routine};
pub use parameters::{
    Coefficients, Constraint, Initial, Matrix, Parameter, ParameterLayout, ParameterTensor, Unit,
};
#[cfg(test)]
pub(crate) use program::evaluate;
pub use program::{Backward, Gradient, Program, Runner, Tables, Workspace};
pub use solve::{Solution, Unsolved};
pub use vector::{Operand, Vector, concat, stack};
