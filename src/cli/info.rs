//! `hysteron info`

use super::Verdict;
use super::output::{print, print_json, short};
use clap::Args;
use hysteron::audit::saved_rows_beyond;
use hysteron::graph::{Constraint, ParameterTensor, Unit};
use hysteron::law::{InitialModuli, StateVariable};
use hysteron::model::{Metadata, Model};
use hysteron::symmetry::Symmetry;
use hysteron::{MaterialLaw, Result, open};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;

/// Records whose own ranges are shown.
const SHOWN_RECORDS: usize = 12;

/// Shows what a saved law is and where it comes from.
///
/// Sizes, parameters, scales, trained range, card, training, audit, and what the law guarantees.
#[derive(Args)]
#[command(after_help = "Examples:
  hysteron info steel.safetensors
  hysteron info steel.safetensors --listing
  hysteron info steel.safetensors --json")]
pub struct Arguments {
    /// A saved law (.safetensors).
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Print the equations of an increment, with the consistent tangent, and as compiled.
    #[arg(long, conflicts_with = "json")]
    listing: bool,
}

impl Arguments {
    pub fn run(self) -> Result<Verdict> {
        let model = open(&self.model)?.into_model()?;
        let metadata = &model.metadata;
        match (self.json, self.listing) {
            (true, _) => print_json(&object(&model, metadata))?,
            (false, true) => print(&model.law.listing())?,
            (false, false) => print(&text(&model, metadata))?,
        }
        Ok(Verdict::Pass)
    }
}

/// The metadata, the parameters and the guarantees.
fn object(model: &Model, metadata: &Metadata) -> Value {
    let tensors = model.law.layout().tensors().iter();
    let tensors: Vec<Value> = tensors
        .map(|t| {
            json!({
                "name": t.name,
                "shape": t.parameter.shape(),
                "positive": t.constraint == Constraint::Positive,
                "unit": t.unit.symbol(),
            })
        })
        .collect();
    let mut object = json!(metadata);
    object["parameters"] = json!({ "count": model.law.layout().len(), "tensors": tensors });
    object["guarantees"] = guarantees(model)
        .into_iter()
        .map(|(key, _, holds)| (key.to_string(), Value::Bool(holds)))
        .collect();
    object
}

/// The values of a tensor that has a unit.
fn physical(model: &Model, tensor: &ParameterTensor) -> String {
    if tensor.unit == Unit::One {
        return String::new();
    }
    let scales = model.law.scales();
    let scale = tensor
        .unit
        .scale([scales.strain, scales.stress, scales.time]);
    let constrained = model
        .law
        .layout()
        .constrained(model.law.unconstrained_parameters());
    let values = tensor.parameter.of(&constrained).iter();
    let values: Vec<_> = values.map(|value| short(value * scale)).collect();
    format!(": {} {}", values.join(", "), tensor.unit.symbol())
}

fn guarantees(model: &Model) -> [(&'static str, &'static str, bool); 7] {
    let holds = model.law.guarantees();
    let symmetry = holds.symmetry;
    [
        ("second_law", "no negative dissipation", holds.second_law),
        (
            "stationary",
            "an empty increment changes nothing",
            holds.stationary,
        ),
        (
            "rate_independent",
            "the duration of an increment does not matter",
            holds.rate_independent,
        ),
        (
            "isotropic",
            "no preferred direction",
            symmetry == Symmetry::Isotropic,
        ),
        (
            "transversely_isotropic",
            "no preferred direction across axis 1",
            symmetry == Symmetry::TransverselyIsotropic,
        ),
        (
            "orthotropic",
            "axes 1, 2 and 3 can be turned around",
            symmetry == Symmetry::Orthotropic,
        ),
        (
            "rest",
            "no stress and energy in the virgin state",
            holds.rest,
        ),
    ]
}

fn text(model: &Model, metadata: &Metadata) -> String {
    let mut text = String::new();
    let mut line = |key: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key:<14}{value}");
    };
    let a = &metadata.architecture;
    let n = &metadata.normalisation;
    line("name", metadata.name.clone());
    line("law", a.law.clone());
    line(
        "sizes",
        format!(
            "{} strain components, {} external variables, {} internal variables",
            a.components,
            a.external,
            model.law.state_layout().len()
        ),
    );
    let keys = [
        ("states", a.states),
        ("width", a.width),
        ("layers", a.layers),
        ("energy_width", a.energy_width),
        ("energy_layers", a.energy_layers),
        ("substeps", a.substeps),
    ];
    let keys = keys.map(|(key, value)| format!("{key} {value}")).join(", ");
    let [clock, symmetry] = [json!(a.clock), json!(a.symmetry)].map(|value| word(&value));
    line(
        "learn",
        format!("{keys}, clock {clock}, symmetry {symmetry}"),
    );
    line("parameters", model.law.layout().len().to_string());
    for tensor in model.law.layout().tensors() {
        let [rows, columns] = tensor.parameter.shape();
        let positive = match tensor.constraint {
            Constraint::Positive => ", positive",
            Constraint::Free => "",
        };
        let values = physical(model, tensor);
        line(
            "",
            format!("{} [{rows}, {columns}]{positive}{values}", tensor.name),
        );
    }
    for variable in model.law.state_layout().variables() {
        let StateVariable { name, len, unit } = variable;
        line("state", format!("{name} [{len}], unit {unit}"));
    }
    if let Some(moduli) = InitialModuli::of(&model.law) {
        line("at rest", moduli.to_string());
    }
    line(
        "scales",
        format!(
            "strain {}, stress {} {}, time {} {}",
            short(n.strain),
            short(n.stress),
            metadata.units.stress,
            short(n.time),
            metadata.units.time
        ),
    );
    for (name, [offset, scale]) in n.external_names.iter().zip(&n.external) {
        let spread = match *scale > 0.0 {
            true => format!("{name}: {} ± {}", short(*offset), short(*scale)),
            false => format!("{name}: {}, did not vary: no influence", short(*offset)),
        };
        line("external", spread);
    }
    if let Some(range) = &n.range {
        let between = |[low, high]: &[f64; 2]| format!("{} … {}", short(*low), short(*high));
        for quantity in model.law.trained_range() {
            line("range", quantity);
        }
        for record in range.records.iter().take(SHOWN_RECORDS) {
            let strains: Vec<_> = record.strain.iter().map(between).collect();
            let cycles = record.amplitudes.map_or_else(String::new, |sizes| {
                let halves = record.half_cycles;
                format!("; {halves} half cycles of {}", between(&sizes))
            });
            line(
                "record",
                format!(
                    "{}: strain {}; path {}{cycles}",
                    record.name,
                    strains.join(", "),
                    short(record.strain_path)
                ),
            );
        }
    }
    let ranges = n.strain_range.iter();
    let ranges: Vec<_> = ranges
        .map(|[low, high]| format!("{} … {}", short(*low), short(*high)))
        .collect();
    line("trained range", ranges.join(", "));
    line(
        "measures",
        format!(
            "strain {}, stress {}",
            word(&json!(metadata.strain_measure)),
            word(&json!(metadata.stress_measure))
        ),
    );
    line(
        "card",
        format!("{} (sha256 {})", metadata.card_name, metadata.card_hash),
    );
    line(
        "written by",
        format!(
            "hysteron {}, schema {}",
            metadata.crate_version, metadata.schema
        ),
    );
    for entry in training(&metadata.training) {
        line("training", entry);
    }
    line("audit", verdict(&metadata.audit));
    for (_, meaning, holds) in guarantees(model) {
        let holds = if holds { "yes" } else { "no" };
        line("guarantees", format!("{meaning}: {holds}"));
    }
    text
}

/// The summary of a training: one line per entry, and per score.
fn training(summary: &Value) -> Vec<String> {
    let all = summary.as_object().into_iter().flatten();
    let mut lines = Vec::new();
    for (key, value) in all.filter(|(_, value)| !value.is_null()) {
        if key != "scores" {
            lines.push(format!("{key}: {}", word(value)));
            continue;
        }
        for (group, scores) in value.as_object().into_iter().flatten() {
            for score in scores.as_array().into_iter().flatten() {
                let rmse = score["rmse"].as_f64().map_or("–".into(), short);
                lines.push(format!("{group} {}: RMSE {rmse} MPa", word(&score["name"])));
            }
        }
    }
    lines
}

/// A JSON value without quotes around a plain text.
fn word(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_string(),
        None => value.to_string(),
    }
}

fn verdict(audit: &Value) -> String {
    let Some(pass) = audit["pass"].as_bool() else {
        return "none; `hysteron audit` makes one".into();
    };
    let rows = || audit["rows"].as_array().into_iter().flatten();
    let beyond: Vec<String> = saved_rows_beyond(audit)
        .map(|row| {
            format!(
                "{} {} ({})",
                word(&row["name"]),
                row["value"],
                word(&row["kind"])
            )
        })
        .collect();
    let undecided: Vec<String> = rows()
        .filter(|row| row["undecided"] == true)
        .map(|row| word(&row["name"]))
        .collect();
    let open = rows().any(|row| row["undecided"] == true && row["kind"] == "guaranteed");
    let mut verdict = match (pass, open) {
        (true, false) => "passes: every guarantee holds",
        (true, true) => "passes: no guarantee is violated",
        (false, _) => "FAILS: a guarantee is violated",
    }
    .to_string();
    for (what, names) in [("undecided", undecided), ("beyond their limits", beyond)] {
        if !names.is_empty() {
            verdict.push_str(&format!("; {what}: {}", names.join(", ")));
        }
    }
    verdict
}
