//! Runs one kernel a given number of times, under an instruction counter.
//!
//! `benches/count` runs each task twice with different numbers of repetitions and takes the
//! difference, so that neither start-up nor the load of the machine matters.

#[allow(dead_code)]
mod models;

#[path = "models/tasks.rs"]
mod tasks;

use burn::tensor::DType;
use hysteron::laws::J2;
use models::{points, steel};
use tasks::{batch, gradient, gru, implicit, network, numbers, single, training};

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let [task, repetitions] = &arguments[..] else {
        for task in Task::all() {
            println!("{} {}", task.name, task.unit);
        }
        return;
    };
    let Some(task) = Task::all().into_iter().find(|t| t.name == task) else {
        eprintln!("no task is called `{task}`");
        std::process::exit(2);
    };
    let mut work = (task.prepare)();
    let repetitions: usize = repetitions.parse().unwrap_or(1);
    for _ in 0..repetitions {
        work.run();
    }
}

/// A prepared call.
trait Work {
    fn run(&mut self);
}

impl<F: FnMut()> Work for F {
    fn run(&mut self) {
        self();
    }
}

/// A named kernel.
struct Task {
    name: &'static str,
    /// The work of one call.
    unit: &'static str,
    prepare: fn() -> Box<dyn Work>,
}

/// Number of points of the batch tasks.
const POINTS: usize = 64;
/// Numbers of rows and histories of the training tasks.
const HISTORY: [usize; 2] = [50, 16];

impl Task {
    fn all() -> Vec<Self> {
        vec![
            Self {
                name: "a-batch",
                unit: "64 points of the GRU, stress and tangent",
                prepare: || Box::new(batch(gru(), POINTS)),
            },
            Self {
                name: "b-batch",
                unit: "64 points of the internal variables, stress and tangent",
                prepare: || Box::new(batch(gradient(), POINTS)),
            },
            Self {
                name: "d-batch",
                unit: "64 points of the implicit law, stress and tangent",
                prepare: || Box::new(batch(implicit(), POINTS)),
            },
            Self {
                name: "j2-batch",
                unit: "64 plastic points of J2, stress and tangent",
                prepare: || Box::new(plasticity(POINTS)),
            },
            Self {
                name: "a-single",
                unit: "one point of the GRU, stress and tangent",
                prepare: || Box::new(single(gru())),
            },
            Self {
                name: "b-single",
                unit: "one point of the internal variables, stress and tangent",
                prepare: || Box::new(single(gradient())),
            },
            Self {
                name: "gru-train-f64",
                unit: "gradient of 16 histories of 50 rows",
                prepare: || Box::new(training(gru(), HISTORY, DType::F64)),
            },
            Self {
                name: "gru-train-f32",
                unit: "gradient of 16 histories of 50 rows",
                prepare: || Box::new(training(gru(), HISTORY, DType::F32)),
            },
            Self {
                name: "iv-train-f64",
                unit: "gradient of 16 histories of 50 rows",
                prepare: || Box::new(training(network(), HISTORY, DType::F64)),
            },
            Self {
                name: "iv-train-f32",
                unit: "gradient of 16 histories of 50 rows",
                prepare: || Box::new(training(network(), HISTORY, DType::F32)),
            },
            Self {
                name: "gsm-train-f64",
                unit: "gradient of 16 histories of 50 rows",
                prepare: || Box::new(training(implicit(), HISTORY, DType::F64)),
            },
        ]
    }
}

/// `update_batch` of a number of points, all of them plastic.
fn plasticity(points: usize) -> impl FnMut() {
    let law = J2::new(&steel()).unwrap();
    let strain = numbers(6 * points, 37).into_iter().map(|e| 0.03 * e);
    let mut batch = points::batch(&law, strain.collect());
    move || batch.update(&law).unwrap()
}
