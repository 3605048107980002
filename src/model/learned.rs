//! A trained recurrent law as a [`MaterialLaw`]: physical units, exact consistent tangent.

use super::memory::with_workspace;
use super::normalisation::Normalisation;
use super::points::{Chunk, OnePoint, PointInputs, check_values};
use super::range::Measures;
use crate::error::{BatchError, Error, Result, UpdateError};
use crate::graph::{Graph, ParameterLayout, Program, Routine, Runner, Seeds, Tables, Workspace};
use crate::kernels::elementwise::Delivery;
use crate::law::{
    BatchInput, BatchOutput, Departure, Guarantees, Increment, MaterialLaw, Response, Scales,
    StateLayout, Status, check_batch, in_words, prepare,
};
use crate::recurrent::{Advance, IncrementInputs, RecurrentLaw, input, output};
use std::sync::Arc;

/// Points that one pass of a batch advances together.
const WIDTH: usize = 8;

/// A recurrent law with its parameters and scales.
///
/// `σ = ∂ψ/∂ε` holds in physical units: the energy is scaled by `s_σ s_ε`, the strain by `s_ε`.
/// The virgin state is free of stress and energy by construction. What the recurrent law guarantees
/// beyond that is in its [`Guarantees`].
#[derive(Clone, Debug)]
pub struct LearnedLaw {
    name: String,
    law: Arc<dyn RecurrentLaw>,
    layout: ParameterLayout,
    unconstrained: Vec<f64>,
    /// An increment with its tangent.
    update: Compiled,
    /// The free energy alone.
    energy: Compiled,
    normalisation: Normalisation,
    measures: Measures,
    state_layout: StateLayout,
}

/// A program with what of it depends on the parameters alone.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    program: Program,
    tables: Tables,
}

impl Compiled {
    /// For constrained parameters.
    pub(crate) fn new(program: Program, parameters: &[f64]) -> Self {
        Self {
            tables: program.tables(parameters),
            program,
        }
    }

    pub(crate) fn runner(&self) -> Runner<'_> {
        Runner::new(&self.program, &self.tables)
    }
}

/// An increment of a law with its consistent tangent, which uses that the old state does not depend
/// on the strain.
fn update(law: &dyn RecurrentLaw, external: usize) -> Routine {
    let graph = Graph::new();
    let inputs = IncrementInputs::new(&graph, law, external);
    let new = Advance::of(law, &inputs);
    let routine = graph.routine(&new.outputs());
    routine.with_tangents(&Seeds::input(inputs.step.strain_new), &[output::STRESS])
}

fn free_energy(law: &dyn RecurrentLaw, external: usize) -> Routine {
    let graph = Graph::new();
    let IncrementInputs { state, step } = IncrementInputs::new(&graph, law, external);
    graph.routine(&[law.forces(step.strain_new, step.external, state).energy])
}

impl LearnedLaw {
    /// The unconstrained parameters are in the order of the layout.
    ///
    /// # Errors
    /// A wrong number of parameters, a parameter that is not finite, scales that are not positive.
    pub fn new(
        name: impl Into<String>,
        law: Arc<dyn RecurrentLaw>,
        layout: ParameterLayout,
        unconstrained: Vec<f64>,
        normalisation: Normalisation,
    ) -> Result<Self> {
        if unconstrained.len() != layout.len() {
            return Err(Error::invalid(format!(
                "the law has {} parameters, {} were given",
                layout.len(),
                unconstrained.len()
            )));
        }
        if let Some(bad) = unconstrained.iter().find(|v| !v.is_finite()) {
            return Err(Error::invalid(format!("a parameter is {bad}")));
        }
        if !matches!(law.components(), 1 | 3 | 6) {
            return Err(Error::invalid(format!(
                "a law has 1, 3 or 6 strain components, not {}",
                law.components()
            )));
        }
        let external = normalisation.external_names.len();
        normalisation.check(law.components(), external)?;
        let measures = Measures::new(law.guarantees().symmetry, law.components());
        if let Some(range) = &normalisation.range {
            measures.check(range)?;
        }
        let parameters = layout.constrained(&unconstrained);
        Ok(Self {
            name: name.into(),
            state_layout: law.state_layout(),
            measures,
            update: Compiled::new(update(law.as_ref(), external).compile(), &parameters),
            energy: Compiled::new(free_energy(law.as_ref(), external).compile(), &parameters),
            law,
            layout,
            unconstrained,
            normalisation,
        })
    }

    /// The recurrent law itself.
    pub fn law(&self) -> &Arc<dyn RecurrentLaw> {
        &self.law
    }

    pub fn layout(&self) -> &ParameterLayout {
        &self.layout
    }

    /// The parameters before their constraints.
    pub fn unconstrained_parameters(&self) -> &[f64] {
        &self.unconstrained
    }

    pub fn normalisation(&self) -> &Normalisation {
        &self.normalisation
    }

    /// What the training records hold, a line for each quantity; nothing where the law does not know.
    pub fn trained_range(&self) -> Vec<String> {
        let Some(range) = &self.normalisation.range else {
            return Vec::new();
        };
        let between = |name: &str, [least, most]: &[f64; 2]| {
            format!("{name}: {} … {}", in_words(*least), in_words(*most))
        };
        let strains = self.measures.names().zip(&range.strain);
        let names = self.normalisation.external_names.iter().map(String::as_str);
        let named = strains.chain(names.zip(&range.external));
        let mut lines: Vec<_> = named.map(|(name, ends)| between(name, ends)).collect();
        if let Some(rate) = range.strain_rate {
            lines.push(format!("strain rate: at most {} /s", in_words(rate)));
        }
        lines.push(format!(
            "strain path of a record: at most {}",
            in_words(range.strain_path)
        ));
        lines
    }

    /// The equations of an increment as the law writes them, the graph with the consistent tangent, and
    /// the instructions that it is compiled to.
    pub fn listing(&self) -> String {
        let graph = Graph::new();
        let external = self.normalisation.external_names.len();
        let inputs = IncrementInputs::new(&graph, self.law.as_ref(), external);
        let text = graph.routine(&Advance::of(self.law.as_ref(), &inputs).outputs());
        let with_tangent = update(self.law.as_ref(), external);
        self.layout.named(&format!(
            "An increment as the law writes it: state, stress, dissipation, energy\n{text}\n\
             With the consistent tangent\n{with_tangent}\n\
             Compiled\n{}",
            self.update.program
        ))
    }

    fn energy_scale(&self) -> f64 {
        self.normalisation.strain * self.normalisation.stress
    }

    /// Whether increments are as those of the records.
    fn status<const W: usize>(&self, points: &impl PointInputs<W>) -> [Status; W] {
        let outside = match &self.normalisation.range {
            Some(range) => self.measures.outside(range, points),
            None => {
                let mut outside = [false; W];
                for (i, [least, most]) in self.normalisation.strain_range.iter().enumerate() {
                    let strain = points.strain_new(i);
                    for w in 0..W {
                        outside[w] |= (strain[w] < *least) | (strain[w] > *most);
                    }
                }
                outside
            }
        };
        outside.map(|outside| match outside {
            true => Status::Outside,
            false => Status::Inside,
        })
    }

    /// Sets the external variables of a program.
    fn set_external<const W: usize>(
        &self,
        runner: &Runner,
        workspace: &mut Workspace<W>,
        input: usize,
        value: impl Fn(usize) -> [f64; W],
    ) {
        let normalisation = &self.normalisation;
        if !normalisation.external.is_empty() {
            runner.set(workspace, 0, input, |i| {
                value(i).map(|value| normalisation.scaled(i, value))
            });
        }
    }

    /// Sets the inputs of an increment of `W` points.
    pub(crate) fn set_increment<const W: usize>(
        &self,
        runner: &Runner,
        workspace: &mut Workspace<W>,
        points: &impl PointInputs<W>,
    ) {
        let Normalisation { strain, time, .. } = self.normalisation;
        let (strain, time) = (1.0 / strain, 1.0 / time);
        let scaled = |value: [f64; W], scale: f64| value.map(|value| value * scale);
        runner.set(workspace, 0, input::STATE, |i| points.state(i));
        runner.set(workspace, 0, input::STRAIN_NEW, |i| {
            scaled(points.strain_new(i), strain)
        });
        runner.set(workspace, 0, input::STRAIN_OLD, |i| {
            scaled(points.strain_old(i), strain)
        });
        runner.set(workspace, 0, input::TIME, |_| scaled(points.dt(), time));
        self.set_external(runner, workspace, input::EXTERNAL, |i| points.external(i));
    }

    /// Sets the inputs of a free energy.
    pub(crate) fn set_point(
        &self,
        runner: &Runner,
        workspace: &mut Workspace<1>,
        strain: &[f64],
        state: &[f64],
        external: &[f64],
    ) {
        let scale = self.normalisation.strain;
        runner.set(workspace, 0, input::STATE, |i| [state[i]]);
        runner.set(workspace, 0, input::STRAIN_NEW, |i| [strain[i] / scale]);
        let variable = |i: usize| [external[i]];
        self.set_external(runner, workspace, input::EXTERNAL, variable);
    }

    /// The [outputs](output) of one point in physical units; on an error nothing is written.
    pub(crate) fn read_response(
        &self,
        runner: &Runner,
        workspace: &Workspace<1>,
        point: &impl PointInputs<1>,
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        let (stress_scale, energy_scale) = (self.normalisation.stress, self.energy_scale());
        let tangent_scale = stress_scale / self.normalisation.strain;
        let [status] = self.status(point);
        let mut result = Response {
            status,
            ..Response::default()
        };
        // Becomes NaN where a value is not finite.
        let mut check = 0.0;
        let mut scaled = |value: f64, scale: f64| {
            check += 0.0 * value * scale;
            value * scale
        };
        runner.read(workspace, 0, output::STRESS, |_, i, [s]| {
            result.stress[i] = scaled(*s, stress_scale);
        });
        runner.read(workspace, 0, output::TANGENT, |j, i, [slope]| {
            result.tangent[(i, j)] = scaled(*slope, tangent_scale);
        });
        runner.read(workspace, 0, output::ENERGY, |_, _, [energy]| {
            result.stored_energy = scaled(*energy, energy_scale);
        });
        runner.read(workspace, 0, output::DISSIPATION, |_, _, [dissipation]| {
            result.dissipation = scaled(*dissipation, energy_scale);
        });
        runner.read(workspace, 0, output::STATE, |_, _, [z]| {
            scaled(*z, 1.0);
        });
        if check.is_nan() {
            return Err(fault(workspace, 0));
        }
        runner.read(workspace, 0, output::STATE, |_, i, [z]| state_new[i] = *z);
        *response = result;
        Ok(())
    }

    fn update_with(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        with_workspace::<1, _>(|workspace| {
            let one = OnePoint {
                increment,
                state: state_old,
            };
            let runner = self.update.runner();
            runner.reserve(workspace, 1);
            self.set_increment::<1>(&runner, workspace, &one);
            runner.run(workspace, 0);
            self.read_response(&runner, workspace, &one, state_new, response)
        })
    }

    fn batch_with(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        let (p, n) = (input.points, self.components());
        let (stress_scale, energy_scale) = (self.normalisation.stress, self.energy_scale());
        let tangent_scale = stress_scale / self.normalisation.strain;
        with_workspace::<WIDTH, _>(|workspace| {
            let runner = self.update.runner();
            for first in (0..p).step_by(WIDTH) {
                runner.reserve(workspace, 1);
                let count = WIDTH.min(p - first);
                let chunk = Chunk { input, first };
                self.set_increment::<WIDTH>(&runner, workspace, &chunk);
                runner.run(workspace, 0);
                // Becomes NaN where a value is not finite.
                let mut check = [0.0; WIDTH];
                let mut put = |which: [usize; 2], scale: f64, to: &mut [f64], stride: usize| {
                    let to = Delivery { to, stride, count };
                    runner.deliver(workspace, which, scale, to, &mut check);
                };
                put([output::STATE, 0], 1.0, &mut output.state[first..], p);
                put(
                    [output::STRESS, 0],
                    stress_scale,
                    &mut output.stress[first..],
                    p,
                );
                for j in 0..n {
                    let column = &mut output.tangent[j * p + first..];
                    put([output::TANGENT, j], tangent_scale, column, n * p);
                }
                let energy = &mut output.stored_energy[first..];
                put([output::ENERGY, 0], energy_scale, energy, p);
                let dissipation = &mut output.dissipation[first..];
                put([output::DISSIPATION, 0], energy_scale, dissipation, p);
                let status: [_; WIDTH] = self.status(&chunk);
                output.status[first..first + count].copy_from_slice(&status[..count]);
                if let Some(w) = check[..count].iter().position(|check| check.is_nan()) {
                    return Err(BatchError {
                        point: first + w,
                        source: fault(workspace, w),
                    });
                }
            }
            Ok(())
        })
    }
}

impl MaterialLaw for LearnedLaw {
    fn name(&self) -> &str {
        &self.name
    }

    fn components(&self) -> usize {
        self.law.components()
    }

    fn external_variables(&self) -> &[String] {
        &self.normalisation.external_names
    }

    fn state_layout(&self) -> &StateLayout {
        &self.state_layout
    }

    fn initial_state(&self, state: &mut [f64]) {
        state.fill(0.0);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
        with_workspace::<1, _>(|workspace| {
            let runner = self.energy.runner();
            runner.reserve(workspace, 1);
            self.set_point(&runner, workspace, strain, state, external);
            runner.run(workspace, 0);
            let mut energy = f64::NAN;
            runner.read(workspace, 0, 0, |_, _, [value]| energy = *value);
            energy * self.energy_scale()
        })
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        prepare(self, increment, state_old, state_new)?;
        self.update_with(increment, state_old, state_new, response)
    }

    fn update_batch(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        check_batch(self, input, output)?;
        check_values(input)?;
        self.batch_with(input, output)
    }

    fn guarantees(&self) -> Guarantees {
        let guarantees = self.law.guarantees();
        Guarantees {
            // `σ(0, z_0) = 0` always; the virgin point also stays there if its state does.
            rest: guarantees.stationary,
            ..guarantees
        }
    }

    fn typical_external(&self) -> Vec<f64> {
        let means = self.normalisation.external.iter();
        means.map(|[mean, _]| *mean).collect()
    }

    fn departure(&self, increment: &Increment) -> Option<Departure> {
        let range = self.normalisation.range.as_ref()?;
        let point = OnePoint {
            increment,
            state: &[],
        };
        let names = &self.normalisation.external_names;
        self.measures.departure(range, names, &point)
    }

    fn trained_path(&self) -> Option<f64> {
        Some(self.normalisation.range.as_ref()?.strain_path)
    }

    fn scales(&self) -> Scales {
        Scales {
            strain: self.normalisation.strain,
            stress: self.normalisation.stress,
            time: self.normalisation.time,
        }
    }
}

/// Why the answer of a lane is not finite.
fn fault<const W: usize>(workspace: &Workspace<W>, lane: usize) -> UpdateError {
    match workspace.unsolved()[lane] {
        None => UpdateError::Overflow { what: "the law" },
        Some(unsolved) => UpdateError::NotConverged {
            what: "the implicit update",
            iterations: unsolved.iterations,
            residual: unsolved.residual,
        },
    }
}
