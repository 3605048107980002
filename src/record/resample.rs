//! Resampling of records.

use super::reversals::distance;
use super::{MAX_ROWS, Record, counted};
use crate::error::{Error, Result};

/// Limits of one increment, see [`Record::resample_time`]; `f64::INFINITY` for no limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IncrementLimits {
    /// `‖Δε‖`
    pub strain: f64,
    /// Seconds.
    pub time: f64,
    /// `‖Δσ‖`, MPa.
    pub stress: f64,
}

/// Share of the stress range that a thinned record of a law that sees time may skip.
const STRESS_SHARE: f64 = 0.02;

impl Record {
    /// Fewer rows for a law, at most `spacing` apart in strain: [`Record::resample`] for a law that does not see
    /// time, [`Record::resample_time`] for others, which keeps holds and rates; there the stress changes by at
    /// most a fiftieth of its range as well.
    ///
    /// # Errors
    /// Those of the two.
    pub fn thinned(&self, spacing: f64, rate_independent: bool) -> Result<Record> {
        if rate_independent {
            return self.resample(spacing);
        }
        let size = self.stress.iter().fold(0.0f64, |size, s| size.max(s.abs()));
        self.resample_time(&IncrementLimits {
            strain: spacing,
            time: f64::INFINITY,
            stress: if size > 0.0 {
                STRESS_SHARE * size
            } else {
                f64::INFINITY
            },
        })
    }

    /// The record in uniform steps of at most `spacing` along the strain path ‖Δε‖, for
    /// rate-independent laws.
    ///
    /// Start, end and every reversal are kept; between them stress, time and external variables are
    /// interpolated linearly. A step ends at a distance of `spacing` from its start, so that noise
    /// below `spacing` does not lengthen the path and rows with equal strain merge. Holds are lost: use
    /// [`Record::resample_time`] for rate-dependent laws.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the record does not pass [`Record::check`], or if `spacing` is not
    /// positive or so small that the record would have more than [`MAX_ROWS`] rows.
    pub fn resample(&self, spacing: f64) -> Result<Record> {
        self.check()?;
        if !(spacing.is_finite() && spacing > 0.0) {
            return Err(Error::invalid(format!(
                "record `{}`: spacing {spacing} is not a positive strain",
                self.name
            )));
        }
        let mut positions = vec![Position::row(0)];
        let mut start = 0;
        for end in self.reversals().into_iter().chain([self.rows() - 1]) {
            if end > start {
                self.divide(start, end, spacing, &mut positions)?;
                positions.push(Position::row(end));
                start = end;
            }
        }
        Ok(self.at_positions(&positions))
    }

    /// Drops redundant rows, for rate-dependent laws: nothing is interpolated and holds are kept.
    ///
    /// A row is dropped if the remaining neighbours are within `limits` of each other, and linear
    /// interpolation in time between them has an error of at most a quarter of the limits of strain and
    /// stress. The corner between ramp and hold is therefore kept, as are start, end and all reversals.
    /// Rows further apart than the limits are kept.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the record does not pass [`Record::check`] or a limit is not positive.
    pub fn resample_time(&self, limits: &IncrementLimits) -> Result<Record> {
        self.check()?;
        for (what, limit) in [
            ("strain", limits.strain),
            ("time", limits.time),
            ("stress", limits.stress),
        ] {
            if limit.is_nan() || limit <= 0.0 {
                return Err(Error::invalid(format!(
                    "record `{}`: the limit {limit} of {what} increments is not positive",
                    self.name
                )));
            }
        }
        let mut anchors = self.reversals().into_iter().peekable();
        let mut kept = vec![Position::row(0)];
        let mut sleeve = Sleeve::new(self, 0);
        for row in 1..self.rows() {
            if !sleeve.reaches(self, row, limits) {
                let last = row - 1;
                if last > sleeve.start {
                    kept.push(Position::row(last));
                    sleeve = Sleeve::new(self, last);
                }
                // A single increment beyond the limits: its end is kept.
                if !sleeve.reaches(self, row, limits) {
                    kept.push(Position::row(row));
                    sleeve = Sleeve::new(self, row);
                }
            }
            if anchors.next_if_eq(&row).is_some() || row + 1 == self.rows() {
                if sleeve.start != row {
                    kept.push(Position::row(row));
                }
                sleeve = Sleeve::new(self, row);
            } else if sleeve.start != row {
                sleeve.narrow(self, row, limits);
            }
        }
        Ok(self.at_positions(&kept))
    }

    /// Positions within the rows `start..=end` that divide the path into uniform steps.
    fn divide(
        &self,
        start: usize,
        end: usize,
        spacing: f64,
        out: &mut Vec<Position>,
    ) -> Result<()> {
        let (count, rest) = self.walk(start, end, spacing, &mut Vec::new(), out.len())?;
        let total = count as f64 * spacing + rest;
        let steps = (total / spacing - 1e-9).ceil().max(1.0);
        let even = total / steps;
        if steps > 1.0 {
            let before = out.len();
            let (count, rest) = self.walk(start, end, even, out, before)?;
            // Round-off can place a step just before the end point.
            if count > 0 && rest < 0.01 * even {
                out.pop();
            }
        }
        Ok(())
    }

    /// Steps along the path with chords of length `spacing`. Returns the number of steps and the
    /// remaining distance to the end.
    fn walk(
        &self,
        start: usize,
        end: usize,
        spacing: f64,
        out: &mut Vec<Position>,
        rows_before: usize,
    ) -> Result<(usize, f64)> {
        let mut from = self.strain_at(start).to_vec();
        let mut count = 0;
        for row in start..end {
            let (a, b) = (self.strain_at(row), self.strain_at(row + 1));
            let length_squared = distance(a, b).powi(2);
            while let Some(share) = exit(&from, a, b, length_squared, spacing) {
                count += 1;
                if rows_before + count >= MAX_ROWS {
                    return Err(Error::invalid(format!(
                        "record `{}`: spacing {spacing:e} gives more than {MAX_ROWS} rows",
                        self.name
                    )));
                }
                out.push(Position { row, share });
                for (c, value) in from.iter_mut().enumerate() {
                    *value = a[c] + share * (b[c] - a[c]);
                }
            }
        }
        Ok((count, distance(&from, self.strain_at(end))))
    }

    fn at_positions(&self, positions: &[Position]) -> Record {
        let mut record = Record {
            name: self.name.clone(),
            components: self.components,
            timeless: self.timeless,
            external_names: self.external_names.clone(),
            ..Record::default()
        };
        for p in positions {
            let between = |values: &[f64], width: usize, to: &mut Vec<f64>| {
                let old = &values[p.row * width..];
                to.extend((0..width).map(|c| match p.share {
                    0.0 => old[c],
                    share => old[c] + share * (old[width + c] - old[c]),
                }));
            };
            between(&self.time, 1, &mut record.time);
            between(&self.strain, self.components, &mut record.strain);
            between(&self.stress, self.components, &mut record.stress);
            between(
                &self.external,
                self.external_names.len(),
                &mut record.external,
            );
        }
        if self.timeless {
            record.time = counted(positions.len());
        }
        record
    }
}

/// A position on the polyline of a record: a fraction between `row` and the next one.
#[derive(Clone, Copy)]
struct Position {
    row: usize,
    share: f64,
}

impl Position {
    fn row(row: usize) -> Self {
        Self { row, share: 0.0 }
    }
}

/// Per component, the range of slopes in time of lines from a row that pass all later rows within
/// tolerance.
struct Sleeve {
    start: usize,
    /// Strains, then stresses: smallest and largest slope.
    slopes: Vec<(f64, f64)>,
}

impl Sleeve {
    fn new(record: &Record, start: usize) -> Self {
        Self {
            start,
            slopes: vec![(f64::NEG_INFINITY, f64::INFINITY); 2 * record.components],
        }
    }

    fn changes<'a>(&self, record: &'a Record, row: usize) -> impl Iterator<Item = f64> + 'a {
        let start = self.start;
        let strain = record.strain_at(row).iter().zip(record.strain_at(start));
        let stress = record.stress_at(row).iter().zip(record.stress_at(start));
        strain.chain(stress).map(|(new, old)| new - old)
    }

    /// Whether the row is within the limits, and the slope of the line to it within the range.
    fn reaches(&self, record: &Record, row: usize, limits: &IncrementLimits) -> bool {
        let dt = record.time[row] - record.time[self.start];
        let strain = distance(record.strain_at(self.start), record.strain_at(row));
        let stress = distance(record.stress_at(self.start), record.stress_at(row));
        let within = dt <= limits.time && strain <= limits.strain && stress <= limits.stress;
        within
            && self
                .changes(record, row)
                .zip(&self.slopes)
                .all(|(change, &(low, high))| dt == 0.0 || (low * dt..=high * dt).contains(&change))
    }

    fn narrow(&mut self, record: &Record, row: usize, limits: &IncrementLimits) {
        let dt = record.time[row] - record.time[self.start];
        if dt == 0.0 {
            return;
        }
        let n = record.components;
        let changes: Vec<f64> = self.changes(record, row).collect();
        for (c, (change, slope)) in changes.into_iter().zip(&mut self.slopes).enumerate() {
            let limit = if c < n { limits.strain } else { limits.stress };
            let tolerance = 0.25 * limit;
            slope.0 = slope.0.max((change - tolerance) / dt);
            slope.1 = slope.1.min((change + tolerance) / dt);
        }
    }
}

/// The fraction of the segment from `a` to `b` at which it leaves the ball of `radius` around
/// `centre`.
fn exit(centre: &[f64], a: &[f64], b: &[f64], length_squared: f64, radius: f64) -> Option<f64> {
    if distance(centre, b) < radius {
        return None;
    }
    let (mut along, mut offset) = (0.0, -radius * radius);
    for c in 0..a.len() {
        along += (b[c] - a[c]) * (a[c] - centre[c]);
        offset += (a[c] - centre[c]).powi(2);
    }
    let root = (along * along - length_squared * offset).max(0.0).sqrt();
    let share = (root - along) / length_squared;
    share.is_finite().then(|| share.clamp(0.0, 1.0))
}
