//! Points per second of J2 and Perzyna in a batch, half of the points plastic, and the time of a
//! single point: `cargo bench --bench j2`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hysteron::law::{BatchInput, BatchOutput, Increment, MaterialLaw, Response, Status};
use hysteron::laws::{Backstress, J2, Perzyna, PerzynaParameters, PlasticityParameters, Voce};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;

/// Linear isotropic and kinematic hardening.
fn linear() -> PlasticityParameters {
    PlasticityParameters {
        young: 200e3,
        poisson: 0.3,
        yield_stress: 250.0,
        voce: vec![],
        linear_hardening: 1000.0,
        backstress: vec![Backstress {
            c: 5000.0,
            gamma: 0.0,
        }],
    }
}

/// S355 steel, the Voce–Chaboche set of RESSPyLab (see `materials/`).
fn s355() -> PlasticityParameters {
    PlasticityParameters {
        young: 185_115.047,
        poisson: 0.3,
        yield_stress: 255.416,
        voce: vec![Voce {
            q: 91.727,
            rate: 9.595,
        }],
        linear_hardening: 0.0,
        backstress: vec![
            Backstress {
                c: 1761.991,
                gamma: 3.549,
            },
            Backstress {
                c: 17_430.519,
                gamma: 157.279,
            },
        ],
    }
}

fn laws() -> Vec<(&'static str, Box<dyn MaterialLaw>)> {
    let perzyna = PerzynaParameters {
        plasticity: s355(),
        drag: 255.416,
        exponent: 5.0,
        reference_rate: 40.4,
    };
    let valid = "the parameters are valid";
    vec![
        ("linear", Box::new(J2::new(&linear()).expect(valid))),
        ("s355", Box::new(J2::new(&s355()).expect(valid))),
        ("perzyna", Box::new(Perzyna::new(&perzyna).expect(valid))),
    ]
}

fn batches(criterion: &mut Criterion) {
    for (name, law) in laws() {
        let (s, dt) = (law.state_layout().len(), 0.1);
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
            let strain_old = vec![0.0; 6 * points];
            let dt = vec![dt; points];
            let state = vec![0.0; s * points];
            let mut state_new = vec![0.0; s * points];
            let (mut stress, mut tangent) = (vec![0.0; 6 * points], vec![0.0; 36 * points]);
            let (mut energy, mut dissipation) = (vec![0.0; points], vec![0.0; points]);
            let mut status = vec![Status::Inside; points];
            group.throughput(Throughput::Elements(points as u64));
            group.bench_function(BenchmarkId::from_parameter(points), |bencher| {
                bencher.iter(|| {
                    let input = BatchInput {
                        points,
                        strain_old: &strain_old,
                        strain_new: black_box(&strain),
                        dt: &dt,
                        external_old: &[],
                        external_new: &[],
                        state: &state,
                    };
                    let mut output = BatchOutput {
                        state: &mut state_new,
                        stress: &mut stress,
                        tangent: &mut tangent,
                        stored_energy: &mut energy,
                        dissipation: &mut dissipation,
                        status: &mut status,
                    };
                    law.update_batch(&input, &mut output)
                });
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
            let state = law.new_state();
            let mut state_new = state.clone();
            let mut response = Response::default();
            group.bench_function(kind, |bencher| {
                bencher.iter(|| {
                    let increment = Increment {
                        strain_old: &[0.0; 6],
                        strain_new: black_box(&strain),
                        dt: 0.1,
                        external_old: &[],
                        external_new: &[],
                    };
                    law.update(&increment, &state, &mut state_new, &mut response)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, batches, single_points);
criterion_main!(benches);
