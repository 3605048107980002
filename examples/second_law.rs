//! Increments that nobody would take, at weights that nobody trained: does a law create energy?
//!
//! ```text
//! cargo run --release --example second_law              # 10⁵ increments a law: all sizes and clocks
//! cargo run --release --example second_law -- 10000000
//! cargo run --release --example second_law -- 10000000 gru law.safetensors …    # these, also trained ones
//! ```
//!
//! Weights are drawn anew for every 32 × 128 increments, up to ±3 about where a training starts, with
//! one, three and six strain components, each symmetry that the law can have and each clock in turn; a
//! trained law keeps its own. Strain increments have 10⁻⁹ to 100 strain scales, time steps 10⁻⁹ to 1000
//! time scales. Printed is the smallest `D_end` over the largest energy that its point has stored, and
//! the share of increments in which it is below −10⁻¹².

use hysteron::law::{BatchInput, BatchOutput, MaterialLaw, Status, breaks_second_law};
use hysteron::model::{LearnedLaw, Model, Normalisation};
use hysteron::recurrent::{Architecture, Clock, Symmetry, laws, symmetric_laws};
use hysteron::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::time::Instant;

/// Points side by side, and their increments.
const POINTS: usize = 128;
const STEPS: usize = 32;
/// Components and symmetries in turn; laws without symmetries have the first of them only.
const MATERIALS: [(usize, Symmetry); 8] = [
    (1, Symmetry::None),
    (3, Symmetry::None),
    (6, Symmetry::None),
    (3, Symmetry::Isotropic),
    (6, Symmetry::Isotropic),
    (6, Symmetry::TransverselyIsotropic),
    (3, Symmetry::Orthotropic),
    (6, Symmetry::Orthotropic),
];
const WITHOUT_SYMMETRY: usize = 3;

#[derive(Default)]
struct Tally {
    increments: usize,
    negative: usize,
    refused: usize,
    lowest: f64,
}

impl Tally {
    fn plus(self, other: Self) -> Self {
        Self {
            increments: self.increments + other.increments,
            negative: self.negative + other.negative,
            refused: self.refused + other.refused,
            lowest: self.lowest.min(other.lowest),
        }
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = match arguments.next() {
        None => 100_000,
        Some(text) => text
            .parse()
            .map_err(|_| Error::invalid(format!("`{text}` is no number of increments")))?,
    };
    println!(
        "{:22} {:>12} {:>12} {:>12} {:>9} {:>8}",
        "law", "increments", "least D_end", "negative", "refused", "s"
    );
    let mut chosen: Vec<String> = arguments.collect();
    if chosen.is_empty() {
        chosen = laws().into_iter().map(String::from).collect();
    }
    for law in &chosen {
        if laws().contains(&law.as_str()) {
            report(law, count, |number, random| draw(law, number, random))?;
        } else {
            let law = Model::load(law)?.law;
            report(law.name(), count, |_, _| Ok(law.clone()))?;
        }
    }
    Ok(())
}

/// Walks laws of one kind on all threads, each draw with random numbers of its own, and prints what
/// became of the dissipation.
fn report(
    name: &str,
    count: usize,
    law: impl Fn(usize, &mut ChaCha8Rng) -> Result<LearnedLaw> + Sync,
) -> Result<()> {
    let random = |number: usize| {
        let mut random = ChaCha8Rng::seed_from_u64(2026);
        random.set_stream(number as u64);
        random
    };
    let (mut tally, start, mut draws) = (Tally::default(), Instant::now(), 0);
    // A refused batch lacks increments: further rounds make up for them.
    while tally.increments < count {
        let round = (count - tally.increments).div_ceil(POINTS * STEPS);
        let walks = (draws..draws + round).into_par_iter().map(|number| {
            let mut random = random(number);
            Ok(walk(&law(number, &mut random)?, &mut random))
        });
        let sum = walks.try_reduce(Tally::default, |a, b| Ok::<_, Error>(a.plus(b)))?;
        if sum.increments == 0 {
            return Err(Error::invalid(format!("{name}: every walk was refused")));
        }
        tally = tally.plus(sum);
        draws += round;
    }
    let guaranteed = law(0, &mut random(0))?.guarantees().second_law;
    println!(
        "{name:22} {:12} {:12.1e} {:10.4} % {:9} {:8.1}{}",
        tally.increments,
        tally.lowest,
        100.0 * tally.negative as f64 / tally.increments as f64,
        tally.refused,
        start.elapsed().as_secs_f64(),
        if guaranteed { "  guaranteed" } else { "" }
    );
    if guaranteed && tally.negative > 0 {
        return Err(Error::invalid(format!("{name} breaks what it guarantees")));
    }
    Ok(())
}

/// A law with random weights.
fn draw(name: &str, number: usize, random: &mut ChaCha8Rng) -> Result<LearnedLaw> {
    let clocks = [Clock::StrainPath, Clock::Time, Clock::Both];
    let materials = match symmetric_laws().contains(&name) {
        true => &MATERIALS[..],
        false => &MATERIALS[..WITHOUT_SYMMETRY],
    };
    let clock = clocks[number % clocks.len()];
    let (components, symmetry) = materials[number / clocks.len() % materials.len()];
    let mut learn = Architecture {
        law: name.into(),
        clock,
        symmetry,
        ..Architecture::default()
    };
    // Tensors of it are many unknowns of an implicit update.
    if name == "generalized-standard" && symmetry != Symmetry::None {
        learn.states = 3;
    }
    let (law, layout) = learn.for_records(components, 0).build()?;
    let width = 10f64.powf(random.random_range(-1.0..0.5));
    let start = layout.initial_values(random.random());
    let unconstrained = start.iter().map(|p| p + random.random_range(-width..width));
    let unconstrained = unconstrained.collect();
    LearnedLaw::new(
        name,
        law,
        layout,
        unconstrained,
        Normalisation::unit(components),
    )
}

/// Random increments of a batch of points from the virgin state.
fn walk(law: &LearnedLaw, random: &mut ChaCha8Rng) -> Tally {
    let mut tally = Tally::default();
    let (n, s) = (law.components(), law.state_layout().len());
    let (mut strain_old, mut state_old) = (vec![0.0; n * POINTS], vec![0.0; s * POINTS]);
    let scales = law.scales();
    let mut energy = vec![scales.energy(); POINTS];
    let mut state = state_old.clone();
    let (mut stress, mut tangent) = (vec![0.0; n * POINTS], vec![0.0; n * n * POINTS]);
    let (mut stored_energy, mut dissipation) = (vec![0.0; POINTS], vec![0.0; POINTS]);
    let mut status = vec![Status::Inside; POINTS];
    for _ in 0..STEPS {
        let mut strain_new = vec![0.0; n * POINTS];
        for p in 0..POINTS {
            let size = scales.strain * 10f64.powf(random.random_range(-9.0..2.0));
            let from_old = if random.random::<bool>() { 1.0 } else { 0.0 };
            for i in 0..n {
                let at = i * POINTS + p;
                strain_new[at] = from_old * strain_old[at] + random.random_range(-size..size);
            }
        }
        let decades =
            |random: &mut ChaCha8Rng| scales.time * 10f64.powf(random.random_range(-9.0..3.0));
        let dt: Vec<_> = (0..POINTS).map(|_| decades(random)).collect();
        let input = BatchInput {
            points: POINTS,
            strain_old: &strain_old,
            strain_new: &strain_new,
            dt: &dt,
            external_old: &[],
            external_new: &[],
            state: &state_old,
        };
        let mut output = BatchOutput {
            state: &mut state,
            stress: &mut stress,
            tangent: &mut tangent,
            stored_energy: &mut stored_energy,
            dissipation: &mut dissipation,
            status: &mut status,
        };
        // A search that fails ends the batch; other weights follow.
        if law.update_batch(&input, &mut output).is_err() {
            tally.refused += 1;
            return tally;
        }
        for p in 0..POINTS {
            energy[p] = energy[p].max(stored_energy[p].abs());
            tally.lowest = tally.lowest.min(dissipation[p] / energy[p]);
            tally.negative += usize::from(breaks_second_law(dissipation[p], energy[p]));
        }
        tally.increments += POINTS;
        std::mem::swap(&mut state_old, &mut state);
        strain_old = strain_new;
    }
    tally
}
