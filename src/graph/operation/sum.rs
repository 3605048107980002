//! Sums of products, entry by entry and over the entries.

use super::{Adjoint, Instruction, Lowering, Reverse, Rules, Tangents, Virtual};
#[cfg(feature = "train")]
use super::{Tensor, Values};
use crate::graph::lower::combine;
use crate::graph::program::instruction::Action;
use crate::graph::view::{Term, View, together};
use std::ops::Range;

/// `Σ factor · Π factors`, entry by entry: sums, differences, products, and all that has numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sum(pub Vec<Term>);

impl Sum {
    fn factors(&self) -> impl Iterator<Item = View> + '_ {
        self.0.iter().flat_map(|term| term.factors.iter().copied())
    }
}

impl Rules for Sum {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        self.0
            .iter_mut()
            .flat_map(|term| &mut term.factors)
            .collect()
    }

    fn shape(&self) -> [usize; 2] {
        let len = self.factors().map(|x| x.len).max().unwrap_or(0);
        [together(self.factors()), len]
    }

    fn narrow(&mut self, entries: &Range<usize>) -> bool {
        for x in self.operands_mut() {
            *x = x.slice(entries.clone());
        }
        true
    }

    fn differentiable(&self) -> Vec<View> {
        self.factors().collect()
    }

    fn passes_factors(&self) -> usize {
        let most = self.0.iter().map(|term| term.factors.len()).max();
        3usize.saturating_sub(most.unwrap_or(0))
    }

    fn forward(&self, tangents: &Tangents) -> Option<View> {
        let mut terms = Vec::new();
        for term in &self.0 {
            for (i, x) in term.factors.iter().enumerate() {
                if let Some(along) = tangents.of(*x) {
                    let mut term = term.clone();
                    term.factors[i] = along;
                    terms.push(term);
                }
            }
        }
        tangents.sum(terms)
    }

    fn reverse(&self, _: usize, adjoint: Adjoint, reverse: &mut Reverse) {
        for term in &self.0 {
            for (i, x) in term.factors.iter().enumerate() {
                let others = term.factors.iter().enumerate().filter(|(k, _)| *k != i);
                let others = others.map(|(_, other)| *other);
                reverse.accumulate_product(*x, &adjoint, term.factor.value(), others);
            }
        }
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        vec![combine(
            &self.0,
            |x| lowering.operand(x),
            lowering.result(lowering.whole()),
        )]
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        // As laws write them: `x + y`, `x − y`, `x y` and `f x + c`.
        let mut sum: Option<Tensor<2>> = None;
        for term in &self.0 {
            let product = term.factors.iter().map(|x| values.of(*x));
            let factor = term.factor.value();
            sum = Some(match (sum, product.reduce(|x, y| x * y)) {
                (None, Some(x)) if factor == 1.0 => x,
                (None, Some(x)) => x.mul_scalar(factor),
                (Some(sum), Some(x)) if factor == 1.0 => sum + x,
                (Some(sum), Some(x)) if factor == -1.0 => sum - x,
                (Some(sum), Some(x)) => sum + x.mul_scalar(factor),
                (Some(sum), None) => sum.add_scalar(factor),
                (None, None) => values.constant(vec![factor]),
            });
        }
        sum.expect("a sum has terms")
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        let mut text = String::new();
        for (i, term) in self.0.iter().enumerate() {
            let factor = term.factor.value();
            let size = match i {
                0 if factor == -1.0 && !term.factors.is_empty() => {
                    text.push('−');
                    1.0
                }
                0 => factor,
                _ => {
                    text.push_str(if factor < 0.0 { " − " } else { " + " });
                    factor.abs()
                }
            };
            let number = (size != 1.0 || term.factors.is_empty()).then(|| size.to_string());
            let factors = term.factors.iter().map(|x| name(*x));
            text.push_str(
                &number
                    .into_iter()
                    .chain(factors)
                    .collect::<Vec<_>>()
                    .join(" · "),
            );
        }
        text
    }
}

/// `x · y → [1]`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Dot(pub View, pub View);

impl Rules for Dot {
    fn operands_mut(&mut self) -> Vec<&mut View> {
        vec![&mut self.0, &mut self.1]
    }

    fn shape(&self) -> [usize; 2] {
        [together([self.0, self.1]), 1]
    }

    fn differentiable(&self) -> Vec<View> {
        vec![self.0, self.1]
    }

    fn forward(&self, tangents: &Tangents) -> Option<View> {
        let graph = tangents.graph();
        let first = tangents.of(self.0).map(|x| graph.push(Self(x, self.1)));
        let second = tangents.of(self.1).map(|y| graph.push(Self(self.0, y)));
        tangents.added([first, second])
    }

    fn reverse(&self, _: usize, adjoint: Adjoint, reverse: &mut Reverse) {
        reverse.accumulate_product(self.0, &adjoint, 1.0, [self.1]);
        reverse.accumulate_product(self.1, &adjoint, 1.0, [self.0]);
    }

    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>> {
        lowering.one(Action::Dot, &[self.0, self.1])
    }

    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2> {
        (values.of(self.0) * values.of(self.1)).sum_dim(1)
    }

    fn print(&self, name: &dyn Fn(View) -> String) -> String {
        format!("dot({}, {})", name(self.0), name(self.1))
    }
}
