//! The sound workshop: mono signals, and what can be done to them.
//!
//! Frequencies are in hertz, times in seconds, filters are the trapezoidal state-variable filter of Zavalishin,
//! "The Art of VA Filter Design", chapter 4. Whatever is above the Nyquist frequency is left out, never folded back.

use std::f64::consts::{PI, TAU};

use super::super::dice::Dice;

/// A piece of mono sound at some sample rate.
#[derive(Debug, Clone)]
pub(in crate::world) struct Tape {
    /// Samples a second.
    pub(super) rate: f64,
    /// The samples; full scale is 1, but only the final recording is held to it.
    pub(super) samples: Vec<f32>,
}

/// The shape of an oscillation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wave {
    /// One partial.
    Sine,
    /// All partials, falling with 1/n.
    Saw,
    /// Odd partials, falling with 1/n.
    Square,
    /// Odd partials, falling with 1/n².
    Triangle,
    /// All partials up to a number, equally loud: a thin, nasal pulse.
    Buzz(usize),
}

/// Which part of the spectrum a filter lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Below the frequency.
    Low,
    /// Above it.
    High,
    /// Around it; unity gain there.
    Band,
}

/// A freely decaying vibration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    /// Frequency in hertz.
    pub(super) hertz: f64,
    /// Loudness at the start.
    pub(super) gain: f64,
    /// Time in which it falls by 60 dB.
    pub(super) t60_s: f64,
}

impl Tape {
    /// Silence.
    pub(super) fn silence(rate: f64, seconds: f64) -> Self {
        Self { rate, samples: vec![0.0; (rate * seconds.max(0.0)).round() as usize] }
    }

    /// A function of time.
    pub(super) fn from_fn(rate: f64, seconds: f64, mut value: impl FnMut(f64) -> f64) -> Self {
        let mut tape = Self::silence(rate, seconds);
        for (index, sample) in tape.samples.iter_mut().enumerate() {
            *sample = value(index as f64 / rate) as f32;
        }
        tape
    }

    /// White noise of deviation 1/3.
    pub(super) fn noise(rate: f64, seconds: f64, dice: &mut Dice) -> Self {
        Self::from_fn(rate, seconds, |_| dice.normal() / 3.0)
    }

    /// An oscillation whose frequency is a function of time; its phase is continuous.
    pub(super) fn tone(rate: f64, seconds: f64, wave: Wave, mut hertz: impl FnMut(f64) -> f64) -> Self {
        let mut phase = 0.0_f64;
        Self::from_fn(rate, seconds, |t| {
            let now = hertz(t).max(0.0);
            phase = (phase + now / rate).fract();
            wave.value(phase, (0.45 * rate / now.max(1.0)) as usize)
        })
    }

    /// Vibrations that are struck together at the start.
    pub(super) fn modes(rate: f64, seconds: f64, modes: &[Mode], dice: &mut Dice) -> Self {
        let mut tape = Self::silence(rate, seconds);
        for mode in modes.iter().filter(|mode| mode.hertz < 0.48 * rate) {
            let phase = dice.between(0.0, TAU);
            let (step, fall) = (TAU * mode.hertz / rate, 6.907_755 / (mode.t60_s.max(1e-3) * rate));
            for (index, sample) in tape.samples.iter_mut().enumerate() {
                let n = index as f64;
                *sample += (mode.gain * (phase + step * n).sin() * (-fall * n).exp()) as f32;
            }
        }
        tape
    }

    /// Length in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.samples.len() as f64 / self.rate
    }

    /// Adds another tape of the same rate from a moment on; what goes past the end is cut off.
    pub(super) fn mix(&mut self, at_s: f64, other: &Self, gain: f64) {
        let start = (at_s.max(0.0) * self.rate).round() as usize;
        for (sample, added) in self.samples.iter_mut().skip(start).zip(&other.samples) {
            *sample += added * gain as f32;
        }
    }

    /// This tape with its samples passed through a function of time and value.
    pub(super) fn map(mut self, mut change: impl FnMut(f64, f64) -> f64) -> Self {
        let rate = self.rate;
        for (index, sample) in self.samples.iter_mut().enumerate() {
            *sample = change(index as f64 / rate, f64::from(*sample)) as f32;
        }
        self
    }

    /// Louder or softer over time.
    pub(super) fn shaped(self, mut gain: impl FnMut(f64) -> f64) -> Self {
        self.map(|t, sample| sample * gain(t))
    }

    /// Falls by 60 dB in `t60_s` after rising for `attack_s`.
    pub(super) fn struck(self, attack_s: f64, t60_s: f64) -> Self {
        self.shaped(|t| (t / attack_s.max(1e-4)).min(1.0) * (-6.907_755 * t / t60_s.max(1e-3)).exp())
    }

    /// Fades in and out, so that it neither starts nor ends with a click.
    pub(super) fn faded(self, in_s: f64, out_s: f64) -> Self {
        let end = self.seconds();
        self.shaped(|t| (t / in_s.max(1e-4)).min(1.0) * ((end - t) / out_s.max(1e-4)).clamp(0.0, 1.0))
    }

    /// Multiplied.
    pub(super) fn gained(self, gain: f64) -> Self {
        self.map(|_, sample| sample * gain)
    }

    /// Filtered at a fixed frequency; `q` is 0.7 for no resonance, 10 and more for ringing.
    pub(super) fn filtered(self, pass: Pass, hertz: f64, q: f64) -> Self {
        self.swept(pass, q, |_| hertz)
    }

    /// Filtered at a frequency that is a function of time.
    pub(super) fn swept(self, pass: Pass, q: f64, mut hertz: impl FnMut(f64) -> f64) -> Self {
        let (rate, damping) = (self.rate, 1.0 / q.max(0.05));
        let (mut band, mut low) = (0.0_f64, 0.0_f64);
        self.map(|t, input| {
            let g = (PI * hertz(t).clamp(1.0, 0.48 * rate) / rate).tan();
            let high = (input - (damping + g) * band - low) / (1.0 + g * (damping + g));
            let now_band = g * high + band;
            let now_low = g * now_band + low;
            band = g * high + now_band;
            low = g * now_band + now_low;
            match pass {
                Pass::Low => now_low,
                Pass::High => high,
                Pass::Band => damping * now_band,
            }
        })
    }

    /// Soft clipping; 1 is gentle, 10 is a torn loudspeaker.
    pub(super) fn driven(self, amount: f64) -> Self {
        self.map(|_, sample| (sample * amount).tanh())
    }

    /// Scaled so that its largest sample is `peak`; silence stays silence.
    pub(super) fn normalised(self, peak: f64) -> Self {
        let largest = self.samples.iter().fold(0.0_f32, |largest, sample| largest.max(sample.abs()));
        if largest > 0.0 { self.gained(peak / f64::from(largest)) } else { self }
    }

    /// In a room: echoes that fall by 60 dB in `t60_s`, `wet` as loud as the direct sound (Schroeder's reverberator).
    pub(super) fn in_room(self, t60_s: f64, wet: f64, dice: &mut Dice) -> Self {
        if wet <= 0.0 {
            return self;
        }
        let mut echoes = Self::silence(self.rate, self.seconds());
        for base in [0.0297, 0.0371, 0.0411, 0.0437] {
            let delay = ((base * dice.about(0.15) * self.rate) as usize).max(1);
            let feedback = 10.0_f64.powf(-3.0 * delay as f64 / self.rate / t60_s.max(0.05)) as f32;
            let mut line = vec![0.0_f32; delay];
            let mut damped = 0.0_f32;
            for (index, (out, input)) in echoes.samples.iter_mut().zip(&self.samples).enumerate() {
                let echo = &mut line[index % delay];
                *out += *echo;
                damped += 0.6 * (*echo - damped);
                *echo = input + feedback * damped;
            }
        }
        let mut both = self;
        for base in [0.005, 0.0017] {
            echoes = echoes.diffused(base * dice.about(0.2));
        }
        both.mix(0.0, &echoes, 0.4 * wet);
        both
    }

    /// One allpass of the reverberator.
    fn diffused(mut self, delay_s: f64) -> Self {
        let delay = ((delay_s * self.rate) as usize).max(1);
        let mut line = vec![0.0_f32; delay];
        for (index, sample) in self.samples.iter_mut().enumerate() {
            let held = &mut line[index % delay];
            let out = *held - 0.7 * *sample;
            *held = *sample + 0.7 * out;
            *sample = out;
        }
        self
    }
}

impl Wave {
    /// The value at a phase in [0, 1), with at most `limit` partials.
    fn value(self, phase: f64, limit: usize) -> f64 {
        let angle = TAU * phase;
        let sum = |step: usize, most: usize, gain: &dyn Fn(f64) -> f64| {
            (1..=limit.min(most)).step_by(step).map(|n| gain(n as f64) * (angle * n as f64).sin()).sum::<f64>()
        };
        match self {
            Self::Sine if limit == 0 => 0.0,
            Self::Sine => angle.sin(),
            Self::Saw => 0.6 * sum(1, 24, &|n| 1.0 / n),
            Self::Square => sum(2, 31, &|n| 1.0 / n),
            Self::Triangle => 0.8 * sum(2, 15, &|n| if n % 4.0 == 1.0 { 1.0 } else { -1.0 } / (n * n)),
            Self::Buzz(partials) => sum(1, partials, &|_| 1.0) / partials.max(1) as f64 * 1.5,
        }
    }
}
