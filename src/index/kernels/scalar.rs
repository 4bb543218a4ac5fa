//! Distance kernels in plain Rust: for any machine, and what every other kernel must agree with.
//!
//! Owns the meaning of each kernel. The compiler vectorises them with whatever the target has at least. Does not know
//! of instruction sets, and has no `unsafe`.

use half::f16;

use super::Kernels;

/// Sums that are kept apart, so that additions do not wait for each other.
const LANES: usize = 16;

pub(super) static KERNELS: Kernels = Kernels { name: "scalar", dot_codes, dot_halves, dot, differing_bits };

fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

fn dot_halves(query: &[f32], row: &[f16]) -> f32 {
    sum_of_products(query, row, widen)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_of_products(a, b, |value| value)
}

/// Inlined into kernels of machines that count bits with one instruction.
#[inline(always)]
pub(super) fn differing_bits(sketch: &[u64], others: &[u64], counts: &mut Vec<u32>) {
    let differing = |other: &[u64]| sketch.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
    counts.extend(others.chunks_exact(sketch.len()).map(differing));
}

#[inline(always)]
fn sum_of_products<B: Copy>(a: &[f32], b: &[B], widen: impl Fn(B) -> f32) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * widen(b[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(&a, &b)| a * widen(b)).sum();
    sums.iter().sum::<f32>() + rest
}

/// The value of a finite half. `f16::to_f32` would ask for the processor's features at every value.
///
/// Both formats (IEEE 754-2019, 3.6) have exponent and fraction side by side. Moved to the place of `f32`'s, the
/// exponent is too small by the difference of the two biases, 127 − 15; the multiplication adds it, and is exact, also
/// for denormal halves, which are denormal here before it.
#[inline(always)]
fn widen(half: f16) -> f32 {
    const BIASES_APART: f32 = f32::from_bits((127 + 112) << 23);
    let bits = u32::from(half.to_bits());
    let sign = (bits & 0x8000) << 16;
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * BIASES_APART;
    f32::from_bits(magnitude.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_half_has_its_value() {
        for half in (0..=u16::MAX).map(f16::from_bits).filter(|half| half.is_finite()) {
            assert_eq!(widen(half).to_bits(), half.to_f32().to_bits(), "{:#06x}", half.to_bits());
        }
    }

    #[test]
    fn products_are_summed() {
        assert_eq!((KERNELS.dot_codes)(&[1, -2, 127, -128], &[3, 4, -127, -128]), 3 - 8 - 127 * 127 + 128 * 128);
        let halves: Vec<f16> = (0..40).map(|value| f16::from_f32(value as f32 / 4.0)).collect();
        let values: Vec<f32> = (0..40).map(|value| value as f32 / 4.0).collect();
        let expected = 39.0 * 40.0 * 79.0 / 6.0 / 16.0;
        assert_eq!((KERNELS.dot_halves)(&values, &halves), expected);
        assert_eq!((KERNELS.dot)(&values, &values), expected);
    }
}
