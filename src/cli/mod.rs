//! Arguments, commands and exit codes.

mod advice;
mod audit;
mod evaluate;
mod export;
mod info;
mod loading;
mod output;
mod plot;
mod predict;
mod progress;
mod source;
mod train;
mod trained;

use clap::{Parser, Subcommand};
use hysteron::Result;
use std::process::ExitCode;

/// Learned material laws: train them on test records, check them, look at them.
///
/// A law is trained from a material card (card.toml) or a folder of CSV records, and saved as a
/// .safetensors file that holds its parameters, scales, history and audit.
#[derive(Parser)]
#[command(
    name = "hysteron",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  hysteron train materials/steel_s355_voce_chaboche --out steel.safetensors
  hysteron evaluate steel.safetensors --data tests
  hysteron audit steel.safetensors

Exit codes: 0 all is well, 1 a check failed, 2 bad usage or bad input.
`hysteron help COMMAND` says more about each command."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(Box<train::Arguments>),
    Evaluate(evaluate::Arguments),
    Predict(predict::Arguments),
    Audit(audit::Arguments),
    Plot(plot::Arguments),
    Info(info::Arguments),
    Export(export::Arguments),
}

/// The outcome of a command that ran without an error.
enum Verdict {
    Pass,
    /// A check failed: exit code 1.
    Fail,
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let verdict = execute(CommandLine::parse().command);
    match verdict {
        Ok(Verdict::Pass) => ExitCode::SUCCESS,
        Ok(Verdict::Fail) => ExitCode::from(1),
        Err(error) => {
            output::note(&format!("error: {}", output::one_line(&error.to_string())));
            ExitCode::from(2)
        }
    }
}

fn execute(command: Command) -> Result<Verdict> {
    match command {
        Command::Train(arguments) => arguments.run(),
        Command::Evaluate(arguments) => arguments.run(),
        Command::Predict(arguments) => arguments.run(),
        Command::Audit(arguments) => arguments.run(),
        Command::Plot(arguments) => arguments.run(),
        Command::Info(arguments) => arguments.run(),
        Command::Export(arguments) => arguments.run(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        super::CommandLine::command().debug_assert();
    }
}
