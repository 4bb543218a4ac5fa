//! Small devices: camera, keyboard, cash register. Everything is parts that hit parts.

use std::f64::consts::TAU;

use super::super::Dice;
use super::super::tape::{Mode, Pass, Tape, Wave};

/// What a small hard part sounds like when it hits another.
struct Part {
    /// The housing it sits in: its lowest resonance in hertz.
    body: f64,
    /// The part itself, in hertz.
    ring: f64,
    /// Time in which it falls silent.
    t60_s: f64,
    /// Share of the dull knock against the bright click, from 0 to 1.
    dull: f64,
}

/// A shutter: mirror up, curtain, mirror down, and often a motor that winds on.
pub(super) fn camera(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let mirror = Part {
        body: dice.ratio(180.0, 600.0),
        ring: dice.ratio(900.0, 3_500.0),
        t60_s: dice.between(0.03, 0.09),
        dull: dice.between(0.2, 0.8),
    };
    let exposure_s = dice.ratio(0.035, 0.22);
    let winds = dice.chance(0.5);
    let (motor, wound_s) = (dice.ratio(110.0, 420.0), dice.between(0.12, 0.6));
    let burst = if dice.chance(0.3) { dice.count(3, 7) } else { 1 };
    let between_s = exposure_s + dice.between(0.06, 0.14);
    let mut at = dice.between(0.02, 0.3);
    while at < seconds {
        for _ in 0..burst {
            let shot = shutter(rate, &mirror, exposure_s, dice);
            tape.mix(at, &shot, dice.between(0.85, 1.0));
            at += between_s;
        }
        if winds {
            tape.mix(at - 0.03, &winding(rate, wound_s, motor, dice), dice.between(0.1, 0.35));
            at += wound_s;
        }
        at += dice.between(0.35, 1.5);
    }
    tape
}

/// One picture: click, a scrape while the curtain runs, clack.
fn shutter(rate: f64, mirror: &Part, exposure_s: f64, dice: &mut Dice) -> Tape {
    let mut shot = Tape::silence(rate, exposure_s + 0.25);
    shot.mix(0.0, &knock(rate, mirror, dice), 1.0);
    let curtain = Part { body: mirror.body * 1.4, ring: mirror.ring * 1.6, t60_s: 0.025, dull: 0.2 };
    shot.mix(exposure_s * 0.25, &knock(rate, &curtain, dice), dice.between(0.3, 0.7));
    let scrape = Tape::noise(rate, exposure_s, dice).filtered(Pass::Band, mirror.ring * 1.5, 0.8);
    shot.mix(0.0, &scrape, dice.between(0.05, 0.25));
    let back = Part { body: mirror.body * 0.85, ring: mirror.ring * 0.8, t60_s: mirror.t60_s * 1.3, dull: mirror.dull };
    shot.mix(exposure_s, &knock(rate, &back, dice), dice.between(0.6, 1.0));
    shot.mix(exposure_s + 0.018, &knock(rate, &curtain, dice), dice.between(0.1, 0.4));
    shot
}

/// The little motor that takes the film on: a whirr with gear teeth in it.
fn winding(rate: f64, seconds: f64, hertz: f64, dice: &mut Dice) -> Tape {
    let teeth = dice.between(25.0, 60.0);
    let speed = move |t: f64| hertz * (1.0 - 0.5 * (-t * 30.0).exp());
    let mut whirr = Tape::tone(rate, seconds, Wave::Saw, speed).filtered(Pass::High, 500.0, 0.7);
    let gears = Tape::noise(rate, seconds, dice).filtered(Pass::Band, dice.ratio(1_500.0, 4_500.0), 1.2);
    whirr.mix(0.0, &gears, 1.2);
    whirr.shaped(|t| 0.7 + 0.3 * (TAU * teeth * t).sin()).faded(0.02, 0.05)
}

/// Typing: words of quick strokes, each with the key's softer way back, and the deeper space bar between.
pub(super) fn keyboard(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let clicky = dice.chance(0.5);
    let (body, ring) = (dice.ratio(160.0, 520.0), dice.ratio(1_400.0, 5_000.0));
    let (dull, t60_s) = if clicky { (0.35, dice.between(0.025, 0.06)) } else { (0.8, dice.between(0.03, 0.09)) };
    let (pace_s, heavy) = (dice.ratio(0.07, 0.2), dice.between(0.2, 0.6));
    let key = |size: f64, dice: &mut Dice| Part {
        body: body * dice.about(0.2) / size,
        ring: ring * dice.about(0.35) / size.sqrt(),
        t60_s: t60_s * size.sqrt() * dice.about(0.2),
        dull: (dull * size.sqrt()).min(0.9),
    };
    let mut at = dice.between(0.02, 0.15);
    while at < seconds {
        for _ in 0..dice.count(2, 9) {
            let part = key(1.0, dice);
            let loud = dice.between(0.5, 1.0);
            tape.mix(at, &knock(rate, &part, dice), loud);
            let back = Part { ring: part.ring * 1.25, dull: part.dull * 0.4, ..part };
            tape.mix(at + dice.between(0.04, 0.1), &knock(rate, &back, dice), loud * heavy);
            at += pace_s * dice.about(0.7).clamp(0.4, 3.0);
        }
        let bar = key(dice.between(1.5, 2.2), dice);
        tape.mix(at, &knock(rate, &bar, dice), dice.between(0.8, 1.2));
        at += pace_s * dice.about(0.4);
        if dice.chance(0.3) {
            at += dice.between(0.1, 0.6);
        }
    }
    tape
}

/// Keys that clunk, then "cha-ching": a lever, a bell, a drawer that rolls out, and often coins.
pub(super) fn cash_register(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let bell_hertz = dice.ratio(1_500.0, 3_600.0);
    let bell_s = dice.between(0.6, 2.2);
    let metal = Part {
        body: dice.ratio(120.0, 320.0),
        ring: dice.ratio(700.0, 2_400.0),
        t60_s: dice.between(0.05, 0.14),
        dull: dice.between(0.4, 0.7),
    };
    let (keys, coins) = (dice.chance(0.45), dice.chance(0.55));
    let mut at = dice.between(0.0, 0.15);
    while at < seconds {
        if keys && seconds > 1.6 {
            for _ in 0..dice.count(1, 3) {
                tape.mix(at, &knock(rate, &metal, dice), dice.between(0.35, 0.6));
                at += dice.between(0.12, 0.28);
            }
        }
        tape.mix(at, &lever(rate, &metal, dice), 0.8);
        at += dice.between(0.11, 0.24);
        tape.mix(at, &dome(rate, bell_hertz, bell_s, dice), dice.between(0.7, 1.1));
        if dice.chance(0.35) {
            tape.mix(at + dice.between(0.06, 0.12), &dome(rate, bell_hertz, bell_s, dice), 0.6);
        }
        tape.mix(at, &drawer(rate, &metal, dice), dice.between(0.3, 0.7));
        if coins {
            tape.mix(at + dice.between(0.15, 0.45), &jingle(rate, dice), dice.between(0.2, 0.5));
        }
        at += dice.between(1.1, 2.4);
    }
    tape
}

/// The lever's way down: a short ratchet and a clunk, the "cha".
fn lever(rate: f64, metal: &Part, dice: &mut Dice) -> Tape {
    let mut down = Tape::silence(rate, 0.35);
    let (teeth, step) = (dice.count(3, 6), dice.between(0.012, 0.024));
    let tooth = Part { body: metal.body * 2.0, ring: metal.ring * 1.7, t60_s: 0.02, dull: 0.2 };
    for index in 0..teeth {
        down.mix(index as f64 * step, &knock(rate, &tooth, dice), dice.between(0.3, 0.6));
    }
    down.mix(teeth as f64 * step, &knock(rate, metal, dice), 1.0);
    down
}

/// A small dome bell, the "ching": its partials are those of a thin shell and beat in pairs.
fn dome(rate: f64, hertz: f64, t60_s: f64, dice: &mut Dice) -> Tape {
    let mut modes = Vec::new();
    for (ratio, gain) in [(1.0, 1.0), (1.57, 0.35), (2.31, 0.5), (3.42, 0.3), (4.6, 0.2)] {
        for side in [0.998, 1.002] {
            let t60_s = t60_s / f64::powf(ratio, 0.7);
            modes.push(Mode { hertz: hertz * ratio * side, gain: gain * dice.about(0.3), t60_s });
        }
    }
    Tape::modes(rate, t60_s.min(2.0), &modes, dice).faded(0.001, 0.05)
}

/// The drawer: rollers, then the stop that shakes everything in it.
fn drawer(rate: f64, metal: &Part, dice: &mut Dice) -> Tape {
    let rolls_s = dice.between(0.15, 0.4);
    let rollers = Tape::noise(rate, rolls_s, dice).filtered(Pass::Band, dice.ratio(500.0, 1_800.0), 0.7);
    let bumps = dice.between(18.0, 40.0);
    let mut out = Tape::silence(rate, rolls_s + 0.4);
    out.mix(0.0, &rollers.shaped(|t| 0.6 + 0.4 * (TAU * bumps * t).sin()).faded(0.03, 0.02), 0.8);
    let stop = Part { body: metal.body * 0.6, ring: metal.ring * 0.8, t60_s: metal.t60_s * 1.5, dull: 0.8 };
    out.mix(rolls_s, &knock(rate, &stop, dice), 1.4);
    out
}

/// Coins that fall on coins.
fn jingle(rate: f64, dice: &mut Dice) -> Tape {
    let mut coins = Tape::silence(rate, 0.8);
    for _ in 0..dice.count(4, 14) {
        let hertz = dice.ratio(3_200.0, 7_500.0);
        let partials = [(1.0, 1.0), (1.39, 0.6), (2.1, 0.4)];
        let modes = partials.map(|(ratio, gain)| Mode { hertz: hertz * ratio, gain, t60_s: dice.between(0.05, 0.25) });
        coins.mix(dice.between(0.0, 0.5), &Tape::modes(rate, 0.25, &modes, dice), dice.between(0.2, 0.7));
    }
    coins
}

/// One hit: a burst of noise and a few damped resonances of the part and its housing.
fn knock(rate: f64, part: &Part, dice: &mut Dice) -> Tape {
    let long_s = (part.t60_s * 1.5).max(0.03);
    let mut modes: Vec<Mode> = Vec::new();
    for ratio in [1.0, 1.7, 2.9] {
        let bright = (1.0 - part.dull) * 0.5 / ratio;
        modes.push(Mode { hertz: part.ring * ratio * dice.about(0.1), gain: bright, t60_s: part.t60_s / ratio });
    }
    modes.push(Mode { hertz: part.body, gain: part.dull, t60_s: part.t60_s * 1.3 });
    modes.push(Mode { hertz: part.body * 2.3, gain: part.dull * 0.4, t60_s: part.t60_s });
    let mut hit = Tape::modes(rate, long_s, &modes, dice);
    let click = Tape::noise(rate, long_s, dice).filtered(Pass::Band, part.ring, 0.6).struck(0.0005, part.t60_s * 0.5);
    hit.mix(0.0, &click, 2.0 * (1.1 - part.dull));
    hit.faded(0.0003, 0.01)
}
