//! Entries that nobody reads are not computed: of each operation, those stay that lie between the
//! first and the last that is read.

use super::record::{Graph, Operation, View};
use std::ops::Range;

/// Which entries of each vector of a node are read; none where it is not.
type Read = Vec<Option<Range<usize>>>;

/// The same outputs from a graph that makes fewer entries.
pub(super) fn narrow(mut graph: Graph, outputs: &[View]) -> (Graph, Vec<View>) {
    let mut read: Read = vec![None; graph.nodes.len()];
    for x in outputs {
        add(&graph, &mut read, *x);
    }
    for n in (0..graph.nodes.len()).rev() {
        if let Some(range) = read[n].clone() {
            let whole = 0..graph.nodes[n].shape[1];
            let range = if narrows(&graph, n) { range } else { whole };
            keep(&mut graph.nodes[n].operation, &range);
            read[n] = Some(range);
            for x in graph.nodes[n].operation.operands() {
                add(&graph, &mut read, x);
            }
        }
    }
    let lengths: Vec<_> = graph.nodes.iter().map(|node| node.shape[1]).collect();
    let moved = |x: View| match &read[x.node] {
        Some(range) => moved(x, lengths[x.node], range),
        None => x,
    };
    for (node, range) in graph.nodes.iter_mut().zip(&read) {
        if let Some(range) = range {
            let operands = node.operation.operands_mut().into_iter();
            operands.for_each(|x| *x = moved(*x));
            node.shape[1] = range.len();
        }
    }
    let outputs = outputs.iter().map(|x| moved(*x)).collect();
    (graph, outputs)
}

/// Whether an operation can make a part of its vectors. What is the same at every point is made once.
fn narrows(graph: &Graph, node: usize) -> bool {
    let node = &graph.nodes[node];
    !node.uniform
        && match &node.operation {
            Operation::Product { .. }
            | Operation::Derivatives { .. }
            | Operation::Binary(..)
            | Operation::Affine { .. }
            | Operation::Detach(_)
            | Operation::Broadcast(..)
            | Operation::Concat(_)
            | Operation::Select { .. } => true,
            Operation::Input(_)
            | Operation::Constant(_)
            | Operation::Parameter(_)
            | Operation::Units(_)
            | Operation::Spread(_)
            | Operation::Dot(..)
            | Operation::Search(..)
            | Operation::SolveLinear { .. } => false,
        }
}

/// Lets an operation make these entries only, and read no more than they need.
fn keep(operation: &mut Operation, range: &Range<usize>) {
    let part = |x: &mut View| *x = x.slice(range.clone());
    match operation {
        Operation::Product { rows, .. } => {
            *rows = rows.start + range.start..rows.start + range.end;
        }
        Operation::Derivatives { x, .. } | Operation::Affine { x, .. } | Operation::Detach(x) => {
            part(x);
        }
        Operation::Binary(_, x, y) => [x, y].into_iter().for_each(part),
        Operation::Select { yes, no, .. } => [yes, no].into_iter().for_each(part),
        Operation::Broadcast(_, n) => *n = range.len(),
        Operation::Concat(parts) => {
            let mut at = 0;
            parts.retain_mut(|part| {
                let inside = |i: usize| i.clamp(at, at + part.len) - at;
                let some = inside(range.start)..inside(range.end);
                at += part.len;
                *part = part.slice(some.clone());
                !some.is_empty()
            });
        }
        _ => (),
    }
}

/// Whether a view takes a part of each vector of a node, of such a length, and which.
fn within(x: View, length: usize) -> Option<Range<usize>> {
    if length == 0 {
        return Some(0..0);
    }
    let first = x.start % length;
    let each = x.count == 1 || x.stride.is_multiple_of(length);
    (each && first + x.len <= length).then_some(first..first + x.len)
}

fn add(graph: &Graph, read: &mut Read, x: View) {
    let length = graph.nodes[x.node].shape[1];
    let new = within(x, length).unwrap_or(0..length);
    let known = read[x.node].get_or_insert(new.clone());
    *known = known.start.min(new.start)..known.end.max(new.end);
}

/// A view of vectors of such a length, once they are no more than a range of it.
fn moved(x: View, length: usize, range: &Range<usize>) -> View {
    if range.len() == length {
        return x;
    }
    let part = within(x, length).expect("what takes more than a part reads everything");
    View {
        start: x.start / length * range.len() + part.start - range.start,
        stride: x.stride / length * range.len(),
        ..x
    }
}

#[cfg(test)]
mod tests {
    use crate::algebra::program::instruction::Action;
    use crate::algebra::{
        Activation, Algebra, Constraint, Initial, ParameterLayout, Program, Recorder, Runner,
        Workspace,
    };

    /// What lies between two products and a slice; all of it as a second output where asked for.
    fn program(all: bool) -> (Program, Vec<f64>) {
        let mut layout = ParameterLayout::default();
        let mut weight =
            |name: &str, shape| layout.add(name, shape, Constraint::Free, Initial::Scaled(1.0));
        let (inner, outer) = (weight("inner", [6, 5]), weight("outer", [6, 7]));
        let bias = weight("bias", [6, 1]);
        let a = Recorder::new();
        let (x, directions) = (a.input(5), a.bundle(3, 5));
        let [value, slope] = a.derivatives(Activation::Tanh, 0, &a.dense(inner, Some(bias), &x));
        let along = a.mul(&slope, &a.dense(inner, None, &directions));
        let ends = |x| {
            let result = a.dense_transposed(outer, x);
            a.affine(
                &a.concat(&[&a.slice(&result, 1..7), &a.slice(x, 0..2)]),
                2.0,
                0.0,
            )
        };
        let (value, along) = (ends(&value), ends(&along));
        let mut outputs = vec![a.slice(&value, 2..4), a.slice(&along, 3..7)];
        if all {
            outputs.extend([value, along]);
        }
        let raw: Vec<f64> = (0..layout.len()).map(|i| (i as f64).sin()).collect();
        (Program::new(a, &outputs), layout.effective(&raw))
    }

    fn rows(program: &Program) -> Vec<usize> {
        let rows = |action: &Action| match action {
            Action::Product { rows, .. } => Some(rows.len()),
            _ => None,
        };
        let actions = program.instructions.iter().map(|i| &i.action);
        actions.filter_map(rows).collect()
    }

    #[test]
    fn a_part_is_what_it_is_of_the_whole() {
        let results = [false, true].map(|all| {
            let (program, parameters) = program(all);
            let tables = program.tables(&parameters);
            let runner = Runner::new(&program, &tables);
            let mut workspace = Workspace::<8>::default();
            runner.prepare(&mut workspace, 1);
            for input in 0..2 {
                let value = |i: usize, w: usize| ((7 * input + 3 * i + w) as f64).cos();
                runner.set(&mut workspace, 0, input, |i| {
                    std::array::from_fn(|w| value(i, w))
                });
            }
            runner.run(&mut workspace, 0);
            let mut numbers = Vec::new();
            for output in 0..2 {
                runner.read(&workspace, 0, output, |_, _, lanes| numbers.push(*lanes));
            }
            numbers
        });
        assert_eq!(results[0].len(), 2 + 3 * 4);
        assert!(results[0] == results[1]);
        // Of seven rows six are in the outputs, of these two and three in the parts.
        assert_eq!(rows(&program(true).0), [6, 6, 6, 6]);
        assert_eq!(rows(&program(false).0), [6, 6, 2, 3]);
    }
}
