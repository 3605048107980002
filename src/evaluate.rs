//! Scores of a law: how well it predicts the stresses of test records from their strains, or the strains from
//! their stresses.

use crate::driver::{Curve, follow};
use crate::error::{Error, Result};
use crate::law::{MaterialLaw, Status};
use crate::mandel::{Mandel, deviator, trace};
use crate::record::Record;
use serde::Serialize;

/// What a law answers with, and is compared in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// MPa, from the strains.
    #[default]
    Stress,
    /// From the stresses, in the components driven by them.
    Strain,
}

impl Quantity {
    /// What a prediction is compared in.
    pub fn of(curve: &Curve) -> Self {
        match curve.stress_controlled.is_empty() {
            true => Self::Stress,
            false => Self::Strain,
        }
    }
}

/// The scores of a law on one record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Of the record.
    pub name: String,
    pub rows: usize,
    /// What is compared: the stress in all components, or the strain in those that are driven by stress.
    pub quantity: Quantity,
    /// [`rmse`] over all rows and components compared, in MPa or a strain. Shear components count as they are in
    /// Mandel's notation.
    pub rmse: f64,
    /// `rmse` over the range of the measured values; `None` where that is zero.
    pub nrmse: Option<f64>,
    /// [`r2`] over all rows and components; `None` where no measured component varies.
    pub r2: Option<f64>,
    /// Smallest `D_end` of a step, MJ/m³; zero where the record has no step.
    pub min_dissipation: f64,
    /// Share of the steps that [break the second law](crate::law::breaks_second_law), 0 to 1.
    pub negative_share: f64,
    /// Share of the rows that are outside the trained range of the law, 0 to 1.
    pub outside_share: f64,
    /// In what the first of them is outside.
    pub departure: Option<String>,
    /// Pressure and deviator on their own, where stresses of six components are compared.
    pub split: Option<SplitError>,
}

/// The error of a stress of six components, split. A stiff response to volume changes makes pressures so large
/// that they hide the deviator, which yields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SplitError {
    /// Root mean square error of `tr σ/3`, MPa.
    pub pressure: f64,
    /// Largest measured `|tr σ/3|`, MPa.
    pub largest_pressure: f64,
    /// Root mean square of von Mises' equivalent `√(3/2)|s|` of the error of the deviator `s`, MPa.
    pub deviator: f64,
    /// Largest measured equivalent stress, MPa.
    pub largest_equivalent: f64,
}

impl SplitError {
    /// `None` for other than six components.
    fn of(record: &Record, curve: &Curve) -> Option<Self> {
        if record.components != 6 || curve.record.components != 6 {
            return None;
        }
        let parts = |stress: &Mandel| {
            let equivalent = (1.5f64).sqrt() * deviator(stress).norm();
            [trace(stress) / 3.0, equivalent]
        };
        let (mut squares, mut largest) = ([0.0; 2], [0.0f64; 2]);
        for row in 0..record.rows() {
            let stress = |record: &Record| Mandel::from_column_slice(record.stress_at(row));
            let measured = stress(record);
            let (error, size) = (parts(&(stress(&curve.record) - measured)), parts(&measured));
            for part in 0..2 {
                squares[part] += error[part].powi(2);
                largest[part] = largest[part].max(size[part].abs());
            }
        }
        let [pressure, deviator] = squares.map(|sum| (sum / record.rows() as f64).sqrt());
        Some(Self {
            pressure,
            largest_pressure: largest[0],
            deviator,
            largest_equivalent: largest[1],
        })
    }
}

/// Means of scores; of `nrmse` and `r2`, over the records that have them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanScore {
    pub rows: f64,
    pub rmse: f64,
    pub nrmse: Option<f64>,
    pub r2: Option<f64>,
    pub min_dissipation: f64,
    pub negative_share: f64,
    pub outside_share: f64,
}

/// Follows the strains of a record, free-running from the virgin state, and compares the stresses.
///
/// # Errors
/// Those of [`follow`] and [`score`].
pub fn evaluate(law: &dyn MaterialLaw, record: &Record) -> Result<Score> {
    score(record, &follow(law, record)?)
}

/// Compares a prediction with the record that it follows: stresses, or strains where it follows stresses.
///
/// # Errors
/// [`Error::Invalid`] where the record does not pass [`Record::check`], the curve has other rows or
/// components, or squares overflow.
pub fn score(record: &Record, curve: &Curve) -> Result<Score> {
    record.check()?;
    let quantity = Quantity::of(curve);
    let n = record.components;
    let compared = |record: &Record| match quantity {
        Quantity::Stress => record.stress.clone(),
        Quantity::Strain => {
            let rows = record.strain.chunks_exact(n);
            let driven = |row: &[f64]| curve.stress_controlled.iter().map(|c| row[*c]).collect();
            rows.flat_map(|row| -> Vec<f64> { driven(row) }).collect()
        }
    };
    let components = match quantity {
        Quantity::Stress => n,
        Quantity::Strain => curve.stress_controlled.len(),
    };
    if curve.record.components != n || curve.record.rows() != record.rows() {
        return Err(Error::invalid(format!(
            "record `{}`: its prediction has other rows or components",
            record.name
        )));
    }
    let (measured, predicted) = (&compared(record), &compared(&curve.record));
    let squares = squared_errors(measured, predicted) + squared_deviations(measured, components);
    if !squares.is_finite() {
        return Err(Error::invalid(format!(
            "record `{}`: its stresses are too large to be squared",
            record.name
        )));
    }
    let rmse = rmse(measured, predicted);
    let (low, high) = measured
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), s| {
            (low.min(*s), high.max(*s))
        });
    let steps = curve.steps();
    let negative = &curve.negative_dissipation()[steps.clone()];
    let count = negative.iter().filter(|n| **n).count();
    let outside = curve.status.iter().filter(|s| **s == Status::Outside);
    let smallest = curve.dissipation[steps]
        .iter()
        .fold(f64::INFINITY, |least, d| least.min(*d));
    Ok(Score {
        name: record.name.clone(),
        rows: record.rows(),
        quantity,
        rmse,
        nrmse: (high > low).then(|| rmse / (high - low)),
        r2: r2(measured, predicted, components),
        min_dissipation: if negative.is_empty() { 0.0 } else { smallest },
        negative_share: count as f64 / negative.len().max(1) as f64,
        outside_share: outside.count() as f64 / curve.status.len().max(1) as f64,
        departure: curve.departure.as_ref().map(ToString::to_string),
        split: SplitError::of(record, curve).filter(|_| quantity == Quantity::Stress),
    })
}

/// Root mean square error of predicted values.
pub fn rmse(measured: &[f64], predicted: &[f64]) -> f64 {
    (squared_errors(measured, predicted) / measured.len() as f64).sqrt()
}

/// Coefficient of determination of predicted values, `[rows][components]`:
///
/// ```text
/// R² = 1 − Σ_r Σ_c (m_rc − p_rc)² / Σ_r Σ_c (m_rc − m̄_c)²,    m̄_c the mean of component c
/// ```
///
/// 1 for a perfect prediction, 0 for that of the means, negative for a worse one; it is not the square of
/// a correlation. `None` where no measured component varies.
pub fn r2(measured: &[f64], predicted: &[f64], components: usize) -> Option<f64> {
    let deviations = squared_deviations(measured, components);
    (deviations > 0.0).then(|| 1.0 - squared_errors(measured, predicted) / deviations)
}

fn squared_errors(measured: &[f64], predicted: &[f64]) -> f64 {
    let pairs = measured.iter().zip(predicted);
    pairs.map(|(m, p)| (m - p).powi(2)).sum()
}

/// Squared deviations from the mean of each component. A component that does not vary contributes exactly
/// zero, whatever the round-off of its mean.
fn squared_deviations(values: &[f64], components: usize) -> f64 {
    let rows = values.len() / components;
    let component = |c: usize| values.iter().skip(c).step_by(components);
    (0..components)
        .filter(|&c| component(c).any(|value| *value != values[c]))
        .map(|c| {
            let mean = component(c).sum::<f64>() / rows as f64;
            component(c)
                .map(|value| (value - mean).powi(2))
                .sum::<f64>()
        })
        .sum()
}

/// The means of some scores; `None` of none.
pub fn mean(scores: &[Score]) -> Option<MeanScore> {
    let average = |values: &mut dyn Iterator<Item = f64>| {
        let (count, sum) = values.fold((0usize, 0.0), |(n, sum), v| (n + 1, sum + v));
        (count > 0).then(|| sum / count as f64)
    };
    Some(MeanScore {
        rows: average(&mut scores.iter().map(|s| s.rows as f64))?,
        rmse: average(&mut scores.iter().map(|s| s.rmse))?,
        nrmse: average(&mut scores.iter().filter_map(|s| s.nrmse)),
        r2: average(&mut scores.iter().filter_map(|s| s.r2)),
        min_dissipation: average(&mut scores.iter().map(|s| s.min_dissipation))?,
        negative_share: average(&mut scores.iter().map(|s| s.negative_share))?,
        outside_share: average(&mut scores.iter().map(|s| s.outside_share))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::{IsotropicParameters, ReferenceLaw};

    fn elastic() -> Box<dyn MaterialLaw> {
        let parameters = IsotropicParameters {
            young: 200e3,
            poisson: 0.3,
        };
        ReferenceLaw::IsotropicElastic(parameters).build(1).unwrap()
    }

    fn record(strain: &[f64], stress: &[f64]) -> Record {
        Record {
            name: "r".into(),
            components: 1,
            time: (0..strain.len()).map(|k| k as f64).collect(),
            strain: strain.to_vec(),
            stress: stress.to_vec(),
            ..Record::default()
        }
    }

    #[test]
    fn a_perfect_prediction_has_no_error() {
        let law = elastic();
        let record = follow(law.as_ref(), &record(&[0.0, 1e-3, -1e-3], &[0.0; 3]));
        let score = evaluate(law.as_ref(), &record.unwrap().record).unwrap();
        assert_eq!((score.rows, score.rmse), (3, 0.0));
        assert_eq!((score.nrmse, score.r2), (Some(0.0), Some(1.0)));
        assert_eq!((score.min_dissipation, score.negative_share), (0.0, 0.0));
    }

    #[test]
    fn errors_are_those_of_the_definitions() {
        let law = elastic();
        // Predicted: 0, 200, 400 MPa.
        let record = record(&[0.0, 1e-3, 2e-3], &[0.0, 100.0, 500.0]);
        let score = evaluate(law.as_ref(), &record).unwrap();
        let rmse = (20_000.0f64 / 3.0).sqrt();
        assert!((score.rmse - rmse).abs() < 1e-6, "{score:?}");
        assert!((score.nrmse.unwrap() - rmse / 500.0).abs() < 1e-9);
        let deviations = 140_000.0;
        assert!((score.r2.unwrap() - (1.0 - 20_000.0 / deviations)).abs() < 1e-9);
        let other = Score {
            rmse: 0.0,
            r2: None,
            ..score.clone()
        };
        let mean = mean(&[score.clone(), other]).unwrap();
        assert_eq!((mean.rmse, mean.r2), (0.5 * score.rmse, score.r2));
    }

    /// 10 MPa of pressure and 6 MPa of shear are seen apart.
    #[test]
    fn pressure_and_deviator_are_told_apart() {
        let mut record = Record {
            name: "r".into(),
            components: 6,
            time: vec![0.0, 1.0],
            strain: vec![0.0; 12],
            stress: vec![0.0; 12],
            ..Record::default()
        };
        record.stress[6..9].fill(300.0);
        record.stress[9] = 2.0f64.sqrt() * 40.0;
        let mut curve = Curve {
            record: record.clone(),
            ..Curve::default()
        };
        curve.record.stress[6..9].fill(310.0);
        curve.record.stress[9] = 2.0f64.sqrt() * 34.0;
        let split = SplitError::of(&record, &curve).unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(near(split.pressure, 10.0 / 2.0f64.sqrt()), "{split:?}");
        assert!(near(split.largest_pressure, 300.0), "{split:?}");
        assert!(near(split.deviator, 6.0 * 1.5f64.sqrt()), "{split:?}");
        assert!(
            near(split.largest_equivalent, 40.0 * 3.0f64.sqrt()),
            "{split:?}"
        );
    }

    #[test]
    fn constant_stress_has_no_range() {
        let law = elastic();
        let score = evaluate(law.as_ref(), &record(&[0.0, 1e-3], &[5.0, 5.0])).unwrap();
        assert_eq!((score.nrmse, score.r2), (None, None));
        // The mean of three times 0.1 is not 0.1.
        assert_eq!(r2(&[0.1; 3], &[0.0; 3], 1), None);
        assert!(mean(&[]).is_none());
    }

    #[test]
    fn each_component_deviates_from_its_own_mean() {
        let measured = [0.0, 100.0, 2.0, 104.0];
        assert_eq!(r2(&measured, &[1.0, 102.0, 1.0, 102.0], 2), Some(0.0));
        assert_eq!(r2(&measured, &measured, 2), Some(1.0));
        assert_eq!(rmse(&measured, &[1.0, 99.0, 3.0, 105.0]), 1.0);
    }

    #[test]
    fn negative_dissipation_counts_beyond_round_off_and_from_the_first_step() {
        let law = elastic();
        let record = record(&[1e-3, 2e-3, 3e-3, 4e-3], &[0.0; 4]);
        let mut curve = follow(law.as_ref(), &record).unwrap();
        curve.dissipation = vec![-1e-3, 1e-3, -1e-30, 0.0];
        let score = score(&record, &curve).unwrap();
        assert_eq!(score.negative_share, 0.25);
        assert_eq!(score.min_dissipation, -1e-3);
    }
}
