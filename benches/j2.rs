//! Points per second of J2 and Perzyna in a batch, half of the points plastic, and the time of a
//! single point: `cargo bench --bench j2`.

#[allow(dead_code)]
mod models;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hysteron::law::MaterialLaw;
use hysteron::laws::{J2, example_laws};
use models::points::{Point, batch};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Linear hardening, and the Voce–Chaboche set of S355 steel without and with viscosity.
fn laws() -> Vec<(&'static str, Box<dyn MaterialLaw>)> {
    let linear = J2::new(&models::steel()).expect("the parameters are valid");
    let mut laws: Vec<(_, Box<dyn MaterialLaw>)> = vec![("linear", Box::new(linear))];
    let published = example_laws().into_iter();
    laws.extend(published.filter(|(name, _)| ["j2", "perzyna"].contains(name)));
    laws
}

fn batches(criterion: &mut Criterion) {
    for (name, law) in laws() {
        let mut group = criterion.benchmark_group(format!("j2/{name}"));
        for points in [64, 1024, 16_384] {
            let mut random = ChaCha8Rng::seed_from_u64(1);
            let mut strain = vec![0.0; 6 * points];
            for point in 0..points {
                let plastic = random.random::<bool>();
                let size = if plastic { 1.5e-2 } else { 3e-4 };
                for c in 0..6 {
                    strain[c * points + point] = random.random_range(-size..size);
                }
            }
            let mut batch = batch(law.as_ref(), strain);
            group.throughput(Throughput::Elements(points as u64));
            group.bench_function(BenchmarkId::from_parameter(points), |bencher| {
                bencher.iter(|| batch.update(law.as_ref()).unwrap());
            });
        }
        group.finish();
    }
}

fn single_points(criterion: &mut Criterion) {
    for (name, law) in laws() {
        let mut group = criterion.benchmark_group(format!("j2/{name}/one point"));
        for (kind, size) in [("elastic", 1e-4), ("plastic", 1e-2)] {
            let strain = [1.0, -0.3, -0.2, 0.4, 0.1, 0.3].map(|share| share * size);
            let mut point = Point::first(&batch(law.as_ref(), strain.to_vec()));
            group.bench_function(kind, |bencher| {
                bencher.iter(|| point.update(law.as_ref()).unwrap());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, batches, single_points);
criterion_main!(benches);
