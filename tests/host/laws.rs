//! The laws of these tests: sound ones that tell components apart, and faulty ones.

use hysteron::UpdateError;
use hysteron::host::HostLaw;
use hysteron::law::{Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout, Status};
use hysteron::laws::{
    Backstress, IsotropicParameters, OrthotropicParameters, PlasticityParameters, ReferenceLaw,
    Voce,
};
use std::sync::Arc;

/// A steel whose tangent is not symmetric.
pub fn steel() -> ReferenceLaw {
    ReferenceLaw::J2(PlasticityParameters {
        young: 200e3,
        poisson: 0.3,
        yield_stress: 300.0,
        voce: vec![Voce {
            q: 80.0,
            rate: 12.0,
        }],
        linear_hardening: 500.0,
        backstress: vec![Backstress {
            c: 30e3,
            gamma: 150.0,
        }],
    })
}

/// The elasticity of this steel.
pub fn elastic() -> ReferenceLaw {
    ReferenceLaw::IsotropicElastic(IsotropicParameters {
        young: 200e3,
        poisson: 0.3,
    })
}

/// A ply with three different shear moduli.
pub fn ply() -> ReferenceLaw {
    ReferenceLaw::OrthotropicElastic(OrthotropicParameters {
        young_1: 126e3,
        young_2: 11e3,
        young_3: 9e3,
        poisson_12: 0.28,
        poisson_13: 0.25,
        poisson_23: 0.4,
        shear_12: 6600.0,
        shear_13: 5500.0,
        shear_23: 3900.0,
    })
}

pub fn host(law: &ReferenceLaw) -> HostLaw {
    HostLaw::new(Arc::from(law.build(6).unwrap())).unwrap()
}

/// What a [`Strange`] law does at a strain that is not zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    Panics,
    DoesNotConverge,
    /// The state grows before the error is found.
    SpoilsItsState,
    LeavesItsRange,
    /// Answers its first external variable as stress 11.
    Echoes,
    /// Starts from a state that is not zero, and counts its updates there.
    Counts,
}

pub struct Strange {
    fault: Fault,
    layout: StateLayout,
    externals: Vec<String>,
}

impl Strange {
    pub fn new(fault: Fault, externals: &[&str]) -> Self {
        Self {
            fault,
            layout: StateLayout::new([("memory", 2)]),
            externals: externals.iter().map(|name| name.to_string()).collect(),
        }
    }

    pub fn host(fault: Fault, externals: &[&str]) -> HostLaw {
        HostLaw::new(Arc::new(Self::new(fault, externals))).unwrap()
    }
}

impl MaterialLaw for Strange {
    fn name(&self) -> &str {
        "strange"
    }

    fn components(&self) -> usize {
        6
    }

    fn external_variables(&self) -> &[String] {
        &self.externals
    }

    fn state_layout(&self) -> &StateLayout {
        &self.layout
    }

    fn initial_state(&self, state: &mut [f64]) {
        state.copy_from_slice(&[3.0, -1.0]);
    }

    fn free_energy(&self, _: &[f64], _: &[f64], _: &[f64]) -> f64 {
        0.0
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        self.check(increment, state_old)?;
        let rest = increment.strain_new.iter().all(|e| *e == 0.0);
        let failure = UpdateError::NotConverged {
            what: "strange law",
            iterations: 7,
            residual: 1.0,
        };
        match self.fault {
            _ if rest => {}
            Fault::Panics => panic!("a fault of the law"),
            Fault::DoesNotConverge => return Err(failure),
            Fault::SpoilsItsState => {
                state_new.fill(1e9);
                return Err(failure);
            }
            Fault::LeavesItsRange | Fault::Echoes | Fault::Counts => {}
        }
        *response = Response::default();
        response.tangent.fill_with_identity();
        state_new.copy_from_slice(state_old);
        match self.fault {
            Fault::LeavesItsRange => response.status = Status::Outside,
            Fault::Echoes => response.stress[0] = increment.external_new[0],
            Fault::Counts => state_new[0] += 1.0,
            _ => {}
        }
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::default()
    }

    fn scales(&self) -> Scales {
        Scales {
            strain: 1e-2,
            stress: 1.0,
            time: 1.0,
        }
    }
}
