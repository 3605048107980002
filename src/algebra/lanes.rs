//! The plain reading: `W` material points side by side.

use super::kernels::{self, Binary, Start};
use super::{
    Activation, Algebra, Bundles, Parameter, Real, Residual, Root, Unsolved, Weights, implicit,
};
use std::cell::{Cell, RefCell};
use std::ops::Range;

/// Where a vector, or a bundle of them, lies in the arena of a [`Lanes`] or a
/// [`Tape`](super::Tape).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    /// Of one vector.
    len: u32,
    /// From one vector of a bundle to the next.
    stride: u32,
    /// Number of vectors.
    count: u16,
    /// Whether it has the same entries at every lane, and is kept once for all of them.
    uniform: bool,
}

impl Span {
    fn new(start: usize, [count, len]: [usize; 2], uniform: bool) -> Self {
        assert!(count <= usize::from(u16::MAX) && start <= u32::MAX as usize);
        Self {
            start: start as u32,
            len: len as u32,
            stride: len as u32,
            count: count as u16,
            uniform,
        }
    }

    #[inline(always)]
    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    #[inline(always)]
    pub(super) fn len(self) -> usize {
        self.len as usize
    }

    #[inline(always)]
    fn count(self) -> usize {
        usize::from(self.count)
    }

    /// Place of component `i` in the arena.
    pub fn at(self, i: usize) -> usize {
        self.start() + i
    }

    #[inline(always)]
    pub(super) fn range(self) -> Range<usize> {
        self.start()..self.start() + self.len()
    }

    /// Place of the `k`-th vector of a bundle; of the only one for every `k`.
    #[inline(always)]
    fn nth(self, k: usize) -> Range<usize> {
        let start = self.start() + k * self.step();
        start..start + self.len()
    }

    /// From one vector to the next; a single one stands for as many.
    #[inline(always)]
    fn step(self) -> usize {
        if self.count == 1 {
            0
        } else {
            self.stride as usize
        }
    }

    /// Several vectors of one bundle, as vectors.
    fn split<const K: usize>(self) -> [Self; K] {
        std::array::from_fn(|k| Self {
            start: self.start + k as u32 * self.stride,
            count: 1,
            ..self
        })
    }

    /// This vector and those that follow it without a gap, as one long vector.
    pub(super) fn joined(self, count: usize) -> Self {
        Self::new(self.start(), [1, count * self.len()], self.uniform)
    }
}

/// Memory of a [`Lanes`], to be used by the next one.
#[derive(Debug)]
pub struct Arena<const W: usize, T = f64> {
    varying: Stack<[T; W]>,
    uniform: Stack<T>,
}

/// Values that are used from the first on; the memory beyond is kept.
#[derive(Debug)]
struct Stack<V> {
    values: Vec<V>,
    used: usize,
}

/// How much of an arena is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    varying: usize,
    uniform: usize,
}

impl<V: Copy> Stack<V> {
    const EMPTY: Self = Self {
        values: Vec::new(),
        used: 0,
    };

    /// What is there, and room for `n` more, which must all be written.
    #[inline]
    fn split(&mut self, n: usize, any: V) -> (&mut [V], &mut [V]) {
        let start = self.used;
        self.used += n;
        if self.values.len() < self.used {
            self.values.resize(self.used, any);
        }
        let (past, new) = self.values.split_at_mut(start);
        (past, &mut new[..n])
    }
}

impl<const W: usize, T: Real> Default for Arena<W, T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const W: usize, T: Real> Arena<W, T> {
    pub(crate) const EMPTY: Self = Self {
        varying: Stack::EMPTY,
        uniform: Stack::EMPTY,
    };

    /// The varying vectors in use.
    pub(super) fn values(&self) -> &[[T; W]] {
        &self.varying.values[..self.varying.used]
    }
}

/// Vectors of `[T; W]` in an arena that is filled by operations and cleared between updates, so
/// that nothing is allocated once it has grown.
///
/// Read with [`Weights`], a vector that is the same at every point (a constant, a parameter, and
/// what follows from them) is computed once for all of them.
pub struct Lanes<'p, const W: usize, T = f64> {
    parameters: &'p [T],
    /// Every weight transposed; without, nothing is kept uniform.
    transposed: Option<&'p [T]>,
    arena: RefCell<Arena<W, T>>,
    unsolved: Cell<[Option<Unsolved>; W]>,
}

impl<'p, const W: usize, T: Real> Lanes<'p, W, T> {
    /// `parameters` are the effective ones (see [`ParameterLayout`](super::ParameterLayout)).
    pub fn new(parameters: &'p [T]) -> Self {
        Self::with_arena(parameters, Arena::default())
    }

    /// Reuses the memory of an earlier arena.
    pub fn with_arena(parameters: &'p [T], mut arena: Arena<W, T>) -> Self {
        arena.varying.used = 0;
        arena.uniform.used = 0;
        Self {
            parameters,
            transposed: None,
            arena: RefCell::new(arena),
            unsolved: Cell::new([None; W]),
        }
    }

    /// The fast reading for use, in which one point fills registers with the outputs of a layer.
    pub fn with_weights(weights: &'p Weights<T>, arena: Arena<W, T>) -> Self {
        Self {
            transposed: Some(weights.transposed()),
            ..Self::with_arena(weights.values(), arena)
        }
    }

    /// Gives the memory back.
    pub fn into_arena(self) -> Arena<W, T> {
        self.arena.into_inner()
    }

    /// What is in use, to [`truncate`](Self::truncate) to.
    pub fn mark(&self) -> Mark {
        let arena = self.arena.borrow();
        Mark {
            varying: arena.varying.used,
            uniform: arena.uniform.used,
        }
    }

    /// Number of values that vary from lane to lane.
    pub fn used(&self) -> usize {
        self.arena.borrow().varying.used
    }

    /// Forgets every vector made after the mark.
    pub fn truncate(&self, mark: Mark) {
        let mut arena = self.arena.borrow_mut();
        arena.varying.used = mark.varying;
        arena.uniform.used = mark.uniform;
    }

    /// Forgets every vector and every search.
    pub fn clear(&self) {
        self.truncate(Mark {
            varying: 0,
            uniform: 0,
        });
        self.unsolved.set([None; W]);
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

    /// Works on the vectors that vary in their place.
    pub(super) fn edit(&self, work: impl FnOnce(&mut [[T; W]])) {
        let mut arena = self.arena.borrow_mut();
        let used = arena.varying.used;
        work(&mut arena.varying.values[..used]);
    }

    /// A copy that varies, without gaps.
    pub(super) fn copied(&self, x: Span) -> Span {
        self.append([x.count(), x.len()], |past, uniform, new| {
            for (k, new) in new.chunks_exact_mut(x.len().max(1)).enumerate() {
                match x.uniform {
                    true => spread(&uniform[x.nth(k)], new),
                    false => new.copy_from_slice(&past[x.nth(k)]),
                }
            }
        })
    }

    /// A vector whose entries differ from point to point: `fill(component, lane)`.
    #[inline]
    pub fn input(&self, n: usize, fill: impl Fn(usize, usize) -> T) -> Span {
        self.rows(n, |i| std::array::from_fn(|lane| fill(i, lane)))
    }

    /// The same by whole components: `fill(component)` is its value at every lane.
    #[inline]
    pub fn rows(&self, n: usize, fill: impl Fn(usize) -> [T; W]) -> Span {
        self.append([1, n], |_, _, new| {
            for (i, new) in new.iter_mut().enumerate() {
                *new = fill(i);
            }
        })
    }

    /// Copies one vector over another of the same length; both from [`Self::input`] or what
    /// follows from it.
    pub fn overwrite(&self, to: Span, from: Span) {
        assert_eq!(to.len(), from.len(), "vectors of different length");
        assert!(!to.uniform && !from.uniform, "vectors that vary");
        let mut arena = self.arena.borrow_mut();
        arena.varying.values.copy_within(from.range(), to.start());
    }

    /// Component `i` of a vector at every lane.
    #[inline]
    pub fn get(&self, x: Span, i: usize) -> [T; W] {
        let arena = self.arena.borrow();
        match x.uniform {
            true => [arena.uniform.values[x.range()][i]; W],
            false => arena.varying.values[x.range()][i],
        }
    }

    /// Shows every component of every vector at every lane: `take(vector, component, lanes)`.
    #[inline]
    pub fn read(&self, x: Span, mut take: impl FnMut(usize, usize, &[T; W])) {
        let arena = self.arena.borrow();
        for k in 0..x.count() {
            for (i, at) in x.nth(k).enumerate() {
                match x.uniform {
                    true => take(k, i, &[arena.uniform.values[at]; W]),
                    false => take(k, i, &arena.varying.values[at]),
                }
            }
        }
    }

    /// Appends vectors computed from what is already in the arena, all of them written:
    /// `compute(varying, uniform, new)`.
    #[inline]
    fn append(
        &self,
        shape: [usize; 2],
        compute: impl FnOnce(&[[T; W]], &[T], &mut [[T; W]]),
    ) -> Span {
        let mut arena = self.arena.borrow_mut();
        let Arena { varying, uniform } = &mut *arena;
        let start = varying.used;
        let (past, new) = varying.split(shape[0] * shape[1], [T::ZERO; W]);
        compute(past, &uniform.values, new);
        Span::new(start, shape, false)
    }

    #[inline]
    fn append_uniform(&self, shape: [usize; 2], compute: impl FnOnce(&[T], &mut [T])) -> Span {
        let mut arena = self.arena.borrow_mut();
        let start = arena.uniform.used;
        let (past, new) = arena.uniform.split(shape[0] * shape[1], T::ZERO);
        compute(past, new);
        Span::new(start, shape, true)
    }

    /// Whether constants are kept once for all lanes.
    fn keeps_uniform(&self) -> bool {
        W > 1 && self.transposed.is_some()
    }

    /// The same numbers at every lane.
    #[inline]
    fn same(&self, shape: [usize; 2], value: impl Fn(usize) -> T) -> Span {
        if self.keeps_uniform() {
            self.append_uniform(shape, |_, new| {
                for (i, new) in new.iter_mut().enumerate() {
                    *new = value(i);
                }
            })
        } else {
            self.append(shape, |_, _, new| {
                for (i, new) in new.iter_mut().enumerate() {
                    *new = [value(i); W];
                }
            })
        }
    }

    fn binary(&self, operation: Binary, x: Span, y: Span) -> Span {
        let shape = [together([x, y]), x.len()];
        assert_eq!(x.len(), y.len(), "vectors of different length");
        let n = x.len().max(1);
        match (x.uniform, y.uniform) {
            (false, false) => self.append(shape, |past, _, new| {
                let (new, steps) = (new.as_flattened_mut(), [x, y].map(|x| x.step() * W));
                let (x, y) = (
                    past[x.start()..].as_flattened(),
                    past[y.start()..].as_flattened(),
                );
                kernels::binary(operation, x, y, steps, n * W, new);
            }),
            (true, true) => self.append_uniform(shape, |past, new| {
                let (steps, (x, y)) = (
                    [x, y].map(Span::step),
                    (&past[x.start()..], &past[y.start()..]),
                );
                kernels::binary(operation, x, y, steps, n, new);
            }),
            (false, true) => self.append(shape, |past, uniform, new| {
                for (k, new) in new.chunks_exact_mut(n).enumerate() {
                    kernels::binary_uniform(operation, &past[x.nth(k)], &uniform[y.nth(k)], new);
                }
            }),
            (true, false) if operation == Binary::Sub => self.binary(Binary::SubFrom, y, x),
            (true, false) => self.binary(operation, y, x),
        }
    }

    /// `y = A x + start` for every vector of a bundle. `transposed` says which of the two copies
    /// of the weight has its columns one after the other.
    fn product(&self, weight: Parameter, start: Start<T>, x: Span, transposed: bool) -> Span {
        let [rows, columns] = weight.shape();
        let n = if transposed { columns } else { rows };
        let values = weight.of(self.parameters);
        match self.transposed.filter(|_| W == 1 || x.uniform) {
            Some(other) => {
                let by_columns = if transposed { values } else { weight.of(other) };
                let shape = [x.count(), n];
                let strides = [x.count(), x.step(), x.len()];
                if x.uniform {
                    self.append_uniform(shape, |past, new| {
                        kernels::dense_columns(by_columns, start, &past[x.start()..], strides, new);
                    })
                } else {
                    self.append(shape, |past, _, new| {
                        let (x, new) = (past[x.start()..].as_flattened(), new.as_flattened_mut());
                        kernels::dense_columns(by_columns, start, x, strides, new);
                    })
                }
            }
            None => self.append([x.count(), n], |past, _, new| {
                for (k, new) in new.chunks_exact_mut(n.max(1)).enumerate() {
                    match transposed {
                        true => kernels::dense_transposed(values, start, &past[x.nth(k)], new),
                        false => kernels::dense(values, start, &past[x.nth(k)], new),
                    }
                }
            }),
        }
    }

    /// The same entries at every lane, each kept at every lane.
    fn spread(&self, x: Span) -> Span {
        if x.uniform { self.copied(x) } else { x }
    }
}

/// Number of vectors in each of several bundles, single vectors aside.
#[inline]
fn together<const K: usize>(spans: [Span; K]) -> usize {
    let most = spans.iter().map(|x| x.count()).max().unwrap_or(1);
    assert!(
        spans.iter().all(|x| x.count() == 1 || x.count() == most),
        "bundles of different size"
    );
    most
}

fn spread<T: Real, const W: usize>(values: &[T], lanes: &mut [[T; W]]) {
    for (lanes, value) in lanes.iter_mut().zip(values) {
        *lanes = [*value; W];
    }
}

impl<const W: usize, T: Real> Bundles for Lanes<'_, W, T> {
    fn units(&self, n: usize) -> Span {
        self.same([n, n], |i| if i / n == i % n { T::ONE } else { T::ZERO })
    }
}

impl<const W: usize, T: Real> Algebra for Lanes<'_, W, T> {
    type Vector = Span;

    fn len(&self, x: &Span) -> usize {
        x.len()
    }

    fn constant(&self, values: &[f64]) -> Span {
        self.same([1, values.len()], |i| T::of(values[i]))
    }

    fn parameter(&self, parameter: Parameter) -> Span {
        let values = parameter.of(self.parameters);
        self.same([1, values.len()], |i| values[i])
    }

    fn dense(&self, weight: Parameter, bias: Option<Parameter>, x: &Span) -> Span {
        assert_eq!(weight.columns, x.len(), "columns of the weight and length");
        let start = bias.map_or(Start::Zero, |b| Start::Bias(b.of(self.parameters)));
        self.product(weight, start, *x, false)
    }

    fn dense_transposed(&self, weight: Parameter, y: &Span) -> Span {
        assert_eq!(weight.rows, y.len(), "rows of the weight and length");
        self.product(weight, Start::Zero, *y, true)
    }

    fn derivatives<const K: usize>(
        &self,
        activation: Activation,
        order: u8,
        x: &Span,
    ) -> [Span; K] {
        assert_eq!(x.count(), 1, "a bundle is linear in what it belongs to");
        let all = if x.uniform {
            self.append_uniform([K, x.len()], |past, new| {
                kernels::activate::<T, K>(activation, order, &past[x.range()], new);
            })
        } else {
            self.append([K, x.len()], |past, _, new| {
                let (x, new) = (past[x.range()].as_flattened(), new.as_flattened_mut());
                kernels::activate::<T, K>(activation, order, x, new);
            })
        };
        all.split()
    }

    fn add(&self, x: &Span, y: &Span) -> Span {
        self.binary(Binary::Add, *x, *y)
    }

    fn sub(&self, x: &Span, y: &Span) -> Span {
        self.binary(Binary::Sub, *x, *y)
    }

    fn mul(&self, x: &Span, y: &Span) -> Span {
        self.binary(Binary::Mul, *x, *y)
    }

    fn affine(&self, x: &Span, factor: f64, offset: f64) -> Span {
        let (factor, offset) = (T::of(factor), T::of(offset));
        let (shape, n) = ([x.count(), x.len()], x.len().max(1));
        if x.uniform {
            self.append_uniform(shape, |past, new| {
                for (k, new) in new.chunks_exact_mut(n).enumerate() {
                    kernels::affine(factor, offset, &past[x.nth(k)], new);
                }
            })
        } else {
            self.append(shape, |past, _, new| {
                for (k, new) in new.chunks_exact_mut(n).enumerate() {
                    let (x, new) = (past[x.nth(k)].as_flattened(), new.as_flattened_mut());
                    kernels::affine(factor, offset, x, new);
                }
            })
        }
    }

    fn dot(&self, x: &Span, y: &Span) -> Span {
        assert_eq!(x.len(), y.len(), "vectors of different length");
        let (x, y) = if x.uniform { (y, x) } else { (x, y) };
        let count = together([*x, *y]);
        match (x.uniform, y.uniform) {
            (true, _) => self.append_uniform([count, 1], |past, new| {
                for (k, new) in new.iter_mut().enumerate() {
                    let (x, y) = (&past[x.nth(k)], &past[y.nth(k)]);
                    let mut sum = [T::ZERO];
                    kernels::dot_uniform(x.as_chunks::<1>().0, y, &mut sum);
                    *new = sum[0];
                }
            }),
            (_, true) => self.append([count, 1], |past, uniform, new| {
                for (k, new) in new.iter_mut().enumerate() {
                    kernels::dot_uniform(&past[x.nth(k)], &uniform[y.nth(k)], new);
                }
            }),
            _ => self.append([count, 1], |past, _, new| {
                for (k, new) in new.iter_mut().enumerate() {
                    kernels::dot(&past[x.nth(k)], &past[y.nth(k)], new);
                }
            }),
        }
    }

    fn concat(&self, parts: &[&Span]) -> Span {
        let n: usize = parts.iter().map(|p| p.len()).sum();
        let count = parts.iter().map(|p| together([**p])).max().unwrap_or(1);
        if parts.iter().all(|p| p.uniform) {
            return self.append_uniform([count, n], |past, new| {
                for (k, mut new) in new.chunks_exact_mut(n.max(1)).enumerate() {
                    for part in parts {
                        let (here, rest) = new.split_at_mut(part.len());
                        here.copy_from_slice(&past[part.nth(k)]);
                        new = rest;
                    }
                }
            });
        }
        self.append([count, n], |past, uniform, new| {
            for (k, mut new) in new.chunks_exact_mut(n.max(1)).enumerate() {
                for part in parts {
                    let (here, rest) = new.split_at_mut(part.len());
                    match part.uniform {
                        true => spread(&uniform[part.nth(k)], here),
                        false => here.copy_from_slice(&past[part.nth(k)]),
                    }
                    new = rest;
                }
            }
        })
    }

    fn slice(&self, x: &Span, range: Range<usize>) -> Span {
        assert!(range.end <= x.len(), "slice beyond the vector");
        Span {
            start: x.start + range.start as u32,
            len: range.len() as u32,
            ..*x
        }
    }

    fn broadcast(&self, x: &Span, n: usize) -> Span {
        assert_eq!(x.len(), 1, "only a scalar is broadcast");
        let shape = [x.count(), n];
        if x.uniform {
            self.append_uniform(shape, |past, new| {
                for (k, new) in new.chunks_exact_mut(n.max(1)).enumerate() {
                    new.fill(past[x.nth(k)][0]);
                }
            })
        } else {
            self.append(shape, |past, _, new| {
                for (k, new) in new.chunks_exact_mut(n.max(1)).enumerate() {
                    new.fill(past[x.nth(k)][0]);
                }
            })
        }
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
        let n = y.len();
        assert_eq!(inverse.len(), n * n, "a square matrix and its vector");
        let y = self.spread(*y);
        self.append([y.count(), n], |past, _, new| {
            for (k, new) in new.chunks_exact_mut(n.max(1)).enumerate() {
                kernels::matrix(&past[inverse.range()], &past[y.nth(k)], new);
            }
        })
    }

    fn select(&self, condition: &Span, yes: &Span, no: &Span) -> Span {
        assert_eq!(condition.len(), 1, "the condition is a scalar");
        assert_eq!(yes.len(), no.len(), "vectors of different length");
        let [condition, yes, no] = [condition, yes, no].map(|x| self.spread(*x));
        self.append([together([yes, no]), yes.len()], |past, _, new| {
            let condition = &past[condition.start()];
            for (k, new) in new.chunks_exact_mut(yes.len().max(1)).enumerate() {
                kernels::select(condition, &past[yes.nth(k)], &past[no.nth(k)], new);
            }
        })
    }
}
