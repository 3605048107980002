//! What must hold for every classical law in every stress state.

mod common;

use common::{Point, Random};
use hysteron::audit::{AuditOptions, audit};
use hysteron::law::{Increment, Response};
use hysteron::laws::example_laws;
use hysteron::mandel::{self, Mandel};
use hysteron::symmetry::Symmetry;
use nalgebra::{Rotation3, Vector3};

/// The fourth-order central difference of `f` at 0.
fn derivative(h: f64, f: impl Fn(f64) -> f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

#[test]
fn every_guaranteed_row_of_the_audit_passes() {
    let options = AuditOptions {
        histories: 6,
        growth_increments: 1000,
        rotations: 20,
        ..AuditOptions::default()
    };
    for (name, law) in example_laws() {
        let audit = audit(law.as_ref(), &options);
        assert!(audit.pass, "{name}\n{audit}");
    }
}

#[test]
fn tangent_is_the_derivative_of_the_stress() {
    for (name, law) in example_laws() {
        let (n, scales) = (law.components(), law.scales());
        let h = 1e-4 * scales.strain;
        let mut random = Random::new(1);
        let (mut worst, mut compared) = (0.0_f64, 0);
        for _ in 0..6 {
            let mut point = Point::new(law.as_ref());
            for _ in 0..40 {
                let size = scales.strain * random.decades(-1.5, 0.3);
                let dt = scales.time * random.decades(-2.0, 2.0);
                let strain = random.vector(n, size);
                let (_, response) = point.probe(&strain, dt).unwrap();
                let mut smooth = true;
                let mut difference = 0.0;
                for column in 0..n {
                    let shifted = |shift: f64| {
                        let mut strain = strain.clone();
                        strain[column] += shift;
                        point.probe(&strain, dt).unwrap().1
                    };
                    // A kink (first yield, first damage) inside the stencil has no derivative.
                    smooth &= [-2.0, -1.0, 1.0, 2.0].iter().all(|k| {
                        (shifted(k * h).dissipation == 0.0) == (response.dissipation == 0.0)
                    });
                    for row in 0..n {
                        let numeric = derivative(h, |shift| shifted(shift).stress[row]);
                        difference += (numeric - response.tangent[(row, column)]).powi(2);
                    }
                }
                if smooth {
                    worst = worst.max(difference.sqrt() / response.tangent.norm());
                    compared += 1;
                }
                point.advance(&strain, dt);
            }
        }
        println!("{name:40} tangent error {worst:.1e} over {compared} updates");
        assert!(compared > 150, "{name}: only {compared} smooth updates");
        assert!(worst < 1e-7, "{name}: tangent error {worst:.2e}");
    }
}

#[test]
fn dissipation_is_not_negative_where_the_law_guarantees_it() {
    for (name, law) in example_laws() {
        let (n, scales) = (law.components(), law.scales());
        let mut random = Random::new(2);
        let (mut lowest, mut highest) = (0.0_f64, 0.0_f64);
        for _ in 0..100 {
            let mut point = Point::new(law.as_ref());
            for _ in 0..1000 {
                let size = scales.strain * random.decades(-3.0, 1.0);
                let mut strain = random.vector(n, size);
                if random.chance(0.5) {
                    strain
                        .iter_mut()
                        .zip(&point.strain)
                        .for_each(|(s, old)| *s += 0.9 * old);
                }
                let dt = scales.time * random.decades(-3.0, 3.0);
                let response = point.advance(&strain, dt);
                lowest = lowest.min(response.dissipation);
                highest = highest.max(response.dissipation);
            }
        }
        println!("{name:40} D_end in [{lowest:.2e}, {highest:.2e}]");
        if law.guarantees().second_law {
            assert!(lowest >= 0.0, "{name}: D_end = {lowest:e}");
        } else {
            assert!(lowest < 0.0, "{name}: could guarantee the second law");
        }
    }
}

#[test]
fn stress_energy_and_dissipation_come_from_one_free_energy() {
    for (name, law) in example_laws() {
        let (n, scales) = (law.components(), law.scales());
        let mut random = Random::new(3);
        for _ in 0..4 {
            let mut point = Point::new(law.as_ref());
            for _ in 0..60 {
                let before = point.state.clone();
                let size = scales.strain * random.decades(-1.0, 0.5);
                let strain = random.vector(n, size);
                let dt = scales.time * random.decades(-1.0, 1.0);
                let response = point.advance(&strain, dt);
                let energy = point.free_energy(&strain, &point.state);
                let size =
                    scales.stress * scales.strain + energy.abs() + response.dissipation.abs();
                let error = (energy - response.stored_energy).abs();
                assert!(
                    error <= 1e-12 * size,
                    "{name}: energy, {error:e} of {size:e}"
                );
                for i in 0..n {
                    let stress = derivative(1e-3 * scales.strain, |shift| {
                        let mut strain = strain.clone();
                        strain[i] += shift;
                        point.free_energy(&strain, &point.state)
                    });
                    let error = (stress - response.stress[i]).abs();
                    assert!(
                        error <= 1e-8 * size / scales.strain,
                        "{name}: stress {i}, {error:e}"
                    );
                }
                let released = -derivative(1e-3, |share| {
                    let state: Vec<f64> = std::iter::zip(&point.state, &before)
                        .map(|(new, old)| new + share * (new - old))
                        .collect();
                    point.free_energy(&strain, &state)
                });
                let error = (released - response.dissipation).abs();
                assert!(
                    error <= 1e-8 * size,
                    "{name}: dissipation, {error:e} of {size:e}"
                );
            }
        }
    }
}

/// `Σ (σ·Δε − Δψ)` over a smooth path differs from `Σ D_end` by a term of first order in the step.
#[test]
fn dissipation_is_the_work_that_is_not_stored_in_the_limit_of_small_steps() {
    for (name, law) in example_laws() {
        let (n, scales) = (law.components(), law.scales());
        let amplitude = Random::new(4).vector(n, scales.strain);
        let gap = |steps: usize| {
            let mut point = Point::new(law.as_ref());
            let (mut lost, mut dissipated, mut energy) = (0.0, 0.0, 0.0);
            for step in 1..=steps {
                let t = step as f64 / steps as f64;
                let strain: Vec<f64> = (0..n)
                    .map(|i| amplitude[i] * (3.0 * t + i as f64 * t * t).sin())
                    .collect();
                let work_of = std::iter::zip(&strain, &point.strain)
                    .map(|(new, old)| new - old)
                    .collect::<Vec<_>>();
                let response = point.advance(&strain, 20.0 * scales.time / steps as f64);
                let work: f64 = (0..n).map(|i| response.stress[i] * work_of[i]).sum();
                lost += work - (response.stored_energy - energy);
                energy = response.stored_energy;
                dissipated += response.dissipation;
            }
            (lost - dissipated, dissipated)
        };
        let ((coarse, _), (fine, dissipated)) = (gap(2000), gap(4000));
        let ratio = coarse / fine;
        let size = dissipated + scales.stress * scales.strain;
        println!("{name:40} gap {fine:.2e} of {size:.2e}, ratio {ratio:.3}");
        assert!(fine.abs() < 0.02 * size, "{name}: {fine:e} of {size:e}");
        assert!((ratio - 2.0).abs() < 0.2, "{name}: ratio {ratio}");
    }
}

#[test]
fn nothing_changes_where_neither_strain_nor_time_does() {
    for (name, law) in example_laws() {
        if !law.guarantees().stationary {
            continue;
        }
        let (n, scales) = (law.components(), law.scales());
        let mut random = Random::new(5);
        let mut point = Point::new(law.as_ref());
        for _ in 0..3000 {
            let size = scales.strain * random.decades(-2.0, 1.0);
            let strain = random.vector(n, size);
            let response = point.advance(&strain, scales.time * random.decades(-2.0, 2.0));
            let (state, again) = point.probe(&strain, 0.0).unwrap();
            assert_eq!(point.state, state, "{name}");
            assert_eq!(response.stress, again.stress, "{name}");
            assert_eq!(again.dissipation, 0.0, "{name}");
        }
    }
}

#[test]
fn virgin_point_is_at_rest() {
    for (name, law) in example_laws() {
        let point = Point::new(law.as_ref());
        let (state, response) = point.probe(&vec![0.0; law.components()], 1.0).unwrap();
        assert_eq!(state, law.new_state(), "{name}");
        assert_eq!(response.stress, Mandel::zeros(), "{name}");
        assert_eq!(response.stored_energy, 0.0, "{name}");
    }
}

#[test]
fn time_does_not_matter_to_a_rate_independent_law() {
    for (name, law) in example_laws() {
        let mut random = Random::new(6);
        let mut point = Point::new(law.as_ref());
        let mut differs = false;
        for _ in 0..50 {
            let strain = random.vector(law.components(), law.scales().strain);
            let slow = point.probe(&strain, 100.0 * law.scales().time).unwrap();
            differs |= slow != point.probe(&strain, 0.0).unwrap();
            point.advance(&strain, law.scales().time);
        }
        assert_eq!(differs, !law.guarantees().rate_independent, "{name}");
    }
}

#[test]
fn isotropic_laws_turn_with_the_strain() {
    let mut claims = 0;
    for (name, law) in example_laws() {
        if law.guarantees().symmetry != Symmetry::Isotropic {
            continue;
        }
        claims += 1;
        let scales = law.scales();
        let mut random = Random::new(7);
        for _ in 0..50 {
            let axis = Vector3::from_vec(random.vector(3, 1.0)) * random.between(0.5, 3.0);
            let q = mandel::rotation(Rotation3::new(axis).matrix());
            let mut straight = Point::new(law.as_ref());
            let mut turned = Point::new(law.as_ref());
            for _ in 0..20 {
                let strain = Mandel::from_vec(random.vector(6, scales.strain));
                let dt = scales.time * random.decades(-1.0, 1.0);
                let a = straight.advance(strain.as_slice(), dt);
                let b = turned.advance((q * strain).as_slice(), dt);
                let stress = (q * a.stress - b.stress).norm();
                assert!(
                    stress <= 1e-9 * (a.stress.norm() + scales.stress),
                    "{name}: {stress:e}"
                );
                let tangent = (q * a.tangent * q.transpose() - b.tangent).norm();
                assert!(tangent <= 1e-8 * law_stiffness(&a), "{name}: {tangent:e}");
            }
        }
    }
    assert!(claims >= 6);
}

fn law_stiffness(response: &Response) -> f64 {
    response.tangent.norm() + response.stress.norm()
}

/// Absurd but finite input: a finite answer or an error, never NaN, and nothing written on errors.
#[test]
fn absurd_input_gives_a_finite_answer_or_an_error_that_leaves_the_outputs() {
    for (name, law) in example_laws() {
        let (n, mut errors) = (law.components(), 0);
        let mut random = Random::new(8);
        for exponent in (0..308).step_by(4) {
            for round in 0..6 {
                let size = 10f64.powi(exponent);
                let old = random.vector(n, if round % 2 == 0 { size } else { 1e-3 });
                let new = random.vector(n, size);
                let mut state = law.new_state();
                if round >= 3 {
                    let sizes = if round == 3 { size } else { 1.0 };
                    state
                        .iter_mut()
                        .for_each(|z| *z = random.between(-sizes, sizes));
                }
                let dt = [0.0, 1e-300, 1.0, 1e300][round % 4];
                let increment = Increment {
                    strain_old: &old,
                    strain_new: &new,
                    dt,
                    external_old: &[],
                    external_new: &[],
                };
                let mut state_new = vec![7.0; state.len()];
                let mut response = Response {
                    stored_energy: 7.0,
                    ..Response::default()
                };
                let (untouched, blank) = (state_new.clone(), response.clone());
                match law.update(&increment, &state, &mut state_new, &mut response) {
                    Ok(()) => {
                        let numbers = response.stress.iter().chain(response.tangent.iter());
                        let finite = numbers.chain(&state_new).all(|x| x.is_finite())
                            && response.stored_energy.is_finite()
                            && response.dissipation.is_finite();
                        assert!(finite, "{name}: not finite at 1e{exponent}");
                    }
                    Err(error) => {
                        errors += 1;
                        assert!(error.cut().is_some(), "{name}: {error}");
                        assert_eq!((&untouched, &blank), (&state_new, &response), "{name}");
                    }
                }
            }
        }
        assert!(errors > 0, "{name}: 1e304 of strain gave no error");
    }
}

#[test]
fn wrong_lengths_and_numbers_that_are_not_finite_are_errors() {
    for (name, law) in example_laws() {
        let (n, states) = (law.components(), law.state_layout().len());
        let mut response = Response::default();
        let mut attempt = |strain: &[f64], dt: f64, state: usize, state_new: usize| {
            let increment = Increment {
                strain_old: &vec![0.0; n],
                strain_new: strain,
                dt,
                external_old: &[],
                external_new: &[],
            };
            let (old, mut new) = (vec![0.0; state], vec![0.0; state_new]);
            law.update(&increment, &old, &mut new, &mut response)
        };
        let zero = vec![0.0; n];
        assert_eq!(attempt(&zero, 0.0, states, states), Ok(()), "{name}");
        assert!(attempt(&zero[1..], 0.0, states, states).is_err(), "{name}");
        assert!(
            attempt(&vec![f64::NAN; n], 0.0, states, states).is_err(),
            "{name}"
        );
        assert!(attempt(&zero, -1.0, states, states).is_err(), "{name}");
        assert!(attempt(&zero, 0.0, states + 1, states).is_err(), "{name}");
        assert!(attempt(&zero, 0.0, states, states + 1).is_err(), "{name}");
    }
}

/// Increments of 50 to 5000 yield strains, in every direction, from virgin and from yielded points.
#[test]
fn stress_states_are_found_for_thousands_of_yield_strains() {
    for (_, law) in example_laws() {
        let (n, scales) = (law.components(), law.scales());
        let mut random = Random::new(9);
        let mut point = Point::new(law.as_ref());
        for round in 0..3000 {
            let direction = random.vector(n, 1.0);
            let norm = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
            // scales.strain is five yield strains.
            let size = random.decades(1.0, 3.0) * scales.strain / norm;
            let strain: Vec<f64> = std::iter::zip(&point.strain, &direction)
                .map(|(old, d)| {
                    if round % 2 == 0 {
                        d * size
                    } else {
                        old + d * size
                    }
                })
                .collect();
            point.advance(&strain, scales.time * random.decades(-4.0, 4.0));
            if round % 10 == 9 {
                point = Point::new(law.as_ref());
            }
        }
    }
}
