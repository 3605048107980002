//! The elementwise functions against exact values (`tests/reference/functions.py`).

use super::math;
use super::simd::{Isa, Neon, Portable};
use crate::kernels::Real;

const REFERENCE: &str = include_str!("../../tests/reference/functions.csv");

const NAMES: [&str; 11] = [
    "exp",
    "exp_m1",
    "softplus",
    "sigmoid",
    "sigmoid'",
    "sigmoid''",
    "sigmoid'''",
    "tanh",
    "tanh'",
    "tanh''",
    "tanh'''",
];

/// Largest error in units in the last place.
const LIMIT: f64 = 4.0;

/// Units in the last place of `T` at a number; that of the least normal one below it.
fn unit<T: Real>(value: f64, least: f64) -> f64 {
    // Not by a logarithm, which rounds.
    let exponent = (value.abs().max(least).to_bits() >> 52) as i32 - 1023;
    T::EPSILON.to_f64() * 2f64.powi(exponent)
}

fn computed<I: Isa, T: Real>(x: T) -> [f64; 11] {
    let ([softplus, ..], s) = (math::softplus::<I, T>(x), math::sigmoid::<I, T>(x));
    let (exp, exp_m1) = (math::exp::<I, T>(x), math::exp_m1::<I, T>(x));
    let t = math::tanh::<I, T>(x);
    let all = [
        exp, exp_m1, softplus, s[0], s[1], s[2], s[3], t[0], t[1], t[2], t[3],
    ];
    all.map(T::to_f64)
}

/// Worst error of each function in units in the last place, and where it is.
fn worst<I: Isa, T: Real>(table: &str, least: f64) -> [(f64, f64); 11] {
    let mut worst = [(0.0f64, 0.0); 11];
    let mut points = 0;
    for line in table.lines().skip(1) {
        let numbers: Vec<f64> = line.split(',').map(|n| n.parse().unwrap()).collect();
        let (x, exact) = (numbers[0], numbers[1..].as_chunks::<2>().0);
        let at = T::of(x);
        // Arguments of double precision only, and those beyond the range of `e^x`.
        if at.to_f64() != x || x.abs() > T::RANGE[1].to_f64() {
            continue;
        }
        points += 1;
        for (k, mine) in computed::<I, T>(at).into_iter().enumerate() {
            let [nearest, rest] = exact[k];
            let error = ((mine - nearest) - rest).abs();
            // Where a third derivative vanishes, the unit is that of the terms that cancel.
            let size = match k {
                6 => nearest.abs().max(0.5 * exact[4][0]),
                10 => nearest.abs().max(2.0 * exact[8][0]),
                _ => nearest.abs(),
            };
            // `e^x` saturates.
            let error = match size < 16.0 * least && x.abs() > 1.0 {
                true => error / (16.0 * least),
                false => error / unit::<T>(size, least),
            };
            // A NaN counts as the worst.
            if error
                .partial_cmp(&worst[k].0)
                .is_none_or(|order| order.is_gt())
            {
                worst[k] = (error, x);
            }
        }
    }
    assert!(points > 150, "{points} points");
    worst
}

fn check(table: &str) {
    let double = f64::MIN_POSITIVE;
    let single = f64::from(f32::MIN_POSITIVE);
    let mut within = true;
    for (name, worst) in [
        ("f64 fused", worst::<Neon, f64>(table, double)),
        ("f64", worst::<Portable, f64>(table, double)),
        ("f32 fused", worst::<Neon, f32>(table, single)),
        ("f32", worst::<Portable, f32>(table, single)),
    ] {
        for (function, (error, x)) in NAMES.iter().zip(worst) {
            println!("{name}: {function} {error:.2} at {x:e}");
            within &= error <= LIMIT;
        }
    }
    assert!(within);
}

#[test]
fn within_four_units_of_the_last_place() {
    check(REFERENCE);
}

/// The table of random points is large and takes a minute to make.
#[test]
#[ignore = "needs target/functions.csv, see tests/reference/functions.py"]
fn densely() {
    check(&std::fs::read_to_string("target/functions.csv").unwrap());
}

fn extremes<I: Isa, T: Real>() {
    let [infinity, nan] = [f64::INFINITY, f64::NAN].map(T::of);
    let largest = T::of(1e38);
    for x in [
        largest,
        -largest,
        T::of(1e3),
        -T::of(1e3),
        T::ZERO,
        -T::ZERO,
    ] {
        assert!(computed::<I, T>(x).into_iter().all(f64::is_finite), "{x}");
    }
    // What is beyond the range is as at its ends.
    let [low, high] = T::RANGE;
    for (beyond, end) in [(infinity, high), (largest, high), (-infinity, low)] {
        assert_eq!(math::exp::<I, T>(beyond), math::exp::<I, T>(end));
        assert_eq!(math::exp_m1::<I, T>(beyond), math::exp_m1::<I, T>(end));
    }
    for x in [infinity, largest] {
        let least = math::exp::<I, T>(low);
        let near_zero = |y: T| y.abs() <= T::of(16.0) * least;
        let [softplus, ..] = math::softplus::<I, T>(x);
        assert_eq!(softplus, x);
        assert!(near_zero(math::softplus::<I, T>(-x)[0]));
        assert!(math::sigmoid::<I, T>(x)[0] == T::ONE && near_zero(math::sigmoid::<I, T>(-x)[0]));
        assert_eq!(math::tanh::<I, T>(x)[0], T::ONE);
        assert_eq!(math::tanh::<I, T>(-x)[0], -T::ONE);
        for slopes in [math::sigmoid::<I, T>(x), math::tanh::<I, T>(-x)] {
            assert!(slopes[1..].iter().all(|slope| near_zero(*slope)));
        }
    }
    for zero in [T::ZERO, -T::ZERO] {
        let tanh = math::tanh::<I, T>(zero);
        let sign = |y: T| y.to_f64().is_sign_negative();
        assert!(tanh[0] == T::ZERO && sign(tanh[0]) == sign(zero));
        assert!(tanh[2] == T::ZERO && sign(tanh[2]) != sign(zero));
        assert_eq!(tanh[1], T::ONE);
    }
    assert!(computed::<I, T>(nan).into_iter().all(f64::is_nan));
}

#[test]
fn extremes_stay_finite_and_nan_stays_nan() {
    extremes::<Portable, f64>();
    extremes::<Neon, f64>();
    extremes::<Portable, f32>();
    extremes::<Neon, f32>();
}
