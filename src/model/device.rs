//! Where a model runs: the choice a person makes, and the device that comes of it.

use std::fmt;
use std::str::FromStr;

use candle_core::{DType, Device, DeviceLocation, Tensor};
use serde::{Deserialize, Serialize};

use super::ModelError;

/// What was asked for on the command line or in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// The first GPU if there is one that works, the CPU otherwise.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The NVIDIA GPU of this number.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| digits.parse().ok().map(Self::Cuda);
        match text {
            "auto" => Some(Self::Auto),
            "cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(0)),
            _ => text.strip_prefix("cuda:").and_then(number),
        }
        .ok_or_else(|| format!("unknown device {text:?}, expected auto, cpu or cuda:N"))
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// Opens the device of a choice. `Auto` never fails; an explicit GPU that is not there is an error, not the CPU.
pub fn open(choice: DeviceChoice) -> Result<Device, ModelError> {
    match choice {
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Cuda(number) => open_cuda(number)
            .map_err(|reason| ModelError::Device { device: choice.to_string(), reason: format!("{reason}; use cpu") }),
        DeviceChoice::Auto => Ok(open_cuda(0).unwrap_or_else(|reason| {
            if cfg!(feature = "cuda") {
                tracing::warn!("running on the CPU: {reason}");
            }
            Device::Cpu
        })),
    }
}

/// Whether a device that was there is no longer: a processor always is.
pub(super) fn is_lost(device: &Device) -> bool {
    let answer = || Tensor::zeros(1, DType::F32, device)?.to_vec1::<f32>();
    !device.is_cpu() && answer().is_err()
}

/// Memory that is free on a device of its own; none on a processor, whose memory grows with what is asked of it.
pub(super) fn free_bytes(device: &Device) -> Option<usize> {
    #[cfg(feature = "cuda")]
    if device.is_cuda() {
        return super::cuda::driver::free_bytes(device).ok();
    }
    debug_assert!(device.is_cpu(), "of other devices it is not known");
    None
}

/// What a device is called, in the words of [`DeviceChoice`].
pub fn name(device: &Device) -> String {
    match device.location() {
        DeviceLocation::Cpu => "cpu".into(),
        DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(_number: usize) -> Result<Device, String> {
    Err("this earmark was built without `--features cuda`".into())
}

#[cfg(feature = "cuda")]
use super::cuda::driver::open as open_cuda;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_survive_being_written_and_read() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Cuda(3)] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        for wrong in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "CPU"] {
            assert!(wrong.parse::<DeviceChoice>().unwrap_err().contains("expected auto, cpu or cuda:N"));
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn an_asked_for_gpu_is_never_silently_the_cpu() {
        let error = open(DeviceChoice::Cuda(0)).unwrap_err().to_string();
        assert!(error.contains("cuda:0") && error.contains("--features cuda"), "{error}");
        assert!(matches!(open(DeviceChoice::Auto), Ok(Device::Cpu)));
    }
}
