//! Some histories side by side: their roll-out, and the reverse pass through it.

use super::Histories;
use crate::graph::{Backward, Gradient, Real, Runner, Workspace};
use crate::recurrent::{input, output};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

/// Bytes that all tapes of a roll-out may take together. Within, the reverse pass reads what the forward
/// pass kept; beyond, it runs forward again, segment by segment.
const RECORD_BYTES: usize = 512 << 20;
/// Bytes of a segment's record, which then stays in the cache of a core.
const SEGMENT_BYTES: usize = 256 << 10;

/// Memory of the reverse passes, reused by the next one.
#[derive(Debug, Default)]
pub struct Memories {
    double: Mutex<Vec<Workspace<8, f64>>>,
    single: Mutex<Vec<Workspace<16, f32>>>,
}

/// A scalar that is trained with, `W` histories side by side.
pub trait TrainedScalar<const W: usize>: Real {
    fn own(memories: &Memories) -> &Mutex<Vec<Workspace<W, Self>>>;
}

impl TrainedScalar<8> for f64 {
    fn own(memories: &Memories) -> &Mutex<Vec<Workspace<8, f64>>> {
        &memories.double
    }
}

impl TrainedScalar<16> for f32 {
    fn own(memories: &Memories) -> &Mutex<Vec<Workspace<16, f32>>> {
        &memories.single
    }
}

impl Memories {
    pub(super) fn take<T: TrainedScalar<W>, const W: usize>(&self) -> Workspace<W, T> {
        self.lock::<T, W>().pop().unwrap_or_default()
    }

    fn give<T: TrainedScalar<W>, const W: usize>(&self, memory: Workspace<W, T>) {
        self.lock::<T, W>().push(memory);
    }

    fn lock<T: TrainedScalar<W>, const W: usize>(&self) -> MutexGuard<'_, Vec<Workspace<W, T>>> {
        // A poisoned pool only holds memory to be overwritten.
        T::own(self)
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Up to `W` histories side by side.
#[derive(Debug)]
pub struct Block<T, const W: usize> {
    pub records: Range<usize>,
    /// Rows of a segment.
    segment: usize,
    /// Whether the tape of all rows is kept: then they are one segment.
    whole: bool,
    /// State at the start of each segment, `[segments][states]`.
    states: Vec<[T; W]>,
    /// `[rows][components + 1]`
    pub outputs: Vec<[T; W]>,
    /// The record, where it is kept.
    workspace: Mutex<Option<Workspace<W, T>>>,
}

/// Component `i` of the records from `first` on in `[n, records]`; lanes beyond the end repeat the
/// last record.
fn lanes<T: Real, const W: usize>(
    values: &[f64],
    records: usize,
    first: usize,
    i: usize,
) -> [T; W] {
    let row = &values[i * records..][..records];
    match row[first..].first_chunk::<W>() {
        Some(full) => full.map(T::of),
        None => std::array::from_fn(|lane| T::of(row[(first + lane).min(records - 1)])),
    }
}

/// Runs the increment that ends in `row` as step `at`, and takes the state on.
fn advance<T: Real, const W: usize>(
    runner: &Runner<T>,
    workspace: &mut Workspace<W, T>,
    histories: &Histories,
    [row, at]: [usize; 2],
    first: usize,
    state: &mut [[T; W]],
) {
    let records = histories.records();
    let [strain_old, strain_new, dt, external] = histories.inputs_at(row);
    let of = |values: &[f64], i: usize| lanes(values, records, first, i);
    runner.set(workspace, at, input::STATE, |i| state[i]);
    runner.set(workspace, at, input::STRAIN_NEW, |i| of(strain_new, i));
    runner.set(workspace, at, input::EXTERNAL, |i| of(external, i));
    runner.set(workspace, at, input::STRAIN_OLD, |i| of(strain_old, i));
    runner.set(workspace, at, input::TIME, |i| of(dt, i));
    runner.run(workspace, at);
    runner.read(workspace, at, output::STATE, |_, i, z| state[i] = *z);
}

impl<T: Real, const W: usize> Block<T, W> {
    /// `keep`: a reverse pass follows.
    pub fn forward(
        runner: &Runner<T>,
        histories: &Histories,
        records: Range<usize>,
        mut workspace: Workspace<W, T>,
        keep: bool,
    ) -> Self {
        let [rows, width, count] = histories.shape();
        let step_bytes = (runner.program().tape_len() * size_of::<[T; W]>()).max(1);
        let whole = keep && rows * step_bytes * count.div_ceil(W) <= RECORD_BYTES;
        let segment = match whole {
            true => rows,
            false => (SEGMENT_BYTES / step_bytes).clamp(1, rows),
        };
        runner.reserve(&mut workspace, if whole { rows } else { 1 });
        let mut state = vec![[T::ZERO; W]; runner.input_len(input::STATE)];
        let mut outputs = Vec::with_capacity(rows * width);
        let mut states = Vec::new();
        for row in 0..rows {
            if row % segment == 0 {
                states.extend_from_slice(&state);
            }
            let at = if whole { row } else { 0 };
            advance(
                runner,
                &mut workspace,
                histories,
                [row, at],
                records.start,
                &mut state,
            );
            for output in [output::STRESS, output::DISSIPATION] {
                runner.read(&workspace, at, output, |_, _, value| outputs.push(*value));
            }
        }
        Self {
            records,
            segment,
            whole,
            states,
            outputs,
            workspace: Mutex::new(Some(workspace)),
        }
    }

    /// The sums of the reverse pass from the gradient of the roll-out, `[rows, components + 1, records]`.
    pub fn backward(
        &self,
        runner: &Runner<T>,
        histories: &Histories,
        memories: &Memories,
        output: &[T],
    ) -> Gradient<T>
    where
        T: TrainedScalar<W>,
    {
        let [rows, width, records] = histories.shape();
        let kept = self.workspace.lock();
        let kept = kept.unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        let whole = self.whole && kept.is_some();
        let mut workspace = kept.unwrap_or_else(|| memories.take());
        runner.reserve(&mut workspace, self.segment.min(rows));
        let mut reverse = Backward::new(*runner, &mut workspace);
        let states = runner.input_len(input::STATE);
        // The derivative with respect to the state at the end of the step.
        let mut carry = vec![[T::ZERO; W]; states];
        for segment in (0..rows.div_ceil(self.segment)).rev() {
            let first = segment * self.segment;
            let last = (first + self.segment).min(rows);
            if !whole {
                reverse.take();
                let mut state = self.states[segment * states..][..states].to_vec();
                for row in first..last {
                    let start = self.records.start;
                    let steps = [row, row - first];
                    let workspace = reverse.workspace();
                    advance(runner, workspace, histories, steps, start, &mut state);
                }
            }
            for row in (first..last).rev() {
                let seed = |i: usize| -> [T; W] {
                    let from = &output[(row * width + i) * records..][self.records.clone()];
                    match from.first_chunk() {
                        Some(full) => *full,
                        None => std::array::from_fn(|w| from.get(w).copied().unwrap_or(T::ZERO)),
                    }
                };
                reverse.seed(output::STRESS, seed);
                reverse.seed(output::DISSIPATION, |_| seed(width - 1));
                reverse.seed(output::STATE, |i| carry[i]);
                reverse.step(row - first, |_, i, bar| carry[i] = *bar);
            }
        }
        let gradient = reverse.finish();
        memories.give(workspace);
        gradient
    }
}
