//! Every kernel that this machine can run, against the scalar one or a sum in `f64`.

use half::f16;
use proptest::prelude::*;

use super::*;

/// Lengths up to two blocks more than a usual row of any kernel.
const LONGEST: usize = 1100;
/// Rows usually begin at a cache line; they must not need to.
const CACHE_LINE_BYTES: usize = 64;

/// A xorshift generator (Marsaglia, 2003): the same numbers everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }

    fn codes(&mut self, length: usize) -> Vec<i8> {
        (0..length).map(|_| self.next().to_le_bytes()[0].cast_signed()).collect()
    }

    /// In −1..1.
    fn float(&mut self) -> f32 {
        (self.next() % 2_000_001) as f32 / 1e6 - 1.0
    }

    fn floats(&mut self, length: usize) -> Vec<f32> {
        (0..length).map(|_| self.float()).collect()
    }

    fn halves(&mut self, length: usize) -> Vec<f16> {
        (0..length).map(|_| f16::from_f32(self.float())).collect()
    }
}

/// `values` in memory that begins `offset` values after the start of a cache line, passed to `look`.
fn misaligned<T: Copy, R>(values: &[T], zero: T, offset: usize, look: impl FnOnce(&[T]) -> R) -> R {
    let mut memory = vec![zero; values.len() + 2 * CACHE_LINE_BYTES / size_of::<T>()];
    let first = memory.as_ptr().align_offset(CACHE_LINE_BYTES) + offset;
    memory[first..first + values.len()].copy_from_slice(values);
    look(&memory[first..first + values.len()])
}

fn check_bits(sketch: &[u64], others: &[&[u64]]) {
    let apart = |other: &&[u64]| sketch.iter().zip(*other).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
    let expected: Vec<u32> = others.iter().map(apart).collect();
    for kernels in Kernels::supported() {
        let mut counts = vec![7];
        kernels.differing_bits(sketch, &others.concat(), &mut counts);
        assert_eq!(counts[1..], expected, "{}, {} words", kernels.name(), sketch.len());
    }
}

fn check_codes(a: &[i8], b: &[i8]) {
    let expected: i64 = a.iter().zip(b).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum();
    for kernels in Kernels::supported() {
        let what = format!("{}, {} codes", kernels.name(), a.len());
        assert_eq!(i64::from(kernels.dot_codes(a, b)), expected, "{what}");
        assert_eq!(i64::from(kernels.dot_codes(b, a)), expected, "{what}, swapped");
    }
}

/// A sum in `f64`, and how far one in `f32` may be from it.
fn expected_and_tolerance(a: &[f32], b: &[f32]) -> (f64, f64) {
    let products = || a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
    let magnitude: f64 = products().map(f64::abs).sum();
    (products().sum(), 1e-6 * magnitude + f64::from(f32::MIN_POSITIVE))
}

fn check_floats(a: &[f32], b: &[f32]) {
    let (expected, tolerance) = expected_and_tolerance(a, b);
    for kernels in Kernels::supported() {
        let got = kernels.dot(a, b);
        let what = format!("{}, {} floats: {got} is not {expected}", kernels.name(), a.len());
        assert!((f64::from(got) - expected).abs() <= tolerance, "{what}");
        assert_eq!(kernels.dot(b, a).to_bits(), got.to_bits(), "{}: not symmetric", kernels.name());
    }
}

fn check_halves(query: &[f32], row: &[f16]) {
    let widened: Vec<f32> = row.iter().map(|half| half.to_f32()).collect();
    let (expected, tolerance) = expected_and_tolerance(query, &widened);
    for kernels in Kernels::supported() {
        let got = kernels.dot_halves(query, row);
        let what = format!("{}, {} halves: {got} is not {expected}", kernels.name(), row.len());
        assert!((f64::from(got) - expected).abs() <= tolerance, "{what}");
    }
}

#[test]
fn every_length_agrees() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    // Vectors of their own size: a memory checker sees what is read behind them.
    for length in 0..=LONGEST {
        check_codes(&numbers.codes(length), &numbers.codes(length));
        let query = numbers.floats(length);
        check_floats(&query, &numbers.floats(length));
        check_halves(&query, &numbers.halves(length));
    }
}

#[test]
fn every_alignment_agrees_to_the_bit() {
    let mut numbers = Numbers(1);
    for length in [5, 64, 100, 1024] {
        let (a, b) = (numbers.codes(length), numbers.codes(length));
        let (query, floats, halves) = (numbers.floats(length), numbers.floats(length), numbers.halves(length));
        for kernels in Kernels::supported() {
            let (dot, halves_dot) = (kernels.dot(&query, &floats), kernels.dot_halves(&query, &halves));
            for offset in 0..CACHE_LINE_BYTES {
                misaligned(&a, 0, offset, |a| misaligned(&b, 0, offset * 7 % CACHE_LINE_BYTES, |b| check_codes(a, b)));
                let floats_at = offset % (CACHE_LINE_BYTES / size_of::<f32>());
                let halves_at = offset % (CACHE_LINE_BYTES / size_of::<f16>());
                misaligned(&query, 0.0, floats_at, |query| {
                    let got = misaligned(&floats, 0.0, floats_at, |floats| kernels.dot(query, floats));
                    assert_eq!(got.to_bits(), dot.to_bits(), "{}, {length} floats", kernels.name());
                    let got = misaligned(&halves, f16::ZERO, halves_at, |row| kernels.dot_halves(query, row));
                    assert_eq!(got.to_bits(), halves_dot.to_bits(), "{}, {length} halves", kernels.name());
                });
            }
        }
    }
}

#[test]
fn extreme_codes_neither_saturate_nor_wrap() {
    const EXTREMES: [i8; 5] = [127, -127, -128, 0, 1];
    for length in [1, 2, 31, 32, 33, 63, 64, 65, 1024, 1087, 65_536] {
        for a in EXTREMES {
            for b in EXTREMES {
                check_codes(&vec![a; length], &vec![b; length]);
            }
        }
        let mut numbers = Numbers(7);
        let mut mixed = || (0..length).map(|_| EXTREMES[(numbers.next() % 5) as usize]).collect::<Vec<i8>>();
        check_codes(&mixed(), &mixed());
    }
}

#[test]
fn every_finite_half_is_read_right_in_every_position() {
    let finite = |half: &f16| half.is_finite();
    let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).filter(finite).collect();
    for kernels in Kernels::supported() {
        for (index, half) in all.iter().enumerate() {
            let length = 1 + index % 150;
            let at = index * 7 % length;
            let mut row = [f16::ZERO; 150];
            let mut query = [0.0; 150];
            row[at] = *half;
            query[at] = 1.0;
            let got = kernels.dot_halves(&query[..length], &row[..length]);
            assert_eq!(got, half.to_f32(), "{}: {:#06x} at {at} of {length}", kernels.name(), half.to_bits());
        }
    }
}

#[test]
fn zeros_of_either_sign_count_nothing() {
    for length in [1, 15, 16, 17, 64, 1024] {
        let mut row = vec![f16::NEG_ZERO; length];
        row[length / 2] = f16::from_f32(0.5);
        check_halves(&vec![-0.0; length], &row);
        check_halves(&vec![1.0; length], &row);
        check_floats(&vec![-0.0; length], &vec![1.0; length]);
    }
    for kernels in Kernels::supported() {
        assert_eq!((kernels.dot_codes(&[], &[]), kernels.dot_halves(&[], &[]), kernels.dot(&[], &[])), (0, 0.0, 0.0));
    }
}

#[test]
fn prefetching_touches_nothing() {
    Kernels::prefetch::<i8>(&[]);
    let row = Numbers(3).codes(1024);
    for start in 0..=CACHE_LINE_BYTES {
        Kernels::prefetch(&row[start..]);
    }
    assert_eq!(row, Numbers(3).codes(1024));
}

#[test]
fn the_best_are_the_last_supported() {
    let names: Vec<&str> = Kernels::supported().iter().map(|kernels| kernels.name()).collect();
    assert_eq!(names[0], "scalar");
    assert_eq!(names.last(), Some(&Kernels::best().name()));
    #[cfg(target_arch = "aarch64")]
    assert!(names.contains(&"neon"));
    #[cfg(target_arch = "x86_64")]
    assert_eq!(names.contains(&"avx2"), is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c"));
}

#[test]
#[should_panic(expected = "rows of codes of different length")]
fn codes_of_different_length_are_refused() {
    Kernels::best().dot_codes(&[1, 2], &[1]);
}

#[test]
#[should_panic(expected = "halves of different length")]
fn halves_of_different_length_are_refused() {
    Kernels::best().dot_halves(&[1.0], &[]);
}

#[test]
#[should_panic(expected = "vectors of different length")]
fn floats_of_different_length_are_refused() {
    Kernels::best().dot(&[], &[1.0]);
}

proptest! {
    #[test]
    fn any_codes_agree(pairs in prop::collection::vec(any::<(i8, i8)>(), 0..LONGEST), skip in 0..CACHE_LINE_BYTES) {
        let (a, b): (Vec<i8>, Vec<i8>) = pairs.into_iter().unzip();
        misaligned(&a, 0, skip, |a| check_codes(a, &b));
    }

    #[test]
    fn any_floats_agree(pairs in prop::collection::vec((-1e3f32..1e3, -1e-3f32..1e-3), 0..LONGEST)) {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        check_floats(&a, &b);
    }

    #[test]
    fn codes_stand_for_vectors(pairs in prop::collection::vec((-1f32..1.0, -1f32..1.0), 1..LONGEST)) {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        let (mut a_codes, mut b_codes) = (vec![0; a.len()], vec![0; b.len()]);
        let (a_scale, b_scale) = (quantise(&a, &mut a_codes), quantise(&b, &mut b_codes));
        let (expected, _) = expected_and_tolerance(&a, &b);
        let got = f64::from(Kernels::best().dot_codes(&a_codes, &b_codes)) * f64::from(a_scale) * f64::from(b_scale);
        // Each value is off by half a scale at most, and no value is larger than 1.
        let bound = a.len() as f64 * (f64::from(a_scale) + f64::from(b_scale)) * 0.51;
        prop_assert!((got - expected).abs() <= bound, "{} is not {}", got, expected);
    }
}

#[test]
fn bits_that_differ_are_counted_at_any_length() {
    let mut numbers = Numbers(5);
    for length in 1..=70 {
        let mut words = || (0..length).map(|_| numbers.next() << 13 ^ numbers.next()).collect::<Vec<u64>>();
        let (a, b) = (words(), words());
        check_bits(&a, &[&b, &a, &vec![u64::MAX; length]]);
        check_bits(&vec![0; length], &[&vec![u64::MAX; length]]);
        check_bits(&a, &[]);
    }
}
