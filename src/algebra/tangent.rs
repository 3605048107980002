//! A value and its derivatives in several directions.

use super::{Activation, Algebra, Bundles, Parameter, Residual, Root};
use std::ops::Range;

/// Most parts of a [`Algebra::concat`]; bounded so that nothing is allocated.
const MAX_PARTS: usize = 8;

/// A vector and its directional derivatives, a bundle with one vector for each direction; `None`
/// where it does not depend on the directions, so that nothing is computed for what is constant
/// (the old state, the parameters).
#[derive(Clone, Debug)]
pub struct Dual<V> {
    pub value: V,
    pub directions: Option<V>,
}

/// Reads a law together with its derivatives, over a reading whose vectors can be bundled.
pub struct Tangent<'a, A> {
    inner: &'a A,
}

impl<'a, A: Bundles> Tangent<'a, A> {
    pub fn new(inner: &'a A) -> Self {
        Self { inner }
    }

    /// A vector that does not depend on the directions.
    pub fn fixed(&self, value: A::Vector) -> Dual<A::Vector> {
        Dual {
            value,
            directions: None,
        }
    }

    /// The independent variable `[n]`: there are `n` directions, the unit vectors.
    pub fn variable(&self, value: A::Vector) -> Dual<A::Vector> {
        let directions = Some(self.inner.units(self.inner.len(&value)));
        Dual { value, directions }
    }

    /// `f(x̂, y) + f(x, ŷ)` for a bilinear `f`.
    fn product(
        &self,
        x: &Dual<A::Vector>,
        y: &Dual<A::Vector>,
        f: impl Fn(&A::Vector, &A::Vector) -> A::Vector,
    ) -> Dual<A::Vector> {
        let directions = match (&x.directions, &y.directions) {
            (None, None) => None,
            (Some(dx), None) => Some(f(dx, &y.value)),
            (None, Some(dy)) => Some(f(&x.value, dy)),
            (Some(dx), Some(dy)) => Some(self.inner.add(&f(dx, &y.value), &f(&x.value, dy))),
        };
        Dual {
            value: f(&x.value, &y.value),
            directions,
        }
    }

    /// Functions of `x` whose slopes are the values after them.
    fn chain<const K: usize>(
        &self,
        values: &[A::Vector],
        x: &Dual<A::Vector>,
    ) -> [Dual<A::Vector>; K] {
        std::array::from_fn(|k| Dual {
            value: values[k].clone(),
            directions: x
                .directions
                .as_ref()
                .map(|d| self.inner.mul(&values[k + 1], d)),
        })
    }

    /// The derivative of a vector, or zeros.
    fn directions(&self, x: &Dual<A::Vector>) -> A::Vector {
        let zeros = || self.inner.zeros(self.inner.len(&x.value));
        x.directions.clone().unwrap_or_else(zeros)
    }
}

impl<A: Bundles> Algebra for Tangent<'_, A> {
    type Vector = Dual<A::Vector>;

    fn len(&self, x: &Self::Vector) -> usize {
        self.inner.len(&x.value)
    }

    fn constant(&self, values: &[f64]) -> Self::Vector {
        self.fixed(self.inner.constant(values))
    }

    fn parameter(&self, parameter: Parameter) -> Self::Vector {
        self.fixed(self.inner.parameter(parameter))
    }

    fn dense(&self, weight: Parameter, bias: Option<Parameter>, x: &Self::Vector) -> Self::Vector {
        let along = |d| self.inner.dense(weight, None, d);
        Dual {
            value: self.inner.dense(weight, bias, &x.value),
            directions: x.directions.as_ref().map(along),
        }
    }

    fn dense_transposed(&self, weight: Parameter, y: &Self::Vector) -> Self::Vector {
        let along = |d| self.inner.dense_transposed(weight, d);
        Dual {
            value: self.inner.dense_transposed(weight, &y.value),
            directions: y.directions.as_ref().map(along),
        }
    }

    fn derivatives<const K: usize>(
        &self,
        activation: Activation,
        order: u8,
        x: &Self::Vector,
    ) -> [Self::Vector; K] {
        if x.directions.is_none() {
            let values = self.inner.derivatives::<K>(activation, order, &x.value);
            return values.map(|value| self.fixed(value));
        }
        // Each result and the one after it, its slope.
        match K {
            1 => self.chain(&self.inner.derivatives::<2>(activation, order, &x.value), x),
            2 => self.chain(&self.inner.derivatives::<3>(activation, order, &x.value), x),
            _ => panic!("more than two derivatives of what has directions"),
        }
    }

    fn add(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector {
        let directions = match (&x.directions, &y.directions) {
            (Some(dx), Some(dy)) => Some(self.inner.add(dx, dy)),
            (dx, dy) => dx.as_ref().or(dy.as_ref()).cloned(),
        };
        Dual {
            value: self.inner.add(&x.value, &y.value),
            directions,
        }
    }

    fn sub(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector {
        let directions = match (&x.directions, &y.directions) {
            (Some(dx), Some(dy)) => Some(self.inner.sub(dx, dy)),
            (dx, None) => dx.clone(),
            (None, Some(dy)) => Some(self.inner.scale(dy, -1.0)),
        };
        Dual {
            value: self.inner.sub(&x.value, &y.value),
            directions,
        }
    }

    fn mul(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector {
        self.product(x, y, |x, y| self.inner.mul(x, y))
    }

    fn affine(&self, x: &Self::Vector, factor: f64, offset: f64) -> Self::Vector {
        let along = |d| self.inner.scale(d, factor);
        Dual {
            value: self.inner.affine(&x.value, factor, offset),
            directions: x.directions.as_ref().map(along),
        }
    }

    fn detach(&self, x: &Self::Vector) -> Self::Vector {
        self.fixed(self.inner.detach(&x.value))
    }

    fn dot(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector {
        self.product(x, y, |x, y| self.inner.dot(x, y))
    }

    fn concat(&self, parts: &[&Self::Vector]) -> Self::Vector {
        let count = parts.len();
        assert!(count <= MAX_PARTS, "more than {MAX_PARTS} parts");
        let values: [&A::Vector; MAX_PARTS] =
            std::array::from_fn(|i| &parts[i.min(count - 1)].value);
        let directions = parts.iter().any(|p| p.directions.is_some()).then(|| {
            let each: [A::Vector; MAX_PARTS] = std::array::from_fn(|i| match parts.get(i) {
                Some(part) => self.directions(part),
                None => values[0].clone(),
            });
            let each: [&A::Vector; MAX_PARTS] = std::array::from_fn(|i| &each[i]);
            self.inner.concat(&each[..count])
        });
        Dual {
            value: self.inner.concat(&values[..count]),
            directions,
        }
    }

    fn slice(&self, x: &Self::Vector, range: Range<usize>) -> Self::Vector {
        let directions = x.directions.as_ref();
        Dual {
            directions: directions.map(|d| self.inner.slice(d, range.clone())),
            value: self.inner.slice(&x.value, range),
        }
    }

    fn broadcast(&self, x: &Self::Vector, n: usize) -> Self::Vector {
        let along = |d| self.inner.broadcast(d, n);
        Dual {
            value: self.inner.broadcast(&x.value, n),
            directions: x.directions.as_ref().map(along),
        }
    }

    fn select(
        &self,
        condition: &Self::Vector,
        yes: &Self::Vector,
        no: &Self::Vector,
    ) -> Self::Vector {
        let directions = (yes.directions.is_some() || no.directions.is_some()).then(|| {
            let (yes, no) = (self.directions(yes), self.directions(no));
            self.inner.select(&condition.value, &yes, &no)
        });
        Dual {
            value: self.inner.select(&condition.value, &yes.value, &no.value),
            directions,
        }
    }

    fn root<R: Residual<K>, const K: usize>(
        &self,
        residual: &R,
        known: &[Self::Vector; K],
        guess: &Self::Vector,
    ) -> Root<Self::Vector> {
        let known = known.each_ref().map(|k| k.value.clone());
        let root = self.inner.root(residual, &known, &guess.value);
        Root {
            value: self.fixed(root.value),
            inverse: self.fixed(root.inverse),
        }
    }

    fn solve_linear(&self, inverse: &Self::Vector, y: &Self::Vector) -> Self::Vector {
        let along = |d| self.inner.solve_linear(&inverse.value, d);
        Dual {
            value: self.inner.solve_linear(&inverse.value, &y.value),
            directions: y.directions.as_ref().map(along),
        }
    }
}
