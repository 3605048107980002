//! The parts that laws are built of.

mod common;

use common::run;
use hysteron::graph::{Graph, ParameterLayout};
use hysteron::network::{Convex, InputConvex, Mlp, Parts, Potential};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::FRAC_1_SQRT_2;

const INPUTS: usize = 4;
/// Two plane tensors and one more input.
const TENSORS: usize = 7;

struct Net<P> {
    inputs: usize,
    potential: P,
    layout: ParameterLayout,
    unconstrained: Vec<f64>,
}

impl<P: Potential> Net<P> {
    fn new(seed: u64, inputs: usize, build: impl Fn(&mut ParameterLayout) -> P) -> Self {
        let mut layout = ParameterLayout::default();
        let potential = build(&mut layout);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let unconstrained = layout.initial_values(seed);
        let unconstrained = unconstrained
            .iter()
            .map(|v| v + random.random_range(-1.0..1.0))
            .collect();
        Self {
            inputs,
            potential,
            layout,
            unconstrained,
        }
    }

    fn at(&self, x: &[f64]) -> (f64, Vec<f64>) {
        let constrained = self.layout.constrained(&self.unconstrained);
        let graph = Graph::new();
        let input = graph.input("x", self.inputs);
        let (value, gradient) = self.potential.value_and_gradient(input);
        let program = graph.routine(&[value, gradient]).compile();
        let outputs = run::<1>(&program, &constrained, &[x.as_chunks().0]);
        (outputs[0][0][0], outputs[1].as_flattened().to_vec())
    }

    fn check_gradient(&self, random: &mut ChaCha8Rng) {
        let x = draw(random, self.inputs, 2.0);
        let (_, gradient) = self.at(&x);
        for i in 0..self.inputs {
            let value = |shift: f64| {
                let mut x = x.clone();
                x[i] += shift;
                self.at(&x).0
            };
            let h = 1e-3;
            let difference =
                (8.0 * (value(h) - value(-h)) - (value(2.0 * h) - value(-2.0 * h))) / (12.0 * h);
            approx::assert_relative_eq!(
                gradient[i],
                difference,
                max_relative = 1e-8,
                epsilon = 1e-8
            );
        }
    }
}

fn draw(random: &mut ChaCha8Rng, inputs: usize, size: f64) -> Vec<f64> {
    let entry = |_| random.random_range(-1.0..1.0) * size;
    (0..inputs).map(entry).collect()
}

/// A network of isotropic functions of two plane tensors, and of one more input.
fn of_tensors(layers: usize) -> impl Fn(&mut ParameterLayout) -> Convex {
    of_tensors_with(layers, 1.0)
}

/// The same with another factor on shear strains.
fn of_tensors_with(layers: usize, shear: f64) -> impl Fn(&mut ParameterLayout) -> Convex {
    let [plus, minus] = [1.0, -1.0].map(|sign| vec![FRAC_1_SQRT_2, sign * FRAC_1_SQRT_2, 0.0]);
    let parts = Parts::new(vec![plus], vec![vec![minus, vec![0.0, 0.0, shear]]]);
    move |layout| Convex::new(layout, "net", [TENSORS - 1, 1], [7, layers], Some(&parts))
}

fn input_convex(layers: usize) -> impl Fn(&mut ParameterLayout) -> InputConvex {
    move |layout| InputConvex::new(layout, "net", INPUTS, [7, layers])
}

#[test]
fn gradients_are_those_of_the_value() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for layers in 1..4 {
        for seed in 0..5 {
            Net::new(seed, INPUTS, input_convex(layers)).check_gradient(&mut random);
            Net::new(seed, TENSORS, of_tensors(layers)).check_gradient(&mut random);
            Net::new(seed, INPUTS, |layout: &mut ParameterLayout| {
                Mlp::potential(layout, "net", INPUTS, [7, layers])
            })
            .check_gradient(&mut random);
        }
    }
}

/// Value and gradient of a potential at a point.
type Tangent<'a> = dyn Fn(&[f64]) -> (f64, Vec<f64>) + 'a;

/// `N(y) ≥ N(x) + ∂N(x)·(y − x)`, near and far; a free network breaks it.
#[test]
fn input_convex_networks_are_convex_for_any_parameters() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut gap = |at: &Tangent, inputs: usize, size: f64| {
        let [x, y] = [0, 1].map(|_| draw(&mut random, inputs, size));
        let ((value, gradient), (other, _)) = (at(&x), at(&y));
        let linear: f64 = gradient
            .iter()
            .zip(y.iter().zip(&x))
            .map(|(g, (y, x))| g * (y - x))
            .sum();
        (other - value - linear) / (1.0 + value.abs() + other.abs())
    };
    let (mut convex, mut tensors, mut free) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    for seed in 0..30 {
        let net = Net::new(seed, INPUTS, input_convex(3));
        let of_tensors = Net::new(seed, TENSORS, of_tensors(3));
        let mlp = Net::new(seed, INPUTS, |layout: &mut ParameterLayout| {
            Mlp::potential(layout, "net", INPUTS, [7, 3])
        });
        for size in [0.1, 1.0, 10.0, 1000.0] {
            for _ in 0..50 {
                convex = convex.min(gap(&|x| net.at(x), INPUTS, size));
                tensors = tensors.min(gap(&|x| of_tensors.at(x), TENSORS, size));
                free = free.min(gap(&|x| mlp.at(x), INPUTS, size));
            }
        }
    }
    assert!(convex > -1e-12, "{convex:e}");
    assert!(tensors > -1e-12, "{tensors:e}");
    assert!(
        free < -1e-3,
        "a network without the constraint is not convex: {free:e}"
    );
}

#[test]
fn functions_of_tensors_are_those_of_turned_tensors() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let net = Net::new(4, TENSORS, of_tensors(2));
    let wrong = Net::new(4, TENSORS, of_tensors_with(2, 0.5f64.sqrt()));
    let mut differs = 0.0f64;
    for _ in 0..100 {
        let x = draw(&mut random, TENSORS, 2.0);
        let (sin, cos) = random.random_range(0.0f64..6.0).sin_cos();
        let mut turned = x.clone();
        for k in 0..2 {
            // In Mandel's components, the same rotation of each tensor.
            let [a, b, c] = [0, 2, 4].map(|component| x[component + k]);
            let (mean, half, shear) = ((a + b) / 2.0, (a - b) / 2.0, c * FRAC_1_SQRT_2);
            let (cos2, sin2) = (cos * cos - sin * sin, 2.0 * sin * cos);
            let (half, shear) = (cos2 * half - sin2 * shear, sin2 * half + cos2 * shear);
            turned[k] = mean + half;
            turned[2 + k] = mean - half;
            turned[4 + k] = shear / FRAC_1_SQRT_2;
        }
        let ((value, _), (other, _)) = (net.at(&x), net.at(&turned));
        approx::assert_relative_eq!(value, other, max_relative = 1e-12);
        differs = differs.max((wrong.at(&x).0 - wrong.at(&turned).0).abs());
    }
    assert!(differs > 1e-2, "a wrong factor is not seen: {differs:e}");
}
