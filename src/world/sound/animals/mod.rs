//! Animals: bird, cat, cricket, dog, frog, owl, rooster, bee.

mod voice;

use std::f64::consts::{PI, TAU};

use super::super::Dice;
use super::Render;
use super::tape::{Pass, Tape, Wave};
use voice::{Steps, arch, calls, folds, knocks, stroke, throat};

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[
    ("bird", bird),
    ("cat", cat),
    ("cricket", cricket),
    ("frog", frog),
    ("owl", owl),
    ("rooster", rooster),
    ("bee", bee),
    ("dog bark", dog),
];

/// One note of a bird: length, pause after it, pitches at its ends, bend between, and trembling.
#[derive(Clone, Copy)]
struct Note {
    length_s: f64,
    pause_s: f64,
    from: f64,
    to: f64,
    bend: f64,
    tremble: (f64, f64),
}

/// A syrinx whistles almost pure tones whose pitch runs fast; a song repeats a few notes of its own.
fn bird(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let base = dice.ratio(1_800.0, 5_500.0).min(0.24 * rate);
    let sweep = dice.ratio(1.1, 1.9);
    let trills = dice.chance(0.3);
    let longest_s = if trills { 0.08 } else { dice.between(0.1, 0.35) };
    let notes: Vec<Note> = (0..dice.count(1, 5)).map(|_| note(base, sweep, longest_s, dice)).collect();
    let overtone = if dice.chance(0.4) { dice.between(0.1, 0.5) } else { 0.0 };
    let (most, rest_s) = (if trills { 16 } else { 4 }, dice.between(0.08, 0.8));
    let song = |dice: &mut Dice| {
        let order: Vec<Note> =
            notes.iter().flat_map(|it| std::iter::repeat_n(*it, dice.count(1.max(most / 3), most))).collect();
        let length_s: f64 = order.iter().map(|it| it.length_s + it.pause_s).sum();
        let mut tape = Tape::silence(rate, length_s.min(seconds));
        let mut at_s = 0.0;
        for it in order {
            tape.mix(at_s, &whistled(rate, it, overtone), dice.between(0.6, 1.0));
            at_s += it.length_s + it.pause_s;
        }
        tape
    };
    calls((rate, seconds), dice, song, |dice| rest_s * dice.about(0.6))
}

fn note(base: f64, sweep: f64, longest_s: f64, dice: &mut Dice) -> Note {
    let length_s = dice.ratio(0.03, longest_s.max(0.05));
    let tremble = if dice.chance(0.25) { (dice.between(20.0, 90.0), dice.between(0.02, 0.15)) } else { (0.0, 0.0) };
    Note {
        length_s,
        pause_s: dice.ratio(0.015, 0.12),
        from: base * dice.ratio(1.0 / sweep, sweep),
        to: base * dice.ratio(1.0 / sweep, sweep),
        bend: dice.normal() * 0.12,
        tremble,
    }
}

fn whistled(rate: f64, note: Note, overtone: f64) -> Tape {
    let pitch = |t: f64| {
        let share = t / note.length_s;
        let bent = 1.0 + note.bend * (PI * share).sin() + note.tremble.1 * (TAU * note.tremble.0 * t).sin();
        note.from * (note.to / note.from).powf(share) * bent
    };
    let mut tape = Tape::tone(rate, note.length_s, Wave::Sine, pitch);
    tape.mix(0.0, &Tape::tone(rate, note.length_s, Wave::Sine, |t| 2.0 * pitch(t)), overtone);
    tape.shaped(|t| arch(t / note.length_s, 0.35))
}

/// A meow: the mouth opens from "mi" to "a" and closes to "u" over a gliding voice.
fn cat(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let size = dice.ratio(0.75, 1.5);
    let (pitch, rise) = (size * dice.ratio(350.0, 700.0), dice.between(0.1, 0.5));
    let length_s = dice.ratio(0.3, 1.5);
    let (rough, breath) = (dice.ratio(0.003, 0.04), dice.ratio(0.02, 0.2));
    let (top, fall) = (dice.between(0.2, 0.6), dice.between(0.1, 0.4));
    let tilt = dice.normal() * 0.15;
    let yowl = if dice.chance(0.25) { dice.between(0.02, 0.08) } else { 0.0 };
    let meow = |dice: &mut Dice| {
        let length_s = (length_s * dice.about(0.3)).min(0.9 * seconds);
        let pitch = pitch * dice.about(0.1);
        let glide = |t: f64| {
            let share = t / length_s;
            let sung = 1.0 + rise * arch(share, top) - fall * (share - top).max(0.0) + tilt * (share - 0.5);
            pitch * sung * (1.0 + yowl * (TAU * 6.0 * t).sin())
        };
        let source = folds((rate, length_s), rough, breath, dice, glide);
        let low = throat(&source, &[(650.0 * size, 3.0, 1.0)], |t| 0.7 + 0.9 * arch(t / length_s, top));
        let high = [(2_300.0 * size, 5.0, 0.9), (3_900.0 * size, 6.0, 0.35)];
        // The second resonance falls all the way from "i" to "u": that is what says "miaow".
        let mut tape = throat(&source, &high, |t| 1.25 - 0.7 * (t / length_s));
        tape.mix(0.0, &low, 1.0);
        tape.shaped(|t| arch(t / length_s, 0.3).powf(0.7))
    };
    let rest_s = dice.ratio(0.15, 1.5);
    calls((rate, seconds), dice, meow, |dice| rest_s * dice.about(0.5))
}

/// Wings with a scraper: pulses of one steady high pitch, in chirps of a few or in one endless trill.
fn cricket(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    for singer in 0..dice.count(1, 4) {
        let hertz = dice.ratio(2_600.0, 5_600.0).min(0.38 * rate);
        let (pulses, chirps) = (dice.ratio(22.0, 55.0), dice.ratio(1.2, 4.5));
        let trills = dice.chance(0.3);
        let number = dice.count(2, 6) as f64;
        let (duty, offset) = (dice.between(0.5, 0.85), dice.between(0.0, 1.0));
        let loud = if singer == 0 { 1.0 } else { dice.ratio(0.1, 0.8) };
        let unsteady = Steps::new(3.0, dice);
        let gate = move |t: f64| {
            let slow = unsteady.at(t);
            let since_s = ((t + 0.06 * slow) * chirps + offset).rem_euclid(1.0) / chirps;
            let at = since_s * pulses;
            if !trills && at >= number {
                return 0.0;
            }
            let within = if trills { (t * pulses).fract() } else { at.fract() };
            let grows = if trills { 1.0 } else { 0.6 + 0.4 * (at / number) };
            if within < duty { grows * (PI * within / duty).sin().powi(2) } else { 0.0 }
        };
        let mut song = Tape::tone(rate, seconds, Wave::Sine, |_| hertz);
        song.mix(0.0, &Tape::tone(rate, seconds, Wave::Sine, |_| 2.0 * hertz), dice.between(0.02, 0.2));
        if dice.chance(0.25) {
            // A scraper on coarse teeth rasps more than it rings.
            let rasp = Tape::noise(rate, seconds, dice).filtered(Pass::Band, hertz, 6.0);
            song.mix(0.0, &rasp, dice.between(1.0, 4.0));
        }
        tape.mix(0.0, &song.shaped(gate), loud);
    }
    tape
}

/// Pulses of the throat let the air sac ring: slow and deep in bullfrogs, rattling in tree frogs ("ribbit").
fn frog(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let deep = dice.chance(0.45);
    let (sac, pulses, length_s) = if deep {
        (dice.ratio(180.0, 420.0), dice.ratio(28.0, 75.0), dice.ratio(0.3, 0.9))
    } else {
        (dice.ratio(600.0, 1_300.0), dice.ratio(35.0, 110.0), dice.ratio(0.1, 0.35))
    };
    let formants = [
        (sac, dice.between(3.0, 7.0), 1.0),
        (sac * dice.between(2.0, 3.2), dice.between(4.0, 9.0), dice.between(0.3, 0.9)),
        (sac * dice.between(4.0, 6.0), 6.0, dice.between(0.1, 0.4)),
    ];
    let (syllables, gain) = (dice.count(1, if deep { 2 } else { 3 }), dice.between(0.3, 1.4));
    let gap_s = dice.between(0.03, 0.09);
    let croak = |dice: &mut Dice| {
        let each_s = (length_s * dice.about(0.2)).min(0.8 * seconds / syllables as f64);
        let mut tape = Tape::silence(rate, (each_s + gap_s) * syllables as f64);
        let pulses = pulses * dice.about(0.08);
        for index in 0..syllables {
            // The second half of "ribbit" is tighter than the first.
            let lift = 1.0 + 0.25 * index as f64;
            let train = knocks((rate, each_s), dice, |t| pulses * lift * (1.0 + 0.5 * gain * (t / each_s - 0.5)));
            let one = throat(&train, &formants, |t| lift.sqrt() * (0.92 + 0.16 * t / each_s));
            let at_s = index as f64 * (each_s + gap_s);
            tape.mix(at_s, &one.shaped(|t| arch(t / each_s, 0.55).sqrt()), 0.8 + 0.2 * index as f64);
        }
        tape
    };
    let rest_s = dice.ratio(0.12, 1.0);
    calls((rate, seconds), dice, croak, |dice| rest_s * dice.about(0.5))
}

/// Rhythms of owls: length of each hoot and the pause after it, in seconds.
const HOOTS: [&[(f64, f64)]; 6] = [
    &[(0.25, 0.2), (0.18, 0.1), (0.2, 0.35), (0.4, 0.3), (0.4, 0.5)],
    &[(0.7, 0.5), (0.12, 0.12), (0.9, 0.7)],
    &[(0.3, 0.18), (0.3, 0.18), (0.3, 0.12), (0.6, 0.6)],
    &[(0.35, 1.2)],
    &[(0.45, 0.12), (0.7, 0.9)],
    &[(0.2, 0.06), (0.2, 0.06), (0.2, 0.06), (0.2, 0.06), (0.2, 0.06), (0.2, 0.6)],
];

/// Hoots: a soft, deep and almost pure whistle, in the rhythm of its kind.
fn owl(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let pitch = dice.ratio(230.0, 750.0);
    let rhythm = *dice.pick(&HOOTS);
    let (slow, droop) = (dice.ratio(0.75, 1.5), dice.between(0.02, 0.15));
    let quaver = if dice.chance(0.35) { dice.between(0.2, 0.6) } else { 0.0 };
    let (partials, breath) = ([dice.ratio(0.03, 0.35), dice.ratio(0.01, 0.12)], dice.ratio(0.01, 0.08));
    let (swell, beats) = (dice.between(0.2, 0.6), dice.between(9.0, 16.0));
    let hooting = |dice: &mut Dice| {
        let length_s: f64 = rhythm.iter().map(|(hoot, pause)| slow * (hoot + pause)).sum();
        let mut tape = Tape::silence(rate, length_s);
        let mut at_s = 0.0;
        for &(hoot, pause) in rhythm {
            let (hoot, pitch) = (slow * hoot * dice.about(0.1), pitch * dice.about(0.03));
            let glide = |t: f64| pitch * (0.93 + 0.07 * arch(t / hoot, swell) - droop * (t / hoot).powi(3));
            let mut one = Tape::tone(rate, hoot, Wave::Sine, glide);
            for (order, gain) in [2.0, 3.0].into_iter().zip(partials) {
                one.mix(0.0, &Tape::tone(rate, hoot, Wave::Sine, |t| order * glide(t)), gain);
            }
            one.mix(0.0, &Tape::noise(rate, hoot, dice).filtered(Pass::Band, 1.5 * pitch, 2.0), breath);
            // Tawny owls let the long hoot quaver.
            let tremor = |t: f64| 1.0 - quaver * (0.5 + 0.5 * (TAU * beats * t).sin());
            tape.mix(at_s, &one.shaped(|t| arch(t / hoot, swell) * tremor(t)), dice.between(0.7, 1.0));
            at_s += hoot + slow * pause;
        }
        tape
    };
    calls((rate, seconds), dice, hooting, |dice| dice.ratio(0.05, 0.8))
}

/// Syllables of a crow: start, end, pitch at the start, in the middle and at the end, as shares of the whole.
const CROWS: [&[(f64, f64, [f64; 3])]; 3] = [
    &[(0.0, 0.1, [0.7, 0.95, 0.85]), (0.16, 0.3, [0.8, 1.05, 0.95]), (0.32, 1.0, [0.85, 1.0, 0.62])],
    &[
        (0.0, 0.13, [0.65, 0.95, 0.8]),
        (0.2, 0.3, [0.8, 1.05, 1.0]),
        (0.32, 0.45, [0.9, 1.08, 0.95]),
        (0.47, 1.0, [0.9, 1.05, 0.6]),
    ],
    &[(0.0, 0.12, [0.75, 0.95, 0.9]), (0.18, 0.62, [0.85, 1.05, 1.0]), (0.64, 1.0, [0.95, 0.9, 0.6])],
];

/// Cock-a-doodle-doo: a loud, harsh voice with a strong second partial; the last syllable is long and falls.
fn rooster(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let pitch = dice.ratio(430.0, 1_000.0);
    let syllables = *dice.pick(&CROWS);
    let (rough, breath) = (dice.ratio(0.005, 0.12), dice.ratio(0.03, 0.5));
    let formants = [
        (dice.ratio(1_300.0, 2_200.0), dice.between(2.0, 5.0), 1.0),
        (dice.ratio(700.0, 1_100.0), 2.0, dice.between(0.1, 0.5)),
        (dice.ratio(2_800.0, 4_200.0), 4.0, dice.between(0.1, 0.5)),
    ];
    let length_s = dice.ratio(1.2, 2.8).min(0.92 * seconds);
    let crow = |dice: &mut Dice| {
        let mut tape = Tape::silence(rate, length_s);
        for &(from, to, [start, middle, end]) in syllables {
            let each_s = (to - from) * length_s;
            let glide = |t: f64| {
                let share = t / each_s;
                let up = (share * 5.0).min(1.0);
                pitch * (start + (middle - start) * up + (end - middle) * share.powf(2.5))
            };
            let one = throat(&folds((rate, each_s), rough, breath, dice, glide), &formants, |_| 1.0);
            let one = one.faded(0.02, 0.03 + 0.1 * each_s);
            tape.mix(from * length_s, &one, if from == 0.0 { dice.between(0.4, 0.9) } else { 1.0 });
        }
        tape.driven(dice.ratio(0.8, 3.0)).filtered(Pass::High, 120.0, 0.7)
    };
    let rest_s = dice.ratio(0.4, 6.0);
    calls((rate, seconds), dice, crow, |dice| rest_s * dice.about(0.4))
}

/// Wings that beat a few hundred times a second, coming and going; a lone bee up to a swarm.
fn bee(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let swarm = dice.chance(0.3);
    let number = if swarm { dice.count(5, 9) } else { dice.count(1, 3) };
    let base = dice.ratio(120.0, 320.0);
    let mut tape = Tape::silence(rate, seconds);
    for index in 0..number {
        let hertz = base * dice.about(if swarm { 0.15 } else { 0.06 });
        let (drift, near) = (Steps::new(dice.ratio(0.8, 4.0), dice), Steps::new(dice.ratio(0.5, 2.5), dice));
        let (bends, flutters) = (dice.ratio(0.01, 0.07), dice.ratio(0.003, 0.02));
        let depth = if swarm { 0.4 } else { dice.between(0.3, 1.2) };
        let mut chance = dice.fork();
        let (mut phase, mut flutter) = (0.0_f64, 0.0);
        let wings = Tape::from_fn(rate, seconds, |t| {
            flutter = 0.99 * flutter + 0.14 * chance.between(-1.7, 1.7);
            let step = hertz * (1.0 + bends * drift.at(t) + flutters * flutter).max(0.2) / rate;
            phase = (phase + step).fract();
            (stroke(phase, step) + 0.05 * chance.between(-1.0, 1.0)) * (depth * near.at(t).min(1.2) - 0.3).exp()
        });
        tape.mix(0.0, &wings, if index == 0 { 1.0 } else { dice.ratio(0.3, 1.0) });
    }
    let tape = tape.filtered(Pass::Low, dice.ratio(1_200.0, 6_000.0), 0.7).filtered(Pass::High, 0.8 * base, 0.7);
    let body = tape.clone().filtered(Pass::Band, dice.ratio(400.0, 1_500.0), 2.0);
    let mut both = tape.gained(0.6);
    both.mix(0.0, &body, dice.between(0.3, 1.2));
    both
}

/// Barks: short bursts of a rough voice while the mouth snaps open and shut, in groups; from terrier to mastiff.
fn dog(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let size = dice.ratio(0.55, 1.9);
    let (pitch, rise) = (dice.ratio(260.0, 520.0) * size, dice.between(0.15, 0.6));
    let (rough, breath) = (dice.ratio(0.02, 0.2), dice.ratio(0.15, 1.2));
    let formants = [
        (dice.ratio(600.0, 900.0) * size, dice.between(1.5, 4.0), 1.0),
        (dice.ratio(1_200.0, 1_900.0) * size, dice.between(2.0, 4.0), dice.between(0.2, 0.8)),
        (dice.ratio(2_400.0, 3_400.0) * size, 3.0, dice.between(0.05, 0.3)),
    ];
    let (length_s, top) = (dice.ratio(0.08, 0.3) / size.sqrt(), dice.between(0.15, 0.4));
    let drive = dice.ratio(0.8, 4.0);
    let bark = |dice: &mut Dice| {
        let length_s = length_s * dice.about(0.2);
        let pitch = pitch * dice.about(0.08);
        let glide = |t: f64| pitch * (0.75 + rise * arch(t / length_s, top));
        let one = throat(&folds((rate, length_s), rough, breath, dice, glide), &formants, |t| {
            0.75 + 0.4 * arch(t / length_s, top)
        });
        one.driven(drive).shaped(|t| (t / 0.008).min(1.0) * arch(t / length_s, 0.25).powf(1.3))
    };
    let (short_s, long_s, most) = (dice.ratio(0.06, 0.35), dice.ratio(0.4, 2.0), dice.count(1, 5));
    let mut left = dice.count(1, most);
    calls((rate, seconds), dice, bark, |dice| {
        left = left.saturating_sub(1);
        if left > 0 {
            return short_s * dice.about(0.3);
        }
        left = dice.count(1, most);
        long_s * dice.about(0.4)
    })
}
