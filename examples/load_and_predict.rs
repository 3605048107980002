//! Loads a trained law and predicts a test that it never saw.
//!
//! ```text
//! cargo run --release --example load_and_predict
//! ```

use hysteron::card::Card;
use hysteron::driver::{drive, follow};
use hysteron::evaluate::score;
use hysteron::law::Status;
use hysteron::loading::{Others, ProgrammeKind};
use hysteron::model::Model;
use hysteron::plot::stress_strain;
use hysteron::{Error, MaterialLaw, Result};
use std::path::Path;

const OUT: &str = "out/load_and_predict";

fn main() -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("materials/steel_s355_voce_chaboche");
    let model = Model::load(folder.join("law.safetensors"))?;
    println!(
        "{}: {} with {} internal variables and {} parameters, trained from the card \"{}\"",
        model.law.name(),
        model.metadata.architecture.law,
        model.metadata.architecture.states,
        model.law.unconstrained_parameters().len(),
        model.metadata.card_name
    );
    println!(
        "audit at the end of training: pass = {}",
        model.metadata.audit["pass"]
    );

    // The published law plays the testing machine.
    let card = Card::open(&folder)?;
    let steel = card
        .reference
        .as_ref()
        .ok_or_else(|| Error::invalid("the card names no law"))?
        .build(card.components)?;
    let kinds = [
        ("cycles about 1 % strain", cycles()),
        ("random cycles", random_cycles(2026)),
    ];
    let mut tests = Vec::new();
    for (name, kind) in kinds {
        let mut record = drive(steel.as_ref(), &kind.build(card.components)?)?.record;
        record.name = name.into();
        let predicted = follow(&model.law, &record)?;
        let score = score(&record, &predicted)?;
        let outside = predicted.status.iter().filter(|s| **s == Status::Outside);
        println!(
            "{name}: root mean square error {:.1} MPa over {} rows; {:.1} % of the steps break the \
             second law, {} rows lie outside the trained strains",
            score.rmse,
            score.rows,
            100.0 * score.negative_share,
            outside.count()
        );
        tests.push((record, predicted));
    }
    let pairs: Vec<_> = tests.iter().map(|(r, p)| (r, Some(p))).collect();
    stress_strain(&pairs, 0, format!("{OUT}/prediction.png"))?;
    println!("picture: {OUT}/prediction.png");
    Ok(())
}

fn cycles() -> ProgrammeKind {
    ProgrammeKind::Cyclic {
        amplitude: 0.008,
        final_amplitude: None,
        mean: 0.01,
        cycles: 6,
        rate: 1e-3,
        steps: 50,
        component: "11".into(),
        others: Others::Stress,
    }
}

fn random_cycles(seed: u64) -> ProgrammeKind {
    ProgrammeKind::RandomCyclic {
        amplitude: 0.02,
        cycles: 8,
        seed,
        rate: 1e-3,
        steps: 50,
        component: "11".into(),
        others: Others::Stress,
    }
}
