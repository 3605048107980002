//! The text of a law: operations in their order.

use super::operation::{
    Broadcast, Concat, Constant, Input, Operation, Parameters, Spread, Sum, Units,
};
use super::parameters::Parameter;
use super::vector::Vector;
use super::view::{Term, View};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::Location;

/// An operation, what it makes, and the line of the law that wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub operation: Operation,
    /// Number of vectors, and length of each.
    pub shape: [usize; 2],
    /// Whether it is the same at every point.
    pub uniform: bool,
    pub at: &'static Location<'static>,
}

impl Node {
    pub fn new(operation: Operation, uniform: bool, at: &'static Location<'static>) -> Self {
        Self {
            shape: operation.rules().shape(),
            operation,
            uniform,
            at,
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.shape[0] * self.shape[1]
    }
}

/// The text of a law as a value: laws write operations into it through their [`Vector`]s. The same
/// operation on the same operands is written once.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: RefCell<Vec<Node>>,
    known: RefCell<HashMap<Operation, usize>>,
    /// The line to which a pass attributes what it writes.
    line: Cell<Option<&'static Location<'static>>>,
}

impl Graph {
    pub fn new() -> Self {
        Self::default()
    }

    /// A vector `[n]` that changes from point to point, set by whoever runs the compiled graph.
    #[track_caller]
    pub fn input(&self, name: &'static str, n: usize) -> Vector<'_> {
        self.bundle(name, [1, n])
    }

    /// A bundle of `count` vectors `[n]` that is set from outside, as the directions of a derivative.
    #[track_caller]
    pub fn bundle(&self, name: &'static str, shape: [usize; 2]) -> Vector<'_> {
        let nodes = self.nodes.borrow();
        let is_input = |node: &&Node| matches!(node.operation, Operation::Input(_));
        let index = nodes.iter().filter(is_input).count();
        drop(nodes);
        self.vector(self.push(Input { index, name, shape }))
    }

    /// The same constant vector `[n]` at every point.
    #[track_caller]
    pub fn constant(&self, values: &[f64]) -> Vector<'_> {
        self.vector(self.push(Constant::of(values)))
    }

    #[track_caller]
    pub fn zeros(&self, n: usize) -> Vector<'_> {
        self.vector(self.filled(0.0, n))
    }

    #[track_caller]
    pub fn ones(&self, n: usize) -> Vector<'_> {
        self.vector(self.filled(1.0, n))
    }

    /// The entries of a parameter, row by row.
    #[track_caller]
    pub fn parameter(&self, parameter: impl Into<Parameter>) -> Vector<'_> {
        self.vector(self.push(Parameters(parameter.into())))
    }

    /// The bundle of the `n` unit vectors `[n]`.
    #[track_caller]
    pub(crate) fn units(&self, n: usize) -> Vector<'_> {
        self.vector(self.push(Units(n)))
    }

    /// What was written, with its outputs. An output that is the same at every point is written out
    /// for each.
    #[track_caller]
    pub fn routine(&self, outputs: &[Vector]) -> Routine {
        let outputs: Vec<View> = outputs.iter().map(|x| x.of(self)).collect();
        self.finish(&outputs)
    }

    #[track_caller]
    pub(crate) fn finish(&self, outputs: &[View]) -> Routine {
        let outputs: Vec<_> = outputs.iter().map(|x| self.spread(*x)).collect();
        self.unspread(&outputs)
    }

    /// What was written, all of it an output as it is.
    pub(crate) fn unspread(&self, outputs: &[View]) -> Routine {
        Routine {
            nodes: self.nodes.borrow().clone(),
            outputs: outputs.to_vec(),
        }
    }

    pub(crate) fn vector(&self, view: View) -> Vector<'_> {
        Vector::new(self, view)
    }

    /// Writes an operation down, or finds it.
    #[track_caller]
    pub(crate) fn push(&self, operation: impl Into<Operation>) -> View {
        let at = match self.line.get() {
            Some(line) => line,
            None => Location::caller(),
        };
        let operation = operation.into();
        let mut nodes = self.nodes.borrow_mut();
        let operands = operation.operands();
        let whole = |x: &View| {
            let inside = |node: &Node| x.nth(x.count.saturating_sub(1)).end <= node.len();
            nodes.get(x.node).is_some_and(inside)
        };
        assert!(operands.iter().all(whole), "a vector of another graph");
        let same = |x: &View| nodes[x.node].uniform;
        let uniform = operation.rules().keeps_uniform() && operands.iter().all(same);
        let mut known = self.known.borrow_mut();
        let node = *known.entry(operation).or_insert_with_key(|operation| {
            nodes.push(Node::new(operation.clone(), uniform, at));
            nodes.len() - 1
        });
        View::whole(node, nodes[node].shape)
    }

    /// What a pass writes from here on belongs to this line of the law.
    pub(crate) fn set_line(&self, line: Option<&'static Location<'static>>) {
        self.line.set(line);
    }

    /// Operations that a closure writes belong to the caller's line, where no other one is set.
    #[track_caller]
    pub(crate) fn in_line<R>(&self, write: impl FnOnce() -> R) -> R {
        let before = self.line.get();
        let caller = Location::caller();
        self.line.set(before.or(Some(caller)));
        let result = write();
        self.line.set(before);
        result
    }

    /// The number of nodes so far.
    pub(crate) fn len(&self) -> usize {
        self.nodes.borrow().len()
    }

    pub(crate) fn node(&self, n: usize) -> Node {
        self.nodes.borrow()[n].clone()
    }

    pub(crate) fn is_uniform(&self, x: View) -> bool {
        self.nodes.borrow()[x.node].uniform
    }

    /// What differs from point to point, or is written out for each.
    #[track_caller]
    pub(crate) fn spread(&self, x: View) -> View {
        match self.is_uniform(x) {
            true => self.push(Spread(x)),
            false => x,
        }
    }

    #[track_caller]
    pub(crate) fn filled(&self, value: f64, n: usize) -> View {
        self.push(Broadcast(self.push(Constant::of(&[value])), n))
    }

    #[track_caller]
    pub(crate) fn sum(&self, terms: impl Into<Vec<Term>>) -> View {
        self.push(Sum(terms.into()))
    }

    #[track_caller]
    pub(crate) fn add(&self, x: View, y: View) -> View {
        self.sum([Term::new(1.0, [x]), Term::new(1.0, [y])])
    }

    #[track_caller]
    pub(crate) fn mul(&self, x: View, y: View) -> View {
        self.sum([Term::new(1.0, [x, y])])
    }

    /// The number that every entry is, where they all are one and it is known.
    pub(crate) fn number(&self, x: View) -> Option<f64> {
        match self.node(x.node).operation {
            Operation::Constant(constant) => constant.number(x),
            Operation::Broadcast(Broadcast(one, _)) => self.number(one),
            Operation::Concat(Concat(parts)) if x.count == 1 => {
                let mut at = 0;
                let mut numbers = parts.iter().filter_map(|part| {
                    let (first, end) = (at, at + part.len);
                    at = end;
                    let read = first < x.start + x.len && x.start < end;
                    read.then(|| self.number(*part))
                });
                let first = numbers.next()??;
                numbers.all(|n| n == Some(first)).then_some(first)
            }
            _ => None,
        }
    }
}

/// Operations in their order, with the outputs: what passes take and give. Nothing in it changes.
#[derive(Clone, Debug)]
pub struct Routine {
    pub(crate) nodes: Vec<Node>,
    pub(crate) outputs: Vec<View>,
}

impl Routine {
    pub(crate) fn whole(&self, node: usize) -> View {
        View::whole(node, self.nodes[node].shape)
    }

    /// The nodes of the inputs in the order in which they were asked for.
    pub(crate) fn inputs(&self) -> Vec<usize> {
        let index = |n: usize| match &self.nodes[n].operation {
            Operation::Input(input) => Some((input.index, n)),
            _ => None,
        };
        let mut inputs: Vec<_> = (0..self.nodes.len()).filter_map(index).collect();
        inputs.sort();
        inputs.into_iter().map(|(_, n)| n).collect()
    }

    /// Nodes that some views need.
    pub(crate) fn needed(&self, by: &[View]) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        for x in by {
            needed[x.node] = true;
        }
        for n in (0..self.nodes.len()).rev() {
            if needed[n] {
                for x in self.nodes[n].operation.operands() {
                    needed[x.node] = true;
                }
            }
        }
        needed
    }

    /// Writes nodes anew in some order in which operands come first: `write` gets an operation with
    /// its operands in the new graph, and says where what it makes is there.
    pub(crate) fn rewrite(
        &self,
        order: impl IntoIterator<Item = usize>,
        mut write: impl FnMut(&Graph, usize, Operation) -> View,
    ) -> Rewritten {
        let mut new = Rewritten::of(self);
        for n in order {
            let operation = new.operation(self, n);
            new.moved[n] = Some(write(&new.graph, n, operation));
        }
        new.graph.set_line(None);
        new
    }

    /// Needed nodes and all inputs.
    pub(crate) fn alive(&self) -> Vec<usize> {
        let needed = self.needed(&self.outputs);
        let input = |n: usize| matches!(self.nodes[n].operation, Operation::Input(_));
        (0..self.nodes.len())
            .filter(|n| needed[*n] || input(*n))
            .collect()
    }
}

/// A graph with what became of the nodes of another one.
pub(crate) struct Rewritten {
    pub graph: Graph,
    pub moved: Vec<Option<View>>,
}

impl Rewritten {
    pub fn of(old: &Routine) -> Self {
        Self {
            graph: Graph::new(),
            moved: vec![None; old.nodes.len()],
        }
    }

    /// An operation with its operands in the new graph, where it belongs to the same line.
    pub fn operation(&self, old: &Routine, n: usize) -> Operation {
        self.graph.set_line(Some(old.nodes[n].at));
        let mut operation = old.nodes[n].operation.clone();
        for x in operation.operands_mut() {
            *x = self.view(*x);
        }
        operation
    }

    pub fn view(&self, x: View) -> View {
        x.within(self.moved[x.node].expect("operands come before what is made of them"))
    }

    pub fn views(&self, views: &[View]) -> Vec<View> {
        views.iter().map(|x| self.view(*x)).collect()
    }
}
