//! The signals of a house: alarm, telephone, doorbell.

use super::super::super::Dice;
use super::super::tape::{Mode, Pass, Tape};
use super::{overtones, voiced};

/// A piezo disc or a small buzzer, switched on and off by a clock: beeps of one pitch in a strict pattern.
pub(super) fn alarm(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let kind = dice.count(0, 4);
    let (hertz, on_s, step_s, group, pause_s) = match kind {
        // A digital clock: groups of short beeps, once a second.
        0 => {
            let step_s = dice.between(0.09, 0.2);
            let group = dice.count(2, 4);
            let pause_s = (1.0 - step_s * group as f64).max(0.2) * dice.between(0.6, 1.3);
            (dice.ratio(1_000.0, 4_200.0), step_s * dice.between(0.4, 0.65), step_s, group, pause_s)
        }
        // A smoke alarm: three long beeps and a pause (ISO 8201).
        1 => {
            let step_s = dice.between(0.45, 1.05);
            (dice.between(2_800.0, 3_500.0), step_s * 0.5, step_s, 3, step_s * dice.between(0.6, 1.5))
        }
        // A hurried beeper without any pause.
        2 => {
            let step_s = dice.between(0.09, 0.22);
            (dice.ratio(900.0, 3_800.0), step_s * dice.between(0.4, 0.7), step_s, 1, 0.0)
        }
        // A slow one: machines, reversing lorries, a clock radio.
        3 => {
            let step_s = dice.between(0.35, 1.1);
            (dice.ratio(800.0, 3_200.0), step_s * dice.between(0.35, 0.6), step_s, 1, 0.0)
        }
        // A harsh bedside buzzer.
        _ => {
            let step_s = dice.between(0.3, 0.9);
            (dice.ratio(350.0, 1_000.0), step_s * dice.between(0.4, 0.6), step_s, 1, 0.0)
        }
    };
    // A recording of a low rate still lets a beeper be heard, at the top of its band.
    let hertz = hertz.min(0.4 * rate);
    let slope = if kind == 4 { dice.between(0.0, 0.5) } else { dice.between(0.5, 3.0) };
    let glide = if dice.chance(0.15) { dice.between(-0.12, 0.12) } else { 0.0 };
    let beep = voiced(rate, on_s, &overtones(16, slope, dice), hertz * 1.15, |t| hertz * (1.0 + glide * t / on_s));
    let beep = beep.faded(dice.between(0.001, 0.008), dice.between(0.002, 0.015));
    let mut tape = Tape::silence(rate, seconds);
    let (mut at_s, mut beeps) = (dice.between(0.0, 0.2), 0);
    while at_s < seconds {
        tape.mix(at_s, &beep, 1.0);
        beeps += 1;
        at_s += step_s + if beeps % group == 0 { pause_s } else { 0.0 };
    }
    // The case around a piezo disc lets little through below a kilohertz.
    if dice.chance(0.5) { tape.filtered(Pass::High, hertz * 0.8, 0.8) } else { tape }
}

/// Two gongs and a hammer, an electronic warble, or the melody of a mobile; all in the cadence of an exchange.
pub(super) fn telephone(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let double = dice.chance(0.35);
    let on_s = if double { dice.between(0.35, 0.5) } else { dice.between(0.7, 2.0) };
    let rest_s = dice.between(0.5, 2.2);
    let kind = *dice.pick(&[0, 0, 0, 1, 1, 2]);
    let on_s = if kind == 2 { dice.between(0.7, 1.8) } else { on_s };
    let ring = match kind {
        0 => bells(rate, on_s, dice),
        1 => warble(rate, on_s, dice),
        _ => melody(rate, on_s, dice),
    };
    let mut tape = Tape::silence(rate, seconds);
    let (mut at_s, mut rings) = (dice.between(0.0, 0.25), 0);
    while at_s < seconds {
        tape.mix(at_s, &ring, 1.0);
        rings += 1;
        // British exchanges ring twice and rest, others ring once, longer.
        at_s += on_s + if double && kind != 2 && rings % 2 == 1 { 0.2 } else { rest_s };
    }
    tape
}

/// A hammer between two gongs that follows the 16 to 25 Hz of the ringing current.
fn bells(rate: f64, on_s: f64, dice: &mut Dice) -> Tape {
    let tail_s = dice.between(0.25, 0.8);
    let hertz = dice.ratio(650.0, 1_900.0);
    let other = hertz * dice.between(1.08, 1.35);
    let bright = dice.between(0.3, 1.1);
    let mut gong = |hertz: f64| {
        let ratios: [f64; 6] = [1.0, 1.62, 2.37, 3.05, 4.2, 5.6];
        let mode = |ratio: f64| Mode {
            hertz: hertz * ratio * (1.0 + 0.01 * ratio.fract()),
            gain: ratio.powf(bright - 1.2) * dice.about(0.8),
            t60_s: tail_s * dice.about(0.4) / ratio.sqrt(),
        };
        let modes = ratios.map(mode);
        Tape::modes(rate, tail_s, &modes, dice).faded(0.0005, 0.02)
    };
    let gongs = [gong(hertz), gong(other)];
    let (strikes_hz, wobble) = (2.0 * dice.between(14.0, 26.0), dice.between(0.0, 0.06));
    let mut tape = Tape::silence(rate, on_s + tail_s);
    let mut at_s = 0.0;
    let mut side = 0;
    while at_s < on_s {
        tape.mix(at_s, &gongs[side], dice.between(0.75, 1.0));
        side = 1 - side;
        at_s += (1.0 + wobble * dice.normal()).max(0.5) / strikes_hz;
    }
    tape
}

/// A desk telephone of the eighties: two or three notes that take turns many times a second.
fn warble(rate: f64, on_s: f64, dice: &mut Dice) -> Tape {
    let low = dice.ratio(550.0, 1_900.0);
    let second = low * dice.between(1.12, 1.45);
    let third = if dice.chance(0.3) { second * dice.between(1.1, 1.3) } else { low };
    let turns_hz = dice.between(18.0, 48.0);
    let hertz = |t: f64| [low, second, third, second][(t * turns_hz) as usize % 4];
    let slope = dice.between(0.4, 2.5);
    let tape = voiced(rate, on_s, &overtones(16, slope, dice), second * 1.3, hertz);
    tape.faded(0.005, 0.01)
}

/// A mobile: a short run of notes of a scale, played over and over.
fn melody(rate: f64, on_s: f64, dice: &mut Dice) -> Tape {
    let (root, note_s) = (dice.ratio(500.0, 1_300.0), dice.between(0.07, 0.13));
    let steps: Vec<f64> = (0..dice.count(3, 8)).map(|_| *dice.pick(&[0.0, 4.0, 7.0, 9.0, 12.0, 16.0])).collect();
    let (slope, fall_s) = (dice.between(0.6, 3.0), dice.between(0.15, 2.0));
    let partials = overtones(10, slope, dice);
    let mut tape = Tape::silence(rate, on_s);
    for index in 0..(on_s / note_s) as usize {
        let hertz = root * 2.0_f64.powf(steps[index % steps.len()] / 12.0);
        let note = voiced(rate, note_s, &partials, hertz, |_| hertz).struck(0.002, fall_s).faded(0.001, 0.008);
        tape.mix(index as f64 * note_s, &note, 1.0);
    }
    tape
}

/// Metal bars struck by a plunger, or their electronic likeness: "ding", then a lower "dong", or a short chime.
pub(super) fn doorbell(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let hertz = dice.ratio(420.0, 1_050.0);
    let fall = *dice.pick(&[3.0, 4.0, 4.0, 4.0, 5.0]);
    let steps: Vec<f64> = match dice.count(0, 9) {
        0..=6 => vec![0.0, -fall],
        7 => vec![0.0, -fall, 0.0, -fall],
        8 => vec![4.0, 0.0, 2.0, -5.0],
        _ => vec![7.0, 4.0, 0.0],
    };
    let gap_s = dice.between(0.25, 0.7) * if steps.len() > 2 { 0.8 } else { 1.0 };
    let (tail_s, electronic) = (dice.between(0.8, 2.8), dice.chance(0.3));
    let overtone = dice.between(0.1, 0.6);
    let mut bar = |step: f64| {
        let f = hertz * 2.0_f64.powf(step / 12.0) * (1.0 + 0.003 * dice.normal());
        let mode = |ratio: f64, gain: f64, share: f64| Mode { hertz: f * ratio, gain, t60_s: tail_s * share };
        let modes = if electronic {
            [mode(1.0, 1.0, 1.0), mode(2.0, overtone, 0.8), mode(3.0, 0.5 * overtone, 0.6), mode(5.0, 0.1, 0.3)]
        } else {
            // Free bars sound at 1 : 2.76 : 5.40; the tube or box below holds the lowest.
            [mode(1.0, 1.0, 1.0), mode(2.76, overtone, 0.4), mode(5.4, 0.7 * overtone, 0.2), mode(8.93, 0.2, 0.08)]
        };
        Tape::modes(rate, tail_s, &modes, dice).faded(0.001, 0.05)
    };
    let bars: Vec<Tape> = steps.iter().map(|step| bar(*step)).collect();
    let mut tape = Tape::silence(rate, seconds);
    let mut at_s = dice.between(0.0, 0.25);
    while at_s < seconds {
        for (index, bar) in bars.iter().enumerate() {
            tape.mix(at_s + gap_s * index as f64 * dice.about(0.06), bar, dice.between(0.8, 1.0));
        }
        at_s += gap_s * bars.len() as f64 + dice.between(0.5, 2.2);
    }
    tape
}
