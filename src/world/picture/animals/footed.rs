//! Animals on foot: cat, cricket, frog, dog.

use super::super::super::Dice;
use super::super::canvas::{Canvas, Hue, Manner, Point};
use super::{BLACK, WHITE, coat, eye, shade, twice};

const FUR: [Hue; 7] = [
    Hue(28.0, 0.7, 0.9),
    Hue(0.0, 0.0, 0.3),
    Hue(0.0, 0.02, 0.65),
    Hue(30.0, 0.3, 0.85),
    Hue(24.0, 0.6, 0.45),
    Hue(210.0, 0.12, 0.55),
    Hue(40.0, 0.12, 0.95),
];
const PINK: Hue = Hue(350.0, 0.4, 0.95);

/// A cat: its face, or the whole cat sitting with its tail around it.
pub(super) fn cat(canvas: &mut Canvas, dice: &mut Dice) {
    let fur = coat(&FUR, dice);
    if dice.chance(0.5) {
        return cat_face(canvas, (0.5, 0.55), dice.between(0.9, 1.1), fur, dice);
    }
    let tail_tip = (dice.between(0.0, 0.14), dice.between(0.25, 0.75));
    canvas.curve(&[(0.4, 0.9), (0.16, 0.9), (0.08, 0.72), tail_tip], dice.between(0.05, 0.08), fur);
    let body = [(0.5, 0.4), (0.66, 0.5), (0.72, 0.8), (0.68, 0.94), (0.3, 0.94), (0.25, 0.76), (0.35, 0.52)];
    canvas.blob(&body, fur);
    for x in [0.46, 0.58] {
        canvas.detail(&[(x, 0.72), (x, 0.92)], 0.012, shade(fur, 0.5));
        canvas.ellipse((x, 0.94), (0.065, 0.03), 0.0, shade(fur, 1.25));
    }
    cat_face(canvas, (0.52, 0.3), dice.between(0.5, 0.6), fur, dice);
}

fn cat_face(canvas: &mut Canvas, (x, y): Point, scale: f64, fur: Hue, dice: &mut Dice) {
    let at = |dx: f64, dy: f64| (x + scale * dx, y + scale * dy);
    let (ear, wide) = (dice.between(0.38, 0.48), dice.between(0.34, 0.4));
    for side in [-1.0, 1.0] {
        canvas.polygon(&[at(side * wide, -0.05), at(side * 0.34, -ear), at(side * 0.06, -0.25)], fur);
        if canvas.manner != Manner::Silhouette {
            canvas.polygon(&[at(side * 0.3, -0.12), at(side * 0.3, -ear + 0.1), at(side * 0.14, -0.22)], PINK);
        }
    }
    canvas.ellipse((x, y), (scale * wide, scale * dice.between(0.28, 0.32)), 0.0, fur);
    if dice.chance(0.5) {
        for dx in [-0.06, 0.0, 0.06] {
            canvas.detail(&[at(dx, -0.28), at(dx, -0.17)], 0.025 * scale, shade(fur, 0.5));
        }
    }
    let iris = *dice.pick(&[Hue(90.0, 0.7, 0.85), Hue(48.0, 0.8, 0.95), Hue(200.0, 0.5, 0.9)]);
    let asleep = dice.chance(0.15);
    let meowing = dice.chance(0.45);
    for side in [-1.0, 1.0] {
        if asleep {
            canvas.detail(&[at(side * 0.22, -0.04), at(side * 0.15, 0.0), at(side * 0.08, -0.04)], 0.02 * scale, BLACK);
        } else {
            canvas.dot(at(side * 0.15, -0.04), 0.062 * scale, iris);
            canvas.detail(&[at(side * 0.15, -0.08), at(side * 0.15, 0.0)], 0.03 * scale, BLACK);
        }
        for (from, to) in [(0.05, -0.02), (0.08, 0.08), (0.11, 0.17)] {
            canvas.line(&[at(side * 0.24, from), at(side * 0.52, to)], 0.012 * scale, BLACK);
            canvas.detail(&[at(side * 0.14, from), at(side * 0.3, from + 0.02)], 0.012 * scale, BLACK);
        }
        canvas.detail(&[at(0.0, 0.1), at(side * 0.04, 0.14), at(side * 0.09, 0.12)], 0.016 * scale, BLACK);
    }
    canvas.detail(&[at(-0.03, 0.05), at(0.03, 0.05), at(0.0, 0.085), at(-0.03, 0.05)], 0.03 * scale, shade(PINK, 0.9));
    if meowing {
        canvas.dot(at(0.0, 0.185), 0.055 * scale, Hue(355.0, 0.7, 0.5));
    }
}

/// A cricket or grasshopper: a long body on high bent hind legs, and feelers as long as itself.
pub(super) fn cricket(canvas: &mut Canvas, dice: &mut Dice) {
    let shell = coat(&[Hue(95.0, 0.65, 0.6), Hue(30.0, 0.6, 0.35), Hue(75.0, 0.6, 0.65), Hue(0.0, 0.1, 0.2)], dice);
    let (slim, knee) = (dice.between(0.07, 0.105), dice.between(0.1, 0.25));
    if dice.chance(0.4) {
        for _ in 0..dice.count(6, 14) {
            let x = dice.between(-0.2, 1.2);
            let tip = (x + dice.between(-0.1, 0.1), dice.between(0.6, 0.85));
            canvas.line(&[(x, 1.1), tip], 0.02, Hue(110.0, 0.6, 0.5));
        }
    }
    let sway = dice.between(-0.1, 0.1);
    canvas.curve(&[(0.86, 0.46), (0.8 + sway, 0.2), (0.5 + sway, 0.06)], 0.014, shade(shell, 0.7));
    canvas.curve(&[(0.88, 0.46), (0.95, 0.25), (0.85 + sway, 0.04)], 0.014, shade(shell, 0.7));
    for (hip, bend, foot) in [(0.74, 0.82, 0.9), (0.64, 0.68, 0.62)] {
        canvas.line(&[(hip, 0.58), (bend, 0.68), (foot, 0.86)], 0.024, shade(shell, 0.75));
    }
    canvas.line(&[(0.06, 0.58), (-0.03, 0.52)], 0.014, shade(shell, 0.7));
    let body = [
        (0.84, 0.47),
        (0.72, 0.44),
        (0.4, 0.5 - 0.3 * slim),
        (0.05, 0.58),
        (0.3, 0.5 + 1.6 * slim),
        (0.7, 0.52 + 1.3 * slim),
    ];
    canvas.blob(&body, shell);
    for step in 0..5 {
        let x = 0.2 + 0.07 * f64::from(step);
        canvas.detail(&[(x, 0.58), (x + 0.01, 0.5 + 1.3 * slim)], 0.01, shade(shell, 0.55));
    }
    let wing = shade(shell, *dice.pick(&[0.7, 1.3]));
    canvas.blob(&[(0.72, 0.46), (0.4, 0.46), (0.02, 0.53), (0.4, 0.55)], wing);
    canvas.ellipse((0.85, 0.52), (0.09, 0.105), 15.0, shell);
    canvas.detail(&[(0.75, 0.45), (0.76, 0.6)], 0.014, shade(shell, 0.5));
    eye(canvas, (0.88, 0.48), 0.025, BLACK);
    let (hip, top) = ((0.46, 0.6), (0.2, knee));
    canvas.polygon(
        &[(hip.0 - 0.06, hip.1 - 0.02), (top.0 - 0.012, top.1), (top.0 + 0.012, top.1 - 0.01), (hip.0 + 0.06, hip.1)],
        shell,
    );
    let foot = dice.between(0.0, 0.12);
    canvas.line(&[top, (foot, 0.87), (foot + 0.08, 0.88)], 0.026, shade(shell, 0.8));
}

/// A frog: crouching and facing us, or from the side on a lily pad.
pub(super) fn frog(canvas: &mut Canvas, dice: &mut Dice) {
    let skin = coat(&[Hue(110.0, 0.7, 0.7), Hue(85.0, 0.7, 0.75), Hue(135.0, 0.6, 0.5), Hue(60.0, 0.4, 0.5)], dice);
    if dice.chance(0.35) {
        canvas.wash(Hue(200.0, 0.5, 0.8));
    }
    if dice.chance(0.5) {
        canvas.ellipse((0.5, 0.9), (0.55, 0.1), 0.0, Hue(140.0, 0.6, 0.5));
    }
    if dice.chance(0.4) {
        return frog_aside(canvas, skin, dice);
    }
    let (wide, bulge) = (dice.between(0.3, 0.37), dice.between(0.09, 0.125));
    for thigh in twice(&[(0.3, 0.6), (0.12, 0.58), (0.05, 0.74), (0.18, 0.88), (0.36, 0.84)]) {
        canvas.blob(&thigh, shade(skin, 0.85));
    }
    for foot in twice(&[(0.3, 0.84), (0.02, 0.9), (0.1, 0.92), (0.06, 0.97), (0.18, 0.94), (0.2, 0.99), (0.34, 0.92)]) {
        canvas.polygon(&foot, shade(skin, 0.85));
    }
    canvas.ellipse((0.5, 0.7), (0.25, 0.22), 0.0, skin);
    if canvas.manner != Manner::Silhouette {
        canvas.ellipse((0.5, 0.76), (0.17, 0.14), 0.0, Hue(70.0, 0.3, 0.95));
    }
    for arm in [[(0.34, 0.66), (0.36, 0.9), (0.3, 0.95)], [(0.66, 0.66), (0.64, 0.9), (0.7, 0.95)]] {
        canvas.line(&arm, 0.06, shade(skin, 0.9));
    }
    for side in [-1.0, 1.0] {
        canvas.circle((0.5 + side * 0.66 * wide, 0.27), bulge, skin);
    }
    canvas.ellipse((0.5, 0.44), (wide, 0.2), 0.0, skin);
    let iris = *dice.pick(&[WHITE, Hue(50.0, 0.8, 0.95), Hue(20.0, 0.9, 0.9)]);
    for side in [-1.0, 1.0] {
        eye(canvas, (0.5 + side * 0.66 * wide, 0.26), 0.65 * bulge, iris);
        canvas.dot((0.5 + side * 0.03, 0.4), 0.01, BLACK);
    }
    let smile: Vec<Point> = super::super::canvas::oval((0.5, 0.42), (0.8 * wide, 0.12), 0.0, (10.0, 170.0));
    canvas.detail(&smile, 0.02, shade(skin, 0.35));
    spots(canvas, &[(0.33, 0.42), (0.66, 0.38), (0.5, 0.33)], skin, dice);
}

fn frog_aside(canvas: &mut Canvas, skin: Hue, dice: &mut Dice) {
    let bulge = dice.between(0.065, 0.09);
    canvas.line(&[(0.68, 0.62), (0.76, 0.78), (0.72, 0.88), (0.84, 0.89)], 0.05, shade(skin, 0.8));
    canvas.circle((0.74, 0.3), bulge, skin);
    let body = [
        (0.92, 0.42),
        (0.9, 0.52),
        (0.76, 0.62),
        (0.6, 0.8),
        (0.3, 0.86),
        (0.1, 0.82),
        (0.2, 0.64),
        (0.44, 0.44),
        (0.68, 0.3),
    ];
    canvas.blob(&body, skin);
    if dice.chance(0.5) {
        // The air sac of a croaking frog.
        canvas.circle((0.82, 0.62), dice.between(0.08, 0.13), Hue(65.0, 0.3, 0.95));
    }
    canvas.blob(&[(0.46, 0.66), (0.34, 0.58), (0.14, 0.72), (0.16, 0.86), (0.4, 0.84)], shade(skin, 0.85));
    canvas.polygon(
        &[(0.14, 0.83), (0.44, 0.85), (0.52, 0.9), (0.44, 0.9), (0.46, 0.94), (0.34, 0.91), (0.12, 0.9)],
        shade(skin, 0.85),
    );
    canvas.line(&[(0.62, 0.68), (0.58, 0.88), (0.7, 0.9)], 0.05, shade(skin, 0.9));
    canvas.detail(&[(0.92, 0.46), (0.78, 0.5), (0.66, 0.47)], 0.016, shade(skin, 0.35));
    eye(canvas, (0.75, 0.3), 0.65 * bulge, *dice.pick(&[WHITE, Hue(50.0, 0.8, 0.95)]));
    spots(canvas, &[(0.5, 0.52), (0.4, 0.6), (0.6, 0.56)], skin, dice);
}

fn spots(canvas: &mut Canvas, at: &[Point], skin: Hue, dice: &mut Dice) {
    if dice.chance(0.5) {
        for place in at {
            canvas.dot(*place, dice.between(0.012, 0.03), shade(skin, 0.6));
        }
    }
}

/// A dog: its face with hanging ears and tongue, or the whole dog on four legs, barking.
pub(super) fn dog(canvas: &mut Canvas, dice: &mut Dice) {
    let fur = coat(&FUR, dice);
    if dice.chance(0.4) {
        return dog_face(canvas, fur, dice);
    }
    let (long, leg) = (dice.between(-0.06, 0.06), dice.between(0.0, 0.08));
    let (chest, floor) = (0.56 + leg, 0.94);
    for (x, far) in [(0.28 - long, true), (0.56, true), (0.2 - long, false), (0.62, false)] {
        let tone = shade(fur, if far { 0.75 } else { 1.0 });
        canvas.rectangle((x, chest - 0.06), (x + 0.075, floor), 0.03, tone);
        canvas.rectangle((x, floor - 0.05), (x + 0.11, floor), 0.025, tone);
    }
    let wag = dice.between(-0.08, 0.1);
    canvas.curve(&[(0.2 - long, 0.44), (0.08, 0.34), (0.03 + wag, 0.16)], dice.between(0.035, 0.06), fur);
    let body = [
        (0.17 - long, 0.44),
        (0.42, 0.4),
        (0.66, 0.36),
        (0.73, 0.5),
        (0.66, chest + 0.05),
        (0.42, chest),
        (0.2 - long, chest + 0.06),
    ];
    canvas.blob(&body, fur);
    canvas.polygon(&[(0.56, 0.44), (0.6, 0.24), (0.78, 0.3), (0.72, 0.52)], fur);
    let gape = dice.between(0.02, 0.09);
    let snout = dice.between(0.9, 0.98);
    canvas.polygon(
        &[(0.7, 0.3), (snout - 0.03, 0.34 + gape), (snout - 0.05, 0.38 + gape), (0.68, 0.4)],
        shade(fur, 0.85),
    );
    canvas.blob(&[(0.6, 0.2), (0.7, 0.13), (0.8, 0.18), (snout, 0.23), (snout, 0.29), (0.8, 0.33), (0.64, 0.34)], fur);
    canvas.dot((snout - 0.005, 0.225), 0.028, BLACK);
    eye(canvas, (0.77, 0.2), 0.02, BLACK);
    let ear = shade(fur, *dice.pick(&[0.5, 0.7]));
    if dice.chance(0.65) {
        canvas.blob(&[(0.62, 0.16), (0.69, 0.19), (0.66, 0.36), (0.57, 0.38), (0.57, 0.26)], ear);
        canvas.detail(&[(0.685, 0.2), (0.66, 0.35)], 0.01, shade(ear, 0.6));
    } else {
        canvas.polygon(&[(0.6, 0.2), (0.6, 0.04), (0.7, 0.15)], ear);
    }
    canvas.detail(&[(0.6, 0.4), (0.73, 0.46)], 0.03, coat(&[Hue(0.0, 0.9, 0.8), Hue(220.0, 0.8, 0.8)], dice));
    if dice.chance(0.4) {
        for (from, to) in [(0.26, 0.2), (0.34, 0.34), (0.42, 0.48)] {
            canvas.line(&[(1.0, from), (1.1, to)], 0.018, BLACK);
        }
    }
}

fn dog_face(canvas: &mut Canvas, fur: Hue, dice: &mut Dice) {
    let (wide, drop) = (dice.between(0.25, 0.3), dice.between(0.5, 0.68));
    let ear = shade(fur, *dice.pick(&[0.5, 0.7]));
    canvas.blob(
        &[
            (0.5, 0.12),
            (0.5 + wide, 0.28),
            (0.5 + wide, 0.55),
            (0.62, 0.84),
            (0.38, 0.84),
            (0.5 - wide, 0.55),
            (0.5 - wide, 0.28),
        ],
        fur,
    );
    for shape in twice(&[(0.4, 0.16), (0.24, 0.12), (0.1, 0.26), (0.08, drop), (0.18, drop + 0.06), (0.26, 0.42)]) {
        canvas.blob(&shape, ear);
    }
    for edge in twice(&[(0.36, 0.2), (0.28, 0.36), (0.2, drop + 0.03)]) {
        canvas.detail(&edge, 0.014, shade(ear, 0.6));
    }
    let tongue = dice.chance(0.65);
    if tongue {
        let length = dice.between(0.1, 0.2);
        canvas.rectangle((0.43, 0.76), (0.57, 0.8 + length), 0.07, Hue(350.0, 0.55, 0.9));
        canvas.detail(&[(0.5, 0.8), (0.5, 0.76 + length)], 0.012, Hue(350.0, 0.7, 0.6));
    }
    if canvas.manner != Manner::Silhouette {
        canvas.ellipse((0.5, 0.68), (0.19, 0.14), 0.0, shade(fur, 1.4));
    }
    for side in [-1.0, 1.0] {
        eye(canvas, (0.5 + side * 0.12, 0.4), dice.between(0.032, 0.045), BLACK);
        canvas.detail(&[(0.5, 0.68), (0.5 + side * 0.06, 0.76), (0.5 + side * 0.15, 0.74)], 0.018, BLACK);
    }
    // The nose is broad and set low, which no cat has.
    canvas.dot((0.46, 0.6), 0.045, BLACK);
    canvas.dot((0.54, 0.6), 0.045, BLACK);
    canvas.dot((0.5, 0.63), 0.045, BLACK);
}
