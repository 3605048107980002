//! The reverse pass through the steps of a program, and the gradient that it adds up.

use super::execute::{execute, nothing};
use super::instruction::Space;
use super::memory::Memory;
use super::run::{Runner, Workspace};

use crate::graph::reverse::ReverseStep;
use crate::kernels::{self, Real};

/// Bytes of adjoints that are held before the gradients of the weights are taken: enough to fill
/// register tiles, few enough to stay in the cache of a core.
const HELD_BYTES: usize = 192 * 1024;
/// Steps that they are held for at most.
const HELD_STEPS: usize = 48;

/// Sums over the steps of a reverse pass.
#[derive(Clone, Debug)]
pub struct Gradient<T> {
    /// Of the constrained parameters, without what passes through the table.
    parameters: Vec<T>,
    /// Adjoints of the table.
    table: Vec<T>,
}

impl<T: Real> Gradient<T> {
    pub fn zero(runner: &Runner<T>) -> Self {
        Self {
            parameters: vec![T::ZERO; runner.tables.parameters.len()],
            table: vec![T::ZERO; runner.tables.values.len()],
        }
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        let mine = self.parameters.iter_mut().chain(&mut self.table);
        let others = other.parameters.iter().chain(&other.table);
        mine.zip(others).for_each(|(mine, other)| *mine += *other);
    }

    /// The gradient of the constrained parameters: runs back through what is the same at every
    /// point, once for all steps.
    ///
    /// # Panics
    /// If the sums are those of another program.
    pub fn finish(mut self, runner: &Runner<T>) -> Vec<T> {
        let table = runner.tables.values.len();
        assert_eq!(self.table.len(), table, "sums of another program");
        let Some(uniform) = &runner.program.uniform else {
            return self.parameters;
        };
        let Some(reverse) = &uniform.reverse else {
            return self.parameters;
        };
        let mut values = runner.tables.values.clone();
        let values = values.as_chunks_mut::<1>().0;
        let adjoints = self.table.as_chunks_mut::<1>().0;
        let memory = Memory::new(&[])
            .with(Space::Tape, values)
            .with(Space::Held, adjoints);
        execute::<T, 1>(
            &reverse.instructions,
            &memory,
            &runner.context(),
            &mut nothing,
        );
        take::<1, T>(reverse, &[(0, 0)], adjoints, values, &mut self.parameters);
        self.parameters
    }
}

/// Adds the products of held adjoints with values on the tape, at the starts of some steps.
fn take<const W: usize, T: Real>(
    reverse: &ReverseStep,
    steps: &[(usize, usize)],
    held: &[[T; W]],
    tape: &[[T; W]],
    gradient: &mut [T],
) {
    let mut calls = Vec::new();
    for outer in &reverse.outers {
        let [rows, columns] = outer.weight.shape();
        let gradient = outer.weight.of_mut(gradient);
        let all = |pairs: &[(usize, usize)], calls: &mut Vec<(usize, usize)>| {
            calls.clear();
            for (held, tape) in steps {
                calls.extend(pairs.iter().map(|(bar, x)| (held + bar, tape + x)));
            }
        };
        if !outer.forward.is_empty() {
            all(&outer.forward, &mut calls);
            kernels::outer_add(&calls, held, tape, rows, columns, gradient);
        }
        if !outer.transposed.is_empty() {
            all(&outer.transposed, &mut calls);
            calls.iter_mut().for_each(|(bar, x)| std::mem::swap(bar, x));
            kernels::outer_add(&calls, tape, held, rows, columns, gradient);
        }
    }
    for (bias, bar) in &reverse.biases {
        let starts: Vec<usize> = steps.iter().map(|(held, _)| held + bar).collect();
        kernels::sum_add(&starts, held, bias.of_mut(gradient));
    }
}

/// Runs back through steps on the tape, the last one first.
pub struct Backward<'w, 'a, const W: usize, T> {
    runner: Runner<'a, T>,
    reverse: &'a ReverseStep,
    workspace: &'w mut Workspace<W, T>,
    /// Starts of what is held and of the tape, for the steps whose products are still to be taken.
    pending: Vec<(usize, usize)>,
    most: usize,
    gradient: Gradient<T>,
}

impl<'w, 'a, const W: usize, T: Real> Backward<'w, 'a, W, T> {
    /// # Panics
    /// If the program was compiled without its reverse derivative.
    pub fn new(runner: Runner<'a, T>, workspace: &'w mut Workspace<W, T>) -> Self {
        let reverse = runner.program.reverse.as_ref();
        let reverse = reverse.expect("a program with its reverse derivative");
        let bytes = (reverse.held * size_of::<[T; W]>()).max(1);
        let most = (HELD_BYTES / bytes).clamp(1, HELD_STEPS);
        let [.., adjoints, held, sums] = &mut workspace.buffers;
        adjoints.reserve::<[T; W]>(reverse.adjoints);
        held.reserve::<[T; W]>(reverse.held * most);
        let table = runner.tables.values.len();
        sums.reserve::<[T; W]>(table);
        sums.entries_mut::<T, W>(table).fill([T::ZERO; W]);
        Self {
            gradient: Gradient::zero(&runner),
            runner,
            reverse,
            workspace,
            pending: Vec::with_capacity(most),
            most,
        }
    }

    /// The memory, for further steps; see [`Backward::take`].
    pub fn workspace(&mut self) -> &mut Workspace<W, T> {
        self.workspace
    }

    /// Sets the derivative with respect to an output of the step that comes next.
    #[inline]
    pub fn seed(&mut self, output: usize, fill: impl Fn(usize) -> [T; W]) {
        let place = &self.reverse.seeds[output];
        let to = self.workspace.segment_mut(self.runner.program, place, 0);
        for (i, to) in to.iter_mut().enumerate() {
            *to = fill(i);
        }
    }

    /// ReverseSteps through one step; shows the derivative with respect to a carried input.
    pub fn step(&mut self, step: usize, mut carried: impl FnMut(usize, usize, &[T; W])) {
        let (program, reverse) = (self.runner.program, self.reverse);
        let [_, tape, _, adjoints, held, sums] = &mut self.workspace.buffers;
        let held_start = self.pending.len() * reverse.held;
        let tape_start = program.tape * step;
        let memory = Memory::new(&self.runner.tables.values)
            .with(
                Space::Tape,
                &mut tape.entries_mut(tape_start + program.tape)[tape_start..],
            )
            .with(Space::Adjoints, adjoints.entries_mut(reverse.adjoints))
            .with(
                Space::Held,
                &mut held.entries_mut(held_start + reverse.held)[held_start..],
            )
            .with(
                Space::Sums,
                sums.entries_mut(self.runner.tables.values.len()),
            );
        let context = self.runner.context();
        execute::<T, W>(&reverse.instructions, &memory, &context, &mut nothing);
        for (n, place) in reverse.carried.iter().enumerate() {
            let value = self.workspace.segment_mut(program, place, 0);
            for (i, value) in value.iter().enumerate() {
                carried(n, i, value);
            }
        }
        self.pending.push((held_start, tape_start));
        if self.pending.len() == self.most {
            self.take();
        }
    }

    /// Takes the products that are pending. Before the tape is written again, and at the end.
    pub fn take(&mut self) {
        let steps = self.pending.iter().map(|(_, tape)| tape);
        let tape_end = steps
            .max()
            .map_or(0, |start| start + self.runner.program.tape);
        let [_, tape, _, _, held, _] = &self.workspace.buffers;
        take::<W, T>(
            self.reverse,
            &self.pending,
            held.entries(self.pending.len() * self.reverse.held),
            tape.entries(tape_end),
            &mut self.gradient.parameters,
        );
        self.pending.clear();
    }

    /// The sums over all steps.
    pub fn finish(mut self) -> Gradient<T> {
        self.take();
        let [.., sums] = &self.workspace.buffers;
        let sums = sums.entries::<T, W>(self.gradient.table.len());
        for (total, lanes) in self.gradient.table.iter_mut().zip(sums) {
            *total += lanes.iter().copied().sum::<T>();
        }
        self.gradient
    }
}
