//! Tangents as sums over what all directions share.
//!
//! Entry by entry, an operation on a bundle costs as much for every direction. Written as
//! `Σ c ∘ B` with vectors `c` that all directions of a bundle `B` share, a chain of such operations is
//! one sum: the `c` are multiplied out once a point, and what lies between is never stored.

use crate::graph::nodes::{Graph, Routine};
use crate::graph::operation::{Operation, Sum};
use crate::graph::view::{Term, View};
use crate::kernels::MAX_TERMS;

/// What all vectors of a bundle are multiplied by.
#[derive(Clone, Copy, Debug)]
enum Share {
    Number(f64),
    Vector(View),
}

/// `Σ share ∘ bundle`
type Shares = Vec<(Share, View)>;

struct Sharing<'r> {
    old: &'r Routine,
    new: Graph,
    /// Of the old nodes: where they are in the new graph.
    computed: Vec<Option<View>>,
    /// Of the old nodes that are a sum for now.
    sums: Vec<Option<Shares>>,
}

/// The same with fewer operations on bundles.
pub(crate) fn share(routine: &Routine) -> Routine {
    let needed = routine.needed(&routine.outputs);
    let mut whole = vec![false; routine.nodes.len()];
    let mut read_whole = |x: &View| whole[x.node] = true;
    routine.outputs.iter().for_each(&mut read_whole);
    for n in (0..routine.nodes.len()).filter(|n| needed[*n] && linear(routine, *n).is_none()) {
        let operands = routine.nodes[n].operation.operands();
        operands.iter().for_each(&mut read_whole);
    }
    let mut sharing = Sharing {
        new: Graph::new(),
        computed: vec![None; routine.nodes.len()],
        sums: vec![None; routine.nodes.len()],
        old: routine,
    };
    for n in routine.alive() {
        sharing.new.set_line(Some(routine.nodes[n].at));
        sharing.node(n, whole[n]);
    }
    sharing.new.set_line(None);
    let outputs: Vec<View> = routine.outputs.iter().map(|x| sharing.view(*x)).collect();
    sharing.new.finish(&outputs)
}

/// An operation on bundles that is linear in them: each term a bundle, and the factors beside it.
struct Linear {
    terms: Vec<(f64, View, Vec<View>)>,
}

fn linear(routine: &Routine, node: usize) -> Option<Linear> {
    let node = &routine.nodes[node];
    let Operation::Sum(Sum(terms)) = &node.operation else {
        return None;
    };
    if node.uniform {
        return None;
    }
    let split = |term: &Term| {
        let (bundles, factors): (Vec<View>, Vec<View>) =
            term.factors.iter().copied().partition(|x| x.count > 1);
        match bundles[..] {
            [bundle] => Some((term.factor.value(), bundle, factors)),
            _ => None,
        }
    };
    let terms = terms.iter().map(split).collect::<Option<_>>()?;
    Some(Linear { terms })
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
        self.computed[n] = Some(self.new.push(operation));
    }

    /// A view of the old routine in the new graph.
    fn view(&mut self, x: View) -> View {
        x.within(self.compute(x.node))
    }

    /// An old node in the new graph; a sum is computed by itself from here on.
    fn compute(&mut self, n: usize) -> View {
        if let Some(sum) = self.sums[n].take() {
            let term = |(share, bundle): &(Share, View)| match *share {
                Share::Vector(share) => Term::new(1.0, [share, *bundle]),
                Share::Number(number) => Term::new(number, [*bundle]),
            };
            let terms: Vec<Term> = sum.iter().map(term).collect();
            self.computed[n] = Some(self.new.sum(terms));
        }
        self.computed[n].expect("operands come before what is made of them")
    }

    /// Each bundle replaced by its sum where it is one.
    fn sum(&mut self, Linear { terms }: &Linear) -> Shares {
        let mut all = Shares::new();
        for (number, x, factors) in terms {
            let factors: Vec<View> = factors.iter().map(|x| self.view(*x)).collect();
            let [count, len] = self.old.nodes[x.node].shape;
            let each = x.count == count && x.stride == len;
            let shares = match &self.sums[x.node] {
                Some(sum) if each => sum
                    .iter()
                    .map(|(share, b)| (share.slice(*x), b.slice(x.start..x.start + x.len)))
                    .collect(),
                _ => vec![(Share::Number(1.0), self.view(*x))],
            };
            for (mut share, bundle) in shares {
                for factor in &factors {
                    share = self.times(*factor, share);
                }
                let share = self.scaled(share, *number);
                match all.iter_mut().find(|(_, known)| *known == bundle) {
                    Some((known, _)) => *known = self.added(*known, share),
                    None => all.push((share, bundle)),
                }
            }
        }
        all
    }

    fn times(&self, factor: View, share: Share) -> Share {
        Share::Vector(match share {
            Share::Number(1.0) => factor,
            Share::Number(number) => self.new.sum([Term::new(number, [factor])]),
            Share::Vector(share) => self.new.mul(factor, share),
        })
    }

    fn scaled(&self, share: Share, number: f64) -> Share {
        match share {
            _ if number == 1.0 => share,
            Share::Number(x) => Share::Number(x * number),
            Share::Vector(x) => Share::Vector(self.new.sum([Term::new(number, [x])])),
        }
    }

    fn added(&self, x: Share, y: Share) -> Share {
        match (x, y) {
            (Share::Number(x), Share::Number(y)) => Share::Number(x + y),
            (Share::Vector(x), Share::Vector(y)) => Share::Vector(self.new.add(x, y)),
            (Share::Vector(x), Share::Number(y)) | (Share::Number(y), Share::Vector(x)) => {
                Share::Vector(self.new.sum([Term::new(1.0, [x]), Term::new(y, [])]))
            }
        }
    }
}
