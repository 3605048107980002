//! Scratch allocation: assigns an offset to each buffer and reuses the space of dead ones.

use super::instruction::Instruction;

/// A vector in scratch memory: its size, and the instructions between which it is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffer {
    pub len: usize,
    pub first: usize,
    pub last: usize,
}

/// Starts of the buffers, and how much memory they need together.
pub(crate) fn arrange(buffers: &[Buffer]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|i| buffers[*i].first);
    let mut starts = vec![0; buffers.len()];
    let mut placed: Vec<usize> = Vec::new();
    let mut total = 0;
    for i in order {
        let buffer = buffers[i];
        placed.retain(|other| buffers[*other].last >= buffer.first);
        placed.sort_by_key(|other| starts[*other]);
        // The first gap that is wide enough.
        let mut start = 0;
        for other in &placed {
            if starts[*other] >= start + buffer.len {
                break;
            }
            start = start.max(starts[*other] + buffers[*other].len);
        }
        starts[i] = start;
        placed.push(i);
        total = total.max(start + buffer.len);
    }
    (starts, total)
}

/// The buffers that instructions use, by what `key` says of an operand; those in `whole` are
/// needed from before the first instruction, or until after the last.
pub(crate) fn lifetimes<R: Copy, K: Copy + PartialEq>(
    instructions: &[Instruction<R>],
    key: impl Fn(R) -> Option<(K, usize)>,
    whole: &[(K, usize, Whole)],
) -> Vec<(K, Buffer)> {
    let end = instructions.len() + 1;
    let mut buffers: Vec<(K, Buffer)> = Vec::new();
    let mut touch =
        |(key, len): (K, usize), at: usize| match buffers.iter_mut().find(|(k, _)| *k == key) {
            Some((_, buffer)) => {
                buffer.first = buffer.first.min(at);
                buffer.last = buffer.last.max(at);
            }
            None => buffers.push((
                key,
                Buffer {
                    len,
                    first: at,
                    last: at,
                },
            )),
        };
    for (n, instruction) in instructions.iter().enumerate() {
        for operand in instruction.operands.iter().chain([&instruction.to]) {
            if let Some(key) = key(*operand) {
                touch(key, n + 1);
            }
        }
    }
    for (key, len, whole) in whole {
        match whole {
            Whole::Before => touch((*key, *len), 0),
            Whole::After => touch((*key, *len), end),
        }
    }
    buffers
}

/// Which end of the instructions a buffer outlives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whole {
    Before,
    After,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn buffers_that_live_together_do_not_overlap() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..200 {
            let buffers: Vec<Buffer> = (0..random.random_range(1..40))
                .map(|_| {
                    let first = random.random_range(0..30);
                    Buffer {
                        len: random.random_range(0..9),
                        first,
                        last: first + random.random_range(0..6),
                    }
                })
                .collect();
            let (starts, total) = arrange(&buffers);
            for (i, a) in buffers.iter().enumerate() {
                assert!(starts[i] + a.len <= total);
                for (k, b) in buffers.iter().enumerate().skip(i + 1) {
                    let together = a.first <= b.last && b.first <= a.last;
                    let apart = starts[i] + a.len <= starts[k] || starts[k] + b.len <= starts[i];
                    assert!(!together || apart, "{a:?} and {b:?}");
                }
            }
        }
    }
}
