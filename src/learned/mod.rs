//! A trained recurrent law as a [`MaterialLaw`]: physical units, exact consistent tangent.

mod memory;
mod normalisation;
mod points;

pub use normalisation::Normalisation;

use crate::algebra::{
    Algebra, Bundles, Delivery, ParameterLayout, Program, Recorder, Runner, Tables, Tangent,
    Workspace,
};
use crate::error::{BatchError, Error, Result, UpdateError};
use crate::law::{
    BatchInput, BatchOutput, Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout,
    Status, check_batch, prepare,
};
use crate::recurrent::{AnyLaw, Forces, Inputs, RecurrentLaw, step};
pub(crate) use memory::with_workspace;
pub(crate) use points::Points;
use points::{Chunk, OnePoint, check_values};

/// Points that one pass of a batch advances together.
const WIDTH: usize = 8;

/// A recurrent law with its parameters and scales.
///
/// `σ = ∂ψ/∂ε` holds in physical units: the energy is scaled by `s_σ s_ε`, the strain by `s_ε`.
/// The virgin state is free of stress and energy by construction. What the recurrent law claims
/// beyond that is in its [`Claims`](crate::recurrent::Claims).
#[derive(Clone, Debug)]
pub struct LearnedLaw<L = AnyLaw> {
    name: String,
    law: L,
    layout: ParameterLayout,
    raw: Vec<f64>,
    /// An increment with its tangent.
    update: Prepared,
    /// The free energy alone.
    energy: Prepared,
    normalisation: Normalisation,
    state_layout: StateLayout,
}

/// A program with what of it depends on the parameters alone.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    program: Program,
    tables: Tables,
}

impl Prepared {
    /// For effective parameters.
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

/// Inputs of an increment, and the first two of a free energy.
pub(crate) mod input {
    pub const STATE: usize = 0;
    pub const STRAIN_NEW: usize = 1;
    pub const STRAIN_OLD: usize = 2;
    pub const TIME: usize = 3;
    pub const EXTERNAL: usize = 4;
    pub const EXTERNAL_OF_ENERGY: usize = 2;
}

/// Outputs of an increment.
mod output {
    pub const STATE: usize = 0;
    pub const STRESS: usize = 1;
    pub const TANGENT: usize = 2;
    pub const ENERGY: usize = 3;
    pub const DISSIPATION: usize = 4;
}

/// An increment of a law with its consistent tangent, which uses that the old state does not depend
/// on the strain.
fn update<L: RecurrentLaw>(law: &L, external: usize) -> Program {
    let a = Recorder::new();
    let (t, n) = (Tangent::new(&a), law.components());
    let state = a.input(law.states());
    let strain_new = a.input(n);
    let inputs = Inputs {
        strain_new: t.variable(strain_new),
        strain_old: t.fixed(a.input(n)),
        dt: t.fixed(a.input(1)),
        external: (external > 0).then(|| t.fixed(a.input(external))),
    };
    let new = step(law, &t, &law.prepare(&t), &inputs, &t.fixed(state));
    let Forces { energy, stress, .. } = new.forces;
    // Where the stress does not depend on the strain.
    let no_tangent = || a.scale(&a.units(n), 0.0);
    let outputs = [
        new.state.value,
        stress.value,
        stress.directions.unwrap_or_else(no_tangent),
        energy.value,
        new.dissipation.value,
    ];
    Program::new(a, &outputs)
}

fn free_energy<L: RecurrentLaw>(law: &L, external: usize) -> Program {
    let a = Recorder::new();
    let state = a.input(law.states());
    let strain = a.input(law.components());
    let external = (external > 0).then(|| a.input(external));
    let forces = law.forces(&a, &law.prepare(&a), &strain, external.as_ref(), &state);
    Program::new(a, &[forces.energy])
}

impl<L: RecurrentLaw> LearnedLaw<L> {
    /// `raw` holds the parameters in the order of the layout, before their constraints.
    ///
    /// # Errors
    /// A wrong number of parameters, a parameter that is not finite, scales that are not positive.
    pub fn new(
        name: impl Into<String>,
        law: L,
        layout: ParameterLayout,
        raw: Vec<f64>,
        normalisation: Normalisation,
    ) -> Result<Self> {
        if raw.len() != layout.len() {
            return Err(Error::invalid(format!(
                "the law has {} parameters, {} were given",
                layout.len(),
                raw.len()
            )));
        }
        if let Some(bad) = raw.iter().find(|v| !v.is_finite()) {
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
        let parameters = layout.effective(&raw);
        Ok(Self {
            name: name.into(),
            state_layout: StateLayout::new([("internal_variables", law.states())]),
            update: Prepared::new(update(&law, external), &parameters),
            energy: Prepared::new(free_energy(&law, external), &parameters),
            law,
            layout,
            raw,
            normalisation,
        })
    }

    pub fn law(&self) -> &L {
        &self.law
    }

    pub fn layout(&self) -> &ParameterLayout {
        &self.layout
    }

    /// The parameters before their constraints.
    pub fn raw_parameters(&self) -> &[f64] {
        &self.raw
    }

    pub fn normalisation(&self) -> &Normalisation {
        &self.normalisation
    }

    fn energy_scale(&self) -> f64 {
        self.normalisation.strain * self.normalisation.stress
    }

    /// Whether the new strains are those of the records.
    fn status<const W: usize>(&self, strain_new: impl Fn(usize) -> [f64; W]) -> [Status; W] {
        let mut outside = [false; W];
        for (i, [least, most]) in self.normalisation.strain_range.iter().enumerate() {
            let strain = strain_new(i);
            for w in 0..W {
                outside[w] |= (strain[w] < *least) | (strain[w] > *most);
            }
        }
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
        let scales = &self.normalisation.external;
        if !scales.is_empty() {
            runner.set(workspace, 0, input, |i| {
                let [offset, scale] = scales[i];
                value(i).map(|value| (value - offset) / scale)
            });
        }
    }

    /// Sets the inputs of an increment of `W` points.
    pub(crate) fn set_increment<const W: usize>(
        &self,
        runner: &Runner,
        workspace: &mut Workspace<W>,
        points: &impl Points<W>,
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
        self.set_external(runner, workspace, input::EXTERNAL_OF_ENERGY, variable);
    }

    /// The [outputs](output) of one point in physical units; on an error nothing is written.
    pub(crate) fn read_response(
        &self,
        runner: &Runner,
        workspace: &Workspace<1>,
        strain_new: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        let (stress_scale, energy_scale) = (self.normalisation.stress, self.energy_scale());
        let tangent_scale = stress_scale / self.normalisation.strain;
        let [status] = self.status(|i| [strain_new[i]]);
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
            runner.prepare(workspace, 1);
            self.set_increment::<1>(&runner, workspace, &one);
            runner.run(workspace, 0);
            let strain = increment.strain_new;
            self.read_response(&runner, workspace, strain, state_new, response)
        })
    }

    fn batch_with(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        let (p, n) = (input.points, self.components());
        let (stress_scale, energy_scale) = (self.normalisation.stress, self.energy_scale());
        let tangent_scale = stress_scale / self.normalisation.strain;
        with_workspace::<WIDTH, _>(|workspace| {
            let runner = self.update.runner();
            for first in (0..p).step_by(WIDTH) {
                runner.prepare(workspace, 1);
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
                let status: [_; WIDTH] = self.status(|i| chunk.strain_new(i));
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

impl<L: RecurrentLaw> MaterialLaw for LearnedLaw<L> {
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
            runner.prepare(workspace, 1);
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
        let claims = self.law.claims();
        Guarantees {
            second_law: claims.second_law,
            stationary: claims.stationary,
            rate_independent: claims.rate_independent,
            symmetry: claims.symmetry,
            // `σ(0, z_0) = 0` always; the virgin point also stays there if its state does.
            rest: claims.stationary,
        }
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
