//! Throats: a baby that cries, a person who sneezes.

use std::f64::consts::{PI, TAU};

use super::super::Dice;
use super::super::tape::{Pass, Tape};
use super::{Formant, repeated, through, voiced, wander};

/// How a baby cries.
#[derive(Clone, Copy)]
struct Cry {
    /// Pitch in hertz.
    pitch: f64,
    /// Lengths of one wail, shortest and longest.
    wail_s: (f64, f64),
    /// Hoarseness from 0 to 1.
    rough: f64,
    /// How steeply the partials fall: 0.5 is dull, 0.95 piercing.
    bright: f64,
    /// How far pitch rises in a wail, in octaves.
    arch: f64,
    /// How much of the air between two wails is heard.
    gasp: f64,
}

/// Wails of an open mouth one after another, with gasps for air between them.
pub(super) fn baby(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mood = dice.count(0, 3);
    let cry = Cry {
        pitch: dice.ratio(300.0, 620.0) * if mood == 2 { 1.25 } else { 1.0 },
        // A rhythmic cry, sobs, a scream, a mixture of short and long.
        wail_s: [(0.5, 1.2), (0.1, 0.35), (0.9, 2.2), (0.12, 1.5)][mood],
        rough: dice.between(0.0, 0.5) + if dice.chance(0.25) { 0.4 } else { 0.0 },
        bright: dice.between(0.72, 0.93),
        arch: dice.between(0.1, 0.75),
        gasp: dice.between(0.0, 0.3),
    };
    let mouth: [Formant; 4] = [
        (cry.pitch.max(dice.between(850.0, 1_300.0)), dice.between(2.5, 5.0), 1.0),
        (dice.between(1_800.0, 3_000.0), dice.between(3.0, 7.0), dice.between(0.4, 1.2)),
        (dice.between(3_300.0, 4_600.0), 6.0, dice.between(0.3, 1.1)),
        (dice.between(5_500.0, 8_000.0), 5.0, dice.between(0.05, 0.5)),
    ];
    let pauses_s = if mood == 1 { (0.04, 0.25) } else { (0.04, dice.ratio(0.2, 1.2)) };
    repeated((rate, seconds), pauses_s, dice, |dice| {
        let wail = wail(rate, cry, &mouth, dice);
        if dice.chance(0.5) {
            return wail;
        }
        let mut both = Tape::silence(rate, wail.seconds() + dice.between(0.25, 0.4));
        both.mix(0.0, &wail, 1.0);
        both.mix(wail.seconds() + 0.04, &gasp(rate, cry, dice), cry.gasp);
        both
    })
}

/// One breath of crying: pitch rises and falls, the throat trembles and at times breaks into half the pitch.
fn wail(rate: f64, cry: Cry, mouth: &[Formant], dice: &mut Dice) -> Tape {
    let length_s = dice.ratio(cry.wail_s.0, cry.wail_s.1);
    let (pitch, skew, arch) = (cry.pitch * dice.about(0.12), dice.ratio(0.4, 1.4), cry.arch * dice.about(0.5));
    let (trembles, depth) = (dice.between(5.0, 11.0), dice.between(0.0, 0.03));
    let drift = wander(2.5, dice);
    let hertz = |t: f64| {
        let share = (t / length_s).clamp(0.0, 1.0);
        let arch = arch * ((PI * share.powf(skew)).sin() - 0.4) + 0.06 * drift(t);
        pitch * arch.exp2() * (1.0 + depth * (TAU * trembles * t).sin())
    };
    let mut throat = voiced(rate, length_s, cry.bright, hertz);
    if dice.chance(cry.rough) {
        // Overblown vocal folds close fully only at every other swing.
        let depth = dice.between(0.2, 0.7);
        let mut phase = 0.0;
        throat = throat.shaped(|t| {
            phase += 0.5 * hertz(t) / rate;
            1.0 - depth * (0.5 + 0.5 * (TAU * phase).sin())
        });
    }
    throat.mix(0.0, &Tape::noise(rate, length_s, dice), 0.05 + 0.5 * cry.rough * dice.between(0.2, 1.0));
    let push = wander(4.0, dice);
    // No two wails have the same vowel.
    let mouth: Vec<Formant> =
        mouth.iter().map(|(hertz, q, gain)| (hertz * dice.about(0.12), *q, gain * dice.about(0.4))).collect();
    let cry = through(&throat, &mouth, 0.25).shaped(|t| 1.0 + 0.25 * push(t));
    cry.faded(dice.ratio(0.02, 0.12), dice.ratio(0.06, 0.3).min(0.4 * length_s)).normalised(1.0)
}

/// Air drawn in quickly, at times with a squeak.
fn gasp(rate: f64, cry: Cry, dice: &mut Dice) -> Tape {
    let length_s = dice.between(0.12, 0.28);
    let (from, to) = (dice.between(1_000.0, 2_000.0), dice.between(2_000.0, 4_500.0));
    let mut air = Tape::noise(rate, length_s, dice).swept(Pass::Band, 2.0, |t| from + (to - from) * t / length_s);
    if dice.chance(0.5) {
        let high = cry.pitch * dice.between(1.2, 2.2);
        air.mix(0.0, &voiced(rate, length_s, 0.5, |t| high * (1.0 + 0.5 * t / length_s)), dice.between(0.05, 0.3));
    }
    air.faded(0.08, 0.05).normalised(0.8)
}

/// "Ah - ah - tchoo!": a breath drawn in, a shout, a blast of air that dies away. Some sneeze once, some again.
pub(super) fn sneeze(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let pitch = dice.ratio(130.0, 480.0);
    let again = if dice.chance(0.45) { (8.0, 9.0) } else { (0.3, 2.2) };
    // In a short recording there is no time for a long breath before it.
    let breath_s = if seconds < 2.0 { 0.15 } else { 0.6 };
    let (breathes, shouts, blows) = (dice.chance(0.6), dice.between(0.0, 1.0), dice.between(0.7, 1.6));
    repeated((rate, seconds), again, dice, |dice| {
        let mut tape = Tape::silence(rate, 2.4);
        let mut at_s = 0.0;
        if breathes && dice.chance(0.8) {
            at_s = inhale(&mut tape, pitch, breath_s, dice);
        }
        let burst_s = at_s + shout(&mut tape, at_s, (pitch, shouts), dice);
        let end_s = burst_s + blast(&mut tape, burst_s, (pitch, shouts, blows), dice);
        tape.samples.truncate((end_s * rate) as usize);
        tape.normalised(1.0)
    })
}

/// The breath before, in one to three jerks; says how long it took.
fn inhale(tape: &mut Tape, pitch: f64, longest_s: f64, dice: &mut Dice) -> f64 {
    let rate = tape.rate;
    let (mut at_s, jerks) = (0.0, if longest_s > 0.3 { dice.count(1, 3) } else { 1 });
    for _ in 0..jerks {
        let length_s = longest_s * dice.between(0.4, 1.0) / jerks as f64;
        let hertz = dice.between(900.0, 2_600.0);
        let mut breath = Tape::noise(rate, length_s, dice).swept(Pass::Band, 1.2, |t| hertz * (1.0 + t / length_s));
        if dice.chance(0.35) {
            let ah = voiced(rate, length_s, 0.7, |t| pitch * (0.9 + 0.4 * t / length_s));
            breath.mix(0.0, &through(&ah, &[(750.0, 4.0, 1.0), (1_250.0, 5.0, 0.6)], 0.1), dice.between(0.1, 0.6));
        }
        tape.mix(at_s, &breath.faded(0.6 * length_s, 0.03).normalised(1.0), dice.between(0.04, 0.25));
        at_s += length_s + dice.between(0.02, 0.12);
    }
    at_s
}

/// The vowel before the blast, which breaks off when the tongue shuts the mouth; says how long it took.
fn shout(tape: &mut Tape, at_s: f64, (pitch, loud): (f64, f64), dice: &mut Dice) -> f64 {
    let length_s = dice.ratio(0.05, 0.28);
    let (from, to) = (pitch * dice.between(0.8, 1.3), pitch * dice.between(0.9, 1.7));
    let mut throat = voiced(tape.rate, length_s, dice.between(0.75, 0.92), |t| from + (to - from) * t / length_s);
    throat.mix(0.0, &Tape::noise(tape.rate, length_s, dice), dice.between(0.15, 1.2));
    let mouth =
        [(dice.between(550.0, 950.0), 4.0, 1.0), (dice.between(1_200.0, 2_100.0), 5.0, 0.8), (2_900.0, 5.0, 0.5)];
    let vowel = through(&throat, &mouth, 0.1).faded(0.015, 0.015).normalised(0.9);
    tape.mix(at_s, &vowel, loud.min(1.0));
    length_s + dice.between(0.005, 0.06)
}

/// The blast: hissing air whose colour darkens as the lips round, over a voice that falls; says how long it took.
fn blast(tape: &mut Tape, at_s: f64, (pitch, loud, air): (f64, f64, f64), dice: &mut Dice) -> f64 {
    let (rate, length_s) = (tape.rate, dice.ratio(0.15, 0.6));
    let (bright, dark) = (dice.ratio(3_000.0, 7_500.0), dice.ratio(800.0, 2_500.0));
    let q = dice.between(0.35, 1.1);
    let colour = |t: f64| dark + (bright - dark) * (-t / (0.35 * length_s)).exp();
    let hiss = Tape::noise(rate, length_s, dice).swept(Pass::Band, q, colour).struck(0.004, length_s * 1.6);
    tape.mix(at_s, &hiss.normalised(1.0), air);
    let wide = Tape::noise(rate, length_s, dice).filtered(Pass::High, 400.0, 0.7).struck(0.002, dice.ratio(0.06, 0.5));
    tape.mix(at_s, &wide.normalised(0.8), air * dice.between(0.3, 1.0));
    // The air strikes the microphone.
    let pop = Tape::noise(rate, 0.15, dice).filtered(Pass::Low, dice.ratio(150.0, 900.0), 0.7).struck(0.004, 0.14);
    tape.mix(at_s, &pop.normalised(1.0), dice.between(0.0, 0.8));
    let fall = dice.between(0.35, 0.85);
    let mut throat = voiced(rate, length_s, dice.between(0.6, 0.9), |t| 1.15 * pitch * fall.powf(t / length_s));
    throat.mix(0.0, &Tape::noise(rate, length_s, dice), dice.between(0.2, 1.5));
    let mouth = [(dice.between(320.0, 700.0), 4.0, 1.0), (dice.between(800.0, 1_500.0), 5.0, 0.6), (2_500.0, 5.0, 0.3)];
    let voice =
        through(&throat, &mouth, 0.05).faded(0.02, 0.6 * length_s).struck(0.001, 2.0 * length_s).normalised(1.0);
    tape.mix(at_s + dice.between(0.0, 0.06), &voice, loud * dice.between(0.05, 0.6));
    length_s + 0.06
}
