//! Time of our kernels: updates with their tangent, and the gradient of whole histories.
//!
//! `cargo bench --bench kernels`; side by side with other libraries: `benches/peers/run`.

#[allow(dead_code)]
mod models;
#[path = "models/tasks.rs"]
mod tasks;

use burn::tensor::DType;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tasks::{batch, gradient, gru, implicit, network, single, training};

fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update and tangent, f64");
    group.bench_function("A, one point", |b| b.iter(single(gru())));
    group.bench_function("B, one point", |b| b.iter(single(gradient())));
    for points in [64, 1024, 16384] {
        group.throughput(Throughput::Elements(points as u64));
        let id = |law| BenchmarkId::new(law, points);
        group.bench_function(id("A, batch"), |b| b.iter(batch(gru(), points)));
        group.bench_function(id("B, batch"), |b| b.iter(batch(gradient(), points)));
        group.bench_function(id("D, batch"), |b| b.iter(batch(implicit(), points)));
    }
}

/// Cost against the number of steps and of histories.
fn gradients(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gradient of whole histories");
    group.sample_size(10);
    for (rows, records) in [(200, 16), (200, 64), (200, 256), (1000, 64), (10_000, 16)] {
        group.throughput(Throughput::Elements((rows * records) as u64));
        for (name, float) in [("f32", DType::F32), ("f64", DType::F64)] {
            let id = |law: &str| {
                BenchmarkId::new(format!("{law} {name}"), format!("{rows} x {records}"))
            };
            let shape = [rows, records];
            group.bench_function(id("GRU"), |b| b.iter(training(gru(), shape, float)));
            group.bench_function(id("IV"), |b| b.iter(training(network(), shape, float)));
        }
    }
}

criterion_group!(kernels, updates, gradients);
criterion_main!(kernels);
