//! One call of a behaviour.

use super::MAX_EXTERNALS;
use super::describe::is_temperature;
use super::point::IntegrationPoint;
use super::view::{BehaviourDataView, MESSAGE};
use crate::host::error::{guard, warn};
use crate::host::state::States;
use crate::host::{HostError, HostLaw};
use crate::law::{MaterialLaw, Status};
use crate::mandel::StressState;
use std::ffi::{CStr, c_int};
use std::slice;
use std::sync::{Arc, Once};

const FAILED: c_int = -1;
const OUTSIDE: c_int = 0;
const RELIABLE: c_int = 1;

/// Kelvin's zero in degrees Celsius.
const ZERO_CELSIUS: f64 = 273.15;

/// The measure of deformation of a behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinematics {
    Small,
    Finite,
}

impl Kinematics {
    pub const fn behaviour_type(self) -> u16 {
        match self {
            Self::Small => 1,
            Self::Finite => 2,
        }
    }

    pub const fn kinematic(self) -> u16 {
        match self {
            Self::Small => 1,
            Self::Finite => 3,
        }
    }

    pub const fn gradient(self) -> &'static CStr {
        match self {
            Self::Small => c"Strain",
            Self::Finite => c"DeformationGradient",
        }
    }

    /// A symmetric tensor, or any tensor.
    pub const fn gradient_type(self) -> i32 {
        match self {
            Self::Small => 1,
            Self::Finite => 3,
        }
    }
}

/// The outputs that the host requests, from the first entry of `K`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Request {
    /// The stress alone.
    Stress,
    /// Stress and tangent.
    Tangent,
    /// The tangent of a vanishing increment alone: nothing else is written.
    Prediction,
}

impl Request {
    fn new(first: f64) -> Result<Self, HostError> {
        if first > 50.0 {
            return Err(HostError::call("the speed of sound is not computed"));
        }
        match first {
            f if f < -0.5 => Ok(Self::Prediction),
            f if f <= 0.5 => Ok(Self::Stress),
            f if f > 0.5 => Ok(Self::Tangent),
            f => Err(HostError::call(format!("K[0] = {f}"))),
        }
    }
}

/// Integrates the behaviour in a stress state, solid or axisymmetric, over a time step.
///
/// # Safety
/// `data` is null or leads to what MGIS documents: pointers that are null or lead to as many numbers
/// as the data symbols of the behaviour say, and `error_message` to 512 bytes.
pub unsafe fn call<'a>(
    law: impl FnOnce() -> Result<&'a HostLaw, &'a str>,
    kinematics: Kinematics,
    stress_state: StressState,
    data: *mut BehaviourDataView,
) -> c_int {
    // SAFETY: as the caller promises; the host does not touch it during the call.
    let Some(data) = (unsafe { data.as_mut() }) else {
        return FAILED;
    };
    let result = guard(|| {
        let law = law().map_err(HostError::call)?;
        let law = law.in_stress_state(stress_state)?;
        // SAFETY: as the caller promises.
        unsafe { integrate(law, kinematics, data) }
    });
    match result {
        Ok(Status::Inside) => RELIABLE,
        Ok(Status::Outside) => {
            static SAID: Once = Once::new();
            SAID.call_once(|| {
                warn(
                    "a strain is outside the range that the law was trained in; some hosts, \
                     OpenGeoSys among them, reject the step",
                );
            });
            OUTSIDE
        }
        Err(error) => {
            // SAFETY: as the caller promises.
            unsafe { report(&error, data) };
            FAILED
        }
    }
}

/// # Safety
/// As [`call`].
unsafe fn report(error: &HostError, data: &mut BehaviourDataView) {
    if !data.error_message.is_null() {
        let text = error.to_string();
        let mut count = text.len().min(MESSAGE - 1);
        while !text.is_char_boundary(count) {
            count -= 1;
        }
        // SAFETY: room for `MESSAGE` bytes, as the caller promises.
        unsafe {
            let message = slice::from_raw_parts_mut(data.error_message.cast::<u8>(), count + 1);
            message[..count].copy_from_slice(&text.as_bytes()[..count]);
            message[count] = 0;
        }
    }
    if let (false, Some(cut)) = (data.rdt.is_null(), error.cut()) {
        // SAFETY: a number of the host, not null.
        unsafe { *data.rdt = cut };
    }
}

/// The first numbers of an array of the host, by value; the rest zero.
///
/// # Safety
/// The pointer is null or leads to so many numbers.
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

/// # Safety
/// The pointer is null or leads to so many numbers, which nobody writes while the view lives.
unsafe fn view<'a>(name: &str, pointer: *const f64, count: usize) -> Result<&'a [f64], HostError> {
    match (count, pointer.is_null()) {
        (0, _) => Ok(&[]),
        (_, true) => Err(HostError::call(format!("no {name}"))),
        // SAFETY: as the caller promises.
        _ => Ok(unsafe { slice::from_raw_parts(pointer, count) }),
    }
}

/// The external variables of a law. The host stores the temperature first, whether or not the law
/// knows it, then the others in the order of the law.
///
/// # Safety
/// The pointer is null or leads to the temperature and the others.
unsafe fn externals(
    names: &[String],
    pointer: *const f64,
) -> Result<[f64; MAX_EXTERNALS], HostError> {
    let others = names.iter().filter(|name| !is_temperature(name)).count();
    let count = if names.is_empty() { 0 } else { 1 + others };
    // SAFETY: as the caller promises.
    let stored = unsafe { view("external state variables", pointer, count)? };
    let mut next = 1;
    let mut values = [0.0; MAX_EXTERNALS];
    for (value, name) in values.iter_mut().zip(names) {
        if is_temperature(name) {
            let celsius = name.eq_ignore_ascii_case("temperature_C");
            *value = stored[0] - if celsius { ZERO_CELSIUS } else { 0.0 };
        } else {
            *value = stored[next];
            next += 1;
        }
    }
    Ok(values)
}

/// # Safety
/// As [`call`].
unsafe fn integrate(
    law: &Arc<dyn MaterialLaw>,
    kinematics: Kinematics,
    data: &mut BehaviourDataView,
) -> Result<Status, HostError> {
    let (s0, s1) = (data.s0, data.s1);
    let states = law.state_layout().len();
    // A finite strain host also selects the stress measure and the tangent.
    let asked = match kinematics {
        Kinematics::Small => 1,
        Kinematics::Finite => 3,
    };
    // SAFETY: as the caller promises, here and below.
    let asked = unsafe { read::<3>("K", data.k, asked)? };
    let request = Request::new(asked[0])?;
    let [unit] = unsafe { read("material property StressUnit", s1.material_properties, 1)? };
    if !(unit.is_finite() && unit > 0.0) {
        return Err(HostError::call(format!(
            "StressUnit = {unit}: one MPa in the stress unit of the model is needed, a positive \
             number"
        )));
    }
    let names = law.external_variables();
    let external_old = unsafe { externals(names, s0.external_state_variables)? };
    let external_new = unsafe { externals(names, s1.external_state_variables)? };
    if s1.thermodynamic_forces.is_null() {
        return Err(HostError::call("no thermodynamic forces"));
    }
    if s1.internal_state_variables.is_null() && states > 0 {
        return Err(HostError::call("no internal state variables"));
    }

    States::with(law.as_ref(), |buffers| {
        buffers.load(unsafe {
            view(
                "internal state variables",
                s0.internal_state_variables,
                states,
            )?
        });
        let point = IntegrationPoint {
            law,
            gradient_old: s0.gradients,
            gradient_new: match request {
                Request::Prediction => s0.gradients,
                _ => s1.gradients,
            },
            dt: data.dt,
            external_old: &external_old[..names.len()],
            external_new: &external_new[..names.len()],
        };
        let outputs = match kinematics {
            Kinematics::Small => unsafe { point.small(buffers)? },
            Kinematics::Finite => unsafe { point.finite(buffers, asked[1], asked[2])? },
        };
        // Nothing below can fail.
        unsafe {
            if request != Request::Stress {
                for (i, value) in outputs.tangent[..outputs.tangent_count].iter().enumerate() {
                    *data.k.add(i) = unit * value;
                }
            }
            if request == Request::Prediction {
                return Ok(outputs.status);
            }
            for (i, value) in outputs.forces[..outputs.force_count].iter().enumerate() {
                *s1.thermodynamic_forces.add(i) = unit * value;
            }
            if states > 0 {
                let stored = slice::from_raw_parts_mut(s1.internal_state_variables, states);
                buffers.store(stored);
            }
            if !s1.stored_energy.is_null() {
                *s1.stored_energy = unit * outputs.stored_energy;
            }
            if !s1.dissipated_energy.is_null() && !s0.dissipated_energy.is_null() {
                *s1.dissipated_energy = *s0.dissipated_energy + unit * outputs.dissipation;
            }
        }
        Ok(outputs.status)
    })
}
