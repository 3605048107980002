//! From a graph to a program.

use super::Program;
use super::demands::Demands;
use super::fuse::{Term, fuse, sum_of};
use super::instruction::{Action, Begin, Instruction, Place, Space};
use super::layout::{Whole, arrange, lifetimes};
use super::record::{Graph, Operation, View};
use super::sweep;
use std::ops::Range;

/// What an instruction works on, before it has its place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    /// A value where the forward pass computes it.
    Value(View),
    /// A value where the sweep finds it.
    Kept(View),
    /// A value that the sweep computes again.
    Remade(View),
    Adjoint(View),
    /// The adjoint of what is the same at every point.
    Sum(View),
    /// The derivative with respect to an output, set by the caller.
    Seed(View, usize),
}

impl Operand {
    /// A part of it; of one entry that stands for all, the same.
    pub fn slice(self, range: Range<usize>) -> Self {
        let part = |x: View| {
            if x.len == 1 {
                x
            } else {
                x.slice(range.clone())
            }
        };
        match self {
            Self::Value(x) => Self::Value(part(x)),
            Self::Kept(x) => Self::Kept(part(x)),
            Self::Remade(x) => Self::Remade(part(x)),
            Self::Adjoint(x) => Self::Adjoint(part(x)),
            Self::Sum(x) => Self::Sum(part(x)),
            Self::Seed(x, i) => Self::Seed(part(x), i),
        }
    }

    pub fn view(self) -> View {
        match self {
            Self::Value(x)
            | Self::Kept(x)
            | Self::Remade(x)
            | Self::Adjoint(x)
            | Self::Sum(x)
            | Self::Seed(x, _) => x,
        }
    }
}

impl View {
    /// Its place where the node starts at `base`.
    pub(super) fn at(self, space: Space, base: usize) -> Place {
        let small = |n: usize| u32::try_from(n).expect("a program of less than 2³² entries");
        Place {
            space,
            start: small(base + self.start),
            len: small(self.len),
            step: small(if self.count == 1 { 0 } else { self.stride }),
            count: small(self.count),
        }
    }

    pub(super) fn same_shape(self, node: usize) -> Self {
        Self {
            node,
            start: 0,
            ..self
        }
    }
}

/// Instructions that make a node, its operands by `operand`.
pub(super) fn forward(
    graph: &Graph,
    node: usize,
    operand: impl Fn(View) -> Operand,
    result: impl Fn(View) -> Operand,
) -> Vec<Instruction<Operand>> {
    let whole = graph.whole(node);
    let one = |action, operands: &[View]| {
        let operands: Vec<_> = operands.iter().map(|x| operand(*x)).collect();
        vec![Instruction::new(action, operands, result(whole))]
    };
    match &graph.nodes[node].operation {
        Operation::Input(_) => Vec::new(),
        Operation::Constant(values) => {
            let values = values.iter().map(|x| x.value()).collect();
            one(Action::Constant(values), &[])
        }
        Operation::Units(n) => {
            let entry = |i: usize| if i.is_multiple_of(n + 1) { 1.0 } else { 0.0 };
            let values = (0..n * n).map(entry).collect();
            let action = Action::Constant(values);
            vec![Instruction::new(action, [], result(whole.joined(*n)))]
        }
        Operation::Parameter(parameter) => one(Action::Parameter(*parameter), &[]),
        Operation::Spread(x) | Operation::Detach(x) => one(Action::Copy, &[*x]),
        Operation::Product {
            weight,
            bias,
            transposed,
            rows,
            x,
        } => {
            let action = Action::Product {
                weight: *weight,
                begin: bias.map_or(Begin::Zero, Begin::Bias),
                transposed: *transposed,
                rows: rows.clone(),
            };
            one(action, &[*x])
        }
        Operation::Derivatives {
            activation,
            order,
            x,
        } => {
            let action = Action::Derivatives {
                activation: *activation,
                order: *order,
            };
            let to = result(whole.joined(whole.count));
            vec![Instruction::new(action, [operand(*x)], to)]
        }
        Operation::Binary(..) | Operation::Affine { .. } => {
            let sum = sum_of(&graph.nodes[node].operation).unwrap_or_default();
            vec![combine(&sum, operand, result(whole))]
        }
        Operation::Dot(x, y) => one(Action::Dot, &[*x, *y]),
        Operation::Broadcast(x, _) => one(Action::Broadcast, &[*x]),
        Operation::Select { condition, yes, no } => one(Action::Select, &[*condition, *yes, *no]),
        Operation::Search(index, x) => one(Action::Search(*index), &[*x]),
        Operation::SolveLinear { inverse, y } => one(Action::Matrix, &[*inverse, *y]),
        Operation::Concat(parts) => {
            let mut start = 0;
            let mut copies = Vec::new();
            for part in parts {
                let to = result(whole.slice(start..start + part.len));
                copies.push(Instruction::new(Action::Copy, [operand(*part)], to));
                start += part.len;
            }
            copies
        }
    }
}

/// A sum of products.
fn combine(sum: &[Term], operand: impl Fn(View) -> Operand, to: Operand) -> Instruction<Operand> {
    let terms = sum.iter().map(|term| (term.factor, term.factors.len()));
    let factors = sum.iter().flat_map(|term| &term.factors);
    let operands: Vec<_> = factors.map(|x| operand(*x)).collect();
    Instruction::new(Action::Combine(terms.collect()), operands, to)
}

/// Nodes that the outputs need.
pub(super) fn needed(graph: &Graph, outputs: &[View]) -> Vec<bool> {
    let mut needed = vec![false; graph.nodes.len()];
    for x in outputs {
        needed[x.node] = true;
    }
    for n in (0..graph.nodes.len()).rev() {
        if needed[n] {
            for x in graph.nodes[n].operation.operands() {
                needed[x.node] = true;
            }
        }
    }
    needed
}

/// The whole program; with a sweep where there are inputs to `carry` adjoints to.
pub(super) fn program(mut graph: Graph, outputs: &[View], carried: Option<&[View]>) -> Program {
    let needed = needed(&graph, outputs);
    let of = |uniform: bool, graph: &Graph| -> Vec<usize> {
        let all = 0..graph.nodes.len();
        all.filter(|n| needed[*n] && graph.nodes[*n].uniform == uniform)
            .collect()
    };
    let (uniform, varying) = (of(true, &graph), of(false, &graph));
    // The sweep comes first: it says what the forward pass must keep.
    let reach = carried.map(|carried| sweep::reach(&graph, carried));
    let mut backward = reach.as_ref().map(|reach| {
        let carried = carried.unwrap_or_default();
        sweep::Emitted::varying(&mut graph, &varying, reach, outputs, carried)
    });
    let uniform_backward = reach
        .as_ref()
        .map(|reach| sweep::Emitted::uniform(&mut graph, &uniform, reach));

    let mut table = vec![None; graph.nodes.len()];
    let mut table_len = 0;
    for n in &uniform {
        table[*n] = Some(table_len);
        table_len += graph.nodes[*n].len();
    }
    let place_in_table = |space: Space| {
        let table = &table;
        move |x: View| x.at(space, table[x.node].expect("the same at every point"))
    };
    let uniform_program = (!uniform.is_empty()).then(|| {
        let place = place_in_table(Space::Record);
        let instructions = uniform
            .iter()
            .flat_map(|n| forward(&graph, *n, Operand::Value, Operand::Value))
            .map(|i| i.map(|x| place(x.view())))
            .collect();
        Box::new(Program {
            first: 0,
            instructions,
            inputs: Vec::new(),
            outputs: Vec::new(),
            scratch: 0,
            record: table_len,
            uniform: None,
            searches: Vec::new(),
            sweep: uniform_backward.map(|emitted| emitted.in_table(&place_in_table)),
        })
    });

    let demands = backward.as_mut().map_or_else(Demands::default, |b| {
        let demands = b.remake(&graph);
        Demands::new(&graph, demands)
    });
    let mut fixed = vec![false; graph.nodes.len()];
    for n in outputs.iter().map(|x| x.node).chain(demands.nodes()) {
        fixed[n] = true;
    }
    let fused = fuse(&mut graph, &varying, &fixed);
    // Forward, each node followed by the copies of those parts of it that are kept.
    let mut instructions = Vec::new();
    let mut first = 0;
    for n in &varying {
        match fused.sums.get(n) {
            _ if fused.hidden[*n] => continue,
            Some(sum) => {
                let to = Operand::Value(graph.whole(*n));
                instructions.push(combine(sum, Operand::Value, to));
            }
            None => instructions.extend(forward(&graph, *n, Operand::Value, Operand::Value)),
        }
        for product in fused.after.get(n).into_iter().flatten() {
            instructions.extend(forward(&graph, *product, Operand::Value, Operand::Value));
        }
        for part in demands.parts(*n) {
            instructions.push(Instruction::new(
                Action::Copy,
                [Operand::Value(part)],
                Operand::Kept(part),
            ));
        }
        if outputs.first().is_some_and(|x| x.node == *n) {
            first = instructions.len();
        }
    }
    let scratch_node = |x: Operand| match x {
        Operand::Value(x) => {
            let node = &graph.nodes[x.node];
            (!node.uniform && demands.whole(x.node).is_none()).then_some((x.node, node.len()))
        }
        _ => None,
    };
    let inputs: Vec<View> = graph.inputs();
    let ends: Vec<_> = outputs
        .iter()
        .map(|x| (*x, Whole::After))
        .chain(inputs.iter().map(|x| (*x, Whole::Before)))
        .filter_map(|(x, whole)| {
            scratch_node(Operand::Value(x)).map(|(node, len)| (node, len, whole))
        })
        .collect();
    let buffers = lifetimes(&instructions, scratch_node, &ends);
    let sizes: Vec<_> = buffers.iter().map(|(_, buffer)| *buffer).collect();
    let (starts, scratch) = arrange(&sizes);
    let mut scratch_start = vec![None; graph.nodes.len()];
    for ((node, _), start) in buffers.iter().zip(starts) {
        scratch_start[*node] = Some(start);
    }
    let place = |x: Operand| match x {
        Operand::Kept(x) => demands.place(x),
        _ => {
            let x = x.view();
            if graph.nodes[x.node].uniform {
                place_in_table(Space::Table)(x)
            } else if let Some(base) = demands.whole(x.node) {
                x.at(Space::Record, base)
            } else {
                x.at(
                    Space::Scratch,
                    scratch_start[x.node].expect("it has a place"),
                )
            }
        }
    };
    let sweep = backward.map(|emitted| {
        emitted.arranged(&graph, |x| match x {
            Operand::Value(x) => place_in_table(Space::Table)(x),
            Operand::Sum(x) => place_in_table(Space::Sums)(x),
            other => demands.place(other.view()),
        })
    });
    Program {
        first,
        inputs: inputs.iter().map(|x| place(Operand::Value(*x))).collect(),
        outputs: outputs.iter().map(|x| place(Operand::Value(*x))).collect(),
        instructions: instructions.into_iter().map(|i| i.map(place)).collect(),
        scratch,
        record: demands.len(),
        uniform: uniform_program,
        searches: graph.searches,
        sweep,
    }
}
