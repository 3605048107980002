//! Roots of residuals, and the linear systems of their derivatives.

use super::{Adjoint, Instruction, Lowering, Reverse, Rules, Tangents, Virtual};
#[cfg(feature = "train")]
use super::{Tensor, Values};
use crate::graph::program::instruction::Action;
use crate::graph::program::newton::NonlinearSolve;
use crate::graph::view::View;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The root of a residual `[n]` and the inverse of its Jacobian `[n·n]`, one after the other, from
/// what the residual reads and the guess in `x`. Both count as constants.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub solve: Arc<NonlinearSolve>,
    pub x: View,
}

impl PartialEq for Root {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.solve, &other.solve) && self.x == other.x
    }
}

impl Eq for Root {}

impl Hash for Root {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (Arc::as_ptr(&self.solve), self.x).hash(state);
    }
}

impl Rules for Root {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        vec![&mut self.x]
    }

    fn shape(&self) -> [usize; 2] {
        let n = self.solve.unknowns;
        [1, n + n * n]
    }

    fn keeps_uniform(&self) -> bool {
        false
    }

    fn differentiable(&self) -> Vec<View> {
        Vec::new()
    }

    fn forward(&self, _: &Tangents) -> Option<View> {
        None
    }

    fn reverse(&self, _: usize, _: Adjoint, _: &mut Reverse) {}

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        lowering.one(Action::Solve(lowering.solve(&self.solve)), &[self.x])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        values.solve(&self.solve, values.of(self.x))
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        format!(
            "root and inverse Jacobian of {} equations in {}",
            self.solve.unknowns,
            name(self.x)
        )
    }
}

/// `A y` with a matrix `[n·n]` at every point, which counts as a constant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Linear {
    pub matrix: View,
    pub y: View,
}

impl Rules for Linear {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        vec![&mut self.matrix, &mut self.y]
    }

    fn shape(&self) -> [usize; 2] {
        [self.y.count, self.y.len]
    }

    fn keeps_uniform(&self) -> bool {
        false
    }

    fn differentiable(&self) -> Vec<View> {
        vec![self.y]
    }

    fn forward(&self, tangents: &Tangents) -> Option<View> {
        let graph = tangents.graph();
        let y = graph.spread(tangents.of(self.y)?);
        Some(graph.push(Self { y, ..*self }))
    }

    fn reverse(&self, node: usize, _: Adjoint, reverse: &mut Reverse) {
        if let Some((to, set)) = reverse.target(self.y) {
            let matrix = reverse.value(self.matrix, false);
            let adjoint = reverse.adjoint_of(node);
            reverse.emit(Action::AccumulateMatrix { set }, [matrix, adjoint], to);
        }
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        lowering.one(Action::Matrix, &[self.matrix, self.y])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        let (batch, n) = (values.batch(), self.y.len);
        let matrix = values.of(self.matrix).reshape([batch, n, n]);
        matrix
            .matmul(values.of(self.y).reshape([batch, n, 1]))
            .reshape([batch, n])
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        format!("matrix {} times {}", name(self.matrix), name(self.y))
    }
}
