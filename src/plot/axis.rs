//! Ranges, ticks and labels of axes.

/// Scale of an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Division {
    #[default]
    Linear,
    /// Linear with ticks on whole numbers only: epochs, steps.
    Whole,
    /// Logarithmic; every value must be positive.
    Logarithmic,
}

/// Quantity and unit of an axis: `strain ε₁₁ [–]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Axis {
    pub quantity: String,
    /// `–` for a dimensionless quantity, empty for none.
    pub unit: String,
    pub division: Division,
}

impl Axis {
    pub fn linear(quantity: impl Into<String>, unit: impl Into<String>) -> Self {
        Self {
            quantity: quantity.into(),
            unit: unit.into(),
            division: Division::Linear,
        }
    }

    pub fn whole(quantity: impl Into<String>, unit: impl Into<String>) -> Self {
        Self {
            division: Division::Whole,
            ..Self::linear(quantity, unit)
        }
    }

    pub fn logarithmic(quantity: impl Into<String>, unit: impl Into<String>) -> Self {
        Self {
            division: Division::Logarithmic,
            ..Self::linear(quantity, unit)
        }
    }

    /// Quantity and unit, with the common power of ten of the tick labels before the unit.
    fn label(&self, exponent: i32) -> String {
        let unit = match (exponent, self.unit.as_str()) {
            (0, "") => return self.quantity.clone(),
            (0, unit) => unit.to_string(),
            (e, "" | "–") => power_of_ten(e),
            (e, unit) => format!("{} {unit}", power_of_ten(e)),
        };
        format!("{} [{unit}]", self.quantity)
    }
}

/// Minimum and maximum of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub low: f64,
    pub high: f64,
    /// The range starts at the lowest value without padding, as for bars.
    pub grounded: bool,
}

impl Extent {
    pub fn new(low: f64, high: f64) -> Self {
        Self {
            low,
            high,
            grounded: false,
        }
    }

    /// `None` if there are no values.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a f64>) -> Option<Self> {
        values.into_iter().fold(None, |extent, &v| match extent {
            None => Some(Self::new(v, v)),
            Some(e) => Some(e.including(v)),
        })
    }

    pub fn including(self, value: f64) -> Self {
        Self {
            low: self.low.min(value),
            high: self.high.max(value),
            ..self
        }
    }
}

/// The range of an axis with its ticks, ready to be drawn.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    pub ticks: Vec<(f64, String)>,
    pub minor: Vec<f64>,
    pub label: String,
}

/// Padding at either end, as a fraction of the range.
const PADDING: f64 = 0.05;
/// Smaller numbers count as zero.
const LEAST: f64 = 1e-290;

impl Scale {
    /// About `count` ticks over a padded range.
    pub fn new(axis: &Axis, extent: Extent, count: usize) -> Result<Self, String> {
        let Extent { low, high, .. } = extent;
        if !(low.is_finite() && high.is_finite() && (high - low).is_finite()) {
            return Err(format!("{}: the values are too large", axis.quantity));
        }
        match axis.division {
            Division::Logarithmic if low < LEAST => Err(format!(
                "{}: a logarithmic axis cannot show the value {low}",
                axis.quantity
            )),
            Division::Logarithmic => Ok(Self::logarithmic(axis, extent, count)),
            Division::Linear => Ok(Self::linear(axis, extent, count, 0.0)),
            Division::Whole => Ok(Self::linear(axis, extent, count, 1.0)),
        }
    }

    fn linear(axis: &Axis, extent: Extent, count: usize, least_step: f64) -> Self {
        let (low, high) = padded(extent, |v| v);
        let (step, values) = round_values(low, high, count, least_step);
        let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let exponent = match largest {
            0.0 | 1e-2..1e5 => 0,
            _ => 3 * (largest.log10() / 3.0 + 1e-9).floor() as i32,
        };
        let decimals = (f64::from(exponent) - (step.log10() + 1e-9).floor()).max(0.0) as usize;
        let ticks = values
            .into_iter()
            .map(|v| (v, fixed(v * 10f64.powi(-exponent), decimals)))
            .collect();
        Self {
            low,
            high,
            logarithmic: false,
            ticks,
            minor: Vec::new(),
            label: axis.label(exponent),
        }
    }

    fn logarithmic(axis: &Axis, extent: Extent, count: usize) -> Self {
        let (low, high) = padded(extent, f64::log10);
        let decades: Vec<i32> = (low.ceil() as i32..=high.floor() as i32).collect();
        let inside = |v: &f64| (low..=high).contains(&v.log10());
        let multiples = |factors: &[u32]| -> Vec<f64> {
            (low.floor() as i32..=high.floor() as i32)
                .flat_map(|e| factors.iter().map(move |&f| f64::from(f) * 10f64.powi(e)))
                .filter(inside)
                .collect()
        };
        let mut minor = Vec::new();
        let ticks = if decades.len() >= 2 {
            let every = decades.len().div_ceil(count.max(2));
            if every == 1 {
                minor = multiples(&[2, 3, 4, 5, 6, 7, 8, 9]);
            }
            let plain = decades.iter().all(|e| (-2..=3).contains(e));
            let label = |e: i32| match plain {
                true => number(10f64.powi(e)),
                false => power_of_ten(e),
            };
            let kept = decades.iter().filter(|e| *e % every as i32 == 0);
            kept.map(|&e| (10f64.powi(e), label(e))).collect()
        } else {
            let few = multiples(&[1, 2, 5]);
            let all = multiples(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
            let values = match (few.len(), all.len()) {
                (3.., _) => few,
                (_, 3..) => all,
                // Far less than a decade: as on a linear axis.
                _ => round_values(10f64.powf(low), 10f64.powf(high), count, 0.0).1,
            };
            values.into_iter().map(|v| (v, number(v))).collect()
        };
        Self {
            low,
            high,
            logarithmic: true,
            ticks,
            minor,
            label: axis.label(0),
        }
    }

    /// Position of a value in the range: 0 at the lower end, 1 at the upper end.
    pub fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic {
            value.log10()
        } else {
            value
        };
        (value - self.low) / (self.high - self.low)
    }

    /// The ends of the range.
    pub fn ends(&self) -> (f64, f64) {
        match self.logarithmic {
            true => (10f64.powf(self.low), 10f64.powf(self.high)),
            false => (self.low, self.high),
        }
    }
}

/// The range of the axis; `position` maps a value to its position.
fn padded(extent: Extent, position: fn(f64) -> f64) -> (f64, f64) {
    let (low, high) = (position(extent.low), position(extent.high));
    let size = low.abs().max(high.abs());
    let span = match high - low {
        // A constant needs a range of nonzero width.
        span if span <= 1e-9 * size || span < LEAST => match size {
            0.0..LEAST => 1.0,
            size => size,
        },
        span => span,
    };
    let below = if extent.grounded { 0.0 } else { PADDING };
    (low - below * span, high + PADDING * span)
}

/// Round numbers in a range, and their spacing.
fn round_values(low: f64, high: f64, count: usize, least_step: f64) -> (f64, Vec<f64>) {
    let multiples = |step: f64| (low / step).ceil() as i64..=(high / step).floor() as i64;
    let steps = (count..).map(|count| round_step((high - low) / count as f64));
    // At least three ticks, even if the step is finer than requested.
    let step = steps
        .map(|step| step.max(least_step))
        .find(|&step| step <= least_step || multiples(step).count() > 2)
        .unwrap_or(1.0);
    let values = multiples(step).map(|k| k as f64 * step);
    (step, values.collect())
}

/// The next larger of 1, 2, 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let decade = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|f| f * decade >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * decade
}

fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| matches!(c, '0' | '.')) => digits.to_string(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

/// `10⁻³`.
fn power_of_ten(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digits = exponent.unsigned_abs().to_string();
    let digits = digits.bytes().map(|b| DIGITS[usize::from(b - b'0')]);
    let sign = if exponent < 0 { "⁻" } else { "" };
    format!("10{sign}{}", digits.collect::<String>())
}

/// Three significant digits: `12.3`, `0.0123`, `1.23×10⁻⁵`.
pub(super) fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let scientific = format!("{value:.2e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: String| match text.contains('.') {
        true => text
            .trim_end_matches('0')
            .trim_end_matches('.')
            .replace('-', "−"),
        false => text.replace('-', "−"),
    };
    match exponent {
        -3..=4 => trimmed(fixed(value, (2 - exponent).max(0) as usize)),
        _ => match trimmed(mantissa.to_string()).as_str() {
            "1" => power_of_ten(exponent),
            mantissa => format!("{mantissa}×{}", power_of_ten(exponent)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, count: usize) -> (Vec<String>, String) {
        let axis = Axis::linear("strain ε₁₁", "–");
        let scale = Scale::new(&axis, Extent::new(low, high), count).unwrap();
        let labels = scale.ticks.into_iter().map(|(_, label)| label).collect();
        (labels, scale.label)
    }

    #[test]
    fn tick_labels_have_no_rounding_noise() {
        let (ticks, label) = labels(-0.03, 0.03, 6);
        assert_eq!(ticks, ["−0.02", "0.00", "0.02"]);
        assert_eq!(label, "strain ε₁₁ [–]");
        let (ticks, label) = labels(0.0, 4e-7, 5);
        assert_eq!(ticks, ["0", "100", "200", "300", "400"]);
        assert_eq!(label, "strain ε₁₁ [10⁻⁹]");
        assert_eq!(labels(0.0, 3e5, 3).0, ["0", "100", "200", "300"]);
    }

    #[test]
    fn every_range_has_ticks_inside() {
        for low in [-1e300, -1e5, -3.0, -1e-7, 0.0, 1e-308, 7.0, 1e9] {
            for span in [0.0, 1e-320, 1e-12, 1e-3, 1.0, 1e6, 1e200] {
                for division in [Division::Linear, Division::Whole, Division::Logarithmic] {
                    let axis = Axis {
                        division,
                        ..Axis::linear("x", "")
                    };
                    let extent = Extent::new(low, low + span);
                    let Ok(scale) = Scale::new(&axis, extent, 6) else {
                        assert!(division == Division::Logarithmic && low < LEAST);
                        continue;
                    };
                    assert!(scale.ticks.len() <= 14, "{extent:?} {:?}", scale.ticks);
                    let fewest = if division == Division::Whole { 0 } else { 2 };
                    assert!(scale.ticks.len() >= fewest, "{extent:?} {division:?}");
                    for (value, _) in &scale.ticks {
                        let place = scale.place(*value);
                        assert!((-1e-9..=1.0 + 1e-9).contains(&place), "{extent:?} {value}");
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (12.345, "12.3"),
            (-0.5, "−0.5"),
            (0.01, "0.01"),
            (1234.6, "1235"),
            (1e-5, "10⁻⁵"),
            (2.5e-7, "2.5×10⁻⁷"),
            (100.0, "100"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
