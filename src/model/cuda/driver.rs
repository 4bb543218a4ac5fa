//! Opens NVIDIA GPUs, where there is what that needs: the bindings panic where one of CUDA's libraries is missing.

#![allow(unsafe_code, reason = "a library may run code when it is loaded, and the driver takes addresses of settings")]

use std::sync::Arc;

use candle_core::cuda_backend::cudarc::driver::result::{device, mem_pool};
use candle_core::cuda_backend::cudarc::driver::sys::{CUmemPool_attribute, CUmemoryPool};
use candle_core::cuda_backend::cudarc::driver::{CudaContext, DriverError};
use candle_core::{Device, Error, Result};

use crate::containment::contain;

#[cfg(windows)]
const DRIVER: &str = "nvcuda.dll";
#[cfg(not(windows))]
const DRIVER: &str = "libcuda.so.1";

/// Does something by the bindings, or says in words why it cannot be done.
pub(in crate::model) fn attempt<T>(work: impl FnOnce() -> Result<T>) -> std::result::Result<T, String> {
    // SAFETY: it is the driver's own library, which the bindings load or have loaded as well.
    if unsafe { libloading::Library::new(DRIVER) }.is_err() {
        return Err("no NVIDIA driver was found".into());
    }
    let done = contain(work).map_err(|reason| format!("CUDA's libraries cannot be used: {reason}"))?;
    done.map_err(|error| error.to_string())
}

/// Opens the GPU of a number.
pub(in crate::model) fn open(number: usize) -> std::result::Result<Device, String> {
    attempt(|| {
        // A stream of its own: what is put on the default one waits for others.
        let device = Device::new_cuda_with_stream(number)?;
        let context = device.as_cuda_device()?.cuda_stream().context().clone();
        // SAFETY: candle puts everything on its one stream, and so does `card`. `staging`, which has another, shares no
        // memory with either but what it guards by events of its own.
        unsafe { context.disable_event_tracking() };
        keep_memory(&context).map_err(Error::wrap)?;
        Ok(device)
    })
}

/// Has the driver keep what is freed for the next batch: by default it is given back whenever anybody waits.
fn keep_memory(context: &Arc<CudaContext>) -> std::result::Result<(), DriverError> {
    let Some(pool) = pool(context)? else { return Ok(()) };
    let mut bytes = u64::MAX;
    let threshold = CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    // SAFETY: the pool is the device's own, and this setting has 64 bits.
    unsafe { mem_pool::set_attribute(pool, threshold, (&raw mut bytes).cast()) }
}

/// Where memory comes from; none if the driver asks for each piece.
fn pool(context: &Arc<CudaContext>) -> std::result::Result<Option<CUmemoryPool>, DriverError> {
    // SAFETY: the device is that of a context.
    context.has_async_alloc().then(|| unsafe { device::get_default_mem_pool(context.cu_device()) }).transpose()
}

/// Memory that is free.
pub(in crate::model) fn free_bytes(device: &Device) -> Result<usize> {
    let context = device.as_cuda_device()?.cuda_stream().context().clone();
    context.synchronize().map_err(Error::wrap)?;
    if let Some(pool) = pool(&context).map_err(Error::wrap)? {
        // SAFETY: the pool is the device's own. What loading the model has left in it is free.
        unsafe { mem_pool::trim_to(pool, 0) }.map_err(Error::wrap)?;
    }
    Ok(context.mem_get_info().map_err(Error::wrap)?.0)
}
