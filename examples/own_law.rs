//! A law of one's own: its equations are in `own_law/law.rs`. Registered by its name, it is trained,
//! audited, saved, loaded, drawn and exported like every other law.
//!
//! ```text
//! cargo build --release --features capi --example own_law_library
//! cargo run --release --features capi --example own_law
//! ```
//!
//! The first command is needed for the export alone: finite element programs load a shared library
//! that knows the law.
//!
//! The price of the guarantee is a first-order step: the rate is that of the start of the increment.
//! The audit shows it. Within the steps of the records the law is accurate; in coarse steps its
//! tangent can turn negative, and the rows that depend on the step lie beyond their limits.

#[path = "own_law/law.rs"]
mod law;

use hysteron::audit::{AuditOptions, audit};
use hysteron::card::Card;
use hysteron::driver::follow;
use hysteron::host::export::{Export, Host};
use hysteron::model::Model;
use hysteron::plot::{Abscissa, dissipation, internal_variables, learning_curve, stress_strain};
use hysteron::recurrent::register;
use hysteron::train::Trainer;
use hysteron::{Error, MaterialLaw, Result};
use std::ops::ControlFlow;
use std::path::Path;

const OUT: &str = "out/own_law";

/// The card names the law as it would any other; its records are those of a steel-like law.
const CARD: &str = r#"
name = "fading memories of a steel"
components = 6

[reference]
law = "j2"
young_MPa = 200e3
poisson = 0.3
yield_MPa = 250.0
backstress = [{ c_MPa = 2e3, gamma = 5.0 }, { c_MPa = 30e3, gamma = 250.0 }]

[[programme]]
name = "growing cycles"
kind = "cyclic"
amplitude = 0.004
final_amplitude = 0.01
cycles = 4

[[programme]]
name = "random path 1"
kind = "gaussian-process"
amplitude = 0.004
correlation = 0.05
steps = 200
seed = 1

[[programme]]
name = "random path 2"
kind = "gaussian-process"
amplitude = 0.004
correlation = 0.05
steps = 200
seed = 2

[[programme]]
name = "random path 3, not seen"
kind = "gaussian-process"
amplitude = 0.004
correlation = 0.05
steps = 200
seed = 3

[split]
train = ["growing cycles", "random path 1", "random path 2"]

[learn]
law = "fading-memories"
states = 6
width = 16

[train]
epochs = 600
# The second law holds by construction: it needs no penalty.
dissipation_weight = 0.0
"#;

fn main() -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    register(law::FADING_MEMORIES)?;
    let card = Card::from_bytes("own_law.toml", CARD.as_bytes())?;
    let records = card.all_records()?;
    let (known, _) = card.split.apply(&records)?;
    let unseen = &records[records.len() - 1];
    let architecture = card.learn.for_records(card.components, 0);
    let trained = Trainer::of(&architecture)?
        .name(&card.name)
        .records(&known)
        .options(&card.train)
        .observe(|progress| {
            let epoch = progress.point.epoch + 1;
            if epoch.is_multiple_of(100) {
                println!(
                    "epoch {epoch:>4}: root mean square error {:.2} MPa",
                    progress.rmse
                );
            }
            ControlFlow::Continue(())
        })
        .run()?;
    let alike = trained.fit.alike(trained.law.layout());
    if !alike.is_empty() {
        println!(
            "parallel elements that are still equal: {}",
            alike.join(", ")
        );
    }

    let audit = audit(&trained.law, &AuditOptions::default());
    print!("{audit}");
    if !audit.pass {
        return Err(Error::invalid("the law breaks what it guarantees"));
    }
    let saved = format!("{OUT}/law.safetensors");
    card.model(trained.law, architecture)
        .with_audit(&audit)?
        .save(&saved)?;
    let law = Model::load(&saved)?.law;
    println!("saved and loaded: {saved}");
    export(&saved)?;

    let answers = [follow(&law, known[0])?, follow(&law, unseen)?];
    let pairs = [(known[0], Some(&answers[0])), (unseen, Some(&answers[1]))];
    stress_strain(&pairs, 0, format!("{OUT}/stress_strain.png"))?;
    dissipation(&[&answers[1]], format!("{OUT}/dissipation.png"))?;
    let memories = format!("{OUT}/memories.png");
    internal_variables(&answers[1], Abscissa::PathLength, memories)?;
    learning_curve(&trained.fit.history, format!("{OUT}/learning.png"))?;
    println!("{}: pictures in {OUT}/*.png", law.name());
    Ok(())
}

/// A folder with which CalculiX, Abaqus or Elmer use the law.
fn export(saved: &str) -> Result<()> {
    let program = std::env::current_exe().map_err(|e| Error::io("this program", e))?;
    let library = program.with_file_name("libown_law_library.so");
    if !library.is_file() {
        println!(
            "not exported: {} is not there; build it with the first command of this example",
            library.display()
        );
        return Ok(());
    }
    // This short training leaves rows of the audit beyond their limits; a law for use should have none of them.
    let allow = [
        "self_consistency_strain",
        "self_consistency_stress",
        "min_tangent_eigenvalue",
    ]
    .map(String::from);
    let export = Export {
        model: Path::new(saved),
        host: Host::Umat,
        name: "FADING",
        out: Path::new("out/own_law/umat"),
        library: Some(&library),
        allow: &allow,
    };
    for file in export.write()?.files {
        println!("exported: {}", file.display());
    }
    Ok(())
}
