//! The reverse derivative: instructions that take adjoints from the outputs back to the parameters and
//! to the inputs that are carried from step to step.
//!
//! What each operation passes on to its operands stands with the operation; here is what they share:
//! adjoints are added up in as few instructions as possible, products with weights are put off so that
//! their gradients are taken for many steps at once, and cheap values are computed again in place of
//! being kept on the tape.

use super::lower::{Virtual, combine, lower};
use super::nodes::Routine;
use super::operation::{Operation, Sum};
use super::parameters::Parameter;
use super::program::instruction::{Action, Instruction, Place, Space};
use super::program::layout::{Whole, arrange, lifetimes};
use super::view::{Term, View};
use crate::kernels::MAX_TERMS;
use std::collections::HashMap;
use std::ops::Range;

/// Products with one weight: where the factors of its gradient lie, `(adjoint, value)`, each in
/// its segment of a step.
#[derive(Clone, Debug)]
pub(crate) struct Outer {
    pub weight: Parameter,
    pub forward: Vec<(usize, usize)>,
    pub transposed: Vec<(usize, usize)>,
}

/// One step of the reverse pass.
#[derive(Clone, Debug)]
pub(crate) struct ReverseStep {
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

/// A product that is part of an adjoint.
pub(crate) type Adjoint = Term<Virtual>;

impl Adjoint {
    fn whole(adjoint: View) -> Self {
        Self::new(1.0, [Virtual::Adjoint(adjoint)])
    }

    pub fn times(&self, factor: f64, others: impl IntoIterator<Item = Virtual>) -> Self {
        let factors = self.factors.iter().copied().chain(others);
        Self::new(factor * self.factor.value(), factors.collect::<Vec<_>>())
    }

    pub fn slice(&self, range: Range<usize>) -> Self {
        let slice = |x: &Virtual| x.slice(range.clone());
        Self::new(
            self.factor.value(),
            self.factors.iter().map(slice).collect::<Vec<_>>(),
        )
    }
}

/// The reverse derivative before its vectors have a place.
pub(crate) struct Reverse<'r> {
    routine: &'r Routine,
    /// Nodes whose adjoint matters.
    active: &'r [bool],
    uniform: bool,
    instructions: Vec<Instruction<Virtual>>,
    /// Parts of a node's adjoint that are not computed yet, so that they are added up together.
    pending: HashMap<usize, Vec<(View, Adjoint)>>,
    /// Which entries of a node's adjoint were written.
    covered: Vec<Vec<bool>>,
    /// Values that the sweep reads; whether they must be kept.
    wanted: Vec<(View, bool)>,
    outers: Vec<(Parameter, bool, View, View)>,
    biases: Vec<(Parameter, View)>,
    seeds: Vec<View>,
    carried: Vec<View>,
}

impl<'r> Reverse<'r> {
    fn new(routine: &'r Routine, active: &'r [bool], uniform: bool) -> Self {
        let len = |n: usize| routine.nodes[n].operation.rules().adjoint_len();
        Self {
            routine,
            active,
            uniform,
            instructions: Vec::new(),
            pending: HashMap::new(),
            covered: (0..routine.nodes.len())
                .map(|n| vec![uniform; len(n)])
                .collect(),
            wanted: Vec::new(),
            outers: Vec::new(),
            biases: Vec::new(),
            seeds: Vec::new(),
            carried: Vec::new(),
        }
    }

    /// Of the nodes that differ from point to point.
    pub fn varying(
        routine: &'r Routine,
        nodes: &[usize],
        active: &'r [bool],
        carried: &[View],
    ) -> Self {
        let mut reverse = Self::new(routine, active, false);
        for (i, output) in routine.outputs.iter().enumerate() {
            let seed = output.same_shape(i);
            reverse.seeds.push(seed);
            reverse.accumulate(*output, Adjoint::new(1.0, [Virtual::Seed(seed, i)]));
        }
        reverse.nodes(nodes);
        for x in carried {
            reverse.fill(*x);
        }
        reverse.carried = carried.to_vec();
        reverse
    }

    /// Of the nodes that are the same at every point; their adjoints are there from the start.
    pub fn uniform(routine: &'r Routine, nodes: &[usize], active: &'r [bool]) -> Self {
        let mut reverse = Self::new(routine, active, true);
        reverse.nodes(nodes);
        reverse
    }

    fn nodes(&mut self, nodes: &[usize]) {
        let routine = self.routine;
        for n in nodes.iter().rev().copied() {
            let any = self.covered[n].contains(&true) || self.pending.contains_key(&n);
            if self.active[n] && any {
                let adjoint = self.gather(n);
                routine.nodes[n].operation.rules().reverse(n, adjoint, self);
            }
        }
    }

    /// The adjoint of a node, once it is computed.
    pub fn adjoint_of(&self, node: usize) -> Virtual {
        Virtual::Adjoint(self.routine.whole(node))
    }

    /// The adjoint of a node is that of a parameter.
    pub fn take(&mut self, parameter: Parameter, node: usize) {
        self.biases.push((parameter, self.routine.whole(node)));
    }

    /// The adjoint of a node times `x` is the gradient of a weight.
    pub fn take_outer(&mut self, weight: Parameter, transposed: bool, node: usize, x: View) {
        let adjoint = self.routine.whole(node);
        assert_eq!(adjoint.count, 1, "the reverse derivative of a bundle");
        self.value(x, true);
        self.outers.push((weight, transposed, adjoint, x));
    }

    pub fn emit(&mut self, action: Action, operands: impl Into<Vec<Virtual>>, to: Virtual) {
        self.instructions
            .push(Instruction::new(action, operands, to));
    }

    /// `to += Σ parts`
    fn combine(&mut self, parts: &[Adjoint], to: Virtual, set: bool) {
        let present = (!set).then(|| Adjoint::new(1.0, [to]));
        let terms: Vec<Adjoint> = parts.iter().cloned().chain(present).collect();
        self.instructions.push(combine(&terms, |x| x, to));
    }

    /// Adds a part to the adjoint of `x`, once it is clear what else there is.
    pub fn accumulate(&mut self, x: View, part: Adjoint) {
        if !self.active[x.node] {
            return;
        }
        if !self.uniform && self.routine.nodes[x.node].uniform {
            self.combine(&[part], Virtual::TableAdjoint(x), false);
        } else {
            self.pending.entry(x.node).or_default().push((x, part));
        }
    }

    /// The same of an adjoint times a number and values.
    pub fn accumulate_product(
        &mut self,
        x: View,
        adjoint: &Adjoint,
        factor: f64,
        others: impl IntoIterator<Item = View>,
    ) {
        if self.active[x.node] {
            let others = others.into_iter().map(|other| self.value(other, false));
            let others: Vec<Virtual> = others.collect();
            self.accumulate(x, adjoint.times(factor, others));
        }
    }

    /// Adds up all parts of the adjoint of a node. Where the adjoint of an operation entry by entry
    /// is one product, it is not computed: the product itself is passed on.
    fn gather(&mut self, n: usize) -> Adjoint {
        let routine = self.routine;
        let adjoint = routine.whole(n);
        let size = self.covered[n].len();
        let all = adjoint.joined(adjoint.count).slice(0..size);
        let mut parts = self.pending.remove(&n).unwrap_or_default();
        let passes = routine.nodes[n].operation.rules().passes_factors();
        if let [(x, part)] = &parts[..]
            && (x.start, x.len) == (0, size)
            && part.factors.len() <= passes
            && !self.covered[n].contains(&true)
        {
            return part.clone();
        }
        while let Some((x, _)) = parts.first() {
            let x = *x;
            let same = |(y, _): &(View, Adjoint)| (y.start, y.len) == (x.start, x.len);
            let (these, others): (Vec<_>, Vec<_>) = parts.into_iter().partition(same);
            parts = others;
            let these: Vec<Adjoint> = these.into_iter().map(|(_, part)| part).collect();
            for some in these.chunks(MAX_TERMS - 1) {
                if let Some((to, set)) = self.target(x) {
                    self.combine(some, to, set);
                }
            }
        }
        self.fill(all);
        Adjoint::whole(adjoint)
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
            self.emit(Action::Zero, [], Virtual::Adjoint(to));
        }
    }

    /// Where a contribution to the adjoint of `x` goes, and whether it is the first; none where it
    /// does not matter.
    pub fn target(&mut self, x: View) -> Option<(Virtual, bool)> {
        if !self.active[x.node] {
            return None;
        }
        assert_eq!(x.count, 1, "the reverse derivative of a bundle");
        if !self.uniform && self.routine.nodes[x.node].uniform {
            return Some((Virtual::TableAdjoint(x), false));
        }
        let covered = &mut self.covered[x.node][x.nth(0)];
        let set = covered.iter().all(|c| !c);
        if set {
            covered.fill(true);
        } else {
            self.fill(x);
        }
        Some((Virtual::Adjoint(x), set))
    }

    /// A value of the forward pass; `always` on the tape, not computed again.
    pub fn value(&mut self, x: View, always: bool) -> Virtual {
        if !self.uniform && self.routine.nodes[x.node].uniform {
            return Virtual::Value(x);
        }
        self.wanted.push((x, always));
        Virtual::Tape(x)
    }

    /// Decides what is computed again: cheap operations on what is on the tape anyway. Returns what is
    /// to be on the tape.
    pub fn recompute(&mut self) -> Vec<View> {
        let routine = self.routine;
        let cheap = |n: usize| matches!(routine.nodes[n].operation, Operation::Sum(Sum(_)));
        let wanted = &self.wanted;
        let within = |x: &View, recomputed: &[usize]| {
            let kept = wanted.iter().filter(|(w, _)| w.node == x.node);
            let inside = |w: &View| w.start <= x.start && x.start + x.len <= w.start + w.len;
            routine.nodes[x.node].uniform
                || !recomputed.contains(&x.node) && kept.clone().any(|(w, _)| inside(w))
        };
        let mut recomputed: Vec<usize> = Vec::new();
        for n in 0..routine.nodes.len() {
            let mut uses = wanted.iter().filter(|(x, _)| x.node == n).peekable();
            let free = uses.peek().is_some() && uses.all(|(_, always)| !always);
            let operands = routine.nodes[n].operation.operands();
            if free && cheap(n) && operands.iter().all(|x| within(x, &recomputed)) {
                recomputed.push(n);
            }
        }
        let mut done: Vec<usize> = Vec::new();
        let mut instructions = Vec::new();
        for mut instruction in std::mem::take(&mut self.instructions) {
            for operand in &mut instruction.operands {
                let Virtual::Tape(x) = *operand else { continue };
                if recomputed.contains(&x.node) {
                    *operand = Virtual::Recomputed(x);
                    if !done.contains(&x.node) {
                        done.push(x.node);
                        let value = |x: View| match routine.nodes[x.node].uniform {
                            true => Virtual::Value(x),
                            false => Virtual::Tape(x),
                        };
                        instructions.extend(lower(
                            routine,
                            x.node,
                            &[],
                            &value,
                            &Virtual::Recomputed,
                        ));
                    }
                }
            }
            instructions.push(instruction);
        }
        self.instructions = instructions;
        let kept = self.wanted.iter().map(|(x, _)| *x);
        kept.filter(|x| !recomputed.contains(&x.node)).collect()
    }

    /// Values and adjoints lie where the table has them.
    pub fn in_table<P: Fn(View) -> Place>(self, place: &impl Fn(Space) -> P) -> ReverseStep {
        let (value, adjoint) = (place(Space::Tape), place(Space::Held));
        let place = |x: Virtual| match x {
            Virtual::Adjoint(x) => adjoint(x),
            other => value(other.view()),
        };
        self.finish(place, 0, 0, Vec::new())
    }

    /// `place` knows where the values of the forward pass are.
    pub fn arranged(self, place: impl Fn(Virtual) -> Place) -> ReverseStep {
        let routine = self.routine;
        let mut held = vec![None; routine.nodes.len()];
        let mut held_len = 0;
        for (.., bar, _) in &self.outers {
            held[bar.node] = Some(held_len);
            held_len += bar.len;
        }
        #[derive(Clone, Copy, PartialEq)]
        enum Key {
            Adjoint(usize),
            Recomputed(usize),
            Seed(usize),
        }
        let sizes: Vec<usize> = self.covered.iter().map(Vec::len).collect();
        let seed_sizes: Vec<usize> = self.seeds.iter().map(|x| x.len).collect();
        let key = |x: Virtual| match x {
            Virtual::Adjoint(x) if held[x.node].is_none() => {
                Some((Key::Adjoint(x.node), sizes[x.node]))
            }
            Virtual::Recomputed(x) => Some((Key::Recomputed(x.node), routine.nodes[x.node].len())),
            Virtual::Seed(_, i) => Some((Key::Seed(i), seed_sizes[i])),
            _ => None,
        };
        let seeds = self.seeds.iter().enumerate();
        let seeds: Vec<_> = seeds.map(|(i, x)| Virtual::Seed(*x, i)).collect();
        let carried = self.carried.iter().map(|x| Virtual::Adjoint(*x));
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
        let place = |x: Virtual| match (x, key(x)) {
            (x, Some((key, _))) => x.view().placed(Space::Adjoints, start(key)),
            (Virtual::Adjoint(x), None) => {
                x.placed(Space::Held, held[x.node].expect("of a product"))
            }
            (other, None) => place(other),
        };
        let seeds = seeds.iter().map(|x| place(*x)).collect();
        self.finish(place, adjoints, held_len, seeds)
    }

    fn finish(
        self,
        place: impl Fn(Virtual) -> Place,
        adjoints: usize,
        held: usize,
        seeds: Vec<Place>,
    ) -> ReverseStep {
        let start = |x: Virtual| place(x).start as usize;
        let mut outers: Vec<Outer> = Vec::new();
        for (weight, transposed, bar, x) in &self.outers {
            let pair = (start(Virtual::Adjoint(*bar)), start(Virtual::Tape(*x)));
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
        ReverseStep {
            biases: biases
                .map(|(parameter, bar)| (*parameter, start(Virtual::Adjoint(*bar))))
                .collect(),
            carried: self
                .carried
                .iter()
                .map(|x| place(Virtual::Adjoint(*x)))
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
