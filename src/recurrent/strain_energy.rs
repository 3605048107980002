//! Free energies of the strain alone: what stays when every internal variable has followed.

use super::Symmetry;
use super::branches::volumetric;
use crate::algebra::{Algebra, Constraint, Initial, Parameter, ParameterLayout};
use crate::network::{Anchored, Convex, Mlp, Quadratic};

/// `ψ_e(ε; θ)`, zero with its slope at zero strain, for any parameters and any `θ`.
#[derive(Clone, Debug)]
pub struct StrainEnergy {
    components: usize,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// Convex in `ε`; with a symmetry, of its invariants.
    General(Anchored<Convex>),
    /// `½ K h² + G J + ½ |L [h; J]|² + N(h, J)`, `N` a free network, `h` the volumetric part along its
    /// unit tensor, `J = |dev ε|²`.
    Isotropic {
        /// `K` and `G`
        moduli: Parameter,
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
        let form = match symmetry {
            Symmetry::Isotropic => Form::Isotropic {
                moduli: layout.add(
                    "energy.moduli",
                    [2, 1],
                    Constraint::Positive,
                    Initial::Value(INITIAL_GAIN.powi(2)),
                ),
                network: Anchored::new(
                    [2, external],
                    Quadratic::new(layout, "energy", 2, 0.1, None),
                    Mlp::potential(layout, "energy", 2 + external, size),
                ),
            },
            Symmetry::None | Symmetry::TransverselyIsotropic | Symmetry::Orthotropic => {
                let parts = symmetry.parts(n);
                Form::General(Anchored::new(
                    [n, external],
                    Quadratic::new(layout, "energy", n, INITIAL_GAIN, parts.as_ref()),
                    Convex::new(layout, "energy", [n, external], size, parts.as_ref()),
                ))
            }
        };
        Self {
            components: n,
            form,
        }
    }

    pub fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        match &self.form {
            Form::General(energy) => energy.prepare(a),
            Form::Isotropic { network, .. } => network.prepare(a),
        }
    }

    /// `ε [n] → (ψ_e [1], ∂ψ_e/∂ε [n])`
    pub fn value_and_gradient<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        strain: &A::Vector,
        external: Option<&A::Vector>,
    ) -> (A::Vector, A::Vector) {
        match &self.form {
            Form::General(energy) => {
                let anchor = energy.anchor(a, prepared, external);
                energy.value_and_gradient(a, &anchor, strain, external)
            }
            Form::Isotropic { moduli, network } => {
                let anchor = network.anchor(a, prepared, external);
                let unit = volumetric(a, self.components);
                let h = a.dot(&unit, strain);
                let deviator = a.sub(strain, &a.times(&unit, &h));
                let square = a.dot(&deviator, &deviator);
                let x = a.concat(&[&h, &square]);
                let (value, slope) = network.value_and_gradient(a, &anchor, &x, external);
                let moduli = a.parameter(*moduli);
                let (bulk, shear) = (a.slice(&moduli, 0..1), a.slice(&moduli, 1..2));
                let quadratic = a.add(
                    &a.scale(&a.mul(&bulk, &a.mul(&h, &h)), 0.5),
                    &a.mul(&shear, &square),
                );
                let pressure = a.add(&a.mul(&bulk, &h), &a.slice(&slope, 0..1));
                let shear = a.scale(&a.add(&shear, &a.slice(&slope, 1..2)), 2.0);
                let stress = a.add(&a.times(&unit, &pressure), &a.times(&deviator, &shear));
                (a.add(&quadratic, &value), stress)
            }
        }
    }
}
