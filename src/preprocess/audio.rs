//! Samples to what the audio tower takes: amplitude in 16-bit units, and the published evaluation protocols.
//!
//! Pure functions over samples of [`SAMPLE_RATE_HZ`] (SPEC section 8); arithmetic is in f32 and in the reference's
//! order, so that results are equal bit for bit. Knows no files and no resampling.

/// Samples a second of everything the model hears.
pub const SAMPLE_RATE_HZ: u32 = 44_100;

/// What full scale of a decoded sound, 1.0, becomes: the model was trained on 16-bit integers.
///
/// The published demo leaves this out and feeds [−1, 1]; that only works together with its train-mode batch statistics
/// (SPEC Q1, Q2), which nothing here uses.
pub const FULL_SCALE: f32 = 32_768.0;

/// Frames of an ESC-50 clip: five seconds.
pub const ESC50_FRAMES: usize = 5 * SAMPLE_RATE_HZ as usize;

/// Frames of an UrbanSound8K clip: four seconds.
pub const US8K_FRAMES: usize = 4 * SAMPLE_RATE_HZ as usize;

/// Scales samples of [−1, 1] to the model's 16-bit units, in place. A power of two, so nothing is rounded.
pub fn to_model_units(samples: &mut [f32]) {
    samples.iter_mut().for_each(|sample| *sample *= FULL_SCALE);
}

/// The ESC-50 protocol: mono samples of [−1, 1] to [`ESC50_FRAMES`] model units, padded or cropped.
pub fn esc50(samples: &[f32]) -> Vec<f32> {
    let mut clip = vec![samples.to_vec()];
    to_model_units(&mut clip[0]);
    fit(&clip, ESC50_FRAMES).swap_remove(0)
}

/// The UrbanSound8K protocol: planes of [−1, 1] to `[channels][US8K_FRAMES]` model units.
///
/// A single channel is duplicated. Of each, the first four seconds are kept, stretched so that the smallest sample of
/// all channels becomes −32,768 and the largest 32,767, and padded if short. A constant clip, by which the reference
/// divides by zero (SPEC Q14), becomes digital silence.
pub fn us8k(channels: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut clip: Vec<Vec<f32>> = channels.iter().map(|plane| plane[..plane.len().min(US8K_FRAMES)].to_vec()).collect();
    if clip.len() == 1 {
        clip.push(clip[0].clone());
    }
    stretch(&mut clip);
    fit(&clip, US8K_FRAMES)
}

/// Stretches all channels together to the whole 16-bit range, in place.
pub fn stretch(channels: &mut [Vec<f32>]) {
    let (low, high) = (-FULL_SCALE, FULL_SCALE - 1.0);
    let all = || channels.iter().flatten().copied();
    let (min, max) = (all().fold(f32::INFINITY, f32::min), all().fold(f32::NEG_INFINITY, f32::max));
    for sample in channels.iter_mut().flatten() {
        *sample = if max > min { (*sample - min) * (high - low) / (max - min) + low } else { 0.0 };
    }
}

/// Brings a clip to `frames` frames, by [`eval_pad`] or [`eval_crop`].
pub fn fit(channels: &[Vec<f32>], frames: usize) -> Vec<Vec<f32>> {
    match channels.first() {
        Some(plane) if plane.len() > frames => eval_crop(channels, frames),
        _ => eval_pad(channels, frames),
    }
}

/// Pads a clip to `frames` frames, half on each side, the odd one by rounding half to even.
///
/// The left is filled with the mean over channels of the first frame, the right with that of the last; a clip without
/// any frame becomes silence. A clip that is long enough stays as it is.
pub fn eval_pad(channels: &[Vec<f32>], frames: usize) -> Vec<Vec<f32>> {
    let mean =
        |sample: fn(&Vec<f32>) -> Option<&f32>| channels.iter().filter_map(sample).sum::<f32>() / channels.len() as f32;
    let (first, last) = (mean(|plane| plane.first()), mean(|plane| plane.last()));
    let pad = |plane: &Vec<f32>| {
        let missing = frames.saturating_sub(plane.len());
        let left = half_to_even(missing);
        let mut padded = Vec::with_capacity(frames);
        padded.resize(left, first);
        padded.extend_from_slice(plane);
        padded.resize(plane.len() + missing, last);
        padded
    };
    channels.iter().map(pad).collect()
}

/// Crops a clip to `frames` frames, from [`crop_start`] on.
pub fn eval_crop(channels: &[Vec<f32>], frames: usize) -> Vec<Vec<f32>> {
    let start = crop_start(channels, frames);
    channels.iter().map(|plane| plane[start..plane.len().min(start + frames)].to_vec()).collect()
}

/// Where the evaluation crop starts: in the middle, unless next to nothing is heard there.
///
/// If the standard deviation of the middle is below half that of the whole, the start is taken; if that is still below
/// half, but above the middle's, the end is. So a clip that is silent from the start to the middle yields silence,
/// even if its end is not: the reference is followed in that.
pub fn crop_start(channels: &[Vec<f32>], frames: usize) -> usize {
    let total = channels.first().map_or(0, Vec::len);
    let Some(surplus) = total.checked_sub(frames) else { return 0 };
    let middle = half_to_even(surplus);
    let half = deviation(channels, 0, total) / 2.0;
    let in_middle = deviation(channels, middle, frames);
    if in_middle >= half {
        return middle;
    }
    let at_start = deviation(channels, 0, frames);
    if half > at_start && at_start > in_middle { surplus } else { 0 }
}

/// Standard deviation of `frames` frames of all channels together, unbiased, as torch computes it.
#[expect(clippy::cast_possible_truncation, reason = "the reference compares in f32")]
fn deviation(channels: &[Vec<f32>], start: usize, frames: usize) -> f32 {
    let samples = || channels.iter().flat_map(|plane| &plane[start..start + frames]).map(|&x| f64::from(x));
    let count = (frames * channels.len()) as f64;
    let mean = samples().sum::<f64>() / count;
    let squares = samples().map(|x| (x - mean).powi(2)).sum::<f64>();
    (squares / (count - 1.0)).sqrt() as f32
}

/// Half of `count`; of the two candidates for an odd one the even.
fn half_to_even(count: usize) -> usize {
    let half = count / 2;
    half + (count & half & 1)
}

#[cfg(test)]
mod tests;
