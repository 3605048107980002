//! Where roll-outs are computed, and in which number format.

use super::rollout::{RollOut, roll_out_tensors};
use super::{Histories, Precision, Training, TrainingDevice};
use crate::error::{Error, Result};
use crate::graph::tensor;
use crate::recurrent::RecurrentLaw;
use burn::tensor::{DType, Device, Tensor};
use std::sync::Arc;

/// The device of burn's that computes, differentiable.
///
/// # Errors
/// [`Error::Training`] where this build does not know the device, or the machine has none.
pub fn device(kind: TrainingDevice) -> Result<Device> {
    let device = match kind {
        TrainingDevice::Cpu | TrainingDevice::Flex => Device::flex(),
        TrainingDevice::Wgpu => wgpu()?,
        TrainingDevice::Cuda => cuda()?,
    };
    Ok(device.autodiff())
}

#[cfg(feature = "wgpu")]
fn wgpu() -> Result<Device> {
    first(burn::tensor::DeviceType::Wgpu, "wgpu")
}

#[cfg(not(feature = "wgpu"))]
fn wgpu() -> Result<Device> {
    missing("wgpu")
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device> {
    first(burn::tensor::DeviceType::Cuda, "cuda")
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device> {
    missing("cuda")
}

/// The machine's first device of a kind.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn first(kind: burn::tensor::DeviceType, name: &str) -> Result<Device> {
    // Where a driver's library is missing, burn panics.
    let found = std::panic::catch_unwind(|| Device::enumerate(kind).into_vec().into_iter().next());
    let none = || Error::Training(format!("device {name}: this machine has none"));
    found.ok().flatten().ok_or_else(none)
}

#[cfg(not(all(feature = "wgpu", feature = "cuda")))]
fn missing(name: &str) -> Result<Device> {
    Err(Error::Training(format!(
        "device {name}: this build knows none; build with --features {name}"
    )))
}

/// How the roll-outs of a training are computed.
pub(super) struct Place {
    device: Device,
    float: DType,
    /// As one operation, on the processor alone; elsewhere operation by operation.
    as_one: bool,
}

impl Place {
    pub fn of(options: &Training) -> Result<Self> {
        let device = device(options.device)?;
        let float = match options.precision {
            Precision::F64 => DType::F64,
            Precision::F32 => DType::F32,
        };
        if !device.supports_dtype(float) {
            return Err(Error::Training(
                "the device has no double precision; take precision f32".into(),
            ));
        }
        Ok(Self {
            device,
            float,
            as_one: options.device == TrainingDevice::Cpu,
        })
    }

    /// An untracked vector.
    pub fn vector(&self, values: Vec<f64>) -> Tensor<1> {
        let n = values.len();
        tensor(values, [n], &self.device, self.float)
    }

    /// Stress and dissipation `[rows, components + 1, records]`, normalised.
    pub fn roll_out(
        &self,
        law: &dyn RecurrentLaw,
        roll_out: &RollOut,
        constrained: Tensor<1>,
        histories: &Arc<Histories>,
    ) -> Tensor<3> {
        match self.as_one {
            true => roll_out.tracked(constrained, histories),
            false => roll_out_tensors(law, constrained, histories),
        }
    }
}
