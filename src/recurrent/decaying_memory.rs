//! Linear memories that decay: the generalised Maxwell law with learned times.
//!
//! The recurrence `h' = r h + x` of a linear recurrent network, with the free energy that makes it a
//! material: `P` branches in parallel to an elastic one,
//!
//! ```text
//! ψ  = ψ_e(ε) + ½ Σ_p |B_p ε − z_p|²
//! z_p' = r_p z_p + (1 − r_p) B_p ε_{n+1} = z_p + (1 − r_p) (B_p ε_{n+1} − z_p)
//! r_p  = e^{−dt/t_p} / (1 + ‖Δε‖ α_p)
//! ln α_p, −ln t_p: constants, plus W θ
//! ```
//!
//! On the clock of time these are the Prony series of viscoelasticity (Simo & Hughes 1998,
//! Computational Inelasticity, chapter 10), with the external variables `θ` shifting the times; on
//! that of the strain path the memory of the path, as in endochronic theory. The strain-path clock
//! leaves `t` out, the time clock `α`.
//!
//! Guarantees, for any parameters and any step: second law,
//! `D_end = Σ_p r_p (1 − r_p) |B_p ε_{n+1} − z_p|² ≥ 0`; stationary; at rest; the
//! [`Symmetry`] asked for. The end of the increment stands for all of it: first order in the step; a
//! hold is exact.

use super::branches::{Branches, kept_share, spread};
use super::strain_energy::StrainEnergy;
use super::{Architecture, Forces, RecurrentLaw, Step, Symmetry};
use crate::graph::{Coefficients, Constraint, Initial, Matrix, ParameterLayout, Vector};
use crate::law::{Guarantees, StateLayout};

/// See the module.
#[derive(Clone, Debug)]
pub struct DecayingMemory {
    components: usize,
    symmetry: Symmetry,
    energy: StrainEnergy,
    branches: Branches,
    path: Option<Decay>,
    time: Option<Decay>,
}

/// `e^{start + log + W θ}`, the rates of one clock.
#[derive(Clone, Debug)]
struct Decay {
    log: Coefficients,
    shift: Matrix,
    start: Vec<f64>,
}

/// `ln α` at the start.
const LOG_PATH_RATES: [f64; 2] = [0.0, 4.0];
/// `−ln t` at the start.
const LOG_TIME_RATES: [f64; 2] = [-6.0, 0.0];

impl Decay {
    fn new(
        layout: &mut ParameterLayout,
        name: &str,
        range: [f64; 2],
        [count, external]: [usize; 2],
    ) -> Self {
        let zero = Initial::Value(0.0);
        let (log, shift) = (format!("{name}.log_rate"), format!("{name}.shift"));
        Self {
            log: layout.coefficients(log, count, Constraint::Free, zero),
            shift: layout.matrix(shift, [count, external], Constraint::Free, zero),
            start: spread(range, count),
        }
    }

    /// `g [P]` of a length of the clock.
    fn elapsed<'g>(&self, length: Vector<'g>, external: Vector<'g>) -> Vector<'g> {
        let start = length.graph().constant(&self.start);
        let log = start + self.log + self.shift * external;
        log.exp() * length
    }
}

impl DecayingMemory {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, count, m) = (sizes.components, sizes.states, sizes.external);
        let (symmetry, clock) = (sizes.symmetry, sizes.clock);
        let scale = (1.0 / count as f64).sqrt();
        let mut decay = |used: bool, name: &str, range| {
            used.then(|| Decay::new(layout, name, range, [count, m]))
        };
        Self {
            components: n,
            symmetry,
            path: decay(clock.has_path(), "path", LOG_PATH_RATES),
            time: decay(clock.has_time(), "time", LOG_TIME_RATES),
            energy: StrainEnergy::new(layout, [n, m], sizes.energy_size(), symmetry),
            branches: Branches::new(layout, "branches", n, &vec![scale; count], symmetry),
        }
    }
}

impl RecurrentLaw for DecayingMemory {
    fn components(&self) -> usize {
        self.components
    }

    fn state_layout(&self) -> StateLayout {
        StateLayout::new([("inelastic_strain", self.branches.len())])
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: true,
            stationary: true,
            rate_independent: self.time.is_none(),
            symmetry: self.symmetry,
            ..Guarantees::default()
        }
    }

    fn evolve<'g>(&self, step: &Step<'g>, z: Vector<'g>) -> Vector<'g> {
        let path = self.path.as_ref();
        let path = path.map(|decay| decay.elapsed(step.strain_increment().norm(), step.external));
        let time = self.time.as_ref();
        let time = time.map(|decay| decay.elapsed(step.dt, step.external));
        let r = kept_share(path, time);
        // Without strain and time exactly zero.
        let share = self.branches.each(1.0 - r);
        z + share * (self.branches.strains(step.strain_new) - z)
    }

    fn forces<'g>(&self, strain: Vector<'g>, external: Vector<'g>, z: Vector<'g>) -> Forces<'g> {
        let (energy, stress) = self.energy.value_and_gradient(strain, external);
        let force = self.branches.strains(strain) - z;
        Forces {
            energy: energy + 0.5 * force.squared_norm(),
            stress: stress + self.branches.stress(force),
            driving_force: force,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Graph, evaluate};
    use crate::recurrent::{Advance, Clock, IncrementInputs};

    /// Relative errors of the stress after a ramp, and of what a hold then relaxes, in so many
    /// increments each.
    fn ramp_and_hold(increments: usize) -> [f64; 2] {
        let sizes = Architecture {
            law: "decaying-memory".into(),
            components: 1,
            external: 0,
            states: 3,
            width: 1,
            layers: 0,
            energy_width: 2,
            energy_layers: 1,
            clock: Clock::Time,
            symmetry: Symmetry::None,
            substeps: 1,
            linear_hardening: false,
            stress_state: None,
        };
        let mut layout = ParameterLayout::default();
        let law = DecayingMemory::new(&mut layout, &sizes);
        let constrained = layout.constrained(&layout.initial_values(3));
        let graph = Graph::new();
        let (rise, hold) = (2.0, 5.0);
        let one = graph.constant(&[1.0]);
        let none = one.slice(0..0);
        let unit = law.branches.strains(one);
        let rates = law.time.as_ref().unwrap().elapsed(one, none);
        let (_, elastic) = law.energy.value_and_gradient(one, none);
        let mut outputs = vec![unit, rates, elastic];
        let mut state = graph.zeros(law.state_layout().len());
        for phase in 0..2 {
            let mut stress = elastic;
            for k in 0..increments {
                let at = |k: usize| match phase {
                    0 => k as f64 / increments as f64,
                    _ => 1.0,
                };
                let length = if phase == 0 { rise } else { hold };
                let step = Step {
                    strain_old: graph.constant(&[at(k)]),
                    strain_new: graph.constant(&[at(k + 1)]),
                    dt: graph.constant(&[length / increments as f64]),
                    external: none,
                };
                let new = Advance::of(&law, &IncrementInputs { state, step });
                (state, stress) = (new.state, new.forces.stress);
            }
            outputs.extend([state, stress]);
        }
        let values = evaluate(&outputs, &constrained);
        let [unit, rates, elastic, after, ramp, _, held] = &values[..] else {
            panic!("seven outputs");
        };
        // The closed form: `s = (1 − e^{−λ t}) B ε̇/λ` at the end of the ramp, then `e^{−λ t} s`.
        let risen = |i: usize| {
            let (b, rate) = (unit[i], rates[i]);
            b * b / (rise * rate) * (1.0 - (-rate * rise).exp())
        };
        let left = |i: usize| unit[i] * (unit[i] - after[i]) * (-rates[i] * hold).exp();
        let after_ramp = elastic[0] + (0..3).map(risen).sum::<f64>();
        let after_hold = elastic[0] + (0..3).map(left).sum::<f64>();
        [ramp[0] / after_ramp - 1.0, held[0] / after_hold - 1.0]
    }

    #[test]
    fn a_ramp_converges_to_the_closed_form_and_a_hold_is_exact() {
        let [coarse, fine] = [20, 200].map(ramp_and_hold);
        println!("ramp and hold: {coarse:?}, {fine:?}");
        assert!((coarse[0] / fine[0] - 10.0).abs() < 0.5);
        assert!(fine[0].abs() < 0.01);
        for increments in [1, 3, 20, 200] {
            let [_, hold] = ramp_and_hold(increments);
            assert!(hold.abs() < 1e-13, "{increments}: {hold:e}");
        }
    }
}
