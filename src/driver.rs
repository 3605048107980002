//! Material-point driver: strain, stress or mixed control of any law.
//!
//! Every step of a programme prescribes, per component, the strain or the stress at its end; both
//! are reached linearly. The free strains are found by Newton iterations with the law's consistent
//! tangent and a line search. A step that the law refuses, or for which no equilibrium is found,
//! is cut in halves and followed in smaller increments; the state is only replaced by a converged
//! one, so that rejected increments have no effect.
//!
//! A record drives a law by its strains, or in chosen components by its measured stresses (creep,
//! ratcheting, tests under load control).
//!
//! A uniaxial programme or record also drives a law of more components: its component 11 is
//! prescribed, the other stresses are held at zero, and the curve is uniaxial.

mod equilibrium;
mod run;

use crate::error::{Error, Result};
use crate::law::{Departure, MaterialLaw, StateLayout, Status, breaks_second_law};
use crate::loading::{Control, LoadStep, Programme};
use crate::mandel::positions;
use crate::record::Record;
use run::Run;
use std::ops::ControlFlow;

/// The response of a law to a loading programme, row 0 being the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Time, strain, stress and external variables.
    pub record: Record,
    pub state_layout: StateLayout,
    /// Internal variables, `[rows * states]`.
    pub states: Vec<f64>,
    /// `ψ`, `[rows]`, MJ/m³.
    pub stored_energy: Vec<f64>,
    /// `D_end` of the increments that end in this row, `[rows]`, MJ/m³. Row 0: zero, or that of
    /// the increment from zero strain where a record begins strained.
    pub dissipation: Vec<f64>,
    /// `[rows]`
    pub status: Vec<Status>,
    /// In what the first increment outside the range of the law was outside.
    pub departure: Option<Departure>,
    /// `σ_s ε_s` of the law, MJ/m³.
    pub energy_scale: f64,
    /// Components of the record whose measured stress was prescribed: the law answers with a strain there.
    pub stress_controlled: Vec<usize>,
}

impl Curve {
    /// Rows that end an increment: all but a first one that is the virgin state at rest.
    pub fn steps(&self) -> std::ops::Range<usize> {
        let rows = self.record.rows();
        let strained = rows > 0 && self.record.strain_at(0).iter().any(|&e| e != 0.0);
        usize::from(!strained).min(rows)..rows
    }

    /// Per row, whether its increment [`breaks_second_law`].
    pub fn negative_dissipation(&self) -> Vec<bool> {
        let mut energy = self.energy_scale;
        let rows = self.dissipation.iter().zip(&self.stored_energy);
        rows.map(|(&dissipation, stored)| {
            energy = energy.max(stored.abs());
            breaks_second_law(dissipation, energy)
        })
        .collect()
    }
}

/// Tolerance and limits of the driver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriverOptions {
    /// Largest stress that may miss its target, over the law's stress scale or the largest stress
    /// of the point if that is more.
    pub tolerance: f64,
    /// Newton iterations per increment.
    pub max_iterations: usize,
    /// How often a step may be halved: its smallest increment is `2^-max_cuts` of it.
    pub max_cuts: u32,
    /// Increments, accepted or rejected, that one step may take.
    pub max_increments: usize,
}

impl Default for DriverOptions {
    fn default() -> Self {
        Self {
            tolerance: 1e-10,
            max_iterations: 25,
            max_cuts: 12,
            max_increments: 10_000,
        }
    }
}

/// The state of a run after an accepted increment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriverProgress {
    /// The current step, and the row that it ends in.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Part of the step that is done, `0 ..= 1`.
    pub fraction: f64,
    /// Seconds since the start of the programme.
    pub time: f64,
}

/// Drives one law.
#[derive(Clone, Copy)]
pub struct Driver<'a> {
    law: &'a dyn MaterialLaw,
    options: DriverOptions,
}

/// Runs a programme from the virgin state with the default options.
pub fn drive(law: &dyn MaterialLaw, programme: &Programme) -> Result<Curve> {
    Driver::new(law).drive(programme)
}

/// Follows the measured stresses of a record in these components, and its strains in the others, with the
/// default options; see [`Driver::follow_stress`].
pub fn follow_stress(
    law: &dyn MaterialLaw,
    record: &Record,
    components: &[usize],
) -> Result<Curve> {
    Driver::new(law).follow_stress(record, components)
}

/// Follows the strains of a record with the default options; see [`Driver::follow`].
pub fn follow(law: &dyn MaterialLaw, record: &Record) -> Result<Curve> {
    Driver::new(law).follow(record)
}

impl<'a> Driver<'a> {
    pub fn new(law: &'a dyn MaterialLaw) -> Self {
        Self::with_options(law, DriverOptions::default())
    }

    pub fn with_options(law: &'a dyn MaterialLaw, options: DriverOptions) -> Self {
        Self { law, options }
    }

    /// Runs a programme from the virgin state at zero strain; row `k` of the curve is the end of
    /// step `k` (counted from 1). External variables have the values of the first step from the
    /// start.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the programme does not fit the law; [`Error::Drive`] if a step cannot
    /// be completed.
    pub fn drive(&self, programme: &Programme) -> Result<Curve> {
        self.drive_with(programme, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`Driver::drive`], with a call after every accepted increment, which may stop the run:
    /// the curve then has the completed rows.
    pub fn drive_with(
        &self,
        programme: &Programme,
        progress: &mut dyn FnMut(DriverProgress) -> ControlFlow<()>,
    ) -> Result<Curve> {
        let what = format!("programme '{}'", programme.name);
        self.check_components(&what, programme.components)?;
        let columns = self.external_columns(&what, &programme.external_names)?;
        let mut steps = Vec::with_capacity(programme.steps.len());
        for (k, step) in programme.steps.iter().enumerate() {
            step.check(programme.components, programme.external_names.len())
                .map_err(|fault| Error::invalid(format!("{what}, step {}: {fault}", k + 1)))?;
            steps.push(LoadStep {
                dt: step.dt,
                targets: self.complete(step.targets.clone()),
                external: columns.iter().map(|&c| step.external[c]).collect(),
            });
        }
        let external = match steps.first() {
            Some(first) => first.external.clone(),
            None => vec![0.0; columns.len()],
        };
        let mut run = Run::start(self, &programme.name, programme.components, external)?;
        run.push_row();
        for (k, step) in steps.iter().enumerate() {
            let end = run.time + step.dt;
            if run
                .step(k + 1, steps.len(), step, end, progress)?
                .is_break()
            {
                break;
            }
        }
        Ok(run.curve)
    }

    /// The free-running response of the law to the strains and external variables of a record: the
    /// measured stresses do not enter. Row `k` of the curve belongs to row `k` of the record.
    /// Row 0 is the virgin state; a record that begins strained is met by an increment of no
    /// duration from zero strain, whose end is row 0. External variables are found by name; columns
    /// that the law does not know are ignored.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the record does not fit the law, or is timeless and the law sees time;
    /// [`Error::Drive`] if a row cannot be reached.
    pub fn follow(&self, record: &Record) -> Result<Curve> {
        self.follow_with(record, &[], &mut |_| ControlFlow::Continue(()))
    }

    /// As [`Driver::follow`], but the measured stress is prescribed in the components of these indices, and the
    /// law answers with a strain there.
    ///
    /// # Errors
    /// As [`Driver::follow`]; a component that the record does not have; a stress that the material cannot
    /// carry.
    pub fn follow_stress(&self, record: &Record, components: &[usize]) -> Result<Curve> {
        self.follow_with(record, components, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`Driver::follow_stress`], with a call after every accepted increment, which may stop the run:
    /// the curve then has the completed rows.
    pub fn follow_with(
        &self,
        record: &Record,
        stress_controlled: &[usize],
        progress: &mut dyn FnMut(DriverProgress) -> ControlFlow<()>,
    ) -> Result<Curve> {
        let what = format!("record '{}'", record.name);
        self.check_components(&what, record.components)?;
        let columns = self.external_columns(&what, &record.external_names)?;
        match stress_controlled.iter().max() {
            None => record.check_but_stress()?,
            Some(&last) if last < record.components => record.check()?,
            Some(last) => {
                return Err(Error::invalid(format!(
                    "{what} has {} components, there is no stress {last} to prescribe",
                    record.components
                )));
            }
        }
        record.check_clock(self.law.guarantees().rate_independent)?;
        let external = |row: usize| -> Vec<f64> {
            let values = record.external_at(row);
            columns.iter().map(|&c| values[c]).collect()
        };
        let target = |row: usize, c: usize| match stress_controlled.contains(&c) {
            true => Control::Stress(record.stress_at(row)[c]),
            false => Control::Strain(record.strain_at(row)[c]),
        };
        let targets = |row| (0..record.components).map(move |c| target(row, c));
        let step = |row: usize, dt: f64| LoadStep {
            dt,
            targets: self.complete(targets(row).collect()),
            external: external(row),
        };
        let at_rest = |control| matches!(control, Control::Stress(0.0) | Control::Strain(0.0));
        let last = record.rows() - 1;
        let mut run = Run::start(self, &record.name, record.components, external(0))?;
        run.curve.stress_controlled = stress_controlled.to_vec();
        run.time = record.time[0];
        run.curve.record.timeless = record.timeless;
        if !targets(0).all(at_rest) {
            let now = run.time;
            if run.step(0, last, &step(0, 0.0), now, progress)?.is_break() {
                return Ok(run.curve);
            }
        } else {
            run.push_row();
        }
        for row in 1..=last {
            let dt = record.time[row] - record.time[row - 1];
            let end = record.time[row];
            if run
                .step(row, last, &step(row, dt), end, progress)?
                .is_break()
            {
                break;
            }
        }
        Ok(run.curve)
    }

    fn check_components(&self, what: &str, components: usize) -> Result<()> {
        let n = self.law.components();
        if positions(n).is_none() {
            return Err(Error::invalid(format!(
                "law '{}' has {n} components; 1, 3 or 6 are possible",
                self.law.name()
            )));
        }
        if components != n && components != 1 {
            return Err(Error::invalid(format!(
                "{what} has {components} components, law '{}' has {n}; give {n}, or 1 for a \
                 uniaxial test",
                self.law.name()
            )));
        }
        Ok(())
    }

    /// Columns of the law's external variables.
    fn external_columns(&self, what: &str, names: &[String]) -> Result<Vec<usize>> {
        let column = |wanted: &String| {
            names.iter().position(|name| name == wanted).ok_or_else(|| {
                Error::invalid(format!(
                    "{what} lacks the external variable '{wanted}' that law '{}' needs",
                    self.law.name()
                ))
            })
        };
        self.law.external_variables().iter().map(column).collect()
    }

    /// Stress-free components beyond those prescribed.
    fn complete(&self, mut targets: Vec<Control>) -> Vec<Control> {
        targets.resize(self.law.components(), Control::Stress(0.0));
        targets
    }
}
