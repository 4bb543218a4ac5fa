//! What animals make sound with: vocal folds, throats, wings; and how they take turns.

use std::f64::consts::PI;

use super::super::super::Dice;
use super::super::tape::{Pass, Tape, Wave};

/// A resonance of a throat: frequency, sharpness and loudness.
pub(super) type Formant = (f64, f64, f64);

/// Calls one after another, the first within the first moments, with pauses between them.
pub(super) fn calls(
    (rate, seconds): (f64, f64),
    dice: &mut Dice,
    mut call: impl FnMut(&mut Dice) -> Tape,
    mut pause_s: impl FnMut(&mut Dice) -> f64,
) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let mut at_s = dice.between(0.0, 0.2);
    while at_s < seconds {
        let one = call(dice);
        tape.mix(at_s, &one, dice.between(0.6, 1.0));
        at_s += one.seconds() + pause_s(dice).max(0.02);
    }
    tape
}

/// Vocal folds: all partials of an unsteady pitch, and breath.
pub(super) fn folds(
    (rate, seconds): (f64, f64),
    rough: f64,
    breath: f64,
    dice: &mut Dice,
    hertz: impl Fn(f64) -> f64,
) -> Tape {
    let keep = (-1.0 / (rate * 0.003)).exp();
    let (mut jitter, mut chance) = (0.0, dice.fork());
    let mut tape = Tape::tone(rate, seconds, Wave::Saw, |t| {
        jitter = keep * jitter + (1.0 - keep * keep).sqrt() * chance.normal();
        hertz(t) * (1.0 + rough * jitter).clamp(0.3, 2.0)
    });
    tape.mix(0.0, &Tape::noise(rate, seconds, dice), breath);
    tape
}

/// A throat: resonances side by side, all moved by a factor that is a function of time.
pub(super) fn throat(source: &Tape, formants: &[Formant], open: impl Fn(f64) -> f64) -> Tape {
    let mut tape = source.clone().gained(0.04);
    for &(hertz, q, gain) in formants {
        tape.mix(0.0, &source.clone().swept(Pass::Band, q, |t| hertz * open(t)), gain);
    }
    tape
}

/// Rises as a half sine to its top at a share of the way, and falls again.
pub(super) fn arch(share: f64, top: f64) -> f64 {
    let share = share.clamp(0.0, 1.0);
    if share < top { (share / top * PI / 2.0).sin() } else { ((share - top) / (1.0 - top) * PI / 2.0).cos() }
}

/// A value that wanders: random levels a few times a second, joined smoothly.
pub(super) struct Steps {
    a_second: f64,
    levels: Vec<f64>,
}

impl Steps {
    pub(super) fn new(a_second: f64, dice: &mut Dice) -> Self {
        Self { a_second, levels: (0..64).map(|_| dice.normal().clamp(-2.0, 2.0)).collect() }
    }

    pub(super) fn at(&self, t: f64) -> f64 {
        let place = t * self.a_second;
        let level = |offset: usize| self.levels[(place as usize + offset) % self.levels.len()];
        let share = 0.5 - 0.5 * (PI * place.fract()).cos();
        level(0) + (level(1) - level(0)) * share
    }
}

/// Short puffs, so many a second.
pub(super) fn knocks((rate, seconds): (f64, f64), dice: &mut Dice, a_second: impl Fn(f64) -> f64) -> Tape {
    let (mut phase, mut puff) = (1.0, 0.0);
    let fall = (-1.0 / (0.0012 * rate)).exp();
    Tape::from_fn(rate, seconds, |t| {
        phase += a_second(t).max(1.0) / rate * (1.0 + 0.3 * dice.normal());
        if phase >= 1.0 {
            phase -= 1.0;
            puff = dice.between(0.7, 1.0);
        }
        puff *= fall;
        puff * (1.0 + 0.5 * dice.normal())
    })
    .filtered(Pass::High, 60.0, 0.7)
}

/// A sawtooth whose jump is rounded off over one sample (polynomial band-limited step), so that it does not fold back.
pub(super) fn stroke(phase: f64, step: f64) -> f64 {
    let jump = if phase < step {
        let x = phase / step;
        2.0 * x - x * x - 1.0
    } else if phase > 1.0 - step {
        let x = (phase - 1.0) / step;
        x * x + 2.0 * x + 1.0
    } else {
        0.0
    };
    2.0 * phase - 1.0 - jump
}
