//! Internal variables between host and law.
//!
//! Hosts fill the internal variables of a new model with zeros. They are therefore kept as their
//! difference to the virgin state, which for all listed laws is zero: bit for bit the same.

use crate::law::MaterialLaw;
use std::cell::RefCell;

/// Old state, new state and virgin state of one point.
#[derive(Default)]
pub(super) struct States {
    pub old: Vec<f64>,
    pub new: Vec<f64>,
    virgin: Vec<f64>,
}

thread_local! {
    static STATES: RefCell<States> = RefCell::default();
}

impl States {
    /// Calls `work` with the buffers of this thread, which do not allocate after the first call.
    pub fn with<R>(law: &dyn MaterialLaw, work: impl FnOnce(&mut Self) -> R) -> R {
        // Taken, not borrowed: after a panic the next call starts with fresh ones.
        let mut states = STATES.with(RefCell::take);
        for buffer in [&mut states.old, &mut states.new, &mut states.virgin] {
            buffer.clear();
            buffer.resize(law.state_layout().len(), 0.0);
        }
        law.initial_state(&mut states.virgin);
        let result = work(&mut states);
        STATES.with(|cell| cell.replace(states));
        result
    }

    /// Sets the old state from the host's array.
    pub fn load(&mut self, stored: &[f64]) {
        for ((old, virgin), stored) in self.old.iter_mut().zip(&self.virgin).zip(stored) {
            *old = virgin + stored;
        }
    }

    /// Writes the new state as the host stores it.
    pub fn store(&self, stored: &mut [f64]) {
        for ((stored, new), virgin) in stored.iter_mut().zip(&self.new).zip(&self.virgin) {
            *stored = new - virgin;
        }
    }
}
