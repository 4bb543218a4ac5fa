//! Signals that are carried or driven: siren, sonar, geiger counter, laser, car horn.

use super::super::super::Dice;
use super::super::canvas::{Canvas, Hue, Manner, Point, oval};
use super::{BLACK, SKIN, STEEL, WHITE, knob, polar};

/// A beacon under its dome with rays around, a light bar, or the horns of an air raid siren on their pole.
pub(super) fn siren(canvas: &mut Canvas, dice: &mut Dice) {
    let light = Hue(*dice.pick(&[0.0, 0.0, 215.0, 30.0]), 0.85, dice.between(0.75, 0.98));
    match dice.count(0, 5) {
        0 => light_bar(canvas, dice),
        1 => raid_horns(canvas, dice),
        _ => {
            let (half, top) = (dice.between(0.17, 0.26), dice.between(0.28, 0.42));
            let rays = dice.count(5, 9);
            for ray in 0..rays {
                let degrees = 195.0 + 150.0 * ray as f64 / (rays - 1) as f64;
                let (from, to) = (polar((0.5, 0.55), 0.36, degrees), polar((0.5, 0.55), 0.48, degrees));
                canvas.line(&[from, to], 0.035, light);
            }
            let mut dome = oval((0.5, top + half), (half, half), 0.0, (180.0, 360.0));
            dome.extend([(0.5 + half, 0.76), (0.5 - half, 0.76)]);
            canvas.polygon(&dome, light);
            // The lamp and its mirror turn within.
            canvas.dot((0.5, 0.6), half * 0.35, Hue(50.0, 0.4, 1.0));
            canvas.detail(&[(0.5, 0.6), (0.5, 0.76)], 0.025, WHITE);
            canvas.detail(&[(0.5 - half * 0.6, 0.7), (0.5 - half * 0.6, top + half)], 0.025, WHITE);
            canvas.rectangle((0.46 - half, 0.74), (0.54 + half, 0.9), 0.03, Hue(220.0, 0.1, dice.between(0.2, 0.5)));
        }
    }
}

/// The bar on the roof of a patrol car: red and blue, flashing.
fn light_bar(canvas: &mut Canvas, dice: &mut Dice) {
    let (red, blue) = (Hue(0.0, 0.85, 0.9), Hue(220.0, 0.85, 0.9));
    for (x, colour) in [(0.22, red), (0.78, blue)] {
        for ray in 0..5 {
            let degrees = 200.0 + 35.0 * f64::from(ray);
            canvas.line(&[polar((x, 0.55), 0.22, degrees), polar((x, 0.55), 0.34, degrees)], 0.03, colour);
        }
    }
    canvas.rectangle((0.04, 0.44), (0.42, 0.64), 0.08, red);
    canvas.rectangle((0.58, 0.44), (0.96, 0.64), 0.08, blue);
    canvas.rectangle((0.4, 0.46), (0.6, 0.64), 0.02, Hue(0.0, 0.0, dice.between(0.6, 0.95)));
    canvas.rectangle((0.08, 0.64), (0.92, 0.72), 0.02, BLACK);
    canvas.dot((0.22, 0.54), 0.05, WHITE);
    canvas.dot((0.78, 0.54), 0.05, WHITE);
}

/// Two horns back to back on a pole, sound to both sides.
fn raid_horns(canvas: &mut Canvas, dice: &mut Dice) {
    let paint = Hue(*dice.pick(&[45.0, 5.0, 140.0, 210.0]), dice.between(0.1, 0.7), 0.75);
    canvas.rectangle((0.46, 0.4), (0.54, 1.0), 0.01, STEEL);
    for side in [-1.0, 1.0] {
        let x = |away: f64| 0.5 + side * away;
        canvas.polygon(&[(x(0.08), 0.3), (x(0.32), 0.14), (x(0.32), 0.52), (x(0.08), 0.36)], paint);
        canvas.ellipse((x(0.32), 0.33), (0.05, 0.19), 0.0, Hue(paint.0, paint.1, 0.4));
        for ring in 0..2 {
            let far = 0.06 + 0.06 * f64::from(ring);
            let middle = if side > 0.0 { 0.0 } else { 180.0 };
            canvas.arc((x(0.32), 0.33), (far, 0.1 + far), middle - 45.0, middle + 45.0, 0.02, paint);
        }
    }
    canvas.rectangle((0.4, 0.24), (0.6, 0.42), 0.03, paint);
}

/// The round green screen with its sweep, or the boat under water that sends the ping.
pub(super) fn sonar(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.4) {
        return submarine(canvas, dice);
    }
    let glow = Hue(*dice.pick(&[125.0, 125.0, 150.0, 190.0]), 0.8, 0.95);
    let centre = (0.5, 0.5);
    canvas.circle(centre, 0.47, Hue(0.0, 0.0, dice.between(0.2, 0.6)));
    canvas.circle(centre, 0.42, Hue(glow.0, 0.8, dice.between(0.1, 0.3)));
    let rings = dice.count(2, 4);
    for ring in 1..=rings {
        let radius = 0.4 * ring as f64 / rings as f64;
        canvas.detail(&oval(centre, (radius, radius), 0.0, (0.0, 360.0)), 0.012, glow);
    }
    if dice.chance(0.8) {
        canvas.detail(&[(0.1, 0.5), (0.9, 0.5)], 0.01, glow);
        canvas.detail(&[(0.5, 0.1), (0.5, 0.9)], 0.01, glow);
    }
    let sweep = dice.between(0.0, 360.0);
    for trail in 0..14 {
        let fade = 1.0 - f64::from(trail) / 16.0;
        let tip = polar(centre, 0.4, sweep - 2.5 * f64::from(trail));
        canvas.detail(&[centre, tip], 0.02, Hue(glow.0, glow.1, glow.2 * fade));
    }
    for _ in 0..dice.count(2, 6) {
        let at = polar(centre, dice.between(0.1, 0.36), sweep + dice.between(20.0, 300.0));
        canvas.dot(at, dice.between(0.015, 0.035), glow);
    }
}

fn submarine(canvas: &mut Canvas, dice: &mut Dice) {
    canvas.wash(Hue(dice.between(195.0, 225.0), 0.7, dice.between(0.3, 0.8)));
    let hull = Hue(*dice.pick(&[50.0, 210.0, 100.0, 0.0]), dice.between(0.1, 0.8), dice.between(0.35, 0.9));
    let wave = Hue(170.0, 0.25, 1.0);
    for ring in 0..dice.count(3, 4) {
        let far = 0.12 + 0.09 * ring as f64;
        canvas.arc((0.6, 0.45), (far, far), -38.0, 38.0, 0.025, wave);
    }
    canvas.line(&[(0.3, 0.3), (0.3, 0.12), (0.38, 0.12)], 0.03, hull);
    canvas.rectangle((0.24, 0.27), (0.44, 0.45), 0.03, hull);
    canvas.polygon(&[(0.08, 0.45), (-0.02, 0.32), (0.0, 0.45), (-0.02, 0.6)], hull);
    canvas.ellipse((0.34, 0.47), (0.32, 0.12), 0.0, hull);
    for window in 0..dice.count(2, 4) {
        canvas.dot((0.24 + 0.1 * window as f64, 0.46), 0.03, Hue(55.0, 0.5, 1.0));
    }
    let bottom: Vec<Point> =
        (0..9).map(|k| (-0.3 + 0.2 * f64::from(k), 0.85 + if k % 2 == 0 { 0.03 } else { -0.04 })).collect();
    canvas.curve(&bottom, 0.03, Hue(40.0, 0.4, 0.6));
}

/// A box with a needle and a probe on its cable, one that is held in the hand, or the sign that it is needed for.
pub(super) fn geiger_counter(canvas: &mut Canvas, dice: &mut Dice) {
    let case = Hue(*dice.pick(&[50.0, 50.0, 30.0, 100.0, 210.0]), dice.between(0.4, 0.95), dice.between(0.6, 0.95));
    match dice.count(0, 4) {
        0 => {
            let mut sign = oval((0.5, 0.5), (0.45, 0.45), 0.0, (0.0, 360.0));
            if dice.chance(0.35) {
                sign = vec![(0.5, 0.02), (1.0, 0.9), (0.0, 0.9)];
            }
            canvas.polygon(&sign, Hue(52.0, 0.95, 0.98));
            trefoil(canvas, (0.5, if sign.len() == 3 { 0.62 } else { 0.5 }), if sign.len() == 3 { 0.23 } else { 0.36 });
        }
        1 => {
            canvas.rectangle((0.28, 0.05), (0.72, 0.95), 0.08, case);
            canvas.detail(&[(0.36, 0.14), (0.64, 0.14), (0.64, 0.36), (0.36, 0.36), (0.36, 0.14)], 0.02, BLACK);
            for bar in 0..5 {
                let x = 0.4 + 0.05 * f64::from(bar);
                canvas.detail(&[(x, 0.33), (x, 0.33 - 0.16 * dice.between(0.1, 1.0))], 0.025, BLACK);
            }
            trefoil(canvas, (0.5, 0.58), 0.14);
            knob(canvas, (0.42, 0.83), 0.035, BLACK);
            knob(canvas, (0.58, 0.83), 0.035, BLACK);
        }
        _ => box_with_probe(canvas, case, dice),
    }
}

fn box_with_probe(canvas: &mut Canvas, case: Hue, dice: &mut Dice) {
    let cable = [(0.62, 0.5), (0.75, 0.3), (0.86, 0.12), (0.95, 0.25), (0.9, 0.42)];
    canvas.curve(&cable, 0.025, BLACK);
    canvas.rectangle((0.84, 0.4), (0.96, 0.9), 0.05, STEEL);
    canvas.detail(&[(0.85, 0.52), (0.95, 0.52)], 0.015, BLACK);
    canvas.line(&[(0.14, 0.38), (0.14, 0.2), (0.58, 0.2), (0.58, 0.38)], 0.05, BLACK);
    canvas.rectangle((0.02, 0.36), (0.72, 0.92), dice.between(0.02, 0.08), case);
    // A half-round dial with its needle.
    let middle = (0.24, 0.66);
    canvas.detail(&oval(middle, (0.17, 0.17), 0.0, (180.0, 360.0)), 0.02, BLACK);
    for mark in 0..7 {
        let degrees = 190.0 + 26.7 * f64::from(mark);
        canvas.detail(&[polar(middle, 0.12, degrees), polar(middle, 0.17, degrees)], 0.012, BLACK);
    }
    canvas.detail(&[middle, polar(middle, 0.15, dice.between(200.0, 340.0))], 0.018, Hue(0.0, 0.9, 0.8));
    canvas.detail(&[(0.07, 0.66), (0.41, 0.66)], 0.02, BLACK);
    canvas.dot((0.14, 0.8), 0.04, BLACK);
    canvas.dot((0.3, 0.8), 0.04, Hue(0.0, 0.8, 0.8));
    trefoil(canvas, (0.57, 0.62), 0.11);
    for spark in 0..dice.count(0, 3) {
        let x = 0.8 + 0.08 * spark as f64;
        canvas.line(&[(x, 0.96), (x + 0.02, 1.02)], 0.02, Hue(55.0, 0.9, 0.9));
    }
}

/// The sign of radiation: three blades of 60 degrees around a disc.
fn trefoil(canvas: &mut Canvas, centre: Point, radius: f64) {
    for blade in 0..3 {
        for step in 0..12 {
            let degrees = 63.0 + 120.0 * f64::from(blade) + 54.0 * f64::from(step) / 11.0;
            let (from, to) = (polar(centre, radius * 0.36, degrees), polar(centre, radius, degrees));
            canvas.detail(&[from, to], radius * 0.1, BLACK);
        }
    }
    canvas.dot(centre, radius * 0.2, BLACK);
}

/// The ray gun of the comics and its beam, or the sign that warns of one.
pub(super) fn laser(canvas: &mut Canvas, dice: &mut Dice) {
    let beam = Hue(*dice.pick(&[0.0, 0.0, 120.0, 190.0, 300.0]), 0.95, 1.0);
    if dice.chance(0.08) {
        canvas.polygon(&[(0.5, 0.04), (1.0, 0.9), (0.0, 0.9)], Hue(52.0, 0.95, 0.98));
        star(canvas, (0.42, 0.64), 0.16, dice.count(10, 16), BLACK);
        canvas.detail(&[(0.42, 0.64), (0.8, 0.64)], 0.035, BLACK);
        return;
    }
    let body = Hue(dice.between(0.0, 360.0), dice.between(0.1, 0.8), dice.between(0.5, 0.9));
    let trim = Hue(dice.between(0.0, 360.0), 0.8, 0.9);
    if dice.chance(0.5) {
        canvas.line(&[(0.6, 0.42), (1.6, 0.42)], dice.between(0.03, 0.06), beam);
    } else {
        for dash in 0..4 {
            let x = 0.68 + 0.24 * f64::from(dash);
            canvas.line(&[(x, 0.42), (x + 0.13, 0.42)], 0.045, beam);
        }
    }
    let spread = dice.between(0.07, 0.13);
    for ray in 0..5 {
        let degrees = -70.0 + 35.0 * f64::from(ray);
        canvas.line(&[polar((0.64, 0.42), 0.04, degrees), polar((0.64, 0.42), spread, degrees)], 0.02, beam);
    }
    canvas.polygon(&[(0.06, 0.44), (0.26, 0.46), (0.18, 0.86), (0.02, 0.84)], trim);
    canvas.arc((0.28, 0.56), (0.08, 0.1), 0.0, 180.0, 0.025, body);
    canvas.rectangle((0.36, 0.385), (0.6, 0.455), 0.02, STEEL);
    // Cooling fins get smaller towards the muzzle.
    for fin in 0..dice.count(2, 4) {
        let (x, half) = (0.4 + 0.055 * fin as f64, 0.13 - 0.022 * fin as f64);
        canvas.ellipse((x, 0.42), (0.018, half), 0.0, trim);
    }
    canvas.circle((0.61, 0.42), 0.035, trim);
    canvas.ellipse((0.2, 0.42), (0.2, dice.between(0.1, 0.16)), 0.0, body);
    canvas.polygon(&[(0.06, 0.36), (-0.02, 0.2), (0.14, 0.32)], trim);
    canvas.dot((0.2, 0.42), 0.05, beam);
}

/// Rays around a point, as on signs that warn of lasers.
fn star(canvas: &mut Canvas, centre: Point, radius: f64, rays: usize, colour: Hue) {
    for ray in 0..rays {
        let tip = polar(centre, radius, 360.0 * ray as f64 / rays as f64);
        canvas.detail(&[centre, tip], 0.018, colour);
    }
    canvas.dot(centre, radius * 0.3, colour);
}

/// The trumpet with its rubber bulb, or a steering wheel that somebody leans on.
pub(super) fn car_horn(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.45) { steering_wheel(canvas, dice) } else { bulb_horn(canvas, dice) }
}

fn bulb_horn(canvas: &mut Canvas, dice: &mut Dice) {
    let brass = Hue(dice.between(38.0, 50.0), dice.between(0.5, 0.85), dice.between(0.75, 0.95));
    let flare = dice.between(0.17, 0.24);
    let far = dice.between(0.7, 0.78);
    if dice.chance(0.6) {
        // The tube of an old one is wound once around.
        canvas.arc((0.42, 0.56), (0.1, 0.13), 0.0, 360.0, 0.05, brass);
    }
    let bell = [
        (0.26, 0.47),
        (0.45, 0.46),
        (far - 0.12, 0.4),
        (far, 0.45 - flare),
        (far, 0.53 + flare),
        (far - 0.12, 0.58),
        (0.45, 0.53),
        (0.26, 0.52),
    ];
    canvas.polygon(&bell, brass);
    canvas.ellipse((far, 0.49), (0.04, flare + 0.04), 0.0, Hue(brass.0, brass.1, 0.5));
    canvas.ellipse(
        (0.15, 0.495),
        (dice.between(0.13, 0.17), dice.between(0.1, 0.14)),
        0.0,
        Hue(0.0, 0.6, dice.between(0.1, 0.7)),
    );
    canvas.rectangle((0.28, 0.44), (0.32, 0.55), 0.01, STEEL);
    for wave in 0..dice.count(2, 3) {
        let radius = 0.1 + 0.08 * wave as f64;
        canvas.arc((far + 0.02, 0.49), (radius, radius * 1.4), -40.0, 40.0, 0.028, BLACK);
    }
}

fn steering_wheel(canvas: &mut Canvas, dice: &mut Dice) {
    let (centre, rim) = ((0.45, 0.55), Hue(20.0, dice.between(0.0, 0.6), dice.between(0.15, 0.5)));
    canvas.arc(centre, (0.33, 0.33), 0.0, 360.0, dice.between(0.06, 0.09), rim);
    let first = if dice.chance(0.7) { 0.0 } else { 30.0 };
    for spoke in [0.0, 90.0, 180.0] {
        let degrees = spoke + first * if spoke == 90.0 { 0.0 } else { (spoke - 90.0) / 90.0 };
        canvas.line(&[centre, polar(centre, 0.33, degrees)], 0.07, rim);
    }
    canvas.circle(centre, 0.14, Hue(rim.0, rim.1, rim.2 + 0.2));
    // The trumpet sign on the hub, and the noise that it makes.
    let sign = [(0.36, 0.55), (0.43, 0.55), (0.52, 0.49), (0.52, 0.61), (0.43, 0.55)];
    canvas.detail(&sign, 0.025, WHITE);
    let loud = Hue(*dice.pick(&[0.0, 35.0, 50.0]), 0.9, 0.95);
    for wave in 0..3 {
        let far = 0.4 + 0.08 * f64::from(wave);
        canvas.arc(centre, (far, far), -70.0, -20.0, 0.03, loud);
    }
    // In a silhouette a hand would melt into the wheel.
    if canvas.manner != Manner::Silhouette && dice.chance(0.5) {
        let skin = Hue(SKIN.0, dice.between(0.25, 0.6), dice.between(0.45, 1.0));
        canvas.polygon(&[(0.42, 0.66), (0.56, 0.62), (0.8, 1.0), (0.6, 1.05)], skin);
        canvas.blob(&[(0.38, 0.56), (0.46, 0.5), (0.58, 0.56), (0.58, 0.68), (0.46, 0.72), (0.38, 0.66)], skin);
    }
}
