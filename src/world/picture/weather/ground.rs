//! What is found on the ground: the sea, fire, drops and bubbles of water, and footsteps.

use std::f64::consts::PI;

use super::super::super::Dice;
use super::canvas::{Canvas, Hue, Manner, Point, oval};
use super::{WHITE, bend, drop_shape};

/// Crests row behind row, or one great breaker that curls over.
pub(super) fn sea_waves(canvas: &mut Canvas, dice: &mut Dice) {
    let hue = dice.between(180.0, 225.0);
    if dice.chance(0.4) {
        canvas.wash(Hue(dice.between(190.0, 220.0), dice.between(0.05, 0.3), dice.between(0.85, 1.0)));
    }
    if dice.chance(0.3) {
        let sun = (dice.between(0.15, 0.85), dice.between(0.1, 0.25));
        canvas.circle(sun, dice.between(0.07, 0.12), Hue(45.0, 0.8, 1.0));
    }
    match dice.count(0, 2) {
        0 => breaker(canvas, hue, dice),
        1 => crests(canvas, hue, dice),
        _ => ripples(canvas, hue, dice),
    }
}

/// A great wave about to fall over, with foam along its lip and on the water before it.
fn breaker(canvas: &mut Canvas, hue: f64, dice: &mut Dice) {
    let deep = Hue(hue, dice.between(0.6, 0.95), dice.between(0.45, 0.85));
    let (top, lip) = (dice.between(0.12, 0.25), (dice.between(0.72, 0.85), dice.between(0.42, 0.55)));
    let mut outline = vec![(-1.2, 2.5), (-1.2, 0.86), (-0.3, 0.82)];
    bend(&mut outline, (0.15, 0.75), (0.42, top));
    bend(&mut outline, (0.74, top - 0.1), lip);
    bend(&mut outline, (0.64, top + 0.12), (0.5, 0.5));
    bend(&mut outline, (0.4, 0.82), (0.75, 0.8));
    bend(&mut outline, (1.0, 0.77), (1.3, 0.8));
    outline.extend([(2.2, 0.86), (2.2, 2.5)]);
    canvas.polygon(&outline, deep);
    for stripe in 1..4 {
        let share = f64::from(stripe) * 0.11;
        let mut line = vec![(-0.1 + share, 0.88)];
        bend(&mut line, (0.2 + share * 0.6, 0.82), (0.4 + 0.3 * share, top + 0.07 + share));
        canvas.detail(&line, 0.02, Hue(hue, 0.2, 1.0));
    }
    for _ in 0..dice.count(4, 8) {
        let at = (lip.0 + dice.between(-0.14, 0.1), lip.1 + dice.between(-0.12, 0.06));
        canvas.circle(at, dice.between(0.025, 0.055), Hue(hue, 0.06, 1.0));
    }
}

/// Pointed waves that lean over, in rows from the horizon to the front.
fn crests(canvas: &mut Canvas, hue: f64, dice: &mut Dice) {
    let (rows, lean) = (dice.count(2, 4), dice.between(0.3, 0.6));
    let saturation = dice.between(0.4, 0.9);
    for row in 0..rows {
        let share = row as f64 / rows as f64;
        let (wide, base) = (dice.between(0.24, 0.4), 0.4 + 0.55 * share);
        let high = wide * dice.between(0.35, 0.55);
        let mut outline = vec![(-1.2, 2.5), (-1.2, base)];
        let mut x = -1.2 + dice.between(0.0, 0.2);
        outline.push((x, base));
        while x < 2.1 {
            bend(&mut outline, (x + 0.45 * wide, base), (x + (0.6 + lean) * wide, base - high));
            bend(&mut outline, (x + 0.65 * wide, base - 0.3 * high), (x + wide, base));
            x += wide;
        }
        outline.push((x, 2.5));
        canvas.polygon(&outline, Hue(hue, saturation * (0.6 + 0.4 * share), 0.95 - 0.4 * share));
    }
}

/// Wavy lines one below the other, as on maps and signs.
fn ripples(canvas: &mut Canvas, hue: f64, dice: &mut Dice) {
    let (rows, wide) = (dice.count(3, 5), dice.between(0.22, 0.36));
    let (high, width) = (wide * dice.between(0.18, 0.3), dice.between(0.03, 0.07));
    let water = Hue(hue, dice.between(0.6, 1.0), dice.between(0.5, 0.9));
    for row in 0..rows {
        let y = 0.3 + 0.6 * (row as f64 + 0.5) / rows as f64;
        let shift = if row % 2 == 1 { 0.5 * wide } else { 0.0 };
        let point = |step: i32| {
            let x = f64::from(step) / 80.0;
            (x, y - high * (((x + shift) / wide) * PI).sin().abs().sqrt() * 1.4 + 0.5 * high)
        };
        canvas.line(&(0..=80).map(point).collect::<Vec<_>>(), width, water);
    }
}

/// Tongues of flame, alone or on crossed logs.
pub(super) fn fire(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.3) {
        canvas.wash(Hue(dice.between(220.0, 260.0), 0.5, dice.between(0.1, 0.3)));
    }
    let logs = dice.chance(0.65);
    let base = if logs { 0.84 } else { 0.95 };
    let (wide, high) = (dice.between(0.24, 0.34), dice.between(0.65, 0.82));
    let red = dice.between(5.0, 25.0);
    let tongues = *dice.pick(&[1, 2, 3, 3]);
    flame(canvas, (0.5, base), (wide, high), tongues, Hue(red, dice.between(0.8, 1.0), dice.between(0.85, 1.0)), dice);
    let inner = if matches!(canvas.manner, Manner::Silhouette) { 0 } else { dice.count(1, 2) };
    for layer in 1..=inner {
        let share = 1.0 - 0.3 * layer as f64;
        let colour = Hue(red + 17.0 * layer as f64, 0.9 - 0.15 * layer as f64, 1.0);
        flame(canvas, (0.5, base - 0.02), (wide * share, high * share * 0.9), tongues.min(3), colour, dice);
    }
    if inner == 0 {
        let mut lick = vec![(0.46, base - 0.08)];
        bend(&mut lick, (0.38, base - 0.2), (0.52, base - 0.36));
        canvas.detail(&lick, 0.03, Hue(50.0, 0.8, 1.0));
    }
    if logs {
        let (bark, tilt) = (Hue(25.0, 0.65, dice.between(0.25, 0.5)), dice.between(0.05, 0.1));
        for side in [-1.0, 1.0] {
            let end = |along: f64, across: f64| (0.5 + side * along * 0.42, 0.88 - along * tilt + across);
            canvas.polygon(&[end(-1.0, -0.045), end(1.0, -0.045), end(1.0, 0.045), end(-1.0, 0.045)], bark);
            canvas.circle(end(1.0, 0.0), 0.045, Hue(35.0, 0.4, 0.8));
        }
    }
}

/// A flame with so many tips, the middle one highest.
fn flame(canvas: &mut Canvas, (x, y): Point, (wide, high): Point, tips: usize, colour: Hue, dice: &mut Dice) {
    let mut outline = Vec::new();
    let (lean, bulge) = (dice.between(-0.12, 0.12), dice.between(1.0, 1.25));
    outline.push((x - 0.5 * wide, y));
    for tip in 0..tips {
        let share = (tip as f64 + 0.5) / tips as f64 * 2.0 - 1.0;
        let height = high * (1.0 - 0.5 * share.abs()) * if tips > 1 { dice.between(0.85, 1.0) } else { 1.0 };
        let point = (x + wide * (0.8 * share + lean), y - height);
        if tip == 0 {
            bend(&mut outline, (x - 1.5 * bulge * wide, y - 0.22 * high), (x - 0.62 * wide, y - 0.42 * high));
            bend(&mut outline, (point.0 + 0.02, y - 0.6 * height), point);
        } else {
            let valley = (x + wide * (0.9 * (share - 1.0 / tips as f64) + 0.5 * lean), y - 0.5 * height);
            bend(&mut outline, (valley.0 - 0.3 * wide / tips as f64, valley.1 - 0.1 * high), valley);
            bend(&mut outline, (point.0 + 0.03, valley.1 - 0.2 * height), point);
        }
    }
    bend(&mut outline, (x + 0.7 * wide, y - 0.5 * high), (x + 0.8 * wide, y - 0.38 * high));
    bend(&mut outline, (x + 1.4 * bulge * wide, y - 0.15 * high), (x + 0.5 * wide, y));
    bend(&mut outline, (x, y + 0.04), (x - 0.5 * wide, y));
    canvas.polygon(&outline, colour);
}

/// One large drop: alone, over the rings it makes, or falling from a tap.
pub(super) fn water_drop(canvas: &mut Canvas, dice: &mut Dice) {
    let water = Hue(dice.between(190.0, 220.0), dice.between(0.5, 0.9), dice.between(0.7, 1.0));
    let fat = dice.between(0.62, 0.8);
    match dice.count(0, 2) {
        0 => {
            let high = dice.between(0.36, 0.46);
            large_drop(canvas, (0.5, 0.5), (fat * high, high), water);
        }
        1 => {
            let (high, y) = (dice.between(0.2, 0.28), dice.between(0.3, 0.38));
            for ring in (1..=dice.count(2, 3)).rev() {
                let wide = 0.16 * ring as f64;
                canvas.arc((0.5, 0.85), (wide, 0.3 * wide), 0.0, 360.0, dice.between(0.015, 0.03), water);
            }
            large_drop(canvas, (0.5, y), (fat * high, high), water);
        }
        _ => {
            tap(canvas, dice);
            let high = dice.between(0.13, 0.18);
            large_drop(canvas, (0.74, 0.74), (fat * high, high), water);
        }
    }
}

/// A drop with a glint.
fn large_drop(canvas: &mut Canvas, centre: Point, radii: Point, colour: Hue) {
    drop_shape(canvas, centre, radii, 0.0, colour);
    let (x, y) = (centre.0, centre.1 + 0.35 * radii.1);
    canvas.detail(&oval((x, y), (0.55 * radii.0, 0.4 * radii.1), 0.0, (100.0, 175.0)), 0.11 * radii.0, WHITE);
}

/// A tap (a faucet) whose spout bends down on the right.
fn tap(canvas: &mut Canvas, dice: &mut Dice) {
    let metal = Hue(dice.between(30.0, 220.0), dice.between(0.0, 0.35), dice.between(0.6, 0.9));
    let (top, low) = (0.27, 0.4);
    let mut spout = vec![(0.05, top), (0.6, top)];
    bend(&mut spout, (0.81, top), (0.81, 0.5));
    spout.extend([(0.81, 0.54), (0.67, 0.54), (0.67, 0.48)]);
    bend(&mut spout, (0.67, low), (0.58, low));
    spout.push((0.05, low));
    canvas.rectangle((0.36, 0.13), (0.44, top + 0.01), 0.0, metal);
    canvas.rectangle((0.24, 0.07), (0.56, 0.14), dice.between(0.0, 0.04), metal);
    canvas.polygon(&spout, metal);
    canvas.rectangle((0.0, top - 0.06), (0.06, low + 0.06), 0.01, metal);
}

/// Round bubbles of all sizes with a glint, in the air, in water or in a glass.
pub(super) fn bubbles(canvas: &mut Canvas, dice: &mut Dice) {
    let hue = dice.between(170.0, 300.0);
    let film = Hue(hue, dice.between(0.15, 0.5), dice.between(0.8, 1.0));
    if dice.chance(0.35) {
        canvas.wash(Hue(dice.between(185.0, 225.0), dice.between(0.4, 0.8), dice.between(0.4, 0.8)));
    }
    let (left, right, low) = if dice.chance(0.3) { glass(canvas, dice) } else { (0.0, 1.0, 1.0) };
    let wide = right - left;
    let mut placed: Vec<(Point, f64)> = Vec::new();
    let wanted = dice.count(7, 14);
    for _ in 0..150 {
        let radius = wide * dice.ratio(0.05, 0.2);
        let at = (dice.between(left + radius, right - radius), dice.between(0.02 + radius, low - radius));
        let free = |&((x, y), other): &(Point, f64)| (x - at.0).hypot(y - at.1) > other + radius + 0.015;
        if placed.len() < wanted && placed.iter().all(free) {
            placed.push((at, radius));
        }
    }
    for (at, radius) in placed {
        canvas.circle(at, radius, film);
        let glint = oval(at, (0.62 * radius, 0.62 * radius), 0.0, (190.0, 260.0));
        canvas.detail(&glint, 0.16 * radius, WHITE);
        if dice.chance(0.5) {
            canvas.dot((at.0 + 0.4 * radius, at.1 + 0.4 * radius), 0.1 * radius, WHITE);
        }
    }
}

/// The outline of a glass to hold bubbles; answers the room in it.
fn glass(canvas: &mut Canvas, dice: &mut Dice) -> (f64, f64, f64) {
    let (half, ink) = (dice.between(0.24, 0.32), canvas.ink);
    let narrow = half * dice.between(0.8, 1.0);
    let outline = [(0.5 - half, 0.12), (0.5 - narrow, 0.97), (0.5 + narrow, 0.97), (0.5 + half, 0.12)];
    canvas.line(&outline, 0.035, ink);
    (0.53 - narrow, 0.47 + narrow, 0.93)
}

/// Prints of shoes or bare feet, left and right in turn, or two legs that walk.
pub(super) fn footsteps(canvas: &mut Canvas, dice: &mut Dice) {
    let mud = Hue(dice.between(10.0, 50.0), dice.between(0.1, 0.7), dice.between(0.15, 0.5));
    if dice.chance(0.3) {
        return legs(canvas, dice);
    }
    if dice.chance(0.3) {
        canvas.wash(Hue(dice.between(35.0, 50.0), dice.between(0.1, 0.4), 0.95));
    }
    let (prints, bare) = (dice.count(2, 4), dice.chance(0.4));
    let size = if prints == 2 { dice.between(0.36, 0.44) } else { 1.3 / prints as f64 };
    let apart = size * dice.between(0.26, 0.36);
    for print in 0..prints {
        let side = if print % 2 == 0 { -1.0 } else { 1.0 };
        let y = if prints == 2 { 0.5 - side * 0.08 } else { 0.95 - 0.9 * (print as f64 + 0.5) / prints as f64 };
        let place = (0.5 + side * apart, y);
        if bare { bare_print(canvas, place, size, side, mud) } else { shoe_print(canvas, place, size, side, mud) }
    }
}

/// A sole and a heel, with ribs.
fn shoe_print(canvas: &mut Canvas, (x, y): Point, size: f64, side: f64, colour: Hue) {
    let at = |dx: f64, dy: f64| (x + side * dx * size, y + dy * size);
    let sole = [
        at(-0.08, 0.12),
        at(-0.17, -0.15),
        at(-0.14, -0.4),
        at(0.0, -0.5),
        at(0.15, -0.38),
        at(0.2, -0.12),
        at(0.1, 0.12),
    ];
    canvas.blob(&sole, colour);
    canvas.blob(&[at(-0.1, 0.22), at(0.11, 0.22), at(0.12, 0.4), at(0.01, 0.5), at(-0.11, 0.4)], colour);
    for rib in [-0.3, -0.18, -0.06] {
        canvas.detail(&[at(-0.09, rib), at(0.11, rib)], 0.04 * size, Hue(40.0, 0.1, 0.95));
    }
}

/// A bare sole with five toes.
fn bare_print(canvas: &mut Canvas, (x, y): Point, size: f64, side: f64, colour: Hue) {
    let at = |dx: f64, dy: f64| (x + side * dx * size, y + dy * size);
    let sole = [
        at(0.0, 0.5),
        at(-0.12, 0.36),
        at(-0.08, 0.1),
        at(-0.2, -0.18),
        at(-0.05, -0.28),
        at(0.17, -0.2),
        at(0.16, 0.1),
        at(0.12, 0.38),
    ];
    canvas.blob(&sole, colour);
    for (toe, (dx, dy)) in
        [(-0.17, -0.38), (-0.05, -0.41), (0.05, -0.38), (0.14, -0.33), (0.21, -0.26)].into_iter().enumerate()
    {
        canvas.circle(at(dx, dy), size * (0.07 - 0.008 * toe as f64), colour);
    }
}

/// Two legs in trousers and shoes, in mid stride.
fn legs(canvas: &mut Canvas, dice: &mut Dice) {
    let cloth = Hue(dice.between(0.0, 360.0), dice.between(0.2, 0.8), dice.between(0.3, 0.8));
    let leather = Hue(dice.between(0.0, 50.0), dice.between(0.2, 0.8), dice.between(0.15, 0.5));
    let (stride, thick) = (dice.between(0.22, 0.3), dice.between(0.07, 0.1));
    for (side, heel) in [(-1.0, -38.0_f64), (1.0, 14.0)] {
        let (foot_x, foot_y) = (0.45 + side * stride, if side < 0.0 { 0.8 } else { 0.86 });
        let knee = (0.47 + side * stride * 0.55 + 0.05, 0.42);
        let hip = |offset: f64| (0.47 + offset, 0.02);
        let leg = [
            hip(-thick),
            (knee.0 - thick * 0.95, knee.1),
            (foot_x - thick * 0.75, foot_y - 0.04),
            (foot_x + thick * 0.75, foot_y - 0.04),
            (knee.0 + thick * 0.95, knee.1),
            hip(thick * 1.2),
        ];
        canvas.polygon(&leg, cloth);
        let (sine, cosine) = (-heel.to_radians()).sin_cos();
        let at = |dx: f64, dy: f64| (foot_x + dx * cosine - dy * sine, foot_y + dx * sine + dy * cosine);
        let shoe = [at(-0.1, -0.06), at(0.08, -0.06), at(0.17, 0.01), at(0.24, 0.05), at(0.23, 0.09), at(-0.1, 0.09)];
        canvas.polygon(&shoe, leather);
        canvas.detail(&[at(-0.08, 0.055), at(0.2, 0.055)], 0.012, WHITE);
    }
    canvas.line(&[(0.0, 0.985), (1.0, 0.985)], 0.02, Hue(30.0, 0.2, 0.4));
}
