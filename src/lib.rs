//! hysteron: learned material laws.

pub mod algebra;
pub mod driver;
pub mod error;
pub mod law;
pub mod loading;
pub mod mandel;
pub mod record;

pub use error::{Error, Result, UpdateError};
pub use law::{Increment, MaterialLaw, Response};
