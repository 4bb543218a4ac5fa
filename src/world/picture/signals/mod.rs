//! Signals: siren, alarm, telephone, doorbell, sonar, geiger counter, laser, car horn.
//!
//! What hangs or stands in a house is in one file, what is carried or driven in the other.

mod devices;
mod household;

use super::Draw;
use super::canvas::{Canvas, Hue, Point};

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[
    ("siren", devices::siren),
    ("alarm", household::alarm),
    ("telephone", household::telephone),
    ("doorbell", household::doorbell),
    ("sonar", devices::sonar),
    ("geiger counter", devices::geiger_counter),
    ("laser", devices::laser),
    ("car horn", devices::car_horn),
];

const BLACK: Hue = Hue(0.0, 0.0, 0.1);
const STEEL: Hue = Hue(210.0, 0.08, 0.65);
const WHITE: Hue = Hue(50.0, 0.03, 0.97);
const SKIN: Hue = Hue(25.0, 0.4, 0.9);

/// A spot on top of a detail: where details are paper, as in silhouettes, it is ink and stays visible.
fn knob(canvas: &mut Canvas, centre: Point, radius: f64, colour: Hue) {
    canvas.circle(centre, radius, colour);
}

/// The point at a distance and an angle in degrees, clockwise from the right.
fn polar(centre: Point, radius: f64, degrees: f64) -> Point {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    (centre.0 + radius * cosine, centre.1 + radius * sine)
}
