//! The audit: measures the properties of a law that a finite element solver needs.
//!
//! Every row has a value, a limit and a kind. *Guaranteed* rows hold by contract or because the
//! law claims them in its [`Guarantees`](crate::law::Guarantees); a failure refutes the claim.
//! *Tested* rows are only measured. A row is *undecided* where the round-off of the law's own answers
//! hides the property, and the audit does not fail because of it. The amplitudes of the random histories are one, ten and a
//! hundred times the law's strain scale `ε_s`; values are normalised with the law's scales.
//!
//! | row | value | limit | guaranteed for |
//! |---|---|---|---|
//! | `tangent_error` | `‖C − C_num‖ / max(‖C‖, ‖C_0‖)`, worst; `C_num` by extrapolated central differences; increments at a kink, or below the resolution of differences, are excluded | 1e-7 | every law |
//! | `taylor_slope` | slope of `log ‖σ(ε+hδ) − σ − hCδ‖` over `log h`, smallest over smooth directions; 2 if only round-off remains | ≥ 1.9 | – |
//! | `min_dissipation_end` | smallest `D_end` over the largest of `σ_s ε_s`, of the history's `ψ` so far, and of 8e12 standard deviations of the round-off of `ψ` | ≥ −1e-12 | `second_law` |
//! | `min_dissipation_split` | the same for `ψ(ε₁, z₀) − ψ(ε₁, z₁)` | ≥ −1e-12 | `second_law` |
//! | `negative_share` | share of increments whose `D_end` is below −1e-12 of that scale | 0 | `second_law` |
//! | `stationarity` | largest relative change of state and stress in a zero increment | 0 | `stationary` |
//! | `self_consistency_strain` | one strain path in 25, 50, …, 800 increments: spread of the final stress over the peak stress | 0.1 | – |
//! | `self_consistency_stress` | the stress path of its finest run in 25, …, 800 increments: spread of the final strain over the peak strain | 0.5 | – |
//! | `closed_loop` | strain cycle, then the same cycle under control of the resulting stresses: largest difference of the strains over the peak strain | 1e-6 | – |
//! | `rollback` | responses that change, in any bit, after rejected or failed increments, with other contents of the output buffers, or after a restart | 0 | every law |
//! | `min_tangent_eigenvalue` | smallest eigenvalue of `sym C` over `‖C_0‖` | ≥ −1e-9 | – |
//! | `state_growth` | largest growth of a small perturbation of the state over many increments | 10 | – |
//! | `objectivity` | `‖σ(QεQᵀ) − QσQᵀ‖` over the peak stress, random rotations (6 components) | 1e-10 | isotropic laws |
//! | `rest_stress` | maximum of `‖σ(0, z_0)‖ / σ_s` and `ψ(0, z_0) / σ_s ε_s` | 1e-12 | `rest` |
//! | `energy_gradient` | difference of `σ` and `∂ψ/∂ε` at the new state (extrapolated central differences), and of the stored energy and `ψ` | 1e-6 | every law |
//! | `dissipation_gradient` | difference of `D_end` and `−∂ψ/∂z·Δz` (extrapolated central differences) | 1e-6 | every law |
//! | `min_dissipation_work` | smallest `σ·Δε − Δψ`, for comparison: at finite increments it can hide violations | ≥ −1e-12 | – |
//! | `material_symmetry` | as `objectivity`, for rotations of the symmetry group that the law claims | 1e-10 | `symmetry` |
//! | `start_tangent` | smallest ratio of `d·C_0 d`, with the tangent `C_0` of a zero increment, to the stiffness `d·Δσ/h` of the next increments `±h d` | ≥ 0.5 | – |
//! | `cyclic_drift` | cycles between plus and minus `ε_s` under uniaxial stress: change of the largest and the smallest stress from cycle 100 to cycle 1000, over the largest stress of both | 0.1 | – |
//!
//! The two limits of self-consistency allow for the error of a sound first-order integrator in the
//! coarsest of the six runs (five increments per straight segment): a few per cent of the stress, and
//! under stress control that error times the ratio of the elastic to the hardening modulus.

mod consistency;
mod cycles;
mod dissipation;
mod histories;
mod memory;
mod noise;
mod options;
mod report;
mod start;
mod subject;
mod symmetry;
mod tangent;
mod taylor;

pub use options::AuditOptions;
pub use report::{Audit, Kind, Row, saved_rows_beyond};

use crate::law::{DISSIPATION_ROUND_OFF, MaterialLaw};
use crate::mandel::positions;
use crate::symmetry::Symmetry;
use dissipation::GRADIENT_LIMIT;
use histories::history;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use report::{Bound, Definition, Finding};
use subject::{Subject, Tally};

/// Amplitudes of the random histories, in strain scales.
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
const ROWS: [Definition; 20] = [
    at_most("tangent_error", 1e-7, "the stiffness is the exact derivative of the stress: beyond, Newton's method slows down or fails"),
    at_least("taylor_slope", 1.9, "Newton's method converges quadratically in small increments: below, the stiffness is inexact"),
    at_least("min_dissipation_end", -DISSIPATION_ROUND_OFF, "deformation consumes energy: below, a cycle can deliver energy and a run can blow up"),
    at_least("min_dissipation_split", -DISSIPATION_ROUND_OFF, "the internal variables release energy at constant strain: below, they create it"),
    at_most("negative_share", 0.0, "share of increments that create energy"),
    at_most("stationarity", 0.0, "an empty increment changes nothing: beyond, iterations without load move the state"),
    at_most("self_consistency_strain", 0.1, "the stress does not depend on the size of the increments (25 to 800 for one path)"),
    at_most("self_consistency_stress", 0.5, "the strain does not depend on the size of the increments under given stress"),
    at_most("closed_loop", 1e-6, "a stress belongs to one strain: beyond, load control may find another solution"),
    at_most("rollback", 0.0, "rejected increments and restarts leave no trace: beyond, cut increments change the result"),
    at_least("min_tangent_eigenvalue", -1e-9, "the stiffness stays positive: below zero a static solution can be lost"),
    at_most("state_growth", 10.0, "small errors of the internal variables stay small: beyond, results depend on round-off"),
    at_most("objectivity", 1e-10, "the stress turns with the strain: beyond, the material is not isotropic"),
    at_most("rest_stress", 1e-12, "the undeformed material has no stress and no energy: beyond, a part moves without load"),
    at_most("energy_gradient", GRADIENT_LIMIT, "the stress is the derivative of the stored energy: beyond, energy balances are wrong"),
    at_most("dissipation_gradient", GRADIENT_LIMIT, "the dissipation is what the stored energy loses: beyond, the heat of a part is wrong"),
    at_least("min_dissipation_work", -DISSIPATION_ROUND_OFF, "work minus stored energy, only for comparison: can hide violations in large increments"),
    at_most("material_symmetry", 1e-10, "the stress turns with the strain about the axes of the material"),
    at_least("start_tangent", 0.5, "the stiffness of an empty increment suits the next one: below, the first iterations can diverge"),
    at_most("cyclic_drift", 0.1, "the stress peaks settle within 100 of 1000 trained cycles: beyond, hardening or softening goes on"),
];

/// What a row of this name says of a law, `None` where there is no such row.
pub fn meaning(row: &str) -> Option<&'static str> {
    let row = ROWS.iter().find(|definition| definition.name == row);
    row.map(|definition| definition.meaning)
}

/// Audits a law. Never fails: a law that cannot be evaluated gives rows without a value, which do
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
        (false, cycles::drift(&subject, options)),
    ];
    let rows = ROWS
        .iter()
        .zip(findings)
        .map(|(definition, (guaranteed, finding))| definition.row(guaranteed, finding));
    Audit::new(law.name(), rows.collect())
}

/// The measurements along the random histories.
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
    // A separate stream, so that the other rows do not depend on this one.
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
