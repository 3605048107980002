//! What the benches do again and again, set up once.

use crate::models::{COMPONENTS, InternalVariables, PlainGru};
use burn::tensor::{DType, Device, Tensor, TensorData};
use hysteron::algebra::ParameterLayout;
use hysteron::law::{BatchInput, BatchOutput, Increment, MaterialLaw, Response, Status};
use hysteron::learned::{LearnedLaw, Normalisation};
use hysteron::record::{Padded, Record};
use hysteron::recurrent::RecurrentLaw;
use hysteron::train::Histories;
use hysteron::train::rollout::{TapePool, roll_out_tape};
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

/// Numbers in ±½ that look irregular.
fn numbers(n: usize, step: usize) -> Vec<f64> {
    (0..n)
        .map(|i| (i * step % 101) as f64 / 100.0 - 0.5)
        .collect()
}

pub fn learned<L: RecurrentLaw>((law, layout): (L, ParameterLayout)) -> LearnedLaw<L> {
    let raw = layout.initial_values(1);
    LearnedLaw::new("bench", law, layout, raw, Normalisation::unit(COMPONENTS)).unwrap()
}

/// `update_batch` of so many points.
pub fn batch<L: RecurrentLaw>(law: (L, ParameterLayout), points: usize) -> impl FnMut() {
    let law = learned(law);
    let states = law.state_layout().len();
    let (strain_old, strain_new) = (numbers(6 * points, 29), numbers(6 * points, 37));
    let (old, dt) = (numbers(states * points, 31), vec![0.1; points]);
    let (mut state, mut stress) = (vec![0.0; states * points], vec![0.0; 6 * points]);
    let mut tangent = vec![0.0; 36 * points];
    let (mut energy, mut dissipation) = (vec![0.0; points], vec![0.0; points]);
    let mut status = vec![Status::Inside; points];
    move || {
        let input = BatchInput {
            points,
            strain_old: &strain_old,
            strain_new: &strain_new,
            dt: &dt,
            external_old: &[],
            external_new: &[],
            state: &old,
        };
        let mut output = BatchOutput {
            state: &mut state,
            stress: &mut stress,
            tangent: &mut tangent,
            stored_energy: &mut energy,
            dissipation: &mut dissipation,
            status: &mut status,
        };
        law.update_batch(&input, &mut output).unwrap();
    }
}

/// `update` of one point.
pub fn single<L: RecurrentLaw>(law: (L, ParameterLayout)) -> impl FnMut() {
    let law = learned(law);
    let states = law.state_layout().len();
    let (strain_old, strain_new, old) = (numbers(6, 29), numbers(6, 37), numbers(states, 31));
    let mut state = vec![0.0; states];
    let mut response = Response::default();
    move || {
        let increment = Increment {
            strain_old: &strain_old,
            strain_new: &strain_new,
            dt: 0.1,
            external_old: &[],
            external_new: &[],
        };
        law.update(&increment, &old, &mut state, &mut response)
            .unwrap();
    }
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
    let effective = layout.effective(&layout.initial_values(1));
    let (law, pool) = (Arc::new(law), TapePool::default());
    let device = Device::flex().autodiff();
    move || {
        let data = TensorData::new(effective.clone(), [effective.len()]);
        let parameters = Tensor::<1>::from_data(data, (&device, float)).require_grad();
        let output = roll_out_tape(&law, parameters.clone(), &histories, &pool);
        let gradients = output.square().sum().backward();
        parameters.grad(&gradients).unwrap();
    }
}
