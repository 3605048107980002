//! Programs run over points side by side.

use super::Program;
use super::execute::{Context, execute, nothing};
use super::instruction::{Action, Place, Space};
use super::memory::{Buffer, Memory};
use super::newton::newton;
use crate::graph::parameters::Parameter;
use crate::graph::solve::Unsolved;
use crate::kernels::Real;
use crate::kernels::elementwise::{self, Delivery};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

/// What of a program depends on the parameters alone.
#[derive(Clone, Debug)]
pub struct Tables<T = f64> {
    pub(super) parameters: Arc<[T]>,
    /// The weights by columns, at their places among the parameters.
    columns: Arc<[T]>,
    /// What is the same at every point.
    pub(super) values: Vec<T>,
    solves: Vec<Tables<T>>,
}

impl Program {
    /// Computed once for these constrained parameters.
    pub fn tables<T: Real>(&self, parameters: &[T]) -> Tables<T> {
        let mut columns = vec![T::ZERO; parameters.len()];
        self.weights(&mut |weight| {
            let [rows, n] = weight.shape();
            let from = weight.of(parameters);
            for (k, to) in weight.of_mut(&mut columns).iter_mut().enumerate() {
                *to = from[k % rows * n + k / rows];
            }
        });
        self.tables_with(&parameters.into(), &columns.into())
    }

    fn tables_with<T: Real>(&self, parameters: &Arc<[T]>, columns: &Arc<[T]>) -> Tables<T> {
        let mut values = vec![T::ZERO; self.table()];
        if let Some(uniform) = &self.uniform {
            let segment = values.as_chunks_mut::<1>().0;
            let memory = Memory::new(&[]).with(Space::Tape, segment);
            let context = Context {
                parameters,
                columns,
            };
            execute::<T, 1>(&uniform.instructions, &memory, &context, &mut nothing);
        }
        let solves = self.solves.iter();
        Tables {
            parameters: parameters.clone(),
            columns: columns.clone(),
            values,
            solves: solves
                .map(|solve| solve.program.tables_with(parameters, columns))
                .collect(),
        }
    }

    /// Every weight that a product takes by its columns.
    fn weights(&self, take: &mut impl FnMut(Parameter)) {
        let reverse = self
            .reverse
            .iter()
            .flat_map(|reverse| &reverse.instructions);
        for instruction in self.instructions.iter().chain(reverse) {
            if let Action::Product {
                weight,
                transposed: false,
                ..
            } = &instruction.action
            {
                take(*weight);
            }
        }
        if let Some(uniform) = &self.uniform {
            uniform.weights(take);
        }
        for solve in &self.solves {
            solve.program.weights(take);
        }
    }
}

/// A program with its parameters.
#[derive(Clone, Copy)]
pub struct Runner<'a, T = f64> {
    pub(super) program: &'a Program,
    pub(super) tables: &'a Tables<T>,
}

impl<'a, T: Real> Runner<'a, T> {
    /// # Panics
    /// If the tables are those of another program.
    pub fn new(program: &'a Program, tables: &'a Tables<T>) -> Self {
        let lengths = [tables.values.len(), tables.solves.len()];
        let wanted = [program.table(), program.solves.len()];
        assert_eq!(lengths, wanted, "tables of another program");
        Self { program, tables }
    }

    pub fn program(&self) -> &'a Program {
        self.program
    }

    /// Length of an input.
    pub fn input_len(&self, input: usize) -> usize {
        self.program.inputs[input].len as usize
    }

    pub fn output_count(&self) -> usize {
        self.program.outputs.len()
    }

    /// Gets the memory ready for so many steps that are kept.
    pub fn reserve<const W: usize>(&self, workspace: &mut Workspace<W, T>, steps: usize) {
        workspace.reserve(self.program, steps);
        workspace.unsolved = [None; W];
    }

    /// Sets an input of a step: `fill(component)` is its value at every lane; the components of a
    /// bundle are counted on from vector to vector.
    #[inline]
    pub fn set<const W: usize>(
        &self,
        workspace: &mut Workspace<W, T>,
        step: usize,
        input: usize,
        fill: impl Fn(usize) -> [T; W],
    ) {
        let place = &self.program.inputs[input];
        let to = workspace.segment_mut(self.program, place, step);
        for (i, to) in to.iter_mut().enumerate() {
            *to = fill(i);
        }
    }

    /// Shows an output of a step, every component of every vector: `take(vector, component,
    /// lanes)`.
    #[inline]
    pub fn read<const W: usize>(
        &self,
        workspace: &Workspace<W, T>,
        step: usize,
        output: usize,
        mut take: impl FnMut(usize, usize, &[T; W]),
    ) {
        let place = &self.program.outputs[output];
        let all = workspace.segment(self.program, place, step);
        for k in 0..place.count as usize {
            let vector = &all[k * place.step as usize..][..place.len as usize];
            for (i, value) in vector.iter().enumerate() {
                take(k, i, value);
            }
        }
    }

    /// Writes the `k`-th vector of an output times a scale. Adds zero times each number to `check`,
    /// which becomes NaN where one is not finite.
    pub(crate) fn deliver<const W: usize>(
        &self,
        workspace: &Workspace<W, T>,
        [output, k]: [usize; 2],
        scale: T,
        to: Delivery<T>,
        check: &mut [T; W],
    ) {
        let place = &self.program.outputs[output];
        let all = workspace.segment(self.program, place, 0);
        let vector = &all[k * place.step as usize..][..place.len as usize];
        elementwise::deliver(vector, scale, to, check);
    }

    /// Runs one step on the inputs that were set; its outputs can then be read.
    pub fn run<const W: usize>(&self, workspace: &mut Workspace<W, T>, step: usize) {
        self.watched(workspace, step, &mut |_| ());
    }

    /// The same as far as the first output only.
    pub(super) fn run_first<const W: usize>(&self, workspace: &mut Workspace<W, T>) {
        self.part(workspace, 0, 0..self.program.first, &mut |_| ());
    }

    /// Goes on from there.
    pub(super) fn run_rest<const W: usize>(&self, workspace: &mut Workspace<W, T>) {
        let all = self.program.instructions.len();
        self.part(workspace, 0, self.program.first..all, &mut |_| ());
    }

    /// `watch` sees every lane that is still searching, once an evaluation of a Jacobian.
    pub(crate) fn watched<const W: usize>(
        &self,
        workspace: &mut Workspace<W, T>,
        step: usize,
        watch: &mut dyn FnMut(usize),
    ) {
        self.part(workspace, step, 0..self.program.instructions.len(), watch);
    }

    /// Some instructions of a step.
    fn part<const W: usize>(
        &self,
        workspace: &mut Workspace<W, T>,
        step: usize,
        part: Range<usize>,
        watch: &mut dyn FnMut(usize),
    ) {
        let program = self.program;
        let Workspace {
            buffers,
            solves,
            unsolved,
            ..
        } = workspace;
        let [scratch, tape, ..] = buffers;
        let tape = &mut tape.entries_mut(program.tape * (step + 1))[program.tape * step..];
        let memory = Memory::new(&self.tables.values)
            .with(Space::Scratch, scratch.entries_mut(program.scratch))
            .with(Space::Tape, tape);
        let mut solver = |index: usize, x: &[[T; W]], to: &mut [[T; W]]| {
            let solve = &program.solves[index];
            let runner = Runner::new(&solve.program, &self.tables.solves[index]);
            let memory = &mut solves[index];
            newton(solve.unknowns, &runner, memory, x, to, unsolved, watch);
        };
        let instructions = &program.instructions[part];
        execute::<T, W>(instructions, &memory, &self.context(), &mut solver);
    }

    pub(super) fn context(&self) -> Context<'a, T> {
        Context {
            parameters: &self.tables.parameters,
            columns: &self.tables.columns,
        }
    }
}

/// The memory that a program runs in, `W` points side by side; to be used again by the next run.
#[derive(Debug)]
pub struct Workspace<const W: usize, T = f64> {
    /// By the number of the space.
    pub(super) buffers: [Buffer; Space::COUNT],
    /// Vectors of a search.
    pub(super) own: Buffer,
    solves: Vec<Workspace<W, T>>,
    unsolved: [Option<Unsolved>; W],
    numbers: PhantomData<T>,
}

impl<const W: usize, T: Real> Default for Workspace<W, T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const W: usize, T: Real> Workspace<W, T> {
    pub(crate) const EMPTY: Self = Self {
        buffers: [const { Buffer::EMPTY }; Space::COUNT],
        own: Buffer::EMPTY,
        solves: Vec::new(),
        unsolved: [None; W],
        numbers: PhantomData,
    };

    /// The lanes where a search found no root.
    pub fn unsolved(&self) -> [Option<Unsolved>; W] {
        self.unsolved
    }

    fn reserve(&mut self, program: &Program, steps: usize) {
        self.buffers[Space::Scratch as usize].reserve::<[T; W]>(program.scratch);
        self.buffers[Space::Tape as usize].reserve::<[T; W]>(program.tape * steps);
        if self.solves.len() < program.solves.len() {
            let missing = || Self::EMPTY;
            self.solves.resize_with(program.solves.len(), missing);
        }
        for (memory, solve) in self.solves.iter_mut().zip(&program.solves) {
            memory.reserve(&solve.program, 1);
        }
    }

    /// From the first to the last entry of a place.
    fn segment(&self, program: &Program, place: &Place, step: usize) -> &[[T; W]] {
        let first = place.start as usize + Self::tape_start(program, place, step);
        let all = place.all(place.count as usize).len as usize;
        &self.buffers[place.space as usize].entries(first + all)[first..]
    }

    pub(super) fn segment_mut(
        &mut self,
        program: &Program,
        place: &Place,
        step: usize,
    ) -> &mut [[T; W]] {
        let first = place.start as usize + Self::tape_start(program, place, step);
        let all = place.all(place.count as usize).len as usize;
        &mut self.buffers[place.space as usize].entries_mut(first + all)[first..]
    }

    fn tape_start(program: &Program, place: &Place, step: usize) -> usize {
        match place.space {
            Space::Tape => program.tape * step,
            _ => 0,
        }
    }
}
