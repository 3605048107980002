//! Limited-memory BFGS for the end of a training.
//!
//! Every epoch sees all records and the same loss, so that differences of its gradient tell its
//! curvature: D. C. Liu & J. Nocedal (1989), On the limited memory BFGS method for large scale
//! optimization, Math. Program. 45:503–528; two-loop recursion and backtracking as in Nocedal &
//! Wright (2006), Numerical Optimization, sections 7.2 and 3.5. One trial point is one epoch.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Differences that are remembered.
const PAIRS: usize = 20;
/// Length of the first step, in unconstrained parameters, …
const FIRST_STEP: f64 = 1e-3;
/// … and the factor of the next one if the slope along the direction only became steeper.
const LONGER: f64 = 4.0;
/// Share of the decrease that the slope promises which a step has to bring.
const SUFFICIENT: f64 = 1e-4;
/// Least and largest factor by which a step that brings less is shortened.
const SHORTER: [f64; 2] = [0.1, 0.5];
const SHORTEST: f64 = 1e-8;
/// Least cosine between a step and the change of the gradient along it.
const CURVED: f64 = 1e-10;

/// A point, the descent direction there, and the pairs that approximate the curvature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuasiNewton {
    point: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
    /// Newest last.
    pairs: VecDeque<Pair>,
    /// Length of a step while no curvature is known.
    reach: f64,
    direction: Vec<f64>,
    /// Of the loss along the direction, negative.
    slope: f64,
    step: f64,
}

/// An accepted step and the change of the gradient along it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    product: f64,
}

impl QuasiNewton {
    /// From a point with its loss and gradient.
    pub fn start(point: Vec<f64>, loss: f64, gradient: Vec<f64>) -> Self {
        let mut start = Self {
            point,
            loss,
            gradient,
            pairs: VecDeque::new(),
            reach: FIRST_STEP,
            direction: Vec::new(),
            slope: 0.0,
            step: 1.0,
        };
        start.aim();
        start
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.point.len()
    }

    /// Share of the direction that the trial goes.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// Where the loss is asked for next.
    pub fn trial(&self) -> Vec<f64> {
        let along = self.point.iter().zip(&self.direction);
        along.map(|(x, d)| x + self.step * d).collect()
    }

    /// Takes the loss at the trial with its gradient, which may be anything where the loss is not
    /// finite. False if the line search found no further decrease.
    pub fn learn(&mut self, loss: f64, gradient: Vec<f64>) -> bool {
        let promised = self.step * self.slope;
        let known = gradient.iter().all(|g| g.is_finite());
        if loss <= self.loss + SUFFICIENT * promised && known {
            self.accept(loss, gradient);
            return self.slope < 0.0;
        }
        // The least value of the parabola through what is known.
        let parabola = -0.5 * promised / (loss - self.loss - promised);
        let [least, most] = SHORTER;
        self.step *= match loss.is_finite() && known {
            true => parabola.clamp(least, most),
            false => least,
        };
        if self.step < SHORTEST {
            if self.pairs.is_empty() {
                return false;
            }
            self.pairs.clear();
            self.aim();
        }
        true
    }

    fn accept(&mut self, loss: f64, gradient: Vec<f64>) {
        let trial = self.trial();
        let step = difference(&trial, &self.point);
        let change = difference(&gradient, &self.gradient);
        let product = dot(&step, &change);
        if product > CURVED * (dot(&step, &step) * dot(&change, &change)).sqrt() {
            if self.pairs.len() == PAIRS {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair {
                step,
                change,
                product,
            });
        } else if self.pairs.is_empty() {
            self.reach *= LONGER * self.step;
        }
        (self.point, self.loss, self.gradient) = (trial, loss, gradient);
        self.aim();
    }

    /// The direction from the point, and its whole length as the next step.
    fn aim(&mut self) {
        self.step = 1.0;
        self.direction = self.gradient.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = dot(&pair.step, &self.direction) / pair.product;
            add(&mut self.direction, -share, &pair.change);
            shares.push(share);
        }
        let size = match self.pairs.back() {
            Some(pair) => pair.product / dot(&pair.change, &pair.change),
            None => self.reach / dot(&self.gradient, &self.gradient).sqrt().max(1e-300),
        };
        self.direction.iter_mut().for_each(|d| *d *= size);
        for (pair, share) in self.pairs.iter().zip(shares.iter().rev()) {
            let share = share - dot(&pair.change, &self.direction) / pair.product;
            add(&mut self.direction, share, &pair.step);
        }
        self.slope = dot(&self.gradient, &self.direction);
        if self.slope >= 0.0 && !self.pairs.is_empty() {
            self.pairs.clear();
            self.aim();
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// `x += share · y`
fn add(x: &mut [f64], share: f64, y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += share * y);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley in ten variables.
    fn valley(x: &[f64]) -> (f64, Vec<f64>) {
        let mut gradient = vec![0.0; x.len()];
        let mut loss = 0.0;
        for i in 0..x.len() - 1 {
            let (bend, rest) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
            loss += 100.0 * bend * bend + rest * rest;
            gradient[i] -= 400.0 * bend * x[i] + 2.0 * rest;
            gradient[i + 1] += 200.0 * bend;
        }
        (loss, gradient)
    }

    #[test]
    fn the_end_of_a_curved_valley_is_found() {
        let start = vec![-1.0; 10];
        let (loss, gradient) = valley(&start);
        let mut search = QuasiNewton::start(start, loss, gradient);
        let mut trials = 0;
        loop {
            let (loss, gradient) = valley(&search.trial());
            trials += 1;
            if !search.learn(loss, gradient) || search.loss < 1e-20 {
                break;
            }
        }
        println!("{trials} trials, loss {:e}", search.loss);
        assert!(trials < 300);
        assert!(search.point.iter().all(|x| (x - 1.0).abs() < 1e-8));
    }

    #[test]
    fn a_loss_that_is_not_finite_shortens_the_step() {
        // x − ln x is least at 1, nearly straight at 50, and not a number left of zero.
        let value = |x: f64| (x - x.ln(), vec![1.0 - 1.0 / x]);
        let (loss, gradient) = value(50.0);
        let mut search = QuasiNewton::start(vec![50.0], loss, gradient);
        let mut outside = 0;
        for _ in 0..200 {
            let x = search.trial()[0];
            outside += usize::from(x <= 0.0);
            let (loss, gradient) = value(x);
            if !search.learn(loss, gradient) {
                break;
            }
        }
        assert!(outside > 0);
        assert!((search.point[0] - 1.0).abs() < 1e-6, "{}", search.point[0]);
    }

    #[test]
    fn where_the_loss_falls_faster_and_faster_steps_grow() {
        // A well in a plain: from 5 to 1 there is no curvature to learn from.
        let value = |x: f64| {
            let depth = (-0.5 * x * x).exp();
            (1.0 - depth, vec![x * depth])
        };
        let (loss, gradient) = value(5.0);
        let mut search = QuasiNewton::start(vec![5.0], loss, gradient);
        let mut trials = 0;
        while search.loss > 1e-12 {
            let (loss, gradient) = value(search.trial()[0]);
            trials += 1;
            assert!(search.learn(loss, gradient) && trials < 30, "{search:?}");
        }
    }

    #[test]
    fn without_a_slope_the_search_ends() {
        let mut search = QuasiNewton::start(vec![1.0], 2.0, vec![0.0]);
        assert!(!search.learn(2.0, vec![0.0]));
    }
}
