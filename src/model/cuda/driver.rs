//! Whether there is a driver for NVIDIA GPUs. The bindings would panic where there is none.

#![allow(unsafe_code, reason = "a library may run code when it is loaded")]

#[cfg(windows)]
const DRIVER: &str = "nvcuda.dll";
#[cfg(not(windows))]
const DRIVER: &str = "libcuda.so.1";

pub(in crate::model) fn is_there() -> bool {
    // SAFETY: it is the driver's own library, which the bindings load or have loaded as well.
    unsafe { libloading::Library::new(DRIVER) }.is_ok()
}
