//! Inputs on their way to a GPU, by a stream of their own: a batch is copied while the one before is computed.
//!
//! Values are written to memory that the driver has pinned, for from any other it would copy them there itself, and
//! wait. There are two such buffers, in turn. Invariant: neither is written to before it was copied.

#![allow(unsafe_code, reason = "the driver hands out memory that nothing was written to")]

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::cuda_backend::cudarc::driver::{CudaStream, HostSlice, PinnedHostSlice, SyncOnDrop};
use candle_core::{CudaDevice, CudaStorage, Error, Result};

/// See the module's documentation.
pub(in crate::model) struct Staging {
    device: CudaDevice,
    stream: Arc<CudaStream>,
    buffers: Mutex<[Option<PinnedHostSlice<f32>>; 2]>,
}

impl Staging {
    pub(in crate::model) fn new(device: &CudaDevice) -> Result<Self> {
        let stream = device.cuda_stream().context().new_stream().map_err(Error::wrap)?;
        Ok(Self { device: device.clone(), stream, buffers: Mutex::default() })
    }

    /// Begins to copy so many values, all of which `write` writes. candle's stream waits for them, the caller does not.
    pub(in crate::model) fn copy(&self, count: usize, write: impl FnOnce(&mut [f32])) -> Result<CudaStorage> {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.swap(0, 1);
        let [buffer, _] = &mut *buffers;
        if buffer.as_ref().is_none_or(|buffer| buffer.len() < count) {
            *buffer = None;
            // SAFETY: any bits are an f32, and what is copied was written.
            *buffer = Some(unsafe { self.stream.context().alloc_pinned(count) }.map_err(Error::wrap)?);
        }
        let Some(buffer) = buffer else { return Err(Error::msg("there is no buffer for what is copied")) };
        write(&mut buffer.as_mut_slice().map_err(Error::wrap)?[..count]);
        // SAFETY: the copy writes all of it, and whatever reads it waits for the copy.
        let mut copied = unsafe { self.stream.alloc::<f32>(count) }.map_err(Error::wrap)?;
        self.stream.memcpy_htod(&Written { buffer, count }, &mut copied).map_err(Error::wrap)?;
        Ok(CudaStorage::wrap_cuda_slice(copied, self.device.clone()))
    }
}

/// The first values of a buffer.
struct Written<'a> {
    buffer: &'a PinnedHostSlice<f32>,
    count: usize,
}

impl HostSlice<f32> for Written<'_> {
    fn len(&self) -> usize {
        self.count
    }

    unsafe fn stream_synced_slice<'a>(&'a self, stream: &'a CudaStream) -> (&'a [f32], SyncOnDrop<'a>) {
        // SAFETY: what is asked of the caller is the same.
        let (values, synchronised) = unsafe { self.buffer.stream_synced_slice(stream) };
        (&values[..self.count], synchronised)
    }

    unsafe fn stream_synced_mut_slice<'a>(&'a mut self, _: &'a CudaStream) -> (&'a mut [f32], SyncOnDrop<'a>) {
        unreachable!("nothing is copied from the GPU into what was written for it")
    }
}
