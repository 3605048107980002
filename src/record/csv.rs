//! Records as CSV files.

use super::columns::{Role, header, unquoted, written_columns};
use super::{Record, cause, counted};
use crate::error::{Error, Result};
use crate::file;
use std::path::{Path, PathBuf};

/// Largest number of rows of a record.
pub const MAX_ROWS: usize = 10_000_000;
const MAX_BYTES: u64 = 1 << 30;
const MAX_FILES: usize = 100_000;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Record {
    /// Reads a CSV file; the record is named by the file's stem.
    ///
    /// The first line names the columns, in any order: `time_s,strain,stress_MPa` (1 component),
    /// `time_s,eps11,eps22,gam12,sig11,sig22,sig12` (3) or all six of
    /// `eps11,eps22,eps33,gam12,gam13,gam23` and `sig…` (6). `gam12` is engineering shear strain,
    /// `eps12` in its place is the tensor component. Stress in MPa, time in seconds; without `time_s` the
    /// record is [timeless](Record::timeless). Any further column is an external variable, of which
    /// [`Record::keep_external`] keeps some. Fields are separated by commas; they may be quoted, but contain
    /// no comma.
    ///
    /// # Errors
    /// [`Error::Record`] naming file, line, column and cause; [`Error::Io`] if the file cannot be
    /// read.
    pub fn from_csv(path: impl AsRef<Path>) -> Result<Record> {
        let path = path.as_ref();
        let problem = |message| Error::Record {
            path: path.to_path_buf(),
            line: None,
            column: None,
            message,
        };
        Self::from_csv_bytes(path, &file::read(path, MAX_BYTES, problem)?)
    }

    /// [`Record::from_csv`] from memory; `path` names the record and appears in the errors.
    pub fn from_csv_bytes(path: impl AsRef<Path>, bytes: &[u8]) -> Result<Record> {
        let path = path.as_ref();
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        Parser { path, bytes }.parse()
    }

    /// Writes the record as CSV, with the columns that [`Record::from_csv`] reads; shear strain
    /// as `gam12`, ….
    ///
    /// Values read from a file are written back bit for bit. Other shear components may change in the
    /// last bit, since they are scaled by √2.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the record does not pass [`Record::check`] or the name of an external
    /// variable cannot be a column name; [`Error::Io`].
    pub fn to_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        file::write(path, &self.to_csv_bytes()?).map_err(|e| Error::io(path, e))
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
    /// Those of [`Record::from_csv`]; [`Error::Record`] if there is no record.
    pub fn from_dir(path: impl AsRef<Path>) -> Result<Vec<Record>> {
        let path = path.as_ref();
        let mut files = csv_files(path)?;
        let tests = path.join("tests");
        if files.is_empty() && tests.is_dir() {
            files = csv_files(&tests)?;
        }
        if files.is_empty() {
            let others = others(path)?;
            return Err(Error::Record {
                path: path.to_path_buf(),
                line: None,
                column: None,
                message: format!("no CSV record in this folder (index.csv is not one){others}"),
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

/// What a folder without records has that could become one.
fn others(folder: &Path) -> Result<String> {
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let path = entry.map_err(|e| Error::io(folder, e))?.path();
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let name = path.file_name().unwrap_or_default().display();
        if ["txt", "tsv", "dat", "asc"].iter().any(|e| extension == *e) {
            return Ok(format!("; `{name}` is text: a record ends in .csv"));
        }
        if ["xls", "xlsx", "ods"].iter().any(|e| extension == *e) {
            return Ok(format!("; `{name}` is a spreadsheet: export it as CSV"));
        }
    }
    Ok(String::new())
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

    /// The line, counted from 1, of the row that starts at `position` or after blank lines.
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
        if let Some(cause) = cause::of_bytes(self.bytes) {
            return Err(self.problem(None, None, cause));
        }
        // Without quoting, an unmatched quote cannot consume the rest of the file.
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .quoting(false)
            .from_reader(self.bytes);
        let mut row = ::csv::ByteRecord::new();
        let unreadable = |e: ::csv::Error| self.problem(None, None, e.to_string());
        reader.read_byte_record(&mut row).map_err(unreadable)?;
        let header_line = self.line(row.position());
        let columns =
            header(&row).map_err(|(column, message)| match cause::of_names(self.bytes) {
                Some((line, causes)) => self.problem(Some(line), None, causes),
                None => self.problem(header_line, column.as_deref(), message),
            })?;
        let strains = columns
            .iter()
            .filter(|c| matches!(c.role, Role::Strain(..)));
        let n = strains.count();
        let externals = columns.iter().filter(|c| matches!(c.role, Role::External));
        let stem = self.path.file_stem().unwrap_or_default();
        let mut record = Record {
            name: stem.to_string_lossy().into_owned(),
            components: n,
            timeless: !columns.iter().any(|c| matches!(c.role, Role::Time)),
            external_names: externals.map(|c| c.name.clone()).collect(),
            ..Record::default()
        };
        while reader.read_byte_record(&mut row).map_err(unreadable)? {
            let line = || self.line(row.position());
            let start = record.strain.len();
            let rows = start / n;
            if rows == MAX_ROWS {
                return Err(self.problem(line(), None, format!("more than {MAX_ROWS} rows")));
            }
            if row.len() != columns.len() {
                let cause = cause::of_row(&row, columns.len(), rows == 0);
                let message = cause.unwrap_or_else(|| {
                    let found = row.len();
                    format!("{found} fields, the header names {} columns", columns.len())
                });
                return Err(self.problem(line(), None, message));
            }
            record.strain.resize(start + n, 0.0);
            record.stress.resize(start + n, 0.0);
            for (column, field) in columns.iter().zip(&row) {
                let value = number(field).map_err(|mut message| {
                    if let Some(cause) = cause::of_row(&row, columns.len(), rows == 0) {
                        return self.problem(line(), None, cause);
                    }
                    if matches!(column.role, Role::External) {
                        message.push_str(match field.trim_ascii().is_empty() {
                            true => ": fill the gaps of a slow channel, or remove the column",
                            false => "; columns that are not of numbers must be removed",
                        });
                    }
                    self.problem(line(), Some(&column.name), message)
                })?;
                let mandel = |component: f64| match component.is_finite() {
                    true => Ok(component),
                    false => {
                        let message = format!("{value} is too large");
                        Err(self.problem(line(), Some(&column.name), message))
                    }
                };
                match column.role {
                    Role::Time => match record.time.last() {
                        Some(&last) if value < last => {
                            let again = match value <= record.time[0] {
                                true => "; does another test begin here? Give each its own file",
                                false => "",
                            };
                            let message = format!("time decreases from {last} to {value}{again}");
                            return Err(self.problem(line(), Some(&column.name), message));
                        }
                        _ => record.time.push(value),
                    },
                    Role::Strain(c, measure) => {
                        record.strain[start + c] = mandel(measure.to_mandel(value))?;
                    }
                    Role::Stress(c, measure) => {
                        record.stress[start + c] = mandel(measure.to_mandel(value))?;
                    }
                    Role::External => record.external.push(value),
                }
            }
        }
        if record.strain.is_empty() {
            return Err(self.problem(header_line, None, "a header but no rows".into()));
        }
        if record.timeless {
            record.time = counted(record.strain.len() / n);
        }
        Ok(record)
    }
}

fn number(field: &[u8]) -> Result<f64, String> {
    let text = std::str::from_utf8(field).map_err(|_| cause::of_encoding(field))?;
    let text = unquoted(text);
    if text.is_empty() {
        return Err("the field is empty".into());
    }
    let shown = cause::shown(text);
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(format!("`{shown}` is not finite")),
        Err(_) => Err(format!(
            "`{shown}` is not a number{}",
            cause::of_number(text)
        )),
    }
}
