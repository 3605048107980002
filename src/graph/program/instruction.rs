//! The instructions of a compiled graph.

use crate::graph::parameters::Parameter;
use crate::kernels::{Function, Slope};
use std::ops::Range;

/// A segment of memory with its own base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// Values that the next step overwrites.
    Scratch,
    /// Forward values that the reverse pass reads, a segment for each step.
    Tape,
    /// Numbers that are the same at every point.
    Table,
    /// Adjoints that the next step of the reverse pass overwrites.
    Adjoints,
    /// Adjoints of products, a segment a step until the gradient of the weight is taken.
    Held,
    /// Adjoints of the table, added up over all steps.
    Sums,
}

impl Space {
    pub const COUNT: usize = 6;
}

/// Where a vector, or a bundle of them, lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub space: Space,
    pub start: u32,
    /// Of one vector.
    pub len: u32,
    /// From one vector of a bundle to the next; zero where one stands for all.
    pub step: u32,
    pub count: u32,
}

impl Place {
    /// From the first of so many vectors to the end of the last.
    pub fn all(&self, count: usize) -> Self {
        Self {
            len: (count as u32 - 1) * self.step + self.len,
            ..*self
        }
    }
}

/// What a product is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    Zero,
    Bias(Parameter),
    Present,
}

/// `y = f(x, …)`, by the names of the operands `x`, `y`, …
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// `x`, written out where it is the same at every point.
    Copy,
    Constant(Vec<f64>),
    Parameter(Parameter),
    /// Some entries of `W x + begin`, or with `Wᵀ`.
    Product {
        weight: Parameter,
        begin: Begin,
        transposed: bool,
        rows: Range<usize>,
    },
    /// The derivatives of `x`, one after the other.
    Derivatives {
        function: Function,
        order: u8,
    },
    /// A sum of products, entry by entry: the factor of each term, and how many operands of the
    /// list it takes. The result itself may be among them.
    Combine(Vec<(f64, usize)>),
    /// `x · y`
    Dot,
    /// Of `x [1]`.
    Broadcast,
    /// `y` where `x > 0`, else `z`.
    Select,
    /// A nonlinear solve: from what its residual reads and the guess, in `x`, to the root and the
    /// inverse Jacobian.
    Solve(usize),
    /// `X y` with a matrix at every lane.
    Matrix,
    // Of the reverse pass: what is added to an adjoint, or with `set` is its first part. Products
    // and sums of the above serve it too.
    Zero,
    /// `Σ_i x_i`
    AccumulateSum {
        set: bool,
    },
    /// Through a function, from the adjoints `x` of `count` results; `y` is the last result,
    /// or all results from the second on with what was kept after them.
    AccumulateChain {
        slope: Slope,
        count: usize,
        set: bool,
    },
    /// `y` at the points where `x > 0`, or at the others.
    AccumulateChosen {
        positive: bool,
        set: bool,
    },
    /// `Xᵀ y`
    AccumulateMatrix {
        set: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Instruction<P> {
    pub action: Action,
    pub operands: Vec<P>,
    pub to: P,
}

impl<P> Instruction<P> {
    pub fn new(action: Action, operands: impl Into<Vec<P>>, to: P) -> Self {
        Self {
            action,
            operands: operands.into(),
            to,
        }
    }

    /// The same with other operands.
    pub fn map<Q>(self, mut f: impl FnMut(P) -> Q) -> Instruction<Q> {
        Instruction {
            action: self.action,
            operands: self.operands.into_iter().map(&mut f).collect(),
            to: f(self.to),
        }
    }
}
