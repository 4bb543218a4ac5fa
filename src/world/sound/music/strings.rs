//! What is plucked: single strings, melodies and chords of a guitar.

use super::super::super::Dice;
use super::super::tape::{Pass, Tape};
use super::moments;

/// A string and how it is plucked.
#[derive(Clone, Copy)]
struct Pluck {
    /// Time in which it falls by 60 dB.
    t60_s: f64,
    /// How much of each sample leaks into the next: 0.5 is a dull string.
    dull: f64,
    /// Where it is plucked, as a share of its length; that harmonic is missing.
    place: f64,
    /// Low-pass on the pick's push, in hertz: a thumb is soft, a plectrum hard.
    push_hz: f64,
}

/// A plucked string: a wave that runs to and fro and loses its edge (Karplus and Strong), tuned by an allpass.
fn string(rate: f64, seconds: f64, hertz: f64, pluck: Pluck, dice: &mut Dice) -> Tape {
    let period = rate / hertz;
    let whole = (period - pluck.dull - 0.1).floor().max(1.0);
    let rest = period - pluck.dull - whole;
    let allpass = (1.0 - rest) / (1.0 + rest);
    let feedback = 10.0_f64.powf(-3.0 / (hertz * pluck.t60_s));
    let push = Tape::noise(rate, (whole + 0.5) / rate, &mut dice.fork()).filtered(Pass::Low, pluck.push_hz, 0.6);
    let length = whole as usize;
    // What is plucked at a share of the length goes round once more from the other end, upside down.
    let comb = ((pluck.place * whole) as usize).max(1);
    let at = |n: usize| f64::from(push.samples.get(n % length).copied().unwrap_or(0.0));
    let mut line: Vec<f64> = (0..length).map(|n| at(n) - at(n + length - comb % length)).collect();
    let (mut before, mut held_in, mut held_out) = (0.0, 0.0, 0.0);
    let mut index = 0;
    Tape::from_fn(rate, seconds, |_| {
        let out = line[index];
        let soft = (1.0 - pluck.dull) * out + pluck.dull * before;
        before = out;
        let tuned = allpass * (soft - held_out) + held_in;
        (held_in, held_out) = (soft, tuned);
        line[index] = feedback * tuned;
        index = (index + 1) % length;
        out
    })
}

/// Open chords as a guitar is tuned, in semitones above A0.
const CHORDS: [[i32; 6]; 6] = [
    [19, 26, 31, 35, 38, 43],
    [19, 26, 31, 34, 38, 43],
    [24, 31, 36, 39, 43, 48],
    [22, 26, 29, 34, 38, 46],
    [24, 27, 31, 36, 39, 43],
    [26, 33, 38, 42, 45, 50],
];

pub(super) fn guitar(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let pluck = Pluck {
        t60_s: dice.ratio(0.8, 6.0),
        dull: dice.between(0.08, 0.5),
        place: dice.between(0.06, 0.45),
        push_hz: dice.ratio(900.0, 9_000.0),
    };
    // From a bass guitar's register to a ukulele's or a banjo's.
    let transposed = *dice.pick(&[-12, -5, 0, 0, 2, 4, 7, 12]) + dice.count(0, 4) as i32;
    let cents = dice.normal() * 0.2;
    let hertz = |note: i32| 27.5 * 2.0_f64.powf((f64::from(note + transposed) + cents) / 12.0);
    let mut tape = Tape::silence(rate, seconds);
    let manner = dice.count(0, 9);
    let gap_s = match manner {
        0..=2 => dice.ratio(0.45, 2.2),
        3..=5 => dice.ratio(0.12, 0.4),
        _ => dice.ratio(0.3, 1.5),
    };
    let mut chord = dice.pick(&CHORDS);
    for (turn, at) in moments(seconds, dice, |dice| gap_s * dice.about(0.06)).into_iter().enumerate() {
        if turn % 4 == 3 && dice.chance(0.6) {
            chord = dice.pick(&CHORDS);
        }
        let length = (seconds - at).min(3.5);
        match manner {
            0..=5 => {
                // Single notes: now and then, or a melody and broken chords.
                let note = chord[if dice.chance(0.5) { turn % 6 } else { dice.count(0, 5) }];
                let plucked = string(rate, length, hertz(note), pluck, dice);
                tape.mix(at, &plucked.faded(0.0, 0.05), dice.about(0.3));
            }
            _ => strum(&mut tape, at, &chord.map(hertz), pluck, dice),
        }
    }
    let electric = dice.chance(0.25);
    if electric { amplified(tape, dice) } else { hollow(tape, dice) }
}

/// A hand runs over the strings, down or up.
fn strum(tape: &mut Tape, at: f64, strings: &[f64; 6], pluck: Pluck, dice: &mut Dice) {
    let (lag_s, up, loud) = (dice.ratio(0.006, 0.035), dice.chance(0.35), dice.about(0.3));
    let length = (tape.seconds() - at).min(3.0);
    for (order, hertz) in strings.iter().enumerate() {
        let order = if up { strings.len() - 1 - order } else { order };
        let plucked = string(tape.rate, length, *hertz, pluck, dice).faded(0.0, 0.05);
        tape.mix(at + lag_s * order as f64, &plucked, loud * dice.about(0.3));
    }
}

/// The body of an acoustic guitar: the air in it and its top each have a resonance of their own.
fn hollow(tape: Tape, dice: &mut Dice) -> Tape {
    let air = tape.clone().filtered(Pass::Band, dice.between(90.0, 125.0), 3.0);
    let top = tape.clone().filtered(Pass::Band, dice.between(180.0, 420.0), 3.0);
    let mut both = tape.filtered(Pass::High, 60.0, 0.7);
    both.mix(0.0, &air, dice.between(0.2, 1.0));
    both.mix(0.0, &top, dice.between(0.2, 1.2));
    both
}

/// An electric guitar: driven more or less, and a loudspeaker that ends early.
fn amplified(tape: Tape, dice: &mut Dice) -> Tape {
    let drive = dice.ratio(0.5, 25.0);
    let cone_hz = dice.ratio(2_500.0, 5_500.0);
    tape.filtered(Pass::High, 80.0, 0.7).normalised(1.0).driven(drive).filtered(Pass::Low, cone_hz, 0.8)
}
