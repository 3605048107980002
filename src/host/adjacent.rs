//! The law in the file adjacent to the shared library.

use super::error::warn;
use super::{HostLaw, Outside};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Extension of a trained law.
pub(super) const MODEL: &str = "safetensors";
/// Extension of a material card.
pub(super) const CARD: &str = "toml";

/// The law adjacent to the library that this code is part of: `NAME.safetensors` or `NAME.toml` in the
/// folder of `libNAME.so`; a file `NAME.outside` there says what is done [outside its range](Outside). It is loaded
/// once.
///
/// # Errors
/// The message of the first call, repeated by later ones.
pub fn adjacent_law() -> Result<&'static HostLaw, &'static str> {
    static LAW: OnceLock<Result<HostLaw, String>> = OnceLock::new();
    let law = LAW.get_or_init(|| {
        let library = library().map_err(|error| error.to_string())?;
        let law = adjacent_file(&library).and_then(|file| {
            let outside = Outside::beside(&file)?;
            Ok(HostLaw::load(file)?.with_outside(outside))
        });
        law.map_err(|error| {
            // Hosts say little more than that a library cannot be used. An executable, and the library
            // without a law, which C programs load, need none.
            if library.extension().is_some() && name_of(&library) != env!("CARGO_PKG_NAME") {
                warn(format_args!("{}: {error}", library.display()));
            }
            error.to_string()
        })
    });
    law.as_ref().map_err(String::as_str)
}

/// The one adjacent file that the law of a library can come from.
fn adjacent_file(library: &Path) -> Result<PathBuf> {
    let name = name_of(library);
    let files =
        [MODEL, CARD].map(|extension| library.with_file_name(format!("{name}.{extension}")));
    let [saved, card] = &files;
    match files.each_ref().map(|file| file.is_file()) {
        [true, false] => Ok(saved.clone()),
        [false, true] => Ok(card.clone()),
        [true, true] => Err(Error::invalid(format!(
            "{} and {} both lie beside the library: remove one",
            saved.display(),
            card.display()
        ))),
        [false, false] => Err(Error::invalid(format!(
            "neither {} nor {} is there: the law must lie beside its library",
            saved.display(),
            card.display()
        ))),
    }
}

/// `NAME` of `libNAME.so`.
fn name_of(library: &Path) -> String {
    let stem = library.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_prefix("lib").unwrap_or(&stem).to_string()
}

/// The name under which the library, or executable, that holds this code was loaded.
#[cfg(unix)]
pub(super) fn loaded_as() -> Option<&'static std::ffi::CStr> {
    let mut about = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: the address is that of a function of this library, `about` is a place for the answer.
    let found = unsafe { libc::dladdr(loaded_as as *const () as *const _, about.as_mut_ptr()) };
    // SAFETY: all bytes zero are a `Dl_info`, and so is what `dladdr` wrote.
    let about = unsafe { about.assume_init() };
    if found == 0 || about.dli_fname.is_null() {
        return None;
    }
    // SAFETY: a text that lives as long as the library is loaded, as this code does.
    Some(unsafe { std::ffi::CStr::from_ptr(about.dli_fname) })
}

/// The path of the library, or executable, that holds this code.
#[cfg(unix)]
fn library() -> Result<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let Some(name) = loaded_as() else {
        return Err(Error::invalid(
            "the system does not say where this library is",
        ));
    };
    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
    // At once: the name may be relative to a folder that the host leaves later.
    path.canonicalize().map_err(|e| Error::io(path, e))
}

#[cfg(not(unix))]
fn library() -> Result<PathBuf> {
    Err(Error::invalid(
        "a law beside its library is found on Unix only",
    ))
}
