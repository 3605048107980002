//! Stress states: which components a law has, and what holds for the others.

use super::{Mandel, Moduli};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The components of a law, and what is prescribed for the others of the six.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum StressState {
    /// 11, 22, 33, 12, 13, 23.
    #[cfg_attr(feature = "cli", value(skip))]
    Solid,
    /// 11, 22, 12; no other strain.
    PlaneStrain,
    /// 11, 22, 33, 12; no other strain. Finite element programs also keep plane strain in these
    /// components, for its stress across the plane.
    #[cfg_attr(feature = "cli", value(skip))]
    Axisymmetric,
    /// 11, 22, 12; no other stress.
    PlaneStress,
    /// 11; no other stress: bars, fibres, most tests.
    Uniaxial,
}

impl StressState {
    /// Positions of its components among the six.
    pub const fn positions(self) -> &'static [usize] {
        match self {
            Self::Solid => &[0, 1, 2, 3, 4, 5],
            Self::Axisymmetric => &[0, 1, 2, 3],
            Self::PlaneStrain | Self::PlaneStress => &[0, 1, 3],
            Self::Uniaxial => &[0],
        }
    }

    /// Number of its components.
    pub const fn components(self) -> usize {
        self.positions().len()
    }

    /// The stress state that a finite element program means by so many components: 6, 4, 3 (plane
    /// stress) or 1.
    pub fn of_components(components: usize) -> Option<Self> {
        match components {
            6 => Some(Self::Solid),
            4 => Some(Self::Axisymmetric),
            3 => Some(Self::PlaneStress),
            1 => Some(Self::Uniaxial),
            _ => None,
        }
    }

    /// All six components from those of this stress state, the others zero.
    pub fn expand(self, values: &[f64]) -> Mandel {
        let mut whole = Mandel::zeros();
        for (&position, &value) in self.positions().iter().zip(values) {
            whole[position] = value;
        }
        whole
    }

    /// The components of this stress state out of all six, zeros after them.
    pub fn restrict(self, whole: &Mandel) -> Mandel {
        let mut values = Mandel::zeros();
        for (value, &position) in values.iter_mut().zip(self.positions()) {
            *value = whole[position];
        }
        values
    }

    /// As [`StressState::expand`], of the leading block of moduli.
    pub fn expand_moduli(self, moduli: &Moduli) -> Moduli {
        let mut whole = Moduli::zeros();
        for (j, &column) in self.positions().iter().enumerate() {
            for (i, &row) in self.positions().iter().enumerate() {
                whole[(row, column)] = moduli[(i, j)];
            }
        }
        whole
    }

    /// As [`StressState::restrict`], of moduli.
    pub fn restrict_moduli(self, whole: &Moduli) -> Moduli {
        let mut moduli = Moduli::zeros();
        for (j, &column) in self.positions().iter().enumerate() {
            for (i, &row) in self.positions().iter().enumerate() {
                moduli[(i, j)] = whole[(row, column)];
            }
        }
        moduli
    }
}

impl fmt::Display for StressState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Solid => "three-dimensional",
            Self::PlaneStrain => "plane strain",
            Self::Axisymmetric => "plane strain or axisymmetric",
            Self::PlaneStress => "plane stress",
            Self::Uniaxial => "uniaxial stress",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expanded_is_restricted_to_itself() {
        use StressState::*;
        for state in [Solid, PlaneStrain, Axisymmetric, PlaneStress, Uniaxial] {
            let n = state.components();
            let values = Mandel::from_fn(|i, _| if i < n { 1.0 + i as f64 } else { 0.0 });
            let whole = state.expand(&values.as_slice()[..n]);
            assert_eq!(state.restrict(&whole), values);
            let moduli = values * values.transpose();
            assert_eq!(state.expand_moduli(&moduli), whole * whole.transpose());
            assert_eq!(state.restrict_moduli(&(whole * whole.transpose())), moduli);
            // Plane strain and plane stress have the same components.
            let meant = if state == PlaneStrain {
                PlaneStress
            } else {
                state
            };
            assert_eq!(StressState::of_components(n), Some(meant));
        }
    }
}
