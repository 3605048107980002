//! Free-running roll-outs over whole histories, in each reading of the algebra.

use super::Histories;
use crate::algebra::{Algebra, Lanes, Span, Tape, TapeMemory, Tensors, tensor, values};
use crate::recurrent::{RecurrentLaw, step};
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Device, Tensor};
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::NoCheckpointing;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use rayon::prelude::*;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Histories that one tape advances together.
const WIDTH: usize = 8;

/// Stress and dissipation without gradients, `[rows, components + 1, records]` flat, normalised.
pub fn roll_out<L: RecurrentLaw>(law: &L, effective: &[f64], histories: &Histories) -> Vec<f64> {
    let recorded: Vec<_> = histories
        .blocks(WIDTH)
        .into_par_iter()
        .map(|records| Block::forward(law, effective, histories, records))
        .collect();
    flat(&recorded, histories)
}

/// Block by block into `[rows, components + 1, records]`.
fn flat(blocks: &[Block], histories: &Histories) -> Vec<f64> {
    let records = histories.records();
    let mut flat = vec![0.0; histories.shape().iter().product()];
    for block in blocks {
        for (row, lanes) in flat.chunks_mut(records).zip(&block.outputs) {
            row[block.records.clone()].copy_from_slice(&lanes[..block.records.len()]);
        }
    }
    flat
}

/// Where output `i` of a step lies: the stress components, then the dissipation.
fn output_at(stress: &Span, dissipation: &Span, i: usize, width: usize) -> (Span, usize) {
    if i + 1 < width {
        (*stress, i)
    } else {
        (*dissipation, 0)
    }
}

/// The roll-out op by op on burn tensors: any device, and the oracle of the tape.
///
/// `effective [p]`; returns `[rows, components + 1, records]`, normalised.
pub fn roll_out_tensors<L: RecurrentLaw>(
    law: &L,
    effective: Tensor<1>,
    histories: &Histories,
) -> Tensor<3> {
    let records = histories.records();
    let a = Tensors::new(effective, records);
    let prepared = law.prepare(&a);
    let mut state = a.zeros(law.states());
    let mut rows = Vec::with_capacity(histories.rows());
    for row in 0..histories.rows() {
        let inputs = histories.inputs(row, |n, fill| {
            a.input((0..records * n).map(|k| fill(k % n, k / n)).collect())
        });
        let new = step(law, &a, &prepared, &inputs, &state);
        let both = a.concat(&[&new.forces.stress, &new.dissipation]);
        rows.push(both.transpose().unsqueeze::<3>());
        state = new.state;
    }
    Tensor::cat(rows, 0)
}

/// Values that one tape may hold: the values and their adjoints then stay in the cache of a core.
const SEGMENT_VALUES: usize = 6_000;

/// Memory of the tapes, reused by the next sweep.
#[derive(Clone, Debug, Default)]
pub struct TapePool(Arc<Mutex<Vec<Memory>>>);

#[derive(Debug, Default)]
struct Memory {
    tape: TapeMemory<WIDTH>,
    adjoints: Vec<[f64; WIDTH]>,
}

impl TapePool {
    fn take(&self) -> Memory {
        self.lock().pop().unwrap_or_default()
    }

    fn give(&self, memory: Memory) {
        self.lock().push(memory);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Memory>> {
        // A poisoned pool only holds memory to be overwritten.
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What the reverse sweep needs: the inputs, and the state at the start of every segment. A
/// segment's tape is recorded when the sweep comes to it, so that the memory of a training step
/// grows by one state a segment and not by all intermediate values of all rows.
struct Recorded<L> {
    law: Arc<L>,
    histories: Arc<Histories>,
    parameters: Vec<f64>,
    blocks: Vec<Block>,
    pool: TapePool,
}

/// Up to [`WIDTH`] histories side by side.
struct Block {
    records: Range<usize>,
    /// Rows of a segment; the last may be shorter.
    segment: usize,
    /// State at the start of each segment, `[segments][states]`.
    states: Vec<[f64; WIDTH]>,
    /// `[rows][components + 1]`
    outputs: Vec<[f64; WIDTH]>,
}

impl<L: RecurrentLaw> Recorded<L> {
    fn forward(
        law: &Arc<L>,
        parameters: Vec<f64>,
        histories: &Arc<Histories>,
        pool: &TapePool,
    ) -> Self {
        let blocks = histories
            .blocks(WIDTH)
            .into_par_iter()
            .map(|records| Block::forward(law.as_ref(), &parameters, histories, records))
            .collect();
        Self {
            law: law.clone(),
            histories: histories.clone(),
            parameters,
            blocks,
            pool: pool.clone(),
        }
    }

    /// The gradient of the effective parameters from that of the roll-out. The blocks are summed
    /// in their order, so that the result does not depend on the number of threads.
    fn backward(&self, output: &[f64]) -> Vec<f64> {
        let parts: Vec<Vec<f64>> = self
            .blocks
            .par_iter()
            .map(|block| self.block_backward(block, output))
            .collect();
        let mut total = vec![0.0; self.parameters.len()];
        for part in parts {
            for (total, part) in total.iter_mut().zip(part) {
                *total += part;
            }
        }
        total
    }

    fn block_backward(&self, block: &Block, output: &[f64]) -> Vec<f64> {
        let [rows, width, records] = self.histories.shape();
        let states = self.law.states();
        let mut gradient = vec![0.0; self.parameters.len()];
        let mut memory = self.pool.take();
        // The derivative with respect to the state at the end of the segment.
        let mut carry = vec![[0.0; WIDTH]; states];
        for segment in (0..rows.div_ceil(block.segment)).rev() {
            let first = segment * block.segment;
            let last = (first + block.segment).min(rows);
            let tape = Tape::<WIDTH>::with_memory(&self.parameters, memory.tape);
            let prepared = self.law.prepare(&tape);
            let start = &block.states[segment * states..][..states];
            let start = tape.input(states, |i, w| start[i][w]);
            let mut state = start;
            let mut outputs = Vec::with_capacity(last - first);
            for row in first..last {
                let inputs = self.histories.inputs(row, |n, fill| {
                    tape.input(n, |i, w| fill(i, block.records.start + w))
                });
                let new = step(self.law.as_ref(), &tape, &prepared, &inputs, &state);
                outputs.push((new.forces.stress, new.dissipation));
                state = new.state;
            }
            memory.tape = tape.into_memory();
            let seed = |adjoints: &mut [[f64; WIDTH]]| {
                for (i, carry) in carry.iter().enumerate() {
                    adjoints[state.at(i)] = *carry;
                }
                for (row, (stress, dissipation)) in (first..last).zip(&outputs) {
                    for i in 0..width {
                        let (span, k) = output_at(stress, dissipation, i, width);
                        let from = (row * width + i) * records;
                        for (lane, record) in block.records.clone().enumerate() {
                            adjoints[span.at(k)][lane] += output[from + record];
                        }
                    }
                }
            };
            memory
                .tape
                .backward(&self.parameters, &mut memory.adjoints, seed, &mut gradient);
            for (i, carry) in carry.iter_mut().enumerate() {
                *carry = memory.adjoints[start.at(i)];
            }
        }
        self.pool.give(memory);
        gradient
    }
}

impl Block {
    fn forward<L: RecurrentLaw>(
        law: &L,
        parameters: &[f64],
        histories: &Histories,
        records: Range<usize>,
    ) -> Self {
        let [rows, width, _] = histories.shape();
        let lanes = Lanes::<WIDTH>::new(parameters);
        let prepared = law.prepare(&lanes);
        let state = lanes.input(law.states(), |_, _| 0.0);
        let kept = lanes.used();
        let mut outputs = Vec::with_capacity(rows * width);
        let mut states = Vec::new();
        let mut segment = rows;
        for row in 0..rows {
            if row % segment == 0 {
                states.extend((0..law.states()).map(|i| lanes.get(state, i)));
            }
            let inputs = histories.inputs(row, |n, fill| {
                lanes.input(n, |i, w| fill(i, records.start + w))
            });
            let new = step(law, &lanes, &prepared, &inputs, &state);
            for i in 0..width {
                let (span, k) = output_at(&new.forces.stress, &new.dissipation, i, width);
                outputs.push(lanes.get(span, k));
            }
            lanes.overwrite(state, new.state);
            if row == 0 {
                segment = (SEGMENT_VALUES / (lanes.used() - kept)).max(1);
            }
            lanes.truncate(kept);
        }
        Self {
            records,
            segment,
            states,
            outputs,
        }
    }
}

impl<L> fmt::Debug for Recorded<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a roll-out of {:?}", self.histories.shape())
    }
}

struct SweepBack<L>(PhantomData<fn() -> L>);

impl<L> fmt::Debug for SweepBack<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reverse sweep of a roll-out")
    }
}

impl<L: RecurrentLaw + 'static> Backward<Flex, 1> for SweepBack<L> {
    type State = Arc<Recorded<L>>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let output = gradients.consume::<Flex>(&ops.node);
        let output = values(Tensor::<1>::from_primitive::<Flex>(output));
        let gradient = vector(ops.state.backward(&output), &Device::flex());
        if let ([Some(parent)], Ok(primitive)) =
            (ops.parents, gradient.try_into_primitive::<Flex>())
        {
            gradients.register::<Flex>(parent.id, primitive);
        }
    }
}

/// An untracked `f64` vector.
pub(crate) fn vector(values: Vec<f64>, device: &Device) -> Tensor<1> {
    let n = values.len();
    tensor(values, [n], device)
}

/// The whole roll-out as **one** operation of burn's graph, on the CPU device: forward on tapes,
/// backward by their reverse sweep.
///
/// `effective [p]` is a tracked `f64` tensor on `Device::flex().autodiff()`. Returns `[rows,
/// components + 1, records]`, normalised.
///
/// # Panics
/// If the tensor lives on another device.
pub fn roll_out_tape<L: RecurrentLaw + 'static>(
    law: &Arc<L>,
    effective: Tensor<1>,
    histories: &Arc<Histories>,
    pool: &TapePool,
) -> Tensor<3> {
    let parameters = values(effective.clone().inner());
    let recorded = Recorded::forward(law, parameters, histories, pool);
    let shape = histories.shape();
    let output = vector(flat(&recorded.blocks, histories), &Device::flex())
        .try_into_primitive::<Flex>()
        .expect("made on the CPU device");
    let node = effective
        .try_into_primitive::<Autodiff<Flex>>()
        .expect("the parameters live on the differentiable CPU device")
        .node();
    let output = match SweepBack(PhantomData::<fn() -> L>)
        .prepare::<NoCheckpointing>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prepared) => prepared.finish(Arc::new(recorded), output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Tensor::<1>::from_primitive::<Autodiff<Flex>>(output).reshape(shape)
}
