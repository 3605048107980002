//! Laws of six components that learn from records of fewer: of bars, plane stress or plane strain.

use super::{Trained, Training};
use crate::driver::{Curve, follow};
use crate::error::{Error, Result};
use crate::law::MaterialLaw;
use crate::mandel::{Mandel, StressState, to_tensor};
use crate::model::{LearnedLaw, Normalisation, TrainedRange};
use crate::record::Record;
use crate::recurrent::{FREE_STRAIN, RecurrentLaw, Reduced, Symmetry};
use std::f64::consts::FRAC_1_SQRT_2;
use std::sync::Arc;

/// By how much two nonlinear solves for the same free strain may differ, over the range of strains.
const ROUND_OFF: f64 = 1e-6;

/// An isotropic law of six components as one of a stress state with fewer, and how it is trained.
///
/// # Errors
/// A law that is not isotropic; a stress state of other than 1 or 3 components.
pub(super) fn reduced(
    law: Arc<dyn RecurrentLaw>,
    stress_state: StressState,
    options: &Training,
) -> Result<(Reduced, Training)> {
    let mut options = options.clone();
    // The reduced law loses the guarantee to the round-off of its free stress: there is nothing to learn
    // from probes.
    if law.guarantees().second_law {
        options.probes = 0;
    }
    let law = Reduced::new(law, stress_state).ok_or_else(|| {
        Error::invalid(
            "records of fewer components say nothing of other directions: only an isotropic law of six \
             components learns from bars, plane stress or plane strain",
        )
    })?;
    Ok((law, options))
}

/// The law of six components with the parameters that its reduced form has learned.
pub(super) fn whole(
    name: &str,
    law: Arc<dyn RecurrentLaw>,
    stress_state: StressState,
    trained: Trained,
    training: &[&Record],
) -> Result<Trained> {
    let reduced = trained.law;
    let solids = solids(&reduced, stress_state, training);
    let normalisation = Normalisation {
        strain_range: strain_range(&solids),
        range: reduced
            .normalisation()
            .range
            .as_ref()
            .map(|range| TrainedRange {
                external: range.external.clone(),
                ..TrainedRange::of(
                    solids.iter(),
                    Symmetry::Isotropic,
                    range.strain_rate.is_none(),
                )
            }),
        ..reduced.normalisation().clone()
    };
    let law = LearnedLaw::new(
        name,
        law,
        reduced.layout().clone(),
        reduced.unconstrained_parameters().to_vec(),
        normalisation,
    )?;
    Ok(Trained {
        law,
        fit: trained.fit,
    })
}

/// The records with all components of the strain, the free ones as the law finds them. A record that the
/// law cannot follow is left out.
fn solids(law: &LearnedLaw, stress_state: StressState, records: &[&Record]) -> Vec<Record> {
    let curves = records.iter().filter_map(|record| follow(law, record).ok());
    curves
        .map(|curve| Record {
            components: 6,
            time: curve.record.time.clone(),
            strain: whole_strains(law, stress_state, &curve),
            ..Record::default()
        })
        .collect()
}

/// All six components of the strain in each row.
fn whole_strains(law: &LearnedLaw, stress_state: StressState, curve: &Curve) -> Vec<f64> {
    let states = law.state_layout().len();
    let free = law.state_layout().range(FREE_STRAIN);
    let positions = stress_state.positions();
    let row = |row: usize| {
        let mut strain = stress_state.expand(curve.record.strain_at(row));
        if let Some(free) = &free {
            let value = curve.states[row * states + free.start] * law.normalisation().strain;
            let normal = (0..3).filter(|i| !positions.contains(i));
            normal.for_each(|i| strain[i] = value);
        }
        <[f64; 6]>::from(strain)
    };
    (0..curve.record.rows()).flat_map(row).collect()
}

/// The range of every component over the strains and all their rotations, which are the same to an isotropic
/// law.
fn strain_range(solids: &[Record]) -> Vec<[f64; 2]> {
    let [mut least, mut most, mut apart] = [0.0f64; 3];
    for record in solids {
        for row in 0..record.rows() {
            let strain = Mandel::from_column_slice(record.strain_at(row));
            let principal = to_tensor(&strain).symmetric_eigenvalues();
            least = least.min(principal.min());
            most = most.max(principal.max());
            apart = apart.max(principal.max() - principal.min());
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
