//! Parameters of a law: named tensors in one flat vector.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A handle to one tensor `[rows, columns]` in the flat parameter vector. A bias or a list of
/// scalars has one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    pub(crate) offset: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Parameter {
    pub fn shape(&self) -> [usize; 2] {
        [self.rows, self.columns]
    }

    pub fn len(&self) -> usize {
        self.rows * self.columns
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn of<'a, T>(&self, values: &'a [T]) -> &'a [T] {
        &values[self.offset..self.offset + self.len()]
    }

    pub(crate) fn of_mut<'a, T>(&self, values: &'a mut [T]) -> &'a mut [T] {
        &mut values[self.offset..self.offset + self.len()]
    }
}

/// What the algebra sees of a raw parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    Free,
    /// `softplus(raw) > 0`.
    Positive,
}

/// How a raw parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// Uniform in `±gain·√(3/columns)`: unit variance in, `gain²` variance out.
    Scaled(f64),
    /// Every entry the same; for a positive parameter, the value after the constraint.
    Value(f64),
}

/// One named tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterTensor {
    pub name: String,
    pub parameter: Parameter,
    pub constraint: Constraint,
    pub initial: Initial,
}

/// The list of a law's tensors; handles are given out as a law is built.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterLayout {
    tensors: Vec<ParameterTensor>,
    len: usize,
}

impl ParameterLayout {
    pub fn add(
        &mut self,
        name: impl Into<String>,
        [rows, columns]: [usize; 2],
        constraint: Constraint,
        initial: Initial,
    ) -> Parameter {
        let parameter = Parameter {
            offset: self.len,
            rows,
            columns,
        };
        self.len += parameter.len();
        self.tensors.push(ParameterTensor {
            name: name.into(),
            parameter,
            constraint,
            initial,
        });
        parameter
    }

    pub fn tensors(&self) -> &[ParameterTensor] {
        &self.tensors
    }

    /// Length of the flat vector.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Raw values to start training from; the same seed gives the same values on every machine.
    pub fn initial_values(&self, seed: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut values = Vec::with_capacity(self.len);
        for tensor in &self.tensors {
            for _ in 0..tensor.parameter.len() {
                values.push(match (tensor.initial, tensor.constraint) {
                    (Initial::Scaled(gain), _) => {
                        let width = gain * (3.0 / tensor.parameter.columns as f64).sqrt();
                        random.random_range(-1.0..1.0) * width
                    }
                    (Initial::Value(v), Constraint::Free) => v,
                    // The inverse of softplus, without overflow.
                    (Initial::Value(v), Constraint::Positive) => v + (-(-v).exp_m1()).ln(),
                });
            }
        }
        values
    }

    /// What the algebra sees: raw values with their constraints applied.
    pub fn effective(&self, raw: &[f64]) -> Vec<f64> {
        let mut values = raw.to_vec();
        for tensor in &self.tensors {
            if tensor.constraint == Constraint::Positive {
                for v in tensor.parameter.of_mut(&mut values) {
                    *v = v.max(0.0) + (-v.abs()).exp().ln_1p();
                }
            }
        }
        values
    }

    /// One where the parameter is constrained to be positive, zero elsewhere.
    pub fn positive_mask(&self) -> Vec<f64> {
        let mut mask = vec![0.0; self.len];
        for tensor in &self.tensors {
            if tensor.constraint == Constraint::Positive {
                tensor.parameter.of_mut(&mut mask).fill(1.0);
            }
        }
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positive_parameters_start_where_they_should() {
        let mut layout = ParameterLayout::default();
        layout.add("w", [3, 2], Constraint::Free, Initial::Scaled(1.0));
        let k = layout.add("k", [2, 1], Constraint::Positive, Initial::Value(0.3));
        let raw = layout.initial_values(1);
        assert_eq!(raw, layout.initial_values(1));
        assert_ne!(raw, layout.initial_values(2));
        for v in k.of(&layout.effective(&raw)) {
            approx::assert_relative_eq!(*v, 0.3, max_relative = 1e-14);
        }
        assert_eq!(layout.positive_mask()[6..], [1.0, 1.0]);
    }
}
