//! From the description of a loading programme to its steps.

use super::random;
use super::{Control, LoadStep, MAX_STEPS, Others, Programme, ProgrammeKind};
use crate::error::{Error, Result};
use crate::mandel::{LABELS, positions};

/// The value that a uniaxial programme reaches, and how long it takes.
type Leg = (f64, f64);

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
        use ProgrammeKind::*;
        let (name, steps) = match self {
            Monotonic {
                strain,
                rate,
                steps,
                component,
                others,
            } => {
                let legs = ramps(&[(*strain, *rate)], *steps)?;
                let drive = Drive::new(components, component, *others, Control::Strain)?;
                ("monotonic", drive.steps(legs))
            }
            Cyclic {
                amplitude,
                final_amplitude,
                mean,
                cycles,
                rate,
                steps,
                component,
                others,
            } => {
                count("cycles", *cycles)?;
                let last = final_amplitude.unwrap_or(*amplitude);
                positive("amplitude", *amplitude)?;
                positive("final_amplitude", last)?;
                let share = |k: usize| k as f64 / (*cycles - 1).max(1) as f64;
                let amplitude = |k| amplitude + share(k) * (last - amplitude);
                let mut peaks: Vec<_> = (0..*cycles)
                    .flat_map(|k| [mean + amplitude(k), mean - amplitude(k)])
                    .map(|peak| (peak, *rate))
                    .collect();
                peaks.push((*mean, *rate));
                let drive = Drive::new(components, component, *others, Control::Strain)?;
                ("cyclic", drive.steps(ramps(&peaks, *steps)?))
            }
            RandomCyclic {
                amplitude,
                cycles,
                seed,
                rate,
                steps,
                component,
                others,
            } => {
                count("cycles", *cycles)?;
                positive("amplitude", *amplitude)?;
                let draws = random::uniform(*seed, cycles.saturating_mul(2));
                let signs = [1.0, -1.0].into_iter().cycle();
                let peaks: Vec<_> = draws
                    .iter()
                    .zip(signs)
                    .map(|(draw, sign)| (sign * draw.abs() * amplitude, *rate))
                    .collect();
                let drive = Drive::new(components, component, *others, Control::Strain)?;
                ("random-cyclic", drive.steps(ramps(&peaks, *steps)?))
            }
            Relaxation {
                strain,
                hold,
                rate,
                steps,
                hold_steps,
                growth,
                component,
                others,
            } => {
                let mut legs = ramps(&[(*strain, *rate)], *steps)?;
                legs.extend(holds(*strain, *hold, *hold_steps, *growth)?);
                let drive = Drive::new(components, component, *others, Control::Strain)?;
                ("relaxation", drive.steps(legs))
            }
            Creep {
                stress,
                hold,
                stress_rate,
                steps,
                hold_steps,
                growth,
                component,
                others,
            } => {
                let mut legs = ramps(&[(*stress, *stress_rate)], *steps)?;
                legs.extend(holds(*stress, *hold, *hold_steps, *growth)?);
                let drive = Drive::new(components, component, *others, Control::Stress)?;
                ("creep", drive.steps(legs))
            }
            RateJumps {
                strain,
                rates,
                steps,
                component,
                others,
            } => {
                count("rates", rates.len())?;
                let share = |k: usize| (k + 1) as f64 / rates.len() as f64;
                let pieces: Vec<_> = rates
                    .iter()
                    .enumerate()
                    .map(|(k, rate)| (strain * share(k), *rate))
                    .collect();
                let drive = Drive::new(components, component, *others, Control::Strain)?;
                ("rate-jumps", drive.steps(ramps(&pieces, *steps)?))
            }
            RandomWalk {
                amplitude,
                increment,
                steps,
                seed,
                rate,
            } => {
                positive("amplitude", *amplitude)?;
                positive("increment", *increment)?;
                count("steps", *steps)?;
                if increment > amplitude {
                    return Err(Error::invalid(format!(
                        "increment {increment} is larger than amplitude {amplitude}"
                    )));
                }
                let path = random::walk(*seed, *steps, components, *increment, *amplitude);
                ("random-walk", along(path, *rate)?)
            }
            GaussianProcess {
                amplitude,
                correlation,
                kernel,
                steps,
                seed,
                rate,
            } => {
                positive("amplitude", *amplitude)?;
                positive("correlation", *correlation)?;
                count("steps", *steps)?;
                let (kernel, a, c) = (*kernel, *amplitude, *correlation);
                let path = random::gaussian_process(*seed, *steps, components, kernel, a, c);
                ("gaussian-process", along(path, *rate)?)
            }
        };
        let programme = Programme {
            name: name.into(),
            components,
            external_names: Vec::new(),
            steps,
        };
        programme.check()?;
        Ok(programme)
    }
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

/// Straight pieces from zero through the targets, each at its rate in `steps` increments.
fn ramps(targets: &[(f64, f64)], steps: usize) -> Result<Vec<Leg>> {
    count("steps", steps)?;
    count("steps in all", steps.saturating_mul(targets.len()))?;
    let mut legs = Vec::with_capacity(steps * targets.len());
    let mut from = 0.0;
    for &(to, rate) in targets {
        positive("rate", rate)?;
        if !to.is_finite() {
            return Err(Error::invalid(format!("the target {to} is not finite")));
        }
        let dt = ((to - from) / steps as f64).abs() / rate;
        legs.extend((1..=steps).map(|k| match k == steps {
            true => (to, dt),
            false => (from + (to - from) * (k as f64 / steps as f64), dt),
        }));
        from = to;
    }
    Ok(legs)
}

/// `duration` seconds at `value`, in steps that grow by the factor `growth`.
fn holds(value: f64, duration: f64, steps: usize, growth: f64) -> Result<Vec<Leg>> {
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
fn along(path: Vec<Vec<f64>>, rate: f64) -> Result<Vec<LoadStep>> {
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

/// Which component a uniaxial programme drives, and how.
struct Drive {
    driven: usize,
    /// Targets of every component, the driven one to be replaced.
    rest: Vec<Control>,
    control: fn(f64) -> Control,
}

impl Drive {
    fn new(
        components: usize,
        label: &str,
        others: Others,
        control: fn(f64) -> Control,
    ) -> Result<Self> {
        let labels: Vec<&str> = positions(components)
            .unwrap_or_default()
            .iter()
            .map(|&p| LABELS[p])
            .collect();
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
        Ok(Self {
            driven,
            rest: vec![rest; components],
            control,
        })
    }

    fn steps(&self, legs: Vec<Leg>) -> Vec<LoadStep> {
        let step = |(value, dt): Leg| {
            let mut targets = self.rest.clone();
            targets[self.driven] = (self.control)(value);
            LoadStep {
                dt,
                targets,
                external: Vec::new(),
            }
        };
        legs.into_iter().map(step).collect()
    }
}
