//! A law of one's own, in one file: written once over the algebra, it is trained, differentiated,
//! audited and drawn like every other law.
//!
//! ```text
//! cargo run --release --example own_law
//! ```
//!
//! Fading memories: `z_i` follows the strain, over the length of the strain path.
//!
//! ```text
//! ψ = ½ E ε² + ½ Σ k_i (ε − z_i)²          E, k_i > 0
//! σ = E ε + Σ k_i (ε − z_i)                A_i = k_i (ε − z_i)
//! z_i' = ε' + e^{−g_i} (z_i − ε')          g_i = α_i |Δε|,   α = softplus(network) ≥ 0
//! ```
//!
//! Whatever the network says, `D_end = Σ k_i e^{−g_i} (1 − e^{−g_i}) (ε' − z_i)² ≥ 0`. With constant
//! rates it is an endochronic law; a rate that depends on the direction of loading and on `ε − z_i`
//! can vanish on unloading, which gives an elastic range.
//!
//! The price of the guarantee is a first-order step: the rate is that of the start of the increment.
//! The audit shows it. Within the steps of the records the law is accurate; in coarse steps its
//! tangent can turn negative, and the rows that depend on the step lie beyond their limits.

use hysteron::algebra::{Activation, Algebra, Constraint, Initial, Parameter, ParameterLayout};
use hysteron::audit::{AuditOptions, audit};
use hysteron::card::Training;
use hysteron::driver::{drive, follow};
use hysteron::laws::{Backstress, PlasticityParameters, ReferenceLaw};
use hysteron::loading::{Others, ProgrammeKind};
use hysteron::network::Dense;
use hysteron::plot::{Abscissa, dissipation, internal_variables, learning_curve, stress_strain};
use hysteron::record::Record;
use hysteron::recurrent::{Claims, Forces, Inputs, RecurrentLaw};
use hysteron::train::{Resume, train_law};
use hysteron::{Error, Result};
use std::ops::ControlFlow;

const OUT: &str = "out/own_law";

/// Memories fade over about this share of the largest strain, before training.
const REACH: f64 = 0.05;

#[derive(Clone, Debug)]
struct FadingMemories {
    memories: usize,
    /// `E`
    modulus: Parameter,
    /// `k`
    stiffness: Parameter,
    hidden: Dense,
    rate: Dense,
}

impl FadingMemories {
    fn new(layout: &mut ParameterLayout, memories: usize, width: usize) -> Self {
        Self {
            memories,
            modulus: layout.add("modulus", [1, 1], Constraint::Positive, Initial::Value(0.3)),
            stiffness: layout.add(
                "stiffness",
                [memories, 1],
                Constraint::Positive,
                Initial::Value(2.0),
            ),
            hidden: Dense::new(layout, "hidden", memories + 1, width),
            rate: Dense::new(layout, "rate", width, memories),
        }
    }
}

impl RecurrentLaw for FadingMemories {
    fn components(&self) -> usize {
        1
    }

    fn states(&self) -> usize {
        self.memories
    }

    /// The audit holds the law to this.
    fn claims(&self) -> Claims {
        Claims {
            second_law: true,
            stationary: true,
            rate_independent: true,
            ..Claims::default()
        }
    }

    fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        a.zeros(1)
    }

    fn evolve<A: Algebra>(
        &self,
        a: &A,
        _: &A::Vector,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        let increment = a.sub(&inputs.strain_new, &inputs.strain_old);
        let lag = a.sub(&a.broadcast(&inputs.strain_old, self.memories), state);
        let x = a.concat(&[&a.scale(&lag, 1.0 / REACH), &a.direction(&increment)]);
        let hidden = a.apply(Activation::Tanh, &self.hidden.forward(a, &x));
        let rate = a.apply(Activation::Softplus, &self.rate.forward(a, &hidden));
        let elapsed = a.times(&rate, &a.scale(&a.norm(&increment), 1.0 / REACH));
        let decay = a.apply(Activation::Exp, &a.scale(&elapsed, -1.0));
        // z + (1 − e^{−g})(ε' − z): without strain the second term is exactly zero.
        let gain = a.affine(&decay, -1.0, 1.0);
        let target = a.broadcast(&inputs.strain_new, self.memories);
        a.add(state, &a.mul(&gain, &a.sub(&target, state)))
    }

    fn forces<A: Algebra>(
        &self,
        a: &A,
        _: &A::Vector,
        strain: &A::Vector,
        _: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        let lag = a.sub(&a.broadcast(strain, self.memories), state);
        let pull = a.mul(&a.parameter(self.stiffness), &lag);
        let elastic = a.mul(&a.parameter(self.modulus), strain);
        let twice = a.add(&a.dot(&elastic, strain), &a.dot(&pull, &lag));
        let sum = a.dot(&pull, &a.constant(&vec![1.0; self.memories]));
        Forces {
            energy: a.scale(&twice, 0.5),
            stress: a.add(&elastic, &sum),
            driving_force: pull,
        }
    }
}

/// Uniaxial cycles of a steel-like J2 law with two backstresses.
fn record(name: &str, kind: &ProgrammeKind) -> Result<Record> {
    let backstress = |c, gamma| Backstress { c, gamma };
    let law = ReferenceLaw::J2(PlasticityParameters {
        young: 200e3,
        poisson: 0.3,
        yield_stress: 250.0,
        voce: Vec::new(),
        linear_hardening: 0.0,
        backstress: vec![backstress(2e3, 5.0), backstress(30e3, 250.0)],
    });
    let mut record = drive(law.build(1)?.as_ref(), &kind.build(1)?)?.record;
    record.name = name.into();
    Ok(record)
}

fn random_cycles(seed: u64) -> ProgrammeKind {
    ProgrammeKind::RandomCyclic {
        amplitude: 0.02,
        cycles: 8,
        seed,
        rate: 1e-3,
        steps: 40,
        component: "11".into(),
        others: Others::Stress,
    }
}

fn main() -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    let growing = ProgrammeKind::Cyclic {
        amplitude: 0.004,
        final_amplitude: Some(0.02),
        mean: 0.0,
        cycles: 6,
        rate: 1e-3,
        steps: 40,
        component: "11".into(),
        others: Others::Stress,
    };
    let known = [
        record("growing cycles", &growing)?,
        record("random cycles 1", &random_cycles(1))?,
        record("random cycles 2", &random_cycles(2))?,
    ];
    let unseen = record("random cycles 3, not seen", &random_cycles(3))?;

    let mut layout = ParameterLayout::default();
    let law = FadingMemories::new(&mut layout, 6, 16);
    println!("{} memories, {} parameters", law.memories, layout.len());
    let options = Training {
        epochs: 1000,
        // The second law holds by construction: it needs no penalty.
        dissipation_weight: 0.0,
        ..Training::default()
    };
    let trained = train_law(
        "fading-memories",
        law,
        layout,
        &known.iter().collect::<Vec<_>>(),
        &[],
        &options,
        &Resume::default(),
        &mut |progress| {
            if (progress.point.epoch + 1).is_multiple_of(200) {
                println!(
                    "epoch {:>5}: root mean square error {:.2} MPa",
                    progress.point.epoch + 1,
                    progress.rmse
                );
            }
            ControlFlow::Continue(())
        },
    )?;
    let law = &trained.law;

    let answers = [follow(law, &known[0])?, follow(law, &unseen)?];
    let audit = audit(law, &AuditOptions::default());
    print!("{audit}");
    if !audit.pass {
        return Err(Error::invalid("the law breaks what it guarantees"));
    }

    let pairs = [(&known[0], Some(&answers[0])), (&unseen, Some(&answers[1]))];
    stress_strain(&pairs, 0, format!("{OUT}/stress_strain.png"))?;
    dissipation(&[&answers[1]], format!("{OUT}/dissipation.png"))?;
    internal_variables(
        &answers[1],
        Abscissa::PathLength,
        format!("{OUT}/memories.png"),
    )?;
    learning_curve(&trained.fit.history, format!("{OUT}/learning.png"))?;
    println!("pictures: {OUT}/*.png");
    Ok(())
}
