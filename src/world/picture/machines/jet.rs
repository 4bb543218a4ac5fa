//! Aeroplanes: airliners from above and from the side, fighters.

use super::super::canvas::{Canvas, Hue, Point, oval, turned};
use super::{DARK, GLASS, GREY, WHITE, lacquer, pane};
use crate::world::Dice;

/// An airliner from above or from the side, or a fighter.
pub(super) fn jet(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.5) {
        canvas.wash(Hue(205.0, dice.between(0.1, 0.6), 0.95));
    }
    let turn = if dice.chance(0.5) { 45.0 } else { dice.between(0.0, 360.0) };
    match dice.count(0, 4) {
        0 | 1 => airliner_above(canvas, turn, dice),
        2 => fighter(canvas, turn, dice),
        _ => airliner_side(canvas, dice),
    }
}

fn airliner_above(canvas: &mut Canvas, turn: f64, dice: &mut Dice) {
    let paint = if dice.chance(0.5) { WHITE } else { lacquer(dice) };
    let (swept, span) = (dice.between(0.08, 0.22), dice.between(0.4, 0.47));
    let wing = dice.between(0.36, 0.42);
    for side in [-1.0, 1.0] {
        let part = |points: &[Point], colour: Hue, canvas: &mut Canvas| {
            let mirrored: Vec<Point> = points.iter().map(|(x, y)| (0.5 + side * x, *y)).collect();
            canvas.polygon(&turned(&mirrored, turn), colour);
        };
        part(&[(0.15, wing), (0.19, wing), (0.19, wing + 0.14), (0.15, wing + 0.14)], GREY, canvas);
        let root = wing + 0.17;
        part(&[(0.0, wing), (span, wing + swept), (span, wing + swept + 0.06), (0.0, root)], paint, canvas);
        part(&[(0.0, 0.8), (0.17, 0.8 + swept * 0.5), (0.17, 0.84 + swept * 0.5), (0.0, 0.88)], paint, canvas);
    }
    let fat = dice.between(0.045, 0.065);
    let hull = oval((0.5, 0.48), (fat, 0.44), 0.0, (0.0, 360.0));
    canvas.polygon(&turned(&hull, turn), paint);
    canvas.detail(&turned(&[(0.5 - fat * 0.5, 0.12), (0.5, 0.1), (0.5 + fat * 0.5, 0.12)], turn), 0.02, DARK);
    canvas.detail(&turned(&[(0.5, 0.78), (0.5, 0.9)], turn), 0.016, DARK);
}

fn fighter(canvas: &mut Canvas, turn: f64, dice: &mut Dice) {
    let paint = Hue(dice.between(90.0, 230.0), dice.between(0.0, 0.3), dice.between(0.4, 0.75));
    let (wing, span) = (dice.between(0.38, 0.5), dice.between(0.3, 0.42));
    let mut outline = vec![(0.0, 0.03), (0.05, 0.25), (0.07, wing), (span, 0.72), (span, 0.78), (0.09, 0.8)];
    outline.extend([(0.2, 0.92), (0.2, 0.95), (0.05, 0.93)]);
    let right: Vec<Point> = outline.iter().map(|(x, y)| (0.5 + x, *y)).collect();
    let left = outline.iter().rev().map(|(x, y)| (0.5 - x, *y));
    let all: Vec<Point> = right.into_iter().chain(left).collect();
    if dice.chance(0.6) {
        for x in [0.475, 0.525] {
            canvas.line(&turned(&[(x, 0.94), (x, 1.02)], turn), 0.03, Hue(30.0, 0.9, 1.0));
        }
    }
    canvas.polygon(&turned(&all, turn), paint);
    pane(canvas, &turned(&oval((0.5, 0.27), (0.025, 0.09), 0.0, (0.0, 360.0)), turn), GLASS);
    canvas.detail(&turned(&[(0.5, 0.6), (0.5, 0.86)], turn), 0.014, DARK);
}

fn airliner_side(canvas: &mut Canvas, dice: &mut Dice) {
    let paint = if dice.chance(0.6) { WHITE } else { lacquer(dice) };
    let trim = lacquer(dice);
    let climb = dice.between(-30.0, 5.0);
    let high = dice.between(0.06, 0.085);
    let tail = [(0.04, 0.2), (0.11, 0.2), (0.24, 0.46), (0.07, 0.46)];
    canvas.polygon(&turned(&tail, climb), trim);
    let hull = [
        (0.02, 0.46),
        (0.2, 0.5 - high),
        (0.8, 0.5 - high),
        (0.92, 0.49),
        (0.97, 0.52),
        (0.92, 0.55),
        (0.8, 0.5 + high),
        (0.25, 0.5 + high),
        (0.08, 0.5),
    ];
    canvas.polygon(&turned(&hull, climb), paint);
    for step in 0..9 {
        let x = 0.24 + f64::from(step) * 0.065;
        for spot in turned(&[(x, 0.475)], climb) {
            canvas.dot(spot, 0.013, DARK);
        }
    }
    canvas.detail(&turned(&[(0.86, 0.475), (0.91, 0.49)], climb), 0.022, DARK);
    canvas.polygon(&turned(&[(0.6, 0.52), (0.44, 0.52), (0.2, 0.8), (0.28, 0.8)], climb), trim);
    canvas.polygon(&turned(&[(0.18, 0.48), (0.1, 0.48), (0.01, 0.58), (0.06, 0.58)], climb), trim);
    canvas.polygon(&turned(&oval((0.5, 0.64), (0.07, 0.035), 0.0, (0.0, 360.0)), climb), GREY);
}
