//! A batch answers bit for bit as its points do one by one, and fails as they do.

mod common;

use common::Random;
use hysteron::error::BatchError;
use hysteron::law::{BatchInput, BatchOutput, Increment, MaterialLaw, Response, Status};
use hysteron::laws::battery;

/// Inputs and outputs of a batch, component-major.
#[derive(Clone, Debug, PartialEq)]
struct Batch {
    points: usize,
    strain_old: Vec<f64>,
    strain_new: Vec<f64>,
    dt: Vec<f64>,
    state: Vec<f64>,
    state_new: Vec<f64>,
    stress: Vec<f64>,
    tangent: Vec<f64>,
    energy: Vec<f64>,
    dissipation: Vec<f64>,
    status: Vec<Status>,
}

/// What an output holds before anything is written to it.
const UNTOUCHED: f64 = 7.25;

impl Batch {
    fn new(law: &dyn MaterialLaw, points: usize) -> Self {
        let (n, virgin) = (law.components(), law.new_state());
        let of = |rows: usize, value: f64| vec![value; rows * points];
        Self {
            points,
            strain_old: of(n, 0.0),
            strain_new: of(n, 0.0),
            dt: of(1, law.scales().time),
            state: virgin.iter().flat_map(|z| vec![*z; points]).collect(),
            state_new: of(virgin.len(), UNTOUCHED),
            stress: of(n, UNTOUCHED),
            tangent: of(n * n, UNTOUCHED),
            energy: of(1, UNTOUCHED),
            dissipation: of(1, UNTOUCHED),
            status: vec![Status::Outside; points],
        }
    }

    /// Small and large strains next to each other, some points in no time.
    fn load(&mut self, law: &dyn MaterialLaw, random: &mut Random) {
        let scales = law.scales();
        for point in 0..self.points {
            let size = scales.strain * random.decades(-2.0, 0.7);
            for c in 0..law.components() {
                self.strain_new[c * self.points + point] = random.between(-size, size);
            }
            self.dt[point] = if random.chance(0.1) {
                0.0
            } else {
                scales.time * random.decades(-2.0, 2.0)
            };
        }
    }

    fn take(&mut self) {
        self.strain_old.copy_from_slice(&self.strain_new);
        self.state.copy_from_slice(&self.state_new);
    }

    fn update(&mut self, law: &dyn MaterialLaw) -> Result<(), BatchError> {
        let input = BatchInput {
            points: self.points,
            strain_old: &self.strain_old,
            strain_new: &self.strain_new,
            dt: &self.dt,
            external_old: &[],
            external_new: &[],
            state: &self.state,
        };
        let mut output = BatchOutput {
            state: &mut self.state_new,
            stress: &mut self.stress,
            tangent: &mut self.tangent,
            stored_energy: &mut self.energy,
            dissipation: &mut self.dissipation,
            status: &mut self.status,
        };
        law.update_batch(&input, &mut output)
    }

    /// What a batch shall give.
    fn update_one_by_one(&mut self, law: &dyn MaterialLaw) -> Result<(), BatchError> {
        let (p, n) = (self.points, law.components());
        for point in 0..p {
            let gather = |from: &[f64]| -> Vec<f64> {
                from.iter().skip(point).step_by(p).copied().collect()
            };
            let increment = Increment {
                strain_old: &gather(&self.strain_old),
                strain_new: &gather(&self.strain_new),
                dt: self.dt[point],
                external_old: &[],
                external_new: &[],
            };
            let old = gather(&self.state);
            let (mut new, mut response) = (old.clone(), Response::default());
            law.update(&increment, &old, &mut new, &mut response)
                .map_err(|source| BatchError { point, source })?;
            for (k, value) in new.iter().enumerate() {
                self.state_new[k * p + point] = *value;
            }
            for i in 0..n {
                self.stress[i * p + point] = response.stress[i];
                for j in 0..n {
                    self.tangent[(i * n + j) * p + point] = response.tangent[(i, j)];
                }
            }
            self.energy[point] = response.stored_energy;
            self.dissipation[point] = response.dissipation;
            self.status[point] = response.status;
        }
        Ok(())
    }
}

#[test]
fn a_batch_of_any_length_is_its_points() {
    for (name, law) in battery() {
        let law = law.as_ref();
        let mut random = Random::new(11);
        for points in [0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 31, 32, 33, 47, 64, 101] {
            let mut batch = Batch::new(law, points);
            let mut mixed = false;
            for _ in 0..12 {
                batch.load(law, &mut random);
                let mut singles = batch.clone();
                batch.update(law).unwrap();
                singles.update_one_by_one(law).unwrap();
                assert_eq!(batch, singles, "{name}, {points} points");
                let lossless = |d: &[f64]| d.iter().filter(|d| **d == 0.0).count();
                mixed |= batch
                    .dissipation
                    .chunks(4)
                    .any(|d| d.len() == 4 && lossless(d) == 2);
                batch.take();
            }
            let plastic = name.starts_with("j2") || name.starts_with("perzyna");
            assert!(mixed || !plastic || points < 8, "{name}: no mixed lanes");
        }
    }
}

#[test]
fn a_batch_fails_as_its_first_point_that_fails() {
    for (name, law) in battery() {
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
                let mut batch = Batch::new(law, points);
                batch.load(law, &mut random);
                fault(&mut batch, point);
                // A later point that fails otherwise is not reported.
                batch.dt[70] = -2.0;
                let mut singles = batch.clone();
                let error = batch.update(law).unwrap_err();
                assert_eq!(error.point, point, "{name}: {error}");
                assert_eq!(Err(error), singles.update_one_by_one(law), "{name}");
                // What comes before the point may be written; the point itself is not.
                for (found, old) in [
                    (&batch.energy, UNTOUCHED),
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
    for (name, law) in battery() {
        let law = law.as_ref();
        for row in 0..law.state_layout().len() {
            for value in [f64::NAN, f64::INFINITY] {
                let mut batch = Batch::new(law, 40);
                batch.load(law, &mut Random::new(13));
                batch.state[row * 40 + 33] = value;
                let error = batch.update(law).unwrap_err();
                assert_eq!(error.point, 33, "{name}: {error}");
                assert!(error.source.cut().is_none(), "{name}: {error}");
            }
        }
    }
}
