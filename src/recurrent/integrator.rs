//! Several updates of a law within one increment.
//!
//! The update of a law is a method of first order for the evolution along the increment, on which
//! strain and time grow evenly. Taken over the whole increment it is the plain recurrent cell; over
//! parts of it, it comes nearer to the evolution.

use super::{Inputs, RecurrentLaw};
use crate::algebra::Algebra;

/// The part of an increment between two shares of it.
pub fn part<A: Algebra>(
    a: &A,
    inputs: &Inputs<A::Vector>,
    [start, end]: [f64; 2],
) -> Inputs<A::Vector> {
    let increment = a.sub(&inputs.strain_new, &inputs.strain_old);
    let at = |share: f64| match share {
        0.0 => inputs.strain_old.clone(),
        1.0 => inputs.strain_new.clone(),
        _ => a.add(&inputs.strain_old, &a.scale(&increment, share)),
    };
    Inputs {
        strain_old: at(start),
        strain_new: at(end),
        dt: a.scale(&inputs.dt, end - start),
        external: inputs.external.clone(),
    }
}

/// The state at the end of an increment that is taken in parts. `knots` are the shares of the
/// increment at which parts end, the last of them one.
pub fn integrate<A: Algebra, L: RecurrentLaw>(
    law: &L,
    a: &A,
    prepared: &A::Vector,
    inputs: &Inputs<A::Vector>,
    state: &A::Vector,
    knots: impl IntoIterator<Item = f64>,
) -> A::Vector {
    let (mut state, mut start) = (state.clone(), 0.0);
    for end in knots {
        state = law.evolve(a, prepared, &part(a, inputs, [start, end]), &state);
        start = end;
    }
    state
}
