//! The laws of the benchmarks.
//!
//! The other libraries implement the same models in `benches/peers`. They are chosen for their cost, not
//! for the materials that they describe.

pub mod points;
pub mod timing;

use hysteron::graph::{Function, Matrix, ParameterLayout, Vector, concat};
use hysteron::law::{Guarantees, StateLayout};
use hysteron::laws::{Backstress, PlasticityParameters};
use hysteron::network::{Dense, Mlp, Potential};
use hysteron::recurrent::{
    Architecture, Clock, Forces, GeneralizedStandard, RecurrentLaw, Step, Symmetry,
};

pub const COMPONENTS: usize = 6;

/// A: a gated recurrent unit `[ε; dt] [7] → h [32]` in the form of PyTorch and cuDNN, and a linear
/// readout `σ = W h + b [6]`. It has no free energy: `ψ = D = 0`.
#[derive(Clone, Debug)]
pub struct PlainGru {
    states: usize,
    input: Dense,
    recurrent: Dense,
    readout: Dense,
}

impl PlainGru {
    pub fn new(layout: &mut ParameterLayout, states: usize) -> Self {
        Self {
            states,
            input: Dense::new(layout, "input", COMPONENTS + 1, 3 * states),
            recurrent: Dense::new(layout, "recurrent", states, 3 * states),
            readout: Dense::new(layout, "readout", states, COMPONENTS),
        }
    }
}

impl RecurrentLaw for PlainGru {
    fn components(&self) -> usize {
        COMPONENTS
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([("hidden_state", self.states)])
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::default()
    }

    fn evolve<'g>(&self, step: &Step<'g>, h: Vector<'g>) -> Vector<'g> {
        let x = concat([step.strain_new, step.dt]);
        let [wx_gates, wx_candidate] = self.input.of(x).split(2 * h.len());
        let [uh_gates, uh_candidate] = self.recurrent.of(h).split(2 * h.len());
        let [r, u] = (wx_gates + uh_gates).sigmoid().split(h.len());
        let c = (wx_candidate + r * uh_candidate).tanh();
        c + u * (h - c)
    }

    fn forces<'g>(&self, strain: Vector<'g>, _: Vector<'g>, h: Vector<'g>) -> Forces<'g> {
        Forces {
            energy: strain.graph().zeros(1),
            stress: self.readout.of(h),
            driving_force: strain.graph().zeros(self.states),
        }
    }
}

/// How the internal variables of [`InternalVariables`] evolve.
#[derive(Clone, Debug)]
pub enum Evolution {
    /// `z' = z + dt N(ε, z)`, `N` a network with one tanh layer: the model IV of the training bench.
    Network(Mlp),
    /// `z' = z − dt M ∂ψ/∂z(ε, z)`: the model B of the inference bench.
    Gradient(Matrix),
}

/// A softplus free energy `ψ(ε, z)` of two hidden layers, with `σ = ∂ψ/∂ε` and `A = −∂ψ/∂z` in
/// closed form, and explicit Euler for its eight internal variables.
#[derive(Clone, Debug)]
pub struct InternalVariables {
    states: usize,
    energy: Mlp,
    evolution: Evolution,
}

impl InternalVariables {
    pub fn with_network(layout: &mut ParameterLayout, states: usize, width: usize) -> Self {
        let n = COMPONENTS + states;
        let energy = Mlp::potential(layout, "energy", n, [width, 2]);
        let size = [width, 1];
        let network = Mlp::new(layout, "evolution", [n, states], size, Function::Tanh);
        Self {
            states,
            energy,
            evolution: Evolution::Network(network),
        }
    }

    pub fn with_gradient(layout: &mut ParameterLayout, states: usize, width: usize) -> Self {
        let n = COMPONENTS + states;
        Self {
            states,
            energy: Mlp::potential(layout, "energy", n, [width, 2]),
            evolution: Evolution::Gradient(Dense::new(layout, "mobility", states, states).weight),
        }
    }
}

impl RecurrentLaw for InternalVariables {
    fn components(&self) -> usize {
        COMPONENTS
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([("internal_variables", self.states)])
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::default()
    }

    fn evolve<'g>(&self, step: &Step<'g>, z: Vector<'g>) -> Vector<'g> {
        let strain = step.strain_new;
        let rate = match &self.evolution {
            Evolution::Network(network) => network.of(concat([strain, z])),
            Evolution::Gradient(mobility) => {
                *mobility * self.forces(strain, step.external, z).driving_force
            }
        };
        z + rate * step.dt
    }

    fn forces<'g>(&self, strain: Vector<'g>, _: Vector<'g>, z: Vector<'g>) -> Forces<'g> {
        let (energy, gradient) = self.energy.value_and_gradient(concat([strain, z]));
        let [stress, slope] = gradient.split(COMPONENTS);
        Forces {
            energy,
            stress,
            driving_force: -slope,
        }
    }
}

/// C: steel with linear isotropic and kinematic hardening.
pub fn steel() -> PlasticityParameters {
    PlasticityParameters {
        young: 200_000.0,
        poisson: 0.3,
        yield_stress: 250.0,
        voce: vec![],
        linear_hardening: 1000.0,
        backstress: vec![Backstress {
            c: 20_000.0,
            gamma: 0.0,
        }],
    }
}

/// D: `generalized-standard`, an implicit law, with six internal variables and `clock = "time"`.
pub fn generalized_standard(layout: &mut ParameterLayout, width: usize) -> GeneralizedStandard {
    let sizes = Architecture {
        law: "generalized-standard".into(),
        components: COMPONENTS,
        external: 0,
        states: 6,
        width,
        layers: 2,
        energy_width: width,
        energy_layers: 2,
        clock: Clock::Time,
        symmetry: Symmetry::None,
        substeps: 1,
        linear_hardening: false,
        stress_state: None,
    };
    GeneralizedStandard::new(layout, &sizes)
}
