//! The symbol of a UMAT.

/// Exports a UMAT under a symbol: `umat!("umat_", law)`, where `law` gives a
/// `Result<&HostLaw, &str>`.
#[macro_export]
macro_rules! umat {
    ($symbol:literal, $law:expr) => {
        const _: () = {
            // The argument list is Abaqus's.
            #[allow(clippy::too_many_arguments)]
            #[unsafe(export_name = $symbol)]
            unsafe extern "C" fn umat(
                stress: *mut f64,
                statev: *mut f64,
                ddsdde: *mut f64,
                sse: *mut f64,
                spd: *mut f64,
                _scd: *mut f64,
                _rpl: *mut f64,
                _ddsddt: *mut f64,
                _drplde: *mut f64,
                _drpldt: *mut f64,
                stran: *const f64,
                dstran: *const f64,
                _time: *const f64,
                dtime: *const f64,
                temp: *const f64,
                dtemp: *const f64,
                _predef: *const f64,
                _dpred: *const f64,
                cmname: *const u8,
                ndi: *const i32,
                nshr: *const i32,
                ntens: *const i32,
                nstatv: *const i32,
                props: *const f64,
                nprops: *const i32,
                _coords: *const f64,
                drot: *const f64,
                pnewdt: *mut f64,
                celent: *mut f64,
                _dfgrd0: *const f64,
                dfgrd1: *const f64,
                noel: *const i32,
                npt: *const i32,
                _layer: *const i32,
                _kspt: *const i32,
                kstep: *const i32,
                _kinc: *const i32,
            ) {
                let arguments = $crate::host::umat::UmatArguments {
                    stress,
                    statev,
                    ddsdde,
                    sse,
                    spd,
                    stran,
                    dstran,
                    dtime,
                    temp,
                    dtemp,
                    cmname,
                    ndi,
                    nshr,
                    ntens,
                    nstatv,
                    props,
                    nprops,
                    drot,
                    pnewdt,
                    celent,
                    dfgrd1,
                    noel,
                    npt,
                    kstep,
                };
                // SAFETY: the host calls with the arguments that Abaqus documents.
                unsafe { $crate::host::umat::call(|| $law, &arguments) }
            }
        };
    };
}
