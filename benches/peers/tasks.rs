//! Our side of the comparison with other libraries; `benches/peers/run` drives it.
//!
//! `tasks write DIRECTORY TASK…` writes the inputs, the parameters and our answers of every task as
//! safetensors. `tasks work DIRECTORY` then answers requests, one a line, with one line of JSON:
//! `forms TASK DTYPE`, `check FORM TASK DTYPE`, `time FORM TASK DTYPE SECONDS`. The peers speak the
//! same (`protocol.py`).
//!
//! A task is `gru-w32-t200-b64`, `iv-w32-t200-b64` or `gsm-w16-t200-b64` (a training step: forward,
//! backward and Adam; width, steps, batch), or `A-1024` to `D-1024` (update and consistent tangent;
//! points).

mod fused_gru;
mod inference;
#[path = "../models/mod.rs"]
#[allow(dead_code)]
mod models;
mod training;

use hysteron::graph::ParameterLayout;
use inference::{j2, learned};
use models::timing::median;
use models::{InternalVariables, PlainGru, generalized_standard};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use training::{DISSIPATION, NOTHING, Training};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Internal variables of the models `iv` and `B`.
const STATES: usize = 8;

/// Named arrays of a task.
type Arrays = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

/// What a task times: the returned closure makes one call.
trait Task {
    /// Inputs, parameters and, under `answer.`, our answers.
    fn arrays(&self) -> Outcome<Arrays>;
    fn forms(&self, dtype: &str) -> Vec<&'static str>;
    /// Largest relative error of a form against our answers.
    fn check(&self, form: &str, dtype: &str) -> Outcome<Value>;
    fn call<'a>(&'a self, form: &str, dtype: &str) -> Outcome<Box<dyn FnMut() + 'a>>;
}

fn parse(name: &str) -> Outcome<Box<dyn Task>> {
    let parts: Vec<_> = name.split('-').collect();
    let number = |part: &str| {
        part.trim_start_matches(char::is_alphabetic)
            .parse::<usize>()
    };
    let mut layout = ParameterLayout::default();
    Ok(match parts[..] {
        ["gru", w, t, b] => {
            let width = number(w)?;
            let law = PlainGru::new(&mut layout, width);
            let shape = [number(t)?, number(b)?];
            Box::new(Training::new(law, layout, shape, NOTHING, Some(width))?)
        }
        ["iv", w, t, b] => {
            let law = InternalVariables::with_network(&mut layout, STATES, number(w)?);
            let shape = [number(t)?, number(b)?];
            Box::new(Training::new(law, layout, shape, DISSIPATION, None)?)
        }
        // Its dissipation is never negative.
        ["gsm", w, t, b] => {
            let law = generalized_standard(&mut layout, number(w)?);
            let shape = [number(t)?, number(b)?];
            Box::new(Training::new(law, layout, shape, NOTHING, None)?)
        }
        ["A", points] => {
            let law = PlainGru::new(&mut layout, 32);
            Box::new(learned(law, layout, number(points)?)?)
        }
        ["B", points] => {
            let law = InternalVariables::with_gradient(&mut layout, STATES, 32);
            Box::new(learned(law, layout, number(points)?)?)
        }
        ["D", points] => {
            let law = generalized_standard(&mut layout, 16);
            Box::new(learned(law, layout, number(points)?)?)
        }
        ["C", points] => Box::new(j2(number(points)?)?),
        _ => return Err(format!("no task is called `{name}`").into()),
    })
}

/// Initial values, with biases that are not zero: a peer that forgets one is to be seen.
fn parameters(layout: &ParameterLayout) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let initial = layout.initial_values(1);
    initial
        .iter()
        .map(|p| p + random.random_range(-0.1..0.1))
        .collect()
}

fn named_parameters(layout: &ParameterLayout, prefix: &str, values: &[f64]) -> Arrays {
    let mut rest = values;
    let tensors = layout.tensors().iter();
    tensors
        .map(|t| {
            let (own, after) = rest.split_at(t.parameter.len());
            rest = after;
            (
                format!("{prefix}.{}", t.name),
                (t.parameter.shape().to_vec(), own.to_vec()),
            )
        })
        .collect()
}

fn write(directory: &Path, name: &str) -> Outcome<()> {
    let arrays = parse(name)?.arrays()?;
    let bytes: Vec<_> = arrays
        .iter()
        .map(|(key, (shape, values))| {
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            (key, shape.clone(), bytes)
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(key, shape, bytes)| Ok((key, TensorView::new(Dtype::F64, shape.clone(), bytes)?)))
        .collect::<Outcome<Vec<_>>>()?;
    let file = directory.join(format!("{name}.safetensors"));
    Ok(safetensors::serialize_to_file(views, None, &file)?)
}

fn answer(tasks: &mut BTreeMap<String, Box<dyn Task>>, request: &str) -> Outcome<Value> {
    // The name of a form may hold spaces: it stands last.
    let words: Vec<_> = request.splitn(5, ' ').collect();
    let [what, name, dtype, rest @ ..] = &words[..] else {
        return Err("a request has at least three words".into());
    };
    if !tasks.contains_key(*name) {
        tasks.insert(name.to_string(), parse(name)?);
    }
    let task = &tasks[*name];
    match (*what, rest) {
        ("forms", []) => Ok(json!({ "forms": task.forms(dtype) })),
        ("check", [_, form]) => Ok(json!({ "errors": task.check(form, dtype)? })),
        ("time", [seconds, form]) => {
            let (seconds, samples) = median(seconds.parse()?, &mut *task.call(form, dtype)?);
            Ok(json!({ "seconds": seconds, "samples": samples }))
        }
        _ => Err(format!("no request is called `{what}`").into()),
    }
}

fn main() -> Outcome<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", directory, names @ ..] => {
            for name in names {
                write(Path::new(directory), name)?;
            }
        }
        ["work", _] => {
            let mut tasks = BTreeMap::new();
            println!(
                "{}",
                json!({ "peer": "hysteron", "version": env!("CARGO_PKG_VERSION") })
            );
            for request in std::io::stdin().lock().lines() {
                let reply = answer(&mut tasks, &request?);
                let reply = reply.unwrap_or_else(|e| json!({ "failed": e.to_string() }));
                println!("{reply}");
                std::io::stdout().flush()?;
            }
        }
        _ => eprintln!("see benches/peers/run"),
    }
    Ok(())
}
