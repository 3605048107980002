//! The points of a mesh, as C passes them, and their update.

mod threads;

use crate::host::HostError;
use crate::law::{BatchInput, BatchOutput, Departure, Increment, MaterialLaw, Response, Status};
use std::cell::RefCell;
use std::slice;

/// The points of one update. Arrays are component-major: entry `[c * points + p]` belongs to component
/// c of point p, entry `[(i * components + j) * points + p]` to the tangent d stress_i / d strain_j.
/// Outputs must not overlap any other array.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Points {
    pub points: usize,
    /// Strain components, which must be those of the law, as the next two must.
    pub components: usize,
    /// Internal variables.
    pub states: usize,
    /// External variables.
    pub externals: usize,
    /// `[components][points]`
    pub strain_old: *const f64,
    /// `[components][points]`
    pub strain_new: *const f64,
    /// `[points]`, seconds
    pub dt: *const f64,
    /// `[externals][points]`, null where there are none
    pub external_old: *const f64,
    /// `[externals][points]`
    pub external_new: *const f64,
    /// `[states][points]`, null where there are none
    pub state_old: *const f64,
    /// `[states][points]`
    pub state_new: *mut f64,
    /// `[components][points]`, MPa
    pub stress: *mut f64,
    /// `[components][components][points]`, MPa
    pub tangent: *mut f64,
    /// `[points]`, MJ/m³, or null
    pub stored_energy: *mut f64,
    /// `[points]`, of this increment, MJ/m³, or null
    pub dissipation: *mut f64,
    /// `[points]`, 0 inside the trained range, 1 outside, or null
    pub status: *mut i32,
}

/// Points that a thread copies at once: their arrays stay in its cache.
const BLOCK: usize = 512;
const MAX_THREADS: usize = 256;

/// Access to an array.
#[derive(Clone, Copy, PartialEq)]
enum Access {
    Read,
    Written,
    /// Written unless it is null.
    Optional,
}

/// An array of the caller.
struct Array {
    name: &'static str,
    address: usize,
    bytes: usize,
    access: Access,
}

/// Arrays of one thread, which grow in its first call only.
#[derive(Default)]
struct Buffers {
    inputs: [Vec<f64>; 6],
    outputs: [Vec<f64>; 5],
    status: Vec<Status>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

fn status_code(status: Status) -> i32 {
    match status {
        Status::Inside => 0,
        Status::Outside => 1,
    }
}

/// # Safety
/// The pointer leads to so many entries that nobody writes, or there are none.
unsafe fn read<'a>(pointer: *const f64, count: usize) -> &'a [f64] {
    match count {
        0 => &[],
        // SAFETY: as the caller promises.
        _ => unsafe { slice::from_raw_parts(pointer, count) },
    }
}

/// # Safety
/// The pointer leads to so many entries that nobody else touches, or there are none.
unsafe fn write<'a>(pointer: *mut f64, count: usize) -> &'a mut [f64] {
    match count {
        0 => &mut [],
        // SAFETY: as the caller promises.
        _ => unsafe { slice::from_raw_parts_mut(pointer, count) },
    }
}

impl Points {
    /// Checks the call and advances the points.
    ///
    /// # Safety
    /// Each pointer is null or leads to as many entries as the sizes say, in memory that nobody else
    /// touches meanwhile.
    pub(super) unsafe fn update(
        &self,
        law: &dyn MaterialLaw,
        threads: usize,
    ) -> Result<(), HostError> {
        self.check(law)?;
        let threads = threads
            .clamp(1, MAX_THREADS)
            .min(self.points.div_ceil(BLOCK));
        // SAFETY: the pointers were checked.
        unsafe {
            match (self.points, threads) {
                (0, _) => Ok(()),
                (1, _) => self.advance_one(law),
                (_, 1) => self.advance_all(law),
                _ => self.advance_in_threads(law, threads),
            }
        }
    }

    /// In what a point is outside the range of the law.
    ///
    /// # Safety
    /// That of [`Points::update`].
    pub(super) unsafe fn departure(
        &self,
        law: &dyn MaterialLaw,
        point: usize,
    ) -> Result<Option<Departure>, HostError> {
        self.check(law)?;
        if point >= self.points {
            let message = format!("there is no point {point}, there are {}", self.points);
            return Err(HostError::call(message));
        }
        let of_point = |(_, pointer, rows): (_, *const f64, usize)| -> Vec<f64> {
            // SAFETY: the pointers were checked.
            (0..rows)
                .map(|row| unsafe { *pointer.add(row * self.points + point) })
                .collect()
        };
        let [strain_old, strain_new, dt, external_old, external_new, _] =
            self.inputs().map(of_point);
        Ok(law.departure(&Increment {
            strain_old: &strain_old,
            strain_new: &strain_new,
            dt: dt[0],
            external_old: &external_old,
            external_new: &external_new,
        }))
    }

    /// Inputs with their rows.
    fn inputs(&self) -> [(&'static str, *const f64, usize); 6] {
        let (n, z, m) = (self.components, self.states, self.externals);
        [
            ("strain_old", self.strain_old, n),
            ("strain_new", self.strain_new, n),
            ("dt", self.dt, 1),
            ("external_old", self.external_old, m),
            ("external_new", self.external_new, m),
            ("state_old", self.state_old, z),
        ]
    }

    /// Outputs with their rows; those of one row are optional.
    fn outputs(&self) -> [(&'static str, *mut f64, usize, Access); 5] {
        let (n, z) = (self.components, self.states);
        [
            ("state_new", self.state_new, z, Access::Written),
            ("stress", self.stress, n, Access::Written),
            ("tangent", self.tangent, n * n, Access::Written),
            ("stored_energy", self.stored_energy, 1, Access::Optional),
            ("dissipation", self.dissipation, 1, Access::Optional),
        ]
    }

    /// Sizes against the law; pointers against null, alignment and overlap.
    fn check(&self, law: &dyn MaterialLaw) -> Result<(), HostError> {
        for (name, found, expected) in [
            ("components", self.components, law.components()),
            ("states", self.states, law.state_layout().len()),
            ("externals", self.externals, law.external_variables().len()),
        ] {
            if found != expected {
                return Err(HostError::call(format!(
                    "{name} = {found}, `{}` has {expected}",
                    law.name()
                )));
            }
        }
        let array = |name, address: usize, rows: usize, entry: usize, access| {
            let bytes = rows.checked_mul(self.points);
            let bytes = bytes.and_then(|entries| entries.checked_mul(entry));
            let bytes = bytes.filter(|bytes| *bytes <= isize::MAX as usize);
            let Some(bytes) = bytes else {
                return Err(HostError::call("more points than memory can hold"));
            };
            if address == 0 && bytes > 0 && access != Access::Optional {
                return Err(HostError::call(format!("{name} is null")));
            }
            if bytes > 0 && !address.is_multiple_of(entry) {
                return Err(HostError::call(format!("{name} is not aligned")));
            }
            Ok(Array {
                name,
                address,
                bytes: if address == 0 { 0 } else { bytes },
                access,
            })
        };
        let [a, b, c, d, e, f] = self
            .inputs()
            .map(|(name, at, rows)| array(name, at as usize, rows, size_of::<f64>(), Access::Read));
        let [u, v, w, x, y] = self.outputs().map(|(name, at, rows, access)| {
            array(name, at as usize, rows, size_of::<f64>(), access)
        });
        let z = array(
            "status",
            self.status as usize,
            1,
            size_of::<i32>(),
            Access::Optional,
        );
        let arrays = [a?, b?, c?, d?, e?, f?, u?, v?, w?, x?, y?, z?];
        for (i, one) in arrays.iter().enumerate() {
            for other in &arrays[i + 1..] {
                let apart = one.address.saturating_add(one.bytes) <= other.address
                    || other.address.saturating_add(other.bytes) <= one.address
                    || one.bytes.min(other.bytes) == 0;
                if !apart && (one.access, other.access) != (Access::Read, Access::Read) {
                    return Err(HostError::call(format!(
                        "{} and {} overlap",
                        one.name, other.name
                    )));
                }
            }
        }
        Ok(())
    }

    /// # Safety
    /// [`Points::check`] has passed, and the caller keeps the promise of [`Points::update`].
    unsafe fn advance_one(&self, law: &dyn MaterialLaw) -> Result<(), HostError> {
        let n = self.components;
        let mut response = Response::default();
        // SAFETY: as the caller promises.
        unsafe {
            let [
                strain_old,
                strain_new,
                dt,
                external_old,
                external_new,
                state,
            ] = self.inputs().map(|(_, pointer, rows)| read(pointer, rows));
            let increment = Increment {
                strain_old,
                strain_new,
                dt: dt[0],
                external_old,
                external_new,
            };
            let state_new = write(self.state_new, self.states);
            law.update(&increment, state, state_new, &mut response)?;
            for i in 0..n {
                *self.stress.add(i) = response.stress[i];
                for j in 0..n {
                    *self.tangent.add(i * n + j) = response.tangent[(i, j)];
                }
            }
            if !self.stored_energy.is_null() {
                *self.stored_energy = response.stored_energy;
            }
            if !self.dissipation.is_null() {
                *self.dissipation = response.dissipation;
            }
            if !self.status.is_null() {
                *self.status = status_code(response.status);
            }
        }
        Ok(())
    }

    /// All points at once, without a copy.
    ///
    /// # Safety
    /// As [`Points::advance_one`].
    unsafe fn advance_all(&self, law: &dyn MaterialLaw) -> Result<(), HostError> {
        let p = self.points;
        let mut buffers = BUFFERS.with(RefCell::take);
        buffers.status.clear();
        buffers.status.resize(p, Status::Inside);
        // SAFETY: as the caller promises.
        let input = unsafe {
            batch_input(
                p,
                self.inputs()
                    .map(|(_, pointer, rows)| read(pointer, rows * p)),
            )
        };
        let mut spare = buffers.outputs.iter_mut();
        let outputs = self.outputs().map(|(_, pointer, rows, _)| {
            let spare = spare.next();
            match (pointer.is_null(), spare) {
                (true, Some(spare)) => {
                    spare.clear();
                    spare.resize(rows * p, 0.0);
                    spare.as_mut_slice()
                }
                // SAFETY: as the caller promises.
                _ => unsafe { write(pointer, rows * p) },
            }
        });
        let result = law.update_batch(&input, &mut batch_output(outputs, &mut buffers.status));
        if result.is_ok() && !self.status.is_null() {
            for (i, status) in buffers.status.iter().enumerate() {
                // SAFETY: as the caller promises.
                unsafe { *self.status.add(i) = status_code(*status) };
            }
        }
        BUFFERS.with(|cell| cell.replace(buffers));
        Ok(result?)
    }
}

fn batch_input(points: usize, inputs: [&[f64]; 6]) -> BatchInput<'_> {
    let [
        strain_old,
        strain_new,
        dt,
        external_old,
        external_new,
        state,
    ] = inputs;
    BatchInput {
        points,
        strain_old,
        strain_new,
        dt,
        external_old,
        external_new,
        state,
    }
}

fn batch_output<'a>(outputs: [&'a mut [f64]; 5], status: &'a mut [Status]) -> BatchOutput<'a> {
    let [state, stress, tangent, stored_energy, dissipation] = outputs;
    BatchOutput {
        state,
        stress,
        tangent,
        stored_energy,
        dissipation,
        status,
    }
}
