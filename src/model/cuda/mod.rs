//! The towers' convolutions on NVIDIA GPUs, for models of half precision: kernels of our own over bfloat16 activations
//! whose channels lie side by side, where candle would copy each layer's input several times over and run 32 groups one
//! after the other.
//!
//! Owns the kernels (`kernels.cu`), what they are to do (`tasks`, `plan`) and the order of a tower's layers (`towers`,
//! `layers`). Invariant: all that a batch needs is planned before the GPU begins, so that it never waits for the
//! processor. `card`, `staging` and `driver` alone know CUDA; without it plans are run by `emulator.cpp`, in tests.

#[cfg(feature = "cuda")]
pub(super) mod card;
#[cfg(feature = "cuda")]
pub(super) mod driver;
#[cfg(test)]
pub(super) mod emulated;
mod layers;
mod plan;
mod probe;
#[cfg(feature = "cuda")]
pub(super) mod staging;
mod tasks;
#[cfg(test)]
mod tests;
mod towers;

pub(super) use self::towers::{Pictures, Sounds, Tower};
