//! The generic behaviour of MGIS: OpenGeoSys, dolfinx, code_aster and others.
//!
//! A behaviour is a set of data symbols that describe it and one function for each modelling
//! hypothesis; [`mgis_behaviour!`](crate::mgis_behaviour) exports both. Two are built in:
//!
//! | behaviour | gradient | force |
//! |---|---|---|
//! | `Hysteron` | small strain | Cauchy stress |
//! | `HysteronFiniteStrain` | deformation gradient | Cauchy, first or second Piola–Kirchhoff stress, as the host asks |
//!
//! each as `Tridimensional`, `PlaneStrain` and `Axisymmetrical`.
//!
//! * Material property `StressUnit`: one MPa in the stress unit of the host (1 for N and mm, 1e6 for
//!   SI).
//! * Internal variables: those of the law, a scalar each. `EquivalentPlasticStrain` is the
//!   accumulated plastic strain.
//! * External state variables: `Temperature`, which MGIS puts before all others, then those of the
//!   law. One called `temperature` or `temperature_K` is that one, in kelvin; a law that learned
//!   `temperature_C` receives degrees Celsius.
//! * The function returns 1, 0 where the strain is outside the range that the law was trained in, or
//!   −1 after a failure; then nothing but the error message has been written.
//!
//! Source: T. Helfer et al., J. Open Source Softw. 5(48) (2020) 2003 (MGIS).

mod describe;
mod integrate;
mod point;
mod view;

pub use describe::{DataSymbols, describe};
#[cfg(feature = "cli")]
pub(super) use describe::{is_temperature, state_name};
#[cfg(feature = "cli")]
pub(super) use integrate::ZERO_CELSIUS;
pub use integrate::{Kinematics, call};
pub use view::{BehaviourDataView, InitialStateView, StateView};

/// Largest number of internal variables that a behaviour can list.
pub const MAX_STATES: usize = 4096;
/// Largest number of external variables that a behaviour can list.
pub const MAX_EXTERNALS: usize = 64;
