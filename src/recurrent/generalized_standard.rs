//! The generalized standard material, with learned potentials.
//!
//! Halphen & Nguyen (1975), Sur les matériaux standard généralisés, J. Mécanique 14:39–63; with
//! networks for the potentials: Huang, He, Chem & Reina (2022), Variational Onsager neural
//! networks, J. Mech. Phys. Solids 163:104856; Rosenkranz, Kalina, Brummund, Sun & Kästner (2024),
//! Viscoelasticity with physics-augmented neural networks, Comput. Mech. 74:1279–1301; Flaschel,
//! Kumar & De Lorenzis (2023), Automated discovery of generalized standard material models with
//! EUCLID, Comput. Methods Appl. Mech. Eng. 405:115867. A free energy `ψ(ε, z)` and a dual
//! dissipation potential `φ*(A)` of the driving force `A = −∂ψ/∂z` make the whole law; the flow
//! is integrated by backward Euler,
//!
//! ```text
//! z' = z + g ∂φ*/∂A(A(ε_{n+1}, z'))        g = ‖Δε‖, dt, or ‖Δε‖ + c dt, c > 0
//! ```
//!
//! Both potentials are input-convex networks plus a quadratic form, with value and slope at zero
//! taken off: `ψ` is convex in `(ε, z)`, `φ*` is convex in `A`, `φ* ≥ 0`, `φ*(0) = 0`. External
//! variables `θ` are further inputs of both networks; what is taken off is taken at the same `θ`, so
//! that all this holds at every `θ`. With the strain-path clock the law is rate-independent (of the
//! endochronic kind: it flows at every load, if little at small `A`).
//!
//! With a [`Symmetry`] the internal variables are tensors, and both networks see joint invariants that
//! are convex functions of them ([`Convex`]).
//!
//! Guarantees, for any parameters and any step:
//! - second law: `D_end = A'·(z' − z) = g A'·∂φ*/∂A(A') ≥ g φ*(A') ≥ 0`, as `φ*` is convex and has
//!   its least value zero at `A = 0`;
//! - stationary: `g = 0` leaves `z' = z`, exactly; at rest: `A(0, 0) = 0`, where nothing flows;
//! - the [`Symmetry`] asked for;
//! - one root: `z'` minimises the convex `ψ(ε_{n+1}, z') + g φ((z' − z)/g)`, `φ` the conjugate of
//!   `φ*`. The Jacobian `I + g H ψ_zz`, `H = φ*_AA`, is regular: both factors are positive
//!   semidefinite, so that its eigenvalues are real and at least one;
//! - a symmetric tangent with the time clock: `C = ψ_εε − ψ_εz (I + g H ψ_zz)⁻¹ g H ψ_zε`.
//!   With the strain path in the clock `C` has the further term `ψ_εz (I + g H ψ_zz)⁻¹ ∂φ*/∂A ⊗
//!   Δε/‖Δε‖`, which is not symmetric.
//!
//! Tested, not guaranteed: that the iteration finds the root. Where it does not, the update fails and
//! a smaller step can help.

use super::{Architecture, Clock, Forces, FreeEnergy, RecurrentLaw, Step, Symmetry};
use crate::graph::{Coefficients, Constraint, Initial, ParameterLayout, Unit, Vector};
use crate::law::{Guarantees, StateLayout};
use crate::network::{Anchored, Convex, Parts, Quadratic};

/// See the module.
#[derive(Clone, Debug)]
pub struct GeneralizedStandard {
    clock: Clock,
    symmetry: Symmetry,
    /// `c`, on both clocks.
    time_rate: Coefficients,
    energy: FreeEnergy<Convex>,
    /// `φ*`
    dissipation: Anchored<Convex>,
}

/// Root of the rate at which `z` follows at the start.
const INITIAL_FLOW: f64 = 2.5;
/// `c` at the start.
const INITIAL_TIME_RATE: f64 = 0.1;
/// Unknowns that the implicit update can have.
const MOST_UNKNOWNS: usize = 512;

impl GeneralizedStandard {
    /// Whether the implicit update of these sizes can be solved.
    pub(super) fn check(sizes: &Architecture) -> Result<(), (&'static str, String)> {
        let unknowns = sizes.components * sizes.states;
        if sizes.symmetry == Symmetry::None || unknowns <= MOST_UNKNOWNS {
            return Ok(());
        }
        let message = format!(
            "{} tensors have {unknowns} components, {MOST_UNKNOWNS} are possible",
            sizes.states
        );
        Err(("states", message))
    }

    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, m, symmetry) = (sizes.components, sizes.external, sizes.symmetry);
        let parts = Parts::of(symmetry, n);
        let s = if parts.is_some() {
            n * sizes.states
        } else {
            sizes.states
        };
        let (name, size) = ("dissipation", sizes.size());
        let both = usize::from(sizes.clock == Clock::Both);
        let rate = Initial::Value(INITIAL_TIME_RATE);
        let time_rate = layout.coefficients("clock.time_rate", both, Constraint::Positive, rate);
        layout.measured_in(time_rate, Unit::StrainRate);
        Self {
            clock: sizes.clock,
            symmetry,
            time_rate,
            energy: FreeEnergy::convex(layout, [n, s, m], sizes.energy_size(), parts.as_ref()),
            dissipation: Anchored::new(
                Quadratic::new(layout, name, s, INITIAL_FLOW, parts.as_ref()),
                Convex::new(layout, name, [s, m], size, parts.as_ref()),
            ),
        }
    }

    /// `g [1]`
    fn clock<'g>(&self, step: &Step<'g>) -> Vector<'g> {
        match self.clock {
            Clock::Time => step.dt,
            Clock::StrainPath => step.strain_increment().norm(),
            Clock::Both => step.strain_increment().norm() + self.time_rate * step.dt,
        }
    }

    /// `R(z') = z' − z − g ∂φ*/∂A(A(ε_{n+1}, z'))`
    fn residual<'g>(&self, step: &Step<'g>, z: Vector<'g>, new: Vector<'g>) -> Vector<'g> {
        let force = self
            .forces(step.strain_new, step.external, new)
            .driving_force;
        let (_, flow) = self.dissipation.value_and_gradient(force, step.external);
        new - z - flow * self.clock(step)
    }
}

impl RecurrentLaw for GeneralizedStandard {
    fn components(&self) -> usize {
        self.energy.components()
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([("internal_variables", self.energy.states())])
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

    fn evolve<'g>(&self, step: &Step<'g>, z: Vector<'g>) -> Vector<'g> {
        z.solve(|new| self.residual(step, z, new))
    }

    fn forces<'g>(&self, strain: Vector<'g>, external: Vector<'g>, z: Vector<'g>) -> Forces<'g> {
        self.energy.forces(strain, external, z)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Graph, Routine, Runner, Seeds, Workspace};
    use nalgebra::{DMatrix, DVector};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Round-off of a Newton step, over unknowns of order one.
    const ROUND_OFF: f64 = 1e-13;
    /// Newton steps before a search counts as astray.
    const PASSES: usize = 20;

    const BOTH: [Symmetry; 2] = [Symmetry::None, Symmetry::Isotropic];

    fn sizes(symmetry: Symmetry) -> Architecture {
        Architecture {
            law: "generalized-standard".into(),
            components: 3,
            external: 0,
            states: if symmetry == Symmetry::None { 8 } else { 3 },
            width: 16,
            layers: 2,
            energy_width: 16,
            energy_layers: 2,
            clock: Clock::Both,
            symmetry,
            substeps: 1,
            linear_hardening: false,
            stress_state: None,
        }
    }

    /// A law whose unconstrained parameters lie within `±width` of a start, and its constrained ones.
    fn draw(
        random: &mut ChaCha8Rng,
        symmetry: Symmetry,
        width: f64,
    ) -> (GeneralizedStandard, Vec<f64>) {
        let mut layout = ParameterLayout::default();
        let law = GeneralizedStandard::new(&mut layout, &sizes(symmetry));
        let mut unconstrained = layout.initial_values(random.random());
        unconstrained
            .iter_mut()
            .for_each(|p| *p += random.random_range(-width..width));
        (law, layout.constrained(&unconstrained))
    }

    /// Strains, state and time step of an increment, the strains of this size.
    fn increment<'g>(
        graph: &'g Graph,
        law: &GeneralizedStandard,
        random: &mut ChaCha8Rng,
        size: f64,
    ) -> (Step<'g>, Vector<'g>) {
        let mut draw = |n| {
            let values: Vec<_> = (0..n).map(|_| random.random_range(-size..size)).collect();
            graph.constant(&values)
        };
        let step = Step {
            strain_old: draw(3),
            strain_new: draw(3),
            dt: graph.constant(&[1.0]),
            external: graph.constant(&[]),
        };
        (step, draw(law.energy.states()))
    }

    /// Roots of laws far from any start: what is not refused solves the equation.
    #[test]
    fn no_answer_is_unconverged() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let (mut refused, mut worst) = (0, 0.0f64);
        for i in 0..800 {
            let (law, constrained) = draw(&mut random, BOTH[i % 2], 3.0);
            let graph = Graph::new();
            let size = 10f64.powf(random.random_range(-3.0..2.0));
            let (step, state) = increment(&graph, &law, &mut random, size);
            let root = state.root(|new| law.residual(&step, state, new)).value;
            let rest = law.residual(&step, state, root);
            let program = graph.routine(&[root, rest, root - state]).compile();
            let tables = program.tables(&constrained);
            let runner = Runner::new(&program, &tables);
            let mut workspace = Workspace::<1>::default();
            runner.reserve(&mut workspace, 1);
            runner.run(&mut workspace, 0);
            let norm = |output| {
                let mut square = 0.0;
                runner.read(&workspace, 0, output, |_, _, [v]: &[f64; 1]| {
                    square += v * v
                });
                square.sqrt()
            };
            if workspace.unsolved() != [None] {
                assert!(norm(0).is_nan());
                refused += 1;
                continue;
            }
            worst = worst.max(norm(1) / (1.0 + norm(0) + norm(2)));
        }
        println!("{refused} refused, largest residual {worst:.1e}");
        assert!(refused < 80);
        assert!(worst < 1e-7, "{worst:e}");
    }

    /// Newton's method on a residual from the old state: the lengths of its steps.
    fn newton(
        law: &GeneralizedStandard,
        constrained: &[f64],
        draw: &mut ChaCha8Rng,
        size: f64,
    ) -> Vec<f64> {
        let graph = Graph::new();
        let (step, state) = increment(&graph, law, draw, size);
        let unknown = graph.input("unknown", state.len());
        let residual = law.residual(&step, state, unknown);
        let routine: Routine = graph.routine(&[residual, state]);
        let program = routine
            .with_tangents(&Seeds::input(unknown), &[0])
            .compile();
        let tables = program.tables(constrained);
        let runner = Runner::new(&program, &tables);
        let mut workspace = Workspace::<1>::default();
        runner.reserve(&mut workspace, 1);
        let mut x = DVector::zeros(law.energy.states());
        let mut steps = Vec::new();
        for pass in 0..=PASSES {
            runner.set(&mut workspace, 0, 0, |i| [x[i]]);
            runner.run(&mut workspace, 0);
            if pass == 0 {
                runner.read(&workspace, 0, 1, |_, i, [z]| x[i] = *z);
                continue;
            }
            let mut rest = DVector::zeros(law.energy.states());
            let mut jacobian = DMatrix::zeros(law.energy.states(), law.energy.states());
            runner.read(&workspace, 0, 0, |_, i, [r]| rest[i] = *r);
            runner.read(&workspace, 0, 2, |k, i, [slope]| jacobian[(i, k)] = *slope);
            let step = jacobian.lu().solve(&rest).unwrap();
            steps.push(step.norm());
            x -= step;
        }
        steps
    }

    #[test]
    fn newton_converges_quadratically() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for symmetry in BOTH {
            let (mut orders, mut astray) = (Vec::new(), 0);
            while orders.len() < 1000 {
                let (law, constrained) = draw(&mut random, symmetry, 0.5);
                let size = 10f64.powf(random.random_range(-1.0..1.0));
                let mut steps = newton(&law, &constrained, &mut random, size);
                let round_off = |step: &f64| *step <= ROUND_OFF * (1.0 + size);
                match steps.iter().position(round_off) {
                    Some(end) => steps.truncate(end),
                    None => {
                        astray += 1;
                        continue;
                    }
                }
                if let [.., a, b, c] = steps[..] {
                    orders.push((c / b).ln() / (b / a).ln());
                }
            }
            orders.sort_by(f64::total_cmp);
            let (order, quartiles) = (orders[500], [orders[250], orders[750]]);
            println!(
                "{symmetry:?}: order {order:.3}, quartiles {quartiles:.3?}; {astray} astray without damping"
            );
            assert!(order >= 1.9, "{order}");
            assert!(astray < 20, "{astray}");
        }
    }

    #[test]
    fn the_search_needs_few_jacobians() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for symmetry in BOTH {
            let mut passes = Vec::new();
            for _ in 0..1000 {
                let (law, constrained) = draw(&mut random, symmetry, 0.5);
                let graph = Graph::new();
                let size = 10f64.powf(random.random_range(-1.0..1.0));
                let (step, state) = increment(&graph, &law, &mut random, size);
                let root = state.root(|new| law.residual(&step, state, new)).value;
                let program = graph.routine(&[root]).compile();
                let tables = program.tables(&constrained);
                let runner = Runner::new(&program, &tables);
                let mut workspace = Workspace::<1>::default();
                runner.reserve(&mut workspace, 1);
                let mut count = 0;
                runner.watched(&mut workspace, 0, &mut |_| count += 1);
                assert_eq!(workspace.unsolved(), [None]);
                passes.push(count);
            }
            passes.sort();
            let (median, most) = (passes[500], passes[999]);
            println!("{symmetry:?}: Jacobians of a search: median {median}, most {most}");
            assert!(median <= 3 && most <= 20, "{median}, {most}");
        }
    }
}
