mod models;
#[path = "models/tasks.rs"]
mod tasks;
fn main() {
    for text in [
        format!("{:?}", tasks::learned(tasks::gru())),
        format!("{:?}", tasks::learned(tasks::gradient())),
    ] {
        let update = text
            .split("update: Prepared")
            .nth(1)
            .unwrap()
            .split("energy: Prepared")
            .next()
            .unwrap();
        let varying = update.split("uniform: Some").next().unwrap();
        for line in varying.split("Instruction {").skip(1) {
            println!(
                "{}",
                line.replace("Place { ", "{")
                    .replace("space: ", "")
                    .replace("action: ", "")
            );
        }
        println!("=====");
    }
}
