//! What the training records of a law hold: beyond it the law extrapolates.

use super::points::PointInputs;
use crate::error::{Error, Result};
use crate::law::Departure;
use crate::mandel::{LABELS, positions};
use crate::network::Parts;
use crate::record::{Record, distance};
use crate::symmetry::Symmetry;
use serde::{Deserialize, Serialize};

/// Rounding that a bound forgives, over the larger of its ends.
const TOLERANCE: f64 = 1e-6;
/// Records that are kept each on its own.
const MAX_RECORDS: usize = 64;

/// What the training records of a law hold.
///
/// Strains are measured by what the symmetry group of the law leaves alone: the linear invariants of the
/// strain and the norms of its irreducible parts, for an isotropic law of six components the volumetric
/// strain and the norm of the deviator; without a symmetry, by the components. So the range does not change
/// when strain and material are turned alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedRange {
    /// `[least, most]` of each measure of the strain.
    pub strain: Vec<[f64; 2]>,
    /// Largest `‖Δε‖/Δt`, 1/s; `None` where the law does not see time, or a record jumps.
    pub strain_rate: Option<f64>,
    /// Largest accumulated `Σ‖Δε‖` of a record.
    pub strain_path: f64,
    /// `[least, most]` of each external variable.
    pub external: Vec<[f64; 2]>,
    /// Each record on its own, the first ones of many: the strains of all records together say more than a law
    /// has seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordRange>,
}

/// What one training record holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRange {
    pub name: String,
    /// `[least, most]` of each measure of the strain.
    pub strain: Vec<[f64; 2]>,
    /// `Σ‖Δε‖`
    pub strain_path: f64,
    /// Half cycles between reversals.
    pub half_cycles: usize,
    /// Smallest and largest strain range of a half cycle; `None` without any.
    pub amplitudes: Option<[f64; 2]>,
}

impl TrainedRange {
    /// Of the records of a law with this symmetry. The virgin state belongs to it.
    pub fn of<'a>(
        records: impl Iterator<Item = &'a Record> + Clone,
        symmetry: Symmetry,
        rate_independent: bool,
    ) -> Self {
        let first = records.clone().next();
        let (n, external) = first.map_or((1, 0), |r| (r.components, r.external_names.len()));
        let measures = Measures::new(symmetry, n);
        let mut range = Self {
            strain: vec![[0.0; 2]; measures.measures.len()],
            strain_rate: (!rate_independent).then_some(0.0),
            strain_path: 0.0,
            external: vec![[f64::INFINITY, f64::NEG_INFINITY]; external],
            records: Vec::new(),
        };
        let widen = |[least, most]: &mut [f64; 2], value: f64| {
            (*least, *most) = (least.min(value), most.max(value));
        };
        for record in records {
            // From the virgin state on.
            let mut path = match record.rows() {
                0 => 0.0,
                _ => distance(record.strain_at(0), &vec![0.0; n]),
            };
            let mut own = vec![[0.0; 2]; measures.measures.len()];
            for row in 0..record.rows() {
                let strain = record.strain_at(row);
                for (bounds, measure) in own.iter_mut().zip(&measures.measures) {
                    let [value] = measure.value(&|i| [strain[i]]);
                    widen(bounds, value);
                }
                for (bounds, value) in range.external.iter_mut().zip(record.external_at(row)) {
                    widen(bounds, *value);
                }
                if row > 0 {
                    let length = distance(strain, record.strain_at(row - 1));
                    let dt = record.time[row] - record.time[row - 1];
                    path += length;
                    if length > 0.0 {
                        let rate = (dt > 0.0).then_some(length / dt);
                        let both = range.strain_rate.zip(rate);
                        range.strain_rate = both.map(|(most, rate)| most.max(rate));
                    }
                }
            }
            range.strain_path = range.strain_path.max(path);
            for (all, own) in range.strain.iter_mut().zip(&own) {
                own.iter().for_each(|end| widen(all, *end));
            }
            if range.records.len() < MAX_RECORDS {
                range.records.push(RecordRange::of(record, own, path));
            }
        }
        range
    }

    /// Whether every number is finite and every range has its ends in order.
    pub fn check(&self, external: usize) -> std::result::Result<(), String> {
        let ranges = self.strain.iter().chain(&self.external);
        for [least, most] in ranges {
            if !(least.is_finite() && most.is_finite() && least <= most) {
                return Err(format!(
                    "the trained range [{least}, {most}] is not a range"
                ));
            }
        }
        if self.external.len() != external {
            return Err(format!(
                "{} trained ranges of external variables, {external} are needed",
                self.external.len()
            ));
        }
        let others = [self.strain_path, self.strain_rate.unwrap_or(0.0)];
        match others.iter().find(|x| !(x.is_finite() && **x >= 0.0)) {
            Some(bad) => Err(format!("the trained range has the path or rate {bad}")),
            None => Ok(()),
        }
    }
}

impl RecordRange {
    fn of(record: &Record, strain: Vec<[f64; 2]>, strain_path: f64) -> Self {
        let turns = record.reversals();
        let halves = turns.windows(2);
        let sizes = halves.map(|t| distance(record.strain_at(t[0]), record.strain_at(t[1])));
        let amplitudes = sizes.fold(None, |ends: Option<[f64; 2]>, size| {
            let [least, most] = ends.unwrap_or([size; 2]);
            Some([least.min(size), most.max(size)])
        });
        Self {
            name: record.name.clone(),
            strain,
            strain_path,
            half_cycles: turns.len().saturating_sub(1),
            amplitudes,
        }
    }
}

/// How the strains of a law are measured for its range.
#[derive(Clone, Debug)]
pub(super) struct Measures {
    components: usize,
    measures: Vec<StrainMeasure>,
}

#[derive(Clone, Debug)]
struct StrainMeasure {
    name: String,
    kind: MeasureForm,
}

#[derive(Clone, Debug)]
enum MeasureForm {
    /// A component.
    Component(usize),
    /// A linear invariant, by its unit tensor.
    Along(Vec<f64>),
    /// The norm of an irreducible part, by its basis.
    Norm(Vec<Vec<f64>>),
}

impl StrainMeasure {
    fn value<const W: usize>(&self, strain: &impl Fn(usize) -> [f64; W]) -> [f64; W] {
        let along = |direction: &[f64]| {
            let mut sum = [0.0; W];
            for (i, factor) in direction.iter().enumerate().filter(|(_, f)| **f != 0.0) {
                let strain = strain(i);
                (0..W).for_each(|w| sum[w] += factor * strain[w]);
            }
            sum
        };
        match &self.kind {
            MeasureForm::Component(i) => strain(*i),
            MeasureForm::Along(direction) => along(direction),
            MeasureForm::Norm(basis) => {
                let mut squares = [0.0; W];
                for direction in basis {
                    let sum = along(direction);
                    (0..W).for_each(|w| squares[w] += sum[w] * sum[w]);
                }
                squares.map(f64::sqrt)
            }
        }
    }
}

fn outside(value: f64, [least, most]: [f64; 2]) -> bool {
    let margin = TOLERANCE * least.abs().max(most.abs());
    (value < least - margin) | (value > most + margin)
}

impl Measures {
    pub fn new(symmetry: Symmetry, n: usize) -> Self {
        let Some(parts) = Parts::of(symmetry, n) else {
            let labels = positions(n).unwrap_or_default();
            let component = |(i, p): (usize, &usize)| StrainMeasure {
                name: format!("strain {}", LABELS[*p]),
                kind: MeasureForm::Component(i),
            };
            return Self {
                components: n,
                measures: labels.iter().enumerate().map(component).collect(),
            };
        };
        let isotropic = symmetry == Symmetry::Isotropic;
        let named = |name: &str, k: usize, of_isotropic: &str| match isotropic {
            true => of_isotropic.to_string(),
            false => format!("{name} {} of the strain", k + 1),
        };
        let invariants = parts.invariant_directions().iter().enumerate();
        let invariants = invariants.map(|(k, direction)| StrainMeasure {
            name: named("invariant", k, "volumetric strain (ε₁₁+ε₂₂+ε₃₃)/√3"),
            kind: MeasureForm::Along(direction.clone()),
        });
        let norms = parts.irreducible_directions().iter().enumerate();
        let norms = norms.map(|(k, basis)| StrainMeasure {
            name: named("part", k, "norm of the deviatoric strain"),
            kind: MeasureForm::Norm(basis.clone()),
        });
        Self {
            components: n,
            measures: invariants.chain(norms).collect(),
        }
    }

    /// Names of the measures.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.measures.iter().map(|measure| measure.name.as_str())
    }

    /// # Errors
    /// A range with another number of measures.
    pub fn check(&self, range: &TrainedRange) -> Result<()> {
        match range.strain.len() == self.measures.len() {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "{} trained ranges of the strain, {} are needed",
                range.strain.len(),
                self.measures.len()
            ))),
        }
    }

    /// Which of the points are outside a range.
    pub fn outside<const W: usize>(
        &self,
        range: &TrainedRange,
        points: &impl PointInputs<W>,
    ) -> [bool; W] {
        let mut any = [false; W];
        for (measure, bounds) in self.measures.iter().zip(&range.strain) {
            let value = measure.value(&|i| points.strain_new(i));
            (0..W).for_each(|w| any[w] |= outside(value[w], *bounds));
        }
        for (i, bounds) in range.external.iter().enumerate() {
            let value = points.external(i);
            (0..W).for_each(|w| any[w] |= outside(value[w], *bounds));
        }
        if let Some(most) = range.strain_rate {
            let (length, dt) = (self.length(points), points.dt());
            let most = most * (1.0 + TOLERANCE);
            (0..W).for_each(|w| any[w] |= length[w] > most * dt[w]);
        }
        any
    }

    /// `‖Δε‖`
    fn length<const W: usize>(&self, points: &impl PointInputs<W>) -> [f64; W] {
        let mut squares = [0.0; W];
        for i in 0..self.components {
            let (old, new) = (points.strain_old(i), points.strain_new(i));
            (0..W).for_each(|w| squares[w] += (new[w] - old[w]).powi(2));
        }
        squares.map(f64::sqrt)
    }

    /// The first quantity in which a point is outside.
    pub fn departure(
        &self,
        range: &TrainedRange,
        names: &[String],
        point: &impl PointInputs<1>,
    ) -> Option<Departure> {
        let strains = self
            .measures
            .iter()
            .zip(&range.strain)
            .map(|(measure, bounds)| {
                let [value] = measure.value(&|i| point.strain_new(i));
                (measure.name.clone(), value, *bounds)
            });
        let external = range.external.iter().enumerate().map(|(i, bounds)| {
            let [value] = point.external(i);
            (names[i].clone(), value, *bounds)
        });
        let rate = range.strain_rate.map(|most| {
            let ([length], [dt]) = (self.length(point), point.dt());
            let rate = if length > 0.0 { length / dt } else { 0.0 };
            ("strain rate in 1/s".to_string(), rate, [0.0, most])
        });
        let mut all = external.chain(strains).chain(rate);
        let found = all.find(|(_, value, bounds)| outside(*value, *bounds));
        found.map(|(what, value, range)| Departure { what, value, range })
    }
}
