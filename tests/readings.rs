//! One law, several readings: they must agree.
#![cfg(feature = "train")]

mod common;

use burn::tensor::{DType, Device, Tensor, TensorData};
use common::distance;
use hysteron::graph::{
    Coefficients, Constraint, Function, Initial, Matrix, ParameterLayout, Vector, concat,
};
use hysteron::law::{BatchInput, BatchOutput, Increment, MaterialLaw, Response, Status};
use hysteron::law::{Guarantees, StateLayout};
use hysteron::model::{LearnedLaw, Normalisation};
use hysteron::record::{Padded, Record};
use hysteron::recurrent::{
    Architecture, Clock, Forces, RecurrentLaw, Step, Symmetry, laws, symmetric_laws,
};
use hysteron::train::rollout::{RollOut, roll_out_tensors};
use hysteron::train::{Histories, normalisation};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

fn architectures() -> Vec<Architecture> {
    let mut list = Vec::new();
    for law in laws() {
        for (components, clock, external, symmetry, substeps) in [
            (1, Clock::StrainPath, 0, Symmetry::None, 1),
            (3, Clock::Time, 1, Symmetry::None, 1),
            (6, Clock::Both, 0, Symmetry::None, 1),
            (6, Clock::StrainPath, 2, Symmetry::None, 1),
            (1, Clock::Both, 1, Symmetry::None, 3),
            (3, Clock::Both, 1, Symmetry::Isotropic, 1),
            (6, Clock::StrainPath, 0, Symmetry::Isotropic, 1),
            (1, Clock::Time, 0, Symmetry::Isotropic, 1),
            (6, Clock::Both, 1, Symmetry::TransverselyIsotropic, 1),
            (6, Clock::StrainPath, 0, Symmetry::Orthotropic, 1),
            (3, Clock::Both, 0, Symmetry::Orthotropic, 1),
        ] {
            if symmetry != Symmetry::None && !symmetric_laws().contains(&law) {
                continue;
            }
            list.push(Architecture {
                law: law.into(),
                components,
                external,
                states: 5,
                width: 7,
                layers: 2,
                energy_width: 6,
                energy_layers: 2,
                clock,
                symmetry,
                substeps,
                linear_hardening: law == "physically-recurrent" && external == 1,
                stress_state: None,
            });
        }
    }
    list
}

/// Random walks with holds (no strain), repeated rows (no strain, no time) and rate jumps.
fn records(architecture: &Architecture, count: usize, seed: u64) -> Vec<Record> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let n = architecture.components;
    (0..count)
        .map(|r| {
            let rows = 9 + r;
            let mut record = Record {
                name: format!("walk {r}"),
                components: n,
                external_names: (0..architecture.external)
                    .map(|i| format!("t{i}"))
                    .collect(),
                ..Record::default()
            };
            let (mut time, mut strain) = (0.0, vec![0.0; n]);
            for row in 0..rows {
                if row > 0 && row % 4 != 0 {
                    strain
                        .iter_mut()
                        .for_each(|e| *e += random.random_range(-0.01..0.01));
                }
                if row % 8 != 0 {
                    time += 10f64.powf(random.random_range(-2.0..1.0));
                }
                record.time.push(time);
                record.strain.extend(&strain);
                record
                    .stress
                    .extend((0..n).map(|_| random.random_range(-300.0..300.0)));
                record
                    .external
                    .extend((0..architecture.external).map(|_| random.random_range(20.0..80.0)));
            }
            record
        })
        .collect()
}

fn shared(architecture: &Architecture) -> (Arc<dyn RecurrentLaw>, ParameterLayout) {
    architecture.build().unwrap()
}

fn histories(architecture: &Architecture, count: usize) -> Arc<Histories> {
    let records = records(architecture, count, 7);
    let padded = Padded::new(&records.iter().collect::<Vec<_>>()).unwrap();
    Arc::new(Histories::new(padded, normalisation(&records).unwrap()))
}

fn parameters(layout: &ParameterLayout) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let start = layout.initial_values(11);
    start
        .iter()
        .map(|p| p + random.random_range(-0.3..0.3))
        .collect()
}

fn tracked(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::<1>::from_data(data, (&Device::flex().autodiff(), DType::F64)).require_grad()
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().try_into_vec().unwrap()
}

#[test]
fn lanes_the_sweep_and_tensors_give_the_same_roll_out() {
    for architecture in architectures() {
        let (law, layout) = shared(&architecture);
        let histories = histories(&architecture, 11);
        let constrained = layout.constrained(&parameters(&layout));
        let roll_out = RollOut::new(law.as_ref(), histories.external());
        let lanes = roll_out.values(&constrained, &histories);
        let sweep = roll_out.tracked(tracked(&constrained), &histories);
        let tensors = roll_out_tensors(law.as_ref(), tracked(&constrained), &histories);
        let (sweep, tensors) = (numbers(sweep.inner()), numbers(tensors.inner()));
        assert_eq!(lanes, sweep, "{architecture:?}");
        let error = distance(&lanes, &tensors);
        assert!(error < 1e-12, "{architecture:?}: {error:e}");
    }
}

#[test]
fn the_sweep_gives_the_gradient_of_burn() {
    for architecture in architectures() {
        let (law, layout) = shared(&architecture);
        let histories = histories(&architecture, 10);
        let roll_out = RollOut::new(law.as_ref(), histories.external());
        let constrained = layout.constrained(&parameters(&layout));
        // An objective in which every output has its own weight.
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let size: usize = histories.shape().iter().product();
        let weights: Vec<f64> = (0..size).map(|_| random.random_range(-1.0..1.0)).collect();
        let gradient = |output: Tensor<3>, leaf: &Tensor<1>| {
            let device = output.device();
            let data = TensorData::new(weights.clone(), histories.shape());
            let weights = Tensor::<3>::from_data(data, (&device, DType::F64));
            let objective = (output * weights).sum();
            numbers(leaf.grad(&objective.backward()).unwrap())
        };
        let (one, other) = (tracked(&constrained), tracked(&constrained));
        let sweep = gradient(roll_out.tracked(one.clone(), &histories), &one);
        let tensors = gradient(
            roll_out_tensors(law.as_ref(), other.clone(), &histories),
            &other,
        );
        let error = distance(&sweep, &tensors);
        assert!(error < 1e-10, "{architecture:?}: {error:e}");

        // And to differences, in a few directions.
        let objective = |p: &[f64]| -> f64 {
            roll_out
                .values(p, &histories)
                .iter()
                .zip(&weights)
                .map(|(o, w)| o * w)
                .sum()
        };
        for _ in 0..3 {
            let direction: Vec<f64> = constrained
                .iter()
                .map(|_| random.random_range(-1.0..1.0))
                .collect();
            let at = |h: f64| {
                let p: Vec<_> = constrained
                    .iter()
                    .zip(&direction)
                    .map(|(p, d)| p + h * d)
                    .collect();
                objective(&p)
            };
            // Fourth order in h. Where a long step goes across the yield of a point, a short one need not.
            let exact: f64 = sweep.iter().zip(&direction).map(|(g, d)| g * d).sum();
            let errors = [1e-5, 1e-6].map(|h| {
                let difference =
                    (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
                (difference - exact).abs() / exact.abs().max(1.0)
            });
            let least = errors[0].min(errors[1]);
            assert!(least < 1e-7, "{architecture:?}: {errors:?} of {exact}");
        }
    }
}

#[test]
fn single_precision_sweeps_back_to_nearly_the_same_gradient() {
    for architecture in architectures() {
        let (law, layout) = shared(&architecture);
        let histories = histories(&architecture, 20);
        let roll_out = RollOut::new(law.as_ref(), histories.external());
        let constrained = layout.constrained(&parameters(&layout));
        let gradient = |float: DType| {
            let leaf = tracked(&constrained);
            let output = roll_out.tracked(leaf.clone().cast(float), &histories);
            let objective = output.cast(DType::F64).square().sum();
            numbers(leaf.grad(&objective.backward()).unwrap())
        };
        let error = distance(&gradient(DType::F32), &gradient(DType::F64));
        println!("{} {:?}: {error:.1e}", architecture.law, architecture.clock);
        assert!(error < 1e-3, "{architecture:?}: {error:e}");
    }
}

/// Walks a law through a record and returns every answer.
fn walk(law: &dyn MaterialLaw, record: &Record) -> Vec<Response> {
    let mut state = law.new_state();
    let mut responses = Vec::new();
    let zero = vec![0.0; record.components];
    for row in 0..record.rows() {
        let increment = Increment {
            strain_old: if row == 0 {
                &zero
            } else {
                record.strain_at(row - 1)
            },
            strain_new: record.strain_at(row),
            dt: if row == 0 {
                0.0
            } else {
                record.time[row] - record.time[row - 1]
            },
            external_old: record.external_at(row.saturating_sub(1)),
            external_new: record.external_at(row),
        };
        let (mut new, mut response) = (state.clone(), Response::default());
        law.update(&increment, &state, &mut new, &mut response)
            .unwrap();
        state = new;
        responses.push(response);
    }
    responses
}

fn learned(architecture: &Architecture, normalisation: Normalisation) -> LearnedLaw {
    let (law, layout) = architecture.build().unwrap();
    let unconstrained = parameters(&layout);
    LearnedLaw::new("law", law, layout, unconstrained, normalisation).unwrap()
}

#[test]
fn a_learned_law_answers_as_its_roll_out_in_physical_units() {
    for architecture in architectures() {
        let records = records(&architecture, 4, 7);
        let normalisation = normalisation(&records).unwrap();
        let law = learned(&architecture, normalisation.clone());
        let histories = histories(&architecture, 4);
        let constrained = law.layout().constrained(law.unconstrained_parameters());
        let roll_out = RollOut::new(law.law().as_ref(), histories.external());
        let rolled = roll_out.values(&constrained, &histories);
        let [_, width, count] = histories.shape();
        for (r, record) in records.iter().enumerate() {
            for (row, response) in walk(&law, record).iter().enumerate() {
                for i in 0..architecture.components {
                    let expected = rolled[(row * width + i) * count + r] * normalisation.stress;
                    approx::assert_relative_eq!(
                        response.stress[i],
                        expected,
                        max_relative = 1e-12,
                        epsilon = 1e-10
                    );
                }
            }
        }
    }
}

#[test]
fn a_batch_answers_as_single_points() {
    for architecture in architectures() {
        let points = 13;
        let records = records(&architecture, points, 9);
        let law = learned(&architecture, normalisation(&records).unwrap());
        let (n, s, m) = (
            law.components(),
            law.state_layout().len(),
            architecture.external,
        );
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut draw = |len: usize, width: f64| -> Vec<f64> {
            (0..len)
                .map(|_| random.random_range(-width..width))
                .collect()
        };
        let (old, new) = (draw(n * points, 0.02), draw(n * points, 0.02));
        let (dt, state) = (vec![0.3; points], draw(s * points, 0.5));
        let external = draw(m * points, 50.0);
        let mut out = (
            vec![0.0; s * points],
            vec![0.0; n * points],
            vec![0.0; n * n * points],
        );
        let (mut energy, mut dissipation) = (vec![0.0; points], vec![0.0; points]);
        let mut status = vec![Status::Inside; points];
        let input = BatchInput {
            points,
            strain_old: &old,
            strain_new: &new,
            dt: &dt,
            external_old: &external,
            external_new: &external,
            state: &state,
        };
        let mut output = BatchOutput {
            state: &mut out.0,
            stress: &mut out.1,
            tangent: &mut out.2,
            stored_energy: &mut energy,
            dissipation: &mut dissipation,
            status: &mut status,
        };
        law.update_batch(&input, &mut output).unwrap();
        for p in 0..points {
            let gather =
                |v: &[f64]| -> Vec<f64> { v.iter().skip(p).step_by(points).copied().collect() };
            let (eo, en, ex, z) = (
                gather(&old),
                gather(&new),
                gather(&external),
                gather(&state),
            );
            let increment = Increment {
                strain_old: &eo,
                strain_new: &en,
                dt: 0.3,
                external_old: &ex,
                external_new: &ex,
            };
            let (mut z_new, mut single) = (z.clone(), Response::default());
            law.update(&increment, &z, &mut z_new, &mut single).unwrap();
            let close =
                |a: f64, b: f64| assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{a} {b}");
            gather(&out.0)
                .iter()
                .zip(&z_new)
                .for_each(|(a, b)| close(*a, *b));
            for i in 0..n {
                close(out.1[i * points + p], single.stress[i]);
                for j in 0..n {
                    close(out.2[(i * n + j) * points + p], single.tangent[(i, j)]);
                }
            }
            close(energy[p], single.stored_energy);
            close(dissipation[p], single.dissipation);
            assert_eq!(status[p], single.status);
        }
    }
}

/// A law of one operation each, to see that the readings agree on all of them, at zero too.
#[derive(Clone, Debug)]
struct EveryOperation {
    w: Matrix,
    b: Coefficients,
}

impl RecurrentLaw for EveryOperation {
    fn components(&self) -> usize {
        3
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([("z", 3)])
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::default()
    }

    fn evolve<'g>(&self, step: &Step<'g>, z: Vector<'g>) -> Vector<'g> {
        let b = z.graph().parameter(self.b);
        let x = (step.strain_new + z).affine_map(self.w, Some(self.b));
        let mut sum = self.w.transposed(x) * b;
        for f in [
            Function::Tanh,
            Function::Sigmoid,
            Function::Softplus,
            Function::Exp,
        ] {
            for order in 0..3 {
                sum = sum + z.derivative(f, order) * 0.1;
            }
        }
        let part = concat([sum.slice(1..3), z.norm()]) * (sum - b).detach();
        let chosen = z.at(0).select(part, sum.direction());
        (chosen - (step.dt * 0.2 - 0.1)).tanh()
    }

    fn forces<'g>(&self, strain: Vector<'g>, _: Vector<'g>, z: Vector<'g>) -> Forces<'g> {
        let squares = strain.squared_norm() + (z.squared_norm() + 0.5);
        let roots = squares.sqrt() + squares.derivative(Function::InverseSqrt, 1);
        let ratio = z.at(1).positive_part() * squares.derivative(Function::Reciprocal, 1);
        let roots = roots + ratio;
        Forces {
            energy: roots,
            stress: (strain + z) * roots,
            driving_force: z * roots,
        }
    }
}

#[test]
fn every_operation_agrees_in_value_and_gradient() {
    let mut layout = ParameterLayout::default();
    let law = Arc::new(EveryOperation {
        w: layout.matrix("w", [3, 3], Constraint::Positive, Initial::Scaled(0.5)),
        b: layout.coefficients("b", 3, Constraint::Free, Initial::Scaled(0.5)),
    });
    let architecture = Architecture {
        components: 3,
        external: 0,
        ..architectures()[0].clone()
    };
    let histories = histories(&architecture, 9);
    let roll_out = RollOut::new(law.as_ref(), histories.external());
    let constrained = layout.constrained(&parameters(&layout));
    let (one, other) = (tracked(&constrained), tracked(&constrained));
    let sweep = roll_out.tracked(one.clone(), &histories);
    let tensors = roll_out_tensors(law.as_ref(), other.clone(), &histories);
    assert!(
        distance(
            &numbers(sweep.clone().inner()),
            &numbers(tensors.clone().inner())
        ) < 1e-12
    );
    let sweep = numbers(one.grad(&sweep.square().sum().backward()).unwrap());
    let tensors = numbers(other.grad(&tensors.square().sum().backward()).unwrap());
    let error = distance(&sweep, &tensors);
    assert!(error < 1e-10, "{error:e}");
}

#[test]
fn the_gradient_does_not_depend_on_the_number_of_threads() {
    let architecture = &architectures()[2];
    let (law, layout) = shared(architecture);
    let histories = histories(architecture, 40);
    let roll_out = RollOut::new(law.as_ref(), histories.external());
    let constrained = layout.constrained(&parameters(&layout));
    let gradient = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let leaf = tracked(&constrained);
            let out = roll_out.tracked(leaf.clone(), &histories);
            numbers(leaf.grad(&out.square().sum().backward()).unwrap())
        })
    };
    let one = gradient(1);
    assert!(one.iter().all(|g| g.is_finite()));
    assert_eq!(one, gradient(2));
    assert_eq!(one, gradient(3));
}
