//! What comes from the sky: rain, thunder and wind.

use std::f64::consts::PI;

use super::super::super::Dice;
use super::canvas::{Canvas, Hue, Point, oval};
use super::{WHITE, bend, cloud, drop_shape};

/// Many drops, slanting, from a cloud or on an umbrella.
pub(super) fn rain(canvas: &mut Canvas, dice: &mut Dice) {
    let water = Hue(dice.between(195.0, 225.0), dice.between(0.5, 0.9), dice.between(0.6, 1.0));
    if dice.chance(0.4) {
        canvas.wash(Hue(dice.between(200.0, 230.0), dice.between(0.05, 0.35), *dice.pick(&[0.25, 0.35, 0.95, 1.0])));
    }
    let slant = dice.between(-0.3, 0.3);
    if dice.chance(0.6) {
        let low = dice.between(0.4, 0.5);
        shower(canvas, (low + 0.06, 1.0), (0.12, 0.88), slant, water, dice);
        let grey = Hue(dice.between(200.0, 230.0), dice.between(0.0, 0.3), dice.between(0.45, 0.95));
        cloud(canvas, (0.5, low - 0.15), (0.42, 0.2), grey, dice);
    } else {
        shower(canvas, (0.0, 0.3), (-0.05, 1.05), slant, water, dice);
        shower(canvas, (0.42, 0.95), (-0.1, 0.12), slant, water, dice);
        shower(canvas, (0.42, 0.95), (0.88, 1.1), slant, water, dice);
        umbrella(canvas, dice);
    }
}

/// Rows of falling drops or streaks.
fn shower(canvas: &mut Canvas, (top, low): Point, (left, right): Point, slant: f64, colour: Hue, dice: &mut Dice) {
    let (gap, streaks) = (dice.between(0.1, 0.17), dice.chance(0.6));
    let (length, width) = (dice.between(0.07, 0.13), dice.between(0.018, 0.034));
    let (rows, columns) = (((low - top) / (gap * 1.3)).ceil() as usize, ((right - left) / gap).ceil() as usize);
    for row in 0..rows.max(1) {
        for column in 0..=columns {
            let x = left + (column as f64 + 0.5 * (row % 2) as f64 + dice.between(-0.2, 0.2)) * gap;
            let y = top + (row as f64 + dice.between(-0.15, 0.15)) * gap * 1.3;
            if x > right {
                continue;
            }
            if streaks {
                canvas.line(&[(x, y), (x + slant * length, y + length)], width, colour);
            } else {
                drop_shape(canvas, (x, y + 0.04), (0.6 * width + 0.01, 0.055), -slant, colour);
            }
        }
    }
}

/// An open umbrella with a crook for a handle.
fn umbrella(canvas: &mut Canvas, dice: &mut Dice) {
    let cloth = Hue(dice.between(0.0, 360.0), dice.between(0.5, 0.95), dice.between(0.5, 1.0));
    let (top, brim) = (dice.between(0.22, 0.3), dice.between(0.52, 0.6));
    let hook = dice.between(0.05, 0.07);
    let wood = Hue(28.0, 0.6, 0.4);
    canvas.line(&[(0.5, top - 0.06), (0.5, 0.9)], 0.025, wood);
    canvas.arc((0.5 + hook, 0.9), (hook, hook), 0.0, 180.0, 0.025, wood);
    let mut points = oval((0.5, brim), (0.38, brim - top), 0.0, (180.0, 360.0));
    let scallops = dice.count(3, 5);
    let wide = 0.76 / scallops as f64;
    for index in 0..scallops {
        let x = 0.88 - (index as f64 + 0.5) * wide;
        points.extend(oval((x, brim), (0.5 * wide, 0.05), 0.0, (0.0, -180.0)));
    }
    canvas.polygon(&points, cloth);
    for index in 1..scallops {
        let x = 0.12 + index as f64 * wide;
        canvas.detail(&[(0.5, top), ((0.5 + x) / 2.0 + (x - 0.5) * 0.25, (top + brim) / 2.0), (x, brim)], 0.012, WHITE);
    }
}

/// A jagged bolt out of a dark cloud, or forked lightning over hills at night.
pub(super) fn thunder(canvas: &mut Canvas, dice: &mut Dice) {
    let yellow = Hue(dice.between(42.0, 60.0), dice.between(0.4, 1.0), 1.0);
    // A bolt without a cloud is told by the night around it.
    let clouded = dice.chance(0.7);
    if !clouded || dice.chance(0.5) {
        canvas.wash(Hue(dice.between(220.0, 280.0), dice.between(0.3, 0.7), dice.between(0.12, 0.45)));
    }
    if clouded {
        for index in 0..dice.count(1, 2) {
            let x = if index == 0 { dice.between(0.4, 0.6) } else { *dice.pick(&[0.22, 0.78]) };
            let size = if index == 0 { dice.between(0.9, 1.15) } else { dice.between(0.5, 0.7) };
            bolt(canvas, (x, 0.38), size, yellow);
        }
        let storm = Hue(dice.between(210.0, 270.0), dice.between(0.05, 0.4), dice.between(0.2, 0.6));
        cloud(canvas, (0.5, 0.25), (0.44, 0.21), storm, dice);
        return;
    }
    for _ in 0..dice.count(1, 2) {
        let mut at = (dice.between(0.3, 0.7), -0.1);
        let width = dice.between(0.02, 0.04);
        while at.1 < 0.85 {
            let next = (at.0 + dice.between(-0.13, 0.13), at.1 + dice.between(0.07, 0.15));
            canvas.line(&[at, next], width, yellow);
            if dice.chance(0.45) {
                let side = *dice.pick(&[-1.0, 1.0]);
                let fork = (next.0 + side * dice.between(0.08, 0.16), next.1 + dice.between(0.05, 0.12));
                let end = (fork.0 + side * dice.between(0.0, 0.08), fork.1 + dice.between(0.06, 0.14));
                canvas.line(&[next, fork, end], 0.55 * width, yellow);
            }
            at = next;
        }
    }
    let hills: Vec<Point> = (-8..=16).map(|x| (f64::from(x) * 0.12, 0.86 + dice.between(-0.05, 0.05))).collect();
    let around = hills.iter().copied().chain([(1.92, 2.5), (-0.96, 2.5)]);
    canvas.polygon(&around.collect::<Vec<_>>(), Hue(dice.between(90.0, 260.0), 0.4, 0.15));
}

/// The zigzag that stands for lightning.
fn bolt(canvas: &mut Canvas, (x, y): Point, size: f64, colour: Hue) {
    let outline = [(0.04, 0.0), (-0.12, 0.3), (-0.01, 0.3), (-0.08, 0.6), (0.15, 0.2), (0.03, 0.2), (0.14, 0.0)];
    canvas.polygon(&outline.map(|(dx, dy)| (x + size * dx, y + size * dy)), colour);
}

/// Lines that end in curls, leaves that fly along, a tree that bends, a cloud that blows.
pub(super) fn wind(canvas: &mut Canvas, dice: &mut Dice) {
    let air = Hue(dice.between(180.0, 220.0), dice.between(0.1, 0.6), dice.between(0.35, 0.9));
    let width = dice.between(0.025, 0.05);
    if dice.chance(0.35) {
        bent_tree(canvas, dice);
        for (y, from, to) in [(0.14, 0.0, 0.34), (0.36, -0.1, 0.24), (0.6, -0.05, 0.36)] {
            curl(canvas, (from, y), to, dice.between(0.04, 0.07), width * 0.8, air);
        }
        return;
    }
    let mut from = dice.between(0.0, 0.2);
    if dice.chance(0.3) {
        let grey = Hue(210.0, dice.between(0.0, 0.2), dice.between(0.7, 1.0));
        cloud(canvas, (0.3, 0.25), (0.28, 0.14), grey, dice);
        from = dice.between(0.15, 0.25);
    }
    let (low, small) = (dice.between(0.3, 0.6), dice.between(0.055, 0.08));
    curl(canvas, (from, 0.47), dice.between(0.65, 0.75), -dice.between(0.09, 0.14), width, air);
    curl(canvas, (from - 0.1, 0.57), dice.between(0.8, 0.9), if low > 0.45 { -small } else { small }, width, air);
    curl(
        canvas,
        (from + dice.between(-0.05, 0.15), 0.67),
        dice.between(0.5, 0.7),
        dice.between(0.07, 0.12),
        width,
        air,
    );
    if dice.chance(0.4) {
        let leaf = Hue(dice.between(20.0, 120.0), 0.7, dice.between(0.5, 0.9));
        for _ in 0..dice.count(2, 5) {
            let at = (dice.between(0.1, 0.95), dice.between(0.82, 0.95));
            canvas.ellipse(at, (0.05, 0.022), dice.between(-50.0, 50.0), leaf);
        }
    }
}

/// A line of air from left to right that rolls up at its end: upwards if `size` is negative, else downwards.
fn curl(canvas: &mut Canvas, (left, y): Point, right: f64, size: f64, width: f64, colour: Hue) {
    let mut points = vec![(left, y), ((left + right) / 2.0, y)];
    for step in 0..=30 {
        let share = f64::from(step) / 30.0;
        let (angle, radius) = (share * 1.45 * PI * 1.1, size.abs() * (1.0 - 0.45 * share));
        points.push((right + radius * angle.sin(), y + size - size.signum() * radius * angle.cos()));
    }
    canvas.line(&points, width, colour);
}

/// A tree that the storm bends over, its crown swept to one side.
fn bent_tree(canvas: &mut Canvas, dice: &mut Dice) {
    let bark = Hue(28.0, 0.6, 0.35);
    let reach = dice.between(0.7, 0.8);
    canvas.curve(&[(0.45, 1.0), (0.47, 0.75), (0.56, 0.52), (reach, 0.38)], dice.between(0.04, 0.06), bark);
    let leaves = Hue(dice.between(70.0, 140.0), dice.between(0.5, 0.9), dice.between(0.4, 0.8));
    if dice.chance(0.5) {
        for (dx, dy) in [(0.3, -0.12), (0.34, 0.02), (0.3, 0.15), (0.2, 0.25), (0.05, -0.2)] {
            let tip = (reach + dx, 0.38 + dy + dice.between(-0.03, 0.03));
            let mut frond = vec![(reach, 0.38)];
            bend(&mut frond, (reach + 0.5 * dx, 0.3 + 0.3 * dy), tip);
            bend(&mut frond, (reach + 0.4 * dx, 0.4 + 0.6 * dy), (reach, 0.4));
            canvas.polygon(&frond, leaves);
        }
        return;
    }
    let (x, y) = (reach - 0.05, 0.34);
    let crown =
        [(-0.2, 0.08), (-0.16, -0.12), (0.0, -0.2), (0.2, -0.16), (0.42, -0.06), (0.22, 0.0), (0.36, 0.1), (0.1, 0.12)];
    canvas.blob(&crown.map(|(dx, dy)| (x + dx * dice.between(0.9, 1.1), y + dy)), leaves);
}
