//! hysteron: learned material laws.

pub mod algebra;
pub mod audit;
pub mod card;
pub mod driver;
pub mod error;
pub mod evaluate;
mod file;
pub mod law;
pub mod laws;
pub mod learned;
pub mod learning;
pub mod loading;
pub mod mandel;
pub mod model;
pub mod model_file;
pub mod network;
#[cfg(feature = "plot")]
pub mod plot;
pub mod record;
pub mod recurrent;

#[cfg(feature = "train")]
pub mod train;

pub use error::{Error, Result, UpdateError};
pub use law::{Increment, MaterialLaw, Response};
