//! Increments that are taken in several steps.

mod common;

use common::{Point, Random, random_law};
use hysteron::UpdateError;
use hysteron::law::{Increment, MaterialLaw, Response};
use hysteron::mandel::Mandel;
use hysteron::model::{Adaptive, LearnedLaw, Tolerance};
use hysteron::recurrent::{Architecture, Clock};

fn law(name: &str, clock: Clock, components: usize, substeps: usize) -> LearnedLaw {
    let learn = Architecture {
        law: name.into(),
        clock,
        substeps,
        ..Architecture::default()
    };
    random_law(name, &learn, components, 0)
}

const EVOLUTIONS: [&str; 4] = [
    "minimal-state",
    "relaxation",
    "decaying-memory",
    "generalized-standard",
];

/// A path with corners, each straight piece in so many increments.
fn stress_after(law: &dyn MaterialLaw, increments: usize) -> Vec<f64> {
    let n = law.components();
    let mut random = Random::new(6);
    let mut point = Point::new(law);
    let mut stress = Vec::new();
    for _ in 0..4 {
        let (start, end) = (point.strain.clone(), random.vector(n, 0.02));
        for k in 1..=increments {
            let share = k as f64 / increments as f64;
            let ends = start.iter().zip(&end);
            let strain: Vec<_> = ends.map(|(a, b)| a + share * (b - a)).collect();
            let response = point.advance(&strain, 0.5 / increments as f64);
            stress = response.stress.as_slice()[..n].to_vec();
        }
    }
    stress
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    square.sqrt() / 350.0
}

#[test]
fn substeps_are_smaller_increments() {
    for name in EVOLUTIONS {
        let one = stress_after(&law(name, Clock::Both, 3, 1), 12);
        let parts = stress_after(&law(name, Clock::Both, 3, 4), 3);
        let error = distance(&one, &parts);
        assert!(error < 1e-12, "{name}: {error:e}");
    }
}

#[test]
fn an_adaptive_law_converges_with_its_tolerance_in_any_number_of_increments() {
    for name in EVOLUTIONS {
        let one_step = law(name, Clock::Both, 3, 1);
        // Of first order: what two of these differ by is what the finer one still misses, …
        let [fine, finer] = [1000, 2000].map(|k| stress_after(&one_step, k));
        // … and extrapolates.
        let exact: Vec<_> = finer.iter().zip(&fine).map(|(b, a)| 2.0 * b - a).collect();
        let uncertain = 0.01 * distance(&fine, &finer);
        let spread = |tolerance: f64| {
            let tolerance = Tolerance {
                absolute: tolerance,
                relative: tolerance,
                ..Tolerance::default()
            };
            let adaptive = Adaptive::new(one_step.clone(), tolerance).unwrap();
            let errors = [1, 5, 25].map(|k| distance(&stress_after(&adaptive, k), &exact));
            errors.into_iter().fold(0.0, f64::max)
        };
        let plain = distance(&stress_after(&one_step, 1), &exact);
        let (coarse, fine) = (spread(1e-3), spread(1e-5));
        println!(
            "{name}: one step {plain:.1e}, 1e-3 {coarse:.1e}, 1e-5 {fine:.1e}, ± {uncertain:.1e}"
        );
        // Steps go with the root of the tolerance: so does the error of first order, and that of
        // second order with the tolerance.
        let ratio = if one_step.law().guarantees().second_law_in_parts {
            0.3
        } else {
            0.05
        };
        assert!(coarse < 0.05, "{name}: {coarse:e}");
        assert!(
            fine < ratio * coarse + uncertain,
            "{name}: {fine:e} against {coarse:e}"
        );
    }
}

#[test]
fn steps_of_the_relaxing_law_keep_the_second_law_and_rest() {
    for components in [1, 6] {
        let one_step = law("relaxation", Clock::StrainPath, components, 1);
        let tolerance = Tolerance {
            absolute: 1e-2,
            relative: 1e-2,
            ..Tolerance::default()
        };
        let law = Adaptive::new(one_step, tolerance).unwrap();
        assert!(law.guarantees().second_law);
        let mut random = Random::new(11);
        let mut point = Point::new(&law);
        let mut energy = law.scales().energy();
        for _ in 0..300 {
            let size = 0.02 * random.decades(-9.0, 1.0);
            let strain = random.vector(components, size);
            let response = point.advance(&strain, 1.0);
            energy = energy.max(response.stored_energy);
            assert!(response.dissipation >= -1e-12 * energy);
            let (state, rest) = point.probe(&strain, 0.0).unwrap();
            assert_eq!(state, point.state);
            assert_eq!(rest.stress, response.stress);
        }
    }
    let other = law("generalized-standard", Clock::StrainPath, 1, 1);
    let other = Adaptive::new(other, Tolerance::default()).unwrap();
    assert!(!other.guarantees().second_law);
}

/// The stress after an increment that the plain law takes in steps which end at these shares.
fn stress_through(
    law: &dyn MaterialLaw,
    [old, new]: [&[f64]; 2],
    dt: f64,
    state: &[f64],
    knots: &[f64],
) -> Mandel {
    let at = |share: f64| -> Vec<f64> {
        let ends = old.iter().zip(new);
        ends.map(|(old, new)| old + share * (new - old)).collect()
    };
    let (mut state, mut response) = (state.to_vec(), Response::default());
    let mut start = 0.0;
    for end in knots {
        let increment = Increment {
            strain_old: &at(start),
            strain_new: &at(*end),
            dt: dt * (end - start),
            external_old: &[],
            external_new: &[],
        };
        let mut next = state.clone();
        law.update(&increment, &state, &mut next, &mut response)
            .unwrap();
        (state, start) = (next, *end);
    }
    response.stress
}

#[test]
fn the_tangent_is_that_of_the_steps_taken() {
    let one_step = law("relaxation", Clock::StrainPath, 6, 1);
    let law = Adaptive::new(one_step, Tolerance::default()).unwrap();
    let mut random = Random::new(3);
    let mut point = Point::new(&law);
    let mut worst = 0.0f64;
    for _ in 0..40 {
        let (strain, dt) = (random.vector(6, 0.01), 0.3);
        let increment = Increment {
            strain_old: &point.strain,
            strain_new: &strain,
            dt,
            external_old: &[],
            external_new: &[],
        };
        let knots = law.knots(&increment, &point.state).unwrap();
        let through = |strain: &[f64]| {
            let ends = [&point.strain[..], strain];
            stress_through(law.law(), ends, dt, &point.state, &knots)
        };
        let response = point.probe(&strain, dt).unwrap().1;
        let gap = (through(&strain) - response.stress).norm() / response.stress.norm();
        assert!(gap < 1e-12, "{gap:e}");
        let h = 1e-7;
        for j in 0..6 {
            let moved = |sign: f64| {
                let mut moved = strain.clone();
                moved[j] += sign * h;
                through(&moved)
            };
            let difference = (moved(1.0) - moved(-1.0)) / (2.0 * h);
            let error = (difference - response.tangent.column(j)).norm() / response.tangent.norm();
            worst = worst.max(error);
        }
        point.advance(&strain, dt);
    }
    println!("largest error {worst:.1e}");
    assert!(worst < 1e-6, "{worst:e}");
}

/// Few steps, each halved once: what is taken is known without the law.
#[test]
fn an_extrapolated_step_is_twice_its_halves_less_the_whole() {
    let one_step = law("minimal-state", Clock::Both, 3, 1);
    let loose = Tolerance {
        absolute: 1e3,
        ..Tolerance::default()
    };
    let adaptive = Adaptive::new(one_step.clone(), loose).unwrap();
    let mut random = Random::new(5);
    let mut point = Point::new(&adaptive);
    for _ in 0..20 {
        let strain = random.vector(3, 0.01);
        let middle: Vec<_> = strain
            .iter()
            .zip(&point.strain)
            .map(|(a, b)| 0.5 * (a + b))
            .collect();
        let mut plain = Point::new(&one_step);
        (plain.state, plain.strain) = (point.state.clone(), point.strain.clone());
        let (whole, _) = plain.probe(&strain, 0.3).unwrap();
        plain.advance(&middle, 0.15);
        let (halves, _) = plain.probe(&strain, 0.15).unwrap();
        let (state, response) = point.probe(&strain, 0.3).unwrap();
        for ((state, halves), whole) in state.iter().zip(&halves).zip(&whole) {
            assert!((state - (2.0 * halves - whole)).abs() < 1e-13);
        }
        let stress = |sign: f64, j: usize| {
            let mut moved = strain.clone();
            moved[j] += sign * 1e-6;
            point.probe(&moved, 0.3).unwrap().1.stress
        };
        for j in 0..3 {
            let difference = (stress(1.0, j) - stress(-1.0, j)) / 2e-6;
            let error = (difference - response.tangent.column(j)).norm();
            assert!(error < 1e-6 * response.tangent.norm(), "{error:e}");
        }
        point.advance(&strain, 0.3);
    }
}

#[test]
fn a_spent_budget_is_a_recoverable_error_that_leaves_the_outputs() {
    let one_step = law("relaxation", Clock::StrainPath, 1, 1);
    let tolerance = Tolerance {
        absolute: 1e-9,
        relative: 0.0,
        steps: 5,
    };
    let law = Adaptive::new(one_step.clone(), tolerance).unwrap();
    let point = Point::new(&law);
    let error = point.probe(&[0.02], 1.0).unwrap_err();
    assert_eq!(error, UpdateError::StepBudget { steps: 5 });
    assert_eq!(error.cut(), Some(0.5));
    let unusable = Tolerance {
        absolute: 0.0,
        ..tolerance
    };
    assert!(Adaptive::new(one_step, unusable).is_err());
}
