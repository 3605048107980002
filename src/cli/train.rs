//! `hysteron train`

use super::Verdict;
use super::advice::advice;
use super::output::{check_output, note, same_file, say_left_out, short};
use super::progress::{Display, interruption};
use super::source::{has_extension, positive};
use super::trained;
use clap::{Args, Command};
use hysteron::card::Card;
use hysteron::record::{Facts, Record, Split, doubts};
use hysteron::recurrent::{Architecture, Clock};
use hysteron::train::{Precision, Resume, Trainer, Training, TrainingDevice};
use hysteron::{Error, Result};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Epochs between two checkpoints.
const CHECKPOINT_EVERY: usize = 100;

/// Trains a law on the records of a card or a folder.
///
/// The law, its sizes and the options of the training are those of the card, or the defaults, where
/// no option here says otherwise. Ctrl-c ends the training and saves the best law so far; a second
/// ctrl-c gives up at once. Afterwards the law is audited and compared with its records; beside it,
/// OUT-learning.svg shows the learning curve and OUT.svg measured and predicted stress.
#[derive(Args)]
#[command(after_help = "Examples:
  hysteron train materials/steel_s355_voce_chaboche
  hysteron train tests --validate example_3 --epochs 3000 --out steel.safetensors
  hysteron train tests --checkpoint steel.json    (run it again to go on)")]
pub struct Arguments {
    /// A material card, a folder with a card.toml, or a folder of CSV records.
    #[arg(value_name = "CARD|DIR")]
    card: PathBuf,
    /// Where to save the law [default: the card's name, in this folder].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The law to learn, such as minimal-state or gru.
    #[arg(long, value_name = "NAME", help_heading = "Law")]
    law: Option<String>,
    /// Internal variables, or what else the law counts: tensors, cells, material points.
    #[arg(long, value_name = "N", help_heading = "Law")]
    states: Option<usize>,
    /// Hidden width of the evolution's network.
    #[arg(long, value_name = "N", help_heading = "Law")]
    width: Option<usize>,
    /// What drives the internal variables.
    #[arg(long, value_enum, help_heading = "Law")]
    clock: Option<Clock>,
    /// Further columns of the records that the law takes as inputs, such as temperature_C; others are left
    /// out [default: those of the card].
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        help_heading = "Records"
    )]
    external: Option<Vec<String>>,
    /// Names of the training records [default: all that do not validate].
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        help_heading = "Records"
    )]
    train: Vec<String>,
    /// Names of the validation records, which choose the best epoch.
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        help_heading = "Records"
    )]
    validate: Vec<String>,
    /// Only the initial loading and the first N cycles of each record.
    #[arg(long, value_name = "N", value_parser = positive, help_heading = "Records")]
    pub cycles: Option<usize>,
    /// Learn the records in strain steps of at most each of these at once; 0: the rows as measured.
    #[arg(
        long,
        value_name = "S,…",
        value_delimiter = ',',
        help_heading = "Records"
    )]
    spacing: Option<Vec<f64>>,
    /// Passes over the records.
    #[arg(long, value_name = "N", help_heading = "Training")]
    epochs: Option<usize>,
    /// Seed of the initial parameters; the same seed gives the same law.
    #[arg(long, value_name = "N", help_heading = "Training")]
    seed: Option<u64>,
    /// Adam's step at the start; its decay keeps the ratio that the card gives.
    #[arg(long, value_name = "X", help_heading = "Training")]
    learning_rate: Option<f64>,
    /// Weight of negative dissipation in the loss.
    #[arg(long, value_name = "X", help_heading = "Training")]
    dissipation_weight: Option<f64>,
    /// Where to compute; a GPU needs a build with its feature.
    #[arg(long, value_enum, help_heading = "Training")]
    device: Option<TrainingDevice>,
    /// Number format of roll-outs and gradients.
    #[arg(long, value_enum, help_heading = "Training")]
    precision: Option<Precision>,
    /// Keep the state of the training here, and go on from it if it exists.
    #[arg(long, value_name = "FILE", help_heading = "Training")]
    checkpoint: Option<PathBuf>,
    /// No figures beside the law.
    #[arg(long)]
    pub no_plots: bool,
    /// No progress and no facts of the records; doubts stay.
    #[arg(long, short)]
    pub quiet: bool,
    /// Print one JSON object in place of tables.
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(self) -> Result<Verdict> {
        let mut card = self.open_card()?;
        if let Some(external) = &self.external {
            card.external.clone_from(external);
        }
        let learn = self.learn(&card);
        let options = self.options(&card);
        let known = Self::augment_args(Command::default());
        let fault = |(key, message): (&str, String)| {
            // A key that is not an option comes from the card.
            let key = match known.get_arguments().any(|option| option.get_id() == key) {
                true => format!("--{}", key.replace('_', "-")),
                false => format!("{}: {key}", self.card.display()),
            };
            Error::invalid(format!("{key}: {message}"))
        };
        let law = learn.checked_for_records(card.components, card.external.len());
        let architecture = law.map_err(fault)?;
        options.check().map_err(fault)?;
        let out = match &self.out {
            Some(out) => out.clone(),
            None => PathBuf::from(format!("{}.safetensors", file_stem(&card.name))),
        };
        self.check_outputs(&out)?;
        let (records, left_out) = self.records(&card)?;
        let split = match self.train.is_empty() && self.validate.is_empty() {
            true => card.split.clone(),
            false => Split {
                train: self.train.clone(),
                validation: self.validate.clone(),
            },
        };
        let (training, validation) = split.apply(&records)?;
        say_left_out(
            &left_out,
            "--external NAME,… makes inputs of the law of them",
        );
        self.announce(&card, &architecture, &options, &training, &validation)?;

        let resume = Resume {
            file: self.checkpoint.clone(),
            every: CHECKPOINT_EVERY,
        };
        let mut display = Display::new(self.quiet, options.epochs);
        let interrupted = interruption(&display)?;
        let learned = Trainer::of(&architecture)?
            .name(&card.name)
            .records(&training)
            .validation(&validation)
            .stress_state(learn.stress_state)
            .poisson(card.elastic.map(|elastic| elastic.poisson))
            .options(&options)
            .resume(resume)
            .observe(|progress| {
                display.show(progress);
                match interrupted.load(Ordering::SeqCst) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })
            .run();
        display.finish();
        trained::finish(
            &self,
            &out,
            trained::TrainingRun {
                card,
                architecture,
                options,
                training,
                validation,
            },
            learned?,
        )
    }

    fn open_card(&self) -> Result<Card> {
        if has_extension(&self.card, "csv") && self.card.is_file() {
            return Err(Error::Card {
                path: self.card.clone(),
                line: None,
                message: "this is a record; give its folder, or a card that lists it".into(),
            });
        }
        Card::open(&self.card)
    }

    fn learn(&self, card: &Card) -> Architecture {
        let mut learn = card.learn.clone();
        if let Some(law) = &self.law {
            learn.law.clone_from(law);
        }
        learn.states = self.states.unwrap_or(learn.states);
        learn.width = self.width.unwrap_or(learn.width);
        learn.clock = self.clock.unwrap_or(learn.clock);
        learn
    }

    fn options(&self, card: &Card) -> Training {
        let mut options = card.train.clone();
        options.epochs = self.epochs.unwrap_or(options.epochs);
        options.seed = self.seed.unwrap_or(options.seed);
        if let Some(rate) = self.learning_rate {
            options.final_learning_rate *= rate / options.learning_rate;
            options.learning_rate = rate;
        }
        if let Some(weight) = self.dissipation_weight {
            options.dissipation_weight = weight;
        }
        options.device = self.device.unwrap_or(options.device);
        options.precision = self.precision.unwrap_or(options.precision);
        if let Some(spacing) = &self.spacing {
            options.spacing.clone_from(spacing);
        }
        options
    }

    fn check_outputs(&self, out: &Path) -> Result<()> {
        if !has_extension(out, "safetensors") {
            return Err(Error::Model {
                path: out.to_path_buf(),
                message: "a law is saved as .safetensors; give --out this extension".into(),
            });
        }
        check_output(out)?;
        let Some(checkpoint) = &self.checkpoint else {
            return Ok(());
        };
        if checkpoint == out || same_file(checkpoint, out) {
            return Err(Error::invalid(
                "--checkpoint and --out are the same file; give one another name",
            ));
        }
        check_output(checkpoint)
    }

    /// The records of a card, and the columns of its files that are left out.
    fn records(&self, card: &Card) -> Result<(Vec<Record>, Vec<String>)> {
        let (records, left_out) = card.all_records_and_left_out()?;
        let records = match self.cycles {
            Some(cycles) => records.iter().map(|r| r.first_cycles(cycles)).collect(),
            None => records,
        };
        Ok((records, left_out))
    }

    fn announce(
        &self,
        card: &Card,
        architecture: &Architecture,
        options: &Training,
        training: &[&Record],
        validation: &[&Record],
    ) -> Result<()> {
        let inform = |line: &str| {
            if !self.quiet {
                note(line);
            }
        };
        let count = |records: &[&Record]| {
            let rows: usize = records.iter().map(|r| r.rows()).sum();
            format!("{} ({rows} rows)", records.len())
        };
        let (law, layout) = architecture.build()?;
        let moduli = training
            .iter()
            .filter_map(|record| record.initial_modulus());
        let moduli: Vec<f64> = moduli.collect();
        if let (Some(least), Some(most)) = (
            moduli.iter().copied().reduce(f64::min),
            moduli.iter().copied().reduce(f64::max),
        ) {
            inform(&format!(
                "initial modulus of the training records: {} to {} MPa",
                short(least),
                short(most)
            ));
        }
        inform(&format!("training records: {}", Facts::of(training)));
        let (rate_independent, spacing) = (law.guarantees().rate_independent, &options.spacing);
        for doubt in doubts(training, rate_independent, spacing) {
            note(&format!("doubt: {doubt}"));
        }
        let advice = advice(training, architecture, rate_independent, spacing);
        if !advice.is_empty() {
            inform(&format!("advice: {}", advice.join("; ")));
        }
        inform(&format!(
            "{}: {} with {} parameters; training records: {}, validation records: {}",
            card.name,
            architecture.law,
            layout.len(),
            count(training),
            count(validation)
        ));
        let values: usize = training.iter().map(|r| r.stress.len()).sum();
        if layout.len() > values {
            note(&format!(
                "doubt: {} parameters for {values} measured stresses: the records do not determine them",
                layout.len()
            ));
        }
        Ok(())
    }
}

/// A name as part of a file's name.
fn file_stem(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    // File systems allow 255 bytes, and a suffix follows.
    let stem: String = words.join("_").chars().take(48).collect();
    match stem.is_empty() {
        true => "law".into(),
        false => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::file_stem;

    #[test]
    fn names_become_safe_file_names() {
        assert_eq!(
            file_stem("AS4/3501-6 carbon–epoxy"),
            "AS4_3501-6_carbon_epoxy"
        );
        assert_eq!(file_stem("../../etc"), "etc");
        assert_eq!(file_stem("…"), "law");
    }
}
