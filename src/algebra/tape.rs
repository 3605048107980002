//! Lanes with every operation recorded: the reverse sweep through a whole history.

use super::kernels::{self, Start};
use super::{Activation, Algebra, Arena, Lanes, Parameter, Real, Residual, Root, Span};
use std::cell::RefCell;
use std::ops::Range;

/// How a vector came to be. A slice is no operation: it is a view of its vector's place in the
/// arena, in the forward values and in the adjoints alike.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Parameter(Parameter),
    Dense {
        weight: Parameter,
        bias: Option<Parameter>,
        x: Span,
    },
    DenseTransposed {
        weight: Parameter,
        y: Span,
    },
    /// So many derivatives from one order on, one after the other.
    Derivatives {
        activation: Activation,
        order: u8,
        count: u8,
        x: Span,
    },
    Add(Span, Span),
    Sub(Span, Span),
    Mul(Span, Span),
    Scale(Span, f64),
    Dot(Span, Span),
    /// A range of the list of parts.
    Concat(usize, usize),
    Broadcast(Span),
    Select {
        condition: Span,
        yes: Span,
        no: Span,
    },
    SolveLinear {
        inverse: Span,
        y: Span,
    },
}

/// A recorded roll-out over `W` histories.
pub struct Tape<'p, const W: usize, T = f64> {
    lanes: Lanes<'p, W, T>,
    operations: RefCell<Vec<(Operation, Span)>>,
    parts: RefCell<Vec<Span>>,
}

/// Memory of a finished tape, to be used by the next one.
#[derive(Debug)]
pub struct TapeMemory<const W: usize, T = f64> {
    arena: Arena<W, T>,
    operations: Vec<(Operation, Span)>,
    parts: Vec<Span>,
}

impl<const W: usize, T: Real> Default for TapeMemory<W, T> {
    fn default() -> Self {
        Self {
            arena: Arena::default(),
            operations: Vec::new(),
            parts: Vec::new(),
        }
    }
}

impl<'p, const W: usize, T: Real> Tape<'p, W, T> {
    pub fn new(parameters: &'p [T]) -> Self {
        Self::with_memory(parameters, TapeMemory::default())
    }

    pub fn with_memory(parameters: &'p [T], mut memory: TapeMemory<W, T>) -> Self {
        memory.operations.clear();
        memory.parts.clear();
        Self {
            lanes: Lanes::with_arena(parameters, memory.arena),
            operations: RefCell::new(memory.operations),
            parts: RefCell::new(memory.parts),
        }
    }

    /// Takes the record out, free of the parameters' lifetime.
    pub fn into_memory(self) -> TapeMemory<W, T> {
        TapeMemory {
            arena: self.lanes.into_arena(),
            operations: self.operations.into_inner(),
            parts: self.parts.into_inner(),
        }
    }

    /// A vector by whole components, `fill(component)` at every lane; its adjoint is left in the
    /// sweep's adjoints.
    pub fn rows(&self, n: usize, fill: impl Fn(usize) -> [T; W]) -> Span {
        self.lanes.rows(n, fill)
    }

    /// The components of a vector at every lane.
    pub fn values(&self, x: Span) -> Vec<[T; W]> {
        let mut values = Vec::with_capacity(x.len());
        self.lanes.read(x, |_, _, value| values.push(*value));
        values
    }

    fn record(&self, operation: Operation, result: Span) -> Span {
        self.operations.borrow_mut().push((operation, result));
        result
    }
}

impl<const W: usize, T: Real> Algebra for Tape<'_, W, T> {
    type Vector = Span;

    fn len(&self, x: &Span) -> usize {
        x.len()
    }

    fn constant(&self, values: &[f64]) -> Span {
        self.lanes.constant(values)
    }

    fn parameter(&self, parameter: Parameter) -> Span {
        self.record(
            Operation::Parameter(parameter),
            self.lanes.parameter(parameter),
        )
    }

    fn dense(&self, weight: Parameter, bias: Option<Parameter>, x: &Span) -> Span {
        let result = self.lanes.dense(weight, bias, x);
        let x = *x;
        self.record(Operation::Dense { weight, bias, x }, result)
    }

    fn dense_transposed(&self, weight: Parameter, y: &Span) -> Span {
        let result = self.lanes.dense_transposed(weight, y);
        self.record(Operation::DenseTransposed { weight, y: *y }, result)
    }

    fn derivatives<const K: usize>(
        &self,
        activation: Activation,
        order: u8,
        x: &Span,
    ) -> [Span; K] {
        let each = self.lanes.derivatives::<K>(activation, order, x);
        let operation = Operation::Derivatives {
            activation,
            order,
            count: K as u8,
            x: *x,
        };
        self.record(operation, each[0].joined(K));
        each
    }

    fn add(&self, x: &Span, y: &Span) -> Span {
        self.record(Operation::Add(*x, *y), self.lanes.add(x, y))
    }

    fn sub(&self, x: &Span, y: &Span) -> Span {
        self.record(Operation::Sub(*x, *y), self.lanes.sub(x, y))
    }

    fn mul(&self, x: &Span, y: &Span) -> Span {
        self.record(Operation::Mul(*x, *y), self.lanes.mul(x, y))
    }

    fn affine(&self, x: &Span, factor: f64, offset: f64) -> Span {
        self.record(
            Operation::Scale(*x, factor),
            self.lanes.affine(x, factor, offset),
        )
    }

    fn dot(&self, x: &Span, y: &Span) -> Span {
        self.record(Operation::Dot(*x, *y), self.lanes.dot(x, y))
    }

    fn concat(&self, parts: &[&Span]) -> Span {
        let mut list = self.parts.borrow_mut();
        let start = list.len();
        list.extend(parts.iter().map(|p| **p));
        let operation = Operation::Concat(start, list.len());
        self.record(operation, self.lanes.concat(parts))
    }

    fn slice(&self, x: &Span, range: Range<usize>) -> Span {
        self.lanes.slice(x, range)
    }

    fn broadcast(&self, x: &Span, n: usize) -> Span {
        self.record(Operation::Broadcast(*x), self.lanes.broadcast(x, n))
    }

    fn select(&self, condition: &Span, yes: &Span, no: &Span) -> Span {
        let operation = Operation::Select {
            condition: *condition,
            yes: *yes,
            no: *no,
        };
        self.record(operation, self.lanes.select(condition, yes, no))
    }

    /// The search is not recorded.
    fn root<R: Residual<K>, const K: usize>(
        &self,
        residual: &R,
        known: &[Span; K],
        guess: &Span,
    ) -> Root<Span> {
        self.lanes.root(residual, known, guess)
    }

    fn solve_linear(&self, inverse: &Span, y: &Span) -> Span {
        let result = self.lanes.solve_linear(inverse, y);
        let (inverse, y) = (*inverse, *y);
        self.record(Operation::SolveLinear { inverse, y }, result)
    }
}

/// Dense operations of one weight, put off so that register tiles run through many of them: pairs
/// of starts of the row vector and the column vector whose outer products sum to the weight's
/// gradient.
struct Deferred {
    weight: Parameter,
    forward: Vec<(usize, usize)>,
    transposed: Vec<(usize, usize)>,
}

/// Operations put off before their outer products are taken: enough to fill the tiles, few enough
/// that their vectors are still in the cache.
const DEFERRED: usize = 48;

/// What a reverse sweep adds up.
struct Sums<'a, const W: usize, T> {
    gradient: &'a mut [T],
    dense: Vec<Deferred>,
}

impl<const W: usize, T: Real> Sums<'_, W, T> {
    /// Adds the adjoint of a parameter that is the same at every lane.
    #[inline(always)]
    fn add(&mut self, parameter: Parameter, bar: &[[T; W]]) {
        for (sum, bar) in parameter.of_mut(self.gradient).iter_mut().zip(bar) {
            *sum += bar.iter().copied().sum::<T>();
        }
    }

    fn deferred(&mut self, weight: Parameter) -> &mut Deferred {
        let known = self.dense.iter().position(|d| d.weight == weight);
        let at = known.unwrap_or_else(|| {
            self.dense.push(Deferred {
                weight,
                forward: Vec::with_capacity(DEFERRED),
                transposed: Vec::with_capacity(DEFERRED),
            });
            self.dense.len() - 1
        });
        &mut self.dense[at]
    }

    /// Takes the outer products of every weight with at least so many operations put off.
    fn flush(&mut self, least: usize, adjoints: &[[T; W]], values: &[[T; W]]) {
        for Deferred {
            weight,
            forward,
            transposed,
        } in &mut self.dense
        {
            let gradient = weight.of_mut(self.gradient);
            let [rows, columns] = weight.shape();
            if forward.len() >= least {
                kernels::outer_add(forward, adjoints, values, rows, columns, gradient);
                forward.clear();
            }
            if transposed.len() >= least {
                kernels::outer_add(transposed, values, adjoints, rows, columns, gradient);
                transposed.clear();
            }
        }
    }
}

impl<const W: usize, T: Real> TapeMemory<W, T> {
    /// Sweeps back: `seed` puts the derivative of the objective into the adjoints of the outputs;
    /// the derivative with respect to the effective parameters is added to `gradient`.
    pub fn backward(
        &self,
        parameters: &[T],
        adjoints: &mut Vec<[T; W]>,
        seed: impl FnOnce(&mut [[T; W]]),
        gradient: &mut [T],
    ) {
        let values = self.arena.values();
        adjoints.clear();
        adjoints.resize(values.len(), [T::ZERO; W]);
        seed(adjoints);
        let mut sums = Sums {
            gradient,
            dense: Vec::new(),
        };
        sweep(self, parameters, adjoints, &mut sums);
        sums.flush(1, adjoints, values);
    }

    /// Adds what one operation passes back to the adjoints of its inputs.
    #[inline(always)]
    fn adjoint(
        &self,
        operation: &Operation,
        result: Span,
        parameters: &[T],
        bar: &[[T; W]],
        past: &mut [[T; W]],
        sums: &mut Sums<W, T>,
    ) {
        let values = self.arena.values();
        match *operation {
            Operation::Parameter(parameter) => sums.add(parameter, bar),
            Operation::Dense { weight, bias, x } => {
                let (weights, x_bar) = (weight.of(parameters), &mut past[x.range()]);
                kernels::dense_transposed(weights, Start::Present, bar, x_bar);
                sums.deferred(weight)
                    .forward
                    .push((result.start(), x.start()));
                if let Some(bias) = bias {
                    sums.add(bias, bar);
                }
            }
            Operation::DenseTransposed { weight, y } => {
                let (weights, y_bar) = (weight.of(parameters), &mut past[y.range()]);
                kernels::dense(weights, Start::Present, bar, y_bar);
                sums.deferred(weight)
                    .transposed
                    .push((y.start(), result.start()));
            }
            Operation::Derivatives {
                activation,
                order,
                count,
                x,
            } => {
                let adjoint = match count {
                    1 => kernels::activate_adjoint::<T, 1>,
                    2 => kernels::activate_adjoint::<T, 2>,
                    _ => kernels::activate_adjoint::<T, 3>,
                };
                adjoint(
                    activation,
                    order,
                    values[x.range()].as_flattened(),
                    values[result.range()].as_flattened(),
                    bar.as_flattened(),
                    past[x.range()].as_flattened_mut(),
                );
            }
            Operation::Add(x, y) => {
                accumulate(&mut past[x.range()], bar, T::ONE);
                accumulate(&mut past[y.range()], bar, T::ONE);
            }
            Operation::Sub(x, y) => {
                accumulate(&mut past[x.range()], bar, T::ONE);
                accumulate(&mut past[y.range()], bar, -T::ONE);
            }
            Operation::Mul(x, y) => {
                accumulate_product(&mut past[x.range()], bar, &values[y.range()]);
                accumulate_product(&mut past[y.range()], bar, &values[x.range()]);
            }
            Operation::Scale(x, factor) => {
                accumulate(&mut past[x.range()], bar, T::of(factor));
            }
            Operation::Dot(x, y) => {
                for (x, y) in [(x, y), (y, x)] {
                    for (x_bar, y) in past[x.range()].iter_mut().zip(&values[y.range()]) {
                        for w in 0..W {
                            x_bar[w] += bar[0][w] * y[w];
                        }
                    }
                }
            }
            Operation::Concat(start, end) => {
                let mut at = 0;
                for part in &self.parts[start..end] {
                    accumulate(&mut past[part.range()], &bar[at..], T::ONE);
                    at += part.len();
                }
            }
            Operation::Broadcast(x) => {
                for bar in bar {
                    for w in 0..W {
                        past[x.start()][w] += bar[w];
                    }
                }
            }
            Operation::SolveLinear { inverse, y } => {
                kernels::matrix_transposed_add(&values[inverse.range()], bar, &mut past[y.range()]);
            }
            Operation::Select { condition, yes, no } => {
                let chosen = values[condition.start()].map(|c| c > T::ZERO);
                for (i, bar) in bar.iter().enumerate() {
                    for w in 0..W {
                        let (to_yes, to_no) = match chosen[w] {
                            true => (bar[w], T::ZERO),
                            false => (T::ZERO, bar[w]),
                        };
                        past[yes.start() + i][w] += to_yes;
                        past[no.start() + i][w] += to_no;
                    }
                }
            }
        }
    }
}

kernels::dispatched!(
    /// Every operation from the last to the first.
    fn sweep [const W: usize, T: Real] [W, T] = sweep_body(
        tape: &TapeMemory<W, T>, parameters: &[T], adjoints: &mut [[T; W]], sums: &mut Sums<W, T>)
);

#[inline(always)]
fn sweep_body<I: kernels::simd::Isa, const W: usize, T: Real>(
    tape: &TapeMemory<W, T>,
    parameters: &[T],
    adjoints: &mut [[T; W]],
    sums: &mut Sums<W, T>,
) {
    for (n, (operation, result)) in tape.operations.iter().enumerate().rev() {
        let (past, rest) = adjoints.split_at_mut(result.start());
        let bar = &rest[..result.len()];
        tape.adjoint(operation, *result, parameters, bar, past, sums);
        if n.is_multiple_of(DEFERRED) {
            sums.flush(DEFERRED, adjoints, tape.arena.values());
        }
    }
}

#[inline(always)]
fn accumulate<const W: usize, T: Real>(x_bar: &mut [[T; W]], bar: &[[T; W]], factor: T) {
    for (x_bar, bar) in x_bar.iter_mut().zip(bar) {
        for w in 0..W {
            x_bar[w] += factor * bar[w];
        }
    }
}

#[inline(always)]
fn accumulate_product<const W: usize, T: Real>(
    x_bar: &mut [[T; W]],
    bar: &[[T; W]],
    other: &[[T; W]],
) {
    for ((x_bar, bar), y) in x_bar.iter_mut().zip(bar).zip(other) {
        for w in 0..W {
            x_bar[w] += bar[w] * y[w];
        }
    }
}
