//! From inputs to tensors on the device that they are computed on.

use candle_core::{Device, Result, Shape, Tensor};
#[cfg(feature = "cuda")]
use candle_core::{Storage, op::BackpropOp};

#[cfg(feature = "cuda")]
use super::cuda::staging::Staging;

/// Brings inputs to a device.
pub(super) struct Uploads {
    device: Device,
    /// Of a GPU.
    #[cfg(feature = "cuda")]
    staging: Option<Staging>,
}

impl Uploads {
    pub(super) fn new(device: &Device) -> Result<Self> {
        Ok(Self {
            #[cfg(feature = "cuda")]
            staging: device.as_cuda_device().ok().map(Staging::new).transpose()?,
            device: device.clone(),
        })
    }

    /// A tensor all of whose values `write` writes.
    pub(super) fn tensor(&self, shape: impl Into<Shape>, write: impl FnOnce(&mut [f32])) -> Result<Tensor> {
        let shape = shape.into();
        #[cfg(feature = "cuda")]
        if let Some(staging) = &self.staging {
            let storage = Storage::Cuda(staging.copy(shape.elem_count(), write)?);
            return Ok(Tensor::from_storage(storage, shape, BackpropOp::none(), false));
        }
        let mut values = vec![0.0; shape.elem_count()];
        write(&mut values);
        Tensor::from_vec(values, shape, &self.device)
    }
}
