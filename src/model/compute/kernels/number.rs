//! The types that activations and weights are kept in.

use half::bf16;

use super::Kernels;

/// A number that is kept in memory and multiplied; sums are always f32.
pub(in crate::model) trait Number: Copy + Default + Send + Sync + 'static {
    /// Inputs that are multiplied at once: they lie side by side in packed weights.
    const TOGETHER: usize;

    /// The nearest one.
    fn rounded(value: f32) -> Self;

    /// What it stands for.
    fn widened(self) -> f32;

    /// All kernels that this machine can run, slowest first.
    fn kernels() -> Vec<&'static Kernels<Self>>;
}

impl Number for f32 {
    const TOGETHER: usize = 1;

    #[inline(always)]
    fn rounded(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn widened(self) -> f32 {
        self
    }

    fn kernels() -> Vec<&'static Kernels<Self>> {
        #[cfg(target_arch = "x86_64")]
        return super::avx2::kernels().into_iter().chain(super::avx512::kernels()).collect();
        #[cfg(target_arch = "aarch64")]
        return super::neon::kernels().into_iter().collect();
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        Vec::new()
    }
}

impl Number for bf16 {
    const TOGETHER: usize = 2;

    /// Ties to even. Without the branches of `half`, which keep loops from being vectorised.
    #[inline(always)]
    fn rounded(value: f32) -> Self {
        let bits = value.to_bits();
        let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
        // The sum would make another number of what is none.
        Self::from_bits(if value.is_nan() { 0x7fc0 } else { rounded as u16 })
    }

    #[inline(always)]
    fn widened(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    fn kernels() -> Vec<&'static Kernels<Self>> {
        #[cfg(target_arch = "x86_64")]
        return super::avx512_bf16::kernels().into_iter().collect();
        #[cfg(not(target_arch = "x86_64"))]
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_to_the_nearest() {
        let near = (0..4_000_u32).map(|at| f32::from_bits(0x3f7f_8000 - 2_000 + at));
        let special = [0.0, -0.0, 1e-40, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, -3.3e38, 1.5, -2.7];
        for value in near.chain(special) {
            assert_eq!(<bf16 as Number>::rounded(value).to_bits(), bf16::from_f32(value).to_bits(), "{value}");
            assert_eq!(Number::widened(bf16::from_f32(value)), bf16::from_f32(value).to_f32());
        }
        for bits in [f32::NAN.to_bits(), 0x7f80_0001, 0xff80_0001, u32::MAX] {
            assert!(<bf16 as Number>::rounded(f32::from_bits(bits)).is_nan(), "{bits:x}");
        }
    }
}
