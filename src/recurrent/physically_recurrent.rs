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

use super::branches::Branches;
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
    /// `K`, `[k·P]`; where there is one group, its scale is that of `B`.
    stiffness: Option<Parameter>,
    /// `H` over its value at the start, `[k·P]`.
    kinematic: Parameter,
    /// `[y; q; b; r; v]` over their values at the start, `[P]` each; Maxwell points only have `v`.
    constants: Parameter,
    /// `W`, for `K`, `H` and the constants.
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
/// Iterations of Newton's method before the one that carries the derivatives.
const ITERATIONS: usize = 9;

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
        if sizes.clock != Clock::StrainPath {
            start.push(of_points(&|_| viscosity));
        }
        let start = start.concat();
        let elastic = Branches::new(layout, "elastic", n, &[ELASTIC_SCALE], symmetry);
        let points = Branches::new(layout, "points", n, &scales, symmetry);
        let mut positive = |name: &str, len: usize| {
            let one = Initial::Value(1.0);
            layout.add(
                format!("points.{name}"),
                [len, 1],
                Constraint::Positive,
                one,
            )
        };
        let groups = points.groups();
        Self {
            components: n,
            clock: sizes.clock,
            symmetry,
            elastic,
            stiffness: (groups > 1).then(|| positive("stiffness", groups * count)),
            kinematic: positive("kinematic", groups * count),
            constants: positive("constants", start.len()),
            points,
            sensitivity: (m > 0).then(|| {
                let shape = [2 * count + start.len(), m];
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
        let (points, count) = (&self.points, self.points.count());
        let mut stiffness = match self.stiffness {
            Some(stiffness) => a.parameter(stiffness),
            None => a.broadcast(&a.constant(&[1.0]), count),
        };
        let mut kinematic = a.scale(&a.parameter(self.kinematic), KINEMATIC_SLOPE);
        let mut others = a.mul(&a.parameter(self.constants), &a.constant(&self.start));
        if let (Some(sensitivity), Some(external)) = (self.sensitivity, external) {
            let factors = a.apply(Activation::Exp, &a.dense(sensitivity, None, external));
            let of = |i: usize| a.slice(&factors, i * count..(i + 1) * count);
            stiffness = a.mul(&stiffness, &points.each_group(a, &of(0)));
            kinematic = a.mul(&kinematic, &points.each_group(a, &of(1)));
            others = a.mul(&others, &a.slice(&factors, 2 * count..a.len(&factors)));
        }
        let at = |i: usize| a.slice(&others, i * count..(i + 1) * count);
        let first = if self.yields() { 4 } else { 0 };
        Constants {
            stiffness,
            kinematic,
            hardening: self.yields().then(|| [at(0), at(1), at(2), at(3)]),
            viscosity: (self.clock != Clock::StrainPath).then(|| at(first)),
        }
    }

    /// `s`, `K s` and `H z`, `[n·P]`.
    fn local_forces<A: Algebra>(
        &self,
        a: &A,
        constants: &Constants<A::Vector>,
        strain: &A::Vector,
        plastic: &A::Vector,
    ) -> [A::Vector; 3] {
        let points = &self.points;
        let stretch = a.sub(&points.strains(a, strain), plastic);
        let stress = a.mul(&stretch, &points.of_groups(a, &constants.stiffness));
        let back = a.mul(plastic, &points.of_groups(a, &constants.kinematic));
        [stretch, stress, back]
    }

    /// `λ [P]` of points whose forces without flow have the squares `|ξ*|² [k·P]`.
    fn multiplier<A: Algebra>(
        &self,
        a: &A,
        constants: &Constants<A::Vector>,
        dt: &A::Vector,
        squares: &A::Vector,
        path: Option<&A::Vector>,
    ) -> A::Vector {
        let count = self.points.count();
        // Unknown is λ or, with a viscosity, λ/dt, which also is finite without time.
        let elapsed = constants.viscosity.as_ref().map(|_| a.broadcast(dt, count));
        let over_step = |x: &A::Vector| match &elapsed {
            Some(elapsed) => a.mul(x, elapsed),
            None => x.clone(),
        };
        let (Some(hardening), Some(path)) = (&constants.hardening, path) else {
            let viscosity = constants.viscosity.as_ref();
            let fluidity = viscosity.map(|v| a.apply(Activation::Reciprocal, v));
            return over_step(&fluidity.unwrap_or_else(|| a.zeros(count)));
        };
        let decay = a.apply(Activation::Exp, &a.scale(&a.mul(&hardening[2], path), -1.0));
        // `f` and `f'`
        let equation = |x: &A::Vector| {
            let flow = over_step(x);
            let after = self.after(a, constants, squares, &flow);
            let inverse = a.apply(Activation::InverseSqrt, &after.square);
            let size = a.mul(&after.square, &inverse);
            // `−‖ξ'‖⁻¹ d‖ξ'‖/dλ`
            let fall = a.mul(&after.fall, &a.mul(&inverse, &inverse));
            let [resistance, slope] = resistance(a, hardening, path, &decay, &a.mul(&flow, &size));
            let ratio = a.mul(&resistance, &inverse);
            let stays = a.affine(&a.mul(&flow, &fall), -1.0, 1.0);
            let mut value = a.affine(&ratio, 1.0, -1.0);
            let mut rise = over_step(&a.add(&a.mul(&ratio, &fall), &a.mul(&slope, &stays)));
            if let Some(viscosity) = &constants.viscosity {
                value = a.add(&value, &a.mul(viscosity, x));
                rise = a.add(&rise, viscosity);
            }
            (value, rise)
        };
        let newton = |x: &A::Vector, value: &A::Vector, rise: &A::Vector| {
            let step = a.mul(value, &a.apply(Activation::Reciprocal, rise));
            a.apply(Activation::PositivePart, &a.sub(x, &step))
        };
        let mut x = a.zeros(count);
        for _ in 0..ITERATIONS {
            let (value, rise) = equation(&x);
            x = newton(&x, &value, &rise);
        }
        // At the root one more iteration has the derivatives of the implicit function theorem.
        let x = a.detach(&x);
        let (value, rise) = equation(&x);
        over_step(&newton(&x, &value, &a.detach(&rise)))
    }

    /// What forces with the squares `|ξ*|² [k·P]` become by a flow `λ [P]`.
    fn after<A: Algebra>(
        &self,
        a: &A,
        constants: &Constants<A::Vector>,
        squares: &A::Vector,
        flow: &A::Vector,
    ) -> After<A::Vector> {
        let points = &self.points;
        let slope = a.add(&constants.stiffness, &constants.kinematic);
        let relaxed = a.mul(&points.each_group(a, flow), &slope);
        let share = a.apply(Activation::Reciprocal, &a.affine(&relaxed, 1.0, 1.0));
        let square = a.mul(&a.mul(squares, &share), &share);
        let fall = a.mul(&a.mul(&square, &share), &slope);
        After {
            share,
            square: points.total(a, &square),
            fall: points.total(a, &fall),
        }
    }
}

/// Forces after a flow.
struct After<V> {
    /// `1/(1 + λ (K + H))`, `[k·P]`
    share: V,
    /// `‖ξ'‖²`, `[P]`
    square: V,
    /// `−½ d‖ξ'‖²/dλ`, `[P]`
    fall: V,
}

/// `y + R(κ + Δκ)` and its slope in `Δκ`, `[P]`, with `e^{−b κ}`.
fn resistance<A: Algebra>(
    a: &A,
    [yielding, energy, rate, linear]: &[A::Vector; 4],
    path: &A::Vector,
    decay: &A::Vector,
    grown: &A::Vector,
) -> [A::Vector; 2] {
    let left = a.apply(Activation::Exp, &a.scale(&a.mul(rate, grown), -1.0));
    let most = a.mul(energy, rate);
    let left = a.mul(&a.mul(&most, decay), &left);
    let voce = a.sub(&most, &left);
    let along = a.mul(linear, &a.add(path, grown));
    [
        a.add(&a.add(yielding, &voce), &along),
        a.add(&a.mul(&left, rate), linear),
    ]
}

/// Constants of the points at some external variables.
struct Constants<V> {
    /// `K`, `[k·P]`
    stiffness: V,
    /// `H`, `[k·P]`
    kinematic: V,
    /// `y, q, b, r` of points that yield, `[P]` each.
    hardening: Option<[V; 4]>,
    /// `v`, `[P]`
    viscosity: Option<V>,
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
        let [_, stress, back] = self.local_forces(a, &constants, &inputs.strain_new, &old);
        let force = a.sub(&stress, &back);
        let squares = points.squares(a, &force);
        let flow = self.multiplier(a, &constants, &inputs.dt, &squares, path.as_ref());
        let after = self.after(a, &constants, &squares, &flow);
        let along = a.mul(&points.of_groups(a, &after.share), &points.each(a, &flow));
        let new = a.add(&old, &a.mul(&force, &along));
        let new = match &path {
            Some(path) => {
                let size = a.apply(Activation::Sqrt, &after.square);
                a.concat(&[&new, &a.add(path, &a.mul(&flow, &size))])
            }
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
        let [stretch, stress, back] = self.local_forces(a, &constants, strain, &plastic);
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

#[cfg(test)]
mod tests;
