//! Sums of products: neighbouring operations entry by entry become one instruction.

use crate::graph::nodes::{Node, Routine};
use crate::graph::operation::{Broadcast, Operation, Sum};
use crate::graph::view::{Term, View};
use crate::kernels::MAX_TERMS;
use std::collections::HashMap;

/// The terms of a sum; none for another operation.
fn terms(operation: &Operation) -> Option<&[Term]> {
    match operation {
        Operation::Sum(Sum(terms)) => Some(terms),
        _ => None,
    }
}

/// What became of the operations of a program.
#[derive(Debug, Default)]
pub(crate) struct Fused {
    /// The sums that are computed, by their node.
    pub sums: HashMap<usize, Vec<Term>>,
    /// Nodes that are no longer computed by themselves.
    pub hidden: Vec<bool>,
    /// Products that several directions share, by the node after which they are computed.
    pub after: HashMap<usize, Vec<usize>>,
}

struct Fuser {
    routine: Routine,
    first: usize,
    /// Nodes that must be computed by themselves.
    computed: Vec<bool>,
    /// Whether every entry is read once at most by operations entry by entry.
    once: Vec<bool>,
    products: HashMap<(View, View), usize>,
    /// The node after which a shared product is computed.
    position: HashMap<usize, usize>,
    fused: Fused,
}

/// The routine with the products that several sums share, and what becomes of its nodes. `nodes` are
/// those that differ from point to point, in their order; `fixed` are those whose value is needed by
/// itself.
pub(crate) fn fuse(routine: Routine, nodes: &[usize], fixed: &[bool]) -> (Routine, Fused) {
    let mut reads: Vec<Vec<u8>> = routine.nodes.iter().map(|n| vec![0; n.len()]).collect();
    for n in nodes {
        for term in terms(&routine.nodes[*n].operation).into_iter().flatten() {
            for x in &term.factors {
                for k in 0..x.count {
                    reads[x.node][x.nth(k)]
                        .iter_mut()
                        .for_each(|r| *r = r.saturating_add(1));
                }
            }
        }
    }
    let mut fuser = Fuser {
        first: nodes.first().copied().unwrap_or(0),
        computed: fixed.to_vec(),
        once: reads.iter().map(|r| r.iter().all(|r| *r <= 1)).collect(),
        products: HashMap::new(),
        position: HashMap::new(),
        fused: Fused {
            hidden: vec![false; routine.nodes.len()],
            ..Fused::default()
        },
        routine,
    };
    for n in nodes.iter().rev() {
        fuser.node(*n);
    }
    (fuser.routine, fuser.fused)
}

impl Fuser {
    fn node(&mut self, n: usize) {
        let operation = self.routine.nodes[n].operation.clone();
        let sum = terms(&operation);
        let hides = sum.is_some() || matches!(operation, Operation::Broadcast(..));
        if hides && !self.computed[n] {
            self.fused.hidden[n] = true;
            return;
        }
        match sum {
            None => operation.operands().iter().for_each(|x| self.need(*x)),
            Some(sum) => {
                let sum = self.expand(n, sum.to_vec());
                let sum = sum.into_iter().map(|term| self.shared(term)).collect();
                self.fused.sums.insert(n, sum);
            }
        }
    }

    fn need(&mut self, x: View) {
        if let Some(computed) = self.computed.get_mut(x.node) {
            *computed = true;
        }
    }

    /// Puts sums in the place of factors that nobody else reads.
    fn expand(&self, n: usize, mut sum: Vec<Term>) -> Vec<Term> {
        let count = self.routine.nodes[n].shape[0];
        let (mut t, mut f) = (0, 0);
        while t < sum.len() {
            let Some(x) = sum[t].factors.get(f).copied() else {
                (t, f) = (t + 1, 0);
                continue;
            };
            match self.within(x, count, &sum[t]) {
                Some(inner) if sum.len() + inner.len() - 1 <= MAX_TERMS => {
                    let outer = sum.remove(t);
                    for (i, inner) in inner.into_iter().enumerate() {
                        let mut factors = outer.factors.clone();
                        factors.splice(f..f + 1, inner.factors);
                        let factor = outer.factor.value() * inner.factor.value();
                        sum.insert(t + i, Term::new(factor, factors));
                    }
                }
                _ => f += 1,
            }
        }
        sum
    }

    /// What a factor of a term is made of, if it can stand there instead.
    fn within(&self, x: View, count: usize, outer: &Term) -> Option<Vec<Term>> {
        let node = &self.routine.nodes[x.node];
        if let (Operation::Broadcast(Broadcast(scalar, _)), false) = (&node.operation, node.uniform)
        {
            return Some(vec![Term::new(1.0, [*scalar])]);
        }
        let free = self.once[x.node] && !self.computed[x.node] && !node.uniform;
        if !free || x.count != node.shape[0] || x.start + x.len > node.shape[1] {
            return None;
        }
        let mut inner = terms(&node.operation)?.to_vec();
        let factors = inner.iter().map(|term| term.factors.len()).max();
        let product = inner.len() == 1 && outer.factors.len() - 1 + factors.unwrap_or(0) <= 4;
        let sum = outer.factors.len() == 1 && x.count == count;
        let part = |y: &mut View| {
            if y.len == node.shape[1] {
                *y = y.slice(x.start..x.start + x.len);
            }
        };
        inner
            .iter_mut()
            .flat_map(|term| &mut term.factors)
            .for_each(part);
        (product || sum).then_some(inner)
    }

    /// At most two factors, so that what does not differ between directions is multiplied once.
    fn shared(&mut self, mut term: Term) -> Term {
        let uniform = |fuser: &Self, x: &View| fuser.routine.nodes[x.node].uniform;
        while term.factors.len() > 2 {
            term.factors.sort_by_key(|x| (x.count, uniform(self, x)));
            let (x, y) = (term.factors[0], term.factors[1]);
            let product = self.product(x, y);
            term.factors.splice(0..2, [product]);
        }
        for x in &term.factors {
            self.need(*x);
        }
        term
    }

    fn product(&mut self, x: View, y: View) -> View {
        let node = *self.products.entry((x, y)).or_insert_with(|| {
            let position = |x: &View| self.position.get(&x.node).copied();
            let after = |x: &View| match self.routine.nodes[x.node].uniform {
                true => self.first,
                false => position(x).unwrap_or(x.node),
            };
            let after = after(&x).max(after(&y));
            let node = self.routine.nodes.len();
            let product = Sum(vec![Term::new(1.0, [x, y])]);
            let at = self.routine.nodes[x.node].at;
            self.routine
                .nodes
                .push(Node::new(product.into(), false, at));
            self.position.insert(node, after);
            self.fused.after.entry(after).or_default().push(node);
            node
        });
        self.need(x);
        self.need(y);
        self.routine.whole(node)
    }
}
