//! What to learn, and how long.

use serde::{Deserialize, Serialize};

const MAX_STATES: usize = 512;
const MAX_WIDTH: usize = 4096;
const MAX_LAYERS: usize = 32;
const MAX_EPOCHS: usize = 10_000_000;

/// What drives the evolution of the internal variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// ‖Δε‖: rate-independent.
    #[default]
    StrainPath,
    Time,
    Both,
}

/// The law to learn and its training, `[learn]` in a card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Learn {
    /// Name of the law.
    pub law: String,
    /// Internal variables.
    pub states: usize,
    /// Hidden width of the evolution's network.
    pub width: usize,
    /// Hidden layers of the evolution's network.
    pub layers: usize,
    /// Hidden width of the free energy's network.
    pub energy_width: usize,
    /// Hidden layers of the free energy's network.
    pub energy_layers: usize,
    pub clock: Clock,
    /// Resample the records in steps of this strain along their path.
    pub spacing: Option<f64>,
    pub epochs: usize,
    pub learning_rate: f64,
    /// The learning rate in the last epoch.
    pub final_learning_rate: f64,
    /// Largest norm of the gradient.
    pub clip: f64,
    /// `λ_D`, the weight of negative dissipation.
    pub dissipation_weight: f64,
    /// Dissipation below this share of its scale is penalised.
    pub dissipation_margin: f64,
    /// Share of the epochs over which `λ_D` rises from zero.
    pub dissipation_warmup: f64,
    /// `λ_C`, the weight of the tangent term.
    pub tangent_weight: f64,
    /// Stop after so many epochs without a better validation.
    pub patience: Option<usize>,
    pub seed: u64,
}

impl Default for Learn {
    fn default() -> Self {
        Self {
            law: "minimal-state".into(),
            states: 8,
            width: 16,
            layers: 2,
            energy_width: 16,
            energy_layers: 2,
            clock: Clock::default(),
            spacing: None,
            epochs: 2000,
            learning_rate: 1e-2,
            final_learning_rate: 1e-4,
            clip: 1.0,
            dissipation_weight: 1.0,
            dissipation_margin: 0.0,
            dissipation_warmup: 0.0,
            tangent_weight: 0.0,
            patience: None,
            seed: 1,
        }
    }
}

impl Learn {
    /// Checks every range; returns the key at fault and the cause.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if self.law.trim().is_empty() {
            return Err(("law", "the name is empty".into()));
        }
        for (key, value, most) in [
            ("states", self.states, MAX_STATES),
            ("width", self.width, MAX_WIDTH),
            ("layers", self.layers, MAX_LAYERS),
            ("energy_width", self.energy_width, MAX_WIDTH),
            ("energy_layers", self.energy_layers, MAX_LAYERS),
            ("epochs", self.epochs, MAX_EPOCHS),
            ("patience", self.patience.unwrap_or(1), MAX_EPOCHS),
        ] {
            if value == 0 || value > most {
                return Err((key, format!("{value}, 1 to {most} are possible")));
            }
        }
        for (key, value) in [
            ("spacing", self.spacing.unwrap_or(1.0)),
            ("learning_rate", self.learning_rate),
            ("final_learning_rate", self.final_learning_rate),
            ("clip", self.clip),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err((key, format!("{value} is not a positive number")));
            }
        }
        for (key, value) in [
            ("dissipation_weight", self.dissipation_weight),
            ("dissipation_margin", self.dissipation_margin),
            ("tangent_weight", self.tangent_weight),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err((key, format!("{value} is negative or not a number")));
            }
        }
        if !(0.0..=1.0).contains(&self.dissipation_warmup) {
            let message = format!("{}, 0 to 1 are possible", self.dissipation_warmup);
            return Err(("dissipation_warmup", message));
        }
        if self.final_learning_rate > self.learning_rate {
            let message = format!(
                "{} is above learning_rate = {}",
                self.final_learning_rate, self.learning_rate
            );
            return Err(("final_learning_rate", message));
        }
        Ok(())
    }
}
