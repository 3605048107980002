//! Libraries with a planted fault: what the tests of the hosts must catch. Each behaviour and each
//! UMAT here is the law beside the library, spoilt in one way.
//!
//!     cargo build --release --features capi --example host_faults

use hysteron::UpdateError;
use hysteron::host::{HostLaw, adjacent_law};
use hysteron::law::{Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout};
use hysteron::mandel::WEIGHTS;
use std::sync::{Arc, Mutex, OnceLock};

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Components 13 and 23 stand in each other's place.
    SwappedShears,
    TransposedTangent,
    /// The strains are taken for engineering ones.
    EngineeringShears,
    /// The state is kept in the law and not given back by a rejected step.
    RememberedState,
    /// Fails once the strain is beyond a limit, unless the increment is small.
    FailsAtLargeSteps,
    /// As before, and leaves half of the new state behind.
    SpoilsTheState,
    Panics,
    AnswersNaN,
    SaysOutside,
}

struct Faulty {
    law: Arc<dyn MaterialLaw>,
    fault: Fault,
    remembered: Mutex<Vec<f64>>,
}

/// Strain beyond which a fault that depends on the strain shows.
const LIMIT: f64 = 1e-3;
/// Increment that [`Fault::FailsAtLargeSteps`] can take there.
const STEP: f64 = 3e-4;

fn norm(strain: &[f64]) -> f64 {
    strain.iter().map(|e| e * e).sum::<f64>().sqrt()
}

impl MaterialLaw for Faulty {
    fn name(&self) -> &str {
        self.law.name()
    }

    fn components(&self) -> usize {
        6
    }

    fn state_layout(&self) -> &StateLayout {
        self.law.state_layout()
    }

    fn initial_state(&self, state: &mut [f64]) {
        self.law.initial_state(state);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
        self.law.free_energy(strain, state, external)
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        let seen = |strain: &[f64]| -> Vec<f64> {
            let mut strain = strain.to_vec();
            match self.fault {
                Fault::SwappedShears => strain.swap(4, 5),
                Fault::EngineeringShears => {
                    strain
                        .iter_mut()
                        .zip(WEIGHTS)
                        .for_each(|(e, weight)| *e *= weight);
                }
                _ => {}
            }
            strain
        };
        let (old, new) = (seen(increment.strain_old), seen(increment.strain_new));
        let step: Vec<f64> = new.iter().zip(&old).map(|(b, a)| b - a).collect();
        let beyond = norm(&new) > LIMIT;
        let failure = Err(UpdateError::NotConverged {
            what: "a planted fault",
            iterations: 1,
            residual: 1.0,
        });
        match self.fault {
            Fault::Panics if beyond => panic!("a planted fault"),
            Fault::FailsAtLargeSteps if beyond && norm(&step) > STEP => return failure,
            Fault::SpoilsTheState if beyond && norm(&step) > STEP => {
                // What a law that writes before it is sure would do; the wall must hold.
                state_new.fill(1e3);
                return failure;
            }
            _ => {}
        }
        let increment = Increment {
            strain_old: &old,
            strain_new: &new,
            ..*increment
        };
        let mut remembered = self.remembered.lock().unwrap_or_else(|e| e.into_inner());
        let state_old = match self.fault {
            Fault::RememberedState if !remembered.is_empty() => remembered.as_slice(),
            _ => state_old,
        };
        self.law
            .update(&increment, state_old, state_new, response)?;
        if self.fault == Fault::RememberedState {
            *remembered = state_new.to_vec();
            if beyond && norm(&step) > STEP {
                return failure;
            }
        }
        match self.fault {
            Fault::TransposedTangent => response.tangent = response.tangent.transpose(),
            Fault::AnswersNaN if beyond => response.stress.fill(f64::NAN),
            Fault::SaysOutside if beyond => response.status = hysteron::law::Status::Outside,
            Fault::SwappedShears => {
                response.stress.swap_rows(4, 5);
                // The tangent is left as it is: one place is forgotten.
            }
            _ => {}
        }
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::default()
    }

    fn scales(&self) -> Scales {
        self.law.scales()
    }
}

type Cell = OnceLock<Result<HostLaw, String>>;

fn spoilt(fault: Fault, cell: &'static Cell) -> Result<&'static HostLaw, &'static str> {
    let law = cell.get_or_init(|| {
        let law = adjacent_law()
            .and_then(|law| law.with_components(6).map_err(|_| "not six components"))?;
        HostLaw::new(Arc::new(Faulty {
            law: law.clone(),
            fault,
            remembered: Mutex::default(),
        }))
        .map_err(|error| error.to_string())
    });
    law.as_ref().map_err(String::as_str)
}

macro_rules! faults {
    ($($name:literal $symbol:literal $fault:ident;)+) => {$(
        const _: () = {
            fn law() -> Result<&'static HostLaw, &'static str> {
                static CELL: Cell = Cell::new();
                spoilt(Fault::$fault, &CELL)
            }
            hysteron::mgis_behaviour!($name, Small, law());
            hysteron::umat!($symbol, law());
        };
    )+};
}

faults! {
    "SwappedShears" "SWAPPED" SwappedShears;
    "TransposedTangent" "TRANSPOSED" TransposedTangent;
    "EngineeringShears" "ENGINEERING" EngineeringShears;
    "RememberedState" "REMEMBERED" RememberedState;
    "FailsAtLargeSteps" "FAILS" FailsAtLargeSteps;
    "SpoilsTheState" "SPOILS" SpoilsTheState;
    "Panics" "PANICS" Panics;
    "AnswersNaN" "NAN" AnswersNaN;
    "SaysOutside" "OUTSIDE" SaysOutside;
}
