//! Small laws: viscoelastic, elastic–plastic, orthotropic, thermoelastic, and one whose tangent is
//! not symmetric.

use hysteron::error::UpdateError;
use hysteron::law::{Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout, Status};
use hysteron::mandel::{Mandel, Moduli, isotropic_moduli};
use hysteron::symmetry::Symmetry;

fn mandel(values: &[f64]) -> Mandel {
    Mandel::from_column_slice(values)
}

/// A spring beside a Maxwell element, backward Euler: `ψ = ½ ε·C∞ε + ½ (ε−z)·C₁(ε−z)`,
/// `τ ż = ε − z`. Source: any book on viscoelasticity (generalised Maxwell, one element).
pub struct KelvinMaxwell {
    pub long: Moduli,
    pub element: Moduli,
    pub relaxation_time: f64,
    layout: StateLayout,
}

impl Default for KelvinMaxwell {
    fn default() -> Self {
        Self {
            long: isotropic_moduli(2000.0, 800.0),
            element: isotropic_moduli(1000.0, 600.0),
            relaxation_time: 2.0,
            layout: StateLayout::new([("viscous_strain", 6)]),
        }
    }
}

impl MaterialLaw for KelvinMaxwell {
    fn name(&self) -> &str {
        "kelvin_maxwell"
    }

    fn components(&self) -> usize {
        6
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, state: &mut [f64]) {
        state.fill(0.0);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], _: &[f64]) -> f64 {
        let (e, elastic) = (mandel(strain), mandel(strain) - mandel(state));
        0.5 * (e.dot(&(self.long * e)) + elastic.dot(&(self.element * elastic)))
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        self.check(increment, state_old)?;
        let (e, old) = (mandel(increment.strain_new), mandel(state_old));
        let a = increment.dt / self.relaxation_time;
        let new = (old + e * a) / (1.0 + a);
        let force = self.element * (e - new);
        state_new.copy_from_slice(new.as_slice());
        *response = Response {
            stress: self.long * e + force,
            tangent: self.long + self.element / (1.0 + a),
            stored_energy: self.free_energy(increment.strain_new, new.as_slice(), &[]),
            dissipation: force.dot(&(new - old)),
            status: Status::Inside,
        };
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: true,
            second_law_in_parts: false,
            stationary: true,
            rate_independent: false,
            symmetry: Symmetry::Isotropic,
            rest: true,
        }
    }

    fn scales(&self) -> Scales {
        Scales {
            strain: 0.01,
            stress: 20.0,
            time: 1.0,
        }
    }
}

/// A bar with linear kinematic and isotropic hardening, `f = |E(ε−p) − Hp| − σ_y − hκ`; the exact return
/// mapping. With isotropic hardening the stress of cycles grows without end.
/// Source: Simo and Hughes, Computational Inelasticity, chapter 1.
pub struct Bar {
    pub young: f64,
    pub hardening: f64,
    pub isotropic: f64,
    pub yield_stress: f64,
    layout: StateLayout,
}

impl Default for Bar {
    fn default() -> Self {
        Self {
            young: 200e3,
            hardening: 20e3,
            isotropic: 0.0,
            yield_stress: 200.0,
            layout: StateLayout::new([("plastic_strain", 1), ("plastic_path", 1)]),
        }
    }
}

impl MaterialLaw for Bar {
    fn name(&self) -> &str {
        "bar"
    }

    fn components(&self) -> usize {
        1
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, state: &mut [f64]) {
        state.fill(0.0);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], _: &[f64]) -> f64 {
        let (e, p, path) = (strain[0], state[0], state[1]);
        let hardening = self.hardening * p.powi(2) + self.isotropic * path.powi(2);
        0.5 * (self.young * (e - p).powi(2) + hardening)
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        self.check(increment, state_old)?;
        let (e, old, (ee, h)) = (
            increment.strain_new[0],
            state_old[0],
            (self.young, self.hardening),
        );
        let trial = ee * (e - old) - h * old;
        let beyond = trial.abs() - self.yield_stress - self.isotropic * state_old[1];
        let stiffness = ee + h + self.isotropic;
        // Beyond by no more than round-off is on the yield surface: an empty increment stays empty.
        let plastic = beyond > 1e-12 * trial.abs();
        let step = match plastic {
            true => beyond / stiffness * trial.signum(),
            false => 0.0,
        };
        let new = old + step;
        let path = state_old[1] + step.abs();
        let force = ee * (e - new) - h * new;
        state_new.copy_from_slice(&[new, path]);
        *response = Response::default();
        response.stress[0] = ee * (e - new);
        response.tangent[(0, 0)] = if plastic {
            ee * (stiffness - ee) / stiffness
        } else {
            ee
        };
        response.stored_energy = self.free_energy(&[e], state_new, &[]);
        response.dissipation = force * step - self.isotropic * path * step.abs();
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: true,
            second_law_in_parts: false,
            stationary: true,
            rate_independent: true,
            symmetry: Symmetry::None,
            rest: true,
        }
    }

    fn scales(&self) -> Scales {
        Scales {
            strain: 0.005,
            stress: 250.0,
            time: 1.0,
        }
    }
}

/// Orthotropic elasticity with nine different constants.
pub struct Orthotropic {
    pub moduli: Moduli,
    pub claims: Symmetry,
    layout: StateLayout,
}

impl Default for Orthotropic {
    fn default() -> Self {
        let mut moduli = Moduli::zeros();
        let normal = [[12e3, 3e3, 4e3], [3e3, 9e3, 2e3], [4e3, 2e3, 15e3]];
        for i in 0..3 {
            for j in 0..3 {
                moduli[(i, j)] = normal[i][j];
            }
        }
        for (k, shear) in [2e3, 3e3, 5e3].into_iter().enumerate() {
            moduli[(3 + k, 3 + k)] = 2.0 * shear;
        }
        Self {
            moduli,
            claims: Symmetry::Orthotropic,
            layout: StateLayout::default(),
        }
    }
}

impl MaterialLaw for Orthotropic {
    fn name(&self) -> &str {
        "orthotropic"
    }

    fn components(&self) -> usize {
        6
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, _: &mut [f64]) {}

    fn free_energy(&self, strain: &[f64], _: &[f64], _: &[f64]) -> f64 {
        0.5 * mandel(strain).dot(&(self.moduli * mandel(strain)))
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        _: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        self.check(increment, state_old)?;
        *response = Response {
            stress: self.moduli * mandel(increment.strain_new),
            tangent: self.moduli,
            stored_energy: self.free_energy(increment.strain_new, &[], &[]),
            ..Response::default()
        };
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: true,
            second_law_in_parts: false,
            stationary: true,
            rate_independent: true,
            symmetry: self.claims,
            rest: true,
        }
    }

    fn scales(&self) -> Scales {
        Scales {
            strain: 0.01,
            stress: 100.0,
            time: 1.0,
        }
    }
}

/// `ψ = ½ (ε−z)·C(ε−z) + ½ k z·z` whose state relaxes to a saturating and turned strain,
/// `τ ż = s tanh(Mε/s) − z`: smooth, nonlinear, with a tangent that is not symmetric. Claims
/// nothing about dissipation.
pub struct Turned {
    pub elastic: Moduli,
    pub turning: Moduli,
    pub relaxation_time: f64,
    layout: StateLayout,
}

impl Default for Turned {
    fn default() -> Self {
        let mut turning = Moduli::identity() * 0.5;
        for k in 0..5 {
            turning[(k, k + 1)] = 0.3;
            turning[(k + 1, k)] = -0.2;
        }
        Self {
            elastic: isotropic_moduli(2000.0, 900.0),
            turning,
            relaxation_time: 1.0,
            layout: StateLayout::new([("turned_strain", 6)]),
        }
    }
}

impl MaterialLaw for Turned {
    fn name(&self) -> &str {
        "turned"
    }

    fn components(&self) -> usize {
        6
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, state: &mut [f64]) {
        state.fill(0.0);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], _: &[f64]) -> f64 {
        let (z, elastic) = (mandel(state), mandel(strain) - mandel(state));
        0.5 * (elastic.dot(&(self.elastic * elastic)) + 500.0 * z.dot(&z))
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        self.check(increment, state_old)?;
        const SATURATION: f64 = 0.02;
        let (e, old) = (mandel(increment.strain_new), mandel(state_old));
        let a = increment.dt / self.relaxation_time;
        let bent = (self.turning * e / SATURATION).map(f64::tanh);
        let new = (old + bent * (SATURATION * a)) / (1.0 + a);
        let slope = Moduli::from_diagonal(&bent.map(|b| 1.0 - b * b)) * self.turning;
        let stress = self.elastic * (e - new);
        state_new.copy_from_slice(new.as_slice());
        *response = Response {
            stress,
            tangent: self.elastic * (Moduli::identity() - slope * (a / (1.0 + a))),
            stored_energy: self.free_energy(increment.strain_new, new.as_slice(), &[]),
            dissipation: (stress - new * 500.0).dot(&(new - old)),
            status: Status::Inside,
        };
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            stationary: true,
            rest: true,
            ..Guarantees::default()
        }
    }

    fn scales(&self) -> Scales {
        Scales {
            strain: 0.01,
            stress: 20.0,
            time: 1.0,
        }
    }
}

/// A thermoelastic bar, `σ = E (ε − α (T − 20 °C))`.
pub struct Thermal {
    pub young: f64,
    pub expansion: f64,
    names: Vec<String>,
    layout: StateLayout,
}

impl Default for Thermal {
    fn default() -> Self {
        Self {
            young: 100e3,
            expansion: 1e-5,
            names: vec!["temperature_C".into()],
            layout: StateLayout::default(),
        }
    }
}

impl MaterialLaw for Thermal {
    fn name(&self) -> &str {
        "thermal"
    }

    fn components(&self) -> usize {
        1
    }

    fn external_variables(&self) -> &[String] {
        &self.names
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, _: &mut [f64]) {}

    fn free_energy(&self, strain: &[f64], _: &[f64], external: &[f64]) -> f64 {
        0.5 * self.young * (strain[0] - self.expansion * (external[0] - 20.0)).powi(2)
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        _: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        self.check(increment, state_old)?;
        let warm = increment.external_new[0] - 20.0;
        *response = Response::default();
        response.stress[0] = self.young * (increment.strain_new[0] - self.expansion * warm);
        response.tangent[(0, 0)] = self.young;
        response.stored_energy =
            self.free_energy(increment.strain_new, &[], increment.external_new);
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            second_law: true,
            second_law_in_parts: false,
            stationary: true,
            rate_independent: true,
            symmetry: Symmetry::None,
            rest: true,
        }
    }

    fn scales(&self) -> Scales {
        Scales {
            strain: 1e-3,
            stress: 100.0,
            time: 1.0,
        }
    }
}
