//! Animals with wings: bird, owl, rooster, bee.

use super::super::super::Dice;
use super::super::canvas::{Canvas, Hue, Manner, Point};
use super::{BLACK, WHITE, branch, coat, eye, shade};

const PLUMAGE: [Hue; 8] = [
    Hue(210.0, 0.7, 0.85),
    Hue(5.0, 0.75, 0.85),
    Hue(48.0, 0.8, 0.95),
    Hue(28.0, 0.5, 0.5),
    Hue(130.0, 0.55, 0.65),
    Hue(0.0, 0.0, 0.3),
    Hue(195.0, 0.4, 0.9),
    Hue(25.0, 0.3, 0.7),
];
const BEAK: Hue = Hue(38.0, 0.9, 0.95);

/// A songbird: on a branch, or on the wing.
pub(super) fn bird(canvas: &mut Canvas, dice: &mut Dice) {
    let plumage = coat(&PLUMAGE, dice);
    if dice.chance(0.3) {
        return flying(canvas, plumage, dice);
    }
    let (fat, tail, lift) = (dice.between(0.9, 1.2), dice.between(0.12, 0.3), dice.between(-0.1, 0.12));
    let perched = dice.chance(0.65);
    for x in [0.46, 0.56] {
        canvas.line(&[(x, 0.7), (x + 0.01, 0.84), (x + 0.06, 0.845)], 0.018, shade(BEAK, 0.7));
    }
    if perched {
        branch(canvas, 0.86, dice);
    }
    let tip = (0.28 - tail, 0.66 + lift);
    canvas.polygon(
        &[(0.36, 0.52), (tip.0, tip.1 - 0.05), (tip.0 - 0.02, tip.1 + 0.05), (0.4, 0.66)],
        shade(plumage, 0.8),
    );
    let belly = 0.6 + 0.15 * fat;
    let open = dice.between(0.0, 0.06);
    let nod = dice.between(-0.03, 0.03);
    canvas.polygon(&[(0.78, 0.27 + nod), (0.94, 0.29 + nod - open), (0.78, 0.335 + nod)], BEAK);
    canvas.polygon(&[(0.78, 0.31 + nod), (0.92, 0.33 + nod + open), (0.77, 0.36 + nod)], shade(BEAK, 0.8));
    let outline: [Point; 9] = [
        (0.7, 0.18),
        (0.82, 0.29),
        (0.78, 0.42),
        (0.74, 0.6),
        (0.56, belly),
        (0.36, 0.68),
        (0.28, 0.56),
        (0.5, 0.42),
        (0.58, 0.26),
    ];
    canvas.blob(&outline.map(|(x, y)| (x, y + nod * (0.8 - x).min(0.4))), plumage);
    if dice.chance(0.5) {
        // Robins and tits wear a bib.
        let bib = coat(&[Hue(15.0, 0.8, 0.9), WHITE, Hue(50.0, 0.7, 0.95)], dice);
        if canvas.manner != Manner::Silhouette {
            canvas.blob(&[(0.72, 0.42), (0.73, 0.55), (0.6, 0.68), (0.56, 0.58), (0.64, 0.44)], bib);
        }
    }
    let wing = shade(plumage, *dice.pick(&[0.65, 0.8, 1.3]));
    let droop = dice.between(-0.04, 0.06);
    canvas.blob(&[(0.58, 0.46), (0.62, 0.56), (0.48, 0.64), (0.24, 0.64 + droop), (0.4, 0.5)], wing);
    canvas.detail(&[(0.57, 0.6), (0.45, 0.63), (0.28, 0.64 + droop)], 0.012, shade(wing, 0.5));
    eye(canvas, (0.71, 0.28 + nod), dice.between(0.022, 0.035), BLACK);
}

fn flying(canvas: &mut Canvas, plumage: Hue, dice: &mut Dice) {
    let (up, back) = (dice.between(0.05, 0.25), dice.between(-0.1, 0.1));
    let far = [(0.5, 0.48), (0.62, 0.5), (0.78 + back, up + 0.06), (0.7 + back, up)];
    canvas.polygon(&far, shade(plumage, 0.65));
    canvas.polygon(&[(0.3, 0.52), (0.04, 0.5), (0.0, 0.58), (0.06, 0.64), (0.3, 0.6)], shade(plumage, 0.8));
    canvas.polygon(&[(0.86, 0.44), (0.99, 0.48), (0.86, 0.51)], BEAK);
    let body =
        [(0.8, 0.38), (0.88, 0.46), (0.8, 0.55), (0.6, 0.65), (0.38, 0.62), (0.2, 0.56), (0.45, 0.48), (0.66, 0.44)];
    canvas.blob(&body, plumage);
    let near = [
        (0.42, 0.52),
        (0.63, 0.53),
        (0.55 + back, 0.32),
        (0.4 + back, up - 0.02),
        (0.33 + back, up + 0.02),
        (0.36, 0.36),
    ];
    canvas.polygon(&near, shade(plumage, 0.85));
    for step in 0..3 {
        let x = 0.46 + 0.05 * f64::from(step);
        canvas.detail(&[(x, 0.49), (x - 0.05 + 0.7 * back, 0.3 + 0.05 * f64::from(step))], 0.01, shade(plumage, 0.45));
    }
    eye(canvas, (0.8, 0.45), 0.022, BLACK);
}

/// An owl faces us: two large round eyes, a hooked beak between them, tufts on its head.
pub(super) fn owl(canvas: &mut Canvas, dice: &mut Dice) {
    let plumage =
        coat(&[Hue(28.0, 0.55, 0.5), Hue(30.0, 0.35, 0.65), Hue(0.0, 0.0, 0.6), Hue(250.0, 0.3, 0.5), WHITE], dice);
    if dice.chance(0.35) {
        canvas.wash(Hue(230.0, 0.6, dice.between(0.2, 0.4)));
        canvas.circle((dice.between(0.0, 0.25), dice.between(0.0, 0.2)), dice.between(0.1, 0.18), Hue(52.0, 0.35, 1.0));
    }
    let wide = dice.between(0.24, 0.32);
    let tufts = if dice.chance(0.75) { dice.between(0.06, 0.16) } else { 0.0 };
    branch(canvas, 0.92, dice);
    for side in [-1.0, 1.0] {
        let x = |offset: f64| 0.5 + side * offset;
        canvas.polygon(&[(x(0.05), 0.2), (x(0.85 * wide), 0.14 - tufts), (x(0.95 * wide), 0.34)], shade(plumage, 0.8));
    }
    let half = [(0.0, 0.14), (0.7, 0.17), (1.0, 0.34), (0.97, 0.6), (0.75, 0.84), (0.0, 0.92)];
    let mut outline: Vec<Point> = half.iter().map(|(x, y)| (0.5 + wide * x, *y)).collect();
    outline.extend(half[1..5].iter().rev().map(|(x, y)| (0.5 - wide * x, *y)));
    canvas.blob(&outline, plumage);
    let belly = shade(plumage, 1.5);
    if canvas.manner != Manner::Silhouette {
        canvas.ellipse((0.5, 0.69), (0.6 * wide, 0.2), 0.0, belly);
    }
    for (row, number) in [(0.6, 3), (0.68, 2), (0.76, 3)] {
        for index in 0..number {
            let x = 0.5 + (f64::from(index) - f64::from(number - 1) / 2.0) * 0.09;
            canvas.detail(&[(x - 0.025, row), (x, row + 0.03), (x + 0.025, row)], 0.012, shade(plumage, 0.6));
        }
    }
    for side in [-1.0, 1.0] {
        let x = |offset: f64| 0.5 + side * offset;
        let wing = [(x(0.98 * wide), 0.46), (x(1.18 * wide), 0.62), (x(0.85 * wide), 0.86), (x(0.72 * wide), 0.62)];
        canvas.blob(&wing, shade(plumage, 0.7));
        for toe in [0.07, 0.1, 0.13] {
            canvas.line(&[(x(toe), 0.88), (x(toe), 0.94)], 0.022, BEAK);
        }
    }
    owl_face(canvas, wide, dice);
}

fn owl_face(canvas: &mut Canvas, wide: f64, dice: &mut Dice) {
    let iris = *dice.pick(&[Hue(48.0, 0.9, 1.0), Hue(28.0, 0.9, 1.0), Hue(60.0, 0.5, 1.0)]);
    let (radius, pupil) = (0.44 * wide, dice.between(0.35, 0.6));
    let y = dice.between(0.32, 0.36);
    for side in [-1.0, 1.0] {
        let at = (0.5 + side * 0.46 * wide, y);
        match canvas.manner {
            // What is a detail is ink in a line drawing and paper in a silhouette; areas are the other way about.
            Manner::Lines => canvas.circle(at, radius, iris),
            Manner::Silhouette => canvas.dot(at, radius, WHITE),
            Manner::Flat | Manner::Outlined => {
                canvas.dot(at, radius, WHITE);
                canvas.dot(at, 0.85 * radius, iris);
            }
        }
        if canvas.manner == Manner::Silhouette {
            canvas.circle(at, pupil * radius, BLACK);
        } else {
            canvas.dot(at, pupil * radius, BLACK);
        }
    }
    canvas.polygon(&[(0.46, y + 0.05), (0.54, y + 0.05), (0.5, y + 0.15)], BEAK);
}

/// A rooster: comb and wattle, and a fountain of tail feathers.
pub(super) fn rooster(canvas: &mut Canvas, dice: &mut Dice) {
    let body =
        coat(&[Hue(20.0, 0.75, 0.6), Hue(30.0, 0.8, 0.8), WHITE, Hue(0.0, 0.0, 0.25), Hue(10.0, 0.8, 0.5)], dice);
    let tail = coat(&[Hue(150.0, 0.7, 0.35), Hue(220.0, 0.6, 0.35), Hue(0.0, 0.0, 0.2), Hue(15.0, 0.7, 0.5)], dice);
    let red = Hue(2.0, dice.between(0.8, 0.95), dice.between(0.75, 0.95));
    let feathers = dice.count(4, 7);
    for index in 0..feathers {
        let share = index as f64 / (feathers - 1) as f64;
        let (x, y) = (0.0 + 0.14 * share * share, 0.62 - 0.5 * share + dice.between(-0.03, 0.03));
        let top = (0.2 - 0.03 * share, 0.42 - 0.34 * share);
        canvas.curve(
            &[(0.36, 0.6), (0.28, 0.48 - 0.15 * share), top, (x, y)],
            dice.between(0.05, 0.075),
            shade(tail, 0.8 + 0.5 * share),
        );
    }
    for x in [0.44, 0.55] {
        canvas.line(&[(x, 0.74), (x + 0.01, 0.93)], 0.025, BEAK);
        canvas.line(&[(x - 0.05, 0.945), (x + 0.01, 0.92), (x + 0.08, 0.945)], 0.02, BEAK);
    }
    let crowing = dice.chance(0.5);
    let stretch = if crowing { dice.between(0.04, 0.08) } else { dice.between(-0.02, 0.02) };
    let (x, y) = (0.72, 0.24 - stretch);
    let comb = dice.between(0.07, 0.11);
    for index in 0..4 {
        let at =
            (x - 0.08 + 0.045 * f64::from(index), y - 0.06 - comb * 0.4 * (1.0 - (f64::from(index) - 1.5).abs() / 3.0));
        canvas.ellipse(at, (0.03, 0.6 * comb), -15.0 + 12.0 * f64::from(index), red);
    }
    let gape = if crowing { 0.05 } else { 0.01 };
    canvas.polygon(&[(x + 0.06, y - 0.04), (x + 0.19, y - gape), (x + 0.06, y + 0.02)], BEAK);
    canvas.polygon(&[(x + 0.06, y), (x + 0.17, y + 0.02 + gape), (x + 0.05, y + 0.05)], shade(BEAK, 0.85));
    canvas.ellipse((x + 0.07, y + 0.11), (0.032, 0.06), 0.0, red);
    let outline = [
        (x, y - 0.08),
        (x + 0.085, y),
        (x + 0.04, 0.38),
        (0.76, 0.58),
        (0.64, 0.75),
        (0.44, 0.77),
        (0.3, 0.66),
        (0.27, 0.5),
        (0.42, 0.52),
        (0.56, 0.46),
        (x - 0.1, 0.3),
        (x - 0.07, y - 0.03),
    ];
    canvas.blob(&outline, body);
    let wing = shade(body, *dice.pick(&[0.6, 0.8, 1.3]));
    canvas.blob(&[(0.6, 0.54), (0.58, 0.66), (0.44, 0.7), (0.33, 0.62), (0.44, 0.56)], wing);
    for step in 0..3 {
        let y = 0.6 + 0.035 * f64::from(step);
        canvas.detail(&[(0.55, y), (0.4, y + 0.01)], 0.012, shade(wing, 0.5));
    }
    eye(canvas, (x + 0.02, y - 0.02), 0.02, BLACK);
}

/// A bee: stripes and clear wings, from the side or from above.
pub(super) fn bee(canvas: &mut Canvas, dice: &mut Dice) {
    let yellow = Hue(dice.between(40.0, 54.0), dice.between(0.75, 1.0), dice.between(0.85, 1.0));
    let wing = Hue(200.0, dice.between(0.05, 0.3), 0.97);
    let (fat, stripes) = (dice.between(0.15, 0.22), dice.count(2, 4));
    let above = dice.chance(0.4);
    for step in 0..3 {
        let x = 0.42 + 0.1 * f64::from(step);
        let (knee, foot) = ((x + 0.04, 0.55 + fat + 0.05), (x + 0.01, 0.55 + fat + 0.12));
        canvas.line(&[(x, 0.55 + 0.8 * fat), knee, foot], 0.015, BLACK);
        if above {
            canvas.line(&[(x, 0.55 - 0.8 * fat), (knee.0, 1.1 - knee.1), (foot.0, 1.1 - foot.1)], 0.015, BLACK);
        }
    }
    canvas.polygon(&[(0.17, 0.55 - 0.04), (0.04, 0.55), (0.17, 0.55 + 0.04)], BLACK);
    canvas.circle((0.78, 0.54), 0.72 * fat, shade(yellow, dice.between(0.3, 0.9)));
    canvas.ellipse((0.44, 0.55), (0.31, fat), 0.0, yellow);
    for index in 0..stripes {
        let x = 0.24 + 0.36 * (index as f64 + 0.5) / stripes as f64;
        let high = 0.93 * fat * (1.0 - ((x - 0.44) / 0.31).powi(2)).sqrt();
        canvas.detail(&[(x, 0.55 - high), (x + 0.015, 0.55), (x, 0.55 + high)], 0.2 / stripes as f64, BLACK);
    }
    let (long, turn) = (dice.between(0.17, 0.24), dice.between(-15.0, 15.0));
    let reach = 0.55 - fat - 0.7 * long;
    canvas.ellipse((0.38, reach + 0.05), (0.1, long), turn - 30.0, wing);
    canvas.ellipse((0.54, reach), (0.11, long), turn, wing);
    if above {
        canvas.ellipse((0.38, 1.05 - reach), (0.1, long), 30.0 - turn, wing);
        canvas.ellipse((0.54, 1.1 - reach), (0.11, long), -turn, wing);
    }
    canvas.curve(&[(0.84, 0.46), (0.88, 0.36), (0.95, 0.33)], 0.015, BLACK);
    let other =
        if above { [(0.84, 0.62), (0.88, 0.72), (0.95, 0.75)] } else { [(0.8, 0.44), (0.82, 0.34), (0.87, 0.29)] };
    canvas.curve(&other, 0.015, BLACK);
    eye(canvas, (0.83, 0.51), 0.03, if dice.chance(0.5) { BLACK } else { WHITE });
    if above {
        eye(canvas, (0.83, 0.58), 0.03, BLACK);
    }
}
