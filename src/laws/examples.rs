//! Every classical law with typical parameters, which the generic tests run over.

use super::*;

fn isotropic_elastic() -> ReferenceLaw {
    ReferenceLaw::IsotropicElastic(IsotropicParameters {
        young: 210e3,
        poisson: 0.3,
    })
}

/// AS4/3501-6 carbon–epoxy: P. D. Soden, M. J. Hinton, A. S. Kaddour, Compos. Sci. Technol. 58
/// (1998) 1011–1022; `G23 = E2 / 2(1 + ν23)`.
fn orthotropic_elastic() -> ReferenceLaw {
    ReferenceLaw::OrthotropicElastic(OrthotropicParameters {
        young_1: 126e3,
        young_2: 11e3,
        young_3: 11e3,
        poisson_12: 0.28,
        poisson_13: 0.28,
        poisson_23: 0.4,
        shear_12: 6600.0,
        shear_13: 6600.0,
        shear_23: 11e3 / 2.8,
    })
}

fn maxwell(integration: MaxwellIntegration) -> ReferenceLaw {
    let branch = |bulk, shear, relaxation_time| MaxwellBranch {
        bulk,
        shear,
        relaxation_time,
    };
    ReferenceLaw::Maxwell(MaxwellParameters {
        bulk: 3000.0,
        shear: 300.0,
        branches: vec![
            branch(500.0, 400.0, 0.1),
            branch(0.0, 250.0, 1.0),
            branch(0.0, 150.0, 20.0),
        ],
        integration,
    })
}

/// S355 steel, the Voce–Chaboche set of RESSPyLab (EPFL; see `materials/`).
fn s355() -> PlasticityParameters {
    PlasticityParameters {
        young: 185_115.047,
        poisson: 0.3,
        yield_stress: 255.416,
        voce: vec![Voce {
            q: 91.727,
            rate: 9.595,
        }],
        linear_hardening: 0.0,
        backstress: vec![
            Backstress {
                c: 1761.991,
                gamma: 3.549,
            },
            Backstress {
                c: 17_430.519,
                gamma: 157.279,
            },
        ],
    }
}

/// Linear isotropic and kinematic hardening with a softening Voce term.
fn softening() -> PlasticityParameters {
    PlasticityParameters {
        young: 70e3,
        poisson: 0.33,
        yield_stress: 120.0,
        voce: vec![Voce {
            q: -40.0,
            rate: 25.0,
        }],
        linear_hardening: 300.0,
        backstress: vec![Backstress {
            c: 1500.0,
            gamma: 0.0,
        }],
    }
}

/// Mild steel: `D = 40.4 /s`, `q = 5` of Cowper and Symonds (see `materials/`), with the hardening
/// of S355.
fn perzyna() -> ReferenceLaw {
    ReferenceLaw::Perzyna(PerzynaParameters {
        plasticity: s355(),
        drag: 255.416,
        exponent: 5.0,
        reference_rate: 40.4,
    })
}

/// A concrete-like solid.
fn damage() -> ReferenceLaw {
    ReferenceLaw::Damage(DamageParameters {
        young: 30e3,
        poisson: 0.2,
        threshold_strain: 1e-4,
        softening_strain: 5e-4,
        softening_share: 1.0,
    })
}

/// Every classical law in three dimensions, plane strain, plane stress and uniaxial stress, under a name
/// of its own.
///
/// # Panics
/// Never: the parameters are constants that a test builds.
pub fn example_laws() -> Vec<(&'static str, Box<dyn MaterialLaw>)> {
    let mut laws = Vec::new();
    let mut add = |names: [&'static str; 4], law: ReferenceLaw| {
        let states = [
            StressState::Solid,
            StressState::PlaneStrain,
            StressState::PlaneStress,
            StressState::Uniaxial,
        ];
        for (name, state) in names.into_iter().zip(states) {
            let built = law.build_in(state);
            laws.push((
                name,
                built.expect("the parameters of the examples are valid"),
            ));
        }
    };
    macro_rules! in_every_stress_state {
        ($($name:literal => $law:expr),+ $(,)?) => {
            $(add(
                [
                    $name,
                    concat!($name, ", plane strain"),
                    concat!($name, ", plane stress"),
                    concat!($name, ", uniaxial stress"),
                ],
                $law,
            );)+
        };
    }
    in_every_stress_state! {
        "isotropic-elastic" => isotropic_elastic(),
        "orthotropic-elastic" => orthotropic_elastic(),
        "maxwell" => maxwell(MaxwellIntegration::LinearStrain),
        "maxwell, end strain" => maxwell(MaxwellIntegration::EndStrain),
        "j2" => ReferenceLaw::J2(s355()),
        "j2, softening" => ReferenceLaw::J2(softening()),
        "perzyna" => perzyna(),
        "damage" => damage(),
    }
    laws
}
