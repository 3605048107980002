//! Laws inside finite element programs: one loader, and one file for each interface.
//!
//! | module | interface | programs |
//! |---|---|---|
//! | [`capi`] | C functions, `include/hysteron.h` | anything that can call C; dolfinx and scikit-fem through ctypes |
//! | [`umat`] | Abaqus's `UMAT` | Abaqus, CalculiX, Elmer |
//! | [`mgis`] | MGIS generic behaviours | OpenGeoSys, code_aster |
//!
//! With the feature `capi` the functions are exported under their C names. A copy of the shared
//! library named `libNAME.so` serves the law `NAME.safetensors` or `NAME.toml` that lies beside it
//! ([`adjacent_law`]): hosts pass no paths.
//!
//! What all interfaces share: a panic never leaves this library; after the failure of a point nothing
//! that the host reads has been written, after that of a batch its outputs are not to be used; a state
//! that the host fills with zeros is the virgin state.

mod adjacent;
pub mod capi;
mod error;
#[cfg(feature = "cli")]
pub mod export;
mod external;
mod law;
pub mod mgis;
mod outside;
mod pointer;
mod report;
mod start;
mod state;
pub mod umat;

pub use adjacent::adjacent_law;
pub use error::HostError;
pub use law::HostLaw;
pub use outside::Outside;

#[cfg(feature = "capi")]
mod exports {
    use super::adjacent_law;

    crate::umat!("umat_", adjacent_law());
    crate::mgis_behaviour!("Hysteron", Small, adjacent_law());
    crate::mgis_behaviour!("HysteronFiniteStrain", Finite, adjacent_law());
}
