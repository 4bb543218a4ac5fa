//! Machines: engine, helicopter, chainsaw, train, jet, camera, keyboard, cash register.
//!
//! The large ones are here: whatever burns fuel or beats the air. Small devices have a file of their own.

mod devices;

use std::f64::consts::{PI, TAU};

use super::tape::{Mode, Pass, Tape, Wave};
use super::{Dice, Render};

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[
    ("engine", engine),
    ("helicopter", helicopter),
    ("chainsaw", chainsaw),
    ("train", train),
    ("jet", jet),
    ("camera", devices::camera),
    ("keyboard", devices::keyboard),
    ("cash register", devices::cash_register),
];

/// How a motor fires: the rest of its sound is what it is built into.
struct Firing {
    /// Cylinders, each a little stronger or weaker than the next: heard as the burble of an idling motor.
    cylinders: usize,
    /// How much shorter a stroke is than the time between two: 5 hums, 200 cracks.
    sharpness: f64,
    /// How unlike the strokes are, from 0 to 1.
    roughness: f64,
    /// Share of hiss from the intake and the exhaust.
    hiss: f64,
}

/// A car: it idles, is revved, goes through its gears, or is started first.
fn engine(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let idle = dice.ratio(14.0, 36.0);
    let mut speed = match dice.count(0, 3) {
        0 => vec![(0.0, idle), (seconds, idle * dice.about(0.1))],
        1 => revs(seconds, idle, dice),
        2 => gears(seconds, idle, dice),
        _ => vec![(0.0, idle * dice.between(2.0, 4.0)), (seconds, idle * dice.between(2.0, 4.0))],
    };
    let cranked_s = if dice.chance(0.25) { dice.between(0.1, 0.25) * seconds } else { 0.0 };
    if cranked_s > 0.0 {
        // The motor catches with a swell above idle.
        speed.retain(|(at, _)| *at > cranked_s + 0.4);
        speed.insert(0, (cranked_s + 0.3, idle * 1.1));
        speed.insert(0, (cranked_s, idle * dice.between(1.5, 2.8)));
    }
    let firing = Firing {
        cylinders: *dice.pick(&[3, 4, 4, 6, 8]),
        sharpness: dice.ratio(6.0, 60.0),
        roughness: dice.between(0.05, 0.35),
        hiss: dice.between(0.05, 0.4),
    };
    let strokes = combustion(rate, seconds, &firing, |t| eased(&speed, t), dice);
    // A long exhaust passes the lowest partials and mutes the rest.
    let muffled = dice.ratio(350.0, 1_500.0);
    let mut pipe = Tape::silence(rate, seconds);
    for _ in 0..dice.count(2, 4) {
        let hertz = dice.ratio(50.0, 500.0);
        pipe.mix(0.0, &strokes.clone().filtered(Pass::Band, hertz, dice.ratio(1.0, 5.0)), dice.between(0.5, 1.5));
    }
    pipe.mix(0.0, &strokes, dice.between(0.1, 0.5));
    let pipe = pipe.filtered(Pass::Low, muffled, 0.7).filtered(Pass::High, 30.0, 0.7);
    let power = dice.between(0.3, 1.0);
    let mut car = pipe
        .driven(dice.between(0.5, 4.0))
        .filtered(Pass::High, 25.0, 0.7)
        .shaped(|t| if t < cranked_s { 0.0 } else { (eased(&speed, t) / idle / 5.0).powf(power).min(1.5) });
    if cranked_s > 0.0 {
        car.mix(0.0, &starter(rate, cranked_s + 0.1, dice), 0.15);
    }
    car
}

/// The accelerator blipped a few times.
fn revs(seconds: f64, idle: f64, dice: &mut Dice) -> Vec<(f64, f64)> {
    let mut speed = vec![(0.0, idle)];
    let mut at = dice.between(0.05, 0.4);
    while at < seconds {
        let (rise, fall) = (dice.between(0.15, 0.5), dice.between(0.4, 1.2));
        speed.extend([(at, idle), (at + rise, idle * dice.between(2.5, 7.0)), (at + rise + fall, idle * 1.1)]);
        at += rise + fall + dice.between(0.1, 1.2);
    }
    speed
}

/// Speeding up through the gears: the motor slows with each change.
fn gears(seconds: f64, idle: f64, dice: &mut Dice) -> Vec<(f64, f64)> {
    let mut speed = vec![(0.0, idle * 1.3)];
    let (mut at, mut low) = (0.0, idle * 1.3);
    while at < seconds {
        let (shift, top) = (dice.between(1.0, 2.5), low * dice.between(1.8, 2.6));
        low = top * dice.between(0.6, 0.75);
        speed.extend([(at + shift, top), (at + shift + 0.25, low)]);
        at += shift + 0.25;
        low = low.min(idle * 4.0);
    }
    speed
}

/// The starter motor: a whine that labours with each compression.
fn starter(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let (beat, whine) = (dice.between(5.0, 9.0), dice.between(180.0, 420.0));
    let labour = move |t: f64| 1.0 + 0.25 * (TAU * beat * t).sin();
    let gear = Tape::tone(rate, seconds, Wave::Saw, |t| whine * labour(t));
    gear.filtered(Pass::Band, 1_100.0, 0.8).shaped(|t| labour(t).powi(4)).faded(0.02, 0.1)
}

/// Rotor blades that beat the air, and a turbine's whine above them.
fn helicopter(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let blades = dice.ratio(6.0, 36.0);
    let (depth, sharpness) = (dice.between(0.25, 1.0), dice.ratio(0.8, 25.0));
    let drift = dice.between(-0.04, 0.04);
    let turn = move |t: f64| blades * t * (1.0 + drift * t / seconds.max(0.1));
    let odd = dice.between(0.6, 1.0);
    // Every other blade is a little weaker.
    let beat = move |t: f64| {
        let gain = if turn(t).rem_euclid(2.0) < 1.0 { 1.0 } else { odd };
        gain * (sharpness * ((TAU * (turn(t) - 0.5)).cos() - 1.0)).exp()
    };
    let mut wash = Tape::noise(rate, seconds, dice);
    for _ in 0..dice.count(1, 2) {
        wash = wash.filtered(Pass::Low, dice.ratio(350.0, 2_500.0), 0.7);
    }
    wash = wash.filtered(Pass::High, dice.ratio(25.0, 180.0), 0.7).normalised(1.0);
    let mut craft = wash.clone().shaped(|t| 1.0 - depth + depth * beat(t));
    // Wash and gearbox are loudest where the hull resonates.
    let hull =
        Tape::noise(rate, seconds, dice).filtered(Pass::Band, dice.ratio(180.0, 1_300.0), dice.between(0.4, 1.5));
    craft.mix(0.0, &hull.normalised(1.0).shaped(|t| 1.0 - 0.7 * depth + 0.7 * depth * beat(t)), dice.ratio(0.2, 1.2));
    // The slap of the blades: short, deep, and of a different shape for each craft.
    let thump =
        Tape::from_fn(rate, seconds, beat).filtered(Pass::Band, dice.ratio(40.0, 220.0), dice.between(0.7, 3.0));
    craft.mix(0.0, &thump.normalised(1.0), dice.between(0.2, 1.3));
    let tail = dice.ratio(70.0, 170.0);
    craft.mix(0.0, &Tape::tone(rate, seconds, Wave::Buzz(6), |_| tail), dice.between(0.0, 0.25));
    let hiss = Tape::noise(rate, seconds, dice).filtered(Pass::Band, dice.ratio(1_500.0, 5_000.0), 0.5);
    craft.mix(0.0, &hiss.shaped(|t| 0.4 + beat(t)), dice.ratio(0.02, 0.4));
    for _ in 0..dice.count(0, 3) {
        let hertz = dice.ratio(700.0, 7_000.0);
        let whine = Tape::tone(rate, seconds, Wave::Sine, |t| hertz * (1.0 + 0.3 * drift * t / seconds));
        craft.mix(0.0, &whine.shaped(|t| 0.5 + 0.5 * beat(t)), dice.ratio(0.01, 0.12));
    }
    let pass = fly_by(seconds, 0.35, dice);
    craft.filtered(Pass::High, 25.0, 0.7).shaped(|t| eased(&pass, t))
}

/// A two-stroke motor without much of a muffler: it idles, screams and labours in wood.
fn chainsaw(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let (idle, full) = (dice.ratio(38.0, 75.0), dice.ratio(105.0, 290.0));
    let (speed, pulled_s) = trigger(seconds, idle, full, dice);
    let firing = Firing {
        cylinders: dice.count(1, 2),
        sharpness: dice.ratio(40.0, 400.0),
        roughness: dice.between(0.1, 0.5),
        hiss: dice.between(0.2, 1.0),
    };
    let (shake, labour) = (dice.between(4.0, 11.0), dice.between(0.0, 0.03));
    let hertz = |t: f64| eased(&speed, t) * (1.0 + labour * (TAU * shake * t).sin());
    let strokes = combustion(rate, seconds, &firing, hertz, dice);
    let mut saw = strokes.clone().gained(dice.between(0.1, 0.4));
    for _ in 0..dice.count(2, 5) {
        let ring = dice.ratio(350.0, 4_500.0);
        saw.mix(0.0, &strokes.clone().filtered(Pass::Band, ring, dice.ratio(1.0, 6.0)), dice.between(0.4, 1.5));
    }
    // The chain's links rattle past the bar faster than the motor fires.
    let links = dice.between(4.0, 8.0).round();
    let rattle = Tape::noise(rate, seconds, dice).filtered(Pass::Band, dice.ratio(2_500.0, 7_000.0), 0.6);
    let chain = Tape::tone(rate, seconds, Wave::Buzz(4), |t| links * eased(&speed, t)).filtered(Pass::High, 900.0, 0.7);
    let cut = |t: f64| ((eased(&speed, t) / full - 0.45) / 0.55).clamp(0.12, 1.0);
    saw.mix(0.0, &rattle.shaped(cut), dice.between(0.1, 0.9));
    saw.mix(0.0, &chain.shaped(cut), dice.between(0.0, 0.2));
    let saw = saw.driven(dice.between(0.8, 5.0)).filtered(Pass::High, dice.ratio(60.0, 250.0), 0.7);
    let mut saw =
        saw.normalised(1.0).shaped(|t| if t < pulled_s { 0.0 } else { (eased(&speed, t) / full).powf(0.8).min(1.1) });
    if pulled_s > 0.0 {
        saw.mix(dice.between(0.0, 0.1), &pull(rate, pulled_s, dice), 0.4);
    }
    saw
}

/// What the finger on the throttle does, and how long the motor has to be pulled before.
fn trigger(seconds: f64, idle: f64, full: f64, dice: &mut Dice) -> (Vec<(f64, f64)>, f64) {
    let pulled_s = if dice.chance(0.15) { dice.between(0.25, 0.45) } else { 0.0 };
    let mut speed = vec![(0.0, if dice.chance(0.6) { idle } else { full })];
    if dice.chance(0.35) {
        // One long cut: the motor bends a little under the load.
        let bends = (1..=6).map(|step| (f64::from(step) * seconds / 6.0, full * dice.between(0.85, 1.05)));
        return (std::iter::once((0.0, full)).chain(bends).collect(), 0.0);
    }
    let mut at = pulled_s + dice.between(0.0, 0.4);
    while at < seconds {
        let (rise, held, fall) = (dice.between(0.1, 0.4), dice.ratio(0.15, 2.0), dice.between(0.2, 0.9));
        let top = full * dice.between(0.8, 1.05);
        speed.extend([(at, idle), (at + rise, top), (at + rise + held, top * dice.between(0.85, 1.02))]);
        speed.push((at + rise + held + fall, idle));
        at += rise + held + fall + dice.ratio(0.1, 1.0);
    }
    (speed, pulled_s)
}

/// The cord: a ratchet that speeds up and falls off.
fn pull(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let teeth = dice.between(35.0, 60.0);
    let noise = Tape::noise(rate, seconds, dice).filtered(Pass::Band, 1_800.0, 0.7);
    noise.shaped(|t| (0.5 + 0.5 * (TAU * teeth * t).sin()).powi(3) * (PI * t / seconds).sin())
}

/// A steam locomotive or wheels on rails, at times with its whistle or horn.
fn train(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let steam = dice.chance(0.45);
    let mut train = if steam { chuffs(rate, seconds, dice) } else { Tape::silence(rate, seconds) };
    if !steam || dice.chance(0.5) {
        train.mix(0.0, &rails(rate, seconds, dice), if steam { dice.between(0.1, 0.4) } else { 1.0 });
    }
    if dice.chance(0.35) {
        let blown_s = dice.between(0.4, 1.6).min(seconds * 0.5);
        let at = dice.between(0.0, (seconds - blown_s).max(0.01));
        train.mix(at, &train_whistle(rate, blown_s, steam, dice), dice.between(0.2, 0.6));
    }
    train
}

/// Exhaust steam: four beats a turn of the wheel, one louder than the others.
fn chuffs(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let (from, to) = (dice.ratio(1.8, 7.0), dice.about(0.3));
    let (bright, accent) = (dice.ratio(500.0, 2_200.0), dice.between(0.4, 0.9));
    let hiss = Tape::noise(rate, seconds, dice);
    let mut phase = dice.between(0.6, 1.0);
    let mut beat = 0_usize;
    let burst = hiss.clone().shaped(|t| {
        phase += from * (1.0 + (to - 1.0) * t / seconds) / rate;
        if phase >= 1.0 {
            phase -= 1.0;
            beat += 1;
        }
        let gain = if beat.is_multiple_of(4) { 1.0 } else { accent };
        gain * (phase / 0.12).min(1.0).powi(2) * (-5.0 * (phase - 0.12).max(0.0)).exp()
    });
    let mut chuff = burst.clone().filtered(Pass::Band, bright, 0.6);
    chuff.mix(0.0, &burst.filtered(Pass::Low, 220.0, 1.0), dice.between(0.5, 2.0));
    chuff.mix(0.0, &hiss.filtered(Pass::High, 3_000.0, 0.7), dice.ratio(0.005, 0.06));
    chuff.normalised(1.0)
}

/// Rolling steel, and the four axles of two bogies over each joint: da-dum, da-dum.
fn rails(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let rolling = Tape::noise(rate, seconds, dice).filtered(Pass::Low, dice.ratio(150.0, 700.0), 0.7);
    let mut train = rolling.normalised(dice.between(0.1, 0.45));
    let (every, axles, bogies) = (dice.between(0.55, 1.3), dice.between(0.16, 0.24), dice.between(0.38, 0.5));
    let body = dice.ratio(70.0, 190.0);
    let steel: Vec<f64> = (0..5).map(|_| dice.ratio(500.0, 3_500.0)).collect();
    let mut at = dice.between(0.0, 0.2);
    while at < seconds {
        for share in [0.0, axles, bogies, bogies + axles] {
            let mut modes = vec![Mode { hertz: body, gain: 1.0, t60_s: 0.15 }];
            modes.extend(steel.iter().map(|hertz| Mode { hertz: *hertz, gain: dice.between(0.05, 0.3), t60_s: 0.08 }));
            let mut clack = Tape::modes(rate, 0.2, &modes, dice);
            clack.mix(0.0, &Tape::noise(rate, 0.08, dice).filtered(Pass::Band, 900.0, 0.6).struck(0.001, 0.06), 0.9);
            train.mix(at + share * every, &clack.faded(0.001, 0.02), dice.between(0.6, 1.0));
        }
        at += every * dice.about(0.03);
    }
    if dice.chance(0.25) {
        let (squeal, slow) = (dice.ratio(1_800.0, 4_500.0), dice.between(0.3, 0.9));
        let flange = Tape::tone(rate, seconds, Wave::Saw, |t| squeal * (1.0 + 0.01 * (TAU * slow * t).sin()));
        train.mix(0.0, &flange.shaped(|t| (TAU * slow * t).sin().max(0.0).powi(2)), dice.between(0.02, 0.12));
    }
    train
}

/// A chord: breathy pipes for steam, horns otherwise.
fn train_whistle(rate: f64, seconds: f64, steam: bool, dice: &mut Dice) -> Tape {
    let root = if steam { dice.ratio(380.0, 700.0) } else { dice.ratio(230.0, 370.0) };
    let mut chord = Tape::silence(rate, seconds);
    for ratio in [1.0, 1.19, 1.335, 1.5, 1.68].iter().take(dice.count(3, 5)) {
        let wave = if steam { Wave::Triangle } else { Wave::Saw };
        let scoop = dice.between(0.03, 0.1);
        chord.mix(0.0, &Tape::tone(rate, seconds, wave, |t| root * ratio * (1.0 - scoop * (-t * 14.0).exp())), 0.3);
    }
    if steam {
        let breath = Tape::noise(rate, seconds, dice).filtered(Pass::Band, root * 2.5, 0.7);
        chord.mix(0.0, &breath, dice.between(0.3, 1.0));
    }
    chord.faded(0.06, 0.15)
}

/// A roar without a beat, and a turbine's whine that falls as the aeroplane passes.
fn jet(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let pass = fly_by(seconds, 0.7, dice);
    let steep = dice.between(0.02, 0.22);
    let middle = dice.between(0.3, 0.7) * seconds;
    let spool = if dice.chance(0.3) { dice.between(0.2, 0.6) } else { 0.0 };
    // Doppler's shift while it passes, or the turbine gaining speed on the ground.
    let pitch = move |t: f64| (1.0 - steep * ((t - middle) * 1.5).tanh()) * (1.0 - spool * (-2.5 * t / seconds).exp());
    let bright = dice.ratio(500.0, 2_500.0);
    let noise = Tape::noise(rate, seconds, dice);
    let roar = noise.clone().swept(Pass::Low, 0.6, |t| bright * eased(&pass, t).max(0.15));
    let mut jet = roar.filtered(Pass::High, 40.0, 0.7).normalised(1.0);
    let deep = noise.filtered(Pass::Band, dice.ratio(70.0, 200.0), 0.6).normalised(1.0);
    jet.mix(0.0, &deep, dice.between(0.2, 0.9));
    if dice.chance(0.4) {
        // The crackle of a torn exhaust: the roar's own strength flutters fast.
        let flutter = Tape::noise(rate, seconds, dice).filtered(Pass::Low, 35.0, 0.7).normalised(1.0);
        jet = jet.map({
            let mut strength = flutter.samples.into_iter();
            move |_, sample| sample * (1.0 + 0.8 * f64::from(strength.next().unwrap_or(0.0)))
        });
    }
    let (whine, loud) = (dice.ratio(900.0, 4_200.0), dice.ratio(0.04, 0.5));
    for harmonic in 1..=dice.count(2, 4) {
        let hertz = whine * harmonic as f64 * if harmonic > 2 { 1.13 } else { 1.0 };
        let tone = Tape::tone(rate, seconds, Wave::Sine, |t| hertz * pitch(t));
        jet.mix(0.0, &tone, loud / harmonic as f64);
        // Blades are not all alike: the tone stands in a band of hiss.
        let air = Tape::noise(rate, seconds, dice).swept(Pass::Band, 14.0, |t| hertz * pitch(t));
        jet.mix(0.0, &air, 3.0 * loud / harmonic as f64);
    }
    jet.shaped(|t| eased(&pass, t))
}

/// Strokes of a motor: one pulse each, with hiss that comes in the same puffs.
fn combustion(rate: f64, seconds: f64, firing: &Firing, mut hertz: impl FnMut(f64) -> f64, dice: &mut Dice) -> Tape {
    let strengths: Vec<f64> = (0..firing.cylinders).map(|_| dice.about(firing.roughness)).collect();
    let (mut phase, mut stroke, mut strength) = (0.0, 0_usize, 1.0);
    Tape::from_fn(rate, seconds, |t| {
        phase += hertz(t) / rate;
        if phase >= 1.0 {
            phase -= 1.0;
            stroke += 1;
            strength = strengths[stroke % strengths.len()] * dice.about(0.6 * firing.roughness);
        }
        let pulse = strength * (firing.sharpness * ((TAU * (phase - 0.5)).cos() - 1.0)).exp();
        pulse + firing.hiss * dice.normal() * (0.08 + 0.3 * pulse)
    })
    .filtered(Pass::High, 25.0, 0.7)
}

/// Level over time: steady, coming, going, or passing by; `passing` is how likely it moves.
fn fly_by(seconds: f64, passing: f64, dice: &mut Dice) -> Vec<(f64, f64)> {
    let (near, far) = (1.0, dice.between(0.1, 0.5));
    let at = dice.between(0.25, 0.75) * seconds;
    match dice.count(0, 2) {
        _ if !dice.chance(passing) => vec![(0.0, near), (at, dice.between(0.75, 1.0)), (seconds, near)],
        0 => vec![(0.0, far), (seconds, near)],
        1 => vec![(0.0, near), (seconds, far)],
        _ => vec![(0.0, far), (at, near), (seconds, far)],
    }
}

/// A value that goes smoothly from point to point of (time, value), in order of time.
fn eased(points: &[(f64, f64)], t: f64) -> f64 {
    let next = points.partition_point(|(at, _)| *at <= t);
    match (next.checked_sub(1).and_then(|last| points.get(last)), points.get(next)) {
        (Some((from, low)), Some((to, high))) => {
            low + (high - low) * 0.5 * (1.0 - (PI * (t - from) / (to - from)).cos())
        }
        (Some((_, value)), None) | (None, Some((_, value))) => *value,
        (None, None) => 0.0,
    }
}
