//! Checks of the values of a card.

use super::Card;
use crate::mandel::positions;
use std::collections::HashSet;

/// A value out of its range: the table it stands in (empty for the top), its key, the cause.
pub(super) struct Fault {
    pub table: &'static str,
    pub key: &'static str,
    pub message: String,
}

impl Card {
    pub(super) fn check(&self) -> Result<(), Fault> {
        let fault = |table, key, message: &str| {
            Err(Fault {
                table,
                key,
                message: message.to_string(),
            })
        };
        if self.name.trim().is_empty() {
            return fault("", "name", "the name is empty");
        }
        if positions(self.components).is_none() {
            return fault("", "components", "1, 3 or 6 are possible");
        }
        let mut seen = HashSet::new();
        if self
            .external
            .iter()
            .any(|e| e.is_empty() || !seen.insert(e))
        {
            return fault("", "external", "a name is empty or there twice");
        }
        if let Some(elastic) = &self.elastic {
            let young = elastic.young_MPa.unwrap_or(1.0);
            if !(young.is_finite() && young > 0.0) {
                return fault("elastic", "young_MPa", "not a positive number");
            }
            if !(elastic.poisson > -1.0 && elastic.poisson < 0.5) {
                return fault("elastic", "poisson", "not between -1 and 0.5");
            }
            if let Some(plastic) = elastic.plastic_poisson {
                if !(0.0..=0.5).contains(&plastic) {
                    return fault("elastic", "plastic_poisson", "not between 0 and 0.5");
                }
                if elastic.young_MPa.is_none() {
                    let message = "needs young_MPa, to tell elastic from plastic strains";
                    return fault("elastic", "plastic_poisson", message);
                }
            }
        }
        if self.records.is_empty() && self.reference.is_none() {
            let message = "the card holds no material: list records, or a reference law";
            return fault("", "records", message);
        }
        if let Some(Err(error)) = self.reference.as_ref().map(|r| r.build(self.components)) {
            return fault("reference", "law", &error.to_string());
        }
        if !self.programme.is_empty() && self.reference.is_none() {
            return fault("", "reference", "programmes need a reference law");
        }
        let mut seen = HashSet::new();
        if let Some(twice) = self.programme.iter().find(|p| !seen.insert(&p.name)) {
            let message = format!("two programmes are called `{}`", twice.name);
            return fault("programme", "name", &message);
        }
        let law = self
            .learn
            .checked_for_records(self.components, self.external.len());
        law.map_err(|(key, message)| Fault {
            table: "learn",
            key,
            message,
        })?;
        self.train.check().map_err(|(key, message)| Fault {
            table: "train",
            key,
            message,
        })
    }
}

/// The line, from 1, on which a key of a table is set; else that of the table's header.
pub(super) fn line_of(text: &str, table: &str, key: &str) -> Option<usize> {
    let mut current = String::new();
    let mut header = None;
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix('[') {
            let name = rest.trim_start_matches('[').split(']').next();
            current = name.unwrap_or_default().trim().to_string();
            if current == table {
                header = header.or(Some(i + 1));
            }
        } else if current == table
            && let Some((name, _)) = line.split_once('=')
            && name.trim() == key
        {
            return Some(i + 1);
        }
    }
    header
}
