//! The audio front-end: samples to a decibel "image" through the learned fbsp basis (SPEC 4.1–4.4).
//!
//! The basis depends on weights alone, so it is built once, with the window folded in. It is built with f32 rounding on
//! purpose: the published weights were trained with that basis, phase noise included.

use candle_core::{Device, Result, Tensor};
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::compute::{Arithmetic, Spectrum};
use super::config::AudioConfig;
use super::uploads::Uploads;

/// Added to the time axis and to `m`, as the reference does.
const EPS: f32 = 1e-8;
/// What a power that is not positive (or not a number) is replaced by: −180 dB.
pub(super) const POWER_OF_SILENCE: f32 = 1e-18;
const BANDS: usize = 3;

/// Framing, transform and decibel map.
pub(super) struct FrontEnd {
    transform: Transform,
    bins: usize,
    hop: usize,
    window: usize,
    uploads: Uploads,
}

/// What frames are multiplied by: real parts of all used bins, then imaginary parts, each multiplied by the window.
enum Transform {
    Packed(Box<Spectrum>),
    /// `[window, 2 · bins]`.
    Candle(Tensor),
}

/// How signals are divided into frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frames {
    pub(super) signals: usize,
    /// Of a signal.
    pub(super) count: usize,
    /// Samples from a frame to the next.
    pub(super) hop: usize,
    /// Of a padded signal: whole hops.
    pub(super) samples: usize,
}

impl FrontEnd {
    pub(super) fn load(config: &AudioConfig, vb: &VarBuilder<'_>, arithmetic: Arithmetic) -> Result<Self> {
        let parameter = |name: &str| vb.get(config.filters(), name)?.to_vec1::<f32>();
        let filters = Filters { m: parameter("fbsp.m")?, fb: parameter("fbsp.fb")?, fc: parameter("fbsp.fc")? };
        let window = vb.get(config.window_samples, "window")?.to_vec1::<f32>()?;
        let bins = BANDS * config.band_rows();
        let basis = folded_basis(&filters, bins, config.n_fft, &window);
        let transform = match arithmetic.spectrum(&basis, bins) {
            Some(spectrum) => Transform::Packed(Box::new(spectrum)),
            None => {
                let basis = Tensor::from_vec(basis, (2 * bins, window.len()), vb.device())?;
                Transform::Candle(basis.t()?.contiguous()?)
            }
        };
        let uploads = Uploads::new(vb.device())?;
        Ok(Self { transform, bins, hop: config.hop_samples, window: window.len(), uploads })
    }

    /// Frames of a clip of `samples` samples (SPEC 4.2).
    pub(super) fn frames(&self, samples: usize) -> usize {
        1 + samples.saturating_sub(self.window).div_ceil(self.hop)
    }

    /// Signals of equal length in int16 units → decibels `[signals, 3, bins / 3, frames]`.
    pub(super) fn forward(&self, signals: &[&[f32]]) -> Result<Tensor> {
        let length = signals.first().map_or(0, |signal| signal.len());
        let count = self.frames(length);
        let samples = (count - 1 + self.window.div_ceil(self.hop)) * self.hop;
        let frames = Frames { signals: signals.len(), count, hop: self.hop, samples };
        let rows = self.bins / BANDS;
        match &self.transform {
            Transform::Packed(spectrum) => {
                let mut padded = vec![0.0; frames.signals * samples];
                self.pad(signals, frames, &mut padded);
                let decibels = spectrum.decibels(&padded, frames);
                Tensor::from_vec(decibels, (frames.signals, BANDS, rows, count), &Device::Cpu)
            }
            Transform::Candle(basis) => {
                let hops = frames.signals * samples / self.hop;
                let beyond = (self.window.div_ceil(self.hop) - 1) * self.hop;
                let uploaded = self.uploads.tensor((hops * self.hop + beyond,), |values| {
                    let (padded, beyond) = values.split_at_mut(hops * self.hop);
                    self.pad(signals, frames, padded);
                    beyond.fill(0.0);
                })?;
                let decibels = self.decibels(basis, &uploaded.reshape(((), self.hop))?, hops)?;
                let decibels = decibels.reshape((frames.signals, (), BANDS, rows))?.narrow(1, 0, count)?;
                decibels.permute((0, 2, 3, 1))?.contiguous()
            }
        }
    }

    /// Writes `[signals, samples]`, with silence around each signal.
    fn pad(&self, signals: &[&[f32]], Frames { count, samples, .. }: Frames, padded: &mut [f32]) {
        let required = (count - 1) * self.hop + self.window;
        padded.par_chunks_exact_mut(samples).zip(signals).for_each(|(padded, signal)| {
            let left = required.saturating_sub(signal.len()) / 2;
            let (before, rest) = padded.split_at_mut(left);
            let (slots, after) = rest.split_at_mut(signal.len().min(rest.len()));
            slots.iter_mut().zip(*signal).for_each(|(slot, sample)| *slot = amplitude(*sample));
            before.fill(0.0);
            after.fill(0.0);
        });
    }

    /// Hops `[hops, samples]` → `[frames, bins]`, of the frames that begin with the first so many. Frames overlap, so
    /// each is put together from consecutive hops; those at a signal's end, which have hops of the next, are of no use.
    fn decibels(&self, basis: &Tensor, hops: &Tensor, frames: usize) -> Result<Tensor> {
        let pieces = (0..self.window.div_ceil(self.hop)).map(|piece| {
            let width = self.hop.min(self.window - piece * self.hop);
            hops.narrow(0, piece, frames)?.narrow(1, 0, width)
        });
        let spectrum = Tensor::cat(&pieces.collect::<Result<Vec<_>>>()?, 1)?.matmul(basis)?;
        let real = spectrum.narrow(1, 0, self.bins)?.sqr()?;
        let power = (real + spectrum.narrow(1, self.bins, self.bins)?.sqr()?)?;
        let silence = Tensor::full(POWER_OF_SILENCE, power.shape(), hops.device())?;
        let power = power.gt(0f32)?.where_cond(&power, &silence)?;
        power.log()? * (10.0 / std::f64::consts::LN_10)
    }
}

/// int16 units to about [−1, 1], in f32 and in this order (SPEC 4.1); silence becomes 2⁻¹⁶.
fn amplitude(sample: f32) -> f32 {
    ((sample + 32768.0) * 2.0) / 65535.0 - 1.0
}

/// The three learned parameters of each filter.
struct Filters {
    m: Vec<f32>,
    fb: Vec<f32>,
    fc: Vec<f32>,
}

/// `[2 · bins, window]`: the middle columns of the basis, which are all that ever meet samples, times the window.
fn folded_basis(filters: &Filters, bins: usize, n_fft: usize, window: &[f32]) -> Vec<f32> {
    let width = window.len();
    let first = (n_fft - width) / 2;
    let times: Vec<f32> = (first..first + width).map(|n| time(n, n_fft)).collect();
    let mut basis = vec![0f32; 2 * bins * width];
    let (real, imaginary) = basis.split_at_mut(bins * width);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = bins.div_ceil(threads);
    std::thread::scope(|scope| {
        let shares = real.chunks_mut(share * width).zip(imaginary.chunks_mut(share * width));
        for (index, (real, imaginary)) in shares.enumerate() {
            let times = &times;
            scope.spawn(move || {
                let rows = real.chunks_exact_mut(width).zip(imaginary.chunks_exact_mut(width));
                for (row, (real, imaginary)) in rows.enumerate() {
                    let filter = Filter::of(filters, index * share + row, n_fft);
                    for (n, (&t, &w)) in times.iter().zip(window).enumerate() {
                        let (re, im) = filter.at(t);
                        real[n] = re * w;
                        imaginary[n] = im * w;
                    }
                }
            });
        }
    });
    basis
}

/// `π · lin_n + 1e-8`, where `lin` runs from −1 to 1 inclusive, counted from its nearer end with one rounding
/// (SPEC 4.3).
fn time(n: usize, n_fft: usize) -> f32 {
    let step = (2.0 / (n_fft - 1) as f64) as f32;
    let lin = if n < n_fft / 2 { step.mul_add(n as f32, -1.0) } else { (-step).mul_add((n_fft - 1 - n) as f32, 1.0) };
    std::f32::consts::PI * lin + EPS
}

/// One row of the basis.
struct Filter {
    m: f32,
    fb: f32,
    fc: f32,
    /// `sqrt(fb)`, rounded.
    gain: f32,
    /// `sqrt(n_fft)`, rounded.
    norm: f32,
    /// `exp(i·m·π)`, rounded: the principal power of a negative base of modulus 1.
    negative: (f32, f32),
}

impl Filter {
    fn of(filters: &Filters, index: usize, n_fft: usize) -> Self {
        let (m, fb, fc) = (filters.m[index], filters.fb[index], filters.fc[index]);
        let psi = m * std::f32::consts::PI;
        Self { m, fb, fc, gain: fb.sqrt(), norm: (n_fft as f64).sqrt() as f32, negative: (cos(psi), sin(psi)) }
    }

    /// Real and imaginary part at time `t`, each step rounded to f32 as SPEC 4.3 has it.
    fn at(&self, t: f32) -> (f32, f32) {
        let a = (self.fb * t) / (self.m + EPS);
        let sinc = if a == 0.0 { 1.0 } else { sin(a) / a };
        let modulus = (sinc * sinc).sqrt();
        let power = f64::from(modulus * modulus).powf(f64::from(0.5 * self.m)) as f32;
        let (cos_psi, sin_psi) = if sinc < 0.0 { self.negative } else { (1.0, 0.0) };
        let (envelope_re, envelope_im) = (power * cos_psi, power * sin_psi);
        let phase = self.fc * t;
        let (carrier_re, carrier_im) = (cos(phase), -sin(phase));
        let re = envelope_re * carrier_re - envelope_im * carrier_im;
        let im = envelope_re * carrier_im + envelope_im * carrier_re;
        (self.gain * re / self.norm, self.gain * im / self.norm)
    }
}

fn sin(x: f32) -> f32 {
    f64::from(x).sin() as f32
}

fn cos(x: f32) -> f32 {
    f64::from(x).cos() as f32
}
