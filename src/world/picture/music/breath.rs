//! What is blown, clapped, or beats by itself: flute, whistle, applause, heartbeat.

use super::super::super::Dice;
use super::super::canvas::{Canvas, Hue, Point, oval, turned};
use super::{DARK, lacquer, wood};

pub(super) fn flute(canvas: &mut Canvas, dice: &mut Dice) {
    let lean = *dice.pick(&[-40.0, -25.0, 0.0, 25.0, 45.0]) + dice.normal() * 6.0;
    match dice.count(0, 3) {
        0 | 1 => transverse(canvas, lean, dice),
        2 => recorder(canvas, lean, dice),
        _ => pan_pipes(canvas, dice),
    }
    if dice.chance(0.45) {
        for _ in 0..dice.count(1, 3) {
            note(canvas, (dice.between(0.0, 1.0), if dice.chance(0.5) { 0.08 } else { 0.92 }), dice);
        }
    }
}

/// A quaver or a pair of them.
fn note(canvas: &mut Canvas, (x, y): Point, dice: &mut Dice) {
    let ink = if dice.chance(0.5) { DARK } else { lacquer(dice) };
    canvas.ellipse((x, y), (0.045, 0.034), -20.0, ink);
    canvas.line(&[(x + 0.04, y), (x + 0.04, y - 0.16)], 0.014, ink);
    if dice.chance(0.5) {
        canvas.curve(&[(x + 0.04, y - 0.16), (x + 0.08, y - 0.11), (x + 0.09, y - 0.06)], 0.018, ink);
    } else {
        canvas.ellipse((x + 0.13, y), (0.045, 0.034), -20.0, ink);
        canvas.line(&[(x + 0.17, y), (x + 0.17, y - 0.16)], 0.014, ink);
        canvas.line(&[(x + 0.04, y - 0.16), (x + 0.17, y - 0.16)], 0.03, ink);
    }
}

/// A long straight tube with the mouth hole near one end, and keys or finger holes.
fn transverse(canvas: &mut Canvas, lean: f64, dice: &mut Dice) {
    let silver = dice.chance(0.6);
    let tube = if silver { Hue(210.0, 0.08, dice.between(0.7, 0.95)) } else { wood(dice) };
    let half = dice.between(0.028, 0.045);
    let at = |points: &[Point]| turned(&points.iter().map(|&(x, y)| (x, 0.5 + y)).collect::<Vec<_>>(), lean);
    let (left, right) = (-0.12, 1.12);
    canvas.polygon(&at(&[(left, -half), (right, -half), (right, half), (left, half)]), tube);
    let plate = oval((0.06, 0.5 - 0.4 * half), (0.08, 1.35 * half), 0.0, (0.0, 360.0));
    canvas.polygon(&turned(&plate, lean), tube);
    canvas.dot(at(&[(0.06, -0.4 * half)])[0], 0.024, DARK);
    for x in [-0.06, 0.22, 0.92] {
        canvas.detail(&at(&[(x, -half), (x, half)]), 0.016, if silver { Hue(45.0, 0.6, 0.7) } else { DARK });
    }
    let holes = dice.count(6, 9);
    for hole in 0..holes {
        let x = 0.32 + 0.56 * hole as f64 / holes as f64;
        if silver {
            // Keys stand out above the tube, so that a silhouette shows them.
            let key = oval((x, 0.5 - half), (0.027, 0.03), 0.0, (0.0, 360.0));
            canvas.polygon(&turned(&key, lean), Hue(210.0, 0.05, 0.85));
            canvas.dot(at(&[(x, -half)])[0], 0.01, DARK);
        } else {
            canvas.dot(at(&[(x, -0.1 * half)])[0], 0.45 * half, DARK);
        }
    }
    if silver {
        canvas.line(&at(&[(0.3, half + 0.015), (0.86, half + 0.015)]), 0.012, Hue(210.0, 0.1, 0.55));
    }
}

/// A recorder: beak, window, finger holes, and a foot that widens.
fn recorder(canvas: &mut Canvas, lean: f64, dice: &mut Dice) {
    let body = if dice.chance(0.3) { Hue(40.0, 0.12, 0.95) } else { wood(dice) };
    let (x0, slim) = (0.5, dice.between(0.05, 0.065));
    let at = |points: &[Point]| turned(&points.iter().map(|&(x, y)| (x0 + x, y)).collect::<Vec<_>>(), lean + 20.0);
    let half = [(0.035, -0.1), (slim * 1.25, 0.06), (slim * 1.3, 0.2), (slim, 0.23), (slim * 0.9, 0.84)];
    let foot = [(slim * 1.3, 0.87), (slim, 0.97), (slim * 1.4, 1.1)];
    let mut outline: Vec<Point> = half.into_iter().chain(foot).collect();
    let other: Vec<Point> = outline.iter().rev().map(|&(x, y)| (-x, y)).collect();
    outline.extend(other);
    canvas.polygon(&at(&outline), body);
    canvas.detail(&at(&[(-0.022, 0.08), (0.022, 0.08)]), 0.035, DARK);
    for y in [0.215, 0.86] {
        canvas.detail(&at(&[(-slim, y), (slim, y)]), 0.018, Hue(40.0, 0.2, 0.95));
    }
    for hole in 0..7 {
        canvas.dot(at(&[(0.0, 0.3 + 0.075 * f64::from(hole))])[0], 0.3 * slim, DARK);
    }
}

/// Pan pipes: tubes side by side, each shorter than the last, tied with a band.
fn pan_pipes(canvas: &mut Canvas, dice: &mut Dice) {
    let (cane, count) = (wood(dice), dice.count(6, 10));
    let cane = Hue(cane.0 + 8.0, cane.1, cane.2.max(0.6));
    let step = 0.92 / count as f64;
    let (longest, shortest) = (dice.between(0.75, 0.9), dice.between(0.2, 0.4));
    for tube in 0..count {
        let x = 0.04 + step * tube as f64;
        let length = longest + (shortest - longest) * tube as f64 / (count - 1) as f64;
        canvas.rectangle((x, 0.1), (x + step * 0.86, 0.1 + length), 0.02, cane);
        canvas.dot((x + step * 0.43, 0.125), 0.3 * step, DARK);
    }
    let band = lacquer(dice);
    canvas.detail(&[(0.03, 0.24), (0.95, 0.24)], 0.06, band);
}

pub(super) fn whistle(canvas: &mut Canvas, dice: &mut Dice) {
    let shell = if dice.chance(0.4) { Hue(210.0, 0.08, dice.between(0.65, 0.9)) } else { lacquer(dice) };
    let (x, y, radius) = (0.35, 0.6, dice.between(0.25, 0.31));
    let mouth = dice.between(0.16, 0.22);
    let top = y - radius;
    // The cord goes from the ring at the back.
    let ring = (x - radius * 0.9, top + 0.05);
    if dice.chance(0.65) {
        let cord = lacquer(dice);
        let drop = dice.between(-0.4, 0.3);
        let path = [ring, (ring.0 - 0.12, ring.1 - 0.15 + drop), (0.3, -0.15 + 0.2 * drop), (0.6, -0.02), (0.9, -0.2)];
        canvas.curve(&path, dice.between(0.02, 0.04), cord);
    }
    canvas.arc(ring, (0.055, 0.055), 0.0, 360.0, 0.026, DARK);
    // The chamber is round; its flat top runs on into the mouthpiece.
    let mut outline = oval((x, y), (radius, radius), 0.0, (30.0, 270.0));
    let window = dice.between(0.02, 0.06);
    outline.extend([
        (x + window, top),
        (x + window + 0.02, top + 0.1),
        (x + window + 0.12, top + 0.1),
        (x + window + 0.15, top),
        (1.04, top),
        (1.04, top + mouth),
        (x + radius, top + mouth + 0.04),
    ]);
    canvas.polygon(&outline, shell);
    let shade = Hue(shell.0, shell.1, shell.2 * 0.55);
    if dice.chance(0.7) {
        canvas.detail(&oval((x, y), (0.72 * radius, 0.72 * radius), 0.0, (0.0, 360.0)), 0.018, shade);
    }
    canvas.dot((x + 0.02, y + 0.02), dice.between(0.06, 0.11), shade);
    canvas.detail(&[(0.94, top + 0.01), (0.94, top + mouth - 0.01)], 0.018, shade);
    if dice.chance(0.5) {
        for (dx, dy) in [(-0.1, -0.17), (0.03, -0.2), (0.16, -0.17)] {
            let from = (x + window + 0.07 + 0.5 * dx, top - 0.05);
            canvas.line(&[from, (from.0 + dx, from.1 + dy)], 0.026, DARK);
        }
    }
}

/// A hand from the side, fingers up: palm, four fingers and a thumb, about the point where it would clap.
fn hand(canvas: &mut Canvas, wrist: Point, size: f64, degrees: f64, mirror: f64, skin: Hue) {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let at = |x: f64, y: f64| {
        let (x, y) = (mirror * x * size, y * size);
        (wrist.0 + x * cosine - y * sine, wrist.1 + x * sine + y * cosine)
    };
    let outline = [
        (-0.13, 0.05),
        (-0.2, -0.2),
        (-0.24, -0.42),
        (-0.22, -0.62),
        (-0.16, -0.63),
        (-0.13, -0.45),
        (-0.11, -0.72),
        (-0.04, -0.75),
        (-0.01, -0.47),
        (0.02, -0.76),
        (0.09, -0.75),
        (0.1, -0.45),
        (0.14, -0.66),
        (0.2, -0.65),
        (0.21, -0.4),
        (0.22, -0.28),
        (0.34, -0.4),
        (0.4, -0.34),
        (0.28, -0.12),
        (0.14, 0.05),
    ];
    canvas.polygon(&outline.map(|(x, y)| at(x, y)), skin);
    for (x, from, to) in [(-0.12, -0.5, -0.36), (0.0, -0.5, -0.36), (0.1, -0.5, -0.36)] {
        canvas.detail(&[at(x, from), at(x, to)], 0.016, Hue(skin.0, skin.1, skin.2 * 0.6));
    }
}

fn skin(dice: &mut Dice) -> Hue {
    Hue(dice.between(14.0, 34.0), dice.between(0.25, 0.6), dice.between(0.45, 1.0))
}

pub(super) fn applause(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.35) {
        return audience(canvas, dice);
    }
    let (tone, sleeve) = (skin(dice), lacquer(dice));
    let lean = dice.between(14.0, 30.0);
    let apart = dice.between(0.15, 0.24);
    for side in [-1.0, 1.0] {
        let wrist = (0.5 + side * apart, 0.8);
        let elbow = (0.5 + side * (apart + 0.2), 1.12);
        let (dx, dy) = (0.1, 0.05);
        let cuff = [
            (wrist.0 - dx, wrist.1),
            (wrist.0 + dx, wrist.1),
            (elbow.0 + dx, elbow.1 + dy),
            (elbow.0 - dx, elbow.1 + dy),
        ];
        hand(canvas, wrist, 0.82, -side * lean, -side, tone);
        canvas.polygon(&cuff, sleeve);
    }
    // Short strokes above the palms say that they meet.
    for step in 0..dice.count(3, 5) {
        let angle = (-90.0 + 24.0 * (step as f64 - 1.5)).to_radians();
        let (near, far) = (0.62, dice.between(0.74, 0.84));
        let at = |r: f64| (0.5 + r * angle.cos(), 0.72 + r * angle.sin());
        canvas.line(&[at(near), at(far)], 0.03, DARK);
    }
}

/// Rows of heads before a stage, arms up and palms together.
fn audience(canvas: &mut Canvas, dice: &mut Dice) {
    let count = dice.count(2, 4);
    for row in 0..2 {
        for person in 0..count + row {
            let width = 1.1 / (count + row) as f64;
            let x = -0.05 + width * (person as f64 + 0.5);
            let (y, size) = (0.5 + 0.42 * row as f64, width.min(0.36));
            let (tone, shirt) = (skin(dice), lacquer(dice));
            canvas.blob(
                &[
                    (x - 0.45 * size, y + 0.9 * size),
                    (x - 0.36 * size, y + 0.35 * size),
                    (x, y + 0.22 * size),
                    (x + 0.36 * size, y + 0.35 * size),
                    (x + 0.45 * size, y + 0.9 * size),
                ],
                shirt,
            );
            canvas.circle((x, y), 0.24 * size, tone);
            for side in [-1.0, 1.0] {
                let elbow = (x + side * 0.5 * size, y - 0.05 * size);
                canvas.line(&[(x + side * 0.36 * size, y + 0.5 * size), elbow], 0.12 * size, shirt);
                canvas.line(&[elbow, (x + side * 0.07 * size, y - 0.55 * size)], 0.1 * size, tone);
                canvas.ellipse((x + side * 0.05 * size, y - 0.62 * size), (0.08 * size, 0.2 * size), -side * 4.0, tone);
            }
            for side in [-1.0, 0.0, 1.0] {
                let foot = (x + side * 0.22 * size, y - (0.98 - 0.1 * side * side) * size);
                canvas.line(&[foot, (foot.0 + side * 0.12 * size, foot.1 - 0.16 * size)], 0.05 * size, DARK);
            }
        }
    }
}

pub(super) fn heartbeat(canvas: &mut Canvas, dice: &mut Dice) {
    let red = Hue(dice.between(340.0, 372.0), dice.between(0.7, 0.95), dice.between(0.65, 0.98));
    match dice.count(0, 3) {
        0 | 1 => {
            heart(canvas, (0.5, 0.5), dice.between(0.85, 1.0), red);
            trace(canvas, dice.between(0.0, 0.12), 0.54, true, dice);
        }
        2 => {
            // The line of a monitor runs through a small heart.
            trace(canvas, -0.1, 0.7, false, dice);
            heart(canvas, (0.5, 0.3), dice.between(0.5, 0.62), red);
        }
        _ => {
            heart(canvas, (0.46, 0.55), dice.between(0.7, 0.85), red);
            stethoscope(canvas, dice);
        }
    }
}

/// The usual heart: two lobes and a point.
fn heart(canvas: &mut Canvas, centre: Point, size: f64, red: Hue) {
    let outline: Vec<Point> = (0..60)
        .map(|step| {
            let t = f64::from(step) / 60.0 * std::f64::consts::TAU;
            let x = t.sin().powi(3);
            let y = 0.8125 * t.cos() - 0.3125 * (2.0 * t).cos() - 0.125 * (3.0 * t).cos() - 0.0625 * (4.0 * t).cos();
            (centre.0 + 0.5 * size * x, centre.1 - 0.5 * size * (y + 0.1))
        })
        .collect();
    canvas.polygon(&outline, red);
}

/// The pulse on an electrocardiogram: flat, a small wave, the spike down, up and down, a wave, flat.
fn trace(canvas: &mut Canvas, margin: f64, y: f64, inside: bool, dice: &mut Dice) {
    const BEAT: [Point; 8] =
        [(0.0, 0.0), (0.25, 0.0), (0.33, -0.06), (0.4, 0.05), (0.48, -0.27), (0.57, 0.2), (0.65, 0.0), (1.0, 0.0)];
    let beats = if inside { 1 } else { dice.count(2, 3) };
    let height = dice.between(0.75, 1.1);
    let width = (1.0 - 2.0 * margin) / beats as f64;
    let beat = |n: usize| BEAT.map(|(x, dy)| (margin + width * (n as f64 + x), y + height * dy));
    let points: Vec<Point> = (0..beats).flat_map(beat).collect();
    if inside {
        canvas.detail(&points, dice.between(0.03, 0.05), Hue(0.0, 0.0, 1.0));
    } else {
        canvas.line(&points, dice.between(0.025, 0.045), if dice.chance(0.5) { Hue(130.0, 0.8, 0.7) } else { DARK });
    }
}

/// Ear tubes above, the hose in a bow, and the disc on the heart.
fn stethoscope(canvas: &mut Canvas, dice: &mut Dice) {
    let hose = if dice.chance(0.5) { DARK } else { lacquer(dice) };
    let disc = (dice.between(0.4, 0.56), dice.between(0.5, 0.62));
    canvas.curve(&[(0.62, -0.12), (0.66, 0.08), (0.78, 0.16), (0.9, 0.08), (0.94, -0.12)], 0.035, hose);
    canvas.curve(&[(0.78, 0.16), (0.86, 0.4), (0.98, 0.66), (0.84, 0.92), (0.66, 0.8), disc], 0.035, hose);
    canvas.detail(&[(0.7, 0.76), disc], 0.035, hose);
    canvas.dot(disc, 0.11, Hue(210.0, 0.1, 0.9));
    canvas.dot(disc, 0.06, hose);
}
