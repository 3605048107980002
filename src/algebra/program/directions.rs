//! Directions of a tangent as sums over what they share.
//!
//! Entry by entry, an operation on a bundle costs as much for every direction. Written as
//! `Σ c ∘ B` with vectors `c` that all directions of a bundle `B` share, a chain of such operations is
//! one sum: the `c` are multiplied out once a point, and what lies between is never stored.

use super::emit::needed;
use super::record::{Graph, Operation, Recorder, View};
use crate::algebra::Algebra;
use crate::algebra::kernels::{Binary, MAX_TERMS};

/// What all directions of a bundle are multiplied by.
#[derive(Clone, Copy, Debug)]
enum Share {
    Number(f64),
    Vector(View),
}

/// `Σ share ∘ bundle`
type Sum = Vec<(Share, View)>;

struct Sharing<'g> {
    old: &'g Graph,
    new: Recorder,
    /// Of the old nodes: where they are in the new graph.
    computed: Vec<Option<View>>,
    /// Of the old nodes that are a sum for now.
    sums: Vec<Option<Sum>>,
}

/// The same with fewer operations on bundles.
pub(super) fn share(mut graph: Graph, outputs: &[View]) -> (Graph, Vec<View>) {
    let searches = std::mem::take(&mut graph.searches);
    let needed = needed(&graph, outputs);
    let mut whole = vec![false; graph.nodes.len()];
    let mut read_whole = |x: &View| whole[x.node] = true;
    outputs.iter().for_each(&mut read_whole);
    for n in (0..graph.nodes.len()).filter(|n| needed[*n] && linear(&graph, *n).is_none()) {
        let operands = graph.nodes[n].operation.operands();
        operands.iter().for_each(&mut read_whole);
    }
    let mut sharing = Sharing {
        new: Recorder::new(),
        computed: vec![None; graph.nodes.len()],
        sums: vec![None; graph.nodes.len()],
        old: &graph,
    };
    for n in 0..graph.nodes.len() {
        let input = matches!(graph.nodes[n].operation, Operation::Input(_));
        if needed[n] || input {
            sharing.node(n, whole[n]);
        }
    }
    let outputs: Vec<View> = outputs.iter().map(|x| sharing.view(*x)).collect();
    let (mut graph, outputs) = sharing.new.finish(&outputs);
    graph.searches = searches;
    (graph, outputs)
}

/// An operation on a bundle that is linear in it: `factor ∘ Σ ± x`.
struct Linear {
    parts: Vec<(f64, View)>,
    factor: Option<View>,
}

fn linear(graph: &Graph, node: usize) -> Option<Linear> {
    let node = &graph.nodes[node];
    let bundle = |x: &View| x.count > 1;
    if node.uniform {
        return None;
    }
    let (parts, factor) = match &node.operation {
        Operation::Binary(Binary::Add, x, y) if bundle(x) && bundle(y) => {
            (vec![(1.0, *x), (1.0, *y)], None)
        }
        Operation::Binary(Binary::Sub, x, y) if bundle(x) && bundle(y) => {
            (vec![(1.0, *x), (-1.0, *y)], None)
        }
        Operation::Binary(Binary::Mul, x, y) if bundle(x) != bundle(y) => {
            let (x, y) = if bundle(x) { (x, y) } else { (y, x) };
            (vec![(1.0, *x)], Some(*y))
        }
        Operation::Affine { x, factor, offset } if bundle(x) && offset.value() == 0.0 => {
            (vec![(factor.value(), *x)], None)
        }
        _ => return None,
    };
    Some(Linear { parts, factor })
}

impl Share {
    fn slice(self, x: View) -> Self {
        match self {
            Self::Number(_) => self,
            Self::Vector(share) => Self::Vector(share.slice(x.start..x.start + x.len)),
        }
    }
}

impl Sharing<'_> {
    fn node(&mut self, n: usize, whole: bool) {
        if let Some(linear) = linear(self.old, n) {
            let sum = self.sum(&linear);
            if sum.len() <= MAX_TERMS {
                self.sums[n] = Some(sum);
                if whole {
                    self.compute(n);
                }
                return;
            }
        }
        let mut operation = self.old.nodes[n].operation.clone();
        for x in operation.operands_mut() {
            *x = self.view(*x);
        }
        self.computed[n] = Some(self.new.push(operation, self.old.nodes[n].shape));
    }

    /// A view of the old graph in the new one.
    fn view(&mut self, x: View) -> View {
        let node = self.compute(x.node).node;
        View { node, ..x }
    }

    /// An old node in the new graph; a sum is computed by itself from here on.
    fn compute(&mut self, n: usize) -> View {
        if let Some(sum) = self.sums[n].take() {
            let new = &self.new;
            let alone = sum.len() == 1;
            let term = |(share, bundle): &(Share, View)| match *share {
                Share::Vector(share) => new.mul(&share, bundle),
                Share::Number(1.0) if !alone => *bundle,
                Share::Number(number) => new.scale(bundle, number),
            };
            let mut terms = sum.iter().map(term);
            let first = terms.next().expect("a sum has terms");
            self.computed[n] = Some(terms.fold(first, |sum, term| new.add(&sum, &term)));
        }
        self.computed[n].expect("operands come before what is made of them")
    }

    /// Each `x` replaced by its sum where it is one.
    fn sum(&mut self, Linear { parts, factor }: &Linear) -> Sum {
        let factor = factor.map(|x| self.view(x));
        let mut all = Sum::new();
        for (sign, x) in parts {
            let [count, len] = self.old.nodes[x.node].shape;
            let each = x.count == count && x.stride == len;
            let sum = match &self.sums[x.node] {
                Some(sum) if each => sum
                    .iter()
                    .map(|(share, b)| (share.slice(*x), b.slice(x.start..x.start + x.len)))
                    .collect(),
                _ => vec![(Share::Number(1.0), self.view(*x))],
            };
            for (share, bundle) in sum {
                let share = self.scaled(share, *sign);
                match all.iter_mut().find(|(_, known)| *known == bundle) {
                    Some((known, _)) => *known = self.added(*known, share),
                    None => all.push((share, bundle)),
                }
            }
        }
        if let Some(factor) = factor {
            for (share, _) in &mut all {
                *share = Share::Vector(match *share {
                    Share::Number(1.0) => factor,
                    Share::Number(number) => self.new.scale(&factor, number),
                    Share::Vector(share) => self.new.mul(&factor, &share),
                });
            }
        }
        all
    }

    fn scaled(&self, share: Share, number: f64) -> Share {
        match share {
            _ if number == 1.0 => share,
            Share::Number(x) => Share::Number(x * number),
            Share::Vector(x) => Share::Vector(self.new.scale(&x, number)),
        }
    }

    fn added(&self, x: Share, y: Share) -> Share {
        match (x, y) {
            (Share::Number(x), Share::Number(y)) => Share::Number(x + y),
            (Share::Vector(x), Share::Vector(y)) => Share::Vector(self.new.add(&x, &y)),
            (Share::Vector(x), Share::Number(y)) | (Share::Number(y), Share::Vector(x)) => {
                Share::Vector(self.new.affine(&x, 1.0, y))
            }
        }
    }
}
