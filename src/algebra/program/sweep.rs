//! The reverse sweep of a program: what every operation passes back to its operands.

use super::emit::{Operand, forward};
use super::instruction::{Action, Begin, Instruction, Place, Space};
use super::layout::{Whole, arrange, lifetimes};
use super::record::{Graph, Operation, View};
use crate::algebra::kernels::{Binary, MAX_TERMS, Slope};
use crate::algebra::{Activation, Parameter};
use std::collections::HashMap;
use std::ops::Range;

/// Products with one weight: where the factors of its gradient lie, `(adjoint, value)`, each in
/// its stretch of a step.
#[derive(Clone, Debug)]
pub(super) struct Outer {
    pub weight: Parameter,
    pub forward: Vec<(usize, usize)>,
    pub transposed: Vec<(usize, usize)>,
}

/// One step of the sweep.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    pub instructions: Vec<Instruction<Place>>,
    /// Entries of the adjoints that the next step overwrites.
    pub adjoints: usize,
    /// Entries of the adjoints that are held for the gradients of weights.
    pub held: usize,
    /// The derivatives with respect to the outputs, set by the caller.
    pub seeds: Vec<Place>,
    /// The derivatives with respect to the carried inputs.
    pub carried: Vec<Place>,
    pub outers: Vec<Outer>,
    /// Adjoints of biases and of parameters that are vectors.
    pub biases: Vec<(Parameter, usize)>,
}

/// Whether the derivative with respect to a node matters.
pub(super) fn reach(graph: &Graph, carried: &[View]) -> Vec<bool> {
    let mut reach = vec![false; graph.nodes.len()];
    for (n, node) in graph.nodes.iter().enumerate() {
        reach[n] = match &node.operation {
            Operation::Parameter(_) | Operation::Product { .. } => true,
            Operation::Input(_) => carried.iter().any(|x| x.node == n),
            // What decides and what is searched counts as constant too.
            Operation::Search(..) | Operation::Detach(_) => false,
            Operation::Select { yes, no, .. } => reach[yes.node] || reach[no.node],
            Operation::SolveLinear { y, .. } => reach[y.node],
            other => other.operands().iter().any(|x| reach[x.node]),
        };
    }
    reach
}

/// A product that is part of an adjoint.
#[derive(Clone, Debug)]
struct Part {
    factor: f64,
    factors: Vec<Operand>,
}

impl Part {
    fn whole(bar: View) -> Self {
        Self {
            factor: 1.0,
            factors: vec![Operand::Adjoint(bar)],
        }
    }

    fn times(&self, factor: f64, other: Option<Operand>) -> Self {
        Self {
            factor: factor * self.factor,
            factors: self.factors.iter().copied().chain(other).collect(),
        }
    }

    fn slice(&self, range: Range<usize>) -> Self {
        let slice = |x: &Operand| x.slice(range.clone());
        Self {
            factor: self.factor,
            factors: self.factors.iter().map(slice).collect(),
        }
    }
}

/// The sweep before its vectors have a place.
pub(super) struct Emitted<'r> {
    reach: &'r [bool],
    uniform: bool,
    instructions: Vec<Instruction<Operand>>,
    /// Parts of a node's adjoint that are not computed yet, so that they are added up together.
    pending: HashMap<usize, Vec<(View, Part)>>,
    /// Which entries of a node's adjoint were written.
    covered: Vec<Vec<bool>>,
    /// Values that the sweep reads; whether they must be kept.
    wanted: Vec<(View, bool)>,
    outers: Vec<(Parameter, bool, View, View)>,
    biases: Vec<(Parameter, View)>,
    seeds: Vec<View>,
    carried: Vec<View>,
}

impl<'r> Emitted<'r> {
    fn new(graph: &Graph, reach: &'r [bool], uniform: bool) -> Self {
        let nodes = graph.nodes.iter();
        Self {
            reach,
            uniform,
            instructions: Vec::new(),
            pending: HashMap::new(),
            covered: nodes.map(|node| vec![uniform; node.len()]).collect(),
            wanted: Vec::new(),
            outers: Vec::new(),
            biases: Vec::new(),
            seeds: Vec::new(),
            carried: Vec::new(),
        }
    }

    /// Of the nodes that differ from point to point.
    pub fn varying(
        graph: &mut Graph,
        nodes: &[usize],
        reach: &'r [bool],
        outputs: &[View],
        carried: &[View],
    ) -> Self {
        let mut emitted = Self::new(graph, reach, false);
        for (i, output) in outputs.iter().enumerate() {
            let seed = output.same_shape(i);
            emitted.seeds.push(seed);
            let part = Part {
                factor: 1.0,
                factors: vec![Operand::Seed(seed, i)],
            };
            emitted.accumulate(graph, *output, part);
        }
        for n in nodes.iter().rev() {
            emitted.node(graph, *n);
        }
        for x in carried {
            emitted.fill(*x);
        }
        emitted.carried = carried.to_vec();
        emitted
    }

    /// Of the nodes that are the same at every point; their adjoints are there from the start.
    pub fn uniform(graph: &mut Graph, nodes: &[usize], reach: &'r [bool]) -> Self {
        let mut emitted = Self::new(graph, reach, true);
        for n in nodes.iter().rev() {
            emitted.node(graph, *n);
        }
        emitted
    }

    fn emit(&mut self, action: Action, operands: impl Into<Vec<Operand>>, to: Operand) {
        self.instructions
            .push(Instruction::new(action, operands, to));
    }

    /// `to += Σ parts`
    fn combine(&mut self, parts: &[Part], to: Operand, set: bool) {
        let term = |part: &Part| (part.factor, part.factors.len());
        let mut terms: Vec<_> = parts.iter().map(term).collect();
        let factors = parts.iter().flat_map(|part| &part.factors);
        let mut operands: Vec<_> = factors.copied().collect();
        if !set {
            terms.push((1.0, 1));
            operands.push(to);
        }
        self.emit(Action::Combine(terms), operands, to);
    }

    /// Adds a part to the adjoint of `x`, once it is clear what else there is.
    fn accumulate(&mut self, graph: &Graph, x: View, part: Part) {
        if !self.reach[x.node] {
            return;
        }
        if !self.uniform && graph.nodes[x.node].uniform {
            self.combine(&[part], Operand::Sum(x), false);
        } else {
            self.pending.entry(x.node).or_default().push((x, part));
        }
    }

    /// Adds up all parts of the adjoint of a node. Where the adjoint of an operation entry by entry
    /// is one product, it is not computed: the product itself is passed on.
    fn gather(&mut self, graph: &Graph, n: usize) -> Part {
        let bar = graph.whole(n);
        let size = self.covered[n].len();
        let all = bar.joined(bar.count).slice(0..size);
        let mut parts = self.pending.remove(&n).unwrap_or_default();
        let passes = match graph.nodes[n].operation {
            Operation::Binary(Binary::Mul, ..) => 1,
            Operation::Binary(..) | Operation::Affine { .. } | Operation::Concat(..) => 2,
            _ => 0,
        };
        if let [(x, part)] = &parts[..]
            && (x.start, x.len) == (0, size)
            && part.factors.len() <= passes
            && !self.covered[n].contains(&true)
        {
            return part.clone();
        }
        while let Some((x, _)) = parts.first() {
            let x = *x;
            let same = |(y, _): &(View, Part)| (y.start, y.len) == (x.start, x.len);
            let (these, others): (Vec<_>, Vec<_>) = parts.into_iter().partition(same);
            parts = others;
            let these: Vec<Part> = these.into_iter().map(|(_, part)| part).collect();
            for some in these.chunks(MAX_TERMS - 1) {
                if let Some((to, set)) = self.target(graph, x) {
                    self.combine(some, to, set);
                }
            }
        }
        self.fill(all);
        Part::whole(bar)
    }

    /// Zeros where nothing of an adjoint was written yet.
    fn fill(&mut self, x: View) {
        let covered = &mut self.covered[x.node];
        let (mut at, end) = (x.start, x.start + x.len);
        let mut gaps: Vec<Range<usize>> = Vec::new();
        while at < end {
            let run = |value| covered[at..end].iter().take_while(|c| **c == value).count();
            let (full, empty) = (run(true), run(false));
            if empty > 0 {
                gaps.push(at..at + empty);
            }
            at += full + empty;
        }
        covered[x.start..end].fill(true);
        for gap in gaps {
            let to = View {
                start: gap.start,
                len: gap.len(),
                stride: gap.len(),
                ..x
            };
            self.emit(Action::Zero, [], Operand::Adjoint(to));
        }
    }

    /// Where a contribution to the adjoint of `x` goes, and whether it is the first; none where it
    /// does not matter.
    fn target(&mut self, graph: &Graph, x: View) -> Option<(Operand, bool)> {
        if !self.reach[x.node] {
            return None;
        }
        assert_eq!(x.count, 1, "a sweep through a bundle");
        if !self.uniform && graph.nodes[x.node].uniform {
            return Some((Operand::Sum(x), false));
        }
        let covered = &mut self.covered[x.node][x.nth(0)];
        let set = covered.iter().all(|c| !c);
        if set {
            covered.fill(true);
        } else {
            self.fill(x);
        }
        Some((Operand::Adjoint(x), set))
    }

    /// A value of the forward pass; `always` kept, not computed again.
    fn value(&mut self, graph: &Graph, x: View, always: bool) -> Operand {
        if !self.uniform && graph.nodes[x.node].uniform {
            return Operand::Value(x);
        }
        self.wanted.push((x, always));
        Operand::Kept(x)
    }

    fn accumulate_product(&mut self, graph: &Graph, x: View, bar: &Part, other: View) {
        if self.reach[x.node] {
            let other = self.value(graph, other, false);
            self.accumulate(graph, x, bar.times(1.0, Some(other)));
        }
    }

    fn node(&mut self, graph: &mut Graph, n: usize) {
        let any = self.covered[n].contains(&true) || self.pending.contains_key(&n);
        if !self.reach[n] || !any {
            return;
        }
        let part = self.gather(graph, n);
        let bar = graph.whole(n);
        match graph.nodes[n].operation.clone() {
            Operation::Input(_)
            | Operation::Constant(_)
            | Operation::Units(_)
            | Operation::Detach(_)
            | Operation::Search(..) => {}
            Operation::Parameter(parameter) => self.biases.push((parameter, bar)),
            Operation::Spread(x) => self.accumulate(graph, x, part),
            Operation::Product {
                weight,
                bias,
                transposed,
                rows,
                x,
            } => {
                assert_eq!(bar.count, 1, "a sweep through a bundle");
                let [height, width] = weight.shape();
                let all = if transposed { width } else { height };
                assert_eq!(rows, 0..all, "a sweep through a part of a product");
                self.value(graph, x, true);
                self.outers.push((weight, transposed, bar, x));
                if let Some(bias) = bias {
                    self.biases.push((bias, bar));
                }
                if let Some((to, set)) = self.target(graph, x) {
                    let action = Action::Product {
                        weight,
                        begin: if set { Begin::Zero } else { Begin::Present },
                        transposed: !transposed,
                        rows: 0..x.len,
                    };
                    self.emit(action, [Operand::Adjoint(bar)], to);
                }
            }
            Operation::Derivatives {
                activation,
                order,
                x,
            } => self.chain(graph, n, activation, order, x),
            Operation::Binary(operation, x, y) => match operation {
                Binary::Add => {
                    self.accumulate(graph, x, part.clone());
                    self.accumulate(graph, y, part);
                }
                Binary::Sub => {
                    self.accumulate(graph, x, part.clone());
                    self.accumulate(graph, y, part.times(-1.0, None));
                }
                Binary::Mul => {
                    self.accumulate_product(graph, x, &part, y);
                    self.accumulate_product(graph, y, &part, x);
                }
            },
            Operation::Affine { x, factor, .. } => {
                self.accumulate(graph, x, part.times(factor.value(), None));
            }
            Operation::Dot(x, y) => {
                self.accumulate_product(graph, x, &part, y);
                self.accumulate_product(graph, y, &part, x);
            }
            Operation::Concat(parts) => {
                let mut start = 0;
                for x in parts {
                    self.accumulate(graph, x, part.slice(start..start + x.len));
                    start += x.len;
                }
            }
            Operation::Broadcast(x, _) => {
                if let Some((to, set)) = self.target(graph, x) {
                    self.emit(Action::AccumulateSum { set }, [Operand::Adjoint(bar)], to);
                }
            }
            Operation::Select { condition, yes, no } => {
                for (x, positive) in [(yes, true), (no, false)] {
                    if let Some((to, set)) = self.target(graph, x) {
                        let condition = self.value(graph, condition, false);
                        let action = Action::AccumulateChosen { positive, set };
                        self.emit(action, [condition, Operand::Adjoint(bar)], to);
                    }
                }
            }
            Operation::SolveLinear { inverse, y } => {
                if let Some((to, set)) = self.target(graph, y) {
                    let inverse = self.value(graph, inverse, false);
                    let action = Action::AccumulateMatrix { set };
                    self.emit(action, [inverse, Operand::Adjoint(bar)], to);
                }
            }
        }
    }

    /// Through an activation and its derivatives. The slope of the last result follows from the
    /// result where there is a formula; elsewhere the forward pass computes it too.
    fn chain(&mut self, graph: &mut Graph, n: usize, f: Activation, order: u8, x: View) {
        let Some((to, set)) = self.target(graph, x) else {
            return;
        };
        let count = self.covered[n].len() / x.len;
        let slope = match (f, order + count as u8 - 1) {
            (Activation::Tanh, 0) => Slope::Tanh,
            (Activation::Sigmoid, 0) | (Activation::Softplus, 1) => Slope::Sigmoid,
            (Activation::Exp, _) => Slope::Exp,
            _ => Slope::Kept,
        };
        if slope == Slope::Kept {
            graph.nodes[n].shape[0] = count + 1;
        }
        let results = graph.nodes[n].shape[0];
        let all = graph.whole(n).joined(results);
        let first = if results > 1 { x.len } else { 0 };
        let y = self.value(graph, all.slice(first..all.len), false);
        let bar = Operand::Adjoint(all.slice(0..count * x.len));
        let action = Action::AccumulateChain { slope, count, set };
        self.emit(action, [bar, y], to);
    }

    /// Decides what the sweep computes again: cheap operations on what it keeps anyway. Returns
    /// what is kept.
    pub fn remake(&mut self, graph: &Graph) -> Vec<View> {
        let cheap = |n: usize| {
            matches!(
                graph.nodes[n].operation,
                Operation::Binary(..) | Operation::Affine { .. }
            )
        };
        let wanted = &self.wanted;
        let within = |x: &View, remade: &[usize]| {
            let kept = wanted.iter().filter(|(w, _)| w.node == x.node);
            let inside = |w: &View| w.start <= x.start && x.start + x.len <= w.start + w.len;
            graph.nodes[x.node].uniform
                || !remade.contains(&x.node) && kept.clone().any(|(w, _)| inside(w))
        };
        let mut remade: Vec<usize> = Vec::new();
        for n in 0..graph.nodes.len() {
            let mut uses = wanted.iter().filter(|(x, _)| x.node == n).peekable();
            let free = uses.peek().is_some() && uses.all(|(_, always)| !always);
            let operands = graph.nodes[n].operation.operands();
            if free && cheap(n) && operands.iter().all(|x| within(x, &remade)) {
                remade.push(n);
            }
        }
        let mut done: Vec<usize> = Vec::new();
        let mut instructions = Vec::new();
        for mut instruction in std::mem::take(&mut self.instructions) {
            for operand in &mut instruction.operands {
                let Operand::Kept(x) = *operand else { continue };
                if remade.contains(&x.node) {
                    *operand = Operand::Remade(x);
                    if !done.contains(&x.node) {
                        done.push(x.node);
                        let value = |x: View| match graph.nodes[x.node].uniform {
                            true => Operand::Value(x),
                            false => Operand::Kept(x),
                        };
                        instructions.extend(forward(graph, x.node, value, Operand::Remade));
                    }
                }
            }
            instructions.push(instruction);
        }
        self.instructions = instructions;
        let kept = self.wanted.iter().map(|(x, _)| *x);
        kept.filter(|x| !remade.contains(&x.node)).collect()
    }

    /// Values and adjoints lie where the table has them.
    pub fn in_table<P: Fn(View) -> Place>(self, place: &impl Fn(Space) -> P) -> Sweep {
        let (value, adjoint) = (place(Space::Record), place(Space::Held));
        let place = |x: Operand| match x {
            Operand::Adjoint(x) => adjoint(x),
            other => value(other.view()),
        };
        self.finish(place, 0, 0, Vec::new())
    }

    /// `place` knows where the values of the forward pass are.
    pub fn arranged(self, graph: &Graph, place: impl Fn(Operand) -> Place) -> Sweep {
        let mut held = vec![None; graph.nodes.len()];
        let mut held_len = 0;
        for (.., bar, _) in &self.outers {
            held[bar.node] = Some(held_len);
            held_len += bar.len;
        }
        #[derive(Clone, Copy, PartialEq)]
        enum Key {
            Adjoint(usize),
            Remade(usize),
            Seed(usize),
        }
        let sizes: Vec<usize> = self.covered.iter().map(Vec::len).collect();
        let seed_sizes: Vec<usize> = self.seeds.iter().map(|x| x.len).collect();
        let key = |x: Operand| match x {
            Operand::Adjoint(x) if held[x.node].is_none() => {
                Some((Key::Adjoint(x.node), sizes[x.node]))
            }
            Operand::Remade(x) => Some((Key::Remade(x.node), graph.nodes[x.node].len())),
            Operand::Seed(_, i) => Some((Key::Seed(i), seed_sizes[i])),
            _ => None,
        };
        let seeds = self.seeds.iter().enumerate();
        let seeds: Vec<_> = seeds.map(|(i, x)| Operand::Seed(*x, i)).collect();
        let carried = self.carried.iter().map(|x| Operand::Adjoint(*x));
        let before = seeds.iter().map(|x| (*x, Whole::Before));
        let ends: Vec<_> = before
            .chain(carried.map(|x| (x, Whole::After)))
            .filter_map(|(x, whole)| key(x).map(|(key, len)| (key, len, whole)))
            .collect();
        let buffers = lifetimes(&self.instructions, key, &ends);
        let all: Vec<_> = buffers.iter().map(|(_, buffer)| *buffer).collect();
        let (starts, adjoints) = arrange(&all);
        let start = |wanted: Key| {
            let at = buffers.iter().position(|(key, _)| *key == wanted);
            starts[at.expect("it is used")]
        };
        let place = |x: Operand| match (x, key(x)) {
            (x, Some((key, _))) => x.view().at(Space::Adjoints, start(key)),
            (Operand::Adjoint(x), None) => x.at(Space::Held, held[x.node].expect("of a product")),
            (other, None) => place(other),
        };
        let seeds = seeds.iter().map(|x| place(*x)).collect();
        self.finish(place, adjoints, held_len, seeds)
    }

    fn finish(
        self,
        place: impl Fn(Operand) -> Place,
        adjoints: usize,
        held: usize,
        seeds: Vec<Place>,
    ) -> Sweep {
        let start = |x: Operand| place(x).start as usize;
        let mut outers: Vec<Outer> = Vec::new();
        for (weight, transposed, bar, x) in &self.outers {
            let pair = (start(Operand::Adjoint(*bar)), start(Operand::Kept(*x)));
            let known = outers.iter().position(|o| o.weight == *weight);
            let at = known.unwrap_or_else(|| {
                outers.push(Outer {
                    weight: *weight,
                    forward: Vec::new(),
                    transposed: Vec::new(),
                });
                outers.len() - 1
            });
            match transposed {
                false => outers[at].forward.push(pair),
                true => outers[at].transposed.push(pair),
            }
        }
        let biases = self.biases.iter();
        Sweep {
            biases: biases
                .map(|(parameter, bar)| (*parameter, start(Operand::Adjoint(*bar))))
                .collect(),
            carried: self
                .carried
                .iter()
                .map(|x| place(Operand::Adjoint(*x)))
                .collect(),
            instructions: self
                .instructions
                .into_iter()
                .map(|i| i.map(&place))
                .collect(),
            adjoints,
            held,
            seeds,
            outers,
        }
    }
}
