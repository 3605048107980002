//! What the host strains: decided by the name of the material, the step and `PROPS`.

use super::arguments::{Frame, Properties, UmatArguments};
use super::material::{Interface, Material};
use crate::error::UpdateError;
use crate::host::HostError;
use crate::host::pointer::{leads, read, value};
use crate::mandel::StressState;
use nalgebra::Matrix3;

/// The frame of the strains and what the answer is divided by.
#[derive(Clone, Copy)]
pub(super) struct Geometry {
    pub frame: Frame,
    /// What Kirchhoff's stress is divided by: `det F`, or 1.
    pub stress: f64,
    /// The same of its derivative.
    pub tangent: f64,
}

impl Geometry {
    /// `strained`: whether there is a strain. Where there is none all measures of it are the same: nothing is
    /// refused in a frequency step.
    ///
    /// # Errors
    /// An interface of CalculiX in the wrong step, `det F ≤ 0`.
    ///
    /// # Safety
    /// That of [`super::call`].
    pub unsafe fn new(
        arguments: &UmatArguments,
        properties: &Properties,
        stress_state: StressState,
        strained: bool,
    ) -> Result<Self, HostError> {
        let Properties { frame, .. } = *properties;
        let material = Material::new(arguments.cmname);
        // SAFETY: as the caller promises, here and below.
        let interface = unsafe { material.interface() };
        let library = || unsafe { material.library() };
        let fail = |message: String| Err(HostError::call(message));
        if interface != Interface::Other && frame == Frame::Stored {
            return fail(
                "PROPS(2) = 2 is for Abaqus: in CalculiX write *USER MATERIAL,CONSTANTS=1 with one MPa alone, \
                 and *DEPVAR without the nine more"
                    .into(),
            );
        }
        // Elmer passes one number: others are read only where the host is known to have them.
        let known = interface != Interface::Other || frame != Frame::Fixed;
        let step = match known {
            true => unsafe { Step::of(arguments.kstep)? },
            false => Step::Unknown,
        };
        match (interface, step) {
            (Interface::Small, Step::Nonlinear) if strained => {
                let library = library();
                return fail(format!(
                    "`@ABAQUS_{library}` has Green's strain where the step has NLGEOM: write \
                     *MATERIAL,NAME=@ABAQUSNL_{library}, also in *SOLID SECTION"
                ));
            }
            (Interface::Logarithmic, Step::Linear) if strained => {
                let library = library();
                return fail(format!(
                    "`@ABAQUSNL_{library}` needs *STEP,NLGEOM: write that, or \
                     *MATERIAL,NAME=@ABAQUS_{library} (also in *SOLID SECTION) for small strains"
                ));
            }
            _ => {}
        }
        let frame = match interface {
            Interface::Other => frame,
            Interface::Small | Interface::Logarithmic => Frame::Turning,
        };
        // In plane and uniaxial stress the host does not know the strain in the thickness.
        let solid = matches!(stress_state, StressState::Solid | StressState::Axisymmetric);
        let divides = step == Step::Nonlinear && properties.cauchy && solid;
        let volume = match divides && interface != Interface::Small {
            true => unsafe { volume(arguments.dfgrd1)? },
            false => 1.0,
        };
        Ok(Self {
            frame,
            stress: volume,
            // CalculiX takes the tangent for that of Kirchhoff's stress, Abaqus over det F.
            tangent: match interface {
                Interface::Other => volume,
                Interface::Small | Interface::Logarithmic => 1.0,
            },
        })
    }
}

/// `KSTEP(3)` and `KSTEP(4)`.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Linear,
    Nonlinear,
    /// The host does not say, or the step is a linear perturbation.
    Unknown,
}

impl Step {
    /// # Safety
    /// The pointer leads nowhere or to four numbers.
    unsafe fn of(kstep: *const i32) -> Result<Self, HostError> {
        if !leads(kstep) {
            return Ok(Self::Unknown);
        }
        // SAFETY: as the caller promises.
        let kstep = unsafe { value("KSTEP", kstep.cast::<[i32; 4]>())? };
        Ok(match kstep {
            [_, _, _, 1] => Self::Unknown,
            [_, _, 1, _] => Self::Nonlinear,
            [_, _, 0, _] => Self::Linear,
            _ => Self::Unknown,
        })
    }
}

/// `det F` at the end of the increment, 1 where the host does not pass it.
///
/// # Safety
/// The pointer leads nowhere or to nine numbers.
unsafe fn volume(dfgrd1: *const f64) -> Result<f64, HostError> {
    if !leads(dfgrd1) {
        return Ok(1.0);
    }
    // SAFETY: as the caller promises.
    let gradient = unsafe { read::<9>("DFGRD1", dfgrd1, 9)? };
    let jacobian = Matrix3::from_column_slice(&gradient).determinant();
    match jacobian > 0.0 && jacobian.is_finite() {
        true => Ok(jacobian),
        false => Err(UpdateError::Inverted { jacobian }.into()),
    }
}
