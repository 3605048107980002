//! What is exported: a law, and what its user must know of it.

use super::audited::Beyond;
use super::{Host, job};
use crate::error::{Error, Result};
use crate::host::mgis::is_temperature;
use crate::host::{HostError, HostLaw};
use crate::law::{InitialModuli, MaterialLaw};
use crate::mandel::StressState;
use crate::open::LawSource;
use std::sync::Arc;

/// A law in three dimensions with what its README says.
pub(super) struct Subject {
    /// Name of the law in the host.
    pub name: String,
    pub law: Arc<dyn MaterialLaw>,
    /// Name of the saved law, or of the card.
    title: String,
    /// Which equations it has.
    kind: String,
    /// What the training records hold.
    range: Vec<String>,
    /// Rows of the audit beyond their limits, `None` without an audit.
    beyond: Option<Vec<Beyond>>,
}

impl Subject {
    /// # Errors
    /// A law that the programs cannot use.
    pub fn new(name: String, source: LawSource) -> Result<Self> {
        let (kind, range, beyond) = match &source {
            LawSource::Model(model) => (
                model.metadata.architecture.law.clone(),
                model.law.trained_range(),
                Beyond::of(&model.metadata.audit),
            ),
            // The equations of a classical law are tested, and have no range.
            LawSource::Card(_) => (String::new(), Vec::new(), Some(Vec::new())),
        };
        let host_law = HostLaw::from_source(source)?;
        let law = host_law.in_stress_state(StressState::Solid);
        let law = law.map_err(unusable)?.clone();
        let kind = match kind.is_empty() {
            true => law.name().to_string(),
            false => kind,
        };
        Ok(Self {
            name,
            title: host_law.name().to_string(),
            law,
            kind,
            range,
            beyond,
        })
    }

    /// What a solver suffers from, or a host does not give, must be allowed by name.
    ///
    /// # Errors
    /// What is not allowed, in words; a name to allow that nothing has.
    pub fn check_allowed(&self, host: Host, allowed: &[String]) -> Result<()> {
        let externals = self.law.external_variables();
        if host == Host::Umat && externals.len() > 1 {
            return Err(Error::invalid(format!(
                "`{}` needs {} external variables, a UMAT gets one (the temperature)",
                self.title,
                externals.len()
            )));
        }
        let known = |name: &&String| !super::audited::is_row(name) && !externals.contains(name);
        if let Some(unknown) = allowed.iter().find(known) {
            return Err(Error::invalid(format!(
                "--allow {unknown}: neither a row of the audit nor an input of this law"
            )));
        }
        let rows = self.beyond.iter().flatten().filter(|beyond| beyond.harms());
        let rows = rows.map(|beyond| (beyond.row.clone(), beyond.to_string()));
        let inputs = externals.iter().filter(|_| host == Host::Mgis);
        let inputs = inputs.filter(|name| !is_temperature(name)).map(|name| {
            let words = format!("`{name}`: OpenGeoSys gives a law its temperature only");
            (name.clone(), words)
        });
        let open: Vec<_> = rows
            .chain(inputs)
            .filter(|(name, _)| !allowed.contains(name))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let words: Vec<_> = open
            .iter()
            .map(|(_, words)| format!("    {words}\n"))
            .collect();
        let names: Vec<_> = open
            .into_iter()
            .map(|(name, _)| name)
            .chain(allowed.iter().cloned())
            .collect();
        Err(Error::invalid(format!(
            "`{}` is not fit for a solver:\n{}docs/src/audit.md says what each row means and what to do; to export it \
             all the same: --allow {}",
            self.title,
            words.concat(),
            names.join(",")
        )))
    }

    /// The value of the external variable in the job and the README: its mean in training.
    pub fn typical(&self, index: usize) -> f64 {
        match self.law.typical_external()[index] {
            // What is not given is zero.
            0.0 => 1e-6,
            mean => job::rounded(mean),
        }
    }

    /// The beginning of a README.
    pub fn heading(&self) -> String {
        format!(
            "# {}\n\n{}: a law `{}` with {} internal variables. The library reads the law that lies beside it under \
             the same name: keep the two together.\n\n",
            self.name,
            self.title,
            self.kind,
            self.law.state_layout().len()
        )
    }

    /// The end of a README: `inputs` says how the host gives each external variable, `names` what it calls the
    /// internal ones.
    pub fn description(&self, host: Host, inputs: &[String], names: &[String]) -> String {
        let mut text = String::from("\n## The law\n\n");
        if let Some(moduli) = InitialModuli::of(&self.law) {
            text += &format!("At rest: {moduli}.\n\n");
        }
        let list = |text: &mut String, title: &str, lines: &[String]| {
            if !lines.is_empty() {
                *text += &format!("{title}:\n\n- {}\n\n", lines.join("\n- "));
            }
        };
        list(&mut text, "Inputs", inputs);
        list(
            &mut text,
            "Trained range, beyond which it extrapolates",
            &self.range,
        );
        if !self.range.is_empty() {
            text += &format!(
                "What the host does beyond it stands in `{}.outside`: `warn` goes on and says in what, where and how \
                 often, `reject` fails, `ignore` goes on without a word.\n\n",
                self.name
            );
        }
        match &self.beyond {
            None => {
                text +=
                    "It was saved without an audit: run `hysteron audit` before you rely on it.\n\n"
            }
            Some(rows) => {
                let rows: Vec<_> = rows.iter().map(ToString::to_string).collect();
                list(&mut text, "Audit, rows beyond their limits", &rows);
            }
        }
        let title = match host {
            Host::Umat => "SDV",
            Host::Mgis => "no.",
        };
        if !names.is_empty() {
            text += &format!("| {title} | internal variable | unit |\n|---|---|---|\n");
        }
        let units = self.law.state_layout().variables().iter();
        let units = units.flat_map(|variable| std::iter::repeat_n(variable.unit, variable.len));
        for (index, (name, unit)) in names.iter().zip(units).enumerate() {
            text += &format!("| {} | `{name}` | {unit} |\n", index + 1);
        }
        text
    }
}

fn unusable(error: HostError) -> Error {
    Error::invalid(format!(
        "{error}; these programs pass all components, also for plane elements: export a law of six"
    ))
}
