//! From the description of a load programme to its steps.

use super::random;
use super::{Control, LoadStep, MAX_STEPS, Others, Programme, ProgrammeKind};
use crate::error::{Error, Result};
use crate::mandel::{LABELS, positions};

/// The value that a uniaxial programme reaches, and how long it takes.
type TimedTarget = (f64, f64);

impl ProgrammeKind {
    /// The programme for a law with these components, named after its kind.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a number is not finite or out of its range, the component does not
    /// exist in such a law, or there would be more than [`MAX_STEPS`] steps.
    pub fn build(&self, components: usize) -> Result<Programme> {
        if positions(components).is_none() {
            return Err(Error::invalid(format!(
                "{components} components, a law has 1, 3 or 6"
            )));
        }
        let (name, steps) = self.steps(components)?;
        let programme = Programme {
            name: name.into(),
            components,
            external_names: Vec::new(),
            steps,
        };
        programme.check()?;
        Ok(programme)
    }

    /// The name of the kind in cards, and its steps.
    #[rustfmt::skip] // A kind with its numbers in one line.
    fn steps(&self, components: usize) -> Result<(&'static str, Vec<LoadStep>)> {
        use ProgrammeKind::*;
        let strain = |component: &str, others: Others, targets: Vec<TimedTarget>| {
            driven(components, component, others, Control::Strain, targets)
        };
        let (name, steps) = match self {
            Monotonic { strain: end, rate, steps, component, others } => {
                let targets = ramps(&[(*end, *rate)], *steps)?;
                ("monotonic", strain(component, *others, targets))
            }
            Cyclic {
                amplitude, final_amplitude, mean, cycles, rate, steps, component, others,
            } => {
                let amplitudes = [*amplitude, final_amplitude.unwrap_or(*amplitude)];
                let peaks = cyclic_peaks(amplitudes, *mean, *cycles)?;
                ("cyclic", strain(component, *others, ramps(&at_rate(peaks, *rate), *steps)?))
            }
            RandomCyclic { amplitude, cycles, seed, rate, steps, component, others } => {
                let peaks = random_peaks(*amplitude, *cycles, *seed)?;
                ("random-cyclic", strain(component, *others, ramps(&at_rate(peaks, *rate), *steps)?))
            }
            Relaxation { strain: end, hold, rate, steps, hold_steps, growth, component, others } => {
                let mut targets = ramps(&[(*end, *rate)], *steps)?;
                targets.extend(holds(*end, *hold, *hold_steps, *growth)?);
                ("relaxation", strain(component, *others, targets))
            }
            Creep { stress, hold, stress_rate, steps, hold_steps, growth, component, others } => {
                let mut targets = ramps(&[(*stress, *stress_rate)], *steps)?;
                targets.extend(holds(*stress, *hold, *hold_steps, *growth)?);
                ("creep", driven(components, component, *others, Control::Stress, targets))
            }
            RateJumps { strain: end, rates, steps, component, others } => {
                count("rates", rates.len())?;
                let share = |k: usize| (k + 1) as f64 / rates.len() as f64;
                let pieces = rates.iter().enumerate().map(|(k, rate)| (end * share(k), *rate));
                let targets = ramps(&pieces.collect::<Vec<_>>(), *steps)?;
                ("rate-jumps", strain(component, *others, targets))
            }
            RandomWalk { amplitude, increment, steps, seed, rate } => {
                check_random(*amplitude, ("increment", *increment), *steps)?;
                if increment > amplitude {
                    return Err(Error::invalid(format!(
                        "increment {increment} is larger than amplitude {amplitude}"
                    )));
                }
                let path = random::walk(*seed, *steps, components, *increment, *amplitude);
                ("random-walk", strain_path(path, *rate))
            }
            GaussianProcess { amplitude, correlation, kernel, steps, seed, rate } => {
                check_random(*amplitude, ("correlation", *correlation), *steps)?;
                let (kernel, a, c) = (*kernel, *amplitude, *correlation);
                let path = random::gaussian_process(*seed, *steps, components, kernel, a, c);
                ("gaussian-process", strain_path(path, *rate))
            }
        };
        Ok((name, steps?))
    }
}

/// Peaks of cycles whose amplitude changes evenly from the first to the last, then the mean.
fn cyclic_peaks([first, last]: [f64; 2], mean: f64, cycles: usize) -> Result<Vec<f64>> {
    count("cycles", cycles)?;
    positive("amplitude", first)?;
    positive("final_amplitude", last)?;
    let share = |k: usize| k as f64 / (cycles - 1).max(1) as f64;
    let amplitude = |k| first + share(k) * (last - first);
    let peaks = (0..cycles).flat_map(|k| [mean + amplitude(k), mean - amplitude(k)]);
    Ok(peaks.chain([mean]).collect())
}

/// Two peaks per cycle, in turn above and below zero.
fn random_peaks(amplitude: f64, cycles: usize, seed: u64) -> Result<Vec<f64>> {
    count("cycles", cycles)?;
    positive("amplitude", amplitude)?;
    let draws = random::uniform(seed, cycles.saturating_mul(2));
    let signs = [1.0, -1.0].into_iter().cycle();
    let peaks = draws.iter().zip(signs);
    Ok(peaks
        .map(|(draw, sign)| sign * draw.abs() * amplitude)
        .collect())
}

fn at_rate(peaks: Vec<f64>, rate: f64) -> Vec<(f64, f64)> {
    peaks.into_iter().map(|peak| (peak, rate)).collect()
}

fn check_random(amplitude: f64, (key, length): (&str, f64), steps: usize) -> Result<()> {
    positive("amplitude", amplitude)?;
    positive(key, length)?;
    count("steps", steps)
}

fn positive(what: &str, value: f64) -> Result<()> {
    match value.is_finite() && value > 0.0 {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{what} = {value} is not a positive number"
        ))),
    }
}

fn count(what: &str, value: usize) -> Result<()> {
    match (1..=MAX_STEPS).contains(&value) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{what}: {value}, 1 to {MAX_STEPS} are possible"
        ))),
    }
}

/// Straight pieces from zero through values, each at its rate in `steps` increments.
fn ramps(ends: &[(f64, f64)], steps: usize) -> Result<Vec<TimedTarget>> {
    count("steps", steps)?;
    count("steps in all", steps.saturating_mul(ends.len()))?;
    let mut targets = Vec::with_capacity(steps * ends.len());
    let mut from = 0.0;
    for &(to, rate) in ends {
        positive("rate", rate)?;
        if !to.is_finite() {
            return Err(Error::invalid(format!("the target {to} is not finite")));
        }
        let dt = ((to - from) / steps as f64).abs() / rate;
        targets.extend((1..=steps).map(|k| match k == steps {
            true => (to, dt),
            false => (from + (to - from) * (k as f64 / steps as f64), dt),
        }));
        from = to;
    }
    Ok(targets)
}

/// `duration` seconds at `value`, in steps that grow by the factor `growth`.
fn holds(value: f64, duration: f64, steps: usize, growth: f64) -> Result<Vec<TimedTarget>> {
    positive("hold", duration)?;
    count("hold_steps", steps)?;
    if !(1.0..=2.0).contains(&growth) {
        return Err(Error::invalid(format!(
            "growth = {growth}, 1 to 2 are possible"
        )));
    }
    // Relative to the last step, so that long geometric series do not overflow.
    let lengths: Vec<f64> = std::iter::successors(Some(1.0), |length| Some(length / growth))
        .take(steps)
        .collect();
    let all: f64 = lengths.iter().sum();
    let leg = |length: &f64| (value, duration * length / all);
    Ok(lengths.iter().rev().map(leg).collect())
}

/// Steps along a strain path from zero, all components prescribed.
fn strain_path(path: Vec<Vec<f64>>, rate: f64) -> Result<Vec<LoadStep>> {
    positive("rate", rate)?;
    let mut from = vec![0.0; path.first().map_or(0, Vec::len)];
    let step = |to: Vec<f64>| {
        let squares = to.iter().zip(&from).map(|(a, b)| (a - b).powi(2));
        let dt = squares.sum::<f64>().sqrt() / rate;
        let targets = to.iter().map(|&strain| Control::Strain(strain)).collect();
        from = to;
        LoadStep {
            dt,
            targets,
            external: Vec::new(),
        }
    };
    Ok(path.into_iter().map(step).collect())
}

/// Steps that drive the component of this label through the targets; `others` holds on the rest.
fn driven(
    components: usize,
    label: &str,
    others: Others,
    control: fn(f64) -> Control,
    targets: Vec<TimedTarget>,
) -> Result<Vec<LoadStep>> {
    let positions = positions(components).unwrap_or_default();
    let labels: Vec<&str> = positions.iter().map(|&p| LABELS[p]).collect();
    let Some(driven) = labels.iter().position(|l| *l == label) else {
        return Err(Error::invalid(format!(
            "component `{label}`: a law with {components} components has {}",
            labels.join(", ")
        )));
    };
    let rest = match others {
        Others::Stress => Control::Stress(0.0),
        Others::Strain => Control::Strain(0.0),
    };
    let step = |(value, dt): TimedTarget| {
        let mut targets = vec![rest; components];
        targets[driven] = control(value);
        LoadStep {
            dt,
            targets,
            external: Vec::new(),
        }
    };
    Ok(targets.into_iter().map(step).collect())
}
