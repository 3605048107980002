//! Where the inputs of the points that are advanced together come from.

use crate::error::{BatchError, UpdateError};
use crate::law::{BatchInput, Increment};

/// Where the inputs of `W` points come from.
pub(super) trait Points {
    fn strain_old(&self, i: usize, lane: usize) -> f64;
    fn strain_new(&self, i: usize, lane: usize) -> f64;
    fn dt(&self, lane: usize) -> f64;
    fn external(&self, i: usize, lane: usize) -> f64;
    fn state(&self, i: usize, lane: usize) -> f64;
}

pub(super) struct OnePoint<'a> {
    pub increment: &'a Increment<'a>,
    pub state: &'a [f64],
}

impl Points for OnePoint<'_> {
    fn strain_old(&self, i: usize, _: usize) -> f64 {
        self.increment.strain_old[i]
    }

    fn strain_new(&self, i: usize, _: usize) -> f64 {
        self.increment.strain_new[i]
    }

    fn dt(&self, _: usize) -> f64 {
        self.increment.dt
    }

    fn external(&self, i: usize, _: usize) -> f64 {
        self.increment.external_new[i]
    }

    fn state(&self, i: usize, _: usize) -> f64 {
        self.state[i]
    }
}

/// Some points of a batch from `first` on; lanes beyond the end repeat the last point.
pub(super) struct Chunk<'a> {
    pub input: &'a BatchInput<'a>,
    pub first: usize,
}

impl Chunk<'_> {
    fn at(&self, values: &[f64], i: usize, lane: usize) -> f64 {
        let points = self.input.points;
        values[i * points + (self.first + lane).min(points - 1)]
    }
}

impl Points for Chunk<'_> {
    fn strain_old(&self, i: usize, lane: usize) -> f64 {
        self.at(self.input.strain_old, i, lane)
    }

    fn strain_new(&self, i: usize, lane: usize) -> f64 {
        self.at(self.input.strain_new, i, lane)
    }

    fn dt(&self, lane: usize) -> f64 {
        self.at(self.input.dt, 0, lane)
    }

    fn external(&self, i: usize, lane: usize) -> f64 {
        self.at(self.input.external_new, i, lane)
    }

    fn state(&self, i: usize, lane: usize) -> f64 {
        self.at(self.input.state, i, lane)
    }
}

/// Refuses a batch with a number that is not finite, or a negative time step.
pub(super) fn check_values(input: &BatchInput) -> Result<(), BatchError> {
    let p = input.points;
    for (what, values) in [
        ("old strain", input.strain_old),
        ("new strain", input.strain_new),
        ("time step", input.dt),
        ("old external variables", input.external_old),
        ("new external variables", input.external_new),
        ("state", input.state),
    ] {
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let source = UpdateError::NonFinite {
                what,
                value: values[at],
            };
            return Err(BatchError {
                point: at % p,
                source,
            });
        }
    }
    match input.dt.iter().position(|dt| *dt < 0.0) {
        None => Ok(()),
        Some(point) => Err(BatchError {
            point,
            source: UpdateError::NegativeTime {
                dt: input.dt[point],
            },
        }),
    }
}
