//! hysteron: learned material laws.

pub mod driver;
pub mod error;
pub mod law;
pub mod loading;
pub mod mandel;
#[cfg(feature = "plot")]
pub mod plot;
pub mod record;

pub use error::{Error, Result, UpdateError};
pub use law::{Increment, MaterialLaw, Response};
