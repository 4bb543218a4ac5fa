//! Animals: bird, cat, cricket, dog, frog, owl, rooster, bee.
//!
//! All look to the right; the canvas mirrors them at times.

mod feathered;
mod footed;

use super::super::Dice;
use super::Draw;
use super::canvas::{Canvas, Hue, Point};

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[
    ("bird", feathered::bird),
    ("cat", footed::cat),
    ("cricket", footed::cricket),
    ("frog", footed::frog),
    ("owl", feathered::owl),
    ("rooster", feathered::rooster),
    ("bee", feathered::bee),
    ("dog bark", footed::dog),
];

const BLACK: Hue = Hue(0.0, 0.0, 0.08);
const WHITE: Hue = Hue(0.0, 0.0, 0.98);

/// One of the colours an animal comes in, never twice quite the same.
fn coat(colours: &[Hue], dice: &mut Dice) -> Hue {
    let Hue(hue, saturation, value) = *dice.pick(colours);
    Hue(hue + dice.normal() * 8.0, saturation * dice.about(0.3), (value * dice.about(0.2)).clamp(0.15, 1.0))
}

/// The same colour, lighter or darker.
fn shade(Hue(hue, saturation, value): Hue, factor: f64) -> Hue {
    Hue(hue, (saturation / factor.sqrt()).min(1.0), (value * factor).min(1.0))
}

/// An eye that is seen in every manner.
fn eye(canvas: &mut Canvas, at: Point, radius: f64, iris: Hue) {
    canvas.dot(at, radius, iris);
    if iris != BLACK {
        canvas.dot((at.0 + 0.1 * radius, at.1), 0.55 * radius, BLACK);
    } else if radius > 0.02 {
        canvas.dot((at.0 + 0.3 * radius, at.1 - 0.3 * radius), 0.3 * radius, WHITE);
    }
}

/// A shape mirrored at the middle of the square: its left half, then its right half.
fn twice(points: &[Point]) -> [Vec<Point>; 2] {
    [points.to_vec(), points.iter().map(|&(x, y)| (1.0 - x, y)).collect()]
}

/// A branch to sit on.
fn branch(canvas: &mut Canvas, y: f64, dice: &mut Dice) {
    let bark = coat(&[Hue(28.0, 0.6, 0.4), Hue(20.0, 0.4, 0.3)], dice);
    let ends = (y + dice.between(-0.05, 0.05), y + dice.between(-0.05, 0.05));
    canvas.curve(&[(-0.1, ends.0), (0.3, y), (0.7, y), (1.1, ends.1)], dice.between(0.025, 0.05), bark);
    for _ in 0..dice.count(0, 3) {
        let x = if dice.chance(0.5) { dice.between(0.0, 0.2) } else { dice.between(0.8, 1.0) };
        canvas.ellipse((x, y - 0.05), (0.06, 0.028), dice.between(-60.0, -20.0), Hue(110.0, 0.7, 0.55));
    }
}
