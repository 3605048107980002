//! Passes: functions from one routine to another, in one order.
//!
//! ```text
//! for use         forward derivative → group → narrow → share → instructions
//! for training                         group → keep slopes    → instructions, forward and reverse
//! ```
//!
//! [`fuse`](fuse::fuse) belongs to the last step, which writes instructions: it needs to know what the
//! reverse derivative reads. The residual of a nonlinear solve goes the first way, with what its value
//! needs before its Jacobian ([`first_output_first`]).

pub(crate) mod fuse;
mod group;
mod narrow;
mod order;
mod share;
mod slopes;

pub(crate) use group::group;
pub(crate) use narrow::narrow;
pub(crate) use order::first_output_first;
pub(crate) use share::share;
pub(crate) use slopes::{active, keep_slopes};
