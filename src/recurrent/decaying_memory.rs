//! Linear memories that decay: the generalised Maxwell law with learned times.
//!
//! The recurrence `h' = r h + x` of a linear recurrent network, with the free energy that makes it a
//! material: `P` branches in parallel to an elastic one,
//!
//! ```text
//! ψ  = ψ_e(ε) + ½ Σ_p |B_p ε − z_p|²
//! z_p' = r_p z_p + (1 − r_p) B_p ε_{n+1}        r_p = e^{−dt/t_p} / (1 + ‖Δε‖ α_p)
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

use super::branches::{Branches, kept_share};
use super::relaxation::spread;
use super::strain_energy::StrainEnergy;
use super::{Architecture, Claims, Clock, Forces, Inputs, RecurrentLaw, Symmetry};
use crate::algebra::{Activation, Algebra, Constraint, Initial, Parameter, ParameterLayout};

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
    log: Parameter,
    shift: Option<Parameter>,
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
        let mut zeros = |name: String, columns| {
            let initial = Initial::Value(0.0);
            layout.add(name, [count, columns], Constraint::Free, initial)
        };
        Self {
            log: zeros(format!("{name}.log_rate"), 1),
            shift: (external > 0).then(|| zeros(format!("{name}.shift"), external)),
            start: spread(range, count),
        }
    }

    /// `g [P]` of a length of the clock.
    fn elapsed<A: Algebra>(
        &self,
        a: &A,
        length: &A::Vector,
        external: Option<&A::Vector>,
    ) -> A::Vector {
        let mut log = a.add(&a.constant(&self.start), &a.parameter(self.log));
        if let (Some(shift), Some(external)) = (self.shift, external) {
            log = a.add(&log, &a.dense(shift, None, external));
        }
        a.times(&a.apply(Activation::Exp, &log), length)
    }
}

impl DecayingMemory {
    pub fn new(layout: &mut ParameterLayout, sizes: &Architecture) -> Self {
        let (n, count, m) = (sizes.components, sizes.states, sizes.external);
        let symmetry = sizes.symmetry;
        let scale = (1.0 / count as f64).sqrt();
        let mut decay = |used: bool, name: &str, range| {
            used.then(|| Decay::new(layout, name, range, [count, m]))
        };
        Self {
            components: n,
            symmetry,
            path: decay(sizes.clock != Clock::Time, "path", LOG_PATH_RATES),
            time: decay(sizes.clock != Clock::StrainPath, "time", LOG_TIME_RATES),
            energy: StrainEnergy::new(layout, [n, m], sizes.energy_size(), symmetry),
            branches: Branches::new(layout, "branches", n, &vec![scale; count], symmetry),
        }
    }
}

impl RecurrentLaw for DecayingMemory {
    fn components(&self) -> usize {
        self.components
    }

    fn states(&self) -> usize {
        self.branches.len()
    }

    fn claims(&self) -> Claims {
        Claims {
            second_law: true,
            in_parts: false,
            stationary: true,
            rate_independent: self.time.is_none(),
            symmetry: self.symmetry,
        }
    }

    fn prepare<A: Algebra>(&self, a: &A) -> A::Vector {
        self.energy.prepare(a)
    }

    fn evolve<A: Algebra>(
        &self,
        a: &A,
        _: &A::Vector,
        inputs: &Inputs<A::Vector>,
        state: &A::Vector,
    ) -> A::Vector {
        let external = inputs.external.as_ref();
        let increment = a.sub(&inputs.strain_new, &inputs.strain_old);
        let path = self.path.as_ref();
        let path = path.map(|decay| decay.elapsed(a, &a.norm(&increment), external));
        let time = self.time.as_ref();
        let time = time.map(|decay| decay.elapsed(a, &inputs.dt, external));
        let Some(kept) = kept_share(a, path.as_ref(), time.as_ref()) else {
            return state.clone();
        };
        // Without strain and time exactly zero.
        let share = self.branches.each(a, &a.affine(&kept, -1.0, 1.0));
        let target = self.branches.strains(a, &inputs.strain_new);
        a.add(state, &a.mul(&share, &a.sub(&target, state)))
    }

    fn forces<A: Algebra>(
        &self,
        a: &A,
        prepared: &A::Vector,
        strain: &A::Vector,
        external: Option<&A::Vector>,
        state: &A::Vector,
    ) -> Forces<A::Vector> {
        let (energy, stress) = self
            .energy
            .value_and_gradient(a, prepared, strain, external);
        let force = a.sub(&self.branches.strains(a, strain), state);
        Forces {
            energy: a.add(&energy, &a.scale(&a.dot(&force, &force), 0.5)),
            stress: a.add(&stress, &self.branches.stress(a, &force)),
            driving_force: force,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algebra::{Program, Recorder};
    use crate::recurrent::step;

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
        };
        let mut layout = ParameterLayout::default();
        let law = DecayingMemory::new(&mut layout, &sizes);
        let effective = layout.effective(&layout.initial_values(3));
        let a = Recorder::new();
        let prepared = law.prepare(&a);
        let (rise, hold) = (2.0, 5.0);
        let one = a.constant(&[1.0]);
        let unit = law.branches.strains(&a, &one);
        let time = law.time.as_ref().unwrap();
        let rates = time.elapsed(&a, &one, None);
        let (_, elastic) = law.energy.value_and_gradient(&a, &prepared, &one, None);
        let mut outputs = vec![unit, rates, elastic];
        let mut state = a.zeros(law.states());
        for phase in 0..2 {
            let mut stress = elastic;
            for k in 0..increments {
                let at = |k: usize| match phase {
                    0 => k as f64 / increments as f64,
                    _ => 1.0,
                };
                let length = if phase == 0 { rise } else { hold };
                let inputs = Inputs {
                    strain_old: a.constant(&[at(k)]),
                    strain_new: a.constant(&[at(k + 1)]),
                    dt: a.constant(&[length / increments as f64]),
                    external: None,
                };
                let new = step(&law, &a, &prepared, &inputs, &state);
                (state, stress) = (new.state, new.forces.stress);
            }
            outputs.extend([state, stress]);
        }
        let values = Program::evaluate(a, &effective, &outputs);
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
