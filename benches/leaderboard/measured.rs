//! Measured or externally simulated records, split into fitted, validation and unseen ones.

use crate::score::{mare, nrmse, rmse};
use crate::tasks::Data;
use hysteron::law::MaterialLaw;
use hysteron::record::Record;
use hysteron::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

type Loaded = Result<Option<Data>>;

/// The records of a folder; none if it is absent.
fn records(data: &Path, folder: &str) -> Result<Option<Vec<Record>>> {
    let folder = data.join(folder).join("tests");
    folder
        .is_dir()
        .then(|| Record::from_dir(&folder))
        .transpose()
}

/// Records in the order of their names.
fn named(records: &[Record], names: &[&str]) -> Result<Vec<Record>> {
    let find = |name: &&str| {
        let found = records.iter().find(|r| r.name == **name).cloned();
        found.ok_or_else(|| Error::invalid(format!("there is no record `{name}`")))
    };
    names.iter().map(find).collect()
}

pub fn steel(data: &Path) -> Loaded {
    let Some(all) = records(data, "steel_epfl_resslab")? else {
        return Ok(None);
    };
    let unseen = named(
        &all,
        &["hartloper_S355_HEB500web_C12_raw", "hartloper_HEM320C_LP8"],
    )?;
    Ok(Some(Data {
        fitted: named(&all, &["resspylab_example_1", "resspylab_example_2"])?,
        unseen,
        ..Data::default()
    }))
}

pub fn steel_errors(law: &dyn MaterialLaw, data: &Data) -> Result<Vec<f64>> {
    let each = data.fitted.iter().chain(&data.unseen);
    each.map(|record| rmse(law, std::slice::from_ref(record)))
        .collect()
}

/// Young's modulus of steel, MPa.
const STEEL_MODULUS: f64 = 200e3;

/// Lower bounds of the errors of any law whose tangent does not exceed the modulus: where the rows do
/// not contain a reversal point, the measured stress changes faster.
pub fn steel_bound(data: &Data) -> Vec<f64> {
    let each = data.fitted.iter().chain(&data.unseen);
    each.map(least_error).collect()
}

/// The smallest RMSE of any stress whose increments do not exceed the modulus times the strain
/// increment: the projection on that set, by Gauss–Seidel iterations on its dual with one multiplier per
/// increment. Returns the dual objective, which is a lower bound after any number of iterations.
fn least_error(record: &Record) -> f64 {
    const SWEEPS: usize = 3000;
    let steps = record.strain.windows(2);
    let allowed: Vec<_> = steps.map(|e| STEEL_MODULUS * (e[1] - e[0]).abs()).collect();
    let mut multipliers = vec![0.0f64; allowed.len()];
    let mut nearest = record.stress.clone();
    for _ in 0..SWEEPS {
        for (i, multiplier) in multipliers.iter_mut().enumerate() {
            let without = nearest[i + 1] - nearest[i] + 2.0 * *multiplier;
            let over = (without.abs() - allowed[i]).max(0.0);
            let new = 0.5 * over.copysign(without);
            nearest[i + 1] -= new - *multiplier;
            nearest[i] += new - *multiplier;
            *multiplier = new;
        }
    }
    let moved = nearest.iter().zip(&record.stress);
    let square: f64 = moved.map(|(new, old)| (new - old).powi(2)).sum();
    let each = record.stress.windows(2).zip(&multipliers).zip(&allowed);
    let gain = each.map(|((s, m), allowed)| m * (s[1] - s[0]) - allowed * m.abs());
    let dual = gain.sum::<f64>() - 0.5 * square;
    (2.0 * dual / record.rows() as f64).max(0.0).sqrt()
}

/// A number of curves to fit, 10 for validation, 18 unseen.
pub fn composite(data: &Path, seed: u64, count: usize) -> Loaded {
    let Some(mut all) = records(data, "rve_prnn_2d")? else {
        return Ok(None);
    };
    if all.len() != 46 {
        let found = all.len();
        return Err(Error::invalid(format!(
            "rve_prnn_2d: {found} records, there are 46"
        )));
    }
    all.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let unseen = all.split_off(28);
    let selecting = all.split_off(18);
    all.truncate(count);
    Ok(Some(Data {
        fitted: all,
        selecting,
        unseen,
    }))
}

pub fn composite_errors(law: &dyn MaterialLaw, data: &Data) -> Result<Vec<f64>> {
    Ok(vec![rmse(law, &data.fitted)?, rmse(law, &data.unseen)?])
}

pub fn elastomer(data: &Path) -> Loaded {
    let Some(all) = records(data, "vhb4910_hossain2012")? else {
        return Ok(None);
    };
    let (fitted, unseen) = all.into_iter().partition(|r| r.name.starts_with("lam3.0"));
    Ok(Some(Data {
        fitted,
        unseen,
        ..Data::default()
    }))
}

pub fn elastomer_errors(law: &dyn MaterialLaw, data: &Data) -> Result<Vec<f64>> {
    let inconsistent = ["lam2.5_rate0.03", "lam2.5_rate0.05"];
    let others = data.unseen.iter();
    let others = others.filter(|r| !inconsistent.contains(&r.name.as_str()));
    let others: Vec<_> = others.cloned().collect();
    Ok(vec![
        nrmse(law, &data.fitted)?,
        nrmse(law, &data.unseen)?,
        nrmse(law, &others)?,
    ])
}

/// The slowest and the fastest ramps are fitted.
pub fn adhesive(data: &Path) -> Loaded {
    let Some(all) = records(data, "oca_shear_zhao2024")? else {
        return Ok(None);
    };
    let fitted = ["cyclic_shear_relaxation_1", "cyclic_shear_relaxation_5"];
    Ok(Some(Data {
        fitted: named(&all, &fitted)?,
        unseen: all
            .into_iter()
            .filter(|r| !fitted.contains(&r.name.as_str()))
            .collect(),
        ..Data::default()
    }))
}

pub fn adhesive_errors(law: &dyn MaterialLaw, data: &Data) -> Result<Vec<f64>> {
    let unseen = data.unseen.iter().cloned();
    let (monotonic, steps): (Vec<_>, Vec<_>) =
        unseen.partition(|r| r.name.starts_with("monotonic"));
    let (film, steps): (Vec<_>, Vec<_>) = steps
        .into_iter()
        .partition(|r| r.name == "cyclic_shear_relaxation");
    let groups = [&data.fitted, &steps, &film, &monotonic];
    groups.iter().map(|records| nrmse(law, records)).collect()
}

/// Strain steps of the hot compression tests.
const HOT_SPACING: f64 = 0.01;

/// All rates but `held_out`, in the names of the records.
pub fn hot_steel(data: &Path, held_out: Option<&str>) -> Loaded {
    let Some(all) = records(data, "steel_hot_gleeble_pantale")? else {
        return Ok(None);
    };
    let all: Result<Vec<_>> = all.iter().map(|r| r.resample(HOT_SPACING)).collect();
    let (fitted, unseen) = all?.into_iter().partition(|r| match held_out {
        Some(rate) => !r.name.ends_with(&format!("_rate{rate}")),
        None => true,
    });
    Ok(Some(Data {
        fitted,
        unseen,
        ..Data::default()
    }))
}

pub fn hot_steel_errors(law: &dyn MaterialLaw, data: &Data) -> Result<Vec<f64>> {
    let mut errors = vec![mare(law, &data.fitted)?];
    if !data.unseen.is_empty() {
        errors.push(mare(law, &data.unseen)?);
    }
    Ok(errors)
}

/// Errors of the linear interpolation, over the logarithm of the rate, between the stresses of the two
/// fitted rates nearest to the held-out one, at the same temperature and strain.
pub fn nearest_rates(data: &Data) -> Vec<f64> {
    let of = |record: &Record| -> Option<(String, f64)> {
        let (temperature, rate) = record.name.split_once("_rate")?;
        Some((temperature.into(), rate.parse::<f64>().ok()?.ln()))
    };
    let mut errors = Vec::new();
    for record in &data.unseen {
        let Some((temperature, rate)) = of(record) else {
            continue;
        };
        let mut others: Vec<(f64, &Record)> = Vec::new();
        for other in &data.fitted {
            others.extend(
                of(other)
                    .filter(|o| o.0 == temperature)
                    .map(|o| (o.1, other)),
            );
        }
        others.sort_by(|a, b| (a.0 - rate).abs().total_cmp(&(b.0 - rate).abs()));
        let [(first, near), (second, far), ..] = others[..] else {
            continue;
        };
        let share = (rate - first) / (second - first);
        for row in 1..record.rows() {
            let stress = |r: &Record| r.stress_at(row)[0];
            let guess = (1.0 - share) * stress(near) + share * stress(far);
            errors.push(100.0 * (guess / stress(record) - 1.0).abs());
        }
    }
    match errors.len() {
        // The fitted records have no error.
        0 => vec![0.0],
        count => vec![0.0, errors.iter().sum::<f64>() / count as f64],
    }
}
