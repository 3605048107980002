//! The elementwise functions against values of 400 digits (`tests/reference/functions.py`).

use super::math;
use super::simd::{Isa, Neon, Portable};
use crate::algebra::Real;

const REFERENCE: &str = include_str!("../../../tests/reference/functions.csv");

/// Units in the last place of `T` at a number; that of the least normal one below it.
fn unit<T: Real>(value: f64, least: f64) -> f64 {
    let exponent = value.abs().max(least).log2().floor();
    T::EPSILON.to_f64() * exponent.exp2()
}

/// Worst error of exp, softplus, sigmoid and tanh with its derivatives, in units in the last place.
fn worst<I: Isa, T: Real>([low, high]: [f64; 2], least: f64) -> [f64; 10] {
    let mut worst = [0.0f64; 10];
    for line in REFERENCE.lines().skip(1) {
        let numbers: Vec<f64> = line.split(',').map(|n| n.parse().unwrap()).collect();
        let x = numbers[0];
        if !(low..=high).contains(&x) {
            continue;
        }
        let at = T::of(x);
        let [softplus, ..] = math::softplus::<I, T>(at);
        let mine = [math::exp::<I, T>(at), softplus].into_iter();
        let mine = mine
            .chain(math::sigmoid::<I, T>(at))
            .chain(math::tanh::<I, T>(at));
        for (k, mine) in mine.enumerate() {
            let exact = numbers[1 + k];
            // A third derivative vanishes where two terms cancel: its error is measured against
            // the larger of them.
            let size = match k {
                5 => numbers[4] * (1.5 * (1.0 - 2.0 * numbers[3]).powi(2)).max(0.5),
                9 => numbers[8] * (6.0 * numbers[7] * numbers[7]).max(2.0),
                _ => exact,
            };
            // What is no longer a normal number saturates.
            if size.abs() < least {
                continue;
            }
            let error = (mine.to_f64() - exact).abs() / unit::<T>(size, least);
            worst[k] = worst[k].max(error);
        }
    }
    worst
}

#[test]
fn within_four_units_of_the_last_place() {
    // From where `e^x` is normal to where it overflows.
    let double = ([-700.0, 700.0], 1e-300);
    let single = ([-86.0, 86.0], 1e-36);
    for (name, worst) in [
        ("f64 fused", worst::<Neon, f64>(double.0, double.1)),
        ("f64", worst::<Portable, f64>(double.0, double.1)),
        ("f32 fused", worst::<Neon, f32>(single.0, single.1)),
        ("f32", worst::<Portable, f32>(single.0, single.1)),
    ] {
        println!("{name}: {worst:.2?}");
        // The third derivative of tanh, which no law uses, has a unit more.
        let limit = |k| if k == 9 { 5.0 } else { 4.0 };
        let within = worst.iter().enumerate().all(|(k, w)| *w <= limit(k));
        assert!(within, "{name}: {worst:.2?}");
    }
}

#[test]
fn extremes_stay_finite_and_nan_stays_nan() {
    for x in [f64::MAX, -f64::MAX, 1e3, -1e3, 0.0, -0.0] {
        let all = math::softplus::<Portable, f64>(x).into_iter();
        let all = all.chain(math::tanh::<Portable, f64>(x));
        assert!(
            all.chain([math::exp::<Portable, f64>(x)])
                .all(f64::is_finite)
        );
    }
    assert_eq!(
        math::tanh::<Portable, f64>(-0.0)[0].to_bits(),
        (-0.0f64).to_bits()
    );
    assert_eq!(math::tanh::<Portable, f64>(1e3)[0], 1.0);
    assert_eq!(math::sigmoid::<Portable, f64>(1e3)[0], 1.0);
    let nan = f64::NAN;
    assert!(math::exp::<Portable, f64>(nan).is_nan());
    for values in [
        math::softplus::<Portable, f64>(nan),
        math::sigmoid::<Portable, f64>(nan),
        math::tanh::<Portable, f64>(nan),
    ] {
        assert!(values.into_iter().all(f64::is_nan));
    }
}
