//! Elementwise functions and their derivatives up to the third.

use super::kernels::math;
use serde::{Deserialize, Serialize};

/// An elementwise function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    Tanh,
    /// `1/(1 + e^{−x})`
    Sigmoid,
    /// `ln(1 + e^x)`
    Softplus,
    Exp,
    /// `√x`; zero, with zero derivatives, where `x ≤ 0`.
    Sqrt,
    /// `1/√x`; zero, with zero derivatives, where `x ≤ 0`.
    InverseSqrt,
}

/// Takes a scalar function and runs a loop over it; one loop is compiled for each function.
pub(crate) trait Visitor {
    fn visit(self, f: impl Fn(f64) -> f64);
}

impl Activation {
    /// Shows the `order`-th derivative to a visitor. Its argument and result may be any finite
    /// numbers; NaN gives NaN (zero for the roots).
    #[inline(always)]
    pub(crate) fn visit<const FMA: bool>(self, order: u8, visitor: impl Visitor) {
        debug_assert!(order <= 3);
        match (self, order) {
            (Self::Exp, _) => visitor.visit(math::exp::<FMA>),
            (Self::Softplus, 0) => visitor.visit(math::softplus::<FMA>),
            (Self::Sigmoid, 0) | (Self::Softplus, 1) => visitor.visit(math::sigmoid::<FMA>),
            (Self::Sigmoid, 1) | (Self::Softplus, 2) => visitor.visit(|x| {
                let s = math::sigmoid::<FMA>(x);
                s * (1.0 - s)
            }),
            (Self::Sigmoid, 2) | (Self::Softplus, _) => visitor.visit(|x| {
                let s = math::sigmoid::<FMA>(x);
                s * (1.0 - s) * (1.0 - 2.0 * s)
            }),
            (Self::Sigmoid, _) => visitor.visit(|x| {
                let s = math::sigmoid::<FMA>(x);
                s * (1.0 - s) * (1.0 - 6.0 * s * (1.0 - s))
            }),
            (Self::Tanh, 0) => visitor.visit(math::tanh::<FMA>),
            (Self::Tanh, 1) => visitor.visit(|x| {
                let y = math::tanh::<FMA>(x);
                1.0 - y * y
            }),
            (Self::Tanh, 2) => visitor.visit(|x| {
                let y = math::tanh::<FMA>(x);
                -2.0 * y * (1.0 - y * y)
            }),
            (Self::Tanh, _) => visitor.visit(|x| {
                let y = math::tanh::<FMA>(x);
                (1.0 - y * y) * (6.0 * y * y - 2.0)
            }),
            (Self::Sqrt, 0) => visitor.visit(|x| positive(x, f64::sqrt)),
            (Self::Sqrt, 1) => visitor.visit(|x| positive(x, |x| 0.5 / x.sqrt())),
            (Self::Sqrt, 2) => visitor.visit(|x| positive(x, |x| -0.25 / (x * x.sqrt()))),
            (Self::Sqrt, _) => visitor.visit(|x| positive(x, |x| 0.375 / (x * x * x.sqrt()))),
            (Self::InverseSqrt, 0) => visitor.visit(|x| positive(x, |x| 1.0 / x.sqrt())),
            (Self::InverseSqrt, 1) => {
                visitor.visit(|x| positive(x, |x| -0.5 / (x * x.sqrt())));
            }
            (Self::InverseSqrt, 2) => {
                visitor.visit(|x| positive(x, |x| 0.75 / (x * x * x.sqrt())));
            }
            (Self::InverseSqrt, _) => {
                visitor.visit(|x| positive(x, |x| -1.875 / (x * x * x * x.sqrt())));
            }
        }
    }

    /// Shows how the derivative after the `order`-th follows from the value of the `order`-th,
    /// where it does; gives the visitor back elsewhere.
    #[inline(always)]
    pub(crate) fn visit_next<V: Visitor>(self, order: u8, visitor: V) -> Option<V> {
        match (self, order) {
            (Self::Tanh, 0) => visitor.visit(|y| 1.0 - y * y),
            (Self::Sigmoid, 0) | (Self::Softplus, 1) => visitor.visit(|y| y * (1.0 - y)),
            (Self::Exp, _) => visitor.visit(|y| y),
            _ => return Some(visitor),
        }
        None
    }
}

#[inline(always)]
fn positive(x: f64, f: impl Fn(f64) -> f64) -> f64 {
    if x > 0.0 { f(x) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 6] = [
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softplus,
        Activation::Exp,
        Activation::Sqrt,
        Activation::InverseSqrt,
    ];

    struct At<'a>(f64, &'a mut f64);

    impl Visitor for At<'_> {
        fn visit(self, f: impl Fn(f64) -> f64) {
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
                        let mut y = 0.0;
                        f.visit::<false>(k, At(x, &mut y));
                        y
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
