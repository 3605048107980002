//! A law of six components as a bar, under plane stress and plane strain: mixed control inside training.
#![cfg(feature = "train")]

mod common;

use burn::tensor::{DType, Device, Tensor, TensorData};
use common::{Random, distance, random_law};
use hysteron::driver::{drive, follow};
use hysteron::evaluate::rmse;
use hysteron::graph::ParameterLayout;
use hysteron::law::{InitialModuli, MaterialLaw, Status};
use hysteron::laws::{Backstress, PlasticityParameters, ReferenceLaw};
use hysteron::loading::{Control, LoadStep, Others, Programme, ProgrammeKind};
use hysteron::mandel::{Mandel, StressState};
use hysteron::model::{LearnedLaw, Normalisation};
use hysteron::record::{Padded, Record, TRANSVERSE_STRAIN};
use hysteron::recurrent::{Architecture, Clock, RecurrentLaw, Reduced, Symmetry, symmetric_laws};
use hysteron::train::rollout::{RollOut, roll_out_tensors};
use hysteron::train::{Histories, Trainer, Training};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::ops::ControlFlow;
use std::sync::Arc;

fn learn(law: &str, clock: Clock) -> Architecture {
    Architecture {
        law: law.into(),
        clock,
        states: 3,
        width: 6,
        layers: 1,
        energy_width: 4,
        energy_layers: 1,
        symmetry: Symmetry::Isotropic,
        ..Architecture::default()
    }
}

fn bar(law: &str, clock: Clock, external: usize) -> (Arc<dyn RecurrentLaw>, ParameterLayout) {
    let (law, layout) = learn(law, clock).for_records(6, external).build().unwrap();
    (
        Arc::new(Reduced::new(law, StressState::Uniaxial).unwrap()),
        layout,
    )
}

/// Strain histories of a bar, with holds and repeated rows.
fn records(external: usize) -> Vec<Record> {
    let mut random = Random::new(2);
    (0..9)
        .map(|r| {
            let mut record = Record {
                name: format!("walk {r}"),
                components: 1,
                external_names: (0..external).map(|i| format!("t{i}")).collect(),
                ..Record::default()
            };
            let (mut time, mut strain) = (0.0, 0.0);
            for row in 0..10 {
                if row % 4 != 3 {
                    strain += random.between(-0.01, 0.01);
                }
                time += random.between(0.1, 1.0);
                record.time.push(time);
                record.strain.push(strain);
                record.stress.push(random.between(-300.0, 300.0));
                record
                    .external
                    .extend((0..external).map(|_| random.between(20.0, 80.0)));
            }
            record
        })
        .collect()
}

fn normalisation(external: usize) -> Normalisation {
    Normalisation {
        strain: 0.02,
        stress: 350.0,
        time: 0.5,
        external_names: (0..external).map(|i| format!("t{i}")).collect(),
        external: vec![[50.0, 20.0]; external],
        strain_range: vec![[-0.02, 0.02]],
        range: None,
    }
}

fn histories(external: usize) -> Arc<Histories> {
    let records = records(external);
    let padded = Padded::new(&records.iter().collect::<Vec<_>>()).unwrap();
    Arc::new(Histories::new(padded, normalisation(external)))
}

fn tracked(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::<1>::from_data(data, (&Device::flex().autodiff(), DType::F64)).require_grad()
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().try_into_vec().unwrap()
}

#[test]
fn the_bar_answers_as_the_driver_of_the_law_of_six_components() {
    for law in symmetric_laws() {
        for clock in [Clock::StrainPath, Clock::Both] {
            let six = random_law(law, &learn(law, clock), 6, 0);
            let bar = Arc::new(Reduced::new(six.law().clone(), StressState::Uniaxial).unwrap());
            let (layout, unconstrained) = (
                six.layout().clone(),
                six.unconstrained_parameters().to_vec(),
            );
            let bar = LearnedLaw::new("bar", bar, layout, unconstrained, normalisation(0)).unwrap();
            for record in records(0) {
                let (one, driven) = (follow(&bar, &record), follow(&six, &record));
                let (one, driven) = (one.unwrap().record, driven.unwrap().record);
                let error = distance(&one.stress, &driven.stress);
                assert!(error < 1e-8, "{law}, {clock:?}: {error:e}");
            }
        }
    }
}

#[test]
fn its_gradient_is_exact() {
    for law in symmetric_laws() {
        for (clock, external) in [(Clock::StrainPath, 0), (Clock::Both, 1)] {
            let (bar, layout) = bar(law, clock, external);

            let histories = histories(external);
            let roll_out = RollOut::new(bar.as_ref(), external);
            let mut random = Random::new(8);
            let start = layout.initial_values(4);
            let unconstrained: Vec<_> = start
                .iter()
                .map(|p| p + random.between(-0.3, 0.3))
                .collect();
            let constrained = layout.constrained(&unconstrained);
            let size: usize = histories.shape().iter().product();
            let weights = random.vector(size, 1.0);
            let objective = |output: Tensor<3>| {
                let data = TensorData::new(weights.clone(), histories.shape());
                let device = output.device();
                (output * Tensor::<3>::from_data(data, (&device, DType::F64))).sum()
            };
            let (one, other) = (tracked(&constrained), tracked(&constrained));
            let sweep = roll_out.tracked(one.clone(), &histories);
            let sweep = numbers(one.grad(&objective(sweep).backward()).unwrap());
            let tensors = roll_out_tensors(bar.as_ref(), other.clone(), &histories);
            let tensors = numbers(other.grad(&objective(tensors).backward()).unwrap());
            let error = distance(&sweep, &tensors);
            assert!(
                error < 1e-9,
                "{law}, {clock:?}: sweep against tensors {error:e}"
            );

            let value = |p: &[f64]| -> f64 {
                let output = roll_out.values(p, &histories);
                output.iter().zip(&weights).map(|(o, w)| o * w).sum()
            };
            for _ in 0..3 {
                let direction = random.vector(constrained.len(), 1.0);
                let at = |h: f64| {
                    let moved = constrained.iter().zip(&direction).map(|(p, d)| p + h * d);
                    value(&moved.collect::<Vec<_>>())
                };
                let h = 1e-5;
                let difference =
                    (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
                let exact: f64 = sweep.iter().zip(&direction).map(|(g, d)| g * d).sum();
                let error = (difference - exact).abs() / exact.abs().max(1.0);
                println!("{law}, {clock:?}: {error:.1e}");
                assert!(
                    error < 1e-7,
                    "{law}, {clock:?}: {difference} against {exact}"
                );
            }
        }
    }
}

#[test]
fn bars_teach_a_law_of_six_components() {
    let truth = steel().build(1).unwrap();
    let record = drive(truth.as_ref(), &cycles(20)).unwrap().record;
    let (bar, layout) = bar("physically-recurrent", Clock::StrainPath, 0);
    let options = Training {
        epochs: 300,
        learning_rate: 3e-2,
        dissipation_weight: 0.0,
        ..Training::default()
    };
    let mut errors = Vec::new();
    let trained = Trainer::new(bar, layout)
        .name("bar")
        .records(&[&record])
        .options(&options)
        .observe(|progress| {
            errors.push(progress.rmse);
            ControlFlow::Continue(())
        })
        .run()
        .unwrap();
    // The last epoch may be a trial that was refused.
    let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
    println!("{:.1} MPa, then {least:.2} MPa", errors[0]);
    assert!(least < 0.2 * errors[0]);
    // The same parameters make the law of six components, which the driver bends to the same bar.
    let (law, _) = learn("physically-recurrent", Clock::StrainPath)
        .for_records(6, 0)
        .build()
        .unwrap();
    let (layout, unconstrained) = (
        trained.law.layout().clone(),
        trained.law.unconstrained_parameters().to_vec(),
    );
    let mut scales = trained.law.normalisation().clone();
    scales.strain_range = vec![[-0.01, 0.01]; 6];
    scales.range = None;
    let six = LearnedLaw::new("six", law, layout, unconstrained, scales).unwrap();
    assert_eq!(six.components(), 6);
    let bar = follow(&trained.law, &record).unwrap().record;
    let driven = follow(&six, &record).unwrap().record;
    assert!(distance(&driven.stress, &bar.stress) < 1e-8);
}

/// `train` takes records of bars for a law of six components, and gives that law back.
#[test]
fn what_bars_have_taught_is_a_law_of_six_components() {
    let records = records(0);
    let training: Vec<_> = records.iter().collect();
    let options = Training {
        epochs: 3,
        ..Training::default()
    };
    let learn = |symmetry| {
        let learn = Architecture {
            symmetry,
            stress_state: Some(StressState::Uniaxial),
            ..learn("relaxation", Clock::StrainPath)
        };
        let trainer = Trainer::of(&learn.for_records(1, 0))?.records(&training);
        trainer.poisson(Some(0.3)).options(&options).run()
    };
    let trained = learn(Symmetry::Isotropic).unwrap();
    assert_eq!(trained.law.components(), 6);
    assert_eq!(trained.fit.history.len(), 3);
    // Every row of every bar lies in the range, however the bar is turned.
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for record in &records {
        let curve = follow(&trained.law, record).unwrap();
        assert!(curve.status.iter().all(|s| *s == Status::Inside));
    }
    let [least, most] = trained.law.normalisation().strain_range[0];
    let peak = records[0].strain.iter().fold(0.0f64, |a, e| a.max(e.abs()));
    assert!(least <= -peak || most >= peak);
    let ranges = &trained.law.normalisation().strain_range;
    // Of the axial from the lateral strain, as the range of the shears has it.
    let apart = ranges[3][1] * 2.0f64.sqrt() * (1.0 - 1e-12);
    for _ in 0..100 {
        let half = 0.5 * apart;
        let bar = Mandel::from([half, -half, -half, 0.0, 0.0, 0.0]);
        let turned = Symmetry::Isotropic.rotation(&mut random) * bar;
        for (e, [least, most]) in turned.iter().zip(ranges) {
            assert!((*least..=*most).contains(e));
        }
    }
    let error = learn(Symmetry::None).unwrap_err().to_string();
    assert!(error.contains("isotropic"), "{error}");
}

fn steel() -> ReferenceLaw {
    ReferenceLaw::J2(PlasticityParameters {
        young: 200e3,
        poisson: 0.3,
        yield_stress: 250.0,
        voce: Vec::new(),
        linear_hardening: 0.0,
        backstress: vec![Backstress {
            c: 20e3,
            gamma: 0.0,
        }],
    })
}

fn cycles(steps: usize) -> Programme {
    let kind = ProgrammeKind::Cyclic {
        amplitude: 0.004,
        final_amplitude: Some(0.01),
        mean: 0.0,
        cycles: 2,
        rate: 1e-3,
        steps,
        component: "11".into(),
        others: Others::Stress,
    };
    kind.build(1).unwrap()
}

/// Nothing of Poisson's ratio stands in records of bars: it is what was said, not what the seed made of it.
#[test]
fn poissons_ratio_at_rest_is_the_one_given() {
    let truth = steel().build(1).unwrap();
    let record = drive(truth.as_ref(), &cycles(20)).unwrap().record;
    let options = |seed| Training {
        epochs: 200,
        learning_rate: 3e-2,
        quasi_newton: 0.5,
        dissipation_weight: 0.0,
        seed,
        ..Training::default()
    };
    for (law, seed, ratio) in [
        ("physically-recurrent", 1, 0.3),
        ("physically-recurrent", 2, 0.45),
        ("relaxation", 1, 0.2),
    ] {
        let learn = learn(law, Clock::StrainPath).for_records(6, 0);
        let trainer = |ratio| {
            let trainer = Trainer::of(&learn).unwrap().records(&[&record]);
            trainer.options(&options(seed)).poisson(ratio).run()
        };
        let trained = trainer(Some(ratio)).unwrap();
        let found = InitialModuli::of(&trained.law).unwrap().poisson.unwrap();
        println!("{law}, seed {seed}: {found:.4} for {ratio}");
        assert!(
            (found - ratio).abs() < 0.005,
            "{law}, seed {seed}: {found} for {ratio}"
        );
        let error = trainer(None).unwrap_err().to_string();
        assert!(error.contains("Poisson's ratio"), "{error}");
    }
}

/// A measured transverse strain makes a bar a record of six components, whose Poisson's ratio is learned.
#[test]
fn bars_with_a_transverse_strain_teach_poissons_ratio() {
    let truth = steel().build(6).unwrap();
    let bar = drive(truth.as_ref(), &cycles(20)).unwrap();
    let free = Programme {
        components: 6,
        ..cycles(20)
    };
    let steps = free.steps.into_iter().map(|step| LoadStep {
        targets: [step.targets.clone(), vec![Control::Stress(0.0); 5]].concat(),
        ..step
    });
    let free = Programme {
        steps: steps.collect(),
        ..free
    };
    let solid = drive(truth.as_ref(), &free).unwrap().record;
    let transverse = solid.strain.chunks_exact(6).map(|row| row[1]);
    let temperature = |row: usize| 20.0 + row as f64;
    let bar = Record {
        external_names: vec!["temperature_C".into(), TRANSVERSE_STRAIN.into()],
        external: transverse
            .enumerate()
            .flat_map(|(row, t)| [temperature(row), t])
            .collect(),
        ..bar.record
    };
    let record = bar.solid_bar().unwrap();
    assert_eq!(record.external_names, ["temperature_C"]);
    assert_eq!(record.external_at(7), [temperature(7)]);
    assert!(distance(&record.strain, &solid.strain) < 1e-12);
    assert!(distance(&record.stress, &solid.stress) < 1e-6);
    assert!(record.solid_bar().is_none());

    let metal = drive(steel().build(1).unwrap().as_ref(), &cycles(20))
        .unwrap()
        .record;
    let metal = metal.elastoplastic_bar(200e3, 0.3, 0.5);
    assert!(distance(&metal.strain, &solid.strain) < 1e-8);

    let mut record = record;
    record.keep_external(&[]).unwrap();
    let options = Training {
        epochs: 300,
        learning_rate: 3e-2,
        quasi_newton: 0.5,
        dissipation_weight: 0.0,
        ..Training::default()
    };
    let learn = learn("physically-recurrent", Clock::StrainPath).for_records(6, 0);
    let trainer = Trainer::of(&learn).unwrap().records(&[&record]);
    let law = trainer.options(&options).run().unwrap().law;
    let found = InitialModuli::of(&law).unwrap().poisson.unwrap();
    println!("{found:.4}");
    assert!((found - 0.3).abs() < 0.01, "{found}");
}

/// Membranes and plates as the driver has them, from the stress state around the law of six components.
#[test]
fn plane_records_are_answered_as_by_the_law_in_this_stress_state() {
    let mut random = Random::new(5);
    let mut record = Record {
        name: "walk".into(),
        components: 3,
        ..Record::default()
    };
    let mut strain = [0.0; 3];
    for row in 0..12 {
        strain
            .iter_mut()
            .for_each(|e| *e += random.between(-0.006, 0.006));
        record.time.push(row as f64);
        record.strain.extend(strain);
        record.stress.extend([1.0; 3]);
    }
    let scales = Normalisation {
        strain_range: vec![[-0.02, 0.02]; 3],
        ..normalisation(0)
    };
    for law in symmetric_laws() {
        for stress_state in [StressState::PlaneStress, StressState::PlaneStrain] {
            let six = random_law(law, &learn(law, Clock::Both), 6, 0);
            let plane = Arc::new(Reduced::new(six.law().clone(), stress_state).unwrap());
            let (layout, unconstrained) = (
                six.layout().clone(),
                six.unconstrained_parameters().to_vec(),
            );
            let plane =
                LearnedLaw::new("plane", plane, layout, unconstrained, scales.clone()).unwrap();
            let around = stress_state.around(six).unwrap();
            let (one, other) = (follow(&plane, &record), follow(around.as_ref(), &record));
            let (one, other) = (one.unwrap().record, other.unwrap().record);
            let error = distance(&one.stress, &other.stress);
            assert!(error < 1e-8, "{law}, {stress_state}: {error:e}");
        }
    }
}

#[test]
fn plane_records_teach_a_law_of_six_components() {
    let path = ProgrammeKind::GaussianProcess {
        amplitude: 0.004,
        correlation: 0.1,
        kernel: Default::default(),
        steps: 60,
        seed: 3,
        rate: 1e-3,
    };
    for (stress_state, name) in [
        (StressState::PlaneStress, "plane-stress"),
        (StressState::PlaneStrain, "plane-strain"),
    ] {
        let truth: Arc<dyn MaterialLaw> = steel().build(6).unwrap().into();
        let truth = stress_state.around(truth).unwrap();
        let record = drive(truth.as_ref(), &path.build(3).unwrap())
            .unwrap()
            .record;
        let learn = Architecture {
            stress_state: Some(stress_state),
            ..learn("physically-recurrent", Clock::StrainPath)
        };
        let learn = learn.checked_for_records(3, 0).unwrap();
        let options = Training {
            epochs: 300,
            learning_rate: 3e-2,
            quasi_newton: 0.5,
            ..Training::default()
        };
        let trainer = || {
            Trainer::of(&learn)
                .unwrap()
                .records(&[&record])
                .options(&options)
        };
        let error = trainer().run().unwrap_err().to_string();
        assert!(error.contains("stress state"), "{error}");
        let law = trainer()
            .stress_state(Some(stress_state))
            .run()
            .unwrap()
            .law;
        assert_eq!(law.components(), 6);
        let moduli = InitialModuli::of(&law).unwrap();
        let curve = follow(stress_state.around(law).unwrap().as_ref(), &record).unwrap();
        let error = rmse(&record.stress, &curve.record.stress);
        println!("{name}: {error:.2} MPa, {moduli}");
        assert!(error < 15.0, "{name}: {error} MPa");
        assert!(curve.status.iter().all(|s| *s == Status::Inside), "{name}");
    }
}

#[test]
fn only_an_isotropic_law_of_six_components_is_a_bar() {
    for (components, symmetry) in [(6, Symmetry::None), (3, Symmetry::Isotropic)] {
        let learn = Architecture {
            symmetry,
            ..learn("relaxation", Clock::StrainPath)
        };
        let (law, _) = learn.for_records(components, 0).build().unwrap();
        assert!(Reduced::new(law, StressState::Uniaxial).is_none());
    }
}
