//! Reversals of a strain path.

use super::Record;

/// Reversals smaller than this fraction of the record's strain range are noise.
pub const REVERSAL_TOLERANCE: f64 = 0.02;

/// With several components, a change of direction by more than 60° is a reversal.
const REVERSAL_COSINE: f64 = 0.5;

impl Record {
    /// Diagonal of the bounding box of all strains; with one component, max − min.
    pub fn strain_range(&self) -> f64 {
        let n = self.components;
        let (mut low, mut high) = (vec![f64::INFINITY; n], vec![f64::NEG_INFINITY; n]);
        for row in 0..self.rows() {
            for (c, &e) in self.strain_at(row).iter().enumerate() {
                low[c] = low[c].min(e);
                high[c] = high[c].max(e);
            }
        }
        match self.rows() {
            0 => 0.0,
            _ => distance(&low, &high),
        }
    }

    /// Rows of strain reversal: with one component a change of sign of the strain increment, with
    /// several a change of direction by more than 60°. Reversals within [`REVERSAL_TOLERANCE`] of the
    /// strain range are noise. The first and the last row are not reversals.
    pub fn reversals(&self) -> Vec<usize> {
        self.reversals_above(REVERSAL_TOLERANCE * self.strain_range())
    }

    /// [`Record::reversals`] with an absolute tolerance in strain.
    pub fn reversals_above(&self, tolerance: f64) -> Vec<usize> {
        match self.components {
            1 => turning_points(&self.strain, tolerance),
            _ => self.corners(tolerance),
        }
    }

    /// The initial loading and the `cycles` full cycles after it, each of two reversals: every row
    /// up to reversal `2·cycles` after the one that ends the initial loading. The whole record if it
    /// has fewer.
    pub fn first_cycles(&self, cycles: usize) -> Record {
        let last = cycles.saturating_mul(2);
        match self.reversals().get(last) {
            Some(&row) => self.truncated(row + 1),
            None => self.clone(),
        }
    }

    /// Corners of a path with several components.
    fn corners(&self, tolerance: f64) -> Vec<usize> {
        if self.rows() < 3 {
            return Vec::new();
        }
        // Vertices at least half the tolerance apart describe the shape without the noise.
        let mut vertices = vec![0];
        for row in 1..self.rows() {
            let last = vertices[vertices.len() - 1];
            let moved = distance(self.strain_at(last), self.strain_at(row));
            if moved > 0.0 && moved >= 0.5 * tolerance {
                vertices.push(row);
            }
        }
        let step =
            |k: usize| distance(self.strain_at(vertices[k]), self.strain_at(vertices[k + 1]));
        let mut corners: Vec<usize> = Vec::new();
        let mut sharpest = 1.0;
        let mut corner_at: Option<usize> = None;
        for k in 1..vertices.len().saturating_sub(1) {
            let (mut before, mut after) = (k - 1, k + 1);
            let (mut behind, mut ahead) = (step(before), step(k));
            while behind < tolerance && before > 0 {
                before -= 1;
                behind += step(before);
            }
            while ahead < tolerance && after + 1 < vertices.len() {
                ahead += step(after);
                after += 1;
            }
            let [a, b, c] = [before, k, after].map(|v| self.strain_at(vertices[v]));
            let cosine = turn_cosine(a, b, c);
            if cosine >= REVERSAL_COSINE {
                continue;
            }
            let row = self.apex(vertices[before], vertices[after]);
            match corner_at {
                // Neighbouring vertices detect the same corner: the sharpest one counts.
                Some(last) if k - last <= 2 && before < last => {
                    if cosine < sharpest {
                        corners.pop();
                        corners.push(row);
                        (sharpest, corner_at) = (cosine, Some(k));
                    }
                }
                _ => {
                    corners.push(row);
                    (sharpest, corner_at) = (cosine, Some(k));
                }
            }
        }
        corners.sort_unstable();
        corners.dedup();
        corners
    }

    /// The row between two others with the largest distance from the segment between them.
    fn apex(&self, before: usize, after: usize) -> usize {
        let (a, b) = (self.strain_at(before), self.strain_at(after));
        let detour = |row: usize| {
            let x = self.strain_at(row);
            distance(a, x) + distance(x, b)
        };
        (before + 1..after)
            .max_by(|&i, &j| detour(i).total_cmp(&detour(j)))
            .unwrap_or(before)
    }
}

pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    let differences = a.iter().zip(b).map(|(x, y)| x - y);
    let length = differences.clone().map(|d| d.powi(2)).sum::<f64>().sqrt();
    match length.is_finite() {
        true => length,
        // `hypot` is slower, but does not overflow.
        false => differences.fold(0.0, f64::hypot),
    }
}

/// Cosine of the change of direction at `b` on the path from `a` to `c`.
fn turn_cosine(a: &[f64], b: &[f64], c: &[f64]) -> f64 {
    let product: f64 = (0..b.len()).map(|i| (b[i] - a[i]) * (c[i] - b[i])).sum();
    let lengths = distance(a, b) * distance(b, c);
    if lengths > 0.0 {
        product / lengths
    } else {
        1.0
    }
}

/// Rows in which a scalar history reverses by more than the tolerance.
fn turning_points(values: &[f64], tolerance: f64) -> Vec<usize> {
    let mut turns = Vec::new();
    let (mut low, mut high) = (0, 0);
    let mut direction = 0;
    for (row, &value) in values.iter().enumerate() {
        if direction >= 0 && value > values[high] {
            high = row;
        }
        if direction <= 0 && value < values[low] {
            low = row;
        }
        if direction >= 0 && values[high] - value > tolerance {
            if direction > 0 {
                turns.push(high);
            }
            (direction, low) = (-1, row);
        } else if direction <= 0 && value - values[low] > tolerance {
            if direction < 0 {
                turns.push(low);
            }
            (direction, high) = (1, row);
        }
    }
    turns
}
