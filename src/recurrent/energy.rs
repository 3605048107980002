//! The free energy of the gated cells: a quadratic form plus a softplus network.

use super::Forces;
use crate::algebra::{Algebra, Constraint, Initial, Parameter, ParameterLayout};
use crate::network::{Mlp, Potential};

/// `ψ(ε, z) = ½ |L x|² + N(x) − N(x_0) − ∂N(x_0)·(x − x_0)`, `x = [ε; z; θ]`, `x_0 = [0; 0; θ]`.
///
/// `N` is a softplus network, `θ` the external variables. The subtraction makes `ψ`, `σ` and `A`
/// vanish in the virgin state, for any parameters and any `θ`. `L` makes elasticity with linear
/// internal variables exactly representable and keeps `ψ` growing outside the trained range.
#[derive(Clone, Debug)]
pub struct FreeEnergy {
    components: usize,
    states: usize,
    external: usize,
    quadratic: Parameter,
    network: Mlp,
}

impl FreeEnergy {
    pub fn new(
        layout: &mut ParameterLayout,
        [components, states, external]: [usize; 3],
        [width, layers]: [usize; 2],
    ) -> Self {
        let n = components + states;
        Self {
            components,
            states,
            external,
            quadratic: layout.add(
                "energy.quadratic",
                [n, n],
                Constraint::Free,
                Initial::Scaled(1.0),
            ),
            network: Mlp::potential(layout, "energy", n + external, [width, layers]),
        }
    }

    fn at_rest<A: Algebra>(&self, a: &A, external: Option<&A::Vector>) -> A::Vector {
        let virgin = a.zeros(self.components + self.states);
        let x = match external {
            Some(external) => a.concat(&[&virgin, external]),
            None => virgin,
        };
        let (value, gradient) = self.network.value_and_gradient(a, &x);
        a.concat(&[&value, &gradient])
    }

    /// `[N(x_0); ∂N(x_0)]` where no external variable moves it.
    pub fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        match self.external {
            0 => self.at_rest(a, None),
            _ => a.zeros(1),
        }
    }

    /// See [`super::RecurrentLaw::forces`].
    pub fn forces<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        strain: &A::Vector,
        external: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        let (n, s) = (self.components, self.states);
        let x = a.concat(&[strain, state]);
        let (value, gradient, rest) = match external {
            None => {
                let (value, gradient) = self.network.value_and_gradient(a, &x);
                (value, gradient, prepared.clone())
            }
            Some(external) => {
                let full = a.concat(&[&x, external]);
                let (value, gradient) = self.network.value_and_gradient(a, &full);
                let gradient = a.slice(&gradient, 0..n + s);
                (value, gradient, self.at_rest(a, Some(external)))
            }
        };
        let rest_value = a.slice(&rest, 0..1);
        let rest_gradient = a.slice(&rest, 1..1 + n + s);
        let stretched = a.dense(self.quadratic, None, &x);
        let quadratic = a.scale(&a.dot(&stretched, &stretched), 0.5);
        let linear = a.add(&rest_value, &a.dot(&rest_gradient, &x));
        let energy = a.add(&quadratic, &a.sub(&value, &linear));
        let gradient = a.add(
            &a.sub(&gradient, &rest_gradient),
            &a.dense_transposed(self.quadratic, &stretched),
        );
        Forces {
            energy,
            stress: a.slice(&gradient, 0..n),
            driving_force: a.scale(&a.slice(&gradient, n..n + s), -1.0),
        }
    }
}
