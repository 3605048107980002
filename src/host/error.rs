//! Errors of calls from a host, and the guard that turns panics into errors.

use crate::error::{BatchError, Error, UpdateError};
use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[cfg(all(feature = "capi", panic = "abort"))]
compile_error!("the library for hosts must unwind: a panic that aborts would end the host");

/// Writes a message to the standard error; unlike `eprintln!` it does not panic where that fails.
pub(super) fn warn(message: impl Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "hysteron: {message}");
}

/// Why a call from a host failed. Of a point nothing that the host reads has been written; the outputs of
/// a batch are not to be used.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no law: its file is missing or cannot be used.
    #[error(transparent)]
    Law(#[from] Error),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The arguments of the host do not fit the law.
    #[error("{0}")]
    Call(String),
    #[error("the law panicked: {0}")]
    Panic(String),
}

impl HostError {
    /// [`HostError::Call`] from anything printable.
    pub fn call(message: impl Into<String>) -> Self {
        Self::Call(message.into())
    }

    /// The factor by which the host should shrink the increment, or `None` where no smaller step
    /// can help. A diverging host passes strains that are not numbers: there one can.
    pub fn cut(&self) -> Option<f64> {
        match self {
            Self::Update(error) | Self::Batch(BatchError { source: error, .. }) => match error {
                UpdateError::NonFinite { .. } => Some(0.25),
                error => error.cut(),
            },
            Self::Law(_) | Self::Call(_) | Self::Panic(_) => None,
        }
    }
}

/// Runs `work` and turns a panic into an error: unwinding into C or Fortran would end the host.
///
/// No state that a panic left inconsistent is read again: outputs are written after the last operation
/// that can fail, and each call fills its buffers.
pub(super) fn guard<T>(work: impl FnOnce() -> Result<T, HostError>) -> Result<T, HostError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(panicked(payload.as_ref())))
}

/// The message of a panic.
pub(super) fn panicked(payload: &(dyn Any + Send)) -> HostError {
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    HostError::Panic(text.unwrap_or_else(|| "without a message".into()))
}
