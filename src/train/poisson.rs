//! Poisson's ratio of the virgin material, which records of bars do not hold.

use super::device::Place;
use super::rollout::RollOut;
use super::{Histories, fit::constrain};
use crate::error::Result;
use crate::graph::{Vector, tensor, values};
use crate::law::{Guarantees, StateLayout};
use crate::model::Normalisation;
use crate::record::{Padded, Record};
use crate::recurrent::{Forces, RecurrentLaw, Reduced, Step};
use burn::tensor::Tensor;
use std::fmt;
use std::sync::Arc;

/// Size of the probing strains, over the strain scale.
const PROBE: f64 = 1e-3;
/// Of the mean square error of Poisson's ratio. Records of bars do not pull at it, so its size matters little.
const WEIGHT: f64 = 10.0;

/// A bar whose "stress" is its lateral strain.
#[derive(Debug)]
struct Contraction(Reduced);

impl RecurrentLaw for Contraction {
    fn components(&self) -> usize {
        1
    }

    fn state_layout(&self) -> StateLayout {
        self.0.state_layout()
    }

    fn guarantees(&self) -> Guarantees {
        self.0.guarantees()
    }

    fn evolve<'g>(&self, step: &Step<'g>, state: Vector<'g>) -> Vector<'g> {
        self.0.evolve(step, state)
    }

    fn forces<'g>(&self, strain: Vector<'g>, _: Vector<'g>, state: Vector<'g>) -> Forces<'g> {
        let graph = strain.graph();
        Forces {
            energy: graph.zeros(1),
            stress: state.at(state.len() - 1),
            driving_force: graph.zeros(state.len()),
        }
    }
}

/// Holds Poisson's ratio at rest, `ν = −ε_22/ε_11` of a bar in tension and in compression, to a value: at the
/// mean, the smallest and the largest external variables.
pub(super) struct PoissonRatio {
    ratio: f64,
    bar: Contraction,
    roll_out: RollOut,
    histories: Arc<Histories>,
}

impl fmt::Display for PoissonRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Poisson's ratio {:?}", self.ratio)
    }
}

impl PoissonRatio {
    /// # Errors
    /// External variables that are not numbers.
    pub fn new(ratio: f64, bar: Reduced, normalisation: &Normalisation) -> Result<Self> {
        let means = normalisation.external.iter().map(|[mean, _]| *mean);
        let mut external = vec![means.collect::<Vec<_>>()];
        if let Some(range) = &normalisation.range {
            for end in 0..2 {
                external.push(range.external.iter().map(|ends| ends[end]).collect());
            }
        }
        external.dedup();
        let sides = [1.0, -1.0].map(|sign| sign * PROBE * normalisation.strain);
        let probes = external.iter().flat_map(|values| {
            sides.map(|strain| Record {
                name: "at rest".into(),
                components: 1,
                time: vec![0.0],
                strain: vec![strain],
                stress: vec![0.0],
                external_names: normalisation.external_names.clone(),
                external: values.clone(),
                ..Record::default()
            })
        });
        let probes: Vec<Record> = probes.collect();
        let padded = Padded::new(&probes.iter().collect::<Vec<_>>())?;
        let bar = Contraction(bar);
        Ok(Self {
            ratio,
            roll_out: RollOut::new(&bar, normalisation.external.len()),
            bar,
            histories: Arc::new(Histories::new(padded, normalisation.clone())),
        })
    }

    /// `λ_ν mean (ν̂ − ν)²`; its gradient is added.
    pub fn penalty(
        &self,
        place: &Place,
        positive: &Tensor<1>,
        unconstrained: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        let own = place.vector(unconstrained.to_vec()).require_grad();
        let constrained = constrain(own.clone(), positive.clone());
        let output = place.roll_out(&self.bar, &self.roll_out, constrained, &self.histories);
        let (device, float) = (output.device(), output.dtype());
        // Lateral strain and a dissipation that means nothing, side by side in every row.
        let records = self.histories.records();
        let lateral = &values(output.clone().inner())[..records];
        let axial = &self.histories.padded().strain;
        let axial: Vec<f64> = axial
            .iter()
            .map(|e| e / self.histories.strain_scale())
            .collect();
        let errors = lateral
            .iter()
            .zip(&axial)
            .map(|(lateral, axial)| lateral / axial + self.ratio);
        let errors: Vec<f64> = errors.collect();
        let share = WEIGHT / records as f64;
        let seeds = errors
            .iter()
            .zip(&axial)
            .map(|(error, axial)| 2.0 * share * error / axial);
        let seeds: Vec<f64> = seeds.chain(vec![0.0; records]).collect();
        let seeds = tensor(seeds, output.dims(), &device, float);
        let gradients = (output * seeds).sum().backward();
        if let Some(own) = own.grad(&gradients) {
            let own = values(own);
            gradient
                .iter_mut()
                .zip(own)
                .for_each(|(sum, own)| *sum += own);
        }
        share * errors.iter().map(|error| error * error).sum::<f64>()
    }
}
