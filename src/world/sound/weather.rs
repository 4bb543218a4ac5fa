//! Weather, water, fire and the ground: rain, thunder, sea waves, wind, fire, water drop, bubbles, footsteps.

use std::f64::consts::TAU;

use super::super::Dice;
use super::Render;
use super::tape::{Mode, Pass, Tape, Wave};

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[
    ("rain", rain),
    ("thunder", thunder),
    ("sea waves", sea_waves),
    ("wind", wind),
    ("fire crackling", fire),
    ("water drop", water_drop),
    ("bubbles", bubbles),
    ("footsteps", footsteps),
];

/// Drops without number make a steady hiss; those that fall close by, on whatever is there, stand out of it.
fn rain(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut noise = Tape::noise(rate, seconds, &mut dice.fork());
    if dice.chance(0.8) {
        noise = noise.filtered(Pass::Low, dice.ratio(2_500.0, 14_000.0), 0.6);
    }
    let body = noise.clone().filtered(Pass::Band, dice.ratio(500.0, 5_000.0), dice.between(0.25, 0.9));
    let rumble = noise.clone().filtered(Pass::Low, dice.ratio(80.0, 700.0), 0.5);
    let mut tape = at_level(noise.filtered(Pass::High, dice.ratio(30.0, 800.0), 0.6), dice.between(0.3, 1.0));
    tape.mix(0.0, &at_level(body, dice.between(0.3, 1.5)), 1.0);
    tape.mix(0.0, &at_level(rumble, if dice.chance(0.4) { dice.between(0.2, 1.8) } else { 0.1 }), 1.0);
    let swell = wander(dice.ratio(1.5, 8.0), dice);
    let depth = dice.between(0.0, 0.12);
    tape = tape.shaped(|t| 1.0 + depth * swell(t));
    // Drops close by: dull on earth and leaves, bright on leather, stone and sheet metal.
    for _ in 0..dice.count(1, 3) {
        let per_s = dice.ratio(15.0, 700.0);
        let ticks = ticks(rate, seconds, per_s, dice.between(0.4, 0.9), dice);
        let drops = ticks.filtered(Pass::Band, dice.ratio(500.0, 7_000.0), dice.ratio(0.5, 4.0));
        tape.mix(0.0, &at_level(drops, dice.ratio(0.15, 1.5)), 1.0);
    }
    tape
}

/// Lightning is a long crooked line: its near parts are heard as a crack, the far ones later, duller and rolling.
fn thunder(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let near = dice.chance(0.55);
    let mut at = dice.between(0.0, 0.15 * seconds.min(2.0));
    while at < seconds - 0.3 {
        let length = dice.between(2.0, 5.5);
        tape.mix(at, &roll(rate, length, dice.ratio(70.0, 350.0), dice), dice.between(0.6, 1.0));
        if near {
            let crack = crack(rate, dice);
            tape.mix(at + dice.between(0.0, 0.1), &crack, dice.between(0.5, 2.0));
        }
        at += length * dice.between(0.7, 1.2);
    }
    let grumble = Tape::noise(rate, seconds, &mut dice.fork()).filtered(Pass::Low, 120.0, 0.6);
    tape.mix(0.0, &at_level(grumble, 0.03), 1.0);
    if dice.chance(0.2) {
        let shower = Tape::noise(rate, seconds, &mut dice.fork()).filtered(Pass::High, 700.0, 0.6);
        tape.mix(0.0, &at_level(shower, 0.012), 1.0);
    }
    tape
}

/// The rolling of thunder: low noise in irregular peals that die away and lose their upper end.
fn roll(rate: f64, seconds: f64, hertz: f64, dice: &mut Dice) -> Tape {
    let (peals_per_s, fade_s) = (dice.between(2.5, 9.0), seconds * dice.between(0.25, 0.5));
    let peals: Vec<(f64, f64)> = moments(seconds, peals_per_s, dice)
        .into_iter()
        .map(|at| (at, dice.ratio(0.15, 1.0) * (-at / fade_s).exp()))
        .chain([(0.0, 0.8)])
        .collect();
    let (rise_s, fall_s) = (dice.ratio(0.01, 0.12), dice.between(0.1, 0.45));
    let (bright, shine_s) = (dice.ratio(1.5, 7.0), dice.between(0.3, 1.2));
    let noise = Tape::noise(rate, seconds, &mut dice.fork());
    let dull = noise.swept(Pass::Low, 0.7, |t| hertz * (1.0 + bright * (-t / shine_s).exp()));
    let envelope = |t: f64| {
        let heard = peals.iter().filter(|(at, _)| *at <= t && t < at + 6.0 * fall_s);
        heard.map(|(at, gain)| gain * ((t - at) / rise_s).min(1.0) * (-(t - at) / fall_s).exp()).sum::<f64>()
    };
    dull.shaped(envelope).filtered(Pass::High, 28.0, 0.7).faded(0.005, 0.3).normalised(1.0)
}

/// The tearing crack of a near strike: a handful of shock waves within a fraction of a second.
fn crack(rate: f64, dice: &mut Dice) -> Tape {
    let seconds = dice.between(0.25, 0.9);
    let mut tape = Tape::silence(rate, seconds);
    for _ in 0..dice.count(3, 14) {
        let at = seconds * dice.between(0.0, 1.0) * dice.between(0.0, 1.0);
        let shock = Tape::noise(rate, 0.25, &mut dice.fork());
        let shock = shock.filtered(Pass::Low, dice.ratio(900.0, 7_000.0), 0.6).struck(0.002, dice.between(0.06, 0.25));
        tape.mix(at, &shock, dice.between(0.3, 1.0));
    }
    tape.normalised(1.0)
}

/// Each wave swells, breaks and runs back, its roar turning into the hiss of foam; far surf goes on underneath.
fn sea_waves(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let noise = Tape::noise(rate, seconds, &mut dice.fork());
    let noise = noise.filtered(Pass::High, dice.ratio(40.0, 350.0), 0.6);
    let (low, open) = (dice.ratio(250.0, 1_500.0), dice.ratio(1.5, 8.0));
    let period_s = dice.between(2.5, 7.5);
    let (break_at, steep, base) = (dice.between(0.3, 0.7), dice.between(1.2, 3.5), dice.ratio(0.08, 0.8));
    let phase = dice.between(0.0, 1.0);
    let (sway, uneven) = (wander(2.5 * period_s, dice), wander(0.3 * period_s, dice));
    let surge = |t: f64| {
        // A wave gathers faster and faster until it breaks, then ebbs away.
        let share = (t / period_s + phase + 0.12 * sway(t)).rem_euclid(1.0);
        let rising = share / break_at;
        let ebbing = (1.0 - share) / (1.0 - break_at);
        let gathered = if share < break_at { rising.powf(steep) } else { ebbing.powf(1.4) };
        (gathered * (1.0 + 0.25 * uneven(t))).clamp(0.0, 1.4)
    };
    let roar = noise.swept(Pass::Low, 0.6, |t| low * (1.0 + open * surge(t)));
    let mut tape = at_level(roar.shaped(|t| base + surge(t)), 1.0);
    // Noise of its own, lest it cancel the roar where their spectra meet.
    let foam = Tape::noise(rate, seconds, &mut dice.fork());
    let foam = foam.filtered(Pass::Band, dice.ratio(1_500.0, 6_000.0), 0.5);
    let fizz = ticks(rate, seconds, dice.ratio(300.0, 2_000.0), 0.8, dice).filtered(Pass::Band, 3_500.0, 0.6);
    let (foam_gain, fizz_gain) = (dice.between(0.08, 0.6), dice.between(0.0, 0.15));
    let late = dice.between(0.1, 0.25) * period_s;
    tape.mix(0.0, &at_level(foam.shaped(|t| 0.6 * base + 0.05 + surge(t - late)), foam_gain), 1.0);
    tape.mix(0.0, &at_level(fizz.shaped(|t| 0.05 + surge(t - late)), fizz_gain), 1.0);
    if dice.chance(0.3) {
        // Water that laps at rocks and hulls.
        let mut lapping = Tape::silence(rate, seconds);
        for at in moments(seconds, dice.between(8.0, 25.0), dice) {
            let hertz = dice.ratio(150.0, 800.0);
            lapping.mix(at, &bubble(rate, hertz, dice.between(0.0, 6.0), dice.between(0.05, 0.15)), surge(at));
        }
        tape.mix(0.0, &at_level(lapping, dice.between(0.2, 0.8)), 1.0);
    }
    tape
}

/// Air that is torn at edges howls around a pitch that rises with its speed; gusts come and go.
fn wind(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let gust_s = dice.ratio(1.5, 5.0);
    let (gust, flutter) = (wander(gust_s, dice), wander(0.15, dice));
    let depth = dice.between(0.25, 0.6);
    let shake = dice.between(0.0, 0.25);
    let force = |t: f64| (1.6 * depth * gust(t) + shake * flutter(t)).exp();
    let mut tape = Tape::silence(rate, seconds);
    let centre = dice.ratio(220.0, 900.0);
    let howling = dice.chance(0.6);
    for voice in 0..dice.count(1, 3) {
        let hertz = centre * if voice == 0 { 1.0 } else { dice.ratio(1.3, 3.2) };
        let q = if howling { dice.ratio(5.0, 18.0) } else { dice.ratio(1.2, 4.0) };
        let noise = Tape::noise(rate, seconds, &mut dice.fork());
        let own = wander(1.4 * gust_s, dice);
        let voice_depth = dice.between(0.15, 0.4);
        let howl = noise.swept(Pass::Band, q, |t| hertz * (0.6 * depth * gust(t) + voice_depth * own(t)).exp());
        let howl = howl.filtered(Pass::Low, 2.0 * hertz, 0.5).shaped(|t| force(t).powf(1.6));
        tape.mix(0.0, &at_level(howl, 0.6_f64.powi(voice as i32)), 1.0);
    }
    let rumble = Tape::noise(rate, seconds, &mut dice.fork()).filtered(Pass::Low, dice.ratio(70.0, 260.0), 0.7);
    let rumble = rumble.filtered(Pass::High, 25.0, 0.7).shaped(|t| force(t).powi(2));
    tape.mix(0.0, &at_level(rumble, dice.ratio(0.08, 1.6)), 1.0);
    if dice.chance(0.3) {
        let leaves =
            Tape::noise(rate, seconds, &mut dice.fork()).filtered(Pass::Band, dice.ratio(2_500.0, 6_000.0), 0.6);
        tape.mix(0.0, &at_level(leaves.shaped(|t| force(t).powi(3)), dice.ratio(0.02, 0.15)), 1.0);
    }
    tape
}

/// Steam bursts the wood in sharp crackles and a few deep pops, over the low flutter of the flames.
fn fire(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let flicker = wander(dice.between(0.08, 0.4), dice);
    let depth = dice.between(0.1, 0.5);
    let noise = Tape::noise(rate, seconds, &mut dice.fork());
    let roar = noise.clone().filtered(Pass::Low, dice.ratio(70.0, 450.0), 0.6).filtered(Pass::High, 30.0, 0.7);
    let hiss = noise.filtered(Pass::High, dice.ratio(700.0, 4_000.0), 0.5);
    let mut tape = at_level(roar.shaped(|t| (1.0 + depth * flicker(t)).max(0.1)), dice.ratio(0.01, 0.5));
    tape.mix(0.0, &at_level(hiss, dice.ratio(0.004, 0.05)), 1.0);
    // Crackles come in flurries: every now and then there are many at once.
    let (flurry, thick) = (wander(dice.between(0.3, 1.0), dice), dice.between(0.2, 0.8));
    let per_s = dice.ratio(6.0, 70.0);
    for at in moments(seconds, per_s, dice) {
        if dice.chance(0.55 + thick * flurry(at)) {
            let loud = dice.ratio(0.04, 1.0) * dice.about(0.3);
            tape.mix(at, &snap(rate, dice.ratio(0.002, 0.03), dice.ratio(900.0, 9_000.0), dice), loud);
        }
    }
    for at in moments(seconds, dice.ratio(0.2, 2.5), dice).into_iter().chain([dice.between(0.02, 0.4)]) {
        let pop = snap(rate, dice.ratio(0.02, 0.15), dice.ratio(400.0, 3_500.0), dice);
        tape.mix(at, &pop, dice.between(0.5, 1.5));
    }
    let fine = ticks(rate, seconds, dice.ratio(20.0, 250.0), 0.9, dice).filtered(Pass::High, 1_500.0, 0.7);
    tape.mix(0.0, &fine.normalised(1.0), dice.ratio(0.03, 0.5));
    tape
}

/// One crack of burning wood: a click with a short tail around a pitch.
fn snap(rate: f64, t60_s: f64, hertz: f64, dice: &mut Dice) -> Tape {
    let burst = Tape::noise(rate, 1.2 * t60_s + 0.002, &mut dice.fork()).struck(0.0001, t60_s);
    let ring = burst.clone().filtered(Pass::Band, hertz, dice.between(0.5, 2.0));
    let mut both = burst.gained(dice.between(0.1, 0.6));
    both.mix(0.0, &ring, 1.0);
    both.normalised(1.0)
}

/// A drop tears a bubble of air under, which sings and rises in pitch as it closes in on the surface.
fn water_drop(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let (pitch, spread) = (dice.ratio(500.0, 2_600.0).min(0.3 * rate), dice.between(0.02, 0.5));
    let (t60_s, rise) = (dice.ratio(0.05, 0.35), dice.between(2.0, 16.0));
    let (gap_s, uneven) = (dice.ratio(0.3, 1.6), dice.between(0.0, 0.5));
    let (splash, double) = (dice.between(0.0, 0.5), dice.between(0.0, 0.5));
    let mut at = dice.between(0.0, 0.3);
    while at < seconds {
        let hertz = pitch * dice.about(spread);
        let gain = dice.about(0.3);
        let tick = ticks(rate, 0.012, 300.0, 0.5, dice).filtered(Pass::High, 1_000.0, 0.7).normalised(1.0);
        tape.mix(at, &tick.struck(0.0002, 0.012), splash * gain);
        let delay = dice.between(0.004, 0.03);
        tape.mix(at + delay, &bubble(rate, hertz, rise, t60_s * dice.about(0.2)), gain);
        if dice.chance(double) {
            let second = bubble(rate, hertz * dice.ratio(0.6, 1.7), rise, 0.6 * t60_s);
            tape.mix(at + delay + dice.between(0.03, 0.12), &second, gain * dice.between(0.2, 0.7));
        }
        at += gap_s * dice.about(uneven).max(0.3);
    }
    // Drops are mostly heard where there is an echo: caves, cellars, bathrooms.
    if dice.chance(0.4) { tape.in_room(dice.between(0.6, 2.5), dice.between(0.1, 0.6), dice) } else { tape }
}

/// Bubble after bubble, singly as from a diver or without number as in boiling water, in bursts or steadily.
fn bubbles(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let per_s = dice.ratio(9.0, 90.0);
    // The more there are, the smaller they tend to be.
    let centre = dice.ratio(170.0, 500.0) * (per_s / 9.0).powf(0.45);
    let (spread, longest) = (dice.ratio(1.3, 2.6), dice.between(0.04, 0.14));
    let (burst, bursts) = (wander(dice.between(0.2, 0.9), dice), dice.between(0.0, 0.9));
    let rise = dice.between(1.0, 12.0);
    for at in moments(seconds, 1.5 * per_s, dice).into_iter().chain([0.05]) {
        if dice.chance(0.65 + bursts * burst(at)) {
            let hertz = centre * dice.ratio(1.0 / spread, spread);
            let t60_s = longest * (centre / hertz).powf(0.5) * dice.between(0.5, 1.2);
            let one = bubble(rate, hertz, rise * dice.between(0.2, 1.5), t60_s);
            tape.mix(at, &one, dice.ratio(0.15, 1.0));
        }
    }
    let stir = Tape::noise(rate, seconds, &mut dice.fork()).filtered(Pass::Band, 1.2 * centre, 0.8);
    let stir = stir.shaped(|t| (0.5 + bursts * burst(t)).max(0.05));
    tape = tape.normalised(1.0);
    tape.mix(0.0, &at_level(stir, dice.ratio(0.003, 0.05)), 1.0);
    tape.filtered(Pass::Low, dice.ratio(1_500.0, 9_000.0), 0.7)
}

/// What is walked on.
#[derive(Clone, Copy)]
struct Ground {
    /// How hard and bright the heel strikes, in hertz and as a share.
    click: (f64, f64),
    /// Share of the dull thump of the weight.
    thump: f64,
    /// Share of what gives way and crunches, and the pitch of it.
    crunch: (f64, f64),
}

/// Heel and toe, left and right, at a walking pace; the ground decides between clack, thud and crunch.
fn footsteps(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let hard = Ground { click: (dice.ratio(900.0, 3_200.0), 1.0), thump: dice.between(0.2, 0.9), crunch: (1.0, 0.0) };
    let wood = Ground { click: (dice.ratio(250.0, 900.0), 0.8), thump: 1.0, crunch: (1.0, 0.0) };
    let gravel = Ground { click: (1_500.0, 0.1), thump: 0.3, crunch: (dice.ratio(1_200.0, 5_000.0), 1.0) };
    let ground = *dice.pick(&[hard, hard, wood, gravel]);
    let step_s = if dice.chance(0.25) { dice.between(0.27, 0.36) } else { dice.between(0.42, 0.75) };
    let toe_s = step_s * dice.between(0.12, 0.3);
    let (toe_gain, limp) = (dice.between(0.15, 0.7), dice.normal() * 0.04);
    let feet = [dice.fork(), dice.fork()];
    let mut tape = Tape::silence(rate, seconds);
    let mut at = dice.between(0.0, 0.25);
    let mut step = 0_usize;
    while at < seconds {
        // The same foot in the same shoe sounds alike, but never twice the same.
        let mut foot = feet[step % 2].clone();
        let gain = dice.about(0.25);
        let pitch = dice.about(0.08);
        tape.mix(at, &tread(rate, ground, pitch, dice, &mut foot), gain);
        let toe = tread(rate, ground, pitch * 1.2, dice, &mut foot);
        tape.mix(at + toe_s * dice.about(0.1), &toe, gain * toe_gain);
        at += step_s * (1.0 + if step.is_multiple_of(2) { limp } else { -limp }) * dice.about(0.06);
        step += 1;
    }
    tape
}

/// One touch of a sole on the ground.
fn tread(rate: f64, ground: Ground, pitch: f64, dice: &mut Dice, foot: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, 0.4);
    let (hertz, click) = ground.click;
    let modes: Vec<Mode> = (0..4)
        .map(|index| Mode {
            hertz: pitch * hertz * (1.0 + 0.7 * f64::from(index)) * foot.about(0.2),
            gain: 0.7_f64.powi(index),
            t60_s: foot.between(0.02, 0.07) * (1_000.0 / hertz).powf(0.4),
        })
        .collect();
    tape.mix(0.0, &Tape::modes(rate, 0.2, &modes, foot).normalised(1.0), click);
    let scuff = Tape::noise(rate, 0.06, &mut dice.fork()).filtered(Pass::Band, 1.5 * hertz, 0.6);
    tape.mix(0.0, &scuff.struck(0.001, 0.04).normalised(1.0), 0.5 * click);
    let fall = pitch * foot.between(70.0, 150.0);
    let thump = Tape::tone(rate, 0.2, Wave::Sine, |t| fall * (1.0 + (-t / 0.015).exp())).struck(0.003, 0.12);
    tape.mix(0.0, &thump, ground.thump);
    let (colour, crunch) = ground.crunch;
    if crunch > 0.0 {
        let grit = ticks(rate, 0.35, foot.ratio(400.0, 3_000.0), 0.9, dice).filtered(Pass::Band, colour, 0.6);
        let press = foot.between(0.02, 0.05);
        tape.mix(
            0.0,
            &grit.shaped(|t| (t / press) * (1.0 - t / press).exp()).faded(0.001, 0.1).normalised(1.0),
            crunch,
        );
    }
    tape
}

/// A bubble in water: a vibration that dies away while its pitch rises, by `rise` times itself in a second (van den
/// Doel, "Physically based models for liquid sounds").
fn bubble(rate: f64, hertz: f64, rise: f64, t60_s: f64) -> Tape {
    Tape::tone(rate, 1.1 * t60_s + 0.004, Wave::Sine, |t| hertz * (1.0 + rise * t)).struck(0.002, t60_s)
}

/// Clicks one sample long at random moments; the nearer `spread` is to 1, the more their loudness differs.
fn ticks(rate: f64, seconds: f64, per_s: f64, spread: f64, dice: &mut Dice) -> Tape {
    let mut tape = Tape::silence(rate, seconds);
    let last = tape.samples.len().saturating_sub(1);
    for at in moments(seconds, per_s, dice).into_iter().chain([0.0]) {
        let loud = dice.ratio((1.0 - spread).max(0.02), 1.0);
        tape.samples[((at * rate) as usize).min(last)] += (if dice.chance(0.5) { loud } else { -loud }) as f32;
    }
    tape
}

/// Random moments, so many a second on average, in order (a Poisson process).
fn moments(seconds: f64, per_s: f64, dice: &mut Dice) -> Vec<f64> {
    let mut at = 0.0;
    let next = std::iter::from_fn(|| {
        at -= (1.0 - dice.between(0.0, 1.0)).ln() / per_s;
        (at < seconds).then_some(at)
    });
    next.collect()
}

/// A slow unrest around 0, mostly within 1, that takes about `period_s` to go up and down.
fn wander(period_s: f64, dice: &mut Dice) -> impl Fn(f64) -> f64 + use<> {
    let swings: Vec<(f64, f64)> =
        (0..5).map(|_| (TAU * dice.ratio(0.45, 2.2) / period_s, dice.between(0.0, TAU))).collect();
    let height = |t: f64| swings.iter().map(|(speed, phase)| (speed * t + phase).sin()).sum::<f64>() * 0.45;
    // It is asked for at every sample, so that it is drawn once, for the longest tape, and read between its points.
    let per_s = 60.0 / period_s;
    let drawn: Vec<f64> = (0..=(12.0 * per_s) as usize + 1).map(|point| height(point as f64 / per_s)).collect();
    move |t| {
        let place = (t.max(0.0) * per_s).min((drawn.len() - 2) as f64);
        let (before, share) = (place as usize, place.fract());
        drawn[before] + share * (drawn[before + 1] - drawn[before])
    }
}

/// Scaled so that the root of its mean square is `level`.
fn at_level(tape: Tape, level: f64) -> Tape {
    let power: f64 = tape.samples.iter().map(|sample| f64::from(sample * sample)).sum();
    let now = (power / tape.samples.len().max(1) as f64).sqrt();
    if now > 0.0 { tape.gained(level / now) } else { tape }
}
