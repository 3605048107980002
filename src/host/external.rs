//! External variables: whether the host gives them.

use super::HostError;
use crate::law::MaterialLaw;

/// Checks the values of an external variable at both ends of an increment. `how` says where the user of the
/// host writes it.
///
/// # Errors
/// A value that is not a number, which OpenGeoSys passes without a temperature; zero at both ends, which most
/// hosts pass for what they are not given.
pub(super) fn check_given(
    law: &dyn MaterialLaw,
    index: usize,
    ends: [f64; 2],
    how: &str,
) -> Result<(), HostError> {
    if ends.iter().all(|value| value.is_finite()) && ends != [0.0; 2] {
        return Ok(());
    }
    let name = &law.external_variables()[index];
    let advice = match ends == [0.0; 2] {
        true => "; where zero is meant, write 1e-6",
        false => "",
    };
    let mean = match law.typical_external()[index] {
        0.0 => String::new(),
        mean => format!(", {mean:.6} on average in its training"),
    };
    Err(HostError::call(format!(
        "the law needs `{name}`{mean}, and the host gives {}: {how}{advice}",
        ends[1]
    )))
}
