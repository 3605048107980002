//! Abaqus's `UMAT`, also called by CalculiX and Elmer.
//!
//! | NDI, NSHR | stress state | order |
//! |---|---|---|
//! | 3, 3 | three-dimensional | 11 22 33 12 13 23 |
//! | 3, 1 | plane strain, axisymmetric | 11 22 33 12 |
//! | 2, 1 | plane stress | 11 22 12 |
//! | 1, 0 | uniaxial stress | 11 |
//!
//! Shear strains are engineering ones, `DDSDDE` is `∂σ_i/∂γ_j`, column by column.
//!
//! * `PROPS`: nothing; or `PROPS(1)`, one MPa in the stress unit of the host (1 for N and mm, 1e6
//!   for SI); or also `PROPS(2)`: 1 where the host strains and stresses the material in the frame
//!   that turns with it, as CalculiX does in `@ABAQUSNL`, whatever `DROT` says; 2 where the host turns
//!   `STRAN` by `DROT`, as Abaqus does; else 0, and `DROT` must be the identity.
//! * `STATEV`: the internal variables of the law. Where `PROPS(2)` is 2, the next nine store the rotation that
//!   `DROT` adds up to, and the law is evaluated in the frame that turns with the material. `NSTATV` may be
//!   larger, as it is in CalculiX with several materials; what is not used stays as it is.
//! * `TEMP + DTEMP` is the external variable of a law that has one.
//! * `SSE` receives the stored energy, `SPD` is increased by the dissipation.
//! * After a failure `PNEWDT` is below one, `STRESS`, `STATEV` and `DDSDDE` are as they were, and the
//!   standard error says why.
//!
//! `STRESS` is not read: the response depends on the total strain `STRAN + DSTRAN`. The hidden length of
//! `CMNAME` and the arguments that are not named here are not read either.
//!
//! Source: Abaqus User Subroutines Reference Guide, UMAT.

mod advance;
mod arguments;
mod export;
mod frame;

pub use arguments::UmatArguments;

use super::error::{guard, warn};
use super::{HostError, HostLaw};
use advance::advance;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `PNEWDT` where no smaller step can help: the host gives up after a few cuts.
const HOPELESS: f64 = 0.25;
/// Most messages on the standard error.
const MAX_MESSAGES: usize = 20;

/// Advances one point.
///
/// # Safety
/// Each pointer is null or leads to what Abaqus documents under its name: single numbers, `NTENS`
/// entries of `STRESS`, `STRAN`, `DSTRAN`, `NTENS²` of `DDSDDE`, `NSTATV` of `STATEV`, `NPROPS` of
/// `PROPS`, nine of `DROT`.
pub unsafe fn call<'a>(
    law: impl FnOnce() -> Result<&'a HostLaw, &'a str>,
    arguments: &UmatArguments,
) {
    // SAFETY: as the caller promises.
    let advance = || unsafe { advance(law().map_err(HostError::call)?, arguments) };
    let Err(error) = guard(advance) else {
        return;
    };
    report(&error, arguments);
    if !arguments.pnewdt.is_null() {
        // SAFETY: a number of the host, not null.
        unsafe { *arguments.pnewdt = error.cut().unwrap_or(HOPELESS) };
    }
}

fn report(error: &HostError, arguments: &UmatArguments) {
    static MESSAGES: AtomicUsize = AtomicUsize::new(0);
    let count = MESSAGES.fetch_add(1, Ordering::Relaxed);
    if count >= MAX_MESSAGES {
        return;
    }
    let place =
        |pointer| arguments::integer("", pointer).map_or("?".into(), |number| number.to_string());
    let (element, point) = (place(arguments.noel), place(arguments.npt));
    let last = match count + 1 == MAX_MESSAGES {
        true => " (further messages are not shown)",
        false => "",
    };
    warn(format_args!(
        "element {element}, point {point}: {error}{last}"
    ));
}
