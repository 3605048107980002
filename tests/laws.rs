//! The classical laws against closed-form solutions and an independent ODE solver.

mod common;

use common::{Point, Random, extrapolated};
use diffsol::{NalgebraMat, OdeBuilder, OdeSolverMethod};
use hysteron::laws::*;
use hysteron::mandel::{self, Mandel};

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
    assert!(
        error <= tolerance,
        "{what}: {found} is not {expected} ({error:.1e})"
    );
}

fn law(text: &str) -> ReferenceLaw {
    toml::from_str(text).unwrap()
}

const MAXWELL: &str = r#"
    law = "maxwell"
    bulk_MPa = 2000
    shear_MPa = 120
    branches = [
        { shear_MPa = 300, relaxation_time_s = 0.3 },
        { bulk_MPa = 700, shear_MPa = 90, relaxation_time_s = 7 },
    ]
"#;

#[test]
fn maxwell_relaxes_and_ramps_as_the_closed_form() {
    let law = law(MAXWELL).build(6).unwrap();
    let branches = [(0.0, 300.0, 0.3), (700.0, 90.0, 7.0)];
    let strain = Mandel::from([0.01, -0.004, 0.002, 0.006, -0.003, 0.005]);
    let volume = mandel::identity() * mandel::trace(&strain);
    let shape = mandel::deviator(&strain);

    let mut relaxing = Point::new(law.as_ref());
    relaxing.advance(strain.as_slice(), 0.0);
    let mut ramped = Point::new(law.as_ref());
    let mut time = 0.0;
    for dt in [1e-4, 0.01, 0.3, 0.02, 4.0, 1e-9, 30.0, 0.5] {
        time += dt;
        let relaxed = relaxing.advance(strain.as_slice(), dt).stress;
        let ramp = ramped.advance((strain * time).as_slice(), dt).stress;
        let mut relaxed_exactly = volume * 2000.0 + shape * 240.0;
        let mut ramp_exactly = relaxed_exactly * time;
        for (bulk, shear, tau) in branches {
            let instantaneous = volume * bulk + shape * (2.0 * shear);
            let decay = (-time / tau).exp();
            relaxed_exactly += instantaneous * decay;
            ramp_exactly += instantaneous * (tau * (1.0 - decay));
        }
        let error = (relaxed - relaxed_exactly).norm() / relaxed_exactly.norm();
        assert!(error < 1e-13, "relaxation at {time} s: {error:e}");
        let error = (ramp - ramp_exactly).norm() / ramp_exactly.norm();
        assert!(error < 1e-11, "ramp at {time} s: {error:e}");
    }
}

#[test]
fn end_strain_integration_of_maxwell_converges_to_the_exact_one() {
    let strain = [0.01, 0.0, -0.02, 0.01, 0.0, 0.0];
    let stress = |integration: &str, steps: usize| {
        let law = law(&format!("{MAXWELL}\nintegration = \"{integration}\""))
            .build(6)
            .unwrap();
        let mut point = Point::new(law.as_ref());
        let mut last = 0.0;
        for step in 1..=steps {
            let strain = strain.map(|e| e * step as f64 / steps as f64);
            last = point.advance(&strain, 2.0 / steps as f64).stress[2];
        }
        last
    };
    let (limit, _) = extrapolated(&[64, 128, 256, 512, 1024].map(|n| stress("end-strain", n)));
    close(
        limit,
        stress("linear-strain", 1),
        1e-8,
        "limit of the end-strain rule",
    );
}

/// Backward Euler is exact for isotropic hardening under proportional load, whatever the steps.
#[test]
fn j2_with_linear_and_voce_hardening_follows_the_closed_form() {
    let law = law(r#"
        law = "j2"
        young_MPa = 200e3
        poisson = 0.3
        yield_MPa = 300
        linear_hardening_MPa = 900
        voce = [{ q_MPa = 150, rate = 20 }, { q_MPa = -50, rate = 4 }]
    "#)
    .build(1)
    .unwrap();
    let mut random = Random::new(1);
    let mut point = Point::new(law.as_ref());
    let mut plastic = 0.0;
    for _ in 0..60 {
        plastic += random.decades(-6.0, -1.5);
        let stress: f64 = 300.0 + 900.0 * plastic + 150.0 * (1.0 - (-20.0 * plastic).exp())
            - 50.0 * (1.0 - (-4.0 * plastic).exp());
        let strain = stress / 200e3 + plastic;
        close(
            point.advance(&[strain], 0.0).stress[0],
            stress,
            1e-11,
            "stress",
        );
        let accumulated = law
            .state_layout()
            .range("accumulated_plastic_strain")
            .unwrap();
        close(
            point.state[accumulated][0],
            plastic,
            1e-10,
            "accumulated plastic strain",
        );
    }
}

const S355: &str = r#"
    law = "j2"
    young_MPa = 185115.047
    poisson = 0.3
    yield_MPa = 255.416
    voce = [{ q_MPa = 91.727, rate = 9.595 }]
    backstress = [{ c_MPa = 1761.991, gamma = 3.549 }, { c_MPa = 17430.519, gamma = 157.279 }]
"#;

/// Tension, then compression through the second yield; the closed form of each branch is
/// `X = ±C/γ + (X_start ∓ C/γ) e^{−γ Δp}`.
#[test]
fn j2_with_backstresses_converges_to_the_closed_form() {
    let (young, yield_stress) = (185_115.047, 255.416);
    let resistance = |p: f64| yield_stress + 91.727 * (1.0 - (-9.595 * p).exp());
    let backstress = |start: [f64; 2], sign: f64, p: f64| {
        let c = [1761.991, 17_430.519];
        let gamma = [3.549, 157.279];
        [0, 1].map(|k| {
            let limit: f64 = sign * c[k] / gamma[k];
            limit + (start[k] - limit) * (-gamma[k] * p).exp()
        })
    };
    let (first, second) = (0.012, 0.02);
    let x_first = backstress([0.0; 2], 1.0, first);
    let stress_first = x_first.iter().sum::<f64>() + resistance(first);
    let x_second = backstress(x_first, -1.0, second);
    let stress_second = x_second.iter().sum::<f64>() - resistance(first + second);
    let strain_first = stress_first / young + first;
    let strain_second = stress_second / young + first - second;

    let law = law(S355).build(1).unwrap();
    let accumulated = law
        .state_layout()
        .range("accumulated_plastic_strain")
        .unwrap();
    // The elastic part of each branch is one step, up to where this run yields, so that the error is
    // a power series in the plastic step.
    let stresses = |steps: usize| {
        let mut point = Point::new(law.as_ref());
        let ramp = |point: &mut Point, from: f64, to: f64| {
            point.advance(&[from], 0.0);
            (1..=steps).fold(0.0, |_, step| {
                let strain = from + (to - from) * step as f64 / steps as f64;
                point.advance(&[strain], 0.0).stress[0]
            })
        };
        let tension = ramp(&mut point, yield_stress / young, strain_first);
        let elastic_range = 2.0 * resistance(point.state[accumulated.start]) / young;
        let compression = ramp(&mut point, strain_first - elastic_range, strain_second);
        (tension, compression)
    };
    let runs = [32, 64, 128, 256, 512, 1024, 2048].map(stresses);
    assert!(
        (runs[0].0 / stress_first - 1.0).abs() > 1e-5,
        "32 steps are exact already"
    );
    close(
        extrapolated(&runs.map(|r| r.0)).0,
        stress_first,
        1e-8,
        "tension",
    );
    close(
        extrapolated(&runs.map(|r| r.1)).0,
        stress_second,
        1e-8,
        "compression",
    );
}

/// Uniaxial tension at a constant strain rate, then relaxation; as ordinary differential equations
/// of the plastic strain (which only grows here) and the backstress.
#[test]
fn perzyna_agrees_with_an_ode_solver() {
    let law = law(r#"
        law = "perzyna"
        drag_MPa = 200
        exponent = 3
        reference_rate_per_s = 10
        [plasticity]
        young_MPa = 70e3
        poisson = 0.3
        yield_MPa = 120
        voce = [{ q_MPa = 60, rate = 30 }]
        backstress = [{ c_MPa = 4000, gamma = 80 }]
    "#)
    .build(1)
    .unwrap();
    let (young, yield_stress) = (70e3, 120.0);
    let (start, end, duration, hold) = (yield_stress / young, 0.02, 0.05, 0.03);

    let solve = |initial: [f64; 2], rate: f64, from: f64, duration: f64| {
        let problem = OdeBuilder::<NalgebraMat<f64>>::new()
            .rtol(1e-11)
            .atol([1e-14, 1e-10])
            .rhs(move |y, _p, t, dy| {
                let resistance = yield_stress + 60.0 * (1.0 - (-30.0 * y[0]).exp());
                let excess = young * (from + rate * t - y[0]) - y[1] - resistance;
                dy[0] = 10.0 * (excess / 200.0).max(0.0).powi(3);
                dy[1] = (4000.0 - 80.0 * y[1]) * dy[0];
            })
            .init(move |_p, _t, y| y.copy_from_slice(&initial), 2)
            .build()
            .unwrap();
        let mut solver = problem.tsit45().unwrap();
        solver.solve(duration).unwrap();
        let y = &solver.state().y;
        [y[0], y[1]]
    };
    let loaded = solve([0.0; 2], (end - start) / duration, start, duration);
    let relaxed = solve(loaded, 0.0, end, hold);
    let expected = [loaded, relaxed].map(|y| young * (end - y[0]));

    let stresses = |steps: usize| {
        let mut point = Point::new(law.as_ref());
        point.advance(&[start], 0.0);
        let mut stress = [0.0; 2];
        for step in 1..=steps {
            let strain = start + (end - start) * step as f64 / steps as f64;
            stress[0] = point.advance(&[strain], duration / steps as f64).stress[0];
        }
        for _ in 0..steps {
            stress[1] = point.advance(&[end], hold / steps as f64).stress[0];
        }
        stress
    };
    let runs = [64, 128, 256, 512, 1024, 2048, 4096].map(stresses);
    assert!(
        (runs[0][0] / expected[0] - 1.0).abs() > 1e-5,
        "64 steps are exact already"
    );
    close(
        extrapolated(&runs.map(|r| r[0])).0,
        expected[0],
        1e-8,
        "end of loading",
    );
    close(
        extrapolated(&runs.map(|r| r[1])).0,
        expected[1],
        1e-8,
        "end of relaxation",
    );
}

#[test]
fn fast_reference_rate_is_rate_independent_plasticity() {
    let plastic = law(S355).build(6).unwrap();
    let parameters = S355.replace("law = \"j2\"", "");
    let viscous = law(&format!(
        "law = \"perzyna\"\ndrag_MPa = 1.0\nexponent = 2.0\nreference_rate_per_s = 1e20\n[plasticity]\n{parameters}"
    ))
    .build(6)
    .unwrap();
    let (mut a, mut b) = (Point::new(plastic.as_ref()), Point::new(viscous.as_ref()));
    let mut random = Random::new(2);
    for _ in 0..100 {
        let strain = random.vector(6, 0.01);
        let (a, b) = (a.advance(&strain, 1.0), b.advance(&strain, 1.0));
        assert!((a.stress - b.stress).norm() <= 1e-8 * a.stress.norm());
    }
}

/// Loading, unloading and reloading under uniaxial stress, where `κ` is the axial strain.
#[test]
fn damage_follows_the_softening_curve_and_unloads_to_the_origin() {
    let law = law(r#"
        law = "damage"
        young_MPa = 30e3
        poisson = 0.2
        threshold_strain = 1e-4
        softening_strain = 5e-4
        softening_share = 0.9
    "#)
    .build(1)
    .unwrap();
    let integrity = |kappa: f64| match kappa {
        k if k <= 1e-4 => 1.0,
        k => 1e-4 / k * (0.1 + 0.9 * (-(k - 1e-4) / 5e-4).exp()),
    };
    let mut slow = Point::new(law.as_ref());
    for step in 1..=20_000 {
        let strain = 1e-3 * f64::from(step) / 20_000.0;
        let stress = slow.advance(&[strain], 0.0).stress[0];
        close(stress, integrity(strain) * 30e3 * strain, 1e-10, "stress");
    }

    let mut point = Point::new(law.as_ref());
    let mut kappa: f64 = 0.0;
    for strain in [
        0.5e-4, 1e-4, 1.5e-4, 4e-4, 2e-4, -3e-4, 5e-4, -9e-4, 1e-4, 2e-3, 1e-3,
    ] {
        kappa = kappa.max(f64::abs(strain));
        let expected = integrity(kappa) * 30e3 * strain;
        close(
            point.advance(&[strain], 0.0).stress[0],
            expected,
            1e-10,
            "stress",
        );
    }
}

#[test]
fn orthotropic_constants_are_measured_back() {
    let law = law(r#"
        law = "orthotropic-elastic"
        young_1_MPa = 126e3
        young_2_MPa = 11e3
        young_3_MPa = 9e3
        poisson_12 = 0.28
        poisson_13 = 0.31
        poisson_23 = 0.4
        shear_12_MPa = 6600
        shear_13_MPa = 5200
        shear_23_MPa = 3900
    "#);
    let solid = law.build(6).unwrap();
    let moduli = Point::new(solid.as_ref()).advance(&[0.0; 6], 0.0).tangent;
    let compliance = moduli.try_inverse().unwrap();
    for (i, young) in [(0, 126e3), (1, 11e3), (2, 9e3)] {
        close(1.0 / compliance[(i, i)], young, 1e-12, "Young's modulus");
    }
    for (i, j, poisson) in [(0, 1, 0.28), (0, 2, 0.31), (1, 2, 0.4)] {
        close(
            -compliance[(j, i)] / compliance[(i, i)],
            poisson,
            1e-12,
            "Poisson's ratio",
        );
    }
    // Under a pure shear stress the Mandel strain √2 γ/2 meets the Mandel stress √2 τ.
    for (k, shear) in [(3, 6600.0), (4, 5200.0), (5, 3900.0)] {
        close(0.5 / compliance[(k, k)], shear, 1e-12, "shear modulus");
    }
    let bar = law.build(1).unwrap();
    let mut pulled = Point::new(bar.as_ref());
    close(
        pulled.advance(&[1e-3], 0.0).stress[0],
        126.0,
        1e-12,
        "stress of the bar",
    );
    close(pulled.state[0], -0.28e-3, 1e-12, "contraction along 2");
    close(pulled.state[1], -0.31e-3, 1e-12, "contraction along 3");
}

#[test]
fn plane_stress_of_isotropic_elasticity_is_the_textbook_matrix() {
    let law = law("law = \"isotropic-elastic\"\nyoung_MPa = 210e3\npoisson = 0.3");
    let plate = law.build(3).unwrap();
    let c = Point::new(plate.as_ref())
        .advance(&[1e-3, -2e-3, 5e-4], 0.0)
        .tangent;
    let plane = 210e3 / (1.0 - 0.09);
    close(c[(0, 0)], plane, 1e-13, "C11");
    close(c[(0, 1)], 0.3 * plane, 1e-13, "C12");
    close(
        c[(2, 2)],
        210e3 / 1.3,
        1e-13,
        "C33 in Mandel components (2G)",
    );
    let strip = law.build_in(StressState::PlaneStrain).unwrap();
    let c = Point::new(strip.as_ref())
        .advance(&[1e-3, -2e-3, 5e-4], 0.0)
        .tangent;
    close(
        c[(0, 1)] / c[(0, 0)],
        0.3 / 0.7,
        1e-13,
        "C12 / C11 in plane strain",
    );
}

/// The free strains that plane stress found make the three-dimensional law stress-free there.
#[test]
fn plane_stress_of_plasticity_is_the_solid_with_its_free_strains() {
    let (plate, solid) = (law(S355).build(3).unwrap(), law(S355).build(6).unwrap());
    let (mut plate, mut solid) = (Point::new(plate.as_ref()), Point::new(solid.as_ref()));
    let inner = solid.state.len();
    let mut random = Random::new(3);
    for _ in 0..200 {
        let strain = random.vector(3, 0.02);
        let reduced = plate.advance(&strain, 0.0);
        let free = &plate.state[inner..];
        let whole = solid.advance(
            &[strain[0], strain[1], free[0], strain[2], free[1], free[2]],
            0.0,
        );
        assert_eq!(plate.state[..inner], solid.state);
        assert_eq!(reduced.stress[2], whole.stress[3]);
        for component in [2, 4, 5] {
            assert!(
                whole.stress[component].abs() < 1e-7,
                "{}",
                whole.stress[component]
            );
        }
    }
}

#[test]
fn unknown_keys_and_wrong_parameters_are_errors_that_name_them() {
    let parse = |text: &str| toml::from_str::<ReferenceLaw>(text).map_err(|e| e.to_string());
    let elastic = "law = \"isotropic-elastic\"\nyoung_MPa = 210e3\npoisson = 0.3";
    for (text, named) in [
        (format!("{elastic}\nyuong = 1.0"), "yuong"),
        (format!("{S355}\nyield = 3.0"), "yield"),
        (
            S355.replace("gamma = 3.549", "gamma = 3.549, delta = 1"),
            "delta",
        ),
        (S355.replace("poisson = 0.3", ""), "poisson"),
        (elastic.replace("isotropic-elastic", "rubber"), "rubber"),
    ] {
        let message = parse(&text).unwrap_err();
        assert!(message.contains(named), "{named}: {message}");
    }
    for (text, named) in [
        (elastic.replace("0.3", "0.5"), "poisson"),
        (elastic.replace("210e3", "-1"), "young_MPa"),
        (elastic.replace("210e3", "nan"), "young_MPa"),
        (S355.replace("255.416", "0"), "yield_MPa"),
        (
            S355.replace("gamma = 3.549", "gamma = -3"),
            "backstress.gamma",
        ),
        (S355.replace("rate = 9.595", "rate = 0"), "voce.rate"),
        (
            S355.replace("q_MPa = 91.727", "q_MPa = -300"),
            "yield stress",
        ),
        (
            MAXWELL.replace("relaxation_time_s = 7", "relaxation_time_s = inf"),
            "relaxation_time_s",
        ),
    ] {
        let message = parse(&text).unwrap().build(6).err().unwrap().to_string();
        assert!(message.contains(named), "{named}: {message}");
    }
    assert!(parse(elastic).unwrap().build(4).is_err());
    let written = toml::to_string(&law(MAXWELL)).unwrap();
    assert_eq!(law(&written), law(MAXWELL));
}

#[test]
fn moduli_at_rest_are_those_of_the_card() {
    use hysteron::law::InitialModuli;
    let isotropic = law("law = \"isotropic-elastic\"\nyoung_MPa = 200e3\npoisson = 0.3");
    let solid = InitialModuli::of(isotropic.build(6).unwrap().as_ref()).unwrap();
    for young in solid.young {
        close(young, 200e3, 1e-9, "Young's modulus");
    }
    close(solid.poisson.unwrap(), 0.3, 1e-9, "Poisson's ratio");
    close(solid.shear.unwrap(), 200e3 / 2.6, 1e-9, "shear modulus");
    let plane = InitialModuli::of(isotropic.build(3).unwrap().as_ref()).unwrap();
    close(
        plane.young[1],
        200e3,
        1e-9,
        "Young's modulus in plane stress",
    );
    close(
        plane.shear.unwrap(),
        200e3 / 2.6,
        1e-9,
        "shear modulus in plane stress",
    );
    let bar = InitialModuli::of(isotropic.build(1).unwrap().as_ref()).unwrap();
    close(bar.young[0], 200e3, 1e-9, "Young's modulus of a bar");
    assert_eq!((bar.poisson, bar.doubt(true)), (None, None));
    let auxetic = law("law = \"isotropic-elastic\"\nyoung_MPa = 200e3\npoisson = -0.2");
    let auxetic = InitialModuli::of(auxetic.build(6).unwrap().as_ref()).unwrap();
    assert!(
        auxetic
            .doubt(true)
            .unwrap()
            .contains("Poisson's ratio of -0.200")
    );
    assert_eq!(auxetic.doubt(false), None);
}
