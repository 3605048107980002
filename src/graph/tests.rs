//! The passes on small graphs, as texts; and derivatives with respect to parameters.

use super::nodes::Routine;
use super::pass::{active, first_output_first, group, keep_slopes, narrow, share};
use super::{
    Coefficients, Constraint, Graph, Initial, Matrix, Parameter, ParameterLayout, Runner, Seeds,
    Vector, Workspace, concat,
};

/// The lines of a listing without those of the source.
fn lines(routine: &Routine) -> String {
    let text = routine.to_string();
    let line = |line: &str| match (line.starts_with("outputs"), line.find('%')) {
        (false, Some(start)) => {
            assert!(line.starts_with("tests.rs:"), "the line of the law: {line}");
            line[start..].to_string()
        }
        _ => line.to_string(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// `y = tanh(W x + b) ∘ x`, of which the last two entries are read.
fn small(graph: &Graph) -> (Routine, Matrix) {
    let mut layout = ParameterLayout::default();
    let start = Initial::Scaled(1.0);
    let w = layout.matrix("W", [3, 3], Constraint::Free, start);
    let b = layout.coefficients("b", 3, Constraint::Free, start);
    let x = graph.input("x", 3);
    let y = x.affine_map(w, Some(b)).tanh() * x;
    (graph.routine(&[y.slice(1..3)]), w)
}

#[test]
fn a_graph_reads_as_its_equations() {
    let graph = Graph::new();
    let (routine, _) = small(&graph);
    assert_eq!(
        lines(&routine),
        "%0          [3] =  input x\n\
         %1          [3] =  p0[3, 3] x + p9[3]\n\
         %2          [3] =  tanh(%1)\n\
         %3          [3] =  %2 · x\n\
         outputs: %3[1..3]"
    );
}

#[test]
fn each_operation_is_followed_by_its_tangents() {
    let graph = Graph::new();
    let (routine, _) = small(&graph);
    let tangents = routine.with_tangents(&Seeds::Input(0), &[0]);
    assert_eq!(
        lines(&tangents),
        "%0          [3] =  input x\n\
         %1      3 × [3] := unit vectors [3]\n\
         %2          [3] =  p0[3, 3] x + p9[3]\n\
         %3      3 × [3] := p0[3, 3] 3 × %1\n\
         %4          [3] =  tanh(%2)\n\
         %5          [3] =  tanh'(%2)\n\
         %6      3 × [3] =  %5 · 3 × %3\n\
         %7          [3] =  %4 · x\n\
         %8      3 × [3] =  3 × %6 · x + %4 · 3 × %1\n\
         outputs: %7[1..3], 3 × %8[1..3]"
    );
}

#[test]
fn orders_of_a_function_are_made_together() {
    let graph = Graph::new();
    let (routine, _) = small(&graph);
    let tangents = routine.with_tangents(&Seeds::Input(0), &[0]);
    let grouped = lines(&group(&tangents));
    assert!(
        grouped.contains("%4      2 × [3] =  tanh and tanh'(%2)"),
        "{grouped}"
    );
    assert!(
        grouped.contains("3 × [3] =  %4[3..6] · 3 × %3"),
        "{grouped}"
    );
}

#[test]
fn entries_that_nobody_reads_are_gone() {
    let graph = Graph::new();
    let (routine, _) = small(&graph);
    assert_eq!(
        lines(&narrow(&routine)),
        "%0          [3] =  input x\n\
         %1          [2] =  p0[3, 3] x + p9[3], rows 1..3\n\
         %2          [2] =  tanh(%1)\n\
         %3          [2] =  %2 · x[1..3]\n\
         outputs: %3"
    );
}

#[test]
fn what_all_directions_share_is_multiplied_once() {
    let graph = Graph::new();
    let (x, d) = (graph.input("x", 2), graph.bundle("d", [4, 2]));
    let routine = graph.routine(&[(d * x) * x.exp() + d * 3.0]);
    assert_eq!(
        lines(&share(&group(&routine))),
        "%0          [2] =  input x\n\
         %1      4 × [2] =  input d\n\
         %2          [2] =  exp(x)\n\
         %3          [2] =  %2 · x\n\
         %4          [2] =  %3 + 3\n\
         %5      4 × [2] =  %4 · 4 × d\n\
         outputs: 4 × %5"
    );
}

#[test]
fn the_first_output_comes_first() {
    let graph = Graph::new();
    let x = graph.input("x", 1);
    let (late, early) = (x.exp(), x.tanh());
    let routine = graph.routine(&[early, late]);
    assert_eq!(
        lines(&first_output_first(&routine)),
        "%0          [1] =  input x\n\
         %1          [1] =  tanh(x)\n\
         %2          [1] =  exp(x)\n\
         outputs: %1, %2"
    );
}

#[test]
fn the_slopes_that_follow_from_nothing_are_kept() {
    let graph = Graph::new();
    let x = graph.input("x", 2);
    let routine = graph.routine(&[x.sqrt() + x.tanh() + x.softplus().detach()]);
    let all = keep_slopes(&routine, &active(&routine, &[0]));
    assert_eq!(
        lines(&all),
        "%0          [2] =  input x\n\
         %1      2 × [2] =  sqrt and sqrt'(x)\n\
         %2          [2] =  tanh(x)\n\
         %3          [2] =  %1[0..2] + %2\n\
         %4          [2] =  softplus(x)\n\
         %5          [2] =  detach(%4)\n\
         %6          [2] =  %3 + %5\n\
         outputs: %6"
    );
}

#[test]
fn constants_that_do_nothing_are_not_written() {
    let graph = Graph::new();
    let mut layout = ParameterLayout::default();
    let none = layout.matrix("W", [2, 0], Constraint::Free, Initial::Scaled(1.0));
    assert!(layout.is_empty());
    let (x, external) = (graph.input("x", 2), graph.input("external", 0));
    let factor = (none * external).exp();
    let y = x * concat([factor.at(0), factor.at(1)]) + none * external + 0.0;
    assert_eq!(
        lines(&graph.routine(&[y])),
        "%0          [2] =  input x\n%1          [0] =  input external\noutputs: x"
    );
}

#[test]
#[should_panic(expected = "a vector of 2 meets one of 3")]
fn lengths_must_match() {
    let graph = Graph::new();
    let _ = graph.input("x", 2) + graph.input("y", 3);
}

/// Everything that has parameters: a weight, its transpose, a bias, coefficients; and an implicit
/// equation that reads them.
#[test]
fn derivatives_with_respect_to_parameters_are_those_of_differences() {
    let mut layout = ParameterLayout::default();
    let start = Initial::Scaled(0.7);
    let w = layout.matrix("W", [3, 2], Constraint::Free, start);
    let b = layout.coefficients("b", 3, Constraint::Free, start);
    let k = layout.coefficients("k", 2, Constraint::Positive, Initial::Spread([0.5, 2.0]));
    let graph = Graph::new();
    let x = graph.input("x", 2);
    fn inner<'g>(w: Matrix, b: Coefficients, x: Vector<'g>) -> Vector<'g> {
        w.transposed(x.affine_map(w, Some(b)).tanh())
    }
    let root = graph.zeros(2).solve(|y| y + 0.1 * inner(w, b, y) - k * x);
    let routine = graph.routine(&[root, inner(w, b, x) * k]);
    let parameters: [Parameter; 3] = [w.into(), b.into(), k.into()];
    let seeds = Seeds::Parameters(parameters.to_vec());
    let program = routine.with_tangents(&seeds, &[0, 1]).compile();
    let run = |parameters: &[f64]| -> Vec<Vec<f64>> {
        let tables = program.tables(parameters);
        let runner = Runner::new(&program, &tables);
        let mut workspace = Workspace::<1>::default();
        runner.reserve(&mut workspace, 1);
        runner.set(&mut workspace, 0, 0, |i| [0.4 - 0.9 * i as f64]);
        runner.run(&mut workspace, 0);
        let output = |n| {
            let mut values = Vec::new();
            runner.read(&workspace, 0, n, |_, _, [value]| values.push(*value));
            values
        };
        (0..4).map(output).collect()
    };
    let start = layout.constrained(&layout.initial_values(5));
    let exact = run(&start);
    for p in 0..start.len() {
        let moved = |h: f64| {
            let mut moved = start.clone();
            moved[p] += h;
            run(&moved)
        };
        let h = 1e-3;
        let near = [moved(h), moved(-h), moved(2.0 * h), moved(-2.0 * h)];
        for output in 0..2 {
            for i in 0..2 {
                let [a, b, c, d] = near.each_ref().map(|values| values[output][i]);
                let difference = (8.0 * (a - b) - (c - d)) / (12.0 * h);
                let exact = exact[2 + output][2 * p + i];
                assert!((difference - exact).abs() < 1e-9, "{p} {output} {i}");
            }
        }
    }
}
