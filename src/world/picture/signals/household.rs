//! The signals of a house: alarm, telephone, doorbell.

use super::super::super::Dice;
use super::super::canvas::{Canvas, Hue, Manner, Point, oval};
use super::{BLACK, SKIN, STEEL, WHITE, knob, polar};

/// The clock with two bells on its head, the digital one, or a smoke detector under the ceiling.
pub(super) fn alarm(canvas: &mut Canvas, dice: &mut Dice) {
    match dice.count(0, 4) {
        0 | 1 => bell_clock(canvas, dice),
        2 | 3 => digital_clock(canvas, dice),
        _ => smoke_detector(canvas, dice),
    }
}

fn bell_clock(canvas: &mut Canvas, dice: &mut Dice) {
    let body = Hue(dice.between(0.0, 360.0), dice.between(0.5, 0.95), dice.between(0.6, 0.95));
    let (centre, radius) = ((0.5, 0.57), dice.between(0.26, 0.31));
    for side in [-1.0, 1.0] {
        canvas.line(&[(0.5 + side * 0.15, 0.78), (0.5 + side * 0.24, 0.93)], 0.06, body);
        let bell = (0.5 + side * 0.2, 0.23);
        let mut cap = oval(bell, (0.14, 0.14), side * 35.0, (180.0, 360.0));
        cap.push(cap[0]);
        canvas.polygon(&cap, Hue(45.0, 0.7, 0.9));
        for wave in 0..2 {
            let far = 0.2 + 0.07 * f64::from(wave);
            let middle = if side > 0.0 { -40.0 } else { 220.0 };
            canvas.arc(bell, (far, far), middle - 28.0, middle + 28.0, 0.02, BLACK);
        }
    }
    canvas.line(&[(0.5, 0.3), (0.5, 0.17)], 0.025, BLACK);
    canvas.rectangle((0.46, 0.12), (0.54, 0.18), 0.01, BLACK);
    canvas.circle(centre, radius, body);
    // The face is cut out of a silhouette, and drawn in the other manners.
    if canvas.manner == Manner::Silhouette {
        canvas.dot(centre, radius * 0.8, WHITE);
    } else {
        canvas.circle(centre, radius * 0.8, WHITE);
    }
    for (share, width) in [(0.4, 0.035), (0.62, 0.025)] {
        let tip = polar(centre, radius * share, dice.between(0.0, 360.0));
        canvas.line(&[centre, tip], width, BLACK);
    }
}

/// Seven segments of a digit, from the top clockwise and the middle last.
const DIGITS: [u8; 10] =
    [0b0111111, 0b0000110, 0b1011011, 0b1001111, 0b1100110, 0b1101101, 0b1111101, 0b0000111, 0b1111111, 0b1101111];

fn digital_clock(canvas: &mut Canvas, dice: &mut Dice) {
    let case = Hue(dice.between(0.0, 360.0), dice.between(0.0, 0.6), dice.between(0.15, 0.5));
    let glow = Hue(*dice.pick(&[0.0, 120.0, 190.0, 40.0]), 0.9, 1.0);
    for ray in 0..7 {
        let degrees = 210.0 + 20.0 * f64::from(ray);
        canvas.line(&[polar((0.5, 0.75), 0.5, degrees), polar((0.5, 0.75), 0.6, degrees)], 0.03, glow);
    }
    canvas.rectangle((0.36, 0.32), (0.64, 0.4), 0.03, Hue(0.0, 0.0, 0.75));
    canvas.rectangle((0.06, 0.38), (0.94, 0.78), 0.06, case);
    canvas.rectangle((0.14, 0.78), (0.26, 0.83), 0.01, case);
    canvas.rectangle((0.74, 0.78), (0.86, 0.83), 0.01, case);
    let time = [dice.count(0, 1), dice.count(5, 9), dice.count(0, 5), dice.count(0, 9)];
    for (digit, x) in time.into_iter().zip([0.13, 0.31, 0.56, 0.74]) {
        let (w, h, y) = (0.12, 0.13, 0.45);
        let (a, b, c) = ((x, y), (x + w, y), (x + w, y + h));
        let (d, e, f) = ((x + w, y + 2.0 * h), (x, y + 2.0 * h), (x, y + h));
        let segments = [[a, b], [b, c], [c, d], [d, e], [e, f], [f, a], [f, c]];
        for (bit, segment) in segments.iter().enumerate() {
            if DIGITS[digit] >> bit & 1 == 1 {
                canvas.detail(segment, 0.028, glow);
            }
        }
    }
    canvas.dot((0.495, 0.52), 0.018, glow);
    canvas.dot((0.495, 0.65), 0.018, glow);
}

fn smoke_detector(canvas: &mut Canvas, dice: &mut Dice) {
    let shell = Hue(50.0, 0.04, dice.between(0.85, 1.0));
    canvas.rectangle((0.0, 0.08), (1.0, 0.16), 0.0, STEEL);
    canvas.polygon(&[(0.18, 0.16), (0.82, 0.16), (0.78, 0.3), (0.66, 0.38), (0.34, 0.38), (0.22, 0.3)], shell);
    for slot in 0..7 {
        let x = 0.28 + 0.073 * f64::from(slot);
        canvas.detail(&[(x, 0.21), (x, 0.28)], 0.018, BLACK);
    }
    canvas.dot((0.5, 0.34), 0.025, Hue(0.0, 0.9, 1.0));
    for side in [-1.0, 1.0] {
        for wave in 0..2 {
            let far = 0.3 + 0.1 * f64::from(wave);
            let middle = 90.0 - side * 55.0;
            canvas.arc((0.5, 0.25), (far, far), middle - 15.0, middle + 15.0, 0.022, Hue(0.0, 0.9, 0.9));
        }
    }
    for wisp in 0..dice.count(2, 3) {
        let x = 0.36 + 0.14 * wisp as f64;
        let smoke: Vec<Point> =
            (0..6).map(|k| (x + if k % 2 == 0 { 0.04 } else { -0.04 }, 0.95 - 0.09 * f64::from(k))).collect();
        canvas.curve(&smoke, 0.035, Hue(0.0, 0.0, 0.5));
    }
}

/// The desk telephone with its dial, a receiver alone, or a mobile that shakes.
pub(super) fn telephone(canvas: &mut Canvas, dice: &mut Dice) {
    let colour = Hue(*dice.pick(&[0.0, 0.0, 120.0, 200.0, 40.0]), dice.between(0.0, 0.9), dice.between(0.2, 0.85));
    match dice.count(0, 5) {
        0..=2 => desk_phone(canvas, colour, dice),
        3 => {
            receiver(canvas, (0.45, 0.55), 0.42, -50.0, colour);
            for wave in 0..3 {
                let far = 0.12 + 0.09 * f64::from(wave);
                canvas.arc((0.66, 0.36), (far, far), -75.0, 10.0, 0.025, colour);
            }
        }
        _ => mobile(canvas, colour, dice),
    }
}

fn desk_phone(canvas: &mut Canvas, colour: Hue, dice: &mut Dice) {
    let wide = dice.between(0.32, 0.4);
    let cord: Vec<Point> =
        (0..12).map(|k| (0.1 - if k % 2 == 0 { 0.05 } else { 0.0 }, 0.36 + 0.045 * f64::from(k))).collect();
    canvas.curve(&cord, 0.02, colour);
    let base =
        [(0.33, 0.36), (0.67, 0.36), (0.5 + wide, 0.82), (0.5 + wide, 0.9), (0.5 - wide, 0.9), (0.5 - wide, 0.82)];
    canvas.polygon(&base, colour);
    receiver(canvas, (0.5, 0.36), 0.4, 0.0, colour);
    canvas.dot((0.5, 0.64), 0.17, WHITE);
    let dark = Hue(0.0, 0.0, 0.15);
    if dice.chance(0.7) {
        for hole in 0..10 {
            let at = polar((0.5, 0.64), 0.12, 60.0 + 30.0 * f64::from(hole));
            knob(canvas, at, 0.024, dark);
        }
        knob(canvas, (0.5, 0.64), 0.055, colour);
    } else {
        for key in 0..9 {
            let (column, row) = (f64::from(key % 3), f64::from(key / 3));
            knob(canvas, (0.42 + 0.08 * column, 0.56 + 0.08 * row), 0.025, dark);
        }
    }
}

/// The bone that is held to ear and mouth, bowed upwards at 0 degrees.
fn receiver(canvas: &mut Canvas, centre: Point, half: f64, degrees: f64, colour: Hue) {
    let bone = [
        (-1.0, 0.2),
        (-0.95, -0.25),
        (-0.6, -0.52),
        (0.0, -0.6),
        (0.6, -0.52),
        (0.95, -0.25),
        (1.0, 0.2),
        (0.55, 0.2),
        (0.5, -0.1),
        (0.0, -0.2),
        (-0.5, -0.1),
        (-0.55, 0.2),
    ];
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let turned = |(x, y): Point| (centre.0 + half * (x * cosine - y * sine), centre.1 + half * (x * sine + y * cosine));
    canvas.polygon(&bone.map(turned), colour);
}

fn mobile(canvas: &mut Canvas, colour: Hue, dice: &mut Dice) {
    let half = dice.between(0.17, 0.22);
    canvas.rectangle((0.5 - half, 0.08), (0.5 + half, 0.92), 0.05, Hue(colour.0, colour.1, 0.2));
    let screen = Hue(dice.between(180.0, 260.0), 0.4, 0.95);
    let inside = [(0.54 - half, 0.17), (0.46 + half, 0.17), (0.46 + half, 0.8), (0.54 - half, 0.8)];
    canvas.detail(&[inside[0], inside[1], inside[2], inside[3], inside[0]], 0.015, screen);
    // The caller's head, and the buttons to take the call or refuse it.
    canvas.dot((0.5, 0.3), 0.055, screen);
    canvas.dot((0.5, 0.43), 0.08, screen);
    canvas.dot((0.5 - half * 0.45, 0.68), 0.055, Hue(0.0, 0.8, 0.9));
    canvas.dot((0.5 + half * 0.45, 0.68), 0.055, Hue(130.0, 0.8, 0.8));
    canvas.dot((0.5, 0.86), 0.025, WHITE);
    for side in [0.0, 180.0] {
        for wave in 0..2 {
            let far = half + 0.08 + 0.08 * f64::from(wave);
            canvas.arc((0.5, 0.5), (far, 0.3), side - 35.0, side + 35.0, 0.025, colour);
        }
    }
}

/// A button beside the door and the finger that presses it, a chime with its tubes, or one with a camera.
pub(super) fn doorbell(canvas: &mut Canvas, dice: &mut Dice) {
    let brass = Hue(*dice.pick(&[42.0, 42.0, 210.0, 20.0]), dice.between(0.1, 0.7), dice.between(0.6, 0.9));
    match dice.count(0, 4) {
        0 => chime(canvas, brass, dice),
        1 => {
            canvas.rectangle((0.32, 0.06), (0.68, 0.94), 0.16, Hue(brass.0, 0.1, dice.between(0.15, 0.4)));
            canvas.dot((0.5, 0.25), 0.1, WHITE);
            knob(canvas, (0.5, 0.25), 0.06, BLACK);
            canvas.dot((0.5, 0.7), 0.13, Hue(200.0, 0.7, 1.0));
            knob(canvas, (0.5, 0.7), 0.09, WHITE);
            small_bell(canvas, (0.5, 0.7), 0.055, BLACK);
        }
        _ => {
            let round = dice.chance(0.4);
            if round {
                canvas.circle((0.4, 0.42), 0.27, brass);
            } else {
                canvas.rectangle((0.2, 0.08), (0.6, 0.78), dice.between(0.01, 0.1), brass);
                canvas.dot((0.4, 0.14), 0.02, BLACK);
                canvas.dot((0.4, 0.72), 0.02, BLACK);
            }
            canvas.dot((0.4, 0.42), 0.15, WHITE);
            let button = Hue(*dice.pick(&[0.0, 50.0, 210.0]), 0.6, 0.9);
            knob(canvas, (0.4, 0.42), 0.11, button);
            if dice.chance(0.75) {
                finger(canvas, (0.43, 0.45), dice);
            } else {
                small_bell(canvas, (0.4, 0.42), 0.065, WHITE);
            }
            for wave in 0..2 {
                let far = 0.36 + 0.08 * f64::from(wave);
                canvas.arc((0.4, 0.42), (far, far), -60.0, -15.0, 0.022, BLACK);
            }
        }
    }
}

/// A fist with its forefinger stretched to the upper left.
fn finger(canvas: &mut Canvas, tip: Point, dice: &mut Dice) {
    let skin = Hue(SKIN.0, dice.between(0.25, 0.6), dice.between(0.45, 1.0));
    let at = |x: f64, y: f64| (tip.0 + x, tip.1 + y);
    canvas.blob(&[at(0.0, 0.0), at(0.06, -0.01), at(0.26, 0.2), at(0.2, 0.28), at(0.0, 0.06)], skin);
    canvas.blob(&[at(0.18, 0.2), at(0.34, 0.14), at(0.44, 0.28), at(0.36, 0.42), at(0.2, 0.38)], skin);
    canvas.polygon(
        &[at(0.3, 0.42), at(0.45, 0.26), at(0.6, 0.42), at(0.46, 0.58)],
        Hue(dice.between(0.0, 360.0), 0.6, 0.6),
    );
    for knuckle in 0..3 {
        let y = 0.24 + 0.05 * f64::from(knuckle);
        canvas.detail(&[at(0.2, y), at(0.28, y + 0.02)], 0.012, BLACK);
    }
}

/// The box in the hallway, tubes below, and the notes that it plays.
fn chime(canvas: &mut Canvas, brass: Hue, dice: &mut Dice) {
    let tubes = dice.count(2, 4);
    for tube in 0..tubes {
        let x = 0.5 + 0.12 * (tube as f64 - (tubes - 1) as f64 / 2.0);
        canvas.rectangle((x - 0.035, 0.34), (x + 0.035, dice.between(0.68, 0.95)), 0.03, brass);
    }
    canvas.rectangle((0.2, 0.08), (0.8, 0.38), 0.04, Hue(30.0, dice.between(0.0, 0.6), dice.between(0.4, 0.95)));
    small_bell(canvas, (0.5, 0.23), 0.09, WHITE);
    for side in [0.0, 180.0] {
        canvas.arc((0.5, 0.24), (0.4, 0.3), side - 25.0, side + 25.0, 0.022, BLACK);
    }
}

/// The sign on a bell push.
fn small_bell(canvas: &mut Canvas, (x, y): Point, size: f64, colour: Hue) {
    let cup = [(-0.9, 0.6), (-0.6, 0.3), (-0.5, -0.4), (0.0, -0.9), (0.5, -0.4), (0.6, 0.3), (0.9, 0.6), (-0.9, 0.6)];
    canvas.detail(&cup.map(|(u, v)| (x + u * size, y + v * size)), size * 0.3, colour);
    canvas.dot((x, y + size * 0.95), size * 0.22, colour);
}
