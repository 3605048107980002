//! Memory of the lanes, kept per thread so that nothing is allocated after the first call.

use crate::algebra::{Arena, Lanes, Weights};
use std::cell::RefCell;

/// Lanes of a width that has its memory.
pub(super) trait Memory<const W: usize> {
    fn with<R>(f: impl FnOnce(&RefCell<Arena<W>>) -> R) -> R;
}

pub(super) struct PerThread;

macro_rules! memory {
    ($($width:expr),+) => {$(
        impl Memory<$width> for PerThread {
            fn with<R>(f: impl FnOnce(&RefCell<Arena<$width>>) -> R) -> R {
                thread_local!(static ARENA: RefCell<Arena<$width>> = const {
                    RefCell::new(Arena::EMPTY)
                });
                ARENA.with(f)
            }
        }
    )+};
}
memory!(1, 8);

pub(super) fn with_lanes<const W: usize, R>(
    weights: &Weights,
    work: impl FnOnce(&Lanes<W>) -> R,
) -> R
where
    PerThread: Memory<W>,
{
    let arena = PerThread::with(|cell| cell.take());
    let lanes = Lanes::with_weights(weights, arena);
    let result = work(&lanes);
    PerThread::with(|cell| cell.replace(lanes.into_arena()));
    result
}
