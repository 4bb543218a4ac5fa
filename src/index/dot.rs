//! The dot product: what every distance in this module is made of.
//!
//! Safe code that the compiler turns into vector instructions. Invariant: the same two vectors give the same bits, on
//! whichever path they are compared, so that the graph's answers and those of the exact scan can be merged.

/// Sums that are kept apart, so that additions do not wait for each other.
const LANES: usize = 16;

/// The cosine of the angle between two vectors of unit length, in [−1, 1].
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    bounded(dot(a, b, |value| value))
}

/// The same for a vector that comes as the bits of its values.
pub(super) fn cosine_of_bits(a: &[u32], b: &[f32]) -> f32 {
    bounded(dot(a, b, f32::from_bits))
}

/// Rounding takes dot products of unit vectors beyond 1; and −0 would be ranked apart from 0.
fn bounded(dot: f32) -> f32 {
    (dot + 0.0).clamp(-1.0, 1.0)
}

#[inline(always)]
fn dot<A: Copy>(a: &[A], b: &[f32], value: impl Fn(A) -> f32) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += value(a[lane]) * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(&a, &b)| value(a) * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(length: usize) -> (Vec<f32>, Vec<f32>) {
        (0..length).map(|index| ((index as f32).sin() / 40.0, (index as f32 * 0.7).cos() / 40.0)).unzip()
    }

    #[test]
    fn agrees_with_a_sum_in_f64_at_any_length() {
        for length in [0, 1, 15, 16, 17, 100, 1024, 1031] {
            let (a, b) = waves(length);
            let expected: f64 = a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            assert!((f64::from(cosine(&a, &b)) - expected).abs() < 1e-6, "length {length}");
        }
    }

    #[test]
    fn bits_are_the_same_vector() {
        let (a, b) = waves(1024);
        let bits: Vec<u32> = a.iter().map(|value| value.to_bits()).collect();
        assert_eq!(cosine(&a, &b).to_bits(), cosine_of_bits(&bits, &b).to_bits());
        assert_eq!(cosine(&a, &b).to_bits(), cosine(&b, &a).to_bits());
    }

    #[test]
    fn stays_within_the_bounds_of_a_cosine() {
        assert_eq!(cosine(&[1.1], &[1.0]), 1.0);
        assert_eq!(cosine(&[-1.1], &[1.0]), -1.0);
        assert_eq!(cosine(&[-0.0], &[1.0]).to_bits(), 0);
    }
}
