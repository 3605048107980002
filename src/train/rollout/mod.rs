//! Free-running roll-outs over whole histories: compiled, and interpreted on tensors.

mod block;

use super::Histories;
use crate::graph::{
    Gradient, Graph, Interpreter, Program, Real, Routine, Runner, Tables, numbers, tensor,
};
use crate::recurrent::{Advance, IncrementInputs, RecurrentLaw, output};
use block::{Block, Memories, TrainedScalar};
use burn::backend::{Autodiff, Flex};
use burn::tensor::{DType, Device, Element, Tensor, TensorData};
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::NoCheckpointing;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use rayon::prelude::*;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// One increment of a law, with the outputs that a training reads.
fn increment(law: &dyn RecurrentLaw, external: usize) -> Routine {
    let graph = Graph::new();
    let inputs = IncrementInputs::new(&graph, law, external);
    graph.routine(&Advance::of(law, &inputs).outputs()[..output::ENERGY])
}

/// The roll-outs of one law: its increment, compiled once, and the memory that they run in. One
/// program for all of them: a validation gives the same bits as a training.
#[derive(Clone, Debug)]
pub struct RollOut {
    program: Arc<Program>,
    memories: Arc<Memories>,
}

impl RollOut {
    /// For histories with so many external variables.
    pub fn new(law: &dyn RecurrentLaw, external: usize) -> Self {
        Self {
            program: Arc::new(increment(law, external).compile_with_reverse(&["state"])),
            memories: Arc::default(),
        }
    }

    /// Stress and dissipation without gradients, `[rows, components + 1, records]` flat,
    /// normalised.
    pub fn values(&self, constrained: &[f64], histories: &Histories) -> Vec<f64> {
        let tables = self.program.tables(constrained);
        let runner = Runner::new(&self.program, &tables);
        let run = |records| {
            Block::<f64, 8>::forward(&runner, histories, records, Default::default(), false)
        };
        let blocks: Vec<_> = histories.blocks(8).into_par_iter().map(run).collect();
        flat(&blocks, histories)
    }

    /// The whole roll-out as **one** operation of burn's graph, on the CPU device: forward over
    /// lanes, backward by a reverse pass over the tape.
    ///
    /// `constrained [p]` is a tracked tensor on `Device::flex().autodiff()`, `f64` or `f32`; so is
    /// what is returned, `[rows, components + 1, records]`, normalised.
    ///
    /// # Panics
    /// If the tensor lives on another device or has another type.
    pub fn tracked(&self, constrained: Tensor<1>, histories: &Arc<Histories>) -> Tensor<3> {
        match constrained.dtype() {
            DType::F64 => self.one_operation::<f64, 8>(constrained, histories),
            DType::F32 => self.one_operation::<f32, 16>(constrained, histories),
            other => panic!("a roll-out is f64 or f32, not {other:?}"),
        }
    }

    fn one_operation<T: TrainedScalar<W> + Element, const W: usize>(
        &self,
        constrained: Tensor<1>,
        histories: &Arc<Histories>,
    ) -> Tensor<3> {
        let tables = self
            .program
            .tables(&numbers::<T, 1>(constrained.clone().inner()));
        let runner = Runner::new(&self.program, &tables);
        let run = |records| Block::forward(&runner, histories, records, self.memories.take(), true);
        let blocks: Vec<Block<T, W>> = histories.blocks(W).into_par_iter().map(run).collect();
        let output = flat_tensor(flat(&blocks, histories))
            .try_into_primitive::<Flex>()
            .expect("made on the CPU device");
        let node = constrained
            .try_into_primitive::<Autodiff<Flex>>()
            .expect("the parameters live on the differentiable CPU device")
            .node();
        let recorded = Recorded {
            roll_out: self.clone(),
            histories: histories.clone(),
            tables,
            blocks,
        };
        let output = match SweepBack(PhantomData::<fn() -> T>)
            .prepare::<NoCheckpointing>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prepared) => prepared.finish(Arc::new(recorded), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        Tensor::<1>::from_primitive::<Autodiff<Flex>>(output).reshape(histories.shape())
    }
}

/// The roll-out operation by operation on burn tensors: any device, and the oracle of the compiled one.
///
/// `constrained [p]`; returns `[rows, components + 1, records]`, normalised, in the float type of
/// the parameters.
pub fn roll_out_tensors(
    law: &dyn RecurrentLaw,
    constrained: Tensor<1>,
    histories: &Histories,
) -> Tensor<3> {
    let records = histories.records();
    let routine = increment(law, histories.external());
    let interpreter = Interpreter::new(&routine, constrained, records);
    let mut state = interpreter.input(vec![0.0; law.state_layout().len() * records]);
    let mut rows = Vec::with_capacity(histories.rows());
    for row in 0..histories.rows() {
        let [strain_old, strain_new, dt, external] = histories.inputs_at(row).map(|by_component| {
            let n = by_component.len() / records;
            let at = |k: usize| by_component[k % n * records + k / n];
            interpreter.input((0..n * records).map(at).collect())
        });
        let new = interpreter.run(&[state, strain_new, external, strain_old, dt]);
        let both = [output::STRESS, output::DISSIPATION].map(|output| new[output].clone());
        rows.push(Tensor::cat(both.to_vec(), 1).transpose().unsqueeze::<3>());
        state = new[output::STATE].clone();
    }
    Tensor::cat(rows, 0)
}

/// Block by block into `[rows, components + 1, records]`.
fn flat<T: Real, const W: usize>(blocks: &[Block<T, W>], histories: &Histories) -> Vec<T> {
    let records = histories.records();
    let mut flat = vec![T::ZERO; histories.shape().iter().product()];
    for block in blocks {
        for (row, lanes) in flat.chunks_mut(records).zip(&block.outputs) {
            row[block.records.clone()].copy_from_slice(&lanes[..block.records.len()]);
        }
    }
    flat
}

/// What the reverse pass needs.
struct Recorded<T, const W: usize> {
    roll_out: RollOut,
    histories: Arc<Histories>,
    tables: Tables<T>,
    blocks: Vec<Block<T, W>>,
}

impl<T: TrainedScalar<W>, const W: usize> Recorded<T, W> {
    /// The gradient of the constrained parameters from that of the roll-out. The blocks are summed
    /// in their order, so that the result does not depend on the number of threads.
    fn backward(&self, output: &[T]) -> Vec<T> {
        let RollOut { program, memories } = &self.roll_out;
        let runner = Runner::new(program, &self.tables);
        let sweep =
            |block: &Block<T, W>| block.backward(&runner, &self.histories, memories, output);
        let parts: Vec<Gradient<T>> = self.blocks.par_iter().map(sweep).collect();
        let mut total = Gradient::zero(&runner);
        parts.iter().for_each(|part| total.add(part));
        total.finish(&runner)
    }
}

impl<T, const W: usize> fmt::Debug for Recorded<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a roll-out of {:?}", self.histories.shape())
    }
}

struct SweepBack<S, const W: usize>(PhantomData<S>);

impl<S, const W: usize> fmt::Debug for SweepBack<S, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reverse sweep of a roll-out")
    }
}

impl<T: TrainedScalar<W> + Element, const W: usize> Backward<Flex, 1> for SweepBack<fn() -> T, W> {
    type State = Arc<Recorded<T, W>>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let output = gradients.consume::<Flex>(&ops.node);
        let output = numbers::<T, 1>(Tensor::<1>::from_primitive::<Flex>(output));
        let gradient = flat_tensor(ops.state.backward(&output));
        if let ([Some(parent)], Ok(primitive)) =
            (ops.parents, gradient.try_into_primitive::<Flex>())
        {
            gradients.register::<Flex>(parent.id, primitive);
        }
    }
}

/// An untracked vector in the type of its numbers.
fn flat_tensor<T: Element>(values: Vec<T>) -> Tensor<1> {
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), (&Device::flex(), T::dtype()))
}

/// An untracked `f64` vector.
pub(crate) fn vector(values: Vec<f64>, device: &Device) -> Tensor<1> {
    let n = values.len();
    tensor(values, [n], device, DType::F64)
}
