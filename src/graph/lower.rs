//! From a routine to the instructions of a program.

use super::nodes::Routine;
use super::operation::{Operation, Root};
use super::pass::fuse::fuse;
use super::pass::{active, group, keep_slopes, narrow, share};
use super::program::Program;
use super::program::instruction::{Action, Instruction, Place, Space};
use super::program::layout::{Whole, arrange, lifetimes};
use super::program::newton::NonlinearSolve;
use super::program::tape::Tape;
use super::reverse::Reverse;
use super::view::{Term, View};
use std::ops::Range;
use std::sync::Arc;

/// What an instruction works on, before it has its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Virtual {
    /// A value where the forward pass computes it.
    Value(View),
    /// A value on the tape.
    Tape(View),
    /// A value that the reverse pass computes again.
    Recomputed(View),
    Adjoint(View),
    /// The adjoint of what is the same at every point.
    TableAdjoint(View),
    /// The derivative with respect to an output, set by the caller.
    Seed(View, usize),
}

impl Virtual {
    /// A part of it; of one entry that stands for all, the same.
    pub fn slice(self, range: Range<usize>) -> Self {
        let part = |x: View| match x.len {
            1 => x,
            _ => x.slice(range.clone()),
        };
        match self {
            Self::Value(x) => Self::Value(part(x)),
            Self::Tape(x) => Self::Tape(part(x)),
            Self::Recomputed(x) => Self::Recomputed(part(x)),
            Self::Adjoint(x) => Self::Adjoint(part(x)),
            Self::TableAdjoint(x) => Self::TableAdjoint(part(x)),
            Self::Seed(x, i) => Self::Seed(part(x), i),
        }
    }

    pub fn view(self) -> View {
        match self {
            Self::Value(x)
            | Self::Tape(x)
            | Self::Recomputed(x)
            | Self::Adjoint(x)
            | Self::TableAdjoint(x)
            | Self::Seed(x, _) => x,
        }
    }
}

/// What the rules of an operation need to write its instructions.
pub(crate) struct Lowering<'a> {
    node: View,
    solves: &'a [Arc<NonlinearSolve>],
    operand: &'a dyn Fn(View) -> Virtual,
    result: &'a dyn Fn(View) -> Virtual,
}

impl Lowering<'_> {
    /// All that the node makes.
    pub fn whole(&self) -> View {
        self.node
    }

    pub fn operand(&self, x: View) -> Virtual {
        (self.operand)(x)
    }

    pub fn result(&self, x: View) -> Virtual {
        (self.result)(x)
    }

    /// One instruction that makes the node, vector by vector.
    pub fn one(&self, action: Action, operands: &[View]) -> Vec<Instruction<Virtual>> {
        self.make(action, operands, self.node)
    }

    /// One instruction that makes the node as one long vector.
    pub fn all(&self, action: Action, operands: &[View]) -> Vec<Instruction<Virtual>> {
        self.make(action, operands, self.node.joined(self.node.count))
    }

    fn make(&self, action: Action, operands: &[View], to: View) -> Vec<Instruction<Virtual>> {
        let operands: Vec<_> = operands.iter().map(|x| self.operand(*x)).collect();
        vec![Instruction::new(action, operands, self.result(to))]
    }

    /// The number of a nonlinear solve in the program.
    pub fn solve(&self, solve: &Arc<NonlinearSolve>) -> usize {
        let same = |known: &Arc<NonlinearSolve>| Arc::ptr_eq(known, solve);
        self.solves.iter().position(same).expect("it is listed")
    }
}

/// The copy of a part of an operand to a part of the result.
pub(crate) fn slice_of(lowering: &Lowering, from: View, to: View) -> Instruction<Virtual> {
    Instruction::new(Action::Copy, [lowering.operand(from)], lowering.result(to))
}

/// Instructions that make a node.
pub(crate) fn lower(
    routine: &Routine,
    node: usize,
    solves: &[Arc<NonlinearSolve>],
    operand: &dyn Fn(View) -> Virtual,
    result: &dyn Fn(View) -> Virtual,
) -> Vec<Instruction<Virtual>> {
    let lowering = Lowering {
        node: routine.whole(node),
        solves,
        operand,
        result,
    };
    routine.nodes[node].operation.rules().lower(&lowering)
}

/// A sum of products.
pub(crate) fn combine<F: Copy>(
    sum: &[Term<F>],
    operand: impl Fn(F) -> Virtual,
    to: Virtual,
) -> Instruction<Virtual> {
    let terms = sum
        .iter()
        .map(|term| (term.factor.value(), term.factors.len()));
    let factors = sum.iter().flat_map(|term| &term.factors);
    let operands: Vec<_> = factors.map(|x| operand(*x)).collect();
    Instruction::new(Action::Combine(terms.collect()), operands, to)
}

impl View {
    /// Its place where the node starts at `base`.
    pub(crate) fn placed(self, space: Space, base: usize) -> Place {
        let small = |n: usize| u32::try_from(n).expect("a program of less than 2³² entries");
        Place {
            space,
            start: small(base + self.start),
            len: small(self.len),
            step: small(if self.count == 1 { 0 } else { self.stride }),
            count: small(self.count),
        }
    }
}

impl Routine {
    /// The program that computes the outputs.
    pub fn compile(&self) -> Program {
        program(share(&narrow(&group(self))), None)
    }

    /// The program that also runs backward: from what the caller makes of the outputs to its derivative
    /// with respect to the parameters and to the inputs with the names `carried`.
    ///
    /// # Panics
    /// Where there is no input of such a name.
    pub fn compile_with_reverse(&self, carried: &[&str]) -> Program {
        let grouped = group(self);
        let inputs = grouped.inputs();
        let input = |name: &&str| {
            let named = |n: &&usize| match &grouped.nodes[**n].operation {
                Operation::Input(input) => input.name == *name,
                _ => false,
            };
            *inputs.iter().find(named).expect("an input of this name")
        };
        let carried: Vec<usize> = carried.iter().map(input).collect();
        let active = active(&grouped, &carried);
        program(keep_slopes(&grouped, &active), Some((&active, &carried)))
    }
}

/// Writes the instructions; the reverse derivative where there are active nodes, and inputs to carry
/// adjoints to.
fn program(routine: Routine, derivative: Option<(&[bool], &[usize])>) -> Program {
    let needed = routine.needed(&routine.outputs);
    let of = |uniform: bool| -> Vec<usize> {
        let nodes = routine.nodes.iter().enumerate();
        let nodes = nodes.filter(|(n, node)| needed[*n] && node.uniform == uniform);
        nodes.map(|(n, _)| n).collect()
    };
    let (uniform, varying) = (of(true), of(false));
    let solves = solves(&routine, &varying);
    // The reverse derivative comes first: it says what the forward pass must keep.
    let forward = routine.clone();
    let mut reverse = derivative.map(|(active, carried)| {
        let carried: Vec<View> = carried.iter().map(|n| forward.whole(*n)).collect();
        Reverse::varying(&forward, &varying, active, &carried)
    });
    let uniform_reverse =
        derivative.map(|(active, _)| Reverse::uniform(&forward, &uniform, active));

    let mut table = vec![None; routine.nodes.len()];
    let mut table_len = 0;
    for n in &uniform {
        table[*n] = Some(table_len);
        table_len += routine.nodes[*n].len();
    }
    let place_in_table = |space: Space| {
        let table = &table;
        move |x: View| x.placed(space, table[x.node].expect("the same at every point"))
    };
    let uniform_program = (!uniform.is_empty()).then(|| {
        let place = place_in_table(Space::Tape);
        let instructions = uniform
            .iter()
            .flat_map(|n| lower(&routine, *n, &[], &Virtual::Value, &Virtual::Value))
            .map(|i| i.map(|x| place(x.view())))
            .collect();
        Box::new(Program {
            first: 0,
            instructions,
            inputs: Vec::new(),
            outputs: Vec::new(),
            scratch: 0,
            tape: table_len,
            uniform: None,
            solves: Vec::new(),
            reverse: uniform_reverse.map(|reverse| reverse.in_table(&place_in_table)),
        })
    });

    let tape = reverse.as_mut().map_or_else(Tape::default, |reverse| {
        let wanted = reverse.recompute();
        Tape::new(&forward, wanted)
    });
    let mut fixed = vec![false; routine.nodes.len()];
    for n in routine.outputs.iter().map(|x| x.node).chain(tape.nodes()) {
        fixed[n] = true;
    }
    let (routine, fused) = fuse(routine, &varying, &fixed);
    let own =
        |routine: &Routine, n: usize| lower(routine, n, &solves, &Virtual::Value, &Virtual::Value);
    // Forward, each node followed by the copies of those parts of it that are kept.
    let mut instructions = Vec::new();
    let mut first = 0;
    for n in &varying {
        match fused.sums.get(n) {
            _ if fused.hidden[*n] => continue,
            Some(sum) => {
                let to = Virtual::Value(routine.whole(*n));
                instructions.push(combine(sum, Virtual::Value, to));
            }
            None => instructions.extend(own(&routine, *n)),
        }
        for product in fused.after.get(n).into_iter().flatten() {
            instructions.extend(own(&routine, *product));
        }
        for part in tape.parts(*n) {
            instructions.push(Instruction::new(
                Action::Copy,
                [Virtual::Value(part)],
                Virtual::Tape(part),
            ));
        }
        if routine.outputs.first().is_some_and(|x| x.node == *n) {
            first = instructions.len();
        }
    }
    let scratch_node = |x: Virtual| match x {
        Virtual::Value(x) => {
            let node = &routine.nodes[x.node];
            (!node.uniform && tape.whole(x.node).is_none()).then_some((x.node, node.len()))
        }
        _ => None,
    };
    let inputs: Vec<View> = routine
        .inputs()
        .into_iter()
        .map(|n| routine.whole(n))
        .collect();
    let ends: Vec<_> = routine
        .outputs
        .iter()
        .map(|x| (*x, Whole::After))
        .chain(inputs.iter().map(|x| (*x, Whole::Before)))
        .filter_map(|(x, whole)| {
            scratch_node(Virtual::Value(x)).map(|(node, len)| (node, len, whole))
        })
        .collect();
    let buffers = lifetimes(&instructions, scratch_node, &ends);
    let sizes: Vec<_> = buffers.iter().map(|(_, buffer)| *buffer).collect();
    let (starts, scratch) = arrange(&sizes);
    let mut scratch_start = vec![None; routine.nodes.len()];
    for ((node, _), start) in buffers.iter().zip(starts) {
        scratch_start[*node] = Some(start);
    }
    let place = |x: Virtual| match x {
        Virtual::Tape(x) => tape.place(x),
        _ => {
            let x = x.view();
            if routine.nodes[x.node].uniform {
                place_in_table(Space::Table)(x)
            } else if let Some(base) = tape.whole(x.node) {
                x.placed(Space::Tape, base)
            } else {
                x.placed(
                    Space::Scratch,
                    scratch_start[x.node].expect("it has a place"),
                )
            }
        }
    };
    let reverse = reverse.map(|reverse| {
        reverse.arranged(|x| match x {
            Virtual::Value(x) => place_in_table(Space::Table)(x),
            Virtual::TableAdjoint(x) => place_in_table(Space::Sums)(x),
            other => tape.place(other.view()),
        })
    });
    Program {
        first,
        inputs: inputs.iter().map(|x| place(Virtual::Value(*x))).collect(),
        outputs: routine
            .outputs
            .iter()
            .map(|x| place(Virtual::Value(*x)))
            .collect(),
        instructions: instructions.into_iter().map(|i| i.map(place)).collect(),
        scratch,
        tape: tape.len(),
        uniform: uniform_program,
        solves,
        reverse,
    }
}

/// Every nonlinear solve once.
fn solves(routine: &Routine, nodes: &[usize]) -> Vec<Arc<NonlinearSolve>> {
    let mut list: Vec<Arc<NonlinearSolve>> = Vec::new();
    for n in nodes {
        if let Operation::Root(Root { solve, .. }) = &routine.nodes[*n].operation
            && !list.iter().any(|known| Arc::ptr_eq(known, solve))
        {
            list.push(solve.clone());
        }
    }
    list
}
