//! The library with which finite element programs load saved laws of `own_law`.
//!
//! ```text
//! cargo build --release --features capi --example own_law_library
//! ```

#[path = "law.rs"]
mod law;

hysteron::register_at_load!(law::FADING_MEMORIES);
