//! Signals: siren, alarm, telephone, doorbell, sonar, geiger counter, laser, car horn.

use std::f64::consts::{PI, TAU};

use super::super::Dice;
use super::Render;
use super::tape::{Mode, Pass, Tape, Wave};

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[
    ("siren", siren),
    ("alarm", alarm),
    ("telephone", telephone),
    ("doorbell", doorbell),
    ("sonar", sonar),
    ("geiger counter", geiger_counter),
    ("laser", laser),
    ("car horn", car_horn),
];

/// How the pitch of a siren moves.
#[derive(Clone, Copy, PartialEq)]
enum Howl {
    Wail,
    Yelp,
    Piercer,
    HiLo,
    AirRaid,
}

/// A loudspeaker horn or a spinning rotor whose pitch never rests; at times it passes by and falls in pitch.
fn siren(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    use Howl::{AirRaid, HiLo, Piercer, Wail, Yelp};
    let howl = *dice.pick(&[Wail, Wail, Wail, Yelp, Yelp, Piercer, HiLo, HiLo, AirRaid]);
    let (low, ratio, period) = match howl {
        Wail => (dice.between(420.0, 750.0), dice.between(1.7, 2.9), dice.ratio(1.6, 6.0)),
        Yelp => (dice.between(450.0, 800.0), dice.between(1.6, 2.6), dice.between(0.22, 0.5)),
        Piercer => (dice.between(600.0, 1_000.0), dice.between(1.4, 2.2), dice.between(0.06, 0.12)),
        HiLo => (dice.between(360.0, 800.0), dice.between(1.18, 1.5), dice.between(0.7, 2.2)),
        AirRaid => (dice.between(110.0, 220.0), dice.between(2.0, 3.6), dice.between(4.0, 9.0)),
    };
    // Crews switch from the wail to the yelp at a crossing.
    let switch_s = if howl == Wail && dice.chance(0.25) { seconds * dice.between(0.3, 0.7) } else { f64::MAX };
    let (yelp_s, rise, start) = (dice.between(0.22, 0.5), dice.between(0.3, 0.7), dice.between(0.0, 1.0));
    let share = move |t: f64| match howl {
        HiLo => 0.5 + 0.5 * (((t / period + start) * TAU).sin() * 40.0).tanh(),
        _ if t > switch_s => swell((t - switch_s) / yelp_s, rise),
        AirRaid => swell(0.25 * start + t / period, rise).powf(0.6),
        _ => swell(start + t / period, rise),
    };
    let (passes_s, passing_s) = (seconds * dice.between(0.3, 0.7), dice.between(0.3, 1.5));
    let speed = if dice.chance(0.3) { dice.between(0.02, 0.07) } else { 0.0 };
    let hertz = move |t: f64| low * ratio.powf(share(t)) * (1.0 - speed * ((t - passes_s) / passing_s).tanh());
    let fall = if howl == Piercer { dice.between(0.3, 0.9) } else { dice.between(0.4, 1.6) };
    let voice = voiced(rate, seconds, &overtones(20, fall, dice), low * ratio * 1.1, hertz);
    let mouth = dice.ratio(600.0, 2_200.0);
    let mut tape = voice.clone().filtered(Pass::Band, mouth, dice.between(0.5, 1.3)).normalised(1.0);
    tape.mix(0.0, &voice.normalised(1.0), dice.between(0.1, 0.6));
    if howl == AirRaid {
        // The rotor throws gusts of air through its ports.
        let gusts = Tape::noise(rate, seconds, dice).swept(Pass::Band, 1.5, move |t| 3.0 * hertz(t));
        tape.mix(0.0, &gusts, dice.between(0.2, 0.9));
    }
    let near = move |t: f64| if speed > 0.0 { 1.0 / (1.0 + ((t - passes_s) / passing_s).powi(2) * 0.3) } else { 1.0 };
    tape.driven(dice.ratio(0.5, 4.0)).shaped(near).faded(0.02, 0.02)
}

/// Up and down once a unit of time, with rounded ends; `rise` is the part of it that goes up.
fn swell(time: f64, rise: f64) -> f64 {
    let phase = time.rem_euclid(1.0);
    let part = if phase < rise { phase / rise } else { (1.0 - phase) / (1.0 - rise) };
    0.5 - 0.5 * (PI * part).cos()
}

/// A piezo disc or a small buzzer, switched on and off by a clock: beeps of one pitch in a strict pattern.
fn alarm(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
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
fn telephone(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
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
fn doorbell(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
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

/// A pure pulse under water, its long murmur between surface and bottom, and a fainter echo from afar.
fn sonar(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let (hertz, on_s) = (dice.ratio(550.0, 2_600.0), dice.ratio(0.03, 0.35));
    let chirp = if dice.chance(0.3) { dice.between(-0.05, 0.08) } else { 0.0 };
    let (tail_s, every_s) = (dice.between(0.7, 2.5), dice.between(1.0, 3.5));
    let ping = Tape::tone(rate, tail_s.max(0.5) + on_s, Wave::Sine, |t| hertz * (1.0 + chirp * (t / on_s).min(1.0)));
    let ping = ping.shaped(|t| (t / 0.006).min(1.0) * (-5.5 * (t - on_s).max(0.0) / tail_s).exp()).faded(0.002, 0.1);
    let ping = ping.in_room(dice.between(1.5, 4.0), dice.between(0.3, 1.2), dice);
    let (echo_s, echo) = (dice.between(0.3, 0.9) * every_s, dice.between(0.0, 0.35));
    let faint = ping.clone().filtered(Pass::Low, hertz, 0.7);
    let mut tape = Tape::silence(rate, seconds);
    let mut at_s = dice.between(0.0, 0.3);
    while at_s < seconds {
        tape.mix(at_s, &ping, 1.0);
        tape.mix(at_s + echo_s, &faint, echo);
        at_s += every_s * dice.about(0.02);
    }
    // The sea and the boat's own machines murmur below.
    let sea = Tape::noise(rate, seconds, dice).filtered(Pass::Low, dice.ratio(80.0, 350.0), 0.7).normalised(1.0);
    tape.mix(0.0, &sea, dice.ratio(0.004, 0.12));
    tape
}

/// Each particle discharges the tube: the same dry click every time, at moments that know nothing of each other.
fn geiger_counter(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let (hertz, t60_s) = (dice.ratio(900.0, 5_000.0), dice.ratio(0.0015, 0.012));
    let modes = [
        Mode { hertz, gain: 1.0, t60_s },
        Mode { hertz: hertz * dice.between(1.6, 2.9), gain: dice.between(0.1, 0.9), t60_s: t60_s * 0.6 },
        Mode { hertz: hertz * dice.between(0.25, 0.5), gain: dice.between(0.0, 0.6), t60_s: t60_s * 1.3 },
    ];
    let mut click = Tape::modes(rate, 3.0 * t60_s, &modes, dice);
    let snap = Tape::noise(rate, 0.0007, dice).normalised(dice.between(0.3, 1.2));
    click.mix(0.0, &snap, 1.0);
    let click = click.normalised(1.0);
    let (calm_hz, hot_hz) = (dice.ratio(7.0, 60.0), dice.ratio(30.0, 220.0));
    // The probe is moved over the source and away again.
    let (moves, sweep_s, start) = (dice.chance(0.6), dice.between(1.5, 6.0), dice.between(0.0, 1.0));
    let mut tape = Tape::silence(rate, seconds);
    let mut at_s = dice.between(0.0, 0.1);
    while at_s < seconds {
        tape.mix(at_s, &click, dice.between(0.85, 1.0));
        let near = if moves { swell(start + at_s / sweep_s, 0.5).powi(2) } else { 0.0 };
        let clicks_hz = calm_hz * (hot_hz / calm_hz).max(1.0).powf(near);
        // The dead time of the tube keeps clicks apart.
        at_s += 0.0012 - (1.0 - dice.between(0.0, 1.0)).ln() / clicks_hz;
    }
    tape
}

/// The ray gun of the films: a blow on a long spring, whose treble runs ahead of the bass, or a synthesiser's fall.
fn laser(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let shot = zap(rate, dice);
    let (automatic, every_s) = (dice.chance(0.4), dice.between(0.3, 1.1));
    let burst_s = (shot.seconds() * dice.between(0.5, 0.9)).max(0.09);
    let wanders = dice.chance(0.4);
    let mut tape = Tape::silence(rate, seconds);
    let mut at_s = dice.between(0.0, 0.2);
    while at_s < seconds {
        let shots = if automatic { dice.count(2, 7) } else { 1 };
        for _ in 0..shots {
            if wanders {
                // Another gun of the same make answers.
                tape.mix(at_s, &zap(rate, &mut dice.fork()), dice.between(0.5, 1.0));
            } else {
                tape.mix(at_s, &shot, dice.between(0.7, 1.0));
            }
            at_s += burst_s;
        }
        at_s += every_s * dice.about(0.5);
    }
    if dice.chance(0.3) {
        let echo = tape.clone().filtered(Pass::Low, 3_000.0, 0.7);
        tape.mix(dice.between(0.09, 0.25), &echo, dice.between(0.15, 0.5));
    }
    tape
}

/// One shot: a pitch that falls through octaves in a fraction of a second.
fn zap(rate: f64, dice: &mut Dice) -> Tape {
    let on_s = dice.ratio(0.12, 0.55);
    let (high, low) = (dice.ratio(2_200.0, 9_000.0), dice.ratio(90.0, 700.0));
    let bend = dice.between(0.35, 1.0);
    let (ripple_hz, ripple) =
        (dice.between(30.0, 140.0), if dice.chance(0.35) { dice.between(0.05, 0.5) } else { 0.0 });
    let hertz = move |t: f64| {
        let fallen = (t / on_s).min(1.0).powf(bend);
        high * (low / high).powf(fallen) * (1.0 + ripple * (TAU * ripple_hz * t).sin())
    };
    let wave = *dice.pick(&[Wave::Saw, Wave::Square, Wave::Sine, Wave::Triangle, Wave::Buzz(6)]);
    let mut shot = Tape::tone(rate, on_s, wave, hertz);
    if dice.chance(0.5) {
        // A second voice, slightly off, for the metallic shimmer.
        let apart = dice.between(1.01, 1.6);
        shot.mix(0.0, &Tape::tone(rate, on_s, wave, move |t| apart * hertz(t)), 0.7);
    }
    if dice.chance(0.4) {
        let hiss = Tape::noise(rate, on_s, dice).swept(Pass::Band, 3.0, hertz);
        shot.mix(0.0, &hiss, dice.between(0.3, 1.5));
    }
    let fade = dice.between(0.2, 1.5);
    shot.shaped(|t| (1.0 - t / on_s).max(0.0).powf(fade)).driven(dice.ratio(0.5, 4.0)).faded(0.003, 0.01)
}

/// Steel diaphragms before a trumpet or a snail, two to a car, more on a lorry; pressed as people press it.
fn car_horn(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let lorry = dice.chance(0.2);
    let hertz = if lorry { dice.ratio(150.0, 290.0) } else { dice.ratio(290.0, 520.0) };
    let count = if lorry { dice.count(2, 4) } else { *dice.pick(&[1, 2, 2, 2, 2]) };
    let mut notes = vec![hertz];
    for _ in 1..count {
        let last = notes[notes.len() - 1];
        notes.push(last * dice.pick(&[1.189, 1.25, 1.25, 1.26, 1.335]) * dice.between(0.99, 1.01));
    }
    let slope = dice.between(0.1, 0.8);
    let voices: Vec<Vec<f64>> = notes.iter().map(|_| overtones(24, slope, dice)).collect();
    let (attack_s, bend, trumpet_hz) = (dice.between(0.008, 0.05), dice.between(0.0, 0.08), dice.ratio(900.0, 3_500.0));
    let klaxon = !lorry && dice.chance(0.07);
    let drive = dice.ratio(0.6, 3.0);
    let blast = |on_s: f64| {
        let mut blast = Tape::silence(rate, on_s);
        for (note, partials) in notes.iter().zip(&voices) {
            // Pressure builds up in the first moments; an old klaxon's motor gathers and loses speed.
            let pitch = |t: f64| match klaxon {
                true => note * (0.45 + 0.75 * swell(t / on_s, 0.4)),
                false => note * (1.0 - bend * (-t / 0.03).exp()),
            };
            blast.mix(0.0, &voiced(rate, on_s, partials, note * 1.2, pitch), 1.0);
        }
        let near = blast.clone().filtered(Pass::Band, trumpet_hz, 0.9);
        blast.mix(0.0, &near, 1.5);
        blast.normalised(1.0).driven(drive).faded(attack_s, 0.03)
    };
    let mut tape = Tape::silence(rate, seconds);
    let mut at_s = dice.between(0.0, 0.25);
    let impatient = dice.chance(0.5);
    while at_s < seconds {
        let on_s = match (klaxon, impatient && dice.chance(0.7)) {
            (true, _) => dice.between(0.7, 1.2),
            (_, true) => dice.between(0.09, 0.3),
            _ => dice.between(0.35, 2.2),
        };
        tape.mix(at_s, &blast(on_s.min(seconds - at_s + 0.05)), 1.0);
        at_s += on_s + if dice.chance(0.7) { dice.between(0.07, 0.3) } else { dice.between(0.4, 1.2) };
    }
    tape
}

/// Gains of partials that fall with a power of their number, each somewhat off as in any real thing.
fn overtones(count: usize, slope: f64, dice: &mut Dice) -> Vec<f64> {
    let odd = dice.chance(0.3);
    let gain = |n: usize| if odd && n % 2 == 0 { 0.15 } else { 1.0 } * (n as f64).powf(-slope);
    (1..=count).map(|n| gain(n) * dice.about(0.6)).collect()
}

/// An oscillation of given partials, read from a table of one period; none of them is above Nyquist at `top_hz`.
fn voiced(rate: f64, seconds: f64, partials: &[f64], top_hz: f64, mut hertz: impl FnMut(f64) -> f64) -> Tape {
    const STEPS: usize = 2_048;
    let mut table = vec![0.0_f64; STEPS + 1];
    let audible = partials.len().min((0.47 * rate / top_hz) as usize).max(1);
    for (n, gain) in (1..=audible).zip(partials) {
        for (step, value) in table.iter_mut().enumerate() {
            // Schroeder's phases keep the crest low, as a horn's air does.
            let turn = n as f64 * step as f64 / STEPS as f64 + (n * n) as f64 / (2.0 * partials.len() as f64);
            *value += gain * (TAU * turn).sin();
        }
    }
    let mut phase = 0.0_f64;
    Tape::from_fn(rate, seconds, |t| {
        phase = (phase + hertz(t) / rate).fract();
        let place = phase * STEPS as f64;
        let step = (place as usize).min(STEPS - 1);
        table[step] + (table[step + 1] - table[step]) * (place - step as f64)
    })
}
