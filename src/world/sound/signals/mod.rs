//! Signals: siren, alarm, telephone, doorbell, sonar, geiger counter, laser, car horn.
//!
//! What rings or beeps in a house is in a file of its own.

mod household;

use std::f64::consts::{PI, TAU};

use super::super::Dice;
use super::Render;
use super::tape::{Mode, Pass, Tape, Wave};

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[
    ("siren", siren),
    ("alarm", household::alarm),
    ("telephone", household::telephone),
    ("doorbell", household::doorbell),
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
    let near = move |t: f64| if speed > 0.0 { 1.0 / (1.0 + ((t - passes_s) / passing_s).powi(2) * 0.04) } else { 1.0 };
    // What is soft clipped is no longer centred, and no horn gives off a steady pressure.
    tape.driven(dice.ratio(0.5, 4.0)).filtered(Pass::High, 80.0, 0.7).shaped(near).faded(0.02, 0.02)
}

/// Up and down once a unit of time, with rounded ends; `rise` is the part of it that goes up.
fn swell(time: f64, rise: f64) -> f64 {
    let phase = time.rem_euclid(1.0);
    let part = if phase < rise { phase / rise } else { (1.0 - phase) / (1.0 - rise) };
    0.5 - 0.5 * (PI * part).cos()
}

/// A pure pulse under water, its long murmur between surface and bottom, and a fainter echo from afar.
fn sonar(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let (hertz, on_s) = (dice.ratio(550.0, 2_600.0), dice.ratio(0.03, 0.35));
    let chirp = if dice.chance(0.3) { dice.between(-0.05, 0.08) } else { 0.0 };
    let (tail_s, every_s) = (dice.between(0.7, 2.5), dice.between(1.0, 3.5));
    let ping = Tape::tone(rate, tail_s.max(0.5) + on_s, Wave::Sine, |t| hertz * (1.0 + chirp * (t / on_s).min(1.0)));
    let ping = ping.shaped(|t| (t / 0.006).min(1.0) * (-5.5 * (t - on_s).max(0.0) / tail_s).exp());
    let ping = ping.in_room(dice.between(1.5, 4.0), dice.between(0.3, 1.2), dice).faded(0.002, 0.5 * tail_s);
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
    let (calm_hz, hot_hz) = (dice.ratio(5.0, 45.0), dice.ratio(20.0, 160.0));
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
        shot.mix(0.0, &Tape::tone(rate, on_s, Wave::Triangle, move |t| apart * hertz(t)), 0.7);
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
        blast.normalised(1.0).driven(drive).filtered(Pass::High, 80.0, 0.7).faded(attack_s, 0.03)
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
    let gain = |n: usize| if odd && n.is_multiple_of(2) { 0.15 } else { 1.0 } * (n as f64).powf(-slope);
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
