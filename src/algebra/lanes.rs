//! The plain reading: `W` material points side by side.

use super::{Activation, Algebra, Parameter, Residual, Root, Unsolved, implicit, kernels};
use std::cell::{Cell, RefCell};
use std::ops::Range;

/// Where a vector lies in the arena of a [`Lanes`] or a [`Tape`](super::Tape).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub(super) start: usize,
    pub(super) len: usize,
}

impl Span {
    /// Place of component `i` in the arena.
    pub fn at(self, i: usize) -> usize {
        self.start + i
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

/// Vectors of `[f64; W]` in an arena that is filled by operations and cleared between updates, so
/// that nothing is allocated once it has grown.
pub struct Lanes<'p, const W: usize> {
    parameters: &'p [f64],
    arena: RefCell<Vec<[f64; W]>>,
    unsolved: Cell<[Option<Unsolved>; W]>,
}

impl<'p, const W: usize> Lanes<'p, W> {
    /// `parameters` are the effective ones (see [`ParameterLayout`](super::ParameterLayout)).
    pub fn new(parameters: &'p [f64]) -> Self {
        Self::with_arena(parameters, Vec::new())
    }

    /// Reuses the memory of an earlier arena.
    pub fn with_arena(parameters: &'p [f64], mut arena: Vec<[f64; W]>) -> Self {
        arena.clear();
        Self {
            parameters,
            arena: RefCell::new(arena),
            unsolved: Cell::new([None; W]),
        }
    }

    /// Gives the memory back.
    pub fn into_arena(self) -> Vec<[f64; W]> {
        self.arena.into_inner()
    }

    /// Number of values in the arena.
    pub fn used(&self) -> usize {
        self.arena.borrow().len()
    }

    /// Forgets every vector made after the arena held `used` values.
    pub fn truncate(&self, used: usize) {
        self.arena.borrow_mut().truncate(used);
    }

    /// A vector whose entries differ from point to point: `fill(component, lane)`.
    pub fn input(&self, n: usize, fill: impl Fn(usize, usize) -> f64) -> Span {
        let mut arena = self.arena.borrow_mut();
        let start = arena.len();
        arena.extend((0..n).map(|i| std::array::from_fn(|lane| fill(i, lane))));
        Span { start, len: n }
    }

    /// Copies one vector over another of the same length.
    pub fn overwrite(&self, to: Span, from: Span) {
        assert_eq!(to.len, from.len, "vectors of different length");
        self.arena.borrow_mut().copy_within(from.range(), to.start);
    }

    /// Component `i` of a vector at every lane.
    pub fn get(&self, x: Span, i: usize) -> [f64; W] {
        self.arena.borrow()[x.range()][i]
    }

    /// The lanes where [`Algebra::root`] found none.
    pub fn unsolved(&self) -> [Option<Unsolved>; W] {
        self.unsolved.get()
    }

    pub(super) fn mark_unsolved(&self, lane: usize, search: Unsolved) {
        let mut all = self.unsolved.get();
        all[lane] = Some(search);
        self.unsolved.set(all);
    }

    /// Works on the arena in its place.
    pub(super) fn edit(&self, work: impl FnOnce(&mut [[f64; W]])) {
        work(&mut self.arena.borrow_mut());
    }

    /// Appends a vector of `n` computed from what is already in the arena.
    #[inline]
    fn append(&self, n: usize, compute: impl FnOnce(&[[f64; W]], &mut [[f64; W]])) -> Span {
        let mut arena = self.arena.borrow_mut();
        let start = arena.len();
        arena.resize(start + n, [0.0; W]);
        let (past, new) = arena.split_at_mut(start);
        compute(past, new);
        Span { start, len: n }
    }

    #[inline]
    fn zip(&self, x: &Span, y: &Span, f: impl Fn(f64, f64) -> f64) -> Span {
        assert_eq!(x.len, y.len, "vectors of different length");
        self.append(x.len, |past, new| {
            for ((new, x), y) in new.iter_mut().zip(&past[x.range()]).zip(&past[y.range()]) {
                *new = std::array::from_fn(|w| f(x[w], y[w]));
            }
        })
    }
}

impl<const W: usize> Algebra for Lanes<'_, W> {
    type Vector = Span;

    fn len(&self, x: &Span) -> usize {
        x.len
    }

    fn constant(&self, values: &[f64]) -> Span {
        self.input(values.len(), |i, _| values[i])
    }

    fn parameter(&self, parameter: Parameter) -> Span {
        self.constant(parameter.of(self.parameters))
    }

    fn dense(&self, weight: Parameter, bias: Option<Parameter>, x: &Span) -> Span {
        assert_eq!(weight.columns, x.len, "columns of the weight and length");
        self.append(weight.rows, |past, new| {
            if let Some(bias) = bias {
                for (new, b) in new.iter_mut().zip(bias.of(self.parameters)) {
                    *new = [*b; W];
                }
            }
            kernels::dense_add(weight.of(self.parameters), &past[x.range()], new)
        })
    }

    fn dense_transposed(&self, weight: Parameter, y: &Span) -> Span {
        assert_eq!(weight.rows, y.len, "rows of the weight and length");
        self.append(weight.columns, |past, new| {
            kernels::dense_transposed_add(weight.of(self.parameters), &past[y.range()], new)
        })
    }

    fn activate(&self, activation: Activation, order: u8, x: &Span) -> Span {
        self.append(x.len, |past, new| {
            kernels::activate(activation, order, &past[x.range()], new)
        })
    }

    fn add(&self, x: &Span, y: &Span) -> Span {
        self.zip(x, y, |x, y| x + y)
    }

    fn sub(&self, x: &Span, y: &Span) -> Span {
        self.zip(x, y, |x, y| x - y)
    }

    fn mul(&self, x: &Span, y: &Span) -> Span {
        self.zip(x, y, |x, y| x * y)
    }

    fn affine(&self, x: &Span, factor: f64, offset: f64) -> Span {
        self.append(x.len, |past, new| {
            for (new, x) in new.iter_mut().zip(&past[x.range()]) {
                *new = x.map(|x| factor * x + offset);
            }
        })
    }

    fn dot(&self, x: &Span, y: &Span) -> Span {
        assert_eq!(x.len, y.len, "vectors of different length");
        self.append(1, |past, new| {
            for (x, y) in past[x.range()].iter().zip(&past[y.range()]) {
                for w in 0..W {
                    new[0][w] += x[w] * y[w];
                }
            }
        })
    }

    fn concat(&self, parts: &[&Span]) -> Span {
        self.append(parts.iter().map(|p| p.len).sum(), |past, new| {
            let mut at = 0;
            for part in parts {
                new[at..at + part.len].copy_from_slice(&past[part.range()]);
                at += part.len;
            }
        })
    }

    fn slice(&self, x: &Span, range: Range<usize>) -> Span {
        assert!(range.end <= x.len, "slice beyond the vector");
        Span {
            start: x.start + range.start,
            len: range.len(),
        }
    }

    fn broadcast(&self, x: &Span, n: usize) -> Span {
        assert_eq!(x.len, 1, "only a scalar is broadcast");
        self.append(n, |past, new| new.fill(past[x.start]))
    }

    fn select(&self, condition: &Span, yes: &Span, no: &Span) -> Span {
        assert_eq!(condition.len, 1, "the condition is a scalar");
        assert_eq!(yes.len, no.len, "vectors of different length");
        self.append(yes.len, |past, new| {
            let c = past[condition.start];
            for ((new, y), n) in new
                .iter_mut()
                .zip(&past[yes.range()])
                .zip(&past[no.range()])
            {
                *new = std::array::from_fn(|w| if c[w] > 0.0 { y[w] } else { n[w] });
            }
        })
    }

    fn root<R: Residual<K>, const K: usize>(
        &self,
        residual: &R,
        known: &[Span; K],
        guess: &Span,
    ) -> Root<Span> {
        implicit::newton(self, residual, known, *guess, |_, _| ())
    }

    fn solve_linear(&self, inverse: &Span, y: &Span) -> Span {
        assert_eq!(inverse.len, y.len * y.len, "a square matrix and its vector");
        self.append(y.len, |past, new| {
            implicit::matrix_add(&past[inverse.range()], &past[y.range()], new)
        })
    }
}
