//! From vectors to codes: eight bits a value, one scale a vector.
//!
//! Owns the rule `value ≈ code · scale`. Invariant: codes are in −127..=127, so that negating a vector negates its
//! codes; no value is off by more than half a scale (one scale for vectors so small that the scale itself is rounded).
//! Does not know what vectors mean, nor where codes are kept.

/// The largest code. −128 is left out: it has no opposite.
const LARGEST_CODE: f32 = 127.0;

/// Adding it to a small number leaves that number, rounded to the nearest integer, in the lowest bits of the sum: the
/// unit in the last place of 1.5 · 2²³ is 1. Rounds to even in the middle, and vectorises where `round` is a call.
const ROUNDING: f32 = 12_582_912.0;

const LANES: usize = 16;

/// Fills `codes` with the integers nearest to `value / scale`, for a scale of max |value| / 127, which is returned.
///
/// A vector of zeros has the scale 0. All values must be finite.
///
/// # Panics
///
/// If the two differ in length.
pub(in crate::index) fn quantise(values: &[f32], codes: &mut [i8]) -> f32 {
    assert_eq!(values.len(), codes.len(), "values and codes of different length");
    let scale = largest_magnitude(values) / LARGEST_CODE;
    if scale == 0.0 {
        codes.fill(0);
        return 0.0;
    }
    for (code, &value) in codes.iter_mut().zip(values) {
        // Divided, not multiplied by the inverse: that would be infinite for the smallest scales. The quotient leaves
        // the range only where the scale is denormal, hence coarse.
        let rounded = (value / scale).clamp(-LARGEST_CODE, LARGEST_CODE) + ROUNDING;
        *code = i8::from_le_bytes([rounded.to_bits().to_le_bytes()[0]]);
    }
    scale
}

fn largest_magnitude(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut largest = [0f32; LANES];
    for block in blocks {
        for lane in 0..LANES {
            largest[lane] = larger(largest[lane], block[lane].abs());
        }
    }
    rest.iter().map(|value| value.abs()).chain(largest).fold(0.0, larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f32], expected_scale: f32, expected: &[i8]) {
        let mut codes = vec![99; values.len()];
        let scale = quantise(values, &mut codes);
        assert_eq!((scale, codes.as_slice()), (expected_scale, expected), "{values:?}");
    }

    #[test]
    fn the_largest_value_gets_the_largest_code() {
        check(&[127.0, -64.0, 1.0, 0.0], 1.0, &[127, -64, 1, 0]);
        check(&[-254.0, 2.0], 2.0, &[-127, 1]);
        check(&[], 0.0, &[]);
    }

    #[test]
    fn values_go_to_the_nearest_code_and_to_the_even_one_in_the_middle() {
        check(&[127.0, 0.49, 0.5, 0.51, 1.5, 2.5, -0.5, -1.5], 1.0, &[127, 0, 0, 1, 2, 2, 0, -2]);
    }

    #[test]
    fn zeros_have_no_scale() {
        check(&[0.0, -0.0, 0.0], 0.0, &[0, 0, 0]);
        // Too small for a scale of its own.
        check(&[f32::from_bits(1), 0.0], 0.0, &[0, 0]);
    }

    #[test]
    fn the_extremes_of_f32_stay_in_range() {
        check(&[f32::MAX, -f32::MAX, 0.0], f32::MAX / 127.0, &[127, -127, 0]);
        for bits in 1..2000 {
            let smallest = f32::from_bits(bits);
            let mut codes = [0; 3];
            let scale = quantise(&[smallest, -smallest, 0.0], &mut codes);
            assert!(codes[0] >= 0 && codes[0] == -codes[1] && codes[2] == 0, "{bits}: {codes:?}");
            assert!((f32::from(codes[0]) * scale - smallest).abs() <= 64.0 * f32::from_bits(1), "{bits}");
        }
    }

    #[test]
    fn no_value_is_off_by_more_than_half_a_scale() {
        for length in [1, 15, 16, 17, 1024, 1031] {
            let values: Vec<f32> = (0..length).map(|index| (index as f32 * 1.7).sin() / 40.0).collect();
            let mut codes = vec![0; length];
            let scale = quantise(&values, &mut codes);
            for (&value, &code) in values.iter().zip(&codes) {
                assert!(code != i8::MIN, "length {length}");
                let error = (value - f32::from(code) * scale).abs();
                assert!(error <= 0.5001 * scale, "length {length}: {value} became {code} · {scale}");
            }
        }
    }
}
