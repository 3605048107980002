//! The laws that the benches time, written once over the algebra like any other.
//!
//! They are the models that peers implement in `benches/peers`: chosen for what they cost, not for
//! what they describe.

pub mod points;

use hysteron::algebra::{Activation, Algebra, Parameter, ParameterLayout};
use hysteron::laws::{Backstress, PlasticityParameters};
use hysteron::network::{Dense, Mlp, Potential};
use hysteron::recurrent::{
    Architecture, Claims, Clock, Forces, GeneralizedStandard, Inputs, RecurrentLaw, Symmetry,
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

    fn states(&self) -> usize {
        self.states
    }

    fn claims(&self) -> Claims {
        Claims::default()
    }

    fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        a.zeros(1)
    }

    fn evolve<A: Algebra>(
        &self,
        a: &A,
        _: &A::Vector,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        let s = self.states;
        let x = a.concat(&[&inputs.strain_new, &inputs.dt]);
        let from_input = self.input.forward(a, &x);
        let from_state = self.recurrent.forward(a, state);
        let gates = a.apply(
            Activation::Sigmoid,
            &a.add(
                &a.slice(&from_input, 0..2 * s),
                &a.slice(&from_state, 0..2 * s),
            ),
        );
        let (reset, update) = (a.slice(&gates, 0..s), a.slice(&gates, s..2 * s));
        let candidate = a.apply(
            Activation::Tanh,
            &a.add(
                &a.slice(&from_input, 2 * s..3 * s),
                &a.mul(&reset, &a.slice(&from_state, 2 * s..3 * s)),
            ),
        );
        a.add(&candidate, &a.mul(&update, &a.sub(state, &candidate)))
    }

    fn forces<A: Algebra>(
        &self,
        a: &A,
        _: &A::Vector,
        _: &A::Vector,
        _: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        Forces {
            energy: a.zeros(1),
            stress: self.readout.forward(a, state),
            driving_force: a.zeros(self.states),
        }
    }
}

/// How the internal variables of [`InternalVariables`] evolve.
#[derive(Clone, Debug)]
pub enum Evolution {
    /// `z' = z + dt N(ε, z)`, `N` a network with one tanh layer: the model IV of the training bench.
    Network(Mlp),
    /// `z' = z − dt M ∂ψ/∂z(ε, z)`: the model B of the inference bench.
    Gradient(Parameter),
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
        Self {
            states,
            energy: Mlp::potential(layout, "energy", n, [width, 2]),
            evolution: Evolution::Network(Mlp::new(
                layout,
                "evolution",
                [n, states],
                [width, 1],
                Activation::Tanh,
            )),
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

    /// `ψ` and `[∂ψ/∂ε; ∂ψ/∂z]`.
    fn gradient<A: Algebra>(
        &self,
        a: &A,
        strain: &A::Vector,
        state: &A::Vector,
    ) -> (A::Vector, A::Vector) {
        self.energy
            .value_and_gradient(a, &a.concat(&[strain, state]))
    }
}

impl RecurrentLaw for InternalVariables {
    fn components(&self) -> usize {
        COMPONENTS
    }

    fn states(&self) -> usize {
        self.states
    }

    fn claims(&self) -> Claims {
        Claims::default()
    }

    fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        a.zeros(1)
    }

    fn evolve<A: Algebra>(
        &self,
        a: &A,
        _: &A::Vector,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        let strain = &inputs.strain_new;
        let rate = match &self.evolution {
            Evolution::Network(network) => network.forward(a, &a.concat(&[strain, state])),
            Evolution::Gradient(mobility) => {
                let (_, gradient) = self.gradient(a, strain, state);
                let n = COMPONENTS;
                let force = a.scale(&a.slice(&gradient, n..n + self.states), -1.0);
                a.dense(*mobility, None, &force)
            }
        };
        a.add(state, &a.times(&rate, &inputs.dt))
    }

    fn forces<A: Algebra>(
        &self,
        a: &A,
        _: &A::Vector,
        strain: &A::Vector,
        _: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        let (energy, gradient) = self.gradient(a, strain, state);
        let n = COMPONENTS;
        Forces {
            energy,
            stress: a.slice(&gradient, 0..n),
            driving_force: a.scale(&a.slice(&gradient, n..n + self.states), -1.0),
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

/// D: the generalized standard material of the library, an implicit law with six internal
/// variables that follow in time.
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
    };
    GeneralizedStandard::new(layout, &sizes)
}
