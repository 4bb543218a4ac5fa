use super::*;

/// A signal that is never quiet, in [−0.5, 0.5].
fn noise(seed: u32, frames: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 - 0.5
    };
    (0..frames).map(|_| next()).collect()
}

/// Noise in `loud`, silence elsewhere.
fn noise_within(loud: std::ops::Range<usize>, frames: usize) -> Vec<Vec<f32>> {
    let mut plane = noise(7, frames);
    plane[..loud.start].fill(0.0);
    plane[loud.end..].fill(0.0);
    vec![plane]
}

#[test]
fn halves_round_to_even() {
    for (count, half) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 4), (366_030, 183_015)] {
        assert_eq!(half_to_even(count), half, "{count}");
    }
}

#[test]
fn units_are_exact() {
    let mut samples = [-1.0, 1.0 / 32_768.0, 32_767.0 / 32_768.0];
    to_model_units(&mut samples);
    assert_eq!(samples, [-32_768.0, 1.0, 32_767.0]);
}

#[test]
fn pads_repeat_the_mean_of_the_outer_frames() {
    let padded = eval_pad(&[vec![1.0, 5.0, 3.0], vec![2.0, 5.0, -1.0]], 8);
    assert_eq!(padded[0], [1.5, 1.5, 1.0, 5.0, 3.0, 1.0, 1.0, 1.0]);
    assert_eq!(padded[1], [1.5, 1.5, 2.0, 5.0, -1.0, 1.0, 1.0, 1.0]);
    assert_eq!(eval_pad(&[vec![4.0]], 4), [[4.0, 4.0, 4.0, 4.0]]);
    assert_eq!(eval_pad(&[vec![4.0, 2.0]], 2), [[4.0, 2.0]]);
    assert_eq!(eval_pad(&[vec![]], 3), [[0.0, 0.0, 0.0]]);
}

#[test]
fn crops_avoid_silence_where_the_reference_does() {
    let check = |loud: std::ops::Range<usize>, frames, start| {
        let clip = noise_within(loud.clone(), frames);
        assert_eq!(crop_start(&clip, US8K_FRAMES), start, "sound in {loud:?} of {frames}");
        let cropped = eval_crop(&clip, US8K_FRAMES);
        assert_eq!(cropped[0], clip[0][start..start + US8K_FRAMES]);
    };
    check(0..330_000, 330_000, 76_800);
    // The golden "onset_only" and "tail_only" by name and length: energy at one end.
    check(0..20_000, 330_000, 0);
    check(200_000..330_000, 330_000, 76_800);
    // A tail outside the middle is missed, as silence is not louder than silence.
    check(300_000..330_000, 330_000, 0);
    check(0..US8K_FRAMES, US8K_FRAMES, 0);
}

#[test]
fn a_start_barely_louder_than_the_middle_gives_way_to_the_end() {
    let mut clip = noise_within(300_000..330_000, 330_000);
    clip[0][..1_000].iter_mut().zip(noise(3, 1_000)).for_each(|(sample, quiet)| *sample = quiet / 100.0);
    assert_eq!(crop_start(&clip, US8K_FRAMES), 330_000 - US8K_FRAMES);
}

#[test]
fn the_crop_listens_to_all_channels() {
    let (onset, steady) = (noise_within(0..20_000, 330_000).remove(0), noise(9, 330_000));
    assert_eq!(crop_start(&[onset.clone(), steady], US8K_FRAMES), 76_800);
    assert_eq!(crop_start(&[onset.clone(), onset], US8K_FRAMES), 0);
}

#[test]
fn esc50_clips_are_five_seconds_of_16_bit_units() {
    let long = noise(1, 300_000);
    let clip = esc50(&long);
    assert_eq!(clip.len(), ESC50_FRAMES);
    assert_eq!(clip[0], long[39_750] * 32_768.0);
    assert_eq!(esc50(&[0.25]), vec![8_192.0; ESC50_FRAMES]);
    let exact = noise(1, ESC50_FRAMES);
    assert!(esc50(&exact).iter().zip(&exact).all(|(unit, sample)| *unit == sample * 32_768.0));
}

#[test]
fn us8k_clips_are_stretched_stereo() {
    let clip = us8k(&[noise(1, 400_000)]);
    assert_eq!((clip.len(), clip[0].len()), (2, US8K_FRAMES));
    assert_eq!(clip[0], clip[1]);
    let (min, max) = clip[0].iter().fold((f32::MAX, f32::MIN), |(min, max), &x| (min.min(x), max.max(x)));
    assert_eq!((min, max), (-32_768.0, 32_767.0));
    // Only the first four seconds count towards the extremes.
    let mut late_peak = noise(1, 400_000);
    late_peak[US8K_FRAMES] = 1.0;
    assert_eq!(us8k(&[late_peak]), clip);
}

#[test]
fn us8k_stretches_channels_together() {
    let clip = us8k(&[vec![0.0, 0.5], vec![-0.5, 0.25]]);
    assert_eq!(clip[0][US8K_FRAMES / 2 - 1..=US8K_FRAMES / 2], [-0.5, 32_767.0]);
    assert_eq!(clip[1][US8K_FRAMES / 2 - 1..=US8K_FRAMES / 2], [-32_768.0, 16_383.25]);
}

#[test]
fn a_constant_clip_becomes_silence() {
    for constant in [0.0, 0.3, -1.0] {
        assert_eq!(us8k(&[vec![constant; 100]]), vec![vec![0.0; US8K_FRAMES]; 2]);
    }
}
