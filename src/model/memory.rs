//! Memory of the programs, kept per thread so that nothing is allocated after the first call.

use crate::graph::Workspace;
use std::cell::RefCell;

/// A number of points side by side that has its memory.
pub(crate) trait Memory<const W: usize> {
    fn with<R>(f: impl FnOnce(&RefCell<Workspace<W>>) -> R) -> R;
}

pub(crate) struct PerThread;

macro_rules! memory {
    ($($width:expr),+) => {$(
        impl Memory<$width> for PerThread {
            fn with<R>(f: impl FnOnce(&RefCell<Workspace<$width>>) -> R) -> R {
                thread_local!(static WORKSPACE: RefCell<Workspace<$width>> = const {
                    RefCell::new(Workspace::<$width>::EMPTY)
                });
                WORKSPACE.with(f)
            }
        }
    )+};
}
memory!(1, 8);

pub(crate) fn with_workspace<const W: usize, R>(work: impl FnOnce(&mut Workspace<W>) -> R) -> R
where
    PerThread: Memory<W>,
{
    PerThread::with(|cell| match cell.try_borrow_mut() {
        Ok(mut workspace) => work(&mut workspace),
        // A law that is called while another one runs.
        Err(_) => work(&mut Workspace::default()),
    })
}
