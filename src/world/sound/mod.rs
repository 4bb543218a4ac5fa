//! What things sound like: each concept is synthesised, differently for every seed.
//!
//! A concept's function fills a tape of a given length with nothing but itself, dry and close. What recording does to
//! it - room, distance, noise, level, sample rate, channels - is done here, alike for all.

mod animals;
mod household;
mod machines;
mod music;
mod signals;
mod tape;
mod weather;

use super::Dice;
use crate::media::Recording;
use tape::{Pass, Tape};

/// Fills a tape of a sample rate and a length in seconds.
pub(super) type Render = fn(rate: f64, seconds: f64, dice: &mut Dice) -> Tape;

/// What each concept sounds like.
pub(super) fn render(name: &str) -> Option<Render> {
    let families =
        [animals::RENDER, household::RENDER, machines::RENDER, music::RENDER, signals::RENDER, weather::RENDER];
    families.into_iter().flatten().find(|(concept, _)| *concept == name).map(|(_, render)| *render)
}

/// Sample rates that recordings are found in.
const RATES_HZ: [u32; 10] = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 44_100, 44_100, 48_000, 96_000];

/// A recording of a concept as somebody might have made it: of any length, place, level and sample rate.
pub(super) fn record(render: Render, dice: &mut Dice) -> Recording {
    let sample_rate_hz = *dice.pick(&RATES_HZ);
    let seconds = if dice.chance(0.5) { 5.0 } else { dice.between(1.0, 8.0) };
    let tape = take(render, f64::from(sample_rate_hz), seconds, dice);
    spread(&tape, dice)
}

/// A take of a concept in a place, mono.
fn take(render: Render, rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut tape = render(rate, seconds, &mut dice.fork()).normalised(1.0);
    if dice.chance(0.5) {
        tape = tape.in_room(dice.ratio(0.2, 2.5), dice.between(0.05, 0.8), dice);
    }
    if dice.chance(0.3) {
        // Distance and cheap microphones lose the ends of the spectrum.
        tape = tape.filtered(Pass::Low, dice.ratio(2_500.0, 14_000.0), 0.7);
        tape = tape.filtered(Pass::High, dice.ratio(20.0, 200.0), 0.7);
    }
    let peak_db = dice.between(-30.0, -0.5);
    let noise_db = peak_db - dice.between(25.0, 75.0);
    let mut tape = tape.normalised(10.0_f64.powf(peak_db / 20.0));
    let hiss = background(rate, seconds, dice).normalised(10.0_f64.powf(noise_db / 20.0));
    tape.mix(0.0, &hiss, 1.0);
    tape
}

/// The noise of a quiet place or of a recorder: white to brown, at times with the hum of the mains.
fn background(rate: f64, seconds: f64, dice: &mut Dice) -> Tape {
    let mut noise = Tape::noise(rate, seconds, &mut dice.fork());
    if dice.chance(0.6) {
        noise = noise.filtered(Pass::Low, dice.ratio(100.0, 6_000.0), 0.5);
    }
    if dice.chance(0.25) {
        let mains = *dice.pick(&[50.0, 60.0]);
        let hum = Tape::tone(rate, seconds, tape::Wave::Buzz(4), |_| mains);
        noise.mix(0.0, &hum, dice.between(0.05, 0.5));
    }
    noise
}

/// Mono, twice the same, or two channels of unlike level and delay.
fn spread(tape: &Tape, dice: &mut Dice) -> Recording {
    let clipped: Vec<f32> = tape.samples.iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
    let channels = match dice.count(0, 2) {
        0 => vec![clipped],
        1 => vec![clipped.clone(), clipped],
        _ => {
            let delay = dice.count(0, (tape.rate * 0.0007) as usize);
            let gain = dice.between(0.4, 1.0) as f32;
            let later = std::iter::repeat_n(0.0, delay).chain(clipped.iter().map(|sample| sample * gain));
            let other: Vec<f32> = later.take(clipped.len()).collect();
            if dice.chance(0.5) { vec![clipped, other] } else { vec![other, clipped] }
        }
    };
    Recording { sample_rate_hz: tape.rate as u32, channels }
}

/// A long recording of a quiet place in which things are heard one after another, each from its own moment on for
/// `event_s` seconds.
pub(super) fn field_recording(events: &[(f64, Render)], seconds: f64, event_s: f64, dice: &mut Dice) -> Recording {
    let rate = 44_100.0;
    let noise = Tape::noise(rate, seconds, &mut dice.fork()).filtered(Pass::Low, 900.0, 0.5);
    let mut place = noise.normalised(0.012);
    for (at_s, render) in events {
        let heard = render(rate, event_s, &mut dice.fork()).faded(0.01, 0.3);
        place.mix(*at_s, &heard.normalised(dice.between(0.4, 0.8)), 1.0);
    }
    Recording { sample_rate_hz: rate as u32, channels: vec![place.normalised(0.8).samples] }
}
