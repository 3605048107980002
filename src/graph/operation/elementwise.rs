//! Functions entry by entry.

use super::{Adjoint, Instruction, Lowering, Reverse, Rules, Tangents, Virtual};
#[cfg(feature = "train")]
use super::{Tensor, Values};
use crate::graph::program::instruction::Action;
use crate::graph::view::View;
use crate::kernels::{Function, Slope};
use std::ops::Range;

/// Derivatives of a function from one order on, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Elementwise {
    pub function: Function,
    pub order: u8,
    /// Laws write one; what they ask of the same function and operand is made together.
    pub count: usize,
    /// Whether the derivative of the last one follows, for the reverse derivative.
    pub with_slope: bool,
    pub x: View,
}

impl Elementwise {
    pub fn new(function: Function, order: u8, x: View) -> Self {
        Self {
            function,
            order,
            count: 1,
            with_slope: false,
            x,
        }
    }

    /// The derivative of the last result, by what it follows from.
    pub fn slope(&self) -> Slope {
        match (self.function, self.order + self.count as u8 - 1) {
            (Function::Tanh, 0) => Slope::Tanh,
            (Function::Sigmoid, 0) | (Function::Softplus, 1) => Slope::Sigmoid,
            (Function::Exp, _) => Slope::Exp,
            _ => Slope::Kept,
        }
    }

    fn results(&self) -> usize {
        self.count + usize::from(self.with_slope)
    }
}

impl Rules for Elementwise {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        vec![&mut self.x]
    }

    fn shape(&self) -> [usize; 2] {
        assert_eq!(self.x.count, 1, "a bundle is linear in what it belongs to");
        [self.results(), self.x.len]
    }

    fn narrow(&mut self, entries: &Range<usize>) -> bool {
        self.x = self.x.slice(entries.clone());
        true
    }

    fn differentiable(&self) -> Vec<View> {
        vec![self.x]
    }

    fn adjoint_len(&self) -> usize {
        self.count * self.x.len
    }

    fn forward(&self, tangents: &Tangents) -> Option<View> {
        let along = tangents.of(self.x)?;
        let graph = tangents.graph();
        let slope = graph.push(Self::new(self.function, self.order + 1, self.x));
        Some(graph.mul(slope, along))
    }

    /// The slope of the last result follows from the result where there is a formula; elsewhere the
    /// forward pass has computed it too.
    fn reverse(&self, node: usize, _: Adjoint, reverse: &mut Reverse) {
        let Some((to, set)) = reverse.target(self.x) else {
            return;
        };
        let n = self.x.len;
        let all = View::whole(node, [1, self.results() * n]);
        let first = if self.results() > 1 { n } else { 0 };
        let results = reverse.value(all.slice(first..all.len), false);
        let adjoint = Virtual::Adjoint(all.slice(0..self.count * n));
        let action = Action::AccumulateChain {
            slope: self.slope(),
            count: self.count,
            set,
        };
        reverse.emit(action, [adjoint, results], to);
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        let action = Action::Derivatives {
            function: self.function,
            order: self.order,
        };
        lowering.all(action, &[self.x])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        assert_eq!(self.results(), 1, "tensors have no bundles");
        values.derivative(self.function, self.order, values.of(self.x))
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        let one = |order: usize| {
            let function = format!("{:?}", self.function).to_lowercase();
            format!("{function}{}", "'".repeat(order))
        };
        let first = usize::from(self.order);
        let functions: Vec<_> = (first..first + self.results()).map(one).collect();
        format!("{}({})", functions.join(" and "), name(self.x))
    }
}
