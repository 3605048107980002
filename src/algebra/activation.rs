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

impl Activation {
    /// Evaluates the `order`-th derivative at `W` points. `x` and the result may be any finite
    /// numbers; NaN gives NaN (zero for the roots).
    #[inline(always)]
    pub(crate) fn evaluate<const FMA: bool, const W: usize>(
        self,
        order: u8,
        x: [f64; W],
    ) -> [f64; W] {
        debug_assert!(order <= 3);
        match (self, order) {
            (Self::Exp, _) => math::exp::<FMA, W>(x),
            (Self::Softplus, 0) => math::softplus::<FMA, W>(x),
            (Self::Softplus, k) => sigmoid::<FMA, W>(k - 1, x),
            (Self::Sigmoid, k) => sigmoid::<FMA, W>(k, x),
            (Self::Tanh, k) => {
                let y = math::tanh::<FMA, W>(x);
                math::each(y, |y| match k {
                    0 => y,
                    1 => 1.0 - y * y,
                    2 => -2.0 * y * (1.0 - y * y),
                    _ => (1.0 - y * y) * (6.0 * y * y - 2.0),
                })
            }
            (Self::Sqrt, k) => math::each(x, |x| {
                positive(x, |x| match k {
                    0 => x.sqrt(),
                    1 => 0.5 / x.sqrt(),
                    2 => -0.25 / (x * x.sqrt()),
                    _ => 0.375 / (x * x * x.sqrt()),
                })
            }),
            (Self::InverseSqrt, k) => math::each(x, |x| {
                positive(x, |x| match k {
                    0 => 1.0 / x.sqrt(),
                    1 => -0.5 / (x * x.sqrt()),
                    2 => 0.75 / (x * x * x.sqrt()),
                    _ => -1.875 / (x * x * x * x.sqrt()),
                })
            }),
        }
    }
}

#[inline(always)]
fn positive(x: f64, f: impl Fn(f64) -> f64) -> f64 {
    if x > 0.0 { f(x) } else { 0.0 }
}

#[inline(always)]
fn sigmoid<const FMA: bool, const W: usize>(order: u8, x: [f64; W]) -> [f64; W] {
    math::each(math::sigmoid::<FMA, W>(x), |s| match order {
        0 => s,
        1 => s * (1.0 - s),
        2 => s * (1.0 - s) * (1.0 - 2.0 * s),
        _ => s * (1.0 - s) * (1.0 - 6.0 * s * (1.0 - s)),
    })
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

    #[test]
    fn each_order_is_the_derivative_of_the_one_below() {
        for f in ALL {
            for order in 0..3 {
                for x in [-3.1, -0.4, 0.02, 0.3, 1.7, 4.0f64] {
                    let h = 1e-5 * x.abs();
                    let at = |x: f64, k| f.evaluate::<false, 1>(k, [x])[0];
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
