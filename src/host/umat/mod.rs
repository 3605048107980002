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
//!   for SI); or also `PROPS(2)`, for nonlinear geometry: 1 where the host strains and stresses the
//!   material in the frame that turns with it, whatever `DROT` says; 2 where the host turns `STRAN` by
//!   `DROT`, as Abaqus does; else 0, and `DROT` must be the identity; or also `PROPS(3)`: 1 where the host
//!   wants Kirchhoff's stress, else 0.
//! * `CMNAME`, which begins with `@ABAQUS_` or `@ABAQUSNL_` in CalculiX, and `KSTEP(3)`, 1 with `NLGEOM`, say
//!   which strain CalculiX passes. It needs no `PROPS(2)`; `@ABAQUS_` with `NLGEOM` and `@ABAQUSNL_` without
//!   are refused at the first strain.
//! * `DFGRD1`: where the geometry is nonlinear and `NDI` is 3, Kirchhoff's stress is divided by its
//!   determinant.
//! * `STATEV`: the internal variables of the law. Where `PROPS(2)` is 2, the next nine store the rotation that
//!   `DROT` adds up to, and the law is evaluated in the frame that turns with the material. `NSTATV` may be
//!   larger, as it is in CalculiX with several materials; what is not used stays as it is.
//! * `TEMP + DTEMP` is the external variable of a law that has one.
//! * `SSE` receives the stored energy, `SPD` is increased by the dissipation, of the undeformed volume.
//! * After a failure `PNEWDT` is below one, `STRESS`, `STATEV` and `DDSDDE` are as they were, and the
//!   standard error says why.
//!
//! What is outside the trained range of the law is said, or refused ([`Outside`](super::Outside)).
//!
//! `STRESS` is not read: the response depends on the total strain `STRAN + DSTRAN`. The hidden length of
//! `CMNAME` and the arguments that are not named here are not read either.
//!
//! `DDSDDE` is the derivative of Kirchhoff's stress, in Abaqus over `det F` (its definition of the Jacobian);
//! CalculiX multiplies only the stress by `det F`.
//!
//! Sources: Abaqus User Subroutines Reference Guide, UMAT; CalculiX 2.20, `umat_abaqus.f`, `umat_abaqusnl.f`,
//! `call_external_umat_user.c`.

mod advance;
mod arguments;
mod export;
mod frame;
mod geometry;
mod material;

pub use arguments::UmatArguments;

use super::error::guard;
use super::pointer::leads;
use super::report::report;
use super::{HostError, HostLaw};
use advance::advance;
use material::Material;
use std::fmt;

/// `PNEWDT` where no smaller step can help: the host gives up after a few cuts.
const HOPELESS: f64 = 0.25;

/// Advances one point.
///
/// # Safety
/// Each pointer leads nowhere or to what Abaqus documents under its name: single numbers, `NTENS`
/// entries of `STRESS`, `STRAN`, `DSTRAN`, `NTENS²` of `DDSDDE`, `NSTATV` of `STATEV`, `NPROPS` of
/// `PROPS`, nine of `DROT` and `DFGRD1`, a name in `CMNAME` that ends with a blank, a zero, or after 80
/// characters; of `KSTEP` four where the host is CalculiX or `PROPS(2)` is not 0.
pub unsafe fn call<'a>(
    law: impl FnOnce() -> Result<&'a HostLaw, &'a str>,
    arguments: &UmatArguments,
) {
    // SAFETY: as the caller promises.
    let advance = || unsafe { advance(law().map_err(HostError::call)?, arguments) };
    let Err(error) = guard(advance) else {
        return;
    };
    if let Some(native) = NativeCall::of(arguments) {
        return native.refuse();
    }
    report(Place(arguments), &error);
    if leads(arguments.pnewdt) {
        // SAFETY: a number of the host.
        unsafe { *arguments.pnewdt = error.cut().unwrap_or(HOPELESS) };
    }
}

/// Element and integration point.
struct Place<'a>(&'a UmatArguments);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number =
            |name, pointer| match self.0.stress_state().and(arguments::integer(name, pointer)) {
                Ok(number) => number.to_string(),
                Err(_) => "?".into(),
            };
        let (element, point) = (number("NOEL", self.0.noel), number("NPT", self.0.npt));
        write!(f, "element {element}, point {point}")
    }
}

/// The arguments of CalculiX's own interface, which it uses for a material `@STEEL` without `ABAQUS_`: the name
/// of the material is the first, the element the second, the integration point the third, the step factor the
/// 29th.
struct NativeCall {
    name: Material,
    element: *const i32,
    point: *const i32,
    step_factor: *mut f64,
}

impl NativeCall {
    /// The call, where the arguments cannot be those of a UMAT and the first is a name.
    fn of(arguments: &UmatArguments) -> Option<Self> {
        let name = Material::new(arguments.stress.cast());
        // SAFETY: a number of the host, or a name of CalculiX.
        let native = arguments.stress_state().is_err() && unsafe { name.is_calculix() };
        native.then_some(Self {
            name,
            element: arguments.statev.cast(),
            point: arguments.ddsdde.cast(),
            step_factor: arguments.celent,
        })
    }

    fn refuse(self) {
        let place = |pointer| arguments::integer("", pointer).map_or("?".into(), |n| n.to_string());
        // SAFETY: a name of CalculiX.
        let library = unsafe { self.name.library() };
        let error = HostError::call(format!(
            "`@{library}` calls CalculiX's own interface: write *MATERIAL,NAME=@ABAQUS_{library}, or \
             @ABAQUSNL_{library} with NLGEOM, also in *SOLID SECTION"
        ));
        let (element, point) = (place(self.element), place(self.point));
        report(format_args!("element {element}, point {point}"), &error);
        if leads(self.step_factor) {
            // SAFETY: a number of the host.
            unsafe { *self.step_factor = HOPELESS };
        }
    }
}
