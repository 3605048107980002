//! A routine operation by operation on burn tensors `[batch, n]`: training on any burn device, and the
//! oracle of the programs.

use super::nodes::Routine;
use super::operation::Root;
use super::parameters::Parameter;
use super::program::newton::NonlinearSolve;
use super::program::{Program, Runner, Workspace};
use super::view::View;
use crate::graph::nodes::Graph;
use crate::kernels::Function;
use crate::kernels::real::sealed::Format;
use burn::tensor::{DType, Device, Element, Tensor, TensorData, activation};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// Runs a routine on tensors, in the float type of the parameters.
pub struct Interpreter<'r> {
    routine: &'r Routine,
    context: Context,
    /// The nodes that an output needs.
    needed: Vec<bool>,
    /// What is the same at every point, computed once.
    uniform: Vec<Option<Tensor<2>>>,
}

/// What operations need beside their operands.
struct Context {
    parameters: Tensor<1>,
    batch: usize,
    device: Device,
    float: DType,
    // A slice of the flat vector is cut once, not at every step: slicing a tracked tensor costs its
    // whole length in the backward pass.
    cut: RefCell<HashMap<Parameter, Tensor<2>>>,
    // The parameters where roots are found.
    numbers: OnceCell<Vec<f64>>,
    solves: RefCell<Vec<(Arc<NonlinearSolve>, Program)>>,
}

/// Points whose roots are found side by side.
const WIDTH: usize = 8;

impl<'r> Interpreter<'r> {
    /// `parameters [p]` are the constrained ones; every vector has `batch` rows.
    pub fn new(routine: &'r Routine, parameters: Tensor<1>, batch: usize) -> Self {
        let context = Context {
            device: parameters.device(),
            float: parameters.dtype(),
            parameters,
            batch,
            cut: RefCell::default(),
            numbers: OnceCell::new(),
            solves: RefCell::default(),
        };
        let mut interpreter = Self {
            needed: routine.needed(&routine.outputs),
            uniform: vec![None; routine.nodes.len()],
            routine,
            context,
        };
        interpreter.uniform = interpreter.run_nodes(true, &[]);
        interpreter
    }

    /// A tensor `[batch, n]` from row-major values; no gradient flows into it.
    pub fn input(&self, values: Vec<f64>) -> Tensor<2> {
        self.context.input(values)
    }

    /// The outputs `[batch, n]` from the inputs in their order; those without entries are not read.
    pub fn run(&self, inputs: &[Tensor<2>]) -> Vec<Tensor<2>> {
        let nodes = self.run_nodes(false, inputs);
        let values = self.values(&nodes, inputs);
        self.routine.outputs.iter().map(|x| values.of(*x)).collect()
    }

    /// The nodes that are the same at every point, or the others.
    fn run_nodes(&self, uniform: bool, inputs: &[Tensor<2>]) -> Vec<Option<Tensor<2>>> {
        let mut nodes = self.uniform.clone();
        for (n, node) in self.routine.nodes.iter().enumerate() {
            if self.needed[n] && node.uniform == uniform {
                let value = node
                    .operation
                    .rules()
                    .interpret(&self.values(&nodes, inputs));
                nodes[n] = Some(value);
            }
        }
        nodes
    }

    fn values<'a>(&'a self, nodes: &'a [Option<Tensor<2>>], inputs: &'a [Tensor<2>]) -> Values<'a> {
        Values {
            context: &self.context,
            nodes,
            inputs,
        }
    }
}

/// The values of the operands of an operation.
pub(crate) struct Values<'a> {
    context: &'a Context,
    nodes: &'a [Option<Tensor<2>>],
    inputs: &'a [Tensor<2>],
}

impl Values<'_> {
    pub fn batch(&self) -> usize {
        self.context.batch
    }

    pub fn of(&self, x: View) -> Tensor<2> {
        assert_eq!(x.count, 1, "tensors have no bundles");
        let node = self.nodes[x.node].clone().expect("operands come first");
        match (x.start, x.len) == (0, node.dims()[1]) {
            true => node,
            false => node.slice([0..self.batch(), x.start..x.start + x.len]),
        }
    }

    pub fn input(&self, index: usize) -> Tensor<2> {
        self.inputs[index].clone()
    }

    pub fn constant(&self, values: Vec<f64>) -> Tensor<2> {
        let n = values.len();
        let row = tensor(values, [1, n], &self.context.device, self.context.float);
        row.expand([self.batch(), n])
    }

    pub fn weight(&self, parameter: Parameter) -> Tensor<2> {
        let cut = || {
            let end = parameter.offset + parameter.len();
            let entries = self.context.parameters.clone().slice(parameter.offset..end);
            entries.reshape(parameter.shape())
        };
        let mut known = self.context.cut.borrow_mut();
        known.entry(parameter).or_insert_with(cut).clone()
    }

    /// `[1, n]`
    pub fn row(&self, parameter: Parameter) -> Tensor<2> {
        self.weight(parameter).reshape([1, parameter.len()])
    }

    pub fn parameter(&self, parameter: Parameter) -> Tensor<2> {
        self.row(parameter).expand([self.batch(), parameter.len()])
    }

    pub fn derivative(&self, function: Function, order: u8, x: Tensor<2>) -> Tensor<2> {
        match (function, order) {
            (Function::Exp, _) => x.exp(),
            (Function::Softplus, 0) => activation::log_sigmoid(x.neg()).neg(),
            (Function::Softplus, k) => self.derivative(Function::Sigmoid, k - 1, x),
            (Function::Sigmoid, k) => {
                let s = activation::sigmoid(x);
                let slope = s.clone() - s.clone().square();
                match k {
                    0 => s,
                    1 => slope,
                    2 => slope * (s.mul_scalar(-2.0) + 1.0),
                    _ => slope.clone() * (slope.mul_scalar(-6.0) + 1.0),
                }
            }
            (Function::Tanh, k) => {
                let y = x.tanh();
                let slope = y.clone().square().neg() + 1.0;
                match k {
                    0 => y,
                    1 => slope,
                    2 => slope * y.mul_scalar(-2.0),
                    _ => slope * (y.square().mul_scalar(6.0) - 2.0),
                }
            }
            (Function::Sqrt, k) => power(0.5, k, x, self.pole()),
            (Function::InverseSqrt, k) => power(-0.5, k, x, self.pole()),
            (Function::Reciprocal, k) => power(-1.0, k, x, self.pole()),
            (Function::PositivePart, k) => power(1.0, k, x, 0.0),
        }
    }

    /// See [`Format::POLE`].
    fn pole(&self) -> f64 {
        match self.context.float {
            DType::F32 => f64::from(f32::POLE),
            _ => f64::POLE,
        }
    }

    /// The root and the inverse Jacobian of every point. The iteration runs on the processor, whatever
    /// the device.
    pub fn solve(&self, solve: &Arc<NonlinearSolve>, x: Tensor<2>) -> Tensor<2> {
        let (batch, n) = (self.batch(), x.dims()[1]);
        let parameters = &self.context.parameters;
        let parameters = self
            .context
            .numbers
            .get_or_init(|| values(parameters.clone()));
        let program = self.context.program(solve, n);
        let x = values(x);
        let tables = program.tables(parameters);
        let runner = Runner::new(&program, &tables);
        let mut workspace = Workspace::<WIDTH>::default();
        runner.reserve(&mut workspace, 1);
        let mut result = Vec::new();
        for first in (0..batch).step_by(WIDTH) {
            // Lanes beyond the end repeat the last point.
            let point = |w: usize| (first + w).min(batch - 1);
            runner.set(&mut workspace, 0, 0, |i| {
                std::array::from_fn(|w| x[point(w) * n + i])
            });
            runner.run(&mut workspace, 0);
            for w in 0..WIDTH.min(batch - first) {
                runner.read(&workspace, 0, 0, |_, _, lanes: &[f64; WIDTH]| {
                    result.push(lanes[w])
                });
            }
        }
        self.context.input(result)
    }
}

impl Context {
    fn input(&self, values: Vec<f64>) -> Tensor<2> {
        let n = values.len() / self.batch;
        tensor(values, [self.batch, n], &self.device, self.float)
    }

    /// The nonlinear solve by itself, from `x [n]`, compiled once.
    fn program(&self, solve: &Arc<NonlinearSolve>, n: usize) -> Program {
        let mut known = self.solves.borrow_mut();
        if let Some((_, program)) = known.iter().find(|(other, _)| Arc::ptr_eq(other, solve)) {
            return program.clone();
        }
        let graph = Graph::new();
        let x = graph.input("x", n).view();
        let root = graph.push(Root {
            solve: solve.clone(),
            x,
        });
        let program = graph.finish(&[root]).compile();
        known.push((solve.clone(), program.clone()));
        program
    }
}

/// A tensor of a float type; burn's own default is `f32`.
pub(crate) fn tensor<const D: usize>(
    values: Vec<f64>,
    shape: [usize; D],
    device: &Device,
    float: DType,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (device, float))
}

/// The numbers of a tensor.
pub(crate) fn numbers<T: Element, const D: usize>(tensor: Tensor<D>) -> Vec<T> {
    tensor
        .into_data()
        .convert::<T>()
        .try_into_vec()
        .unwrap_or_default()
}

/// The numbers of a tensor as `f64`.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    numbers(tensor)
}

/// The `order`-th derivative of `x^exponent`, zero up to `least`.
fn power(exponent: f64, order: u8, x: Tensor<2>, least: f64) -> Tensor<2> {
    let exponents = (0..order).map(|k| exponent - f64::from(k));
    // A harmless argument where the result is replaced, or its NaN would reach the gradient through
    // the mask.
    let mask = x.clone().lower_equal_elem(least);
    let safe = x.mask_fill(mask.clone(), 1.0);
    let y = safe.powf_scalar(exponent - f64::from(order));
    y.mul_scalar(exponents.product::<f64>())
        .mask_fill(mask, 0.0)
}
