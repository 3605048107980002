//! Operations that move entries or choose among them.

use super::{Adjoint, Instruction, Lowering, Reverse, Rules, Tangents, Virtual};
#[cfg(feature = "train")]
use super::{Tensor, Values};
use crate::graph::program::instruction::Action;
use crate::graph::view::{View, together};
use std::ops::Range;

/// What is the same at every point, written out for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Spread(pub View);

impl Rules for Spread {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        vec![&mut self.0]
    }

    fn shape(&self) -> [usize; 2] {
        [self.0.count, self.0.len]
    }

    fn keeps_uniform(&self) -> bool {
        false
    }

    fn differentiable(&self) -> Vec<View> {
        vec![self.0]
    }

    fn forward(&self, tangents: &Tangents) -> Option<View> {
        tangents.of(self.0).map(|x| tangents.graph().spread(x))
    }

    fn reverse(&self, _: usize, adjoint: Adjoint, reverse: &mut Reverse) {
        reverse.accumulate(self.0, adjoint);
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        lowering.one(Action::Copy, &[self.0])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        values.of(self.0)
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        format!("at every point {}", name(self.0))
    }
}

/// A vector through which no derivative flows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Detach(pub View);

impl Rules for Detach {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        vec![&mut self.0]
    }

    fn shape(&self) -> [usize; 2] {
        [self.0.count, self.0.len]
    }

    fn narrow(&mut self, entries: &Range<usize>) -> bool {
        self.0 = self.0.slice(entries.clone());
        true
    }

    fn differentiable(&self) -> Vec<View> {
        Vec::new()
    }

    fn forward(&self, _: &Tangents) -> Option<View> {
        None
    }

    fn reverse(&self, _: usize, _: Adjoint, _: &mut Reverse) {}

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        lowering.one(Action::Copy, &[self.0])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        values.of(self.0).detach()
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        format!("detach({})", name(self.0))
    }
}

/// Vectors one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Concat(pub Vec<View>);

impl Rules for Concat {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        self.0.iter_mut().collect()
    }

    fn shape(&self) -> [usize; 2] {
        let len = self.0.iter().map(|x| x.len).sum();
        [together(self.0.iter().copied()), len]
    }

    fn narrow(&mut self, entries: &Range<usize>) -> bool {
        let mut at = 0;
        self.0.retain_mut(|part| {
            let inside = |i: usize| i.clamp(at, at + part.len) - at;
            let some = inside(entries.start)..inside(entries.end);
            at += part.len;
            *part = part.slice(some.clone());
            !some.is_empty()
        });
        true
    }

    fn differentiable(&self) -> Vec<View> {
        self.0.clone()
    }

    fn passes_factors(&self) -> usize {
        2
    }

    fn forward(&self, tangents: &Tangents) -> Option<View> {
        let graph = tangents.graph();
        let parts: Vec<_> = self.0.iter().map(|x| tangents.of(*x)).collect();
        let any = parts.iter().any(Option::is_some);
        any.then(|| {
            let parts = parts.into_iter().zip(&self.0);
            let parts = parts.map(|(along, x)| along.unwrap_or_else(|| graph.filled(0.0, x.len)));
            graph.push(Self(parts.collect()))
        })
    }

    fn reverse(&self, _: usize, adjoint: Adjoint, reverse: &mut Reverse) {
        let mut start = 0;
        for x in &self.0 {
            reverse.accumulate(*x, adjoint.slice(start..start + x.len));
            start += x.len;
        }
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        let (whole, mut start) = (lowering.whole(), 0);
        let copy = |x: &View| {
            let to = lowering.result(whole.slice(start..start + x.len));
            start += x.len;
            Instruction::new(Action::Copy, [lowering.operand(*x)], to)
        };
        self.0.iter().map(copy).collect()
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        Tensor::cat(self.0.iter().map(|x| values.of(*x)).collect(), 1)
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        let parts = self.0.iter().map(|x| name(*x));
        format!("[{}]", parts.collect::<Vec<_>>().join("; "))
    }
}

/// `[1] → [n]`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Broadcast(pub View, pub usize);

impl Rules for Broadcast {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        vec![&mut self.0]
    }

    fn shape(&self) -> [usize; 2] {
        [self.0.count, self.1]
    }

    fn narrow(&mut self, entries: &Range<usize>) -> bool {
        self.1 = entries.len();
        true
    }

    fn differentiable(&self) -> Vec<View> {
        vec![self.0]
    }

    fn forward(&self, tangents: &Tangents) -> Option<View> {
        let along = tangents.of(self.0)?;
        Some(tangents.graph().push(Self(along, self.1)))
    }

    fn reverse(&self, node: usize, _: Adjoint, reverse: &mut Reverse) {
        if let Some((to, set)) = reverse.target(self.0) {
            let adjoint = reverse.adjoint_of(node);
            reverse.emit(Action::AccumulateSum { set }, [adjoint], to);
        }
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        lowering.one(Action::Broadcast, &[self.0])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        values.of(self.0).expand([values.batch(), self.1])
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        format!("{} times {}", self.1, name(self.0))
    }
}

/// `yes` at the points where `condition [1] > 0`, else `no`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Select {
    pub condition: View,
    pub yes: View,
    pub no: View,
}

impl Rules for Select {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        vec![&mut self.condition, &mut self.yes, &mut self.no]
    }

    fn shape(&self) -> [usize; 2] {
        [together([self.yes, self.no]), self.yes.len]
    }

    fn narrow(&mut self, entries: &Range<usize>) -> bool {
        self.yes = self.yes.slice(entries.clone());
        self.no = self.no.slice(entries.clone());
        true
    }

    fn differentiable(&self) -> Vec<View> {
        vec![self.yes, self.no]
    }

    fn forward(&self, tangents: &Tangents) -> Option<View> {
        let along = [self.yes, self.no].map(|x| tangents.of(x));
        let any = along.iter().any(Option::is_some);
        any.then(|| {
            let graph = tangents.graph();
            let zeros = || graph.filled(0.0, self.yes.len);
            let [yes, no] = along.map(|x| graph.spread(x.unwrap_or_else(zeros)));
            graph.push(Self { yes, no, ..*self })
        })
    }

    fn reverse(&self, node: usize, _: Adjoint, reverse: &mut Reverse) {
        for (x, positive) in [(self.yes, true), (self.no, false)] {
            if let Some((to, set)) = reverse.target(x) {
                let condition = reverse.value(self.condition, false);
                let action = Action::AccumulateChosen { positive, set };
                let adjoint = reverse.adjoint_of(node);
                reverse.emit(action, [condition, adjoint], to);
            }
        }
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        lowering.one(Action::Select, &[self.condition, self.yes, self.no])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        let [condition, yes, no] = [self.condition, self.yes, self.no].map(|x| values.of(x));
        let mask = condition.greater_elem(0.0);
        no.mask_where(mask.expand([values.batch(), self.yes.len]), yes)
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        let [condition, yes, no] = [self.condition, self.yes, self.no].map(name);
        format!("{yes} where {condition} > 0, else {no}")
    }
}
