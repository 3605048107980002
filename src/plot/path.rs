//! Thinning and dashing of lines.

use super::page::Point;

/// Of consecutive points within a quarter of a pixel's width, keeps the first, the highest, the lowest
/// and the last, so that no peak is lost.
pub(super) fn thinned(points: Vec<Point>) -> Vec<Point> {
    if points.len() < 2000 {
        return points;
    }
    let column = |p: &Point| (4.0 * p.0).floor();
    let mut kept = Vec::new();
    for run in points.chunk_by(|a, b| column(a) == column(b)) {
        let (mut low, mut high) = (0, 0);
        for (k, point) in run.iter().enumerate() {
            if point.1 < run[low].1 {
                low = k;
            }
            if point.1 > run[high].1 {
                high = k;
            }
        }
        let mut chosen = [0, low, high, run.len() - 1];
        chosen.sort_unstable();
        for (i, &k) in chosen.iter().enumerate() {
            if i == 0 || chosen[i - 1] != k {
                kept.push(run[k]);
            }
        }
    }
    kept
}

/// Cuts a line into the strokes of a dash pattern.
pub(super) fn strokes(points: &[Point], lengths: &[f64]) -> Vec<Vec<Point>> {
    let mut all = Vec::new();
    let Some(&first) = points.first() else {
        return all;
    };
    let (mut current, mut entry, mut left) = (vec![first], 0, lengths[0]);
    for pair in points.windows(2) {
        let [(ax, ay), (bx, by)] = [pair[0], pair[1]];
        let length = (bx - ax).hypot(by - ay);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let at = (
                ax + (bx - ax) * done / length,
                ay + (by - ay) * done / length,
            );
            if entry % 2 == 0 {
                current.push(at);
                all.push(std::mem::take(&mut current));
            } else {
                current = vec![at];
            }
            entry = (entry + 1) % lengths.len();
            left = lengths[entry];
        }
        left -= length - done;
        if entry % 2 == 0 {
            current.push((bx, by));
        }
    }
    all.push(current);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_a_single_peak() {
        let mut points: Vec<Point> = (0..100_000).map(|k| (k as f64 * 0.01, 0.0)).collect();
        points[31_234].1 = 700.0;
        points[77_777].1 = -5.0;
        let kept = thinned(points.clone());
        assert!(kept.len() < 20_000);
        for peak in [31_234, 77_777] {
            assert!(kept.contains(&points[peak]));
        }
        assert_eq!(kept.first(), points.first());
        assert_eq!(kept.last(), points.last());
    }
}
