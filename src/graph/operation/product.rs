//! Products with a weight.

use super::{Adjoint, Instruction, Lowering, Reverse, Rules, Tangents, Virtual};
#[cfg(feature = "train")]
use super::{Tensor, Values};
use crate::graph::lower::slice_of;
use crate::graph::parameters::Parameter;
use crate::graph::program::instruction::{Action, Begin};
use crate::graph::view::View;
use std::ops::Range;

/// Some entries of `W x + b`, or of `Wᵀ x`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Product {
    pub weight: Parameter,
    pub bias: Option<Parameter>,
    pub transposed: bool,
    pub rows: Range<usize>,
    pub x: View,
}

impl Rules for Product {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        vec![&mut self.x]
    }

    fn shape(&self) -> [usize; 2] {
        [self.x.count, self.rows.len()]
    }

    fn narrow(&mut self, entries: &Range<usize>) -> bool {
        let start = self.rows.start;
        self.rows = start + entries.start..start + entries.end;
        true
    }

    fn differentiable(&self) -> Vec<View> {
        vec![self.x]
    }

    fn has_parameters(&self) -> bool {
        true
    }

    fn forward(&self, tangents: &Tangents) -> Option<View> {
        let along = tangents.of(self.x).map(|x| {
            tangents.graph().push(Self {
                bias: None,
                x,
                ..self.clone()
            })
        });
        let of_weight = tangents.of_weight(self);
        let of_bias = self.bias.and_then(|bias| tangents.of_vector(bias));
        tangents.added([along, of_weight, of_bias])
    }

    fn reverse(&self, node: usize, _: Adjoint, reverse: &mut Reverse) {
        let Self {
            weight,
            transposed,
            x,
            ..
        } = *self;
        let [height, width] = weight.shape();
        let all = if transposed { width } else { height };
        assert_eq!(self.rows, 0..all, "the reverse derivative of a part");
        reverse.take_outer(weight, transposed, node, x);
        if let Some(bias) = self.bias {
            reverse.take(bias, node);
        }
        if let Some((to, set)) = reverse.target(x) {
            let action = Action::Product {
                weight,
                begin: if set { Begin::Zero } else { Begin::Present },
                transposed: !transposed,
                rows: 0..x.len,
            };
            let adjoint = reverse.adjoint_of(node);
            reverse.emit(action, [adjoint], to);
        }
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        let action = Action::Product {
            weight: self.weight,
            begin: self.bias.map_or(Begin::Zero, Begin::Bias),
            transposed: self.transposed,
            rows: self.rows.clone(),
        };
        lowering.one(action, &[self.x])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        let x = values.of(self.x);
        let weight = values.weight(self.weight);
        let product = match self.transposed {
            true => x.matmul(weight),
            false => x.matmul(weight.transpose()),
        };
        match self.bias {
            Some(bias) => product + values.row(bias),
            None => product,
        }
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        let transposed = if self.transposed { "ᵀ" } else { "" };
        let bias = self.bias.map(|bias| format!(" + {bias}"));
        let [rows, columns] = self.weight.shape();
        let all = if self.transposed { columns } else { rows };
        let part = match self.rows == (0..all) {
            true => String::new(),
            false => format!(", rows {:?}", self.rows),
        };
        let (weight, bias) = (self.weight, bias.unwrap_or_default());
        format!("{weight}{transposed} {}{bias}{part}", name(self.x))
    }
}

/// The tangents of `W x` (or `Wᵀ x`) with respect to the entries of `W`, which are directions from
/// `first` on: the direction of entry `(i, j)` is `x_j` at row `i` (`x_i` at row `j`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WeightTangent {
    pub weight: Parameter,
    pub transposed: bool,
    pub first: usize,
    /// All directions.
    pub directions: usize,
    pub x: View,
}

impl WeightTangent {
    fn len(&self) -> usize {
        let [rows, columns] = self.weight.shape();
        if self.transposed { columns } else { rows }
    }
}

impl Rules for WeightTangent {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        vec![&mut self.x]
    }

    fn shape(&self) -> [usize; 2] {
        [self.directions, self.len()]
    }

    fn differentiable(&self) -> Vec<View> {
        Vec::new()
    }

    fn forward(&self, _: &Tangents) -> Option<View> {
        None
    }

    fn reverse(&self, _: usize, _: Adjoint, _: &mut Reverse) {
        unreachable!("the reverse derivative of tangents")
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        let n = self.len();
        let [rows, columns] = self.weight.shape();
        let whole = lowering.whole();
        let mut instructions = lowering.all(Action::Zero, &[]);
        // All entries of `x` as so many vectors [1], each to its direction.
        for row in 0..n {
            let (first, step) = match self.transposed {
                false => ((self.first + row * columns) * n + row, n),
                true => ((self.first + row) * n + row, columns * n),
            };
            let count = if self.transposed { rows } else { columns };
            let entries = |x: View, start: usize, stride: usize| View {
                start,
                len: 1,
                stride,
                count,
                ..x
            };
            let to = entries(whole, first, step);
            let from = entries(self.x, self.x.start, 1);
            instructions.push(slice_of(lowering, from, to));
        }
        instructions
    }

    #[cfg(feature = "train")]
    fn interpret(&self, _: &Values) -> Tensor<2> {
        unreachable!("tensors have no bundles")
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        format!("∂({} {})/∂{}", self.weight, name(self.x), self.weight)
    }
}
