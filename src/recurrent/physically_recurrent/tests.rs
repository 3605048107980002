//! The points against classical laws and closed forms.

use super::*;
use crate::graph::{Graph, evaluate};
use crate::law::{Increment as LawIncrement, MaterialLaw, Response};
use crate::laws::{Backstress, PlasticityParameters, ReferenceLaw, Voce};
use crate::model::{LearnedLaw, Normalisation};
use crate::recurrent::{Increment, IncrementInputs};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

fn sizes(clock: Clock, components: usize, states: usize) -> Architecture {
    Architecture {
        law: "physically-recurrent".into(),
        components,
        external: 0,
        states,
        width: 1,
        layers: 0,
        energy_width: 1,
        energy_layers: 1,
        clock,
        symmetry: Symmetry::Isotropic,
        substeps: 1,
        stress_state: None,
    }
}

/// Raw parameters that give the constrained values of named tensors.
fn unconstrained(layout: &ParameterLayout, values: &[(&str, Vec<f64>)]) -> Vec<f64> {
    let mut unconstrained = layout.initial_values(1);
    for (name, values) in values {
        let tensor = layout.tensors().iter().find(|t| t.name == *name).unwrap();
        for (unconstrained, value) in tensor
            .parameter
            .of_mut(&mut unconstrained)
            .iter_mut()
            .zip(values)
        {
            *unconstrained = match tensor.constraint {
                Constraint::Free => *value,
                Constraint::Positive => value + (-(-value).exp_m1()).ln(),
            };
        }
    }
    unconstrained
}

#[test]
fn one_point_that_takes_the_deviator_is_j2_plasticity() {
    let (young, poisson, yielding) = (200e3, 0.3, 250.0);
    let (q, rate, linear, prager) = (90.0, 40.0, 700.0, 9000.0);
    let classical = ReferenceLaw::J2(PlasticityParameters {
        young,
        poisson,
        yield_stress: yielding,
        voce: vec![Voce { q, rate }],
        linear_hardening: linear,
        backstress: vec![Backstress {
            c: prager,
            gamma: 0.0,
        }],
    });
    let classical = classical.build(6).unwrap();
    let mut layout = ParameterLayout::default();
    let law = PhysicallyRecurrent::new(&mut layout, &sizes(Clock::StrainPath, 6, 1));
    let (shear, bulk) = (
        young / (2.0 * (1.0 + poisson)),
        young / (3.0 * (1.0 - 2.0 * poisson)),
    );
    let root = (2.0 * shear).sqrt();
    let scale = (-0.5 * spread(LOG_YIELD_STRAINS, 1)[0]).exp();
    let local_rate = rate / (root * 1.5f64.sqrt());
    let constants = [
        (2f64 / 3.0).sqrt() * yielding / root,
        (2f64 / 3.0).sqrt() * q / root / local_rate,
        local_rate,
        linear / (3.0 * shear),
    ];
    let kinematic = prager / (3.0 * shear) / KINEMATIC_SLOPE;
    let over_start = constants.iter().zip(&law.start).map(|(c, s)| c / s);
    let unconstrained = unconstrained(
        &layout,
        &[
            (
                "elastic.invariants",
                vec![(3.0 * bulk).sqrt() / ELASTIC_SCALE - 1.0],
            ),
            ("elastic.turning.0", vec![0.0]),
            ("points.invariants", vec![-1.0]),
            ("points.turning.0", vec![root / scale]),
            ("points.kinematic", vec![1.0, kinematic]),
            ("points.constants", over_start.collect()),
        ],
    );
    let learned = LearnedLaw::new(
        "point",
        Arc::new(law),
        layout,
        unconstrained,
        Normalisation::unit(6),
    )
    .unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut states = [learned.new_state(), classical.new_state()];
    let mut old = [0.0; 6];
    for k in 0..300 {
        let size = if k % 7 == 0 { 0.02 } else { 0.002 };
        let new = old.map(|e| e * 0.9 + random.random_range(-size..size));
        let increment = LawIncrement {
            strain_old: &old,
            strain_new: &new,
            dt: 1.0,
            external_old: &[],
            external_new: &[],
        };
        let laws: [&dyn MaterialLaw; 2] = [&learned, classical.as_ref()];
        let [point, exact] = std::array::from_fn(|i| {
            let (mut next, mut response) = (states[i].clone(), Response::default());
            laws[i]
                .update(&increment, &states[i], &mut next, &mut response)
                .unwrap();
            states[i] = next;
            response
        });
        let error = (point.stress - exact.stress).norm() / yielding;
        assert!(error < 1e-9, "step {k}: stress {error:e}");
        let error = (point.tangent - exact.tangent).norm() / young;
        assert!(error < 1e-8, "step {k}: tangent {error:e}");
        let error = (point.dissipation - exact.dissipation).abs() / yielding;
        assert!(error < 1e-9, "step {k}: dissipation {error:e}");
        old = new;
    }
}

#[test]
fn a_viscous_point_relaxes_as_its_closed_form() {
    // Maxwell: z' = z + dt/(v + dt (1 + h)) ξ; Perzyna: Δκ (v/dt + 1 + h + r) = ‖ξ‖ − y.
    for clock in [Clock::Time, Clock::Both] {
        let mut layout = ParameterLayout::default();
        let law = PhysicallyRecurrent::new(&mut layout, &sizes(clock, 1, 1));
        // Without a Voce part the equation is linear.
        let unconstrained = match clock {
            Clock::Both => unconstrained(
                &layout,
                &[("points.constants", vec![1.0, 1e-12, 1.0, 1.0, 1.0])],
            ),
            _ => layout.initial_values(1),
        };
        let constrained = layout.constrained(&unconstrained);
        let graph = Graph::new();
        let none = graph.constant(&[]);
        let constants = law.constants(none);
        let [y, r] = match &constants.hardening {
            Some(hardening) => [hardening.yield_stress, hardening.r],
            None => [graph.zeros(1); 2],
        };
        let strain = graph.constant(&[0.8]);
        let dt = 0.7;
        let step = Step {
            strain_old: graph.zeros(1),
            strain_new: strain,
            dt: graph.constant(&[dt]),
            external: none,
        };
        let state = graph.zeros(law.state_layout().len());
        let new = Increment::of(&law, &IncrementInputs { state, step });
        let force = law.points.strains(strain);
        let outputs = [
            constants.kinematic,
            constants.viscosity.unwrap(),
            y,
            r,
            force,
            new.state,
        ];
        let values = evaluate(&outputs, &constrained);
        let [h, v, y, r, force, state] = std::array::from_fn(|i| values[i][0]);
        let flow = dt * (force - y) / (v + dt * (1.0 + h + r));
        assert!(flow > 0.0);
        let error = state - flow;
        assert!(error.abs() < 1e-9, "{clock:?}: {error:e}");
    }
}

#[test]
fn the_iterations_find_the_flow_from_below() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let (mut worst, mut highest) = (0.0f64, 0.0f64);
    let sizes = Architecture {
        symmetry: Symmetry::None,
        ..sizes(Clock::StrainPath, 3, 1)
    };
    for _ in 0..5_000 {
        let mut layout = ParameterLayout::default();
        let law = PhysicallyRecurrent::new(&mut layout, &sizes);
        let mut draw = |low: f64, high: f64| 10f64.powf(random.random_range(low..high));
        let mut factors = |n: usize| -> Vec<_> { (0..n).map(|_| draw(-1.0, 1.0)).collect() };
        let named = [
            ("points.constants", factors(4)),
            ("points.stiffness", factors(3)),
            ("points.kinematic", factors(3)),
        ];
        let constrained = layout.constrained(&unconstrained(&layout, &named));
        let graph = Graph::new();
        let constants = law.constants(graph.constant(&[]));
        let Some(hardening) = &constants.hardening else {
            panic!("points that yield");
        };
        let (load, length) = (draw(-1.0, 3.0), draw(-3.0, 2.0));
        let [force, path] = [load, length].map(|times| hardening.yield_stress * times);
        let direction = [draw(-2.0, 0.0), draw(-2.0, 0.0), draw(-2.0, 0.0)];
        let force = law.points.each_group(force) * &direction[..];
        let squares = law.points.squares(force);
        let flow = law.multiplier(&constants, graph.zeros(1), squares, path);
        let Hardening {
            yield_stress,
            q,
            b,
            r,
        } = *hardening;
        let mut outputs = vec![yield_stress, q, b, r];
        outputs.extend([constants.stiffness, constants.kinematic, force, path, flow]);
        let values = evaluate(&outputs, &constrained);
        let [y, q, b, r] = std::array::from_fn(|i| values[i][0]);
        let (path, flow) = (values[7][0], values[8][0]);
        let after = (0..3).map(|i| values[6][i] / (1.0 + flow * (values[4][i] + values[5][i])));
        let size = after.map(|x| x * x).sum::<f64>().sqrt();
        let path = path + flow * size;
        let resistance = y + q * b * (1.0 - (-b * path).exp()) + r * path;
        let rest = resistance / size - 1.0;
        if flow > 0.0 {
            worst = worst.max(rest.abs());
            highest = highest.max(rest);
        } else {
            assert!(rest >= 0.0);
        }
    }
    println!("largest rest {worst:.1e}, beyond the root {highest:.1e}");
    assert!(highest < 1e-14, "{highest:e}");
    assert!(worst < 1e-12, "{worst:e}");
}
