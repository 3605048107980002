//! Programs that begin every step with an empty increment, as most do.

use crate::common::{Random, random_law};
use hysteron::audit::{AuditOptions, audit};
use hysteron::host::HostLaw;
use hysteron::law::{Batch, Increment, MaterialLaw, Response};
use hysteron::model::Model;
use hysteron::recurrent::Architecture;
use hysteron::{LawSource, open};
use std::sync::Arc;

/// A law learned from bars whose tangent of an empty increment is negative, which its audit says.
const LAW: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/materials/steel_s355_voce_chaboche/law.safetensors"
);
const STEPS: usize = 60;

/// A bar whose force goes to and fro: Newton's iterations of each step, of which the first has no strain
/// increment, until the first step that does not end.
fn loaded_bar(law: &dyn MaterialLaw) -> Vec<usize> {
    let mut state = law.new_state();
    let mut strain = 0.0;
    let mut iterations = Vec::new();
    for step in 1..=STEPS {
        let target = 330.0 * (step as f64 * 0.2).sin();
        let (mut new, mut next) = (strain, state.clone());
        let ended = (1..=30).find(|_| {
            let increment = Increment {
                strain_old: &[strain],
                strain_new: &[new],
                dt: 1.0,
                external_old: &[],
                external_new: &[],
            };
            let mut response = Response::default();
            if law
                .update(&increment, &state, &mut next, &mut response)
                .is_err()
            {
                return false;
            }
            let missing = target - response.stress[0];
            new += missing / response.tangent[(0, 0)];
            missing.abs() < 1e-6
        });
        let Some(count) = ended else { break };
        (strain, state) = (new, next);
        iterations.push(count);
    }
    iterations
}

#[test]
fn a_step_begins_with_the_stiffness_that_it_meets() {
    let raw = open(LAW).unwrap().law().unwrap();
    let host = HostLaw::load(LAW).unwrap();
    let host = host.with_components(1).unwrap();
    let [before, now] = [raw.as_ref(), host.as_ref()].map(loaded_bar);
    println!("{before:?} without\n{now:?}");
    assert_eq!(now.len(), STEPS);
    assert!(before.len() < STEPS);
}

/// In a batch, the points without a strain increment have the same stiffness as alone, the others that of the
/// law.
#[test]
fn a_batch_begins_as_its_points_do() {
    let learn = Architecture {
        law: "minimal-state".into(),
        ..Architecture::default()
    };
    let law = random_law("minimal-state", &learn, 6, 0);
    let raw: Arc<dyn MaterialLaw> = Arc::new(law.clone());
    let audit = audit(&law, &AuditOptions::default());
    let start = audit.row("start_tangent").unwrap();
    assert!(!start.pass, "{audit}");
    let model = Model::new(law, learn.for_records(6, 0))
        .with_audit(&audit)
        .unwrap();
    let host = HostLaw::from_source(LawSource::Model(Box::new(model))).unwrap();
    let host = host.with_components(6).unwrap();

    let points = 9;
    let mut random = Random::new(3);
    let mut batch = Batch::new(host, points);
    batch.strain_old = random.vector(6 * points, 0.01);
    batch.strain_new.clone_from(&batch.strain_old);
    for point in (0..points).filter(|point| point % 3 == 0) {
        (0..6).for_each(|c| batch.strain_new[c * points + point] += random.between(-1e-3, 1e-3));
    }
    batch.update(host).unwrap();
    let of = |values: &[f64], count: usize, point: usize| -> Vec<f64> {
        (0..count).map(|c| values[c * points + point]).collect()
    };
    for point in 0..points {
        let (old, new) = (
            of(&batch.strain_old, 6, point),
            of(&batch.strain_new, 6, point),
        );
        let increment = Increment {
            strain_old: &old,
            strain_new: &new,
            dt: 0.0,
            external_old: &[],
            external_new: &[],
        };
        let answer = |law: &dyn MaterialLaw| {
            let (state, mut next) = (law.new_state(), law.new_state());
            let mut response = Response::default();
            law.update(&increment, &state, &mut next, &mut response)
                .unwrap();
            response
        };
        let (alone, without) = (answer(host.as_ref()), answer(raw.as_ref()));
        assert_eq!(alone.stress, without.stress);
        assert_eq!(alone.tangent == without.tangent, point % 3 == 0);
        let scale = alone.tangent.norm();
        for (k, value) in of(&batch.tangent, 36, point).into_iter().enumerate() {
            let error = (value - alone.tangent[(k / 6, k % 6)]).abs() / scale;
            assert!(error < 1e-8, "point {point}: {error:e}");
        }
    }
}
