//! Weather, water, fire and the ground: rain, thunder, sea waves, wind, fire, water drop, bubbles, footsteps.
//!
//! Owns which of them there are, and the shapes that both the sky and the ground are drawn with.

mod ground;
mod sky;

use std::f64::consts::{PI, TAU};

use super::super::Dice;
use super::Draw;
use super::canvas::{self, Canvas, Hue, Point, oval};

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[
    ("rain", sky::rain),
    ("thunder", sky::thunder),
    ("sea waves", ground::sea_waves),
    ("wind", sky::wind),
    ("fire crackling", ground::fire),
    ("water drop", ground::water_drop),
    ("bubbles", ground::bubbles),
    ("footsteps", ground::footsteps),
];

const WHITE: Hue = Hue(0.0, 0.0, 1.0);

/// A tear with its tip upwards, leaning by an angle in radians.
fn drop_shape(canvas: &mut Canvas, centre: Point, radii: Point, lean: f64, colour: Hue) {
    let at = |step: i32| {
        let angle = f64::from(step) / 48.0 * TAU;
        let (x, y) = (1.25 * radii.0 * angle.sin() * (0.5 * angle).sin().abs().powf(1.4), -radii.1 * angle.cos());
        (centre.0 + x * lean.cos() - y * lean.sin(), centre.1 + x * lean.sin() + y * lean.cos())
    };
    canvas.polygon(&(0..48).map(at).collect::<Vec<_>>(), colour);
}

/// Puffs on a flat bottom, as one area.
fn cloud(canvas: &mut Canvas, centre: Point, radii: Point, colour: Hue, dice: &mut Dice) {
    let (puffs, flat) = (dice.count(3, 5), centre.1 + 0.75 * radii.1);
    let mut points = vec![(centre.0 - 0.8 * radii.0, flat)];
    let lift = dice.between(-0.15, 0.15);
    for puff in 0..puffs {
        let share = (puff as f64 + 0.5) / puffs as f64;
        let arch = (PI * share).sin();
        let middle =
            (centre.0 + (2.0 * share - 1.0) * 0.8 * radii.0, flat - radii.1 * (0.5 + arch * 0.9 + lift * share));
        let size = radii.0 * 1.15 / puffs as f64 * dice.between(0.9, 1.15);
        let (from, to) = (if puff == 0 { 110.0 } else { 190.0 }, if puff + 1 == puffs { 430.0 } else { 350.0 });
        points.extend(oval(middle, (size, size * 1.05), 0.0, (from, to)));
    }
    points.push((centre.0 + 0.8 * radii.0, flat));
    canvas.polygon(&points, colour);
}

/// Goes on from the last point along a curve that is drawn towards a control point (a quadratic Bézier curve).
fn bend(outline: &mut Vec<Point>, control: Point, to: Point) {
    let from = outline.last().copied().unwrap_or(control);
    for step in 1..=12 {
        let share = f64::from(step) / 12.0;
        let (a, b, c) = ((1.0 - share).powi(2), 2.0 * share * (1.0 - share), share * share);
        outline.push((a * from.0 + b * control.0 + c * to.0, a * from.1 + b * control.1 + c * to.1));
    }
}
