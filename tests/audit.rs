//! The audit passes correct laws, and every planted fault fails the row that should detect it.

mod common;
mod planted;
mod support;

use common::random_law;
use hysteron::LawSource;
use hysteron::audit::{Audit, AuditOptions, Kind, audit};
use hysteron::law::MaterialLaw;
use hysteron::laws::example_laws;
use hysteron::recurrent::{Architecture, Clock};
use hysteron::symmetry::Symmetry;
use planted::faults::{Fault, Faulty};
use planted::laws::{Bar, KelvinMaxwell, Orthotropic, Turned};
use std::sync::Arc;
use support::AUDIT_ROWS;

fn examine(law: &dyn MaterialLaw) -> Audit {
    audit(law, &AuditOptions::default())
}

/// Names of the rows that do not pass.
fn failing(audit: &Audit) -> Vec<&str> {
    let rows = audit.rows.iter().filter(|r| !r.pass);
    rows.map(|r| r.name).collect()
}

/// The fault fails these rows.
#[track_caller]
fn assert_caught(law: impl MaterialLaw, fault: Fault, rows: &[&str]) -> Audit {
    let audit = examine(&Faulty::new(law, fault));
    for row in rows {
        assert!(
            failing(&audit).contains(row),
            "{fault:?} is not caught by {row}:\n{audit}"
        );
    }
    audit
}

/// The fault fails these rows, one of them guaranteed.
#[track_caller]
fn assert_refuted(law: impl MaterialLaw, fault: Fault, rows: &[&str]) -> Audit {
    let audit = assert_caught(law, fault, rows);
    assert!(!audit.pass, "{fault:?} passes the audit:\n{audit}");
    audit
}

#[test]
fn sound_laws_pass_every_row_that_they_claim() {
    let unclaimed = [
        "min_dissipation_end",
        "min_dissipation_split",
        "negative_share",
        "objectivity",
        "min_dissipation_work",
    ];
    let laws: [(&dyn MaterialLaw, &[&str]); 4] = [
        (&KelvinMaxwell::default(), &[]),
        (&Bar::default(), &[]),
        (&Orthotropic::default(), &["objectivity"]),
        (&Turned::default(), &unclaimed),
    ];
    for (law, unclaimed) in laws {
        let audit = examine(law);
        println!("{audit}");
        assert!(audit.pass, "{audit}");
        assert_eq!(failing(&audit), unclaimed, "{audit}");
    }
}

#[test]
fn sound_laws_pass_with_other_seeds() {
    for seed in 0..5 {
        let options = AuditOptions {
            seed,
            ..AuditOptions::default()
        };
        let laws: [&dyn MaterialLaw; 4] = [
            &KelvinMaxwell::default(),
            &Bar::default(),
            &Orthotropic::default(),
            &Turned::default(),
        ];
        for law in laws {
            let audit = audit(law, &options);
            assert!(audit.pass, "seed {seed}: {audit}");
            assert!(
                audit.row("taylor_slope").unwrap().pass,
                "seed {seed}: {audit}"
            );
        }
    }
}

/// The tangent of a zero increment of a sound law is at least the stiffness of the next increment; the
/// minimal-state cell has no tangent there.
#[test]
fn the_tangent_of_a_zero_increment_is_compared_with_the_next_stiffness() {
    let figure = |name: &str| {
        let learn = Architecture {
            law: name.into(),
            ..Architecture::default()
        };
        let law = random_law(name, &learn, 3, 0);
        examine(&law)
            .row("start_tangent")
            .and_then(|row| row.value)
            .unwrap()
    };
    for law in ["relaxation", "physically-recurrent"] {
        let figure = figure(law);
        println!("{law}: {figure:.3}");
        assert!(figure >= 0.5, "{law}: {figure}");
    }
    let cell = figure("minimal-state");
    println!("minimal-state: {cell:.3}");
    assert!(cell < 0.5, "{cell}");
    for (_, law) in example_laws() {
        let figure = examine(law.as_ref())
            .row("start_tangent")
            .and_then(|row| row.value);
        println!("{}: {figure:?}", law.name());
        assert!(
            figure.is_some_and(|figure| figure > 0.999),
            "{}",
            law.name()
        );
    }
}

#[test]
fn wrong_tangents_are_caught() {
    let rows = ["tangent_error", "taylor_slope"];
    assert_refuted(KelvinMaxwell::default(), Fault::DoubledShear, &rows);
    assert_refuted(Turned::default(), Fault::TransposedTangent, &rows);
    assert_refuted(Orthotropic::default(), Fault::SwappedStress, &rows);
}

#[test]
fn a_consistent_swap_of_13_and_23_is_caught_by_the_free_energy() {
    let fault = Fault::SwappedStressAndTangent;
    let audit = assert_refuted(Orthotropic::default(), fault, &["energy_gradient"]);
    assert!(audit.row("tangent_error").unwrap().pass, "{audit}");
}

#[test]
fn stale_states_are_caught() {
    assert_refuted(
        KelvinMaxwell::default(),
        Fault::StateNotWritten,
        &["rollback"],
    );
    let rows = ["energy_gradient", "dissipation_gradient"];
    assert_refuted(KelvinMaxwell::default(), Fault::StaleState, &rows);
    assert_refuted(Bar::default(), Fault::StaleState, &rows);
}

#[test]
fn traces_of_failed_updates_and_hidden_memory_are_caught() {
    for fault in [
        Fault::StateChangedOnError,
        Fault::StressChangedOnError,
        Fault::HiddenCounter,
    ] {
        assert_refuted(KelvinMaxwell::default(), fault, &["rollback"]);
        assert_refuted(Bar::default(), fault, &["rollback"]);
    }
}

#[test]
fn violations_of_the_second_law_are_caught() {
    let rows = [
        "min_dissipation_end",
        "negative_share",
        "dissipation_gradient",
    ];
    assert_refuted(KelvinMaxwell::default(), Fault::DissipationSign, &rows);
    assert_refuted(Bar::default(), Fault::DissipationSign, &rows);
    let rows = ["min_dissipation_split"];
    assert_refuted(KelvinMaxwell::default(), Fault::DissipationNegative, &rows);
    let rows = ["dissipation_gradient"];
    assert_refuted(Turned::default(), Fault::DissipationHidden, &rows);
}

#[test]
fn states_that_drift_or_grow_are_caught() {
    assert_refuted(
        KelvinMaxwell::default(),
        Fault::DriftingState,
        &["stationarity"],
    );
    let mut slow = KelvinMaxwell::default();
    slow.relaxation_time = 1e9;
    assert_refuted(slow, Fault::GrowingState, &["stationarity", "state_growth"]);
    let rows = ["self_consistency_strain"];
    assert_caught(KelvinMaxwell::default(), Fault::CountedState, &rows);
}

#[test]
fn initial_stress_and_negative_stiffness_are_caught() {
    let rows = ["rest_stress", "energy_gradient"];
    assert_refuted(KelvinMaxwell::default(), Fault::PreStress, &rows);
    let rows = ["min_tangent_eigenvalue"];
    assert_caught(Bar::default(), Fault::NegativeStiffness, &rows);
}

#[test]
fn symmetries_that_a_law_does_not_have_are_caught() {
    let rows = ["objectivity", "material_symmetry"];
    for claims in [Symmetry::Isotropic, Symmetry::TransverselyIsotropic] {
        let mut law = Orthotropic::default();
        law.claims = claims;
        let audit = assert_refuted(law, Fault::None, &rows);
        assert_eq!(failing(&audit), rows, "{audit}");
    }
    // A stress along 11 from the shear in 12.
    let mut skew = Orthotropic::default();
    skew.moduli[(0, 3)] = 100.0;
    skew.moduli[(3, 0)] = 100.0;
    let audit = assert_refuted(skew, Fault::None, &["material_symmetry"]);
    assert_eq!(failing(&audit), rows, "{audit}");
}

#[test]
fn a_strain_that_its_stress_does_not_determine_is_caught() {
    let mut law = Bar::default();
    law.hardening = 0.0;
    let audit = examine(&law);
    assert!(failing(&audit).contains(&"closed_loop"), "{audit}");
    assert!(
        audit.pass,
        "perfect plasticity breaks no guarantee:\n{audit}"
    );
}

/// The audit of a law that a card names.
fn examine_card(card: &str) -> Audit {
    let source = LawSource::from_bytes("card.toml", card.as_bytes()).unwrap();
    examine(source.law().unwrap().as_ref())
}

fn elastic_card(poisson: f64, components: usize) -> String {
    format!(
        "name = \"rubber\"\ncomponents = {components}\n[reference]\nlaw = \"isotropic-elastic\"\n\
         young_MPa = 4.0\npoisson = {poisson}\n"
    )
}

/// The stress of nearly incompressible materials is a small difference of large ones; the audit must
/// neither call its round-off a fault nor overlook a fault because of it.
#[test]
fn nearly_incompressible_laws_pass_in_every_stress_state() {
    for components in [1, 3, 6] {
        for poisson in [0.49, 0.499, 0.4999, 0.49999] {
            let audit = examine_card(&elastic_card(poisson, components));
            assert!(failing(&audit).is_empty(), "ν = {poisson}: {audit}");
        }
        for (shear, integration) in [
            (0.0, "end-strain"),
            (0.02, "end-strain"),
            (0.8, "end-strain"),
            (0.0, "linear-strain"),
        ] {
            let audit = examine_card(&format!(
                "name = \"gel\"\ncomponents = {components}\n[reference]\nlaw = \"maxwell\"\n\
                 bulk_MPa = 2500.0\nshear_MPa = {shear}\nintegration = \"{integration}\"\n\
                 branches = [{{ shear_MPa = 1.0, relaxation_time_s = 0.5 }}, \
                 {{ shear_MPa = 0.4, relaxation_time_s = 30.0 }}]\n"
            ));
            assert!(audit.pass, "G = {shear}: {audit}");
            assert!(!audit.rows.iter().any(|row| row.undecided), "{audit}");
            for row in ["tangent_error", "taylor_slope", "energy_gradient"] {
                assert!(audit.row(row).unwrap().pass, "G = {shear}, {row}: {audit}");
            }
            if integration == "end-strain" {
                assert!(failing(&audit).is_empty(), "G = {shear}: {audit}");
            }
        }
    }
}

#[test]
fn a_wrong_tangent_of_a_nearly_incompressible_law_is_caught() {
    for poisson in [0.4999, 0.49999, 0.499999999] {
        let source =
            LawSource::from_bytes("card.toml", elastic_card(poisson, 3).as_bytes()).unwrap();
        let law = source.law().unwrap();
        let faulty = Faulty::new(Arc::<dyn MaterialLaw>::from(law), Fault::SoftTangent);
        let audit = examine(&faulty);
        assert!(!audit.pass, "ν = {poisson}: {audit}");
        assert!(failing(&audit).contains(&"tangent_error"), "{audit}");
    }
}

/// Trained laws have such turns: `minimal-state` sees the direction of the increment.
#[test]
fn a_turn_below_the_resolution_of_differences_is_no_fault_of_the_tangent() {
    let audit = examine(&Faulty::new(KelvinMaxwell::default(), Fault::WeakTurn));
    assert!(audit.row("tangent_error").unwrap().pass, "{audit}");
}

/// Far from a small increment these laws have one slope on both sides, and another one at it.
#[test]
fn a_bend_shorter_than_the_steps_of_differences_is_no_fault_of_the_tangent() {
    for clock in [Clock::StrainPath, Clock::Both] {
        for (external, name) in [
            (0, "decaying-memory"),
            (2, "decaying-memory"),
            (0, "relaxation"),
        ] {
            let learn = Architecture {
                law: name.into(),
                clock,
                symmetry: Symmetry::Isotropic,
                ..Architecture::default()
            };
            let title = format!("{name}, {clock:?}, 1 components, Isotropic");
            let law = random_law(&title, &learn, 1, external);
            let options = AuditOptions {
                external: vec![60.0; external],
                cycles: 20,
                ..AuditOptions::default()
            };
            for histories in [4, 12] {
                let options = AuditOptions {
                    histories,
                    ..options.clone()
                };
                let audit = audit(&law, &options);
                assert!(audit.row("tangent_error").unwrap().pass, "{title}: {audit}");
            }
        }
    }
}

/// The answer jumps at a hold: differences say nothing there, however long their steps.
#[test]
fn a_hold_of_a_law_that_sees_the_direction_is_no_fault_of_the_tangent() {
    let learn = Architecture {
        law: "minimal-state".into(),
        clock: Clock::Time,
        ..Architecture::default()
    };
    let law = random_law("minimal-state, Time, 1 components, None", &learn, 1, 0);
    let options = AuditOptions {
        histories: 4,
        cycles: 20,
        ..AuditOptions::default()
    };
    let audit = audit(&law, &options);
    assert!(audit.row("tangent_error").unwrap().pass, "{audit}");
}

#[test]
fn what_round_off_hides_is_undecided_and_not_failed() {
    let audit = examine(&Faulty::new(Turned::default(), Fault::SinglePrecision));
    let row = audit.row("tangent_error").unwrap();
    assert!(row.undecided && !row.pass, "{audit}");
    assert_eq!(row.kind, Kind::Guaranteed);
    assert!(audit.pass, "{audit}");
    let verdict = audit.verdict();
    assert!(verdict.contains("undecided: tangent_error"), "{verdict}");
    assert!(!verdict.contains("every guarantee holds"), "{verdict}");
    assert!(audit.to_string().contains(&verdict), "{audit}");
    let json = serde_json::to_value(&audit).unwrap();
    assert_eq!(json["rows"][0]["undecided"], true);
}

#[test]
fn hardening_without_end_is_caught() {
    let drift = |isotropic: f64| {
        let mut law = Bar::default();
        law.isotropic = isotropic;
        let audit = examine(&law);
        let row = audit.row("cyclic_drift").unwrap();
        assert_eq!(row.kind, Kind::Tested);
        assert!(audit.pass, "{audit}");
        (row.value.unwrap(), row.pass)
    };
    assert_eq!(drift(0.0), (0.0, true));
    let (value, pass) = drift(30.0);
    println!("cyclic drift of a bar that hardens without end: {value:.3}");
    assert!(value > 0.1 && !pass, "{value}");
    // Six components: under uniaxial stress.
    let solid = "name = \"metal\"\ncomponents = 6\n[reference]\nlaw = \"j2\"\nyoung_MPa = 200e3\n\
                 poisson = 0.3\nyield_MPa = 200.0\n";
    for (hardening, settles) in [
        ("linear_hardening_MPa = 50.0\n", false),
        ("backstress = [{ c_MPa = 20e3, gamma = 100.0 }]\n", true),
    ] {
        let audit = examine_card(&format!("{solid}{hardening}"));
        let row = audit.row("cyclic_drift").unwrap();
        assert_eq!(row.pass, settles, "{audit}");
    }
}

#[test]
fn laws_that_cannot_be_evaluated_fail_without_a_panic() {
    assert_refuted(
        Bar::default(),
        Fault::AlwaysRefuses,
        &["tangent_error", "rest_stress"],
    );
    let audit = assert_refuted(
        KelvinMaxwell::default(),
        Fault::NotANumber,
        &["tangent_error"],
    );
    assert!(audit.to_string().contains("FAILS"));
    let audit = assert_refuted(Bar::default(), Fault::TwoComponents, &AUDIT_ROWS[..14]);
    assert_eq!(audit.rows[0].value, None);
}

#[test]
fn rejected_increments_are_counted_and_excluded() {
    let audit = examine(&Faulty::new(KelvinMaxwell::default(), Fault::RefusesLarge));
    assert!(audit.pass, "{audit}");
    assert!(
        audit.to_string().contains("increments as too large"),
        "{audit}"
    );
}

#[test]
fn the_same_seed_gives_the_same_audit() {
    assert_eq!(examine(&Bar::default()), examine(&Bar::default()));
}

#[test]
fn json_has_the_documented_shape() {
    let audit = examine(&Bar::default());
    let json: serde_json::Value = serde_json::to_value(&audit).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&json), ["law", "pass", "rows"]);
    assert_eq!(json["law"], "bar");
    assert_eq!(json["pass"], true);
    let rows = json["rows"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, AUDIT_ROWS);
    for row in rows {
        assert_eq!(
            keys(row),
            ["kind", "limit", "name", "pass", "undecided", "value"]
        );
        assert!(row["limit"].is_number());
        let name = row["name"].as_str().unwrap();
        let exempt = ["objectivity", "material_symmetry"].contains(&name);
        assert_eq!(row["value"].is_null(), exempt, "{row}");
        assert!(["guaranteed", "tested"].contains(&row["kind"].as_str().unwrap()));
    }
    assert_eq!(rows[0]["kind"], "guaranteed");
    assert_eq!(audit.row("taylor_slope").unwrap().kind, Kind::Tested);
}
