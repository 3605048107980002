//! The handle with which the equations of a law are written.

use super::nodes::Graph;
use super::operation::{Broadcast, Concat, Detach, Dot, Elementwise, Linear, Product, Select};
use super::parameters::{Coefficients, Matrix, Parameter};
use super::view::{Term, View};
use crate::kernels::Function;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Range, Sub};

/// A vector `[n]` per material point, in a [`Graph`].
///
/// Operators work entry by entry, with a number, with another vector of the same length, with
/// [`Coefficients`] or with a slice of numbers; a vector `[1]` stands for as many equal entries. A
/// [`Matrix`] times a vector is their product. A wrong length is an error of the law's text: it
/// panics in the line that has it, the first time that the law is written into a graph.
#[derive(Clone, Copy)]
pub struct Vector<'g> {
    graph: &'g Graph,
    view: View,
}

impl fmt::Debug for Vector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a vector [{}] of node {}", self.view.len, self.view.node)
    }
}

impl<'g> Vector<'g> {
    pub(super) fn new(graph: &'g Graph, view: View) -> Self {
        Self { graph, view }
    }

    /// The graph that it is written in.
    pub fn graph(self) -> &'g Graph {
        self.graph
    }

    #[track_caller]
    pub(super) fn of(self, graph: &Graph) -> View {
        assert!(std::ptr::eq(self.graph, graph), "a vector of another graph");
        self.view
    }

    pub(super) fn view(self) -> View {
        self.view
    }

    fn with(self, view: View) -> Self {
        Self { view, ..self }
    }

    /// `n`
    pub fn len(self) -> usize {
        self.view.len
    }

    /// Whether there are no entries, as of the external variables of a law without any.
    pub fn is_empty(self) -> bool {
        self.view.len == 0
    }

    /// `Σ_i x_i → [1]`
    #[track_caller]
    pub fn sum(self) -> Self {
        self.dot(self.graph.ones(self.len()))
    }

    /// `x · y → [1]`
    #[track_caller]
    pub fn dot(self, other: Self) -> Self {
        same_length(self.len(), other.len());
        self.with(self.graph.push(Dot(self.view, other.of(self.graph))))
    }

    /// `x · x → [1]`
    #[track_caller]
    pub fn squared_norm(self) -> Self {
        self.dot(self)
    }

    /// `‖x‖ → [1]`; its derivative at zero is taken as zero.
    #[track_caller]
    pub fn norm(self) -> Self {
        self.squared_norm().sqrt()
    }

    /// `x/‖x‖`, zero where `x` is zero.
    #[track_caller]
    pub fn direction(self) -> Self {
        self * self.squared_norm().inverse_sqrt()
    }

    /// An elementwise function.
    #[track_caller]
    pub fn map(self, function: Function) -> Self {
        self.derivative(function, 0)
    }

    /// The `order`-th derivative of a function, entry by entry, up to the third.
    #[track_caller]
    pub fn derivative(self, function: Function, order: u8) -> Self {
        if function == Function::Exp && self.graph.number(self.view) == Some(0.0) {
            return self.graph.ones(self.len());
        }
        let operation = Elementwise::new(function, order, self.view);
        self.with(self.graph.push(operation))
    }

    /// A function and its slope.
    #[track_caller]
    pub fn with_slope(self, function: Function) -> [Self; 2] {
        [self.derivative(function, 0), self.derivative(function, 1)]
    }

    #[track_caller]
    pub fn exp(self) -> Self {
        self.map(Function::Exp)
    }

    #[track_caller]
    pub fn tanh(self) -> Self {
        self.map(Function::Tanh)
    }

    /// `1/(1 + e^{−x})`
    #[track_caller]
    pub fn sigmoid(self) -> Self {
        self.map(Function::Sigmoid)
    }

    /// `ln(1 + e^x)`
    #[track_caller]
    pub fn softplus(self) -> Self {
        self.map(Function::Softplus)
    }

    /// Zero, with zero derivatives, up to 1e-75 (1e-18 in `f32`), where derivatives overflow.
    #[track_caller]
    pub fn sqrt(self) -> Self {
        self.map(Function::Sqrt)
    }

    /// `1/√x`, with the same exception as [`Vector::sqrt`].
    #[track_caller]
    pub fn inverse_sqrt(self) -> Self {
        self.map(Function::InverseSqrt)
    }

    /// `1/x`, with the same exception as [`Vector::sqrt`].
    #[track_caller]
    pub fn recip(self) -> Self {
        self.map(Function::Reciprocal)
    }

    /// `max(x, 0)`; its derivatives are zero where `x ≤ 0`.
    #[track_caller]
    pub fn positive_part(self) -> Self {
        self.map(Function::PositivePart)
    }

    /// `max(x, y) = y + (x − y)⁺`
    #[track_caller]
    pub fn max(self, other: impl Operand<'g>) -> Self {
        let other = other.on(self.graph);
        (self - other).positive_part() + other
    }

    /// `min(x, y) = y − (y − x)⁺`
    #[track_caller]
    pub fn min(self, other: impl Operand<'g>) -> Self {
        let other = other.on(self.graph);
        other - (other - self).positive_part()
    }

    /// Some of the entries.
    #[track_caller]
    pub fn slice(self, range: Range<usize>) -> Self {
        assert!(
            range.start <= range.end && range.end <= self.len(),
            "entries {range:?} of a vector of {}",
            self.len()
        );
        self.with(self.view.slice(range))
    }

    /// One entry, `[1]`.
    #[track_caller]
    pub fn at(self, i: usize) -> Self {
        self.slice(i..i + 1)
    }

    /// The first `n` entries, and the others.
    #[track_caller]
    pub fn split(self, n: usize) -> [Self; 2] {
        [self.slice(0..n), self.slice(n..self.len())]
    }

    /// Cut into so many vectors of equal length.
    #[track_caller]
    pub fn chunks(self, count: usize) -> Vec<Self> {
        let len = self.len() / count.max(1);
        (0..count)
            .map(|i| self.slice(i * len..(i + 1) * len))
            .collect()
    }

    /// So many copies, one after the other: `[n] → [count·n]`.
    #[track_caller]
    pub fn repeat(self, count: usize) -> Self {
        concat(vec![self; count])
    }

    /// So many copies of the first entry, then of the second: `[n] → [n·count]`.
    #[track_caller]
    pub fn repeat_each(self, count: usize) -> Self {
        let all = || stack((0..self.len()).map(|i| self.at(i).broadcast(count)));
        self.graph.in_line(all)
    }

    /// The sums over so many chunks of equal length: `[count·n] → [count]`.
    #[track_caller]
    pub fn sum_chunks(self, count: usize) -> Self {
        let all = || stack(self.chunks(count).into_iter().map(Self::sum));
        self.graph.in_line(all)
    }

    /// `[1] → [n]`
    #[track_caller]
    pub fn broadcast(self, n: usize) -> Self {
        assert_eq!(self.len(), 1, "only a vector [1] is broadcast");
        self.with(self.graph.push(Broadcast(self.view, n)))
    }

    /// As a constant: no derivative flows through it.
    #[track_caller]
    pub fn detach(self) -> Self {
        self.with(self.graph.push(Detach(self.view)))
    }

    /// `yes` at the points where this, `[1]`, is positive, else `no`.
    #[track_caller]
    pub fn select(self, yes: Self, no: Self) -> Self {
        assert_eq!(self.len(), 1, "the condition is a vector [1]");
        same_length(yes.len(), no.len());
        let graph = self.graph;
        let all = [self, yes, no];
        let [condition, yes, no] = graph.in_line(|| all.map(|x| graph.spread(x.of(graph))));
        self.with(graph.push(Select { condition, yes, no }))
    }

    /// `A y` with a matrix `[n·n]` at every point, which counts as a constant.
    #[track_caller]
    pub(crate) fn matrix_times(self, y: Self) -> Self {
        let n = y.len();
        assert_eq!(self.len(), n * n, "a square matrix and its vector");
        let graph = self.graph;
        let both = [self, y];
        let [matrix, y] = graph.in_line(|| both.map(|x| graph.spread(x.of(graph))));
        self.with(graph.push(Linear { matrix, y }))
    }

    #[track_caller]
    pub(super) fn product(
        self,
        weight: Parameter,
        bias: Option<Parameter>,
        transposed: bool,
    ) -> Self {
        let [rows, columns] = weight.shape();
        let [n, m] = if transposed {
            [columns, rows]
        } else {
            [rows, columns]
        };
        assert!(
            m == self.len(),
            "a matrix [{n}, {m}] times a vector of {}",
            self.len()
        );
        if m == 0 && bias.is_none() {
            return self.with(self.graph.filled(0.0, n));
        }
        self.with(self.graph.push(Product {
            weight,
            bias,
            transposed,
            rows: 0..n,
            x: self.view,
        }))
    }

    /// `W x + b`
    #[track_caller]
    pub fn affine_map(self, weight: Matrix, bias: Option<Coefficients>) -> Self {
        self.product(weight.into(), bias.map(Parameter::from), false)
    }

    /// Both with the same length: of one entry, as many.
    #[track_caller]
    fn matched(self, other: Self) -> [Self; 2] {
        other.of(self.graph);
        match (self.len(), other.len()) {
            (n, m) if n == m => [self, other],
            (1, m) => [self.broadcast(m), other],
            (n, 1) => [self, other.broadcast(n)],
            (n, m) => panic!("a vector of {n} meets one of {m}"),
        }
    }

    #[track_caller]
    fn plus(self, sign: f64, other: Self) -> Self {
        let [x, y] = self.matched(other);
        let zero = |x: Self| self.graph.number(x.view) == Some(0.0);
        match (zero(x), zero(y)) {
            (_, true) => x,
            (true, false) if sign == 1.0 => y,
            _ => self.with(
                self.graph
                    .sum([Term::new(1.0, [x.view]), Term::new(sign, [y.view])]),
            ),
        }
    }

    #[track_caller]
    fn times(self, other: Self) -> Self {
        let [x, y] = self.matched(other);
        let one = |x: Self| self.graph.number(x.view) == Some(1.0);
        match (one(x), one(y)) {
            (_, true) => x,
            (true, false) => y,
            _ => self.with(self.graph.mul(x.view, y.view)),
        }
    }

    /// `factor · x + offset`
    #[track_caller]
    pub(super) fn affine(self, factor: f64, offset: f64) -> Self {
        if (factor, offset) == (1.0, 0.0) {
            return self;
        }
        let mut terms = vec![Term::new(factor, [self.view])];
        if offset != 0.0 {
            terms.push(Term::new(offset, []));
        }
        self.with(self.graph.sum(terms))
    }
}

#[track_caller]
fn same_length(n: usize, m: usize) {
    assert!(n == m, "a vector of {n} meets one of {m}");
}

/// Vectors, one after the other; those without entries are left out.
///
/// # Panics
/// Without a vector that has entries.
#[track_caller]
pub fn concat<'g>(parts: impl AsRef<[Vector<'g>]>) -> Vector<'g> {
    let parts: Vec<_> = parts.as_ref().iter().filter(|x| !x.is_empty()).collect();
    match parts[..] {
        [] => panic!("nothing to put together"),
        [one] => *one,
        [first, ..] => {
            let graph = first.graph;
            let parts = parts.iter().map(|x| x.of(graph)).collect();
            first.with(graph.push(Concat(parts)))
        }
    }
}

/// [`concat()`] of vectors that are made one by one.
#[track_caller]
pub fn stack<'g>(parts: impl IntoIterator<Item = Vector<'g>>) -> Vector<'g> {
    concat(parts.into_iter().collect::<Vec<_>>())
}

/// What stands on the right of an operator: a vector, coefficients of a law, or numbers.
pub trait Operand<'g> {
    #[track_caller]
    fn on(self, graph: &'g Graph) -> Vector<'g>;

    /// Where it is one number.
    fn number(&self) -> Option<f64> {
        None
    }
}

impl<'g> Operand<'g> for Vector<'g> {
    fn on(self, _: &'g Graph) -> Vector<'g> {
        self
    }
}

impl<'g> Operand<'g> for f64 {
    #[track_caller]
    fn on(self, graph: &'g Graph) -> Vector<'g> {
        graph.constant(&[self])
    }

    fn number(&self) -> Option<f64> {
        Some(*self)
    }
}

impl<'g> Operand<'g> for &[f64] {
    #[track_caller]
    fn on(self, graph: &'g Graph) -> Vector<'g> {
        graph.constant(self)
    }
}

impl<'g> Operand<'g> for &Vec<f64> {
    #[track_caller]
    fn on(self, graph: &'g Graph) -> Vector<'g> {
        graph.constant(self)
    }
}

impl<'g> Operand<'g> for Coefficients {
    #[track_caller]
    fn on(self, graph: &'g Graph) -> Vector<'g> {
        graph.parameter(self)
    }
}

impl<'g, R: Operand<'g>> Add<R> for Vector<'g> {
    type Output = Self;

    #[track_caller]
    fn add(self, other: R) -> Self {
        match other.number() {
            Some(number) => self.affine(1.0, number),
            None => self.plus(1.0, other.on(self.graph)),
        }
    }
}

impl<'g, R: Operand<'g>> Sub<R> for Vector<'g> {
    type Output = Self;

    #[track_caller]
    fn sub(self, other: R) -> Self {
        match other.number() {
            Some(number) => self.affine(1.0, -number),
            None => self.plus(-1.0, other.on(self.graph)),
        }
    }
}

impl<'g, R: Operand<'g>> Mul<R> for Vector<'g> {
    type Output = Self;

    #[track_caller]
    fn mul(self, other: R) -> Self {
        match other.number() {
            Some(number) => self.affine(number, 0.0),
            None => self.times(other.on(self.graph)),
        }
    }
}

impl Div<f64> for Vector<'_> {
    type Output = Self;

    #[track_caller]
    fn div(self, number: f64) -> Self {
        self.affine(1.0 / number, 0.0)
    }
}

impl<'g> Div for Vector<'g> {
    type Output = Self;

    /// `x · 1/y`, zero where [`Vector::recip`] is.
    #[track_caller]
    fn div(self, other: Self) -> Self {
        self.times(other.recip())
    }
}

impl Neg for Vector<'_> {
    type Output = Self;

    #[track_caller]
    fn neg(self) -> Self {
        self.affine(-1.0, 0.0)
    }
}

impl<'g> Add<Vector<'g>> for f64 {
    type Output = Vector<'g>;

    #[track_caller]
    fn add(self, x: Vector<'g>) -> Vector<'g> {
        x.affine(1.0, self)
    }
}

impl<'g> Sub<Vector<'g>> for f64 {
    type Output = Vector<'g>;

    #[track_caller]
    fn sub(self, x: Vector<'g>) -> Vector<'g> {
        x.affine(-1.0, self)
    }
}

impl<'g> Mul<Vector<'g>> for f64 {
    type Output = Vector<'g>;

    #[track_caller]
    fn mul(self, x: Vector<'g>) -> Vector<'g> {
        x.affine(self, 0.0)
    }
}

impl<'g> Mul<Vector<'g>> for Coefficients {
    type Output = Vector<'g>;

    /// Entry by entry.
    #[track_caller]
    fn mul(self, x: Vector<'g>) -> Vector<'g> {
        self.on(x.graph()) * x
    }
}

impl<'g> Add<Vector<'g>> for Coefficients {
    type Output = Vector<'g>;

    #[track_caller]
    fn add(self, x: Vector<'g>) -> Vector<'g> {
        self.on(x.graph()) + x
    }
}

impl<'g> Mul<Vector<'g>> for Matrix {
    type Output = Vector<'g>;

    /// `W x`, `W [n, m]`, `x [m] → [n]`.
    #[track_caller]
    fn mul(self, x: Vector<'g>) -> Vector<'g> {
        x.product(self.into(), None, false)
    }
}

impl Matrix {
    /// `Wᵀ y`, `W [n, m]`, `y [n] → [m]`.
    #[track_caller]
    pub fn transposed(self, y: Vector<'_>) -> Vector<'_> {
        y.product(self.into(), None, true)
    }
}
