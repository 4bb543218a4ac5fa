//! What is blown, clapped, or beats by itself: flute, whistle, applause, heartbeat.

use std::f64::consts::TAU;

use super::super::super::Dice;
use super::super::tape::{Mode, Pass, Tape};
use super::{Blow, moments, ring, tick};

/// A kind of flute.
#[derive(Clone, Copy)]
struct Pipe {
    /// Loudness of the harmonics.
    harmonics: [f64; 6],
    /// Loudness of the breath.
    breath: f64,
    /// Depth of the vibrato, as a share of the frequency, and its rate.
    vibrato: (f64, f64),
    /// How far below its pitch a note begins, as a share.
    scoop: f64,
}

/// Orchestra, recorder, pan pipes and bamboo, each a little different every time.
fn pipe(dice: &mut Dice) -> Pipe {
    let (harmonics, breath, depth, scoop) = match dice.count(0, 3) {
        0 => ([1.0, 0.7, 0.35, 0.15, 0.08, 0.04], 0.06, dice.between(0.003, 0.012), 0.01),
        1 => ([1.0, 0.08, 0.3, 0.04, 0.1, 0.02], 0.03, dice.between(0.0, 0.004), 0.015),
        2 => ([1.0, 0.05, 0.2, 0.02, 0.04, 0.01], 0.35, dice.between(0.0, 0.008), 0.05),
        _ => ([1.0, 0.5, 0.15, 0.1, 0.03, 0.02], 0.2, dice.between(0.004, 0.02), dice.between(0.0, 0.12)),
    };
    Pipe {
        harmonics: harmonics.map(|gain| gain * dice.about(0.4)),
        breath: breath * dice.ratio(0.4, 2.0),
        vibrato: (depth, dice.between(4.0, 6.5)),
        scoop,
    }
}

/// One blown note: the breath starts first, the tone settles into its pitch, the vibrato comes in late.
fn note(rate: f64, seconds: f64, hertz: f64, pipe: Pipe, dice: &mut Dice) -> Tape {
    let (depth, vibrato_hz) = pipe.vibrato;
    let attack_s = dice.ratio(0.015, 0.08).min(0.3 * seconds);
    let start = dice.between(0.0, TAU);
    let mut phase = 0.0_f64;
    let tone = Tape::from_fn(rate, seconds, |t| {
        let swing = (TAU * vibrato_hz * t + start).sin() * (t / 0.4).min(1.0);
        let now = hertz * (1.0 + depth * swing) * (1.0 - pipe.scoop * (-t / 0.05).exp());
        phase = (phase + now / rate).fract();
        let heard = pipe.harmonics.iter().enumerate().filter(|(n, _)| now * (*n as f64 + 1.0) < 0.45 * rate);
        let sum: f64 = heard.map(|(n, gain)| gain * (TAU * phase * (n as f64 + 1.0)).sin()).sum();
        sum * (1.0 + 12.0 * depth * swing)
    });
    let mut noted = tone.faded(attack_s, (0.25 * seconds).min(0.08));
    let air = Tape::noise(rate, seconds, &mut dice.fork());
    let near = air.clone().filtered(Pass::Band, hertz * 1.02, 5.0);
    let wide = air.filtered(Pass::Band, (hertz * 3.0).min(6_000.0), 0.6);
    let chiff = dice.between(0.5, 3.0);
    let puff = |t: f64| 1.0 + chiff * (-t / 0.03).exp();
    noted.mix(0.0, &near.shaped(puff).faded(0.005, 0.05), 4.0 * pipe.breath);
    noted.mix(0.0, &wide.shaped(puff).faded(0.005, 0.05), pipe.breath);
    noted
}

pub(super) fn flute(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    const SCALES: [[i32; 8]; 3] = [[0, 2, 4, 5, 7, 9, 11, 12], [0, 2, 3, 5, 7, 8, 10, 12], [0, 2, 4, 7, 9, 12, 14, 16]];
    let pipe = pipe(dice);
    let scale = dice.pick(&SCALES);
    let tonic = dice.ratio(260.0, 1_050.0);
    let beat_s = dice.ratio(0.14, 0.9);
    let mut tape = Tape::silence(rate, seconds);
    let mut at = dice.between(0.0, 0.15);
    let mut degree = dice.count(0, 7) as i32;
    while at < seconds - 0.05 {
        let beats = *dice.pick(&[1.0, 1.0, 1.0, 2.0, 2.0, 4.0]);
        let length = (beats * beat_s).min(seconds - at);
        let hertz = tonic * 2.0_f64.powf(f64::from(scale[degree.clamp(0, 7) as usize]) / 12.0);
        let sounding = length * dice.between(0.85, 1.0);
        tape.mix(at, &note(rate, sounding, hertz, pipe, dice), dice.about(0.25));
        at += length;
        if dice.chance(0.1) {
            at += dice.between(0.2, 0.5);
        }
        degree = (degree + dice.count(0, 4) as i32 - 2).clamp(0, 7);
    }
    tape
}

pub(super) fn whistle(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    // A whistle above what the recording can hold would be heard as breath alone, which nobody would keep.
    let hertz = dice.ratio(1_900.0, 4_000.0).min(0.4 * rate);
    let pea = dice.chance(0.75);
    let manner = dice.count(0, 3);
    let trill_hz = dice.ratio(16.0, 42.0);
    let breath = dice.ratio(0.05, 0.5);
    let mut tape = Tape::silence(rate, seconds);
    let mut at = dice.between(0.0, 0.25);
    let mut turn = 0;
    while at < seconds - 0.08 {
        let length = match manner {
            0 => dice.between(0.6, 2.5),
            1 => dice.between(0.12, 0.3),
            // Full time: two short blasts and a long one.
            2 if turn % 3 < 2 => dice.between(0.18, 0.35),
            2 => dice.between(0.8, 1.8),
            _ => dice.ratio(0.15, 1.5),
        };
        let length = length.min(seconds - at);
        let blown = if pea { blast(rate, length, hertz, trill_hz, dice) } else { pealess(rate, length, hertz, dice) };
        tape.mix(at, &with_breath(blown, hertz, breath, dice), dice.about(0.2));
        at += length + if dice.chance(0.6) { dice.between(0.06, 0.25) } else { dice.between(0.3, 1.2) };
        turn += 1;
    }
    tape
}

/// A referee's whistle: the pea runs round and shuts the hole in turn, which sways loudness and pitch.
fn blast(rate: f64, seconds: f64, hertz: f64, trill_hz: f64, dice: &mut Dice) -> Tape {
    let (sway, shut, overtone) = (dice.between(0.01, 0.05), dice.between(0.4, 0.95), dice.between(0.03, 0.25));
    let mut unsteady = dice.fork();
    let (mut phase, mut turn, mut speed) = (0.0_f64, 0.0_f64, 1.0);
    let tone = Tape::from_fn(rate, seconds, |t| {
        if unsteady.chance(40.0 / rate) {
            speed = unsteady.about(0.25);
        }
        // The pea takes a moment to get going, and the pitch falls when the breath ends.
        let blown = (t / 0.04).min(1.0) * ((seconds - t) / 0.03).clamp(0.0, 1.0);
        turn = (turn + trill_hz * speed * (0.6 + 0.4 * blown) / rate).fract();
        let round = (TAU * turn).cos();
        phase = (phase + hertz * (1.0 + sway * round) * (0.93 + 0.07 * blown) / rate).fract();
        let high = if 2.0 * hertz < 0.42 * rate { overtone * (2.0 * TAU * phase).sin() } else { 0.0 };
        ((TAU * phase).sin() + high) * (1.0 - shut * (0.5 - 0.5 * round).powi(2))
    });
    tone.faded(0.015, 0.03)
}

/// A whistle without a pea: two or three chambers out of tune, whose beating is as rough as a trill.
fn pealess(rate: f64, seconds: f64, hertz: f64, dice: &mut Dice) -> Tape {
    let chambers = [1.0, 1.0 - dice.between(0.02, 0.06), 1.0 - dice.between(0.05, 0.12)];
    let modes: Vec<Mode> =
        chambers.iter().map(|ratio| Mode { hertz: hertz * ratio, gain: dice.about(0.4), t60_s: 1e3 }).collect();
    let blow = Blow { attack_s: 0.02, bend: -0.08, settle_s: 0.02 };
    ring(rate, seconds, &modes, blow, dice).driven(1.5).faded(0.01, 0.04)
}

/// The breath that is heard beside the tone.
fn with_breath(mut tone: Tape, hertz: f64, breath: f64, dice: &mut Dice) -> Tape {
    let air = Tape::noise(tone.rate, tone.seconds(), &mut dice.fork());
    tone.mix(0.0, &air.filtered(Pass::Band, 1.1 * hertz, 0.8).faded(0.01, 0.04), breath);
    tone
}

pub(super) fn applause(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let people = dice.ratio(1.0, 220.0) as usize;
    let mut tape = Tape::silence(rate, seconds);
    let bright = dice.about(0.3);
    let pairs: Vec<Vec<Tape>> = (0..people.min(14)).map(|_| hands(rate, bright, dice)).collect();
    // At times a crowd falls into step.
    let together = people > 3 && dice.chance(0.12);
    let (common_s, common_at) = (dice.between(0.28, 0.5), dice.between(0.0, 0.2));
    for person in 0..people {
        let gap_s = if together { common_s } else { dice.ratio(0.16, 0.42) };
        let loose = dice.between(0.03, 0.15);
        let gain = if person == 0 { 1.0 } else { dice.ratio(0.15, 1.0) };
        let mut at = if together { common_at } else { dice.between(0.0, gap_s) };
        while at < seconds {
            let clap = dice.pick(&pairs[person % pairs.len()]);
            tape.mix(at + if together { dice.between(0.0, 0.05) } else { 0.0 }, clap, gain * dice.about(0.3));
            at += gap_s * if together { 1.0 } else { dice.about(loose) };
        }
    }
    let (swell, dwindle) = (dice.chance(0.3), dice.chance(0.3));
    tape.shaped(|t| {
        let rise = if swell { 0.15 + 0.85 * (2.0 * t / seconds).min(1.0) } else { 1.0 };
        let fall = if dwindle { 0.15 + 0.85 * (2.0 * (1.0 - t / seconds)).clamp(0.0, 1.0) } else { 1.0 };
        rise * fall
    })
}

/// The claps of one pair of hands: flat palms are sharp, cupped hands deep (Repp 1987 finds peaks of 0.5 to 3 kHz).
fn hands(rate: f64, bright: f64, dice: &mut Dice) -> Vec<Tape> {
    let hertz = dice.ratio(600.0, 2_400.0) * bright;
    let (q, t60_s) = (dice.between(0.9, 2.5), dice.ratio(0.03, 0.09));
    (0..4)
        .map(|_| {
            let mut clap = tick(rate, hertz * dice.about(0.15), q, t60_s, dice);
            clap.mix(0.0, &tick(rate, 3.2 * hertz, 0.6, 0.02, dice), 0.5);
            clap
        })
        .collect()
}

pub(super) fn heartbeat(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let beat_s = 60.0 / dice.ratio(48.0, 150.0);
    let hertz = dice.ratio(38.0, 95.0);
    let first = valves(rate, hertz, dice.ratio(0.1, 0.22), dice);
    let second = valves(rate, hertz * dice.between(1.1, 1.6), dice.ratio(0.07, 0.15), dice);
    let softer = dice.between(0.35, 1.0);
    // The pause within a beat shortens less than the pause between beats.
    let within_s = (0.3 * beat_s.sqrt() * dice.between(0.85, 1.1)).min(0.45 * beat_s);
    let murmur = dice.chance(0.15);
    let rush = Tape::noise(rate, within_s, &mut dice.fork()).filtered(Pass::Band, dice.ratio(120.0, 350.0), 1.0);
    let rush = rush.faded(0.05, 0.05);
    let waver = dice.between(0.01, 0.08);
    for at in moments(seconds, dice, |dice| beat_s * dice.about(waver)) {
        tape.mix(at, &first, dice.about(0.15));
        tape.mix(at + within_s, &second, softer * dice.about(0.15));
        if murmur {
            tape.mix(at + 0.04, &rush, 0.4);
        }
    }
    if dice.chance(0.3) {
        // A stethoscope lets the skin's rustle through.
        let skin = Tape::noise(rate, seconds, &mut dice.fork()).filtered(Pass::Low, dice.ratio(80.0, 300.0), 0.6);
        tape.mix(0.0, &skin, dice.between(0.01, 0.08));
    }
    let tape = tape.normalised(1.0).driven(dice.ratio(0.8, 5.0));
    tape.filtered(Pass::Low, dice.ratio(180.0, 1_200.0), 0.7)
}

/// Valves closing: a dull thud in flesh, a few overlapping low vibrations and hardly a click.
fn valves(rate: f64, hertz: f64, t60_s: f64, dice: &mut Dice) -> Tape {
    let modes: Vec<Mode> = [1.0, 1.45, 2.1, 3.3, 4.7]
        .iter()
        .map(|ratio| {
            let gain = dice.about(0.4) / (ratio * ratio);
            Mode { hertz: hertz * ratio * dice.about(0.1), gain, t60_s: 1.6 * t60_s / f64::sqrt(*ratio) }
        })
        .collect();
    let blow = Blow { attack_s: dice.between(0.008, 0.025), bend: dice.between(0.0, 0.4), settle_s: 0.04 };
    ring(rate, 2.2 * t60_s, &modes, blow, dice)
}
