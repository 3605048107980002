//! One kernel, so many times: to be run under an instruction counter.
//!
//! `benches/count` runs each task twice with different numbers of repetitions and takes the
//! difference, so that neither start-up nor the load of the machine counts.

mod models;

use models::Task;

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
