//! The data symbols that MGIS reads when it loads a behaviour.

use super::{MAX_EXTERNALS, MAX_STATES};
use crate::error::{Error, Result};
use crate::host::HostLaw;
use crate::host::error::warn;
use crate::mandel::StressState;
use std::ffi::{CString, c_char};
use std::sync::atomic::{AtomicPtr, AtomicU16, Ordering};

/// The data symbols of a behaviour that depend on its law. They are exported: their types are C's.
pub struct DataSymbols {
    /// 1 where there is a behaviour; MGIS does not load it where this is 0.
    pub interface: &'static AtomicU16,
    pub states: &'static AtomicU16,
    pub state_names: &'static [AtomicPtr<c_char>; MAX_STATES],
    pub externals: &'static AtomicU16,
    pub external_names: &'static [AtomicPtr<c_char>; MAX_EXTERNALS],
}

impl DataSymbols {
    /// The symbols of a behaviour in this library. Where a host loads several copies of it into one
    /// space of names, the plain names lead to those of the first.
    #[cfg(unix)]
    pub fn of(behaviour: &str) -> Option<Self> {
        let name = crate::host::adjacent::loaded_as()?;
        // SAFETY: the name under which the loader knows this library; it is loaded, and stays so as
        // long as the handle, which is never closed.
        let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
        if library.is_null() {
            return None;
        }
        let find = |symbol: &str| {
            let symbol = CString::new(format!("{behaviour}{symbol}")).ok()?;
            // SAFETY: a loaded library and a name.
            let found = unsafe { libc::dlsym(library, symbol.as_ptr()) };
            (!found.is_null()).then_some(found)
        };
        // SAFETY: the statics of `mgis_behaviour!`, of these types.
        unsafe {
            Some(Self {
                interface: &*find("_mfront_mkt")?.cast(),
                states: &*find("_nInternalStateVariables")?.cast(),
                state_names: &*find("_InternalStateVariables")?.cast(),
                externals: &*find("_nExternalStateVariables")?.cast(),
                external_names: &*find("_ExternalStateVariables")?.cast(),
            })
        }
    }

    #[cfg(not(unix))]
    pub fn of(_: &str) -> Option<Self> {
        None
    }
}

/// Fills the symbols from the law; runs while the library is being loaded. Without a law the
/// behaviour declares no interface, and the host says that it cannot load it.
pub fn describe(
    law: impl FnOnce() -> Result<&'static HostLaw, &'static str>,
    symbols: &DataSymbols,
) {
    // A panic while the host loads its libraries would end it; why a law does not load is said where
    // it is loaded.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let Ok(law) = law() else { return };
        match fill(law, symbols) {
            Ok(()) => symbols.interface.store(1, Ordering::Release),
            Err(error) => warn(error),
        }
    }));
}

fn fill(law: &HostLaw, symbols: &DataSymbols) -> Result<()> {
    let law = law.in_stress_state(StressState::Solid);
    let law = law.map_err(|e| Error::invalid(e.to_string()))?;
    let states = law.state_layout().labels();
    let states = states.iter().map(|label| state_name(label));
    list(states, symbols.states, symbols.state_names)?;
    // MGIS itself puts the temperature before the listed ones.
    let externals = law.external_variables().iter().cloned();
    let (temperatures, externals): (Vec<_>, Vec<_>) =
        externals.partition(|name| is_temperature(name));
    if temperatures.len() > 1 {
        return Err(Error::invalid("two external variables are the temperature"));
    }
    list(
        externals.into_iter(),
        symbols.externals,
        symbols.external_names,
    )
}

fn list(
    names: impl Iterator<Item = String>,
    count: &AtomicU16,
    pointers: &[AtomicPtr<c_char>],
) -> Result<()> {
    let names: Vec<String> = names.collect();
    let number = u16::try_from(names.len())
        .ok()
        .filter(|_| names.len() <= pointers.len());
    let Some(number) = number else {
        return Err(Error::invalid("more variables than MGIS can be told of"));
    };
    for (pointer, name) in pointers.iter().zip(names) {
        let name = CString::new(name).map_err(|e| Error::invalid(e.to_string()))?;
        // Never freed: the host holds the pointer as long as the library.
        pointer.store(name.into_raw(), Ordering::Relaxed);
    }
    count.store(number, Ordering::Release);
    Ok(())
}

/// A label of the state under the glossary's name, or as an identifier.
pub(in crate::host) fn state_name(label: &str) -> String {
    match label {
        "accumulated_plastic_strain" => "EquivalentPlasticStrain".into(),
        label => label.replace('[', "_").replace(']', ""),
    }
}

/// Whether an external variable is the one that MGIS calls `Temperature`.
pub(in crate::host) fn is_temperature(name: &str) -> bool {
    let names = ["temperature", "temperature_K", "temperature_C"];
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Exports an MGIS behaviour: `mgis_behaviour!("Name", Small, law)` or `Finite`, where `law` gives a
/// `Result<&'static HostLaw, &'static str>`.
#[macro_export]
macro_rules! mgis_behaviour {
    ($name:literal, $kinematics:ident, $law:expr) => {
        const _: () = {
            use std::ffi::c_char;
            use std::sync::atomic::{AtomicPtr, AtomicU16};
            use $crate::host::mgis::{self, BehaviourDataView, Kinematics};
            use $crate::mandel::StressState;

            const KINEMATICS: Kinematics = Kinematics::$kinematics;

            /// Texts of C, which any thread may read.
            #[repr(transparent)]
            struct Texts<const N: usize>([*const c_char; N]);
            // SAFETY: they point to literals.
            unsafe impl<const N: usize> Sync for Texts<N> {}

            macro_rules! datum {
                ($symbol:literal, $kind:ty, $value:expr) => {
                    const _: () = {
                        #[unsafe(export_name = concat!($name, $symbol))]
                        static DATUM: $kind = $value;
                    };
                };
            }
            datum!("_api_version", u16, 1);
            datum!("_src", Texts<1>, Texts([c"hysteron".as_ptr()]));
            datum!(
                "_mfront_ept",
                Texts<1>,
                Texts([concat!($name, "\0").as_ptr().cast()])
            );
            datum!("_BehaviourType", u16, KINEMATICS.behaviour_type());
            datum!("_BehaviourKinematic", u16, KINEMATICS.kinematic());
            datum!("_TemperatureRemovedFromExternalStateVariables", u16, 1);
            // The law may well be anisotropic, but its axes are those of the host.
            datum!("_SymmetryType", u16, 0);
            datum!("_ElasticSymmetryType", u16, 0);
            datum!("_requiresStiffnessTensor", u16, 0);
            datum!("_requiresThermalExpansionCoefficientTensor", u16, 0);
            datum!("_ComputesInternalEnergy", u16, 1);
            datum!("_ComputesDissipatedEnergy", u16, 1);
            datum!("_nGradients", u16, 1);
            datum!(
                "_Gradients",
                Texts<1>,
                Texts([KINEMATICS.gradient().as_ptr()])
            );
            datum!("_GradientsTypes", [i32; 1], [KINEMATICS.gradient_type()]);
            datum!("_nThermodynamicForces", u16, 1);
            datum!(
                "_ThermodynamicForces",
                Texts<1>,
                Texts([c"Stress".as_ptr()])
            );
            datum!("_ThermodynamicForcesTypes", [i32; 1], [1]);
            datum!("_nTangentOperatorBlocks", u16, 2);
            datum!(
                "_TangentOperatorBlocks",
                Texts<2>,
                Texts([c"Stress".as_ptr(), KINEMATICS.gradient().as_ptr()])
            );
            datum!("_nMaterialProperties", u16, 1);
            datum!(
                "_MaterialProperties",
                Texts<1>,
                Texts([c"StressUnit".as_ptr()])
            );
            datum!(
                "_InternalStateVariablesTypes",
                [i32; mgis::MAX_STATES],
                [0; mgis::MAX_STATES]
            );
            datum!(
                "_ExternalStateVariablesTypes",
                [i32; mgis::MAX_EXTERNALS],
                [0; mgis::MAX_EXTERNALS]
            );
            datum!("_nParameters", u16, 0);
            datum!("_ParametersTypes", [i32; 1], [0]);
            datum!("_nInitializeFunctions", u16, 0);
            datum!("_nPostProcessings", u16, 0);

            // These are filled from the law.
            datum!("_mfront_mkt", AtomicU16, AtomicU16::new(0));
            datum!("_nInternalStateVariables", AtomicU16, AtomicU16::new(0));
            datum!(
                "_InternalStateVariables",
                [AtomicPtr<c_char>; mgis::MAX_STATES],
                [const { AtomicPtr::new(std::ptr::null_mut()) }; mgis::MAX_STATES]
            );
            datum!("_nExternalStateVariables", AtomicU16, AtomicU16::new(0));
            datum!(
                "_ExternalStateVariables",
                [AtomicPtr<c_char>; mgis::MAX_EXTERNALS],
                [const { AtomicPtr::new(std::ptr::null_mut()) }; mgis::MAX_EXTERNALS]
            );

            extern "C" fn loaded() {
                if let Some(symbols) = mgis::DataSymbols::of($name) {
                    mgis::describe(|| $law, &symbols);
                }
            }
            // SAFETY: a list of functions that the loader runs, this one after the relocations.
            #[used]
            #[cfg_attr(
                target_vendor = "apple",
                unsafe(link_section = "__DATA,__mod_init_func")
            )]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
            static LOADED: extern "C" fn() = loaded;

            macro_rules! hypothesis {
                ($hypothesis:literal, $state:ident) => {
                    const _: () = {
                        #[unsafe(export_name = concat!($name, $hypothesis))]
                        unsafe extern "C" fn integrate(
                            data: *mut BehaviourDataView,
                        ) -> std::ffi::c_int {
                            // SAFETY: the host passes what MGIS documents.
                            unsafe { mgis::call(|| $law, KINEMATICS, StressState::$state, data) }
                        }
                    };
                };
            }
            hypothesis!("_Tridimensional", Solid);
            hypothesis!("_PlaneStrain", Axisymmetric);
            hypothesis!("_Axisymmetrical", Axisymmetric);
        };
    };
}
