//! Free energies: a quadratic form plus a network.

use super::Forces;
use crate::algebra::{Algebra, ParameterLayout};
use crate::network::{Anchored, Convex, Mlp, Parts, Potential, Quadratic, stack};

/// `ψ(ε, z) = ½ |L [ε; z]|² + N(x) − N(x_0) − ∂N(x_0)·(x − x_0)`, `x = [ε; z; θ]`, `x_0 = [0; 0; θ]`.
///
/// `N` is a softplus network, `θ` the external variables. The subtraction makes `ψ`, `σ` and `A`
/// vanish in the virgin state, for any parameters and any `θ`. `L` makes elasticity with linear
/// internal variables exactly representable and keeps `ψ` growing outside the trained range.
#[derive(Clone, Debug)]
pub struct FreeEnergy<P = Mlp> {
    components: usize,
    states: usize,
    /// The internal variables are tensors, `[n·P]` component by component.
    tensors: bool,
    potential: Anchored<P>,
}

impl FreeEnergy {
    /// With a free network of hidden `[width, layers]`; `ψ` need not be convex.
    pub fn new(
        layout: &mut ParameterLayout,
        [components, states, external]: [usize; 3],
        size: [usize; 2],
    ) -> Self {
        let inputs = components + states;
        let quadratic = Quadratic::new(layout, "energy", inputs, 1.0, None);
        let network = Mlp::potential(layout, "energy", inputs + external, size);
        Self {
            components,
            states,
            tensors: false,
            potential: Anchored::new([inputs, external], quadratic, network),
        }
    }
}

impl FreeEnergy<Convex> {
    /// `ψ` is convex in `(ε, z)`. With a symmetry the internal variables are tensors, and `ψ` is a
    /// function of joint invariants.
    pub fn convex(
        layout: &mut ParameterLayout,
        [components, states, external]: [usize; 3],
        size: [usize; 2],
        parts: Option<&Parts>,
    ) -> Self {
        let inputs = [components + states, external];
        let quadratic = Quadratic::new(layout, "energy", inputs[0], 1.0, parts);
        let network = Convex::new(layout, "energy", inputs, size, parts);
        Self {
            components,
            states,
            tensors: parts.is_some(),
            potential: Anchored::new(inputs, quadratic, network),
        }
    }
}

impl<P: Potential> FreeEnergy<P> {
    pub fn components(&self) -> usize {
        self.components
    }

    pub fn states(&self) -> usize {
        self.states
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
        let x = self.joined(a, strain, state);
        let (energy, gradient) = self.potential.value_and_gradient(a, anchor, &x, external);
        let (stress, slope) = self.parted(a, &gradient);
        Forces {
            energy,
            stress,
            driving_force: a.scale(&slope, -1.0),
        }
    }

    /// `[ε; z]`, or the strain and the tensors component by component.
    fn joined<A: Algebra>(&self, a: &A, strain: &A::Vector, state: &A::Vector) -> A::Vector {
        if !self.tensors {
            return a.concat(&[strain, state]);
        }
        let count = self.states / self.components;
        let component = |c: usize| {
            let tensors = a.slice(state, c * count..(c + 1) * count);
            a.concat(&[&a.slice(strain, c..c + 1), &tensors])
        };
        let components: Vec<_> = (0..self.components).map(component).collect();
        stack(a, &components)
    }

    /// What [`FreeEnergy::joined`] has put together.
    fn parted<A: Algebra>(&self, a: &A, x: &A::Vector) -> (A::Vector, A::Vector) {
        let (n, s) = (self.components, self.states);
        if !self.tensors {
            return (a.slice(x, 0..n), a.slice(x, n..n + s));
        }
        let count = 1 + s / n;
        let each = |from: usize, to: usize| {
            let component = |c: usize| a.slice(x, c * count + from..c * count + to);
            let components: Vec<_> = (0..n).map(component).collect();
            stack(a, &components)
        };
        (each(0, 1), each(1, count))
    }
}
