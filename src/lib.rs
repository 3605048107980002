//! hysteron: learned material laws.

pub mod card;
pub mod driver;
pub mod error;
pub mod law;
pub mod laws;
pub mod loading;
pub mod mandel;
pub mod model_file;
pub mod record;

pub use error::{Error, Result, UpdateError};
pub use law::{Increment, MaterialLaw, Response};
