//! The C functions: loading, sizes, updates of one and many points, and what must not happen.

use crate::common::{Random, learned_laws};
use crate::laws::steel;
use hysteron::host::HostLaw;
use hysteron::host::capi::*;
use hysteron::law::{Increment, MaterialLaw, Response};
use hysteron::model::LearnedLaw;
use std::ffi::{CStr, CString, c_char};
use std::path::PathBuf;
use std::ptr::{null, null_mut};
use std::sync::Arc;

const CARD: &str = r#"
name = "steel"
[reference]
law = "j2"
young_MPa = 200e3
poisson = 0.3
yield_MPa = 300.0
voce = [{ q_MPa = 80.0, rate = 12.0 }]
linear_hardening_MPa = 500.0
backstress = [{ c_MPa = 30e3, gamma = 150.0 }]
"#;

fn text(pointer: *const c_char) -> String {
    assert!(!pointer.is_null());
    // SAFETY: a text of the library.
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().into()
}

/// A handle that is freed with the test.
struct Handle(*mut Law);
// SAFETY: what the header promises of a law.
unsafe impl Sync for Handle {}

impl Handle {
    fn bytes(bytes: &[u8], components: usize) -> Self {
        // SAFETY: so many bytes.
        Self(unsafe { hysteron_load_bytes(bytes.as_ptr(), bytes.len(), components) })
    }

    fn card(components: usize) -> Self {
        let handle = Self::bytes(CARD.as_bytes(), components);
        assert!(!handle.0.is_null(), "{}", text(hysteron_last_error()));
        handle
    }

    fn sizes(&self) -> [usize; 3] {
        // SAFETY: a law, here and below.
        unsafe {
            [
                hysteron_components(self.0),
                hysteron_states(self.0),
                hysteron_externals(self.0),
            ]
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { hysteron_free(self.0) };
    }
}

/// Arrays of many points.
#[derive(Clone, Debug, PartialEq)]
struct Arrays {
    points: usize,
    sizes: [usize; 3],
    strain: [Vec<f64>; 2],
    dt: Vec<f64>,
    external: [Vec<f64>; 2],
    state: [Vec<f64>; 2],
    stress: Vec<f64>,
    tangent: Vec<f64>,
    energy: Vec<f64>,
    dissipation: Vec<f64>,
    status: Vec<i32>,
}

impl Arrays {
    fn new(law: &Handle, points: usize, seed: u64, size: f64) -> Self {
        let sizes @ [n, z, m] = law.sizes();
        let mut random = Random::new(seed);
        let mut virgin = vec![0.0; z];
        // SAFETY: room for the state.
        assert_eq!(
            unsafe { hysteron_initial_state(law.0, virgin.as_mut_ptr(), z) },
            OK
        );
        let state: Vec<f64> = virgin.iter().flat_map(|v| vec![*v; points]).collect();
        Self {
            points,
            sizes,
            strain: [
                random.vector(n * points, size),
                random.vector(n * points, size),
            ],
            dt: vec![1.0; points],
            external: [
                random.vector(m * points, 1.0),
                random.vector(m * points, 1.0),
            ],
            state: [state, vec![f64::NAN; z * points]],
            stress: vec![f64::NAN; n * points],
            tangent: vec![f64::NAN; n * n * points],
            energy: vec![f64::NAN; points],
            dissipation: vec![f64::NAN; points],
            status: vec![-7; points],
        }
    }

    fn points(&mut self) -> Points {
        Points {
            points: self.points,
            components: self.sizes[0],
            states: self.sizes[1],
            externals: self.sizes[2],
            strain_old: self.strain[0].as_ptr(),
            strain_new: self.strain[1].as_ptr(),
            dt: self.dt.as_ptr(),
            external_old: self.external[0].as_ptr(),
            external_new: self.external[1].as_ptr(),
            state_old: self.state[0].as_ptr(),
            state_new: self.state[1].as_mut_ptr(),
            stress: self.stress.as_mut_ptr(),
            tangent: self.tangent.as_mut_ptr(),
            stored_energy: self.energy.as_mut_ptr(),
            dissipation: self.dissipation.as_mut_ptr(),
            status: self.status.as_mut_ptr(),
        }
    }

    fn update(&mut self, law: &Handle, threads: usize) -> i32 {
        // SAFETY: arrays of these sizes.
        unsafe { hysteron_update(law.0, &self.points(), threads) }
    }

    /// One point as arrays of its own.
    fn point(&self, p: usize) -> Self {
        let pick = |all: &Vec<f64>| all.iter().skip(p).step_by(self.points).copied().collect();
        let both = |all: &[Vec<f64>; 2]| [pick(&all[0]), pick(&all[1])];
        Self {
            points: 1,
            sizes: self.sizes,
            strain: both(&self.strain),
            dt: pick(&self.dt),
            external: both(&self.external),
            state: both(&self.state),
            stress: pick(&self.stress),
            tangent: pick(&self.tangent),
            energy: pick(&self.energy),
            dissipation: pick(&self.dissipation),
            status: vec![self.status[p]],
        }
    }
}

#[test]
fn the_version_is_that_of_the_crate() {
    assert_eq!(text(hysteron_version()), env!("CARGO_PKG_VERSION"));
}

#[test]
fn one_point_answers_as_the_law() {
    for n in [6, 4, 3, 1] {
        let law = HostLaw::new(Arc::from(steel().build(6).unwrap())).unwrap();
        let reduced = law.with_components(n).unwrap();
        let handle = Handle::card(n);
        let mut arrays = Arrays::new(&handle, 1, 4, 4e-3);
        assert_eq!(arrays.update(&handle, 1), OK);
        let state = reduced.new_state();
        let mut next = state.clone();
        let mut response = Response::default();
        let increment = Increment {
            strain_old: &arrays.strain[0],
            strain_new: &arrays.strain[1],
            dt: 1.0,
            external_old: &[],
            external_new: &[],
        };
        reduced
            .update(&increment, &state, &mut next, &mut response)
            .unwrap();
        assert_eq!(arrays.state[1], next);
        assert_eq!(arrays.stress, response.stress.as_slice()[..n]);
        for i in 0..n {
            for j in 0..n {
                assert_eq!(arrays.tangent[i * n + j], response.tangent[(i, j)]);
            }
        }
        assert_eq!(arrays.energy, [response.stored_energy]);
        assert_eq!(arrays.dissipation, [response.dissipation]);
        assert_eq!(arrays.status, [0]);
    }
}

#[test]
fn many_points_answer_as_each_of_them_on_any_number_of_threads() {
    let handle = Handle::card(6);
    for points in [2, 7, 511, 513, 2600] {
        let mut one = Arrays::new(&handle, points, 9, 4e-3);
        let mut many = one.clone();
        assert_eq!(one.update(&handle, 1), OK);
        for threads in [2, 3, 1000] {
            assert_eq!(many.update(&handle, threads), OK);
            assert!(one == many, "{points} points, {threads} threads");
        }
        for p in [0, points / 2, points - 1] {
            let mut single = one.point(p);
            assert_eq!(single.update(&handle, 1), OK);
            assert_eq!(single, one.point(p));
        }
    }
    let mut none = Arrays::new(&handle, 0, 9, 4e-3);
    assert_eq!(none.update(&handle, 4), OK);
}

#[test]
fn a_learned_law_loads_from_bytes_and_a_file() {
    let path = PathBuf::from("materials/steel_s355_voce_chaboche/law.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let name = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: a text.
    let from_file = Handle(unsafe { hysteron_load(name.as_ptr(), 0) });
    let from_bytes = Handle::bytes(&bytes, 1);
    for handle in [&from_file, &from_bytes] {
        assert!(!handle.0.is_null());
        assert_eq!(handle.sizes(), [1, 8, 0]);
        // SAFETY: a law.
        let state = |i| unsafe { hysteron_state_name(handle.0, i) };
        assert_eq!(text(state(7)), "hidden_state[7]");
        assert!(state(8).is_null());
        // SAFETY: a law.
        assert!(unsafe { hysteron_external_name(handle.0, 0) }.is_null());
    }
    let mut a = Arrays::new(&from_file, 9, 1, 0.01);
    let mut b = a.clone();
    assert_eq!(a.update(&from_file, 1), OK);
    assert_eq!(b.update(&from_bytes, 1), OK);
    assert_eq!(a, b);
    // Beyond its range it says so.
    let mut far = Arrays::new(&from_file, 1, 1, 0.01);
    far.strain[1][0] = 0.5;
    assert_eq!(far.update(&from_file, 1), OK);
    assert_eq!(far.status, [1]);
    let points = far.points();
    // SAFETY: a law and its points.
    let outside = |point| unsafe { hysteron_outside(from_file.0, &points, point) };
    let words = text(outside(0));
    assert!(words.starts_with("strain 11 = 0.5"), "{words}");
    assert!(outside(1).is_null());
    assert!(text(hysteron_last_error()).contains("no point 1"));
    let points = a.points();
    // SAFETY: a law and its points.
    let outside = unsafe { hysteron_outside(from_file.0, &points, 8) };
    assert_eq!(text(outside), "");
    // SAFETY: null is refused.
    assert!(unsafe { hysteron_outside(null(), &points, 0) }.is_null());
}

#[test]
fn laws_with_external_variables_take_them() {
    let (name, law) = learned_laws(2).swap_remove(2);
    let law: LearnedLaw = law;
    assert_eq!(law.components(), 6, "{name}");
    let host = HostLaw::new(Arc::new(law)).unwrap();
    let reduced = host.with_components(6).unwrap();
    assert_eq!(reduced.external_variables(), ["theta0", "theta1"]);
}

#[test]
fn what_cannot_be_loaded_is_null_with_a_reason() {
    let refused = |bytes: &[u8], components: usize, reason: &str| {
        let handle = Handle::bytes(bytes, components);
        assert!(handle.0.is_null());
        let error = text(hysteron_last_error());
        assert!(error.contains(reason), "{error}");
    };
    refused(CARD.as_bytes(), 2, "cannot be used with 2 components");
    refused(
        b"name = \"x\"\nrecords = [\"a.csv\"]",
        6,
        "no [reference] law",
    );
    refused(b"", 6, "name");
    refused(&[0; 64], 6, "bytes of the caller");
    refused(
        CARD.replace("200e3", "-1").as_bytes(),
        6,
        "young_MPa must be positive",
    );
    let saved = std::fs::read("materials/steel_s355_voce_chaboche/law.safetensors").unwrap();
    refused(&saved, 6, "a law of 1 components, cannot be used with 6");
    let mut spoiled = saved.clone();
    let last = spoiled.len() - 1;
    spoiled[last] ^= 1;
    refused(&spoiled, 0, "sha256");
    for end in [1, 8, 100, last] {
        refused(&saved[..end], 0, "");
    }
    for path in [
        "not/there.safetensors",
        "not/there.toml",
        "",
        "src",
        "Cargo.toml",
    ] {
        let path = CString::new(path).unwrap();
        // SAFETY: a text.
        assert!(unsafe { hysteron_load(path.as_ptr(), 0) }.is_null());
        assert!(!text(hysteron_last_error()).is_empty());
    }
    // SAFETY: null is allowed everywhere.
    unsafe {
        assert!(hysteron_load(null(), 0).is_null());
        assert!(hysteron_load_bytes(null(), 8, 0).is_null());
        assert!(hysteron_load_bytes(CARD.as_ptr(), usize::MAX, 0).is_null());
        hysteron_free(null_mut());
        assert!(hysteron_name(null()).is_null());
        assert!(hysteron_state_name(null(), 0).is_null());
        assert_eq!(hysteron_states(null()), 0);
        assert_eq!(hysteron_initial_state(null(), null_mut(), 0), REFUSED);
    }
    // A program is no library with a law beside it.
    assert!(hysteron_load_own(6).is_null());
    assert!(text(hysteron_last_error()).contains("is there"));
}

#[test]
fn wrong_arguments_of_an_update_are_refused() {
    let law = Handle::card(6);
    let refused = |change: &dyn Fn(&mut Points), reason: &str| {
        let mut arrays = Arrays::new(&law, 5, 3, 1e-3);
        let before = format!("{arrays:?}");
        let mut points = arrays.points();
        change(&mut points);
        // SAFETY: what is not null is as long as the true sizes say, or is refused before it is read.
        assert_eq!(
            unsafe { hysteron_update(law.0, &points, 1) },
            REFUSED,
            "{reason}"
        );
        let error = text(hysteron_last_error());
        assert!(error.contains(reason), "{error}");
        assert_eq!(before, format!("{arrays:?}"));
    };
    refused(&|p| p.components = 3, "components = 3");
    refused(&|p| p.states += 1, "states = 14");
    refused(&|p| p.externals = 1, "externals = 1");
    refused(&|p| p.points = usize::MAX / 2, "more points than memory");
    refused(&|p| p.points = usize::MAX / 300, "more points than memory");
    refused(&|p| p.strain_old = null(), "strain_old is null");
    refused(&|p| p.strain_new = null(), "strain_new is null");
    refused(&|p| p.dt = null(), "dt is null");
    refused(&|p| p.state_old = null(), "state_old is null");
    refused(&|p| p.state_new = null_mut(), "state_new is null");
    refused(&|p| p.stress = null_mut(), "stress is null");
    refused(&|p| p.tangent = null_mut(), "tangent is null");
    refused(
        &|p| p.stress = p.stress.wrapping_byte_add(1),
        "stress is not aligned",
    );
    refused(&|p| p.state_new = p.state_old.cast_mut(), "overlap");
    refused(&|p| p.stress = p.tangent.wrapping_add(20), "overlap");
    refused(&|p| p.status = p.dissipation.cast(), "overlap");
    let mut arrays = Arrays::new(&law, 2, 3, 1e-3);
    // SAFETY: null is allowed.
    unsafe {
        assert_eq!(hysteron_update(null(), &arrays.points(), 1), REFUSED);
        assert_eq!(hysteron_update(law.0, null(), 1), REFUSED);
        let mut state = [0.0; 12];
        assert_eq!(
            hysteron_initial_state(law.0, state.as_mut_ptr(), 12),
            REFUSED
        );
        assert_eq!(hysteron_initial_state(law.0, null_mut(), 13), REFUSED);
    }
}

#[test]
fn what_nobody_wants_may_be_null() {
    let law = Handle::card(6);
    for (points, threads) in [(1, 1), (3, 1), (1500, 2)] {
        let mut all = Arrays::new(&law, points, 6, 4e-3);
        let mut few = all.clone();
        assert_eq!(all.update(&law, threads), OK);
        let mut wanted = few.points();
        wanted.stored_energy = null_mut();
        wanted.dissipation = null_mut();
        wanted.status = null_mut();
        // SAFETY: arrays of these sizes.
        assert_eq!(unsafe { hysteron_update(law.0, &wanted, threads) }, OK);
        assert_eq!(few.stress, all.stress);
        assert_eq!(few.tangent, all.tangent);
        assert!(few.energy.iter().all(|e| e.is_nan()));
    }
}

#[test]
fn a_failed_point_is_named_and_the_old_state_stays() {
    let law = Handle::card(6);
    for (points, threads, bad) in [(1, 1, 0), (40, 1, 17), (3000, 3, 2100)] {
        let mut arrays = Arrays::new(&law, points, 3, 1e-3);
        arrays.strain[1][2 * points + bad] = f64::NAN;
        let inputs = format!("{:?}{:?}{:?}", arrays.strain, arrays.state[0], arrays.dt);
        assert_eq!(arrays.update(&law, threads), CUT);
        let error = text(hysteron_last_error());
        assert!(error.contains("new strain is not finite"), "{error}");
        assert!(
            points == 1 || error.contains(&format!("point {bad}")),
            "{error}"
        );
        assert_eq!(
            inputs,
            format!("{:?}{:?}{:?}", arrays.strain, arrays.state[0], arrays.dt)
        );
        if points == 1 {
            assert!(
                arrays
                    .stress
                    .iter()
                    .chain(&arrays.state[1])
                    .all(|x| x.is_nan())
            );
        }
    }
}

#[test]
fn the_last_error_is_that_of_the_thread() {
    let law = Handle::card(6);
    std::thread::scope(|scope| {
        for i in 0..4 {
            let law = &law;
            scope.spawn(move || {
                let mut arrays = Arrays::new(law, 1, 3, 1e-3);
                let mut points = arrays.points();
                points.components = 100 + i;
                for _ in 0..200 {
                    // SAFETY: refused before anything is read.
                    assert_eq!(unsafe { hysteron_update(law.0, &points, 1) }, REFUSED);
                    assert!(
                        text(hysteron_last_error()).contains(&format!("components = {}", 100 + i))
                    );
                }
            });
        }
    });
}

#[test]
fn ten_thousand_random_calls_from_many_threads_return_a_code() {
    let law = Handle::card(6);
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let law = &law;
                scope.spawn(move || {
                    let mut random = Random::new(1000 + thread);
                    let mut codes = Vec::new();
                    for call in 0..1250 {
                        let points = (random.between(0.0, 12.0)) as usize;
                        let size = random.decades(-12.0, 160.0);
                        let mut arrays = Arrays::new(law, points, thread * 5000 + call, size);
                        for value in arrays.dt.iter_mut().chain(&mut arrays.strain[0]) {
                            if random.chance(0.005) {
                                *value = [f64::NAN, f64::INFINITY, -1.0, 0.0, f64::MAX]
                                    [random.between(0.0, 5.0) as usize];
                            }
                        }
                        let mut wrong = arrays.points();
                        if random.chance(0.05) {
                            wrong.components = random.between(0.0, 9.0) as usize;
                        }
                        if random.chance(0.05) {
                            wrong.tangent = null_mut();
                        }
                        // SAFETY: null, or arrays of the true sizes; other sizes are refused.
                        codes.push(unsafe { hysteron_update(law.0, &wrong, 1) });
                    }
                    codes
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect()
    });
    assert_eq!(codes.len(), 10_000);
    for code in [OK, CUT, REFUSED] {
        assert!(codes.iter().filter(|c| **c == code).count() > 100, "{code}");
    }
    assert!(codes.iter().all(|code| [OK, CUT, REFUSED].contains(code)));
}
