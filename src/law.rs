//! The contract between a material law and whoever drives it: a solver, the point driver, the
//! audit, a plot.
//!
//! Old state in, new state out; the old one is never written. The same input gives the same
//! output, on any thread. After an error every output of a point is as it was; those of a batch are not
//! to be used.

mod batch;
mod delegate;
mod moduli;
#[cfg(feature = "threads")]
mod threads;

pub use batch::Batch;
pub(crate) use delegate::delegate;
pub use moduli::InitialModuli;
#[cfg(feature = "threads")]
pub use threads::update_batch_on_threads;

use crate::error::{BatchError, UpdateError};
use crate::mandel::{Mandel, Moduli};
use crate::symmetry::Symmetry;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

/// Largest number of strain components of a law.
pub const MAX_COMPONENTS: usize = 6;

/// One increment of the strain history.
#[derive(Clone, Copy, Debug)]
pub struct Increment<'a> {
    /// `ε_n`, Mandel, one entry per component.
    pub strain_old: &'a [f64],
    /// `ε_{n+1}`.
    pub strain_new: &'a [f64],
    /// Seconds, `≥ 0`; zero is legal.
    pub dt: f64,
    /// External variables (temperature, …) at both ends, in the order of
    /// [`MaterialLaw::external_variables`].
    pub external_old: &'a [f64],
    pub external_new: &'a [f64],
}

/// Whether an increment is one of those for which the law was identified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Inside,
    /// Outside the range seen in training: the answer is an extrapolation.
    /// [`MaterialLaw::departure`] says in what.
    Outside,
}

/// In what an increment is outside the range of a law.
#[derive(Clone, Debug, PartialEq)]
pub struct Departure {
    /// A component or invariant of the strain, an external variable, the strain rate, the strain path.
    pub what: String,
    pub value: f64,
    /// `[least, most]` seen in training.
    pub range: [f64; 2],
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, value, range } = self;
        let [value, least, most] = [*value, range[0], range[1]].map(in_words);
        write!(f, "{what} = {value}, trained from {least} to {most}")
    }
}

/// A number in a sentence.
pub(crate) fn in_words(x: f64) -> String {
    match x.abs() {
        1e-3..1e6 | 0.0 => format!("{}", (x * 1e6).round() / 1e6),
        _ => format!("{x:.4e}"),
    }
}

/// What a law answers. An `n`-component law fills the leading `n` entries (and `n × n` block);
/// the rest stays zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// `σ_{n+1}`, MPa.
    pub stress: Mandel,
    /// Consistent tangent `dσ_{n+1}/dε_{n+1}`, MPa.
    pub tangent: Moduli,
    /// `ψ(ε_{n+1}, z_{n+1})`, MJ/m³.
    pub stored_energy: f64,
    /// `D_end = A_{n+1}·(z_{n+1} − z_n)` of this increment, MJ/m³.
    pub dissipation: f64,
    pub status: Status,
}

/// A named internal variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateVariable {
    pub name: String,
    pub len: usize,
    /// "1" for a number without a unit.
    pub unit: &'static str,
}

/// The internal variables of a law, in the order in which they lie in the state vector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateLayout {
    variables: Vec<StateVariable>,
    len: usize,
}

impl StateLayout {
    pub fn new<S: Into<String>>(variables: impl IntoIterator<Item = (S, usize)>) -> Self {
        let variables: Vec<_> = variables
            .into_iter()
            .map(|(name, len)| StateVariable {
                name: name.into(),
                len,
                unit: "1",
            })
            .collect();
        let len = variables.iter().map(|v| v.len).sum();
        Self { variables, len }
    }

    /// The same variables, all of them in this unit.
    pub fn in_unit(mut self, unit: &'static str) -> Self {
        self.variables.iter_mut().for_each(|v| v.unit = unit);
        self
    }

    pub fn variables(&self) -> &[StateVariable] {
        &self.variables
    }

    /// Length of the state vector.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where a variable lies in the state vector.
    pub fn range(&self, name: &str) -> Option<std::ops::Range<usize>> {
        let mut start = 0;
        for v in &self.variables {
            if v.name == name {
                return Some(start..start + v.len);
            }
            start += v.len;
        }
        None
    }

    /// A label per entry of the state vector: `name`, or `name[i]` for longer variables.
    pub fn labels(&self) -> Vec<String> {
        self.variables
            .iter()
            .flat_map(|v| {
                (0..v.len).map(move |i| match v.len {
                    1 => v.name.clone(),
                    _ => format!("{}[{i}]", v.name),
                })
            })
            .collect()
    }
}

/// What holds for a law by construction, whatever its parameters and the step. Everything that is
/// not claimed here is only tested by the audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guarantees {
    /// `D_end ≥ 0` in every increment.
    pub second_law: bool,
    /// That the second law, `D_end` over all of a straight increment, also holds where a recurrent law
    /// takes the increment in several updates.
    pub second_law_in_parts: bool,
    /// `Δε = 0, dt = 0` changes nothing.
    pub stationary: bool,
    /// The answer does not depend on `dt`.
    pub rate_independent: bool,
    /// The answer turns with the strain, by the rotations of the symmetry.
    pub symmetry: Symmetry,
    /// `σ(0, z_0) = 0` and `ψ(0, z_0) = 0`.
    pub rest: bool,
}

/// Typical magnitudes of a law: where its behaviour shows. Used to choose audit histories and to
/// make their figures dimensionless.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    /// Strain amplitude of a typical cycle.
    pub strain: f64,
    /// Stress there, MPa.
    pub stress: f64,
    /// Duration of a typical increment, s.
    pub time: f64,
}

impl Scales {
    /// `σ_s ε_s`, MJ/m³.
    pub fn energy(&self) -> f64 {
        self.stress * self.strain
    }
}

/// Round-off that the dissipation of an increment may show, over the energy of its history.
pub const DISSIPATION_ROUND_OFF: f64 = 1e-12;

/// Whether an increment breaks the second law by more than round-off: the one rule of training,
/// audit, scores and figures. `energy`, which measures round-off, is the larger of `σ_s ε_s` and the
/// largest `|ψ|` of the history so far, in the unit of the dissipation.
pub fn breaks_second_law(dissipation: f64, energy: f64) -> bool {
    dissipation.is_nan() || dissipation < -DISSIPATION_ROUND_OFF * energy
}

/// Strain history in, stress out. See the module for the contract.
pub trait MaterialLaw: Send + Sync {
    fn name(&self) -> &str;

    /// Number of strain components: 1, 3 or 6; 4 for plane strain and axisymmetry in a host.
    fn components(&self) -> usize;

    /// Names of the external variables that every increment must carry.
    fn external_variables(&self) -> &[String] {
        &[]
    }

    fn state_layout(&self) -> &StateLayout;

    /// Writes the virgin state.
    fn initial_state(&self, state: &mut [f64]);

    /// `ψ(ε, z)` in MJ/m³.
    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64;

    /// Advances one material point.
    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError>;

    /// Advances many points; the arrays are component-major (`[component * points + point]`).
    ///
    /// After an error the new state and the other outputs of this call are not to be used; the old
    /// state is untouched.
    fn update_batch(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        check_batch(self, input, output)?;
        update_one_by_one(self, input, output, 0..input.points)
    }

    fn guarantees(&self) -> Guarantees;

    /// Values of the external variables at which the law is known: the means of its training records; zero
    /// where it does not know any.
    fn typical_external(&self) -> Vec<f64> {
        vec![0.0; self.external_variables().len()]
    }

    /// In what an increment is [outside](Status::Outside) the range of the law; the first quantity found.
    fn departure(&self, increment: &Increment) -> Option<Departure> {
        let _ = increment;
        None
    }

    /// Longest accumulated strain path `Σ‖Δε‖` of a record that the law was trained on; `None` where it does not
    /// know any. An increment alone does not tell how far the path has come: the driver judges it.
    fn trained_path(&self) -> Option<f64> {
        None
    }

    fn scales(&self) -> Scales;

    /// A state filled with [`MaterialLaw::initial_state`].
    fn new_state(&self) -> Vec<f64> {
        let mut state = vec![0.0; self.state_layout().len()];
        self.initial_state(&mut state);
        state
    }

    /// Checks lengths and finiteness, the first thing every update does.
    fn check(&self, increment: &Increment, state: &[f64]) -> Result<(), UpdateError> {
        let n = self.components();
        let m = self.external_variables().len();
        for (what, expected, values) in [
            ("old strain", n, increment.strain_old),
            ("new strain", n, increment.strain_new),
            ("old external variables", m, increment.external_old),
            ("new external variables", m, increment.external_new),
            ("state", self.state_layout().len(), state),
        ] {
            if values.len() != expected {
                return Err(UpdateError::Shape {
                    what,
                    expected,
                    found: values.len(),
                });
            }
            if let Some(&value) = values.iter().find(|v| !v.is_finite()) {
                return Err(UpdateError::NonFinite { what, value });
            }
        }
        if !increment.dt.is_finite() {
            return Err(UpdateError::NonFinite {
                what: "time step",
                value: increment.dt,
            });
        }
        if increment.dt < 0.0 {
            return Err(UpdateError::NegativeTime { dt: increment.dt });
        }
        Ok(())
    }
}

/// A shared law is a law.
impl<L: MaterialLaw + ?Sized> MaterialLaw for Arc<L> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn components(&self) -> usize {
        (**self).components()
    }

    fn external_variables(&self) -> &[String] {
        (**self).external_variables()
    }

    fn state_layout(&self) -> &StateLayout {
        (**self).state_layout()
    }

    fn initial_state(&self, state: &mut [f64]) {
        (**self).initial_state(state);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
        (**self).free_energy(strain, state, external)
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        (**self).update(increment, state_old, state_new, response)
    }

    fn update_batch(&self, input: &BatchInput, output: &mut BatchOutput) -> Result<(), BatchError> {
        (**self).update_batch(input, output)
    }

    fn guarantees(&self) -> Guarantees {
        (**self).guarantees()
    }

    fn typical_external(&self) -> Vec<f64> {
        (**self).typical_external()
    }

    fn departure(&self, increment: &Increment) -> Option<Departure> {
        (**self).departure(increment)
    }

    fn trained_path(&self) -> Option<f64> {
        (**self).trained_path()
    }

    fn scales(&self) -> Scales {
        (**self).scales()
    }
}

/// The checks of the contract, and the length of the new state.
pub(crate) fn prepare<L: MaterialLaw>(
    law: &L,
    increment: &Increment,
    state_old: &[f64],
    state_new: &[f64],
) -> Result<(), UpdateError> {
    law.check(increment, state_old)?;
    if state_new.len() != state_old.len() {
        return Err(UpdateError::Shape {
            what: "new state",
            expected: state_old.len(),
            found: state_new.len(),
        });
    }
    Ok(())
}

/// Inputs of a batched update, component-major over points.
#[derive(Clone, Copy, Debug)]
pub struct BatchInput<'a> {
    pub points: usize,
    /// `[n][points]`
    pub strain_old: &'a [f64],
    /// `[n][points]`
    pub strain_new: &'a [f64],
    /// `[points]`, seconds
    pub dt: &'a [f64],
    /// `[m][points]`
    pub external_old: &'a [f64],
    /// `[m][points]`
    pub external_new: &'a [f64],
    /// `[states][points]`
    pub state: &'a [f64],
}

/// Outputs of a batched update, component-major over points.
#[derive(Debug)]
pub struct BatchOutput<'a> {
    /// `[states][points]`
    pub state: &'a mut [f64],
    /// `[n][points]`, MPa
    pub stress: &'a mut [f64],
    /// `[n][n][points]`, MPa
    pub tangent: &'a mut [f64],
    /// `[points]`, MJ/m³
    pub stored_energy: &'a mut [f64],
    /// `[points]`, MJ/m³
    pub dissipation: &'a mut [f64],
    /// `[points]`
    pub status: &'a mut [Status],
}

/// Checks the lengths of a batch against the law.
pub fn check_batch<L: MaterialLaw + ?Sized>(
    law: &L,
    input: &BatchInput,
    output: &BatchOutput,
) -> Result<(), BatchError> {
    let (p, n) = (input.points, law.components());
    let (m, s) = (law.external_variables().len(), law.state_layout().len());
    for (what, expected, found) in [
        ("old strain", n * p, input.strain_old.len()),
        ("new strain", n * p, input.strain_new.len()),
        ("time step", p, input.dt.len()),
        ("old external variables", m * p, input.external_old.len()),
        ("new external variables", m * p, input.external_new.len()),
        ("old state", s * p, input.state.len()),
        ("new state", s * p, output.state.len()),
        ("stress", n * p, output.stress.len()),
        ("tangent", n * n * p, output.tangent.len()),
        ("stored energy", p, output.stored_energy.len()),
        ("dissipation", p, output.dissipation.len()),
        ("status", p, output.status.len()),
    ] {
        if expected != found {
            let source = UpdateError::Shape {
                what,
                expected,
                found,
            };
            return Err(BatchError { point: 0, source });
        }
    }
    Ok(())
}

thread_local! {
    static STATES: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// Advances some points of a batch whose lengths were checked.
pub(crate) fn update_one_by_one<L: MaterialLaw + ?Sized>(
    law: &L,
    input: &BatchInput,
    output: &mut BatchOutput,
    range: std::ops::Range<usize>,
) -> Result<(), BatchError> {
    let (p, n) = (input.points, law.components());
    let (m, s) = (law.external_variables().len(), law.state_layout().len());
    // The buffer is taken, not borrowed: a law may itself call a batch of another law.
    let mut buffer = STATES.with(RefCell::take);
    buffer.clear();
    buffer.resize(2 * (s + m), 0.0);
    let (state_old, rest) = buffer.split_at_mut(s);
    let (state_new, rest) = rest.split_at_mut(s);
    let (external_old, external_new) = rest.split_at_mut(m);
    let mut response = Response::default();
    let mut result = Ok(());
    for point in range {
        let gather = |from: &[f64], to: &mut [f64]| {
            for (c, value) in to.iter_mut().enumerate() {
                *value = from[c * p + point];
            }
        };
        let (mut strain_old, mut strain_new) = ([0.0; MAX_COMPONENTS], [0.0; MAX_COMPONENTS]);
        gather(input.strain_old, &mut strain_old[..n]);
        gather(input.strain_new, &mut strain_new[..n]);
        gather(input.external_old, external_old);
        gather(input.external_new, external_new);
        gather(input.state, state_old);
        let increment = Increment {
            strain_old: &strain_old[..n],
            strain_new: &strain_new[..n],
            dt: input.dt[point],
            external_old,
            external_new,
        };
        if let Err(source) = law.update(&increment, state_old, state_new, &mut response) {
            result = Err(BatchError { point, source });
            break;
        }
        for i in 0..n {
            output.stress[i * p + point] = response.stress[i];
            for j in 0..n {
                output.tangent[(i * n + j) * p + point] = response.tangent[(i, j)];
            }
        }
        for (k, &value) in state_new.iter().enumerate() {
            output.state[k * p + point] = value;
        }
        output.stored_energy[point] = response.stored_energy;
        output.dissipation[point] = response.dissipation;
        output.status[point] = response.status;
    }
    STATES.with(|cell| cell.replace(buffer));
    result
}
