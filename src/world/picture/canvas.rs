//! The drawing board: shapes in a unit square, drawn in one of several manners.
//!
//! (0, 0) is the top left of the subject's square and (1, 1) its bottom right. What is drawn outside is seen as far as
//! the picture reaches; `-1.5` to `2.5` covers all of it, wherever the subject is placed.

use std::f64::consts::TAU;

use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Stroke, Transform};

/// A colour: hue in degrees, saturation and value in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hue(pub(super) f64, pub(super) f64, pub(super) f64);

/// How shapes are drawn; one for a whole picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Filled areas without outlines.
    Flat,
    /// Filled areas with dark outlines.
    Outlined,
    /// Outlines only, areas filled with paper.
    Lines,
    /// One ink on paper; details are left white.
    Silhouette,
}

/// A point in the subject's square.
pub(super) type Point = (f64, f64);

/// A picture in the making.
pub(in crate::world) struct Canvas {
    pub(super) pixmap: Pixmap,
    pub(super) place: Transform,
    pub(super) manner: Manner,
    /// What outlines, lines and silhouettes are drawn with.
    pub(super) ink: Hue,
    /// What is left white.
    pub(super) paper: Hue,
    /// Width of outlines, in units of the square.
    pub(super) stroke: f64,
    /// Added to the hue of all colours, in degrees.
    pub(super) hue_shift: f64,
    /// Factor on the saturation of all colours.
    pub(super) saturation: f64,
}

impl Canvas {
    /// A filled polygon.
    pub(super) fn polygon(&mut self, points: &[Point], colour: Hue) {
        self.area(path(points, true), colour);
    }

    /// A filled circle.
    pub(super) fn circle(&mut self, centre: Point, radius: f64, colour: Hue) {
        self.ellipse(centre, (radius, radius), 0.0, colour);
    }

    /// A filled ellipse of two radii, turned by an angle in degrees.
    pub(super) fn ellipse(&mut self, centre: Point, radii: Point, degrees: f64, colour: Hue) {
        self.polygon(&oval(centre, radii, degrees, (0.0, 360.0)), colour);
    }

    /// A filled rectangle from its top left to its bottom right, with rounded corners.
    pub(super) fn rectangle(&mut self, from: Point, to: Point, radius: f64, colour: Hue) {
        let radius = radius.min((to.0 - from.0).abs() / 2.0).min((to.1 - from.1).abs() / 2.0);
        let mut points = Vec::new();
        let corners = [
            ((to.0 - radius, from.1 + radius), 270.0),
            ((to.0 - radius, to.1 - radius), 0.0),
            ((from.0 + radius, to.1 - radius), 90.0),
            ((from.0 + radius, from.1 + radius), 180.0),
        ];
        for (centre, start) in corners {
            points.extend(oval(centre, (radius, radius), 0.0, (start, start + 90.0)));
        }
        self.polygon(&points, colour);
    }

    /// A filled area within a smooth closed curve through the points.
    pub(super) fn blob(&mut self, points: &[Point], colour: Hue) {
        self.area(smooth(points, true), colour);
    }

    /// A broken line of some width in a colour; in silhouettes and line drawings, in ink.
    pub(super) fn line(&mut self, points: &[Point], width: f64, colour: Hue) {
        self.trace(path(points, false), width, self.line_colour(colour));
    }

    /// A smooth line through the points.
    pub(super) fn curve(&mut self, points: &[Point], width: f64, colour: Hue) {
        self.trace(smooth(points, false), width, self.line_colour(colour));
    }

    /// Part of an ellipse's outline, from one angle to another in degrees, clockwise from the right.
    pub(super) fn arc(&mut self, centre: Point, radii: Point, from: f64, to: f64, width: f64, colour: Hue) {
        self.line(&oval(centre, radii, 0.0, (from, to)), width, colour);
    }

    /// A detail on a filled area: a circle that stays visible in every manner.
    pub(super) fn dot(&mut self, centre: Point, radius: f64, colour: Hue) {
        let colour = self.detail_colour(colour);
        self.fill(path(&oval(centre, (radius, radius), 0.0, (0.0, 360.0)), true), colour);
    }

    /// A detail on a filled area: a line that stays visible in every manner.
    pub(super) fn detail(&mut self, points: &[Point], width: f64, colour: Hue) {
        self.trace(path(points, false), width, self.detail_colour(colour));
    }

    /// The whole picture in one colour, whatever the manner: for night, sky and water.
    pub(super) fn wash(&mut self, colour: Hue) {
        if matches!(self.manner, Manner::Flat | Manner::Outlined) {
            let corners = [(-3.0, -3.0), (4.0, -3.0), (4.0, 4.0), (-3.0, 4.0)];
            self.fill(path(&corners, true), colour);
        }
    }

    fn area(&mut self, path: Option<tiny_skia::Path>, colour: Hue) {
        match self.manner {
            Manner::Flat => self.fill(path, colour),
            Manner::Silhouette => self.fill(path, self.ink),
            Manner::Outlined => {
                self.fill(path.clone(), colour);
                self.trace(path, self.stroke, self.ink);
            }
            Manner::Lines => {
                self.fill(path.clone(), self.paper);
                self.trace(path, self.stroke, self.ink);
            }
        }
    }

    fn line_colour(&self, colour: Hue) -> Hue {
        if matches!(self.manner, Manner::Lines | Manner::Silhouette) { self.ink } else { colour }
    }

    fn detail_colour(&self, colour: Hue) -> Hue {
        match self.manner {
            Manner::Silhouette => self.paper,
            Manner::Lines => self.ink,
            Manner::Flat | Manner::Outlined => colour,
        }
    }

    fn fill(&mut self, path: Option<tiny_skia::Path>, colour: Hue) {
        if let Some(path) = path {
            let paint = self.paint(colour);
            self.pixmap.fill_path(&path, &paint, FillRule::Winding, self.place, None);
        }
    }

    fn trace(&mut self, path: Option<tiny_skia::Path>, width: f64, colour: Hue) {
        if let Some(path) = path {
            let width = width.max(0.004) as f32;
            let stroke = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
            let paint = self.paint(colour);
            self.pixmap.stroke_path(&path, &paint, &stroke, self.place, None);
        }
    }

    fn paint(&self, Hue(hue, saturation, value): Hue) -> Paint<'static> {
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        paint.set_color(Hue(hue + self.hue_shift, saturation * self.saturation, value).colour());
        paint
    }
}

impl Hue {
    /// Red, green and blue (the usual hexcone).
    pub(super) fn colour(self) -> Color {
        let (value, saturation) = (self.2.clamp(0.0, 1.0), self.1.clamp(0.0, 1.0));
        let channel = |offset: f64| {
            let k = (offset + self.0 / 60.0).rem_euclid(6.0);
            (value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)) as f32
        };
        Color::from_rgba(channel(5.0), channel(3.0), channel(1.0), 1.0).unwrap_or(Color::BLACK)
    }
}

/// Points on an ellipse between two angles in degrees, clockwise from the right, turned by an angle.
pub(super) fn oval(centre: Point, radii: Point, degrees: f64, (from, to): (f64, f64)) -> Vec<Point> {
    let (sine, cosine) = (degrees / 360.0 * TAU).sin_cos();
    let at = |step: u32| {
        let angle = (from + (to - from) * f64::from(step) / 40.0) / 360.0 * TAU;
        let (x, y) = (radii.0 * angle.cos(), radii.1 * angle.sin());
        (centre.0 + x * cosine - y * sine, centre.1 + x * sine + y * cosine)
    };
    (0..=40).map(at).collect()
}

/// Points turned about the middle of the square by an angle in degrees.
pub(super) fn turned(points: &[Point], degrees: f64) -> Vec<Point> {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let turn = |&(x, y): &Point| {
        let (x, y) = (x - 0.5, y - 0.5);
        (0.5 + x * cosine - y * sine, 0.5 + x * sine + y * cosine)
    };
    points.iter().map(turn).collect()
}

fn path(points: &[Point], closed: bool) -> Option<tiny_skia::Path> {
    let mut builder = PathBuilder::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        if index == 0 { builder.move_to(x as f32, y as f32) } else { builder.line_to(x as f32, y as f32) }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

/// A Catmull–Rom spline through the points.
fn smooth(points: &[Point], closed: bool) -> Option<tiny_skia::Path> {
    let count = points.len();
    if count < 3 {
        return path(points, closed);
    }
    let at = |index: isize| {
        let last = count as isize - 1;
        let index = if closed { index.rem_euclid(count as isize) } else { index.clamp(0, last) };
        points[index.unsigned_abs()]
    };
    let mut builder = PathBuilder::new();
    builder.move_to(points[0].0 as f32, points[0].1 as f32);
    let segments = if closed { count } else { count - 1 } as isize;
    for index in 0..segments {
        let (before, from, to, after) = (at(index - 1), at(index), at(index + 1), at(index + 2));
        let first = (from.0 + (to.0 - before.0) / 6.0, from.1 + (to.1 - before.1) / 6.0);
        let second = (to.0 - (after.0 - from.0) / 6.0, to.1 - (after.1 - from.1) / 6.0);
        let [a, b, c, d] = [first.0, first.1, second.0, second.1].map(|it| it as f32);
        builder.cubic_to(a, b, c, d, to.0 as f32, to.1 as f32);
    }
    if closed {
        builder.close();
    }
    builder.finish()
}
