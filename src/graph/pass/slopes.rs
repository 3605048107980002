//! What the reverse derivative needs that the forward pass does not make by itself.

use crate::graph::nodes::{Node, Routine};
use crate::graph::operation::{Elementwise, Operation};
use crate::kernels::Slope;

/// Whether the derivative with respect to a node matters: it depends on parameters or on inputs that
/// adjoints are `carried` to, and the outputs depend on it by a way that derivatives take.
pub(crate) fn active(routine: &Routine, carried: &[usize]) -> Vec<bool> {
    let nodes = &routine.nodes;
    let mut depends = vec![false; nodes.len()];
    for (n, node) in nodes.iter().enumerate() {
        let rules = node.operation.rules();
        let operands = rules.differentiable();
        depends[n] = rules.has_parameters()
            || carried.contains(&n)
            || operands.iter().any(|x| depends[x.node]);
    }
    let mut flows = vec![false; nodes.len()];
    routine.outputs.iter().for_each(|x| flows[x.node] = true);
    for n in (0..nodes.len()).rev().filter(|n| depends[*n]) {
        if flows[n] {
            let operands = nodes[n].operation.rules().differentiable();
            operands.iter().for_each(|x| flows[x.node] = true);
        }
    }
    depends
        .iter()
        .zip(flows)
        .map(|(depends, flows)| *depends && flows)
        .collect()
}

/// The same routine in which functions also make the derivative that the reverse pass reads, where it
/// does not follow from their results.
pub(crate) fn keep_slopes(routine: &Routine, active: &[bool]) -> Routine {
    let nodes = routine.nodes.iter().zip(active);
    let nodes = nodes.map(|(node, active)| match &node.operation {
        Operation::Elementwise(one) if *active && one.slope() == Slope::Kept => {
            let with_slope = Elementwise {
                with_slope: true,
                ..one.clone()
            };
            Node::new(with_slope.into(), node.uniform, node.at)
        }
        _ => node.clone(),
    });
    Routine {
        nodes: nodes.collect(),
        outputs: routine.outputs.clone(),
    }
}
