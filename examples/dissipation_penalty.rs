//! What the penalty on negative dissipation buys, and what it costs.
//!
//! ```text
//! cargo run --release --example dissipation_penalty [seeds]
//! ```
//!
//! The same gated recurrent unit learns eight short cyclic tests of a steel twice: with `λ_D = 0`
//! and with the penalty. Both are held against tests that had no part in training, inside the
//! trained strain range and up to twice as far, for five seeds.

use hysteron::card::Card;
use hysteron::driver::{drive, follow};
use hysteron::evaluate::{mean, score};
use hysteron::loading::{Others, ProgrammeKind};
use hysteron::plot::{Axis, Bars, bars};
use hysteron::record::Record;
use hysteron::recurrent::Architecture;
use hysteron::train::{Trainer, Training};
use hysteron::{Error, MaterialLaw, Result};
use std::ops::Range;
use std::path::Path;

const OUT: &str = "out/dissipation_penalty";
const AMPLITUDE: f64 = 0.02;
const WEIGHTS: [f64; 2] = [0.0, 20.0];

fn main() -> Result<()> {
    let seeds = match std::env::args().nth(1) {
        None => 5,
        Some(text) => text
            .parse()
            .map_err(|_| Error::invalid(format!("`{text}` is not a number of seeds")))?,
    };
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    let materials = Path::new(env!("CARGO_MANIFEST_DIR")).join("materials");
    let card = Card::open(materials.join("steel_s355_voce_chaboche"))?;
    let steel = card
        .reference
        .as_ref()
        .ok_or_else(|| Error::invalid("the card names no reference law"))?
        .build(1)?;
    let training = tests(steel.as_ref(), AMPLITUDE, 0..8)?;
    let held_out = [
        tests(steel.as_ref(), AMPLITUDE, 100..116)?,
        tests(steel.as_ref(), 2.0 * AMPLITUDE, 200..216)?,
    ];

    println!("seed  λ_D   inside: RMSE/MPa  D < 0     twice as far: RMSE/MPa  D < 0");
    // [weight][inside, outside] of RMSE and share, summed over the seeds.
    let mut sums = [[(0.0, 0.0); 2]; 2];
    for seed in 1..=seeds {
        for (w, weight) in WEIGHTS.into_iter().enumerate() {
            let results = train_and_test(&training, &held_out, weight, seed)?;
            let [(inside, a), (outside, b)] = results;
            println!(
                "{seed:4} {weight:4}  {inside:17.2}  {:6.3} %  {outside:22.2}  {:6.3} %",
                100.0 * a,
                100.0 * b
            );
            for (sum, (rmse, share)) in sums[w].iter_mut().zip(results) {
                sum.0 += rmse / seeds as f64;
                sum.1 += share / seeds as f64;
            }
        }
    }
    for (place, at) in ["inside the trained range", "up to twice as far"]
        .iter()
        .zip(0..)
    {
        let [without, with] = [sums[0][at], sums[1][at]];
        println!(
            "{place}: negative steps {:.3} % → {:.4} % ({:.0} times fewer), RMSE {:.2} → {:.2} MPa ({:+.1} %)",
            100.0 * without.1,
            100.0 * with.1,
            without.1 / with.1,
            without.0,
            with.0,
            100.0 * (with.0 / without.0 - 1.0)
        );
    }
    let group = |value: fn((f64, f64)) -> f64| {
        WEIGHTS.iter().zip(&sums).map(move |(weight, sum)| Bars {
            label: format!("λ_D = {weight}"),
            values: sum.map(value).to_vec(),
        })
    };
    let groups = ["inside the trained range", "up to twice as far"];
    let share = format!("{OUT}/negative_steps.png");
    bars(
        &groups,
        &group(|(_, share)| 100.0 * share).collect::<Vec<_>>(),
        &Axis::logarithmic("steps with negative dissipation", "%"),
        &format!("Second law on unseen tests, mean of {seeds} seeds"),
        &share,
    )?;
    let accuracy = format!("{OUT}/accuracy.png");
    bars(
        &groups,
        &group(|(rmse, _)| rmse).collect::<Vec<_>>(),
        &Axis::linear("RMSE", "MPa"),
        &format!("Accuracy on unseen tests, mean of {seeds} seeds"),
        &accuracy,
    )?;
    println!("wrote {share}\nwrote {accuracy}");
    Ok(())
}

fn tests(steel: &dyn MaterialLaw, amplitude: f64, seeds: Range<u64>) -> Result<Vec<Record>> {
    seeds
        .map(|seed| {
            let programme = ProgrammeKind::RandomCyclic {
                amplitude,
                cycles: 5,
                seed,
                rate: 1e-3,
                steps: 16,
                component: "11".into(),
                others: Others::Stress,
            };
            Ok(drive(steel, &programme.build(1)?)?.record)
        })
        .collect()
}

/// Mean RMSE and share of negative steps on each set of tests.
fn train_and_test(
    training: &[Record],
    held_out: &[Vec<Record>; 2],
    weight: f64,
    seed: u64,
) -> Result<[(f64, f64); 2]> {
    let architecture = Architecture {
        law: "gru".into(),
        ..Architecture::default()
    }
    .for_records(1, 0);
    let options = Training {
        epochs: 1500,
        dissipation_weight: weight,
        dissipation_margin: 0.05,
        probes: 16,
        seed,
        ..Training::default()
    };
    let trained = Trainer::of(&architecture)?
        .name("steel")
        .records(&training.iter().collect::<Vec<_>>())
        .options(&options)
        .run()?;
    let mut results = [(0.0, 0.0); 2];
    for (result, set) in results.iter_mut().zip(held_out) {
        let scores = set
            .iter()
            .map(|record| score(record, &follow(&trained.law, record)?))
            .collect::<Result<Vec<_>>>()?;
        if let Some(mean) = mean(&scores) {
            *result = (mean.rmse, mean.negative_share);
        }
    }
    Ok(results)
}
