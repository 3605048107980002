//! The loss of a roll-out.
//!
//! `L = mean |σ̂ − σ|²/s_σ² + λ_D mean relu(m − D_end/s_D)² + λ_C mean |Δσ̂ − Δσ|²/s_Δσ²` over the
//! valid rows; the penalty is also taken on the [probes](super::probes), which have no measured
//! stress. `s_D = s_σ·mean‖Δε‖` is the work of one mean increment, so that `λ_D` means the same
//! for fine and coarse records; `s_Δσ` is the root mean square of the measured stress increments.
//! With [`ErrorScale::Record`] errors are over the root mean square of their own record instead
//! of `s_σ`, which weighs them alike in per cent.

use super::{ErrorScale, Histories, LearningPoint};
use crate::graph::tensor;
use crate::law::breaks_second_law;
use burn::tensor::{Gradients, Tensor};

/// Weights of the parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    pub dissipation: f64,
    pub margin: f64,
    pub tangent: f64,
}

/// Values of the parts, before their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LossTerms {
    pub stress: f64,
    pub dissipation: f64,
    pub tangent: f64,
    /// Mean square of the error over `s_σ`, whatever the scale of errors.
    pub square: f64,
    /// Share of measured rows with negative dissipation.
    pub negative_share: f64,
}

/// The loss of a roll-out.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    pub parts: LossTerms,
    weights: Weights,
    /// With respect to the roll-out, flat.
    pub gradient: Vec<f64>,
}

/// What a roll-out is held against.
#[derive(Clone, Debug)]
pub struct Target {
    shape: [usize; 3],
    stress: Vec<f64>,
    /// Rows with a measured stress.
    measured: Vec<f64>,
    /// `s_σ` over the scale of errors in these rows.
    weight: Vec<f64>,
    /// All rows but the padding.
    mask: Vec<f64>,
    /// `s_D`, normalised.
    pub dissipation_scale: f64,
    tangent_scale: f64,
}

impl Target {
    pub fn new(histories: &Histories, scale: ErrorScale) -> Self {
        let padded = histories.padded();
        let [rows, width, records] = histories.shape();
        let n = width - 1;
        let stress = histories.target();
        let strain_scale = histories.strain_scale();
        let (mut path, mut steps, mut squares) = (0.0, 0.0, 0.0);
        let mut measured = padded.mask.clone();
        for row in measured.chunks_mut(records) {
            row[histories.measured()..].fill(0.0);
        }
        for row in 1..rows {
            for record in 0..histories.measured() {
                let at = |row: usize, i: usize| (row * n + i) * records + record;
                let weight = padded.mask[row * records + record];
                let norm = |v: &[f64]| {
                    (0..n)
                        .map(|i| (v[at(row, i)] - v[at(row - 1, i)]).powi(2))
                        .sum::<f64>()
                };
                path += weight * norm(&padded.strain).sqrt() / strain_scale;
                squares += weight * norm(&stress);
                steps += weight;
            }
        }
        let positive = |v: f64| if v > 0.0 { v } else { 1.0 };
        let mut weight = measured.clone();
        if scale == ErrorScale::Record {
            for record in 0..histories.measured() {
                let (mut square, mut count) = (0.0, 0.0);
                for row in 0..rows {
                    let own = (0..n).map(|i| stress[(row * n + i) * records + record].powi(2));
                    let there = measured[row * records + record];
                    square += there * own.sum::<f64>();
                    count += there * n as f64;
                }
                let size = positive((square / positive(count)).sqrt());
                let own = weight.iter_mut().skip(record).step_by(records);
                own.for_each(|weight| *weight /= size);
            }
        }
        Self {
            shape: [rows, width, records],
            measured,
            weight,
            mask: padded.mask.clone(),
            dissipation_scale: positive(path / positive(steps)),
            tangent_scale: positive((squares / (positive(steps) * n as f64)).sqrt()),
            stress,
        }
    }

    fn measured_rows(&self) -> f64 {
        self.measured.iter().sum()
    }

    fn rows(&self) -> f64 {
        self.mask.iter().sum()
    }

    /// The loss of a roll-out `[rows, components + 1, records]`, flat.
    pub fn evaluate(&self, output: &[f64], weights: Weights) -> Loss {
        let [rows, width, records] = self.shape;
        let n = width - 1;
        let mut parts = LossTerms::default();
        let mut gradient = vec![0.0; output.len()];
        let (measured_rows, all_rows) = (self.measured_rows(), self.rows());
        let entries = measured_rows * n as f64;
        let tangents = self.tangent_scale.powi(2) * entries;
        // Of `factor · x²`.
        let slope = |factor: f64, x: f64| factor * x + factor * x;
        for row in 0..rows {
            for record in 0..records {
                let measured = self.measured[row * records + record];
                let at = |row: usize, i: usize| (row * width + i) * records + record;
                let weight = |row: usize| self.weight[row * records + record];
                let missed = |row: usize, i: usize| {
                    output[at(row, i)] - self.stress[(row * n + i) * records + record]
                };
                for i in 0..n {
                    let error = weight(row) * missed(row, i);
                    parts.square += measured * missed(row, i).powi(2);
                    parts.stress += error.powi(2);
                    gradient[at(row, i)] += slope(1.0 / entries, error) * weight(row);
                    if row > 0 {
                        let change = measured * (error - weight(row - 1) * missed(row - 1, i));
                        parts.tangent += change.powi(2);
                        let slope = slope(weights.tangent / tangents, change) * measured;
                        gradient[at(row, i)] += slope * weight(row);
                        gradient[at(row - 1, i)] -= slope * weight(row - 1);
                    }
                }
                // Over s_σ s_ε, as the law is normalised.
                let dissipation = output[at(row, n)];
                if breaks_second_law(dissipation, 1.0) {
                    parts.negative_share += measured;
                }
                let mask = self.mask[row * records + record];
                let lack = mask * (weights.margin - dissipation / self.dissipation_scale).max(0.0);
                parts.dissipation += lack.powi(2);
                let slope = slope(weights.dissipation / all_rows, lack) * mask;
                gradient[at(row, n)] -= slope / self.dissipation_scale;
            }
        }
        parts.stress /= entries;
        parts.square /= entries;
        parts.tangent /= tangents;
        parts.dissipation /= all_rows;
        parts.negative_share /= measured_rows;
        Loss {
            parts,
            weights,
            gradient,
        }
    }
}

impl Loss {
    /// The terms of the loss with their weights.
    pub fn point(&self) -> LearningPoint {
        self.parts.weighted(self.weights)
    }

    /// Takes the gradient on through the graph that the roll-out belongs to.
    pub fn backward(&self, output: Tensor<3>) -> Gradients {
        let (device, float) = (output.device(), output.dtype());
        let gradient = tensor(self.gradient.clone(), output.dims(), &device, float);
        (output * gradient).sum().backward()
    }
}

impl LossTerms {
    /// The terms of the loss.
    pub fn weighted(&self, weights: Weights) -> LearningPoint {
        LearningPoint {
            stress: self.stress,
            dissipation: weights.dissipation * self.dissipation,
            tangent: weights.tangent * self.tangent,
            negative_share: self.negative_share,
            ..LearningPoint::default()
        }
    }
}
