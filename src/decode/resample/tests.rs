use super::*;

fn resample(input: &[f32], from_hz: u32, to_hz: u32) -> Vec<f32> {
    resample_in_blocks(input, from_hz, to_hz, usize::MAX)
}

fn resample_in_blocks(input: &[f32], from_hz: u32, to_hz: u32, block: usize) -> Vec<f32> {
    let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
    let mut output = Vec::new();
    for block in input.chunks(block) {
        resampler.push(block, &mut output).unwrap();
    }
    resampler.finish(&mut output).unwrap();
    output
}

fn tone(frequency_hz: f64, rate_hz: u32, samples: usize) -> Vec<f32> {
    let step = std::f64::consts::TAU * frequency_hz / f64::from(rate_hz);
    (0..samples).map(|t| (step * t as f64).sin() as f32).collect()
}

/// Level of the middle half of a signal relative to a full-scale tone.
fn level_db(signal: &[f32]) -> f64 {
    let middle = &signal[signal.len() / 4..signal.len() * 3 / 4];
    let power = middle.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / middle.len() as f64;
    10.0 * (2.0 * power).log10()
}

#[test]
fn blocks_give_exactly_the_output_of_one_block() {
    let input: Vec<f32> = (0..50_000u32).map(|t| (t.wrapping_mul(2_654_435_761) >> 8) as f32 / 1e7 - 0.8).collect();
    for (from_hz, to_hz) in [(48_000, 44_100), (8_000, 44_100), (96_000, 44_100), (11_025, 44_100), (44_100, 16_000)] {
        let whole = resample(&input, from_hz, to_hz);
        for block in [1_152, 4_096, 7, 32_768] {
            assert!(resample_in_blocks(&input, from_hz, to_hz, block) == whole, "{from_hz} → {to_hz} by {block}");
        }
    }
}

#[test]
fn tones_in_the_band_pass_and_those_above_are_rejected() {
    let check = |frequency_hz, range_db: std::ops::Range<f64>| {
        let level = level_db(&resample(&tone(frequency_hz, 48_000, 96_000), 48_000, 44_100));
        assert!(range_db.contains(&level), "{frequency_hz} Hz came out at {level} dB");
    };
    check(50.0, -0.001..0.001);
    check(1_000.0, -0.001..0.001);
    check(15_000.0, -0.001..0.001);
    check(20_000.0, -0.01..0.001);
    check(20_500.0, -0.1..0.001);
    // The output ends at 22,050 Hz; what is left above would be folded back.
    check(22_000.0, -200.0..-100.0);
    check(22_500.0, -200.0..-130.0);
    check(23_000.0, -200.0..-130.0);
    check(23_900.0, -200.0..-130.0);
}

#[test]
fn an_impulse_stays_where_it_was() {
    for (from_hz, to_hz, at) in [(48_000, 44_100, 16_000), (22_050, 44_100, 7_350), (96_000, 44_100, 32_000)] {
        let mut input = vec![0.0; 2 * at];
        input[at] = 1.0;
        let output = resample(&input, from_hz, to_hz);
        let peak = (0..output.len()).max_by(|&a, &b| output[a].total_cmp(&output[b])).unwrap();
        let expected = at * to_hz as usize / from_hz as usize;
        assert_eq!(peak, expected, "{from_hz} → {to_hz}");
        for lag in 1..50 {
            let skew = (output[peak - lag] - output[peak + lag]).abs();
            assert!(skew < 1e-6, "{from_hz} → {to_hz}: lag {lag} differs by {skew}");
        }
    }
}

#[test]
fn lengths_are_rounded_up() {
    let check = |samples: usize, from_hz, to_hz, expected: usize| {
        assert_eq!(resample(&vec![0.25; samples], from_hz, to_hz).len(), expected, "{samples}: {from_hz} → {to_hz}");
    };
    check(0, 48_000, 44_100, 0);
    check(1, 48_000, 44_100, 1);
    check(1, 384_000, 44_100, 1);
    check(240_000, 48_000, 44_100, 220_500);
    check(1_001, 48_000, 44_100, 920);
    check(8_000, 8_000, 44_100, 44_100);
    check(3, 1_000, 768_000, 2_304);
    check(77, 44_100, 44_100, 77);
}

#[test]
fn equal_rates_pass_untouched() {
    let input = tone(997.0, 44_100, 1_000);
    assert_eq!(resample_in_blocks(&input, 44_100, 44_100, 7), input);
}

#[test]
fn absurd_rates_are_refused() {
    for (from_hz, to_hz) in [(0, 44_100), (44_100, 0), (999, 44_100), (44_100, 768_001), (u32::MAX, 44_100)] {
        let error = Resampler::new(from_hz, to_hz).err().unwrap().to_string();
        assert!(error.contains("outside 1000 to 768000 Hz"), "{error}");
    }
}
