//! The loss of a roll-out.
//!
//! `L = mean |σ̂ − σ|²/s_σ² + λ_D mean relu(m − D_end/s_D)² + λ_C mean |Δσ̂ − Δσ|²/s_Δσ²` over the
//! valid rows; the penalty is also taken on the [probes](super::probes), which have no measured
//! stress. `s_D = s_σ·mean‖Δε‖` is the work of one mean increment, so that `λ_D` means the same
//! for fine and coarse records; `s_Δσ` is the root mean square of the measured stress increments.
//! With [`ErrorScale::Record`] errors are over the root mean square of their own record in the place
//! of `s_σ`, which weighs them alike in per cent.

use super::Histories;
use crate::card::ErrorScale;
use crate::graph::tensor;
use crate::law::breaks_second_law;
use crate::learning::LearningPoint;
use burn::tensor::{Tensor, activation};

/// Weights of the parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    pub dissipation: f64,
    pub margin: f64,
    pub tangent: f64,
}

/// Values of the parts, before their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts {
    pub stress: f64,
    pub dissipation: f64,
    pub tangent: f64,
    /// Mean square of the error over `s_σ`, whatever the scale of errors.
    pub square: f64,
    /// Share of measured rows with negative dissipation.
    pub negative_share: f64,
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

    /// The loss of a roll-out `[rows, components + 1, records]` as a tensor to differentiate.
    pub fn loss(&self, output: Tensor<3>, weights: Weights) -> Tensor<1> {
        let [rows, width, records] = self.shape;
        let n = width - 1;
        let (device, float) = (output.device(), output.dtype());
        let mask = |rows_of: &[f64]| tensor(rows_of.to_vec(), [rows, 1, records], &device, float);
        let target = tensor(self.stress.clone(), [rows, n, records], &device, float);
        let stress = output.clone().slice([0..rows, 0..n, 0..records]);
        let error = (stress - target) * mask(&self.weight);
        // Not divided: burn's derivative of a division by a number rounds the number to `f32`.
        let mut loss = error.clone().square().sum() * (1.0 / (self.measured_rows() * n as f64));
        if weights.dissipation > 0.0 {
            let dissipation = output.slice([0..rows, n..width, 0..records]);
            let lack = dissipation
                .mul_scalar(-1.0 / self.dissipation_scale)
                .add_scalar(weights.margin);
            let penalty = (activation::relu(lack) * mask(&self.mask)).square().sum();
            loss = loss + penalty * (weights.dissipation / self.rows());
        }
        if weights.tangent > 0.0 && rows > 1 {
            let later = error.clone().slice([1..rows, 0..n, 0..records]);
            let before = error.slice([0..rows - 1, 0..n, 0..records]);
            let both = mask(&self.measured).slice([1..rows, 0..1, 0..records]);
            let secant = ((later - before) * both).square().sum();
            let scale = self.tangent_scale.powi(2) * self.measured_rows() * n as f64;
            loss = loss + secant * (weights.tangent / scale);
        }
        loss
    }

    fn measured_rows(&self) -> f64 {
        self.measured.iter().sum()
    }

    fn rows(&self) -> f64 {
        self.mask.iter().sum()
    }

    /// The parts of the same loss as numbers, from a roll-out's flat values.
    pub fn parts(&self, output: &[f64], margin: f64) -> Parts {
        let [rows, width, records] = self.shape;
        let n = width - 1;
        let mut parts = Parts::default();
        for row in 0..rows {
            for record in 0..records {
                let measured = self.measured[row * records + record];
                let missed = |row: usize, i: usize| {
                    output[(row * width + i) * records + record]
                        - self.stress[(row * n + i) * records + record]
                };
                let error =
                    |row: usize, i: usize| self.weight[row * records + record] * missed(row, i);
                for i in 0..n {
                    parts.square += measured * missed(row, i).powi(2);
                    parts.stress += error(row, i).powi(2);
                    if row > 0 {
                        parts.tangent += measured * (error(row, i) - error(row - 1, i)).powi(2);
                    }
                }
                // Over s_σ s_ε, as the law is normalised.
                let dissipation = output[(row * width + n) * records + record];
                if breaks_second_law(dissipation, 1.0) {
                    parts.negative_share += measured;
                }
                let lack = (margin - dissipation / self.dissipation_scale).max(0.0);
                parts.dissipation += self.mask[row * records + record] * lack.powi(2);
            }
        }
        parts.stress /= self.measured_rows() * n as f64;
        parts.square /= self.measured_rows() * n as f64;
        parts.tangent /= self.tangent_scale.powi(2) * self.measured_rows() * n as f64;
        parts.dissipation /= self.rows();
        parts.negative_share /= self.measured_rows();
        parts
    }
}

impl Parts {
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
