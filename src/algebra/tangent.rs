//! A value and its derivative in `N` directions, over another reading.

use super::{Activation, Algebra, Parameter, Residual, Root};
use std::ops::Range;

/// Most parts of a [`Algebra::concat`]; bounded so that nothing is allocated.
const MAX_PARTS: usize = 8;

/// A vector and its directional derivatives; `None` where it does not depend on the directions,
/// so that nothing is computed for what is constant (the old state, the parameters).
#[derive(Clone, Debug)]
pub struct Dual<V, const N: usize> {
    pub value: V,
    pub directions: Option<[V; N]>,
}

/// Reads a law together with its derivatives.
pub struct Tangent<'a, A, const N: usize> {
    inner: &'a A,
}

impl<'a, A: Algebra, const N: usize> Tangent<'a, A, N> {
    pub fn new(inner: &'a A) -> Self {
        Self { inner }
    }

    /// A vector that does not depend on the directions.
    pub fn fixed(&self, value: A::Vector) -> Dual<A::Vector, N> {
        Dual {
            value,
            directions: None,
        }
    }

    /// The independent variable `[N]`: direction `k` is the `k`-th unit vector.
    pub fn variable(&self, value: A::Vector) -> Dual<A::Vector, N> {
        let unit = |k: usize| {
            let mut e = [0.0; N];
            e[k] = 1.0;
            self.inner.constant(&e)
        };
        Dual {
            value,
            directions: Some(std::array::from_fn(unit)),
        }
    }

    fn map(
        &self,
        x: &Dual<A::Vector, N>,
        f: impl Fn(&A::Vector) -> A::Vector,
    ) -> Option<[A::Vector; N]> {
        x.directions
            .as_ref()
            .map(|d| std::array::from_fn(|k| f(&d[k])))
    }

    /// Combines two derivatives of which either may be absent.
    fn join(
        &self,
        x: Option<[A::Vector; N]>,
        y: Option<[A::Vector; N]>,
        both: impl Fn(&A::Vector, &A::Vector) -> A::Vector,
    ) -> Option<[A::Vector; N]> {
        match (x, y) {
            (Some(x), Some(y)) => Some(std::array::from_fn(|k| both(&x[k], &y[k]))),
            (x, y) => x.or(y),
        }
    }

    /// `f(x̂, y) + f(x, ŷ)` for a bilinear `f`.
    fn product(
        &self,
        x: &Dual<A::Vector, N>,
        y: &Dual<A::Vector, N>,
        f: impl Fn(&A::Vector, &A::Vector) -> A::Vector,
    ) -> Dual<A::Vector, N> {
        let left = self.map(x, |d| f(d, &y.value));
        let right = self.map(y, |d| f(&x.value, d));
        Dual {
            value: f(&x.value, &y.value),
            directions: self.join(left, right, |l, r| self.inner.add(l, r)),
        }
    }

    /// The derivative of a vector, or zeros.
    fn directions(&self, x: &Dual<A::Vector, N>) -> [A::Vector; N] {
        x.directions.clone().unwrap_or_else(|| {
            let zero = self.inner.zeros(self.inner.len(&x.value));
            std::array::from_fn(|_| zero.clone())
        })
    }
}

impl<A: Algebra, const N: usize> Algebra for Tangent<'_, A, N> {
    type Vector = Dual<A::Vector, N>;

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
        Dual {
            value: self.inner.dense(weight, bias, &x.value),
            directions: self.map(x, |d| self.inner.dense(weight, None, d)),
        }
    }

    fn dense_transposed(&self, weight: Parameter, y: &Self::Vector) -> Self::Vector {
        Dual {
            value: self.inner.dense_transposed(weight, &y.value),
            directions: self.map(y, |d| self.inner.dense_transposed(weight, d)),
        }
    }

    fn activate(&self, activation: Activation, order: u8, x: &Self::Vector) -> Self::Vector {
        let slope = x
            .directions
            .as_ref()
            .map(|_| self.inner.activate(activation, order + 1, &x.value));
        Dual {
            value: self.inner.activate(activation, order, &x.value),
            directions: slope.and_then(|slope| self.map(x, |d| self.inner.mul(&slope, d))),
        }
    }

    fn add(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector {
        Dual {
            value: self.inner.add(&x.value, &y.value),
            directions: self.join(x.directions.clone(), y.directions.clone(), |x, y| {
                self.inner.add(x, y)
            }),
        }
    }

    fn sub(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector {
        let negative = match x.directions {
            None => self.map(y, |d| self.inner.scale(d, -1.0)),
            Some(_) => y.directions.clone(),
        };
        Dual {
            value: self.inner.sub(&x.value, &y.value),
            directions: self.join(x.directions.clone(), negative, |x, y| self.inner.sub(x, y)),
        }
    }

    fn mul(&self, x: &Self::Vector, y: &Self::Vector) -> Self::Vector {
        self.product(x, y, |x, y| self.inner.mul(x, y))
    }

    fn affine(&self, x: &Self::Vector, factor: f64, offset: f64) -> Self::Vector {
        Dual {
            value: self.inner.affine(&x.value, factor, offset),
            directions: self.map(x, |d| self.inner.scale(d, factor)),
        }
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
            let zeros: [Option<A::Vector>; MAX_PARTS] = std::array::from_fn(|i| {
                let part = parts.get(i).filter(|p| p.directions.is_none())?;
                Some(self.inner.zeros(self.inner.len(&part.value)))
            });
            std::array::from_fn(|k| {
                let each: [&A::Vector; MAX_PARTS] = std::array::from_fn(|i| {
                    let i = i.min(count - 1);
                    let moving = parts[i].directions.as_ref().map(|d| &d[k]);
                    moving.or(zeros[i].as_ref()).unwrap_or(values[i])
                });
                self.inner.concat(&each[..count])
            })
        });
        Dual {
            value: self.inner.concat(&values[..count]),
            directions,
        }
    }

    fn slice(&self, x: &Self::Vector, range: Range<usize>) -> Self::Vector {
        Dual {
            value: self.inner.slice(&x.value, range.clone()),
            directions: self.map(x, |d| self.inner.slice(d, range.clone())),
        }
    }

    fn broadcast(&self, x: &Self::Vector, n: usize) -> Self::Vector {
        Dual {
            value: self.inner.broadcast(&x.value, n),
            directions: self.map(x, |d| self.inner.broadcast(d, n)),
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
            std::array::from_fn(|k| self.inner.select(&condition.value, &yes[k], &no[k]))
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
        Dual {
            value: self.inner.solve_linear(&inverse.value, &y.value),
            directions: self.map(y, |d| self.inner.solve_linear(&inverse.value, d)),
        }
    }
}
