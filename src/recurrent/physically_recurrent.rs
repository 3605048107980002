//! Material points inside the cell.
//!
//! Maia, Rocha, Kerfriden & van der Meer (2023), Physically recurrent neural networks for
//! path-dependent heterogeneous materials, Comput. Methods Appl. Mech. Eng. 407:115934: `P` points
//! of classical laws see local strains that are linear in the strain. Here the decoder is the
//! adjoint of the encoder, so that the stress is the derivative of one free energy. In one
//! dimension this is the overlay model (Besseling 1958, Iwan 1967).
//!
//! ```text
//! ψ   = ½ |L ε|² + Σ_p ½ s_p·K_p s_p + ½ z_p·H_p z_p + q (b κ_p + e^{−b κ_p} − 1) + ½ r κ_p²
//! s_p = B_p ε − z_p           σ = LᵀL ε + Σ_p B_pᵀ K_p s_p
//! ξ_p = K_p s_p − H_p z_p     R_p = q b (1 − e^{−b κ_p}) + r κ_p
//! ```
//!
//! `z_p` is the plastic (viscous) local strain, `κ_p` its path, `q, b, r` Voce and linear isotropic
//! hardening, `y` the initial yield stress, `v` a viscosity; each point has its own. All are positive
//! and become times `e^{W θ}` with external variables `θ`. The trainable `B_p [n, n]` chooses local
//! coordinates in which the yield condition is `‖ξ‖`, the elastic constants `K_p` and the kinematic
//! hardening `H_p` are diagonal, with a number for each group of [`Branches`]: the elastic constants
//! need not be a multiple of the yield metric. `J2` is the case in which `B_p` takes the deviator.
//!
//! The clock chooses the points:
//!
//! | clock | point | flow over an increment |
//! |---|---|---|
//! | strain path | J2 | `‖ξ‖ ≤ y + R`, backward Euler |
//! | time | Maxwell | `v ż = ξ`, backward Euler; no yield stress, no `κ` |
//! | both | Perzyna | `v κ̇ = (‖ξ‖ − y − R)⁺`, backward Euler |
//!
//! Backward Euler gives `z' = z + λ ξ'` with `ξ' = ξ*/(1 + λ (K + H))` by components, `ξ*` the force
//! without flow, and `Δκ = λ ‖ξ'‖`. One equation for the multiplier `λ` of each point is left,
//!
//! ```text
//! f(λ) = (y + R(κ + λ ‖ξ'‖)) / ‖ξ'‖ + v λ/dt − 1 = 0
//! ```
//!
//! `1/‖ξ'‖` rises with `λ` and is concave (the secular equation of trust regions; Conn, Gould & Toint
//! 2000, Trust-region methods, 7.3), and so is `f`, as `R` is concave and `R/‖ξ'‖` its perspective.
//! Newton's method from zero then climbs to the root without passing it.
//!
//! Guarantees, for any parameters, any step and however often Newton's method iterates:
//! - second law: `D_end = Σ_p Δκ (y + ‖ξ'‖ (v λ/dt − f(λ))) ≥ 0`, as `f ≤ 0` below the root;
//! - stationary: without strain (J2) or time (Maxwell, Perzyna) nothing flows, exactly; at rest;
//! - the [`Symmetry`] asked for.
//!
//! Tested, not guaranteed: that the iterations suffice.

use super::branches::{Branches, spread};
use super::{Architecture, Clock, Forces, RecurrentLaw, Step, Symmetry};
use crate::graph::{Coefficients, Constraint, Initial, Matrix, ParameterLayout, Vector, concat};
use crate::law::{Guarantees, StateLayout};

/// See the module.
#[derive(Clone, Debug)]
pub struct PhysicallyRecurrent {
    components: usize,
    clock: Clock,
    symmetry: Symmetry,
    /// `LᵀL`, a branch without internal variables.
    elastic: Branches,
    points: Branches,
    /// `K`, `[k·P]`; where there is one group, its scale is that of `B`.
    stiffness: Coefficients,
    /// `H` over its value at the start, `[k·P]`.
    kinematic: Coefficients,
    /// `[y; q; b; r; v]` over their values at the start, `[P]` each; Maxwell points only have `v`.
    constants: Coefficients,
    /// `W`, for `K`, `H` and the constants.
    sensitivity: Matrix,
    /// The constants at the start.
    start: Vec<f64>,
}

/// Root of the stiffness that never yields, at the start.
const ELASTIC_SCALE: f64 = 0.3;
/// Range of the logarithm of the local yield strains at the start, over the strain scale.
const LOG_YIELD_STRAINS: [f64; 2] = [-3.5, 0.0];
/// Voce and linear hardening at the start, over the yield stress and, for a slope, the local
/// stiffness.
const VOCE_RANGE: f64 = 0.3;
const LINEAR_SLOPE: f64 = 0.01;
const KINEMATIC_SLOPE: f64 = 0.02;
/// Yield strains over which the Voce hardening saturates at the start.
const VOCE_STRAINS: f64 = 3.0;
/// Viscosity at the start: a Maxwell point relaxes within this many time scales, …
const RELAXATION_TIME: f64 = 10.0;
/// … a Perzyna point has such a share of that viscosity.
const OVERSTRESS_SHARE: f64 = 0.1;
/// Iterations of Newton's method before the one that carries the derivatives.
const ITERATIONS: usize = 9;

impl PhysicallyRecurrent {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, count, m) = (sizes.components, sizes.states, sizes.external);
        let (clock, symmetry) = (sizes.clock, sizes.symmetry);
        let yield_strains: Vec<f64> = spread(LOG_YIELD_STRAINS, count)
            .into_iter()
            .map(f64::exp)
            .collect();
        // Every point yields at the same stress, all together at the stress scale.
        let scale = |strain: &f64| (1.0 / (strain * count as f64)).sqrt();
        let scales: Vec<f64> = yield_strains.iter().map(scale).collect();
        let local: Vec<f64> = yield_strains
            .iter()
            .zip(&scales)
            .map(|(e, s)| e * s)
            .collect();
        let of_points = |value: &dyn Fn(f64) -> f64| local.iter().map(|y| value(*y)).collect();
        let rate = |y: f64| 1.0 / (VOCE_STRAINS * y);
        let viscosity = match clock {
            Clock::Both => OVERSTRESS_SHARE * RELAXATION_TIME,
            _ => RELAXATION_TIME,
        };
        let mut start: Vec<Vec<f64>> = Vec::new();
        if clock.has_path() {
            start.push(of_points(&|y| y));
            start.push(of_points(&|y| VOCE_RANGE * y / rate(y)));
            start.push(of_points(&rate));
            start.push(of_points(&|_| LINEAR_SLOPE));
        }
        if clock.has_time() {
            start.push(of_points(&|_| viscosity));
        }
        let start = start.concat();
        let elastic = Branches::new(layout, "elastic", n, &[ELASTIC_SCALE], symmetry);
        let points = Branches::new(layout, "points", n, &scales, symmetry);
        let groups = points.groups();
        let mut positive = |name: &str, len: usize| {
            let name = format!("points.{name}");
            layout.coefficients(name, len, Constraint::Positive, Initial::Value(1.0))
        };
        let stiffness = if groups > 1 { groups * count } else { 0 };
        Self {
            components: n,
            clock,
            symmetry,
            elastic,
            stiffness: positive("stiffness", stiffness),
            kinematic: positive("kinematic", groups * count),
            constants: positive("constants", start.len()),
            points,
            sensitivity: {
                let (shape, zero) = ([2 * count + start.len(), m], Initial::Value(0.0));
                layout.matrix("points.sensitivity", shape, Constraint::Free, zero)
            },
            start,
        }
    }

    /// `[z]` and `[κ]`, which belongs to points that yield.
    fn split<'g>(&self, state: Vector<'g>) -> [Vector<'g>; 2] {
        state.split(self.points.len())
    }

    fn constants<'g>(&self, external: Vector<'g>) -> Constants<'g> {
        let (graph, count) = (external.graph(), self.points.count());
        let factors = (self.sensitivity * external).exp();
        let [of_points, of_constants] = factors.split(2 * count);
        let [of_stiffness, of_kinematic] = of_points
            .split(count)
            .map(|factor| self.points.each_group(factor));
        let stiffness = match self.stiffness.is_empty() {
            true => graph.ones(count),
            false => graph.parameter(self.stiffness),
        };
        let kinematic = graph.parameter(self.kinematic) * KINEMATIC_SLOPE;
        let constants = graph.parameter(self.constants) * &self.start * of_constants;
        let constants = constants.chunks(self.start.len() / count);
        let hardening = |of: &[Vector<'g>]| Hardening {
            yield_stress: of[0],
            q: of[1],
            b: of[2],
            r: of[3],
        };
        Constants {
            stiffness: stiffness * of_stiffness,
            kinematic: kinematic * of_kinematic,
            hardening: self.clock.has_path().then(|| hardening(&constants)),
            viscosity: self
                .clock
                .has_time()
                .then(|| constants[constants.len() - 1]),
        }
    }

    /// `s`, `K s` and `H z`, `[n·P]`.
    fn local_forces<'g>(
        &self,
        constants: &Constants<'g>,
        strain: Vector<'g>,
        z: Vector<'g>,
    ) -> [Vector<'g>; 3] {
        let s = self.points.strains(strain) - z;
        let stress = s * self.points.of_groups(constants.stiffness);
        let back = z * self.points.of_groups(constants.kinematic);
        [s, stress, back]
    }

    /// `λ [P]` of points whose forces without flow have the squares `|ξ*|² [k·P]`.
    fn multiplier<'g>(
        &self,
        constants: &Constants<'g>,
        dt: Vector<'g>,
        squares: Vector<'g>,
        kappa: Vector<'g>,
    ) -> Vector<'g> {
        // Unknown is λ or, with a viscosity, λ/dt, which also is finite without time.
        let over_step = |x: Vector<'g>| match constants.viscosity {
            Some(_) => x * dt,
            None => x,
        };
        let Some(hardening) = &constants.hardening else {
            let viscosity = constants.viscosity.expect("a law has a clock");
            return over_step(viscosity.recip());
        };
        let decay = (-(hardening.b * kappa)).exp();
        // `f` and `f'`
        let equation = |x: Vector<'g>| {
            let flow = over_step(x);
            let after = self.after(constants, squares, flow);
            let inverse = after.square.inverse_sqrt();
            let size = after.square * inverse;
            // `−‖ξ'‖⁻¹ d‖ξ'‖/dλ`
            let fall = after.fall * (inverse * inverse);
            let [resistance, slope] = hardening.resistance(kappa, decay, flow * size);
            let ratio = resistance * inverse;
            let value = ratio - 1.0;
            let rise = over_step(ratio * fall + slope * (1.0 - flow * fall));
            match constants.viscosity {
                Some(v) => [value + v * x, rise + v],
                None => [value, rise],
            }
        };
        let newton = |x: Vector<'g>, [value, rise]: [Vector<'g>; 2]| {
            (x - value * rise.recip()).positive_part()
        };
        let mut x = dt.graph().zeros(self.points.count());
        for _ in 0..ITERATIONS {
            x = newton(x, equation(x));
        }
        // At the root one more iteration has the derivatives of the implicit function theorem.
        let x = x.detach();
        let [value, rise] = equation(x);
        over_step(newton(x, [value, rise.detach()]))
    }

    /// What forces with the squares `|ξ*|² [k·P]` become by a flow `λ [P]`.
    fn after<'g>(
        &self,
        constants: &Constants<'g>,
        squares: Vector<'g>,
        flow: Vector<'g>,
    ) -> After<'g> {
        let slope = constants.stiffness + constants.kinematic;
        let share = (self.points.each_group(flow) * slope + 1.0).recip();
        let square = squares * share * share;
        After {
            share,
            square: self.points.total(square),
            fall: self.points.total(square * share * slope),
        }
    }
}

/// Forces after a flow.
struct After<'g> {
    /// `1/(1 + λ (K + H))`, `[k·P]`
    share: Vector<'g>,
    /// `‖ξ'‖²`, `[P]`
    square: Vector<'g>,
    /// `−½ d‖ξ'‖²/dλ`, `[P]`
    fall: Vector<'g>,
}

/// Isotropic hardening of points that yield, `[P]` each.
struct Hardening<'g> {
    /// `y`, initial
    yield_stress: Vector<'g>,
    /// Voce saturation over rate.
    q: Vector<'g>,
    /// Voce rate.
    b: Vector<'g>,
    /// Linear hardening.
    r: Vector<'g>,
}

impl<'g> Hardening<'g> {
    /// `y + R(κ + Δκ)` and its slope in `Δκ`, `[P]`, with `e^{−b κ}`.
    fn resistance(
        &self,
        kappa: Vector<'g>,
        decay: Vector<'g>,
        grown: Vector<'g>,
    ) -> [Vector<'g>; 2] {
        let Self {
            yield_stress,
            q,
            b,
            r,
        } = *self;
        let most = q * b;
        let left = most * decay * (-(b * grown)).exp();
        let linear = r * (kappa + grown);
        [yield_stress + (most - left) + linear, left * b + r]
    }

    /// Stored energy `[1]` and `R [P]` at an accumulated plastic strain.
    fn stored(&self, kappa: Vector<'g>) -> [Vector<'g>; 2] {
        let Self { q, b, r, .. } = *self;
        let spent = b * kappa;
        let decay = (-spent).exp();
        let linear = r * kappa;
        let energy = q.dot(spent + (decay - 1.0)) + 0.5 * linear.dot(kappa);
        [energy, linear - q * b * (decay - 1.0)]
    }
}

/// Constants of the points at some external variables.
struct Constants<'g> {
    /// `K`, `[k·P]`
    stiffness: Vector<'g>,
    /// `H`, `[k·P]`
    kinematic: Vector<'g>,
    /// Of points that yield.
    hardening: Option<Hardening<'g>>,
    /// `v`, `[P]`
    viscosity: Option<Vector<'g>>,
}

impl RecurrentLaw for PhysicallyRecurrent {
    fn components(&self) -> usize {
        self.components
    }

    fn state_layout(&self) -> StateLayout {
        let count = self.points.count();
        let path = self
            .clock
            .has_path()
            .then_some(("accumulated_plastic_strain", count));
        StateLayout::new(
            [("plastic_strain", self.points.len())]
                .into_iter()
                .chain(path),
        )
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: true,
            stationary: true,
            rate_independent: self.clock == Clock::StrainPath,
            symmetry: self.symmetry,
            ..Guarantees::default()
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, state: Vector<'g>) -> Vector<'g> {
        let points = &self.points;
        let constants = self.constants(step.external);
        let [z, kappa] = self.split(state);
        let [_, stress, back] = self.local_forces(&constants, step.strain_new, z);
        let trial = stress - back;
        let squares = points.squares(trial);
        let flow = self.multiplier(&constants, step.dt, squares, kappa);
        let after = self.after(&constants, squares, flow);
        let along = points.of_groups(after.share) * points.each(flow);
        let z = z + trial * along;
        let new = match self.clock.has_path() {
            true => concat([z, kappa + flow * after.square.sqrt()]),
            false => z,
        };
        match self.clock {
            // A point that has yielded may lie a rounding beyond its yield stress.
            Clock::StrainPath => step.strain_increment().squared_norm().select(new, state),
            Clock::Time | Clock::Both => new,
        }
    }

    fn forces<'g>(
        &self,
        strain: Vector<'g>,
        external: Vector<'g>,
        state: Vector<'g>,
    ) -> Forces<'g> {
        let constants = self.constants(external);
        let [z, kappa] = self.split(state);
        let elastic = self.elastic.strains(strain);
        let [s, stress, back] = self.local_forces(&constants, strain, z);
        let energy = 0.5 * (elastic.squared_norm() + s.dot(stress) + z.dot(back));
        let outside = self.elastic.stress(elastic);
        let stress_of_points = self.points.stress(stress);
        let forces = Forces {
            energy,
            stress: outside + stress_of_points,
            driving_force: stress - back,
        };
        match &constants.hardening {
            None => forces,
            Some(hardening) => {
                let [stored, r] = hardening.stored(kappa);
                Forces {
                    energy: energy + stored,
                    driving_force: concat([forces.driving_force, -r]),
                    ..forces
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
