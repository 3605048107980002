//! Free energies of the strain alone: what stays when every internal variable has followed.

use super::Symmetry;
use super::branches::volumetric;
use crate::graph::{Coefficients, Constraint, Initial, ParameterLayout, Unit, Vector, concat};
use crate::network::{Anchored, Convex, Mlp, Parts, Quadratic};

/// `ψ_e(ε; θ)`, zero with its slope at zero strain, for any parameters and any `θ`.
#[derive(Clone, Debug)]
pub enum StrainEnergy {
    /// Convex in `ε`; with a symmetry, of its invariants.
    General(Anchored<Convex>),
    /// `½ K h² + G J + ½ |L [h; J]|² + N(h, J)`, `N` a free network, `h` the volumetric part along its
    /// unit tensor, `J = |dev ε|²`.
    Isotropic {
        /// `K` and `G`
        moduli: Coefficients,
        network: Anchored<Mlp>,
    },
}

/// Root of the stiffness at the start.
const INITIAL_GAIN: f64 = 0.7;

impl StrainEnergy {
    /// With a network of hidden `[width, layers]`.
    pub fn new(
        layout: &mut ParameterLayout,
        [n, external]: [usize; 2],
        size: [usize; 2],
        symmetry: Symmetry,
    ) -> Self {
        if symmetry == Symmetry::Isotropic {
            let stiffness = Initial::Value(INITIAL_GAIN.powi(2));
            let moduli = layout.coefficients("energy.moduli", 2, Constraint::Positive, stiffness);
            layout.measured_in(moduli, Unit::Modulus);
            return Self::Isotropic {
                moduli,
                network: Anchored::new(
                    Quadratic::new(layout, "energy", 2, 0.1, None),
                    Mlp::potential(layout, "energy", 2 + external, size),
                ),
            };
        }
        let parts = Parts::of(symmetry, n);
        Self::General(Anchored::new(
            Quadratic::new(layout, "energy", n, INITIAL_GAIN, parts.as_ref()),
            Convex::new(layout, "energy", [n, external], size, parts.as_ref()),
        ))
    }

    /// `ε [n] → (ψ_e [1], ∂ψ_e/∂ε [n])`
    pub fn value_and_gradient<'g>(
        &self,
        strain: Vector<'g>,
        external: Vector<'g>,
    ) -> (Vector<'g>, Vector<'g>) {
        let (moduli, network) = match self {
            Self::General(energy) => return energy.value_and_gradient(strain, external),
            Self::Isotropic { moduli, network } => (*moduli, network),
        };
        let graph = strain.graph();
        let unit = graph.constant(&volumetric(strain.len()));
        let h = unit.dot(strain);
        let deviator = strain - unit * h;
        let j = deviator.squared_norm();
        let (value, slope) = network.value_and_gradient(concat([h, j]), external);
        let [bulk, shear] = graph.parameter(moduli).split(1);
        let energy = 0.5 * (bulk * (h * h)) + shear * j + value;
        let pressure = bulk * h + slope.at(0);
        let stress = unit * pressure + deviator * (2.0 * (shear + slope.at(1)));
        (energy, stress)
    }
}
