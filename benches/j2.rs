//! Time of J2 and Perzyna: batches with half of the points plastic, and single points.
//!
//! `cargo bench --bench j2 [-- WORD…]`

#[allow(dead_code)]
mod models;

use hysteron::law::MaterialLaw;
use hysteron::laws::{J2, example_laws};
use models::points::{Point, batch};
use models::timing::Benchmarks;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() {
    let benchmarks = Benchmarks::from_arguments();
    for (name, law) in laws() {
        batches(&benchmarks, name, law.as_ref());
        single_points(&benchmarks, name, law.as_ref());
    }
}

/// Linear hardening, and the Voce–Chaboche set of S355 steel without and with viscosity.
fn laws() -> Vec<(&'static str, Box<dyn MaterialLaw>)> {
    let linear = J2::new(&models::steel()).expect("the parameters are valid");
    let mut laws: Vec<(_, Box<dyn MaterialLaw>)> = vec![("linear", Box::new(linear))];
    let published = example_laws().into_iter();
    laws.extend(published.filter(|(name, _)| ["j2", "perzyna"].contains(name)));
    laws
}

fn batches(benchmarks: &Benchmarks, name: &str, law: &dyn MaterialLaw) {
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
        benchmarks.run(&format!("{name}, {points} points"), points, || {
            let mut batch = batch(law, strain);
            move || batch.update(law).unwrap()
        });
    }
}

fn single_points(benchmarks: &Benchmarks, name: &str, law: &dyn MaterialLaw) {
    for (kind, size) in [("elastic", 1e-4), ("plastic", 1e-2)] {
        let strain = [1.0, -0.3, -0.2, 0.4, 0.1, 0.3].map(|share| share * size);
        benchmarks.run(&format!("{name}, one {kind} point"), 1, || {
            let mut point = Point::first(&batch(law, strain.to_vec()));
            move || point.update(law).unwrap()
        });
    }
}
