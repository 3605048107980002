//! The command-line program from outside: what it prints, writes and answers to bad input.
#![cfg(feature = "cli")]

mod support;

use hysteron::driver::follow;
use hysteron::model::Model;
use hysteron::record::Record;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use support::{AUDIT_ROWS, Folder};

const CARD: &str = r#"
name = "tiny steel"
strain_measure = "true"
stress_measure = "true"
components = 1

[reference]
law = "j2"
young_MPa = 200000.0
poisson = 0.3
yield_MPa = 300.0
voce = [{ q_MPa = 50.0, rate = 20.0 }]

[[programme]]
name = "cycles"
kind = "cyclic"
amplitude = 0.01
cycles = 1
steps = 12

[[programme]]
name = "tension"
kind = "monotonic"
strain = 0.02
steps = 20

[split]
validation = ["tension"]

[learn]
states = 4
width = 8
energy_width = 8

[train]
epochs = 30
"#;

const CSV: &str = "time_s,strain,stress_MPa\n0,0,0\n1,0.001,200\n2,0.004,310\n3,0.001,-250\n";
const PLANE: &str = "time_s,eps11,eps22,gam12,sig11,sig22,sig12\n0,0,0,0,0,0,0\n1,1e-3,0,0,9,0,0\n";

/// The program in a folder.
fn command(folder: &Folder, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hysteron"));
    command
        .current_dir(folder.path())
        .args(arguments.split_whitespace());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn run(folder: &Folder, arguments: &str) -> Output {
    let output = command(folder, arguments).output().unwrap();
    let errors = text(&output.stderr);
    assert!(!errors.contains("panicked"), "{arguments}: {errors}");
    output
}

/// What a run that must succeed prints.
fn ok(folder: &Folder, arguments: &str) -> String {
    let output = run(folder, arguments);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {errors}");
    text(&output.stdout)
}

/// What a training prints. A few epochs do not learn every record, which the exit code 1 says.
fn trained(folder: &Folder, arguments: &str) -> String {
    let output = run(folder, arguments);
    let errors = text(&output.stderr);
    let code = output.status.code();
    assert_eq!(
        code == Some(1),
        errors.contains("is not learned"),
        "{arguments}: {errors}"
    );
    assert!(code <= Some(1), "{arguments}: {errors}");
    text(&output.stdout)
}

/// The JSON of a training.
fn training(folder: &Folder, arguments: &str) -> Value {
    serde_json::from_str(&trained(folder, arguments)).unwrap()
}

/// The JSON of a run that must succeed.
fn json(folder: &Folder, arguments: &str) -> Value {
    serde_json::from_str(&ok(folder, arguments)).unwrap()
}

/// A run with bad input says why in one line.
fn refused(folder: &Folder, arguments: &str, words: &[&str]) {
    let output = run(folder, arguments);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {errors}");
    assert!(output.stdout.is_empty(), "{arguments}");
    // Doubts about records may stand above the one line that says why.
    let mut lines = errors.lines().filter(|line| !line.starts_with("doubt: "));
    let reason = lines.next().unwrap_or_default();
    assert!(reason.starts_with("error: "), "{arguments}: {errors}");
    assert_eq!(lines.next(), None, "{arguments}: {errors}");
    for word in words {
        assert!(
            errors.contains(word),
            "{arguments}: no `{word}` in {errors}"
        );
    }
}

fn model_bytes() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let folder = Folder::new();
        folder.file("card.toml", CARD);
        trained(&folder, "train card.toml --quiet --no-plots");
        std::fs::read(folder.path().join("tiny_steel.safetensors")).unwrap()
    })
}

/// A folder with a card, a trained law and a record.
fn prepared() -> Folder {
    let folder = Folder::new();
    folder.file("card.toml", CARD);
    folder.file("m.safetensors", model_bytes());
    folder.file("data/a.csv", CSV);
    folder.file("data/b.csv", CSV);
    folder.file("plane/p.csv", PLANE);
    folder
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn training_saves_the_law_and_its_figures() {
    let folder = Folder::new();
    folder.file("card.toml", CARD);
    let output = run(&folder, "train card.toml --epochs 3");
    // Three epochs learn nothing, and the tension test is named.
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.contains("record tension is not learned"), "{errors}");
    let (printed, progress) = (text(&output.stdout), text(&output.stderr));
    for word in [
        "cycles",
        "tension",
        "RMSE",
        "audit",
        "wrote tiny_steel.safetensors",
    ] {
        assert!(printed.contains(word), "no `{word}` in {printed}");
    }
    for word in [
        "epoch 1/3",
        "epoch 3/3",
        "MPa",
        "D < 0",
        "best epoch",
        "left",
    ] {
        assert!(progress.contains(word), "no `{word}` in {progress}");
    }
    let files = [
        "tiny_steel-learning.svg",
        "tiny_steel.safetensors",
        "tiny_steel.svg",
    ];
    assert_eq!(names(&folder)[1..], files);
    for svg in [files[0], files[2]] {
        let svg = std::fs::read(folder.path().join(svg)).unwrap();
        assert!(svg.starts_with(b"<svg"));
    }
    let report = training(
        &folder,
        "train card.toml --json --no-plots --epochs 2 --out b.safetensors",
    );
    assert_eq!(
        keys(&report),
        ["audit", "figure", "learning_curve", "model", "training"]
    );
    assert_eq!(report["model"], "b.safetensors");
    assert!(report["figure"].is_null());
    let training = &report["training"];
    assert_eq!(training["epochs_run"], 2);
    assert_eq!(training["stop"], "complete");
    assert_eq!(training["records"]["train"][0], "cycles");
    assert_eq!(training["scores"]["validation"][0]["name"], "tension");
}

#[test]
fn arguments_change_what_the_card_says() {
    let folder = prepared();
    let report = training(
        &folder,
        "train card.toml --law gru --states 3 --width 5 --clock both --epochs 2 --seed 7 \
         --train tension --validate cycles --cycles 1 --spacing 0,1e-3 --learning-rate 2e-3 \
         --dissipation-weight 0.5 --quiet --json --no-plots --out g.safetensors",
    );
    let training = &report["training"];
    assert_eq!(training["records"]["train"][0], "tension");
    assert_eq!(training["records"]["validation"][0], "cycles");
    let options = &training["options"];
    assert_eq!(options["seed"], 7);
    assert_eq!(options["learning_rate"], 2e-3);
    assert_eq!(options["dissipation_weight"], 0.5);
    assert_eq!(options["spacing"].as_array().unwrap().len(), 2);
    let info = json(&folder, "info g.safetensors --json");
    let architecture = &info["architecture"];
    assert_eq!(architecture["law"], "gru");
    assert_eq!(
        (&architecture["states"], &architecture["width"]),
        (&3.into(), &5.into())
    );
    assert_eq!(architecture["clock"], "both");
}

#[test]
fn scores_have_exactly_their_keys() {
    let folder = prepared();
    let report = json(&folder, "evaluate m.safetensors --data data --json");
    assert_eq!(keys(&report), ["mean", "records"]);
    let records = report["records"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    let score = [
        "departure",
        "min_dissipation",
        "name",
        "negative_share",
        "nrmse",
        "outside_share",
        "quantity",
        "r2",
        "rmse",
        "rows",
        "split",
    ];
    assert_eq!(keys(&records[0]), score);
    let mean: Vec<_> = score
        .into_iter()
        .filter(|k| !["name", "departure", "quantity", "split"].contains(k))
        .collect();
    assert_eq!(keys(&report["mean"]), mean);
    assert_eq!(
        (&records[0]["name"], &records[0]["rows"]),
        (&"a".into(), &4.into())
    );
    assert_eq!(report["mean"]["rmse"], records[0]["rmse"]);
    let one = json(
        &folder,
        "evaluate m.safetensors --data data --records b --json",
    );
    assert_eq!(one["records"][0]["name"], "b");
    assert!(ok(&folder, "evaluate m.safetensors --data data").contains("mean"));
    // One that the law cannot follow is named; the others have their scores all the same.
    folder.file("data/huge.csv", CSV.replace("0.004", "1e300"));
    let output = run(&folder, "evaluate m.safetensors --data data");
    assert_eq!(output.status.code(), Some(2));
    let (scores, error) = (text(&output.stdout), text(&output.stderr));
    assert!(scores.contains("mean"), "{scores}");
    assert!(
        error.contains("1 of 3") && error.contains("`huge`"),
        "{error}"
    );
    // The classical law of a card.
    let text = ok(
        &folder,
        "evaluate card.toml --data data/a.csv --cycles 1 --spacing 1e-3",
    );
    assert!(text.contains("RMSE"), "{text}");
}

#[test]
fn a_prediction_is_a_record() {
    let folder = prepared();
    ok(
        &folder,
        "predict m.safetensors --data data/a.csv --out p.csv",
    );
    let measured = Record::from_csv(folder.path().join("data/a.csv")).unwrap();
    let predicted = Record::from_csv(folder.path().join("p.csv")).unwrap();
    let model = Model::load(folder.path().join("m.safetensors")).unwrap();
    let curve = follow(&model.law, &measured).unwrap();
    assert_eq!(predicted.stress, curve.record.stress);
    assert_eq!(
        (&predicted.time, &predicted.strain),
        (&measured.time, &measured.strain)
    );
    assert!(predicted.external_names.is_empty());
    let score = json(&folder, "evaluate m.safetensors --data p.csv --json");
    assert_eq!(score["mean"]["rmse"], 0.0);

    ok(
        &folder,
        "predict m.safetensors --data data/a.csv --out full.csv --full",
    );
    let full = Record::from_csv(folder.path().join("full.csv")).unwrap();
    assert_eq!(
        full.external_names[..2],
        ["energy_MJ_m3", "dissipation_MJ_m3"]
    );
    assert_eq!(full.external_names.len(), 2 + 4);
    assert_eq!(full.external_at(2)[1], curve.dissipation[2]);
    refused(
        &folder,
        "predict m.safetensors --data data/a.csv --out data/a.csv",
        &["data/a.csv", "overwrite"],
    );
}

/// A law of six components from records of bars, and what the program does with it.
#[test]
fn bars_teach_a_law_for_solids() {
    let folder = Folder::new();
    let card = CARD.replace(
        "[learn]\n",
        "[learn]\nlaw = \"physically-recurrent\"\nsymmetry = \"isotropic\"\n\
         stress_state = \"uniaxial\"\n",
    );
    folder.file("card.toml", &card);
    refused(
        &folder,
        "train card.toml --quiet",
        &["Poisson's ratio", "strain_transverse"],
    );
    folder.file("card.toml", format!("{card}[elastic]\npoisson = 0.3\n"));
    folder.file("data/a.csv", CSV);
    let trained = training(&folder, "train card.toml --out bars.safetensors --json");
    assert_eq!(trained["training"]["scores"]["train"][0]["name"], "cycles");
    assert_eq!(trained["audit"]["pass"], true);
    let model = Model::load(folder.path().join("bars.safetensors")).unwrap();
    assert_eq!(model.metadata.architecture.components, 6);
    let scores = json(&folder, "evaluate bars.safetensors --data data --json");
    assert_eq!(scores["records"][0]["rows"], 4);
    ok(
        &folder,
        "predict bars.safetensors --data data/a.csv --out b.csv",
    );
    let predicted = Record::from_csv(folder.path().join("b.csv")).unwrap();
    assert_eq!(predicted.components, 1);
    ok(&folder, "plot bars.safetensors --data data --out b.svg");
    ok(&folder, "audit bars.safetensors");
    assert!(ok(&folder, "info bars.safetensors").contains("6 strain components"));
    refused(
        &folder,
        "train card.toml --law gru",
        &["card.toml: symmetry: gru cannot have one"],
    );
}

#[test]
fn an_audit_lists_its_rows_in_order() {
    let folder = prepared();
    for law in ["m.safetensors", "card.toml"] {
        let audit = json(&folder, &format!("audit {law} --json"));
        assert_eq!(keys(&audit), ["law", "pass", "rows"]);
        assert_eq!(audit["pass"], true);
        let rows = audit["rows"].as_array().unwrap();
        let names: Vec<_> = rows.iter().map(|r| r["name"].as_str().unwrap()).collect();
        assert_eq!(names, AUDIT_ROWS);
        assert_eq!(
            keys(&rows[0]),
            ["kind", "limit", "name", "pass", "undecided", "value"]
        );
    }
    assert!(ok(&folder, "audit m.safetensors --seed 3").contains("tangent_error"));
}

#[test]
fn every_kind_of_figure_is_drawn() {
    let folder = prepared();
    for kind in ["stress-strain", "time", "dissipation", "states", "parity"] {
        for (extension, start) in [("svg", &b"<svg"[..]), ("png", b"\x89PNG\r\n\x1a\n")] {
            let out = format!("{kind}.{extension}");
            let data = if kind == "states" {
                "data/a.csv"
            } else {
                "data"
            };
            ok(
                &folder,
                &format!("plot m.safetensors --data {data} --kind {kind} --over path --out {out}"),
            );
            let bytes = std::fs::read(folder.path().join(&out)).unwrap();
            assert!(bytes.starts_with(start), "{out}");
        }
    }
    assert!(!names(&folder).iter().any(|name| name.starts_with('.')));
    let states = "plot m.safetensors --data data --kind states --out s.svg";
    refused(&folder, states, &["--records", "a, b"]);
    let component = "plot m.safetensors --data data --component 22 --out s.svg";
    refused(&folder, component, &["--component 22", "11"]);
}

#[test]
fn info_tells_where_a_law_comes_from() {
    let folder = prepared();
    let info = json(&folder, "info m.safetensors --json");
    assert_eq!(info["name"], "tiny steel");
    assert_eq!(info["card_name"], "tiny steel");
    assert_eq!(info["strain_measure"], "true");
    assert_eq!(info["training"]["options"]["epochs"], 30);
    assert_eq!(info["training"]["seed"], 1);
    assert_eq!(info["audit"]["pass"], true);
    assert_eq!(info["guarantees"]["rest"], true);
    let tensors = info["parameters"]["tensors"].as_array().unwrap();
    let entries = |t: &Value| {
        let shape = t["shape"].as_array().unwrap();
        shape.iter().map(|n| n.as_u64().unwrap()).product::<u64>()
    };
    let count: u64 = tensors.iter().map(entries).sum();
    assert_eq!(info["parameters"]["count"], count);
    let text = ok(&folder, "info m.safetensors");
    for word in [
        "tiny steel",
        "minimal-state",
        "sha256",
        "trained range",
        "audit",
        "seed: 1",
    ] {
        assert!(text.contains(word), "no `{word}` in {text}");
    }
}

#[test]
fn the_same_seed_gives_the_same_file() {
    let folder = prepared();
    trained(
        &folder,
        "train card.toml --quiet --no-plots --out again.safetensors",
    );
    let again = std::fs::read(folder.path().join("again.safetensors")).unwrap();
    assert!(again == model_bytes(), "another file");
    trained(
        &folder,
        "train card.toml --quiet --no-plots --seed 2 --out other.safetensors",
    );
    let other = std::fs::read(folder.path().join("other.safetensors")).unwrap();
    assert!(other != model_bytes(), "the same file");
}

/// Waits for a condition, and at most a minute.
fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_best_law_and_a_checkpoint_goes_on_from_there() {
    let folder = prepared();
    let train = "train card.toml --epochs 2000 --quiet --no-plots --checkpoint c.json";
    let arguments = format!("{train} --out i.safetensors");
    let child = command(&folder, &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let model = folder.path().join("i.safetensors");
    let checkpoint = folder.path().join("c.json");
    wait("checkpoint", || checkpoint.exists());
    assert!(
        !model.exists(),
        "the training ended before it could be interrupted"
    );
    let id = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let errors = text(&output.stderr);
    assert!(output.status.code() <= Some(1), "{errors}");
    assert!(errors.contains("best law so far"), "{errors}");
    let interrupted = Model::load(&model).unwrap().metadata.training;
    assert_eq!(interrupted["stop"], "interrupted");
    let run = interrupted["epochs_run"].as_u64().unwrap();
    assert!((100..2000).contains(&run), "{run} epochs");

    trained(&folder, &arguments);
    let whole = arguments
        .replace("c.json", "other.json")
        .replace("i.safe", "whole.safe");
    trained(&folder, &whole);
    let resumed = std::fs::read(&model).unwrap();
    let whole = std::fs::read(folder.path().join("whole.safetensors")).unwrap();
    assert!(resumed == whole, "the resumed training is another one");
    assert!(checkpoint.exists());

    let other = arguments.replace("2000", "1000");
    refused(
        &folder,
        &other,
        &["c.json", "other options", "delete the file"],
    );
}

/// Further columns are inputs of the law only where they are named, in the order of the names.
#[test]
fn further_columns_are_inputs_only_where_they_are_named() {
    let folder = Folder::new();
    let row = |k: usize| {
        let strain = 1e-4 * k as f64;
        format!("{k},{strain},{},{},{}\n", 2e5 * strain, 20 + k, 7 * k)
    };
    let rows: String = (0..12).map(row).collect();
    let header = "time_s,strain,stress_MPa,temperature_C,load_N\n";
    folder.file("a/a.csv", format!("{header}{rows}"));
    let train = "train a --epochs 2 --no-plots --law relaxation --out";
    let output = run(&folder, &format!("{train} none.safetensors"));
    let errors = text(&output.stderr);
    assert!(
        errors.contains("columns left out: temperature_C, load_N"),
        "{errors}"
    );
    assert!(errors.contains("doubt: "), "{errors}");
    let info = json(&folder, "info none.safetensors --json");
    assert_eq!(info["architecture"]["external"], Value::Null);
    trained(
        &folder,
        &format!("{train} t.safetensors --external temperature_C"),
    );
    // Other columns in another order.
    let rows: String = rows
        .lines()
        .map(|line| {
            let fields: Vec<_> = line.split(',').collect();
            let order = [3, 0, 1, 2].map(|i| fields[i]);
            format!("{}\n", order.join(","))
        })
        .collect();
    folder.file(
        "b.csv",
        format!("temperature_C,time_s,strain,stress_MPa\n{rows}"),
    );
    let of = |data: &str| {
        let scores = json(
            &folder,
            &format!("evaluate t.safetensors --data {data} --json"),
        );
        scores["mean"].clone()
    };
    assert_eq!(of("a/a.csv"), of("b.csv"));
    folder.file("c.csv", CSV);
    let words = ["record `c`: no column `temperature_C`"];
    refused(&folder, "evaluate t.safetensors --data c.csv", &words);
    // Warmer than the records.
    folder.file("d.csv", format!("{header}0,0,0,20,0\n1,1e-4,20,90,0\n"));
    let said = ok(&folder, "evaluate t.safetensors --data d.csv");
    assert!(
        said.contains("first in temperature_C = 90, trained from 20 to 31"),
        "{said}"
    );
}

/// Records without time teach and test laws that do not see it, and no others.
#[test]
fn records_without_time_are_for_rate_independent_laws() {
    let folder = Folder::new();
    let row = |k: usize| {
        let strain = 1e-4 * k.min(16 - k) as f64;
        format!("{strain},{}\n", 2e5 * strain)
    };
    let rows: String = (0..16).map(row).collect();
    folder.file("a/a.csv", format!("strain,stress_MPa\n{rows}"));
    let train = "train a --epochs 2 --no-plots --quiet --law relaxation";
    trained(&folder, &format!("{train} --out path.safetensors"));
    let info = json(&folder, "info path.safetensors --json");
    let range = &info["normalisation"]["range"];
    assert!(range["strain_path"].is_number(), "{info}");
    assert_eq!(range["strain_rate"], Value::Null);
    ok(
        &folder,
        "predict path.safetensors --data a/a.csv --out p.csv",
    );
    let predicted = std::fs::read_to_string(folder.path().join("p.csv")).unwrap();
    assert!(predicted.starts_with("strain,stress_MPa\n"), "{predicted}");
    ok(&folder, "evaluate path.safetensors --data p.csv");
    ok(
        &folder,
        "plot path.safetensors --data a/a.csv --kind time --out t.svg",
    );
    let figure = std::fs::read_to_string(folder.path().join("t.svg")).unwrap();
    assert!(figure.contains("row by row") && !figure.contains("over time"));

    folder.file("b/b.csv", CSV);
    let words = ["record `a`: it has no column `time_s`, and the law sees time"];
    refused(
        &folder,
        &format!("{train} --clock time --out x.safetensors"),
        &words,
    );
    trained(
        &folder,
        "train b --epochs 2 --no-plots --quiet --law relaxation --clock both --out time.safetensors",
    );
    for command in ["predict", "evaluate", "plot"] {
        let out = match command {
            "predict" => "--out x.csv",
            "plot" => "--out x.svg",
            _ => "",
        };
        refused(
            &folder,
            &format!("{command} time.safetensors --data a/a.csv {out}"),
            &words,
        );
    }
}

/// Before a training: what the records hold, and which options fit them better.
#[test]
fn a_training_says_what_its_records_hold_and_what_fits_them() {
    let folder = Folder::new();
    let row = |k: usize| {
        let strain = 1e-5 * k.min(1600 - k) as f64;
        let stress = (2e5 * strain).min(300.0 + 1e3 * strain);
        format!("{},{strain},{stress}\n", 0.5 * k as f64)
    };
    let rows: String = (0..1200).map(row).collect();
    let header = "time_s,strain,stress_MPa\n";
    folder.file("a/a.csv", format!("{header}{rows}"));
    folder.file(
        "hold/h.csv",
        format!("{header}0,0,0\n1,1e-3,200\n2,2e-3,300\n30,2e-3,250\n60,2e-3,240\n61,0,-150\n"),
    );
    let said = |arguments: &str| {
        let train = "train --epochs 1 --no-plots --out x.safetensors --states 2 --width 4";
        text(&run(&folder, &format!("{train} {arguments}")).stderr)
    };
    let path = said("a");
    assert!(
        path.contains("training records: 1 reversals, unloading in 1 of 1 records, no hold"),
        "{path}"
    );
    let advice = "advice: --law physically-recurrent, which needs the fewest records (minimal-state is \
                  a baseline); --spacing 0.0001 for 121 in place of 1200 rows";
    assert!(path.contains(advice), "{path}");
    assert!(!said("a --spacing 1e-4 --law physically-recurrent").contains("advice"));
    let hold = said("hold");
    assert!(
        hold.contains("holds of up to 58 s that change the stress"),
        "{hold}"
    );
    assert!(hold.contains("advice: --clock both for holds"), "{hold}");
    assert!(hold.contains("--law relaxation"), "{hold}");
    assert!(!said("hold --clock both --law relaxation").contains("advice"));
}

#[test]
fn records_that_teach_nothing_are_refused() {
    let folder = Folder::new();
    for (name, rows, words) in [
        ("zero", "0,0,0\n1,0,3\n", "all its strains are zero"),
        ("still", "0,0,0\n1,1e-3,0\n", "all its stresses are zero"),
        (
            "same",
            "0,1e-3,200\n1,1e-3,200\n",
            "all its rows are the same",
        ),
        ("one", "0,1e-3,200\n", "a single row"),
    ] {
        folder.file(
            &format!("{name}/r.csv"),
            format!("time_s,strain,stress_MPa\n{rows}"),
        );
        refused(
            &folder,
            &format!("train {name} --epochs 2 --quiet --no-plots --out x.safetensors"),
            &["record `r` teaches nothing", words],
        );
    }
}

#[test]
fn bad_records_are_refused() {
    let folder = prepared();
    folder.file("empty.csv", "");
    folder.file("nan.csv", "time_s,strain,stress_MPa\n0,0,0\n1,nan,0\n");
    folder.file("back.csv", "time_s,strain,stress_MPa\n1,0,0\n0,0.1,0\n");
    folder.file("mixed/a.csv", CSV);
    folder.file("mixed/p.csv", PLANE);
    for (data, words) in [
        ("none.csv", &["none.csv", "No such file"][..]),
        ("empty.csv", &["empty.csv", "the file is empty"]),
        ("nan.csv", &["nan.csv:3, column strain", "not finite"]),
        ("back.csv", &["back.csv:3", "time decreases from 1 to 0"]),
        (
            "plane/p.csv",
            &["plane/p.csv", "record `p` has 3 components"],
        ),
        ("mixed", &["mixed", "record `p` has 3 components"]),
        (
            "data --records a,z",
            &["data", "no record is called `z`", "a, b"],
        ),
        ("data --spacing -1", &["--spacing"]),
    ] {
        for command in ["evaluate m.safetensors", "plot m.safetensors --out x.svg"] {
            if data.contains("--spacing") {
                let output = run(&folder, &format!("{command} --data {data}"));
                assert_eq!(output.status.code(), Some(2));
            } else {
                refused(&folder, &format!("{command} --data {data}"), words);
            }
        }
    }
    refused(
        &folder,
        "predict m.safetensors --data plane/p.csv --out x.csv",
        &["plane/p.csv", "3 components"],
    );
    refused(
        &folder,
        "evaluate m.safetensors --data data --spacing nan",
        &["spacing"],
    );
    let zero = run(&folder, "evaluate m.safetensors --data data --cycles 0");
    assert_eq!(zero.status.code(), Some(2));
    assert!(!folder.path().join("x.svg").exists());
}

#[test]
fn bad_models_are_refused() {
    let folder = prepared();
    let good = model_bytes();
    folder.file("short.safetensors", &good[..good.len() - 100]);
    folder.file("head.safetensors", &good[..5]);
    folder.file("nothing.safetensors", "");
    let mut tampered = good.to_vec();
    let last = tampered.len() - 3;
    tampered[last] ^= 1;
    folder.file("tampered.safetensors", tampered);
    folder.file("csv.safetensors", CSV);
    folder.file("plain/card.toml", "name = 'x'\nrecords = ['../data']\n");
    for (model, words) in [
        (
            "none.safetensors",
            &["none.safetensors", "No such file"][..],
        ),
        ("short.safetensors", &["short.safetensors"]),
        ("head.safetensors", &["head.safetensors", "truncated"]),
        (
            "nothing.safetensors",
            &["the file is empty", "hysteron train"],
        ),
        ("tampered.safetensors", &["sha256 does not match"]),
        ("csv.safetensors", &["csv.safetensors", "hysteron train"]),
        ("data/a.csv", &["data/a.csv", "this is a record"]),
    ] {
        for command in [
            "audit",
            "info",
            "evaluate --data data",
            "plot --data data --out x.svg",
        ] {
            let (command, rest) = command.split_once(' ').unwrap_or((command, ""));
            refused(&folder, &format!("{command} {model} {rest}"), words);
        }
    }
    refused(&folder, "audit plain", &["card.toml", "no [reference] law"]);
}

#[test]
fn bad_cards_and_options_are_refused_before_the_training() {
    let folder = prepared();
    folder.file(
        "unknown.toml",
        CARD.replace("[train]", "[train]\nepoch = 3"),
    );
    folder.file(
        "law.toml",
        CARD.replace("[learn]", "[learn]\nlaw = \"lstm9\""),
    );
    let empty = CARD.find("[[programme]]").map(|end| &CARD[..end]).unwrap();
    folder.file("empty.toml", empty);
    std::fs::create_dir(folder.path().join("void")).unwrap();
    for (arguments, words) in [
        ("none.toml", &["none.toml", "No such file"][..]),
        ("unknown.toml", &["unknown.toml:", "unknown field `epoch`"]),
        ("law.toml", &["law.toml:", "lstm9", "gru, lstm"]),
        ("empty.toml", &["empty.toml", "nothing to learn from"]),
        ("void", &["void", "no CSV record"]),
        ("data/a.csv", &["data/a.csv", "this is a record"]),
        ("card.toml --law nope", &["--law", "nope", "gru, lstm"]),
        ("card.toml --epochs 0", &["--epochs", "0"]),
        ("card.toml --states 0", &["--states", "0"]),
        ("card.toml --learning-rate nan", &["--learning-rate"]),
        ("card.toml --spacing nan", &["--spacing"]),
        (
            "card.toml --train x",
            &["no record is called `x`", "cycles, tension"],
        ),
        (
            "card.toml --validate x",
            &["no record is called `x`", "cycles, tension"],
        ),
        ("card.toml --train tension --validate tension", &["in both"]),
        (
            "card.toml --out no/m.safetensors",
            &["no/m.safetensors", "no folder"],
        ),
        ("card.toml --out data", &["data", ".safetensors"]),
        ("card.toml --out m.txt", &["m.txt", ".safetensors"]),
        ("card.toml --checkpoint no/c", &["no/c", "no folder"]),
        (
            "card.toml --checkpoint m.safetensors --out m.safetensors",
            &["the same file"],
        ),
        (
            "card.toml --checkpoint data/a.csv",
            &["data/a.csv", "not a checkpoint"],
        ),
    ] {
        refused(&folder, &format!("train {arguments} --quiet"), words);
    }
    let figure = "m.safetensors --data data --out";
    for (arguments, words) in [
        (format!("{figure} x.pdf"), &["x.pdf", ".svg or .png"][..]),
        (format!("{figure} no/x.svg"), &["no/x.svg", "no folder"]),
        // Before the work: the law is not even opened.
        (
            "none --data none --out x.pdf".into(),
            &["x.pdf", ".svg or .png"],
        ),
    ] {
        refused(&folder, &format!("plot {arguments}"), words);
    }
    let names = names(&folder);
    assert!(
        !names.contains(&"tiny_steel.safetensors".to_string()),
        "{names:?}"
    );
    assert!(!names.iter().any(|name| name.starts_with('.')), "{names:?}");
}

#[test]
fn bad_usage_exits_with_2_and_help_with_0() {
    let folder = Folder::new();
    for arguments in [
        "",
        "nonsense",
        "train",
        "evaluate m",
        "audit m --sed 1",
        "plot m --data d",
    ] {
        assert_eq!(
            run(&folder, arguments).status.code(),
            Some(2),
            "{arguments}"
        );
    }
    let commands = [
        "", "train", "evaluate", "predict", "audit", "plot", "info", "export",
    ];
    for command in commands {
        let help = ok(&folder, &format!("{command} --help"));
        assert!(help.contains("Example"), "{help}");
    }
    assert!(ok(&folder, "--version").starts_with("hysteron 0."));
}

/// Where a link leads is written to, and so is what is no file.
#[cfg(unix)]
#[test]
fn links_and_devices_stay_what_they_are() {
    let folder = prepared();
    folder.file("there.csv", "");
    std::os::unix::fs::symlink("there.csv", folder.path().join("link.csv")).unwrap();
    let predict = "predict m.safetensors --data data/a.csv --out";
    ok(&folder, &format!("{predict} link.csv"));
    let kind = |name: &str| std::fs::symlink_metadata(folder.path().join(name)).unwrap();
    assert!(kind("link.csv").is_symlink() && kind("there.csv").is_file());
    assert!(kind("there.csv").len() > 0);
    let curve = run(&folder, &format!("{predict} /dev/stdout")).stdout;
    assert!(text(&curve).starts_with("time_s,strain,stress_MPa"));
    // Standard output that is a file holds what others wrote.
    folder.file("log", "before");
    let mut append = std::fs::OpenOptions::new();
    let log = append.append(true).open(folder.path().join("log"));
    let mut predict = command(&folder, &format!("{predict} /dev/stdout"));
    assert_eq!(
        predict.stdout(log.unwrap()).status().unwrap().code(),
        Some(2)
    );
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log, "before");
}

/// A reader that goes away is no error, and no panic.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = prepared();
    for arguments in ["audit m.safetensors", "info m.safetensors --json", "--help"] {
        let mut child = command(&folder, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stderr), "", "{arguments}");
        assert_eq!(output.status.code(), Some(0), "{arguments}");
    }
}

#[test]
fn real_records_are_learned() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/steel_epfl_resslab");
    if !data.exists() {
        println!("skipped: no records in {}", data.display());
        return;
    }
    let folder = Folder::new();
    let data = data.display();
    let names = "resspylab_example_1,resspylab_example_2";
    trained(
        &folder,
        &format!("train {data} --train {names} --epochs 20 --quiet --out steel.safetensors"),
    );
    let scores = json(
        &folder,
        &format!("evaluate steel.safetensors --data {data} --records {names} --json"),
    );
    for key in ["rmse", "nrmse", "r2", "min_dissipation", "negative_share"] {
        let value = scores["mean"][key].as_f64();
        assert!(value.is_some_and(f64::is_finite), "{key}: {scores}");
    }
}

/// A law of six components answers sheets, and a creep test drives it by stress.
#[test]
fn laws_answer_other_stress_states_and_measured_stresses() {
    let folder = Folder::new();
    let card = "name = 'e'\ncomponents = 6\n[reference]\nlaw = 'isotropic-elastic'\nyoung_MPa = 200e3\npoisson = 0.3\n";
    folder.file("card.toml", card);
    folder.file("sheet.csv", PLANE);
    folder.file("bar.csv", CSV);
    refused(
        &folder,
        "evaluate card.toml --data sheet.csv",
        &[
            "sheet",
            "3 components",
            "--stress-state plane-stress or plane-strain",
        ],
    );
    for (state, stress) in [
        ("plane-stress", [219.780, 65.934]),
        ("plane-strain", [269.231, 115.385]),
    ] {
        ok(
            &folder,
            &format!("predict card.toml --data sheet.csv --out out.csv --stress-state {state}"),
        );
        let sheet = Record::from_csv(folder.path().join("out.csv")).unwrap();
        for (found, stress) in sheet.stress_at(1).iter().zip(stress) {
            assert!(
                (found - stress).abs() < 1e-3,
                "{state}: {found} for {stress}"
            );
        }
    }
    ok(
        &folder,
        "predict card.toml --data bar.csv --out out.csv --stress-controlled all",
    );
    let bar = Record::from_csv(folder.path().join("out.csv")).unwrap();
    for (strain, stress) in bar.strain.iter().zip([0.0, 200.0, 310.0, -250.0]) {
        assert!((strain - stress / 200e3).abs() < 1e-12);
    }
    let report = json(
        &folder,
        "evaluate card.toml --data bar.csv --stress-controlled 11 --json",
    );
    let score = &report["records"][0];
    assert_eq!(score["quantity"], "strain");
    let rmse = ((2.45e-3f64.powi(2) + 2.25e-3f64.powi(2)) / 4.0).sqrt();
    assert!(
        (score["rmse"].as_f64().unwrap() - rmse).abs() < 1e-9,
        "{score}"
    );
    ok(
        &folder,
        "plot card.toml --data bar.csv --stress-controlled 11 --kind parity --out a.svg",
    );
    for (arguments, word) in [
        (
            "evaluate card.toml --data bar.csv --stress-controlled 12",
            "has 11, or all",
        ),
        (
            "evaluate card.toml --data sheet.csv --stress-state membrane",
            "plane-stress",
        ),
    ] {
        let errors = text(&run(&folder, arguments).stderr);
        assert!(errors.contains(word), "{arguments}: {errors}");
    }
    folder.file("law.safetensors", model_bytes());
    let arguments =
        "predict law.safetensors --data sheet.csv --out out.csv --stress-state plane-stress";
    refused(&folder, arguments, &["1 components", "only a law of six"]);
}
