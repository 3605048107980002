//! The material-point driver: closed solutions, step cutting, exact rollback, refusals.

mod planted;

use approx::assert_relative_eq;
use hysteron::driver::{Curve, Driver, DriverOptions, drive, follow, follow_stress};
use hysteron::error::Error;
use hysteron::evaluate::{Quantity, score};
use hysteron::law::MaterialLaw;
use hysteron::loading::{Control, LoadStep, Programme};
use hysteron::record::Record;
use planted::laws::{Bar, KelvinMaxwell, Orthotropic, Thermal, Turned};
use planted::limits::Limited;
use std::ops::ControlFlow;

fn programme(components: usize, steps: &[(f64, Vec<Control>)]) -> Programme {
    Programme {
        name: "test".into(),
        components,
        external_names: vec![],
        steps: steps
            .iter()
            .map(|(dt, targets)| LoadStep {
                dt: *dt,
                targets: targets.clone(),
                external: vec![],
            })
            .collect(),
    }
}

fn uniaxial(steps: &[(f64, Control)]) -> Programme {
    let steps: Vec<_> = steps.iter().map(|&(dt, c)| (dt, vec![c])).collect();
    programme(1, &steps)
}

fn record(components: usize, time: &[f64], strain: &[f64]) -> Record {
    Record {
        name: "test".into(),
        components,
        time: time.to_vec(),
        strain: strain.to_vec(),
        stress: vec![0.0; strain.len()],
        ..Record::default()
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn a_bar_under_stress_control_has_the_closed_solution() {
    let bar = Bar::default();
    let (e, h, y) = (bar.young, bar.hardening, bar.yield_stress);
    let steps: Vec<_> = [150.0, 300.0, 0.0, -300.0, 300.0]
        .map(|s| (1.0, Control::Stress(s)))
        .to_vec();
    let curve = drive(&bar, &uniaxial(&steps)).unwrap();
    let plastic = [0.0, 0.0, 100.0, 100.0, -100.0, 100.0].map(|s| s / h);
    assert_eq!(y, 200.0);
    for (row, p) in plastic.into_iter().enumerate() {
        let stress = curve.record.stress_at(row)[0];
        let strain = curve.record.strain_at(row)[0];
        assert_relative_eq!(strain, stress / e + p, epsilon = 1e-14);
        assert_relative_eq!(curve.states[2 * row], p, epsilon = 1e-14);
    }
    let dissipated: f64 = curve.dissipation.iter().sum();
    let path: f64 = plastic.windows(2).map(|w| (w[1] - w[0]).abs()).sum();
    assert_relative_eq!(dissipated, y * path, max_relative = 1e-9);
    assert_eq!(curve.record.time, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
}

#[test]
fn uniaxial_tension_of_an_orthotropic_solid_has_its_young_modulus() {
    let law = Orthotropic::default();
    let compliance = law.moduli.try_inverse().unwrap();
    let curve = drive(&law, &uniaxial(&[(1.0, Control::Strain(0.01))])).unwrap();
    assert_eq!(curve.record.components, 1);
    let stress = curve.record.stress_at(1)[0];
    assert_relative_eq!(stress, 0.01 / compliance[(0, 0)], max_relative = 1e-12);
    let pulled = drive(&law, &uniaxial(&[(1.0, Control::Stress(stress))])).unwrap();
    assert_relative_eq!(pulled.record.strain[1], 0.01, max_relative = 1e-12);
}

#[test]
fn mixed_control_meets_every_target() {
    let targets = vec![
        Control::Strain(0.02),
        Control::Stress(-3.0),
        Control::Strain(-0.01),
        Control::Stress(4.0),
        Control::Stress(0.0),
        Control::Strain(0.005),
    ];
    let back = targets.iter().map(|t| match t {
        Control::Strain(_) => Control::Stress(1.0),
        Control::Stress(_) => Control::Strain(0.0),
    });
    let steps = [
        (1.0, targets.clone()),
        (10.0, back.collect()),
        (0.0, targets),
    ];
    let programme = programme(6, &steps);
    for law in [
        &Turned::default() as &dyn MaterialLaw,
        &KelvinMaxwell::default(),
    ] {
        let curve = drive(law, &programme).unwrap();
        for (k, step) in programme.steps.iter().enumerate() {
            for (i, target) in step.targets.iter().enumerate() {
                match *target {
                    Control::Strain(e) => assert_eq!(curve.record.strain_at(k + 1)[i], e),
                    Control::Stress(s) => {
                        let found = curve.record.stress_at(k + 1)[i];
                        let largest = curve.record.stress_at(k + 1).iter();
                        let largest = largest.fold(law.scales().stress, |a, s| a.max(s.abs()));
                        assert!((found - s).abs() <= 1e-10 * largest, "{found} for {s}");
                    }
                }
            }
        }
    }
}

#[test]
fn creep_ends_at_the_long_term_compliance() {
    let law = KelvinMaxwell::default();
    let mut targets = vec![Control::Stress(0.0); 6];
    targets[3] = Control::Stress(5.0);
    let steps: Vec<_> = (0..40)
        .map(|k| (if k == 0 { 0.0 } else { 5.0 }, targets.clone()))
        .collect();
    let curve = drive(&law, &programme(6, &steps)).unwrap();
    let shear = |row: usize| curve.record.strain_at(row)[3];
    assert_relative_eq!(shear(1), 5.0 / (2.0 * 1400.0), max_relative = 1e-12);
    assert_relative_eq!(shear(40), 5.0 / (2.0 * 800.0), max_relative = 1e-9);
}

#[test]
fn a_cut_step_is_bit_equal_to_its_quarters() {
    let limited = Limited::new(KelvinMaxwell::default(), 0.003);
    let whole = drive(&limited, &uniaxial(&[(4.0, Control::Strain(0.01))])).unwrap();
    let quarters: Vec<_> = [0.25, 0.5, 0.75, 1.0]
        .map(|part| (1.0, Control::Strain(part * 0.01)))
        .to_vec();
    let fine = drive(&KelvinMaxwell::default(), &uniaxial(&quarters)).unwrap();
    assert_eq!(bits(&whole.states[6..]), bits(&fine.states[24..]));
    assert_eq!(
        whole.record.stress[1].to_bits(),
        fine.record.stress[4].to_bits()
    );
    assert_eq!(whole.record.rows(), 2);
    let sum: f64 = fine.dissipation.iter().sum();
    assert_relative_eq!(whole.dissipation[1], sum, max_relative = 1e-14);
    assert_eq!(whole.record.time, [0.0, 4.0]);
}

#[test]
fn a_law_that_always_refuses_gives_up_with_its_cause() {
    let limited = Limited::new(Bar::default(), 0.0);
    let steps = [(1.0, Control::Strain(0.0)), (1.0, Control::Strain(0.01))];
    match drive(&limited, &uniaxial(&steps)) {
        Err(Error::Drive {
            name,
            step,
            time,
            message,
            source,
        }) => {
            assert_eq!((name.as_str(), step, time), ("test", 2, 1.0));
            assert!(message.contains("did not converge"), "{message}");
            assert!(source.is_some());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stress_beyond_the_limit_load_is_refused_and_says_why() {
    let mut bar = Bar::default();
    bar.hardening = 0.0;
    let steps = [(1.0, Control::Stress(150.0)), (1.0, Control::Stress(250.0))];
    match drive(&bar, &uniaxial(&steps)) {
        Err(Error::Drive {
            step,
            time,
            message,
            source,
            ..
        }) => {
            assert_eq!(step, 2);
            assert!(
                (time - 1.5).abs() < 1e-3,
                "the limit load is reached at 1.5 s, not {time}"
            );
            assert!(message.contains("no equilibrium"), "{message}");
            assert!(source.is_none());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn follow_repeats_rows_and_starts_strained() {
    let strain = [0.002, 0.002, 0.004, 0.004, -0.004, 0.0];
    let curve = follow(
        &Bar::default(),
        &record(1, &[3.0, 3.0, 4.0, 4.0, 5.0, 6.0], &strain),
    )
    .unwrap();
    assert_eq!(curve.record.strain, strain);
    assert_eq!(curve.record.time, [3.0, 3.0, 4.0, 4.0, 5.0, 6.0]);
    let (e, h) = (200e3, 20e3);
    let p = 200e3f64.mul_add(0.002, -200.0) / (e + h);
    assert_relative_eq!(
        curve.record.stress[0],
        e * (0.002 - p),
        max_relative = 1e-13
    );
    assert_eq!(curve.record.stress[0], curve.record.stress[1]);
    assert_eq!(curve.record.stress[2], curve.record.stress[3]);
    assert!(curve.dissipation[0] > 0.0);
    let rested = follow(&Bar::default(), &record(1, &[0.0, 1.0], &[0.0, 0.002])).unwrap();
    assert_eq!(rested.record.stress[0], 0.0);
    assert_eq!(rested.record.stress[1], curve.record.stress[0]);
    assert_eq!(rested.states[0], 0.0);
}

#[test]
fn a_solid_follows_a_uniaxial_record_with_free_sides() {
    let record = record(1, &[0.0, 1.0, 2.0], &[0.0, 0.01, -0.01]);
    let steps = [(1.0, Control::Strain(0.01)), (1.0, Control::Strain(-0.01))];
    for law in [
        &KelvinMaxwell::default() as &dyn MaterialLaw,
        &Turned::default(),
    ] {
        let followed = follow(law, &record).unwrap();
        assert_eq!(followed, drive(law, &uniaxial(&steps)).unwrap());
        assert_eq!(followed.record.components, 1);
        assert_eq!(followed.states.len(), 18);
    }
}

#[test]
fn external_variables_go_by_name_and_linearly() {
    let law = Thermal::default();
    let mut hot = record(1, &[0.0, 1.0, 2.0], &[0.0, 0.0, 0.0]);
    hot.external_names = vec!["humidity".into(), "temperature_C".into()];
    hot.external = vec![0.5, 20.0, 0.5, 70.0, 0.5, 120.0];
    let curve = follow(&law, &hot).unwrap();
    assert_relative_eq!(
        curve.record.stress[..],
        [0.0, -50.0, -100.0][..],
        epsilon = 1e-10
    );
    assert_eq!(curve.record.external_names, ["temperature_C"]);
    assert_eq!(curve.record.external, [20.0, 70.0, 120.0]);
    hot.external_names[1] = "heat".into();
    let error = follow(&law, &hot).unwrap_err().to_string();
    assert!(
        error.contains("lacks the external variable 'temperature_C'"),
        "{error}"
    );
}

#[test]
fn a_run_can_be_watched_and_stopped() {
    let bar = Bar::default();
    let steps: Vec<_> = (1..=10)
        .map(|k| (1.0, Control::Strain(1e-3 * k as f64)))
        .collect();
    let mut seen = Vec::new();
    let stopped = Driver::new(&bar)
        .drive_with(&uniaxial(&steps), &mut |progress| {
            seen.push(progress);
            match progress.step {
                4 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })
        .unwrap();
    assert_eq!(stopped.record.rows(), 5);
    assert_eq!(seen.len(), 4);
    assert_eq!(
        (seen[3].steps, seen[3].fraction, seen[3].time),
        (10, 1.0, 4.0)
    );
    let whole = drive(&bar, &uniaxial(&steps)).unwrap();
    assert_eq!(whole.record.stress[..5], stopped.record.stress[..]);
}

#[test]
fn misfits_are_errors() {
    let bar = Bar::default();
    let solid = KelvinMaxwell::default();
    let invalid = |result: Result<Curve, Error>, part: &str| match result {
        Err(Error::Invalid(message)) => assert!(message.contains(part), "{message}"),
        other => panic!("{other:?}"),
    };
    let six = programme(6, &[(1.0, vec![Control::Strain(0.0); 6])]);
    invalid(drive(&bar, &six), "6 components");
    let short = programme(6, &[(1.0, vec![Control::Strain(0.0); 5])]);
    invalid(drive(&solid, &short), "5 targets");
    let plane = programme(3, &[(1.0, vec![Control::Strain(0.0); 3])]);
    invalid(drive(&solid, &plane), "3 components");
    invalid(
        drive(&bar, &uniaxial(&[(-1.0, Control::Strain(0.0))])),
        "time step -1 s",
    );
    invalid(
        drive(&bar, &uniaxial(&[(1.0, Control::Stress(f64::NAN))])),
        "not finite",
    );
    invalid(
        follow(
            &bar,
            &Record {
                components: 1,
                ..Record::default()
            },
        ),
        "no rows",
    );
    invalid(
        follow(&bar, &record(1, &[0.0, 1.0], &[0.0])),
        "strain has 1 entries, 2 rows need 2",
    );
    invalid(
        follow(&bar, &record(1, &[1.0, 0.0], &[0.0, 0.0])),
        "time decreases",
    );
    invalid(
        follow(&bar, &record(1, &[0.0], &[f64::INFINITY])),
        "not finite",
    );
    invalid(follow(&solid, &record(0, &[0.0], &[])), "0 components");
    let empty = drive(&bar, &uniaxial(&[])).unwrap();
    assert_eq!(empty.record.rows(), 1);
}

#[test]
fn the_budget_of_increments_ends_a_step() {
    let limited = Limited::new(Bar::default(), 1e-6);
    let options = DriverOptions {
        max_increments: 5,
        ..DriverOptions::default()
    };
    let driver = Driver::with_options(&limited, options);
    let result = driver.drive(&uniaxial(&[(1.0, Control::Strain(0.01))]));
    assert!(
        matches!(result, Err(Error::Drive { step: 1, .. })),
        "{result:?}"
    );
}

/// Creep and load control: what strains have made stresses makes the strains again.
#[test]
fn measured_stresses_drive_the_components_that_are_named() {
    let law = KelvinMaxwell::default();
    let wave = |row: usize, k: f64| 0.002 * (0.4 * k * row as f64).sin();
    let rows = 40;
    let strains = (0..rows).flat_map(|row| (1..=6).map(move |k| wave(row, f64::from(k))));
    let times: Vec<f64> = (0..rows).map(|row| row as f64).collect();
    let record = record(6, &times, &strains.collect::<Vec<_>>());
    let measured = follow(&law, &record).unwrap().record;
    for driven in [vec![0], vec![3, 5], (0..6).collect()] {
        // A strain that is not given must not be read.
        let mut given = measured.clone();
        for row in given.strain.chunks_mut(6) {
            driven.iter().for_each(|c| row[*c] = 1.0);
        }
        let curve = follow_stress(&law, &given, &driven).unwrap();
        let errors = curve.record.strain.iter().zip(&measured.strain);
        let error = errors.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(error < 1e-10, "{driven:?}: {error:e}");
        let score = score(&measured, &curve).unwrap();
        assert_eq!(score.quantity, Quantity::Strain);
        assert!(score.rmse < 1e-10 && score.r2.unwrap() > 1.0 - 1e-9);
    }
    let error = follow_stress(&law, &measured, &[6])
        .unwrap_err()
        .to_string();
    assert!(error.contains("no stress 6"), "{error}");
}
