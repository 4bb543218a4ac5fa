//! What things look like: each concept is drawn, differently for every seed.
//!
//! A concept's function draws it in a unit square. Background, place, size, turn, colours and manner are chosen here,
//! alike for all.

mod animals;
mod canvas;
mod household;
mod machines;
mod music;
mod signals;
mod weather;

use tiny_skia::{Pixmap, Transform};

use super::Dice;
use crate::media::RgbImage;
use canvas::{Canvas, Hue, Manner};

/// Draws a concept in the unit square.
pub(super) type Draw = fn(canvas: &mut Canvas, dice: &mut Dice);

/// What each concept looks like.
pub(super) fn draw(name: &str) -> Option<Draw> {
    let families = [animals::DRAW, household::DRAW, machines::DRAW, music::DRAW, signals::DRAW, weather::DRAW];
    families.into_iter().flatten().find(|(concept, _)| *concept == name).map(|(_, draw)| *draw)
}

/// A picture of a concept: some place, size, turn, background, colours and manner.
pub(super) fn paint(draw: Draw, side: u32, dice: &mut Dice) -> RgbImage {
    let manner = *dice.pick(&[Manner::Flat, Manner::Outlined, Manner::Outlined, Manner::Lines, Manner::Silhouette]);
    let (ink, paper) = inks(manner, dice);
    let mut canvas = Canvas {
        pixmap: Pixmap::new(side, side).expect("a side of at least one pixel"),
        place: place(f64::from(side), dice),
        manner,
        ink,
        paper,
        stroke: dice.between(0.008, 0.03),
        hue_shift: dice.normal() * 12.0,
        saturation: if dice.chance(0.12) { 0.0 } else { dice.between(0.5, 1.2) },
    };
    background(&mut canvas, dice);
    draw(&mut canvas, &mut dice.fork());
    develop(&canvas.pixmap, dice)
}

/// Where the subject's square comes to lie: mostly in the middle and large, at times small, turned or mirrored.
fn place(side: f64, dice: &mut Dice) -> Transform {
    let scale = side * dice.between(0.5, 0.98);
    let room = (side - scale).max(0.0) / 2.0;
    let middle = |dice: &mut Dice| (side / 2.0 + dice.between(-1.0, 1.0) * room) as f32;
    let (x, y) = (middle(dice), middle(dice));
    let degrees = if dice.chance(0.6) { dice.normal() * 7.0 } else { 0.0 };
    let mirror = if dice.chance(0.5) { -1.0 } else { 1.0 };
    let (scale_x, scale_y) = ((scale * mirror * dice.about(0.1)) as f32, scale as f32);
    Transform::from_translate(-0.5, -0.5).post_scale(scale_x, scale_y).post_rotate(degrees as f32).post_translate(x, y)
}

/// Ink and paper: dark on light, or light on dark.
fn inks(manner: Manner, dice: &mut Dice) -> (Hue, Hue) {
    let hue = dice.between(0.0, 360.0);
    let tint = if dice.chance(0.5) { 0.0 } else { dice.between(0.0, 0.8) };
    let dark = Hue(hue, tint, dice.between(0.0, 0.3));
    let light = Hue(dice.between(0.0, 360.0), dice.between(0.0, 0.3), dice.between(0.85, 1.0));
    let inverted = matches!(manner, Manner::Lines | Manner::Silhouette) && dice.chance(0.3);
    if inverted { (light, dark) } else { (dark, light) }
}

/// Plain paper, a gradient, or stripes and speckles.
fn background(canvas: &mut Canvas, dice: &mut Dice) {
    let paper = canvas.paper;
    canvas.pixmap.fill(paper.colour());
    if matches!(canvas.manner, Manner::Lines | Manner::Silhouette) {
        return;
    }
    let plain = Hue(dice.between(0.0, 360.0), dice.between(0.0, 0.5), dice.between(0.5, 1.0));
    match dice.count(0, 3) {
        0 => {}
        1 => canvas.wash(plain),
        2 => {
            for step in 0..24 {
                let share = f64::from(step) / 24.0;
                let mixed = Hue(plain.0, plain.1 * (1.0 - share), plain.2 + (1.0 - plain.2) * share);
                canvas.detail(&[(-2.0, share * 3.0 - 1.0), (3.0, share * 3.0 - 1.0)], 0.15, mixed);
            }
        }
        _ => {
            canvas.wash(plain);
            for _ in 0..dice.count(5, 40) {
                let at = (dice.between(-0.5, 1.5), dice.between(-0.5, 1.5));
                let fleck = Hue(plain.0, plain.1 * dice.between(0.6, 1.4), plain.2 * dice.between(0.85, 1.1));
                canvas.dot(at, dice.between(0.01, 0.08), fleck);
            }
        }
    }
}

/// To bytes, with a little grain and exposure.
fn develop(pixmap: &Pixmap, dice: &mut Dice) -> RgbImage {
    let (exposure, grain) = (dice.between(0.85, 1.08), dice.between(0.0, 8.0));
    let mut pixels = Vec::with_capacity(pixmap.pixels().len() * 3);
    for pixel in pixmap.pixels() {
        let noise = grain * dice.normal();
        for value in [pixel.red(), pixel.green(), pixel.blue()] {
            pixels.push((f64::from(value) * exposure + noise).round().clamp(0.0, 255.0) as u8);
        }
    }
    RgbImage { width: pixmap.width(), height: pixmap.height(), pixels }
}
