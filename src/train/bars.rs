//! Laws of six components that learn from uniaxial records.

use super::{Trained, Training};
use crate::driver::{Curve, follow};
use crate::error::{Error, Result};
use crate::law::MaterialLaw;
use crate::model::{LearnedLaw, Normalisation, TrainedRange};
use crate::record::Record;
use crate::recurrent::{RecurrentLaw, Symmetry, Uniaxial};
use std::f64::consts::FRAC_1_SQRT_2;
use std::sync::Arc;

/// By how much two nonlinear solves for the same lateral strain may differ, over the range of strains.
const ROUND_OFF: f64 = 1e-6;

/// An isotropic law of six components as one of a bar under uniaxial stress, and how it is trained.
///
/// # Errors
/// A law that is not isotropic.
pub(super) fn bar(
    law: Arc<dyn RecurrentLaw>,
    options: &Training,
) -> Result<(Arc<dyn RecurrentLaw>, Training)> {
    let mut options = options.clone();
    // The bar loses the guarantee to the round-off of its lateral stress: there is nothing to learn
    // from probes.
    if law.guarantees().second_law {
        options.probes = 0;
    }
    let bar = Uniaxial::new(law).ok_or_else(|| {
        Error::invalid(
            "records of bars say nothing of other directions: only an isotropic law of six \
             components learns from them",
        )
    })?;
    Ok((Arc::new(bar), options))
}

/// The law of six components with the parameters that its bar has learned.
pub(super) fn whole(
    name: &str,
    law: Arc<dyn RecurrentLaw>,
    trained: Trained,
    training: &[&Record],
) -> Result<Trained> {
    let bar = trained.law;
    let normalisation = Normalisation {
        strain_range: strain_range(&bar, training),
        range: bar
            .normalisation()
            .range
            .as_ref()
            .map(|range| TrainedRange {
                external: range.external.clone(),
                ..TrainedRange::of(
                    &solids(&bar, training),
                    Symmetry::Isotropic,
                    range.strain_rate.is_none(),
                )
            }),
        ..bar.normalisation().clone()
    };
    let law = LearnedLaw::new(
        name,
        law,
        bar.layout().clone(),
        bar.unconstrained_parameters().to_vec(),
        normalisation,
    )?;
    Ok(Trained {
        law,
        fit: trained.fit,
    })
}

/// The records with all components of the strain, the lateral ones as the bar finds them. A record that the
/// bar cannot follow is left out.
fn solids(bar: &LearnedLaw, records: &[&Record]) -> Vec<Record> {
    let curves = records.iter().filter_map(|record| follow(bar, record).ok());
    let solid = curves.map(|curve| {
        let lateral = lateral_strains(bar, &curve);
        let strains = curve.record.strain.iter().zip(&lateral);
        Record {
            components: 6,
            time: curve.record.time.clone(),
            strain: strains
                .flat_map(|(axial, lateral)| [*axial, *lateral, *lateral, 0.0, 0.0, 0.0])
                .collect(),
            ..Record::default()
        }
    });
    solid.collect()
}

/// The lateral strain of a bar in each row.
fn lateral_strains(bar: &LearnedLaw, curve: &Curve) -> Vec<f64> {
    let states = bar.state_layout().len();
    let at = bar
        .state_layout()
        .range("lateral_strain")
        .map_or(0, |r| r.start);
    let rows = curve.states.chunks_exact(states);
    rows.map(|state| state[at] * bar.normalisation().strain)
        .collect()
}

/// The range of every component over the strains of the bars and all their rotations, which are the
/// same to an isotropic law.
fn strain_range(bar: &LearnedLaw, records: &[&Record]) -> Vec<[f64; 2]> {
    let [mut least, mut most, mut apart] = [0.0f64; 3];
    for record in records {
        // A record that the law cannot follow has no lateral strains.
        let lateral = follow(bar, record)
            .map(|curve| lateral_strains(bar, &curve))
            .ok();
        for row in 0..record.rows() {
            let axial = record.strain[row];
            let lateral = lateral.as_ref().map_or(axial, |lateral| lateral[row]);
            least = least.min(axial).min(lateral);
            most = most.max(axial).max(lateral);
            apart = apart.max((axial - lateral).abs());
        }
    }
    let margin = ROUND_OFF * (most - least);
    (least, most) = (least - margin, most + margin);
    // `√2 ε_12` is largest halfway between the principal axes.
    let shear = apart * FRAC_1_SQRT_2 + margin;
    let component = |i: usize| {
        if i < 3 {
            [least, most]
        } else {
            [-shear, shear]
        }
    };
    (0..6).map(component).collect()
}
