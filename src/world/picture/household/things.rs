//! A clock, broken glass, a zip, a coil, a door.

use super::super::Dice;
use super::super::canvas::{Canvas, Hue, Manner, Point, oval};
use super::{paint, polar, shade, star, wood};

const DARK: Hue = Hue(230.0, 0.3, 0.15);
const BRASS: Hue = Hue(45.0, 0.65, 0.85);

/// A wall clock, a pendulum clock in its case, a pocket watch on a chain or a wristwatch.
pub(super) fn clock(canvas: &mut Canvas, dice: &mut Dice) {
    match dice.count(0, 5) {
        0..=2 => {
            let (outer, rim) = (0.46, dice.between(0.84, 0.94));
            let colour = if dice.chance(0.3) { wood(dice) } else { paint(dice) };
            if dice.chance(0.25) {
                canvas.rectangle((0.04, 0.04), (0.96, 0.96), dice.between(0.0, 0.15), colour);
            } else {
                canvas.circle((0.5, 0.5), outer, colour);
            }
            face(canvas, (0.5, 0.5), outer * rim, dice);
        }
        3 => longcase(canvas, dice),
        4 => {
            for link in 0..7 {
                canvas.arc(
                    (0.5 + 0.045 * f64::from(link), 0.1 - 0.03 * f64::from(link)),
                    (0.03, 0.022),
                    0.0,
                    360.0,
                    0.012,
                    BRASS,
                );
            }
            canvas.arc((0.5, 0.15), (0.07, 0.07), 0.0, 360.0, 0.025, BRASS);
            canvas.rectangle((0.46, 0.17), (0.54, 0.25), 0.01, BRASS);
            canvas.circle((0.5, 0.6), 0.38, BRASS);
            face(canvas, (0.5, 0.6), 0.33, dice);
        }
        _ => {
            let (strap, width) = (paint(dice), dice.between(0.13, 0.2));
            canvas.rectangle((0.5 - width, -0.05), (0.5 + width, 1.05), 0.04, strap);
            canvas.rectangle((0.76, 0.46), (0.84, 0.54), 0.01, BRASS);
            canvas.circle((0.5, 0.5), 0.29, Hue(210.0, 0.08, 0.7));
            face(canvas, (0.5, 0.5), 0.25, dice);
        }
    }
}

/// A dial with twelve marks, two hands and at times a third for the seconds.
fn face(canvas: &mut Canvas, centre: Point, radius: f64, dice: &mut Dice) {
    let night = dice.chance(0.15);
    let (dial, ink) =
        if night { (DARK, Hue(60.0, 0.1, 0.95)) } else { (Hue(50.0, dice.between(0.0, 0.2), 0.98), DARK) };
    canvas.circle(centre, radius, dial);
    let (long, thick) = (dice.between(0.8, 0.9), radius * dice.between(0.03, 0.07));
    let dots = dice.chance(0.25);
    for hour in 0..12 {
        let (angle, heavy) = (f64::from(hour) * 30.0, if hour % 3 == 0 { 1.5 } else { 1.0 });
        if dots {
            canvas.dot(polar(centre, radius * 0.85, angle), thick * heavy, ink);
        } else {
            let from = polar(centre, radius * (long - 0.08 * heavy), angle);
            canvas.detail(&[from, polar(centre, radius * 0.92, angle)], thick * heavy, ink);
        }
    }
    let minutes = dice.between(0.0, 360.0);
    let hours = f64::from(dice.count(0, 11) as u32) * 30.0 + minutes / 12.0;
    let hand = radius * dice.between(0.05, 0.09);
    canvas.detail(&[centre, polar(centre, radius * 0.5, hours - 90.0)], hand * 1.4, ink);
    canvas.detail(&[centre, polar(centre, radius * 0.74, minutes - 90.0)], hand, ink);
    if dice.chance(0.4) {
        let seconds = dice.between(0.0, 360.0);
        let red = Hue(0.0, 0.9, 0.85);
        canvas.detail(
            &[polar(centre, radius * 0.15, seconds + 180.0), polar(centre, radius * 0.8, seconds)],
            0.012,
            red,
        );
    }
    canvas.dot(centre, hand * 1.1, ink);
}

/// A tall case with a pendulum behind its window.
fn longcase(canvas: &mut Canvas, dice: &mut Dice) {
    let (case, swing) = (wood(dice), dice.between(-0.09, 0.09));
    let tall = dice.between(0.55, 0.68);
    canvas.rectangle((0.24, 0.92), (0.76, 1.0), 0.0, shade(case, 0.8));
    canvas.rectangle((0.3, 0.3), (0.7, 0.94), 0.0, case);
    canvas.polygon(&[(0.2, 0.14), (0.5, -0.02), (0.8, 0.14)], shade(case, 0.75));
    canvas.rectangle((0.22, 0.12), (0.78, 0.56), 0.02, shade(case, 1.15));
    face(canvas, (0.5, 0.34), 0.2, dice);
    canvas.rectangle((0.37, 0.6), (0.63, 0.9), 0.01, Hue(40.0, 0.2, 0.3));
    canvas.detail(&[(0.5, 0.6), (0.5 + swing, 0.2 + tall)], 0.016, BRASS);
    canvas.dot((0.5 + swing, 0.2 + tall - 0.01), 0.05, BRASS);
}

/// A wine glass or a tumbler in pieces, a pane with a hole, or a bottle that lost its bottom.
pub(super) fn glass(canvas: &mut Canvas, dice: &mut Dice) {
    let tint = Hue(dice.between(150.0, 215.0), dice.between(0.1, 0.4), dice.between(0.8, 1.0));
    match dice.count(0, 4) {
        0 | 1 => wine_glass(canvas, tint, dice),
        2 | 3 => pane(canvas, tint, dice),
        _ => bottle(canvas, Hue(dice.between(25.0, 150.0), 0.6, dice.between(0.35, 0.7)), dice),
    }
    canvas.stroke = canvas.stroke.min(0.015);
    let (pieces, floor) = (dice.count(6, 14), 0.9);
    for _ in 0..pieces {
        let at = (dice.between(0.0, 1.0), floor + dice.between(-0.06, 0.12));
        shard(canvas, at, dice.between(0.03, 0.08), tint, dice);
    }
}

/// A sharp triangle.
fn shard(canvas: &mut Canvas, at: Point, size: f64, tint: Hue, dice: &mut Dice) {
    let turn = dice.between(0.0, 360.0);
    let corner = |distance: f64, degrees: f64| polar(at, distance, turn + degrees);
    let points = [corner(size, 0.0), corner(size * dice.between(0.3, 0.7), 130.0), corner(size * 0.4, 230.0)];
    canvas.polygon(&points, shade(tint, dice.between(0.8, 1.1)));
}

/// A jagged edge from left to right at some height.
fn jagged(from: Point, to: Point, depth: f64, dice: &mut Dice) -> Vec<Point> {
    let teeth = dice.count(5, 9);
    (0..=teeth)
        .map(|tooth| {
            let share = tooth as f64 / teeth as f64;
            let lift = if tooth % 2 == 0 { 0.0 } else { depth * dice.between(0.4, 1.0) };
            (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share + lift)
        })
        .collect()
}

/// A bowl with a broken rim on a stem, or a tumbler; the broken-off part flies above it.
fn wine_glass(canvas: &mut Canvas, tint: Hue, dice: &mut Dice) {
    let wine = Hue(dice.between(-15.0, 50.0), 0.8, dice.between(0.5, 0.9));
    let rim = dice.between(0.25, 0.4);
    if dice.chance(0.6) {
        let mut bowl = jagged((0.27, rim), (0.73, rim + dice.between(-0.1, 0.1)), 0.14, dice);
        bowl.extend([(0.72, 0.48), (0.64, 0.6), (0.5, 0.64), (0.36, 0.6), (0.28, 0.48)]);
        canvas.rectangle((0.475, 0.6), (0.525, 0.88), 0.0, tint);
        canvas.ellipse((0.5, 0.89), (0.2, 0.035), 0.0, tint);
        canvas.polygon(&bowl, tint);
        canvas.detail(&[(0.36, 0.57), (0.5, 0.61), (0.64, 0.57)], 0.03, wine);
    } else {
        let mut cup = jagged((0.22, rim), (0.78, rim + dice.between(-0.1, 0.1)), 0.15, dice);
        cup.extend([(0.7, 0.9), (0.3, 0.9)]);
        canvas.polygon(&cup, tint);
        canvas.detail(&[(0.3, 0.85), (0.7, 0.85)], 0.03, wine);
    }
    crack(canvas, (0.42, rim + 0.1), dice.between(50.0, 100.0), 0.2, dice);
    crack(canvas, (0.6, rim + 0.1), dice.between(80.0, 130.0), 0.16, dice);
    for _ in 0..dice.count(4, 8) {
        let at = (dice.between(0.1, 0.9), rim - dice.between(0.08, 0.35));
        shard(canvas, at, dice.between(0.05, 0.11), tint, dice);
    }
}

/// A crooked line in some direction.
fn crack(canvas: &mut Canvas, from: Point, degrees: f64, length: f64, dice: &mut Dice) {
    let mut points = vec![from];
    for step in 1..=4 {
        points.push(polar(from, length * f64::from(step) / 4.0, degrees + dice.normal() * 9.0));
    }
    canvas.detail(&points, 0.012, Hue(210.0, 0.3, 0.25));
}

/// A window in its frame with a star-shaped hole, from which cracks run to the edges.
fn pane(canvas: &mut Canvas, tint: Hue, dice: &mut Dice) {
    let frame = if dice.chance(0.5) { wood(dice) } else { Hue(0.0, 0.0, 0.92) };
    let (low, high) = (0.06, 0.88);
    canvas.rectangle((0.04, low), (0.96, high), 0.01, frame);
    canvas.rectangle((0.1, low + 0.06), (0.9, high - 0.06), 0.0, tint);
    let hole = (dice.between(0.38, 0.62), dice.between(0.35, 0.58));
    let spikes = dice.count(7, 12);
    for ray in 0..2 * spikes {
        let angle = 180.0 * (ray as f64 + dice.between(-0.3, 0.3)) / spikes as f64;
        crack(canvas, polar(hole, 0.1, angle), angle, dice.between(0.12, 0.21), dice);
    }
    for ring in 1..dice.count(1, 3) {
        let points = oval(hole, (0.1 + 0.08 * ring as f64, 0.1 + 0.08 * ring as f64), 0.0, (0.0, 360.0));
        let rough: Vec<Point> = points.iter().step_by(5).map(|at| (at.0, at.1 + dice.between(-0.02, 0.02))).collect();
        canvas.detail(&rough, 0.01, Hue(210.0, 0.3, 0.25));
    }
    let edge = star(hole, (dice.between(0.17, 0.24), 0.09), spikes, 0.4, dice);
    canvas.polygon(&edge, DARK);
    for at in edge.iter().step_by(2) {
        canvas.detail(&[hole, *at], 0.02, DARK);
    }
}

/// The upper half of a bottle with a jagged edge, lying on its shards.
fn bottle(canvas: &mut Canvas, tint: Hue, dice: &mut Dice) {
    let cut = dice.between(0.55, 0.68);
    let mut outline = jagged((0.3, cut), (0.7, cut), 0.14, dice);
    outline.extend([(0.7, 0.42), (0.58, 0.3), (0.57, 0.06), (0.43, 0.06), (0.42, 0.3), (0.3, 0.42)]);
    canvas.polygon(&outline, tint);
    canvas.rectangle((0.41, 0.02), (0.59, 0.09), 0.01, shade(tint, 0.8));
    let mut foot = jagged((0.3, 0.82), (0.7, 0.8), -0.12, dice);
    foot.extend([(0.7, 0.96), (0.3, 0.96)]);
    canvas.polygon(&foot, tint);
    for _ in 0..dice.count(4, 9) {
        let at = (dice.between(0.05, 0.95), dice.between(cut + 0.05, 0.9));
        shard(canvas, at, dice.between(0.04, 0.09), tint, dice);
    }
}

/// Two halves of cloth that a slider joins: open in a V on one side of it, toothed and shut on the other.
pub(super) fn zipper(canvas: &mut Canvas, dice: &mut Dice) {
    let (cloth, metal) = (paint(dice), if dice.chance(0.5) { BRASS } else { Hue(210.0, 0.05, 0.75) });
    let (slider, open) = (dice.between(0.35, 0.68), dice.between(0.16, 0.34));
    let wide = dice.between(0.2, 0.48);
    let lies = if dice.chance(0.4) { |at: Point| (at.1, 1.0 - at.0) } else { |at: Point| at };
    for side in [-1.0, 1.0] {
        let x = |gap: f64| 0.5 + side * gap;
        let bulge = open * dice.between(0.35, 0.6);
        let edge = [(x(open), -0.02), (x(bulge), 0.5 * slider), (x(0.012), slider), (x(0.012), 1.02)];
        let mut half = edge.to_vec();
        half.extend([(x(0.012 + wide), 1.02), (x(0.02 + wide), slider), (x((open + wide).min(0.5)), -0.02)]);
        canvas.polygon(&half.iter().map(|at| lies(*at)).collect::<Vec<_>>(), cloth);
        let teeth = dice.count(16, 22);
        for tooth in 0..teeth {
            let share = (tooth as f64 + if side > 0.0 { 0.5 } else { 0.0 }) / teeth as f64;
            let y = share * 1.02;
            let gap = match y / slider {
                up if up < 0.5 => open + (bulge - open) * 2.0 * up,
                up if up < 1.0 => bulge + (0.012 - bulge) * 2.0 * (up - 0.5),
                _ => 0.004,
            };
            canvas.detail(&[lies((x(gap - 0.02), y)), lies((x(gap + 0.05), y))], 0.022, metal);
        }
    }
    let body = [(0.39, slider - 0.07), (0.61, slider - 0.07), (0.56, slider + 0.09), (0.44, slider + 0.09)];
    canvas.polygon(&body.map(lies), shade(metal, 0.85));
    let pull = dice.between(0.18, 0.3);
    let tab = [(0.46, slider), (0.54, slider), (0.57, slider + pull), (0.43, slider + pull)];
    canvas.polygon(&tab.map(lies), metal);
    let rim = [tab[0], tab[3], tab[2], tab[1], body[1], body[0], body[3], body[2], tab[1], tab[0]];
    canvas.detail(&rim.map(lies), 0.014, DARK);
    canvas.dot(lies((0.5, slider + pull - 0.06)), 0.03, DARK);
    canvas.dot(lies((0.5, slider)), 0.018, DARK);
}

/// A coil between plates, a coil that hops, or one that lifts a clown's head out of its box.
pub(super) fn spring(canvas: &mut Canvas, dice: &mut Dice) {
    let metal = if dice.chance(0.6) { Hue(210.0, 0.1, dice.between(0.4, 0.75)) } else { paint(dice) };
    let (turns, width) = (dice.count(4, 9), dice.between(0.14, 0.28));
    let lean = dice.normal() * 0.1;
    match dice.count(0, 3) {
        0 => {
            coil(canvas, ((0.5, 0.9), (0.5, 0.1)), (turns, width), metal);
            canvas.rectangle((0.14, 0.9), (0.86, 0.98), 0.01, shade(metal, 0.6));
            canvas.rectangle((0.14, 0.02), (0.86, 0.1), 0.01, shade(metal, 0.6));
        }
        1 => {
            coil(canvas, ((0.5, 0.8), (0.5 + lean, dice.between(0.1, 0.3))), (turns, width), metal);
            for hop in 0..3 {
                let x = 0.16 * f64::from(hop);
                canvas.curve(&[(0.34 - x / 2.0, 0.92), (0.5, 0.95 + x / 4.0), (0.66 + x / 2.0, 0.92)], 0.014, DARK);
            }
            for side in [-1.0, 1.0] {
                let from = 0.5 + side * (width + 0.08);
                canvas.curve(&[(from, 0.3), (from + side * 0.07, 0.45), (from, 0.6)], 0.014, DARK);
            }
        }
        2 => jack(canvas, lean, (turns.min(6), width.min(0.17)), dice),
        _ => {
            let bow = dice.between(0.0, 0.2);
            coil(canvas, ((0.05, 0.5 + bow), (0.95, 0.5 - bow)), (turns + 2, width), metal);
        }
    }
}

/// A helix seen from the side; the windings behind are drawn first, darker.
fn coil(canvas: &mut Canvas, (from, to): (Point, Point), (turns, width): (usize, f64), metal: Hue) {
    let (along, length) = ((to.0 - from.0, to.1 - from.1), (to.0 - from.0).hypot(to.1 - from.1));
    let across = (-along.1 / length * width, along.0 / length * width);
    let at = |half: f64| {
        let share = half / (2 * turns) as f64;
        let side = (half * std::f64::consts::PI).cos();
        (from.0 + along.0 * share + across.0 * side, from.1 + along.1 * share + across.1 * side)
    };
    let thick = (length / turns as f64 * 0.3).clamp(0.018, 0.05);
    for behind in [1, 0] {
        for half in (behind..2 * turns).step_by(2) {
            let points: Vec<Point> = (0..=12).map(|step| at(half as f64 + f64::from(step) / 12.0)).collect();
            if behind == 0 {
                canvas.line(&points, thick + 0.02, DARK);
            }
            canvas.line(&points, thick, if behind == 1 { shade(metal, 0.65) } else { metal });
        }
    }
}

/// A jack-in-the-box.
fn jack(canvas: &mut Canvas, lean: f64, (turns, width): (usize, f64), dice: &mut Dice) {
    let (side, lid) = (paint(dice), paint(dice));
    canvas.polygon(&[(0.2, 0.66), (0.8, 0.66), (0.98, 0.5), (0.4, 0.5)], shade(lid, 0.7));
    canvas.rectangle((0.2, 0.66), (0.8, 1.0), 0.0, side);
    coil(canvas, ((0.5, 0.66), (0.5 + lean, 0.3)), (turns, width), Hue(210.0, 0.1, 0.7));
    canvas.circle((0.5 + lean, 0.18), 0.14, Hue(28.0, 0.3, 1.0));
    canvas.polygon(&[(0.37 + lean, 0.13), (0.63 + lean, 0.13), (0.55 + lean, -0.08)], lid);
    for x in [-0.05, 0.05] {
        canvas.dot((0.5 + lean + x, 0.17), 0.02, DARK);
    }
    canvas.dot((0.5 + lean, 0.22), 0.03, Hue(0.0, 0.9, 0.9));
}

/// A door in its frame: shut, or ajar with the dark behind it, with panels or planks.
pub(super) fn door(canvas: &mut Canvas, dice: &mut Dice) {
    let leaf = if dice.chance(0.7) { wood(dice) } else { paint(dice) };
    let (left, right) = (0.5 - dice.between(0.24, 0.3), 0.5 + dice.between(0.24, 0.3));
    canvas.rectangle((left - 0.06, -0.02), (right + 0.06, 1.0), 0.0, shade(leaf, 0.6));
    let shut = dice.chance(0.45);
    let free = if shut { right } else { left + (right - left) * dice.between(0.35, 0.8) };
    let deep = if shut { 0.0 } else { dice.between(0.04, 0.1) };
    canvas.rectangle((left, 0.04), (right, 1.0), 0.0, Hue(45.0, 0.3, if dice.chance(0.5) { 0.1 } else { 0.95 }));
    if !shut && canvas.manner == Manner::Silhouette {
        let gap = [(left, 0.06), (right - 0.01, 0.06), (right - 0.01, 1.0), (left, 1.0)];
        canvas.detail(&gap, 0.02, DARK);
        for row in 0..28 {
            let y = 0.07 + 0.033 * f64::from(row);
            canvas.detail(&[(left, y), (right - 0.01, y)], 0.04, DARK);
        }
    }
    let at = |x: f64, y: f64| {
        let spread = deep * (2.0 * y - 0.9) * x;
        (left + (free - left) * x, 0.04 + 0.96 * y + spread)
    };
    canvas.polygon(&[at(0.0, 0.0), at(1.0, 0.0), at(1.0, 1.0), at(0.0, 1.0)], leaf);
    let ink = shade(leaf, 0.5);
    if dice.chance(0.65) {
        let rows = dice.count(2, 3);
        for row in 0..rows {
            let (top, foot) = ((row as f64 + 0.15) / rows as f64, (row as f64 + 0.88) / rows as f64);
            let columns: &[(f64, f64)] = if rows == 2 { &[(0.14, 0.8)] } else { &[(0.12, 0.42), (0.54, 0.8)] };
            for &(from, to) in columns {
                let frame = [at(from, top), at(to, top), at(to, foot), at(from, foot), at(from, top)];
                canvas.detail(&frame, 0.014, ink);
            }
        }
    } else {
        for plank in 1..5 {
            canvas.detail(&[at(0.2 * f64::from(plank), 0.02), at(0.2 * f64::from(plank), 0.98)], 0.012, ink);
        }
        for y in [0.2, 0.8] {
            canvas.detail(&[at(0.03, y), at(0.6, y)], 0.03, DARK);
        }
    }
    let knob = at(0.9, 0.53);
    canvas.dot(knob, 0.032, BRASS);
    if dice.chance(0.5) {
        canvas.detail(&[knob, (knob.0 - 0.1 * (free - left) / 0.5, knob.1)], 0.025, BRASS);
    }
}
