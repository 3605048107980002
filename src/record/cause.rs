//! Why a file is not a record: what the reader says of files of testing machines and spreadsheets. Nothing here
//! guesses numbers; the file stays refused.

use super::columns::{named, unquoted};

/// Bytes at the start of a file in which separator and names are looked for.
const HEAD: usize = 1 << 16;
/// What a message shows of a line or a field, characters.
const SHOWN: usize = 40;
/// Words that are a unit, in small letters.
pub(super) const UNITS: [&str; 28] = [
    "-", "–", "1", "%", "s", "sec", "second", "seconds", "ms", "min", "h", "n", "kn", "mm", "m",
    "mm/mm", "m/m", "pct", "percent", "mpa", "gpa", "kpa", "pa", "psi", "ksi", "c", "°c", "k",
];

/// A text that fits a message.
pub(super) fn shown(text: &str) -> String {
    text.trim().chars().take(SHOWN).collect()
}

/// Files whose bytes are not UTF-8 text at all.
pub(super) fn of_bytes(bytes: &[u8]) -> Option<String> {
    let start = &bytes[..bytes.len().min(HEAD)];
    let zeros = start.iter().filter(|b| **b == 0).count();
    let utf_16 = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    if utf_16 || 4 * zeros > start.len() {
        return Some("the file is UTF-16 text: save it as UTF-8".into());
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"\xd0\xcf\x11\xe0") {
        return Some("the file is a spreadsheet or an archive: export the sheet as CSV".into());
    }
    (zeros > 0).then(|| "the file is not text".into())
}

/// Bytes that are not UTF-8, such as those of Latin-1.
pub(super) fn of_encoding(bytes: &[u8]) -> String {
    let at = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), |_| 0);
    let byte = bytes.get(at).copied().unwrap_or_default();
    format!(
        "the byte 0x{byte:02x} is not UTF-8 text, but perhaps Latin-1 or Windows-1252: save the file as UTF-8"
    )
}

/// What is unusual in the text of a number that is none.
pub(super) fn of_number(text: &str) -> &'static str {
    let is_number = |text: String| text.parse::<f64>().is_ok_and(f64::is_finite);
    let digits = text.find(|c: char| c.is_ascii_alphabetic() || "%°µ".contains(c));
    if text.split(':').count() > 1 && text.split(':').all(|part| is_number(part.into())) {
        "; a time of day? Write seconds"
    } else if is_number(text.replace(['d', 'D'], "e")) {
        "; write its exponent with `e`"
    } else if is_number(text.replace([' ', '\u{a0}', '\u{202f}', '\'', '_'], "")) {
        "; write it without separators of thousands"
    } else if digits.is_some_and(|at| is_number(text[..at].trim().into())) {
        "; write it without its unit"
    } else {
        ""
    }
}

/// What a row under good names is instead of `columns` numbers; `row` is its text, `first` whether it is the
/// first one.
pub(super) fn of_row(row: &::csv::ByteRecord, columns: usize, first: bool) -> Option<String> {
    let fields: Vec<_> = row.iter().map(String::from_utf8_lossy).collect();
    let row = &fields.join(",");
    let fields: Vec<_> = row.split(',').map(unquoted).collect();
    let quoted = Separator::Comma.split(row);
    if quoted.len() == columns
        && let Some(cause) = comma_in(&quoted)
    {
        return Some(cause);
    }
    if fields.iter().all(|field| !is_numeric(field)) {
        return Some(match first {
            true => "no number in the row below the names: units? Remove the line".into(),
            false => format!(
                "`{}` is not a row of the table: remove the line",
                shown(row)
            ),
        });
    }
    if fields.len() == columns + 1 && fields[columns].is_empty() {
        return Some("the line ends with a comma, unlike that of the names: remove it".into());
    }
    let whole = |field: &&str| {
        let digits = field.trim_start_matches(['+', '-']);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    };
    (fields.len() > columns && fields.iter().all(whole)).then(|| {
        format!(
            "{} whole numbers, the header names {columns} columns: are commas decimal marks here? Write \
             decimal points, and commas between the columns only",
            fields.len()
        )
    })
}

/// The causes for which no names of columns are found in the first line: line of the first cause, column and
/// message.
pub(super) fn of_names(bytes: &[u8]) -> Option<(usize, String)> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]);
    let head = head.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<_> = head.split('\n').collect();
    let table = Table::find(&lines)?;
    let (mut causes, separator) = (Vec::new(), table.separator);
    let mut note = |index: usize, cause: String| causes.push((index + 1, cause));
    let at = |index: usize| format!("line {}", index + 1);
    match table.names {
        None => note(
            table.data,
            "numbers without the names of the columns: add a first line such as `time_s,strain,stress_MPa`"
                .into(),
        ),
        Some(names) => {
            let above = lines[..names].iter().position(|line| !line.trim().is_empty());
            if above.is_some() {
                let what = format!(
                    "the names of the columns are in {}: remove the lines above",
                    at(names)
                );
                note(0, what);
            }
            if separator != Separator::Comma {
                let name = separator.name();
                let what = format!("the fields are separated by {name}: separate them by commas");
                note(names, what);
            }
            if let Some(units) = table.units {
                note(units, format!("{} has units: remove it", at(units)));
            }
            let fields = separator.split(lines[names]);
            let fields: Vec<_> = fields.iter().map(|f| unquoted(f).to_string()).collect();
            if !causes.is_empty()
                && let Err((column, message)) = named(&fields)
            {
                let column = column.map(|c| format!("column {c}: ")).unwrap_or_default();
                causes.push((names + 1, format!("{column}{message}")));
            }
        }
    }
    let rows = lines[table.data..].iter().take(100);
    let commas = rows
        .filter_map(|line| comma_in(&separator.split(line)))
        .next();
    if !causes.is_empty()
        && let Some(cause) = commas
    {
        causes.push((table.data + 1, cause));
    }
    let line = causes.iter().map(|(line, _)| *line).min()?;
    let causes: Vec<_> = causes.into_iter().map(|(_, cause)| cause).collect();
    Some((line, causes.join("; ")))
}

/// A comma within a number.
fn comma_in(fields: &[&str]) -> Option<String> {
    let field = fields.iter().find(|f| is_numeric(f) && f.contains(','))?;
    let text = unquoted(field);
    let thousands = text.rfind('.') > text.rfind(',');
    Some(format!(
        "`{}` has {}: write numbers with a decimal point, without separators of thousands",
        shown(text),
        if thousands {
            "a comma between thousands"
        } else {
            "a decimal comma"
        }
    ))
}

/// Whether a field is a number as any country writes it.
fn is_numeric(field: &str) -> bool {
    let text = unquoted(field);
    let marks = |c: char| c.is_ascii_digit() || "+-.,eE'".contains(c);
    text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.ends_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.chars().all(marks)
}

#[derive(Clone, Copy, PartialEq)]
enum Separator {
    Comma,
    Character(char, &'static str),
    Spaces,
}

/// In the order in which they are tried: a decimal comma is none between fields.
const SEPARATORS: [Separator; 5] = [
    Separator::Character(';', "semicolons"),
    Separator::Character('\t', "tabs"),
    Separator::Character('|', "vertical bars"),
    Separator::Comma,
    Separator::Spaces,
];

impl Separator {
    fn name(self) -> &'static str {
        match self {
            Self::Comma => "commas",
            Self::Character(_, name) => name,
            Self::Spaces => "spaces",
        }
    }

    /// The fields of a line; a separator within quotes is part of its field.
    fn split(self, line: &str) -> Vec<&str> {
        let mark = match self {
            Self::Spaces => return line.split_whitespace().collect(),
            Self::Comma => ',',
            Self::Character(mark, _) => mark,
        };
        let mut quoted = false;
        line.split(|c: char| {
            quoted ^= c == '"';
            c == mark && !quoted
        })
        .collect()
    }
}

/// Where names, units and numbers are; indices of lines.
struct Table {
    separator: Separator,
    names: Option<usize>,
    units: Option<usize>,
    data: usize,
}

impl Table {
    /// The table of the first two lines in a row with as many fields, half of them numbers; or else of a first
    /// line that other separators than commas divide.
    fn find(lines: &[&str]) -> Option<Self> {
        let above = |line: usize| (0..line).rev().find(|l| !lines[*l].trim().is_empty());
        for separator in SEPARATORS {
            let row = |line: &str| {
                let fields = separator.split(line);
                let numbers = fields.iter().filter(|field| is_numeric(field)).count();
                (numbers >= 2 && 2 * numbers >= fields.len()).then_some(fields.len())
            };
            let is_table = |line: &usize| {
                let next = lines.get(line + 1).filter(|next| !next.trim().is_empty());
                let first = row(lines[*line]);
                first.is_some() && next.is_none_or(|next| row(next) == first)
            };
            let Some(data) = (0..lines.len()).find(is_table) else {
                continue;
            };
            let is_unit = |field: &&str| {
                let text = unquoted(field).to_lowercase();
                let bracketed = text.starts_with(['(', '[']) && text.ends_with([')', ']']);
                text.is_empty() || bracketed || UNITS.contains(&text.as_str())
            };
            let units = above(data).filter(|l| separator.split(lines[*l]).iter().all(is_unit));
            return Some(Self {
                separator,
                names: above(units.unwrap_or(data)),
                units,
                data,
            });
        }
        let names = (0..lines.len()).find(|line| !lines[*line].trim().is_empty())?;
        let divides = |separator: &Separator| {
            matches!(separator, Separator::Character(..)) && separator.split(lines[names]).len() > 1
        };
        Some(Self {
            separator: SEPARATORS.into_iter().find(divides)?,
            names: Some(names),
            units: None,
            data: lines.len(),
        })
    }
}

/// Names of a file that are near to a column of a record.
pub(super) fn near<'a>(wanted: &str, names: &'a [String]) -> Vec<&'a str> {
    let others: &[&str] = match wanted {
        "time_s" => &["t"],
        "strain" => &["eps", "e", "eps11", "e11"],
        "stress_MPa" => &["sig", "sig11", "s11"],
        _ => &[],
    };
    let (wanted, short) = (
        plain(wanted),
        plain(wanted).replace("eps", "e").replace("sig", "s"),
    );
    let word = wanted.chars().all(char::is_alphabetic);
    let is_near = |name: &&String| {
        let name = plain(name);
        let same = name == wanted || name == short || others.contains(&name.as_str());
        same || (word && name.contains(&wanted))
    };
    let mut found: Vec<_> = names.iter().filter(is_near).map(String::as_str).collect();
    // The same word is nearer than a longer name with it.
    if found.iter().any(|name| plain(name) == wanted) {
        found.retain(|name| plain(name) == wanted);
    }
    found
}

/// A name in small letters, without units, brackets and separators, tensors by the letters and numbers of a
/// record: `Stress (MPa)` is `stress`, `sigma_xx` is `sig11`.
pub(super) fn plain(name: &str) -> String {
    let mut depth = 0u32;
    let outside = name.chars().filter(|c| match c {
        '(' | '[' => {
            depth += 1;
            false
        }
        ')' | ']' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    });
    let text = outside.collect::<String>().to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '%');
    let joined: String = words
        .filter(|word| !UNITS.contains(word) || *word == "1")
        .collect();
    let as_written = [
        ("epsilon", "eps"),
        ("sigma", "sig"),
        ("gamma", "gam"),
        ("ε", "eps"),
        ("σ", "sig"),
        ("γ", "gam"),
        ("xx", "11"),
        ("yy", "22"),
        ("zz", "33"),
        ("xy", "12"),
        ("xz", "13"),
        ("yz", "23"),
    ];
    as_written
        .iter()
        .fold(joined, |name, (long, short)| name.replace(long, short))
}

/// How the columns that are missing may be called in a file: which to rename, and to what.
pub(super) fn renames(missing: &[&str], names: &[String]) -> Option<String> {
    let renames: Vec<_> = missing
        .iter()
        .filter_map(|wanted| {
            let mut target = *wanted;
            let mut found = near(wanted, names);
            let tensor = wanted.replace("gam", "eps");
            if found.is_empty() {
                (target, found) = (&tensor, near(&tensor, names));
            }
            found.truncate(3);
            let found: Vec<_> = found
                .iter()
                .map(|name| format!("`{}`", shown(name)))
                .collect();
            let unit = match target {
                "time_s" => "seconds",
                _ if target.starts_with("st") && target.ends_with("Pa")
                    || target.starts_with("sig") =>
                {
                    "MPa"
                }
                _ => "a number, not per cent",
            };
            (!found.is_empty()).then(|| format!("{} to `{target}` ({unit})", found.join(" or ")))
        })
        .collect();
    (!renames.is_empty()).then(|| format!("rename {}", renames.join(", ")))
}
