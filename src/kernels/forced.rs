//! The kernels of other machines, on this machine: whole laws give the same results with the loops of
//! 64-bit ARM and of any machine as with the registers of this one.

use crate::law::{Batch, MaterialLaw};
use crate::laws::example_laws;
use crate::model::{LearnedLaw, Normalisation};
use crate::recurrent::{Architecture, Clock, Symmetry, laws};
use std::cell::Cell;

/// Loops that do not depend on the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loops {
    /// With fused multiply-add, as on 64-bit ARM.
    Fused,
    Portable,
}

const ALL: [Loops; 2] = [Loops::Fused, Loops::Portable];

thread_local! {
    static FORCED: Cell<Option<Loops>> = const { Cell::new(None) };
}

/// The loops that this thread has to use.
pub(crate) fn loops() -> Option<Loops> {
    FORCED.get()
}

/// Runs work of this thread with such loops.
fn by<R>(loops: Loops, work: impl FnOnce() -> R) -> R {
    FORCED.set(Some(loops));
    let result = work();
    FORCED.set(None);
    result
}

fn architecture(law: &str) -> Architecture {
    Architecture {
        law: law.into(),
        components: 6,
        external: 0,
        states: 7,
        width: 13,
        layers: 2,
        energy_width: 11,
        energy_layers: 2,
        clock: Clock::Both,
        symmetry: Symmetry::None,
        substeps: 1,
        linear_hardening: false,
        stress_state: None,
    }
}

/// Numbers in ±½ that look irregular.
fn numbers(n: usize, step: usize) -> Vec<f64> {
    let number = |k: usize| (k * step % 101) as f64 / 100.0 - 0.5;
    (0..n).map(number).collect()
}

/// `|a − b|` of the worst entry over the largest entry.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(1e-300, |most: f64, b| most.max(b.abs()));
    let pairs = a.iter().zip(b);
    pairs.fold(0.0, |most: f64, (a, b)| most.max((a - b).abs())) / largest
}

/// Every answer of a batch, and of its points by themselves.
fn answers(law: &dyn MaterialLaw) -> [Vec<f64>; 5] {
    let points = 19;
    let mut batch = Batch::new(law, points);
    let size = law.scales().strain;
    let strain = numbers(law.components() * points, 37).into_iter();
    batch.strain_new = strain.map(|strain| strain * size).collect();
    batch.dt.fill(law.scales().time);
    let mut answers = <[Vec<f64>; 5]>::default();
    for _ in 0..3 {
        batch.update(law).unwrap();
        for (all, new) in answers.iter_mut().zip([
            &batch.state_new,
            &batch.stress,
            &batch.tangent,
            &batch.stored_energy,
            &batch.dissipation,
        ]) {
            all.extend(new);
        }
        batch.accept();
        batch
            .strain_new
            .iter_mut()
            .for_each(|strain| *strain *= -0.8);
    }
    let mut one = Batch::new(law, 1);
    one.strain_new = (0..law.components())
        .map(|c| batch.strain_new[c * points])
        .collect();
    one.dt.fill(law.scales().time);
    one.update(law).unwrap();
    answers[1].extend(&one.stress);
    answers[2].extend(&one.tangent);
    answers
}

#[test]
fn all_loops_give_the_responses_of_a_law() {
    let learned = laws().into_iter().map(|name| {
        let (law, layout) = architecture(name).build().unwrap();
        let unconstrained = layout.initial_values(3);
        let law =
            LearnedLaw::new(name, law, layout, unconstrained, Normalisation::unit(6)).unwrap();
        (name, Box::new(law) as Box<dyn MaterialLaw>)
    });
    for (name, law) in example_laws().into_iter().chain(learned) {
        let here = answers(law.as_ref());
        for loops in ALL {
            let there = by(loops, || answers(law.as_ref()));
            for (here, there) in here.iter().zip(&there) {
                let difference = difference(there, here);
                assert!(difference < 1e-11, "{name}, {loops:?}: {difference:.1e}");
            }
        }
    }
}

#[cfg(feature = "train")]
#[test]
fn all_loops_give_the_gradient_of_a_training() {
    use crate::record::{Padded, Record};
    use crate::recurrent::RecurrentLaw;
    use crate::train::Histories;
    use crate::train::rollout::RollOut;
    use burn::tensor::{DType, Device, Tensor, TensorData};
    use std::sync::Arc;

    let (rows, count) = (60, 11);
    let records: Vec<_> = (0..count)
        .map(|r| Record {
            name: r.to_string(),
            components: 6,
            time: (0..rows).map(|row| row as f64).collect(),
            strain: numbers(6 * rows, 31 + r),
            stress: numbers(6 * rows, 41 + r),
            ..Record::default()
        })
        .collect();
    let padded = Padded::new(&records.iter().collect::<Vec<_>>()).unwrap();
    let histories = Arc::new(Histories::new(padded, Normalisation::unit(6)));
    // The roll-out runs on rayon's threads: on one, which uses these loops.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let gradient = |law: &dyn RecurrentLaw, constrained: &[f64], float: DType| -> Vec<f64> {
        let roll_out = RollOut::new(law, 0);
        let data = TensorData::new(constrained.to_vec(), [constrained.len()]);
        let device = Device::flex().autodiff();
        let parameters = Tensor::<1>::from_data(data, (&device, float)).require_grad();
        let output = roll_out.tracked(parameters.clone(), &histories);
        let gradients = output.square().sum().backward();
        crate::graph::values(parameters.grad(&gradients).unwrap())
    };
    for name in laws() {
        let (law, layout) = architecture(name).build().unwrap();
        let constrained = layout.constrained(&layout.initial_values(3));
        for (float, limit) in [(DType::F64, 1e-11), (DType::F32, 1e-3)] {
            let here = pool.install(|| gradient(law.as_ref(), &constrained, float));
            for loops in ALL {
                let there =
                    pool.install(|| by(loops, || gradient(law.as_ref(), &constrained, float)));
                let difference = difference(&there, &here);
                assert!(
                    difference < limit,
                    "{name}, {loops:?}, {float:?}: {difference:.1e}"
                );
            }
        }
    }
}
