//! Elementwise functions and their derivatives up to the third.

use super::Real;
use super::math;
use super::simd::Isa;
use serde::{Deserialize, Serialize};

/// An elementwise function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    Tanh,
    /// `1/(1 + e^{−x})`
    Sigmoid,
    /// `ln(1 + e^x)`
    Softplus,
    Exp,
    /// `√x`; zero, with zero derivatives, up to 1e-75 (1e-18 in `f32`), where derivatives overflow.
    Sqrt,
    /// `1/√x`; zero, with zero derivatives, up to 1e-75 (1e-18 in `f32`), where derivatives overflow.
    InverseSqrt,
    /// `1/x`; zero, with zero derivatives, up to 1e-75 (1e-18 in `f32`), where derivatives overflow.
    Reciprocal,
    /// `max(x, 0)`; its derivatives are zero where `x ≤ 0`.
    PositivePart,
}

/// Takes a scalar function with its first three derivatives and runs a loop over it; one loop is
/// compiled for each function, and of the four results only what the loop uses.
pub(crate) trait Visitor<T> {
    fn visit(self, f: impl Fn(T) -> [T; 4]);
}

impl Function {
    /// Shows the function to a visitor. Its argument and results may be any finite numbers; NaN
    /// gives NaN (zero for the roots).
    #[inline(always)]
    pub(crate) fn visit<I: Isa, T: Real>(self, visitor: impl Visitor<T>) {
        match self {
            Self::Exp => visitor.visit(|x| [math::exp::<I, T>(x); 4]),
            Self::Softplus => visitor.visit(math::softplus::<I, T>),
            Self::Sigmoid => visitor.visit(math::sigmoid::<I, T>),
            Self::Tanh => visitor.visit(math::tanh::<I, T>),
            Self::Sqrt => visitor.visit(math::sqrt),
            Self::InverseSqrt => visitor.visit(math::inverse_sqrt),
            Self::Reciprocal => visitor.visit(math::reciprocal),
            Self::PositivePart => visitor.visit(math::positive_part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::Portable;

    const ALL: [Function; 8] = [
        Function::Tanh,
        Function::Sigmoid,
        Function::Softplus,
        Function::Exp,
        Function::Sqrt,
        Function::InverseSqrt,
        Function::Reciprocal,
        Function::PositivePart,
    ];

    struct At<'a>(f64, &'a mut [f64; 4]);

    impl Visitor<f64> for At<'_> {
        fn visit(self, f: impl Fn(f64) -> [f64; 4]) {
            *self.1 = f(self.0);
        }
    }

    #[test]
    fn each_order_is_the_derivative_of_the_one_below() {
        for f in ALL {
            for order in 0..3 {
                for x in [-3.1, -0.4, 0.02, 0.3, 1.7, 4.0f64] {
                    let h = 1e-5 * x.abs();
                    let at = |x: f64, k| {
                        let mut y = [0.0; 4];
                        f.visit::<Portable, f64>(At(x, &mut y));
                        y[k]
                    };
                    let difference = (at(x + h, order) - at(x - h, order)) / (2.0 * h);
                    let exact = at(x, order + 1);
                    let scale = exact.abs().max(at(x, order).abs() / x.abs()).max(1e-3);
                    assert!(
                        (difference - exact).abs() < 1e-8 * scale,
                        "{f:?} order {order} at {x}: {difference} against {exact}"
                    );
                }
            }
        }
    }
}
