//! A batch answers bit for bit as its points do one by one, and fails as they do.

mod common;

use common::Random;
use hysteron::error::BatchError;
use hysteron::law::{Batch, Increment, MaterialLaw, Response, Status};
use hysteron::laws::example_laws;

/// What an output holds before anything is written to it.
const UNTOUCHED: f64 = 7.25;

fn untouched(law: &dyn MaterialLaw, points: usize) -> Batch {
    let mut batch = Batch::new(law, points);
    batch.dt.fill(law.scales().time);
    batch.status.fill(Status::Outside);
    for output in [
        &mut batch.state_new,
        &mut batch.stress,
        &mut batch.tangent,
        &mut batch.stored_energy,
        &mut batch.dissipation,
    ] {
        output.fill(UNTOUCHED);
    }
    batch
}

/// Small and large strains next to each other, some points in no time.
fn load(batch: &mut Batch, law: &dyn MaterialLaw, random: &mut Random) {
    let scales = law.scales();
    for point in 0..batch.points {
        let size = scales.strain * random.decades(-2.0, 0.7);
        for c in 0..law.components() {
            batch.strain_new[c * batch.points + point] = random.between(-size, size);
        }
        batch.dt[point] = if random.chance(0.1) {
            0.0
        } else {
            scales.time * random.decades(-2.0, 2.0)
        };
    }
}

/// What a batch shall give.
fn update_one_by_one(batch: &mut Batch, law: &dyn MaterialLaw) -> Result<(), BatchError> {
    let (p, n) = (batch.points, law.components());
    for point in 0..p {
        let gather =
            |from: &[f64]| -> Vec<f64> { from.iter().skip(point).step_by(p).copied().collect() };
        let increment = Increment {
            strain_old: &gather(&batch.strain_old),
            strain_new: &gather(&batch.strain_new),
            dt: batch.dt[point],
            external_old: &[],
            external_new: &[],
        };
        let old = gather(&batch.state_old);
        let (mut new, mut response) = (old.clone(), Response::default());
        law.update(&increment, &old, &mut new, &mut response)
            .map_err(|source| BatchError { point, source })?;
        for (k, value) in new.iter().enumerate() {
            batch.state_new[k * p + point] = *value;
        }
        for i in 0..n {
            batch.stress[i * p + point] = response.stress[i];
            for j in 0..n {
                batch.tangent[(i * n + j) * p + point] = response.tangent[(i, j)];
            }
        }
        batch.stored_energy[point] = response.stored_energy;
        batch.dissipation[point] = response.dissipation;
        batch.status[point] = response.status;
    }
    Ok(())
}

#[test]
fn a_batch_of_any_length_is_its_points() {
    for (name, law) in example_laws() {
        let law = law.as_ref();
        let mut random = Random::new(11);
        for points in [0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 31, 32, 33, 47, 64, 101] {
            let mut batch = untouched(law, points);
            let mut mixed = false;
            for _ in 0..12 {
                load(&mut batch, law, &mut random);
                let mut singles = batch.clone();
                batch.update(law).unwrap();
                update_one_by_one(&mut singles, law).unwrap();
                assert_eq!(batch, singles, "{name}, {points} points");
                let lossless = |d: &[f64]| d.iter().filter(|d| **d == 0.0).count();
                mixed |= batch
                    .dissipation
                    .chunks(4)
                    .any(|d| d.len() == 4 && lossless(d) == 2);
                batch.accept();
            }
            let plastic = name.starts_with("j2") || name.starts_with("perzyna");
            assert!(mixed || !plastic || points < 8, "{name}: no mixed lanes");
        }
    }
}

#[test]
fn a_batch_fails_as_its_first_point_that_fails() {
    for (name, law) in example_laws() {
        let law = law.as_ref();
        let mut random = Random::new(12);
        let points = 71;
        let faults: [fn(&mut Batch, usize); 5] = [
            |batch, point| batch.strain_new[point] = 1e300,
            |batch, point| batch.strain_new[point] = f64::INFINITY,
            |batch, point| batch.strain_old[point] = f64::NEG_INFINITY,
            |batch, point| batch.dt[point] = -1.0,
            |batch, point| batch.dt[point] = f64::INFINITY,
        ];
        for fault in faults {
            for point in [0, 3, 4, 30, 31, 32, 63, 64, 70] {
                let mut batch = untouched(law, points);
                load(&mut batch, law, &mut random);
                fault(&mut batch, point);
                // A later point that fails otherwise is not reported.
                batch.dt[70] = -2.0;
                let mut singles = batch.clone();
                let error = batch.update(law).unwrap_err();
                assert_eq!(error.point, point, "{name}: {error}");
                assert_eq!(Err(error), update_one_by_one(&mut singles, law), "{name}");
                // What comes before the point may be written; the point itself is not.
                for (found, old) in [
                    (&batch.stored_energy, UNTOUCHED),
                    (&batch.dissipation, UNTOUCHED),
                    (&batch.stress, UNTOUCHED),
                    (&batch.tangent, UNTOUCHED),
                    (&batch.state_new, UNTOUCHED),
                ] {
                    let rows = found.chunks_exact(points);
                    rows.for_each(|row| assert_eq!(row[point..], vec![old; points - point]));
                }
            }
        }
    }
}

#[test]
fn a_state_that_is_not_a_number_is_an_error_of_its_point() {
    for (name, law) in example_laws() {
        let law = law.as_ref();
        for row in 0..law.state_layout().len() {
            for value in [f64::NAN, f64::INFINITY] {
                let mut batch = untouched(law, 40);
                load(&mut batch, law, &mut Random::new(13));
                batch.state_old[row * 40 + 33] = value;
                let error = batch.update(law).unwrap_err();
                assert_eq!(error.point, 33, "{name}: {error}");
                assert!(error.source.cut().is_none(), "{name}: {error}");
            }
        }
    }
}

#[cfg(feature = "threads")]
mod threads {
    use super::*;
    use hysteron::law::update_batch_on_threads;

    fn on_threads(batch: &mut Batch, law: &dyn MaterialLaw, n: usize) -> Result<(), BatchError> {
        let (input, mut output) = batch.split();
        update_batch_on_threads(law, &input, &mut output, n)
    }

    fn laws() -> Vec<(String, Box<dyn MaterialLaw>)> {
        let learned = common::learned_laws(0).into_iter();
        let learned = learned.map(|(name, law)| (name, Box::new(law) as Box<dyn MaterialLaw>));
        let classical = example_laws().into_iter();
        let classical = classical.map(|(name, law)| (name.to_string(), law));
        classical.chain(learned).collect()
    }

    #[test]
    fn any_number_of_threads_gives_the_same_batch() {
        for (name, law) in laws() {
            let mut random = Random::new(14);
            for points in [0, 1, 255, 700] {
                let mut batch = untouched(law.as_ref(), points);
                load(&mut batch, law.as_ref(), &mut random);
                let mut plain = batch.clone();
                plain.update(law.as_ref()).unwrap();
                for threads in [0, 1, 2, 3, 64] {
                    let mut threaded = batch.clone();
                    on_threads(&mut threaded, law.as_ref(), threads).unwrap();
                    assert_eq!(
                        threaded, plain,
                        "{name}, {points} points, {threads} threads"
                    );
                }
            }
        }
    }

    #[test]
    fn the_first_point_that_fails_is_reported() {
        for (name, law) in laws() {
            let mut batch = untouched(law.as_ref(), 1500);
            load(&mut batch, law.as_ref(), &mut Random::new(15));
            batch.dt[1400] = -1.0;
            batch.dt[700] = -2.0;
            let (old, state) = (batch.strain_old.clone(), batch.state_old.clone());
            let expected = batch.clone().update(law.as_ref()).unwrap_err();
            assert_eq!(expected.point, 700, "{name}");
            let found = on_threads(&mut batch, law.as_ref(), 3).unwrap_err();
            assert_eq!(found, expected, "{name}");
            assert!(
                batch.strain_old == old && batch.state_old == state,
                "{name}"
            );
            // The memory of the threads is as good as new.
            batch.dt.fill(law.scales().time);
            let mut plain = batch.clone();
            plain.update(law.as_ref()).unwrap();
            on_threads(&mut batch, law.as_ref(), 3).unwrap();
            assert_eq!(batch, plain, "{name}");
        }
    }

    #[test]
    fn arrays_of_a_wrong_length_are_an_error() {
        let (_, law) = example_laws().remove(0);
        let mut batch = untouched(law.as_ref(), 600);
        batch.tangent.pop();
        let error = on_threads(&mut batch, law.as_ref(), 2).unwrap_err();
        assert!(error.to_string().contains("tangent"), "{error}");
    }
}
