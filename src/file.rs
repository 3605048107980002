//! Reads and writes whole files, with a size limit and without partial results.

use crate::error::{Error, Result};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reads a regular file of at most `most` bytes; `problem` converts a message into an error.
pub(crate) fn read(path: &Path, most: u64, problem: impl Fn(String) -> Error) -> Result<Vec<u8>> {
    use io::Read;
    let about = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    if about.is_dir() {
        return Err(problem("this is a folder, a file is needed".into()));
    }
    if !about.is_file() {
        return Err(problem("this is not a regular file".into()));
    }
    if about.len() > most {
        let message = format!(
            "{} bytes are too many, at most {most} are read",
            about.len()
        );
        return Err(problem(message));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|e| Error::io(path, e))?;
    Ok(bytes)
}

/// Replaces a file atomically: `fill` writes a temporary file in the same folder, with the same
/// extension, which is then renamed. After a failure the old file is unchanged. Devices and pipes, such
/// as `/dev/stdout`, are written to directly.
///
/// # Errors
/// Those of `fill`, and those of renaming a file.
pub(crate) fn replace<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // The target of a link is replaced, not the link.
    if path.starts_with("/dev") && path.is_file() {
        let message = "this leads to a file that others write to: give a name of its own";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message).into());
    }
    let resolved = path.canonicalize();
    let path = resolved.as_deref().unwrap_or(path);
    if path.exists() && !path.is_file() && !path.is_dir() {
        return fill(path);
    }
    let (Some(stem), false) = (path.file_stem(), path.is_dir()) else {
        let message = "this is a folder, not the name of a file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message).into());
    };
    let mut hidden = OsString::from(".");
    hidden.push(stem);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    hidden.push(format!(".{}-{count}.part", std::process::id()));
    if let Some(extension) = path.extension() {
        hidden.push(".");
        hidden.push(extension);
    }
    let part = path.with_file_name(hidden);
    let written = fill(&part).and_then(|()| Ok(std::fs::rename(&part, path)?));
    if written.is_err() {
        // If the temporary file cannot be removed either, the first error is the one to report.
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// Writes bytes as a whole file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, |part| {
        use io::Write;
        let mut file = std::fs::File::create(part)?;
        file.write_all(bytes)?;
        match file.metadata()?.is_file() {
            true => file.sync_all(),
            false => Ok(()),
        }
    })
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
