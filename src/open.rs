//! Opening a law from a file.

use crate::card::Card;
use crate::error::{Error, Result};
use crate::law::MaterialLaw;
use crate::model::Model;
use std::path::Path;

/// What a law is opened from.
#[derive(Clone, Debug)]
pub enum LawSource {
    /// A trained law.
    Model(Box<Model>),
    /// A material card, whose reference law is meant.
    Card(Box<Card>),
}

/// Opens a saved law (`.safetensors`), or a material card with a reference law (a file that ends in
/// `.toml`, or a folder with a `card.toml`).
///
/// ```no_run
/// let law = hysteron::open("steel.safetensors")?.law()?;
/// # Ok::<(), hysteron::Error>(())
/// ```
///
/// # Errors
/// Those of [`Model::load`] and [`Card::open`]. That a card names no reference law is an error of
/// [`LawSource::law`] and [`LawSource::solid_law`].
pub fn open(path: impl AsRef<Path>) -> Result<LawSource> {
    let path = path.as_ref();
    let extension = path.extension().unwrap_or_default();
    if path.is_dir() || extension.eq_ignore_ascii_case("toml") {
        return Ok(LawSource::Card(Box::new(Card::open(path)?)));
    }
    if extension.eq_ignore_ascii_case("csv") && path.is_file() {
        return Err(not_a_model(path, "a record"));
    }
    let model = Model::load(path).map_err(|error| match error {
        Error::Model { path, message } => Error::Model {
            path,
            message: format!("{message} (a law is a .safetensors file from `hysteron train`)"),
        },
        other => other,
    })?;
    Ok(LawSource::Model(Box::new(model)))
}

impl LawSource {
    /// [`open`] from the bytes of either file; `name` is named in the errors.
    ///
    /// # Errors
    /// As [`open`].
    pub fn from_bytes(name: impl AsRef<Path>, bytes: &[u8]) -> Result<Self> {
        // A saved law begins with the length of its header, below 2²⁴; no text does.
        let saved = bytes.get(3..8) == Some(&[0; 5]);
        Ok(match saved {
            true => Self::Model(Box::new(Model::from_bytes(name, bytes)?)),
            false => Self::Card(Box::new(Card::from_bytes(name, bytes)?)),
        })
    }

    /// The law with the components of the records that it was learned from, or of the card.
    ///
    /// # Errors
    /// [`Error::Card`] where the card names no reference law; those of its parameters.
    pub fn law(self) -> Result<Box<dyn MaterialLaw>> {
        match self {
            Self::Model(model) => Ok(Box::new(model.law)),
            Self::Card(card) => build(&card, card.components),
        }
    }

    /// The law for a finite element program: the reference law of a card in three dimensions,
    /// whatever the components of its records; a trained law as it is.
    ///
    /// # Errors
    /// As [`LawSource::law`].
    pub fn solid_law(self) -> Result<Box<dyn MaterialLaw>> {
        match self {
            Self::Model(model) => Ok(Box::new(model.law)),
            Self::Card(card) => build(&card, 6),
        }
    }

    /// The trained law with all that its file says.
    ///
    /// # Errors
    /// [`Error::Model`] where this is a card.
    pub fn into_model(self) -> Result<Model> {
        match self {
            Self::Model(model) => Ok(*model),
            Self::Card(card) => Err(not_a_model(card.path(), "a card")),
        }
    }
}

fn build(card: &Card, components: usize) -> Result<Box<dyn MaterialLaw>> {
    let Some(reference) = &card.reference else {
        return Err(Error::Card {
            path: card.path().to_path_buf(),
            line: None,
            message: "no [reference] law here; give a saved law (.safetensors), or train one with \
                      `hysteron train`"
                .into(),
        });
    };
    reference.build(components)
}

fn not_a_model(path: &Path, what: &str) -> Error {
    Error::Model {
        path: path.to_path_buf(),
        message: format!(
            "this is {what}, a law is needed: a .safetensors file that `hysteron train` wrote"
        ),
    }
}
