//! A law with one planted fault.

use hysteron::error::UpdateError;
use hysteron::law::{Guarantees, Increment, MaterialLaw, Response, Scales, StateLayout};
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The stress 12 is doubled, its tangent is not.
    DoubledShear,
    TransposedTangent,
    /// The tangent is too soft by a thousandth.
    SoftTangent,
    /// No fault: a stress whose slope turns by 1e-5 of the stiffness within increments of 1e-9, beside a
    /// curvature that hides it from differences with longer steps. The tangent is exact.
    WeakTurn,
    /// Stresses 13 and 23 change places, their tangents do not.
    SwappedStress,
    /// Stresses and tangents 13 and 23 change places.
    SwappedStressAndTangent,
    /// The new state is not written.
    StateNotWritten,
    /// The new state is the old one.
    StaleState,
    /// The new state is written although the update fails.
    StateChangedOnError,
    /// The stress is written although the update fails.
    StressChangedOnError,
    /// The dissipation has the wrong sign.
    DissipationSign,
    /// The dissipation is reported without its sign.
    DissipationHidden,
    /// The state moves away from where it should go.
    DissipationNegative,
    /// The answer depends on how often the law was asked.
    HiddenCounter,
    /// The state moves by a little in every increment.
    DriftingState,
    /// The state grows by one part in a thousand per increment.
    GrowingState,
    /// The viscous strain goes a fixed part of its way in every increment, whatever its duration.
    CountedState,
    /// A stress at rest.
    PreStress,
    /// Stress, tangent and energy have the wrong sign.
    NegativeStiffness,
    /// Every increment is refused.
    AlwaysRefuses,
    /// Increments beyond a tenth of a strain unit are refused as too large.
    RefusesLarge,
    /// The stress has the seven digits of single precision.
    SinglePrecision,
    /// The law says that it has two components.
    TwoComponents,
    /// The stress is not a number where the strain is large.
    NotANumber,
}

pub struct Faulty<L> {
    inner: L,
    fault: Fault,
    asked: AtomicUsize,
}

impl<L: MaterialLaw> Faulty<L> {
    pub fn new(inner: L, fault: Fault) -> Self {
        Self {
            inner,
            fault,
            asked: AtomicUsize::new(0),
        }
    }
}

impl<L: MaterialLaw> MaterialLaw for Faulty<L> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn components(&self) -> usize {
        match self.fault {
            Fault::TwoComponents => 2,
            _ => self.inner.components(),
        }
    }

    fn external_variables(&self) -> &[String] {
        self.inner.external_variables()
    }

    fn state_layout(&self) -> &StateLayout {
        self.inner.state_layout()
    }

    fn initial_state(&self, state: &mut [f64]) {
        self.inner.initial_state(state);
    }

    fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
        let energy = self.inner.free_energy(strain, state, external);
        match self.fault {
            Fault::NegativeStiffness => -energy,
            _ => energy,
        }
    }

    fn update(
        &self,
        increment: &Increment,
        state_old: &[f64],
        state_new: &mut [f64],
        response: &mut Response,
    ) -> Result<(), UpdateError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let mut scratch = state_old.to_vec();
        let state = match self.fault {
            Fault::StateNotWritten => &mut scratch[..],
            _ => &mut *state_new,
        };
        let change = increment.strain_new.iter().zip(increment.strain_old);
        let large = change.fold(0.0f64, |a, (new, old)| a.max((new - old).abs())) > 0.1;
        let refuses = match self.fault {
            Fault::AlwaysRefuses => true,
            Fault::RefusesLarge => large,
            _ => false,
        };
        if refuses {
            self.inner.check(increment, state_old)?;
            return Err(UpdateError::Overflow { what: "stress" });
        }
        let increment = match self.fault {
            Fault::CountedState if increment.dt > 0.0 => &Increment {
                dt: 0.1,
                ..*increment
            },
            _ => increment,
        };
        if let Err(error) = self.inner.update(increment, state_old, state, response) {
            match self.fault {
                Fault::StateChangedOnError => state_new.fill(1.0),
                Fault::StressChangedOnError => response.stress[0] = 1.0,
                _ => {}
            }
            return Err(error);
        }
        let before = state.to_vec();
        match self.fault {
            Fault::None
            | Fault::StateNotWritten
            | Fault::StateChangedOnError
            | Fault::StressChangedOnError
            | Fault::CountedState
            | Fault::RefusesLarge
            | Fault::TwoComponents
            | Fault::AlwaysRefuses => {}
            Fault::SinglePrecision => response.stress.apply(|s| *s = f64::from(*s as f32)),
            Fault::DoubledShear => response.stress[3] *= 2.0,
            Fault::SoftTangent => response.tangent *= 0.999,
            Fault::WeakTurn => {
                let step = increment.strain_new[0] - increment.strain_old[0];
                let (stiffness, bend, turn, length) = (1000.0, 1e5, 5e-3, 1e-9);
                let tanh = (step / length).tanh();
                response.stress[0] += stiffness * step + bend * step * step + turn * step * tanh;
                response.tangent[(0, 0)] += stiffness
                    + 2.0 * bend * step
                    + turn * (tanh + step / length * (1.0 - tanh * tanh));
            }
            Fault::TransposedTangent => response.tangent.transpose_mut(),
            Fault::SwappedStress => response.stress.swap_rows(4, 5),
            Fault::SwappedStressAndTangent => {
                response.stress.swap_rows(4, 5);
                response.tangent.swap_rows(4, 5);
            }
            Fault::StaleState => state.copy_from_slice(state_old),
            Fault::DissipationSign => response.dissipation *= -1.0,
            Fault::DissipationHidden => response.dissipation = response.dissipation.abs(),
            Fault::DissipationNegative => {
                for (new, old) in state.iter_mut().zip(state_old) {
                    *new = 2.0 * old - *new;
                }
            }
            Fault::HiddenCounter => response.stress *= 1.0 + 1e-9 * asked as f64,
            Fault::DriftingState => state.iter_mut().for_each(|z| *z += 1e-12),
            Fault::GrowingState => state.iter_mut().for_each(|z| *z *= 1.001),
            Fault::PreStress => response.stress[0] += 1e-3,
            Fault::NegativeStiffness => {
                response.stress *= -1.0;
                response.tangent *= -1.0;
                response.stored_energy *= -1.0;
                response.dissipation *= -1.0;
            }
            Fault::NotANumber => {
                if increment.strain_new.iter().any(|e| e.abs() > 0.02) {
                    response.stress.fill(f64::NAN);
                }
            }
        }
        if *state != before[..] {
            response.stored_energy =
                self.inner
                    .free_energy(increment.strain_new, state, increment.external_new);
        }
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }

    fn scales(&self) -> Scales {
        self.inner.scales()
    }
}
