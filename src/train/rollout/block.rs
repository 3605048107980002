//! Some histories side by side: their roll-out, and the reverse sweep through it.

use super::Histories;
use crate::algebra::{Lanes, Real, Span, Tape, TapeMemory};
use crate::recurrent::{Inputs, RecurrentLaw, step};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

/// Bytes of vectors that one tape may hold: the values and their adjoints then stay in the cache
/// of a core.
const SEGMENT_BYTES: usize = 192 * 1024;

/// Memory of the tapes, reused by the next sweep.
#[derive(Clone, Debug, Default)]
pub struct TapePool(Arc<Memories>);

#[derive(Debug, Default)]
pub struct Memories {
    double: Mutex<Vec<Memory<f64, 8>>>,
    single: Mutex<Vec<Memory<f32, 16>>>,
}

/// What one sweep works with.
#[derive(Debug)]
pub struct Memory<T, const W: usize> {
    tape: TapeMemory<W, T>,
    adjoints: Vec<[T; W]>,
}

impl<T: Real, const W: usize> Default for Memory<T, W> {
    fn default() -> Self {
        Self {
            tape: TapeMemory::default(),
            adjoints: Vec::new(),
        }
    }
}

/// A scalar that is trained with, `W` histories side by side.
pub trait Precision<const W: usize>: Real {
    fn memories(pool: &Memories) -> &Mutex<Vec<Memory<Self, W>>>;
}

impl Precision<8> for f64 {
    fn memories(pool: &Memories) -> &Mutex<Vec<Memory<f64, 8>>> {
        &pool.double
    }
}

impl Precision<16> for f32 {
    fn memories(pool: &Memories) -> &Mutex<Vec<Memory<f32, 16>>> {
        &pool.single
    }
}

impl TapePool {
    fn take<T: Precision<W>, const W: usize>(&self) -> Memory<T, W> {
        self.lock().pop().unwrap_or_default()
    }

    fn give<T: Precision<W>, const W: usize>(&self, memory: Memory<T, W>) {
        self.lock().push(memory);
    }

    fn lock<T: Precision<W>, const W: usize>(&self) -> MutexGuard<'_, Vec<Memory<T, W>>> {
        // A poisoned pool only holds memory to be overwritten.
        T::memories(&self.0)
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Up to `W` histories side by side: their outputs, and the state at the start of every segment.
/// A segment's tape is recorded when the sweep comes to it, so that the memory of a training step
/// grows by one state a segment and not by all intermediate values of all rows.
#[derive(Debug)]
pub struct Block<T, const W: usize> {
    pub records: Range<usize>,
    /// Rows of a segment; the last may be shorter.
    segment: usize,
    /// State at the start of each segment, `[segments][states]`.
    states: Vec<[T; W]>,
    /// `[rows][components + 1]`
    pub outputs: Vec<[T; W]>,
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

/// Where output `i` of a step lies: the stress components, then the dissipation.
fn output_at(stress: &Span, dissipation: &Span, i: usize, width: usize) -> (Span, usize) {
    if i + 1 < width {
        (*stress, i)
    } else {
        (*dissipation, 0)
    }
}

impl<T: Real, const W: usize> Block<T, W> {
    fn inputs(
        histories: &Histories,
        row: usize,
        first: usize,
        input: impl Fn(usize, &dyn Fn(usize) -> [T; W]) -> Span,
    ) -> Inputs<Span> {
        let records = histories.records();
        histories.inputs(row, |values| {
            let n = values.len() / records;
            input(n, &|i| lanes(values, records, first, i))
        })
    }

    pub fn forward<L: RecurrentLaw>(
        law: &L,
        parameters: &[T],
        histories: &Histories,
        records: Range<usize>,
    ) -> Self {
        let [rows, width, _] = histories.shape();
        let a = Lanes::<W, T>::new(parameters);
        let prepared = law.prepare(&a);
        let state = a.rows(law.states(), |_| [T::ZERO; W]);
        let (kept, used) = (a.mark(), a.used());
        let mut outputs = Vec::with_capacity(rows * width);
        let mut states = Vec::new();
        let mut segment = rows;
        for row in 0..rows {
            if row % segment == 0 {
                a.read(state, |_, _, z| states.push(*z));
            }
            let inputs = Self::inputs(histories, row, records.start, |n, fill| a.rows(n, fill));
            let new = step(law, &a, &prepared, &inputs, &state);
            a.read(new.forces.stress, |_, _, stress| outputs.push(*stress));
            a.read(new.dissipation, |_, _, dissipation| {
                outputs.push(*dissipation)
            });
            a.overwrite(state, new.state);
            if row == 0 {
                let bytes = (a.used() - used) * size_of::<[T; W]>();
                segment = (SEGMENT_BYTES / bytes).max(1);
            }
            a.truncate(kept);
        }
        Self {
            records,
            segment,
            states,
            outputs,
        }
    }

    /// The gradient of the effective parameters from that of the roll-out, `[rows, components + 1,
    /// records]`.
    pub fn backward<L: RecurrentLaw>(
        &self,
        law: &L,
        parameters: &[T],
        histories: &Histories,
        pool: &TapePool,
        output: &[T],
    ) -> Vec<T>
    where
        T: Precision<W>,
    {
        let [rows, width, records] = histories.shape();
        let mut gradient = vec![T::ZERO; parameters.len()];
        let mut memory: Memory<T, W> = pool.take();
        let mut first_memory: Memory<T, W> = pool.take();
        // What depends on the parameters alone is recorded once, and swept back at the end.
        let tape = Tape::with_memory(parameters, first_memory.tape);
        let prepared = law.prepare(&tape);
        let prepared_values = tape.values(prepared);
        first_memory.tape = tape.into_memory();
        let mut prepared_bar = vec![[T::ZERO; W]; prepared_values.len()];
        // The derivative with respect to the state at the end of the segment.
        let mut carry = vec![[T::ZERO; W]; law.states()];
        let mut outputs = Vec::with_capacity(self.segment.min(rows));
        for segment in (0..rows.div_ceil(self.segment)).rev() {
            let first = segment * self.segment;
            let last = (first + self.segment).min(rows);
            let tape = Tape::<W, T>::with_memory(parameters, memory.tape);
            let constant = tape.rows(prepared_values.len(), |i| prepared_values[i]);
            let start = &self.states[segment * law.states()..];
            let start = tape.rows(law.states(), |i| start[i]);
            let mut state = start;
            outputs.clear();
            for row in first..last {
                let records = self.records.start;
                let inputs = Self::inputs(histories, row, records, |n, fill| tape.rows(n, fill));
                let new = step(law, &tape, &constant, &inputs, &state);
                outputs.push((new.forces.stress, new.dissipation));
                state = new.state;
            }
            memory.tape = tape.into_memory();
            let seed = |adjoints: &mut [[T; W]]| {
                for (i, carry) in carry.iter().enumerate() {
                    adjoints[state.at(i)] = *carry;
                }
                for (row, (stress, dissipation)) in (first..last).zip(&outputs) {
                    for i in 0..width {
                        let (span, k) = output_at(stress, dissipation, i, width);
                        let from = &output[(row * width + i) * records..][self.records.clone()];
                        for (bar, from) in adjoints[span.at(k)].iter_mut().zip(from) {
                            *bar += *from;
                        }
                    }
                }
            };
            let Memory { tape, adjoints } = &mut memory;
            tape.backward(parameters, adjoints, seed, &mut gradient);
            for (i, carry) in carry.iter_mut().enumerate() {
                *carry = adjoints[start.at(i)];
            }
            for (i, sum) in prepared_bar.iter_mut().enumerate() {
                for (sum, bar) in sum.iter_mut().zip(adjoints[constant.at(i)]) {
                    *sum += bar;
                }
            }
        }
        let Memory { tape, adjoints } = &mut first_memory;
        let seed = |adjoints: &mut [[T; W]]| {
            for (i, bar) in prepared_bar.iter().enumerate() {
                adjoints[prepared.at(i)] = *bar;
            }
        };
        tape.backward(parameters, adjoints, seed, &mut gradient);
        pool.give(memory);
        pool.give(first_memory);
        gradient
    }
}
