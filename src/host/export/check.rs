//! Checks of an exported folder, and of the programs that its job needs.

use super::Host;
use crate::error::{Error, Result};
use crate::law::MaterialLaw;
use std::path::{Path, PathBuf};

/// Loads a library as a host does, and with it the adjacent law.
///
/// # Errors
/// A library that does not load, is of another version, or does not find the law.
#[cfg(unix)]
pub(super) fn loads(library: &Path, law: &dyn MaterialLaw) -> Result<()> {
    use std::ffi::{CStr, CString, c_char, c_void};
    use std::os::unix::ffi::OsStrExt;

    let problem = |message: String| Error::invalid(format!("{}: {message}", library.display()));
    let full = library.canonicalize().map_err(|e| Error::io(library, e))?;
    let Ok(path) = CString::new(full.as_os_str().as_bytes()) else {
        return Err(problem("a path with a zero".into()));
    };
    let text = |text: *const c_char| match text.is_null() {
        true => String::new(),
        // SAFETY: a text of the library, or of the loader.
        false => unsafe { CStr::from_ptr(text) }
            .to_string_lossy()
            .into_owned(),
    };
    // SAFETY: a path; the library stays loaded, so that nothing of it can be used after its end.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        // SAFETY: after a failure of this thread.
        let reason = text(unsafe { libc::dlerror() });
        return Err(problem(format!("it does not load: {reason}")));
    }
    let symbol = |name: &CStr| {
        // SAFETY: a loaded library and a name.
        let symbol = unsafe { libc::dlsym(handle, name.as_ptr()) };
        let name = name.to_string_lossy();
        match symbol.is_null() {
            true => Err(problem(format!("it has no {name}: this is not hysteron's"))),
            false => Ok(symbol),
        }
    };
    type Text = extern "C" fn() -> *const c_char;
    type Load = extern "C" fn(usize) -> *mut c_void;
    type Count = extern "C" fn(*const c_void) -> usize;
    // SAFETY: the types of `include/hysteron.h`.
    let (version, error, load, states) = unsafe {
        (
            std::mem::transmute::<*mut c_void, Text>(symbol(c"hysteron_version")?),
            std::mem::transmute::<*mut c_void, Text>(symbol(c"hysteron_last_error")?),
            std::mem::transmute::<*mut c_void, Load>(symbol(c"hysteron_load_own")?),
            std::mem::transmute::<*mut c_void, Count>(symbol(c"hysteron_states")?),
        )
    };
    let (version, own) = (text(version()), env!("CARGO_PKG_VERSION"));
    if version != own {
        return Err(problem(format!(
            "version {version}, this program is {own}: build it again"
        )));
    }
    let loaded = load(6);
    if loaded.is_null() {
        return Err(problem(format!(
            "it does not find its law: {}",
            text(error())
        )));
    }
    match states(loaded) == law.state_layout().len() {
        true => Ok(()),
        false => Err(problem("it loads another law".into())),
    }
}

#[cfg(not(unix))]
pub(super) fn loads(_: &Path, _: &dyn MaterialLaw) -> Result<()> {
    Err(Error::invalid(
        "a law beside its library is found on Unix only",
    ))
}

/// The CalculiX that `tests/hosts/calculix` built, in the target folder of this program.
pub(super) fn built_calculix() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let built = program.ancestors().nth(2)?.join("hosts/calculix/ccx");
    built.is_file().then_some(built)
}

/// The programs that are not on this machine, and how to get them.
pub(super) fn missing(host: Host) -> Vec<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |program: &str| std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    let mut missing = Vec::new();
    match host {
        Host::Mgis if !there("ogs") => {
            missing.push("OpenGeoSys (the program `ogs`): pip install ogs==6.5.9".into());
        }
        Host::Umat if !there("ccx") && built_calculix().is_none() => missing.push(
            "CalculiX with external behaviours (the program `ccx`): tests/hosts/calculix in the \
             folder of hysteron builds it on Debian; packaged ones cannot load laws"
                .into(),
        ),
        _ => {}
    }
    missing
}
