//! Material points inside the cell.
//!
//! Maia, Rocha, Kerfriden & van der Meer (2023), Physically recurrent neural networks for
//! path-dependent heterogeneous materials, Comput. Methods Appl. Mech. Eng. 407:115934: `P` points
//! of classical laws see local strains that are linear in the strain. Here the decoder is the
//! adjoint of the encoder, so that the stress is the derivative of one free energy. In one
//! dimension this is the overlay model (Besseling 1958, Iwan 1967).
//!
//! ```text
//! ψ   = ½ |L ε|² + Σ_p ½ c |s_p|² + ½ h |z_p|² + q (b κ_p + e^{−b κ_p} − 1) + ½ r κ_p²
//! s_p = B_p ε − z_p           σ = LᵀL ε + Σ_p B_pᵀ c s_p
//! ξ_p = c s_p − h z_p         R_p = q b (1 − e^{−b κ_p}) + r κ_p
//! ```
//!
//! `z_p` is the plastic (viscous) local strain, `κ_p` its path, `q, b, r` Voce and linear isotropic
//! hardening, `h` kinematic hardening, `y` the initial yield stress, `v` a viscosity; each point has
//! its own. All are positive and become times `e^{W θ}` with external variables `θ`. The trainable
//! `B_p [n, n]` holds the point's elastic constants and its weight: `½ |B_p ε|²` is any energy, and
//! `J2` is the case in which `B_p` takes the deviator. `c = e^{W θ}` is one without `θ`.
//!
//! The clock chooses the points:
//!
//! | clock | point | flow over an increment |
//! |---|---|---|
//! | strain path | J2 | `‖ξ‖ ≤ y + R`, backward Euler: radial return |
//! | time | Maxwell | `v ż = ξ`, backward Euler; no yield stress, no `κ` |
//! | both | Perzyna | `v κ̇ = (‖ξ‖ − y − R)⁺`, backward Euler |
//!
//! Backward Euler leaves one equation for the flow `x = Δκ` of each point, `f(x) = 0` with a convex
//! falling `f`. Newton's method from below then climbs to the root without passing it.
//!
//! Guarantees, for any parameters, any step and however often Newton's method iterates:
//! - second law: `D_end = Σ_p x (y + f(x) + v x/dt) ≥ 0`, as `f ≥ 0` below the root;
//! - stationary: without strain (J2) or time (Maxwell, Perzyna) nothing flows, exactly; at rest;
//! - the [`Symmetry`] asked for.
//!
//! Tested, not guaranteed: that the iterations suffice.

use super::branches::{Branches, positive_part, reciprocal};
use super::relaxation::spread;
use super::{Architecture, Claims, Clock, Forces, Inputs, RecurrentLaw, Symmetry};
use crate::algebra::{Activation, Algebra, Constraint, Initial, Parameter, ParameterLayout};

/// See the module.
#[derive(Clone, Debug)]
pub struct PhysicallyRecurrent {
    components: usize,
    clock: Clock,
    symmetry: Symmetry,
    /// `LᵀL`, a branch without internal variables.
    elastic: Branches,
    points: Branches,
    /// `[y; q; b; r; h; v]` over their values at the start, `[P]` each; Maxwell points only have
    /// `[h; v]`.
    constants: Parameter,
    /// `W`, for `c` and the constants.
    sensitivity: Option<Parameter>,
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
/// Iterations of Newton's method.
const ITERATIONS: usize = 6;

impl PhysicallyRecurrent {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, count, m) = (sizes.components, sizes.states, sizes.external);
        let symmetry = sizes.symmetry;
        let yield_strains: Vec<_> = spread(LOG_YIELD_STRAINS, count)
            .into_iter()
            .map(f64::exp)
            .collect();
        // Every point yields at the same stress, all together at the stress scale.
        let scales: Vec<_> = yield_strains
            .iter()
            .map(|strain| (1.0 / (strain * count as f64)).sqrt())
            .collect();
        let local = yield_strains.iter().zip(&scales).map(|(e, s)| e * s);
        let local: Vec<_> = local.collect();
        let of_points = |value: &dyn Fn(f64) -> f64| local.iter().map(|y| value(*y)).collect();
        let rate = |y: f64| 1.0 / (VOCE_STRAINS * y);
        let viscosity = match sizes.clock {
            Clock::Both => OVERSTRESS_SHARE * RELAXATION_TIME,
            _ => RELAXATION_TIME,
        };
        let mut start: Vec<Vec<f64>> = Vec::new();
        if sizes.clock != Clock::Time {
            start.push(of_points(&|y| y));
            start.push(of_points(&|y| VOCE_RANGE * y / rate(y)));
            start.push(of_points(&rate));
            start.push(of_points(&|_| LINEAR_SLOPE));
        }
        start.push(of_points(&|_| KINEMATIC_SLOPE));
        if sizes.clock != Clock::StrainPath {
            start.push(of_points(&|_| viscosity));
        }
        let start = start.concat();
        Self {
            components: n,
            clock: sizes.clock,
            symmetry,
            elastic: Branches::new(layout, "elastic", n, &[ELASTIC_SCALE], symmetry),
            points: Branches::new(layout, "points", n, &scales, symmetry),
            constants: layout.add(
                "points.constants",
                [start.len(), 1],
                Constraint::Positive,
                Initial::Value(1.0),
            ),
            sensitivity: (m > 0).then(|| {
                let shape = [count + start.len(), m];
                let zero = Initial::Value(0.0);
                layout.add("points.sensitivity", shape, Constraint::Free, zero)
            }),
            start,
        }
    }

    /// `κ` belongs to points that yield.
    fn yields(&self) -> bool {
        self.clock != Clock::Time
    }

    fn constants<A: Algebra>(&self, a: &A, external: Option<&A::Vector>) -> Constants<A::Vector> {
        let count = self.points.count();
        let mut all = a.mul(&a.parameter(self.constants), &a.constant(&self.start));
        let mut stiffness = None;
        if let (Some(sensitivity), Some(external)) = (self.sensitivity, external) {
            let factors = a.apply(Activation::Exp, &a.dense(sensitivity, None, external));
            stiffness = Some(a.slice(&factors, 0..count));
            all = a.mul(&all, &a.slice(&factors, count..a.len(&factors)));
        }
        let at = |i: usize| a.slice(&all, i * count..(i + 1) * count);
        let stiffness = stiffness.unwrap_or_else(|| a.broadcast(&a.constant(&[1.0]), count));
        let first = if self.yields() { 4 } else { 0 };
        Constants {
            stiffness,
            hardening: self.yields().then(|| [at(0), at(1), at(2), at(3)]),
            kinematic: at(first),
            viscosity: (self.clock != Clock::StrainPath).then(|| at(first + 1)),
        }
    }

    /// `Δκ [P]` of points that see the force `‖ξ‖ [P]`, all elastic so far.
    fn flow<A: Algebra>(
        &self,
        a: &A,
        constants: &Constants<A::Vector>,
        dt: &A::Vector,
        force: &A::Vector,
        path: Option<&A::Vector>,
    ) -> A::Vector {
        let count = self.points.count();
        // Unknown is Δκ or, with a viscosity, Δκ/dt, which also is finite without time.
        let elapsed = constants.viscosity.as_ref().map(|_| a.broadcast(dt, count));
        let over_step = |x: &A::Vector| match &elapsed {
            Some(elapsed) => a.mul(x, elapsed),
            None => x.clone(),
        };
        let mut slope = a.add(&constants.stiffness, &constants.kinematic);
        let (Some([yielding, energy, rate, linear]), Some(path)) = (&constants.hardening, path)
        else {
            let slope = constants.with_viscosity(a, over_step(&slope));
            return over_step(&a.mul(force, &reciprocal(a, &slope)));
        };
        slope = constants.with_viscosity(a, over_step(&a.add(&slope, linear)));
        // What the Voce hardening can still gain.
        let decay = a.apply(Activation::Exp, &a.scale(&a.mul(rate, path), -1.0));
        let range = a.mul(&a.mul(energy, rate), &decay);
        let gained = a.sub(&a.mul(energy, rate), &range);
        let resistance = a.add(&a.add(yielding, &gained), &a.mul(linear, path));
        let over = positive_part(a, &a.sub(force, &resistance));
        let local_rate = over_step(rate);
        let steepest = a.add(&slope, &a.mul(&range, &local_rate));
        // Two bounds from below: the hardening is as steep as at the start, or is used up.
        let early = a.mul(&over, &reciprocal(a, &steepest));
        let late = a.mul(&a.sub(&over, &range), &reciprocal(a, &slope));
        let mut x = a.add(&early, &positive_part(a, &a.sub(&late, &early)));
        for _ in 0..ITERATIONS {
            let left = a.apply(Activation::Exp, &a.scale(&a.mul(&local_rate, &x), -1.0));
            let left = a.mul(&range, &left);
            let used = a.sub(&range, &left);
            let rest = a.sub(&a.sub(&over, &a.mul(&slope, &x)), &used);
            let fall = a.add(&slope, &a.mul(&left, &local_rate));
            x = a.add(&x, &a.mul(&rest, &reciprocal(a, &fall)));
        }
        over_step(&x)
    }
}

/// Constants of the points at some external variables, `[P]` each.
struct Constants<V> {
    /// `c`
    stiffness: V,
    /// `y, q, b, r` of points that yield.
    hardening: Option<[V; 4]>,
    /// `h`
    kinematic: V,
    /// `v`
    viscosity: Option<V>,
}

impl<V: Clone> Constants<V> {
    fn with_viscosity<A: Algebra<Vector = V>>(&self, a: &A, slope: V) -> V {
        match &self.viscosity {
            Some(viscosity) => a.add(&slope, viscosity),
            None => slope,
        }
    }
}

impl RecurrentLaw for PhysicallyRecurrent {
    fn components(&self) -> usize {
        self.components
    }

    fn states(&self) -> usize {
        self.points.len()
            + if self.yields() {
                self.points.count()
            } else {
                0
            }
    }

    fn claims(&self) -> Claims {
        Claims {
            second_law: true,
            in_parts: false,
            stationary: true,
            rate_independent: self.clock == Clock::StrainPath,
            symmetry: self.symmetry,
        }
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
        let points = &self.points;
        let constants = self.constants(a, inputs.external.as_ref());
        let old = a.slice(state, 0..points.len());
        let path = self
            .yields()
            .then(|| a.slice(state, points.len()..self.states()));
        let force = constants.local_force(a, points, &inputs.strain_new, &old);
        let square = points.products(a, &force, &force);
        let size = a.apply(Activation::Sqrt, &square);
        let flow = self.flow(a, &constants, &inputs.dt, &size, path.as_ref());
        let along = a.mul(&flow, &a.apply(Activation::InverseSqrt, &square));
        let new = a.add(&old, &a.mul(&force, &points.each(a, &along)));
        let new = match &path {
            Some(path) => a.concat(&[&new, &a.add(path, &flow)]),
            None => new,
        };
        match self.clock {
            // A point that has yielded may lie a rounding beyond its yield stress.
            Clock::StrainPath => {
                let increment = a.sub(&inputs.strain_new, &inputs.strain_old);
                a.select(&a.dot(&increment, &increment), &new, state)
            }
            Clock::Time | Clock::Both => new,
        }
    }

    fn forces<A: Algebra>(
        &self,
        a: &A,
        _: &A::Vector,
        strain: &A::Vector,
        external: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        let points = &self.points;
        let constants = self.constants(a, external);
        let plastic = a.slice(state, 0..points.len());
        let elastic = self.elastic.strains(a, strain);
        let stretch = a.sub(&points.strains(a, strain), &plastic);
        let stress = a.mul(&stretch, &points.each(a, &constants.stiffness));
        let back = a.mul(&plastic, &points.each(a, &constants.kinematic));
        let squares = [
            a.dot(&elastic, &elastic),
            a.dot(&stretch, &stress),
            a.dot(&plastic, &back),
        ];
        let [elastic_square, stretch_square, back_square] = &squares;
        let sum = a.add(&a.add(elastic_square, stretch_square), back_square);
        let mut energy = a.scale(&sum, 0.5);
        let mut driving_force = a.sub(&stress, &back);
        if let Some([_, voce, rate, linear]) = &constants.hardening {
            let path = a.slice(state, points.len()..self.states());
            let spent = a.mul(rate, &path);
            let decay = a.apply(Activation::Exp, &a.scale(&spent, -1.0));
            let lost = a.affine(&decay, 1.0, -1.0);
            let along = a.mul(linear, &path);
            let stored = a.add(
                &a.dot(voce, &a.add(&spent, &lost)),
                &a.scale(&a.dot(&along, &path), 0.5),
            );
            energy = a.add(&energy, &stored);
            let resistance = a.sub(&along, &a.mul(&a.mul(voce, rate), &lost));
            driving_force = a.concat(&[&driving_force, &a.scale(&resistance, -1.0)]);
        }
        let outside = self.elastic.stress(a, &elastic);
        Forces {
            energy,
            stress: a.add(&outside, &points.stress(a, &stress)),
            driving_force,
        }
    }
}

impl<V: Clone> Constants<V> {
    /// `ξ [n·P]`
    fn local_force<A: Algebra<Vector = V>>(
        &self,
        a: &A,
        points: &Branches,
        strain: &V,
        plastic: &V,
    ) -> V {
        let stretch = a.sub(&points.strains(a, strain), plastic);
        let stress = a.mul(&stretch, &points.each(a, &self.stiffness));
        a.sub(&stress, &a.mul(plastic, &points.each(a, &self.kinematic)))
    }
}

#[cfg(test)]
mod tests;
