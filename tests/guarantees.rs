//! What a law guarantees must hold for weights that nobody trained and increments that nobody
//! would take. `examples/second_law` walks millions of them.

mod common;

use common::{Point, Random, learned_laws, random_law};
use hysteron::audit::{AuditOptions, audit};
use hysteron::law::MaterialLaw;
use hysteron::model::LearnedLaw;
use hysteron::recurrent::{Architecture, Clock, Symmetry};

/// The laws that guarantee something.
fn guaranteed(claims: impl Fn(&LearnedLaw) -> bool) -> Vec<(String, LearnedLaw)> {
    let laws = learned_laws(0).into_iter();
    laws.filter(|(_, law)| claims(law)).collect()
}

/// The laws of six components with such a symmetry.
fn with_symmetry(symmetry: impl Fn(Symmetry) -> bool) -> Vec<(String, LearnedLaw)> {
    guaranteed(|law| law.components() == 6 && symmetry(law.guarantees().symmetry))
}

/// The laws whose guarantee holds where an increment is taken in several updates.
fn in_parts() -> Vec<(String, LearnedLaw)> {
    let mut list = Vec::new();
    for components in [1, 3, 6] {
        let learn = Architecture {
            law: "relaxation".into(),
            clock: Clock::StrainPath,
            substeps: 5,
            ..Architecture::default()
        };
        let name = format!("relaxation in parts, {components} components");
        let law = random_law(&name, &learn, components, 0);
        assert!(law.guarantees().second_law);
        list.push((name, law));
    }
    list
}

/// The same law with unconstrained parameters within `±width` of its own.
fn with_noise(name: &str, law: &LearnedLaw, random: &mut Random, width: f64) -> LearnedLaw {
    let unconstrained = law.unconstrained_parameters().iter();
    let unconstrained = unconstrained
        .map(|p| p + random.between(-width, width))
        .collect();
    let (built, layout) = (law.law().clone(), law.layout().clone());
    LearnedLaw::new(
        name,
        built,
        layout,
        unconstrained,
        law.normalisation().clone(),
    )
    .unwrap()
}

#[test]
fn no_weights_and_no_increment_make_a_law_create_energy() {
    let mut laws = guaranteed(|law| law.guarantees().second_law);
    assert!(laws.len() >= 4 * 9);
    laws.extend(in_parts());
    for (name, first) in laws {
        let (mut updates, mut failed, mut lowest) = (0, 0, 0.0f64);
        let n = first.components();
        let scales = first.scales();
        for seed in 0..20 {
            let mut random = Random::new(seed);
            // Weights far from where any training starts.
            let width = random.decades(-1.0, 0.5);
            let law = with_noise(&name, &first, &mut random, width);
            let mut point = Point::new(&law);
            let mut energy = scales.energy();
            for _ in 0..600 {
                let size = scales.strain * random.decades(-9.0, 2.0);
                let mut strain = random.vector(n, size);
                if random.chance(0.5) {
                    strain
                        .iter_mut()
                        .zip(&point.strain)
                        .for_each(|(s, old)| *s += old);
                }
                let dt = scales.time * random.decades(-9.0, 3.0);
                updates += 1;
                match point.probe(&strain, dt) {
                    Err(error) => {
                        assert!(error.cut().is_some());
                        // Lengths of combinations bend sharply where they vanish, seen from afar.
                        let bends = law.guarantees().symmetry != Symmetry::None;
                        assert!(
                            width > 1.0 || bends,
                            "{name}, weights ± {width:.2}: {error}"
                        );
                        failed += 1;
                    }
                    Ok((state, response)) => {
                        energy = energy.max(response.stored_energy.abs());
                        lowest = lowest.min(response.dissipation / energy);
                        (point.state, point.strain) = (state, strain);
                    }
                }
            }
        }
        println!(
            "{name}: {updates} updates, {failed} failed, least D_end {lowest:.1e} of the energy"
        );
        assert!(lowest >= -1e-12, "{name}: {lowest:e}");
        assert!(
            failed <= updates / 1000,
            "{name}: {failed} of {updates} updates"
        );
        // Only a search can fail.
        assert!(
            failed == 0 || name.starts_with("generalized-standard"),
            "{name}"
        );
    }
}

/// Rows of an audit with so many rotations.
fn turned<const N: usize>(law: &LearnedLaw, rotations: usize, rows: [&str; N]) -> [f64; N] {
    let options = AuditOptions {
        histories: 1,
        growth_increments: 1,
        cycles: 1,
        rotations,
        ..AuditOptions::default()
    };
    let audit = audit(law, &options);
    rows.map(|row| audit.row(row).and_then(|row| row.value).unwrap())
}

#[test]
fn the_stress_of_an_isotropic_law_turns_with_the_strain() {
    let laws = with_symmetry(|symmetry| symmetry == Symmetry::Isotropic);
    assert!(laws.len() >= 4 * 3);
    for (name, law) in laws {
        let [figure] = turned(&law, 200, ["objectivity"]);
        println!("{name}: {figure:.1e}");
        assert!(figure < 1e-12, "{name}: {figure:e}");
    }
}

/// Under the rotations of its group, and under no others.
#[test]
fn the_stress_of_an_anisotropic_law_turns_by_its_symmetry() {
    let isotropic = |symmetry| matches!(symmetry, Symmetry::None | Symmetry::Isotropic);
    let laws = with_symmetry(|symmetry| !isotropic(symmetry));
    assert!(laws.len() >= 4 * 3 * 2);
    for (name, law) in laws {
        let [own, any] = turned(&law, 100, ["material_symmetry", "objectivity"]);
        println!("{name}: {own:.1e}, any rotation {any:.1e}");
        assert!(own < 1e-12, "{name}: {own:e}");
        assert!(any > 1e-3, "{name} is isotropic: {any:e}");
    }
}

/// Rotations within the plane for isotropic laws, half turns about an axis of it for the others.
#[test]
fn the_stress_in_the_plane_turns_by_the_symmetry() {
    let laws = guaranteed(|law| law.components() == 3);
    let mut tried = 0;
    for (name, law) in laws {
        let symmetry = law.guarantees().symmetry;
        let mut random = Random::new(5);
        for _ in 0..50 {
            let angle = random.between(0.0, 6.0);
            let turn = |x: &[f64]| -> Vec<f64> {
                if symmetry == Symmetry::Orthotropic {
                    return vec![x[0], x[1], -x[2]];
                }
                let (sin, cos) = (2.0 * angle).sin_cos();
                let [mean, half] = [(x[0] + x[1]) / 2.0, (x[0] - x[1]) / 2f64.sqrt()];
                let [half, shear] = [cos * half - sin * x[2], sin * half + cos * x[2]];
                let half = half / 2f64.sqrt();
                vec![mean + half, mean - half, shear]
            };
            let (mut plain, mut other) = (Point::new(&law), Point::new(&law));
            let (mut worst, mut peak) = (0.0f64, law.scales().stress);
            for _ in 0..8 {
                let strain = random.vector(3, law.scales().strain);
                let dt = law.scales().time * random.decades(-2.0, 2.0);
                let a = plain.advance(&strain, dt).stress;
                let b = other.advance(&turn(&strain), dt).stress;
                let a = turn(&a.as_slice()[..3]);
                for (a, b) in a.iter().zip(b.iter()) {
                    worst = worst.max((a - b).abs());
                    peak = peak.max(a.abs());
                }
            }
            match symmetry {
                Symmetry::None => {
                    tried += usize::from(worst > 1e-6 * peak);
                }
                _ => assert!(worst < 1e-12 * peak, "{name}: {:e}", worst / peak),
            }
        }
    }
    assert!(tried > 0, "a law without a symmetry turns as well");
}
