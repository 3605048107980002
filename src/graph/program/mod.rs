//! A compiled graph: instructions with a place in memory for every vector.
//!
//! What nobody reads is gone, what is the same at every point (constants, parameters and what follows
//! from them) is computed once for all, and vectors that are no longer needed leave their memory to
//! others. A program runs over `W` points or histories side by side, in `f64` or `f32` ([`Runner`]);
//! compiled with its reverse derivative it also runs backward through whole histories and adds up the
//! gradient of the parameters ([`Backward`]).

mod execute;
mod gradient;
pub(crate) mod instruction;
pub(crate) mod layout;
mod listing;
mod memory;
pub(crate) mod newton;
mod run;
pub(crate) mod tape;

pub use gradient::{Backward, Gradient};
pub use run::{Runner, Tables, Workspace};

use super::reverse::ReverseStep;
use instruction::{Instruction, Place};
use newton::NonlinearSolve;
use std::sync::Arc;

/// See the module.
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) instructions: Vec<Instruction<Place>>,
    /// So many of them make the first output.
    pub(super) first: usize,
    pub(super) inputs: Vec<Place>,
    pub(super) outputs: Vec<Place>,
    /// Entries of the vectors that are overwritten by the next step.
    pub(super) scratch: usize,
    /// Entries of the tape of one step.
    pub(super) tape: usize,
    /// What is the same at every point: a program whose tape is the table that this one reads.
    pub(super) uniform: Option<Box<Program>>,
    pub(super) solves: Vec<Arc<NonlinearSolve>>,
    pub(super) reverse: Option<ReverseStep>,
}

impl Program {
    /// Entries of the tape of one step, per history.
    pub fn tape_len(&self) -> usize {
        self.tape
    }

    fn table(&self) -> usize {
        self.uniform.as_ref().map_or(0, |uniform| uniform.tape)
    }
}

/// Vectors that read no input, number by number.
#[cfg(test)]
pub(crate) fn evaluate(outputs: &[super::Vector], parameters: &[f64]) -> Vec<Vec<f64>> {
    let program = outputs[0].graph().routine(outputs).compile();
    let tables = program.tables(parameters);
    let runner = Runner::new(&program, &tables);
    let mut workspace = Workspace::<1>::default();
    runner.reserve(&mut workspace, 1);
    runner.run(&mut workspace, 0);
    let output = |n| {
        let mut values = Vec::new();
        runner.read(&workspace, 0, n, |_, _, [value]| values.push(*value));
        values
    };
    (0..outputs.len()).map(output).collect()
}
