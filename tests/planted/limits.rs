//! A law that takes small increments only.

use hysteron::error::UpdateError;
use hysteron::law::{Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout};

/// Refuses, as not converged, increments whose largest strain change is above a limit.
pub struct Limited<L> {
    inner: L,
    largest: f64,
}

impl<L: MaterialLaw> Limited<L> {
    pub fn new(inner: L, largest: f64) -> Self {
        Self { inner, largest }
    }
}

impl<L: MaterialLaw> MaterialLaw for Limited<L> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn components(&self) -> usize {
        self.inner.components()
    }

    fn state_layout(&self) -> &StateLayout {
        self.inner.state_layout()
    }

    fn initial_state(&self, state: &mut [f64]) {
        self.inner.initial_state(state);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
        self.inner.free_energy(strain, state, external)
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        self.check(increment, state_old)?;
        let changes = increment.strain_new.iter().zip(increment.strain_old);
        let change = changes.fold(0.0f64, |a, (new, old)| a.max((new - old).abs()));
        if change > self.largest {
            return Err(UpdateError::NotConverged {
                what: "the local iteration",
                iterations: 25,
                residual: change,
            });
        }
        self.inner.update(increment, state_old, state_new, response)
    }

    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }

    fn scales(&self) -> Scales {
        self.inner.scales()
    }
}
