//! A law for solids from tests on bars.
//!
//! ```text
//! cargo run --release --example bars
//! ```
//!
//! The card below makes uniaxial cycles of a steel and asks for an isotropic law of six components.
//! Nobody measured the lateral strain: the card gives it by Poisson's ratio and by the volume that plastic flow
//! keeps. The law is then held against what its bars have shown, and against what they cannot show: shear,
//! and a path of all components, most of it with volume changes far outside the trained range.

use hysteron::card::Card;
use hysteron::driver::drive;
use hysteron::evaluate::evaluate;
use hysteron::law::InitialModuli;
use hysteron::loading::{Kernel, Others, ProgrammeKind};
use hysteron::train::Trainer;
use hysteron::{Error, MaterialLaw, Result};

const CARD: &str = r#"
name = "steel for solids, from bars"

[reference]
law = "j2"
young_MPa = 200e3
poisson = 0.3
yield_MPa = 250.0
backstress = [{ c_MPa = 20e3, gamma = 100.0 }]

[[programme]]
name = "growing cycles"
kind = "cyclic"
amplitude = 0.004
final_amplitude = 0.01
cycles = 3

[[programme]]
name = "random cycles"
kind = "random-cyclic"
amplitude = 0.01
cycles = 4

[split]
validation = ["random cycles"]

[elastic]
young_MPa = 200e3
poisson = 0.3
plastic_poisson = 0.5

[learn]
law = "physically-recurrent"
states = 4
symmetry = "isotropic"
stress_state = "uniaxial"

[train]
epochs = 120
learning_rate = 3e-2
quasi_newton = 0.6
"#;

fn main() -> Result<()> {
    let card = Card::from_bytes("bars.toml", CARD.as_bytes())?;
    let records = card.all_records()?;
    let (training, validation) = card.split.apply(&records)?;
    let architecture = card.learn.for_records(card.components, 0);
    let trainer = Trainer::of(&architecture)?.name(&card.name);
    let trainer = trainer.records(&training).validation(&validation);
    let trainer = trainer.poisson(card.elastic.map(|elastic| elastic.poisson));
    let law = trainer.options(&card.train).run()?.law;
    println!("{} components, trained on bars", law.components());
    if let Some(moduli) = InitialModuli::of(&law) {
        println!("at rest: {moduli}");
    }
    for record in training.iter().chain(&validation) {
        show(&law, record)?;
    }
    let reference = card.reference.as_ref();
    let truth = reference
        .ok_or_else(|| Error::invalid("the card has a reference law"))?
        .build(6)?;
    for (name, kind) in unseen() {
        let mut programme = kind.build(6)?;
        programme.name = name.into();
        show(&law, &drive(truth.as_ref(), &programme)?.record)?;
    }
    Ok(())
}

/// Loads that no bar has seen.
fn unseen() -> [(&'static str, ProgrammeKind); 2] {
    let shear = ProgrammeKind::Cyclic {
        amplitude: 0.008,
        final_amplitude: None,
        mean: 0.0,
        cycles: 2,
        rate: 1e-3,
        steps: 20,
        component: "12".into(),
        others: Others::Stress,
    };
    let path = ProgrammeKind::GaussianProcess {
        amplitude: 0.004,
        correlation: 0.05,
        kernel: Kernel::default(),
        steps: 300,
        seed: 1,
        rate: 1e-3,
    };
    [("pure shear", shear), ("all components", path)]
}

fn show(law: &dyn MaterialLaw, record: &hysteron::record::Record) -> Result<()> {
    let score = evaluate(law, record)?;
    println!(
        "{:16} RMSE {:6.1} MPa, {:5.1} % of the range; {:3.0} % of the rows outside the trained range",
        record.name,
        score.rmse,
        100.0 * score.nrmse.unwrap_or(f64::NAN),
        100.0 * score.outside_share
    );
    Ok(())
}
