//! One increment of one point.

use super::Place;
use super::arguments::{Frame, UmatArguments, real};
use super::frame::MaterialFrame;
use super::geometry::Geometry;
use crate::host::pointer::leads;
use crate::host::state::States;
use crate::host::{HostError, HostLaw};
use crate::law::{Increment, MaterialLaw, Response};
use nalgebra::Matrix3;

/// Advances one point; nothing is written before the last operation that can fail.
///
/// # Safety
/// That of [`super::call`].
pub(super) unsafe fn advance(law: &HostLaw, arguments: &UmatArguments) -> Result<(), HostError> {
    let stress_state = arguments.stress_state()?;
    let (name, outside) = (law.name(), law.outside());
    let law = law.in_stress_state(stress_state)?;
    let n = stress_state.components();
    let (states, externals) = (law.state_layout().len(), law.external_variables().len());
    // SAFETY: as the caller promises, here and below.
    let properties = unsafe { arguments.properties()? };
    let used = states + properties.frame.entries();
    arguments.check_room(name, used)?;
    arguments.check_outputs(used)?;
    let temperatures = arguments.temperatures(law)?;
    let [start, end] = unsafe { arguments.strains(n)? };
    let strained = start.iter().chain(&end).any(|e| *e != 0.0);
    let geometry = unsafe { Geometry::new(arguments, &properties, stress_state, strained)? };
    let dt = real("DTIME", arguments.dtime)?;
    let (stored, kept) = unsafe { arguments.state(used) }.split_at(states);
    let rotation = match geometry.frame {
        Frame::Turning => None,
        Frame::Fixed | Frame::Stored => unsafe { arguments.rotation(kept)? },
    };
    let frame = MaterialFrame::new(stress_state, rotation.as_ref());
    let (strain_old, strain_new) = (frame.strain_in(&start), frame.strain_in(&end));

    States::with(law, |buffers| {
        buffers.load(stored);
        let increment = Increment {
            strain_old: &strain_old.as_slice()[..n],
            strain_new: &strain_new.as_slice()[..n],
            dt,
            external_old: &temperatures[..externals],
            external_new: &temperatures[1..][..externals],
        };
        let mut response = Response::default();
        law.update(&increment, &buffers.old, &mut buffers.new, &mut response)?;
        outside.judge(
            response.status,
            || law.departure(&increment),
            Place(arguments),
        )?;
        let (stress, moduli) = frame.response_out(&response);
        let unit = properties.unit;
        // SAFETY: the lengths are those that the caller promises; no view of them is left.
        unsafe {
            for i in 0..n {
                *arguments.stress.add(i) = unit * stress[i] / geometry.stress;
                for j in 0..n {
                    *arguments.ddsdde.add(j * n + i) = unit * moduli[(i, j)] / geometry.tangent;
                }
            }
            let (stored, kept) = arguments.state_mut(used).split_at_mut(states);
            buffers.store(stored);
            if let Some(rotation) = rotation {
                kept.copy_from_slice((rotation - Matrix3::identity()).as_slice());
            }
            if leads(arguments.sse) {
                *arguments.sse = unit * response.stored_energy;
            }
            if leads(arguments.spd) {
                *arguments.spd += unit * response.dissipation;
            }
        }
        Ok(())
    })
}
