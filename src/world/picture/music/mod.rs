//! Instruments and bodies: bell, gong, drum, guitar, flute, whistle, applause, heartbeat.
//!
//! Owns what is struck or plucked; the others are in `breath`.

mod breath;

use super::super::Dice;
use super::Draw;
use super::canvas::{Canvas, Hue, Point, oval, turned};

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[
    ("bell", bell),
    ("gong", gong),
    ("drum", drum),
    ("guitar", guitar),
    ("flute", breath::flute),
    ("whistle", breath::whistle),
    ("applause", breath::applause),
    ("heartbeat", breath::heartbeat),
];

const DARK: Hue = Hue(0.0, 0.0, 0.12);

/// Brass, bronze or gold.
fn bronze(dice: &mut Dice) -> Hue {
    Hue(dice.between(28.0, 52.0), dice.between(0.5, 0.9), dice.between(0.6, 0.98))
}

/// Wood from pale maple to dark rosewood.
fn wood(dice: &mut Dice) -> Hue {
    Hue(dice.between(12.0, 38.0), dice.between(0.45, 0.85), dice.between(0.35, 0.85))
}

/// Any strong colour.
fn lacquer(dice: &mut Dice) -> Hue {
    Hue(dice.between(0.0, 360.0), dice.between(0.6, 0.95), dice.between(0.5, 0.95))
}

fn bell(canvas: &mut Canvas, dice: &mut Dice) {
    let metal = bronze(dice);
    match dice.count(0, 4) {
        0 | 1 => cup(canvas, (0.5, 0.12), 0.8, dice.normal() * 10.0, metal, dice),
        2 => hand_bell(canvas, metal, dice),
        3 => tower(canvas, metal, dice),
        _ => {
            // A pair that swings apart, tied with a ribbon.
            let lean = dice.between(16.0, 28.0);
            cup(canvas, (0.42, 0.25), 0.58, lean, metal, dice);
            cup(canvas, (0.58, 0.25), 0.58, -lean, metal, dice);
            let ribbon = lacquer(dice);
            canvas.polygon(&[(0.5, 0.24), (0.3, 0.12), (0.3, 0.34)], ribbon);
            canvas.polygon(&[(0.5, 0.24), (0.7, 0.12), (0.7, 0.34)], ribbon);
        }
    }
}

/// The body of a bell hanging from its crown, turned around it: shoulder, waist, flaring lip and the clapper below.
fn cup(canvas: &mut Canvas, crown: Point, size: f64, degrees: f64, metal: Hue, dice: &mut Dice) {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let at = |x: f64, y: f64| {
        let (x, y) = (x * size, y * size);
        (crown.0 + x * cosine - y * sine, crown.1 + x * sine + y * cosine)
    };
    let (waist, flare) = (dice.between(0.24, 0.31), dice.between(0.42, 0.5));
    canvas.arc(at(0.0, -0.02), (0.07 * size, 0.07 * size), 0.0, 360.0, 0.035 * size, metal);
    let swing = dice.between(-0.12, 0.12);
    canvas.circle(at(swing, 0.93), 0.09 * size, Hue(metal.0, metal.1, metal.2 * 0.6));
    let half = [(0.0, 0.0), (0.13, 0.03), (waist * 0.85, 0.17), (waist, 0.45), (waist * 1.15, 0.65), (flare, 0.87)];
    let mut outline: Vec<Point> = half.iter().map(|&(x, y)| at(x, y)).collect();
    outline.extend(half.iter().rev().map(|&(x, y)| at(-x, y)));
    canvas.blob(&outline, metal);
    let shade = Hue(metal.0, metal.1, metal.2 * 0.65);
    canvas.detail(&[at(-flare * 0.86, 0.78), at(flare * 0.86, 0.78)], 0.025 * size, shade);
    if dice.chance(0.5) {
        canvas.detail(&[at(-waist * 0.8, 0.25), at(waist * 0.8, 0.25)], 0.018 * size, shade);
    }
    if dice.chance(0.4) {
        canvas.detail(&[at(-waist * 0.6, 0.3), at(-waist * 0.75, 0.65)], 0.035 * size, Hue(metal.0, 0.2, 1.0));
    }
}

/// A bell with a handle, upright in the hand, with strokes of sound beside it.
fn hand_bell(canvas: &mut Canvas, metal: Hue, dice: &mut Dice) {
    let grip = if dice.chance(0.6) { wood(dice) } else { DARK };
    let top = dice.between(-0.02, 0.06);
    canvas.rectangle((0.455, top), (0.545, 0.36), 0.045, grip);
    canvas.ellipse((0.5, top + 0.05), (0.065, 0.06), 0.0, grip);
    cup(canvas, (0.5, 0.36), dice.between(0.58, 0.66), 0.0, metal, dice);
    if dice.chance(0.6) {
        for (side, from) in [(1.0, -45.0), (-1.0, 135.0)] {
            for ring in 0..dice.count(1, 3) {
                let radius = 0.34 + 0.08 * ring as f64;
                let centre = (0.5 + side * 0.02, 0.65);
                canvas.arc(centre, (radius, radius), from, from + 90.0, 0.02, DARK);
            }
        }
    }
}

/// A bell in the arch of a belfry, on a beam.
fn tower(canvas: &mut Canvas, metal: Hue, dice: &mut Dice) {
    let stone = Hue(dice.between(0.0, 50.0), dice.between(0.05, 0.45), dice.between(0.55, 0.9));
    let roof = lacquer(dice);
    canvas.rectangle((0.06, 0.2), (0.2, 1.05), 0.0, stone);
    canvas.rectangle((0.8, 0.2), (0.94, 1.05), 0.0, stone);
    canvas.polygon(&[(-0.02, 0.22), (0.5, -0.08), (1.02, 0.22)], roof);
    canvas.rectangle((0.06, 0.22), (0.94, 0.3), 0.0, stone);
    canvas.rectangle((0.3, 0.28), (0.7, 0.36), 0.01, wood(dice));
    cup(canvas, (0.5, 0.4), 0.56, dice.normal() * 12.0, metal, dice);
}

fn gong(canvas: &mut Canvas, dice: &mut Dice) {
    let (metal, frame) = (bronze(dice), if dice.chance(0.5) { wood(dice) } else { lacquer(dice) });
    let centre = (0.47, 0.53);
    let radius = dice.between(0.27, 0.34);
    match dice.count(0, 2) {
        0 | 1 => {
            // Two posts, a beam whose ends stand out, and feet.
            let width = dice.between(0.04, 0.07);
            for x in [0.06, 0.88] {
                canvas.rectangle((x - width / 2.0, 0.1), (x + width / 2.0, 1.0), 0.0, frame);
                canvas.rectangle((x - 0.1, 0.96), (x + 0.1, 1.02), 0.01, frame);
            }
            let rise = dice.between(0.0, 0.09);
            let beam = [
                (-0.06, 0.03 - rise),
                (0.2, 0.07),
                (0.74, 0.07),
                (1.0, 0.03 - rise),
                (1.0, 0.1 - rise),
                (0.74, 0.14),
                (0.2, 0.14),
                (-0.06, 0.1 - rise),
            ];
            canvas.polygon(&beam, frame);
        }
        _ => {
            canvas.arc(centre, (0.46, 0.46), 125.0, 415.0, 0.05, frame);
            canvas.line(&[(0.21, 0.9), (0.08, 1.03)], 0.05, frame);
            canvas.line(&[(0.73, 0.9), (0.86, 1.03)], 0.05, frame);
        }
    }
    for x in [-0.55, 0.55] {
        canvas.line(&[(centre.0 + x * radius, 0.12), (centre.0 + x * radius, centre.1 - 0.8 * radius)], 0.016, DARK);
    }
    canvas.circle(centre, radius, metal);
    let shade = Hue(metal.0, metal.1, metal.2 * 0.65);
    for share in [dice.between(0.72, 0.86), dice.between(0.3, 0.5)] {
        canvas.detail(&oval(centre, (share * radius, share * radius), 0.0, (0.0, 360.0)), 0.014, shade);
    }
    if dice.chance(0.7) {
        canvas.dot(centre, 0.15 * radius, shade);
    }
    if dice.chance(0.8) {
        mallet(canvas, centre, radius, dice);
    }
}

/// A soft mallet, at the gong or swung away from it.
fn mallet(canvas: &mut Canvas, centre: Point, radius: f64, dice: &mut Dice) {
    let away = dice.between(0.2, 1.1) * radius;
    let head = (centre.0 + away, centre.1 + 0.3 * away);
    let foot = (head.0 + dice.between(0.1, 0.3), head.1 + dice.between(0.28, 0.42));
    canvas.detail(&[head, foot], 0.03, Hue(25.0, 0.6, 0.4));
    canvas.circle(head, dice.between(0.06, 0.085), Hue(dice.between(0.0, 40.0), dice.between(0.1, 0.8), 0.9));
}

fn drum(canvas: &mut Canvas, dice: &mut Dice) {
    match dice.count(0, 4) {
        0..=2 => side_drum(canvas, dice),
        3 => goblet(canvas, dice),
        _ => kit(canvas, dice),
    }
}

/// A cylinder with a skin on top, hoops, cords in zigzag and two sticks.
fn side_drum(canvas: &mut Canvas, dice: &mut Dice) {
    let (shell, hoop) = (lacquer(dice), if dice.chance(0.5) { bronze(dice) } else { Hue(0.0, 0.0, 0.9) });
    let (half, flat) = (dice.between(0.32, 0.44), dice.between(0.08, 0.14));
    let (top, bottom) = (dice.between(0.36, 0.48), dice.between(0.75, 0.95));
    let mut side = oval((0.5, bottom), (half, flat), 0.0, (0.0, 180.0));
    side.extend([(0.5 - half, top), (0.5 + half, top)]);
    canvas.polygon(&side, shell);
    let lower = oval((0.5, bottom - 0.03), (half, flat), 0.0, (0.0, 180.0));
    let upper = oval((0.5, top + 0.04), (half, flat), 0.0, (0.0, 180.0));
    canvas.detail(&lower, 0.03, hoop);
    canvas.detail(&upper, 0.03, hoop);
    let steps = dice.count(2, 5) * 2;
    let cord: Vec<Point> = (0..=steps)
        .map(|step| {
            let edge = if step % 2 == 0 { &upper } else { &lower };
            edge[40 - step * 40 / steps]
        })
        .collect();
    canvas.detail(&cord, 0.014, Hue(0.0, 0.0, 0.97));
    let skin = Hue(45.0, dice.between(0.05, 0.25), 0.97);
    canvas.ellipse((0.5, top), (half, flat), 0.0, skin);
    canvas.detail(&oval((0.5, top), (half * 0.93, flat * 0.9), 0.0, (0.0, 360.0)), 0.01, hoop);
    let (stick, lift) = (wood(dice), dice.between(0.0, 0.08));
    for side in [-1.0, 1.0] {
        let tip = (0.5 + side * dice.between(0.04, 0.14), top - lift);
        let end = (0.5 + side * dice.between(0.36, 0.52), top - dice.between(0.26, 0.42));
        canvas.line(&[tip, end], 0.03, stick);
        canvas.circle(tip, 0.026, stick);
    }
}

/// A djembe, or a pair of bongos: wooden cups with a pale skin.
fn goblet(canvas: &mut Canvas, dice: &mut Dice) {
    let body = wood(dice);
    let skin = Hue(42.0, 0.2, 0.95);
    let pair = dice.chance(0.45);
    let columns: &[(f64, f64)] = if pair { &[(0.25, 0.23), (0.74, 0.26)] } else { &[(0.5, 0.32)] };
    if pair {
        canvas.rectangle((0.4, 0.45), (0.6, 0.58), 0.0, DARK);
    }
    for &(x, half) in columns {
        let (top, bottom, waist) = if pair { (0.3, 0.78, 0.8) } else { (0.12, 1.0, 0.42) };
        let flank = [(half, top), (half * 0.95, top + 0.2), (half * waist, 0.62), (half * waist.max(0.65), bottom)];
        let mut outline: Vec<Point> = flank.iter().map(|&(dx, y)| (x + dx, y)).collect();
        outline.extend(flank.iter().rev().map(|&(dx, y)| (x - dx, y)));
        canvas.polygon(&outline, body);
        canvas.ellipse((x, top), (half, half * 0.28), 0.0, skin);
        let rope: Vec<Point> = (0..=10)
            .map(|step| {
                let share = f64::from(step) / 5.0 - 1.0;
                (x + share * half * 0.9, top + if step % 2 == 0 { 0.12 } else { 0.26 })
            })
            .collect();
        canvas.detail(&rope, 0.014, skin);
    }
}

/// A drum kit from the front: bass drum, toms, snare drum and cymbals on stands.
fn kit(canvas: &mut Canvas, dice: &mut Dice) {
    let (shell, skin, brass) = (lacquer(dice), Hue(0.0, 0.0, 0.96), bronze(dice));
    for side in [-1.0, 1.0] {
        canvas.line(&[(0.5 + side * 0.42, 0.2), (0.5 + side * 0.36, 1.0)], 0.018, DARK);
        canvas.ellipse((0.5 + side * 0.42, 0.18), (0.17, 0.03), side * dice.between(8.0, 20.0), brass);
        canvas.rectangle((0.5 + side * 0.36 - 0.14, 0.56), (0.5 + side * 0.36 + 0.14, 0.78), 0.03, shell);
        canvas.ellipse((0.5 + side * 0.36, 0.56), (0.14, 0.035), 0.0, skin);
        canvas.rectangle((0.5 + side * 0.15 - 0.125, 0.24), (0.5 + side * 0.15 + 0.125, 0.42), 0.03, shell);
        canvas.ellipse((0.5 + side * 0.15, 0.24), (0.125, 0.03), 0.0, skin);
    }
    canvas.circle((0.5, 0.71), 0.28, shell);
    canvas.dot((0.5, 0.71), 0.23, skin);
    if dice.chance(0.5) {
        canvas.dot((0.5, 0.71), 0.08, shell);
    }
}

fn guitar(canvas: &mut Canvas, dice: &mut Dice) {
    let lean = *dice.pick(&[0.0, 35.0, -35.0, 50.0, -50.0, 80.0]) + dice.normal() * 8.0;
    let electric = dice.chance(0.35);
    let body = if electric { lacquer(dice) } else { wood(dice) };
    let neck = Hue(22.0, 0.6, dice.between(0.2, 0.5));
    let width = dice.between(0.9, 1.15);
    let at = |points: &[Point]| {
        let wide: Vec<Point> = points.iter().map(|&(x, y)| (0.5 + x * width, y)).collect();
        turned(&wide, lean)
    };
    let slim = |points: &[Point]| turned(&points.iter().map(|&(x, y)| (0.5 + x, y)).collect::<Vec<_>>(), lean);
    let joint = if electric { 0.55 } else { 0.5 };
    canvas.polygon(&slim(&[(-0.03, -0.02), (0.03, -0.02), (0.035, joint + 0.08), (-0.035, joint + 0.08)]), neck);
    canvas.polygon(&slim(&[(-0.055, -0.16), (0.055, -0.16), (0.04, 0.0), (-0.04, 0.0)]), neck);
    for peg in 0..3 {
        let y = -0.13 + 0.045 * f64::from(peg);
        canvas.line(&slim(&[(-0.085, y), (-0.05, y)]), 0.02, DARK);
        canvas.line(&slim(&[(0.05, y), (0.085, y)]), 0.02, DARK);
    }
    if electric {
        let horn = dice.between(0.34, 0.44);
        canvas.blob(
            &at(&[
                (0.0, 0.56),
                (0.09, 0.54),
                (0.2, horn + 0.05),
                (0.21, 0.55),
                (0.17, 0.68),
                (0.24, 0.85),
                (0.16, 1.0),
                (-0.02, 1.02),
                (-0.2, 1.0),
                (-0.25, 0.84),
                (-0.18, 0.67),
                (-0.23, 0.5),
                (-0.2, horn),
                (-0.09, 0.52),
            ]),
            body,
        );
    } else {
        let half = [(0.09, 0.42), (0.18, 0.47), (0.18, 0.57), (0.14, 0.64), (0.2, 0.73), (0.25, 0.86), (0.17, 1.0)];
        let mut outline = half.to_vec();
        outline.push((0.0, 1.03));
        outline.extend(half.iter().rev().map(|&(x, y)| (-x, y)));
        canvas.blob(&at(&outline), body);
        canvas.dot(at(&[(0.0, 0.66)])[0], dice.between(0.065, 0.085), Hue(20.0, 0.6, 0.15));
    }
    canvas.detail(&slim(&[(-0.09, 0.87), (0.09, 0.87)]), 0.035, Hue(20.0, 0.5, 0.2));
    if electric {
        for y in [0.64, 0.74] {
            canvas.detail(&slim(&[(-0.06, y), (0.06, y)]), 0.03, Hue(0.0, 0.0, 0.1));
        }
    }
    for x in [-0.018, 0.0, 0.018] {
        canvas.detail(&slim(&[(x, -0.02), (x * 1.4, 0.87)]), 0.005, Hue(0.0, 0.0, 0.95));
    }
}
