//! Random strain histories, more severe than those in a solver.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// The end of one increment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub strain: [f64; 6],
    pub dt: f64,
}

/// A unit vector in the space of `n` strain components.
pub(super) fn direction(n: usize, random: &mut ChaCha8Rng) -> [f64; 6] {
    loop {
        let mut d = [0.0; 6];
        for value in &mut d[..n] {
            *value = random.sample(StandardNormal);
        }
        let norm = norm(&d);
        if norm > 1e-3 {
            return d.map(|v| v / norm);
        }
    }
}

pub(super) fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// A history, by `kind % 4`: random walk, proportional cycles, non-proportional cycles, or jumps with
/// tiny and zero increments. Time steps are spread over six decades around `time`: per increment in
/// the walks and jumps, per history in the cycles; some are zero.
pub(super) fn history(
    kind: usize,
    n: usize,
    amplitude: f64,
    time: f64,
    increments: usize,
    random: &mut ChaCha8Rng,
) -> Vec<Leg> {
    match kind % 4 {
        0 => walk(n, amplitude, time, increments, random),
        1 => proportional(n, amplitude, time, increments, random),
        2 => non_proportional(n, amplitude, time, increments, random),
        _ => jumps(n, amplitude, time, increments, random),
    }
}

fn any_dt(time: f64, random: &mut ChaCha8Rng) -> f64 {
    match random.random_bool(1.0 / 16.0) {
        true => 0.0,
        false => time * 10f64.powf(random.random_range(-3.0..3.0)),
    }
}

fn walk(
    n: usize,
    amplitude: f64,
    time: f64,
    increments: usize,
    random: &mut ChaCha8Rng,
) -> Vec<Leg> {
    let mut strain = [0.0; 6];
    let mut legs = Vec::with_capacity(increments);
    for _ in 0..increments {
        let d = direction(n, random);
        let length = amplitude * random.random_range(0.0..0.5);
        for (value, d) in strain.iter_mut().zip(d) {
            *value += length * d;
        }
        let beyond = norm(&strain) / amplitude;
        if beyond > 1.0 {
            strain = strain.map(|v| v / beyond);
        }
        let dt = any_dt(time, random);
        legs.push(Leg { strain, dt });
    }
    legs
}

/// A triangle wave of amplitude one and period one that starts at zero.
pub(super) fn triangle(phase: f64) -> f64 {
    let phase = phase.rem_euclid(1.0);
    match phase {
        p if p < 0.25 => 4.0 * p,
        p if p < 0.75 => 2.0 - 4.0 * p,
        p => 4.0 * p - 4.0,
    }
}

fn proportional(
    n: usize,
    amplitude: f64,
    time: f64,
    increments: usize,
    random: &mut ChaCha8Rng,
) -> Vec<Leg> {
    let d = direction(n, random);
    let per_cycle = random.random_range(6.0..30.0);
    let dt = time * 10f64.powf(random.random_range(-3.0..3.0));
    (1..=increments)
        .map(|k| {
            let value = amplitude * triangle(k as f64 / per_cycle);
            Leg {
                strain: d.map(|d| d * value),
                dt,
            }
        })
        .collect()
}

fn non_proportional(
    n: usize,
    amplitude: f64,
    time: f64,
    increments: usize,
    random: &mut ChaCha8Rng,
) -> Vec<Leg> {
    let waves: [(f64, f64); 6] = std::array::from_fn(|_| {
        (
            random.random_range(0.1..1.0),
            random.random_range(0.0..std::f64::consts::TAU),
        )
    });
    let dt = time * 10f64.powf(random.random_range(-3.0..3.0));
    let share = amplitude / (n as f64).sqrt();
    (1..=increments)
        .map(|k| {
            let mut strain = [0.0; 6];
            for (value, (frequency, phase)) in strain[..n].iter_mut().zip(waves) {
                *value = share * ((frequency * k as f64 + phase).sin() - phase.sin()) / 2.0;
            }
            Leg { strain, dt }
        })
        .collect()
}

fn jumps(
    n: usize,
    amplitude: f64,
    time: f64,
    increments: usize,
    random: &mut ChaCha8Rng,
) -> Vec<Leg> {
    let mut strain = [0.0; 6];
    let mut legs = Vec::with_capacity(increments);
    for _ in 0..increments {
        let d = direction(n, random);
        match random.random_range(0..8) {
            0 => (0..n).for_each(|i| strain[i] += 1e-9 * amplitude * d[i]),
            1 => (0..n).for_each(|i| strain[i] += 1e-4 * amplitude * d[i]),
            // Constant strain: relaxation, or a zero increment if dt is zero as well.
            2 => {}
            _ => {
                let length = amplitude * random.random_range(0.0..1.0);
                strain = d.map(|d| d * length);
            }
        }
        let dt = any_dt(time, random);
        legs.push(Leg { strain, dt });
    }
    legs
}
