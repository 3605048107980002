//! Operations without operands.

use super::{Adjoint, Instruction, Lowering, Reverse, Rules, Tangents, Virtual};
#[cfg(feature = "train")]
use super::{Tensor, Values};
use crate::graph::parameters::Parameter;
use crate::graph::program::instruction::Action;
use crate::graph::view::{Number, View};

/// What is set from outside, point by point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Input {
    pub index: usize,
    pub name: &'static str,
    pub shape: [usize; 2],
}

impl Rules for Input {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        Vec::new()
    }

    fn shape(&self) -> [usize; 2] {
        self.shape
    }

    fn keeps_uniform(&self) -> bool {
        false
    }

    fn differentiable(&self) -> Vec<View> {
        Vec::new()
    }

    /// Its tangents are the seeds.
    fn forward(&self, _: &Tangents) -> Option<View> {
        None
    }

    fn reverse(&self, _: usize, _: Adjoint, _: &mut Reverse) {}

    fn lower(&self, _: &Lowering) -> Vec<Instruction<Virtual>> {
        Vec::new()
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        values.input(self.index)
    }

    fn print(&self, _: &dyn Fn(View) -> String) -> String {
        format!("input {}", self.name)
    }
}

/// The unknown of a residual, while the residual is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Unknown {
    /// Apart from other unknowns: the number of nodes before it.
    pub id: usize,
    pub len: usize,
}

impl Rules for Unknown {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        Vec::new()
    }

    fn shape(&self) -> [usize; 2] {
        [1, self.len]
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

    fn lower(&self, _: &Lowering) -> Vec<Instruction<Virtual>> {
        unreachable!("the unknown is an input of the nonlinear solve")
    }

    #[cfg(feature = "train")]
    fn interpret(&self, _: &Values) -> Tensor<2> {
        unreachable!("the unknown is an input of the nonlinear solve")
    }

    fn print(&self, _: &dyn Fn(View) -> String) -> String {
        "unknown".into()
    }
}

/// The same numbers at every point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Constant {
    values: Vec<Number>,
    shape: [usize; 2],
}

impl Constant {
    pub fn of(values: &[f64]) -> Self {
        Self::bundle(values, [1, values.len()])
    }

    /// Vectors one after the other.
    pub fn bundle(values: &[f64], shape: [usize; 2]) -> Self {
        Self {
            values: values.iter().copied().map(Number::of).collect(),
            shape,
        }
    }

    /// The number that every entry of a part is.
    pub fn number(&self, x: View) -> Option<f64> {
        let mut values = (0..x.count).flat_map(|k| &self.values[x.nth(k)]);
        let first = values.next()?;
        values.all(|value| value == first).then(|| first.value())
    }
}

impl Rules for Constant {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        Vec::new()
    }

    fn shape(&self) -> [usize; 2] {
        self.shape
    }

    fn differentiable(&self) -> Vec<View> {
        Vec::new()
    }

    fn forward(&self, _: &Tangents) -> Option<View> {
        None
    }

    fn reverse(&self, _: usize, _: Adjoint, _: &mut Reverse) {}

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        let values = self.values.iter().map(|x| x.value()).collect();
        lowering.all(Action::Constant(values), &[])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        values.constant(self.values.iter().map(|x| x.value()).collect())
    }

    fn print(&self, _: &dyn Fn(View) -> String) -> String {
        let values = self.values.iter().map(|x| format!("{}", x.value()));
        format!("[{}]", values.collect::<Vec<_>>().join(", "))
    }
}

/// The entries of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Parameters(pub Parameter);

impl Rules for Parameters {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        Vec::new()
    }

    fn shape(&self) -> [usize; 2] {
        [1, self.0.len()]
    }

    fn differentiable(&self) -> Vec<View> {
        Vec::new()
    }

    fn has_parameters(&self) -> bool {
        true
    }

    fn forward(&self, tangents: &Tangents) -> Option<View> {
        tangents.of_vector(self.0)
    }

    fn reverse(&self, node: usize, _: Adjoint, reverse: &mut Reverse) {
        reverse.take(self.0, node);
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        lowering.one(Action::Parameter(self.0), &[])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        values.parameter(self.0)
    }

    fn print(&self, _: &dyn Fn(View) -> String) -> String {
        self.0.to_string()
    }
}

/// So many unit vectors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Units(pub usize);

impl Rules for Units {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        Vec::new()
    }

    fn shape(&self) -> [usize; 2] {
        [self.0, self.0]
    }

    fn differentiable(&self) -> Vec<View> {
        Vec::new()
    }

    fn forward(&self, _: &Tangents) -> Option<View> {
        None
    }

    fn reverse(&self, _: usize, _: Adjoint, _: &mut Reverse) {}

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        let n = self.0;
        let entry = |i: usize| f64::from(i.is_multiple_of(n + 1));
        lowering.all(Action::Constant((0..n * n).map(entry).collect()), &[])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, _: &Values) -> Tensor<2> {
        unreachable!("tensors have no bundles")
    }

    fn print(&self, _: &dyn Fn(View) -> String) -> String {
        format!("unit vectors [{}]", self.0)
    }
}
