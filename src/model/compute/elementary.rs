//! The exponential and the logarithm without branches, so that loops over them are vectorised.
//!
//! Both are within 3 units in the last place of f32 of the exact value: series of the argument, reduced by powers of
//! two.

use std::f32::consts::{LOG2_E, SQRT_2};

/// Adding it to a number of at most 2²¹ leaves the nearest integer in the lowest bits.
const ROUNDING: f32 = 12_582_912.0;
/// ln 2 in two parts, the first of so few digits that its multiples are exact.
const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
/// Beyond it results would not be normal numbers.
const MOST: f32 = 87.0;

/// eˣ, for x within ±87; of what is beyond, that of ±87. Not a number for what is none.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let x = if x > MOST { MOST } else { x };
    let x = if x < -MOST { -MOST } else { x };
    let shifted = x * LOG2_E + ROUNDING;
    let power = shifted - ROUNDING;
    let rest = x - power * LN_2.0 - power * LN_2.1;
    // 1 + r + r²/2! + … + r⁷/7!, where |r| is at most ln 2 / 2.
    let series = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let sum = series.into_iter().reduce(|sum, term| sum * rest + term).unwrap_or(1.0);
    sum * f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()))
}

/// ln x, for positive x.
pub(super) fn ln(x: f32) -> f32 {
    // What is too small for a usual exponent is made 2⁶⁴ times larger first.
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * 18_446_744_073_709_551_616.0 } else { x };
    let shift = if tiny { -64.0 } else { 0.0 };
    // x = m · 2ⁿ with m from √½ to √2.
    let offset = scaled.to_bits().wrapping_sub((SQRT_2 / 2.0).to_bits());
    let power = (offset.cast_signed() >> 23) as f32 + shift;
    let m = f32::from_bits((offset & 0x007f_ffff).wrapping_add((SQRT_2 / 2.0).to_bits()));
    // ln m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …), where |s| is at most 0.172.
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let series = [2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0];
    let sum = series.into_iter().reduce(|sum, term| sum * square + term).unwrap_or(0.0);
    let ln = power * LN_2.0 + (power * LN_2.1 + (s * square * sum + 2.0 * s));
    if x == f32::INFINITY { x } else { ln }
}

/// The logistic function.
#[inline(always)]
pub(super) fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Scores to weights that add up to 1.
pub(super) fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = exp(*score - most));
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|weight| *weight /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_exact_to_the_last_digits() {
        for step in -870_000..=870_000 {
            let x = step as f32 * 1e-4;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 3.6e-7, "{x}: {}, not {exact}", exp(x));
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!((exp(-1e9), exp(f32::INFINITY)), (exp(-87.0), exp(87.0)));
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn logarithms_are_exact_to_the_last_digits() {
        let positive = (1..0x7f80_0000_u32).step_by(997).map(f32::from_bits);
        for x in positive.chain((0..2_000).map(|step| f32::from_bits(1.0f32.to_bits() - 1_000 + step))) {
            let exact = f64::from(x).ln();
            let bound = 3.6e-7 * exact.abs().max(f64::from(f32::MIN_POSITIVE));
            assert!((f64::from(ln(x)) - exact).abs() <= bound, "{x:e}: {}, not {exact}", ln(x));
        }
        assert_eq!(ln(f32::INFINITY), f32::INFINITY);
    }

    #[test]
    fn the_logistic_function_ends_at_its_limits() {
        assert_eq!((logistic(0.0), logistic(100.0)), (0.5, 1.0));
        assert!(logistic(-100.0) < 1e-30);
    }
}
