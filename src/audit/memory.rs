//! The state: nothing is stored outside it, and small perturbations of it do not grow.

use super::histories::{Leg, direction, history, norm};
use super::options::AuditOptions;
use super::report::Finding;
use super::subject::{Subject, larger};
use crate::law::{Increment, Response, Status};
use crate::mandel::{Mandel, Moduli};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Histories of the rollback check, one of each kind.
const ROLLBACK_HISTORIES: usize = 4;
/// Size of the perturbation, relative to the largest value of each entry of the state.
const PERTURBATION: f64 = 1e-6;
/// Perturbed runs.
const PERTURBATIONS: usize = 2;
/// Increments per cycle of the history of the growth check.
const PER_CYCLE: usize = 40;

/// All outputs of one update, bit by bit. Entries that a law does not write keep the previous
/// contents of the buffers.
#[derive(Clone, PartialEq)]
struct Answer {
    accepted: bool,
    bits: Vec<u64>,
}

/// An update with output buffers filled with `filling`.
fn answer(subject: &Subject, increment: &Increment, state_old: &[f64], filling: f64) -> Answer {
    let mut state = vec![filling; state_old.len()];
    let mut response = filled(filling);
    let accepted = subject
        .law
        .update(increment, state_old, &mut state, &mut response)
        .is_ok();
    let mut bits = outputs(&state, &response);
    // Only the leading block of the response belongs to the law.
    if accepted {
        bits = state.iter().map(|z| z.to_bits()).collect();
        let n = subject.n;
        bits.extend(response.stress.iter().take(n).map(|s| s.to_bits()));
        bits.extend((0..n * n).map(|k| response.tangent[(k / n, k % n)].to_bits()));
        bits.extend([response.stored_energy, response.dissipation].map(f64::to_bits));
        bits.push(response.status as u64);
    }
    Answer { accepted, bits }
}

fn filled(filling: f64) -> Response {
    Response {
        stress: Mandel::repeat(filling),
        tangent: Moduli::repeat(filling),
        stored_energy: filling,
        dissipation: filling,
        status: Status::default(),
    }
}

fn outputs(state: &[f64], response: &Response) -> Vec<u64> {
    let values = state
        .iter()
        .chain(response.stress.iter())
        .chain(response.tangent.iter());
    let values = values.chain([&response.stored_energy, &response.dissipation]);
    values
        .map(|v| v.to_bits())
        .chain([response.status as u64])
        .collect()
}

/// Counts the responses that depend on anything but their arguments, and the failed updates that
/// change their outputs.
pub(super) fn rollback(
    subject: &Subject,
    options: &AuditOptions,
    random: &mut ChaCha8Rng,
) -> Finding {
    let (n, law) = (subject.n, subject.law);
    let scales = subject.scales;
    let (mut changed, mut traces, mut checked) = (0usize, 0usize, 0usize);
    for kind in 0..ROLLBACK_HISTORIES {
        let legs = history(
            kind,
            n,
            scales.strain,
            scales.time,
            options.increments,
            random,
        );
        // First without interruption, then with large and failing increments in between. The second
        // run takes its states from the first: it is also a restart at every increment.
        let mut clean: Vec<(Leg, Leg, Vec<f64>, Answer)> = Vec::new();
        let mut start = Leg {
            strain: [0.0; 6],
            dt: 0.0,
        };
        let mut state = law.new_state();
        for leg in legs {
            let increment = subject.increment(&start, &leg);
            let mut next = state.clone();
            let mut response = Response::default();
            let accepted = law
                .update(&increment, &state, &mut next, &mut response)
                .is_ok();
            clean.push((
                start,
                leg,
                state.clone(),
                answer(subject, &increment, &state, 0.0),
            ));
            if accepted {
                (start, state) = (leg, next);
            }
        }
        for (start, leg, state, expected) in clean {
            checked += 1;
            let wild = Leg {
                strain: direction(n, random)
                    .map(|d| d * scales.strain * random.random_range(1.0..100.0)),
                dt: scales.time * 10f64.powf(random.random_range(-3.0..3.0)),
            };
            let kept: Vec<u64> = state.iter().map(|z| z.to_bits()).collect();
            answer(subject, &subject.increment(&start, &wild), &state, 1.0);
            traces += usize::from(leaves_trace(subject, &start, &leg, &state));
            let found = answer(subject, &subject.increment(&start, &leg), &state, f64::NAN);
            let same_state = state.iter().map(|z| z.to_bits()).eq(kept);
            changed += usize::from(!found.agrees(&expected) || !same_state);
        }
    }
    let mut finding = Finding::of((changed + traces) as f64);
    if changed > 0 {
        finding = finding.note(format!("{changed} of {checked} responses changed"));
    }
    if traces > 0 {
        finding = finding.note(format!(
            "{traces} of {checked} times an inadmissible increment was accepted or changed the outputs"
        ));
    }
    finding
}

impl Answer {
    /// Of rejected increments only the rejection is compared.
    fn agrees(&self, other: &Answer) -> bool {
        self.accepted == other.accepted && (!self.accepted || self.bits == other.bits)
    }
}

/// Whether an inadmissible increment is accepted, or rejected with changed outputs.
fn leaves_trace(subject: &Subject, start: &Leg, leg: &Leg, state: &[f64]) -> bool {
    const MARK: f64 = 0.123456789;
    let n = subject.n;
    let good = subject.increment(start, leg);
    let mut not_a_number = leg.strain;
    not_a_number[n - 1] = f64::NAN;
    let bad = [
        Increment {
            strain_new: &not_a_number[..n],
            ..good
        },
        Increment { dt: -1.0, ..good },
        Increment {
            dt: f64::INFINITY,
            ..good
        },
        Increment {
            strain_old: &[],
            ..good
        },
    ];
    bad.iter().any(|increment| {
        let marked = outputs(&vec![MARK; state.len()], &filled(MARK));
        let answer = answer(subject, increment, state, MARK);
        answer.accepted || answer.bits != marked
    })
}

/// Largest distance between perturbed and unperturbed runs over the perturbation, along cycles within
/// the strain scale. Every entry of the state is scaled by its largest range within a cycle of the
/// unperturbed run: an accumulated plastic strain grows over all cycles, and its end value is no measure of
/// a small error of it.
pub(super) fn state_growth(
    subject: &Subject,
    options: &AuditOptions,
    random: &mut ChaCha8Rng,
) -> Finding {
    let (n, law) = (subject.n, subject.law);
    let states = law.state_layout().len();
    if states == 0 {
        return Finding::exempt("the law has no state");
    }
    let cycles = options.growth_increments.div_ceil(PER_CYCLE);
    let (one, other) = (direction(n, random), direction(n, random));
    let legs: Vec<Leg> = (1..=cycles * PER_CYCLE)
        .take(options.growth_increments)
        .map(|k| {
            let phase = k as f64 / PER_CYCLE as f64 * std::f64::consts::TAU;
            let amplitude = subject.scales.strain / 2.0;
            let strain = std::array::from_fn(|i| {
                amplitude * (one[i] * phase.sin() + other[i] * (0.5 - 0.5 * phase.cos()))
            });
            Leg {
                strain,
                dt: subject.scales.time,
            }
        })
        .collect();
    let mut sizes = vec![0.0f64; states];
    let mut ranges: Vec<_> = law.new_state().iter().map(|z| [*z, *z]).collect();
    let reference = trajectory(subject, &legs, law.new_state(), &mut |k, state| {
        for ((size, range), z) in sizes.iter_mut().zip(&mut ranges).zip(state) {
            if k % PER_CYCLE == 0 && k > 0 {
                *range = [*z, *z];
            }
            *range = [range[0].min(*z), range[1].max(*z)];
            *size = size.max(range[1] - range[0]);
        }
    });
    if let Err(at) = reference {
        return Finding::missing(format!("the law failed at increment {at}"));
    }
    // Entries that do not change are scaled by the largest one.
    let largest = sizes.iter().fold(0.0f64, |a, &b| a.max(b));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    sizes
        .iter_mut()
        .filter(|s| **s == 0.0)
        .for_each(|s| *s = unit);
    let mut growth = 0.0;
    for _ in 0..PERTURBATIONS {
        let shift: Vec<f64> = (0..states).map(|_| random.sample(StandardNormal)).collect();
        let shift_norm = norm(&shift).max(f64::MIN_POSITIVE);
        let mut start = law.new_state();
        for (k, z) in start.iter_mut().enumerate() {
            *z += PERTURBATION * sizes[k] * shift[k] / shift_norm;
        }
        match pair_growth(subject, &legs, start, &sizes) {
            Ok(value) => growth = larger(growth, value),
            Err(at) => {
                return Finding::missing(format!("the law failed at increment {at}, perturbed"));
            }
        }
    }
    Finding::of(growth)
}

/// Compares the perturbed with the unperturbed run.
fn pair_growth(
    subject: &Subject,
    legs: &[Leg],
    perturbed: Vec<f64>,
    sizes: &[f64],
) -> Result<f64, usize> {
    let states = sizes.len();
    let mut plain = Vec::with_capacity(legs.len() * states);
    trajectory(subject, legs, subject.law.new_state(), &mut |_, state| {
        plain.extend_from_slice(state)
    })?;
    let mut growth = 0.0;
    trajectory(subject, legs, perturbed, &mut |k, state| {
        let plain = &plain[k * states..][..states];
        let squares = (0..states).map(|i| ((state[i] - plain[i]) / sizes[i]).powi(2));
        growth = larger(growth, squares.sum::<f64>().sqrt() / PERTURBATION);
    })?;
    Ok(growth)
}

/// Follows a history from any state; `Err` is the increment that failed.
fn trajectory(
    subject: &Subject,
    legs: &[Leg],
    mut state: Vec<f64>,
    see: &mut dyn FnMut(usize, &[f64]),
) -> Result<(), usize> {
    let mut next = state.clone();
    let mut response = Response::default();
    let mut start = Leg {
        strain: [0.0; 6],
        dt: 0.0,
    };
    for (k, leg) in legs.iter().enumerate() {
        subject
            .law
            .update(
                &subject.increment(&start, leg),
                &state,
                &mut next,
                &mut response,
            )
            .map_err(|_| k + 1)?;
        std::mem::swap(&mut state, &mut next);
        see(k, &state);
        start = *leg;
    }
    Ok(())
}
