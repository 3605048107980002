//! Lanes with every operation recorded: the reverse sweep through a whole history.

use super::{Activation, Algebra, Lanes, Parameter, Residual, Root, Span, implicit, kernels};
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
    Activate {
        activation: Activation,
        order: u8,
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
pub struct Tape<'p, const W: usize> {
    lanes: Lanes<'p, W>,
    operations: RefCell<Vec<(Operation, Span)>>,
    parts: RefCell<Vec<Span>>,
}

/// Memory of a finished tape, to be used by the next one.
#[derive(Debug, Default)]
pub struct TapeMemory<const W: usize> {
    values: Vec<[f64; W]>,
    operations: Vec<(Operation, Span)>,
    parts: Vec<Span>,
}

impl<'p, const W: usize> Tape<'p, W> {
    pub fn new(parameters: &'p [f64]) -> Self {
        Self::with_memory(parameters, TapeMemory::default())
    }

    pub fn with_memory(parameters: &'p [f64], mut memory: TapeMemory<W>) -> Self {
        memory.operations.clear();
        memory.parts.clear();
        Self {
            lanes: Lanes::with_arena(parameters, memory.values),
            operations: RefCell::new(memory.operations),
            parts: RefCell::new(memory.parts),
        }
    }

    /// Takes the record out, free of the parameters' lifetime.
    pub fn into_memory(self) -> TapeMemory<W> {
        TapeMemory {
            values: self.lanes.into_arena(),
            operations: self.operations.into_inner(),
            parts: self.parts.into_inner(),
        }
    }

    /// A vector whose entries differ from point to point; no gradient flows into it.
    pub fn input(&self, n: usize, fill: impl Fn(usize, usize) -> f64) -> Span {
        self.lanes.input(n, fill)
    }

    /// Component `i` of a vector at every lane.
    pub fn get(&self, x: Span, i: usize) -> [f64; W] {
        self.lanes.get(x, i)
    }

    fn record(&self, operation: Operation, result: Span) -> Span {
        self.operations.borrow_mut().push((operation, result));
        result
    }
}

impl<const W: usize> Algebra for Tape<'_, W> {
    type Vector = Span;

    fn len(&self, x: &Span) -> usize {
        x.len
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

    fn activate(&self, activation: Activation, order: u8, x: &Span) -> Span {
        let result = self.lanes.activate(activation, order, x);
        let operation = Operation::Activate {
            activation,
            order,
            x: *x,
        };
        self.record(operation, result)
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
struct Sums<'a, const W: usize> {
    gradient: &'a mut [f64],
    /// Per lane, summed at the end.
    lanes: Vec<[f64; W]>,
    dense: Vec<Deferred>,
}

impl<const W: usize> Sums<'_, W> {
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
    fn flush(&mut self, least: usize, adjoints: &[[f64; W]], values: &[[f64; W]]) {
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

impl<const W: usize> TapeMemory<W> {
    /// Sweeps back: `seed` puts the derivative of the objective into the adjoints of the outputs;
    /// the derivative with respect to the effective parameters is added to `gradient`.
    pub fn backward(
        &self,
        parameters: &[f64],
        adjoints: &mut Vec<[f64; W]>,
        seed: impl FnOnce(&mut [[f64; W]]),
        gradient: &mut [f64],
    ) {
        adjoints.clear();
        adjoints.resize(self.values.len(), [0.0; W]);
        seed(adjoints);
        let mut sums = Sums {
            gradient,
            lanes: vec![[0.0; W]; parameters.len()],
            dense: Vec::new(),
        };
        sweep(self, parameters, adjoints, &mut sums);
        sums.flush(1, adjoints, &self.values);
        for (total, lanes) in sums.gradient.iter_mut().zip(&sums.lanes) {
            *total += lanes.iter().sum::<f64>();
        }
    }

    /// Adds what one operation passes back to the adjoints of its inputs.
    #[inline(always)]
    fn adjoint(
        &self,
        operation: &Operation,
        result: Span,
        parameters: &[f64],
        bar: &[[f64; W]],
        past: &mut [[f64; W]],
        sums: &mut Sums<W>,
    ) {
        let values = &self.values;
        match *operation {
            Operation::Parameter(p) => accumulate(&mut sums.lanes[p.offset..], bar, 1.0),
            Operation::Dense { weight, bias, x } => {
                kernels::dense_transposed_add(weight.of(parameters), bar, &mut past[x.range()]);
                sums.deferred(weight).forward.push((result.start, x.start));
                if let Some(b) = bias {
                    accumulate(&mut sums.lanes[b.offset..], bar, 1.0);
                }
            }
            Operation::DenseTransposed { weight, y } => {
                kernels::dense_add(weight.of(parameters), bar, &mut past[y.range()]);
                sums.deferred(weight)
                    .transposed
                    .push((y.start, result.start));
            }
            Operation::Activate {
                activation,
                order,
                x,
            } => kernels::activate_adjoint(
                activation,
                order,
                &values[x.range()],
                &values[result.range()],
                bar,
                &mut past[x.range()],
            ),
            Operation::Add(x, y) => {
                accumulate(&mut past[x.range()], bar, 1.0);
                accumulate(&mut past[y.range()], bar, 1.0);
            }
            Operation::Sub(x, y) => {
                accumulate(&mut past[x.range()], bar, 1.0);
                accumulate(&mut past[y.range()], bar, -1.0);
            }
            Operation::Mul(x, y) => {
                accumulate_product(&mut past[x.range()], bar, &values[y.range()]);
                accumulate_product(&mut past[y.range()], bar, &values[x.range()]);
            }
            Operation::Scale(x, factor) => accumulate(&mut past[x.range()], bar, factor),
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
                    accumulate(&mut past[part.range()], &bar[at..], 1.0);
                    at += part.len;
                }
            }
            Operation::Broadcast(x) => {
                for bar in bar {
                    for w in 0..W {
                        past[x.start][w] += bar[w];
                    }
                }
            }
            Operation::Select { condition, yes, no } => {
                let chosen = values[condition.start].map(|c| f64::from(c > 0.0));
                for (i, bar) in bar.iter().enumerate() {
                    for w in 0..W {
                        past[yes.start + i][w] += chosen[w] * bar[w];
                        past[no.start + i][w] += (1.0 - chosen[w]) * bar[w];
                    }
                }
            }
            Operation::SolveLinear { inverse, y } => {
                implicit::matrix_transposed_add(&values[inverse.range()], bar, &mut past[y.range()])
            }
        }
    }
}

kernels::dispatched!(
    /// Every operation from the last to the first.
    fn sweep = sweep_body(
        tape: &TapeMemory<W>, parameters: &[f64], adjoints: &mut [[f64; W]], sums: &mut Sums<W>)
);

#[inline(always)]
fn sweep_body<const FMA: bool, const W: usize>(
    tape: &TapeMemory<W>,
    parameters: &[f64],
    adjoints: &mut [[f64; W]],
    sums: &mut Sums<W>,
) {
    for (n, (operation, result)) in tape.operations.iter().enumerate().rev() {
        let (past, rest) = adjoints.split_at_mut(result.start);
        let bar = &rest[..result.len];
        tape.adjoint(operation, *result, parameters, bar, past, sums);
        if n.is_multiple_of(DEFERRED) {
            sums.flush(DEFERRED, adjoints, &tape.values);
        }
    }
}

#[inline(always)]
fn accumulate<const W: usize>(x_bar: &mut [[f64; W]], bar: &[[f64; W]], factor: f64) {
    for (x_bar, bar) in x_bar.iter_mut().zip(bar) {
        for w in 0..W {
            x_bar[w] += factor * bar[w];
        }
    }
}

#[inline(always)]
fn accumulate_product<const W: usize>(
    x_bar: &mut [[f64; W]],
    bar: &[[f64; W]],
    other: &[[f64; W]],
) {
    for ((x_bar, bar), y) in x_bar.iter_mut().zip(bar).zip(other) {
        for w in 0..W {
            x_bar[w] += bar[w] * y[w];
        }
    }
}
