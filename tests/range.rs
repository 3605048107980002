//! What the records of a training hold, and whether an increment belongs to it.
#![cfg(feature = "train")]

use hysteron::driver::follow;
use hysteron::law::{Batch, Departure, Increment, MaterialLaw, Response, Status};
use hysteron::model::LearnedLaw;
use hysteron::record::Record;
use hysteron::recurrent::{Architecture, Clock, Symmetry};
use hysteron::train::{Trainer, Training};

fn learn(record: &Record, clock: Clock, symmetry: Symmetry) -> LearnedLaw {
    let architecture = Architecture {
        law: "relaxation".into(),
        components: record.components,
        external: record.external_names.len(),
        states: 2,
        width: 4,
        clock,
        symmetry,
        ..Architecture::default()
    };
    let options = Training {
        epochs: 2,
        probes: 0,
        ..Training::default()
    };
    let trainer = Trainer::of(&architecture).unwrap().records(&[record]);
    trainer.options(&options).run().unwrap().law
}

/// A bar along the first axis, to a strain of 0.7 in 350 increments of one second each.
fn tension() -> Record {
    let axial = (0..351).map(|row| 0.002 * f64::from(row));
    Record {
        name: "tension".into(),
        components: 6,
        time: (0..351).map(f64::from).collect(),
        strain: axial.clone().flat_map(along::<0>).collect(),
        stress: axial
            .flat_map(|e| [200.0 * e, 0.0, 0.0, 0.0, 0.0, 0.0])
            .collect(),
        ..Record::default()
    }
}

/// The strain of a bar along an axis.
fn along<const AXIS: usize>(e: f64) -> [f64; 6] {
    let mut strain = [-0.3 * e, -0.3 * e, -0.3 * e, 0.0, 0.0, 0.0];
    strain[AXIS] = e;
    strain
}

/// A bar of one component at a temperature.
fn hot(temperature: impl Fn(i32) -> f64) -> Record {
    let rows = 0..40;
    Record {
        name: "hot".into(),
        components: 1,
        time: rows.clone().map(f64::from).collect(),
        timeless: false,
        strain: rows.clone().map(|row| 1e-3 * f64::from(row)).collect(),
        stress: rows.clone().map(|row| 50.0 + f64::from(row)).collect(),
        external_names: vec!["temperature_C".into()],
        external: rows.map(temperature).collect(),
    }
}

fn answer(
    law: &LearnedLaw,
    strain: &[f64],
    dt: f64,
    external: &[f64],
) -> (Response, Option<Departure>) {
    let increment = Increment {
        strain_old: &[0.0; 6][..strain.len()],
        strain_new: strain,
        dt,
        external_old: external,
        external_new: external,
    };
    let (state, mut next) = (law.new_state(), law.new_state());
    let mut response = Response::default();
    law.update(&increment, &state, &mut next, &mut response)
        .unwrap();
    let departure = law.departure(&increment);
    assert_eq!(departure.is_some(), response.status == Status::Outside);
    (response, departure)
}

#[test]
fn the_range_of_an_isotropic_law_is_the_same_in_all_directions() {
    let law = learn(&tension(), Clock::StrainPath, Symmetry::Isotropic);
    for (e, inside) in [
        (0.69, true),
        (0.7 + 1e-9, true),
        (0.71, false),
        (-0.1, false),
    ] {
        for strain in [along::<0>(e), along::<1>(e), along::<2>(e)] {
            let (response, _) = answer(&law, &strain, 1.0, &[]);
            assert_eq!(response.status == Status::Inside, inside, "{strain:?}");
        }
    }
    let curve = follow(&law, &tension()).unwrap();
    assert!(curve.status.iter().all(|s| *s == Status::Inside));
    assert_eq!(curve.departure, None);
}

#[test]
fn external_variables_and_the_strain_rate_belong_to_the_range() {
    let law = learn(
        &hot(|row| 1000.0 + f64::from(row)),
        Clock::Both,
        Symmetry::None,
    );
    let asked = |temperature: f64, dt: f64| {
        let (_, departure) = answer(&law, &[1e-3], dt, &[temperature]);
        departure.map(|departure| departure.to_string())
    };
    assert_eq!(asked(1020.0, 1.0), None);
    let cold = "temperature_C = 20, trained from 1000 to 1039";
    assert_eq!(asked(20.0, 1.0).as_deref(), Some(cold));
    let fast = "strain rate in 1/s = 1, trained from 0 to 0.001";
    assert_eq!(asked(1020.0, 1e-3).as_deref(), Some(fast));
    assert_eq!(asked(1020.0, 100.0), None);
}

#[test]
fn a_variable_that_did_not_vary_has_no_influence_and_is_known_at_its_value() {
    let law = learn(&hot(|_| 20.0), Clock::StrainPath, Symmetry::None);
    let (trained, none) = answer(&law, &[1e-2], 1.0, &[20.0]);
    let (warmer, departure) = answer(&law, &[1e-2], 1.0, &[20.5]);
    assert_eq!(none, None);
    assert_eq!(departure.unwrap().what, "temperature_C");
    assert_eq!(trained.stress, warmer.stress);
    assert_eq!(trained.tangent, warmer.tangent);
}

#[test]
fn a_batch_starts_at_the_mean_of_the_external_variables() {
    let law = learn(
        &hot(|row| 1000.0 + f64::from(row)),
        Clock::StrainPath,
        Symmetry::None,
    );
    let mut batch = Batch::new(&law, 3);
    assert_eq!(batch.external_new, [1019.5; 3]);
    batch.strain_new.fill(1e-3);
    batch.update(&law).unwrap();
    assert_eq!(batch.status, [Status::Inside; 3]);
}

/// More cycles than any record has, inside its strains, are outside its path.
#[test]
fn the_strain_path_belongs_to_the_range_of_a_history() {
    let cycles = |count: usize| {
        let rows = 0..=40 * count;
        let strain: Vec<f64> = rows
            .map(|row| 0.01 * (row as f64 * std::f64::consts::PI / 20.0).sin())
            .collect();
        Record {
            name: format!("{count} cycles"),
            components: 1,
            time: (0..strain.len()).map(|row| row as f64).collect(),
            stress: strain.iter().map(|e| 2e4 * e).collect(),
            strain,
            ..Record::default()
        }
    };
    let law = learn(&cycles(3), Clock::StrainPath, Symmetry::None);
    let range = law.normalisation().range.clone().unwrap();
    let own = &range.records[0];
    assert_eq!((own.name.as_str(), own.half_cycles), ("3 cycles", 5));
    let [least, most] = own.amplitudes.unwrap();
    assert!((least - 0.02).abs() < 1e-9 && (most - 0.02).abs() < 1e-9);
    assert_eq!(law.trained_path(), Some(own.strain_path));

    let same = follow(&law, &cycles(3)).unwrap();
    assert!(
        same.status.iter().all(|s| *s == Status::Inside),
        "{:?}",
        same.departure
    );
    let curve = follow(&law, &cycles(5)).unwrap();
    let first = curve.status.iter().position(|s| *s == Status::Outside);
    assert_eq!(first, Some(121));
    let departure = curve.departure.unwrap();
    assert!(departure.what.contains("path"), "{departure}");
    assert_eq!(departure.range[1], own.strain_path);
}
