//! What fits the records of a training better than what is chosen.

use hysteron::record::{Facts, Record};
use hysteron::recurrent::Architecture;

/// Laws that the leaderboard recommends for nothing.
const BASELINES: [&str; 4] = ["gru", "lstm", "minimal-state", "finite-window"];
/// Mean rows of a record above which fewer may do.
const MANY_ROWS: usize = 500;

/// Options of a training that fit its records better than the chosen ones, each with its reason.
pub fn advice(
    records: &[&Record],
    chosen: &Architecture,
    rate_independent: bool,
    spacing: &[f64],
) -> Vec<String> {
    let facts = Facts::of(records);
    let mut advice = Vec::new();
    let sees = facts.tell_of_time() && facts.timeless == 0;
    if rate_independent && sees {
        advice.push(
            "--clock both for holds and rates (time for a material without lasting strain)".into(),
        );
    }
    // Loading alone does not tell plasticity from damage.
    if BASELINES.contains(&chosen.law.as_str()) && (sees || facts.turning > 0) {
        let law = match sees || chosen.external > 0 {
            true => "relaxation, made for rate and temperature",
            false => "physically-recurrent, which needs the fewest records",
        };
        advice.push(format!("--law {law} ({} is a baseline)", chosen.law));
    }
    let rows: usize = records.iter().map(|record| record.rows()).sum();
    if spacing == [0.0]
        && rows > MANY_ROWS * records.len()
        && let Some(spacing) = records
            .iter()
            .filter_map(|r| r.resolution())
            .reduce(f64::min)
    {
        let fewer = |record: &&Record| {
            let thinned = record.thinned(spacing, rate_independent && !sees);
            thinned.map_or(record.rows(), |thinned| thinned.rows())
        };
        let thinned: usize = records.iter().map(fewer).sum();
        if 2 * thinned < rows {
            advice.push(format!(
                "--spacing {spacing} for {thinned} in place of {rows} rows"
            ));
        }
    }
    advice
}
