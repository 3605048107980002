//! Material points inside the cell.
//!
//! Maia, Rocha, Kerfriden & van der Meer (2023), Physically recurrent neural networks for
//! path-dependent heterogeneous materials, Comput. Methods Appl. Mech. Eng. 407:115934: `P` points
//! of classical laws see local strains that are linear in the strain. Here the decoder is the
//! adjoint of the encoder, so that the stress is the derivative of one free energy. In one
//! dimension this is the overlay model (Besseling 1958, Iwan 1967).
//!
//! ```text
//! ψ   = ½ |L ε|² + Σ_p ½ s_p·K_p s_p + ½ a_p·H_p a_p
//! s_p = B_p ε − z_p           σ = LᵀL ε + Σ_p B_pᵀ K_p s_p
//! ξ_p = K_p s_p − H_p a_p     Y_p = y (c + (1 − c) e^{−b κ_p}) + r κ_p
//!
//! ż_p = λ̇ ξ_p                 ȧ_p = ż_p − g λ̇ a_p                κ̇_p = λ̇ ‖ξ_p‖
//! ```
//!
//! `z_p` is the plastic (viscous) local strain, `a_p` the variable of kinematic hardening, with
//! `H_p a_p` the backstress, and `κ_p` the accumulated plastic strain. `y` is the initial yield stress
//! and `c y` the one at which it saturates: hardening for `c > 1`, softening below, never a negative
//! yield stress. `b` is the Voce rate, `r` linear hardening, which is there only if asked for
//! ([`Architecture::linear_hardening`]), `g` the dynamic recovery of Armstrong & Frederick (1966) and
//! `v` a viscosity; each point has its own. The recovery is `γ = g/‖ξ‖` in their notation, which falls
//! as the yield stress rises (Marquis 1979): the backstress saturates at `H/g` times `‖ξ‖`. Constants are
//! positive and become times `e^{W θ}` with external variables `θ`. The trainable `B_p [n, n]` chooses
//! local coordinates in which the yield condition is `‖ξ‖`, the elastic constants `K_p` and the kinematic
//! hardening `H_p` are diagonal, with a number for each group of [`Branches`]: the elastic constants
//! need not be a multiple of the yield metric. `J2` is the case in which `B_p` takes the deviator.
//!
//! The clock chooses the points:
//!
//! | clock | point | flow over an increment |
//! |---|---|---|
//! | strain path | J2 | `‖ξ‖ ≤ Y`, backward Euler |
//! | time | Maxwell | `v ż = ξ`, backward Euler; no yield stress, no `κ` |
//! | both | Perzyna | `v κ̇ = (‖ξ‖ − Y)⁺`, backward Euler |
//!
//! Backward Euler gives, with `θ = 1/(1 + g λ)` and the forces `S = K (B ε − z)`, `X = H a` without flow,
//!
//! ```text
//! ξ' = (S − θ X)/(1 + λ (K + θ H))     z' = z + λ ξ'     a' = θ (a + λ ξ')     κ' = κ + λ ‖ξ'‖
//! ```
//!
//! One equation for the multiplier `λ` of each point is left,
//!
//! ```text
//! f(λ) = Y(κ + λ ‖ξ'‖) / ‖ξ'‖ + v λ/dt − 1 = 0
//! ```
//!
//! Without recovery `1/‖ξ'‖` rises with `λ` and is concave (the secular equation of trust regions; Conn,
//! Gould & Toint 2000, Trust-region methods, 7.3), and so is `f` where the point hardens, as `Y` is concave
//! and `Y/‖ξ'‖` its perspective: Newton's method from zero climbs to the root without passing it. In one
//! dimension that also holds with recovery, as long as the backstress is below its saturation.
//!
//! Guarantees, for any parameters, any step and however often Newton's method iterates:
//! - second law: isotropic hardening stores nothing, so `D_end = K s'·Δz − H a'·Δa` for each point. With
//!   `K s' = ξ' + H a'`, `Δz = λ ξ'` and `Δa = λ (ξ' − g a')` that is
//!   `D_end = λ ‖ξ'‖² + λ g a'·H a' ≥ 0`, since `λ, g, H ≥ 0`;
//! - the yield stress stays between `y` and `c y`, and the backstress under cyclic loading bounded: no
//!   hardening without end, unless `r` is asked for;
//! - stationary: without strain (J2) or time (Maxwell, Perzyna) nothing flows, exactly; at rest;
//! - the [`Symmetry`] asked for.
//!
//! Tested, not guaranteed: that the iterations suffice. A point that softens over less than its yield
//! strain can snap, as every softening law.

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
    /// `[g; y; c; b; r; v]` over their values at the start, `[P]` each; Maxwell points have `g` and `v`
    /// alone, and `r` is there if asked for.
    constants: Coefficients,
    linear_hardening: bool,
    /// `W`, for `K`, `H` and the constants.
    sensitivity: Matrix,
    /// The constants at the start.
    start: Vec<f64>,
}

/// Root of the stiffness that never yields, at the start.
const ELASTIC_SCALE: f64 = 0.3;
/// Range of the logarithm of the local yield strains at the start, over the strain scale.
const LOG_YIELD_STRAINS: [f64; 2] = [-3.5, 0.0];
/// Yield stress at saturation over the initial one, at the start.
const SATURATION: f64 = 1.3;
/// Linear hardening at the start, over the local stiffness.
const LINEAR_SLOPE: f64 = 0.01;
/// Kinematic hardening and its recovery at the start, over the local stiffness.
const KINEMATIC_SLOPE: f64 = 0.02;
const RECOVERY: f64 = 0.02;
/// Yield strains over which the Voce hardening saturates at the start.
const VOCE_STRAINS: f64 = 3.0;
/// Viscosity at the start: a Maxwell point relaxes within this many time scales, …
const RELAXATION_TIME: f64 = 10.0;
/// … a Perzyna point has such a share of that viscosity.
const OVERSTRESS_SHARE: f64 = 0.1;
/// Least slope of the equation, over that of a point that does not harden: it keeps the steps of points
/// that snap, or whose backstress is beyond its saturation, within bounds.
const LEAST_RISE: f64 = 0.05;
/// Iterations of Newton's method before the one that carries the derivatives.
const ITERATIONS: usize = 7;

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
        let mut start: Vec<Vec<f64>> = vec![of_points(&|_| RECOVERY)];
        let linear_hardening = sizes.linear_hardening && clock.has_path();
        if clock.has_path() {
            start.push(of_points(&|y| y));
            start.push(of_points(&|_| SATURATION));
            start.push(of_points(&rate));
        }
        if linear_hardening {
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
            constants: positive("hardening", start.len()),
            linear_hardening,
            points,
            sensitivity: {
                let (shape, zero) = ([2 * count + start.len(), m], Initial::Value(0.0));
                layout.matrix("points.sensitivity", shape, Constraint::Free, zero)
            },
            start,
        }
    }

    /// `[z]`, `[a]` and `[κ]`, which belongs to points that yield.
    fn split<'g>(&self, state: Vector<'g>) -> [Vector<'g>; 3] {
        let [z, rest] = state.split(self.points.len());
        let [a, kappa] = rest.split(self.points.len());
        [z, a, kappa]
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
            saturation: of[1],
            rate: of[2],
            linear: self.linear_hardening.then(|| of[3]),
        };
        Constants {
            stiffness: stiffness * of_stiffness,
            kinematic: kinematic * of_kinematic,
            recovery: constants[0],
            hardening: self.clock.has_path().then(|| hardening(&constants[1..])),
            viscosity: self
                .clock
                .has_time()
                .then(|| constants[constants.len() - 1]),
        }
    }

    /// `s`, `K s` and `H a`, `[n·P]`.
    fn local_forces<'g>(
        &self,
        constants: &Constants<'g>,
        strain: Vector<'g>,
        z: Vector<'g>,
        a: Vector<'g>,
    ) -> [Vector<'g>; 3] {
        let s = self.points.strains(strain) - z;
        let stress = s * self.points.of_groups(constants.stiffness);
        let back = a * self.points.of_groups(constants.kinematic);
        [s, stress, back]
    }

    /// `λ [P]` of points with such forces without flow.
    fn multiplier<'g>(
        &self,
        constants: &Constants<'g>,
        dt: Vector<'g>,
        trial: &Trial<'g>,
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
        // `(1 − c) e^{−b κ}`
        let left = (1.0 - hardening.saturation) * (-(hardening.rate * kappa)).exp();
        // `f` and `f'`
        let equation = |x: Vector<'g>| {
            let flow = over_step(x);
            let after = self.after(constants, trial, flow);
            let inverse = after.square.inverse_sqrt();
            let size = after.square * inverse;
            // `−‖ξ'‖⁻¹ d‖ξ'‖/dλ`
            let fall = after.fall * (inverse * inverse);
            let [resistance, slope] = hardening.resistance(kappa, left, flow * size);
            let ratio = resistance * inverse;
            let value = ratio - 1.0;
            let rise = ratio * fall + slope * (1.0 - flow * fall);
            let least = LEAST_RISE * ratio * after.elastic_fall * (inverse * inverse);
            let rise = over_step(rise.max(least));
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

    /// What the forces of a trial become by a flow `λ [P]`.
    fn after<'g>(
        &self,
        constants: &Constants<'g>,
        trial: &Trial<'g>,
        flow: Vector<'g>,
    ) -> After<'g> {
        let points = &self.points;
        let kept = (constants.recovery * flow + 1.0).recip();
        let [kept_of_groups, flow] = [kept, flow].map(|x| points.each_group(x));
        let kinematic = kept_of_groups * constants.kinematic;
        let share = (flow * (constants.stiffness + kinematic) + 1.0).recip();
        // `|S − θ X|²` and `½ d/dθ` of it
        let pull = kept_of_groups * trial.back_square - trial.product;
        let square = trial.square + kept_of_groups * (pull - trial.product);
        let squares = share * share;
        let square = squares * square;
        // `d(λ (K + θ H))/dλ = K + θ² H` and `dθ/dλ = −g θ²`
        let slope = constants.stiffness + kept_of_groups * kinematic;
        let elastic_fall = points.total(square * share * slope);
        let recovered = points.total(squares * pull) * constants.recovery * kept * kept;
        After {
            kept,
            share,
            square: points.total(square),
            fall: elastic_fall + recovered,
            elastic_fall,
        }
    }
}

/// Forces of the points without flow.
struct Trial<'g> {
    /// `|S|²`, `[k·P]`
    square: Vector<'g>,
    /// `S·X`, `[k·P]`
    product: Vector<'g>,
    /// `|X|²`, `[k·P]`
    back_square: Vector<'g>,
}

/// Forces after a flow.
struct After<'g> {
    /// `θ`, `[P]`
    kept: Vector<'g>,
    /// `1/(1 + λ (K + θ H))`, `[k·P]`
    share: Vector<'g>,
    /// `‖ξ'‖²`, `[P]`
    square: Vector<'g>,
    /// `−½ d‖ξ'‖²/dλ`, `[P]`
    fall: Vector<'g>,
    /// The part of it that is positive: that without recovery.
    elastic_fall: Vector<'g>,
}

/// Isotropic hardening of points that yield, `[P]` each.
struct Hardening<'g> {
    /// `y`, initial
    yield_stress: Vector<'g>,
    /// `c`
    saturation: Vector<'g>,
    /// `b`
    rate: Vector<'g>,
    /// `r`, if asked for
    linear: Option<Vector<'g>>,
}

impl<'g> Hardening<'g> {
    /// `Y(κ + Δκ)` and its slope in `Δκ`, `[P]`, with `(1 − c) e^{−b κ}`.
    fn resistance(
        &self,
        kappa: Vector<'g>,
        left: Vector<'g>,
        grown: Vector<'g>,
    ) -> [Vector<'g>; 2] {
        let left = self.yield_stress * left * (-(self.rate * grown)).exp();
        let (stress, slope) = (
            self.yield_stress * self.saturation + left,
            -(self.rate * left),
        );
        match self.linear {
            None => [stress, slope],
            Some(linear) => [stress + linear * (kappa + grown), slope + linear],
        }
    }
}

/// Constants of the points at some external variables.
struct Constants<'g> {
    /// `K`, `[k·P]`
    stiffness: Vector<'g>,
    /// `H`, `[k·P]`
    kinematic: Vector<'g>,
    /// `g`, `[P]`
    recovery: Vector<'g>,
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
        let (count, len) = (self.points.count(), self.points.len());
        let path = self
            .clock
            .has_path()
            .then_some(("accumulated_plastic_strain", count));
        StateLayout::new(
            [("plastic_strain", len), ("kinematic_hardening", len)]
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
        let [z, a, kappa] = self.split(state);
        let [_, stress, back] = self.local_forces(&constants, step.strain_new, z, a);
        let trial = Trial {
            square: points.squares(stress),
            product: points.group_products(stress, back),
            back_square: points.squares(back),
        };
        let flow = self.multiplier(&constants, step.dt, &trial, kappa);
        let after = self.after(&constants, &trial, flow);
        let kept = points.each(after.kept);
        let force = (stress - kept * back) * points.of_groups(after.share);
        let plastic = force * points.each(flow);
        let (z, a) = (z + plastic, kept * (a + plastic));
        let new = match self.clock.has_path() {
            true => concat([z, a, kappa + flow * after.square.sqrt()]),
            false => concat([z, a]),
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
        let [z, a, kappa] = self.split(state);
        let elastic = self.elastic.strains(strain);
        let [s, stress, back] = self.local_forces(&constants, strain, z, a);
        // Isotropic hardening stores nothing.
        let none = kappa.graph().zeros(kappa.len());
        Forces {
            energy: 0.5 * (elastic.squared_norm() + s.dot(stress) + a.dot(back)),
            stress: self.elastic.stress(elastic) + self.points.stress(stress),
            driving_force: concat([stress, -back, none]),
        }
    }
}

#[cfg(test)]
mod tests;
