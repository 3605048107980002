//! The C functions of `include/hysteron.h`, which `tests/hosts/header` writes from the documentation
//! here and in [`Points`].
//!
//! What callers promise, each function's safety: a pointer to a law is null or came from one of the
//! loading functions and was not freed; a text is null or ends with a zero; every other pointer is null
//! or leads to as many entries as the sizes beside it say, which nobody else touches meanwhile.

// The safety section above holds for all of them: the header is for C.
#![allow(clippy::missing_safety_doc)]

mod points;

pub use points::Points;

use super::error::guard;
use super::{HostError, HostLaw, adjacent_law};
use crate::law::MaterialLaw;
use std::cell::RefCell;
use std::ffi::{CStr, CString, OsStr, c_char};
use std::ptr;
use std::slice;
use std::sync::Arc;

/// All went well.
pub const OK: i32 = 0;
/// The law failed; a smaller step can help.
pub const CUT: i32 = -1;
/// The arguments, or the file, cannot be used.
pub const REFUSED: i32 = -2;
/// The law panicked, which is a fault of the law.
pub const PANICKED: i32 = -3;

/// A law in one stress state. It is never written after it was made: all threads may use it at once.
pub struct Law {
    law: Arc<dyn MaterialLaw>,
    name: CString,
    states: Vec<CString>,
    externals: Vec<CString>,
}

impl Law {
    /// `components` 0: those of the law itself.
    fn new(law: &HostLaw, components: usize) -> Result<Self, HostError> {
        let components = match components {
            0 => law.components(),
            n => n,
        };
        let name = law.name();
        let law = law.with_components(components)?.clone();
        let text = |text: &str| {
            CString::new(text).map_err(|_| HostError::call(format!("a name with a zero: {text:?}")))
        };
        let labels = law.state_layout().labels();
        Ok(Self {
            name: text(name)?,
            states: labels
                .iter()
                .map(|label| text(label))
                .collect::<Result<_, _>>()?,
            externals: law
                .external_variables()
                .iter()
                .map(|name| text(name))
                .collect::<Result<_, _>>()?,
            law,
        })
    }
}

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
    static OUTSIDE: RefCell<CString> = RefCell::default();
}

/// Stores the message for [`hysteron_last_error`] and returns the code of the error.
fn failed(error: &HostError) -> i32 {
    let text = error.to_string().replace('\0', " ");
    // Without zeros it is a C string. The access fails only while the thread ends.
    let _ = LAST_ERROR.try_with(|last| last.replace(CString::new(text).unwrap_or_default()));
    match error {
        HostError::Panic(_) => PANICKED,
        error if error.cut().is_some() => CUT,
        _ => REFUSED,
    }
}

/// Runs `work`, panics caught, and returns its code.
fn code(work: impl FnOnce() -> Result<(), HostError>) -> i32 {
    guard(work).map_or_else(|error| failed(&error), |()| OK)
}

/// Runs `work`, panics caught; null where it fails.
fn handle(work: impl FnOnce() -> Result<Law, HostError>) -> *mut Law {
    match guard(work) {
        Ok(law) => Box::into_raw(Box::new(law)),
        Err(error) => {
            failed(&error);
            ptr::null_mut()
        }
    }
}

/// A property of a law; `otherwise` for null.
///
/// # Safety
/// `law` is null or came from one of the loading functions and was not freed.
unsafe fn property<T>(law: *const Law, otherwise: T, get: impl FnOnce(&Law) -> T) -> T {
    // SAFETY: as the caller promises.
    unsafe { law.as_ref() }.map_or(otherwise, get)
}

fn text_at(texts: &[CString], index: usize) -> *const c_char {
    texts.get(index).map_or(ptr::null(), |text| text.as_ptr())
}

/// Version of the library, such as "0.1.0".
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub extern "C" fn hysteron_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// What went wrong in the last call of this thread that failed; "" before the first. It stays until
/// the next one.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub extern "C" fn hysteron_last_error() -> *const c_char {
    let text = LAST_ERROR.try_with(|last| last.borrow().as_ptr());
    text.unwrap_or(c"".as_ptr())
}

/// Loads a saved law (.safetensors), or the reference law of a material card (.toml), for the stress
/// state of so many components; 0: those of the law itself. Null where it fails.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_load(path: *const c_char, components: usize) -> *mut Law {
    handle(|| {
        if path.is_null() {
            return Err(HostError::call("the path is null"));
        }
        // SAFETY: as the caller promises.
        let path = unsafe { CStr::from_ptr(path) };
        #[cfg(unix)]
        let path: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(path.to_bytes());
        #[cfg(not(unix))]
        let path = OsStr::new(
            path.to_str()
                .map_err(|_| HostError::call("the path is not UTF-8"))?,
        );
        Law::new(&HostLaw::load(path)?, components)
    })
}

/// The same from the bytes of either file.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_load_bytes(
    bytes: *const u8,
    length: usize,
    components: usize,
) -> *mut Law {
    handle(|| {
        if bytes.is_null() || length > isize::MAX as usize {
            return Err(HostError::call("there are no bytes to load from"));
        }
        // SAFETY: as the caller promises.
        let bytes = unsafe { slice::from_raw_parts(bytes, length) };
        Law::new(
            &HostLaw::from_bytes("bytes of the caller", bytes)?,
            components,
        )
    })
}

/// The same from the file adjacent to this library: NAME.safetensors or NAME.toml in the folder of
/// libNAME.so.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub extern "C" fn hysteron_load_own(components: usize) -> *mut Law {
    handle(|| Law::new(adjacent_law().map_err(HostError::call)?, components))
}

/// Ends a law that no thread uses any more; null is allowed.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_free(law: *mut Law) {
    if !law.is_null() {
        // SAFETY: as the caller promises.
        let law = unsafe { Box::from_raw(law) };
        // A panic of the destructor must not reach the host either.
        let _ = code(|| {
            drop(law);
            Ok(())
        });
    }
}

/// Name of a law, that of its file or card; it lives as long as the law, as do the names of its
/// variables. Null for null.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_name(law: *const Law) -> *const c_char {
    unsafe { property(law, ptr::null(), |law| law.name.as_ptr()) }
}

/// Strain components; 0 for null.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_components(law: *const Law) -> usize {
    unsafe { property(law, 0, |law| law.law.components()) }
}

/// Internal variables; 0 for null.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_states(law: *const Law) -> usize {
    unsafe { property(law, 0, |law| law.states.len()) }
}

/// External variables, such as a temperature; 0 for null.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_externals(law: *const Law) -> usize {
    unsafe { property(law, 0, |law| law.externals.len()) }
}

/// Name of an internal variable; null where there is none.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_state_name(law: *const Law, index: usize) -> *const c_char {
    unsafe { property(law, ptr::null(), |law| text_at(&law.states, index)) }
}

/// Name of an external variable; null where there is none.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_external_name(law: *const Law, index: usize) -> *const c_char {
    unsafe { property(law, ptr::null(), |law| text_at(&law.externals, index)) }
}

/// Writes the state of virgin material; `states`, the length of the array, must be that of the law.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_initial_state(
    law: *const Law,
    state: *mut f64,
    states: usize,
) -> i32 {
    code(|| {
        // SAFETY: as the caller promises.
        let law = unsafe { law.as_ref() }.ok_or_else(|| HostError::call("the law is null"))?;
        let expected = law.states.len();
        if states != expected {
            return Err(HostError::call(format!(
                "states = {states}, the law has {expected} internal variables"
            )));
        }
        if states == 0 {
            return Ok(());
        }
        if state.is_null() {
            return Err(HostError::call("the state is null"));
        }
        // SAFETY: as the caller promises.
        law.law
            .initial_state(unsafe { slice::from_raw_parts_mut(state, states) });
        Ok(())
    })
}

/// A law and the points of a call.
///
/// # Safety
/// Both are null or lead to what they say, for as long as the call.
unsafe fn given<'a>(
    law: *const Law,
    points: *const Points,
) -> Result<(&'a Law, &'a Points), HostError> {
    // SAFETY: as the caller promises.
    let (law, points) = unsafe { (law.as_ref(), points.as_ref()) };
    let law = law.ok_or_else(|| HostError::call("the law is null"))?;
    let points = points.ok_or_else(|| HostError::call("the points are null"))?;
    Ok((law, points))
}

/// Advances one point or many. With several threads each takes a share of the points; the results
/// do not depend on their number. After HYSTERON_CUT or HYSTERON_REFUSED for one point all outputs
/// are as they were; for many points they are not to be used, and the last error names a point that
/// failed.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_update(
    law: *const Law,
    points: *const Points,
    threads: usize,
) -> i32 {
    code(|| {
        // SAFETY: as the caller promises.
        let (law, points) = unsafe { given(law, points)? };
        // SAFETY: as the caller promises.
        unsafe { points.update(law.law.as_ref(), threads) }
    })
}

/// In what a point of an update is outside the range of the law, such as "strain 11 = 0.03, trained from 0 to
/// 0.02"; "" where it is inside. Null where the call is wrong; the last error says why. The text stays until
/// the next call of this function in this thread.
#[cfg_attr(feature = "capi", unsafe(no_mangle))]
pub unsafe extern "C" fn hysteron_outside(
    law: *const Law,
    points: *const Points,
    point: usize,
) -> *const c_char {
    let found = code(|| {
        // SAFETY: as the caller promises.
        let (law, points) = unsafe { given(law, points)? };
        // SAFETY: as the caller promises.
        let departure = unsafe { points.departure(law.law.as_ref(), point)? };
        let text = departure.map_or_else(String::new, |what| what.to_string());
        let text = CString::new(text.replace('\0', " ")).unwrap_or_default();
        let _ = OUTSIDE.try_with(|last| last.replace(text));
        Ok(())
    });
    match found {
        OK => {
            let text = OUTSIDE.try_with(|last| last.borrow().as_ptr());
            text.unwrap_or(c"".as_ptr())
        }
        _ => ptr::null(),
    }
}
