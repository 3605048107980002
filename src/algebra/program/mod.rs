//! A law's operations, recorded once and run many times.
//!
//! [`Recorder`] is the reading of the algebra that writes down what a law does, without numbers. What
//! comes out is a [`Program`]: operations that nobody reads are gone, the same operation is done once,
//! what is the same at every point (constants, parameters and what follows from them) is computed once
//! for all of them, and every vector has its place in memory, which vectors that are no longer needed
//! leave to others. A program runs over `W` points or histories side by side, in `f64` or `f32`
//! ([`Runner`]); built with a sweep, it also runs backward through whole histories and adds up the
//! gradient of the parameters ([`Backward`]).

mod demands;
mod directions;
mod emit;
mod execute;
mod fuse;
mod gradient;
mod instruction;
mod layout;
mod memory;
mod narrow;
mod record;
mod run;
mod search;
mod sweep;

pub use gradient::{Backward, Gradient};
pub use record::{Recorder, View};
pub use run::{Runner, Tables, Workspace};

use instruction::{Instruction, Place};
use search::Search;
use sweep::Sweep;

/// See the module.
#[derive(Clone, Debug)]
pub struct Program {
    instructions: Vec<Instruction<Place>>,
    /// So many of them make the first output.
    first: usize,
    inputs: Vec<Place>,
    outputs: Vec<Place>,
    /// Entries of the vectors that are overwritten by the next step.
    scratch: usize,
    /// Entries of what the sweep wants to find again.
    record: usize,
    /// What is the same at every point: a program whose record is the table that this one reads.
    uniform: Option<Box<Program>>,
    searches: Vec<Search>,
    sweep: Option<Sweep>,
}

impl Program {
    /// `outputs` from what was recorded; runs forward only.
    pub fn new(recorder: Recorder, outputs: &[View]) -> Self {
        let (graph, outputs) = recorder.finish(outputs);
        let (graph, outputs) = narrow::narrow(graph, &outputs);
        let (graph, outputs) = directions::share(graph, &outputs);
        emit::program(graph, &outputs, None)
    }

    /// Runs backward too: the derivative of what is made of the outputs with respect to the
    /// parameters and to `carried`, which are inputs.
    pub fn with_sweep(recorder: Recorder, outputs: &[View], carried: &[View]) -> Self {
        let (graph, outputs) = recorder.finish(outputs);
        emit::program(graph, &outputs, Some(carried))
    }

    /// Entries of the record of one step, per history.
    pub fn record_len(&self) -> usize {
        self.record
    }

    /// What a recorder without inputs comes to, number by number.
    #[cfg(test)]
    pub(crate) fn evaluate(
        recorder: Recorder,
        parameters: &[f64],
        outputs: &[View],
    ) -> Vec<Vec<f64>> {
        let program = Self::new(recorder, outputs);
        let tables = program.tables(parameters);
        let runner = Runner::new(&program, &tables);
        let mut workspace = Workspace::<1>::default();
        runner.prepare(&mut workspace, 1);
        runner.run(&mut workspace, 0);
        let output = |n| {
            let mut values = Vec::new();
            runner.read(&workspace, 0, n, |_, _, [value]| values.push(*value));
            values
        };
        (0..outputs.len()).map(output).collect()
    }

    fn table(&self) -> usize {
        self.uniform.as_ref().map_or(0, |uniform| uniform.record)
    }
}
