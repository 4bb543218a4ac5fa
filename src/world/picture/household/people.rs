//! A baby that cries, a person who sneezes, and an explosion.

use super::super::Dice;
use super::super::canvas::{Canvas, Hue, Point, oval};
use super::{paint, polar, shade, skin, star};

const DARK: Hue = Hue(15.0, 0.5, 0.15);
const TEAR: Hue = Hue(205.0, 0.6, 1.0);
const RED: Hue = Hue(355.0, 0.75, 0.7);

/// A round head with a curl, eyes pressed shut, a wide open mouth and tears; alone, in a nappy or under a blanket.
pub(super) fn baby(canvas: &mut Canvas, dice: &mut Dice) {
    let colour = skin(dice);
    match dice.count(0, 3) {
        0 | 1 => crying_head(canvas, (0.5, 0.52), 0.4, colour, dice),
        2 => {
            let nappy = Hue(dice.between(0.0, 360.0), 0.12, 0.97);
            for side in [-1.0, 1.0] {
                let reach = dice.between(0.5, 0.62);
                canvas.ellipse((0.5 + side * 0.25, reach), (0.15, 0.055), side * dice.between(-40.0, 25.0), colour);
                canvas.ellipse((0.5 + side * 0.22, 0.9), (0.16, 0.07), side * 15.0, colour);
            }
            canvas.ellipse((0.5, 0.72), (0.19, 0.2), 0.0, colour);
            canvas.blob(&[(0.31, 0.76), (0.5, 0.78), (0.69, 0.76), (0.62, 0.92), (0.5, 0.97), (0.38, 0.92)], nappy);
            crying_head(canvas, (0.5, 0.31), 0.27, colour, dice);
        }
        _ => {
            let blanket = paint(dice);
            canvas.blob(&[(0.5, 0.06), (0.83, 0.3), (0.8, 0.75), (0.5, 1.0), (0.2, 0.75), (0.17, 0.3)], blanket);
            crying_head(canvas, (0.5, 0.38), 0.25, colour, dice);
            canvas.polygon(&[(0.2, 0.62), (0.8, 0.6), (0.72, 0.88), (0.5, 1.0), (0.28, 0.88)], shade(blanket, 0.85));
            canvas.detail(&[(0.24, 0.64), (0.6, 0.95)], 0.02, shade(blanket, 0.6));
        }
    }
}

/// The head of a crying baby.
fn crying_head(canvas: &mut Canvas, centre: Point, size: f64, colour: Hue, dice: &mut Dice) {
    let at = |x: f64, y: f64| (centre.0 + x * size, centre.1 + y * size);
    for side in [-1.0, 1.0] {
        canvas.circle(at(side * 1.0, 0.08), 0.19 * size, shade(colour, 0.9));
    }
    canvas.ellipse(centre, (size * 1.03, size * 0.98), 0.0, colour);
    let curl = [at(-0.1, -0.92), at(0.08, -1.15), at(0.2, -1.0), at(0.08, -0.9), at(0.02, -1.02)];
    canvas.curve(&curl, 0.07 * size, DARK);
    let slant = dice.between(0.0, 0.2);
    for side in [-1.0, 1.0] {
        let eye = [at(side * 0.6, -0.12 - slant), at(side * 0.4, -0.08), at(side * 0.22, -0.16 + slant)];
        if dice.chance(0.5) {
            canvas.detail(&[at(side * 0.62, -0.28), at(side * 0.25, -0.14), at(side * 0.62, 0.0)], 0.06 * size, DARK);
        } else {
            canvas.detail(&eye, 0.08 * size, DARK);
        }
        canvas.detail(&[at(side * 0.62, -0.48 + slant), at(side * 0.25, -0.44 - slant)], 0.05 * size, DARK);
        canvas.dot(at(side * 0.62, 0.3), 0.13 * size, Hue(0.0, 0.45, colour.2));
        for drop in 0..dice.count(1, 3) {
            let y = 0.1 + 0.27 * drop as f64;
            canvas.dot(at(side * (0.5 + 0.12 * y), y), (0.1 - 0.01 * drop as f64) * size, TEAR);
        }
        if dice.chance(0.5) {
            // Tears that fly off to both sides.
            for spurt in 0..3 {
                let away = 0.18 * f64::from(spurt);
                canvas.ellipse(
                    at(side * (1.1 + away), -0.45 + away * away),
                    (0.08 * size, 0.05 * size),
                    side * 30.0,
                    TEAR,
                );
            }
        }
    }
    let (wide, high) = (dice.between(0.28, 0.42), dice.between(0.24, 0.36));
    let mouth = oval(at(0.0, 0.45), (wide * size, high * size), 0.0, (0.0, 360.0));
    // A mouth stays visible in a silhouette only as a detail: it is filled with strokes.
    for row in 1..20 {
        canvas.detail(&[mouth[row], mouth[40 - row]], 0.06 * size, RED);
    }
    canvas.detail(&mouth, 0.04 * size, DARK);
    canvas.dot(at(0.0, 0.45 + 0.55 * high), 0.3 * wide * size, Hue(350.0, 0.45, 0.95));
}

/// A head in profile that sprays droplets from nose and mouth, or a face behind a handkerchief.
pub(super) fn sneeze(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.7) { profile(canvas, dice) } else { handkerchief(canvas, dice) }
}

/// The profile, thrown forward, eye shut, with a cloud of drops before it.
fn profile(canvas: &mut Canvas, dice: &mut Dice) {
    let (colour, hair, shirt) = (skin(dice), Hue(dice.between(10.0, 45.0), 0.6, dice.between(0.1, 0.7)), paint(dice));
    let nose = dice.between(0.6, 0.68);
    canvas.polygon(&[(-0.05, 1.05), (0.0, 0.86), (0.18, 0.76), (0.4, 0.8), (0.52, 0.92), (0.54, 1.05)], shirt);
    let head = [
        (0.2, 0.85),
        (0.16, 0.66),
        (0.06, 0.48),
        (0.08, 0.26),
        (0.22, 0.12),
        (0.4, 0.11),
        (0.51, 0.2),
        (0.53, 0.34),
        (nose, 0.5),
        (0.54, 0.53),
        (0.57, 0.57),
        (0.47, 0.62),
        (0.54, 0.69),
        (0.48, 0.77),
        (0.38, 0.78),
        (0.37, 0.88),
    ];
    canvas.polygon(&head, colour);
    let long = dice.between(0.45, 0.8);
    canvas.blob(
        &[(0.12, long), (0.03, 0.42), (0.08, 0.18), (0.28, 0.04), (0.5, 0.12), (0.5, 0.21), (0.3, 0.25), (0.24, 0.42)],
        hair,
    );
    canvas.detail(&[(0.39, 0.33), (0.46, 0.37), (0.4, 0.4)], 0.018, DARK);
    canvas.detail(&[(0.38, 0.28), (0.49, 0.27)], 0.018, hair);
    canvas.detail(&[(0.47, 0.62), (0.42, 0.63)], 0.025, RED);
    canvas.stroke = canvas.stroke.min(0.012);
    for _ in 0..dice.count(12, 30) {
        let (angle, far) = (dice.between(-18.0, 42.0), dice.ratio(0.06, 0.5));
        let at = polar((0.58, 0.57), far, angle);
        canvas.circle(at, dice.between(0.012, 0.02 + 0.06 * far), TEAR);
    }
    for angle in [-14.0, 4.0, 20.0, 36.0] {
        let slip = dice.between(-4.0, 4.0);
        let from = polar((0.56, 0.57), dice.between(0.08, 0.14), angle + slip);
        canvas.line(&[from, polar((0.56, 0.57), dice.between(0.25, 0.48), angle + slip)], 0.012, shade(TEAR, 0.8));
    }
}

/// A face from the front, eyes shut, a cloth pressed on a red nose, drops to both sides.
fn handkerchief(canvas: &mut Canvas, dice: &mut Dice) {
    let (colour, hair) = (skin(dice), Hue(dice.between(10.0, 45.0), 0.6, dice.between(0.1, 0.7)));
    let (shirt, cloth) = (paint(dice), Hue(dice.between(0.0, 360.0), 0.15, 1.0));
    canvas.blob(&[(0.08, 1.1), (0.2, 0.84), (0.5, 0.78), (0.8, 0.84), (0.92, 1.1)], shirt);
    canvas.ellipse((0.5, 0.35), (0.31, 0.34), 0.0, hair);
    canvas.ellipse((0.5, 0.45), (0.27, 0.35), 0.0, colour);
    canvas.blob(&[(0.24, 0.34), (0.3, 0.12), (0.5, 0.06), (0.7, 0.12), (0.76, 0.34), (0.5, 0.22)], hair);
    for side in [-1.0, 1.0] {
        let x = |away: f64| 0.5 + side * away;
        canvas.detail(&[(x(0.19), 0.33), (x(0.08), 0.38), (x(0.19), 0.43)], 0.02, DARK);
        for _ in 0..dice.count(3, 7) {
            let at = polar((x(0.3), 0.6), dice.between(0.02, 0.18), dice.between(0.0, 360.0));
            canvas.circle(at, dice.between(0.01, 0.025), TEAR);
        }
        canvas.line(&[(x(0.33), 0.56), (x(0.46), 0.5)], 0.014, shade(TEAR, 0.8));
        canvas.line(&[(x(0.33), 0.66), (x(0.47), 0.69)], 0.014, shade(TEAR, 0.8));
    }
    let low = dice.between(0.82, 0.98);
    let folds =
        [(0.5, 0.5), (0.66, 0.54), (0.72, 0.66), (0.66, 0.76), (0.6, low), (0.5, 0.8), (0.42, low), (0.34, 0.76)];
    let mut outline = folds.to_vec();
    outline.extend([(0.28, 0.66), (0.34, 0.54)]);
    canvas.polygon(&outline, cloth);
    canvas.detail(&outline, 0.016, shade(cloth, 0.55));
    for x in [0.42, 0.5, 0.58] {
        canvas.detail(&[(0.5 + (x - 0.5) * 0.5, 0.6), (x, 0.76)], 0.014, shade(cloth, 0.55));
    }
    canvas.ellipse((0.38, 0.68), (0.07, 0.05), 30.0, colour);
    canvas.ellipse((0.62, 0.68), (0.07, 0.05), -30.0, colour);
}

/// A jagged burst in layers, a mushroom cloud, or a bomb that bursts.
pub(super) fn explosion(canvas: &mut Canvas, dice: &mut Dice) {
    match dice.count(0, 4) {
        0..=2 => burst(canvas, (0.5, 0.5), 0.52, dice),
        3 => mushroom(canvas, dice),
        _ => {
            burst(canvas, (0.5, 0.5), 0.55, dice);
            canvas.circle((0.5, 0.55), 0.19, Hue(230.0, 0.2, 0.15));
            canvas.polygon(&[(0.55, 0.4), (0.63, 0.33), (0.69, 0.4), (0.61, 0.47)], Hue(230.0, 0.2, 0.25));
            canvas.detail(&[(0.4, 0.5), (0.44, 0.45)], 0.025, Hue(0.0, 0.0, 1.0));
            canvas.curve(&[(0.64, 0.38), (0.72, 0.28), (0.8, 0.3)], 0.02, Hue(35.0, 0.5, 0.4));
        }
    }
}

/// Spikes of red, orange, yellow and white, one in the other, with rubble flung from it.
fn burst(canvas: &mut Canvas, centre: Point, size: f64, dice: &mut Dice) {
    let (spikes, inner) = (dice.count(8, 15), dice.between(0.5, 0.7));
    let whole = star(centre, (1.0, inner), spikes, 0.35, dice);
    let mut hue = dice.between(0.0, 14.0);
    for layer in 0..dice.count(2, 4) {
        let share = size * (1.0 - 0.27 * layer as f64);
        let within = |at: &Point| (centre.0 + (at.0 - centre.0) * share, centre.1 + (at.1 - centre.1) * share);
        let mut edge: Vec<Point> = whole.iter().map(within).collect();
        canvas.polygon(&edge, Hue(hue, 0.95 - 0.12 * layer as f64, 0.85 + 0.06 * layer as f64));
        if layer > 0 {
            edge.push(edge[0]);
            canvas.detail(&edge, 0.018, Hue(hue, 0.7, 0.9));
        }
        hue += dice.between(14.0, 24.0);
    }
    for _ in 0..dice.count(4, 16) {
        let at = polar(centre, size * dice.between(0.85, 1.15), dice.between(0.0, 360.0));
        let turn = dice.between(0.0, 360.0);
        let stone = [polar(at, 0.03, turn), polar(at, 0.035, turn + 110.0), polar(at, 0.025, turn + 240.0)];
        canvas.polygon(&stone, Hue(20.0, 0.3, dice.between(0.15, 0.4)));
    }
}

/// A stem of smoke under a cap that curls in, over the ground.
fn mushroom(canvas: &mut Canvas, dice: &mut Dice) {
    let fire = Hue(dice.between(8.0, 45.0), dice.between(0.3, 0.9), dice.between(0.6, 1.0));
    let (stem, wide) = (dice.between(0.08, 0.14), dice.between(0.34, 0.46));
    canvas.blob(
        &[
            (0.5 - stem * 0.8, 0.4),
            (0.5 + stem * 0.8, 0.4),
            (0.5 + stem, 0.75),
            (0.8, 0.98),
            (0.2, 0.98),
            (0.5 - stem, 0.75),
        ],
        shade(fire, 0.85),
    );
    canvas.ellipse((0.5, 0.58), (wide * 0.6, 0.05), 0.0, shade(fire, 0.75));
    for (x, y, size) in [(-0.7, 0.4, 0.13), (0.7, 0.4, 0.13), (-0.35, 0.43, 0.12), (0.35, 0.43, 0.12)] {
        canvas.circle((0.5 + x * wide, y), size, shade(fire, 0.9));
    }
    for (x, y, size) in [(-0.5, 0.27, 0.17), (0.5, 0.27, 0.17), (0.0, 0.2, 0.21), (0.0, 0.34, 0.17)] {
        canvas.circle((0.5 + x * wide, y * dice.about(0.05)), size, fire);
    }
    for (x, y) in [(-0.4, 0.28), (0.05, 0.18), (0.45, 0.3)] {
        canvas.detail(&oval((0.5 + x * wide, y), (0.09, 0.08), 0.0, (180.0, 320.0)), 0.02, shade(fire, 0.55));
    }
    for puff in 0..7 {
        canvas.circle((0.14 + 0.12 * f64::from(puff), 0.96), dice.between(0.05, 0.09), shade(fire, 0.8));
    }
}
