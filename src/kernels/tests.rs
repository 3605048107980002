//! The products as this machine computes them against the same bodies over arrays, with fused
//! multiply-add (as on 64-bit ARM) and without it (on any machine).

use super::simd::{Neon, Portable};
use super::{
    Columns, Start,
    dense::{dense_body, outer_body},
    dispatched, outer_add,
    single::dense_single_body,
};
use crate::kernels::Real;
use rand::{RngExt, SeedableRng, rngs::StdRng};

dispatched!(
    fn dense [T: Real, const W: usize] [T, W] = dense_body(
        columns: Columns<T>, start: Start<T>, x: &[[T; W]], y: &mut [[T; W]])
);
dispatched!(
    fn dense_single [T: Real] [T] = dense_single_body(
        columns: Columns<T>, start: Start<T>, x: &[T], shape: [usize; 3], y: &mut [T])
);
/// Whether the dispatched functions multiply and add in one rounding.
fn fused() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return cfg!(target_arch = "aarch64");
}

fn numbers<T: Real>(rng: &mut StdRng, n: usize) -> Vec<T> {
    let mut number = || T::of(rng.random_range(-1.0..1.0));
    (0..n).map(|_| number()).collect()
}

fn lanes<T: Real, const W: usize>(rng: &mut StdRng, n: usize) -> Vec<[T; W]> {
    let numbers = numbers::<T>(rng, n * W);
    numbers.as_chunks().0.to_vec()
}

/// Sums of at most `terms` products of numbers below one.
fn assert_close<T: Real>(a: &[T], b: &[T], terms: usize, what: &str) {
    let terms = terms as f64;
    for (a, b) in a.iter().zip(b) {
        let error = (a.to_f64() - b.to_f64()).abs();
        assert!(
            error <= terms * terms * T::EPSILON.to_f64(),
            "{what}: {a} {b}"
        );
    }
}

/// Equal to the body with the same rounding, close to the other one.
fn agree<T: Real>(all: [Vec<T>; 3], terms: usize, what: &str) {
    let [here, fused_body, portable] = all;
    let same = if fused() { &fused_body } else { &portable };
    assert!(here == *same, "{what}: {here:?} {same:?}");
    assert_close(&fused_body, &portable, terms, what);
}

fn check<T: Real, const W: usize>() {
    let mut rng = StdRng::seed_from_u64(W as u64);
    for _ in 0..60 {
        let [n, m] = [(); 2].map(|()| rng.random_range(1..=40usize));
        let name = format!("{n} x {m}, {W} lanes");
        // More rows than are asked for.
        let stride = n + rng.random_range(0..3usize);
        let from = numbers::<T>(&mut rng, (m - 1) * stride + n);
        let columns = Columns {
            from: &from,
            stride,
        };
        let bias = numbers::<T>(&mut rng, n);
        let (x, y) = (lanes::<T, W>(&mut rng, m), lanes::<T, W>(&mut rng, n));
        for start in [Start::Zero, Start::Bias(&bias), Start::Present] {
            let run = |f: Product<T, W>| {
                let mut result = y.clone();
                f(columns, start, &x, &mut result);
                result.into_flattened()
            };
            let bodies = [
                dense,
                dense_body::<Neon, T, W>,
                dense_body::<Portable, T, W>,
            ];
            agree(bodies.map(run), m + 1, &format!("dense {name}"));
        }
        check_outer::<T, W>(&mut rng, [n, m], &name);
        check_single::<T>(&mut rng, [n, m], columns, &bias, &name);
    }
}

type Product<T, const W: usize> = fn(Columns<T>, Start<T>, &[[T; W]], &mut [[T; W]]);
type Outer<T, const W: usize> = fn(&[(usize, usize)], &[[T; W]], &[[T; W]], usize, usize, &mut [T]);
type Single<T> = fn(Columns<T>, Start<T>, &[T], [usize; 3], &mut [T]);

fn check_outer<T: Real, const W: usize>(rng: &mut StdRng, [n, m]: [usize; 2], name: &str) {
    let (y, x) = (lanes::<T, W>(rng, 3 * n), lanes::<T, W>(rng, 3 * m));
    let gradient = numbers::<T>(rng, n * m);
    let calls = [(0, m), (n, 0), (2 * n, 2 * m), (rng.random_range(0..n), 0)];
    let run = |f: Outer<T, W>| {
        let mut result = gradient.clone();
        f(&calls, &y, &x, n, m, &mut result);
        result
    };
    let [here, fused, portable] = [
        outer_add,
        outer_body::<Neon, T, W>,
        outer_body::<Portable, T, W>,
    ]
    .map(run);
    let name = format!("outer {name}");
    // Registers of another length sum the lanes in another order; without registers there is one.
    if W == 1 {
        assert!(here == fused && here == portable, "{name}");
    }
    assert_close(&here, &fused, 4 * W + 1, &name);
    assert_close(&here, &portable, 4 * W + 1, &name);
}

fn check_single<T: Real>(
    rng: &mut StdRng,
    [n, m]: [usize; 2],
    columns: Columns<T>,
    bias: &[T],
    name: &str,
) {
    let count = rng.random_range(1..=8usize);
    let stride = m + rng.random_range(0..3usize);
    let (x, y) = (
        numbers::<T>(rng, count * stride),
        numbers::<T>(rng, count * n),
    );
    for start in [Start::Zero, Start::Bias(bias), Start::Present] {
        let run = |f: Single<T>| {
            let mut result = y.clone();
            f(columns, start, &x, [count, stride, m], &mut result);
            result
        };
        let bodies = [
            dense_single,
            dense_single_body::<Neon, T>,
            dense_single_body::<Portable, T>,
        ];
        let all = bodies.map(run);
        // The same bits as with points in the lanes.
        for k in 0..count {
            let vector: Vec<[T; 1]> = x[k * stride..][..m].iter().map(|x| [*x]).collect();
            let mut result: Vec<[T; 1]> = y[k * n..][..n].iter().map(|y| [*y]).collect();
            dense(columns, start, &vector, &mut result);
            assert!(
                result.as_flattened() == &all[0][k * n..][..n],
                "single {name}"
            );
        }
        agree(all, m + 1, &format!("single {name}"));
    }
}

#[test]
fn instruction_sets_agree_in_double_precision() {
    check::<f64, 1>();
    check::<f64, 8>();
    check::<f64, 16>();
}

#[test]
fn instruction_sets_agree_in_single_precision() {
    check::<f32, 1>();
    check::<f32, 8>();
    check::<f32, 16>();
}
