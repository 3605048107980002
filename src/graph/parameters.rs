//! Parameters of a law: named tensors in one flat vector.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One tensor `[rows, columns]` in the flat parameter vector.
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

    /// Its entries among all parameters.
    ///
    /// # Panics
    /// Where there are fewer parameters.
    pub fn of<'a, T>(&self, values: &'a [T]) -> &'a [T] {
        &values[self.offset..self.offset + self.len()]
    }

    pub(crate) fn of_mut<'a, T>(&self, values: &'a mut [T]) -> &'a mut [T] {
        &mut values[self.offset..self.offset + self.len()]
    }
}

/// A weight `W [n, m]`: `W * x` is its product with a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Matrix(Parameter);

impl Matrix {
    /// `[n, m]`
    pub fn shape(self) -> [usize; 2] {
        self.0.shape()
    }
}

/// A vector of coefficients `[n]`, as material constants: operators take it entry by entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Coefficients(Parameter);

impl Coefficients {
    /// `n`
    pub fn len(self) -> usize {
        self.0.len()
    }

    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl From<Matrix> for Parameter {
    fn from(matrix: Matrix) -> Self {
        matrix.0
    }
}

impl From<Coefficients> for Parameter {
    fn from(coefficients: Coefficients) -> Self {
        coefficients.0
    }
}

/// Which values a parameter can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    Free,
    /// Positive: the softplus of an unconstrained number.
    Positive,
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// Uniform in `±gain·√(3/columns)`: unit variance in, `gain²` variance out.
    Scaled(f64),
    /// Every entry the same; for a positive parameter, the value after the constraint.
    ///
    /// Entries that start alike and do the same in a law have the same derivative and stay alike:
    /// parallel elements start apart, by [`Initial::Spread`] or by other parameters of theirs.
    Value(f64),
    /// Row by row from the first to the last value; a positive parameter in even ratios, after the
    /// constraint, another one in even steps.
    Spread([f64; 2]),
}

/// What a parameter is measured in. Laws are written in normalised units: the value in physical ones is
/// that of the law times scales of strain `s_ε`, stress `s_σ` and time `s_t`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// A number.
    #[default]
    One,
    /// `s_σ`, MPa
    Stress,
    /// `s_σ/s_ε`, MPa
    Modulus,
    /// `s_t`, s
    Time,
    /// `1/s_t`, 1/s
    Rate,
    /// `s_ε/s_t`, 1/s
    StrainRate,
}

impl Unit {
    pub fn symbol(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Stress | Self::Modulus => "MPa",
            Self::Time => "s",
            Self::Rate | Self::StrainRate => "1/s",
        }
    }

    /// The value in physical units of what is one to the law, from `s_ε`, `s_σ` in MPa and `s_t` in s.
    pub fn scale(self, [strain, stress, time]: [f64; 3]) -> f64 {
        match self {
            Self::One => 1.0,
            Self::Stress => stress,
            Self::Modulus => stress / strain,
            Self::Time => time,
            Self::Rate => 1.0 / time,
            Self::StrainRate => strain / time,
        }
    }
}

/// One named tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterTensor {
    pub name: String,
    pub parameter: Parameter,
    pub constraint: Constraint,
    pub initial: Initial,
    pub unit: Unit,
}

/// The list of a law's tensors; handles are given out as a law is built.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterLayout {
    tensors: Vec<ParameterTensor>,
    len: usize,
}

impl ParameterLayout {
    /// A weight `[n, m]`.
    pub fn matrix(
        &mut self,
        name: impl Into<String>,
        shape: [usize; 2],
        constraint: Constraint,
        initial: Initial,
    ) -> Matrix {
        Matrix(self.add(name, shape, constraint, initial))
    }

    /// A vector of coefficients `[n]`.
    pub fn coefficients(
        &mut self,
        name: impl Into<String>,
        n: usize,
        constraint: Constraint,
        initial: Initial,
    ) -> Coefficients {
        Coefficients(self.add(name, [n, 1], constraint, initial))
    }

    /// A tensor; one without entries is not listed.
    fn add(
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
        if parameter.is_empty() {
            return parameter;
        }
        self.len += parameter.len();
        self.tensors.push(ParameterTensor {
            name: name.into(),
            parameter,
            constraint,
            initial,
            unit: Unit::One,
        });
        parameter
    }

    /// Says what a parameter is measured in; without this it is a number.
    pub fn measured_in(&mut self, parameter: impl Into<Parameter>, unit: Unit) {
        let parameter = parameter.into();
        let tensors = self.tensors.iter_mut();
        let named = tensors.filter(|tensor| tensor.parameter == parameter);
        named.for_each(|tensor| tensor.unit = unit);
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
            let Parameter { rows, columns, .. } = tensor.parameter;
            for i in 0..tensor.parameter.len() {
                let value = match tensor.initial {
                    Initial::Scaled(gain) => {
                        let width = gain * (3.0 / columns as f64).sqrt();
                        values.push(random.random_range(-1.0..1.0) * width);
                        continue;
                    }
                    Initial::Value(value) => value,
                    Initial::Spread([first, last]) => {
                        let share = (i / columns) as f64 / (rows - 1).max(1) as f64;
                        match tensor.constraint {
                            Constraint::Free => first + share * (last - first),
                            Constraint::Positive => first * (last / first).powf(share),
                        }
                    }
                };
                values.push(match tensor.constraint {
                    Constraint::Free => value,
                    // The inverse of softplus, without overflow.
                    Constraint::Positive => value + (-(-value).exp_m1()).ln(),
                });
            }
        }
        values
    }

    /// The values that a law sees: unconstrained ones with their constraints applied.
    pub fn constrained(&self, unconstrained: &[f64]) -> Vec<f64> {
        let mut values = unconstrained.to_vec();
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
        layout.matrix("w", [3, 2], Constraint::Free, Initial::Scaled(1.0));
        let k = layout.coefficients("k", 2, Constraint::Positive, Initial::Value(0.3));
        let unconstrained = layout.initial_values(1);
        assert_eq!(unconstrained, layout.initial_values(1));
        assert_ne!(unconstrained, layout.initial_values(2));
        for v in Parameter::from(k).of(&layout.constrained(&unconstrained)) {
            approx::assert_relative_eq!(*v, 0.3, max_relative = 1e-14);
        }
        assert_eq!(layout.positive_mask()[6..], [1.0, 1.0]);

        let start = Initial::Spread([1.0, 4.0]);
        let mut layout = ParameterLayout::default();
        layout.coefficients("ratios", 3, Constraint::Positive, start);
        layout.coefficients("steps", 3, Constraint::Free, start);
        let spread = layout.constrained(&layout.initial_values(1));
        for (found, expected) in spread.iter().zip([1.0, 2.0, 4.0, 1.0, 2.5, 4.0]) {
            approx::assert_relative_eq!(*found, expected, max_relative = 1e-14);
        }
    }
}
