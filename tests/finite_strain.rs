//! Finite strain by the logarithmic strain: derivatives against differences, objectivity, closed
//! forms, and rejected input.

mod common;

use approx::assert_relative_eq;
use common::Random;
use hysteron::UpdateError;
use hysteron::finite_strain::{
    FiniteIncrement, FiniteResponse, FiniteStrain, LogarithmicStrain, TENSOR_PLACES,
};
use hysteron::law::MaterialLaw;
use hysteron::laws::{
    Backstress, IsotropicParameters, OrthotropicParameters, PlaneStrain, PlasticityParameters,
    ReferenceLaw,
};
use hysteron::mandel::{self, Mandel, Moduli};
use nalgebra::{Matrix3, Rotation3, SVector, Vector3};
use std::sync::Arc;

type Law = FiniteStrain<Arc<dyn MaterialLaw>>;

fn finite(law: &ReferenceLaw) -> Law {
    FiniteStrain::new(Arc::from(law.build(6).unwrap())).unwrap()
}

/// A steel whose tangent is not symmetric.
fn steel() -> ReferenceLaw {
    ReferenceLaw::J2(PlasticityParameters {
        young: 200e3,
        poisson: 0.3,
        yield_stress: 300.0,
        voce: Vec::new(),
        linear_hardening: 1e3,
        backstress: vec![Backstress {
            c: 40e3,
            gamma: 200.0,
        }],
    })
}

fn ply() -> ReferenceLaw {
    ReferenceLaw::OrthotropicElastic(OrthotropicParameters {
        young_1: 126e3,
        young_2: 11e3,
        young_3: 9e3,
        poisson_12: 0.28,
        poisson_13: 0.25,
        poisson_23: 0.4,
        shear_12: 6600.0,
        shear_13: 5500.0,
        shear_23: 3900.0,
    })
}

fn laws() -> [(&'static str, Law); 2] {
    [("j2", finite(&steel())), ("orthotropic", finite(&ply()))]
}

fn rotation(random: &mut Random) -> Matrix3<f64> {
    let axis = Vector3::from_vec(random.vector(3, 1.0));
    *Rotation3::new(axis.normalize() * random.between(0.1, 3.0)).matrix()
}

/// Deformation gradients with distinct, close, equal and large principal stretches.
fn deformations() -> Vec<Matrix3<f64>> {
    let mut random = Random::new(3);
    let mut list = vec![Matrix3::identity(), Matrix3::identity() * 1.2];
    for stretches in [
        [1.3, 0.9, 0.7],
        [1.2, 1.2, 0.8],
        [1.1, 1.1 + 1e-9, 1.1 - 1e-9],
        [1.1, 1.1 + 1e-5, 0.95],
        [1.0, 1.02, 1.03],
        [1.0, 1.025, 1.026],
        [4.0, 0.5, 0.3],
        [1.0, 1.0, 1.0 + 1e-13],
    ] {
        let (left, right) = (rotation(&mut random), rotation(&mut random));
        let stretch = Matrix3::from_diagonal(&Vector3::from(stretches));
        list.push(left * stretch * right.transpose());
    }
    list
}

fn answer(law: &Law, old: &Matrix3<f64>, new: &Matrix3<f64>) -> FiniteResponse {
    let state = law.law().new_state();
    let mut next = state.clone();
    let increment = FiniteIncrement {
        deformation_old: old,
        deformation_new: new,
        dt: 1.0,
        external_old: &[],
        external_new: &[],
    };
    law.update(&increment, &state, &mut next).unwrap()
}

/// Green–Lagrange strain.
fn green_lagrange(f: &Matrix3<f64>) -> Mandel {
    mandel::from_tensor(&((f.transpose() * f - Matrix3::identity()) * 0.5))
}

/// `U` with `½(U² − 1) = strain`.
fn stretch_of(strain: &Mandel) -> Matrix3<f64> {
    let square = Matrix3::identity() + mandel::to_tensor(strain) * 2.0;
    let eigen = square.symmetric_eigen();
    let root = Matrix3::from_diagonal(&eigen.eigenvalues.map(f64::sqrt));
    eigen.eigenvectors * root * eigen.eigenvectors.transpose()
}

#[test]
fn the_logarithm_of_a_diagonal_deformation_is_that_of_its_entries() {
    let f = Matrix3::from_diagonal(&Vector3::new(1.5, 0.8, 1.1));
    let strain = LogarithmicStrain::new(&f).unwrap();
    let expected = [1.5f64.ln(), 0.8f64.ln(), 1.1f64.ln(), 0.0, 0.0, 0.0];
    assert_relative_eq!(*strain.strain(), Mandel::from(expected), epsilon = 1e-15);
}

#[test]
fn the_derivatives_of_the_logarithm_are_its_differences() {
    let mut random = Random::new(5);
    for f in deformations() {
        let log = LogarithmicStrain::new(&f).unwrap();
        let stress = Mandel::from_vec(random.vector(6, 1.0));
        let (start, h) = (green_lagrange(&f), 1e-5);
        let at = |strain: &Mandel| LogarithmicStrain::new(&stretch_of(strain)).unwrap();
        for column in 0..6 {
            let mut unit = Mandel::zeros();
            unit[column] = h;
            let (ahead, behind) = (at(&(start + unit)), at(&(start - unit)));
            let slope = (ahead.strain() - behind.strain()) / (2.0 * h);
            let first: Mandel = log.derivative().column(column).into_owned();
            assert_relative_eq!(first, slope, epsilon = 3e-8, max_relative = 1e-7);

            let slope = (ahead.derivative() - behind.derivative()) * stress / (2.0 * h);
            let second: Mandel = log.second_derivative(&stress).column(column).into_owned();
            assert_relative_eq!(second, slope, epsilon = 3e-7, max_relative = 3e-7);
        }
        let second = log.second_derivative(&stress);
        assert_relative_eq!(second, second.transpose(), epsilon = 1e-11 * second.norm());
    }
}

#[test]
fn the_second_derivative_does_not_jump_where_its_evaluation_changes() {
    // The spread of the eigenvalues at which the series is replaced by the quotient, from both sides.
    let mean = 1.2f64;
    let stress = Mandel::from([1.0, -0.5, 0.3, 0.7, 0.2, -0.4]);
    let at = |spread: f64| {
        let squares = Vector3::new(1.0 - 0.5 * spread, 1.0 + 0.1 * spread, 1.0 + 0.4 * spread);
        let stretch = Matrix3::from_diagonal(&squares.map(|s| (mean * s).sqrt()));
        LogarithmicStrain::new(&stretch)
            .unwrap()
            .second_derivative(&stress)
    };
    let values: Vec<Moduli> = (0..9).map(|i| at(0.05 * (0.9 + 0.03 * i as f64))).collect();
    for three in values.windows(3) {
        let bend = (three[0] - three[1] * 2.0 + three[2]).norm() / three[1].norm();
        // The second difference of a smooth function over a step of 1.5e-3.
        assert!(bend < 1e-5, "{bend}");
    }
}

#[test]
fn the_tangents_are_differences_of_the_stresses() {
    let rest = Matrix3::identity();
    for (name, law) in laws() {
        for f in deformations() {
            let here = answer(&law, &rest, &f);
            let scale = here.tangent.norm() + here.second_piola.norm();
            let h = 1e-6;
            for (column, place) in TENSOR_PLACES.into_iter().enumerate() {
                let mut unit = Matrix3::zeros();
                unit[place] = h;
                let (ahead, behind) = (
                    answer(&law, &rest, &(f + unit)),
                    answer(&law, &rest, &(f - unit)),
                );
                let slope = (ahead.cauchy() - behind.cauchy()) / (2.0 * h);
                let tangent = here.cauchy_tangent().column(column).into_owned();
                let error = (tangent - mandel::from_tensor(&slope)).norm() / scale;
                assert!(error < 3e-7, "{name}, Cauchy, {column}: {error:.1e} at {f}");

                let slope = (ahead.first_piola() - behind.first_piola()) / (2.0 * h);
                let slope = SVector::<f64, 9>::from_fn(|k, _| slope[TENSOR_PLACES[k]]);
                let tangent = here.first_piola_tangent().column(column).into_owned();
                let error = (tangent - slope).norm() / scale;
                assert!(error < 3e-7, "{name}, Piola, {column}: {error:.1e} at {f}");
            }
            for column in 0..6 {
                let mut rate = Mandel::zeros();
                rate[column] = h;
                let step = mandel::to_tensor(&rate) * f;
                let (ahead, behind) = (
                    answer(&law, &rest, &(f + step)),
                    answer(&law, &rest, &(f - step)),
                );
                let kirchhoff = |r: &FiniteResponse| r.cauchy() * r.deformation.determinant();
                let slope = (kirchhoff(&ahead) - kirchhoff(&behind)) / (2.0 * h) / f.determinant();
                let tangent: Mandel = here.jaumann_tangent().column(column).into_owned();
                let error = (tangent - mandel::from_tensor(&slope)).norm() / scale;
                assert!(
                    error < 3e-7,
                    "{name}, Jaumann, {column}: {error:.1e} at {f}"
                );
            }
        }
    }
}

#[test]
fn a_rotated_body_has_the_rotated_stress() {
    let mut random = Random::new(11);
    for (name, law) in laws() {
        for f in deformations() {
            let (before, after) = (rotation(&mut random), rotation(&mut random));
            let plain = answer(&law, &Matrix3::identity(), &f);
            // The old configuration is rotated by one rotation, the new one by another.
            let turned = answer(&law, &before, &(after * f));
            let scale = plain.second_piola.norm() + plain.tangent.norm();
            assert!(
                (plain.second_piola - turned.second_piola).norm() <= 1e-12 * scale,
                "{name}"
            );
            assert!(
                (plain.tangent - turned.tangent).norm() <= 1e-11 * scale,
                "{name}"
            );
            let expected = after * plain.cauchy() * after.transpose();
            assert!(
                (turned.cauchy() - expected).norm() <= 1e-11 * scale,
                "{name}"
            );
        }
    }
}

#[test]
fn the_stress_power_is_that_of_the_law() {
    // Without plastic flow ψ is a potential of S.
    let law = finite(&ply());
    for f in deformations() {
        let here = answer(&law, &f, &f);
        let h = 1e-6;
        for place in TENSOR_PLACES {
            let mut unit = Matrix3::zeros();
            unit[place] = h;
            let energy = |f: Matrix3<f64>| answer(&law, &f, &f).stored_energy;
            let slope = (energy(f + unit) - energy(f - unit)) / (2.0 * h);
            let scale = here.first_piola().norm() + here.stored_energy + 1.0;
            assert!((here.first_piola()[place] - slope).abs() < 1e-6 * scale);
        }
    }
}

#[test]
fn isotropic_elasticity_is_henckys_law() {
    let (young, poisson) = (200.0, 0.3);
    let law = finite(&ReferenceLaw::IsotropicElastic(IsotropicParameters {
        young,
        poisson,
    }));
    let (bulk, shear) = (
        young / (3.0 * (1.0 - 2.0 * poisson)),
        young / (2.0 * (1.0 + poisson)),
    );
    let stretches = Vector3::new(1.7, 0.8, 1.1);
    let turn = *Rotation3::new(Vector3::new(0.3, -0.8, 0.5)).matrix();
    let f = turn * Matrix3::from_diagonal(&stretches);
    let logs = stretches.map(f64::ln);
    let kirchhoff = logs.map(|log| 2.0 * shear * (log - logs.sum() / 3.0) + bulk * logs.sum());
    let expected =
        turn * Matrix3::from_diagonal(&kirchhoff) * turn.transpose() / stretches.product();
    let response = answer(&law, &Matrix3::identity(), &f);
    assert_relative_eq!(
        response.cauchy(),
        expected,
        max_relative = 1e-12,
        epsilon = 1e-12
    );
}

#[test]
fn plane_strain_equals_the_solid() {
    let solid: Arc<dyn MaterialLaw> = Arc::from(steel().build(6).unwrap());
    let section = PlaneStrain::axisymmetric(solid.clone()).unwrap();
    let (solid, section) = (
        FiniteStrain::new(solid).unwrap(),
        FiniteStrain::new(section).unwrap(),
    );
    let f = Matrix3::new(1.1, 0.2, 0.0, -0.1, 0.95, 0.0, 0.0, 0.0, 1.02);
    let increment = FiniteIncrement {
        deformation_old: &Matrix3::identity(),
        deformation_new: &f,
        dt: 1.0,
        external_old: &[],
        external_new: &[],
    };
    let state = solid.law().new_state();
    let (mut a, mut b) = (state.clone(), state.clone());
    let whole = solid.update(&increment, &state, &mut a).unwrap();
    let part = section.update(&increment, &state, &mut b).unwrap();
    assert_eq!(a, b);
    for i in 0..4 {
        assert_relative_eq!(
            whole.second_piola[i],
            part.second_piola[i],
            max_relative = 1e-12
        );
        for j in 0..4 {
            assert_relative_eq!(
                whole.tangent[(i, j)],
                part.tangent[(i, j)],
                max_relative = 1e-9,
                epsilon = 1e-7
            );
        }
    }
}

#[test]
fn inadmissible_deformations_are_rejected() {
    let law = finite(&steel());
    let state = law.law().new_state();
    let mut next = vec![7.0; state.len()];
    let rest = Matrix3::identity();
    let mut refused = |f: Matrix3<f64>| {
        let increment = FiniteIncrement {
            deformation_old: &rest,
            deformation_new: &f,
            dt: 1.0,
            external_old: &[],
            external_new: &[],
        };
        let error = law.update(&increment, &state, &mut next).unwrap_err();
        assert!(next.iter().all(|z| *z == 7.0));
        error
    };
    let inverted = refused(Matrix3::from_diagonal(&Vector3::new(1.0, 1.0, -0.5)));
    assert_eq!(inverted, UpdateError::Inverted { jacobian: -0.5 });
    assert_eq!(inverted.cut(), Some(0.5));
    assert!(matches!(
        refused(Matrix3::zeros()),
        UpdateError::Inverted { .. }
    ));
    assert!(matches!(
        refused(rest * f64::NAN),
        UpdateError::NonFinite { .. }
    ));
    assert!(matches!(
        refused(rest * 1e200),
        UpdateError::NonFinite { .. } | UpdateError::Overflow { .. }
    ));
    let three = ReferenceLaw::build(&steel(), 3).unwrap();
    let error = FiniteStrain::new(Arc::<dyn MaterialLaw>::from(three))
        .err()
        .unwrap();
    assert!(error.to_string().contains("6 components"), "{error}");
}
