//! Laws as hosts call them, with arguments as hosts pass them, right and wrong.

#[path = "../common/mod.rs"]
mod common;

mod absurd;
mod capi;
mod laws;
mod mgis;
mod start;
mod umat;
