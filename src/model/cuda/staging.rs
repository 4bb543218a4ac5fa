//! Inputs on their way to a GPU, by a stream of their own: a batch is copied while the one before is computed.
//!
//! Values are written to memory that the driver has pinned, for from any other it would copy them there itself, and
//! wait; they arrive in memory of this stream, and candle's takes them from there into its own, which nobody else uses.
//! Of both there are two, in turn. Invariant: neither is written to before all that was in it was taken.

#![allow(unsafe_code, reason = "the driver hands out memory that nothing was written to")]

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::cuda_backend::cudarc::driver::{
    CudaEvent, CudaSlice, CudaStream, DriverError, HostSlice, PinnedHostSlice, SyncOnDrop,
};
use candle_core::{CudaDevice, CudaStorage, Error, Result};

/// See the module's documentation.
pub(in crate::model) struct Staging {
    device: CudaDevice,
    stream: Arc<CudaStream>,
    slots: Mutex<[Option<Slot>; 2]>,
}

/// Memory for a batch, on both sides.
struct Slot {
    written: PinnedHostSlice<f32>,
    arrived: CudaSlice<f32>,
    /// What was written has arrived.
    copied: CudaEvent,
    /// What has arrived was taken.
    taken: CudaEvent,
}

impl Staging {
    pub(in crate::model) fn new(device: &CudaDevice) -> Result<Self> {
        let stream = device.cuda_stream().context().new_stream().map_err(Error::wrap)?;
        Ok(Self { device: device.clone(), stream, slots: Mutex::default() })
    }

    /// Begins to copy so many values, all of which `write` writes. candle's stream waits for them, the caller does not.
    pub(in crate::model) fn copy(&self, count: usize, write: impl FnOnce(&mut [f32])) -> Result<CudaStorage> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.swap(0, 1);
        let [slot, _] = &mut *slots;
        if slot.as_ref().is_none_or(|slot| slot.written.len() < count) {
            *slot = None;
            *slot = Some(Slot::new(&self.stream, count).map_err(Error::wrap)?);
        }
        let Some(slot) = slot else { return Err(Error::msg("there is no memory for what is copied")) };
        slot.copied.synchronize().map_err(Error::wrap)?;
        write(&mut slot.written.as_mut_slice().map_err(Error::wrap)?[..count]);
        slot.send(&self.stream, count).map_err(Error::wrap)?;

        let stream = self.device.cuda_stream();
        stream.wait(&slot.copied).map_err(Error::wrap)?;
        // SAFETY: the copy writes all of it.
        let mut values = unsafe { self.device.alloc::<f32>(count) }?;
        self.device.memcpy_dtod(&slot.arrived.slice(..count), &mut values)?;
        slot.taken.record(&stream).map_err(Error::wrap)?;
        Ok(CudaStorage::wrap_cuda_slice(values, self.device.clone()))
    }
}

impl Slot {
    fn new(stream: &Arc<CudaStream>, count: usize) -> std::result::Result<Self, DriverError> {
        let context = stream.context();
        Ok(Self {
            // SAFETY: any bits are an f32, and what is copied was written.
            written: unsafe { context.alloc_pinned(count) }?,
            // SAFETY: what is taken has arrived.
            arrived: unsafe { stream.alloc(count) }?,
            copied: context.new_event(None)?,
            taken: context.new_event(None)?,
        })
    }

    fn send(&mut self, stream: &Arc<CudaStream>, count: usize) -> std::result::Result<(), DriverError> {
        stream.wait(&self.taken)?;
        stream.memcpy_htod(&Written { slot: &self.written, count }, &mut self.arrived)?;
        self.copied.record(stream)
    }
}

/// Whoever frees the memory must not be faster than whoever reads it.
impl Drop for Slot {
    fn drop(&mut self) {
        for event in [&self.copied, &self.taken] {
            if let Err(error) = event.synchronize() {
                tracing::debug!("what was copied to the GPU is not waited for: {error}");
            }
        }
    }
}

/// The first values of a slot.
struct Written<'a> {
    slot: &'a PinnedHostSlice<f32>,
    count: usize,
}

impl HostSlice<f32> for Written<'_> {
    fn len(&self) -> usize {
        self.count
    }

    unsafe fn stream_synced_slice<'a>(&'a self, stream: &'a CudaStream) -> (&'a [f32], SyncOnDrop<'a>) {
        // SAFETY: what is asked of the caller is the same.
        let (values, synchronised) = unsafe { self.slot.stream_synced_slice(stream) };
        (&values[..self.count], synchronised)
    }

    unsafe fn stream_synced_mut_slice<'a>(&'a mut self, _: &'a CudaStream) -> (&'a mut [f32], SyncOnDrop<'a>) {
        unreachable!("nothing is copied from the GPU into what was written for it")
    }
}
