//! People and the house: clock, glass, zipper, baby, sneeze, explosion, spring, door.

mod matter;
mod voice;

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
    let angle = std::f64::consts::TAU * hertz / tape.rate;
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
    let parts: Vec<(f64, f64)> =
        (0..4).map(|_| (turns_hz * dice.ratio(0.4, 2.0), dice.between(0.0, std::f64::consts::TAU))).collect();
    move |t| parts.iter().map(|(hertz, phase)| (std::f64::consts::TAU * hertz * t + phase).sin()).sum::<f64>() * 0.5
}
