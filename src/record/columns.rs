//! The columns of a CSV record.

use super::{Record, cause};
use crate::error::{Error, Result};
use crate::mandel::{LABELS, positions};
use std::collections::HashSet;

/// Largest number of columns of a CSV file.
pub const MAX_COLUMNS: usize = 4096;
const MAX_NAME: usize = 200;

const SQRT_2: f64 = std::f64::consts::SQRT_2;

/// Relation of a column to a Mandel component.
#[derive(Clone, Copy)]
pub(super) enum Notation {
    /// Normal components.
    Normal,
    /// Engineering shear strain `γ = 2ε`.
    Engineering,
    /// Tensor shear strain or shear stress.
    Tensor,
}

impl Notation {
    pub fn to_mandel(self, value: f64) -> f64 {
        match self {
            Self::Normal => value,
            Self::Engineering => value / SQRT_2,
            Self::Tensor => value * SQRT_2,
        }
    }

    /// A number that [`Notation::to_mandel`] converts to `value`, bit for bit if one exists. Since `√2`
    /// is rounded, the neighbouring numbers of the plain product are tried as well.
    pub fn of_mandel(self, value: f64) -> f64 {
        let plain = match self {
            Self::Normal => value,
            Self::Engineering => value * SQRT_2,
            Self::Tensor => value / SQRT_2,
        };
        [plain, plain.next_up(), plain.next_down()]
            .into_iter()
            .find(|&candidate| self.to_mandel(candidate) == value)
            .unwrap_or(plain)
    }
}

/// Quantity of a column.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Time,
    Strain(usize, Notation),
    Stress(usize, Notation),
    External,
}

pub(super) struct Column {
    pub name: String,
    pub role: Role,
}

/// A problem in the header: the column, if a single one is the cause, and a message.
pub(super) type HeaderProblem = (Option<String>, String);

pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"')
        .and_then(|t| t.strip_suffix('"'))
        .unwrap_or(text)
        .trim()
}

pub(super) fn header(row: &::csv::ByteRecord) -> Result<Vec<Column>, HeaderProblem> {
    if row.len() > MAX_COLUMNS {
        let message = format!("{} columns, a record may have {MAX_COLUMNS}", row.len());
        return Err((None, message));
    }
    let mut names = Vec::with_capacity(row.len());
    for (i, field) in row.iter().enumerate() {
        let position = Some(format!("{}", i + 1));
        let Ok(name) = std::str::from_utf8(field) else {
            return Err((position, cause::of_encoding(field)));
        };
        let name = unquoted(name);
        if name.is_empty() {
            let last = i > 0 && i + 1 == row.len();
            let comma = if last {
                "; remove the comma at the end of the lines"
            } else {
                ""
            };
            return Err((position, format!("the column has no name{comma}")));
        }
        if name.len() > MAX_NAME {
            return Err((
                position,
                format!("the column's name is over {MAX_NAME} bytes long"),
            ));
        }
        names.push(name.to_string());
    }
    named(&names)
}

/// The columns of these names.
pub(super) fn named(names: &[String]) -> Result<Vec<Column>, HeaderProblem> {
    let mut seen = HashSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
        let message = "the column is there twice; give each test its own file";
        return Err((Some(name.clone()), message.into()));
    }
    let wanted = wanted_columns(names)?;
    let columns: Vec<Column> = names
        .iter()
        .map(|name| Column {
            name: name.clone(),
            role: wanted
                .iter()
                .find(|w| w.name == *name)
                .map_or(Role::External, |w| w.role),
        })
        .collect();
    // `sig33` or `gam12` in a record of fewer components is an error, not an external variable.
    if let Some(stray) = columns
        .iter()
        .find(|c| matches!(c.role, Role::External) && is_component(&c.name))
    {
        let message = format!(
            "the column does not belong to a record of {} components",
            wanted
                .iter()
                .filter(|w| matches!(w.role, Role::Strain(..)))
                .count()
        );
        return Err((Some(stray.name.clone()), message));
    }
    Ok(columns)
}

fn is_component(name: &str) -> bool {
    let reserved = ["strain", "stress_MPa"].contains(&name);
    let tensor = ["eps", "gam", "sig"].iter().any(|prefix| {
        name.strip_prefix(prefix)
            .is_some_and(|label| LABELS.contains(&label))
    });
    reserved || tensor
}

/// Components of a record with these columns.
fn components(has: impl Fn(&str) -> bool) -> usize {
    let any = |labels: &[&str]| {
        let prefixes = ["eps", "gam", "sig"];
        let mut names = prefixes
            .iter()
            .flat_map(|p| labels.iter().map(move |l| format!("{p}{l}")));
        names.any(|name| has(&name))
    };
    if has("strain") || has("stress_MPa") || !any(&LABELS) {
        1
    } else if any(&["33", "13", "23"]) {
        6
    } else {
        3
    }
}

/// The required columns, by the number of components that the header implies. Time is among them where the file
/// has it.
fn wanted_columns(names: &[String]) -> Result<Vec<Column>, HeaderProblem> {
    let has = |name: &str| names.iter().any(|n| n == name);
    let mut count = components(has);
    // Where no name is right, those that are nearly right decide what is missing.
    if !names.iter().any(|name| is_component(name)) {
        let plain: Vec<_> = names.iter().map(|name| cause::plain(name)).collect();
        let bar = !plain.iter().any(|n| n.ends_with("22"));
        count = if bar {
            1
        } else {
            components(|name| plain.iter().any(|n| n == name))
        };
    }
    let mut wanted = required_columns(count);
    if !has("time_s") && cause::near("time_s", names).is_empty() {
        wanted.retain(|column| !matches!(column.role, Role::Time));
    }
    for column in &mut wanted {
        if let (Role::Strain(c, Notation::Engineering), Some(label)) =
            (column.role, column.name.strip_prefix("gam"))
        {
            let tensor = format!("eps{label}");
            if has(&tensor) && has(&column.name) {
                let message = format!("the same shear strain as `{}`: keep one", column.name);
                return Err((Some(tensor), message));
            }
            if has(&tensor) {
                *column = Column {
                    name: tensor,
                    role: Role::Strain(c, Notation::Tensor),
                };
            }
        }
    }
    let missing = wanted.iter().map(|w| w.name.as_str());
    let missing: Vec<_> = missing.filter(|name| !has(name)).collect();
    let Some(first) = missing.first() else {
        return Ok(wanted);
    };
    let shown = names.iter().take(12).map(|name| cause::shown(name));
    let found = shown.collect::<Vec<_>>().join(", ");
    let mut message = format!("the column is missing (found: {found})");
    if let Some(renames) = cause::renames(&missing, names) {
        message = format!("{message}; {renames}");
    }
    if missing == ["time_s"] {
        message.push_str(", or remove it if it is no time: laws that see none need none");
    }
    Err((Some(first.to_string()), message))
}

/// Time, strains and stresses of a record of 1, 3 or 6 components.
fn required_columns(components: usize) -> Vec<Column> {
    let column = |name: String, role| Column { name, role };
    let time = column("time_s".into(), Role::Time);
    if components == 1 {
        let strain = column("strain".into(), Role::Strain(0, Notation::Normal));
        let stress = column("stress_MPa".into(), Role::Stress(0, Notation::Normal));
        return vec![time, strain, stress];
    }
    let labels = positions(components).unwrap_or_default();
    let mut columns = vec![time];
    columns.extend(labels.iter().enumerate().map(|(c, &p)| match p < 3 {
        true => column(
            format!("eps{}", LABELS[p]),
            Role::Strain(c, Notation::Normal),
        ),
        false => column(
            format!("gam{}", LABELS[p]),
            Role::Strain(c, Notation::Engineering),
        ),
    }));
    columns.extend(labels.iter().enumerate().map(|(c, &p)| {
        let measure = match p < 3 {
            true => Notation::Normal,
            false => Notation::Tensor,
        };
        column(format!("sig{}", LABELS[p]), Role::Stress(c, measure))
    }));
    columns
}

pub(super) fn written_columns(record: &Record) -> Result<Vec<Column>> {
    let mut columns = required_columns(record.components);
    if record.timeless {
        columns.retain(|column| !matches!(column.role, Role::Time));
    }
    for name in &record.external_names {
        let plain = !name.is_empty()
            && name.len() <= MAX_NAME
            && name.trim() == name
            && !name.contains([',', '"', '\n', '\r', '\u{feff}']);
        if !plain
            || is_component(name)
            || name == "time_s"
            || columns.iter().any(|c| c.name == *name)
        {
            return Err(Error::invalid(format!(
                "record `{}`: `{name}` cannot name a column of an external variable",
                record.name
            )));
        }
        columns.push(Column {
            name: name.clone(),
            role: Role::External,
        });
    }
    if columns.len() > MAX_COLUMNS {
        return Err(Error::invalid(format!(
            "record `{}`: {} columns, a file may have {MAX_COLUMNS}",
            record.name,
            columns.len()
        )));
    }
    Ok(columns)
}
