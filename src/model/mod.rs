//! The trained law: in physical units, in adaptive steps, and as a file.
//!
//! | type | what it is |
//! |---|---|
//! | [`LearnedLaw`] | a recurrent law with its parameters and scales: a [`MaterialLaw`](crate::law::MaterialLaw) |
//! | [`Adaptive`] | the same in as many steps as its evolution asks for |
//! | [`Model`] | a law of the registry with its origin: what `hysteron train` saves |
//! | [`TrainedRange`] | what its training records hold |
//! | [`ModelFile`] | the file, byte by byte |

mod adaptive;
mod file;
mod learned;
mod memory;
mod normalisation;
mod points;
mod range;
mod saved;

pub use adaptive::{Adaptive, Tolerance};
pub use file::{Metadata, ModelFile, NamedTensor, SCHEMA, Units};
pub use learned::LearnedLaw;
pub use normalisation::Normalisation;
pub use range::{RecordRange, TrainedRange};
pub use saved::Model;
