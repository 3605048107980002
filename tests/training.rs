//! Training: the loss, what keeps it reproducible, and what it refuses.
#![cfg(feature = "train")]

mod support;

use hysteron::record::{Padded, Record};
use hysteron::recurrent::{Architecture, Clock};
use hysteron::train::loss::{Target, Weights};
use hysteron::train::{
    ErrorScale, Histories, Precision, Resume, Stop, Trained, Trainer, Training, TrainingDevice,
    normalisation,
};
use hysteron::{Error, Result};
use std::ops::ControlFlow;
use support::Folder;

/// A record of a linear hardening bar, with `rows` rows.
fn record(name: &str, rows: usize, amplitude: f64) -> Record {
    let mut record = Record {
        name: name.into(),
        components: 1,
        ..Record::default()
    };
    let mut plastic = 0.0;
    for row in 0..rows {
        let strain = amplitude * (row as f64 * 0.3).sin();
        let trial: f64 = 200e3 * (strain - plastic);
        let excess = (trial - 5e3 * plastic).abs() - 250.0;
        if excess > 0.0 {
            plastic += excess / 205e3 * (trial - 5e3 * plastic).signum();
        }
        record.time.push(row as f64);
        record.strain.push(strain);
        record.stress.push(200e3 * (strain - plastic));
    }
    record
}

fn options() -> Training {
    Training {
        epochs: 30,
        // The last seven.
        quasi_newton: 0.25,
        probes: 3,
        dissipation_margin: 0.02,
        tangent_weight: 0.1,
        validate_every: 5,
        ..Training::default()
    }
}

fn learn(
    records: &[Record],
    options: &Training,
    resume: &Resume,
    stop_at: usize,
) -> Result<Trained> {
    let law = Architecture {
        states: 3,
        width: 5,
        ..Architecture::default()
    };
    learn_law(&law, records, options, resume, stop_at)
}

/// The last record validates.
fn learn_law(
    law: &Architecture,
    records: &[Record],
    options: &Training,
    resume: &Resume,
    stop_at: usize,
) -> Result<Trained> {
    let (last, training) = records.split_last().unwrap();
    let training: Vec<_> = training.iter().collect();
    Trainer::of(&law.for_records(1, 0))?
        .records(&training)
        .validation(&[last])
        .options(options)
        .resume(resume.clone())
        .observe(|progress| match progress.point.epoch + 1 == stop_at {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
        .run()
}

fn records() -> Vec<Record> {
    (0..4)
        .map(|i| record(&format!("bar {i}"), 40 + 7 * i, 0.004 + 0.002 * i as f64))
        .collect()
}

#[test]
fn the_gradient_of_the_loss_is_that_of_differences() {
    let records = records();
    let normalisation = normalisation(&records).unwrap();
    let padded = Padded::new(&records.iter().collect::<Vec<_>>()).unwrap();
    // The last record is a probe: its stress must not count, its dissipation must.
    let histories = Histories::with_probes(padded, normalisation, 3);
    let size: usize = histories.shape().iter().product();
    let output: Vec<f64> = (0..size).map(|i| (i as f64 * 0.7).sin() * 1e-2).collect();
    for (scale, weights) in [ErrorScale::Common, ErrorScale::Record]
        .iter()
        .flat_map(|scale| weightings().map(move |weights| (scale, weights)))
    {
        let target = Target::new(&histories, *scale);
        let loss = |output: &[f64]| target.evaluate(output, weights).point().loss();
        let gradient = target.evaluate(&output, weights).gradient;
        for (k, exact) in gradient.iter().enumerate() {
            let moved = |h: f64| {
                let mut moved = output.clone();
                moved[k] += h;
                loss(&moved)
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            approx::assert_relative_eq!(difference, *exact, max_relative = 1e-6, epsilon = 1e-9);
        }
        let mut other = output.clone();
        let [_, width, count] = histories.shape();
        for row in other.chunks_mut(width * count) {
            row[count - 1] += 1.0;
        }
        let stress = |output: &[f64]| target.evaluate(output, weights).parts.stress;
        assert_eq!(stress(&output), stress(&other));
    }
}

fn weightings() -> [Weights; 3] {
    [
        Weights {
            dissipation: 0.0,
            margin: 0.0,
            tangent: 0.0,
        },
        Weights {
            dissipation: 3.0,
            margin: 0.1,
            tangent: 0.0,
        },
        Weights {
            dissipation: 2.0,
            margin: 0.0,
            tangent: 0.5,
        },
    ]
}

/// What a law is off by in per cent of a record's own stress counts the same in every record.
#[test]
fn errors_over_the_stress_of_their_record() {
    let stiff = record("stiff", 40, 0.01);
    let soft = Record {
        name: "soft".into(),
        stress: stiff.stress.iter().map(|s| 0.01 * s).collect(),
        ..stiff.clone()
    };
    let records = [stiff, soft];
    let padded = Padded::new(&records.iter().collect::<Vec<_>>()).unwrap();
    let histories = Histories::new(padded, normalisation(&records).unwrap());
    let [rows, width, count] = histories.shape();
    let measured = histories.target();
    // One record five per cent too stiff.
    let off = |which: usize| {
        let mut output = vec![0.0; rows * width * count];
        for (i, stress) in measured.iter().enumerate() {
            let (row, record) = (i / count, i % count);
            let factor = if record == which { 1.05 } else { 1.0 };
            output[row * width * count + record] = factor * stress;
        }
        output
    };
    let loss = |scale, which| {
        Target::new(&histories, scale)
            .evaluate(&off(which), weightings()[0])
            .parts
    };
    let [stiff, soft] = [0, 1].map(|which| loss(ErrorScale::Record, which));
    approx::assert_relative_eq!(stiff.stress, 0.5 * 0.05f64.powi(2), max_relative = 1e-12);
    approx::assert_relative_eq!(soft.stress, stiff.stress, max_relative = 1e-12);
    // In MPa it does not, and the reported RMSE is in MPa.
    let [stiff, soft] = [0, 1].map(|which| loss(ErrorScale::Common, which));
    approx::assert_relative_eq!(soft.stress, 1e-4 * stiff.stress, max_relative = 1e-12);
    assert_eq!(stiff.square, loss(ErrorScale::Record, 0).square);
    assert_eq!(stiff.square, stiff.stress);
}

#[test]
fn the_same_seed_gives_the_same_law_and_another_seed_another() {
    let none = Resume::default();
    let one = learn(&records(), &options(), &none, 0).unwrap().fit;
    let same = learn(&records(), &options(), &none, 0).unwrap().fit;
    assert_eq!(one, same);
    let losses = one.history.iter().map(|point| point.loss());
    assert!(losses.fold(f64::INFINITY, f64::min) < 0.5 * one.history[0].loss());
    let seeded = Training {
        seed: 2,
        ..options()
    };
    assert_ne!(
        one.unconstrained,
        learn(&records(), &seeded, &none, 0)
            .unwrap()
            .fit
            .unconstrained
    );
}

#[test]
fn after_adam_the_curvature_leads_further_down() {
    let least = |quasi_newton: f64| {
        let options = Training {
            epochs: 200,
            quasi_newton,
            ..options()
        };
        let (losses, _) = course(&options);
        losses.into_iter().fold(f64::INFINITY, f64::min)
    };
    let (adam, both) = (least(0.0), least(0.75));
    println!("least loss: Adam {adam:e}, then L-BFGS {both:e}");
    assert!(both < 0.5 * adam, "{both:e} {adam:e}");
}

#[test]
fn a_training_without_adam_states_its_steps() {
    let options = Training {
        quasi_newton: 1.0,
        dissipation_warmup: 0.0,
        ..options()
    };
    let none = Resume::default();
    let fit = learn(&records(), &options, &none, 0).unwrap().fit;
    assert!(
        fit.history
            .iter()
            .all(|point| point.learning_rate.is_finite())
    );
}

#[test]
fn a_ridge_keeps_the_parameters_near_their_start() {
    let way = |ridge: f64| {
        let options = Training { ridge, ..options() };
        let (_, unconstrained) = course(&options);
        let (_, start) = course(&Training {
            epochs: 1,
            ..options
        });
        let way = unconstrained
            .iter()
            .zip(&start)
            .map(|(a, b)| (a - b).powi(2));
        way.sum::<f64>().sqrt()
    };
    let (free, held) = (way(0.0), way(1.0));
    println!("way: free {free:.3}, held {held:.3}");
    assert!(held < 0.2 * free, "{held} {free}");
}

#[test]
fn a_training_that_was_stopped_goes_on_as_if_it_had_not() {
    let folder = Folder::new();
    let resume = Resume {
        file: Some(folder.path().join("checkpoint.json")),
        every: 7,
    };
    let whole = learn(&records(), &options(), &Resume::default(), 0)
        .unwrap()
        .fit;
    // In the midst of Adam, and then of L-BFGS.
    for epochs in [12, 26] {
        let done = learn(&records(), &options(), &resume, epochs).unwrap().fit;
        assert_eq!(done.stop, Stop::Interrupted);
        assert_eq!(done.history.len(), epochs);
    }
    let rest = learn(&records(), &options(), &resume, 0).unwrap().fit;
    assert_eq!(rest, whole);
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let folder = Folder::new();
    let file = folder.path().join("checkpoint.json");
    let resume = Resume {
        file: Some(file.clone()),
        every: 5,
    };
    learn(&records(), &options(), &resume, 6).unwrap();
    let refused = |result: Result<Trained>, words: &str| match result {
        Err(Error::Training(message)) => {
            assert!(
                message.contains(words) && message.contains("checkpoint.json"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    };
    let mut changed = records();
    changed[1].stress[3] += 1.0;
    refused(learn(&changed, &options(), &resume, 0), "of other records");
    let longer = Training {
        epochs: 31,
        ..options()
    };
    refused(learn(&records(), &longer, &resume, 0), "other options");
    // The same tensors, read with another clock.
    let timed = |clock| {
        let law = Architecture {
            law: "gru".into(),
            clock,
            ..Architecture::default()
        };
        learn_law(&law, &records(), &options(), &resume, 0)
    };
    std::fs::remove_file(&file).unwrap();
    timed(Clock::Time).unwrap();
    refused(timed(Clock::Both), "another law");
    // Version 0.1.0 wrote no number of its format.
    let text = std::fs::read_to_string(&file).unwrap();
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    old.as_object_mut().unwrap().remove("format").unwrap();
    std::fs::write(&file, old.to_string()).unwrap();
    refused(timed(Clock::Time), "another version of hysteron");
    std::fs::write(&file, "{}").unwrap();
    refused(
        learn(&records(), &options(), &resume, 0),
        "not a checkpoint",
    );
}

#[test]
fn noise_of_the_last_digit_does_not_end_a_training_in_single_precision() {
    let mut records = records();
    for record in &mut records {
        record.strain[1] = 1e-16;
    }
    for law in ["relaxation", "physically-recurrent", "minimal-state"] {
        let law = Architecture {
            law: law.into(),
            ..Architecture::default()
        };
        let options = Training {
            precision: Precision::F32,
            epochs: 3,
            ..options()
        };
        let trained = learn_law(&law, &records, &options, &Resume::default(), 0).unwrap();
        assert_eq!(trained.fit.history.len(), 3);
    }
}

#[test]
fn a_training_that_diverges_keeps_its_best_law() {
    let wild = Training {
        learning_rate: 1e300,
        ..options()
    };
    let fit = learn(&records(), &wild, &Resume::default(), 0).unwrap().fit;
    assert_eq!(fit.stop, Stop::Diverged);
    assert!(fit.best_score.is_finite());
}

#[test]
fn a_validation_that_is_never_finite_is_an_error() {
    let mut records = records();
    records[3].stress[5] = 1e300;
    let refused = learn(&records, &options(), &Resume::default(), 0).unwrap_err();
    assert!(refused.to_string().contains("never finite"), "{refused}");
}

#[test]
fn patience_ends_a_training_that_no_longer_improves() {
    let patient = Training {
        epochs: 400,
        patience: Some(3),
        learning_rate: 1e-12,
        final_learning_rate: 0.0,
        quasi_newton: 0.0,
        ..options()
    };
    let fit = learn(&records(), &patient, &Resume::default(), 0)
        .unwrap()
        .fit;
    assert_eq!(fit.stop, Stop::Patience);
    assert!(fit.history.len() < 400);
}

#[test]
fn records_and_options_that_do_not_fit_are_refused() {
    let none = Resume::default();
    let mut planar = records();
    planar[0] = Record {
        name: "plane".into(),
        components: 3,
        time: vec![0.0, 1.0],
        strain: vec![0.0; 6],
        stress: vec![0.0; 6],
        ..Record::default()
    };
    let message = learn(&planar, &options(), &none, 0)
        .unwrap_err()
        .to_string();
    assert!(message.contains("`plane` has 3 components"), "{message}");
    let negative = Training {
        clip: -1.0,
        ..options()
    };
    let message = learn(&records(), &negative, &none, 0)
        .unwrap_err()
        .to_string();
    assert!(message.contains("clip: -1"), "{message}");
    let message = learn(&records()[..1], &options(), &none, 0)
        .unwrap_err()
        .to_string();
    assert!(message.contains("no training record"), "{message}");
}

/// Losses of the epochs of one training, and its law.
fn course(options: &Training) -> (Vec<f64>, Vec<f64>) {
    let fit = learn(&records(), options, &Resume::default(), 0)
        .unwrap()
        .fit;
    (
        fit.history.iter().map(|p| p.loss()).collect(),
        fit.unconstrained,
    )
}

fn assert_near(found: &[f64], expected: &[f64], limit: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs();
        assert!(
            error <= limit * expected.abs().max(1e-2),
            "{found} {expected}"
        );
    }
}

#[test]
fn tensors_train_as_the_sweep_does() {
    let of = |device, precision| Training {
        device,
        precision,
        epochs: 10,
        // A search along a line turns round-off into another way.
        quasi_newton: 0.0,
        ..options()
    };
    let (losses, law) = course(&of(TrainingDevice::Cpu, Precision::F64));
    let (by_tensors, same) = course(&of(TrainingDevice::Flex, Precision::F64));
    // Round-off grows over the epochs.
    assert_near(&by_tensors, &losses, 1e-8);
    assert_near(&same, &law, 1e-8);
    for device in [TrainingDevice::Cpu, TrainingDevice::Flex] {
        let (single, _) = course(&of(device, Precision::F32));
        assert_near(&single, &losses, 1e-2);
        assert_ne!(single, losses);
    }
}

#[cfg(not(any(feature = "wgpu", feature = "cuda")))]
#[test]
fn a_device_that_this_build_does_not_know_is_an_error() {
    for device in [TrainingDevice::Wgpu, TrainingDevice::Cuda] {
        let options = Training {
            device,
            ..options()
        };
        let error = learn(&records(), &options, &Resume::default(), 0).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("build with --features"), "{message}");
    }
}
