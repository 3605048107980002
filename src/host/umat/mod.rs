//! Abaqus's `UMAT`, also called by CalculiX and Elmer.
//!
//! | NDI, NSHR | section | order |
//! |---|---|---|
//! | 3, 3 | three-dimensional | 11 22 33 12 13 23 |
//! | 3, 1 | plane strain, axisymmetric | 11 22 33 12 |
//! | 2, 1 | plane stress | 11 22 12 |
//! | 1, 0 | uniaxial stress | 11 |
//!
//! Shear strains are engineering ones, `DDSDDE` is `∂σ_i/∂γ_j`, column by column.
//!
//! * `PROPS`: nothing; or `PROPS(1)`, one MPa in the stress unit of the host (1 for N and mm, 1e6
//!   for SI); or also `PROPS(2)`, 1 where the host strains and stresses the material in the frame
//!   that turns with it, as CalculiX does in `@ABAQUSNL`, whatever `DROT` says; else 0.
//! * `STATEV`: the internal variables of the law. With nine more the rotation that `DROT` adds up to
//!   is kept there, and the law is asked in the frame that turns with the material: what finite
//!   strain needs where the host turns `STRAN` by `DROT`, as Abaqus does. Without them, and without
//!   `PROPS(2)`, `DROT` must be the identity.
//! * `TEMP + DTEMP` is the external variable of a law that has one.
//! * `SSE` receives the stored energy, `SPD` the dissipation added to what stands there.
//! * After a failure `PNEWDT` is below one, `STRESS`, `STATEV` and `DDSDDE` are as they were, and the
//!   standard error says why.
//!
//! `STRESS` is not read: the laws answer the total strain `STRAN + DSTRAN`. The hidden length of
//! `CMNAME` and the arguments that are not named here are not read either.
//!
//! Source: Abaqus User Subroutines Reference Guide, UMAT.

mod export;

use super::error::{guard, say};
use super::state::States;
use super::{HostError, HostLaw};
use crate::law::{Increment, Response};
use crate::mandel::{self, Mandel, Moduli, WEIGHTS};
use nalgebra::Matrix3;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is used of the arguments of a UMAT, under their names in lower case.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    pub stress: *mut f64,
    pub statev: *mut f64,
    pub ddsdde: *mut f64,
    pub sse: *mut f64,
    pub spd: *mut f64,
    pub stran: *const f64,
    pub dstran: *const f64,
    pub dtime: *const f64,
    pub temp: *const f64,
    pub dtemp: *const f64,
    pub ndi: *const i32,
    pub nshr: *const i32,
    pub ntens: *const i32,
    pub nstatv: *const i32,
    pub props: *const f64,
    pub nprops: *const i32,
    pub drot: *const f64,
    pub pnewdt: *mut f64,
    pub noel: *const i32,
    pub npt: *const i32,
}

/// What `PNEWDT` becomes where no smaller step can help: the host gives up after a few.
const HOPELESS: f64 = 0.25;
/// Messages after which the standard error is left alone.
const MAX_MESSAGES: usize = 20;
/// Entries of a rotation in `STATEV`.
const ROTATION: usize = 9;
/// How far `DROT` may be from the identity where no rotation is kept.
const NO_ROTATION: f64 = 1e-10;

/// Advances one point.
///
/// # Safety
/// Each pointer is null or leads to what Abaqus documents under its name: single numbers, `NTENS`
/// entries of `STRESS`, `STRAN`, `DSTRAN`, `NTENS²` of `DDSDDE`, `NSTATV` of `STATEV`, `NPROPS` of
/// `PROPS`, nine of `DROT`.
pub unsafe fn call<'a>(law: impl FnOnce() -> Result<&'a HostLaw, &'a str>, arguments: &Arguments) {
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

fn report(error: &HostError, arguments: &Arguments) {
    static MESSAGES: AtomicUsize = AtomicUsize::new(0);
    let count = MESSAGES.fetch_add(1, Ordering::Relaxed);
    if count >= MAX_MESSAGES {
        return;
    }
    let place = |pointer| number("", pointer).map_or("?".into(), |number| number.to_string());
    let (element, point) = (place(arguments.noel), place(arguments.npt));
    let last = match count + 1 == MAX_MESSAGES {
        true => " (further messages are not shown)",
        false => "",
    };
    say(format_args!(
        "element {element}, point {point}: {error}{last}"
    ));
}

/// An integer of the host.
fn number(name: &str, pointer: *const i32) -> Result<i32, HostError> {
    if pointer.is_null() {
        return Err(HostError::call(format!("{name} is null")));
    }
    // SAFETY: a number of the host, not null.
    Ok(unsafe { *pointer })
}

/// A real number of the host.
fn real(name: &str, pointer: *const f64) -> Result<f64, HostError> {
    if pointer.is_null() {
        return Err(HostError::call(format!("{name} is null")));
    }
    // SAFETY: a number of the host, not null.
    Ok(unsafe { *pointer })
}

/// `N` numbers of the host, the rest of the array zero.
///
/// # Safety
/// The pointer is null or leads to so many numbers.
unsafe fn entries<const N: usize>(
    name: &str,
    pointer: *const f64,
    count: usize,
) -> Result<[f64; N], HostError> {
    if pointer.is_null() {
        return Err(HostError::call(format!("{name} is null")));
    }
    let mut values = [0.0; N];
    // SAFETY: as the caller promises.
    values[..count].copy_from_slice(unsafe { slice::from_raw_parts(pointer, count) });
    Ok(values)
}

/// The components of a section among the six, in the order of the host.
fn components(ndi: i32, nshr: i32) -> Result<&'static [usize], HostError> {
    match (ndi, nshr) {
        (3, 3) => Ok(&[0, 1, 2, 3, 4, 5]),
        (3, 1) => Ok(&[0, 1, 2, 3]),
        (2, 1) => Ok(&[0, 1, 3]),
        (1, 0) => Ok(&[0]),
        _ => Err(HostError::call(format!(
            "NDI = {ndi}, NSHR = {nshr}: there is no such section"
        ))),
    }
}

/// What `PROPS` says.
struct Constants {
    /// One MPa in the stress unit of the host.
    unit: f64,
    /// Whether the frame of the host turns with the material.
    turns: bool,
}

/// # Safety
/// `PROPS` is null or leads to `NPROPS` numbers.
unsafe fn constants(arguments: &Arguments) -> Result<Constants, HostError> {
    let count = number("NPROPS", arguments.nprops)?;
    let values: [f64; 2] = match count {
        0 => [1.0, 0.0],
        // SAFETY: as the caller promises.
        1 => unsafe { [entries::<1>("PROPS", arguments.props, 1)?[0], 0.0] },
        // SAFETY: as the caller promises.
        2 => unsafe { entries("PROPS", arguments.props, 2)? },
        other => {
            return Err(HostError::call(format!(
                "NPROPS = {other}: the law lies in its file; give no constant, one (one MPa in the \
                 stress unit of the model) or two (and 1 where the frame of the host turns with the \
                 material)"
            )));
        }
    };
    let [unit, turns] = values;
    if !(unit.is_finite() && unit > 0.0) {
        return Err(HostError::call(format!(
            "PROPS(1) = {unit}: one MPa in the stress unit of the model is needed, a positive number"
        )));
    }
    if turns != 0.0 && turns != 1.0 {
        return Err(HostError::call(format!(
            "PROPS(2) = {turns}: 1 where the frame of the host turns with the material, else 0"
        )));
    }
    let turns = turns == 1.0;
    Ok(Constants { unit, turns })
}

/// Where the law is asked: `None` for the frame of the host, or the rotation from the frame that
/// turns with the material to that of the host.
///
/// # Safety
/// `DROT` is null or leads to nine numbers.
unsafe fn frame(
    arguments: &Arguments,
    kept: Option<&[f64]>,
) -> Result<Option<Matrix3<f64>>, HostError> {
    // SAFETY: nine numbers, as the caller promises.
    let turn = match arguments.drot.is_null() {
        true => Matrix3::identity(),
        false => Matrix3::from(unsafe { *arguments.drot.cast::<[[f64; 3]; 3]>() }),
    };
    match kept {
        Some(kept) => Ok(Some(
            turn * (Matrix3::identity() + Matrix3::from_column_slice(kept)),
        )),
        None if (turn - Matrix3::identity()).amax() <= NO_ROTATION => Ok(None),
        None => Err(HostError::call(
            "the material turns (DROT): give nine more variables of state, or PROPS(2) = 1 in \
             CalculiX",
        )),
    }
}

unsafe fn advance(law: &HostLaw, arguments: &Arguments) -> Result<(), HostError> {
    let (ndi, nshr) = (
        number("NDI", arguments.ndi)?,
        number("NSHR", arguments.nshr)?,
    );
    let components = components(ndi, nshr)?;
    let (n, ntens) = (components.len(), number("NTENS", arguments.ntens)?);
    if i32::try_from(n) != Ok(ntens) {
        return Err(HostError::call(format!(
            "NTENS = {ntens}, NDI + NSHR = {n}"
        )));
    }
    let law = law.section(n)?.as_ref();
    let states = law.state_layout().len();
    let nstatv = usize::try_from(number("NSTATV", arguments.nstatv)?).unwrap_or(0);
    // SAFETY: as the caller promises.
    let Constants { unit, turns } = unsafe { constants(arguments)? };
    if turns && nstatv != states {
        return Err(HostError::call(format!(
            "NSTATV = {nstatv}: `{}` needs {states} where PROPS(2) = 1",
            law.name()
        )));
    }
    if nstatv != states && nstatv != states + ROTATION {
        return Err(HostError::call(format!(
            "NSTATV = {nstatv}: `{}` needs {states}, or {} where the material turns",
            law.name(),
            states + ROTATION
        )));
    }
    for (name, pointer) in [
        ("STRESS", arguments.stress),
        ("DDSDDE", arguments.ddsdde),
        ("STATEV", arguments.statev),
    ] {
        if pointer.is_null() && (name, nstatv) != ("STATEV", 0) {
            return Err(HostError::call(format!("{name} is null")));
        }
    }
    let externals = law.external_variables();
    if externals.len() > 1 {
        return Err(HostError::call(format!(
            "`{}` needs {} external variables, a host passes one (TEMP)",
            law.name(),
            externals.len()
        )));
    }
    // SAFETY: as the caller promises.
    let (strain, increment) = unsafe {
        (
            entries::<6>("STRAN", arguments.stran, n)?,
            entries::<6>("DSTRAN", arguments.dstran, n)?,
        )
    };
    let dt = real("DTIME", arguments.dtime)?;
    let mut temperature = [0.0; 2];
    if !externals.is_empty() {
        let old = real("TEMP", arguments.temp)?;
        temperature = [old, old + real("DTEMP", arguments.dtemp)?];
    }

    // SAFETY: `NSTATV` numbers, not null; this view ends before they are written.
    let (stored, kept) = match nstatv {
        0 => (&[][..], &[][..]),
        _ => unsafe { slice::from_raw_parts(arguments.statev, nstatv) }.split_at(states),
    };
    let frame = match turns {
        true => None,
        // SAFETY: as the caller promises.
        false => unsafe { frame(arguments, (!kept.is_empty()).then_some(kept))? },
    };
    let to_law = frame.map(|rotation| mandel::rotation(&rotation.transpose()));
    let in_law = |host: [f64; 6]| {
        let mut whole = Mandel::zeros();
        for (value, &component) in host.iter().zip(components) {
            whole[component] = value / WEIGHTS[component];
        }
        let whole = to_law.map_or(whole, |turn| turn * whole);
        let mut strain = [0.0; 6];
        for (value, &component) in strain.iter_mut().zip(components) {
            *value = whole[component];
        }
        strain
    };
    let end = std::array::from_fn(|i| strain[i] + increment[i]);
    let (strain_old, strain_new) = (in_law(strain), in_law(end));

    States::with(law, |buffers| {
        buffers.load(stored);
        let increment = Increment {
            strain_old: &strain_old[..n],
            strain_new: &strain_new[..n],
            dt,
            external_old: &temperature[..externals.len()],
            external_new: &temperature[1..][..externals.len()],
        };
        let mut response = Response::default();
        law.update(&increment, &buffers.old, &mut buffers.new, &mut response)?;
        let (stress, tangent) = in_host(&response, components, frame.as_ref());

        // Nothing below can fail.
        // SAFETY: the lengths are those that the caller promises; no view of them is left.
        unsafe {
            for (i, &row) in components.iter().enumerate() {
                *arguments.stress.add(i) = unit * stress[i] / WEIGHTS[row];
                for (j, &column) in components.iter().enumerate() {
                    *arguments.ddsdde.add(j * n + i) =
                        unit * tangent[(i, j)] / (WEIGHTS[row] * WEIGHTS[column]);
                }
            }
            if nstatv > 0 {
                let statev = slice::from_raw_parts_mut(arguments.statev, nstatv);
                let (stored, kept) = statev.split_at_mut(states);
                buffers.store(stored);
                if let Some(rotation) = frame {
                    kept.copy_from_slice((rotation - Matrix3::identity()).as_slice());
                }
            }
            if !arguments.sse.is_null() {
                *arguments.sse = unit * response.stored_energy;
            }
            if !arguments.spd.is_null() {
                *arguments.spd += unit * response.dissipation;
            }
        }
        Ok(())
    })
}

/// Stress and tangent of a section in the frame of the host, Mandel.
fn in_host(
    response: &Response,
    components: &[usize],
    frame: Option<&Matrix3<f64>>,
) -> (Mandel, Moduli) {
    let Some(rotation) = frame else {
        return (response.stress, response.tangent);
    };
    let (mut stress, mut tangent) = (Mandel::zeros(), Moduli::zeros());
    for (i, &row) in components.iter().enumerate() {
        stress[row] = response.stress[i];
        for (j, &column) in components.iter().enumerate() {
            tangent[(row, column)] = response.tangent[(i, j)];
        }
    }
    let turn = mandel::rotation(rotation);
    let (stress, tangent) = (turn * stress, turn * tangent * turn.transpose());
    let at = |i: usize| components.get(i).copied();
    (
        Mandel::from_fn(|i, _| at(i).map_or(0.0, |row| stress[row])),
        Moduli::from_fn(|i, j| match (at(i), at(j)) {
            (Some(row), Some(column)) => tangent[(row, column)],
            _ => 0.0,
        }),
    )
}
