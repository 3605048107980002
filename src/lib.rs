//! hysteron: learned material laws.

pub mod driver;
pub mod error;
pub mod law;
pub mod laws;
pub mod loading;
pub mod mandel;
pub mod record;

pub use error::{Error, Result, UpdateError};
pub use law::{Increment, MaterialLaw, Response};
