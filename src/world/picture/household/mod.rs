//! People and the house: clock, glass, zipper, baby, sneeze, explosion, spring, door.

mod people;
mod things;

use super::canvas::{Hue, Point};
use super::{Dice, Draw};

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[
    ("clock tick", things::clock),
    ("glass", things::glass),
    ("zipper", things::zipper),
    ("baby cry", people::baby),
    ("person sneeze", people::sneeze),
    ("explosion", people::explosion),
    ("spring", things::spring),
    ("door", things::door),
];

/// Any colour that is neither grey nor dark.
fn paint(dice: &mut Dice) -> Hue {
    Hue(dice.between(0.0, 360.0), dice.between(0.35, 0.9), dice.between(0.5, 1.0))
}

/// Wood, from pine to walnut.
fn wood(dice: &mut Dice) -> Hue {
    Hue(dice.between(18.0, 38.0), dice.between(0.45, 0.8), dice.between(0.35, 0.8))
}

/// Skin of any people.
fn skin(dice: &mut Dice) -> Hue {
    Hue(dice.between(16.0, 32.0), dice.between(0.25, 0.6), dice.between(0.4, 1.0))
}

/// The same colour, darker or lighter.
fn shade(Hue(hue, saturation, value): Hue, factor: f64) -> Hue {
    Hue(hue, saturation, (value * factor).min(1.0))
}

/// A point at a distance from another, in a direction in degrees clockwise from the right.
fn polar(centre: Point, distance: f64, degrees: f64) -> Point {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    (centre.0 + distance * cosine, centre.1 + distance * sine)
}

/// A star whose spikes alternate between two distances, each a little uneven.
fn star(centre: Point, (outer, inner): (f64, f64), spikes: usize, uneven: f64, dice: &mut Dice) -> Vec<Point> {
    let step = 180.0 / spikes as f64;
    let start = dice.between(0.0, 360.0);
    (0..2 * spikes)
        .map(|corner| {
            let radius = if corner % 2 == 0 { outer * (1.0 - uneven * dice.between(0.0, 1.0)) } else { inner };
            let slip = step * uneven * dice.between(-0.5, 0.5);
            polar(centre, radius, start + step * corner as f64 + slip)
        })
        .collect()
}
