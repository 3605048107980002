//! The prepared calls of the benchmarks.

use crate::models::points::{self, Point};
use crate::models::{COMPONENTS, InternalVariables, PlainGru, generalized_standard};
use burn::tensor::{DType, Device, Tensor, TensorData};
use hysteron::graph::ParameterLayout;
use hysteron::law::{Batch, MaterialLaw};
use hysteron::model::{LearnedLaw, Normalisation};
use hysteron::record::{Padded, Record};
use hysteron::recurrent::{GeneralizedStandard, RecurrentLaw};
use hysteron::train::Histories;
use hysteron::train::rollout::RollOut;
use std::sync::Arc;

pub fn gru() -> (PlainGru, ParameterLayout) {
    let mut layout = ParameterLayout::default();
    (PlainGru::new(&mut layout, 32), layout)
}

pub fn gradient() -> (InternalVariables, ParameterLayout) {
    let mut layout = ParameterLayout::default();
    (InternalVariables::with_gradient(&mut layout, 8, 32), layout)
}

pub fn network() -> (InternalVariables, ParameterLayout) {
    let mut layout = ParameterLayout::default();
    (InternalVariables::with_network(&mut layout, 8, 32), layout)
}

/// D, with the width of `benches/peers`.
pub fn implicit() -> (GeneralizedStandard, ParameterLayout) {
    let mut layout = ParameterLayout::default();
    (generalized_standard(&mut layout, 16), layout)
}

/// Deterministic, irregular numbers in ±½.
pub fn numbers(n: usize, step: usize) -> Vec<f64> {
    (0..n)
        .map(|i| (i * step % 101) as f64 / 100.0 - 0.5)
        .collect()
}

pub fn learned<L: RecurrentLaw + 'static>((law, layout): (L, ParameterLayout)) -> LearnedLaw {
    let unconstrained = layout.initial_values(1);
    LearnedLaw::new(
        "bench",
        Arc::new(law),
        layout,
        unconstrained,
        Normalisation::unit(COMPONENTS),
    )
    .unwrap()
}

fn batch_of(law: &dyn MaterialLaw, points: usize) -> Batch {
    let mut batch = points::batch(law, numbers(COMPONENTS * points, 37));
    batch.strain_old = numbers(COMPONENTS * points, 29);
    batch.state_old = numbers(law.state_layout().len() * points, 31);
    batch
}

/// `update_batch` of a number of points.
pub fn batch<L: RecurrentLaw + 'static>(law: (L, ParameterLayout), points: usize) -> impl FnMut() {
    let law = learned(law);
    let mut batch = batch_of(&law, points);
    move || batch.update(&law).unwrap()
}

/// `update` of one point.
pub fn single<L: RecurrentLaw + 'static>(law: (L, ParameterLayout)) -> impl FnMut() {
    let law = learned(law);
    let mut point = Point::first(&batch_of(&law, 1));
    move || point.update(&law).unwrap()
}

/// The gradient of one objective over whole histories, `[rows, records]`.
pub fn training<L: RecurrentLaw + 'static>(
    (law, layout): (L, ParameterLayout),
    [rows, records]: [usize; 2],
    float: DType,
) -> impl FnMut() {
    let records: Vec<Record> = (0..records)
        .map(|r| Record {
            name: format!("{r}"),
            components: COMPONENTS,
            time: (0..rows).map(|i| i as f64 * 0.1).collect(),
            strain: numbers(rows * COMPONENTS, 31 + r),
            stress: numbers(rows * COMPONENTS, 37 + r),
            ..Record::default()
        })
        .collect();
    let records: Vec<_> = records.iter().collect();
    let padded = Padded::new(&records).unwrap();
    let histories = Arc::new(Histories::new(padded, Normalisation::unit(COMPONENTS)));
    let constrained = layout.constrained(&layout.initial_values(1));
    let roll_out = RollOut::new(&law, histories.external());
    let device = Device::flex().autodiff();
    move || {
        let data = TensorData::new(constrained.clone(), [constrained.len()]);
        let parameters = Tensor::<1>::from_data(data, (&device, float)).require_grad();
        let output = roll_out.tracked(parameters.clone(), &histories);
        let gradients = output.square().sum().backward();
        parameters.grad(&gradients).unwrap();
    }
}
