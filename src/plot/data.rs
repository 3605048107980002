//! Records and curves as columns of numbers, checked before anything is drawn.

use super::axis::Axis;
use crate::driver::Curve;
use crate::evaluate::Quantity;
use crate::mandel::{WEIGHTS, positions};
use crate::record::Record;

/// The abscissa of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Abscissa {
    #[default]
    Time,
    /// Row number, for records whose time is not physical; in place of the time of timeless records.
    Row,
    /// `Σ‖Δε‖`.
    #[cfg_attr(feature = "cli", value(name = "path"))]
    PathLength,
}

impl Abscissa {
    /// The same, or rows in place of a time that one of the records does not have.
    pub(super) fn known<'a>(self, records: impl IntoIterator<Item = &'a Record>) -> Self {
        match self == Self::Time && records.into_iter().any(|record| record.timeless) {
            true => Self::Row,
            false => self,
        }
    }

    pub(super) fn axis(self) -> Axis {
        match self {
            Self::Time => Axis::linear("time", "s"),
            Self::Row => Axis::whole("row", "–"),
            Self::PathLength => Axis::linear("strain path Σ‖Δε‖", "–"),
        }
    }

    pub(super) fn values(self, record: &Record) -> Vec<f64> {
        match self {
            Self::Time => record.time.clone(),
            Self::Row => (0..record.rows()).map(|row| row as f64).collect(),
            Self::PathLength => {
                let mut length = 0.0;
                (0..record.rows())
                    .map(|row| {
                        let now = record.strain_at(row);
                        let before = record.strain_at(row.saturating_sub(1));
                        let squares = now.iter().zip(before).map(|(a, b)| (a - b).powi(2));
                        length += squares.sum::<f64>().sqrt();
                        length
                    })
                    .collect()
            }
        }
    }
}

/// One component of the records of a figure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component {
    /// Index among the components of the record.
    index: usize,
    /// Index among all six components.
    position: usize,
}

impl Component {
    pub fn of(record: &Record, index: usize) -> Result<Self, String> {
        let positions = positions(record.components).unwrap_or_default();
        match positions.get(index) {
            Some(&position) => Ok(Self { index, position }),
            None => Err(format!(
                "record {} has {} components, there is no component {index}",
                record.name, record.components
            )),
        }
    }

    fn subscript(self) -> &'static str {
        ["₁₁", "₂₂", "₃₃", "₁₂", "₁₃", "₂₃"][self.position]
    }

    pub fn stress_symbol(self) -> String {
        format!("σ{}", self.subscript())
    }

    pub fn strain_symbol(self) -> String {
        let symbol = if self.position < 3 { "ε" } else { "γ" };
        format!("{symbol}{}", self.subscript())
    }

    pub fn strain_axis(self) -> Axis {
        let kind = match self.position {
            0..3 => "strain",
            _ => "shear strain",
        };
        Axis::linear(format!("{kind} {}", self.strain_symbol()), "–")
    }

    pub fn stress_axis(self) -> Axis {
        Axis::linear(format!("stress {}", self.stress_symbol()), "MPa")
    }

    /// What a law answers with in this component, and its axis: a stress, or a strain where it is driven by
    /// stress.
    pub fn quantity(self, curve: &Curve) -> Quantity {
        match curve.stress_controlled.contains(&self.index) {
            true => Quantity::Strain,
            false => Quantity::Stress,
        }
    }

    pub fn axis(self, quantity: Quantity) -> Axis {
        match quantity {
            Quantity::Stress => self.stress_axis(),
            Quantity::Strain => self.strain_axis(),
        }
    }

    pub fn values(self, quantity: Quantity, record: &Record) -> Vec<f64> {
        match quantity {
            Quantity::Stress => self.stress(record),
            Quantity::Strain => self.strain(record),
        }
    }

    /// `ε`, or `γ = 2ε` of a shear.
    pub fn strain(self, record: &Record) -> Vec<f64> {
        let rows = 0..record.rows();
        rows.map(|row| record.strain_at(row)[self.index] * WEIGHTS[self.position])
            .collect()
    }

    /// MPa.
    pub fn stress(self, record: &Record) -> Vec<f64> {
        let rows = 0..record.rows();
        rows.map(|row| record.stress_at(row)[self.index] / WEIGHTS[self.position])
            .collect()
    }
}

/// Checks lengths and finiteness.
pub(super) fn check_record(record: &Record) -> Result<(), String> {
    let (rows, entries) = (record.rows(), record.rows() * record.components);
    let name = &record.name;
    if rows == 0 {
        return Err(format!("record {name} has no rows"));
    }
    if positions(record.components).is_none() {
        let n = record.components;
        return Err(format!("record {name} has {n} components, not 1, 3 or 6"));
    }
    for (what, expected, values) in [
        ("time", rows, &record.time),
        ("strain", entries, &record.strain),
        ("stress", entries, &record.stress),
    ] {
        check_values(&format!("{what} of {name}"), expected, values)?;
    }
    Ok(())
}

/// Checks lengths and finiteness.
pub(super) fn check_curve(curve: &Curve) -> Result<(), String> {
    check_record(&curve.record)?;
    let (rows, name) = (curve.record.rows(), &curve.record.name);
    for (what, expected, values) in [
        (
            "internal variables",
            rows * curve.state_layout.len(),
            &curve.states,
        ),
        ("stored energy", rows, &curve.stored_energy),
        ("dissipation", rows, &curve.dissipation),
    ] {
        check_values(&format!("{what} of {name}"), expected, values)?;
    }
    match curve.status.len() {
        found if found == rows => Ok(()),
        found => Err(format!("status of {name}: {found} values for {rows} rows")),
    }
}

/// Checks that a prediction has the rows of a record.
pub(super) fn check_pair(measured: &Record, predicted: &Curve) -> Result<(), String> {
    check_record(measured)?;
    check_curve(predicted)?;
    let (m, p) = (measured, &predicted.record);
    if (m.rows(), m.components) != (p.rows(), p.components) {
        return Err(format!(
            "record {} has {} rows of {} components, its prediction {} rows of {}",
            m.name,
            m.rows(),
            m.components,
            p.rows(),
            p.components
        ));
    }
    Ok(())
}

pub(super) fn check_values(what: &str, expected: usize, values: &[f64]) -> Result<(), String> {
    if values.len() != expected {
        let found = values.len();
        return Err(format!("{what}: {found} values where {expected} belong"));
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(row) => Err(format!(
            "{what}: value {} (number {row}) is not finite",
            values[row]
        )),
        None => Ok(()),
    }
}
