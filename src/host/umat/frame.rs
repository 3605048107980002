//! The frame that the law is evaluated in, and the components of the host.

use crate::law::Response;
use crate::mandel::{Mandel, Moduli, StressState, abaqus, rotation};
use nalgebra::Matrix3;

/// How the tensors of the host become those of the law.
pub(super) struct MaterialFrame {
    stress_state: StressState,
    /// From the frame of the law to that of the host, in Mandel's components; `None` where they are
    /// the same.
    turn: Option<Moduli>,
}

impl MaterialFrame {
    pub fn new(stress_state: StressState, turn: Option<&Matrix3<f64>>) -> Self {
        Self {
            stress_state,
            turn: turn.map(rotation),
        }
    }

    /// The strain of the law, its components first.
    pub fn strain_in(&self, host: &[f64; 6]) -> Mandel {
        let whole = abaqus::strain_in(&self.stress_state.expand(host).into());
        let whole = match &self.turn {
            None => whole,
            Some(turn) => turn.transpose() * whole,
        };
        self.stress_state.restrict(&whole)
    }

    /// `STRESS` and `DDSDDE`, their components first, MPa.
    pub fn response_out(&self, response: &Response) -> (Mandel, Moduli) {
        let mut stress = self.stress_state.expand(response.stress.as_slice());
        let mut moduli = self.stress_state.expand_moduli(&response.tangent);
        if let Some(turn) = &self.turn {
            stress = turn * stress;
            moduli = turn * moduli * turn.transpose();
        }
        let stress = Mandel::from(abaqus::stress_out(&stress));
        let moduli = abaqus::moduli_out(&moduli);
        (
            self.stress_state.restrict(&stress),
            self.stress_state.restrict_moduli(&moduli),
        )
    }
}
