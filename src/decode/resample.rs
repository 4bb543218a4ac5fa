//! Sample-rate conversion, block by block.
//!
//! Owns the soxr library. Invariant: however a signal is cut into blocks, the output is that of one single block.
//! Knows neither files nor channels: a resampler converts one channel.
//!
//! Quality is soxr's "high" (20 bits, linear phase), which is also librosa's default. Measured from 48 to 44.1 kHz, and
//! asserted by the tests: tones up to 15 kHz pass within 0.001 dB and 20 kHz within 0.01 dB; 20.5 kHz loses 0.07 dB and
//! 21 kHz 3.8 dB; 22 kHz is 104 dB down, and all that would fold back, from 22.05 kHz up, 135 dB. There is no delay.

use soxr::Soxr;
use soxr::format::Mono;
use soxr::params::{QualityRecipe, QualitySpec, RuntimeSpec};

/// Sample rates that can be converted, in Hz, both ends included.
///
/// Below 1 kHz nothing audible is left; 768 kHz is the highest rate that converters are built for, and ultrasonic
/// recorders stay under it. A rate outside is a damaged header, and would cost the filter absurd amounts of memory.
pub const SAMPLE_RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Input samples handed to soxr at a time, so that its buffers stay small whatever the caller's blocks are.
const CHUNK_SAMPLES: usize = 1 << 15;

/// Why a sample rate cannot be converted.
#[derive(Debug, thiserror::Error)]
#[error("cannot resample from {from_hz} Hz to {to_hz} Hz: {reason}")]
pub struct ResampleError {
    /// Samples a second of the input.
    pub from_hz: u32,
    /// Samples a second of the output.
    pub to_hz: u32,
    /// What is wrong.
    pub reason: String,
}

/// Converts one channel from one sample rate to another.
pub struct Resampler {
    from_hz: u32,
    to_hz: u32,
    /// `None` when both rates are equal: samples pass untouched.
    soxr: Option<Soxr<Mono<f32>>>,
    chunk: Vec<f32>,
    consumed: u64,
    produced: u64,
}

impl Resampler {
    /// Starts a conversion.
    ///
    /// # Errors
    /// [`ResampleError`] when a rate is outside [`SAMPLE_RATES_HZ`] or memory is short.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, ResampleError> {
        let fail = |reason: String| ResampleError { from_hz, to_hz, reason };
        for rate in [from_hz, to_hz] {
            if !SAMPLE_RATES_HZ.contains(&rate) {
                let (low, high) = SAMPLE_RATES_HZ.into_inner();
                return Err(fail(format!("{rate} Hz is outside {low} to {high} Hz")));
            }
        }
        let soxr = if from_hz == to_hz {
            None
        } else {
            let quality = QualitySpec::new(QualityRecipe::high());
            let soxr = Soxr::new_with_params(f64::from(from_hz), f64::from(to_hz), quality, RuntimeSpec::new(1));
            Some(soxr.map_err(|error| fail(error.to_string()))?)
        };
        Ok(Self { from_hz, to_hz, soxr, chunk: Vec::new(), consumed: 0, produced: 0 })
    }

    /// Converts a block and appends what is ready to `output`; the rest follows with later blocks.
    ///
    /// # Errors
    /// [`ResampleError`] when soxr fails, which it does only when memory is short.
    pub fn push(&mut self, input: &[f32], output: &mut Vec<f32>) -> Result<(), ResampleError> {
        self.consumed += input.len() as u64;
        let before = output.len();
        match &mut self.soxr {
            None => output.extend_from_slice(input),
            Some(soxr) => {
                self.chunk.resize(chunk_capacity(self.from_hz, self.to_hz), 0.0);
                let mut rest = input;
                while !rest.is_empty() {
                    let now = &rest[..rest.len().min(CHUNK_SAMPLES)];
                    let done = soxr.process(now, &mut self.chunk).map_err(|error| ResampleError {
                        from_hz: self.from_hz,
                        to_hz: self.to_hz,
                        reason: error.to_string(),
                    })?;
                    output.extend_from_slice(&self.chunk[..done.output_frames]);
                    rest = &rest[done.input_frames..];
                }
            }
        }
        self.produced += (output.len() - before) as u64;
        Ok(())
    }

    /// Ends the signal and appends what was still inside, so that `ceil(samples · to / from)` samples came out in all.
    ///
    /// soxr itself rounds to the nearest count; librosa rounds up and fills with a zero, and so does this, to be equal
    /// to it sample for sample.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(mut self, output: &mut Vec<f32>) -> Result<(), ResampleError> {
        let Some(soxr) = &mut self.soxr else { return Ok(()) };
        if self.consumed == 0 {
            return Ok(());
        }
        self.chunk.resize(chunk_capacity(self.from_hz, self.to_hz), 0.0);
        let start = output.len();
        loop {
            let drained = soxr.drain(&mut self.chunk).map_err(|error| ResampleError {
                from_hz: self.from_hz,
                to_hz: self.to_hz,
                reason: error.to_string(),
            })?;
            if drained == 0 {
                break;
            }
            output.extend_from_slice(&self.chunk[..drained]);
        }
        let remaining = resampled_len(self.consumed, self.from_hz, self.to_hz).saturating_sub(self.produced);
        output.resize(start + usize::try_from(remaining).expect("a tail fits in memory"), 0.0);
        Ok(())
    }
}

/// Samples that `samples` of one rate become at another: rounded up, with librosa's order of operations.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a product of two counts, rounded")]
pub fn resampled_len(samples: u64, from_hz: u32, to_hz: u32) -> u64 {
    (samples as f64 * (f64::from(to_hz) / f64::from(from_hz))).ceil() as u64
}

/// Room for the output of one chunk.
fn chunk_capacity(from_hz: u32, to_hz: u32) -> usize {
    let samples = resampled_len(CHUNK_SAMPLES as u64, from_hz, to_hz);
    usize::try_from(samples).expect("both rates are in range") + 1
}

#[cfg(test)]
mod tests;
