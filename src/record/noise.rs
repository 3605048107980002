//! Scatter of strain and stress from row to row, against what they change by.

use super::reversals::{REVERSAL_TOLERANCE, distance};
use super::{Record, rounded};

/// Share of the strain path in steps to and fro that is noticeable.
const TO_AND_FRO: f64 = 0.1;
/// Share of the stress range that is a noticeable scatter.
const SCATTER: f64 = 0.01;
/// Scatter over the median change from row to row: 1.05 for scatter alone, 0.8 where both are alike.
const ALIKE: f64 = 0.8;
/// Median of `|x|` of a normal distribution, over its standard deviation.
const MEDIAN: f64 = 0.674_49;
/// Share of the strain range that a spacing against noise may be.
const COARSEST: f64 = 0.2;

/// What the rows of a record hold beside the test.
pub(super) struct Noise {
    /// Share of the strain path that steps to and fro add, 0 to 1.
    pub path: f64,
    /// Typical size of such steps; 0 without any.
    pub step: f64,
    /// Standard deviation of the stress from row to row, MPa.
    pub stress: f64,
    /// Median change of the stress from row to row, MPa.
    pub change: f64,
    /// Largest stress, MPa.
    pub size: f64,
}

impl Noise {
    pub fn of(record: &Record) -> Self {
        let (path, step) = to_and_fro(record);
        let (stress, change) = scatter(record);
        Self {
            path,
            step,
            stress,
            change,
            size: record.stress_size(),
        }
    }

    fn of_strain(&self) -> bool {
        self.path > TO_AND_FRO
    }

    fn of_stress(&self) -> bool {
        self.stress > ALIKE * self.change && self.stress > SCATTER * self.size
    }

    /// What is noisy in strain and in stress, and the spacing that mends it.
    pub fn doubts(&self, record: &Record, rate_independent: bool) -> [Option<String>; 2] {
        let mends = |noisy: fn(&Self) -> bool| {
            let range = record.strain_range();
            let first = rounded(2.0 * self.step.max(range / record.rows() as f64));
            let spacings = (0..12).map(|k| rounded(first * f64::from(1 << k)));
            let mut spacings = spacings.take_while(|s| *s <= COARSEST * range);
            let found = spacings.find(|spacing| {
                let thinned = record.thinned(*spacing, rate_independent);
                thinned.is_ok_and(|thinned| !noisy(&Self::of(&thinned)))
            });
            match found {
                Some(spacing) => format!("--spacing {spacing} takes it out"),
                None => "smooth it first".into(),
            }
        };
        let strain = self.of_strain().then(|| {
            format!(
                "noise in its strain, steps of about {:.1e} to and fro, makes {:.0} % of the strain path: {}",
                self.step,
                100.0 * self.path,
                mends(Self::of_strain)
            )
        });
        let stress = self.of_stress().then(|| {
            format!(
                "its stress scatters by {:.3} MPa and changes by {:.3} MPa from row to row: {}",
                self.stress,
                self.change,
                mends(Self::of_stress)
            )
        });
        [strain, stress]
    }
}

/// Share of the strain path in steps to and fro, and their typical size. They count where the stress does not go
/// with them, and up to the size of a reversal: a material that is strained back answers.
fn to_and_fro(record: &Record) -> (f64, f64) {
    let tolerance = REVERSAL_TOLERANCE * record.strain_range();
    let (mut path, mut sizes) = (0.0, Vec::new());
    let mut last: Option<(usize, f64, bool)> = None;
    for row in 1..record.rows() {
        let length = distance(record.strain_at(row - 1), record.strain_at(row));
        if length == 0.0 {
            continue;
        }
        path += length;
        let stresses = record.stress_at(row).iter().zip(record.stress_at(row - 1));
        let strains = record.strain_at(row).iter().zip(record.strain_at(row - 1));
        let work = stresses
            .zip(strains)
            .map(|((s, t), (e, f))| (s - t) * (e - f));
        let goes = work.sum::<f64>() > 0.0;
        if let Some((before, size, went)) = last {
            let size = length.min(size);
            let back = advance(record, [before - 1, before, row]) < 0.0;
            if back && size < tolerance && !(goes && went) {
                sizes.push(size);
            }
        }
        last = Some((row, length, goes));
    }
    let share = if path > 0.0 {
        sizes.iter().sum::<f64>() / path
    } else {
        0.0
    };
    (share, median(sizes))
}

/// Scalar product of the strain increments between three rows.
fn advance(record: &Record, rows: [usize; 3]) -> f64 {
    let [a, b, c] = rows.map(|row| record.strain_at(row));
    (0..record.components)
        .map(|i| (b[i] - a[i]) * (c[i] - b[i]))
        .sum()
}

/// Standard deviation of the stress about a smooth course, by third differences, and its median change, from row
/// to row, MPa.
fn scatter(record: &Record) -> (f64, f64) {
    // Rows that repeat the strain before are as a rule repeated readings.
    let moves = |row: &usize| *row == 0 || record.strain_at(*row) != record.strain_at(row - 1);
    let rows: Vec<_> = (0..record.rows()).filter(moves).collect();
    let difference = |rows: &[usize], weights: &[f64]| {
        let of = |c: usize| {
            let stresses = rows.iter().map(|row| record.stress_at(*row)[c]);
            stresses.zip(weights).map(|(s, w)| s * w).sum::<f64>().abs()
        };
        (0..record.components).map(of).collect::<Vec<_>>()
    };
    // Where the strain goes on its way, so that the stress has no reason to turn.
    let goes_on = |w: &&[usize]| {
        w.windows(3)
            .all(|r| advance(record, [r[0], r[1], r[2]]) > 0.0)
    };
    let thirds = rows.windows(4).filter(goes_on);
    let thirds = thirds.flat_map(|w| difference(w, &[1.0, -3.0, 3.0, -1.0]));
    let changes = rows.windows(2).flat_map(|w| difference(w, &[1.0, -1.0]));
    let scatter = median(thirds.collect()) / MEDIAN / 20f64.sqrt();
    (scatter, median(changes.collect()))
}

/// 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    match values.is_empty() {
        true => 0.0,
        false => *values.select_nth_unstable_by(middle, f64::total_cmp).1,
    }
}
