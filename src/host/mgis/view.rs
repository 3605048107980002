//! The structures that MGIS passes, field by field.

use std::ffi::c_char;

/// State at the beginning of the step; never written.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct InitialStateView {
    pub gradients: *const f64,
    pub thermodynamic_forces: *const f64,
    pub mass_density: *const f64,
    pub material_properties: *const f64,
    pub internal_state_variables: *const f64,
    pub stored_energy: *const f64,
    pub dissipated_energy: *const f64,
    pub external_state_variables: *const f64,
}

/// State at the end of the step.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StateView {
    pub gradients: *const f64,
    pub thermodynamic_forces: *mut f64,
    pub mass_density: *const f64,
    pub material_properties: *const f64,
    pub internal_state_variables: *mut f64,
    pub stored_energy: *mut f64,
    pub dissipated_energy: *mut f64,
    pub external_state_variables: *const f64,
}

/// One call of a behaviour.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BehaviourDataView {
    /// Room for 512 bytes.
    pub error_message: *mut c_char,
    pub dt: f64,
    /// In: the requested outputs. Out: the tangent, row by row.
    pub k: *mut f64,
    /// Out: factor for the next time step.
    pub rdt: *mut f64,
    pub speed_of_sound: *mut f64,
    pub s0: InitialStateView,
    pub s1: StateView,
}

/// Bytes of the error message, its end included.
pub(super) const MESSAGE: usize = 512;
