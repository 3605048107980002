//! The main job: from test records to a trained, audited, plotted law.
//!
//! ```text
//! cargo run --release --example cyclic_steel
//! ```
//!
//! The records are those that a published Voce–Chaboche law of S355 steel gives of the cyclic
//! programmes of its card. A recurrent law learns them, is held against tests that had no part in
//! its training, and is audited.

use hysteron::audit::{AuditOptions, audit};
use hysteron::card::Card;
use hysteron::driver::{drive, follow};
use hysteron::evaluate::score;
use hysteron::loading::{Others, ProgrammeKind};
use hysteron::plot;
use hysteron::train::Trainer;
use hysteron::{Error, Result};
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

    let architecture = card.learn.for_records(card.components, card.external.len());
    let trained = Trainer::of(&architecture)?
        .name(&card.name)
        .records(&training)
        .validation(&validation)
        .options(&card.train)
        .observe(|progress| {
            let epoch = progress.point.epoch + 1;
            if epoch.is_multiple_of(progress.epochs / 10) {
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
        .run()?;

    // Tests that chose nothing: neither parameters nor the best epoch. The last goes half as far
    // again as the training did.
    let steel = card
        .reference
        .as_ref()
        .ok_or_else(|| Error::invalid("the card names no reference law"))?
        .build(card.components)?;
    let mut tests = Vec::new();
    for (name, amplitude, seed) in [
        ("test 1", 0.02, 101),
        ("test 2", 0.012, 102),
        ("test 3, beyond", 0.03, 103),
    ] {
        let mut programme = random_cycles(amplitude, seed).build(card.components)?;
        programme.name = name.into();
        tests.push(drive(steel.as_ref(), &programme)?.record);
    }
    println!(
        "\n{:16} {:>9} {:>8} {:>7}",
        "test", "RMSE/MPa", "R²", "D < 0"
    );
    let mut curves = Vec::new();
    for record in &tests {
        let curve = follow(&trained.law, record)?;
        let s = score(record, &curve)?;
        println!(
            "{:16} {:9.2} {:8.5} {:5.2} %",
            s.name,
            s.rmse,
            s.r2.unwrap_or(f64::NAN),
            100.0 * s.negative_share
        );
        curves.push(curve);
    }

    let audit = audit(&trained.law, &AuditOptions::default());
    println!("\n{audit}");

    let panels: Vec<_> = tests.iter().zip(curves.iter().map(Some)).collect();
    let pairs: Vec<_> = tests.iter().zip(&curves).collect();
    let file = |name: &str| format!("{OUT}/{name}");
    plot::stress_strain(&panels, 0, file("stress_strain.png"))?;
    plot::stress_strain(&panels, 0, file("stress_strain.svg"))?;
    plot::stress_over_time(&panels, 0, plot::Abscissa::PathLength, file("stress.png"))?;
    plot::dissipation(&[&curves[0]], file("dissipation.png"))?;
    plot::internal_variables(&curves[0], plot::Abscissa::PathLength, file("state.png"))?;
    plot::learning_curve(&trained.fit.history, file("learning.png"))?;
    plot::parity(&pairs, 0, file("parity.png"))?;
    card.model(trained.law, architecture)
        .with_audit(&audit)?
        .save(file("law.safetensors"))?;
    for name in [
        "stress_strain.png",
        "stress_strain.svg",
        "stress.png",
        "dissipation.png",
        "state.png",
        "learning.png",
        "parity.png",
        "law.safetensors",
    ] {
        println!("wrote {}", file(name));
    }
    Ok(())
}

fn random_cycles(amplitude: f64, seed: u64) -> ProgrammeKind {
    ProgrammeKind::RandomCyclic {
        amplitude,
        cycles: 8,
        seed,
        rate: 1e-3,
        steps: 24,
        component: "11".into(),
        others: Others::Stress,
    }
}
