//! Records as CSV files.

use super::Record;
use crate::error::{Error, Result};
use crate::mandel::{LABELS, positions};
use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most rows that a record may have.
pub const MAX_ROWS: usize = 10_000_000;
/// Most columns that a CSV file may have.
pub const MAX_COLUMNS: usize = 64;
const MAX_BYTES: u64 = 1 << 30;
const MAX_FILES: usize = 100_000;

const SQRT_2: f64 = std::f64::consts::SQRT_2;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How the numbers of a column stand to Mandel components.
#[derive(Clone, Copy)]
enum Measure {
    /// Normal components.
    Normal,
    /// Engineering shear strain `γ = 2ε`.
    Engineering,
    /// Tensor shear strain or shear stress.
    Tensor,
}

impl Measure {
    fn to_mandel(self, value: f64) -> f64 {
        match self {
            Self::Normal => value,
            Self::Engineering => value / SQRT_2,
            Self::Tensor => value * SQRT_2,
        }
    }

    /// A number that [`Measure::to_mandel`] brings back to `value`, bit for bit where there is
    /// one (`√2` is rounded: beside the plain product its neighbours are tried).
    fn of_mandel(self, value: f64) -> f64 {
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

/// What a column holds.
#[derive(Clone, Copy)]
enum Role {
    Time,
    Strain(usize, Measure),
    Stress(usize, Measure),
    External,
}

struct Column {
    name: String,
    role: Role,
}

/// A problem in the header: the column, where one is to blame, and the cause.
type HeaderProblem = (Option<String>, String);

impl Record {
    /// Reads a CSV file; the record is named by the file's stem.
    ///
    /// The first line names the columns, in any order: `time_s,strain,stress_MPa` (1 component),
    /// `time_s,eps11,eps22,gam12,sig11,sig22,sig12` (3) or all six of
    /// `eps11,eps22,eps33,gam12,gam13,gam23` and `sig…` (6). `gam12` is engineering shear strain,
    /// `eps12` in its place is the tensor component. Stress in MPa, time in seconds. Any further
    /// column is an external variable. Fields are separated by commas and may stand in quotes,
    /// but hold no comma.
    ///
    /// # Errors
    /// [`Error::Record`] naming file, line, column and cause; [`Error::Io`] where the file cannot
    /// be read.
    pub fn from_csv(path: impl AsRef<Path>) -> Result<Record> {
        let path = path.as_ref();
        let problem = |message: String| Error::Record {
            path: path.to_path_buf(),
            line: None,
            column: None,
            message,
        };
        let about = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
        if about.is_dir() {
            return Err(problem(
                "this is a folder, a CSV file is needed (Record::from_dir reads folders)".into(),
            ));
        }
        if !about.is_file() {
            return Err(problem("this is not a regular file".into()));
        }
        if about.len() > MAX_BYTES {
            return Err(problem(format!(
                "{} bytes, a record may have {MAX_BYTES}",
                about.len()
            )));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
            .map_err(|e| Error::io(path, e))?;
        Self::from_csv_bytes(path, &bytes)
    }

    /// [`Record::from_csv`] from memory; `path` names the record and stands in the errors.
    pub fn from_csv_bytes(path: impl AsRef<Path>, bytes: &[u8]) -> Result<Record> {
        let path = path.as_ref();
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        Parser { path, bytes }.parse()
    }

    /// Writes the record as CSV, with the columns that [`Record::from_csv`] reads; shear strain
    /// as `gam12`, ….
    ///
    /// What a file gave comes back bit for bit. Shear components that no file gave may change in
    /// the last bit, since they are scaled by √2.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the record does not pass [`Record::check`] or an external
    /// variable's name cannot stand in a header; [`Error::Io`].
    pub fn to_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.to_csv_bytes()?).map_err(|e| Error::io(path, e))
    }

    /// [`Record::to_csv`] into memory.
    pub fn to_csv_bytes(&self) -> Result<Vec<u8>> {
        self.check()?;
        let columns = written_columns(self)?;
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        let failed = |e: ::csv::Error| Error::invalid(format!("record `{}`: {e}", self.name));
        writer
            .write_record(columns.iter().map(|c| &c.name))
            .map_err(failed)?;
        for row in 0..self.rows() {
            let mut external = self.external_at(row).iter();
            let fields = columns.iter().map(|column| {
                let value = match column.role {
                    Role::Time => self.time[row],
                    Role::Strain(c, measure) => measure.of_mandel(self.strain_at(row)[c]),
                    Role::Stress(c, measure) => measure.of_mandel(self.stress_at(row)[c]),
                    Role::External => external.next().copied().unwrap_or_default(),
                };
                format!("{value:?}")
            });
            writer.write_record(fields).map_err(failed)?;
        }
        writer
            .into_inner()
            .map_err(|e| Error::invalid(format!("record `{}`: {e}", self.name)))
    }

    /// Reads every `*.csv` of a folder, sorted by name; if it has none, those of its subfolder
    /// `tests`. `index.csv` is not a record.
    ///
    /// # Errors
    /// Those of [`Record::from_csv`]; [`Error::Record`] where there is no record.
    pub fn from_dir(path: impl AsRef<Path>) -> Result<Vec<Record>> {
        let path = path.as_ref();
        let mut files = csv_files(path)?;
        let tests = path.join("tests");
        if files.is_empty() && tests.is_dir() {
            files = csv_files(&tests)?;
        }
        if files.is_empty() {
            return Err(Error::Record {
                path: path.to_path_buf(),
                line: None,
                column: None,
                message: "no CSV record in this folder (index.csv is not one)".into(),
            });
        }
        files.iter().map(Record::from_csv).collect()
    }
}

fn csv_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let path = entry.map_err(|e| Error::io(folder, e))?.path();
        let is_csv = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        if is_csv && path.file_name().is_some_and(|f| f != "index.csv") && path.is_file() {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(Error::Record {
                path: folder.to_path_buf(),
                line: None,
                column: None,
                message: format!("more than {MAX_FILES} records"),
            });
        }
    }
    files.sort();
    Ok(files)
}

struct Parser<'a> {
    path: &'a Path,
    bytes: &'a [u8],
}

impl Parser<'_> {
    fn problem(&self, line: Option<usize>, column: Option<&str>, message: String) -> Error {
        Error::Record {
            path: self.path.to_path_buf(),
            line,
            column: column.map(str::to_string),
            message,
        }
    }

    /// The line, from 1, of the record that starts at `position` or after blank lines from there.
    fn line(&self, position: Option<&::csv::Position>) -> Option<usize> {
        let start = usize::try_from(position?.byte()).ok()?;
        let rest = self.bytes.get(start..)?;
        let blank = rest.iter().take_while(|&&b| b == b'\n' || b == b'\r');
        let before = &self.bytes[..start + blank.count()];
        let ends = before.iter().enumerate().filter(|&(i, &b)| {
            b == b'\n' || (b == b'\r' && before.get(i + 1).is_none_or(|&next| next != b'\n'))
        });
        Some(1 + ends.count())
    }

    fn parse(&self) -> Result<Record> {
        if self.bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(self.problem(None, None, "the file is empty".into()));
        }
        // Without quoting, a stray quote cannot swallow the rest of the file.
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .quoting(false)
            .from_reader(self.bytes);
        let mut row = ::csv::ByteRecord::new();
        let unreadable = |e: ::csv::Error| self.problem(None, None, e.to_string());
        reader.read_byte_record(&mut row).map_err(unreadable)?;
        let header_line = self.line(row.position());
        let columns = header(&row)
            .map_err(|(column, message)| self.problem(header_line, column.as_deref(), message))?;
        let strains = columns
            .iter()
            .filter(|c| matches!(c.role, Role::Strain(..)));
        let n = strains.count();
        let externals = columns.iter().filter(|c| matches!(c.role, Role::External));
        let stem = self.path.file_stem().unwrap_or_default();
        let mut record = Record {
            name: stem.to_string_lossy().into_owned(),
            components: n,
            external_names: externals.map(|c| c.name.clone()).collect(),
            ..Record::default()
        };
        while reader.read_byte_record(&mut row).map_err(unreadable)? {
            let line = || self.line(row.position());
            if record.rows() == MAX_ROWS {
                return Err(self.problem(line(), None, format!("more than {MAX_ROWS} rows")));
            }
            if row.len() != columns.len() {
                let message = format!(
                    "{} fields, the header names {} columns",
                    row.len(),
                    columns.len()
                );
                return Err(self.problem(line(), None, message));
            }
            let start = record.strain.len();
            record.strain.resize(start + n, 0.0);
            record.stress.resize(start + n, 0.0);
            for (column, field) in columns.iter().zip(&row) {
                let value = number(field)
                    .map_err(|message| self.problem(line(), Some(&column.name), message))?;
                match column.role {
                    Role::Time => match record.time.last() {
                        Some(&last) if value < last => {
                            let message = format!("time decreases from {last} to {value}");
                            return Err(self.problem(line(), Some(&column.name), message));
                        }
                        _ => record.time.push(value),
                    },
                    Role::Strain(c, measure) => {
                        record.strain[start + c] = measure.to_mandel(value);
                    }
                    Role::Stress(c, measure) => {
                        let mandel = measure.to_mandel(value);
                        if !mandel.is_finite() {
                            let message = format!("{value} is too large");
                            return Err(self.problem(line(), Some(&column.name), message));
                        }
                        record.stress[start + c] = mandel;
                    }
                    Role::External => record.external.push(value),
                }
            }
        }
        if record.rows() == 0 {
            return Err(self.problem(header_line, None, "a header but no rows".into()));
        }
        Ok(record)
    }
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"')
        .and_then(|t| t.strip_suffix('"'))
        .unwrap_or(text)
        .trim()
}

fn number(field: &[u8]) -> Result<f64, String> {
    let text = std::str::from_utf8(field).map_err(|_| "not UTF-8 text".to_string())?;
    let text = unquoted(text);
    if text.is_empty() {
        return Err("the field is empty".into());
    }
    // A field of megabytes must not become a message of megabytes.
    let shown: String = text.chars().take(40).collect();
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(format!("`{shown}` is not finite")),
        Err(_) => Err(format!("`{shown}` is not a number")),
    }
}

fn header(row: &::csv::ByteRecord) -> Result<Vec<Column>, HeaderProblem> {
    if row.len() > MAX_COLUMNS {
        let message = format!("{} columns, a record may have {MAX_COLUMNS}", row.len());
        return Err((None, message));
    }
    let mut names = Vec::with_capacity(row.len());
    for (i, field) in row.iter().enumerate() {
        let position = Some(format!("{}", i + 1));
        let Ok(name) = std::str::from_utf8(field) else {
            return Err((position, "the column's name is not UTF-8 text".into()));
        };
        let name = unquoted(name);
        if name.is_empty() {
            return Err((position, "the column has no name".into()));
        }
        if name.len() > 200 {
            return Err((position, "the column's name is over 200 bytes long".into()));
        }
        names.push(name.to_string());
    }
    let mut seen = HashSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err((Some(name.clone()), "the column is there twice".into()));
    }
    let wanted = wanted_columns(&names)?;
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
    // A misplaced `sig33` or `gam12` is a mistake, not an external variable.
    if let Some(stray) = columns
        .iter()
        .find(|c| matches!(c.role, Role::External) && is_component(&c.name))
    {
        let message = format!(
            "the column does not belong to a record of {} components",
            wanted.len() / 2
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

/// The columns that a header must have, by the number of components that it announces.
fn wanted_columns(names: &[String]) -> Result<Vec<Column>, HeaderProblem> {
    let has = |name: &str| names.iter().any(|n| n == name);
    let tensorial = names
        .iter()
        .any(|n| is_component(n) && n != "strain" && n != "stress_MPa");
    let components = if has("strain") || has("stress_MPa") || !tensorial {
        1
    } else if ["33", "13", "23"].iter().any(|l| {
        ["eps", "gam", "sig"]
            .iter()
            .any(|p| has(&format!("{p}{l}")))
    }) {
        6
    } else {
        3
    };
    let mut wanted = required_columns(components);
    for column in &mut wanted {
        if let (Role::Strain(c, Measure::Engineering), Some(label)) =
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
                    role: Role::Strain(c, Measure::Tensor),
                };
            }
        }
    }
    match wanted.iter().find(|w| !has(&w.name)) {
        None => Ok(wanted),
        Some(missing) => {
            let found: Vec<_> = names.iter().take(12).map(String::as_str).collect();
            let message = format!("the column is missing (found: {})", found.join(", "));
            Err((Some(missing.name.clone()), message))
        }
    }
}

/// Time, strains and stresses of a record of 1, 3 or 6 components.
fn required_columns(components: usize) -> Vec<Column> {
    let column = |name: String, role| Column { name, role };
    let time = column("time_s".into(), Role::Time);
    if components == 1 {
        let strain = column("strain".into(), Role::Strain(0, Measure::Normal));
        let stress = column("stress_MPa".into(), Role::Stress(0, Measure::Normal));
        return vec![time, strain, stress];
    }
    let labels = positions(components).unwrap_or_default();
    let mut columns = vec![time];
    columns.extend(labels.iter().enumerate().map(|(c, &p)| match p < 3 {
        true => column(
            format!("eps{}", LABELS[p]),
            Role::Strain(c, Measure::Normal),
        ),
        false => column(
            format!("gam{}", LABELS[p]),
            Role::Strain(c, Measure::Engineering),
        ),
    }));
    columns.extend(labels.iter().enumerate().map(|(c, &p)| {
        let measure = match p < 3 {
            true => Measure::Normal,
            false => Measure::Tensor,
        };
        column(format!("sig{}", LABELS[p]), Role::Stress(c, measure))
    }));
    columns
}

fn written_columns(record: &Record) -> Result<Vec<Column>> {
    let mut columns = required_columns(record.components);
    for name in &record.external_names {
        let plain = !name.is_empty()
            && name.len() <= 200
            && name.trim() == name
            && !name.contains([',', '"', '\n', '\r', '\u{feff}']);
        if !plain || is_component(name) || columns.iter().any(|c| c.name == *name) {
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
