//! Machines: engine, helicopter, chainsaw, train, jet, camera, keyboard, cash register.
//!
//! What drives and hovers is here; aeroplanes and devices have files of their own.

mod devices;
mod jet;

use super::Draw;
use super::canvas::{Canvas, Hue, Manner, Point, oval};
use crate::world::Dice;

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[
    ("engine", engine),
    ("helicopter", helicopter),
    ("chainsaw", devices::chainsaw),
    ("train", train),
    ("jet", jet::jet),
    ("camera", devices::camera),
    ("keyboard", devices::keyboard),
    ("cash register", devices::cash_register),
];

const GREY: Hue = Hue(220.0, 0.05, 0.6);
const DARK: Hue = Hue(220.0, 0.1, 0.2);
const GLASS: Hue = Hue(200.0, 0.35, 0.92);
const WHITE: Hue = Hue(0.0, 0.0, 0.97);

/// A car from the side, with the exhaust behind it.
fn engine(canvas: &mut Canvas, dice: &mut Dice) {
    let paint = lacquer(dice);
    let (low, lift) = (0.72, dice.between(0.0, 0.05));
    let (nose, roof) = (dice.between(0.5, 0.56), dice.between(0.28, 0.38));
    // Corners of the cabin: where its rear and front windows meet the body and the roof.
    let cabins: [[f64; 4]; 5] = [
        [0.24, 0.34, 0.6, 0.74],
        [0.14, 0.22, 0.58, 0.74],
        [0.46, 0.48, 0.66, 0.76],
        [0.3, 0.42, 0.56, 0.76],
        [0.11, 0.13, 0.68, 0.82],
    ];
    let [rear, back, front, screen] = *dice.pick(&cabins);
    let sill = nose - 0.02;
    let body = [
        (0.07, low - lift),
        (0.07, nose + 0.02),
        (0.1, sill),
        (rear, sill - 0.01),
        (back, roof),
        (front, roof),
        (screen, sill),
        (0.92, nose + 0.02),
        (0.96, nose + 0.1),
        (0.95, low - lift),
    ];
    canvas.polygon(&body, paint);
    let post = (back + front) / 2.0;
    let glass = roof + 0.04;
    pane(canvas, &[(rear + 0.05, sill), (back + 0.015, glass), (post - 0.015, glass), (post - 0.015, sill)], GLASS);
    pane(canvas, &[(post + 0.015, sill), (post + 0.015, glass), (front - 0.01, glass), (screen - 0.05, sill)], GLASS);
    canvas.detail(&[(post, sill + 0.01), (post, low - lift - 0.03)], 0.008, DARK);
    canvas.detail(&[(post + 0.03, sill + 0.06), (post + 0.08, sill + 0.06)], 0.012, DARK);
    canvas.dot((0.92, nose + 0.07), 0.022, Hue(50.0, 0.5, 1.0));
    let radius = dice.between(0.085, 0.115);
    for x in [0.26, 0.77] {
        wheel(canvas, (x, low - lift + 0.03), radius, dice);
    }
    if dice.chance(0.75) {
        exhaust(canvas, (0.04, low - lift - 0.02), dice);
    }
    if dice.chance(0.4) {
        let road = low - lift + 0.03 + radius;
        canvas.line(&[(-0.3, road), (1.3, road)], 0.012, DARK);
    }
}

/// Puffs that grow as they go.
fn exhaust(canvas: &mut Canvas, from: Point, dice: &mut Dice) {
    canvas.line(&[(from.0 + 0.06, from.1), (from.0, from.1)], 0.025, DARK);
    for step in 0..dice.count(2, 4) {
        let away = step as f64;
        let at = (from.0 - 0.03 - away * 0.055, from.1 - away * 0.03 * dice.about(0.4));
        canvas.circle(at, 0.025 + away * 0.014, Hue(220.0, 0.03, 0.78));
    }
}

fn wheel(canvas: &mut Canvas, centre: Point, radius: f64, dice: &mut Dice) {
    canvas.circle(centre, radius, Hue(220.0, 0.1, 0.15));
    canvas.dot(centre, radius * dice.between(0.45, 0.62), Hue(220.0, 0.03, 0.8));
    canvas.dot(centre, radius * 0.15, DARK);
}

/// From the side with one or two rotors, or from above with its cross of blades.
fn helicopter(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.35) && matches!(canvas.manner, Manner::Flat | Manner::Outlined) {
        canvas.wash(Hue(205.0, dice.between(0.1, 0.5), 0.95));
    }
    match dice.count(0, 5) {
        0 => tandem(canvas, dice),
        1 => from_above(canvas, dice),
        _ => from_the_side(canvas, dice),
    }
}

fn from_the_side(canvas: &mut Canvas, dice: &mut Dice) {
    let paint = lacquer(dice);
    let (middle, long, high) = ((0.36, 0.55), dice.between(0.2, 0.27), dice.between(0.14, 0.19));
    let tail = (dice.between(0.93, 0.98), dice.between(0.42, 0.5));
    let thin = dice.between(0.015, 0.03);
    let boom = [(0.45, 0.46), (tail.0, tail.1 - thin), (tail.0, tail.1 + thin), (0.45, 0.6)];
    canvas.polygon(&boom, paint);
    let fin = [(tail.0 - 0.06, tail.1), (tail.0 - 0.01, tail.1 - 0.13), (tail.0 + 0.03, tail.1 - 0.13), tail];
    canvas.polygon(&fin, paint);
    let skid = middle.1 + high + 0.09;
    for x in [0.27, 0.46] {
        canvas.line(&[(x, middle.1 + high * 0.7), (x - 0.02, skid)], 0.016, DARK);
    }
    canvas.curve(&[(0.1, skid - 0.04), (0.15, skid), (0.3, skid), (0.6, skid)], 0.022, DARK);
    canvas.rectangle((0.33, 0.27), (0.36, middle.1 - high * 0.8), 0.0, GREY);
    canvas.ellipse(middle, (long, high), 0.0, paint);
    let glass = oval((middle.0 - 0.02, middle.1), (long * 0.82, high * 0.75), 0.0, (180.0, 270.0));
    let mut window = glass;
    window.push((middle.0 - 0.02, middle.1));
    pane(canvas, &window, GLASS);
    if dice.chance(0.5) {
        let door = [(0.38, 0.46), (0.47, 0.46), (0.47, 0.56), (0.38, 0.56)];
        pane(canvas, &door, GLASS);
    }
    let (reach, bow) = (dice.between(0.36, 0.46), dice.between(-0.02, 0.03));
    let blades = [(0.345 - reach, 0.27 + bow), (0.345, 0.26), (0.345 + reach, 0.27 + bow)];
    canvas.curve(&blades, dice.between(0.02, 0.04), DARK);
    canvas.circle((0.345, 0.265), 0.025, DARK);
    let turn = dice.between(0.0, 3.1);
    for angle in [turn, turn + std::f64::consts::FRAC_PI_2] {
        let (y, x) = (angle.sin() * 0.09, angle.cos() * 0.09);
        canvas.line(&[(tail.0 - x, tail.1 - 0.05 - y), (tail.0 + x, tail.1 - 0.05 + y)], 0.018, DARK);
    }
}

/// A transporter with a rotor at either end.
fn tandem(canvas: &mut Canvas, dice: &mut Dice) {
    let paint = lacquer(dice);
    let hull = [
        (0.08, 0.56),
        (0.14, 0.46),
        (0.18, 0.38),
        (0.26, 0.38),
        (0.3, 0.45),
        (0.68, 0.45),
        (0.74, 0.28),
        (0.88, 0.28),
        (0.92, 0.5),
        (0.8, 0.64),
        (0.16, 0.66),
    ];
    canvas.polygon(&hull, paint);
    for x in [0.35, 0.46, 0.57, 0.68] {
        canvas.dot((x, 0.53), 0.022, GLASS);
    }
    pane(canvas, &[(0.12, 0.54), (0.17, 0.46), (0.23, 0.46), (0.23, 0.54)], GLASS);
    for (x, y) in [(0.22, 0.32), (0.81, 0.22)] {
        canvas.line(&[(x, y + 0.08), (x, y)], 0.025, DARK);
        canvas.line(&[(x - 0.29, y + dice.between(-0.01, 0.03)), (x, y), (x + 0.29, y + 0.01)], 0.022, DARK);
    }
    for x in [0.25, 0.72] {
        canvas.circle((x, 0.69), 0.04, DARK);
    }
}

fn from_above(canvas: &mut Canvas, dice: &mut Dice) {
    let paint = lacquer(dice);
    canvas.polygon(&[(0.47, 0.5), (0.485, 0.95), (0.515, 0.95), (0.53, 0.5)], paint);
    canvas.line(&[(0.4, 0.91), (0.6, 0.91)], 0.03, DARK);
    for x in [0.33, 0.67] {
        canvas.line(&[(x, 0.22), (x, 0.58)], 0.018, DARK);
        canvas.line(&[(x, 0.42), (0.5, 0.42)], 0.014, DARK);
    }
    canvas.ellipse((0.5, 0.38), (dice.between(0.1, 0.13), 0.22), 0.0, paint);
    pane(canvas, &oval((0.5, 0.33), (0.08, 0.12), 0.0, (180.0, 360.0)), GLASS);
    let (count, turn) = (dice.count(3, 5), dice.between(0.0, 360.0));
    for blade in 0..count {
        let angle = (turn + 360.0 * blade as f64 / count as f64).to_radians();
        let tip = (0.5 + 0.42 * angle.cos(), 0.4 + 0.38 * angle.sin());
        canvas.line(&[(0.5, 0.4), tip], 0.035, DARK);
        canvas.detail(&[(0.5, 0.4), tip], 0.008, GREY);
    }
    canvas.circle((0.5, 0.4), 0.035, GREY);
}

/// A steam locomotive, a modern train, or the front of one that comes along the tracks.
fn train(canvas: &mut Canvas, dice: &mut Dice) {
    match dice.count(0, 4) {
        0 | 1 => locomotive(canvas, dice),
        2 | 3 => express(canvas, dice),
        _ => head_on(canvas, dice),
    }
}

fn locomotive(canvas: &mut Canvas, dice: &mut Dice) {
    let (paint, trim) = (lacquer(dice), lacquer(dice));
    track(canvas, 0.83);
    let roof = dice.between(0.27, 0.34);
    canvas.rectangle((0.1, roof + 0.03), (0.37, 0.68), 0.0, paint);
    canvas.rectangle((0.06, roof - 0.02), (0.41, roof + 0.04), 0.02, trim);
    canvas.rectangle((0.37, 0.42), (0.86, 0.65), 0.04, trim);
    canvas.rectangle((0.08, 0.64), (0.92, 0.71), 0.0, paint);
    let funnel = dice.between(0.04, 0.08);
    canvas.polygon(&[(0.7, 0.43), (0.7 - funnel + 0.03, 0.25), (0.8 + funnel - 0.03, 0.25), (0.8, 0.43)], DARK);
    canvas.ellipse((0.52, 0.42), (0.05, 0.05), 0.0, Hue(45.0, 0.6, 0.8));
    canvas.polygon(&[(0.9, 0.68), (0.99, 0.82), (0.86, 0.82)], DARK);
    pane(canvas, &[(0.16, roof + 0.09), (0.31, roof + 0.09), (0.31, 0.5), (0.16, 0.5)], GLASS);
    for x in [0.48, 0.62, 0.8] {
        canvas.detail(&[(x, 0.44), (x, 0.63)], 0.008, Hue(45.0, 0.6, 0.85));
    }
    let (rear, count) = (dice.between(0.095, 0.115), dice.count(2, 3));
    wheel(canvas, (0.24, 0.82 - rear), rear, dice);
    for index in 0..count {
        let x = 0.46 + 0.38 * index as f64 / (count - 1).max(1) as f64;
        wheel(canvas, (x, 0.82 - 0.07), 0.07, dice);
    }
    canvas.detail(&[(0.24, 0.75), (0.46, 0.75), (0.65, 0.75)], 0.016, GREY);
    if dice.chance(0.85) {
        for step in 0..dice.count(3, 5) {
            let away = step as f64;
            let at = (0.74 - away * 0.11, 0.19 - away * 0.035 * dice.about(0.5));
            canvas.circle(at, 0.05 + away * 0.016, Hue(220.0, 0.02, 0.9));
        }
    }
}

fn express(canvas: &mut Canvas, dice: &mut Dice) {
    let (paint, stripe) = (lacquer(dice), lacquer(dice));
    let slant = dice.between(0.04, 0.26);
    let (top, low) = (dice.between(0.32, 0.4), 0.68);
    track(canvas, 0.77);
    for x in [-0.15, 0.02, 0.2, 0.54, 0.72] {
        canvas.circle((x, 0.715), 0.05, DARK);
    }
    let hull = [
        (-0.6, low),
        (-0.6, top),
        (0.93 - slant, top),
        (0.97 - slant * 0.3, top + 0.18),
        (0.97, low - 0.05),
        (0.95, low),
    ];
    canvas.polygon(&hull, paint);
    canvas.detail(&[(-0.6, 0.6), (0.95 - slant * 0.2, 0.6)], 0.03, stripe);
    let windows = dice.count(4, 6);
    let wide = 0.8 / windows as f64;
    for index in -2..windows as i32 - 1 {
        let x = 0.06 + wide * f64::from(index);
        let pane_top = top + 0.06;
        pane(canvas, &[(x, pane_top), (x + wide * 0.65, pane_top), (x + wide * 0.65, 0.54), (x, 0.54)], GLASS);
    }
    let cab = 0.93 - slant;
    pane(
        canvas,
        &[(cab - 0.06, top + 0.04), (cab + 0.005, top + 0.04), (cab + 0.035, 0.52), (cab - 0.06, 0.52)],
        GLASS,
    );
    canvas.detail(&[(0.37, top), (0.37, low)], 0.014, DARK);
    if dice.chance(0.5) {
        // The current collector and its wire.
        canvas.line(&[(0.1, top), (0.2, top - 0.09), (0.1, top - 0.15), (0.2, top - 0.15)], 0.012, DARK);
        canvas.line(&[(-1.0, top - 0.16), (2.0, top - 0.16)], 0.008, DARK);
    }
}

fn head_on(canvas: &mut Canvas, dice: &mut Dice) {
    let paint = lacquer(dice);
    for side in [-1.0, 1.0] {
        canvas.line(&[(0.5 + side * 0.16, 0.72), (0.5 + side * 0.36, 1.0)], 0.03, DARK);
    }
    for (y, half) in [(0.8, 0.28), (0.88, 0.34), (0.97, 0.41)] {
        canvas.line(&[(0.5 - half, y), (0.5 + half, y)], 0.03, Hue(25.0, 0.5, 0.4));
    }
    let (half, round) = (dice.between(0.24, 0.3), dice.between(0.06, 0.2));
    canvas.rectangle((0.5 - half, 0.1), (0.5 + half, 0.74), round, paint);
    let inner = half - 0.06;
    let middle = if dice.chance(0.5) { 0.015 } else { 0.0 };
    pane(canvas, &[(0.5 - inner, 0.24), (0.5 - middle, 0.24), (0.5 - middle, 0.44), (0.5 - inner, 0.44)], GLASS);
    pane(canvas, &[(0.5 + inner, 0.24), (0.5 + middle, 0.24), (0.5 + middle, 0.44), (0.5 + inner, 0.44)], GLASS);
    canvas.detail(&[(0.42, 0.18), (0.58, 0.18)], 0.035, DARK);
    for side in [-1.0, 1.0] {
        canvas.dot((0.5 + side * (half - 0.09), 0.59), 0.045, Hue(50.0, 0.5, 1.0));
    }
    canvas.detail(&[(0.5 - half + 0.04, 0.68), (0.5 + half - 0.04, 0.68)], 0.02, DARK);
}

/// Two rails seen from the side, with sleepers.
fn track(canvas: &mut Canvas, y: f64) {
    canvas.line(&[(-1.0, y), (2.0, y)], 0.016, DARK);
    for step in -10..20 {
        let x = f64::from(step) * 0.1 + 0.03;
        canvas.line(&[(x, y + 0.025), (x + 0.035, y + 0.025)], 0.025, Hue(25.0, 0.5, 0.4));
    }
}

/// An area on top of another that stays visible in every manner: windows, displays.
fn pane(canvas: &mut Canvas, points: &[Point], colour: Hue) {
    let manner = canvas.manner;
    if manner == Manner::Silhouette {
        canvas.manner = Manner::Flat;
        canvas.polygon(points, canvas.paper);
        canvas.manner = manner;
    } else {
        canvas.polygon(points, colour);
    }
}

/// A colour that machines are painted in.
fn lacquer(dice: &mut Dice) -> Hue {
    let plain = [Hue(0.0, 0.0, 0.92), Hue(220.0, 0.1, 0.3), Hue(220.0, 0.05, 0.65)];
    let bright = Hue(dice.between(0.0, 360.0), dice.between(0.5, 0.95), dice.between(0.45, 0.95));
    if dice.chance(0.25) { *dice.pick(&plain) } else { bright }
}
