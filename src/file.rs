//! Files that are there as a whole or not at all.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file as a whole: `fill` writes another one beside it, with the same extension, which
/// then takes its name. After a failure the path is as it was.
///
/// # Errors
/// Those of `fill`, and the causes for which a file cannot be renamed.
pub(crate) fn replace<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
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
        // Nothing more can be done about a part that cannot be removed either.
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// Writes bytes as a whole file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, |part| {
        use io::Write;
        let mut file = std::fs::File::create_new(part)?;
        file.write_all(bytes)?;
        file.sync_all()
    })
}
