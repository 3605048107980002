//! Exponential, logistic function and hyperbolic tangent with their derivatives: branch-free, so
//! that the compiler turns a loop over each into vector code.
//!
//! Every result is within 4 units in the last place of what is exact (`accuracy.rs`), with two
//! exceptions. Third derivatives vanish where two terms cancel; there the unit is that of the least
//! of these terms at the zero, `½ s'` and `2 tanh'`, since an exponential rounded to the format
//! does not hold more. And `e^x` saturates at the ends of the normal numbers, `2^{−1022}` and
//! `2^{1023½}` (`2^{−126}` and `2^{127½}` in single precision): nothing overflows, no product slows
//! down on subnormal numbers, and what is below 16 times the least normal number has an absolute
//! error of that order.

use super::simd::Isa;
use crate::kernels::Real;

#[inline(always)]
pub(crate) fn fma<I: Isa, T: Real>(a: T, b: T, c: T) -> T {
    if I::FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn polynomial<I: Isa, T: Real>(coefficients: &[T], x: T) -> T {
    let mut sum = coefficients[0];
    for c in &coefficients[1..] {
        sum = fma::<I, T>(sum, x, *c);
    }
    sum
}

/// `(e^x, e^x − 1)`; `e^x` saturates at the ends of the normal numbers.
#[inline(always)]
fn exponential<I: Isa, T: Real>(x: T) -> (T, T) {
    // Comparisons, not min/max: NaN must stay NaN.
    let x = if x > T::RANGE[1] { T::RANGE[1] } else { x };
    let x = if x < T::RANGE[0] { T::RANGE[0] } else { x };
    // x = k ln 2 + r, |r| ≤ ½ ln 2
    let shifted = fma::<I, T>(x, T::LOG2_E, T::ROUND);
    let k = shifted - T::ROUND;
    let r = fma::<I, T>(-k, T::LN_2[1], fma::<I, T>(-k, T::LN_2[0], x));
    let p = polynomial::<I, T>(T::EXP, r);
    let less_one = fma::<I, T>(p * r, r, r);
    let power = shifted.power_of_two();
    (
        fma::<I, T>(power, less_one, power),
        fma::<I, T>(power, less_one, power - T::ONE),
    )
}

/// `e^x`
#[inline(always)]
pub(crate) fn exp<I: Isa, T: Real>(x: T) -> T {
    exponential::<I, T>(x).0
}

/// `e^x − 1`, accurate near zero.
#[inline(always)]
pub(crate) fn exp_m1<I: Isa, T: Real>(x: T) -> T {
    exponential::<I, T>(x).1
}

/// `top/(1 + e)`, `0 ≤ e ≤ 1`, where `inverse` is `1/(1 + e)` rounded: as good as a division by the
/// sum before its rounding.
#[inline(always)]
fn quotient<I: Isa, T: Real>(top: T, e: T, inverse: T) -> T {
    let rough = top * inverse;
    // The difference is exact: `rough` lies between half of `top` and `top`.
    let rest = fma::<I, T>(-rough, e, top - rough);
    fma::<I, T>(rest, inverse, rough)
}

/// `s = 1/(1 + e^{−x})` and its first three derivatives, and `ln(1 + e^x)`.
#[inline(always)]
fn logistic<I: Isa, T: Real>(x: T) -> (T, [T; 4]) {
    let two = T::of(2.0);
    let (e, less_one) = exponential::<I, T>(-x.abs());
    let inverse = T::ONE / (T::ONE + e);
    let positive = x > T::ZERO;
    let s = if positive { inverse } else { e * inverse };
    // Not the product of two inverses, which would count their errors twice.
    let slope = e / fma::<I, T>(e, two + e, T::ONE);
    // 1 − 2 s = −tanh(x/2)
    let odd = quotient::<I, T>(less_one, e, inverse).copysign(-x);
    // 1 − 6 s' from what is small: around its zero s' = 1/6 both serve.
    let near = fma::<I, T>(T::of(1.5) * odd, odd, T::of(-0.5));
    let far = fma::<I, T>(T::of(-6.0), slope, T::ONE);
    let third = slope * if slope > T::of(1.0 / 6.0) { near } else { far };
    // ln(1 + e) = 2 artanh((y − 1)/(y + 1)) (+ ln 2), y = 1 + e or half of it: y in [1/√2, √2].
    let halved = e > T::of(std::f64::consts::SQRT_2 - 1.0);
    let (top, bottom) = if halved {
        (less_one, T::of(3.0) + e)
    } else {
        (e, two + e)
    };
    let ratio = top / bottom;
    let square = ratio * ratio;
    let series = polynomial::<I, T>(T::ARTANH, square) * square;
    let log = two * fma::<I, T>(series, ratio, ratio);
    let log = log
        + if halved {
            T::of(std::f64::consts::LN_2)
        } else {
            T::ZERO
        };
    let softplus = log + if positive { x } else { T::ZERO };
    (softplus, [s, slope, slope * odd, third])
}

/// `1/(1 + e^{−x})` and its first three derivatives.
#[inline(always)]
pub(crate) fn sigmoid<I: Isa, T: Real>(x: T) -> [T; 4] {
    logistic::<I, T>(x).1
}

/// `ln(1 + e^x)` and its first three derivatives.
#[inline(always)]
pub(crate) fn softplus<I: Isa, T: Real>(x: T) -> [T; 4] {
    let (softplus, [s, slope, second, _]) = logistic::<I, T>(x);
    [softplus, s, slope, second]
}

/// `tanh x` and its first three derivatives.
#[inline(always)]
pub(crate) fn tanh<I: Isa, T: Real>(x: T) -> [T; 4] {
    let (two, four, six) = (T::of(2.0), T::of(4.0), T::of(6.0));
    let (e, less_one) = exponential::<I, T>(-two * x.abs());
    let inverse = T::ONE / (T::ONE + e);
    let y = (less_one * inverse).copysign(x);
    // As in `logistic`.
    let slope = four * e / fma::<I, T>(e, two + e, T::ONE);
    let fine = quotient::<I, T>(less_one, e, inverse).copysign(x);
    let near = fma::<I, T>(six * fine, fine, -two);
    let far = fma::<I, T>(-six, slope, four);
    [
        y,
        slope,
        -two * fine * slope,
        slope * if slope > T::of(2.0 / 3.0) { near } else { far },
    ]
}

/// `√x` and its first three derivatives; all zero up to `POLE`.
#[inline(always)]
pub(crate) fn sqrt<T: Real>(x: T) -> [T; 4] {
    let root = x.sqrt();
    let first = T::of(0.5) / root;
    let second = T::of(-0.5) * first / x;
    beyond(T::POLE, x, [root, first, second, T::of(-1.5) * second / x])
}

/// `1/√x` and its first three derivatives; all zero up to `POLE`.
#[inline(always)]
pub(crate) fn inverse_sqrt<T: Real>(x: T) -> [T; 4] {
    let inverse = T::ONE / x.sqrt();
    let first = T::of(-0.5) * inverse / x;
    let second = T::of(-1.5) * first / x;
    beyond(
        T::POLE,
        x,
        [inverse, first, second, T::of(-2.5) * second / x],
    )
}

/// `1/x` and its first three derivatives; all zero up to `POLE`.
#[inline(always)]
pub(crate) fn reciprocal<T: Real>(x: T) -> [T; 4] {
    let inverse = T::ONE / x;
    let first = -inverse * inverse;
    let second = T::of(-2.0) * first * inverse;
    beyond(
        T::POLE,
        x,
        [inverse, first, second, T::of(-3.0) * second * inverse],
    )
}

/// `max(x, 0)` and its first three derivatives; all zero where `x ≤ 0`.
#[inline(always)]
pub(crate) fn positive_part<T: Real>(x: T) -> [T; 4] {
    beyond(T::ZERO, x, [x, T::ONE, T::ZERO, T::ZERO])
}

#[inline(always)]
fn beyond<T: Real>(least: T, x: T, values: [T; 4]) -> [T; 4] {
    values.map(|value| if x > least { value } else { T::ZERO })
}
