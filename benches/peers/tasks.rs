//! Our side of the comparison with other libraries; `benches/peers/run` drives it.
//!
//! `tasks write DIRECTORY TASK…` writes the inputs, the parameters and our answers of every task as
//! safetensors. `tasks work DIRECTORY` then answers requests, one a line, with one line of JSON:
//! `forms TASK DTYPE`, `check FORM TASK DTYPE`, `time FORM TASK DTYPE SECONDS`. The peers speak the
//! same (`protocol.py`).
//!
//! A task is `gru-w32-t200-b64` or `iv-w32-t200-b64` (a training step: forward, backward and Adam;
//! width, steps, batch), or `A-1024`, `B-1024`, `C-1024` (update and consistent tangent; points).

mod fused_gru;
#[path = "../models/mod.rs"]
#[allow(dead_code)]
mod models;

use burn::optim::{Adam, AdamConfig, AdamState, Optimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use fused_gru::FusedGru;
use hysteron::algebra::ParameterLayout;
use hysteron::law::{BatchInput, BatchOutput, Increment, MaterialLaw, Response, Status};
use hysteron::laws::{Backstress, J2, PlasticityParameters};
use hysteron::learned::{LearnedLaw, Normalisation};
use hysteron::record::{Padded, Record};
use hysteron::recurrent::RecurrentLaw;
use hysteron::train::Histories;
use hysteron::train::loss::{Target, Weights};
use hysteron::train::rollout::{TapePool, roll_out_tape};
use models::{COMPONENTS, InternalVariables, PlainGru};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Internal variables of the models `iv` and `B`.
const STATES: usize = 8;
const LEARNING_RATE: f64 = 1e-3;
/// Number formats in which the tape trains.
const TAPE_DTYPES: &[&str] = &["f32", "f64"];

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
            let law = PlainGru::new(&mut layout, number(w)?);
            let none = Weights {
                dissipation: 0.0,
                margin: 0.0,
                tangent: 0.0,
            };
            Box::new(Training::new(
                law,
                layout,
                [number(t)?, number(b)?],
                none,
                Some(number(w)?),
            )?)
        }
        ["iv", w, t, b] => {
            let law = InternalVariables::with_network(&mut layout, STATES, number(w)?);
            let penalty = Weights {
                dissipation: 1.0,
                margin: 0.0,
                tangent: 0.0,
            };
            Box::new(Training::new(
                law,
                layout,
                [number(t)?, number(b)?],
                penalty,
                None,
            )?)
        }
        ["A", points] => {
            let law = PlainGru::new(&mut layout, 32);
            Box::new(learned(law, layout, number(points)?)?)
        }
        ["B", points] => {
            let law = InternalVariables::with_gradient(&mut layout, STATES, 32);
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

/// A training step.
struct Training<L> {
    law: Arc<L>,
    layout: ParameterLayout,
    parameters: Vec<f64>,
    histories: Arc<Histories>,
    target: Target,
    weights: Weights,
    pool: TapePool,
    adam: Adam,
    /// Width of the GRU, which also has a fused form.
    gru: Option<usize>,
}

impl<L: RecurrentLaw + 'static> Training<L> {
    fn new(
        law: L,
        layout: ParameterLayout,
        [rows, records]: [usize; 2],
        weights: Weights,
        gru: Option<usize>,
    ) -> Outcome<Self> {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut smooth = || {
            let mut path = vec![0.0; rows * COMPONENTS];
            for i in 0..COMPONENTS {
                let [a, b] = [0.3, 0.7].map(|scale| scale * random.random_range(-1.0..1.0));
                let [p, q] = [0.3, 0.05].map(|f| f * random.random_range(0.2..1.0));
                for (row, values) in path.chunks_mut(COMPONENTS).enumerate() {
                    values[i] = a * (p * row as f64).sin() + b * (q * row as f64).sin();
                }
            }
            path
        };
        let records: Vec<_> = (0..records)
            .map(|r| Record {
                name: r.to_string(),
                components: COMPONENTS,
                time: (0..rows).map(|row| 0.1 * row as f64).collect(),
                strain: smooth(),
                stress: smooth(),
                ..Record::default()
            })
            .collect();
        let padded = Padded::new(&records.iter().collect::<Vec<_>>())?;
        let histories = Histories::new(padded, Normalisation::unit(COMPONENTS));
        Ok(Self {
            law: Arc::new(law),
            parameters: parameters(&layout),
            layout,
            target: Target::new(&histories),
            histories: Arc::new(histories),
            weights,
            pool: TapePool::default(),
            adam: AdamConfig::new().with_epsilon(1e-8).build(),
            gru,
        })
    }

    /// The roll-out, the loss and the gradient: what `train::fit` computes in an epoch.
    fn gradient(&self, parameters: Tensor<1>) -> (Tensor<3>, Tensor<1>, Tensor<1>) {
        let parameters = parameters.require_grad();
        let output = roll_out_tape(&self.law, parameters.clone(), &self.histories, &self.pool);
        let loss = self.target.loss(output.clone(), self.weights);
        let gradient = parameters.grad(&loss.backward());
        (
            output,
            loss,
            gradient.expect("the loss depends on the parameters"),
        )
    }

    fn start(&self, dtype: DType) -> Tensor<1> {
        let data = TensorData::new(self.parameters.clone(), [self.parameters.len()]);
        Tensor::from_data(data, (&Device::flex().autodiff(), dtype))
    }

    fn fused<T: fused_gru::Real, const W: usize>(&self) -> Outcome<FusedGru<T, W>> {
        let padded = self.histories.padded();
        let records = padded.records;
        let strain = padded.strain.chunks(COMPONENTS * records);
        let rows = strain.zip(padded.dt.chunks(records));
        let inputs: Vec<_> = rows
            .flat_map(|(strain, dt)| [strain, dt].concat())
            .collect();
        let states = self.gru.ok_or("only the GRU has a fused form")?;
        let shape = [padded.rows, records];
        Ok(FusedGru::new(
            states,
            shape,
            &inputs,
            &padded.stress,
            &self.parameters,
        ))
    }
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Outcome<Vec<f64>> {
    let data = tensor.into_data().convert::<f64>();
    data.try_into_vec().map_err(|e| format!("{e:?}").into())
}

/// `max |found − expected| / max |expected|`
fn error(found: &[f64], expected: &[f64]) -> f64 {
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let scale = largest(&mut expected.iter().map(|e| e.abs()));
    largest(&mut found.iter().zip(expected).map(|(f, e)| (f - e).abs())) / scale
}

impl<L: RecurrentLaw + 'static> Task for Training<L> {
    fn arrays(&self) -> Outcome<Arrays> {
        let padded = self.histories.padded();
        let (rows, records) = (padded.rows, padded.records);
        let (output, loss, gradient) = self.gradient(self.start(DType::F64));
        let mut arrays = named_parameters(&self.layout, "parameter", &self.parameters);
        arrays.extend(named_parameters(
            &self.layout,
            "answer.gradient",
            &flat(gradient)?,
        ));
        for (name, shape, values) in [
            (
                "strain",
                vec![rows, COMPONENTS, records],
                padded.strain.clone(),
            ),
            ("dt", vec![rows, records], padded.dt.clone()),
            (
                "target",
                vec![rows, COMPONENTS, records],
                padded.stress.clone(),
            ),
            (
                "dissipation_scale",
                vec![],
                vec![self.target.dissipation_scale],
            ),
            ("dissipation_weight", vec![], vec![self.weights.dissipation]),
            ("learning_rate", vec![], vec![LEARNING_RATE]),
            (
                "answer.output",
                vec![rows, COMPONENTS + 1, records],
                flat(output)?,
            ),
            ("answer.loss", vec![], flat(loss)?),
        ] {
            arrays.insert(name.into(), (shape, values));
        }
        Ok(arrays)
    }

    fn forms(&self, dtype: &str) -> Vec<&'static str> {
        let tape = TAPE_DTYPES.contains(&dtype).then_some("tape");
        tape.into_iter()
            .chain(
                self.gru
                    .filter(|_| fused_gru::available())
                    .map(|_| "fused by hand"),
            )
            .collect()
    }

    fn check(&self, form: &str, dtype: &str) -> Outcome<Value> {
        let (_, expected, gradient) = self.gradient(self.start(DType::F64));
        let (loss, found) = match (form, dtype) {
            ("tape", _) => {
                let (_, loss, found) = self.gradient(self.start(burn_dtype(dtype)?));
                (flat(loss)?[0], flat(found)?)
            }
            (_, "f32") => {
                let (loss, found) = self.fused::<f32, 16>()?.gradient();
                (loss, found.into_iter().map(f64::from).collect())
            }
            _ => self.fused::<f64, 8>()?.gradient(),
        };
        Ok(json!({
            "loss": error(&[loss], &flat(expected)?),
            "gradient": error(&found, &flat(gradient)?),
        }))
    }

    fn call<'a>(&'a self, form: &str, dtype: &str) -> Outcome<Box<dyn FnMut() + 'a>> {
        Ok(match (form, dtype) {
            ("tape", _) => {
                let mut now = Some(self.start(burn_dtype(dtype)?));
                let mut moments: Option<AdamState<1>> = None;
                Box::new(move || {
                    let Some(parameters) = now.take() else { return };
                    let (_, _, gradient) = self.gradient(parameters.clone());
                    let step =
                        self.adam
                            .step(LEARNING_RATE, parameters.inner(), gradient, moments.take());
                    now = Some(Tensor::from_inner(step.0));
                    moments = step.1;
                })
            }
            (_, "f32") => {
                let mut fused = self.fused::<f32, 16>()?;
                Box::new(move || fused.step())
            }
            _ => {
                let mut fused = self.fused::<f64, 8>()?;
                Box::new(move || fused.step())
            }
        })
    }
}

fn burn_dtype(dtype: &str) -> Outcome<DType> {
    match dtype {
        "f32" => Ok(DType::F32),
        "f64" => Ok(DType::F64),
        _ => Err(format!("no number format is called `{dtype}`").into()),
    }
}

/// Update and consistent tangent of many points.
struct Inference<L> {
    law: L,
    points: usize,
    strain_old: Vec<f64>,
    strain: Vec<f64>,
    dt: Vec<f64>,
    state: Vec<f64>,
    parameters: Arrays,
}

fn learned<L: RecurrentLaw>(
    law: L,
    layout: ParameterLayout,
    points: usize,
) -> Outcome<Inference<LearnedLaw<L>>> {
    let raw = parameters(&layout);
    let named = named_parameters(&layout, "parameter", &raw);
    let law = LearnedLaw::new("learned", law, layout, raw, Normalisation::unit(COMPONENTS))?;
    let states = law.state_layout().len();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut draw = |n: usize| {
        (0..n)
            .map(|_| random.random_range(-0.5..0.5))
            .collect::<Vec<f64>>()
    };
    Ok(Inference {
        law,
        points,
        strain_old: draw(COMPONENTS * points),
        strain: draw(COMPONENTS * points),
        state: draw(states * points),
        dt: vec![0.1; points],
        parameters: named,
    })
}

/// Steel with linear hardening; most of the points flow.
fn j2(points: usize) -> Outcome<Inference<J2>> {
    let parameters = PlasticityParameters {
        young: 200_000.0,
        poisson: 0.3,
        yield_stress: 250.0,
        voce: vec![],
        linear_hardening: 1000.0,
        backstress: vec![Backstress {
            c: 20_000.0,
            gamma: 0.0,
        }],
    };
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut draw = |n: usize, size: f64| {
        (0..n * points)
            .map(|_| random.random_range(-size..size))
            .collect::<Vec<f64>>()
    };
    let mut state = [draw(6, 1e-3), vec![0.0; points], draw(6, 1e-3)].concat();
    for i in [0, 7] {
        // Plastic strain is a deviator: the third entry balances the first two.
        for point in 0..points {
            let entry = |k: usize| (i + k) * points + point;
            state[entry(2)] = -state[entry(0)] - state[entry(1)];
        }
    }
    for (p, e) in draw(1, 1e-3).iter().enumerate() {
        state[6 * points + p] = e.abs();
    }
    let named = [
        ("young", parameters.young),
        ("poisson", parameters.poisson),
        ("yield", parameters.yield_stress),
        ("isotropic", parameters.linear_hardening),
        ("kinematic", parameters.backstress[0].c),
    ];
    let named = named.map(|(name, value)| (format!("parameter.{name}"), (vec![], vec![value])));
    Ok(Inference {
        law: J2::new(&parameters)?,
        points,
        strain_old: vec![0.0; COMPONENTS * points],
        strain: draw(6, 3e-3),
        state,
        dt: vec![0.1; points],
        parameters: named.into(),
    })
}

/// Memory of the answers of a batch.
struct Answers {
    state: Vec<f64>,
    stress: Vec<f64>,
    tangent: Vec<f64>,
    stored_energy: Vec<f64>,
    dissipation: Vec<f64>,
    status: Vec<Status>,
}

impl<L: MaterialLaw> Inference<L> {
    fn answers(&self) -> Answers {
        let p = self.points;
        Answers {
            state: vec![0.0; self.state.len()],
            stress: vec![0.0; COMPONENTS * p],
            tangent: vec![0.0; COMPONENTS * COMPONENTS * p],
            stored_energy: vec![0.0; p],
            dissipation: vec![0.0; p],
            status: vec![Status::Inside; p],
        }
    }

    fn batch(&self, answers: &mut Answers) -> Outcome<()> {
        let input = BatchInput {
            points: self.points,
            strain_old: &self.strain_old,
            strain_new: &self.strain,
            dt: &self.dt,
            external_old: &[],
            external_new: &[],
            state: &self.state,
        };
        let mut output = BatchOutput {
            state: &mut answers.state,
            stress: &mut answers.stress,
            tangent: &mut answers.tangent,
            stored_energy: &mut answers.stored_energy,
            dissipation: &mut answers.dissipation,
            status: &mut answers.status,
        };
        Ok(self.law.update_batch(&input, &mut output)?)
    }
}

impl<L: MaterialLaw> Task for Inference<L> {
    fn arrays(&self) -> Outcome<Arrays> {
        let p = self.points;
        let states = self.law.state_layout().len();
        let mut answers = self.answers();
        self.batch(&mut answers)?;
        let mut arrays = self.parameters.clone();
        for (name, shape, values) in [
            ("strain", vec![COMPONENTS, p], self.strain.clone()),
            ("dt", vec![p], self.dt.clone()),
            ("state", vec![states, p], self.state.clone()),
            ("answer.state", vec![states, p], answers.state),
            ("answer.stress", vec![COMPONENTS, p], answers.stress),
            (
                "answer.tangent",
                vec![COMPONENTS, COMPONENTS, p],
                answers.tangent,
            ),
        ] {
            arrays.insert(name.into(), (shape, values));
        }
        Ok(arrays)
    }

    fn forms(&self, dtype: &str) -> Vec<&'static str> {
        (dtype == "f64").then_some("law").into_iter().collect()
    }

    fn check(&self, _: &str, _: &str) -> Outcome<Value> {
        Ok(json!({}))
    }

    fn call<'a>(&'a self, _: &str, _: &str) -> Outcome<Box<dyn FnMut() + 'a>> {
        if self.points > 1 {
            let mut answers = self.answers();
            return Ok(Box::new(move || {
                self.batch(&mut answers).expect("the law has an answer");
                black_box(&answers.tangent);
            }));
        }
        let mut state = self.state.clone();
        let mut response = Response::default();
        Ok(Box::new(move || {
            let increment = Increment {
                strain_old: &self.strain_old,
                strain_new: black_box(&self.strain),
                dt: 0.1,
                external_old: &[],
                external_new: &[],
            };
            let update = self
                .law
                .update(&increment, &self.state, &mut state, &mut response);
            update.expect("the law has an answer");
            black_box(&response);
        }))
    }
}

/// Median seconds of a call, and the number of samples. Short calls are sampled in bundles.
fn time(seconds: f64, call: &mut dyn FnMut()) -> (f64, usize) {
    call();
    let once = Instant::now();
    call();
    let bundle = (1e-4 / once.elapsed().as_secs_f64()).ceil().clamp(1.0, 1e5) as usize;
    let (start, mut samples) = (Instant::now(), Vec::new());
    while samples.len() < 3 || start.elapsed().as_secs_f64() < seconds {
        let sample = Instant::now();
        for _ in 0..bundle {
            call();
        }
        samples.push(sample.elapsed().as_secs_f64() / bundle as f64);
    }
    samples.sort_by(f64::total_cmp);
    (samples[samples.len() / 2], samples.len())
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
            let (median, samples) = time(seconds.parse()?, &mut *task.call(form, dtype)?);
            Ok(json!({ "seconds": median, "samples": samples }))
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
