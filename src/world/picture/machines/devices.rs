//! Devices: chainsaw, camera, keyboard, cash register.

use super::super::canvas::{Canvas, Hue, Manner, Point, oval};
use super::{DARK, GLASS, GREY, WHITE, lacquer, pane};
use crate::world::Dice;

const WOOD: Hue = Hue(28.0, 0.6, 0.6);

/// Motor, two handles and a long bar with teeth all round; at times in a log.
pub(super) fn chainsaw(canvas: &mut Canvas, dice: &mut Dice) {
    let paint = Hue(*dice.pick(&[18.0, 25.0, 45.0, 0.0, 140.0, 215.0]), 0.9, dice.between(0.75, 1.0));
    let (half, tip) = (dice.between(0.045, 0.075), dice.between(0.9, 0.99));
    let middle = 0.58;
    if dice.chance(0.3) {
        log(canvas, middle + half * 0.3, dice);
    }
    let blade = [
        (0.35, middle - half),
        (tip - half, middle - half),
        (tip - half * 0.3, middle - half * 0.7),
        (tip, middle),
        (tip - half * 0.3, middle + half * 0.7),
        (tip - half, middle + half),
        (0.35, middle + half),
    ];
    canvas.polygon(&blade, Hue(220.0, 0.03, 0.8));
    let step = dice.between(0.035, 0.06);
    let mut x = 0.44;
    while x < tip - half {
        for (edge, out) in [(middle - half, -1.0), (middle + half, 1.0)] {
            let tooth = [(x - 0.012, edge), (x + 0.004, edge + out * 0.028), (x + 0.018, edge)];
            canvas.polygon(&tooth, DARK);
        }
        x += step;
    }
    canvas.polygon(&[(tip - 0.008, middle - 0.02), (tip + 0.025, middle), (tip - 0.008, middle + 0.02)], DARK);
    canvas.detail(&[(0.5, middle), (tip - half * 1.5, middle)], 0.014, DARK);
    // The rear handle is a loop, the front one a bow over the body.
    canvas.curve(&[(0.2, 0.46), (0.05, 0.47), (0.03, 0.6), (0.07, 0.7), (0.2, 0.69)], 0.045, DARK);
    let top = dice.between(0.25, 0.34);
    canvas.curve(&[(0.24, 0.48), (0.22, top + 0.02), (0.32, top), (0.42, top + 0.03), (0.41, 0.52)], 0.035, DARK);
    canvas.line(&[(0.44, 0.46), (0.5, top + 0.02)], 0.03, DARK);
    let body = [(0.16, 0.45), (0.22, 0.41), (0.4, 0.43), (0.46, 0.5), (0.46, 0.7), (0.38, 0.74), (0.18, 0.72)];
    canvas.polygon(&body, paint);
    canvas.dot((0.28, 0.58), dice.between(0.04, 0.07), Hue(220.0, 0.1, 0.25));
    canvas.dot((0.28, 0.58), 0.02, GREY);
    for y in [0.52, 0.57, 0.62] {
        canvas.detail(&[(0.38, y), (0.43, y)], 0.012, DARK);
    }
}

/// A log that the bar goes into, and the dust it throws.
fn log(canvas: &mut Canvas, cut: f64, dice: &mut Dice) {
    let x = dice.between(0.62, 0.8);
    canvas.rectangle((x - 0.11, cut), (x + 0.11, 1.1), 0.02, WOOD);
    canvas.detail(&[(x - 0.04, cut + 0.15), (x - 0.04, 1.0)], 0.01, Hue(28.0, 0.7, 0.35));
    canvas.detail(&[(x + 0.05, cut + 0.12), (x + 0.05, 0.9)], 0.01, Hue(28.0, 0.7, 0.35));
    for _ in 0..dice.count(4, 12) {
        canvas.circle((x - dice.between(0.12, 0.3), cut + dice.between(0.12, 0.35)), 0.01, Hue(40.0, 0.5, 0.9));
    }
}

/// From the front: a body and the rings of a lens; at times with a prism, a flash, a strap or a tripod.
pub(super) fn camera(canvas: &mut Canvas, dice: &mut Dice) {
    let paint = if dice.chance(0.5) { Hue(220.0, 0.1, dice.between(0.15, 0.4)) } else { lacquer(dice) };
    let (left, right) = (dice.between(0.06, 0.14), dice.between(0.86, 0.94));
    let (top, low) = (dice.between(0.3, 0.36), dice.between(0.74, 0.82));
    if dice.chance(0.15) {
        for x in [0.25, 0.5, 0.75] {
            canvas.line(&[(0.5, low), (x, 1.25)], 0.03, DARK);
        }
    } else if dice.chance(0.25) {
        canvas.curve(&[(left, top + 0.05), (0.15, 0.08), (0.5, 0.0), (0.85, 0.08), (right, top + 0.05)], 0.02, DARK);
    }
    match dice.count(0, 2) {
        0 => canvas.polygon(&[(0.34, top + 0.02), (0.4, top - 0.12), (0.6, top - 0.12), (0.66, top + 0.02)], paint),
        1 => canvas.rectangle((0.38, top - 0.08), (0.62, top + 0.04), 0.02, paint),
        _ => canvas.rectangle((0.62, top - 0.07), (0.8, top + 0.04), 0.02, paint),
    }
    canvas.rectangle((left + 0.06, top - 0.045), (left + 0.17, top + 0.02), 0.015, GREY);
    canvas.rectangle((left, top), (right, low), dice.between(0.02, 0.09), paint);
    if dice.chance(0.5) {
        canvas.detail(&[(left + 0.02, top + 0.1), (right - 0.02, top + 0.1)], 0.02, Hue(220.0, 0.03, 0.8));
    }
    lens(canvas, (dice.between(0.46, 0.54), (top + low) / 2.0 + 0.02), dice.between(0.15, 0.2), dice);
    let flash = (right - 0.14, top + 0.05);
    let (wide, high) = (0.09, 0.06);
    let corners = [flash, (flash.0 + wide, flash.1), (flash.0 + wide, flash.1 + high), (flash.0, flash.1 + high)];
    pane(canvas, &corners, Hue(55.0, 0.2, 1.0));
    if dice.chance(0.2) {
        rays(canvas, (flash.0 + wide / 2.0, flash.1 - 0.02), dice);
    }
}

/// Rings from the barrel to the glass, and the light in it.
fn lens(canvas: &mut Canvas, centre: Point, radius: f64, dice: &mut Dice) {
    pane(canvas, &oval(centre, (radius, radius), 0.0, (0.0, 360.0)), Hue(220.0, 0.03, 0.8));
    let inner = radius * dice.between(0.72, 0.85);
    canvas.circle(centre, inner, Hue(220.0, 0.2, 0.15));
    pane(canvas, &oval(centre, (inner * 0.7, inner * 0.7), 0.0, (0.0, 360.0)), Hue(215.0, 0.6, 0.45));
    if dice.chance(0.6) {
        canvas.circle(centre, inner * 0.4, Hue(220.0, 0.4, 0.12));
    }
    canvas.dot((centre.0 - inner * 0.32, centre.1 - inner * 0.32), inner * 0.16, WHITE);
}

/// The flash goes off.
fn rays(canvas: &mut Canvas, from: Point, dice: &mut Dice) {
    let count = dice.count(5, 7);
    for index in 0..count {
        let angle = (200.0 + 140.0 * index as f64 / (count - 1) as f64).to_radians();
        let at = |reach: f64| (from.0 + reach * angle.cos(), from.1 + reach * angle.sin());
        canvas.line(&[at(0.07), at(dice.between(0.13, 0.2))], 0.018, Hue(50.0, 0.9, 1.0));
    }
}

/// Rows of keys on a board, flat or in perspective, or below the screen of a laptop.
pub(super) fn keyboard(canvas: &mut Canvas, dice: &mut Dice) {
    let board = if dice.chance(0.5) { Hue(220.0, 0.08, dice.between(0.2, 0.4)) } else { lacquer(dice) };
    let dark_keys = board.2 > 0.7 && dice.chance(0.6);
    let keys = if dark_keys { DARK } else { Hue(dice.between(0.0, 360.0), dice.between(0.0, 0.15), 0.95) };
    let laptop = dice.chance(0.2);
    let (high, narrow) = if laptop {
        (0.3, dice.between(0.06, 0.12))
    } else {
        (dice.between(0.32, 0.46), if dice.chance(0.5) { 0.0 } else { dice.between(0.04, 0.14) })
    };
    let top = if laptop { 0.6 } else { 0.5 - high / 2.0 };
    if laptop {
        canvas.rectangle((0.14, 0.08), (0.86, 0.58), 0.03, board);
        pane(canvas, &[(0.18, 0.12), (0.82, 0.12), (0.82, 0.54), (0.18, 0.54)], GLASS);
        for row in 0..dice.count(2, 5) {
            let y = 0.2 + 0.07 * row as f64;
            canvas.line(&[(0.24, y), (dice.between(0.4, 0.72), y)], 0.015, DARK);
        }
    }
    // (across, down) in the board's own units to the slanted board.
    let at = |across: f64, down: f64| {
        let inset = narrow * (1.0 - down);
        (0.02 + inset + across * (0.96 - 2.0 * inset), top + down * high)
    };
    canvas.polygon(&[at(0.0, 0.0), at(1.0, 0.0), at(1.0, 1.0), at(0.0, 1.0)], board);
    let (rows, columns) = (dice.count(4, 5), dice.count(9, 13));
    let (tall, wide) = (0.88 / rows as f64, 0.95 / columns as f64);
    let cap = |canvas: &mut Canvas, from: Point, to: Point, colour: Hue| {
        // Outlines would swallow keys as small as these.
        let stroke = std::mem::replace(&mut canvas.stroke, 0.006);
        pane(canvas, &[at(from.0, from.1), at(to.0, from.1), at(to.0, to.1), at(from.0, to.1)], colour);
        canvas.stroke = stroke;
    };
    let accent = lacquer(dice);
    for row in 0..rows - 1 {
        let shift = wide * [0.0, 0.4, 0.6, 0.2][row % 4];
        let (y, last) = (0.06 + tall * row as f64, columns - usize::from(shift > 0.0));
        for column in 0..last {
            let x = 0.025 + shift + wide * column as f64;
            let colour = if dice.chance(0.06) { accent } else { keys };
            cap(canvas, (x, y), (x + wide * 0.8, y + tall * 0.8), colour);
        }
    }
    let y = 0.06 + tall * (rows - 1) as f64;
    for (from, to) in [(0.025, 0.11), (0.13, 0.22), (0.25, 0.72), (0.75, 0.84), (0.86, 0.96)] {
        cap(canvas, (from, y), (to, y + tall * 0.8), keys);
    }
    if !laptop && dice.chance(0.25) {
        canvas.curve(&[(0.5, top), (0.48, top - 0.1), (0.55, top - 0.18), (0.53, top - 0.4)], 0.018, DARK);
    }
}

/// A till: display on top, keys on a slope, an open drawer with money; old ones have a crest and a crank.
pub(super) fn cash_register(canvas: &mut Canvas, dice: &mut Dice) {
    let (paint, trim) = (lacquer(dice), Hue(*dice.pick(&[40.0, 30.0, 220.0]), 0.4, 0.6));
    let old = dice.chance(0.5);
    if old {
        canvas.ellipse((0.5, 0.18), (dice.between(0.26, 0.34), 0.14), 0.0, trim);
        canvas.rectangle((0.2, 0.14), (0.8, 0.32), 0.02, paint);
        canvas.line(&[(0.8, 0.52), (0.93, 0.52), (0.93, 0.4)], 0.03, DARK);
        canvas.circle((0.93, 0.38), 0.035, DARK);
    } else {
        canvas.rectangle((0.47, 0.22), (0.53, 0.4), 0.0, GREY);
        canvas.rectangle((0.26, 0.08), (0.74, 0.25), 0.02, paint);
        if dice.chance(0.6) {
            receipt(canvas, dice);
        }
    }
    let (from, to) = if old { (0.17, 0.28) } else { (0.11, 0.22) };
    pane(canvas, &[(0.3, from), (0.7, from), (0.7, to), (0.3, to)], if old { WHITE } else { Hue(150.0, 0.4, 0.8) });
    amount(canvas, (from + to) / 2.0, dice);
    let shoulder = dice.between(0.2, 0.3);
    canvas.polygon(&[(shoulder, 0.31), (1.0 - shoulder, 0.31), (0.87, 0.68), (0.13, 0.68)], paint);
    buttons(canvas, shoulder, old, dice);
    canvas.rectangle((0.08, 0.68), (0.92, 0.82), 0.01, trim);
    if dice.chance(0.7) {
        open_drawer(canvas, trim, dice);
    } else {
        canvas.detail(&[(0.4, 0.75), (0.6, 0.75)], 0.025, DARK);
    }
}

/// Digits as strokes: too small to read, but there.
fn amount(canvas: &mut Canvas, y: f64, dice: &mut Dice) {
    canvas.arc((0.36, y - 0.012), (0.014, 0.012), 90.0, 330.0, 0.008, DARK);
    canvas.arc((0.36, y + 0.012), (0.014, 0.012), -90.0, 150.0, 0.008, DARK);
    canvas.line(&[(0.36, y - 0.034), (0.36, y + 0.034)], 0.006, DARK);
    for digit in 0..dice.count(3, 5) {
        let x = 0.43 + 0.05 * digit as f64;
        if dice.chance(0.4) {
            canvas.line(&[(x, y - 0.025), (x, y + 0.025)], 0.012, DARK);
        } else {
            canvas.arc((x, y), (0.014, 0.025), 0.0, 360.0, 0.01, DARK);
        }
    }
}

fn buttons(canvas: &mut Canvas, shoulder: f64, old: bool, dice: &mut Dice) {
    let (rows, columns) = (dice.count(3, 4), dice.count(4, 6));
    let colours = [WHITE, lacquer(dice), WHITE];
    for row in 0..rows {
        let share = (row as f64 + 0.6) / (rows as f64 + 0.2);
        let (y, edge) = (0.33 + 0.32 * share, shoulder + (0.13 - shoulder) * share + 0.09);
        for column in 0..columns {
            let x = edge + (1.0 - 2.0 * edge) * column as f64 / (columns - 1) as f64;
            let colour = *dice.pick(&colours);
            if old {
                canvas.dot((x, y), 0.026, colour);
            } else {
                canvas.detail(&[(x - 0.015, y), (x + 0.015, y)], 0.042, colour);
            }
        }
    }
}

fn receipt(canvas: &mut Canvas, dice: &mut Dice) {
    let x = dice.between(0.28, 0.34);
    canvas.polygon(&[(x - 0.16, 0.18), (x - 0.02, 0.2), (x - 0.02, 0.44), (x - 0.12, 0.44)], WHITE);
    for y in [0.25, 0.3, 0.35] {
        canvas.detail(&[(x - 0.11, y), (x - 0.05, y)], 0.008, GREY);
    }
}

/// The drawer stands out below, with notes and coins in its boxes.
fn open_drawer(canvas: &mut Canvas, trim: Hue, dice: &mut Dice) {
    canvas.polygon(&[(0.12, 0.8), (0.88, 0.8), (0.96, 0.92), (0.04, 0.92)], DARK);
    for step in 0..4 {
        let x = 0.18 + 0.18 * f64::from(step);
        if dice.chance(0.5) {
            pane(canvas, &[(x, 0.82), (x + 0.12, 0.82), (x + 0.12, 0.9), (x - 0.01, 0.9)], Hue(120.0, 0.4, 0.7));
        } else {
            for coin in 0..3 {
                canvas.dot((x + 0.02 + 0.04 * f64::from(coin), 0.865), 0.024, Hue(48.0, 0.7, 0.95));
            }
        }
    }
    canvas.rectangle((0.03, 0.91), (0.97, 1.01), 0.01, trim);
    if canvas.manner != Manner::Lines {
        canvas.detail(&[(0.42, 0.96), (0.58, 0.96)], 0.025, DARK);
    }
}
