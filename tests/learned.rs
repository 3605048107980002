//! What must hold for every law of the list, whatever its parameters.

mod common;

use common::{Random, learned_laws};
use hysteron::audit::{AuditOptions, Kind, audit};
use hysteron::law::{Increment, MaterialLaw, Response, Status};
use hysteron::model::{LearnedLaw, Normalisation};
use hysteron::recurrent::{Architecture, Symmetry};
use rayon::prelude::*;

#[test]
fn every_guaranteed_row_of_the_audit_passes() {
    let mut laws = learned_laws(0);
    // The clock of both holds what the other two do.
    let with_inputs = learned_laws(2).into_iter();
    laws.extend(with_inputs.filter(|(name, _)| name.contains("Both")));
    laws.par_iter().for_each(|(name, law)| {
        let options = AuditOptions {
            histories: 4,
            increments: 24,
            growth_increments: 500,
            cycles: 20,
            external: vec![60.0; law.external_variables().len()],
            ..AuditOptions::default()
        };
        let audit = audit(law, &options);
        for row in &audit.rows {
            assert!(
                row.pass || row.kind == Kind::Tested,
                "{name}: {}\n{audit}",
                row.name
            );
        }
        assert!(audit.pass, "{name}");
        let tangent = audit.row("tangent_error").and_then(|row| row.value);
        assert!(
            tangent.is_some_and(|error| error < 1e-7),
            "{name}: {tangent:?}"
        );
    });
}

#[test]
fn the_law_of_the_strain_path_does_not_see_time() {
    for (name, law) in learned_laws(0) {
        let n = law.components();
        let (old, new) = (vec![0.001; n], vec![0.004; n]);
        let answer = |dt: f64| {
            let increment = Increment {
                strain_old: &old,
                strain_new: &new,
                dt,
                external_old: &[],
                external_new: &[],
            };
            let (state, mut next) = (law.new_state(), law.new_state());
            let mut response = Response::default();
            law.update(&increment, &state, &mut next, &mut response)
                .unwrap();
            (next, response)
        };
        let same = answer(0.0) == answer(10.0);
        assert_eq!(same, law.guarantees().rate_independent, "{name}");
    }
}

#[test]
fn strains_outside_the_trained_range_are_marked() {
    let (_, law) = learned_laws(0).remove(0);
    for (strain, status) in [(0.02, Status::Inside), (-0.0201, Status::Outside)] {
        let increment = Increment {
            strain_old: &[0.0],
            strain_new: &[strain],
            dt: 1.0,
            external_old: &[],
            external_new: &[],
        };
        let (state, mut next) = (law.new_state(), law.new_state());
        let mut response = Response::default();
        law.update(&increment, &state, &mut next, &mut response)
            .unwrap();
        assert_eq!(response.status, status);
    }
}

#[test]
fn absurd_increments_give_a_finite_answer_or_an_error_that_leaves_the_outputs() {
    for (name, law) in learned_laws(0) {
        let n = law.components();
        for power in (-320..=300).step_by(5) {
            let size = 10f64.powi(power);
            let strain = vec![size; n];
            let increment = Increment {
                strain_old: &vec![-0.5 * size; n],
                strain_new: &strain,
                dt: size,
                external_old: &[],
                external_new: &[],
            };
            let state = law.new_state();
            let mut next = vec![7.0; state.len()];
            let mut response = Response::default();
            match law.update(&increment, &state, &mut next, &mut response) {
                Ok(()) => {
                    assert!(next.iter().all(|z| z.is_finite()), "{name} at {size:e}");
                    assert!(response.stress.iter().all(|s| s.is_finite()));
                    assert!(response.tangent.iter().all(|c| c.is_finite()));
                }
                Err(error) => {
                    assert!(power > 0, "{name} at {size:e}: {error}");
                    assert!(
                        next.iter().all(|z| *z == 7.0),
                        "{name} at {size:e}: {error}"
                    );
                    assert_eq!(response, Response::default());
                    assert!(error.cut().is_some());
                }
            }
        }
    }
}

#[test]
fn a_law_that_cannot_have_a_symmetry_says_so() {
    let learn = Architecture {
        law: "gru".into(),
        symmetry: Symmetry::Isotropic,
        ..Architecture::default()
    };
    let (key, message) = learn.for_records(3, 0).check().unwrap_err();
    assert_eq!(key, "symmetry");
    assert!(message.contains("relaxation"), "{message}");
    let learn = Architecture {
        law: "relaxation".into(),
        symmetry: Symmetry::TransverselyIsotropic,
        ..learn
    };
    let (key, message) = learn.for_records(3, 0).check().unwrap_err();
    assert_eq!(key, "symmetry");
    assert!(message.contains("6 components, not 3"), "{message}");
}

#[test]
fn an_isotropic_bar_answers_to_compression_as_to_tension() {
    let (mut bars, mut others) = (0, 0);
    let laws = learned_laws(1).into_iter();
    for (name, law) in laws.filter(|(_, law)| law.components() == 1) {
        let isotropic = law.guarantees().symmetry == Symmetry::Isotropic;
        let mut random = Random::new(3);
        let (mut apart, mut peak) = (0.0f64, 0.0f64);
        let mut states = [law.new_state(), law.new_state()];
        let mut old = 0.0;
        for _ in 0..40 {
            let new = random.between(-0.03, 0.03);
            let stress = [1.0, -1.0].map(|sign| {
                let increment = Increment {
                    strain_old: &[sign * old],
                    strain_new: &[sign * new],
                    dt: 0.1,
                    external_old: &[40.0],
                    external_new: &[40.0],
                };
                let state = &mut states[usize::from(sign < 0.0)];
                let (mut next, mut response) = (law.new_state(), Response::default());
                law.update(&increment, state, &mut next, &mut response)
                    .unwrap();
                *state = next;
                sign * response.stress[0]
            });
            old = new;
            apart = apart.max((stress[0] - stress[1]).abs());
            peak = peak.max(stress[0].abs());
        }
        assert!(!isotropic || apart < 1e-12 * peak, "{name}: {apart:e}");
        bars += usize::from(isotropic);
        others += usize::from(apart > 1e-3 * peak);
    }
    assert!(bars >= 4 * 3);
    assert!(others > 0, "every bar does");
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    let (built, layout) = Architecture::default().for_records(1, 0).build().unwrap();
    let unit = || Normalisation::unit(1);
    let good = layout.initial_values(1);
    let build = |unconstrained: Vec<f64>, normalisation| {
        LearnedLaw::new(
            "law",
            built.clone(),
            layout.clone(),
            unconstrained,
            normalisation,
        )
        .map(|_| ())
        .map_err(|e| e.to_string())
    };
    assert_eq!(build(good.clone(), unit()), Ok(()));
    let mut bad = good.clone();
    bad[3] = f64::NAN;
    assert!(
        build(bad, unit())
            .unwrap_err()
            .contains("a parameter is NaN")
    );
    assert!(
        build(good[1..].to_vec(), unit())
            .unwrap_err()
            .contains("parameters")
    );
    let zero = Normalisation {
        stress: 0.0,
        ..unit()
    };
    assert!(build(good.clone(), zero).unwrap_err().contains("of stress"));
    assert!(
        build(good, Normalisation::unit(3))
            .unwrap_err()
            .contains("strain ranges")
    );
}
