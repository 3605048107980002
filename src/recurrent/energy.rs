//! Free energies: a quadratic form plus a network.

use super::Forces;
use crate::graph::{ParameterLayout, Vector, concat, stack};
use crate::network::{Anchored, Convex, Mlp, Parts, Potential, Quadratic};

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
            potential: Anchored::new(quadratic, network),
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
            potential: Anchored::new(quadratic, network),
        }
    }
}

impl<P: Potential> FreeEnergy<P> {
    pub fn components(&self) -> usize {
        self.components
    }

    /// Number of internal variables.
    pub fn states(&self) -> usize {
        self.states
    }

    /// See [`super::RecurrentLaw::forces`].
    pub fn forces<'g>(
        &self,
        strain: Vector<'g>,
        external: Vector<'g>,
        state: Vector<'g>,
    ) -> Forces<'g> {
        let x = self.joined(strain, state);
        let (energy, gradient) = self.potential.value_and_gradient(x, external);
        let [stress, slope] = self.parted(gradient);
        Forces {
            energy,
            stress,
            driving_force: -slope,
        }
    }

    /// `[ε; z]`, or the strain and the tensors component by component.
    fn joined<'g>(&self, strain: Vector<'g>, state: Vector<'g>) -> Vector<'g> {
        if !self.tensors {
            return concat([strain, state]);
        }
        let tensors = state.chunks(self.components).into_iter().enumerate();
        stack(tensors.flat_map(|(c, tensors)| [strain.at(c), tensors]))
    }

    /// What [`FreeEnergy::joined`] has put together.
    fn parted<'g>(&self, x: Vector<'g>) -> [Vector<'g>; 2] {
        if !self.tensors {
            return x.split(self.components);
        }
        let components = x.chunks(self.components).into_iter();
        let (strain, state): (Vec<_>, Vec<_>) =
            components.map(|c| (c.at(0), c.slice(1..c.len()))).unzip();
        [concat(strain), concat(state)]
    }
}
