//! Free energies: a quadratic form plus a network.

use super::Forces;
use crate::algebra::{Algebra, ParameterLayout};
use crate::network::{Anchored, InputConvex, Mlp, Potential};

/// `ψ(ε, z) = ½ |L x|² + N(x) − N(x_0) − ∂N(x_0)·(x − x_0)`, `x = [ε; z; θ]`, `x_0 = [0; 0; θ]`.
///
/// `N` is a softplus network, `θ` the external variables. The subtraction makes `ψ`, `σ` and `A`
/// vanish in the virgin state, for any parameters and any `θ`. `L` makes elasticity with linear
/// internal variables exactly representable and keeps `ψ` growing outside the trained range.
#[derive(Clone, Debug)]
pub struct FreeEnergy<P = Mlp> {
    components: usize,
    states: usize,
    potential: Anchored<P>,
}

impl FreeEnergy {
    /// With a free network of hidden `[width, layers]`; `ψ` need not be convex.
    pub fn new(
        layout: &mut ParameterLayout,
        sizes: [usize; 3],
        [width, layers]: [usize; 2],
    ) -> Self {
        Self::with(layout, sizes, |layout, inputs| {
            Mlp::potential(layout, "energy", inputs, [width, layers])
        })
    }
}

impl FreeEnergy<InputConvex> {
    /// `ψ` is convex in `(ε, z)`.
    pub fn convex(
        layout: &mut ParameterLayout,
        sizes: [usize; 3],
        [width, layers]: [usize; 2],
    ) -> Self {
        Self::with(layout, sizes, |layout, inputs| {
            InputConvex::new(layout, "energy", inputs, [width, layers])
        })
    }
}

impl<P: Potential> FreeEnergy<P> {
    fn with(
        layout: &mut ParameterLayout,
        [components, states, external]: [usize; 3],
        network: impl FnOnce(&mut ParameterLayout, usize) -> P,
    ) -> Self {
        let inputs = [components + states, external];
        Self {
            components,
            states,
            potential: Anchored::new(layout, "energy", inputs, 1.0, network),
        }
    }

    /// Length of what [`FreeEnergy::prepare`] gives.
    pub fn prepared_len(&self) -> usize {
        self.potential.prepared_len()
    }

    /// What of the virgin state no external variable moves.
    pub fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        self.potential.prepare(a)
    }

    /// The virgin state at these external variables, for [`FreeEnergy::forces_from`].
    pub fn anchor<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        external: Option<&A::Vector>,
    ) -> A::Vector {
        self.potential.anchor(a, prepared, external)
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
        let anchor = self.anchor(a, prepared, external);
        self.forces_from(a, &anchor, strain, external, state)
    }

    /// [`FreeEnergy::forces`] where the anchor is known: in an iteration at one `θ`.
    pub fn forces_from<A: Algebra>(
        &self,
        a: &A,
        anchor: &A::Vector,
        strain: &A::Vector,
        external: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        let (n, s) = (self.components, self.states);
        let x = a.concat(&[strain, state]);
        let (energy, gradient) = self.potential.value_and_gradient(a, anchor, &x, external);
        Forces {
            energy,
            stress: a.slice(&gradient, 0..n),
            driving_force: a.scale(&a.slice(&gradient, n..n + s), -1.0),
        }
    }
}
