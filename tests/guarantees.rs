//! What a law guarantees must hold for weights that nobody trained and increments that nobody
//! would take.

mod common;

use common::{Point, Random, learned_laws, random_law};
use hysteron::audit::{AuditOptions, audit};
use hysteron::card::Learn;
use hysteron::law::MaterialLaw;
use hysteron::learned::LearnedLaw;
use hysteron::recurrent::Clock;

/// The laws that guarantee something.
fn guaranteed(claims: impl Fn(&LearnedLaw) -> bool) -> Vec<(String, LearnedLaw)> {
    let laws = learned_laws(0).into_iter();
    laws.filter(|(_, law)| claims(law)).collect()
}

/// The laws whose guarantee holds where an increment is taken in several updates.
fn in_parts() -> Vec<(String, LearnedLaw)> {
    let mut list = Vec::new();
    for components in [1, 3, 6] {
        let learn = Learn {
            law: "relaxation".into(),
            clock: Clock::StrainPath,
            substeps: 5,
            ..Learn::default()
        };
        let name = format!("relaxation in parts, {components} components");
        let law = random_law(&name, &learn, components, 0);
        assert!(law.guarantees().second_law);
        list.push((name, law));
    }
    list
}

/// The same law with raw parameters within `±width` of its own.
fn with_noise(name: &str, law: &LearnedLaw, random: &mut Random, width: f64) -> LearnedLaw {
    let raw = law.raw_parameters().iter();
    let raw = raw.map(|p| p + random.between(-width, width)).collect();
    let (built, layout) = (law.law().clone(), law.layout().clone());
    LearnedLaw::new(name, built, layout, raw, law.normalisation().clone()).unwrap()
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
                        assert!(width > 1.0, "{name}, weights ± {width:.2}: {error}");
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

#[test]
fn the_stress_of_an_isotropic_law_turns_with_the_strain() {
    let laws = guaranteed(|law| law.guarantees().isotropic && law.components() == 6);
    assert!(laws.len() >= 3 * 3);
    for (name, law) in laws {
        let options = AuditOptions {
            histories: 1,
            growth_increments: 1,
            rotations: 1000,
            ..AuditOptions::default()
        };
        let audit = audit(&law, &options);
        let row = audit.row("objectivity").and_then(|row| row.value).unwrap();
        println!("{name}: {row:.1e}");
        assert!(row < 1e-12, "{name}: {row:e}");
    }
}
