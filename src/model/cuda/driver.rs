//! Whether there is what computing on NVIDIA GPUs needs: the bindings panic where one of CUDA's libraries is missing.

#![allow(unsafe_code, reason = "a library may run code when it is loaded")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use candle_core::Result;

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
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(panic) => {
            let reason = panic.downcast_ref::<String>().map_or("an unknown reason", String::as_str);
            Err(format!("CUDA's libraries cannot be used: {reason}"))
        }
    }
}
