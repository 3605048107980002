//! Pointers of a host, which are absurd where its arguments are not those that are expected.

use super::HostError;
use std::slice;

/// The first address that a program can use.
const FIRST: u64 = 4096;
/// Addresses from here on are none: the bits of a number, passed for its address.
const END: u64 = 1 << 56;

/// Whether a pointer can lead to something: aligned, and neither null nor a number.
pub(super) fn leads<T>(pointer: *const T) -> bool {
    (FIRST..END).contains(&(pointer.addr() as u64)) && pointer.is_aligned()
}

/// # Errors
/// A pointer that leads nowhere.
pub(super) fn check<T>(name: &str, pointer: *const T) -> Result<(), HostError> {
    match (leads(pointer), pointer.is_null()) {
        (true, _) => Ok(()),
        (false, true) => Err(HostError::call(format!("{name}: null"))),
        (false, false) => Err(HostError::call(format!("{name}: no address"))),
    }
}

/// A number of the host.
///
/// # Safety
/// The pointer leads nowhere or to a number.
pub(super) unsafe fn value<T: Copy>(name: &str, pointer: *const T) -> Result<T, HostError> {
    check(name, pointer)?;
    // SAFETY: as the caller promises.
    Ok(unsafe { *pointer })
}

/// So many numbers of the host; none are asked of no pointer.
///
/// # Safety
/// The pointer leads nowhere or to so many numbers, which nobody writes while the view lives.
pub(super) unsafe fn view<'a>(
    name: &str,
    pointer: *const f64,
    count: usize,
) -> Result<&'a [f64], HostError> {
    if count == 0 {
        return Ok(&[]);
    }
    check(name, pointer)?;
    // SAFETY: as the caller promises.
    Ok(unsafe { slice::from_raw_parts(pointer, count) })
}

/// The first `N` numbers of an array by value, of which the host has so many; the rest zero.
///
/// # Safety
/// As [`view`].
pub(super) unsafe fn read<const N: usize>(
    name: &str,
    pointer: *const f64,
    count: usize,
) -> Result<[f64; N], HostError> {
    let mut values = [0.0; N];
    // SAFETY: as the caller promises.
    values[..count].copy_from_slice(unsafe { view(name, pointer, count)? });
    Ok(values)
}
