//! `hysteron plot`

use super::Verdict;
use super::output::{check_output, print};
use super::source::{Records, has_extension};
use clap::{Args, ValueEnum};
use hysteron::driver::Curve;
use hysteron::mandel::{LABELS, positions};
use hysteron::plot::{self, Abscissa};
use hysteron::record::Record;
use hysteron::{Error, Result, open};
use std::path::PathBuf;

/// Draws measured and predicted records.
///
/// stress-strain and time draw both stresses, dissipation and states look inside the law, parity
/// draws predicted over measured stress; of components driven by stress, strains.
#[derive(Args)]
#[command(after_help = "Examples:
  hysteron plot steel.safetensors --data tests --out steel.svg
  hysteron plot steel.safetensors --data tests/a.csv --kind states --over path --out states.png")]
pub struct Arguments {
    /// A saved law (.safetensors), or a card with a [reference] law.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    records: Records,
    /// The figure; its extension, .svg or .png, decides the format.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[arg(long, value_enum, default_value_t = Figure::StressStrain)]
    kind: Figure,
    /// What `time` and `states` are drawn over.
    #[arg(long, value_enum, default_value_t = Abscissa::Time)]
    over: Abscissa,
    /// Component of stress and strain: 11, 22, 33, 12, 13 or 23.
    #[arg(long, value_name = "LABEL", default_value = "11")]
    component: String,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Figure {
    StressStrain,
    Time,
    Dissipation,
    States,
    Parity,
}

impl Arguments {
    pub fn run(self) -> Result<Verdict> {
        if !["svg", "png"].iter().any(|e| has_extension(&self.out, e)) {
            return Err(Error::Plot {
                path: self.out,
                message: "a figure is written as .svg or .png; give the file one of these \
                          extensions"
                    .into(),
            });
        }
        check_output(&self.out)?;
        let loading = &self.records.loading;
        let law = loading.law(open(&self.model)?)?;
        let records = self.records.load(law.as_ref())?;
        if self.kind == Figure::States && records.len() > 1 {
            let names: Vec<_> = records.iter().map(|r| r.name.as_str()).collect();
            return Err(Error::invalid(format!(
                "the internal variables of one record are drawn at a time; choose with --records \
                 from: {}",
                names.join(", ")
            )));
        }
        let component = match records.first() {
            Some(record) => self.component_of(record)?,
            None => 0,
        };
        let curves = records
            .iter()
            .map(|record| loading.follow(law.as_ref(), record))
            .collect::<Result<Vec<_>>>()?;
        self.draw(&records, &curves, component)?;
        print(&format!("{}\n", self.out.display()))?;
        Ok(Verdict::Pass)
    }

    fn draw(&self, records: &[Record], curves: &[Curve], component: usize) -> Result<()> {
        let out = &self.out;
        let over = self.over;
        let pairs: Vec<_> = records.iter().zip(curves).collect();
        let answered: Vec<_> = pairs.iter().map(|(r, c)| (*r, Some(*c))).collect();
        match self.kind {
            Figure::StressStrain => plot::stress_strain(&answered, component, out),
            Figure::Time => plot::stress_over_time(&answered, component, over, out),
            Figure::Dissipation => plot::dissipation(&curves.iter().collect::<Vec<_>>(), out),
            Figure::States => curves
                .iter()
                .try_for_each(|curve| plot::internal_variables(curve, over, out)),
            Figure::Parity => plot::parity(&pairs, component, out),
        }
    }

    fn component_of(&self, record: &Record) -> Result<usize> {
        let positions = positions(record.components).unwrap_or_default();
        let labels: Vec<_> = positions.iter().map(|&p| LABELS[p]).collect();
        let found = labels.iter().position(|label| *label == self.component);
        found.ok_or_else(|| {
            Error::invalid(format!(
                "--component {}: record `{}` has {}",
                self.component,
                record.name,
                labels.join(", ")
            ))
        })
    }
}
