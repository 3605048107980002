//! Where the inputs of the points that are advanced together come from.

use crate::error::{BatchError, UpdateError};
use crate::kernels::elementwise;
use crate::law::{BatchInput, Increment};

/// Where the inputs of `W` points come from: entry `i` of each.
pub(crate) trait PointInputs<const W: usize> {
    fn strain_old(&self, i: usize) -> [f64; W];
    fn strain_new(&self, i: usize) -> [f64; W];
    fn dt(&self) -> [f64; W];
    fn external(&self, i: usize) -> [f64; W];
    fn state(&self, i: usize) -> [f64; W];
}

pub(super) struct OnePoint<'a> {
    pub increment: &'a Increment<'a>,
    pub state: &'a [f64],
}

impl PointInputs<1> for OnePoint<'_> {
    fn strain_old(&self, i: usize) -> [f64; 1] {
        [self.increment.strain_old[i]]
    }

    fn strain_new(&self, i: usize) -> [f64; 1] {
        [self.increment.strain_new[i]]
    }

    fn dt(&self) -> [f64; 1] {
        [self.increment.dt]
    }

    fn external(&self, i: usize) -> [f64; 1] {
        [self.increment.external_new[i]]
    }

    fn state(&self, i: usize) -> [f64; 1] {
        [self.state[i]]
    }
}

/// Some points of a batch from `first` on; lanes beyond the end repeat the last point.
pub(super) struct Chunk<'a> {
    pub input: &'a BatchInput<'a>,
    pub first: usize,
}

impl Chunk<'_> {
    #[inline]
    fn row<const W: usize>(&self, values: &[f64], i: usize) -> [f64; W] {
        let points = self.input.points;
        let row = &values[i * points..][..points];
        match row[self.first..].first_chunk() {
            Some(full) => *full,
            None => std::array::from_fn(|lane| row[(self.first + lane).min(points - 1)]),
        }
    }
}

impl<const W: usize> PointInputs<W> for Chunk<'_> {
    fn strain_old(&self, i: usize) -> [f64; W] {
        self.row(self.input.strain_old, i)
    }

    fn strain_new(&self, i: usize) -> [f64; W] {
        self.row(self.input.strain_new, i)
    }

    fn dt(&self) -> [f64; W] {
        self.row(self.input.dt, 0)
    }

    fn external(&self, i: usize) -> [f64; W] {
        self.row(self.input.external_new, i)
    }

    fn state(&self, i: usize) -> [f64; W] {
        self.row(self.input.state, i)
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
        if elementwise::finite(values) {
            continue;
        }
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
