//! Free-running roll-outs over whole histories, in each reading of the algebra.

use crate::algebra::{Algebra, Lanes, Span, Tape, TapeMemory, Tensors};
use crate::learned::Normalisation;
use crate::record::Padded;
use crate::recurrent::{Inputs, RecurrentLaw, step};
use burn::backend::{Autodiff, Flex};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::NoCheckpointing;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Histories that one tape advances together.
const WIDTH: usize = 8;

/// Histories in the units of a law.
#[derive(Clone, Debug)]
pub struct Histories {
    padded: Padded,
    normalisation: Normalisation,
}

impl Histories {
    pub fn new(padded: Padded, normalisation: Normalisation) -> Self {
        Self {
            padded,
            normalisation,
        }
    }

    pub fn padded(&self) -> &Padded {
        &self.padded
    }

    pub fn rows(&self) -> usize {
        self.padded.rows
    }

    pub fn records(&self) -> usize {
        self.padded.records
    }

    pub fn components(&self) -> usize {
        self.padded.components
    }

    /// `[rows, components + 1, records]`: the shape of a roll-out, stress and then dissipation.
    pub fn shape(&self) -> [usize; 3] {
        [self.rows(), self.components() + 1, self.records()]
    }

    fn at(&self, values: &[f64], width: usize, row: usize, i: usize, record: usize) -> f64 {
        let record = record.min(self.records() - 1);
        values[(row * width + i) * self.records() + record]
    }

    /// `ε/s_ε`; the row before the first is the virgin material.
    fn strain(&self, row: Option<usize>, i: usize, record: usize) -> f64 {
        row.map_or(0.0, |row| {
            self.at(&self.padded.strain, self.components(), row, i, record)
                / self.normalisation.strain
        })
    }

    /// `s_ε`
    pub fn strain_scale(&self) -> f64 {
        self.normalisation.strain
    }

    /// `s_σ`, MPa
    pub fn stress_scale(&self) -> f64 {
        self.normalisation.stress
    }

    /// `[rows, components, records]` of the measured stress, over `s_σ`.
    pub fn target(&self) -> Vec<f64> {
        let scale = self.normalisation.stress;
        self.padded.stress.iter().map(|s| s / scale).collect()
    }

    /// The inputs of the increment that ends in `row`, read by `input(len, fill(i, record))`.
    fn inputs<V: Clone>(
        &self,
        row: usize,
        input: impl Fn(usize, &dyn Fn(usize, usize) -> f64) -> V,
    ) -> Inputs<V> {
        let n = self.components();
        let external = &self.normalisation.external;
        Inputs {
            strain_old: input(n, &|i, r| self.strain(row.checked_sub(1), i, r)),
            strain_new: input(n, &|i, r| self.strain(Some(row), i, r)),
            dt: input(1, &|_, r| {
                self.at(&self.padded.dt, 1, row, 0, r) / self.normalisation.time
            }),
            external: (!external.is_empty()).then(|| {
                input(external.len(), &|i, r| {
                    let [offset, scale] = external[i];
                    (self.at(&self.padded.external, external.len(), row, i, r) - offset) / scale
                })
            }),
        }
    }

    fn blocks(&self) -> Vec<Range<usize>> {
        (0..self.records())
            .step_by(WIDTH)
            .map(|first| first..(first + WIDTH).min(self.records()))
            .collect()
    }
}

/// Stress and dissipation without gradients, `[rows, components + 1, records]` flat, normalised.
pub fn roll_out<L: RecurrentLaw>(law: &L, effective: &[f64], histories: &Histories) -> Vec<f64> {
    let [rows, width, records] = histories.shape();
    let mut output = vec![0.0; rows * width * records];
    let blocks: Vec<_> = histories
        .blocks()
        .into_par_iter()
        .map(|block| {
            let lanes = Lanes::<WIDTH>::new(effective);
            let prepared = law.prepare(&lanes);
            let state = lanes.input(law.states(), |_, _| 0.0);
            let kept = lanes.used();
            let mut values = Vec::with_capacity(rows * width * block.len());
            for row in 0..rows {
                let inputs = histories.inputs(row, |n, fill| {
                    lanes.input(n, |i, w| fill(i, block.start + w))
                });
                let new = step(law, &lanes, &prepared, &inputs, &state);
                for i in 0..width {
                    let (span, i) = output_at(&new.forces.stress, &new.dissipation, i, width);
                    values.extend_from_slice(&lanes.get(span, i)[..block.len()]);
                }
                lanes.overwrite(state, new.state);
                lanes.truncate(kept);
            }
            (block, values)
        })
        .collect();
    for (block, values) in blocks {
        for (at, row) in values.chunks(block.len()).enumerate() {
            output[at * records + block.start..][..block.len()].copy_from_slice(row);
        }
    }
    output
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

/// Memory of finished tapes, reused by the next roll-out.
#[derive(Clone, Debug, Default)]
pub struct TapePool {
    tapes: Arc<Mutex<Vec<TapeMemory<WIDTH>>>>,
    adjoints: Arc<Mutex<Vec<Vec<[f64; WIDTH]>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A poisoned pool only holds memory to be overwritten.
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// One recorded block of histories.
#[derive(Debug)]
struct Block {
    records: Range<usize>,
    tape: TapeMemory<WIDTH>,
    /// Stress and dissipation of every row.
    outputs: Vec<(Span, Span)>,
}

/// Everything that the reverse sweep needs.
#[derive(Debug)]
struct Recorded {
    parameters: Vec<f64>,
    blocks: Vec<Block>,
    shape: [usize; 3],
    pool: TapePool,
}

impl Recorded {
    fn forward<L: RecurrentLaw>(
        law: &L,
        parameters: Vec<f64>,
        histories: &Histories,
        pool: &TapePool,
    ) -> Self {
        let blocks = histories
            .blocks()
            .into_par_iter()
            .map(|records| {
                let memory = lock(&pool.tapes).pop().unwrap_or_default();
                let tape = Tape::<WIDTH>::with_memory(&parameters, memory);
                let prepared = law.prepare(&tape);
                let mut state = tape.input(law.states(), |_, _| 0.0);
                let mut outputs = Vec::with_capacity(histories.rows());
                for row in 0..histories.rows() {
                    let inputs = histories.inputs(row, |n, fill| {
                        tape.input(n, |i, w| fill(i, records.start + w))
                    });
                    let new = step(law, &tape, &prepared, &inputs, &state);
                    outputs.push((new.forces.stress, new.dissipation));
                    state = new.state;
                }
                Block {
                    records,
                    tape: tape.into_memory(),
                    outputs,
                }
            })
            .collect();
        Self {
            parameters,
            blocks,
            shape: histories.shape(),
            pool: pool.clone(),
        }
    }

    /// Visits every output: its place in a block's arena and in the flat roll-out.
    fn visit(&self, block: &Block, mut visit: impl FnMut(usize, usize, usize)) {
        let [_, width, records] = self.shape;
        for (row, (stress, dissipation)) in block.outputs.iter().enumerate() {
            for i in 0..width {
                let (span, k) = output_at(stress, dissipation, i, width);
                for (lane, record) in block.records.clone().enumerate() {
                    visit(span.at(k), lane, (row * width + i) * records + record);
                }
            }
        }
    }

    fn output(&self) -> Vec<f64> {
        let mut flat = vec![0.0; self.shape.iter().product()];
        for block in &self.blocks {
            let values = block.tape.values();
            self.visit(block, |at, lane, to| flat[to] = values[at][lane]);
        }
        flat
    }

    /// The gradient of the effective parameters from that of the roll-out. The blocks are summed
    /// in their order, so that the result does not depend on the number of threads.
    fn backward(&self, output: &[f64]) -> Vec<f64> {
        let parts: Vec<Vec<f64>> = self
            .blocks
            .par_iter()
            .map(|block| {
                let mut gradient = vec![0.0; self.parameters.len()];
                let mut adjoints = lock(&self.pool.adjoints).pop().unwrap_or_default();
                block.tape.backward(
                    &self.parameters,
                    &mut adjoints,
                    |adjoints| {
                        self.visit(block, |at, lane, from| adjoints[at][lane] = output[from]);
                    },
                    &mut gradient,
                );
                lock(&self.pool.adjoints).push(adjoints);
                gradient
            })
            .collect();
        let mut total = vec![0.0; self.parameters.len()];
        for part in parts {
            for (total, part) in total.iter_mut().zip(part) {
                *total += part;
            }
        }
        total
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        let mut pool = lock(&self.pool.tapes);
        pool.extend(self.blocks.drain(..).map(|block| block.tape));
    }
}

#[derive(Debug)]
struct SweepBack;

impl Backward<Flex, 1> for SweepBack {
    type State = Arc<Recorded>;

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
    Tensor::from_data(TensorData::new(values, [n]), (device, DType::F64))
}

/// The numbers of a tensor.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor
        .into_data()
        .convert::<f64>()
        .try_into_vec()
        .unwrap_or_default()
}

/// The whole roll-out as **one** operation of burn's graph, on the CPU device: forward on tapes,
/// backward by their reverse sweep.
///
/// `effective [p]` is a tracked `f64` tensor on `Device::flex().autodiff()`. Returns `[rows,
/// components + 1, records]`, normalised.
///
/// # Panics
/// If the tensor lives on another device.
pub fn roll_out_tape<L: RecurrentLaw>(
    law: &L,
    effective: Tensor<1>,
    histories: &Histories,
    pool: &TapePool,
) -> Tensor<3> {
    let parameters = values(effective.clone().inner());
    let recorded = Recorded::forward(law, parameters, histories, pool);
    let shape = recorded.shape;
    let output = vector(recorded.output(), &Device::flex())
        .try_into_primitive::<Flex>()
        .expect("made on the CPU device");
    let node = effective
        .try_into_primitive::<Autodiff<Flex>>()
        .expect("the parameters live on the differentiable CPU device")
        .node();
    let output = match SweepBack
        .prepare::<NoCheckpointing>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prepared) => prepared.finish(Arc::new(recorded), output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Tensor::<1>::from_primitive::<Autodiff<Flex>>(output).reshape(shape)
}
