//! What makes a law fit for a finite element solver, measured.
//!
//! Every row has a figure, a limit, and a kind. *Guaranteed* rows hold by contract or because the
//! law claims them in its [`Guarantees`](crate::law::Guarantees); one that fails refutes the law.
//! *Tested* rows are only measured. Random histories lie within the law's strain scale `ε_s`, and
//! ten and a hundred times beyond; figures are made dimensionless by the law's scales.
//!
//! | row | figure | limit | guaranteed for |
//! |---|---|---|---|
//! | `tangent_error` | `‖C − C_num‖ / max(‖C‖, ‖C_0‖)`, worst; `C_num` by extrapolated central differences; increments at a kink are left out | 1e-7 | every law |
//! | `taylor_slope` | slope of `log ‖σ(ε+hδ) − σ − hCδ‖` over `log h`, smallest over smooth rays; 2 where only round-off remains | ≥ 1.9 | – |
//! | `min_dissipation_end` | smallest `D_end` over the larger of `σ_s ε_s` and the history's largest `ψ` so far | ≥ −1e-12 | `second_law` |
//! | `min_dissipation_split` | the same of `ψ(ε₁, z₀) − ψ(ε₁, z₁)` | ≥ −1e-12 | `second_law` |
//! | `negative_share` | share of increments whose `D_end` is below −1e-12 of that scale | 0 | `second_law` |
//! | `stationarity` | largest relative change of state and stress in an empty increment | 0 | `stationary` |
//! | `self_consistency_strain` | one strain path in 25, 50, … 800 increments: spread of the final stress over the peak stress | 0.1 | – |
//! | `self_consistency_stress` | the stresses of its finest run in 25 … 800 increments: spread of the final strain over the peak strain | 0.5 | – |
//! | `closed_loop` | strain cycle, then driven by its own stresses: largest difference of the strains over the peak strain | 1e-6 | – |
//! | `rollback` | answers that change, in any bit, by rejected and failed increments before, other contents of the output buffers, or a restart | 0 | every law |
//! | `min_tangent_eigenvalue` | smallest eigenvalue of `sym C` over `‖C_0‖` | ≥ −1e-9 | – |
//! | `state_growth` | largest growth of a small perturbation of the state over many increments | 10 | – |
//! | `objectivity` | `‖σ(QεQᵀ) − QσQᵀ‖` over the peak stress, random rotations (6 components) | 1e-10 | isotropic laws |
//! | `rest_stress` | the larger of `‖σ(0, z_0)‖ / σ_s` and `ψ(0, z_0) / σ_s ε_s` | 1e-12 | `rest` |
//! | `energy_gradient` | `σ` against `∂ψ/∂ε` at the new state by extrapolated central differences, and the stored energy against `ψ` | 1e-6 | every law |
//! | `dissipation_gradient` | `D_end` against `−∂ψ/∂z·Δz` by extrapolated central differences | 1e-6 | every law |
//! | `min_dissipation_work` | smallest `σ·Δε − Δψ`, for comparison: at finite increments it hides violations | ≥ −1e-12 | – |
//! | `material_symmetry` | as `objectivity`, for rotations of the symmetry that the law claims: about its fibres, or by half turns | 1e-10 | `symmetry` |
//! | `start_tangent` | `d·C_0 d` of an increment of nothing over `d·Δσ/h` of the increments `±h d` that may follow, smallest | ≥ 0.5 | – |
//!
//! The two limits of self-consistency leave room for what a sound first-order integrator shows in
//! the coarsest of the six runs (five increments per straight piece): a few per cent of the stress,
//! and under stress control that much times the ratio of the elastic to the hardening modulus.

mod consistency;
mod dissipation;
mod histories;
mod memory;
mod options;
mod report;
mod start;
mod subject;
mod symmetry;
mod tangent;
mod taylor;

pub use options::AuditOptions;
pub use report::{Audit, Kind, Row};

use crate::law::{DISSIPATION_ROUND_OFF, MaterialLaw};
use crate::mandel::positions;
use crate::symmetry::Symmetry;
use histories::history;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use report::{Bound, Definition, Finding};
use subject::{Subject, Tally};

/// Ranges of the random histories, in strain scales.
const RANGES: [f64; 3] = [1.0, 10.0, 100.0];

const fn at_most(name: &'static str, limit: f64, meaning: &'static str) -> Definition {
    Definition {
        name,
        bound: Bound::AtMost,
        limit,
        meaning,
    }
}

const fn at_least(name: &'static str, limit: f64, meaning: &'static str) -> Definition {
    Definition {
        name,
        bound: Bound::AtLeast,
        limit,
        meaning,
    }
}

#[rustfmt::skip]
const ROWS: [Definition; 19] = [
    at_most("tangent_error", 1e-7, "consistent tangent against central differences"),
    at_least("taylor_slope", 1.9, "order of what the tangent leaves of a stress change"),
    at_least("min_dissipation_end", -DISSIPATION_ROUND_OFF, "smallest A₁·Δz, over the energy scale"),
    at_least("min_dissipation_split", -DISSIPATION_ROUND_OFF, "smallest ψ(ε₁,z₀) − ψ(ε₁,z₁), over the energy scale"),
    at_most("negative_share", 0.0, "share of increments with negative A₁·Δz"),
    at_most("stationarity", 0.0, "change of state and stress in an empty increment"),
    at_most("self_consistency_strain", 0.1, "spread of the final stress over 25 to 800 increments"),
    at_most("self_consistency_stress", 0.5, "the same under stress control, spread of the final strain"),
    at_most("closed_loop", 1e-6, "strains when driven by the stresses of a strain cycle"),
    at_most("rollback", 0.0, "answers changed by rejected increments or a restart"),
    at_least("min_tangent_eigenvalue", -1e-9, "smallest eigenvalue of sym C over the stiffness at rest"),
    at_most("state_growth", 10.0, "growth of a small perturbation of the state"),
    at_most("objectivity", 1e-10, "the stress turns with the strain"),
    at_most("rest_stress", 1e-12, "stress and energy of the virgin state"),
    at_most("energy_gradient", 1e-6, "stress against the derivative of the free energy"),
    at_most("dissipation_gradient", 1e-6, "A₁·Δz against the derivative of the free energy"),
    at_least("min_dissipation_work", -DISSIPATION_ROUND_OFF, "smallest σ₁·Δε − Δψ: hides violations at finite steps"),
    at_most("material_symmetry", 1e-10, "the stress turns with the strain by the symmetry of the law"),
    at_least("start_tangent", 0.5, "tangent of an empty increment over the stiffness that a small one meets"),
];

/// Audits a law. Never fails: a law that cannot be evaluated gives rows without a figure, which do
/// not pass.
pub fn audit(law: &dyn MaterialLaw, options: &AuditOptions) -> Audit {
    if positions(law.components()).is_none() {
        let note = format!("a law has 1, 3 or 6 components, not {}", law.components());
        let row = |definition: &Definition| definition.row(true, Finding::missing(&note));
        return Audit::new(law.name(), ROWS.iter().map(row).collect());
    }
    let subject = Subject::new(law, &options.external);
    let claims = law.guarantees();
    let survey = survey(&subject, options);
    let random = |stream: u64| {
        let mut random = ChaCha8Rng::seed_from_u64(options.seed);
        random.set_stream(stream);
        random
    };
    let (strain_driven, stress_driven) = consistency::self_consistency(&subject, &mut random(1));
    let [end, split, negative, work] = survey.dissipation.findings();
    let findings = [
        (true, survey.tangent.error(&survey.tally)),
        (false, survey.taylor.finding()),
        (claims.second_law, end.note(survey.tally.note())),
        (claims.second_law, split),
        (claims.second_law, negative),
        (claims.stationary, survey.stationarity.finding()),
        (false, strain_driven),
        (false, stress_driven),
        (false, consistency::closed_loop(&subject, &mut random(2))),
        (true, memory::rollback(&subject, options, &mut random(3))),
        (false, survey.tangent.eigenvalue()),
        (
            false,
            memory::state_growth(&subject, options, &mut random(4)),
        ),
        (
            claims.symmetry == Symmetry::Isotropic,
            symmetry::objectivity(&subject, options, &mut random(5)),
        ),
        (claims.rest, symmetry::rest(&subject)),
        (true, survey.gradient.energy()),
        (true, survey.gradient.dissipation()),
        (false, work),
        (
            claims.symmetry != Symmetry::None,
            symmetry::material(&subject, options, &mut random(6)),
        ),
        (false, survey.start.finding()),
    ];
    let rows = ROWS
        .iter()
        .zip(findings)
        .map(|(definition, (guaranteed, finding))| definition.row(guaranteed, finding));
    Audit::new(law.name(), rows.collect())
}

/// What is measured along the random histories.
struct Survey {
    tally: Tally,
    tangent: tangent::TangentProbe,
    taylor: taylor::TaylorProbe,
    dissipation: dissipation::DissipationProbe,
    gradient: dissipation::GradientProbe,
    stationarity: consistency::StationarityProbe,
    start: start::StartProbe,
}

fn survey(subject: &Subject, options: &AuditOptions) -> Survey {
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    // Of its own, so that the other figures do not depend on it.
    let mut of_start = random.clone();
    of_start.set_stream(7);
    let mut survey = Survey {
        tally: Tally::default(),
        tangent: Default::default(),
        taylor: Default::default(),
        dissipation: Default::default(),
        gradient: Default::default(),
        stationarity: Default::default(),
        start: Default::default(),
    };
    let (scales, n) = (subject.scales, subject.n);
    for range in RANGES {
        let amplitude = range * scales.strain;
        for kind in 0..options.histories {
            let legs = history(
                kind,
                n,
                amplitude,
                scales.time,
                options.increments,
                &mut random,
            );
            let tally = subject.walk(&legs, &mut |visit| {
                survey.tangent.visit(subject, visit);
                survey.taylor.visit(subject, visit, &mut random);
                survey.dissipation.visit(subject, visit);
                survey.gradient.visit(subject, visit);
                survey.stationarity.visit(subject, visit);
                survey.start.visit(subject, visit, &mut of_start);
            });
            survey.tally.add(tally);
        }
    }
    survey
}
