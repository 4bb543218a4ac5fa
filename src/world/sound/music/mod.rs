//! Instruments and bodies: bell, gong, drum, guitar, flute, whistle, applause, heartbeat.
//!
//! Owns what is struck; what is plucked is in `strings`, what is blown, clapped or beats by itself in `breath`.

mod breath;
mod strings;

use std::f64::consts::TAU;

use super::super::Dice;
use super::Render;
use super::tape::{Mode, Pass, Tape};

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[
    ("bell", bell),
    ("gong", gong),
    ("drum", drum),
    ("guitar", strings::guitar),
    ("flute", breath::flute),
    ("whistle", breath::whistle),
    ("applause", breath::applause),
    ("heartbeat", breath::heartbeat),
];

/// How a body is struck.
#[derive(Clone, Copy)]
struct Blow {
    /// How long the mallet stays on it: soft mallets stay longer.
    attack_s: f64,
    /// How much higher it starts than it ends, as a share of its frequency; stretched skins and thin plates bend.
    bend: f64,
    /// The time in which the bend falls to a third.
    settle_s: f64,
}

/// Like `Tape::modes`, but by rotation instead of sines, so that dozens of modes are cheap, and with a bend.
fn ring(rate: f64, seconds: f64, modes: &[Mode], blow: Blow, dice: &mut Dice) -> Tape {
    const BLOCK: usize = 64;
    let mut tape = Tape::silence(rate, seconds);
    for mode in modes.iter().filter(|mode| mode.hertz * (1.0 + blow.bend.max(0.0)) < 0.47 * rate) {
        let (mut y, mut x) = dice.between(0.0, TAU).sin_cos();
        let t60_s = mode.t60_s.max(1e-3);
        let shrink = (-6.907_755 / (t60_s * rate)).exp();
        let heard = (1.4 * t60_s * rate) as usize;
        for (block, samples) in tape.samples.chunks_mut(BLOCK).enumerate().take(heard / BLOCK + 1) {
            let t = (block * BLOCK) as f64 / rate;
            let hertz = mode.hertz * (1.0 + blow.bend * (-t / blow.settle_s.max(1e-3)).exp());
            let (sine, cosine) = (TAU * hertz / rate).sin_cos();
            let (sine, cosine) = (sine * shrink, cosine * shrink);
            for sample in samples {
                *sample += (mode.gain * y) as f32;
                (x, y) = (x * cosine - y * sine, x * sine + y * cosine);
            }
        }
    }
    tape.shaped(|t| (t / blow.attack_s.max(2e-4)).min(1.0))
}

/// Moments from early on until the end, with gaps that are drawn anew each time.
fn moments(seconds: f64, dice: &mut Dice, mut gap_s: impl FnMut(&mut Dice) -> f64) -> Vec<f64> {
    let mut moments = vec![dice.between(0.0, 0.1 * seconds.min(2.0))];
    let mut at = moments[0];
    while moments.len() < 400 {
        at += gap_s(dice).max(0.02);
        if at > seconds - 0.03 {
            break;
        }
        moments.push(at);
    }
    moments
}

/// A short burst of noise in a band: sticks, beaters, picks and palms.
fn tick(rate: f64, hertz: f64, q: f64, t60_s: f64, dice: &mut Dice) -> Tape {
    let burst = Tape::noise(rate, 1.3 * t60_s, &mut dice.fork()).filtered(Pass::Band, hertz, q);
    burst.struck(0.0005, t60_s)
}

/// The partials of a church bell as founders name them, hum to upper octave: ratio, loudness, share of the decay.
const CHURCH: [(f64, f64, f64); 12] = [
    (0.5, 0.45, 1.0),
    (1.0, 0.6, 0.6),
    (1.183, 0.9, 0.5),
    (1.506, 0.3, 0.3),
    (2.0, 1.0, 0.35),
    (2.514, 0.35, 0.2),
    (2.662, 0.35, 0.18),
    (3.011, 0.6, 0.2),
    (4.166, 0.5, 0.12),
    (5.433, 0.35, 0.08),
    (6.796, 0.25, 0.05),
    (8.215, 0.2, 0.04),
];

/// Hand bells are tuned to two partials, a twelfth apart; the others are soft and short.
const HAND: [(f64, f64, f64); 7] = [
    (1.0, 1.0, 1.0),
    (2.41, 0.3, 0.3),
    (2.99, 0.9, 0.5),
    (4.2, 0.25, 0.2),
    (5.35, 0.4, 0.2),
    (7.9, 0.3, 0.12),
    (10.8, 0.2, 0.08),
];

/// The modes of one cast bell: no bell is quite round, so that each partial is a pair that beats.
fn cast(partials: &[(f64, f64, f64)], hertz: f64, t60_s: f64, dice: &mut Dice) -> Vec<Mode> {
    let mut modes = Vec::new();
    for &(ratio, gain, share) in partials {
        let centre = hertz * ratio * dice.about(0.02);
        let split = dice.between(0.2, 3.0) * dice.between(0.0, 1.0);
        let gain = gain * dice.about(0.8);
        let t60_s = t60_s * share * dice.about(0.3);
        modes.push(Mode { hertz: centre - split / 2.0, gain, t60_s });
        modes.push(Mode { hertz: centre + split / 2.0, gain: gain * dice.between(0.2, 0.9), t60_s });
    }
    modes
}

fn bell(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let blow = Blow { attack_s: dice.between(0.0003, 0.003), bend: 0.0, settle_s: 1.0 };
    match dice.count(0, 9) {
        0..=4 => {
            // A clapper swings in a tower, or a single bell tolls.
            let hertz = dice.ratio(130.0, 1_000.0);
            let t60_s = dice.ratio(5.0, 14.0) * (400.0 / hertz).powf(0.3);
            let struck = ring(rate, seconds, &cast(&CHURCH, hertz, t60_s, dice), blow, dice);
            let (gap_s, waver) = (dice.ratio(0.6, 3.5), dice.between(0.01, 0.15));
            for at in moments(seconds, dice, |dice| gap_s * dice.about(waver)) {
                tape.mix(at, &struck, dice.about(0.3));
            }
        }
        5 | 6 => peal(&mut tape, blow, dice),
        7 => {
            // A hand bell or a bell on a counter is struck now and then.
            let hertz = dice.ratio(500.0, 2_800.0);
            let struck = ring(rate, seconds, &cast(&HAND, hertz, dice.ratio(1.0, 5.0), dice), blow, dice);
            let gap_s = dice.ratio(0.5, 2.5);
            for at in moments(seconds, dice, |dice| gap_s * dice.about(0.4)) {
                tape.mix(at, &struck, dice.about(0.4));
            }
        }
        _ => shaken(&mut tape, blow, dice),
    }
    tape
}

/// Several bells of a scale, rung round after round; in change ringing two neighbours swap places at times.
fn peal(tape: &mut Tape, blow: Blow, dice: &mut Dice) {
    const SCALE: [f64; 8] = [2.0, 1.888, 1.682, 1.498, 1.335, 1.26, 1.122, 1.0];
    let (rate, seconds) = (tape.rate, tape.seconds());
    let tenor = dice.ratio(200.0, 600.0);
    let count = dice.count(3, 8);
    let t60_s = dice.ratio(3.0, 7.0);
    let mut bells: Vec<Tape> = SCALE[8 - count..]
        .iter()
        .map(|ratio| ring(rate, seconds.min(2.5), &cast(&CHURCH, tenor * ratio, t60_s, dice), blow, dice))
        .map(|bell| bell.faded(0.0, 0.5))
        .collect();
    let gap_s = dice.ratio(0.16, 0.45);
    for (turn, at) in moments(seconds, dice, |dice| gap_s * dice.about(0.1)).into_iter().enumerate() {
        if turn % count == 0 && dice.chance(0.7) {
            let swapped = dice.count(0, count - 2);
            bells.swap(swapped, swapped + 1);
        }
        tape.mix(at, &bells[turn % count], dice.about(0.2));
    }
}

/// A small bell is shaken: its clapper hits at each end of the swing, never equally hard.
fn shaken(tape: &mut Tape, blow: Blow, dice: &mut Dice) {
    let hertz = dice.ratio(900.0, 3_400.0);
    let partials = if dice.chance(0.5) { &HAND[..] } else { &CHURCH[1..8] };
    let modes = cast(partials, hertz / 1.5, dice.ratio(0.5, 2.5), dice);
    let struck = ring(tape.rate, tape.seconds().min(2.0), &modes, blow, dice).faded(0.0, 0.2);
    let (gap_s, pause) = (dice.ratio(0.11, 0.26), dice.between(0.0, 0.12));
    let swing = |dice: &mut Dice| if dice.chance(pause) { dice.between(0.4, 1.2) } else { gap_s * dice.about(0.3) };
    for (turn, at) in moments(tape.seconds(), dice, swing).into_iter().enumerate() {
        let gain = if turn % 2 == 0 { 1.0 } else { 0.6 } * dice.about(0.5);
        tape.mix(at, &struck, gain);
    }
}

fn gong(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let opera = dice.chance(0.18);
    let stroke = if opera { opera_gong(rate, seconds, dice) } else { tam_tam(rate, seconds, dice) };
    let mut tape = Tape::silence(rate, seconds);
    let gap_s = if opera { dice.ratio(0.7, 2.5) } else { dice.ratio(1.8, 6.0) };
    for at in moments(seconds, dice, |dice| gap_s * dice.about(0.3)) {
        tape.mix(at, &stroke, dice.about(0.4));
    }
    tape
}

/// A large bronze disc: a deep note at once, then the energy climbs into hundreds of close high modes - the crash.
fn tam_tam(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let hertz = dice.ratio(45.0, 190.0);
    let t60_s = dice.ratio(4.0, 14.0);
    let blow = Blow { attack_s: dice.ratio(0.003, 0.03), bend: dice.between(-0.01, 0.02), settle_s: 0.5 };
    let mut deep = vec![Mode { hertz, gain: 1.0, t60_s }];
    for n in 1..14 {
        let ratio = 1.0 + 0.62 * f64::from(n) * dice.about(0.25);
        let gain = dice.about(1.5) / f64::from(n).sqrt();
        deep.push(Mode { hertz: hertz * ratio, gain, t60_s: t60_s * dice.between(0.4, 0.9) });
    }
    let mut tape = ring(rate, seconds, &deep, blow, dice);
    let top = dice.ratio(2_500.0, 9_000.0);
    let shimmer: Vec<Mode> = (0..60)
        .map(|_| {
            let high = dice.ratio(hertz * 6.0, top);
            Mode { hertz: high, gain: dice.about(1.0), t60_s: t60_s * 0.5 * (500.0 / high).powf(0.4) }
        })
        .collect();
    let bloom_s = dice.ratio(0.03, 0.5);
    let shimmer = ring(rate, seconds, &shimmer, blow, dice).shaped(|t| 1.0 - (-t / bloom_s).exp());
    tape.mix(0.0, &shimmer, dice.ratio(0.06, 0.5));
    let beater = tick(rate, dice.ratio(150.0, 700.0), 0.7, 0.08, dice);
    tape.mix(0.0, &beater, dice.between(0.5, 3.0));
    tape
}

/// A hand gong of the opera: thin, so that the note slides while it rings.
fn opera_gong(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let hertz = dice.ratio(220.0, 520.0);
    let t60_s = dice.ratio(0.8, 2.5);
    let bend = if dice.chance(0.5) { dice.between(0.1, 0.35) } else { dice.between(-0.25, -0.1) };
    let blow = Blow { attack_s: 0.001, bend, settle_s: dice.between(0.1, 0.4) };
    let modes: Vec<Mode> = (0..48)
        .map(|n| {
            let ratio = 1.0 + 0.33 * f64::from(n) * dice.about(0.3);
            let gain = dice.about(0.8) / (1.0 + 0.3 * f64::from(n));
            Mode { hertz: hertz * ratio, gain, t60_s: t60_s / ratio.powf(0.4) }
        })
        .collect();
    ring(rate, seconds, &modes, blow, dice)
}

/// What a drum is made of.
#[derive(Clone, Copy, PartialEq)]
enum Skin {
    Kick,
    Tom,
    Snare,
    Hand,
    Taiko,
}

/// One stroke on a skin: the modes of a round membrane, which bend as it is stretched, the stick and the snares.
fn stroke(rate: f64, skin: Skin, dice: &mut Dice) -> Tape {
    const MEMBRANE: [f64; 8] = [1.0, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501];
    let (hertz, t60_s, bend, stick_hz, stick) = match skin {
        Skin::Kick => (dice.ratio(45.0, 80.0), dice.ratio(0.2, 0.5), dice.between(0.5, 1.8), 2_500.0, 0.5),
        Skin::Tom => (dice.ratio(75.0, 240.0), dice.ratio(0.3, 1.0), dice.between(0.05, 0.3), 1_500.0, 0.6),
        Skin::Snare => (dice.ratio(150.0, 280.0), dice.ratio(0.12, 0.3), dice.between(0.0, 0.2), 3_500.0, 0.8),
        Skin::Hand => (dice.ratio(110.0, 480.0), dice.ratio(0.12, 0.5), dice.between(0.0, 0.15), 1_200.0, 1.2),
        Skin::Taiko => (dice.ratio(50.0, 110.0), dice.ratio(0.6, 1.8), dice.between(0.05, 0.3), 700.0, 1.0),
    };
    let modes: Vec<Mode> = MEMBRANE
        .iter()
        .map(|ratio| {
            let gain = dice.about(0.7) / ratio.powf(1.2);
            Mode { hertz: hertz * ratio * dice.about(0.04), gain, t60_s: t60_s / ratio.powf(0.8) }
        })
        .collect();
    let blow = Blow { attack_s: 0.0008, bend, settle_s: dice.between(0.02, 0.08) };
    let mut tape = ring(rate, 1.5 * t60_s + 0.3, &modes, blow, dice);
    let knock = tick(rate, stick_hz * dice.about(0.5), 0.6, dice.ratio(0.015, 0.06), dice);
    tape.mix(0.0, &knock, stick * dice.ratio(0.7, 2.5));
    if skin == Skin::Snare {
        let wires = Tape::noise(rate, 0.5, &mut dice.fork()).filtered(Pass::High, dice.ratio(1_000.0, 2_500.0), 0.7);
        tape.mix(0.0, &wires.struck(0.001, dice.ratio(0.12, 0.4)), dice.between(0.8, 2.5));
    }
    tape
}

fn drum(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    const SKINS: [Skin; 7] = [Skin::Kick, Skin::Tom, Skin::Tom, Skin::Snare, Skin::Hand, Skin::Hand, Skin::Taiko];
    match dice.count(0, 9) {
        0..=2 => roll(rate, seconds, dice),
        3..=5 => kit(rate, seconds, dice),
        _ => {
            // One player on one or two skins, with accents and rests on a grid.
            let skin = *dice.pick(&SKINS);
            let strokes = [stroke(rate, skin, dice), stroke(rate, skin, dice)];
            let gap_s = dice.ratio(0.11, 0.5);
            let (busy, loose) = (dice.between(0.4, 0.95), dice.between(0.01, 0.08));
            let accents = dice.count(2, 4);
            let mut tape = Tape::silence(rate, seconds);
            for (turn, at) in moments(seconds, dice, |dice| gap_s * dice.about(loose)).into_iter().enumerate() {
                let accent = turn % accents == 0;
                if accent || dice.chance(busy) {
                    let which = usize::from(!accent && dice.chance(0.6));
                    tape.mix(at, &strokes[which], if accent { 1.0 } else { 0.6 } * dice.about(0.2));
                }
            }
            tape
        }
    }
}

/// A roll on a snare drum or on a deep one, swelling or steady, often with a last hard stroke.
fn roll(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let skin = *dice.pick(&[Skin::Snare, Skin::Snare, Skin::Tom, Skin::Taiko]);
    let hands = [stroke(rate, skin, dice), stroke(rate, skin, dice)];
    let fastest = if skin == Skin::Snare { 26.0 } else { 15.0 };
    let (gap_s, swell) = (1.0 / dice.between(0.55 * fastest, fastest), dice.between(0.0, 0.8));
    let mut tape = Tape::silence(rate, seconds);
    for (turn, at) in moments(seconds, dice, |dice| gap_s * dice.about(0.12)).into_iter().enumerate() {
        let gain = 1.0 - swell + swell * at / seconds;
        tape.mix(at, &hands[turn % 2], gain * dice.about(0.25));
    }
    if dice.chance(0.4) {
        tape.mix(seconds - dice.between(0.3, 0.6), &hands[0], 2.5);
    }
    tape
}

/// A drum kit plays a beat: bass drum, snare drum on the back beat, and a closed hi-hat.
fn kit(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let (kick, snare) = (stroke(rate, Skin::Kick, dice), stroke(rate, Skin::Snare, dice));
    let hat = tick(rate, dice.ratio(6_000.0, 9_000.0), 0.8, dice.ratio(0.04, 0.15), dice);
    let hat_gain = dice.between(0.0, 1.5);
    let step_s = 60.0 / dice.between(75.0, 170.0) / 2.0;
    let kicks: Vec<bool> = (0..8).map(|step| step == 0 || dice.chance(0.3)).collect();
    let mut tape = Tape::silence(rate, seconds);
    for (step, at) in moments(seconds, dice, |dice| step_s * dice.about(0.02)).into_iter().enumerate() {
        tape.mix(at, &hat, hat_gain * dice.about(0.3));
        if kicks[step % 8] {
            tape.mix(at, &kick, 1.2 * dice.about(0.15));
        }
        if step % 4 == 2 || dice.chance(0.06) {
            tape.mix(at, &snare, 0.7 * dice.about(0.2));
        }
    }
    tape
}
