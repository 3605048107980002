//! Time of the kernels: updates with their tangent, and the gradient of whole histories.
//!
//! `cargo bench --bench kernels [-- WORD…]`; comparison with other libraries: `benches/peers/run`.

#[allow(dead_code)]
mod models;
#[path = "models/tasks.rs"]
mod tasks;

use burn::tensor::DType;
use models::timing::Benchmarks;
use tasks::{batch, gradient, gru, implicit, network, single, training};

fn main() {
    let benchmarks = Benchmarks::from_arguments();
    updates(&benchmarks);
    gradients(&benchmarks);
}

fn updates(benchmarks: &Benchmarks) {
    benchmarks.run("update A f64, one point", 1, || single(gru()));
    benchmarks.run("update B f64, one point", 1, || single(gradient()));
    for points in [64, 1024, 16_384] {
        let name = |law| format!("update {law} f64, {points} points");
        benchmarks.run(&name("A"), points, || batch(gru(), points));
        benchmarks.run(&name("B"), points, || batch(gradient(), points));
        benchmarks.run(&name("D"), points, || batch(implicit(), points));
    }
}

/// Cost against the number of steps and of histories.
fn gradients(benchmarks: &Benchmarks) {
    for (rows, records) in [(200, 16), (200, 64), (200, 256), (1000, 64), (10_000, 16)] {
        for (format, float) in [("f32", DType::F32), ("f64", DType::F64)] {
            let name = |law| format!("gradient {law} {format}, {rows} rows x {records} records");
            let (count, shape) = (rows * records, [rows, records]);
            benchmarks.run(&name("GRU"), count, || training(gru(), shape, float));
            benchmarks.run(&name("IV"), count, || training(network(), shape, float));
        }
    }
}
