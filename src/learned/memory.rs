//! Memory of the lanes, kept per thread so that nothing is allocated after the first call.

use crate::algebra::Lanes;
use std::cell::RefCell;

/// Lanes of a width that has its memory.
pub(super) trait Memory: Sized + 'static {
    fn with<R>(f: impl FnOnce(&RefCell<Vec<Self>>) -> R) -> R;
}

macro_rules! memory {
    ($($width:expr),+) => {$(
        impl Memory for [f64; $width] {
            fn with<R>(f: impl FnOnce(&RefCell<Vec<Self>>) -> R) -> R {
                thread_local!(static ARENA: RefCell<Vec<[f64; $width]>> = const {
                    RefCell::new(Vec::new())
                });
                ARENA.with(f)
            }
        }
    )+};
}
memory!(1, 8);

pub(super) fn with_lanes<const W: usize, R>(
    parameters: &[f64],
    work: impl FnOnce(&Lanes<W>) -> R,
) -> R
where
    [f64; W]: Memory,
{
    let arena = <[f64; W] as Memory>::with(RefCell::take);
    let lanes = Lanes::with_arena(parameters, arena);
    let result = work(&lanes);
    <[f64; W] as Memory>::with(|cell| cell.replace(lanes.into_arena()));
    result
}
