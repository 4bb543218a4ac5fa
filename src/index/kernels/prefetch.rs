//! Asking for memory before it is needed.
//!
//! Owns the two ways to say so. A hint changes no value and cannot fault, so that any address may be asked for. Does
//! not know when a row will be needed: too early is as useless as too late.

#![allow(unsafe_code, reason = "hints to the processor are intrinsics or assembly")]

/// Of every x86-64 and nearly every AArch64 processor. A wrong guess costs time only.
const CACHE_LINE_BYTES: usize = 64;

/// Asks for every cache line that has a byte of `row`.
#[inline]
pub(super) fn prefetch<T>(row: &[T]) {
    let start = row.as_ptr().cast::<i8>();
    // A row that begins within a line may end in one more line than its length says.
    let before = start.addr() % CACHE_LINE_BYTES;
    let first = start.wrapping_sub(before);
    for offset in (0..before + size_of_val(row)).step_by(CACHE_LINE_BYTES) {
        line(first.wrapping_add(offset));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn line(at: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    // SAFETY: SSE is part of x86-64, and a hint never reads memory in a way that the program can see.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at) };
}

#[cfg(target_arch = "aarch64")]
#[inline]
fn line(at: *const i8) {
    // SAFETY: `prfm` is part of the base instruction set; it writes no register and never faults. The intrinsic is not
    // stable yet.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{at}]", at = in(reg) at, options(readonly, nostack, preserves_flags));
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline]
fn line(_at: *const i8) {}
