//! A run: steps, their cutting into increments, and the rows of the curve.

use super::equilibrium::{Goal, MaterialPoint};
use super::{Curve, Driver, DriverProgress};
use crate::error::{Error, Result, UpdateError};
use crate::law::{Departure, Increment, MAX_COMPONENTS, Status};
use crate::laws::mixed_control::{Failure, FreeComponents};
use crate::loading::{Control, LoadStep};
use crate::mandel::Mandel;
use crate::record::Record;
use std::ops::ControlFlow;

/// Share by which a strain path may be longer than the trained one: increments that are cut bend.
const PATH_MARGIN: f64 = 0.01;

/// A run in progress: the point and the rows so far.
pub(super) struct Run<'a> {
    driver: Driver<'a>,
    point: MaterialPoint<'a>,
    external: Vec<f64>,
    pub time: f64,
    /// Of the increments since the last row.
    dissipation: f64,
    /// `Σ‖Δε‖`
    path: f64,
    pub curve: Curve,
}

impl<'a> Run<'a> {
    pub fn start(
        driver: &Driver<'a>,
        name: &str,
        components: usize,
        external: Vec<f64>,
    ) -> Result<Self> {
        let law = driver.law;
        let point = MaterialPoint::new(law, &external).map_err(|source| Error::Drive {
            name: name.into(),
            step: 0,
            time: 0.0,
            message: format!("the virgin material cannot be evaluated: {source}"),
            source: Some(source),
        })?;
        let curve = Curve {
            record: Record {
                name: name.to_string(),
                components,
                external_names: law.external_variables().to_vec(),
                ..Record::default()
            },
            state_layout: law.state_layout().clone(),
            energy_scale: law.scales().energy(),
            ..Curve::default()
        };
        Ok(Self {
            driver: *driver,
            point,
            external,
            time: 0.0,
            dissipation: 0.0,
            path: 0.0,
            curve,
        })
    }

    /// Reaches the targets of one step, in as many increments as it takes, and adds its row.
    /// `end` is the time there, given because a sum of durations differs from it by round-off.
    pub fn step(
        &mut self,
        step: usize,
        steps: usize,
        load: &LoadStep,
        end: f64,
        progress: &mut dyn FnMut(DriverProgress) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let options = self.driver.options;
        let smallest = 0.5f64.powi(options.max_cuts.min(50) as i32);
        let (start_time, start_external) = (self.time, self.external.clone());
        let (mut start, mut target) = (Mandel::zeros(), Mandel::zeros());
        let mut free = FreeComponents([false; MAX_COMPONENTS]);
        for (i, control) in load.targets.iter().enumerate() {
            (start[i], target[i], free.0[i]) = match *control {
                Control::Strain(value) => (self.point.accepted.strain[i], value, false),
                Control::Stress(value) => (self.point.accepted.response.stress[i], value, true),
            };
        }
        // All fractions are sums of powers of two: no round-off, the last one is exactly 1.
        let (mut done, mut size, mut increments) = (0.0, 1.0f64, 0);
        while done < 1.0 {
            let next = f64::min(done + size, 1.0);
            let ramp = |from: f64, to: f64| {
                if next < 1.0 {
                    from + next * (to - from)
                } else {
                    to
                }
            };
            let external: Vec<f64> = start_external
                .iter()
                .zip(&load.external)
                .map(|(&from, &to)| ramp(from, to))
                .collect();
            let goal = Goal {
                value: Mandel::from_fn(|i, _| ramp(start[i], target[i])),
                free,
                dt: (next - done) * load.dt,
                external_old: &self.external,
                external_new: &external,
            };
            increments += 1;
            let strain_old = self.point.accepted.strain;
            match self.point.advance(&goal, &options) {
                Ok(()) => {
                    (done, size) = (next, (2.0 * size).min(1.0));
                    self.look_outside(&strain_old, goal.dt, &external);
                    self.external = external;
                    self.time = match done {
                        1.0 => end,
                        part => start_time + part * load.dt,
                    };
                    self.dissipation += self.point.accepted.response.dissipation;
                    if done == 1.0 {
                        self.push_row();
                    }
                    let now = DriverProgress {
                        step,
                        steps,
                        fraction: done,
                        time: self.time,
                    };
                    if progress(now).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Err(failure) => {
                    let exhausted = increments >= options.max_increments;
                    match failure.cut() {
                        Some(cut) if (next - done) * cut >= smallest && !exhausted => {
                            size = (next - done) * cut;
                        }
                        _ => return Err(self.error(step, next - done, failure)),
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Marks an accepted increment whose strain path is longer than that of any training record, and keeps in what
    /// the first increment outside the range of the law is outside.
    fn look_outside(&mut self, strain_old: &Mandel, dt: f64, external: &[f64]) {
        let (law, accepted) = (self.driver.law, &mut self.point.accepted);
        self.path += (accepted.strain - strain_old).norm();
        let trained = law.trained_path();
        let far = trained.filter(|path| self.path > path * (1.0 + PATH_MARGIN));
        if far.is_some() {
            accepted.response.status = Status::Outside;
        }
        if accepted.response.status == Status::Inside || self.curve.departure.is_some() {
            return;
        }
        let n = law.components();
        let within = law.departure(&Increment {
            strain_old: &strain_old.as_slice()[..n],
            strain_new: &accepted.strain.as_slice()[..n],
            dt,
            external_old: &self.external,
            external_new: external,
        });
        self.curve.departure = within.or(far.map(|path| Departure {
            what: "strain path Σ‖Δε‖".into(),
            value: self.path,
            range: [0.0, path],
        }));
    }

    fn error(&self, step: usize, size: f64, failure: Failure) -> Error {
        let (message, source): (_, Option<UpdateError>) = match failure {
            Failure::Law(error) => (format!("the law failed: {error}"), Some(error)),
            Failure::NoEquilibrium {
                iterations,
                residual,
            } => {
                let plural = if iterations == 1 { "" } else { "s" };
                (
                    format!(
                        "no equilibrium after {iterations} iteration{plural} of Newton's method \
                         ({residual:.3e} MPa are missing); the prescribed stress may lie beyond what the \
                         material can carry"
                    ),
                    None,
                )
            }
        };
        Error::Drive {
            name: self.curve.record.name.clone(),
            step,
            time: self.time,
            message: format!("{message} (in {size:.1e} of the step)"),
            source,
        }
    }

    pub fn push_row(&mut self) {
        let (law, accepted) = (self.driver.law, &self.point.accepted);
        let (n, recorded) = (law.components(), self.curve.record.components);
        let curve = &mut self.curve;
        let strain = accepted.strain.as_slice();
        let stress = accepted.response.stress.as_slice();
        curve.record.time.push(self.time);
        curve.record.strain.extend_from_slice(&strain[..recorded]);
        curve.record.stress.extend_from_slice(&stress[..recorded]);
        curve.record.external.extend_from_slice(&self.external);
        curve.states.extend_from_slice(&accepted.state);
        let energy = law.free_energy(&strain[..n], &accepted.state, &self.external);
        curve.stored_energy.push(energy);
        curve.dissipation.push(self.dissipation);
        curve.status.push(accepted.response.status);
        self.dissipation = 0.0;
    }
}
