//! The training loop: Adam on whole histories, then L-BFGS, best law kept.

use super::checkpoint::{Checkpoint, Moments};
use super::device::Place;
use super::loss::{Target, Weights};
use super::poisson::PoissonRatio;
use super::quasi_newton::QuasiNewton;
use super::rollout::{RollOut, vector};
use super::{Histories, LearningPoint, Resume, Training};
use crate::error::{Error, Result};
use crate::file::hexadecimal;
use crate::graph::{ParameterLayout, ParameterTensor, values};
use crate::recurrent::RecurrentLaw;
use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{Adam, AdamConfig, Optimizer};
use burn::tensor::{Device, Tensor, activation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::f64::consts::PI;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the observer of a training sees after every epoch.
#[derive(Clone, Debug)]
pub struct Progress {
    pub point: LearningPoint,
    pub epochs: usize,
    /// Best score so far, and its epoch.
    pub best: f64,
    pub best_epoch: usize,
    pub elapsed: Duration,
    pub remaining: Duration,
    /// Of the training records, MPa.
    pub rmse: f64,
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// All epochs were run.
    Complete,
    /// No better law for the patience given.
    Patience,
    /// The observer asked for it.
    Interrupted,
    /// The line search found no further decrease.
    Converged,
    /// The loss became infinite again and again.
    Diverged,
}

/// The result of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The best parameters, before their constraints.
    pub unconstrained: Vec<f64>,
    pub best_epoch: usize,
    /// Loss of the best law on the validation records, or on the training records without any.
    pub best_score: f64,
    pub history: Vec<LearningPoint>,
    pub stop: Stop,
}

impl Fit {
    /// Names of the coefficients whose entries started equal and still are: parallel elements that
    /// nothing has told apart count as one.
    pub fn alike(&self, layout: &ParameterLayout) -> Vec<String> {
        let equal = |tensor: &&ParameterTensor| {
            let [rows, columns] = tensor.parameter.shape();
            let values = tensor.parameter.of(&self.unconstrained);
            columns == 1 && rows > 1 && values.iter().all(|value| *value == values[0])
        };
        let tensors = layout.tensors().iter().filter(equal);
        tensors.map(|tensor| tensor.name.clone()).collect()
    }
}

/// Times that a training whose loss became infinite goes back to its best law at half the rate.
const RECOVERIES: usize = 8;

/// What a law is trained on.
pub(super) struct Lessons<'a> {
    pub train: &'a Arc<Histories>,
    /// Chooses the best law and teaches it nothing.
    pub validate: Option<&'a Histories>,
    /// Poisson's ratio at rest.
    pub poisson: Option<&'a PoissonRatio>,
}

/// Trains the parameters of a law.
///
/// The same seed, options and records give the same result on the processor, on any number of
/// threads. With a checkpoint file that exists, the training resumes from it and ends as if it had
/// not stopped. Parameters and moments are kept in `f64` whatever the precision; validation runs
/// on the processor in `f64`.
///
/// # Errors
/// A device that is not there, a checkpoint that does not fit, or a loss that is infinite from the start.
pub(super) fn fit(
    law: &dyn RecurrentLaw,
    layout: &ParameterLayout,
    lessons: &Lessons,
    options: &Training,
    resume: &Resume,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Fit> {
    let Lessons {
        train,
        validate,
        poisson,
    } = *lessons;
    let place = Place::of(options)?;
    let roll_out = RollOut::new(law, train.external());
    let target_of = |histories| Target::new(histories, options.error_scale);
    let target = target_of(train.as_ref());
    let validation_target = validate.map(|v| (v, target_of(v)));
    let adam = AdamConfig::new().with_epsilon(1e-8).build();
    let positive = place.vector(layout.positive_mask());
    let subject = subject(law, layout, lessons);
    let stored = match &resume.file {
        Some(file) if file.exists() => {
            Some(Checkpoint::load(file, layout.len(), options, &subject)?)
        }
        _ => None,
    };
    let adam_epochs = adam_epochs(options);
    let initial = layout.initial_values(options.seed);
    let mut now = stored.unwrap_or_else(|| Checkpoint::start(initial.clone()));
    let (start, first) = (Instant::now(), now.epoch);
    let mut stop = now.patience(options);
    while stop == Stop::Complete && now.epoch < options.epochs {
        let epoch = now.epoch;
        let weights = weights(options, epoch);
        let unconstrained = place.vector(now.unconstrained.clone()).require_grad();
        let constrained = constrain(unconstrained.clone(), positive.clone());
        let output = place.roll_out(law, &roll_out, constrained, train);
        let loss = target.evaluate(&values(output.clone().inner()), weights);
        let mut point = loss.point();
        let gradient = match point.loss().is_finite() {
            true => {
                let gradient = unconstrained.grad(&loss.backward(output));
                let independent = || Error::Training("the loss depends on no parameter".into());
                let mut gradient = values(gradient.ok_or_else(independent)?);
                point.poisson = poisson.map_or(0.0, |ratio| {
                    ratio.penalty(&place, &positive, &now.unconstrained, &mut gradient)
                });
                gradient.iter().all(|g| g.is_finite()).then_some(gradient)
            }
            false => None,
        };
        if gradient.is_none() && now.quasi_newton.is_none() {
            stop = now.recover()?;
            continue;
        }
        point.epoch = epoch;
        point.learning_rate = match &now.quasi_newton {
            Some(search) => search.step(),
            None => learning_rate(options, epoch) * 0.5f64.powi(now.recoveries as i32),
        };
        if let Some(mut gradient) = gradient {
            point.validation = validation_target
                .as_ref()
                .filter(|_| epoch % options.validate_every == 0 || epoch + 1 == options.epochs)
                .map(|(histories, target)| {
                    let output =
                        roll_out.values(&layout.constrained(&now.unconstrained), histories);
                    target.evaluate(&output, weights).point().loss() + point.poisson
                });
            let score = match validation_target {
                Some(_) => point.validation,
                None => Some(point.loss()),
            };
            now.remember(point, score);
            let ridge = ridge(options.ridge, &now.unconstrained, &initial, &mut gradient);
            if epoch < adam_epochs {
                now.step(&adam, gradient, options, point.learning_rate);
            } else {
                stop = now.descend(point.loss() + ridge, gradient);
            }
        } else {
            // L-BFGS went too far.
            stop = now.descend(f64::INFINITY, Vec::new());
        }
        now.epoch += 1;
        let done = (now.epoch - first) as f64;
        let elapsed = start.elapsed();
        let progress = Progress {
            point,
            epochs: options.epochs,
            best: now.best_score,
            best_epoch: now.best_epoch,
            elapsed,
            remaining: elapsed.mul_f64((options.epochs - now.epoch) as f64 / done),
            rmse: loss.parts.square.sqrt() * train.stress_scale(),
        };
        stop = match observe(&progress) {
            ControlFlow::Break(()) => Stop::Interrupted,
            ControlFlow::Continue(()) if stop == Stop::Complete => now.patience(options),
            ControlFlow::Continue(()) => stop,
        };
        if let Some(file) = &resume.file {
            let due = resume.every > 0 && now.epoch.is_multiple_of(resume.every);
            if due || stop != Stop::Complete || now.epoch == options.epochs {
                now.save(file, options, &subject)?;
            }
        }
    }
    if now.best_score.is_infinite() {
        let message = "the loss on the validation records was never finite: there is no best law";
        return Err(Error::Training(message.into()));
    }
    Ok(Fit {
        unconstrained: now.best,
        best_epoch: now.best_epoch,
        best_score: now.best_score,
        history: now.history,
        stop,
    })
}

/// L2 penalty on the distance of the unconstrained parameters from their initial values, `λ_R |p − p_0|²`;
/// its gradient is added.
fn ridge(weight: f64, unconstrained: &[f64], initial: &[f64], gradient: &mut [f64]) -> f64 {
    let mut sum = 0.0;
    for ((unconstrained, initial), gradient) in unconstrained.iter().zip(initial).zip(gradient) {
        let way = unconstrained - initial;
        sum += way * way;
        *gradient += 2.0 * weight * way;
    }
    weight * sum
}

/// Epochs of Adam; the others are L-BFGS.
fn adam_epochs(options: &Training) -> usize {
    ((1.0 - options.quasi_newton) * options.epochs as f64).ceil() as usize
}

/// Cosine decay over the epochs of Adam after a short linear rise.
fn learning_rate(options: &Training, epoch: usize) -> f64 {
    let epochs = adam_epochs(options).max(1);
    let rise = (epochs / 50).clamp(1, 50);
    let share = epoch as f64 / epochs as f64;
    let low = options.final_learning_rate;
    let cosine = low + (options.learning_rate - low) * 0.5 * (1.0 + (PI * share).cos());
    cosine * ((epoch + 1) as f64 / rise as f64).min(1.0)
}

fn weights(options: &Training, epoch: usize) -> Weights {
    let warmup = options.dissipation_warmup * options.epochs as f64;
    let ramp = if warmup > 0.0 {
        (epoch as f64 / warmup).min(1.0)
    } else {
        1.0
    };
    Weights {
        dissipation: options.dissipation_weight * ramp,
        margin: options.dissipation_margin,
        tangent: options.tangent_weight,
    }
}

/// Effective parameters `[p]`, differentiable: softplus where
/// [`positive_mask`](ParameterLayout::positive_mask) is one.
pub fn constrain(unconstrained: Tensor<1>, positive: Tensor<1>) -> Tensor<1> {
    let constrained = activation::log_sigmoid(unconstrained.clone().neg()).neg();
    unconstrained.clone() + positive * (constrained - unconstrained)
}

/// What is trained on what.
fn subject(law: &dyn RecurrentLaw, layout: &ParameterLayout, lessons: &Lessons) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{law:?};"));
    for tensor in layout.tensors() {
        hash.update(format!("{} {:?};", tensor.name, tensor.parameter.shape()));
    }
    lessons.train.digest(&mut hash);
    if let Some(validate) = lessons.validate {
        validate.digest(&mut hash);
    }
    if let Some(poisson) = lessons.poisson {
        hash.update(format!("{poisson};"));
    }
    hexadecimal(&hash.finalize())
}

impl Checkpoint {
    /// Whether the training has gone on for too long without a better law.
    fn patience(&self, options: &Training) -> Stop {
        let waited = self.epoch.saturating_sub(self.best_epoch);
        match options.patience {
            Some(patience) if waited > patience => Stop::Patience,
            _ => Stop::Complete,
        }
    }

    fn remember(&mut self, point: LearningPoint, score: Option<f64>) {
        self.history.push(point);
        if let Some(score) = score.filter(|s| *s < self.best_score) {
            self.best_score = score;
            self.best_epoch = point.epoch;
            self.best.clone_from(&self.unconstrained);
        }
    }

    fn step(&mut self, adam: &Adam, gradient: Vec<f64>, options: &Training, rate: f64) {
        let device = Device::flex();
        let clip = GradientClippingConfig::Norm(options.clip as f32).init();
        let gradient = clip.clip_gradient(vector(gradient, &device));
        let state = self.moments.take().map(|m| m.into_state(&device));
        let (unconstrained, state) = adam.step(
            rate,
            vector(self.unconstrained.clone(), &device),
            gradient,
            state,
        );
        self.unconstrained = values(unconstrained);
        self.moments = state.map(Moments::from_state);
    }

    /// A step of L-BFGS.
    fn descend(&mut self, loss: f64, gradient: Vec<f64>) -> Stop {
        let search = match &mut self.quasi_newton {
            Some(search) => {
                if !search.learn(loss, gradient) {
                    return Stop::Converged;
                }
                search
            }
            none => none.insert(QuasiNewton::start(
                self.unconstrained.clone(),
                loss,
                gradient,
            )),
        };
        self.unconstrained = search.trial();
        Stop::Complete
    }

    /// Back to the best law, with fresh moments and half the rate.
    fn recover(&mut self) -> Result<Stop> {
        self.recoveries += 1;
        if self.best_score.is_infinite() {
            return Err(Error::Training(format!(
                "the loss is not finite in epoch {}; a smaller learning rate or clip may help",
                self.epoch
            )));
        }
        self.unconstrained.clone_from(&self.best);
        self.moments = None;
        Ok(match self.recoveries > RECOVERIES {
            true => Stop::Diverged,
            false => Stop::Complete,
        })
    }
}
