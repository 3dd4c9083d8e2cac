//! Lines and areas that move, in pieces that lie side by side: a window draws only those again that have moved (`damage`),
//! and of an area only what the line above it has swept over. They meet without a gap and without covering each other.

use egui::{Color32, Mesh, Painter, Pos2, Stroke, Vec2, pos2};

/// How wide a piece is, points.
const PIECE: f32 = 48.0;
/// How far a line may pass by a point that it leaves out: what nobody sees, points.
const NEAR: f32 = 0.2;
/// How high the tiers are of which an area is made below its line, points.
const TIER: f32 = 24.0;

/// A line from left to right, with soft edges.
pub(super) fn line(painter: &Painter, points: &[Pos2], stroke: Stroke) {
    let rows = rows(stroke, 1.0 / painter.pixels_per_point());
    let joints = joints(&bends(points));
    for (from, to) in pieces(&joints, |joint| joint.at.x) {
        let mut mesh = Mesh::default();
        mesh.reserve_vertices((to + 1 - from) * rows.len());
        mesh.reserve_triangles((to - from) * 2 * (rows.len() - 1));
        for joint in &joints[from..=to] {
            let last = mesh.vertices.len() as u32;
            for (offset, colour) in &rows {
                mesh.colored_vertex(joint.at + joint.normal * *offset, *colour);
            }
            let before = last.checked_sub(rows.len() as u32);
            for row in 0..rows.len() as u32 - 1 {
                if let Some(before) = before {
                    mesh.add_triangle(before + row, before + row + 1, last + row);
                    mesh.add_triangle(before + row + 1, last + row, last + row + 1);
                }
            }
        }
        painter.add(mesh);
    }
}

/// What lies across a line: distances from its middle in points, and the colours there.
fn rows(stroke: Stroke, soft: f32) -> Vec<(f32, Color32)> {
    let (width, colour) = (stroke.width, stroke.color);
    if width <= soft {
        // thinner than a pixel: as wide as one, and fainter
        let faint = colour.gamma_multiply(width / soft);
        vec![(soft, Color32::TRANSPARENT), (0.0, faint), (-soft, Color32::TRANSPARENT)]
    } else {
        let (inner, outer) = (0.5 * (width - soft), 0.5 * (width + soft));
        vec![(outer, Color32::TRANSPARENT), (inner, colour), (-inner, colour), (-outer, Color32::TRANSPARENT)]
    }
}

/// A point of a line, and the way across it: longer than one where the line bends, so that its width stays.
#[derive(Clone, Copy, Debug)]
struct Joint {
    at: Pos2,
    normal: Vec2,
}

/// The joints of a line; a sharp corner has two, which cut it off.
fn joints(points: &[Pos2]) -> Vec<Joint> {
    let across = |i: usize| (points[i + 1] - points[i]).normalized().rot90();
    let mut joints = Vec::with_capacity(points.len());
    let mut before = if points.len() > 1 { across(0) } else { Vec2::ZERO };
    for (i, &at) in points.iter().enumerate() {
        let mut after = if i + 1 < points.len() { across(i) } else { before };
        if after == Vec2::ZERO {
            after = before;
        } else if before == Vec2::ZERO {
            before = after;
        }
        let middle = 0.5 * (before + after);
        let mut add = |normal: Vec2| {
            let square = normal.length_sq();
            joints.push(Joint { at, normal: if square > 0.0 { normal / square } else { Vec2::ZERO } });
        };
        if middle.length_sq() < 0.5 {
            let bisector = middle.normalized();
            add(0.5 * (before + bisector));
            add(0.5 * (after + bisector));
        } else {
            add(middle);
        }
        before = after;
    }
    joints
}

/// The points where a line bends, and those where its pieces begin and end: on a straight way there is no other between two
/// of them.
fn bends(points: &[Pos2]) -> Vec<Pos2> {
    let mut bends = Vec::with_capacity(points.len());
    bends.extend(points.first());
    for (from, to) in pieces(points, |point| point.x) {
        let mut start = points[from];
        // the slopes with which a line from there passes all points by
        let mut slopes = (f32::NEG_INFINITY, f32::INFINITY);
        for i in from + 1..=to {
            let slope = |by: f32| (points[i].y + by - start.y) / (points[i].x - start.x);
            let straight = slope(0.0);
            if !(slopes.0..=slopes.1).contains(&straight) {
                start = points[i - 1];
                bends.push(start);
                slopes = (f32::NEG_INFINITY, f32::INFINITY);
            }
            let slope = |by: f32| (points[i].y + by - start.y) / (points[i].x - start.x);
            slopes = (slopes.0.max(slope(-NEAR)), slopes.1.min(slope(NEAR)));
        }
        bends.push(points[to]);
    }
    bends
}

/// What is between a line and a level below it.
pub(super) fn area(painter: &Painter, points: &[Pos2], bottom: f32, colour: Color32) {
    let points = &bends(points);
    for (from, to) in pieces(points, |point| point.x) {
        let piece = &points[from..=to];
        let lowest = piece.iter().map(|point| point.y).fold(f32::MIN, f32::max);
        let tiers = ((bottom - lowest) / TIER).floor().max(0.0) as u32;
        let top = |tier: u32| bottom - TIER * tier as f32;
        // from the bottom up: what the line has not reached stays as it was
        let mut mesh = Mesh::default();
        mesh.reserve_vertices(2 * (tiers as usize + to + 2 - from));
        mesh.reserve_triangles(2 * (tiers as usize + to - from));
        let (left, right) = (points[from].x, points[to].x);
        for tier in 0..=tiers {
            mesh.colored_vertex(pos2(left, top(tier)), colour);
            mesh.colored_vertex(pos2(right, top(tier)), colour);
            if tier > 0 {
                quad(&mut mesh);
            }
        }
        strip(&mut mesh, piece, |_| top(tiers), colour);
        painter.add(mesh);
    }
}

/// What is between two lines with the same abscissae.
pub(super) fn between(painter: &Painter, upper: &[Pos2], lower: &[Pos2], colour: Color32) {
    let count = upper.len().min(lower.len());
    for (from, to) in pieces(&upper[..count], |point| point.x) {
        let mut mesh = Mesh::default();
        strip(&mut mesh, &upper[from..=to], |i| lower[from + i].y, colour);
        painter.add(mesh);
    }
}

/// Adds what is between a line and the ordinates that `to` has for its points.
fn strip(mesh: &mut Mesh, line: &[Pos2], to: impl Fn(usize) -> f32, colour: Color32) {
    for (i, point) in line.iter().enumerate() {
        mesh.colored_vertex(*point, colour);
        mesh.colored_vertex(pos2(point.x, to(i)), colour);
        if i > 0 {
            quad(mesh);
        }
    }
}

/// Fills what is between the last four corners.
fn quad(mesh: &mut Mesh) {
    let next = mesh.vertices.len() as u32;
    mesh.add_triangle(next - 4, next - 3, next - 2);
    mesh.add_triangle(next - 3, next - 2, next - 1);
}

/// Where the pieces of a line begin and end. Each ends where the next begins, at places of the window, so that they stay the
/// same ones when the line begins elsewhere.
fn pieces<P>(points: &[P], x: impl Fn(&P) -> f32) -> Vec<(usize, usize)> {
    let piece = |i: usize| (x(&points[i]) / PIECE).floor();
    let mut pieces = Vec::new();
    let mut from = 0;
    for to in 1..points.len() {
        if to + 1 == points.len() || piece(to) != piece(from) {
            pieces.push((from, to));
            from = to;
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
