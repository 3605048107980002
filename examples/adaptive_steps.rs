//! Where an adaptive law spends its steps: a relaxing law learns a cyclic test, and then follows it in
//! coarse increments.
//!
//! ```text
//! cargo run --release --example adaptive_steps
//! ```

use hysteron::driver::{drive, follow};
use hysteron::law::Increment;
use hysteron::laws::{Backstress, PlasticityParameters, ReferenceLaw};
use hysteron::loading::{Others, ProgrammeKind};
use hysteron::model::{Adaptive, Tolerance};
use hysteron::plot::{Axis, Series, Style, lines};
use hysteron::record::Record;
use hysteron::recurrent::Architecture;
use hysteron::train::{Trainer, Training};
use hysteron::{Error, Result};

const OUT: &str = "out/adaptive_steps";

/// Growing cycles of a steel-like J2 law, in so many increments between reversals.
fn record(steps: usize) -> Result<Record> {
    let steel = ReferenceLaw::J2(PlasticityParameters {
        young: 200e3,
        poisson: 0.3,
        yield_stress: 250.0,
        voce: Vec::new(),
        linear_hardening: 0.0,
        backstress: vec![Backstress {
            c: 30e3,
            gamma: 250.0,
        }],
    });
    let cycles = ProgrammeKind::Cyclic {
        amplitude: 0.004,
        final_amplitude: Some(0.012),
        mean: 0.0,
        cycles: 3,
        rate: 1e-3,
        steps,
        component: "11".into(),
        others: Others::Stress,
    };
    Ok(drive(steel.build(1)?.as_ref(), &cycles.build(1)?)?.record)
}

fn main() -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    let fine = record(60)?;
    let learn = Architecture {
        law: "relaxation".into(),
        layers: 1,
        ..Architecture::default()
    };
    let options = Training {
        epochs: 400,
        quasi_newton: 0.75,
        ridge: 1e-6,
        // Several steps at once: what is learned is then nearer to the evolution than to a step.
        spacing: vec![1e-4, 4e-4, 1.6e-3],
        dissipation_weight: 0.0,
        ..Training::default()
    };
    let architecture = learn.for_records(1, 0);
    let trainer = Trainer::of(&architecture)?.records(&[&fine]);
    let trained = trainer.options(&options).run()?;
    let tolerance = Tolerance {
        absolute: 1e-3,
        relative: 1e-3,
        ..Tolerance::default()
    };
    let adaptive = Adaptive::new(trained.law.clone(), tolerance)?;

    println!("increments  one step/MPa  adaptive/MPa  steps");
    let mut steps = Vec::new();
    for coarse in [4, 12, 60] {
        let record = record(coarse)?;
        let error = |law: &dyn hysteron::law::MaterialLaw| -> Result<f64> {
            let answer = follow(law, &record)?.record;
            let pairs = answer.stress.iter().zip(&record.stress);
            let square: f64 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
            Ok((square / record.rows() as f64).sqrt())
        };
        steps = steps_of(&adaptive, &record)?;
        println!(
            "{:10} {:13.1} {:13.1} {:6}",
            record.rows() - 1,
            error(&trained.law)?,
            error(&adaptive)?,
            steps.iter().sum::<f64>()
        );
    }
    let row: Vec<_> = (0..steps.len()).map(|k| k as f64).collect();
    let stress: Vec<_> = fine.stress.iter().map(|s| s / 100.0).collect();
    let series = |label: &str, y: Vec<f64>, style| Series {
        label: label.into(),
        x: row.clone(),
        y,
        style,
    };
    let curves = [
        series("stress, 100 MPa", stress, Style::Dashed),
        series("steps of the increment", steps, Style::Solid),
    ];
    let file = format!("{OUT}/steps.png");
    let (x, y) = (
        Axis::whole("increment", ""),
        Axis::linear("steps, stress", ""),
    );
    lines(&curves, &x, &y, "Steps of the adaptive law", &file)?;
    println!("picture: {file}");
    Ok(())
}

/// Steps that end in each row.
fn steps_of(law: &Adaptive, record: &Record) -> Result<Vec<f64>> {
    let answer = follow(law, record)?;
    let states = answer.state_layout.len();
    let mut steps = vec![0.0];
    for row in 1..record.rows() {
        let increment = Increment {
            strain_old: record.strain_at(row - 1),
            strain_new: record.strain_at(row),
            dt: record.time[row] - record.time[row - 1],
            external_old: &[],
            external_new: &[],
        };
        let state = &answer.states[(row - 1) * states..row * states];
        let knots = law.knots(&increment, state);
        let knots = knots.map_err(|error| Error::invalid(format!("row {row}: {error}")))?;
        steps.push(knots.len() as f64);
    }
    Ok(steps)
}
