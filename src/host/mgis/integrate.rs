//! One call of a behaviour.

use super::MAX_EXTERNALS;
use super::describe::is_temperature;
use super::point::IntegrationPoint;
use super::view::{BehaviourDataView, MESSAGE};
use crate::host::error::guard;
use crate::host::external::check_given;
use crate::host::pointer::{check, leads, read, view};
use crate::host::report::report;
use crate::host::state::States;
use crate::host::{HostError, HostLaw, Outside};
use crate::law::MaterialLaw;
use crate::mandel::StressState;
use std::ffi::{CStr, c_int};
use std::slice;
use std::sync::Arc;

/// Where a failure happened: MGIS does not say more.
const PLACE: &str = "an integration point";
const FAILED: c_int = -1;
const RELIABLE: c_int = 1;

/// Kelvin's zero in degrees Celsius.
pub(in crate::host) const ZERO_CELSIUS: f64 = 273.15;

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
    if let Err(error) = check("the data of the behaviour", data) {
        report(PLACE, &error);
        return FAILED;
    }
    // SAFETY: as the caller promises; the host does not touch it during the call.
    let data = unsafe { &mut *data };
    let result = guard(|| {
        let law = law().map_err(HostError::call)?;
        let outside = law.outside();
        let law = law.in_stress_state(stress_state)?;
        // SAFETY: as the caller promises.
        unsafe { integrate(law, outside, kinematics, data) }
    });
    match result {
        Ok(()) => RELIABLE,
        Err(error) => {
            report(PLACE, &error);
            // SAFETY: as the caller promises.
            unsafe { answer(&error, data) };
            FAILED
        }
    }
}

/// Message and step factor of a failure.
///
/// # Safety
/// As [`call`].
unsafe fn answer(error: &HostError, data: &mut BehaviourDataView) {
    if leads(data.error_message) {
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
    if let (true, Some(cut)) = (leads(data.rdt), error.cut()) {
        // SAFETY: a number of the host, not null.
        unsafe { *data.rdt = cut };
    }
}

/// Where the temperature of a model is written.
const TEMPERATURE: &str = "in OpenGeoSys write <reference_temperature>, in kelvin";
/// The same of another variable.
const OTHER: &str =
    "OpenGeoSys has a temperature only, other hosts of MGIS set external state variables";

/// The external variables of a law at both ends. The host stores the temperature first, whether or not the law
/// knows it, then the others in the order of the law.
///
/// # Safety
/// The pointers lead nowhere or to the temperature and the others.
unsafe fn externals(
    law: &dyn MaterialLaw,
    pointers: [*const f64; 2],
) -> Result<[[f64; MAX_EXTERNALS]; 2], HostError> {
    let names = law.external_variables();
    let others = names.iter().filter(|name| !is_temperature(name)).count();
    let count = if names.is_empty() { 0 } else { 1 + others };
    let [old, new] = pointers;
    // SAFETY: as the caller promises.
    let stored = unsafe {
        [
            view("external state variables", old, count)?,
            view("external state variables", new, count)?,
        ]
    };
    let mut next = 1;
    let mut values = [[0.0; MAX_EXTERNALS]; 2];
    for (index, name) in names.iter().enumerate() {
        let (place, zero, how) = if is_temperature(name) {
            let celsius = name.eq_ignore_ascii_case("temperature_C");
            (0, if celsius { ZERO_CELSIUS } else { 0.0 }, TEMPERATURE)
        } else {
            next += 1;
            (next - 1, 0.0, OTHER)
        };
        let ends = stored.map(|stored| stored[place]);
        check_given(law, index, ends, how)?;
        for (values, end) in values.iter_mut().zip(ends) {
            values[index] = end - zero;
        }
    }
    Ok(values)
}

/// # Safety
/// As [`call`].
unsafe fn integrate(
    law: &Arc<dyn MaterialLaw>,
    outside: Outside,
    kinematics: Kinematics,
    data: &mut BehaviourDataView,
) -> Result<(), HostError> {
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
    let count = law.external_variables().len();
    let pointers = [s0.external_state_variables, s1.external_state_variables];
    let [external_old, external_new] = unsafe { externals(law.as_ref(), pointers)? };
    check("the thermodynamic forces", s1.thermodynamic_forces)?;
    if states > 0 {
        check("the internal state variables", s1.internal_state_variables)?;
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
            external_old: &external_old[..count],
            external_new: &external_new[..count],
        };
        let outputs = match kinematics {
            Kinematics::Small => unsafe { point.small(buffers)? },
            Kinematics::Finite => unsafe { point.finite(buffers, asked[1], asked[2])? },
        };
        let departure = outputs.departure.clone();
        outside.judge(outputs.status, || departure, PLACE)?;
        // Nothing below can fail.
        unsafe {
            if request != Request::Stress {
                for (i, value) in outputs.tangent[..outputs.tangent_count].iter().enumerate() {
                    *data.k.add(i) = unit * value;
                }
            }
            if request == Request::Prediction {
                return Ok(());
            }
            for (i, value) in outputs.forces[..outputs.force_count].iter().enumerate() {
                *s1.thermodynamic_forces.add(i) = unit * value;
            }
            if states > 0 {
                let stored = slice::from_raw_parts_mut(s1.internal_state_variables, states);
                buffers.store(stored);
            }
            if leads(s1.stored_energy) {
                *s1.stored_energy = unit * outputs.stored_energy;
            }
            if leads(s1.dissipated_energy) && leads(s0.dissipated_energy) {
                *s1.dissipated_energy = *s0.dissipated_energy + unit * outputs.dissipation;
            }
        }
        Ok(())
    })
}
