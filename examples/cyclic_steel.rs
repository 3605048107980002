//! The main job: from test records to a trained, audited, plotted law.
//!
//! ```text
//! cargo run --release --example cyclic_steel
//! ```
//!
//! The records are those that a published Voce–Chaboche law of S355 steel gives of the cyclic
//! programmes of its card. Two laws learn them, one for each way to physical consistency: a recurrent
//! cell that is trained with a penalty on negative dissipation, and a law that cannot break the second
//! law. Both are held against tests that had no part in the training and against a thousand cycles,
//! and audited; the one without a row beyond its limit is saved.

use hysteron::audit::{Audit, AuditOptions, audit};
use hysteron::card::Card;
use hysteron::driver::{Curve, drive, follow};
use hysteron::evaluate::score;
use hysteron::loading::{Others, ProgrammeKind};
use hysteron::model::LearnedLaw;
use hysteron::plot;
use hysteron::record::Record;
use hysteron::recurrent::Architecture;
use hysteron::train::{Trained, Trainer, Training};
use hysteron::{Error, MaterialLaw, Result};
use std::ops::ControlFlow;
use std::path::Path;

const OUT: &str = "out/cyclic_steel";

fn main() -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    let materials = Path::new(env!("CARGO_MANIFEST_DIR")).join("materials");
    let card = Card::open(materials.join("steel_s355_voce_chaboche"))?;
    let records = card.all_records()?;
    let (training, validation) = card.split.apply(&records)?;
    println!(
        "{}: {} training and {} validation records",
        card.name,
        training.len(),
        validation.len()
    );
    let steel = card
        .reference
        .as_ref()
        .ok_or_else(|| Error::invalid("the card names no reference law"))?
        .build(card.components)?;
    let tests = tests(steel.as_ref())?;

    // The law of the card, in fewer epochs.
    let penalised = Training {
        epochs: 1500,
        ..card.train.clone()
    };
    let constrained = Training {
        epochs: 600,
        quasi_newton: 0.75,
        learning_rate: 0.05,
        dissipation_weight: 0.0,
        probes: 0,
        ..Training::default()
    };
    let points = Architecture {
        law: "physically-recurrent".into(),
        states: 6,
        ..card.learn.clone()
    };
    let mut candidates = Vec::new();
    for (learn, options) in [(&card.learn, penalised), (&points, constrained)] {
        let architecture = learn.for_records(card.components, card.external.len());
        let trained = train(&architecture, &training, &validation, &options)?;
        candidates.push(Candidate::new(architecture, trained, &tests)?);
    }

    println!();
    for candidate in &candidates {
        candidate.report(&tests)?;
    }
    let sound = |candidate: &&Candidate| candidate.beyond().is_empty();
    let chosen = candidates
        .iter()
        .find(sound)
        .ok_or_else(|| Error::invalid("every law has audit rows beyond their limits"))?;
    println!("recommended: {}\n\n{}", chosen.name(), chosen.audit);
    chosen.draw(&tests)?;
    card.model(chosen.trained.law.clone(), chosen.architecture.clone())
        .with_audit(&chosen.audit)?
        .save(file("law.safetensors"))?;
    println!("wrote {}", file("law.safetensors"));
    Ok(())
}

fn file(name: &str) -> String {
    format!("{OUT}/{name}")
}

/// Tests that choose nothing, neither parameters nor the best epoch. The third goes half as far again as
/// the training did, the last is the life of a part: a thousand cycles within the trained strains.
fn tests(steel: &dyn MaterialLaw) -> Result<Vec<Record>> {
    let random = |amplitude: f64, seed: u64| ProgrammeKind::RandomCyclic {
        amplitude,
        cycles: 8,
        seed,
        rate: 1e-3,
        steps: 24,
        component: "11".into(),
        others: Others::Stress,
    };
    let thousand = ProgrammeKind::Cyclic {
        amplitude: 0.008,
        final_amplitude: None,
        mean: 0.0,
        cycles: 1000,
        rate: 1e-3,
        steps: 10,
        component: "11".into(),
        others: Others::Stress,
    };
    let tests = [
        ("test 1", random(0.02, 101)),
        ("test 2", random(0.012, 102)),
        ("test 3, beyond", random(0.03, 103)),
        ("1000 cycles", thousand),
    ];
    let record = |(name, kind): (&str, ProgrammeKind)| {
        let mut programme = kind.build(steel.components())?;
        programme.name = name.into();
        Ok(drive(steel, &programme)?.record)
    };
    tests.into_iter().map(record).collect()
}

fn train(
    architecture: &Architecture,
    training: &[&Record],
    validation: &[&Record],
    options: &Training,
) -> Result<Trained> {
    println!("\n{}", architecture.law);
    Trainer::of(architecture)?
        .records(training)
        .validation(validation)
        .options(options)
        .observe(|progress| {
            let epoch = progress.point.epoch + 1;
            if epoch.is_multiple_of(progress.epochs / 5) {
                println!(
                    "epoch {epoch:5}/{}  RMSE {:6.2} MPa  steps with negative dissipation {:6.2} %  {:3.0} s left",
                    progress.epochs,
                    progress.rmse,
                    100.0 * progress.point.negative_share,
                    progress.remaining.as_secs_f64()
                );
            }
            ControlFlow::Continue(())
        })
        .run()
}

/// A trained law and what was found of it.
struct Candidate {
    architecture: Architecture,
    trained: Trained,
    audit: Audit,
    curves: Vec<Curve>,
}

impl Candidate {
    fn new(architecture: Architecture, trained: Trained, tests: &[Record]) -> Result<Self> {
        let curves = tests.iter().map(|record| follow(&trained.law, record));
        Ok(Self {
            curves: curves.collect::<Result<_>>()?,
            audit: audit(&trained.law, &AuditOptions::default()),
            architecture,
            trained,
        })
    }

    fn name(&self) -> &str {
        let law: &LearnedLaw = &self.trained.law;
        law.name()
    }

    /// Audit rows beyond their limits.
    fn beyond(&self) -> Vec<&str> {
        let rows = self.audit.rows.iter();
        rows.filter(|row| !row.pass && !row.undecided)
            .map(|row| row.name)
            .collect()
    }

    fn report(&self, tests: &[Record]) -> Result<()> {
        println!(
            "{:22} {:>9} {:>8} {:>7} {:>8}",
            self.name(),
            "RMSE/MPa",
            "R²",
            "D < 0",
            "outside"
        );
        for (record, curve) in tests.iter().zip(&self.curves) {
            let s = score(record, curve)?;
            println!(
                "  {:20} {:9.2} {:8.5} {:5.2} % {:6.1} %",
                s.name,
                s.rmse,
                s.r2.unwrap_or(f64::NAN),
                100.0 * s.negative_share,
                100.0 * s.outside_share
            );
        }
        let beyond = match self.beyond() {
            rows if rows.is_empty() => "none".into(),
            rows => rows.join(", "),
        };
        println!("  audit rows beyond their limits: {beyond}\n");
        Ok(())
    }

    fn draw(&self, tests: &[Record]) -> Result<()> {
        // A thousand cycles are one dark band.
        let shown = &tests[..3];
        let panels: Vec<_> = shown.iter().zip(self.curves.iter().map(Some)).collect();
        let pairs: Vec<_> = shown.iter().zip(&self.curves).collect();
        let first = &self.curves[0];
        let path = plot::Abscissa::PathLength;
        plot::stress_strain(&panels, 0, file("stress_strain.png"))?;
        plot::stress_strain(&panels, 0, file("stress_strain.svg"))?;
        plot::stress_over_time(&panels, 0, path, file("stress.png"))?;
        plot::dissipation(&[first], file("dissipation.png"))?;
        plot::internal_variables(first, path, file("state.png"))?;
        plot::learning_curve(&self.trained.fit.history, file("learning.png"))?;
        plot::parity(&pairs, 0, file("parity.png"))?;
        for name in [
            "stress_strain.png",
            "stress_strain.svg",
            "stress.png",
            "dissipation.png",
            "state.png",
            "learning.png",
            "parity.png",
        ] {
            println!("wrote {}", file(name));
        }
        Ok(())
    }
}
