//! Distance kernels: what comparing two vectors costs, on the instructions that this machine has.
//!
//! Owns the choice of the instruction set, made once at run time, so that one binary runs everywhere and
//! `target-cpu=native` is not needed. Invariants: [`Kernels`] of an instruction set are handed out only on a machine
//! that has it; sums of codes are exact, hence the same everywhere; sums of floats depend on the kernels, never on the
//! order of the arguments or on the alignment. Knows numbers only: neither rows, nor slots, nor what a score means.
//!
//! `scalar` runs everywhere and is what the others are tested against; `avx2`, `avx512` and `neon` have one family of
//! instructions each, in the loop of `ways`. They and `prefetch` are the only files with `unsafe`: loads, inline
//! assembly, and calls of functions that need what was detected.

#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")))]
#[macro_use]
mod ways;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
mod prefetch;
mod quantise;
mod scalar;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use half::f16;

pub(super) use self::quantise::quantise;

/// Distance kernels of one instruction set.
pub(super) struct Kernels {
    name: &'static str,
    dot_codes: fn(&[i8], &[i8]) -> i32,
    dot_halves: fn(&[f32], &[f16]) -> f32,
    dot: fn(&[f32], &[f32]) -> f32,
    differing_bits: fn(&[u64], &[u64], &mut Vec<u32>),
}

impl Kernels {
    /// The fastest ones that this machine can run. Detected once; hold on to them in a hot loop.
    pub(super) fn best() -> &'static Self {
        static BEST: OnceLock<&Kernels> = OnceLock::new();
        BEST.get_or_init(|| Self::supported().pop().unwrap_or(&scalar::KERNELS))
    }

    /// All that this machine can run, slowest (scalar) first: for tests and benches.
    pub(super) fn supported() -> Vec<&'static Self> {
        let mut supported = vec![&scalar::KERNELS];
        #[cfg(target_arch = "x86_64")]
        supported.extend(avx2::kernels().into_iter().chain(avx512::kernels()));
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        supported.extend(neon::kernels());
        supported
    }

    /// The instruction set, for logs and benches: "scalar", "avx2", "avx512-vnni", "neon", "neon-dotprod".
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Sum of the products of two rows of codes, exact for any codes up to 65,536 of them.
    ///
    /// # Panics
    ///
    /// If the rows differ in length.
    #[inline]
    pub(super) fn dot_codes(&self, a: &[i8], b: &[i8]) -> i32 {
        assert_eq!(a.len(), b.len(), "two rows of codes of different length");
        (self.dot_codes)(a, b)
    }

    /// Dot product of a query with a row of half-precision values (IEEE binary16), all finite, summed in `f32`.
    ///
    /// # Panics
    ///
    /// If the two differ in length.
    #[inline]
    pub(super) fn dot_halves(&self, query: &[f32], row: &[f16]) -> f32 {
        assert_eq!(query.len(), row.len(), "a query and a row of halves of different length");
        (self.dot_halves)(query, row)
    }

    /// Dot product of two vectors.
    ///
    /// # Panics
    ///
    /// If the vectors differ in length.
    #[inline]
    pub(super) fn dot(&self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "two vectors of different length");
        (self.dot)(a, b)
    }

    /// Appends in how many bits a sketch differs from each of `others`, which have as many words each.
    #[inline]
    pub(super) fn differing_bits(&self, sketch: &[u64], others: &[u64], counts: &mut Vec<u32>) {
        if !sketch.is_empty() {
            (self.differing_bits)(sketch, others, counts);
        }
    }

    /// Asks for a row ahead of its use, all cache lines of it. Nothing waits for it.
    #[inline]
    pub(super) fn prefetch<T>(row: &[T]) {
        prefetch::prefetch(row);
    }
}
