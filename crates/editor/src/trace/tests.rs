use super::*;
use egui::{Context, RawInput, Shape};
use std::sync::Arc;

/// The meshes that something is drawn as.
fn drawn(draw: impl Fn(&Painter)) -> Vec<Arc<Mesh>> {
    let ctx = Context::default();
    let mut output = ctx.run_ui(RawInput::default(), |ui| draw(ui.painter()));
    let shapes = std::mem::take(&mut output.shapes);
    output.drop_without_applying_deltas();
    let mesh = |shape: egui::epaint::ClippedShape| match shape.shape {
        Shape::Mesh(mesh) => Some(mesh),
        _ => None,
    };
    shapes.into_iter().filter_map(mesh).collect()
}

/// How many triangles are over a place.
fn covers(meshes: &[Arc<Mesh>], at: Pos2) -> usize {
    let over = |mesh: &Arc<Mesh>| {
        let is_over = |corners: &&[u32]| {
            let [a, b, c] = [0, 1, 2].map(|i| mesh.vertices[corners[i] as usize].pos);
            let side = |a: Pos2, b: Pos2| (b - a).rot90().dot(at - a) > 0.0;
            let sides = [side(a, b), side(b, c), side(c, a)];
            (b - a).rot90().dot(c - a) != 0.0 && (sides == [true; 3] || sides == [false; 3])
        };
        mesh.indices.chunks(3).filter(is_over).count()
    };
    meshes.iter().map(over).sum()
}

fn hills() -> Vec<Pos2> {
    (0..100u16).map(|i| pos2(3.0 * f32::from(i), f32::from(i * i % 37))).collect()
}

#[test]
fn an_area_has_no_gap_and_nothing_twice() {
    let points = hills();
    // all of the line above, by several tiers and by less than one, and some of it below
    for bottom in [100.0, 60.0, 20.0] {
        let meshes = drawn(|painter| area(painter, &points, bottom, Color32::RED));
        assert!(meshes.len() > 5);
        for i in 0..99 {
            let (a, b) = (points[i], points[i + 1]);
            let x = a.x + 1.37;
            let line = a.y + (b.y - a.y) * 1.37 / 3.0;
            for y in 0..110 {
                let at = pos2(x, y as f32 + 0.41);
                // narrow triangles that cross at the level are of no matter
                if (at.y - line).abs() < 0.5 || (a.y - bottom) * (b.y - bottom) < 0.0 {
                    continue;
                }
                let inside = (line.min(bottom)..line.max(bottom)).contains(&at.y);
                assert_eq!(covers(&meshes, at), usize::from(inside), "{at:?}, {bottom}, {line}");
            }
        }
    }
}

/// The framework's line is the oracle: the same triangles, but for its ends, which it rounds off, and in one piece.
#[test]
fn a_line_is_the_framework_s_in_pieces() {
    let slopes: Vec<Pos2> = hills().iter().map(|p| pos2(p.x, 0.3 * p.y)).collect();
    for (points, width) in [(slopes, 1.25), (hills(), 2.0), (hills(), 0.5)] {
        let colour = Color32::from_rgba_premultiplied(40, 80, 20, 100);
        let stroke = Stroke::new(width, colour);
        let pieces = drawn(|painter| line(painter, &points, stroke));
        assert!(pieces.len() > 5);
        let ctx = Context::default();
        let mut shapes = Vec::new();
        ctx.run_ui(RawInput::default(), |ui| {
            shapes = vec![egui::epaint::ClippedShape::new(
                egui::Rect::EVERYTHING,
                Shape::line(bends(&points), stroke),
            )];
            let _ = ui;
        })
        .drop_without_applying_deltas();
        let whole = ctx.tessellate(shapes, 1.0);
        let egui::epaint::Primitive::Mesh(whole) = &whole[0].primitive else { panic!("a mesh") };
        let key = |mesh: &Mesh, corners: &[u32]| {
            let mut key = [0, 1, 2].map(|i| {
                let vertex = mesh.vertices[corners[i] as usize];
                ([vertex.pos.x, vertex.pos.y].map(|x| (64.0 * x).round() as i32), vertex.color.to_array())
            });
            key.sort_unstable();
            key
        };
        let triangles = |mesh: &Mesh| -> Vec<_> { mesh.indices.chunks(3).map(|c| key(mesh, c)).collect() };
        let mut ours: Vec<_> = pieces.iter().flat_map(|mesh| triangles(mesh)).collect();
        let mut theirs = triangles(whole);
        ours.sort_unstable();
        theirs.sort_unstable();
        let count = ours.len();
        let missed = ours.iter().filter(|one| theirs.binary_search(one).is_err()).count();
        // the framework draws out the soft edges of both ends
        assert!(missed <= 6, "{missed} of {count} are not the framework's at {width}");
        assert!(theirs.len() - count < 8, "{} for {count}", theirs.len());
        ours.dedup();
        assert!(count - ours.len() < 2, "none is drawn twice");
    }
}

#[test]
fn a_line_leaves_out_what_nobody_sees() {
    let smooth: Vec<Pos2> = (0..300u16)
        .map(|i| pos2(100.0 + 2.5 * f32::from(i), 200.0 - 40.0 * (f32::from(i) / 70.0).sin()))
        .collect();
    for (points, most) in [(smooth, 80), (hills(), 100), (vec![pos2(3.0, 4.0); 1], 1), (Vec::new(), 0)] {
        let bends = bends(&points);
        assert!(bends.len() <= most, "{} of {}", bends.len(), points.len());
        for point in &points {
            let after = bends.iter().position(|bend| bend.x >= point.x).expect("it goes to the end");
            let (a, b) = (bends[after.saturating_sub(1)], bends[after]);
            let part = if b.x > a.x { (point.x - a.x) / (b.x - a.x) } else { 1.0 };
            let off = (a.y + part * (b.y - a.y) - point.y).abs();
            assert!(off <= NEAR + 1e-3, "{off} at {point:?}");
        }
    }
}

#[test]
fn what_moves_in_one_place_leaves_the_pieces_elsewhere_as_they_were() {
    let (was, mut is) = (hills(), hills());
    is[40].y += 3.0;
    // and it begins later
    is.drain(..2);
    for draw in [
        |painter: &Painter, points: &[Pos2]| line(painter, points, Stroke::new(1.5, Color32::RED)),
        |painter: &Painter, points: &[Pos2]| area(painter, points, 60.0, Color32::RED),
    ] {
        let (old, new) = (drawn(|painter| draw(painter, &was)), drawn(|painter| draw(painter, &is)));
        assert_eq!(old.len(), new.len());
        let changed = old.iter().zip(&new).filter(|(old, new)| old != new).count();
        assert!((2..=3).contains(&changed), "{changed}");
    }
}
