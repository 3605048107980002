//! Errors: what failed, where, and whether a smaller step can help.

use std::path::{Path, PathBuf};

/// The reason why a constitutive update failed. Its outputs are then unchanged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UpdateError {
    /// An input (strain, time step, external variable or state) is NaN or infinite.
    #[error("{what} is not finite ({value})")]
    NonFinite { what: &'static str, value: f64 },
    /// `dt < 0`.
    #[error("time step {dt} s is negative")]
    NegativeTime { dt: f64 },
    /// A slice has the wrong length for this law.
    #[error("{what} has {found} entries, this law needs {expected}")]
    Shape {
        what: &'static str,
        expected: usize,
        found: usize,
    },
    /// The local Newton iteration did not converge; a smaller step can help.
    #[error("{what} did not converge in {iterations} iterations (residual {residual:.3e})")]
    NotConverged {
        what: &'static str,
        iterations: usize,
        residual: f64,
    },
    /// An inadmissible deformation gradient, `det F ≤ 0`; a smaller step can help.
    #[error("the deformation gradient has the determinant {jacobian:.3e}, it must be positive")]
    Inverted { jacobian: f64 },
    /// An adaptive integration needs more than its permitted number of steps; a smaller increment can
    /// help.
    #[error("{steps} steps were not enough for the increment")]
    StepBudget { steps: usize },
    /// The result overflowed although every input was finite; a smaller step can help.
    #[error("{what} overflowed")]
    Overflow { what: &'static str },
}

impl UpdateError {
    /// The factor by which the caller should reduce the increment (Abaqus's PNEWDT), or `None` if a
    /// smaller step cannot help.
    pub fn cut(&self) -> Option<f64> {
        match self {
            Self::NotConverged { .. } | Self::Inverted { .. } | Self::StepBudget { .. } => {
                Some(0.5)
            }
            Self::Overflow { .. } => Some(0.25),
            Self::NonFinite { .. } | Self::NegativeTime { .. } | Self::Shape { .. } => None,
        }
    }
}

/// A failed point of a batched update.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("point {point}: {source}")]
pub struct BatchError {
    pub point: usize,
    pub source: UpdateError,
}

/// All other errors: files, cards, models, load programmes, training.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}: {source}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A test record that cannot be used. `line` counts from 1 and includes the header.
    #[error("{}{}{}: {message}", path.display(), at(":", line), column.as_ref().map(|c| format!(", column {c}")).unwrap_or_default())]
    Record {
        path: PathBuf,
        line: Option<usize>,
        column: Option<String>,
        message: String,
    },
    /// A material card that cannot be used.
    #[error("{}{}: {message}", path.display(), at(":", line))]
    Card {
        path: PathBuf,
        line: Option<usize>,
        message: String,
    },
    /// A saved law that is damaged or invalid.
    #[error("{}: {message}", path.display())]
    Model { path: PathBuf, message: String },
    /// The driver could not complete a load programme.
    #[error("`{name}`, step {step} (t = {time} s): {message}")]
    Drive {
        /// Name of the programme or record.
        name: String,
        step: usize,
        time: f64,
        message: String,
        #[source]
        source: Option<UpdateError>,
    },
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// An argument of a call is invalid.
    #[error("{0}")]
    Invalid(String),
    /// Training could not continue.
    #[error("training: {0}")]
    Training(String),
    /// A figure could not be drawn.
    #[error("{}: {message}", path.display())]
    Plot { path: PathBuf, message: String },
}

fn at(mark: &str, line: &Option<usize>) -> String {
    line.map(|l| format!("{mark}{l}")).unwrap_or_default()
}

impl Error {
    /// Attaches the path to an I/O error.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io {
            path: path.as_ref().to_path_buf(),
            source,
        }
    }

    /// An [`Error::Invalid`] from anything printable.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
