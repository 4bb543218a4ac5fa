//! Things: a clock, a pane, a zip, a bomb, a spring, a door.

use std::f64::consts::TAU;

use super::super::Dice;
use super::super::tape::{Pass, Tape, Wave};
use super::{Formant, puff, repeated, ring, through, voiced, wander};

/// An escapement: watch, alarm clock, quartz wall clock or pendulum, strictly regular, often tick and tock in turn.
pub(super) fn clock(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let kind = dice.count(0, 4);
    let period_s = match kind {
        0 => *dice.pick(&[0.2, 0.2, 0.167, 0.25, 0.4]),
        1 => dice.between(0.2, 0.55),
        2 | 3 => *dice.pick(&[1.0, 1.0, 1.0, 0.5]),
        _ => dice.between(0.35, 1.0),
    } * dice.about(0.01);
    let to = beat_sound(rate, kind, dice);
    // The two halves of a swing strike unlike parts of the anchor.
    let fro = if dice.chance(0.6) { beat_sound(rate, kind, dice).gained(dice.between(0.3, 1.0)) } else { to.clone() };
    let limp_s = if dice.chance(0.5) { period_s * dice.between(-0.15, 0.15) } else { 0.0 };
    let uneven = dice.between(0.0, 0.25);
    let mut tape = Tape::silence(rate, seconds);
    let mut at_s = dice.between(0.0, period_s.min(0.5));
    for beat in 0.. {
        let (part, late_s) = if beat % 2 == 0 { (&to, 0.0) } else { (&fro, limp_s) };
        if at_s + late_s >= seconds {
            break;
        }
        tape.mix(at_s + late_s, part, dice.about(uneven));
        at_s += period_s;
    }
    tape
}

/// One beat: two to four tiny impacts within milliseconds, heard through small metal parts and a case.
fn beat_sound(rate: f64, kind: usize, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, 0.35);
    let size = [2.2, 1.3, 1.0, 1.0, 0.6][kind] * dice.about(0.3);
    let mut at_s = 0.0;
    for _ in 0..dice.count(1, 4) {
        let gain = dice.between(0.3, 1.0);
        let click = puff(rate, dice.ratio(1_800.0, 5_000.0) * size, 0.7, dice.ratio(0.004, 0.06), dice);
        tape.mix(at_s, &click, 2.0 * gain);
        for _ in 0..dice.count(2, 5) {
            let (hertz, t60_s) = (dice.ratio(1_200.0, 6_000.0) * size, dice.ratio(0.01, 0.09));
            ring(&mut tape, at_s, hertz, gain * dice.between(0.05, 0.35), t60_s);
        }
        at_s += dice.ratio(0.002, 0.04);
    }
    if kind > 0 {
        for _ in 0..dice.count(1, 3) {
            let (hertz, t60_s) = (dice.ratio(140.0, 900.0) * size, dice.ratio(0.03, 0.16));
            ring(&mut tape, 0.0, hertz, dice.between(0.0, 0.35), t60_s);
        }
    }
    tape.normalised(1.0)
}

/// A pane, bottle or wine glass that shatters: a crash, then shards that ring and bounce ever more seldom.
pub(super) fn glass(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let kind = dice.count(0, 2);
    let (low, high) = [(1_200.0, 9_000.0), (1_800.0, 8_000.0), (2_600.0, 13_000.0)][kind];
    let (heavy, ringing) = ([1.0, 0.6, 0.15][kind] * dice.about(0.4), [0.09, 0.14, 0.4][kind] * dice.about(0.5));
    let tune = dice.about(0.3);
    repeated((rate, seconds), (0.1, 2.0), dice, |dice| {
        let falls_s = dice.ratio(0.15, 0.6);
        let mut tape = Tape::silence(rate, 0.25 + 4.0 * falls_s);
        crash(&mut tape, heavy, dice);
        let pieces = dice.count(25, 130);
        for piece in 0..pieces {
            let at_s =
                if piece < pieces / 4 { dice.between(0.0, 0.05) } else { -falls_s * dice.between(0.03, 1.0).ln() };
            let (first, loud) = (dice.ratio(low, high) * tune, dice.ratio(0.05, 0.6) * (-at_s / (1.6 * falls_s)).exp());
            // The partials of a bending plate are not harmonic.
            for partial in [1.0, dice.between(1.4, 1.8), dice.between(2.2, 2.9)] {
                ring(&mut tape, at_s, first * partial, loud / partial, ringing * dice.ratio(0.3, 2.0) / partial);
            }
            if piece % 3 == 0 {
                tape.mix(at_s, &puff(rate, first, 0.7, 0.012, dice), 0.6 * loud);
            }
        }
        let end_s = tape.seconds();
        tape.shaped(|t| ((end_s - t) / 0.2).min(1.0)).normalised(1.0)
    })
}

/// The moment in which it cracks: a broad burst, with a thud for a heavy pane.
fn crash(tape: &mut Tape, heavy: f64, dice: &mut Dice) {
    let rate = tape.rate;
    let crack = Tape::noise(rate, 0.4, dice).filtered(Pass::High, dice.ratio(900.0, 3_000.0), 0.7);
    tape.mix(0.0, &crack.struck(0.0005, dice.ratio(0.05, 0.4)), dice.between(0.6, 2.0));
    tape.mix(0.0, &puff(rate, dice.ratio(180.0, 700.0), 0.8, dice.ratio(0.05, 0.2), dice), 3.0 * heavy);
}

/// A slider over teeth: clicks so quick that they become a buzz, whose pitch follows the hand, up and down.
pub(super) fn zipper(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let teeth_hz = dice.ratio(50.0, 260.0);
    let (body, q, harsh) = (dice.ratio(1_500.0, 4_500.0), dice.between(1.0, 3.5), dice.between(0.1, 0.7));
    let stroke_s = dice.ratio(0.25, 1.3);
    let mut upward = dice.chance(0.5);
    repeated((rate, seconds), (0.08, 0.9), dice, |dice| {
        let length_s = stroke_s * dice.about(0.5);
        let bend = dice.between(0.3, 1.3) * if upward { 1.0 } else { -0.8 };
        upward = !upward;
        let hand = wander(2.0 / length_s, dice);
        let speed = |t: f64| (bend * (t / length_s - 0.5) + 0.18 * hand(t)).exp2();
        let mut tape = teeth(rate, length_s, harsh, |t| teeth_hz * speed(t), dice);
        let second = tape.clone().swept(Pass::Band, q, |t| 2.3 * body * speed(t).powf(0.7));
        tape = tape.swept(Pass::Band, q, |t| body * speed(t).powf(0.7));
        tape.mix(0.0, &second, dice.between(0.4, 1.2));
        let mut tape = tape.filtered(Pass::High, 500.0, 0.7).faded(0.03, 0.02).normalised(1.0);
        tape.samples.resize(((length_s + 0.06) * rate) as usize, 0.0);
        if dice.chance(0.6) {
            // The slider runs against the stop.
            tape.mix(length_s - 0.005, &puff(rate, body, 0.8, 0.03, dice), dice.between(0.3, 1.5));
        }
        tape
    })
}

/// A click a tooth, each with a breath of noise, over the rustle of cloth.
fn teeth(rate: f64, seconds: f64, harsh: f64, hertz: impl Fn(f64) -> f64, dice: &mut Dice) -> Tape {
    let (mut phase, mut level, mut strength) = (1.0, 0.0_f64, 1.0);
    let fall = (-1.0 / (0.0012 * rate)).exp();
    Tape::from_fn(rate, seconds, |t| {
        phase += hertz(t) / rate;
        let mut click = 0.0;
        if phase >= 1.0 {
            phase -= 1.0 + 0.12 * dice.normal();
            strength = dice.about(0.5);
            level = strength;
            click = 2.0 * strength;
        }
        level *= fall;
        click + dice.normal() * (level + 0.15 * harsh)
    })
}

/// A blast: a shock, a boom that sinks, a rumble that darkens, and debris that comes down.
pub(super) fn explosion(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let pauses_s = if dice.chance(0.5) { (8.0, 9.0) } else { (0.05, 1.5) };
    let (near, long) = (dice.between(0.0, 1.0), dice.ratio(0.8, 4.0));
    repeated((rate, seconds), pauses_s, dice, |dice| {
        let t60_s = long * dice.about(0.3);
        let mut tape = Tape::silence(rate, t60_s);
        let (bright, dark) = (dice.ratio(900.0, 2_000.0) * (1.0 + 5.0 * near), dice.ratio(90.0, 260.0));
        let sinks_s = t60_s * dice.between(0.06, 0.2);
        let colour = |t: f64| dark + (bright - dark) * (-t / sinks_s).exp();
        let roar = Tape::noise(rate, t60_s, dice).swept(Pass::Low, 0.7, colour);
        let roll = wander(7.0, dice);
        let roar = roar.shaped(|t| (1.0 + 0.35 * roll(t)) * (1.0 + 3.0 * (1.0 - (-t / 0.4).exp())));
        tape.mix(0.0, &roar.struck(dice.ratio(0.001, 0.02), t60_s), 1.5);
        let (from, to) = (dice.ratio(70.0, 180.0), dice.ratio(24.0, 48.0));
        let boom = Tape::tone(rate, t60_s, Wave::Sine, |t| to + (from - to) * (-t / 0.12).exp());
        tape.mix(0.0, &boom.struck(0.003, 0.7 * t60_s), dice.between(0.6, 2.0));
        let mut tape = tape.driven(dice.ratio(1.0, 5.0));
        tape.mix(0.0, &puff(rate, 2_500.0, 0.4, 0.06, dice), 3.0 * near);
        debris(&mut tape, near * dice.between(0.0, 0.4), dice);
        tape.filtered(Pass::High, 20.0, 0.7).faded(0.0, 0.3 * t60_s).normalised(1.0)
    })
}

/// Stones and splinters that rain down for a while.
fn debris(tape: &mut Tape, gain: f64, dice: &mut Dice) {
    let end_s = tape.seconds();
    for _ in 0..dice.count(0, 60) {
        let (at_s, hertz) = (dice.between(0.1, 0.9) * end_s, dice.ratio(300.0, 3_500.0));
        let piece = puff(tape.rate, hertz, 1.5, dice.ratio(0.01, 0.06), dice);
        tape.mix(at_s, &piece, gain * dice.ratio(0.1, 1.0) * (1.0 - at_s / end_s));
    }
}

/// A coil that is let go: a twang whose pitch and colour wobble ever less, as it sways.
pub(super) fn spring(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let (pitch, sways_hz) = (dice.ratio(70.0, 260.0), dice.ratio(5.0, 17.0));
    let (t60_s, colour) = (dice.ratio(0.6, 2.4), dice.ratio(500.0, 1_800.0));
    let (bend, glide, quickens) = (dice.between(0.05, 0.5), dice.between(-0.5, 0.9), dice.between(-0.3, 0.5));
    let bright = dice.between(0.75, 0.95);
    let q = dice.between(2.0, 6.0);
    repeated((rate, seconds), (0.02, 0.8), dice, |dice| {
        let (pitch, t60_s) = (pitch * dice.about(0.12), t60_s * dice.about(0.3));
        let start = dice.between(0.0, TAU);
        let sway = |t: f64| (TAU * sways_hz * t * (1.0 + quickens * t / t60_s) + start).sin();
        let calms = |t: f64| (-2.5 * t / t60_s).exp();
        let hertz = |t: f64| pitch * (glide * t / t60_s + bend * sway(t) * calms(t)).exp2();
        let twang = voiced(rate, t60_s, bright, hertz);
        let mut tape = twang.clone().swept(Pass::Band, q, |t| colour * (1.1 * sway(t) * (0.3 + calms(t))).exp2());
        let wide = twang.swept(Pass::Band, q, |t| 2.7 * colour * (0.8 * sway(t) * (0.3 + calms(t))).exp2());
        tape.mix(0.0, &wide, dice.between(0.2, 0.8));
        let depth = dice.between(0.2, 0.6);
        let mut tape = tape.shaped(|t| 1.0 - depth * (0.5 - 0.5 * sway(t))).struck(0.004, 1.1 * t60_s);
        for partial in 1..dice.count(2, 6) {
            // The wire itself rings when the coil snaps free.
            let hertz = dice.ratio(900.0, 1_400.0) * partial as f64;
            ring(&mut tape, 0.0, hertz, 0.15 / partial as f64, dice.ratio(0.05, 0.5));
        }
        tape.faded(0.0, 0.2 * t60_s).normalised(1.0)
    })
}

/// A hinge that sticks and slips, from single cracks to a squeal, heard through a wooden leaf; at times it falls shut.
pub(super) fn door(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let slips_hz = if dice.chance(0.65) { dice.ratio(18.0, 120.0) } else { dice.ratio(150.0, 600.0) };
    let size = dice.about(0.4);
    let leaf: Vec<Formant> = [310.0, 560.0, 920.0, 1_450.0, 2_300.0, 3_600.0]
        .into_iter()
        .map(|hertz: f64| (hertz * size * dice.about(0.15), dice.between(6.0, 18.0), dice.ratio(0.2, 1.0)))
        .collect();
    let (swing_s, shuts) = (dice.ratio(0.4, 2.2).min(0.8 * seconds), dice.chance(0.5));
    repeated((rate, seconds), (0.1, 0.9), dice, |dice| {
        let length_s = swing_s * dice.about(0.4);
        let creak = creak(rate, length_s, slips_hz, &leaf, dice);
        if !shuts || dice.chance(0.4) {
            return creak;
        }
        let mut tape = Tape::silence(rate, length_s + 0.6);
        tape.mix(0.0, &creak, dice.between(0.3, 1.0));
        tape.mix(length_s + dice.between(0.0, 0.15), &slam(rate, size, dice), dice.between(0.5, 1.5));
        tape
    })
}

/// One swing: pulses at a wandering rate that excite the leaf.
fn creak(rate: f64, seconds: f64, slips_hz: f64, leaf: &[Formant], dice: &mut Dice) -> Tape {
    let (turns, force) = (wander(dice.ratio(0.8, 3.0), dice), wander(3.0, dice));
    // Slow slips come as they please; quick ones lock into a tone.
    let jitter = dice.ratio(0.02, 0.2) * (60.0 / slips_hz).clamp(0.15, 1.5);
    let bend = dice.between(-1.2, 1.2);
    let mut phase = 1.0;
    let slips = Tape::from_fn(rate, seconds, |t| {
        phase += slips_hz * (bend * (t / seconds - 0.5) + 0.7 * turns(t)).exp2() / rate;
        if phase < 1.0 {
            return 0.02 * dice.normal();
        }
        phase -= 1.0 + jitter * dice.normal().clamp(-2.5, 2.5);
        (1.0 + 0.5 * force(t)) * dice.about(0.4) * 20.0
    });
    through(&slips, leaf, 0.02).filtered(Pass::High, 150.0, 0.7).faded(0.05, 0.08).normalised(1.0)
}

/// The leaf falls into its frame: a thud of wood, then the latch.
fn slam(rate: f64, size: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, 0.5);
    tape.mix(0.0, &puff(rate, 160.0 * size, 0.6, dice.ratio(0.1, 0.3), dice), 4.0);
    for hertz in [75.0, 140.0, 230.0, 390.0] {
        ring(&mut tape, 0.0, hertz * size * dice.about(0.2), dice.between(0.2, 0.8), dice.ratio(0.08, 0.35));
    }
    tape.mix(dice.between(0.0, 0.05), &puff(rate, 2_800.0, 0.8, 0.02, dice), dice.between(0.2, 1.5));
    tape.normalised(1.0)
}
