//! Update and consistent tangent of many points.

use super::models::points::{self, Point};
use super::models::{COMPONENTS, steel};
use super::{Arrays, Outcome, Task, named_parameters, parameters};
use hysteron::graph::ParameterLayout;
use hysteron::law::{Batch, MaterialLaw};
use hysteron::laws::J2;
use hysteron::model::{LearnedLaw, Normalisation};
use hysteron::recurrent::RecurrentLaw;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::hint::black_box;
use std::sync::Arc;

pub struct Inference<L> {
    law: L,
    points: usize,
    strain_old: Vec<f64>,
    strain: Vec<f64>,
    state: Vec<f64>,
    parameters: Arrays,
}

pub fn learned(
    law: impl RecurrentLaw + 'static,
    layout: ParameterLayout,
    points: usize,
) -> Outcome<Inference<LearnedLaw>> {
    let unconstrained = parameters(&layout);
    let named = named_parameters(&layout, "parameter", &unconstrained);
    let law = LearnedLaw::new(
        "learned",
        Arc::new(law),
        layout,
        unconstrained,
        Normalisation::unit(COMPONENTS),
    )?;
    let states = law.state_layout().len();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut draw = |n: usize| {
        (0..n)
            .map(|_| random.random_range(-0.5..0.5))
            .collect::<Vec<f64>>()
    };
    Ok(Inference {
        law,
        points,
        strain_old: draw(COMPONENTS * points),
        strain: draw(COMPONENTS * points),
        state: draw(states * points),
        parameters: named,
    })
}

/// Steel with linear hardening; most of the points flow.
pub fn j2(points: usize) -> Outcome<Inference<J2>> {
    let parameters = steel();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut draw = |n: usize, size: f64| {
        (0..n * points)
            .map(|_| random.random_range(-size..size))
            .collect::<Vec<f64>>()
    };
    let mut state = [draw(6, 1e-3), vec![0.0; points], draw(6, 1e-3)].concat();
    for i in [0, 7] {
        // Plastic strain is a deviator: the third entry balances the first two.
        for point in 0..points {
            let entry = |k: usize| (i + k) * points + point;
            state[entry(2)] = -state[entry(0)] - state[entry(1)];
        }
    }
    for (p, e) in draw(1, 1e-3).iter().enumerate() {
        state[6 * points + p] = e.abs();
    }
    let named = [
        ("young", parameters.young),
        ("poisson", parameters.poisson),
        ("yield", parameters.yield_stress),
        ("isotropic", parameters.linear_hardening),
        ("kinematic", parameters.backstress[0].c),
    ];
    let named = named.map(|(name, value)| (format!("parameter.{name}"), (vec![], vec![value])));
    Ok(Inference {
        law: J2::new(&parameters)?,
        points,
        strain_old: vec![0.0; COMPONENTS * points],
        strain: draw(6, 3e-3),
        state,
        parameters: named.into(),
    })
}

impl<L: MaterialLaw> Inference<L> {
    fn batch(&self) -> Batch {
        let mut batch = points::batch(&self.law, self.strain.clone());
        batch.strain_old.clone_from(&self.strain_old);
        batch.state_old.clone_from(&self.state);
        batch
    }
}

impl<L: MaterialLaw> Task for Inference<L> {
    fn arrays(&self) -> Outcome<Arrays> {
        let p = self.points;
        let states = self.law.state_layout().len();
        let mut batch = self.batch();
        batch.update(&self.law)?;
        let mut arrays = self.parameters.clone();
        for (name, shape, values) in [
            ("strain", vec![COMPONENTS, p], batch.strain_new),
            ("dt", vec![p], batch.dt),
            ("state", vec![states, p], batch.state_old),
            ("answer.state", vec![states, p], batch.state_new),
            ("answer.stress", vec![COMPONENTS, p], batch.stress),
            (
                "answer.tangent",
                vec![COMPONENTS, COMPONENTS, p],
                batch.tangent,
            ),
        ] {
            arrays.insert(name.into(), (shape, values));
        }
        Ok(arrays)
    }

    fn forms(&self, dtype: &str) -> Vec<&'static str> {
        (dtype == "f64").then_some("law").into_iter().collect()
    }

    fn check(&self, _: &str, _: &str) -> Outcome<Value> {
        Ok(json!({}))
    }

    fn call<'a>(&'a self, _: &str, _: &str) -> Outcome<Box<dyn FnMut() + 'a>> {
        let mut batch = self.batch();
        if self.points > 1 {
            return Ok(Box::new(move || {
                batch.update(&self.law).expect("the law has an answer");
                black_box(&batch.tangent);
            }));
        }
        let mut point = Point::first(&batch);
        Ok(Box::new(move || {
            point.update(&self.law).expect("the law has an answer");
            black_box(&point);
        }))
    }
}
