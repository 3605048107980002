//! Errors of a law on records, free-running.

use hysteron::Result;
use hysteron::driver::follow;
use hysteron::evaluate::evaluate;
use hysteron::law::MaterialLaw;
use hysteron::record::Record;

/// Root mean square over all rows and components, MPa.
pub fn rmse(law: &dyn MaterialLaw, records: &[Record]) -> Result<f64> {
    let (mut squares, mut count) = (0.0, 0);
    for record in records {
        let values = record.stress.len();
        squares += evaluate(law, record)?.rmse.powi(2) * values as f64;
        count += values;
    }
    Ok((squares / count as f64).sqrt())
}

/// Root mean square over the range of the record's stress, mean over the records, %.
pub fn nrmse(law: &dyn MaterialLaw, records: &[Record]) -> Result<f64> {
    let mut sum = 0.0;
    for record in records {
        sum += 100.0 * evaluate(law, record)?.nrmse.unwrap_or(f64::NAN);
    }
    Ok(sum / records.len() as f64)
}

/// Mean absolute relative error, %, over the rows with nonzero strain; the virgin state has no stress.
pub fn mare(law: &dyn MaterialLaw, records: &[Record]) -> Result<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for record in records {
        let answer = follow(law, record)?.record;
        for row in (0..record.rows()).filter(|row| record.strain_at(*row)[0] != 0.0) {
            let (predicted, measured) = (answer.stress_at(row)[0], record.stress_at(row)[0]);
            sum += 100.0 * ((predicted - measured) / measured).abs();
            count += 1;
        }
    }
    Ok(sum / f64::from(count))
}
