//! The points against classical laws and closed forms.

use super::*;
use crate::graph::{Graph, evaluate};
use crate::law::{Increment, MaterialLaw, Response};
use crate::laws::{Backstress, PlasticityParameters, ReferenceLaw, Voce};
use crate::model::{LearnedLaw, Normalisation};
use crate::recurrent::{Advance, IncrementInputs};
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
        linear_hardening: false,
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

/// A classical law of J2 plasticity, and the one point that is the same: its deviator is taken by the map,
/// its constants are those of the law over the shear stiffness.
fn same_j2(parameters: &PlasticityParameters) -> [Box<dyn MaterialLaw>; 2] {
    let PlasticityParameters {
        young,
        poisson,
        yield_stress,
        ..
    } = *parameters;
    let Voce { q, rate } = parameters.voce[0];
    let Backstress { c, gamma } = parameters.backstress[0];
    let linear = parameters.linear_hardening;
    let sizes = Architecture {
        linear_hardening: linear > 0.0,
        ..sizes(Clock::StrainPath, 6, 1)
    };
    let mut layout = ParameterLayout::default();
    let law = PhysicallyRecurrent::new(&mut layout, &sizes);
    let (shear, bulk) = (
        young / (2.0 * (1.0 + poisson)),
        young / (3.0 * (1.0 - 2.0 * poisson)),
    );
    let root = (2.0 * shear).sqrt();
    let scale = (-0.5 * spread(LOG_YIELD_STRAINS, 1)[0]).exp();
    let mut constants = vec![
        (gamma * yield_stress / (3.0 * shear)).max(1e-14),
        (2f64 / 3.0).sqrt() * yield_stress / root,
        (yield_stress + q) / yield_stress,
        rate / (root * 1.5f64.sqrt()),
    ];
    if sizes.linear_hardening {
        constants.push(linear / (3.0 * shear));
    }
    let kinematic = c / (3.0 * shear) / KINEMATIC_SLOPE;
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
            ("points.hardening", over_start.collect()),
        ],
    );
    let unit = Normalisation::unit(6);
    let learned = LearnedLaw::new("point", Arc::new(law), layout, unconstrained, unit).unwrap();
    let classical = ReferenceLaw::J2(parameters.clone()).build(6).unwrap();
    [Box::new(learned), classical]
}

#[test]
fn one_point_that_takes_the_deviator_is_j2_plasticity() {
    // The recovery of the point is `g λ̇`, which is Armstrong & Frederick's `γ ṗ` at a constant yield
    // stress: each of both hardenings with the other one off.
    for (q, linear, gamma) in [(90.0, 700.0, 0.0), (-60.0, 0.0, 0.0), (0.0, 0.0, 60.0)] {
        let parameters = PlasticityParameters {
            young: 200e3,
            poisson: 0.3,
            yield_stress: 250.0,
            voce: vec![Voce { q, rate: 40.0 }],
            linear_hardening: linear,
            backstress: vec![Backstress { c: 9000.0, gamma }],
        };
        let laws = same_j2(&parameters);

        let path = laws[1].state_layout().range("accumulated_plastic_strain");
        let path = path.expect("a law of plasticity").start;
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let mut states = [laws[0].new_state(), laws[1].new_state()];
        let mut old = [0.0; 6];
        for k in 0..300 {
            let size = if k % 7 == 0 { 0.02 } else { 0.002 };
            let new = old.map(|e| e * 0.9 + random.random_range(-size..size));
            let increment = Increment {
                strain_old: &old,
                strain_new: &new,
                dt: 1.0,
                external_old: &[],
                external_new: &[],
            };
            let before = states[1][path];
            let [point, exact] = std::array::from_fn(|i| {
                let (mut next, mut response) = (states[i].clone(), Response::default());
                laws[i]
                    .update(&increment, &states[i], &mut next, &mut response)
                    .unwrap();
                states[i] = next;
                response
            });
            let error = (point.stress - exact.stress).norm() / parameters.yield_stress;
            assert!(error < 1e-9, "{q}, {gamma}, step {k}: stress {error:e}");
            let error = (point.tangent - exact.tangent).norm() / parameters.young;
            assert!(error < 1e-8, "{q}, {gamma}, step {k}: tangent {error:e}");
            // The classical law stores its isotropic hardening, the point does not.
            let after = states[1][path];
            let stored = q * (1.0 - (-40.0 * after).exp()) + linear * after;
            let exact = exact.dissipation + stored * (after - before);
            let error = (point.dissipation - exact).abs() / parameters.yield_stress;
            assert!(
                error < 1e-9,
                "{q}, {gamma}, step {k}: dissipation {error:e}"
            );
            old = new;
        }
    }
}

#[test]
fn a_viscous_point_relaxes_as_its_closed_form() {
    // Maxwell: z' = z + dt/(v + dt (1 + h)) ξ; Perzyna: Δκ (v/dt + 1 + h + r) = ‖ξ‖ − y.
    for clock in [Clock::Time, Clock::Both] {
        let mut layout = ParameterLayout::default();
        let sizes = Architecture {
            linear_hardening: true,
            ..sizes(clock, 1, 1)
        };
        let law = PhysicallyRecurrent::new(&mut layout, &sizes);
        // Without recovery and a Voce part the equation is linear.
        let constants = match clock {
            Clock::Both => vec![1e-14, 1.0, 1.0 / SATURATION, 1.0, 1.0, 1.0],
            _ => vec![1e-14, 1.0],
        };
        let constrained =
            layout.constrained(&unconstrained(&layout, &[("points.hardening", constants)]));
        let graph = Graph::new();
        let none = graph.constant(&[]);
        let constants = law.constants(none);
        let [y, r] = match &constants.hardening {
            Some(hardening) => [hardening.yield_stress, hardening.linear.unwrap()],
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
        let new = Advance::of(&law, &IncrementInputs { state, step });
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

/// Largest residual of the equation for the multiplier, and by how much it is passed, of random points
/// whose saturation is `10^low` to `10^high` times the initial yield stress, with recovery or without.
fn residuals(low: f64, high: f64, recovers: bool) -> [f64; 2] {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let (mut worst, mut highest) = (0.0f64, 0.0f64);
    let sizes = Architecture {
        symmetry: Symmetry::None,
        linear_hardening: true,
        ..sizes(Clock::StrainPath, 3, 1)
    };
    for _ in 0..1_000 {
        let mut layout = ParameterLayout::default();
        let law = PhysicallyRecurrent::new(&mut layout, &sizes);
        let mut draw = |low: f64, high: f64| 10f64.powf(random.random_range(low..high));
        let mut factors = |n: usize| -> Vec<_> { (0..n).map(|_| draw(-1.0, 1.0)).collect() };
        let mut constants = factors(5);
        let named = [
            ("points.stiffness", factors(3)),
            ("points.kinematic", factors(3)),
        ];
        constants[0] *= if recovers { 10.0 } else { 1e-16 };
        constants[2] = draw(low, high) / SATURATION;
        let named = [&named[..], &[("points.hardening", constants)]].concat();
        let constrained = layout.constrained(&unconstrained(&layout, &named));
        let graph = Graph::new();
        let constants = law.constants(graph.constant(&[]));
        let Some(hardening) = &constants.hardening else {
            panic!("points that yield");
        };
        let path = hardening.yield_stress * draw(-3.0, 2.0);
        let direction = |scale: [f64; 3]| scale.map(|x| 2.0 * x.log10() + 1.0);
        let mut directions = || direction([draw(-1.0, 0.0), draw(-1.0, 0.0), draw(-1.0, 0.0)]);
        let [along, aside] = [directions(), directions()];
        let force = law
            .points
            .each_group(hardening.yield_stress * draw(-1.0, 3.0))
            * &along[..];
        // The backstress is below its saturation.
        let saturated = constants.kinematic
            * law.points.each_group(
                hardening.yield_stress * hardening.saturation.min(1.0) * constants.recovery.recip(),
            );
        let back = saturated * &aside.map(|x| x * draw(-2.0, -0.3))[..];
        let back = if recovers { back } else { 0.0 * back };
        let stress = force + back;
        let trial = Trial {
            square: law.points.squares(stress),
            product: law.points.group_products(stress, back),
            back_square: law.points.squares(back),
        };
        let flow = law.multiplier(&constants, graph.zeros(1), &trial, path);
        let after = law.after(&constants, &trial, flow);
        let left = (1.0 - hardening.saturation) * (-(hardening.rate * path)).exp();
        let size = after.square.sqrt();
        let [resistance, _] = hardening.resistance(path, left, flow * size);
        let values = evaluate(&[resistance, size, flow], &constrained);
        let [resistance, size, flow] = std::array::from_fn(|i| values[i][0]);
        let rest = resistance / size - 1.0;
        if flow > 0.0 {
            worst = worst.max(rest.abs());
            highest = highest.max(rest);
        } else {
            assert!(rest >= 0.0);
        }
    }
    println!("largest rest {worst:.1e}, beyond the root {highest:.1e}");
    [worst, highest]
}

#[test]
fn the_iterations_find_the_flow_from_below() {
    let [worst, highest] = residuals(0.0, 1.0, false);
    assert!(highest < 1e-14, "{highest:e}");
    assert!(worst < 1e-12, "{worst:e}");
}

#[test]
fn the_iterations_find_the_flow_with_recovery_and_softening() {
    let [worst, _] = residuals(0.0, 1.0, true);
    assert!(worst < 1e-12, "{worst:e}");
    let [worst, _] = residuals(-1.0, 0.0, true);
    assert!(worst < 1e-12, "{worst:e}");
}
