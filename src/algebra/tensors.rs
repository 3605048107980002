//! burn tensors `[batch, n]`: training on any burn device, and the oracle of the programs.

use super::real::sealed::Format;
use super::{Activation, Algebra, Parameter, Program, Recorder, Residual, Root, Runner, Workspace};
use burn::tensor::{DType, Device, Element, Tensor, TensorData, activation};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::Range;

/// Reads a law op by op on burn tensors, in the float type of the parameters.
pub struct Tensors {
    parameters: Tensor<1>,
    batch: usize,
    device: Device,
    float: DType,
    // A slice of the flat vector is cut once per roll-out, not once per step: slicing a tracked
    // tensor costs its whole length in the backward pass.
    cut: RefCell<HashMap<Parameter, Tensor<2>>>,
    // The parameters where roots are searched.
    numbers: OnceCell<Vec<f64>>,
}

/// Points whose roots are searched side by side.
const WIDTH: usize = 8;

impl Tensors {
    /// `parameters [p]` are the effective ones; every vector has `batch` rows.
    pub fn new(parameters: Tensor<1>, batch: usize) -> Self {
        let device = parameters.device();
        let float = parameters.dtype();
        Self {
            parameters,
            batch,
            device,
            float,
            cut: RefCell::default(),
            numbers: OnceCell::new(),
        }
    }

    /// A tensor `[batch, n]` from row-major values; no gradient flows into it.
    pub fn input(&self, values: Vec<f64>) -> Tensor<2> {
        let n = values.len() / self.batch;
        tensor(values, [self.batch, n], &self.device, self.float)
    }

    fn weight(&self, parameter: Parameter) -> Tensor<2> {
        self.cut
            .borrow_mut()
            .entry(parameter)
            .or_insert_with(|| {
                self.parameters
                    .clone()
                    .slice(parameter.offset..parameter.offset + parameter.len())
                    .reshape(parameter.shape())
            })
            .clone()
    }

    fn derivative(&self, activation: Activation, order: u8, x: &Tensor<2>) -> Tensor<2> {
        let x = x.clone();
        match (activation, order) {
            (Activation::Exp, _) => x.exp(),
            (Activation::Softplus, 0) => activation::log_sigmoid(x.neg()).neg(),
            (Activation::Softplus, k) => self.derivative(Activation::Sigmoid, k - 1, &x),
            (Activation::Sigmoid, k) => {
                let s = activation::sigmoid(x);
                let slope = s.clone() - s.clone().square();
                match k {
                    0 => s,
                    1 => slope,
                    2 => slope * (s.mul_scalar(-2.0) + 1.0),
                    _ => slope.clone() * (slope.mul_scalar(-6.0) + 1.0),
                }
            }
            (Activation::Tanh, k) => {
                let y = x.tanh();
                let slope = y.clone().square().neg() + 1.0;
                match k {
                    0 => y,
                    1 => slope,
                    2 => slope * y.mul_scalar(-2.0),
                    _ => slope * (y.square().mul_scalar(6.0) - 2.0),
                }
            }
            (Activation::Sqrt, k) => power(0.5, k, x, self.pole()),
            (Activation::InverseSqrt, k) => power(-0.5, k, x, self.pole()),
            (Activation::Reciprocal, k) => power(-1.0, k, x, self.pole()),
            (Activation::PositivePart, k) => power(1.0, k, x, 0.0),
        }
    }

    /// See [`Format::POLE`].
    fn pole(&self) -> f64 {
        match self.float {
            DType::F32 => f64::from(f32::POLE),
            _ => f64::POLE,
        }
    }

    fn row(&self, parameter: Parameter) -> Tensor<2> {
        self.weight(parameter).reshape([1, parameter.len()])
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

impl Algebra for Tensors {
    type Vector = Tensor<2>;

    fn len(&self, x: &Tensor<2>) -> usize {
        x.dims()[1]
    }

    fn constant(&self, values: &[f64]) -> Tensor<2> {
        tensor(values.to_vec(), [1, values.len()], &self.device, self.float)
            .expand([self.batch, values.len()])
    }

    fn parameter(&self, parameter: Parameter) -> Tensor<2> {
        self.row(parameter).expand([self.batch, parameter.len()])
    }

    fn dense(&self, weight: Parameter, bias: Option<Parameter>, x: &Tensor<2>) -> Tensor<2> {
        let product = x.clone().matmul(self.weight(weight).transpose());
        match bias {
            Some(bias) => product + self.row(bias),
            None => product,
        }
    }

    fn dense_transposed(&self, weight: Parameter, y: &Tensor<2>) -> Tensor<2> {
        y.clone().matmul(self.weight(weight))
    }

    fn derivatives<const K: usize>(
        &self,
        activation: Activation,
        order: u8,
        x: &Tensor<2>,
    ) -> [Tensor<2>; K] {
        std::array::from_fn(|k| self.derivative(activation, order + k as u8, x))
    }

    fn add(&self, x: &Tensor<2>, y: &Tensor<2>) -> Tensor<2> {
        x.clone() + y.clone()
    }

    fn sub(&self, x: &Tensor<2>, y: &Tensor<2>) -> Tensor<2> {
        x.clone() - y.clone()
    }

    fn mul(&self, x: &Tensor<2>, y: &Tensor<2>) -> Tensor<2> {
        x.clone() * y.clone()
    }

    fn affine(&self, x: &Tensor<2>, factor: f64, offset: f64) -> Tensor<2> {
        x.clone().mul_scalar(factor).add_scalar(offset)
    }

    fn detach(&self, x: &Tensor<2>) -> Tensor<2> {
        x.clone().detach()
    }

    fn dot(&self, x: &Tensor<2>, y: &Tensor<2>) -> Tensor<2> {
        (x.clone() * y.clone()).sum_dim(1)
    }

    fn concat(&self, parts: &[&Tensor<2>]) -> Tensor<2> {
        Tensor::cat(parts.iter().map(|p| (*p).clone()).collect(), 1)
    }

    fn slice(&self, x: &Tensor<2>, range: Range<usize>) -> Tensor<2> {
        x.clone().slice([0..self.batch, range])
    }

    fn broadcast(&self, x: &Tensor<2>, n: usize) -> Tensor<2> {
        x.clone().expand([self.batch, n])
    }

    fn select(&self, condition: &Tensor<2>, yes: &Tensor<2>, no: &Tensor<2>) -> Tensor<2> {
        let mask = condition
            .clone()
            .greater_elem(0.0)
            .expand([self.batch, yes.dims()[1]]);
        no.clone().mask_where(mask, yes.clone())
    }

    /// The search runs on the CPU, whatever the device.
    fn root<R: Residual<K>, const K: usize>(
        &self,
        residual: &R,
        known: &[Tensor<2>; K],
        guess: &Tensor<2>,
    ) -> Root<Tensor<2>> {
        let parameters = self.numbers.get_or_init(|| values(self.parameters.clone()));
        let rows = |x: &Tensor<2>| (x.dims()[1], values(x.clone()));
        let (known, guess) = (known.each_ref().map(rows), rows(guess));
        let recorder = Recorder::new();
        let root = recorder.root(
            residual,
            &known.each_ref().map(|(n, _)| recorder.input(*n)),
            &recorder.input(guess.0),
        );
        let program = Program::new(recorder, &[root.value, root.inverse]);
        let tables = program.tables(parameters);
        let runner = Runner::new(&program, &tables);
        let mut workspace = Workspace::<WIDTH>::default();
        runner.prepare(&mut workspace, 1);
        let mut results = [Vec::new(), Vec::new()];
        for first in (0..self.batch).step_by(WIDTH) {
            // Lanes beyond the end repeat the last point.
            let point = |w: usize| (first + w).min(self.batch - 1);
            for (input, (n, x)) in known.iter().chain([&guess]).enumerate() {
                let fill = |i: usize| std::array::from_fn(|w| x[point(w) * n + i]);
                runner.set(&mut workspace, 0, input, fill);
            }
            runner.run(&mut workspace, 0);
            for w in 0..WIDTH.min(self.batch - first) {
                for (output, result) in results.iter_mut().enumerate() {
                    let take = |_, _, lanes: &[f64; WIDTH]| result.push(lanes[w]);
                    runner.read(&workspace, 0, output, take);
                }
            }
        }
        let [value, inverse] = results;
        Root {
            value: self.input(value),
            inverse: self.input(inverse),
        }
    }

    fn solve_linear(&self, inverse: &Tensor<2>, y: &Tensor<2>) -> Tensor<2> {
        let n = y.dims()[1];
        let matrix = inverse.clone().reshape([self.batch, n, n]);
        let product = matrix.matmul(y.clone().reshape([self.batch, n, 1]));
        product.reshape([self.batch, n])
    }
}
