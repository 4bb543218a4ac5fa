//! People and the house: clock, glass, zipper, baby, sneeze, explosion, spring, door.

mod matter;
mod voice;

use std::f64::consts::TAU;

use super::tape::{Pass, Tape};
use super::{Dice, Render};

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[
    ("clock tick", matter::clock),
    ("glass", matter::glass),
    ("zipper", matter::zipper),
    ("baby cry", voice::baby),
    ("person sneeze", voice::sneeze),
    ("explosion", matter::explosion),
    ("spring", matter::spring),
    ("door", matter::door),
];

/// A resonance of a mouth or a board: frequency, sharpness, loudness.
type Formant = (f64, f64, f64);

/// Something that happens again and again, the first time soon: each pause lies between the two of `pauses_s`.
fn repeated(
    (rate, seconds): (f64, f64),
    pauses_s: (f64, f64),
    dice: &mut Dice,
    mut once: impl FnMut(&mut Dice) -> Tape,
) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let mut at_s = dice.between(0.0, 0.06 * seconds.min(5.0));
    while at_s < seconds - 0.1 {
        let event = once(dice);
        tape.mix(at_s, &event, dice.between(0.6, 1.0));
        at_s += event.seconds() + dice.ratio(pauses_s.0, pauses_s.1);
    }
    tape
}

/// Adds a struck vibration from a moment on, as a recursion: many cost little.
fn ring(tape: &mut Tape, at_s: f64, hertz: f64, gain: f64, t60_s: f64) {
    if hertz > 0.45 * tape.rate {
        return;
    }
    let angle = TAU * hertz / tape.rate;
    let radius = (-6.907_755 / (t60_s.max(1e-3) * tape.rate)).exp();
    let (first, second) = (2.0 * radius * angle.cos(), radius * radius);
    let (mut now, mut before) = (gain * radius * angle.sin(), 0.0);
    let start = (at_s.max(0.0) * tape.rate) as usize;
    for sample in tape.samples.iter_mut().skip(start).take((t60_s * tape.rate) as usize) {
        *sample += now as f32;
        (now, before) = (first * now - second * before, now);
    }
}

/// A burst of noise around a frequency that dies away.
fn puff(rate: f64, hertz: f64, q: f64, t60_s: f64, dice: &mut Dice) -> Tape {
    Tape::noise(rate, t60_s * 1.1, dice).filtered(Pass::Band, hertz, q).struck(0.0003, t60_s)
}

/// A smooth wander around 0 of about ±1, at some number of turns a second: hands and throats are never still.
fn wander(turns_hz: f64, dice: &mut Dice) -> impl Fn(f64) -> f64 + use<> {
    let parts: Vec<(f64, f64)> = (0..4).map(|_| (turns_hz * dice.ratio(0.4, 2.0), dice.between(0.0, TAU))).collect();
    move |t| parts.iter().map(|(hertz, phase)| (TAU * hertz * t + phase).sin()).sum::<f64>() * 0.5
}

/// A string of pulses, from throat or wire: partials that fall as powers of `bright`, summed in closed form, up to the
/// Nyquist frequency.
fn voiced(rate: f64, seconds: f64, bright: f64, mut hertz: impl FnMut(f64) -> f64) -> Tape {
    let (mut phase, mut index) = (0.0_f64, 0);
    let (mut now, mut last, mut rest) = (20.0, 1.0, 0.0);
    Tape::from_fn(rate, seconds, |t| {
        // Pitch moves slowly against the sample rate.
        if index % 16 == 0 {
            now = hertz(t).max(20.0);
            last = (0.45 * rate / now).floor().max(1.0);
            rest = bright.powf(last);
        }
        index += 1;
        phase = (phase + now / rate).fract();
        let (sine, cosine) = (TAU * phase).sin_cos();
        let cut = if rest < 1e-5 {
            0.0
        } else {
            rest * (((last + 1.0) * TAU * phase).sin() - bright * (last * TAU * phase).sin())
        };
        (1.0 - bright) * (sine - cut) / (1.0 - 2.0 * bright * cosine + bright * bright)
    })
}

/// A sound heard through resonances, with some of it unchanged.
fn through(source: &Tape, formants: &[Formant], direct: f64) -> Tape {
    let mut heard = source.clone().gained(direct);
    for &(hertz, q, gain) in formants.iter().filter(|(hertz, ..)| *hertz < 0.45 * source.rate) {
        // A constant-peak band pass after Bristow-Johnson's cookbook.
        let (sine, cosine) = (TAU * hertz / source.rate).sin_cos();
        let width = sine / (2.0 * q);
        let (scale, first, second) =
            (gain * width / (1.0 + width), 2.0 * cosine / (1.0 + width), (1.0 - width) / (1.0 + width));
        let (mut inputs, mut outputs) = ((0.0, 0.0), (0.0, 0.0));
        for (out, input) in heard.samples.iter_mut().zip(&source.samples) {
            let input = f64::from(*input);
            let now = scale * (input - inputs.1) + first * outputs.0 - second * outputs.1;
            (inputs, outputs) = ((input, inputs.0), (now, outputs.0));
            *out += now as f32;
        }
    }
    heard
}
