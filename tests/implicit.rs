//! Implicit updates: roots, their derivatives in every reading, and the law that is made of one.
#![cfg(feature = "train")]

mod common;

use burn::tensor::{DType, Device, Tensor, TensorData};
use common::{Point, Random, distance, learned_laws, run};
use hysteron::UpdateError;
use hysteron::graph::{
    Backward, Constraint, Graph, Initial, Interpreter, Matrix, ParameterLayout, Routine, Runner,
    Seeds, Vector, Workspace, concat,
};
use hysteron::law::{
    BatchInput, BatchOutput, Guarantees, Increment, MaterialLaw, Response, StateLayout, Status,
};
use hysteron::model::{LearnedLaw, Normalisation};
use hysteron::recurrent::{Forces, RecurrentLaw, Step};
use nalgebra::{DMatrix, DVector};
use std::sync::Arc;

const LAW: &str = "generalized-standard";
/// More than one evaluation of the Jacobian takes, and not a multiple of it.
const N: usize = 11;
const WIDTH: usize = 4;

/// `x + s W softplus(x) − b = 0`, `W > 0`, with `b [N]` and `s [1]`.
struct Network {
    weight: Matrix,
}

impl Network {
    fn residual<'g>(&self, x: Vector<'g>, [b, s]: [Vector<'g>; 2]) -> Vector<'g> {
        x + (self.weight * x.softplus()) * s - b
    }

    /// The root from `b` and `s`.
    fn routine(&self) -> Routine {
        let graph = Graph::new();
        let known = [graph.input("b", N), graph.input("s", 1)];
        graph.routine(&[graph.zeros(N).solve(|x| self.residual(x, known))])
    }
}

fn network() -> (Network, Vec<f64>) {
    let mut layout = ParameterLayout::default();
    let weight = layout.matrix("w", [N, N], Constraint::Free, Initial::Scaled(0.5));
    let constrained = layout.initial_values(3);
    (Network { weight }, constrained)
}

/// `b` of every lane and then `s`, `[N + 1][WIDTH]`.
fn known(seed: u64) -> Vec<[f64; WIDTH]> {
    let mut random = Random::new(seed);
    let mut known: Vec<_> = (0..N)
        .map(|_| std::array::from_fn(|_| random.between(-2.0, 2.0)))
        .collect();
    known.push(std::array::from_fn(|_| random.between(0.2, 1.0)));
    known
}

fn solve_lanes(network: &Network, parameters: &[f64], known: &[[f64; WIDTH]]) -> Vec<[f64; WIDTH]> {
    let program = network.routine().compile();
    run(&program, parameters, &[&known[..N], &known[N..]]).remove(0)
}

/// An objective in which every entry of the root has its own weight.
fn weight(i: usize, w: usize) -> f64 {
    (1.3 * i as f64 + 0.7 * w as f64).sin()
}

fn objective(x: &[[f64; WIDTH]]) -> f64 {
    let entries = x.iter().enumerate();
    entries
        .map(|(i, x)| (0..WIDTH).map(|w| weight(i, w) * x[w]).sum::<f64>())
        .sum()
}

/// Fourth-order central difference at zero.
fn difference(h: f64, f: impl Fn(f64) -> f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// Gradients of the objective with respect to the parameters, then `b` and `s` of every lane.
fn sweep_gradient(network: &Network, parameters: &[f64], known: &[[f64; WIDTH]]) -> Vec<f64> {
    let program = network.routine().compile_with_reverse(&["b", "s"]);
    let tables = program.tables(parameters);
    let runner = Runner::new(&program, &tables);
    let mut workspace = Workspace::<WIDTH>::default();
    runner.reserve(&mut workspace, 1);
    runner.set(&mut workspace, 0, 0, |i| known[i]);
    runner.set(&mut workspace, 0, 1, |_| known[N]);
    runner.run(&mut workspace, 0);
    let mut reverse = Backward::new(runner, &mut workspace);
    reverse.seed(0, |i| std::array::from_fn(|w| weight(i, w)));
    let mut inputs: Vec<f64> = Vec::new();
    reverse.step(0, |_, _, bar| inputs.extend(bar));
    let mut gradient = reverse.finish().finish(&runner);
    gradient.extend(inputs);
    gradient
}

fn tensors_gradient(network: &Network, parameters: &[f64], known: &[[f64; WIDTH]]) -> Vec<f64> {
    let device = Device::flex().autodiff();
    let leaf = |values: Vec<f64>, shape: [usize; 2]| {
        let data = TensorData::new(values, shape);
        Tensor::<2>::from_data(data, (&device, DType::F64)).require_grad()
    };
    let flat = leaf(parameters.to_vec(), [1, parameters.len()]);
    let routine = network.routine();
    let all = flat.clone().reshape([parameters.len()]);
    let interpreter = Interpreter::new(&routine, all, WIDTH);
    let rows = |range: std::ops::Range<usize>| -> Vec<f64> {
        (0..WIDTH)
            .flat_map(|w| range.clone().map(move |i| (i, w)))
            .map(|(i, w)| known[i][w])
            .collect()
    };
    let (b, s) = (
        leaf(rows(0..N), [WIDTH, N]),
        leaf(rows(N..N + 1), [WIDTH, 1]),
    );
    let x = interpreter.run(&[b.clone(), s.clone()]).remove(0);
    let weights = (0..WIDTH)
        .flat_map(|w| (0..N).map(move |i| weight(i, w)))
        .collect();
    let gradients = (x * leaf(weights, [WIDTH, N])).sum().backward();
    let numbers = |t: Tensor<2>| -> Vec<f64> {
        t.grad(&gradients)
            .unwrap()
            .into_data()
            .try_into_vec()
            .unwrap()
    };
    let (mut all, b) = (numbers(flat), numbers(b));
    // Component by component, as the sweep has it.
    all.extend(
        (0..N)
            .flat_map(|i| (0..WIDTH).map(move |w| (i, w)))
            .map(|(i, w)| b[w * N + i]),
    );
    all.extend(numbers(s));
    all
}

#[test]
fn every_reading_differentiates_the_root() {
    let (network, parameters) = network();
    let known = known(1);
    let x = solve_lanes(&network, &parameters, &known);

    // The root is one.
    let graph = Graph::new();
    let read = [graph.input("b", N), graph.input("s", 1)];
    let rest = network.residual(graph.input("x", N), read);
    let inputs: [&[_]; 3] = [&known[..N], &known[N..], &x];
    let rest = run(&graph.routine(&[rest]).compile(), &parameters, &inputs).remove(0);
    let rest = rest.as_flattened().iter();
    assert!(rest.fold(0.0f64, |m, r| m.max(r.abs())) < 1e-14);

    let sweep = sweep_gradient(&network, &parameters, &known);
    let tensors = tensors_gradient(&network, &parameters, &known);
    let error = distance(&sweep, &tensors);
    println!("sweep against tensors {error:.1e}");
    assert!(error < 1e-13, "sweep against tensors: {error:e}");

    let p = parameters.len();
    let numeric: Vec<f64> = (0..sweep.len())
        .map(|k| {
            difference(1e-3, |h| {
                let (mut parameters, mut known) = (parameters.clone(), known.clone());
                match k.checked_sub(p) {
                    None => parameters[k] += h,
                    Some(k) => known[k / WIDTH][k % WIDTH] += h,
                }
                objective(&solve_lanes(&network, &parameters, &known))
            })
        })
        .collect();
    let error = distance(&sweep, &numeric);
    println!("sweep against differences {error:.1e}");
    assert!(error < 1e-10, "sweep against differences: {error:e}");

    // ∂/∂b of every lane in one forward pass.
    let program = network
        .routine()
        .with_tangents(&Seeds::Input(0), &[0])
        .compile();
    let slopes = run(&program, &parameters, &inputs[..2]).remove(1);
    let mut tangent = vec![0.0; N * WIDTH];
    for (k, slopes) in slopes.iter().enumerate() {
        for (w, slope) in slopes.iter().enumerate() {
            tangent[k / N * WIDTH + w] += weight(k % N, w) * slope;
        }
    }
    let error = distance(&tangent, &sweep[p..p + N * WIDTH]);
    println!("tangent against sweep {error:.1e}");
    assert!(error < 1e-13, "tangent against sweep: {error:e}");
}

/// `M x`, with a matrix by its rows.
fn times<'g>(matrix: Vector<'g>, x: Vector<'g>) -> Vector<'g> {
    let rows = matrix.chunks(N).into_iter().map(|row| row.dot(x));
    concat(rows.collect::<Vec<_>>())
}

#[test]
fn every_lane_has_its_own_pivots() {
    let mut random = Random::new(4);
    let graph = Graph::new();
    let (matrix, b) = (graph.input("matrix", N * N), graph.input("b", N));
    let root = graph.zeros(N).root(|x| times(matrix, x) - b);
    let program = graph.routine(&[root.value, root.inverse]).compile();
    for round in 0..50 {
        let matrices: [DMatrix<f64>; WIDTH] = std::array::from_fn(|w| {
            // A permutation has zeros where no pivots are sought; each lane has another.
            let shift = 1 + (w + round) % (N - 1);
            let noise = if w % 2 == 0 { 0.0 } else { 0.3 };
            DMatrix::from_fn(N, N, |i, j| {
                let entry = if (i + shift) % N == j { 1.0 } else { 0.0 };
                entry + noise * random.between(-1.0, 1.0)
            })
        });
        let b: [DVector<f64>; WIDTH] =
            std::array::from_fn(|_| DVector::from_vec(random.vector(N, 1.0)));
        let matrix = |k: usize| std::array::from_fn(|w| matrices[w][(k / N, k % N)]);
        let matrix: Vec<[f64; WIDTH]> = (0..N * N).map(matrix).collect();
        let right: Vec<[f64; WIDTH]> = (0..N).map(|i| std::array::from_fn(|w| b[w][i])).collect();
        let root = run(&program, &[], &[&matrix, &right]);
        for w in 0..WIDTH {
            let inverse = matrices[w].clone().try_inverse().unwrap();
            let x = &inverse * &b[w];
            for i in 0..N {
                let error = (root[0][i][w] - x[i]).abs();
                assert!(error < 1e-11 * (1.0 + inverse.norm()), "{error:e}");
                for j in 0..N {
                    let error = root[1][i * N + j][w] - inverse[(i, j)];
                    assert!(error.abs() < 1e-11 * (1.0 + inverse.norm().powi(2)));
                }
            }
        }
    }
}

#[test]
fn a_hard_point_does_not_change_the_others() {
    let (network, parameters) = network();
    let easy = known(2);
    let alone = solve_lanes(&network, &parameters, &easy);
    for hard in [1e3, 1e12, 1e160, f64::NAN] {
        for lane in 0..WIDTH {
            let mut mixed = easy.clone();
            mixed.iter_mut().for_each(|k| k[lane] *= hard);
            let together = solve_lanes(&network, &parameters, &mixed);
            for w in (0..WIDTH).filter(|w| *w != lane) {
                for i in 0..N {
                    assert_eq!(alone[i][w].to_bits(), together[i][w].to_bits());
                }
            }
        }
    }
}

/// `x² = c`: a root for `c ≥ 0` only.
fn square_root(c: Vector<'_>) -> Vector<'_> {
    c.graph().ones(1).solve(|x| x * x - c)
}

#[test]
fn a_point_without_a_root_is_not_a_number_and_no_other_is() {
    let graph = Graph::new();
    let program = graph.routine(&[square_root(graph.input("c", 1))]).compile();
    let tables = program.tables(&[]);
    let runner = Runner::new(&program, &tables);
    let mut workspace = Workspace::<WIDTH>::default();
    runner.reserve(&mut workspace, 1);
    runner.set(&mut workspace, 0, 0, |_| [4.0, -1.0, 9.0, f64::NAN]);
    runner.run(&mut workspace, 0);
    let mut x = [0.0; WIDTH];
    runner.read(&workspace, 0, 0, |_, _, value| x = *value);
    assert!((x[0] - 2.0).abs() < 1e-15 && (x[2] - 3.0).abs() < 1e-15);
    assert!(x[1].is_nan() && x[3].is_nan());
    let unsolved = workspace.unsolved().map(|u| u.map(|u| u.iterations));
    assert_eq!(unsolved[0], None);
    assert!(unsolved[1].is_some_and(|iterations| iterations > 10));
    assert_eq!(unsolved[2], None);
    assert_eq!(
        unsolved[3],
        Some(1),
        "no step from a guess without a residual"
    );
}

/// `z'² = z² + 2 ε'`: below `ε' = −z²/2` there is no state.
#[derive(Clone, Debug)]
struct Rooted;

impl RecurrentLaw for Rooted {
    fn components(&self) -> usize {
        1
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([("z", 1)])
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::default()
    }

    fn evolve<'g>(&self, step: &Step<'g>, z: Vector<'g>) -> Vector<'g> {
        square_root(z * z + 2.0 * step.strain_new)
    }

    fn forces<'g>(&self, strain: Vector<'g>, _: Vector<'g>, z: Vector<'g>) -> Forces<'g> {
        Forces {
            energy: z,
            stress: strain,
            driving_force: z,
        }
    }
}

#[test]
fn an_update_without_a_root_is_a_recoverable_error_that_leaves_the_outputs() {
    let layout = ParameterLayout::default();
    let law = LearnedLaw::new(
        "rooted",
        Arc::new(Rooted),
        layout,
        vec![],
        Normalisation::unit(1),
    )
    .unwrap();
    let update = |strain: f64| {
        let increment = Increment {
            strain_old: &[0.0],
            strain_new: &[strain],
            dt: 1.0,
            external_old: &[],
            external_new: &[],
        };
        let (old, mut new, mut response) = ([1.0], [7.0], Response::default());
        let result = law.update(&increment, &old, &mut new, &mut response);
        assert_eq!(old, [1.0]);
        (result, new[0], response)
    };
    let (result, new, _) = update(0.5);
    assert_eq!(result, Ok(()));
    assert!((new - 2f64.sqrt()).abs() < 1e-15);
    let (result, new, response) = update(-0.6);
    let error = result.unwrap_err();
    assert!(matches!(error, UpdateError::NotConverged { .. }), "{error}");
    assert_eq!(error.cut(), Some(0.5));
    assert_eq!((new, response), (7.0, Response::default()));

    let points = 11;
    let mut strain_new = vec![0.5; points];
    strain_new[9] = -0.6;
    let (zeros, ones) = (vec![0.0; points], vec![1.0; points]);
    let mut out = vec![vec![0.0; points]; 5];
    let [state, stress, tangent, stored_energy, dissipation] = &mut out[..] else {
        unreachable!()
    };
    let error = law
        .update_batch(
            &BatchInput {
                points,
                strain_old: &zeros,
                strain_new: &strain_new,
                dt: &ones,
                external_old: &[],
                external_new: &[],
                state: &ones,
            },
            &mut BatchOutput {
                state,
                stress,
                tangent,
                stored_energy,
                dissipation,
                status: &mut vec![Status::Inside; points],
            },
        )
        .unwrap_err();
    assert_eq!(error.point, 9);
    assert!(matches!(error.source, UpdateError::NotConverged { .. }));
}

/// The laws under test: every clock and number of components, at random parameters.
fn generalized_standard() -> Vec<(String, LearnedLaw)> {
    let laws = learned_laws(0).into_iter();
    let laws: Vec<_> = laws.filter(|(name, _)| name.starts_with(LAW)).collect();
    assert_eq!(laws.len(), 9 + 9 + 3 + 6);
    laws
}

#[test]
fn the_tangent_of_the_generalized_standard_law_is_symmetric_on_the_clock_of_time() {
    for (name, law) in generalized_standard() {
        let n = law.components();
        if n == 1 {
            continue;
        }
        let scales = law.scales();
        let mut random = Random::new(8);
        let mut point = Point::new(&law);
        let mut worst = 0.0f64;
        for _ in 0..300 {
            let size = scales.strain * random.decades(-2.0, 1.0);
            let strain = random.vector(n, size);
            let response = point.advance(&strain, scales.time * random.decades(-2.0, 2.0));
            let c = response.tangent;
            worst = worst.max((c - c.transpose()).norm() / c.norm());
        }
        println!("{name}: {worst:.1e}");
        if name.contains("Time") {
            assert!(worst < 1e-12, "{name}: {worst:e}");
        } else {
            assert!(worst > 1e-3, "{name} could claim a symmetric tangent");
        }
    }
}
