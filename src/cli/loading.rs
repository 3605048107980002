//! How a command puts a law under load: stress state, and components driven by stress.

use clap::Args;
use hysteron::driver::{Curve, follow_stress};
use hysteron::evaluate::Quantity;
use hysteron::mandel::{LABELS, StressState, positions};
use hysteron::record::Record;
use hysteron::{Error, LawSource, MaterialLaw, Result};
use std::sync::Arc;

/// All components, in place of labels.
const ALL: &str = "all";

#[derive(Args)]
pub struct Loading {
    /// The stress state of records with fewer components than the law.
    #[arg(long, value_enum, value_name = "STATE")]
    stress_state: Option<StressState>,
    /// Components driven by the measured stress, such as 11,12 or all: creep, ratcheting, load control. There the
    /// law answers with a strain, which is compared.
    #[arg(long, value_name = "LABEL,…", value_delimiter = ',')]
    stress_controlled: Vec<String>,
}

impl Loading {
    /// The law under the stress state.
    ///
    /// # Errors
    /// A stress state for a law of other than six components.
    pub fn law(&self, source: LawSource) -> Result<Box<dyn MaterialLaw>> {
        let Some(stress_state) = self.stress_state else {
            return source.law();
        };
        let law: Arc<dyn MaterialLaw> = source.solid_law()?.into();
        match law.components() {
            6 => stress_state.around(law),
            n => Err(Error::invalid(format!(
                "--stress-state: law `{}` has {n} components and knows no others; only a law of six answers \
                 other stress states",
                law.name()
            ))),
        }
    }

    /// The response of a law to a record.
    ///
    /// # Errors
    /// Those of the driver; a component that the record does not have.
    pub fn follow(&self, law: &dyn MaterialLaw, record: &Record) -> Result<Curve> {
        let labels = positions(record.components).unwrap_or_default();
        let labels: Vec<_> = labels.iter().map(|&p| LABELS[p]).collect();
        let index = |label: &String| {
            let found = labels.iter().position(|known| known == label);
            found.ok_or_else(|| {
                Error::invalid(format!(
                    "--stress-controlled {label}: record `{}` has {}, or {ALL}",
                    record.name,
                    labels.join(", ")
                ))
            })
        };
        let driven = match self.stress_controlled.iter().any(|label| label == ALL) {
            true => (0..labels.len()).collect(),
            false => self
                .stress_controlled
                .iter()
                .map(index)
                .collect::<Result<Vec<_>>>()?,
        };
        follow_stress(law, record, &driven)
    }

    /// What predictions are compared in.
    pub fn quantity(&self) -> Quantity {
        match self.stress_controlled.is_empty() {
            true => Quantity::Stress,
            false => Quantity::Strain,
        }
    }
}
