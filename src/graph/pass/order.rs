//! Values before derivatives: what the first output needs comes first.

use crate::graph::nodes::Routine;

/// The same routine, so that running it as far as the first output does nothing else: the residual of
/// a nonlinear solve without its Jacobian.
pub(crate) fn first_output_first(routine: &Routine) -> Routine {
    let first = routine.needed(&routine.outputs[..1]);
    let alive = routine.alive();
    let (before, after): (Vec<_>, Vec<_>) = alive.into_iter().partition(|n| first[*n]);
    let order = before.into_iter().chain(after);
    let new = routine.rewrite(order, |graph, _, operation| graph.push(operation));
    let outputs = new.views(&routine.outputs);
    new.graph.finish(&outputs)
}
