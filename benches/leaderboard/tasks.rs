//! The tasks: records, settings common to all laws, and reference errors.

use crate::trial::adaptive_name;
use crate::{measured, synthetic};
use hysteron::Result;
use hysteron::card::Card;
use hysteron::law::MaterialLaw;
use hysteron::record::Record;
use hysteron::recurrent::{Architecture, Clock, laws};
use hysteron::train::{ErrorScale, Training};
use std::path::Path;

#[derive(Clone, Debug, Default)]
pub struct Data {
    pub fitted: Vec<Record>,
    /// Validation records, which select the best epoch; if empty, the fitted ones do.
    pub selecting: Vec<Record>,
    pub unseen: Vec<Record>,
}

/// Data of a seed; `None` if its records are absent.
type Load = Box<dyn Fn(&Path, u64) -> Result<Option<Data>>>;

/// A law that is not trained.
pub struct Reference {
    pub name: &'static str,
    pub law: fn() -> Result<Box<dyn MaterialLaw>>,
}

/// Bounds from the records: the smallest possible error of a class of laws, or how well some records
/// determine the others.
pub struct Estimate {
    pub name: &'static str,
    pub errors: fn(&Data) -> Vec<f64>,
}

pub struct Task {
    pub name: &'static str,
    /// Variants of the task, which differ in their records.
    pub variant: String,
    pub protocol: &'static str,
    pub to_beat: &'static str,
    pub aim: &'static str,
    /// Names of the `errors`, with units.
    pub columns: &'static [&'static str],
    /// The column of the figure.
    pub shown: usize,
    /// Weight of the budget.
    pub weight: f64,
    pub learn: Architecture,
    pub training: Training,
    pub data: Load,
    pub errors: fn(&dyn MaterialLaw, &Data) -> Result<Vec<f64>>,
    pub reference: Option<Reference>,
    pub estimate: Option<Estimate>,
    /// Laws that are also evaluated with adaptive steps.
    pub adaptive: &'static [&'static str],
    pub longer: Option<Longer>,
}

/// Laws that are also trained with more time, and how.
pub struct Longer {
    pub laws: &'static [&'static str],
    pub learn: Architecture,
    pub training: Training,
    /// Other differences than the time, for a heading.
    pub note: &'static str,
}

impl Task {
    pub fn title(&self) -> String {
        match self.variant.as_str() {
            "" => self.name.into(),
            variant => format!("{}, {variant}", self.name),
        }
    }

    /// Heading of a column, with the variant.
    pub fn label(&self, column: usize) -> String {
        match self.variant.as_str() {
            "" => self.columns[column].into(),
            variant => format!("{variant}: {}", self.columns[column]),
        }
    }

    /// Names of the rows: all laws, those with adaptive steps, the reference and the bound.
    pub fn rows(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for law in laws() {
            rows.push(law.to_string());
            if self.adaptive.contains(&law) {
                rows.push(adaptive_name(law));
            }
        }
        rows.extend(self.reference.iter().map(|r| r.name.into()));
        rows.extend(self.estimate.iter().map(|e| e.name.into()));
        rows
    }
}

/// The defaults of a task.
fn plain() -> Task {
    Task {
        name: "",
        variant: String::new(),
        protocol: "",
        to_beat: "",
        aim: "",
        columns: &[],
        shown: 0,
        weight: 1.0,
        learn: Architecture::default(),
        training: training(),
        data: Box::new(|_, _| Ok(None)),
        errors: |_, _| Ok(Vec::new()),
        reference: None,
        estimate: None,
        adaptive: &[],
        longer: None,
    }
}

/// Sizes of all laws in all tasks; the clock differs.
fn learn(clock: Clock, states: usize) -> Architecture {
    Architecture {
        clock,
        states,
        width: 16,
        layers: 1,
        energy_width: 16,
        energy_layers: 1,
        ..Architecture::default()
    }
}

fn training() -> Training {
    Training {
        learning_rate: 2e-2,
        quasi_newton: 0.75,
        ridge: 1e-8,
        ..Training::default()
    }
}

fn steel() -> Task {
    Task {
        name: "cyclic steel",
        protocol: "Structural steel S355, `steel_epfl_resslab`: examples 1 and 2 fitted; unseen are C12, \
                   which buckles in its later cycles, and LP8, another heat. RMSE over the rows as measured.",
        to_beat: "published Voce–Chaboche 36.0 / 26.2 fitted, 64 / 67 MPa unseen",
        aim: "≤ 9 / ≤ 6 fitted, ≤ 30 / ≤ 67 MPa unseen",
        columns: &[
            "example 1, MPa",
            "example 2, MPa",
            "unseen C12, MPa",
            "unseen LP8, MPa",
        ],
        shown: 2,
        weight: 3.0,
        learn: learn(Clock::StrainPath, 8),
        data: Box::new(|data, _| measured::steel(data)),
        errors: measured::steel_errors,
        estimate: Some(Estimate {
            name: "any law, tangent ≤ 200 GPa",
            errors: measured::steel_bound,
        }),
        longer: Some(Longer {
            laws: &["relaxation", "physically-recurrent"],
            learn: learn(Clock::StrainPath, 8),
            training: Training {
                spacing: vec![0.0, 5e-4],
                ..training()
            },
            note: ", the records also in strain steps of 0.0005",
        }),
        reference: Some(Reference {
            name: "published Voce–Chaboche",
            law: || {
                let reference = Card::open("materials/steel_s355_voce_chaboche")?.reference;
                reference
                    .ok_or_else(|| hysteron::Error::invalid("the card has no reference law"))?
                    .build(1)
            },
        }),
        ..plain()
    }
}

fn composite(count: usize) -> Task {
    Task {
        name: "multiaxial path dependence",
        variant: format!("{count} curves"),
        protocol: "A fibre–epoxy cell in plane stress, `rve_prnn_2d`: 18, 6 or 2 curves fitted, 10 \
                   select the epoch, 18 take no part, drawn by the seed. RMSE over all components.",
        to_beat: "PRNN 4.6 MPa, GRU-64 20.5 MPa, both with 18 curves",
        aim: "≤ 1.3 MPa with 18 curves, ≤ 1.7 with 6, ≤ 2.3 with 2",
        columns: &["fitted, MPa", "unseen, MPa"],
        shown: 1,
        weight: if count == 18 { 2.0 } else { 1.0 },
        learn: learn(Clock::StrainPath, 16),
        data: Box::new(move |data, seed| measured::composite(data, seed, count)),
        errors: measured::composite_errors,
        longer: Some(Longer {
            laws: &["physically-recurrent"],
            learn: learn(Clock::StrainPath, 24),
            training: training(),
            note: " and 24 points",
        }),
        ..plain()
    }
}

fn elastomer() -> Task {
    Task {
        name: "nonlinear viscoelasticity",
        protocol: "Acrylic elastomer, `vhb4910_hossain2012`: the two records to stretch 3 fitted, the \
                   other nine unseen; also without the two to stretch 2.5 that are known to be \
                   inconsistent. Mean NRMSE.",
        to_beat: "vCANN 1.21 % fitted, 5.92 % unseen (4.79 % without those two)",
        aim: "≤ 4.8 % unseen (≤ 3.8 % without those two)",
        columns: &["fitted, %", "unseen, %", "without two, %"],
        shown: 1,
        weight: 1.0,
        learn: learn(Clock::Time, 8),
        data: Box::new(|data, _| measured::elastomer(data)),
        errors: measured::elastomer_errors,
        longer: Some(Longer {
            laws: &["generalized-standard"],
            learn: learn(Clock::Time, 8),
            training: training(),
            note: "",
        }),
        ..plain()
    }
}

fn adhesive() -> Task {
    Task {
        name: "relaxation",
        protocol: "Soft adhesive in shear, `oca_shear_zhao2024`: the slowest and the fastest ramps with \
                   holds fitted (`…_1` and `…_5`); unseen are two other multi-step tests, a fifth one of \
                   another film (at the same rate as `…_2` its stress is twice as high) and four \
                   monotonic ones, up to 70 times as fast. Mean NRMSE. The generalised Maxwell \
                   law is `physically-recurrent` on the clock of time.",
        to_beat: "a generalised Maxwell law fitted the same way: the row `physically-recurrent`",
        aim: "half its error",
        columns: &[
            "fitted, %",
            "unseen steps, %",
            "other film, %",
            "monotonic, %",
        ],
        shown: 1,
        weight: 1.0,
        learn: learn(Clock::Time, 8),
        data: Box::new(|data, _| measured::adhesive(data)),
        errors: measured::adhesive_errors,
        ..plain()
    }
}

fn hot_steel(held_out: Option<&'static str>) -> Task {
    Task {
        name: "rate and temperature",
        variant: match held_out {
            None => "all rates".into(),
            Some(rate) => format!("{rate} /s held out"),
        },
        protocol: "Hot compression of steel, `steel_hot_gleeble_pantale`: 6 rates and 5 temperatures, \
                   the temperature as an external variable, in strain steps of 0.01. MARE over the \
                   rows with strain (without it every law is free of stress).",
        to_beat: "all rates ANN 0.62 %; 1 /s held out Arrhenius 1.46 %; 5 /s held out Arrhenius 3.53 %",
        aim: "≤ 0.5 %; ≤ 1.2 %; ≤ 2.5 %",
        columns: match held_out {
            None => &["fitted, %"],
            Some(_) => &["fitted, %", "held out, %"],
        },
        shown: usize::from(held_out.is_some()),
        weight: 1.5,
        learn: learn(Clock::Both, 8),
        data: Box::new(move |data, _| measured::hot_steel(data, held_out)),
        errors: measured::hot_steel_errors,
        estimate: Some(Estimate {
            name: "the two nearest rates, straight in ln rate",
            errors: measured::nearest_rates,
        }),
        longer: Some(Longer {
            laws: &["relaxation"],
            learn: learn(Clock::Both, 8),
            training: Training {
                error_scale: ErrorScale::Record,
                ..training()
            },
            note: ", errors over the stress of their record",
        }),
        ..plain()
    }
}

fn four_legs() -> Task {
    Task {
        name: "self-consistency",
        protocol: "J2 in plane stress (E 70 GPa, ν 0.3, hardening 300 + 1000 p^0.3 MPa as a sum of Voce \
                   terms), 240 paths of 4 × 25 increments within ±0.012, every fourth unseen. Spread of \
                   the end of ten unseen paths over 40 to 800 increments.",
        to_beat: "LMSC 0.01 % strain-driven, 0.06 % stress-driven; LSTM 0.09 % and 65 %",
        aim: "≤ 0.01 % and ≤ 0.05 %",
        columns: &["unseen, MPa", "strain-driven, %", "stress-driven, %"],
        shown: 1,
        weight: 4.0,
        learn: learn(Clock::StrainPath, 8),
        data: Box::new(|_, _| synthetic::four_legs()),
        errors: synthetic::four_legs_errors,
        adaptive: &[
            "decaying-memory",
            "relaxation",
            "physically-recurrent",
            "generalized-standard",
        ],
        ..plain()
    }
}

fn walks() -> Task {
    Task {
        name: "sequence-length transfer",
        protocol: "J2 with mixed hardening in plane stress, random walks of 125 legs: 24 fitted in 500 \
                   increments, 12 others tested in 500, 125 and 2000 increments of the same paths. \
                   RMSE at the ends of the legs; the last two over the first.",
        to_beat: "the error of a minimal-state cell grows about 3000-fold",
        aim: "≤ 2-fold",
        columns: &["unseen in 500, MPa", "in 125, ×", "in 2000, ×"],
        shown: 2,
        weight: 2.0,
        learn: learn(Clock::StrainPath, 8),
        data: Box::new(|_, seed| synthetic::walks(seed)),
        errors: synthetic::walks_errors,
        ..plain()
    }
}

fn paths(count: usize) -> Task {
    Task {
        name: "data efficiency",
        variant: match count {
            1 => "1 path".into(),
            count => format!("{count} paths"),
        },
        protocol: "J2 with mixed hardening, Gaussian-process paths of all six components in 80 \
                   increments: 1, 8 or 256 fitted, 32 unseen. RMSE.",
        to_beat: "`gru` with 256 paths",
        aim: "the same error with ≤ 8 paths",
        columns: &["unseen, MPa"],
        shown: 0,
        weight: if count == 256 { 3.0 } else { 1.0 },
        learn: learn(Clock::StrainPath, 8),
        data: Box::new(move |_, seed| synthetic::paths(seed, count)),
        errors: synthetic::paths_errors,
        ..plain()
    }
}

pub fn all() -> Vec<Task> {
    let mut tasks = vec![steel()];
    tasks.extend([18, 6, 2].map(composite));
    tasks.extend([elastomer(), adhesive()]);
    tasks.extend([None, Some("1"), Some("5")].map(hot_steel));
    tasks.extend([four_legs(), walks()]);
    tasks.extend([1, 8, 256].map(paths));
    tasks
}
