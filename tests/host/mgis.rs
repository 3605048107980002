//! MGIS: the generic behaviour against the law itself, its data symbols, and what must not happen.

use crate::common::Random;
use crate::laws::{Fault, Strange, host, ply, steel};
use approx::assert_relative_eq;
use hysteron::finite_strain::{FiniteIncrement, FiniteStrain, TENSOR_PLACES};
use hysteron::host::mgis::{
    self, BehaviourDataView, DataSymbols, InitialStateView, Kinematics, MAX_EXTERNALS, MAX_STATES,
    StateView,
};
use hysteron::host::{HostLaw, Outside};
use hysteron::law::{Increment, MaterialLaw, Response};
use hysteron::mandel::{self, StressState};
use nalgebra::Matrix3;
use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicU16, Ordering};

/// One integration point of a host.
#[derive(Clone)]
struct Point {
    kinematics: Kinematics,
    components: usize,
    gradients: [Vec<f64>; 2],
    forces: [Vec<f64>; 2],
    states: [Vec<f64>; 2],
    stored: [f64; 2],
    dissipated: [f64; 2],
    properties: Vec<f64>,
    externals: [Vec<f64>; 2],
    k: Vec<f64>,
    rdt: f64,
    dt: f64,
    message: Vec<c_char>,
}

impl Point {
    fn new(law: &HostLaw, kinematics: Kinematics, components: usize) -> Self {
        let states = law
            .with_components(components)
            .unwrap()
            .state_layout()
            .len();
        let gradient = match (kinematics, components) {
            (Kinematics::Small, n) => vec![0.0; n],
            (Kinematics::Finite, 6) => tensor(&Matrix3::identity(), 9),
            (Kinematics::Finite, _) => tensor(&Matrix3::identity(), 5),
        };
        let mut k = vec![0.0; 81];
        k[0] = 4.0;
        Self {
            kinematics,
            components,
            gradients: [gradient.clone(), gradient],
            forces: [vec![0.0; 9], vec![0.0; 9]],
            states: [vec![0.0; states], vec![0.0; states]],
            stored: [0.0; 2],
            dissipated: [0.0; 2],
            properties: vec![1.0],
            externals: [vec![293.15; 4], vec![293.15; 4]],
            k,
            rdt: 1.0,
            dt: 1.0,
            message: vec![0; 512],
        }
    }

    fn view(&mut self) -> BehaviourDataView {
        let [g0, g1] = &self.gradients;
        let [e0, e1] = &self.externals;
        let [f0, f1] = &mut self.forces;
        let [z0, z1] = &mut self.states;
        let [w0, w1] = &mut self.stored;
        let [d0, d1] = &mut self.dissipated;
        BehaviourDataView {
            error_message: self.message.as_mut_ptr(),
            dt: self.dt,
            k: self.k.as_mut_ptr(),
            rdt: &mut self.rdt,
            speed_of_sound: null_mut(),
            s0: InitialStateView {
                gradients: g0.as_ptr(),
                thermodynamic_forces: f0.as_ptr(),
                mass_density: null(),
                material_properties: self.properties.as_ptr(),
                internal_state_variables: z0.as_ptr(),
                stored_energy: w0,
                dissipated_energy: d0,
                external_state_variables: e0.as_ptr(),
            },
            s1: StateView {
                gradients: g1.as_ptr(),
                thermodynamic_forces: f1.as_mut_ptr(),
                mass_density: null(),
                material_properties: self.properties.as_ptr(),
                internal_state_variables: z1.as_mut_ptr(),
                stored_energy: w1,
                dissipated_energy: d1,
                external_state_variables: e1.as_ptr(),
            },
        }
    }

    fn call(&mut self, law: Result<&HostLaw, &str>) -> i32 {
        let kinematics = self.kinematics;
        let state = StressState::of_components(self.components).unwrap();
        let mut view = self.view();
        // SAFETY: the arrays are those of the behaviour.
        unsafe { mgis::call(|| law, kinematics, state, &mut view) }
    }

    /// The call, which must be reliable.
    fn integrate(&mut self, law: &HostLaw) {
        let code = self.call(Ok(law));
        assert_eq!(code, 1, "{}", self.message());
    }

    /// What MGIS calls an update.
    fn accept(&mut self) {
        for pair in [&mut self.gradients, &mut self.forces, &mut self.states] {
            pair[0] = pair[1].clone();
        }
        self.stored[0] = self.stored[1];
        self.dissipated[0] = self.dissipated[1];
    }

    fn message(&self) -> String {
        // SAFETY: 512 bytes that began as zeros, and texts that end with one.
        let text = unsafe { CStr::from_ptr(self.message.as_ptr()) };
        text.to_str().unwrap().to_string()
    }

    /// The call fails and leaves everything but the message as it was.
    fn fails(mut self, law: Result<&HostLaw, &str>) -> (String, f64) {
        let bits = |point: &Self| {
            let arrays = point.forces.iter().chain(&point.states).flatten();
            let numbers = arrays
                .chain(&point.k)
                .chain(&point.stored)
                .chain(&point.dissipated);
            numbers.map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        let before = bits(&self);
        assert_eq!(self.call(law), -1);
        assert_eq!(before, bits(&self), "something was written");
        assert!(!self.message().is_empty());
        (self.message(), self.rdt)
    }
}

fn tensor(f: &Matrix3<f64>, count: usize) -> Vec<f64> {
    TENSOR_PLACES.iter().take(count).map(|p| f[*p]).collect()
}

#[test]
fn a_small_strain_answers_as_the_law() {
    for (law, size) in [(steel(), 4e-3), (ply(), 1e-2)] {
        let law = host(&law);
        for n in [6, 4] {
            let reduced = law.with_components(n).unwrap();
            let mut point = Point::new(&law, Kinematics::Small, n);
            let (mut state, mut next) = (reduced.new_state(), reduced.new_state());
            let mut response = Response::default();
            let (mut random, mut dissipation) = (Random::new(2), 0.0);
            for _ in 0..15 {
                point.gradients[1] = random.vector(n, size);
                point.k[0] = 4.0;
                point.integrate(&law);
                let increment = Increment {
                    strain_old: &point.gradients[0],
                    strain_new: &point.gradients[1],
                    dt: 1.0,
                    external_old: &[],
                    external_new: &[],
                };
                reduced
                    .update(&increment, &state, &mut next, &mut response)
                    .unwrap();
                std::mem::swap(&mut state, &mut next);
                dissipation += response.dissipation;
                assert_eq!(point.states[1], state);
                assert_eq!(point.forces[1][..n], response.stress.as_slice()[..n]);
                for i in 0..n {
                    for j in 0..n {
                        assert_eq!(point.k[i * n + j], response.tangent[(i, j)]);
                    }
                }
                assert_eq!(point.stored[1], response.stored_energy);
                assert_relative_eq!(point.dissipated[1], dissipation, max_relative = 1e-14);
                point.accept();
            }
        }
    }
}

#[test]
fn a_deformation_answers_in_the_measures_that_are_asked_for() {
    let law = host(&steel());
    let solid = FiniteStrain::new(law.with_components(6).unwrap().clone()).unwrap();
    let f = Matrix3::new(1.02, 0.01, 0.0, -0.02, 0.99, 0.0, 0.0, 0.0, 1.005);
    let full = f + Matrix3::new(0.0, 0.0, 0.01, 0.0, 0.0, -0.02, 0.015, 0.005, 0.0);
    for (n, m, f) in [(6, 9, full), (4, 5, f)] {
        let state = solid.law().new_state();
        let mut next = state.clone();
        let increment = FiniteIncrement {
            deformation_old: &Matrix3::identity(),
            deformation_new: &f,
            dt: 1.0,
            external_old: &[],
            external_new: &[],
        };
        let expected = solid.update(&increment, &state, &mut next).unwrap();
        let ask = |stress: f64, tangent: f64| {
            let mut point = Point::new(&law, Kinematics::Finite, n);
            point.gradients[1] = tensor(&f, m);
            point.k[..3].copy_from_slice(&[4.0, stress, tangent]);
            point.integrate(&law);
            point
        };
        let cauchy = ask(0.0, 0.0);
        let stress = mandel::from_tensor(&expected.cauchy());
        let tangent = expected.cauchy_tangent();
        let close = |a: f64, b: f64| assert_relative_eq!(a, b, max_relative = 1e-9, epsilon = 1e-6);
        for i in 0..n {
            close(cauchy.forces[1][i], stress[i]);
            (0..m).for_each(|j| close(cauchy.k[i * m + j], tangent[(i, j)]));
        }
        let second = ask(1.0, 1.0);
        for i in 0..n {
            close(second.forces[1][i], expected.second_piola[i]);
            (0..n).for_each(|j| close(second.k[i * n + j], expected.tangent[(i, j)]));
        }
        let first = ask(2.0, 2.0);
        let tangent = expected.first_piola_tangent();
        for i in 0..m {
            close(first.forces[1][i], expected.first_piola()[TENSOR_PLACES[i]]);
            (0..m).for_each(|j| close(first.k[i * m + j], tangent[(i, j)]));
        }
        for (stress, tangent) in [(3.0, 0.0), (0.0, 3.0), (f64::NAN, 0.0)] {
            let mut point = Point::new(&law, Kinematics::Finite, n);
            point.k[..3].copy_from_slice(&[4.0, stress, tangent]);
            assert!(point.fails(Ok(&law)).0.contains("not supported"));
        }
    }
    let mut inverted = Point::new(&law, Kinematics::Finite, 6);
    inverted.gradients[1][0] = -1.0;
    let (message, rdt) = inverted.fails(Ok(&law));
    assert!(message.contains("determinant"), "{message}");
    assert_eq!(rdt, 0.5);
}

#[test]
fn a_call_writes_what_it_is_asked_for() {
    let law = host(&steel());
    let strained = |request: f64| {
        let mut point = Point::new(&law, Kinematics::Small, 6);
        point.gradients[1] = vec![4e-3, 0.0, 0.0, 1e-3, 0.0, 0.0];
        point.k[0] = request;
        point
    };
    let mut stress_only = strained(0.0);
    stress_only.integrate(&law);
    assert!(stress_only.k.iter().all(|k| *k == 0.0));
    assert!(stress_only.forces[1][0] > 0.0);
    for request in [1.0, 2.0, 3.0, 4.0] {
        let mut all = strained(request);
        all.integrate(&law);
        assert_eq!(all.forces, stress_only.forces);
        assert!(all.k[0] > 1e4);
    }
    // A prediction is the tangent of the beginning: here the elastic one.
    for request in [-1.0, -2.0, -3.0] {
        let mut prediction = strained(request);
        prediction.integrate(&law);
        let elastic = 200e3 * 0.7 / (1.3 * 0.4);
        assert_relative_eq!(prediction.k[0], elastic, max_relative = 1e-12);
        assert!(prediction.forces[1].iter().all(|s| *s == 0.0));
        assert!(prediction.states[1].iter().all(|z| *z == 0.0));
    }
}

#[test]
fn the_host_goes_on_outside_the_range_unless_it_is_told_to_reject() {
    for (outside, code) in [
        (Outside::Warn, 1),
        (Outside::Ignore, 1),
        (Outside::Reject, -1),
    ] {
        let law = Strange::host(Fault::LeavesItsRange, &[]).with_outside(outside);
        let mut point = Point::new(&law, Kinematics::Small, 6);
        point.gradients[1][0] = 1.0;
        assert_eq!(point.call(Ok(&law)), code, "{outside:?}");
        let rejected = point.message().contains("outside the trained range");
        assert_eq!(rejected, outside == Outside::Reject);
    }
}

#[test]
fn externals_are_the_temperature_and_then_the_others() {
    let echoed = |names: &[&str]| {
        let law = Strange::host(Fault::Echoes, names);
        let mut point = Point::new(&law, Kinematics::Small, 6);
        point.externals[1] = vec![373.15, 0.4, 7.0, 8.0];
        point.gradients[1][0] = 1e-3;
        point.integrate(&law);
        point.forces[1][0]
    };
    assert_relative_eq!(echoed(&["temperature_C"]), 100.0, epsilon = 1e-12);
    assert_eq!(echoed(&["temperature_K", "humidity"]), 373.15);
    assert_eq!(echoed(&["humidity", "temperature_K"]), 0.4);
    assert_eq!(echoed(&["humidity", "age"]), 0.4);
}

#[test]
fn an_external_variable_that_the_host_does_not_give_is_refused() {
    let call = |names: &[&str], values: &[f64]| {
        let law = Strange::host(Fault::Echoes, names);
        let mut point = Point::new(&law, Kinematics::Small, 6);
        point.externals = [values.to_vec(), values.to_vec()];
        point.fails(Ok(&law)).0
    };
    // OpenGeoSys without a temperature, and with another variable than that.
    for missing in [0.0, f64::NAN] {
        let message = call(&["temperature_C"], &[missing]);
        assert!(message.contains("<reference_temperature>"), "{message}");
        let message = call(&["temperature_K", "humidity"], &[300.0, missing]);
        assert!(message.contains("`humidity`"), "{message}");
    }
}

#[test]
fn the_stress_unit_scales_what_has_a_stress_in_it() {
    let law = host(&steel());
    let mut mega = Point::new(&law, Kinematics::Small, 4);
    mega.gradients[1] = vec![4e-3, 0.0, 1e-3, 1e-3];
    let mut pascal = mega.clone();
    pascal.properties = vec![1e6];
    mega.integrate(&law);
    pascal.integrate(&law);
    let close = |a: f64, b: f64| assert_relative_eq!(1e6 * a, b, max_relative = 1e-15);
    close(mega.forces[1][0], pascal.forces[1][0]);
    close(mega.k[0], pascal.k[0]);
    close(mega.stored[1], pascal.stored[1]);
    close(mega.dissipated[1], pascal.dissipated[1]);
    assert_eq!(mega.states, pascal.states);
    mega.properties = vec![-1.0];
    mega.k[0] = 4.0;
    assert!(mega.fails(Ok(&law)).0.contains("StressUnit"));
}

#[test]
fn what_cannot_be_integrated_fails() {
    let law = host(&steel());
    let with = |change: fn(&mut Point)| {
        let mut point = Point::new(&law, Kinematics::Small, 6);
        change(&mut point);
        point.fails(Ok(&law))
    };
    assert_eq!(with(|p| p.gradients[1][3] = f64::NAN).1, 0.25);
    with(|p| p.gradients[1].fill(1e300));
    with(|p| p.dt = -1.0);
    with(|p| p.k[0] = f64::NAN);
    with(|p| p.k[0] = 104.0);
    with(|p| p.states[0][0] = f64::INFINITY);
    let (message, _) = Point::new(&law, Kinematics::Small, 6).fails(Err("no law\u{e9} there"));
    assert_eq!(message, "no law\u{e9} there");
    let long = "\u{e9}".repeat(400);
    let (message, _) = Point::new(&law, Kinematics::Small, 6).fails(Err(&long));
    assert!(message.len() == 510 && long.starts_with(&message));
    for (fault, cut) in [(Fault::Panics, 1.0), (Fault::DoesNotConverge, 0.5)] {
        let strange = Strange::host(fault, &[]);
        let mut point = Point::new(&strange, Kinematics::Small, 6);
        point.gradients[1].fill(1e-3);
        assert_eq!(point.fails(Ok(&strange)).1, cut, "{fault:?}");
    }
    let plane = HostLaw::new(std::sync::Arc::from(steel().build(3).unwrap())).unwrap();
    let point = Point::new(&law, Kinematics::Small, 6);
    assert!(point.fails(Ok(&plane)).0.contains("three-dimensional"));
}

#[test]
fn null_pointers_are_refused() {
    let law = host(&steel());
    type Change = fn(&mut BehaviourDataView);
    let changes: [Change; 7] = [
        |v| v.k = null_mut(),
        |v| v.s0.gradients = null(),
        |v| v.s1.gradients = null(),
        |v| v.s0.internal_state_variables = null(),
        |v| v.s1.internal_state_variables = null_mut(),
        |v| v.s1.thermodynamic_forces = null_mut(),
        |v| v.s1.material_properties = null(),
    ];
    for change in changes {
        let mut point = Point::new(&law, Kinematics::Small, 6);
        let mut view = point.view();
        change(&mut view);
        // SAFETY: what is not null is as long as the behaviour says.
        let code = unsafe {
            mgis::call(
                || Ok(&law),
                Kinematics::Small,
                StressState::Solid,
                &mut view,
            )
        };
        assert_eq!(code, -1);
        view.error_message = null_mut();
        view.rdt = null_mut();
        // SAFETY: as above; there is no room for a message.
        let code = unsafe {
            mgis::call(
                || Ok(&law),
                Kinematics::Small,
                StressState::Solid,
                &mut view,
            )
        };
        assert_eq!(code, -1);
    }
    // SAFETY: nothing to read.
    let code = unsafe {
        mgis::call(
            || Ok(&law),
            Kinematics::Small,
            StressState::Solid,
            null_mut(),
        )
    };
    assert_eq!(code, -1);
    // Energies are asked for by nobody.
    let mut point = Point::new(&law, Kinematics::Small, 6);
    let mut view = point.view();
    view.s1.stored_energy = null_mut();
    view.s1.dissipated_energy = null_mut();
    // SAFETY: as above.
    let code = unsafe {
        mgis::call(
            || Ok(&law),
            Kinematics::Small,
            StressState::Solid,
            &mut view,
        )
    };
    assert_eq!(code, 1);
}

#[test]
fn the_symbols_name_the_variables_of_the_law() {
    fn described(law: Result<&'static HostLaw, &'static str>) -> (u16, Vec<String>, Vec<String>) {
        fn leak<T>(value: T) -> &'static T {
            Box::leak(Box::new(value))
        }
        let symbols = DataSymbols {
            interface: leak(AtomicU16::new(0)),
            states: leak(AtomicU16::new(0)),
            state_names: leak([const { AtomicPtr::new(null_mut()) }; MAX_STATES]),
            externals: leak(AtomicU16::new(0)),
            external_names: leak([const { AtomicPtr::new(null_mut()) }; MAX_EXTERNALS]),
        };
        mgis::describe(|| law, &symbols);
        let names = |count: &AtomicU16, names: &[AtomicPtr<c_char>]| {
            let names = names[..count.load(Ordering::Relaxed).into()].iter();
            // SAFETY: texts that the call left there.
            let text =
                |name: &AtomicPtr<c_char>| unsafe { CStr::from_ptr(name.load(Ordering::Relaxed)) };
            names
                .map(|name| text(name).to_str().unwrap().to_string())
                .collect()
        };
        (
            symbols.interface.load(Ordering::Relaxed),
            names(symbols.states, symbols.state_names),
            names(symbols.externals, symbols.external_names),
        )
    }
    let leaked = |law: HostLaw| -> &'static HostLaw { Box::leak(Box::new(law)) };
    let (interface, states, externals) = described(Ok(leaked(host(&steel()))));
    assert_eq!((interface, states.len(), externals.len()), (1, 13, 0));
    assert_eq!(states[0], "plastic_strain_0");
    assert_eq!(states[6], "EquivalentPlasticStrain");
    let identifier = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    assert!(states.iter().all(identifier));
    let strange = Strange::host(Fault::Echoes, &["humidity", "temperature_C", "age"]);
    let (interface, states, externals) = described(Ok(leaked(strange)));
    assert_eq!(interface, 1);
    assert_eq!(states, ["memory_0", "memory_1"]);
    // MGIS puts the temperature first by itself.
    assert_eq!(externals, ["humidity", "age"]);
    let plane = HostLaw::new(std::sync::Arc::from(steel().build(3).unwrap())).unwrap();
    assert_eq!(described(Ok(leaked(plane))).0, 0);
    assert_eq!(described(Err("no law")), (0, vec![], vec![]));
}
