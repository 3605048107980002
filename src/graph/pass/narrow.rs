//! Dead entries are not computed: of each operation, those stay that lie between the first and the last
//! that is read.

use crate::graph::nodes::{Node, Routine};
use crate::graph::operation::Operation;
use crate::graph::view::View;
use std::ops::Range;

/// Which entries of each vector of a node are read; none where it is not.
type Read = Vec<Option<Range<usize>>>;

/// The same outputs from a routine that makes fewer entries.
pub(crate) fn narrow(routine: &Routine) -> Routine {
    let nodes = &routine.nodes;
    let lengths: Vec<usize> = nodes.iter().map(|node| node.shape[1]).collect();
    let mut read: Read = vec![None; nodes.len()];
    for x in &routine.outputs {
        add(&lengths, &mut read, *x);
    }
    let mut operations: Vec<Operation> = nodes.iter().map(|node| node.operation.clone()).collect();
    for n in (0..nodes.len()).rev() {
        if let Some(range) = read[n].clone() {
            // What is the same at every point is made once: there is nothing to save.
            let part = !nodes[n].uniform && operations[n].rules_mut().narrow(&range);
            read[n] = Some(if part { range } else { 0..lengths[n] });
            for x in operations[n].operands() {
                add(&lengths, &mut read, x);
            }
        }
    }
    let moved = |x: View| match &read[x.node] {
        Some(range) => moved(x, lengths[x.node], range),
        None => x,
    };
    let narrowed = operations.into_iter().zip(nodes).zip(&read);
    let nodes = narrowed.map(|((mut operation, node), read)| {
        if read.is_some() {
            operation
                .operands_mut()
                .into_iter()
                .for_each(|x| *x = moved(*x));
            return Node::new(operation, node.uniform, node.at);
        }
        node.clone()
    });
    Routine {
        nodes: nodes.collect(),
        outputs: routine.outputs.iter().map(|x| moved(*x)).collect(),
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

fn add(lengths: &[usize], read: &mut Read, x: View) {
    let length = lengths[x.node];
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
    use crate::graph::program::instruction::Action;
    use crate::graph::{
        Constraint, Graph, Initial, Matrix, ParameterLayout, Program, Runner, Vector, Workspace,
        concat,
    };
    use crate::kernels::Function;

    /// What lies between two products and a slice; all of it as a second output where asked for.
    fn program(all: bool) -> (Program, Vec<f64>) {
        let mut layout = ParameterLayout::default();
        let start = Initial::Scaled(1.0);
        let mut weight =
            |name: &str, shape| -> Matrix { layout.matrix(name, shape, Constraint::Free, start) };
        let (inner, outer) = (weight("inner", [6, 5]), weight("outer", [6, 7]));
        let bias = layout.coefficients("bias", 6, Constraint::Free, start);
        let graph = Graph::new();
        let (x, directions) = (graph.input("x", 5), graph.bundle("directions", [3, 5]));
        let [value, slope] = x.affine_map(inner, Some(bias)).with_slope(Function::Tanh);
        let along = slope * (inner * directions);
        fn ends<'g>(outer: Matrix, x: Vector<'g>) -> Vector<'g> {
            2.0 * concat([outer.transposed(x).slice(1..7), x.slice(0..2)])
        }
        let (value, along) = (ends(outer, value), ends(outer, along));
        let mut outputs = vec![value.slice(2..4), along.slice(3..7)];
        if all {
            outputs.extend([value, along]);
        }
        let raw: Vec<f64> = (0..layout.len()).map(|i| (i as f64).sin()).collect();
        (graph.routine(&outputs).compile(), layout.constrained(&raw))
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
            runner.reserve(&mut workspace, 1);
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
