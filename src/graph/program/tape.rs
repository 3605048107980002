//! The tape: forward values that the reverse pass reads.

use super::instruction::{Place, Space};
use crate::graph::nodes::Routine;
use crate::graph::view::View;

/// What is on the tape, and where.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    /// Parts of nodes, and where they lie on the tape.
    parts: Vec<(View, usize)>,
    len: usize,
    /// Nodes that are kept whole.
    whole: Vec<bool>,
}

impl Tape {
    pub fn new(routine: &Routine, wanted: Vec<View>) -> Self {
        let mut tape = Self {
            whole: vec![false; routine.nodes.len()],
            ..Self::default()
        };
        for n in 0..routine.nodes.len() {
            let size = routine.nodes[n].len();
            let mut used = vec![false; size];
            for x in wanted.iter().filter(|x| x.node == n) {
                (0..x.count).for_each(|k| used[x.nth(k)].fill(true));
            }
            let mut at = 0;
            while at < size {
                let run = |value| used[at..].iter().take_while(|u| **u == value).count();
                let (full, empty) = (run(true), run(false));
                if full > 0 {
                    let part = routine.whole(n).joined(routine.nodes[n].shape[0]);
                    tape.parts.push((part.slice(at..at + full), tape.len));
                    tape.len += full;
                }
                at += full + empty;
            }
            tape.whole[n] = size > 0 && used.iter().all(|u| *u);
        }
        tape
    }

    /// Where a node that is kept whole starts.
    pub fn whole(&self, n: usize) -> Option<usize> {
        let whole = self.whole.get(n).copied().unwrap_or(false);
        whole.then(|| self.parts.iter().find(|(x, _)| x.node == n).map(|p| p.1))?
    }

    /// Parts of a node that is not kept whole.
    pub fn parts(&self, n: usize) -> Vec<View> {
        let parts = self
            .parts
            .iter()
            .filter(|(x, _)| x.node == n && !self.whole[n]);
        parts.map(|(x, _)| *x).collect()
    }

    pub fn place(&self, x: View) -> Place {
        let holds = |part: &View| {
            part.node == x.node && part.start <= x.start && x.start < part.start + part.len
        };
        let part = self.parts.iter().find(|(part, _)| holds(part));
        let (part, start) = part.expect("it is kept");
        let x = View {
            start: x.start - part.start,
            ..x
        };
        x.placed(Space::Tape, *start)
    }

    /// Nodes of which something is kept.
    pub fn nodes(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().map(|(x, _)| x.node)
    }

    pub fn len(&self) -> usize {
        self.len
    }
}
