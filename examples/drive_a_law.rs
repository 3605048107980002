//! Drives classical laws with mixed control: ratcheting of a steel under stress cycles about a mean
//! stress, and relaxation of a rate-dependent one.
//!
//! ```text
//! cargo run --release --example drive_a_law
//! ```

use hysteron::Result;
use hysteron::card::Card;
use hysteron::driver::drive;
use hysteron::loading::{Control, LoadStep, Others, Programme, ProgrammeKind};
use hysteron::plot::{Axis, Series, Style, dissipation, lines};
use std::path::Path;

const OUT: &str = "out/drive_a_law";
const CYCLES: usize = 20;
/// Increments from peak to peak.
const STEPS: usize = 200;

fn main() -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| hysteron::Error::io(OUT, e))?;
    ratcheting()?;
    relaxation()?;
    println!("pictures: {OUT}/*.png");
    Ok(())
}

fn card(name: &str) -> Result<Card> {
    Card::open(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("materials")
            .join(name),
    )
}

/// All six stresses are prescribed; the strains are found by Newton iterations with the law's
/// consistent tangent.
fn ratcheting() -> Result<()> {
    let (mean, amplitude) = (40.0, 310.0);
    let steel = card("steel_s355_voce_chaboche")?;
    let law = steel
        .reference
        .as_ref()
        .ok_or_else(|| hysteron::Error::invalid("the card names no law"))?
        .build(6)?;
    let peaks = (0..2 * CYCLES).map(|k| match k % 2 {
        0 => mean + amplitude,
        _ => mean - amplitude,
    });
    let mut from = 0.0;
    let mut steps = Vec::new();
    for to in peaks {
        steps.extend((1..=STEPS).map(|k| {
            let mut targets = vec![Control::Stress(0.0); 6];
            targets[0] = Control::Stress(from + (to - from) * k as f64 / STEPS as f64);
            LoadStep {
                dt: 1.0,
                targets,
                external: Vec::new(),
            }
        }));
        from = to;
    }
    let curve = drive(
        law.as_ref(),
        &Programme {
            name: format!("{mean} ± {amplitude} MPa"),
            components: 6,
            external_names: Vec::new(),
            steps,
        },
    )?;
    let record = &curve.record;
    let peak = |cycle: usize| record.strain_at((2 * cycle + 1) * STEPS)[0];
    let advance: Vec<f64> = (1..CYCLES).map(|c| peak(c) - peak(c - 1)).collect();
    println!("{}: {mean} ± {amplitude} MPa, {CYCLES} cycles", steel.name);
    println!("cycle  strain at the upper peak  ratcheting strain");
    for (cycle, advance) in (2..).zip(&advance) {
        if cycle <= 5 || cycle % 5 == 0 {
            println!("{cycle:>5}  {:>24.6}  {advance:>17.2e}", peak(cycle - 1));
        }
    }
    let last = record.strain_at(record.rows() - 1);
    println!(
        "at the end: ε₁₁ = {:.5}, ε₂₂ = ε₃₃ = {:.5}",
        last[0], last[1]
    );

    let component = |values: &[f64]| values.iter().step_by(6).copied().collect::<Vec<f64>>();
    lines(
        &[Series {
            label: format!("{mean} ± {amplitude} MPa"),
            x: component(&record.strain),
            y: component(&record.stress),
            style: Style::Solid,
        }],
        &Axis::linear("strain ε₁₁", "–"),
        &Axis::linear("stress σ₁₁", "MPa"),
        "Ratcheting: stress cycles about a mean stress",
        format!("{OUT}/ratcheting.png"),
    )?;
    lines(
        &[Series {
            label: "from upper peak to upper peak".into(),
            x: (2..=CYCLES).map(|c| c as f64).collect(),
            y: advance,
            style: Style::Marked,
        }],
        &Axis::whole("cycle", "–"),
        &Axis::linear("ratcheting strain", "–"),
        "Ratcheting strain per cycle",
        format!("{OUT}/ratcheting_per_cycle.png"),
    )?;
    dissipation(&[&curve], format!("{OUT}/ratcheting_dissipation.png"))
}

/// The faster the ramp, the more stress there is to relax, down to the static yield stress.
fn relaxation() -> Result<()> {
    let steel = card("mild_steel_cowper_symonds")?;
    let law = steel
        .reference
        .as_ref()
        .ok_or_else(|| hysteron::Error::invalid("the card names no law"))?
        .build(1)?;
    println!("{}: relaxation at 1 % strain", steel.name);
    let mut series = Vec::new();
    let styles = [Style::Solid, Style::Dashed, Style::DashDotted];
    for (rate, style) in [0.01, 1.0, 100.0].into_iter().zip(styles) {
        let programme = ProgrammeKind::Relaxation {
            strain: 0.01,
            hold: 100.0,
            rate,
            steps: 200,
            hold_steps: 200,
            growth: 1.1,
            component: "11".into(),
            others: Others::Stress,
        };
        let record = drive(law.as_ref(), &programme.build(1)?)?.record;
        let ramp = 200;
        println!(
            "ramp at {rate:>6} /s: {:.1} MPa, after {:.0} s {:.1} MPa",
            record.stress[ramp],
            record.time[record.rows() - 1] - record.time[ramp],
            record.stress[record.rows() - 1]
        );
        let start = record.time[ramp];
        series.push(Series {
            label: format!("ramp at {rate} /s"),
            x: record.time[ramp + 1..].iter().map(|t| t - start).collect(),
            y: record.stress[ramp + 1..].to_vec(),
            style,
        });
    }
    lines(
        &series,
        &Axis::logarithmic("time since the ramp", "s"),
        &Axis::linear("stress", "MPa"),
        "Relaxation of a Perzyna law",
        format!("{OUT}/relaxation.png"),
    )
}
