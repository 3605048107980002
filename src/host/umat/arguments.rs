//! The arguments of a UMAT, checked and converted.

use crate::host::HostError;
use crate::host::external::check_given;
use crate::host::pointer::{check, leads, read, value};
use crate::law::MaterialLaw;
use crate::mandel::{StressState, abaqus};
use nalgebra::Matrix3;
use std::slice;

/// Entries of a rotation in `STATEV`.
const ROTATION: usize = 9;
/// Largest deviation of `DROT` from the identity where no rotation is stored.
const NO_ROTATION: f64 = 1e-10;

/// Where the temperature of a model is written.
const TEMPERATURE: &str = "write *INITIAL CONDITIONS,TYPE=TEMPERATURE, in the unit of the law";

/// What `PROPS(2)` means.
const FRAMES: &str = "1 where the frame of the host turns with the material, 2 where nine more variables of \
                      *DEPVAR store its rotation";

/// What `PROPS(3)` means.
const STRESSES: &str = "1 where the stress is not to be divided by det F, else 0";

/// The arguments of a UMAT that are used, under their names in lower case.
#[derive(Clone, Copy, Debug)]
pub struct UmatArguments {
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
    pub cmname: *const u8,
    pub ndi: *const i32,
    pub nshr: *const i32,
    pub ntens: *const i32,
    pub nstatv: *const i32,
    pub props: *const f64,
    pub nprops: *const i32,
    pub drot: *const f64,
    pub pnewdt: *mut f64,
    pub celent: *mut f64,
    pub dfgrd1: *const f64,
    pub noel: *const i32,
    pub npt: *const i32,
    pub kstep: *const i32,
}

/// The values of `PROPS`.
pub(super) struct Properties {
    /// One MPa in the stress unit of the host.
    pub unit: f64,
    pub frame: Frame,
    /// Whether the answer is Cauchy's stress where the geometry is nonlinear, else Kirchhoff's.
    pub cauchy: bool,
}

/// How the frame of the host moves with the material, as `PROPS(2)` says.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Frame {
    /// 0: not at all; `DROT` must be the identity.
    Fixed,
    /// 1: it turns with the material, whatever `DROT` says.
    Turning,
    /// 2: it is fixed and the material turns by `DROT`; `STATEV` stores the rotation after the internal
    /// variables.
    Stored,
}

impl Frame {
    /// Entries of `STATEV` after the internal variables.
    pub fn entries(self) -> usize {
        match self {
            Self::Stored => ROTATION,
            Self::Fixed | Self::Turning => 0,
        }
    }
}

/// The safety of the methods below is that of [`super::call`].
impl UmatArguments {
    /// `NDI`, `NSHR` and `NTENS`.
    pub(super) fn stress_state(&self) -> Result<StressState, HostError> {
        let (ndi, nshr) = (integer("NDI", self.ndi)?, integer("NSHR", self.nshr)?);
        let Some(state) = abaqus::stress_state(ndi, nshr) else {
            return Err(HostError::call(format!(
                "NDI = {ndi}, NSHR = {nshr}: there is no such stress state"
            )));
        };
        let ntens = integer("NTENS", self.ntens)?;
        match i32::try_from(state.components()) == Ok(ntens) {
            true => Ok(state),
            false => Err(HostError::call(format!(
                "NTENS = {ntens}, NDI + NSHR = {}",
                state.components()
            ))),
        }
    }

    pub(super) unsafe fn properties(&self) -> Result<Properties, HostError> {
        let count = integer("NPROPS", self.nprops)?;
        let count = match usize::try_from(count) {
            Ok(count @ 0..=3) => count,
            _ => {
                return Err(HostError::call(format!(
                    "NPROPS = {count}: the law lies in its file; give no constant, one (one MPa in the \
                     stress unit of the model), two (and {FRAMES}) or three (and {STRESSES})"
                )));
            }
        };
        // SAFETY: as the caller promises.
        let mut values = unsafe { read::<3>("PROPS", self.props, count)? };
        if count == 0 {
            values[0] = 1.0;
        }
        let [unit, frame, stress] = values;
        if !(unit.is_finite() && unit > 0.0) {
            return Err(HostError::call(format!(
                "PROPS(1) = {unit}: one MPa in the stress unit of the model is needed, a positive number"
            )));
        }
        let frame = match frame {
            0.0 => Frame::Fixed,
            1.0 => Frame::Turning,
            2.0 => Frame::Stored,
            other => {
                return Err(HostError::call(format!("PROPS(2) = {other}: {FRAMES}")));
            }
        };
        if stress != 0.0 && stress != 1.0 {
            return Err(HostError::call(format!("PROPS(3) = {stress}: {STRESSES}")));
        }
        let cauchy = stress == 0.0;
        Ok(Properties {
            unit,
            frame,
            cauchy,
        })
    }

    /// `NSTATV` must leave room for so many entries of `STATEV`. It can be larger: CalculiX passes the largest
    /// number of all materials and contacts of the model.
    pub(super) fn check_room(&self, law: &str, needed: usize) -> Result<(), HostError> {
        let nstatv = integer("NSTATV", self.nstatv)?;
        if usize::try_from(nstatv).is_ok_and(|nstatv| nstatv >= needed) {
            return Ok(());
        }
        Err(HostError::call(format!(
            "NSTATV = {nstatv}: `{law}` needs *DEPVAR with {needed}"
        )))
    }

    /// The outputs are there; of `STATEV` so many entries are used.
    pub(super) fn check_outputs(&self, used: usize) -> Result<(), HostError> {
        check("STRESS", self.stress)?;
        check("DDSDDE", self.ddsdde)?;
        match used {
            0 => Ok(()),
            _ => check("STATEV", self.statev),
        }
    }

    /// The strains at both ends of the increment, as the host has them.
    pub(super) unsafe fn strains(&self, components: usize) -> Result<[[f64; 6]; 2], HostError> {
        // SAFETY: as the caller promises.
        let (strain, increment) = unsafe {
            (
                read::<6>("STRAN", self.stran, components)?,
                read::<6>("DSTRAN", self.dstran, components)?,
            )
        };
        Ok([strain, std::array::from_fn(|i| strain[i] + increment[i])])
    }

    /// The external variable at both ends of the increment, where the law has one.
    pub(super) fn temperatures(&self, law: &dyn MaterialLaw) -> Result<[f64; 2], HostError> {
        match law.external_variables().len() {
            0 => Ok([0.0; 2]),
            1 => {
                let old = real("TEMP", self.temp)?;
                let ends = [old, old + real("DTEMP", self.dtemp)?];
                check_given(law, 0, ends, TEMPERATURE)?;
                Ok(ends)
            }
            count => Err(HostError::call(format!(
                "`{}` needs {count} external variables, a host passes one (TEMP)",
                law.name()
            ))),
        }
    }

    /// The first entries of `STATEV`, of which there are as many. The borrow ends before
    /// [`UmatArguments::state_mut`] is called.
    pub(super) unsafe fn state(&self, used: usize) -> &[f64] {
        match used {
            0 => &[],
            // SAFETY: as the caller promises.
            _ => unsafe { slice::from_raw_parts(self.statev, used) },
        }
    }

    /// [`UmatArguments::state`], to be written.
    #[allow(clippy::mut_from_ref)] // The array is the host's.
    pub(super) unsafe fn state_mut(&self, used: usize) -> &mut [f64] {
        match used {
            0 => &mut [],
            // SAFETY: as the caller promises.
            _ => unsafe { slice::from_raw_parts_mut(self.statev, used) },
        }
    }

    /// The rotation from the frame that turns with the material to that of the host, if one is stored.
    pub(super) unsafe fn rotation(&self, kept: &[f64]) -> Result<Option<Matrix3<f64>>, HostError> {
        // SAFETY: nine numbers, as the caller promises.
        let turn = match leads(self.drot) {
            true => Matrix3::from(unsafe { *self.drot.cast::<[[f64; 3]; 3]>() }),
            false => Matrix3::identity(),
        };
        if !kept.is_empty() {
            let old = Matrix3::identity() + Matrix3::from_column_slice(kept);
            return Ok(Some(turn * old));
        }
        match (turn - Matrix3::identity()).amax() <= NO_ROTATION {
            true => Ok(None),
            false => Err(HostError::call(format!(
                "the material turns (DROT): give PROPS(2), {FRAMES}"
            ))),
        }
    }
}

/// An integer of the host.
pub(super) fn integer(name: &str, pointer: *const i32) -> Result<i32, HostError> {
    // SAFETY: a number of the host.
    unsafe { value(name, pointer) }
}

/// A real number of the host.
pub(super) fn real(name: &str, pointer: *const f64) -> Result<f64, HostError> {
    // SAFETY: a number of the host.
    unsafe { value(name, pointer) }
}
