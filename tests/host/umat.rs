//! UMAT: every stress state against the law itself, and what must not happen.

use crate::common::Random;
use crate::laws::{Fault, Strange, elastic, host, ply, steel};
use approx::assert_relative_eq;
use hysteron::host::{HostLaw, Outside, umat};
use hysteron::law::{Increment, MaterialLaw, Response};
use hysteron::mandel::{self, Mandel, Moduli, abaqus};
use nalgebra::{Matrix3, Rotation3, Vector3};

/// One material point of a host: its arrays, and the numbers that describe them.
#[derive(Clone, Debug, PartialEq)]
struct Point {
    stress: Vec<f64>,
    statev: Vec<f64>,
    ddsdde: Vec<f64>,
    sse: f64,
    spd: f64,
    stran: Vec<f64>,
    dstran: Vec<f64>,
    dtime: f64,
    temp: f64,
    dtemp: f64,
    cmname: Vec<u8>,
    ndi: i32,
    nshr: i32,
    ntens: i32,
    nstatv: i32,
    props: Vec<f64>,
    nprops: i32,
    drot: Matrix3<f64>,
    pnewdt: f64,
    dfgrd1: Matrix3<f64>,
    kstep: [i32; 4],
}

impl Point {
    fn new(ndi: i32, nshr: i32, states: usize) -> Self {
        let n = (ndi + nshr) as usize;
        Self {
            stress: vec![0.0; n],
            statev: vec![0.0; states],
            ddsdde: vec![0.0; n * n],
            sse: 0.0,
            spd: 0.0,
            stran: vec![0.0; n],
            dstran: vec![0.0; n],
            dtime: 1.0,
            temp: 0.0,
            dtemp: 0.0,
            cmname: named("STEEL"),
            ndi,
            nshr,
            ntens: n as i32,
            nstatv: states as i32,
            props: vec![1.0],
            nprops: 1,
            drot: Matrix3::identity(),
            pnewdt: 1.0,
            dfgrd1: Matrix3::identity(),
            kstep: [1, 1, 0, 0],
        }
    }

    fn props(&mut self, values: &[f64]) {
        (self.props, self.nprops) = (values.to_vec(), values.len() as i32);
    }

    fn of(law: &HostLaw, ndi: i32, nshr: i32) -> Self {
        let reduced = law.with_components((ndi + nshr) as usize).unwrap();
        Self::new(ndi, nshr, reduced.state_layout().len())
    }

    fn arguments(&mut self) -> umat::UmatArguments {
        umat::UmatArguments {
            stress: self.stress.as_mut_ptr(),
            statev: self.statev.as_mut_ptr(),
            ddsdde: self.ddsdde.as_mut_ptr(),
            sse: &mut self.sse,
            spd: &mut self.spd,
            stran: self.stran.as_ptr(),
            dstran: self.dstran.as_ptr(),
            dtime: &self.dtime,
            temp: &self.temp,
            dtemp: &self.dtemp,
            cmname: self.cmname.as_ptr(),
            ndi: &self.ndi,
            nshr: &self.nshr,
            ntens: &self.ntens,
            nstatv: &self.nstatv,
            props: self.props.as_ptr(),
            nprops: &self.nprops,
            drot: self.drot.as_ptr(),
            pnewdt: &mut self.pnewdt,
            celent: std::ptr::null_mut(),
            dfgrd1: self.dfgrd1.as_ptr(),
            noel: &1,
            npt: &2,
            kstep: self.kstep.as_ptr(),
        }
    }

    fn call(&mut self, law: &HostLaw) {
        self.call_with(Ok(law));
    }

    fn call_with(&mut self, law: Result<&HostLaw, &str>) {
        // SAFETY: the arrays are as long as the numbers say, or as the test means them to be.
        unsafe { umat::call(|| law, &self.arguments()) }
    }

    /// The call, which must succeed, and the end of the increment.
    fn advance(&mut self, law: &HostLaw, dstran: &[f64]) {
        self.dstran.copy_from_slice(dstran);
        self.call(law);
        assert_eq!(self.pnewdt, 1.0);
        for (strain, increment) in self.stran.iter_mut().zip(dstran) {
            *strain += increment;
        }
    }

    /// The call fails, asks for a smaller step, and leaves everything else as it was.
    fn fails(mut self, law: Result<&HostLaw, &str>) -> f64 {
        let bits = |point: &Self| {
            let numbers = [&point.stress, &point.statev, &point.ddsdde]
                .into_iter()
                .flatten();
            let numbers = numbers.chain([&point.sse, &point.spd]);
            numbers.map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        let before = bits(&self);
        self.call_with(law);
        assert_eq!(before, bits(&self), "something was written");
        assert!(0.0 < self.pnewdt && self.pnewdt < 1.0, "{}", self.pnewdt);
        self.pnewdt
    }
}

/// A name of a material as Fortran has it.
fn named(name: &str) -> Vec<u8> {
    format!("{name:80}").into_bytes()
}

/// The stress states of a host, with the components of the law and the weights of the host's shears.
const STRESS_STATES: [(i32, i32, &[usize]); 4] = [
    (3, 3, &[0, 1, 2, 3, 4, 5]),
    (3, 1, &[0, 1, 2, 3]),
    (2, 1, &[0, 1, 3]),
    (1, 0, &[0]),
];

#[test]
fn every_stress_state_answers_as_the_law_in_the_order_of_the_host() {
    for (law, size) in [(steel(), 4e-3), (ply(), 1e-2)] {
        let law = host(&law);
        for (ndi, nshr, components) in STRESS_STATES {
            let n = components.len();
            let reduced = law.with_components(n).unwrap();
            let mut point = Point::of(&law, ndi, nshr);
            let (mut state, mut next) = (reduced.new_state(), reduced.new_state());
            let mut response = Response::default();
            let mut random = Random::new(n as u64);
            let (mut old, mut dissipation) = (vec![0.0; n], 0.0);
            for _ in 0..20 {
                let new: Vec<f64> = random.vector(n, size);
                let host_strain = |strain: &[f64]| -> Vec<f64> {
                    let mut whole = Mandel::zeros();
                    for (value, &place) in strain.iter().zip(components) {
                        whole[place] = *value;
                    }
                    let whole = abaqus::strain_out(&whole);
                    components.iter().map(|&place| whole[place]).collect()
                };
                let (start, end) = (host_strain(&old), host_strain(&new));
                point.stran.copy_from_slice(&start);
                let step: Vec<f64> = end.iter().zip(&start).map(|(b, a)| b - a).collect();
                point.advance(&law, &step);
                let increment = Increment {
                    strain_old: &old,
                    strain_new: &new,
                    dt: 1.0,
                    external_old: &[],
                    external_new: &[],
                };
                reduced
                    .update(&increment, &state, &mut next, &mut response)
                    .unwrap();
                std::mem::swap(&mut state, &mut next);
                old = new;
                dissipation += response.dissipation;

                let mut moduli = Moduli::zeros();
                let mut stress = Mandel::zeros();
                for (i, &row) in components.iter().enumerate() {
                    stress[row] = response.stress[i];
                    for (j, &column) in components.iter().enumerate() {
                        moduli[(row, column)] = response.tangent[(i, j)];
                    }
                }
                let (stress, moduli) = (abaqus::stress_out(&stress), abaqus::moduli_out(&moduli));
                for (i, &row) in components.iter().enumerate() {
                    assert_relative_eq!(
                        point.stress[i],
                        stress[row],
                        max_relative = 1e-9,
                        epsilon = 1e-7
                    );
                    for (j, &column) in components.iter().enumerate() {
                        let found = point.ddsdde[j * n + i];
                        assert_relative_eq!(
                            found,
                            moduli[(row, column)],
                            max_relative = 1e-7,
                            epsilon = 1e-3
                        );
                    }
                }
                for (found, expected) in point.statev.iter().zip(&state) {
                    assert_relative_eq!(found, expected, max_relative = 1e-9, epsilon = 1e-12);
                }
                assert_relative_eq!(point.sse, response.stored_energy, max_relative = 1e-9);
                assert_relative_eq!(point.spd, dissipation, max_relative = 1e-9, epsilon = 1e-12);
            }
        }
    }
}

#[test]
fn the_tangent_is_the_derivative_by_the_strains_of_the_host() {
    for (law, size) in [(steel(), 4e-3), (ply(), 1e-2)] {
        let law = host(&law);
        for (ndi, nshr, components) in STRESS_STATES {
            let n = components.len();
            let mut random = Random::new(40 + n as u64);
            let mut point = Point::of(&law, ndi, nshr);
            point.advance(&law, &random.vector(n, size));
            let step = random.vector(n, size);
            let at = |column: usize, h: f64| {
                let mut probe = point.clone();
                probe.dstran.copy_from_slice(&step);
                probe.dstran[column] += h;
                probe.call(&law);
                assert_eq!(probe.pnewdt, 1.0);
                probe
            };
            let scale = at(0, 0.0).ddsdde.iter().fold(0.0f64, |a, b| a.max(b.abs()));
            for j in 0..n {
                let h = 1e-8;
                let (ahead, behind) = (at(j, h), at(j, -h));
                for i in 0..n {
                    let slope = (ahead.stress[i] - behind.stress[i]) / (2.0 * h);
                    let tangent = at(j, 0.0).ddsdde[j * n + i];
                    assert!(
                        (slope - tangent).abs() < 1e-5 * scale,
                        "{n}: {i} {j}: {slope} {tangent}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_shear_moduli_stand_where_abaqus_wants_them() {
    let law = host(&ply());
    let mut point = Point::of(&law, 3, 3);
    point.advance(&law, &[0.0, 0.0, 0.0, 1e-3, 1e-3, 1e-3]);
    for (i, shear) in [(3, 6600.0), (4, 5500.0), (5, 3900.0)] {
        assert_relative_eq!(point.ddsdde[i * 6 + i], shear, max_relative = 1e-12);
        assert_relative_eq!(point.stress[i], shear * 1e-3, max_relative = 1e-12);
    }
}

#[test]
fn a_law_turns_with_its_material() {
    // The host turns STRAN by DROT; the law is asked where it was made.
    for law in [steel(), ply()] {
        let law = host(&law);
        let states = law.with_components(6).unwrap().state_layout().len();
        let mut still = Point::new(3, 3, states);
        let mut turning = Point::new(3, 3, states + 9);
        turning.props(&[1.0, 2.0]);
        let mut random = Random::new(8);
        let mut whole = Matrix3::identity();
        for _ in 0..12 {
            let step = random.vector(6, 3e-3);
            let turn = *Rotation3::new(Vector3::from_vec(random.vector(3, 0.5))).matrix();
            whole = turn * whole;
            let q = mandel::rotation(&whole);
            let turned = |strain: &[f64]| {
                let strain = abaqus::strain_in(strain.try_into().unwrap());
                abaqus::strain_out(&(q * strain))
            };
            turning.stran.copy_from_slice(&turned(&still.stran));
            turning.drot = turn;
            let host_step = turned(&step);
            turning.advance(&law, &host_step);
            still.advance(&law, &step);
            let stress = q * abaqus::stress_in(still.stress.as_slice().try_into().unwrap());
            let found = abaqus::stress_in(turning.stress.as_slice().try_into().unwrap());
            assert_relative_eq!(found, stress, max_relative = 1e-8, epsilon = 1e-7);
            let moduli =
                |point: &Point| abaqus::moduli_in(&Moduli::from_column_slice(&point.ddsdde));
            let expected = q * moduli(&still) * q.transpose();
            assert!((moduli(&turning) - expected).norm() < 1e-7 * expected.norm());
            for (a, b) in still.statev.iter().zip(&turning.statev) {
                assert_relative_eq!(a, b, epsilon = 1e-10);
            }
        }
    }
}

#[test]
fn a_host_whose_frame_turns_with_the_material_says_so() {
    // CalculiX strains in that frame and passes DROT nevertheless: its name is enough. Others say it in PROPS.
    let calculix: [(&str, &[f64]); 3] = [
        ("@ABAQUSNL_STEEL", &[1.0]),
        ("@ABAQUSNL_STEEL@B", &[1.0, 1.0]),
        ("STEEL", &[1.0, 1.0]),
    ];
    for law in [steel(), ply()] {
        let law = host(&law);
        for (name, props) in calculix {
            let (mut still, mut turning) = (Point::of(&law, 3, 3), Point::of(&law, 3, 3));
            turning.cmname = named(name);
            turning.kstep[2] = 1;
            turning.props(props);
            let mut random = Random::new(9);
            for _ in 0..5 {
                let step = random.vector(6, 3e-3);
                turning.drot = *Rotation3::new(Vector3::from_vec(random.vector(3, 0.5))).matrix();
                still.advance(&law, &step);
                turning.advance(&law, &step);
                assert_eq!(still.stress, turning.stress);
                assert_eq!(still.ddsdde, turning.ddsdde);
                assert_eq!(still.statev, turning.statev);
            }
        }
    }
}

#[test]
fn an_interface_of_calculix_in_the_wrong_step_is_refused() {
    let law = host(&steel());
    let called = |name: &str, nonlinear: i32, props: &[f64]| {
        let mut point = Point::of(&law, 3, 3);
        point.cmname = named(name);
        point.kstep[2] = nonlinear;
        point.props(props);
        point.dstran[0] = 1e-4;
        point
    };
    for (name, nonlinear) in [("@ABAQUS_STEEL", 0), ("@ABAQUSNL_STEEL", 1), ("STEEL", 1)] {
        let mut right = called(name, nonlinear, &[1.0]);
        right.call(&law);
        assert_eq!(right.pnewdt, 1.0, "{name}");
        // The other step. A host without these names is not asked: Elmer has one number there.
        let mut wrong = called(name, 1 - nonlinear, &[1.0]);
        if name == "STEEL" {
            wrong.call(&law);
            assert_eq!(wrong.pnewdt, 1.0);
            continue;
        }
        wrong.clone().fails(Ok(&law));
        // In a perturbation, and without a strain, there is nothing to tell apart.
        let mut perturbed = wrong.clone();
        perturbed.kstep[3] = 1;
        perturbed.call(&law);
        assert_eq!(perturbed.pnewdt, 1.0, "{name}");
        wrong.dstran[0] = 0.0;
        wrong.call(&law);
        assert_eq!(wrong.pnewdt, 1.0, "{name}");
    }
    // The rotation is kept for Abaqus.
    for (name, nonlinear) in [("@ABAQUS_STEEL", 0), ("@ABAQUSNL_STEEL", 1)] {
        let mut point = called(name, nonlinear, &[1.0, 2.0]);
        point.statev.resize(13 + 9, 0.0);
        point.nstatv = 13 + 9;
        point.fails(Ok(&law));
    }
}

/// Hencky's law: Kirchhoff's stress of a deformation.
fn hencky(gradient: &Matrix3<f64>, bulk: f64, shear: f64) -> Matrix3<f64> {
    let svd = gradient.svd(true, true);
    let logs = svd.singular_values.map(f64::ln);
    let principal = logs.map(|e| 2.0 * shear * (e - logs.sum() / 3.0) + bulk * logs.sum());
    let left = svd.u.unwrap();
    left * Matrix3::from_diagonal(&principal) * left.transpose()
}

#[test]
fn the_stress_is_cauchys_where_the_geometry_is_nonlinear() {
    // Abaqus: the strain is turned by DROT and then increased, here by stretches along fixed material axes,
    // whose logarithms add up. CalculiX: the logarithmic strain in the material's frame.
    let law = host(&elastic());
    let (bulk, shear) = (200e3 / (3.0 * 0.4), 200e3 / 2.6);
    let axes = *Rotation3::new(Vector3::new(0.3, -0.2, 0.5)).matrix();
    let logs = |time: f64| Vector3::new(0.3, 0.1, -0.05) * time;
    let turned = |time: f64| *Rotation3::new(Vector3::new(0.4, 1.1, -0.7) * time).matrix();
    let tensor = |values: &Vector3<f64>| axes * Matrix3::from_diagonal(values) * axes.transpose();
    let components = |tensor: &Matrix3<f64>| abaqus::strain_out(&mandel::from_tensor(tensor));
    let mut points = [
        ("STEEL", vec![1.0, 2.0], 9),
        ("STEEL", vec![1.0, 2.0, 1.0], 9),
        ("STEEL", vec![1.0, 1.0], 0),
        ("@ABAQUSNL_STEEL", vec![1.0], 0),
        ("@ABAQUSNL_STEEL", vec![1.0, 0.0, 1.0], 0),
    ]
    .map(|(name, props, states)| {
        let mut point = Point::new(3, 3, states);
        point.cmname = named(name);
        point.kstep[2] = 1;
        point.props(&props);
        point
    });
    for step in 1..=4 {
        let (before, now) = (f64::from(step - 1) / 4.0, f64::from(step) / 4.0);
        let (whole, rotation) = (tensor(&logs(now)), turned(now));
        let increment = whole - tensor(&logs(before));
        let gradient = rotation * tensor(&logs(now).map(f64::exp));
        let volume = logs(now).sum().exp();
        let kirchhoff = hencky(&gradient, bulk, shear);
        for point in &mut points {
            // The frame of the host against that of the material.
            let frame = match point.statev.len() {
                9 => rotation,
                _ => Matrix3::identity(),
            };
            point.drot = rotation * turned(before).transpose();
            point.dfgrd1 = gradient;
            let there = |tensor: &Matrix3<f64>| components(&(frame * tensor * frame.transpose()));
            point.stran.copy_from_slice(&there(&(whole - increment)));
            point.advance(&law, &there(&increment));
            let undivided = point.props.len() == 3;
            let expected = frame * rotation.transpose() * kirchhoff * rotation * frame.transpose()
                / if undivided { 1.0 } else { volume };
            let expected = abaqus::stress_out(&mandel::from_tensor(&expected));
            for (found, expected) in point.stress.iter().zip(expected) {
                assert_relative_eq!(*found, expected, max_relative = 1e-10, epsilon = 1e-7);
            }
            // Abaqus's Jacobian is that of det F times the stress, over det F; CalculiX multiplies by itself.
            let abaqus = point.cmname[0] != b'@';
            let over = if undivided || !abaqus { 1.0 } else { volume };
            assert_relative_eq!(
                point.ddsdde[0],
                (bulk + 4.0 * shear / 3.0) / over,
                max_relative = 1e-10
            );
        }
    }
    // A step with linear geometry has no volume change; nor has one whose host does not say.
    let mut linear = Point::new(3, 3, 0);
    linear.props(&[1.0, 1.0]);
    linear.dfgrd1 *= 2.0;
    linear.advance(&law, &[1e-3, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_relative_eq!(
        linear.stress[0],
        (bulk + 4.0 * shear / 3.0) * 1e-3,
        max_relative = 1e-12
    );
    // An inverted element asks for a smaller step.
    let [_, _, mut inverted, _, _] = points;
    inverted.dfgrd1[(0, 0)] *= -1.0;
    inverted.dfgrd1[(0, 1)] *= -1.0;
    inverted.dfgrd1[(0, 2)] *= -1.0;
    assert_eq!(inverted.fails(Ok(&law)), 0.5);
}

#[test]
fn what_a_law_does_not_need_of_the_state_stays_as_it_is() {
    // CalculiX passes the largest number of internal variables of a model to every material.
    for (law, frame) in [(steel(), 0.0), (ply(), 0.0), (steel(), 2.0)] {
        let law = host(&law);
        let states = law.with_components(6).unwrap().state_layout().len();
        let used = if frame == 2.0 { states + 9 } else { states };
        for more in [1, 9, 18, 100] {
            let mut exact = Point::new(3, 3, used);
            let mut roomy = Point::new(3, 3, used + more);
            roomy.statev[used..].fill(f64::NAN);
            for point in [&mut exact, &mut roomy] {
                point.props(&[1.0, frame]);
                for _ in 0..3 {
                    point.advance(&law, &[2e-3, -1e-3, 0.0, 1e-3, 0.0, -2e-3]);
                }
            }
            assert_eq!(exact.stress, roomy.stress);
            assert_eq!(exact.ddsdde, roomy.ddsdde);
            let (first, rest) = roomy.statev.split_at(used);
            assert_eq!(exact.statev, first);
            assert!(rest.iter().all(|z| z.is_nan()), "{rest:?}");
        }
    }
}

#[test]
fn room_for_a_rotation_does_not_ask_for_one() {
    // The nine of another law of the model.
    let law = host(&steel());
    let mut point = Point::new(3, 3, 13 + 9);
    point.drot = *Rotation3::new(Vector3::new(0.0, 0.0, 1e-3)).matrix();
    point.clone().fails(Ok(&law));
    // And where it is asked for there must be room.
    let mut point = Point::new(3, 3, 13 + 8);
    point.props(&[1.0, 2.0]);
    point.fails(Ok(&law));
}

#[test]
fn a_rotation_without_room_for_it_is_refused() {
    let law = host(&steel());
    let mut point = Point::of(&law, 3, 3);
    point.drot = *Rotation3::new(Vector3::new(0.0, 0.0, 1e-3)).matrix();
    point.fails(Ok(&law));
}

#[test]
fn a_cut_step_leaves_no_trace() {
    // Half of the increment after a failure must be half of the increment without one.
    let law = host(&steel());
    let mut point = Point::of(&law, 3, 3);
    point.advance(&law, &[3e-3, -1e-3, -1e-3, 1e-3, 0.0, 2e-3]);
    let mut cut = point.clone();
    cut.dstran.fill(f64::NAN);
    cut.call(&law);
    assert!(cut.pnewdt < 1.0);
    cut.pnewdt = 1.0;
    for point in [&mut point, &mut cut] {
        point.advance(&law, &[1e-3, 0.0, 0.0, -1e-3, 1e-3, 0.0]);
    }
    assert_eq!(point, cut);

    let spoiling = Strange::host(Fault::SpoilsItsState, &[]);
    let mut point = Point::of(&spoiling, 3, 3);
    point.dstran.fill(1e-3);
    assert_eq!(point.fails(Ok(&spoiling)), 0.5);
}

#[test]
fn a_state_of_zeros_is_the_virgin_one() {
    let law = Strange::host(Fault::Counts, &[]);
    let mut point = Point::of(&law, 3, 3);
    for count in 1..4 {
        point.advance(&law, &[1e-3; 6]);
        assert_eq!(point.statev, [count as f64, 0.0]);
    }
}

#[test]
fn the_stress_unit_scales_stress_tangent_and_energies() {
    let law = host(&steel());
    let (mut mega, mut pascal) = (Point::of(&law, 3, 3), Point::of(&law, 3, 3));
    pascal.props = vec![1e6];
    for point in [&mut mega, &mut pascal] {
        point.advance(&law, &[4e-3, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
    let close = |a: f64, b: f64| assert_relative_eq!(1e6 * a, b, max_relative = 1e-15);
    close(mega.stress[0], pascal.stress[0]);
    close(mega.ddsdde[0], pascal.ddsdde[0]);
    close(mega.sse, pascal.sse);
    close(mega.spd, pascal.spd);
    assert_eq!(mega.statev, pascal.statev);
    let mut none = Point::of(&law, 3, 3);
    none.nprops = 0;
    none.advance(&law, &[4e-3, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(none.stress, mega.stress);
}

#[test]
fn the_temperature_of_the_host_is_the_external_variable() {
    let law = Strange::host(Fault::Echoes, &["temperature_C"]);
    let mut point = Point::of(&law, 3, 3);
    (point.temp, point.dtemp) = (20.0, 5.0);
    point.advance(&law, &[0.0; 6]);
    assert_eq!(point.stress[0], 25.0);
    // What the host does not give is never zero.
    (point.temp, point.dtemp) = (0.0, 0.0);
    point.clone().fails(Ok(&law));
    point.dtemp = f64::NAN;
    point.clone().fails(Ok(&law));
    (point.temp, point.dtemp) = (0.0, 1e-6);
    point.advance(&law, &[0.0; 6]);
    let two = Strange::host(Fault::Echoes, &["temperature_C", "humidity"]);
    Point::of(&two, 3, 3).fails(Ok(&two));
}

#[test]
fn what_cannot_be_advanced_asks_for_a_smaller_step() {
    let law = host(&steel());
    let point = || Point::of(&law, 3, 3);
    let with = |change: fn(&mut Point)| {
        let mut changed = point();
        change(&mut changed);
        changed.fails(Ok(&law))
    };
    with(|p| p.dstran[3] = f64::NAN);
    with(|p| p.stran[0] = f64::INFINITY);
    with(|p| p.dstran.fill(1e300));
    with(|p| p.dtime = -1.0);
    with(|p| p.dtime = f64::NAN);
    with(|p| p.ntens = 5);
    with(|p| p.ndi = 2);
    with(|p| (p.ndi, p.nshr) = (i32::MAX, 1));
    with(|p| p.nstatv -= 1);
    with(|p| p.nstatv = -1);
    with(|p| p.nstatv = 0);
    with(|p| p.nprops = 4);
    with(|p| p.props(&[1.0, 3.0]));
    with(|p| p.props(&[1.0, f64::NAN]));
    with(|p| p.props(&[1.0, 0.0, 2.0]));
    with(|p| p.nprops = -1);
    with(|p| p.props[0] = 0.0);
    with(|p| p.props[0] = f64::NAN);
    with(|p| p.statev[0] = f64::NAN);
    with(|p| p.drot[(0, 1)] = 0.5);
    point().fails(Err("law.safetensors is not there"));

    for (fault, cut) in [(Fault::Panics, 0.25), (Fault::DoesNotConverge, 0.5)] {
        let strange = Strange::host(fault, &[]);
        let mut point = Point::of(&strange, 3, 3);
        point.dstran.fill(1e-3);
        assert_eq!(point.fails(Ok(&strange)), cut, "{fault:?}");
    }
}

#[test]
fn null_pointers_are_refused() {
    let law = host(&steel());
    type Change = fn(&mut umat::UmatArguments);
    let changes: [Change; 12] = [
        |a| a.stress = std::ptr::null_mut(),
        |a| a.statev = std::ptr::null_mut(),
        |a| a.ddsdde = std::ptr::null_mut(),
        |a| a.stran = std::ptr::null(),
        |a| a.dstran = std::ptr::null(),
        |a| a.dtime = std::ptr::null(),
        |a| a.ndi = std::ptr::null(),
        |a| a.nshr = std::ptr::null(),
        |a| a.ntens = std::ptr::null(),
        |a| a.nstatv = std::ptr::null(),
        |a| a.props = std::ptr::null(),
        |a| a.nprops = std::ptr::null(),
    ];
    for change in changes {
        let mut point = Point::of(&law, 3, 3);
        let mut arguments = point.arguments();
        change(&mut arguments);
        // SAFETY: what is not null is as long as the numbers say.
        unsafe { umat::call(|| Ok(&law), &arguments) };
        assert!(point.pnewdt < 1.0);
        assert!(point.stress.iter().chain(&point.statev).all(|x| *x == 0.0));
    }
    // These are asked for nothing.
    let mut point = Point::of(&law, 3, 3);
    let mut arguments = point.arguments();
    (arguments.sse, arguments.spd) = (std::ptr::null_mut(), std::ptr::null_mut());
    (arguments.temp, arguments.drot) = (std::ptr::null(), std::ptr::null());
    (arguments.noel, arguments.npt) = (std::ptr::null(), std::ptr::null());
    (arguments.cmname, arguments.kstep) = (std::ptr::null(), std::ptr::null());
    arguments.dfgrd1 = std::ptr::null();
    // SAFETY: as above.
    unsafe { umat::call(|| Ok(&law), &arguments) };
    assert_eq!(point.pnewdt, 1.0);
    arguments.pnewdt = std::ptr::null_mut();
    arguments.stran = std::ptr::null();
    // SAFETY: as above; nothing is left to write to.
    unsafe { umat::call(|| Ok(&law), &arguments) };
}

#[test]
fn outside_its_range_a_law_warns_or_rejects_or_says_nothing() {
    for outside in [Outside::Warn, Outside::Ignore] {
        let law = Strange::host(Fault::LeavesItsRange, &[]).with_outside(outside);
        Point::of(&law, 3, 3).advance(&law, &[1e-3; 6]);
    }
    let law = Strange::host(Fault::LeavesItsRange, &[]).with_outside(Outside::Reject);
    let mut point = Point::of(&law, 3, 3);
    point.dstran.fill(1e-3);
    point.fails(Ok(&law));
}
