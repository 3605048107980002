//! Training steps: the roll-out, the loss, its gradient and Adam.

use super::fused_gru::{self, FusedGru};
use super::models::COMPONENTS;
use super::{Arrays, Outcome, Task, named_parameters, parameters};
use burn::optim::{Adam, AdamConfig, AdamState, Optimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use hysteron::graph::ParameterLayout;
use hysteron::model::Normalisation;
use hysteron::record::{Padded, Record};
use hysteron::recurrent::RecurrentLaw;
use hysteron::train::loss::{Target, Weights};
use hysteron::train::rollout::{RollOut, roll_out_tensors};
use hysteron::train::{ErrorScale, Histories, TrainingDevice, constrain, device};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::sync::Arc;

const LEARNING_RATE: f64 = 1e-3;
/// Number formats in which the sweep trains.
const SWEEP_DTYPES: &[&str] = &["f32", "f64"];

/// What is penalised beside the error of the stress.
pub const NOTHING: Weights = Weights {
    dissipation: 0.0,
    margin: 0.0,
    tangent: 0.0,
};
pub const DISSIPATION: Weights = Weights {
    dissipation: 1.0,
    ..NOTHING
};

/// A training step.
pub struct Training<L> {
    law: L,
    layout: ParameterLayout,
    parameters: Vec<f64>,
    histories: Arc<Histories>,
    target: Target,
    weights: Weights,
    roll_out: RollOut,
    adam: Adam,
    /// One where a parameter is constrained to be positive; none if none is.
    positive: Option<Vec<f64>>,
    /// Width of the GRU, which also has a fused form.
    gru: Option<usize>,
}

impl<L: RecurrentLaw> Training<L> {
    pub fn new(
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
        let roll_out = RollOut::new(&law, histories.external());
        Ok(Self {
            law,
            parameters: parameters(&layout),
            positive: Some(layout.positive_mask()).filter(|mask| mask.contains(&1.0)),
            layout,
            target: Target::new(&histories, ErrorScale::Common),
            histories: Arc::new(histories),
            weights,
            roll_out,
            adam: AdamConfig::new().with_epsilon(1e-8).build(),
            gru,
        })
    }

    /// The roll-out, the loss and the gradient: what `train::fit` computes in an epoch.
    fn gradient(&self, form: &str, parameters: Tensor<1>) -> (Tensor<3>, f64, Tensor<1>) {
        let parameters = parameters.require_grad();
        let constrained = match &self.positive {
            None => parameters.clone(),
            Some(mask) => {
                let data = TensorData::new(mask.clone(), [mask.len()]);
                let place = (&parameters.device(), parameters.dtype());
                constrain(parameters.clone(), Tensor::from_data(data, place))
            }
        };
        let output = match form {
            "tensors" => roll_out_tensors(&self.law, constrained, &self.histories),
            _ => self.roll_out.tracked(constrained, &self.histories),
        };
        let numbers = output.clone().inner().into_data().convert::<f64>();
        let numbers = numbers.try_into_vec().expect("a tensor of numbers");
        let loss = self.target.evaluate(&numbers, self.weights);
        let gradient = parameters.grad(&loss.backward(output.clone()));
        (
            output,
            loss.point().loss(),
            gradient.expect("the loss depends on the parameters"),
        )
    }

    fn start(&self, device: &Device, dtype: DType) -> Tensor<1> {
        let data = TensorData::new(self.parameters.clone(), [self.parameters.len()]);
        Tensor::from_data(data, (device, dtype))
    }

    /// What every form is held against.
    fn exact(&self) -> (Tensor<3>, f64, Tensor<1>) {
        self.gradient("sweep", self.start(&Device::flex().autodiff(), DType::F64))
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

/// The device that `benches/gpu/run` asks for.
fn on_gpu() -> Option<TrainingDevice> {
    let name = std::env::var("PEERS_DEVICE").ok()?;
    serde_json::from_value(Value::String(name)).ok()
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
        let (output, loss, gradient) = self.exact();
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
            ("answer.loss", vec![], vec![loss]),
        ] {
            arrays.insert(name.into(), (shape, values));
        }
        Ok(arrays)
    }

    fn forms(&self, dtype: &str) -> Vec<&'static str> {
        if on_gpu().is_some() {
            return vec!["tensors"];
        }
        let sweep = SWEEP_DTYPES.contains(&dtype).then_some("sweep");
        sweep
            .into_iter()
            .chain(
                self.gru
                    .filter(|_| fused_gru::available())
                    .map(|_| "fused by hand"),
            )
            .collect()
    }

    fn check(&self, form: &str, dtype: &str) -> Outcome<Value> {
        let (_, expected, gradient) = self.exact();
        let (loss, found) = match (form, dtype) {
            ("sweep" | "tensors", _) => {
                let start = self.start(&device(on_gpu().unwrap_or_default())?, burn_dtype(dtype)?);
                let (_, loss, found) = self.gradient(form, start);
                (loss, flat(found)?)
            }
            (_, "f32") => {
                let (loss, found) = self.fused::<f32, 16>()?.gradient();
                (loss, found.into_iter().map(f64::from).collect())
            }
            _ => self.fused::<f64, 8>()?.gradient(),
        };
        Ok(json!({
            "loss": error(&[loss], &[expected]),
            "gradient": error(&found, &flat(gradient)?),
        }))
    }

    fn call<'a>(&'a self, form: &str, dtype: &str) -> Outcome<Box<dyn FnMut() + 'a>> {
        Ok(match (form, dtype) {
            ("sweep" | "tensors", _) => {
                let form = form.to_string();
                let device = device(on_gpu().unwrap_or_default())?;
                let mut now = Some(self.start(&device, burn_dtype(dtype)?));
                let mut moments: Option<AdamState<1>> = None;
                Box::new(move || {
                    let Some(parameters) = now.take() else { return };
                    let (_, _, gradient) = self.gradient(&form, parameters.clone());
                    let step =
                        self.adam
                            .step(LEARNING_RATE, parameters.inner(), gradient, moments.take());
                    now = Some(Tensor::from_inner(step.0));
                    moments = step.1;
                    device.sync().expect("the device computes");
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
