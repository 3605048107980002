//! What the tests of the laws share: a material point that is driven by strain, and random paths.
#![allow(dead_code)]

use hysteron::UpdateError;
use hysteron::graph::{Program, Runner, Workspace};
use hysteron::law::{Increment, MaterialLaw, Response};
use hysteron::model::{LearnedLaw, Normalisation};
use hysteron::recurrent::{Architecture, Clock, Symmetry, laws, symmetric_laws};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub struct Point<'a> {
    pub law: &'a dyn MaterialLaw,
    pub strain: Vec<f64>,
    pub state: Vec<f64>,
}

impl<'a> Point<'a> {
    pub fn new(law: &'a dyn MaterialLaw) -> Self {
        Self {
            law,
            strain: vec![0.0; law.components()],
            state: law.new_state(),
        }
    }

    /// The update to `strain`, without taking it.
    pub fn probe(&self, strain: &[f64], dt: f64) -> Result<(Vec<f64>, Response), UpdateError> {
        let mut state = self.state.clone();
        let mut response = Response::default();
        let increment = Increment {
            strain_old: &self.strain,
            strain_new: strain,
            dt,
            external_old: &[],
            external_new: &[],
        };
        self.law
            .update(&increment, &self.state, &mut state, &mut response)?;
        Ok((state, response))
    }

    pub fn advance(&mut self, strain: &[f64], dt: f64) -> Response {
        let (state, response) = self
            .probe(strain, dt)
            .unwrap_or_else(|error| panic!("{}: {error}", self.law.name()));
        self.state = state;
        self.strain = strain.to_vec();
        response
    }

    pub fn free_energy(&self, strain: &[f64], state: &[f64]) -> f64 {
        self.law.free_energy(strain, state, &[])
    }
}

pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// A vector with entries in (−size, size).
    pub fn vector(&mut self, n: usize, size: f64) -> Vec<f64> {
        (0..n).map(|_| self.between(-size, size)).collect()
    }

    /// `10^u`, `u` uniform.
    pub fn decades(&mut self, low: f64, high: f64) -> f64 {
        10f64.powf(self.between(low, high))
    }
}

/// `p(0)` of the polynomial through values at steps 1, ½, ¼, …: Richardson's extrapolation of a
/// method whose error is a power series in the step. The second number is the change in the last
/// column.
pub fn extrapolated(values: &[f64]) -> (f64, f64) {
    let mut column = values.to_vec();
    let mut change = f64::INFINITY;
    for order in 1..values.len() {
        let last = column[column.len() - 1];
        let factor = 2f64.powi(order as i32) - 1.0;
        column = column
            .windows(2)
            .map(|pair| pair[1] + (pair[1] - pair[0]) / factor)
            .collect();
        change = (column[column.len() - 1] - last).abs();
    }
    (column[0], change)
}

pub const SYMMETRIES: [Symmetry; 4] = [
    Symmetry::None,
    Symmetry::Isotropic,
    Symmetry::TransverselyIsotropic,
    Symmetry::Orthotropic,
];

/// Every law, clock, symmetry and number of components, with random parameters well away from
/// their start.
pub fn learned_laws(external: usize) -> Vec<(String, LearnedLaw)> {
    let mut list = Vec::new();
    for law in laws() {
        for clock in [Clock::StrainPath, Clock::Time, Clock::Both] {
            for components in [1, 3, 6] {
                for symmetry in SYMMETRIES {
                    if !symmetric_laws().contains(&law) && symmetry != Symmetry::None
                        || !symmetry.components().contains(&components)
                    {
                        continue;
                    }
                    let mut learn = Architecture {
                        law: (*law).into(),
                        clock,
                        symmetry,
                        ..Architecture::default()
                    };
                    // Tensors of it are many unknowns of an implicit update.
                    if law == "generalized-standard" && symmetry != Symmetry::None {
                        learn.states = 3;
                    }
                    let name = format!("{law}, {clock:?}, {components} components, {symmetry:?}");
                    let law = random_law(&name, &learn, components, external);
                    list.push((name, law));
                }
            }
        }
    }
    list
}

/// Runs a program once: inputs and outputs entry by entry at every lane.
pub fn run<const W: usize>(
    program: &Program,
    parameters: &[f64],
    inputs: &[&[[f64; W]]],
) -> Vec<Vec<[f64; W]>> {
    let tables = program.tables(parameters);
    let runner = Runner::new(program, &tables);
    let mut workspace = Workspace::<W>::default();
    runner.reserve(&mut workspace, 1);
    for (n, input) in inputs.iter().enumerate() {
        runner.set(&mut workspace, 0, n, |i| input[i]);
    }
    runner.run(&mut workspace, 0);
    let outputs = 0..runner.output_count();
    let output = |n| {
        let mut values = Vec::new();
        runner.read(&workspace, 0, n, |_, _, value| values.push(*value));
        values
    };
    outputs.map(output).collect()
}

/// A law with random parameters.
pub fn random_law(
    name: &str,
    learn: &Architecture,
    components: usize,
    external: usize,
) -> LearnedLaw {
    let (built, layout) = learn.for_records(components, external).build().unwrap();
    let mut random = Random::new(17);
    let mut unconstrained = layout.initial_values(5);
    for (value, noise) in unconstrained
        .iter_mut()
        .zip(random.vector(layout.len(), 0.3))
    {
        *value += noise;
    }
    let normalisation = Normalisation {
        strain: 0.02,
        stress: 350.0,
        time: 0.5,
        external_names: (0..external).map(|i| format!("theta{i}")).collect(),
        external: vec![[20.0, 100.0]; external],
        strain_range: vec![[-0.02, 0.02]; components],
        range: None,
    };
    LearnedLaw::new(name, built, layout, unconstrained, normalisation).unwrap()
}

/// The largest difference over the largest entry of `b`.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let scale = b.iter().fold(1e-300f64, |m, v| m.max(v.abs()));
    let worst = std::iter::zip(a, b).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
    worst / scale
}
