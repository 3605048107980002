//! The parts that laws are built of.

mod common;

use common::run;
use hysteron::algebra::{ParameterLayout, Program, Recorder};
use hysteron::network::{InputConvex, Mlp, Potential};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const INPUTS: usize = 4;

struct Net<P> {
    potential: P,
    layout: ParameterLayout,
    raw: Vec<f64>,
}

impl<P: Potential> Net<P> {
    fn new(seed: u64, build: impl Fn(&mut ParameterLayout) -> P) -> Self {
        let mut layout = ParameterLayout::default();
        let potential = build(&mut layout);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let raw = layout.initial_values(seed);
        let raw = raw
            .iter()
            .map(|v| v + random.random_range(-1.0..1.0))
            .collect();
        Self {
            potential,
            layout,
            raw,
        }
    }

    fn at(&self, x: &[f64]) -> (f64, Vec<f64>) {
        let effective = self.layout.effective(&self.raw);
        let a = Recorder::new();
        let (value, gradient) = self.potential.value_and_gradient(&a, &a.input(INPUTS));
        let program = Program::new(a, &[value, gradient]);
        let outputs = run::<1>(&program, &effective, &[x.as_chunks().0]);
        (outputs[0][0][0], outputs[1].as_flattened().to_vec())
    }

    fn check_gradient(&self, random: &mut ChaCha8Rng) {
        let x: Vec<f64> = (0..INPUTS)
            .map(|_| random.random_range(-2.0..2.0))
            .collect();
        let (_, gradient) = self.at(&x);
        for i in 0..INPUTS {
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

fn input_convex(layers: usize) -> impl Fn(&mut ParameterLayout) -> InputConvex {
    move |layout| InputConvex::new(layout, "net", INPUTS, [7, layers])
}

#[test]
fn gradients_are_those_of_the_value() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for layers in 1..4 {
        for seed in 0..5 {
            Net::new(seed, input_convex(layers)).check_gradient(&mut random);
            Net::new(seed, |layout: &mut ParameterLayout| {
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
    let mut draw = |size: f64| -> Vec<f64> {
        (0..INPUTS)
            .map(|_| random.random_range(-1.0..1.0) * size)
            .collect()
    };
    let mut gap = |at: &Tangent, size: f64| {
        let (x, y) = (draw(size), draw(size));
        let ((value, gradient), (other, _)) = (at(&x), at(&y));
        let linear: f64 = gradient
            .iter()
            .zip(y.iter().zip(&x))
            .map(|(g, (y, x))| g * (y - x))
            .sum();
        (other - value - linear) / (1.0 + value.abs() + other.abs())
    };
    let (mut convex, mut free) = (f64::INFINITY, f64::INFINITY);
    for seed in 0..30 {
        let net = Net::new(seed, input_convex(3));
        let mlp = Net::new(seed, |layout: &mut ParameterLayout| {
            Mlp::potential(layout, "net", INPUTS, [7, 3])
        });
        for size in [0.1, 1.0, 10.0, 1000.0] {
            for _ in 0..50 {
                convex = convex.min(gap(&|x| net.at(x), size));
                free = free.min(gap(&|x| mlp.at(x), size));
            }
        }
    }
    assert!(convex > -1e-12, "{convex:e}");
    assert!(
        free < -1e-3,
        "a network without the constraint is not convex: {free:e}"
    );
}
