//! Learning a recurrent law from records.
//!
//! Roll-outs are free-running over whole records: the law never sees a measured stress. The whole
//! roll-out is one operation of burn's graph (`rollout`), the loss comes with its gradient (`loss`), the
//! optimisers are burn's Adam and then L-BFGS (`fit`). On a GPU the roll-out is many operations (`device`).
//! All but the options and the history of a training needs the feature `train`.

#[cfg(feature = "train")]
pub mod checkpoint;
#[cfg(feature = "train")]
pub mod device;
#[cfg(feature = "train")]
pub mod fit;
#[cfg(feature = "train")]
mod histories;
mod learning_point;
#[cfg(feature = "train")]
pub mod loss;
mod options;
#[cfg(feature = "train")]
mod poisson;
#[cfg(feature = "train")]
pub mod probes;
#[cfg(feature = "train")]
pub mod quasi_newton;
#[cfg(feature = "train")]
mod reduced;
#[cfg(feature = "train")]
pub mod rollout;
#[cfg(feature = "train")]
mod trainer;

#[cfg(feature = "train")]
pub use checkpoint::Checkpoint;
#[cfg(feature = "train")]
pub use device::device;
#[cfg(feature = "train")]
pub use fit::{Fit, Progress, Stop, constrain};
#[cfg(feature = "train")]
pub use histories::Histories;
pub use learning_point::LearningPoint;
pub use options::{ErrorScale, Precision, Training, TrainingDevice};
#[cfg(feature = "train")]
pub use trainer::{Resume, Trained, Trainer, normalisation};
