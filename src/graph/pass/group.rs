//! A function and its derivatives of one operand are made together: they share most of the work.

use crate::graph::nodes::Routine;
use crate::graph::operation::{Elementwise, Operation};
use crate::graph::view::View;
use crate::kernels::Function;
use std::collections::HashMap;

/// The least and the largest order that is needed of a function.
type Orders = HashMap<(Function, View), [u8; 2]>;

/// The same routine in which all orders of a function are made where the first one is.
pub(crate) fn group(routine: &Routine) -> Routine {
    let alive = routine.alive();
    let mut orders = Orders::new();
    for n in &alive {
        if let Operation::Elementwise(Elementwise {
            function,
            order,
            count,
            x,
            ..
        }) = routine.nodes[*n].operation
        {
            let last = order + count as u8 - 1;
            let known = orders.entry((function, x)).or_insert([order, last]);
            *known = [known[0].min(order), known[1].max(last)];
        }
    }
    let new = routine.rewrite(alive, |graph, n, operation| match operation {
        Operation::Elementwise(one) => {
            let Operation::Elementwise(old) = &routine.nodes[n].operation else {
                unreachable!("operations keep their kind")
            };
            let [first, last] = orders[&(old.function, old.x)];
            let all = graph.push(Elementwise {
                order: first,
                count: usize::from(last - first) + 1,
                ..one
            });
            View {
                start: usize::from(one.order - first) * all.len,
                count: one.count,
                ..all
            }
        }
        other => graph.push(other),
    });
    let outputs = new.views(&routine.outputs);
    new.graph.finish(&outputs)
}
