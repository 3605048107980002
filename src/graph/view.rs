//! Parts of what operations make, and sums of products of them.

use std::ops::Range;

/// A vector, or a bundle of several: part of what a node makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct View {
    pub node: usize,
    /// In the entries of the node.
    pub start: usize,
    /// Of one vector.
    pub len: usize,
    /// From one vector of a bundle to the next.
    pub stride: usize,
    pub count: usize,
}

impl View {
    /// All of a node that makes `count` vectors `[len]`.
    pub fn whole(node: usize, [count, len]: [usize; 2]) -> Self {
        Self {
            node,
            start: 0,
            len,
            stride: len,
            count,
        }
    }

    /// The entries of the `k`-th vector in its node.
    pub fn nth(self, k: usize) -> Range<usize> {
        let start = self.start + k * self.stride;
        start..start + self.len
    }

    /// This vector and those that follow it without a gap, as one long vector.
    pub fn joined(self, count: usize) -> Self {
        let len = count * self.len;
        Self {
            len,
            stride: len,
            count: 1,
            ..self
        }
    }

    pub fn slice(self, range: Range<usize>) -> Self {
        assert!(range.end <= self.len, "slice beyond the vector");
        Self {
            start: self.start + range.start,
            len: range.len(),
            ..self
        }
    }

    /// The same part of another node that holds all entries of this one from `whole` on.
    pub fn within(self, whole: View) -> Self {
        Self {
            node: whole.node,
            start: whole.start + self.start,
            ..self
        }
    }

    /// A vector of its shape at the start of a node.
    pub fn same_shape(self, node: usize) -> Self {
        Self {
            node,
            start: 0,
            ..self
        }
    }
}

/// A number by its bits, so that operations can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Number(u64);

impl Number {
    pub fn of(value: f64) -> Self {
        Self(value.to_bits())
    }

    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// `factor · Π factors`, entry by entry; a number where there are no factors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Term<F = View> {
    pub factor: Number,
    pub factors: Vec<F>,
}

impl<F> Term<F> {
    pub fn new(factor: f64, factors: impl Into<Vec<F>>) -> Self {
        Self {
            factor: Number::of(factor),
            factors: factors.into(),
        }
    }
}

/// Number of vectors of what bundles make together; a single vector stands for as many as needed.
#[track_caller]
pub(crate) fn together(parts: impl IntoIterator<Item = View>) -> usize {
    let mut count = 1;
    for x in parts {
        assert!(
            count == 1 || x.count == 1 || x.count == count,
            "bundles of {count} and {} vectors",
            x.count
        );
        count = count.max(x.count);
    }
    count
}
