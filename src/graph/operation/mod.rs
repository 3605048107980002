//! The operations of a graph, each with all its rules: what it reads and makes, its forward and
//! reverse derivative, the instructions it becomes, its value in tensors, and how it is printed.
//!
//! A new operation is a type in one of these files with its [`Rules`], and a line in the list below;
//! it touches `program/instruction.rs` and `program/execute.rs` where it needs an instruction of its
//! own, and `vector.rs` where laws are to call it.

mod arrange;
mod elementwise;
mod leaf;
mod product;
mod root;
mod sum;

pub(crate) use arrange::{Broadcast, Concat, Detach, Select, Spread};
pub(crate) use elementwise::Elementwise;
pub(crate) use leaf::{Constant, Input, Parameters, Units, Unknown};
pub(crate) use product::{Product, WeightTangent};
pub(crate) use root::{Linear, Root};
pub(crate) use sum::{Dot, Sum};

use super::forward::Tangents;
#[cfg(feature = "train")]
use super::interpret::Values;
use super::lower::{Lowering, Virtual};
use super::program::instruction::Instruction;
use super::reverse::{Adjoint, Reverse};
use super::view::View;
#[cfg(feature = "train")]
use burn::tensor::Tensor;
use std::ops::Range;

/// All that is known of one operation.
pub(crate) trait Rules {
    fn operands_mut(&mut self) -> Vec<&mut View>;

    /// How many vectors it makes, and their length.
    fn shape(&self) -> [usize; 2];

    /// Whether it makes the same at every point from operands that are.
    fn keeps_uniform(&self) -> bool {
        true
    }

    /// Restricts it to some entries of each vector that it makes, if it can make a part.
    fn narrow(&mut self, _entries: &Range<usize>) -> bool {
        false
    }

    /// The operands through which derivatives flow.
    fn differentiable(&self) -> Vec<View>;

    /// Whether it depends on parameters by itself.
    fn has_parameters(&self) -> bool {
        false
    }

    /// Entries that have an adjoint, of all that it makes.
    fn adjoint_len(&self) -> usize {
        let [count, len] = self.shape();
        count * len
    }

    /// A product of at most so many factors is passed on to the operands as it is, in place of the
    /// adjoint that it makes.
    fn passes_factors(&self) -> usize {
        0
    }

    /// Its tangents, one for each direction, from those of its operands; none where it does not
    /// depend on the directions.
    fn forward(&self, tangents: &Tangents) -> Option<View>;

    /// Passes the adjoint of `node`, which this operation makes, on to the operands.
    fn reverse(&self, node: usize, adjoint: Adjoint, reverse: &mut Reverse);

    /// The instructions that make it.
    fn lower(&self, lowering: &Lowering) -> Vec<Instruction<Virtual>>;

    /// Its value `[batch, n]`.
    #[cfg(feature = "train")]
    fn interpret(&self, values: &Values) -> Tensor<2>;

    /// As a formula, with the operands by their names.
    fn print(&self, name: &dyn Fn(View) -> String) -> String;
}

macro_rules! operations {
    ($($operation:ident),+ $(,)?) => {
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Operation {
            $($operation($operation)),+
        }

        impl Operation {
            pub fn rules(&self) -> &dyn Rules {
                match self {
                    $(Self::$operation(operation) => operation),+
                }
            }

            pub fn rules_mut(&mut self) -> &mut dyn Rules {
                match self {
                    $(Self::$operation(operation) => operation),+
                }
            }
        }

        $(impl From<$operation> for Operation {
            fn from(operation: $operation) -> Self {
                Self::$operation(operation)
            }
        })+
    };
}

operations! {
    Input, Unknown, Constant, Parameters, Units, Spread, Product, WeightTangent, Elementwise, Sum,
    Detach, Dot, Concat, Broadcast, Select, Root, Linear,
}

impl Operation {
    pub fn operands_mut(&mut self) -> Vec<&mut View> {
        self.rules_mut().operands_mut()
    }

    pub fn operands(&self) -> Vec<View> {
        let mut copy = self.clone();
        copy.operands_mut().into_iter().map(|x| *x).collect()
    }
}
