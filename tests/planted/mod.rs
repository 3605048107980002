//! Small laws whose answers are known, and a wrapper that plants faults in them.
#![allow(dead_code)] // each test file uses its part

pub mod faults;
pub mod laws;
pub mod limits;
