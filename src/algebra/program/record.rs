//! The reading that writes operations down.

use super::Search;
use crate::algebra::kernels::Binary;
use crate::algebra::{Activation, Algebra, Bundles, Parameter, Residual, Root};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

/// A vector, or a bundle of several, of a program: part of what an operation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    pub(super) node: usize,
    /// In the entries of the node.
    pub(super) start: usize,
    /// Of one vector.
    pub(super) len: usize,
    /// From one vector of a bundle to the next.
    pub(super) stride: usize,
    pub(super) count: usize,
}

impl View {
    /// The entries of the `k`-th vector in its node.
    pub(super) fn nth(self, k: usize) -> Range<usize> {
        let start = self.start + k * self.stride;
        start..start + self.len
    }

    /// This vector and those that follow it without a gap, as one long vector.
    pub(super) fn joined(self, count: usize) -> Self {
        let len = count * self.len;
        Self {
            len,
            stride: len,
            count: 1,
            ..self
        }
    }

    pub(super) fn slice(self, range: Range<usize>) -> Self {
        assert!(range.end <= self.len, "slice beyond the vector");
        Self {
            start: self.start + range.start,
            len: range.len(),
            ..self
        }
    }
}

/// A number by its bits, so that operations can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Number(u64);

impl Number {
    fn of(value: f64) -> Self {
        Self(value.to_bits())
    }

    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Input(usize),
    Constant(Vec<Number>),
    Parameter(Parameter),
    /// So many unit vectors.
    Units(usize),
    /// The same at every point, written out for each.
    Spread(View),
    Product {
        weight: Parameter,
        bias: Option<Parameter>,
        transposed: bool,
        /// Which entries of the product.
        rows: Range<usize>,
        x: View,
    },
    /// From one order on, one after the other.
    Derivatives {
        activation: Activation,
        order: u8,
        x: View,
    },
    Binary(Binary, View, View),
    Affine {
        x: View,
        factor: Number,
        offset: Number,
    },
    Detach(View),
    Dot(View, View),
    Concat(Vec<View>),
    Broadcast(View, usize),
    Select {
        condition: View,
        yes: View,
        no: View,
    },
    /// What is known and the guess, one after the other, to the root and the inverse Jacobian.
    Search(usize, View),
    SolveLinear {
        inverse: View,
        y: View,
    },
}

impl Operation {
    /// Whether it gives the same at every point when its operands do.
    fn keeps_uniform(&self) -> bool {
        !matches!(
            self,
            Self::Input(_) | Self::Spread(_) | Self::Search(..) | Self::SolveLinear { .. }
        )
    }

    pub fn operands(&self) -> Vec<View> {
        let mut copy = self.clone();
        copy.operands_mut().into_iter().map(|x| *x).collect()
    }

    pub fn operands_mut(&mut self) -> Vec<&mut View> {
        match self {
            Self::Input(_) | Self::Constant(_) | Self::Parameter(_) | Self::Units(_) => Vec::new(),
            Self::Spread(x) | Self::Detach(x) | Self::Broadcast(x, _) => vec![x],
            Self::Product { x, .. } | Self::Derivatives { x, .. } | Self::Affine { x, .. } => {
                vec![x]
            }
            Self::Binary(_, x, y) | Self::Dot(x, y) => vec![x, y],
            Self::Concat(parts) => parts.iter_mut().collect(),
            Self::Select { condition, yes, no } => vec![condition, yes, no],
            Self::Search(_, x) => vec![x],
            Self::SolveLinear { inverse, y } => vec![inverse, y],
        }
    }
}

/// An operation and the size of what it makes.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub operation: Operation,
    /// Number of vectors, and length of each.
    pub shape: [usize; 2],
    /// Whether it is the same at every point.
    pub uniform: bool,
}

impl Node {
    pub fn len(&self) -> usize {
        self.shape[0] * self.shape[1]
    }
}

/// Operations in their order.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    pub searches: Vec<Search>,
    inputs: usize,
}

impl Graph {
    pub fn whole(&self, node: usize) -> View {
        let [count, len] = self.nodes[node].shape;
        View {
            node,
            start: 0,
            len,
            stride: len,
            count,
        }
    }

    /// The inputs in the order in which they were asked for.
    pub fn inputs(&self) -> Vec<View> {
        let is_input = |n: &usize| matches!(self.nodes[*n].operation, Operation::Input(_));
        let nodes = (0..self.nodes.len()).filter(is_input);
        nodes.map(|n| self.whole(n)).collect()
    }
}

/// Writes down what a law does; the same operation on the same operands is written once.
#[derive(Debug, Default)]
pub struct Recorder {
    graph: RefCell<Graph>,
    known: RefCell<HashMap<Operation, usize>>,
}

impl Recorder {
    pub fn new() -> Self {
        Self::default()
    }

    /// A vector `[n]` that the caller of the program sets.
    pub fn input(&self, n: usize) -> View {
        self.bundle(1, n)
    }

    /// A bundle of so many vectors `[n]` that the caller of the program sets.
    pub fn bundle(&self, count: usize, n: usize) -> View {
        let index = self.graph.borrow().inputs;
        self.graph.borrow_mut().inputs += 1;
        self.push(Operation::Input(index), [count, n])
    }

    /// What was recorded; outputs that are the same at every point are written out.
    pub(super) fn finish(self, outputs: &[View]) -> (Graph, Vec<View>) {
        outputs.iter().for_each(|x| self.check(*x));
        let outputs = outputs.iter().map(|x| self.spread(*x)).collect();
        (self.graph.into_inner(), outputs)
    }

    fn uniform(&self, x: View) -> bool {
        self.graph.borrow().nodes[x.node].uniform
    }

    /// A view of another record could lie outside of what this one has.
    fn check(&self, x: View) {
        let node = self.graph.borrow().nodes.get(x.node).map(Node::len);
        let end = x.nth(x.count.saturating_sub(1)).end;
        assert!(
            node.is_some_and(|len| end <= len),
            "a view of another record"
        );
    }

    pub(super) fn push(&self, operation: Operation, shape: [usize; 2]) -> View {
        let operands = operation.operands();
        operands.iter().for_each(|x| self.check(*x));
        let uniform = operation.keeps_uniform() && operands.iter().all(|x| self.uniform(*x));
        let mut graph = self.graph.borrow_mut();
        let mut known = self.known.borrow_mut();
        let node = *known.entry(operation).or_insert_with_key(|operation| {
            graph.nodes.push(Node {
                operation: operation.clone(),
                shape,
                uniform,
            });
            graph.nodes.len() - 1
        });
        graph.whole(node)
    }

    fn spread(&self, x: View) -> View {
        if self.uniform(x) {
            self.push(Operation::Spread(x), [x.count, x.len])
        } else {
            x
        }
    }

    fn binary(&self, operation: Binary, x: &View, y: &View) -> View {
        assert_eq!(x.len, y.len, "vectors of different length");
        let shape = [together([*x, *y]), x.len];
        self.push(Operation::Binary(operation, *x, *y), shape)
    }

    fn product(
        &self,
        weight: Parameter,
        bias: Option<Parameter>,
        transposed: bool,
        x: &View,
    ) -> View {
        let [rows, columns] = weight.shape();
        let (n, m) = if transposed {
            (columns, rows)
        } else {
            (rows, columns)
        };
        assert_eq!(m, x.len, "shape of the weight and length");
        let operation = Operation::Product {
            weight,
            bias,
            transposed,
            rows: 0..n,
            x: *x,
        };
        self.push(operation, [x.count, n])
    }
}

/// Number of vectors of what several bundles make; a single one stands for as many.
fn together<const N: usize>(parts: [View; N]) -> usize {
    let count = parts.iter().map(|x| x.count).max().unwrap_or(1);
    let fits = |x: &View| x.count == 1 || x.count == count;
    assert!(parts.iter().all(fits), "bundles of different size");
    count
}

impl Algebra for Recorder {
    type Vector = View;

    fn len(&self, x: &View) -> usize {
        x.len
    }

    fn constant(&self, values: &[f64]) -> View {
        let numbers = values.iter().copied().map(Number::of).collect();
        self.push(Operation::Constant(numbers), [1, values.len()])
    }

    fn parameter(&self, parameter: Parameter) -> View {
        self.push(Operation::Parameter(parameter), [1, parameter.len()])
    }

    fn dense(&self, weight: Parameter, bias: Option<Parameter>, x: &View) -> View {
        self.product(weight, bias, false, x)
    }

    fn dense_transposed(&self, weight: Parameter, y: &View) -> View {
        self.product(weight, None, true, y)
    }

    fn derivatives<const K: usize>(
        &self,
        activation: Activation,
        order: u8,
        x: &View,
    ) -> [View; K] {
        assert_eq!(x.count, 1, "a bundle is linear in what it belongs to");
        // Orders of one function share a node once each is asked for by itself; asked for together
        // they are made together.
        let operation = Operation::Derivatives {
            activation,
            order,
            x: *x,
        };
        let known = self.known.borrow().get(&operation).copied();
        let node = match known {
            Some(node) => {
                let mut graph = self.graph.borrow_mut();
                let shape = &mut graph.nodes[node].shape;
                shape[0] = shape[0].max(K);
                node
            }
            None => self.push(operation, [K, x.len]).node,
        };
        std::array::from_fn(|k| View {
            node,
            start: k * x.len,
            len: x.len,
            stride: x.len,
            count: 1,
        })
    }

    fn add(&self, x: &View, y: &View) -> View {
        self.binary(Binary::Add, x, y)
    }

    fn sub(&self, x: &View, y: &View) -> View {
        self.binary(Binary::Sub, x, y)
    }

    fn mul(&self, x: &View, y: &View) -> View {
        self.binary(Binary::Mul, x, y)
    }

    fn affine(&self, x: &View, factor: f64, offset: f64) -> View {
        let operation = Operation::Affine {
            x: *x,
            factor: Number::of(factor),
            offset: Number::of(offset),
        };
        self.push(operation, [x.count, x.len])
    }

    fn detach(&self, x: &View) -> View {
        self.push(Operation::Detach(*x), [x.count, x.len])
    }

    fn dot(&self, x: &View, y: &View) -> View {
        assert_eq!(x.len, y.len, "vectors of different length");
        self.push(Operation::Dot(*x, *y), [together([*x, *y]), 1])
    }

    fn concat(&self, parts: &[&View]) -> View {
        let len = parts.iter().map(|x| x.len).sum();
        let count = parts.iter().map(|x| together([**x])).max().unwrap_or(1);
        let parts = parts.iter().map(|x| **x).collect();
        self.push(Operation::Concat(parts), [count, len])
    }

    fn slice(&self, x: &View, range: Range<usize>) -> View {
        x.slice(range)
    }

    fn broadcast(&self, x: &View, n: usize) -> View {
        assert_eq!(x.len, 1, "only a scalar is broadcast");
        self.push(Operation::Broadcast(*x, n), [x.count, n])
    }

    fn select(&self, condition: &View, yes: &View, no: &View) -> View {
        assert_eq!(condition.len, 1, "the condition is a scalar");
        assert_eq!(yes.len, no.len, "vectors of different length");
        let [condition, yes, no] = [condition, yes, no].map(|x| self.spread(*x));
        let shape = [together([yes, no]), yes.len];
        self.push(Operation::Select { condition, yes, no }, shape)
    }

    fn root<R: Residual<K>, const K: usize>(
        &self,
        residual: &R,
        known: &[View; K],
        guess: &View,
    ) -> Root<View> {
        let n = guess.len;
        let search = Search::record(residual, known.map(|x| x.len), n);
        let index = self.graph.borrow().searches.len();
        self.graph.borrow_mut().searches.push(search);
        let all: Vec<&View> = known.iter().chain([guess]).collect();
        let all = self.spread(self.concat(&all));
        let both = self.push(Operation::Search(index, all), [1, n + n * n]);
        Root {
            value: both.slice(0..n),
            inverse: both.slice(n..n + n * n),
        }
    }

    fn solve_linear(&self, inverse: &View, y: &View) -> View {
        assert_eq!(inverse.len, y.len * y.len, "a square matrix and its vector");
        let [inverse, y] = [inverse, y].map(|x| self.spread(*x));
        self.push(Operation::SolveLinear { inverse, y }, [y.count, y.len])
    }
}

impl Bundles for Recorder {
    fn units(&self, n: usize) -> View {
        self.push(Operation::Units(n), [n, n])
    }
}
