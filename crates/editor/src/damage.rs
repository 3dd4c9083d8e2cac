//! What of a window has to be drawn again: where the shapes of a frame differ from those of the frame before. Every pixel
//! elsewhere lies under the same shapes in the same order, so it stays as it is.

use egui::emath::TSTransform;
use egui::epaint::{ClippedShape, RectShape, TextShape};
use egui::{Mesh, Rect, Shape, Vec2, pos2};
use std::sync::Arc;

/// How far a shape may reach beyond what it says of itself: a soft edge, the tips of thick lines; points.
const REACH: f32 = 3.0;
/// How many shapes may have come or gone at one place before those behind it are taken for changed.
const AHEAD: usize = 32;
/// Two places become one if that costs less than so many square points.
const SLACK: f32 = 1500.0;
/// More places than that are not kept apart.
const MOST: usize = 20;

/// What a window shows.
#[derive(Debug, Default)]
pub struct Shown {
    shapes: Vec<ClippedShape>,
    /// Where they are.
    places: Vec<Rect>,
    /// The window, and pixels in a point.
    window: Option<(Rect, f32)>,
}

impl Shown {
    /// Takes the shapes of the next frame, and says where it differs from the last one: rectangles of whole pixels, in points.
    /// The first frame, and any of another size, differs everywhere.
    pub fn follow(&mut self, shapes: Vec<ClippedShape>, window: Rect, pixels_per_point: f32) -> Vec<Rect> {
        let places = shapes.iter().map(place).collect();
        let last = std::mem::replace(self, Self { shapes, places, window: Some((window, pixels_per_point)) });
        if last.window != self.window {
            return vec![window];
        }
        let mut changed = Vec::new();
        let mut change = |place: Rect| {
            let place = snapped(place, window, pixels_per_point);
            if place.is_positive() {
                add(&mut changed, place);
            }
        };
        let (mut was, mut is) = (0, 0);
        while was < last.shapes.len() || is < self.shapes.len() {
            let (old, new) = (&last.shapes[was..], &self.shapes[is..]);
            let (gone, come) = match (last.places.get(was), self.places.get(is)) {
                // a piece of what moves lies where it lay, and so does the next
                (Some(left), Some(right)) if left.x_range() == right.x_range() && is_mesh(old, new) => {
                    let gone = usize::from(!same(&old[0], &new[0]));
                    (gone, gone)
                }
                _ => step(old, new),
            };
            let (left, right) = (&last.places[was..was + gone], &self.places[is..is + come]);
            if gone == come {
                for i in 0..gone {
                    match between(&old[i], &new[i]) {
                        Some(place) => change(place),
                        None => [left[i], right[i]].into_iter().for_each(&mut change),
                    }
                }
            } else {
                left.iter().chain(right).for_each(|place| change(*place));
            }
            let same = usize::from(gone + come == 0);
            (was, is) = (was + gone + same, is + come + same);
        }
        changed
    }

    /// The shapes that make the picture in `place`, cut there; and whether the first of them covers all of it, so that
    /// nothing needs to be wiped before.
    pub fn within(&self, place: Rect) -> (Vec<ClippedShape>, bool) {
        let ground = self.shapes.iter().rposition(|shape| covers(shape, place));
        let shapes = self.shapes.iter().zip(&self.places).skip(ground.unwrap_or(0));
        let shapes = shapes.filter(|(_, at)| at.intersect(place).is_positive()).map(|(shape, _)| {
            let mut shape = shape.clone();
            shape.clip_rect = shape.clip_rect.intersect(place);
            shape
        });
        (shapes.collect(), ground.is_some())
    }
}

/// How many have gone and come before the next that may be the same; none if the first are.
fn step(old: &[ClippedShape], new: &[ClippedShape]) -> (usize, usize) {
    let both = old.len().min(new.len());
    if both == 0 {
        return (old.len(), new.len());
    }
    // the fewest that make it fit: one for one is the usual case
    for count in 0..2 * AHEAD {
        for gone in count.saturating_sub(AHEAD)..=count.min(AHEAD) {
            if let (Some(was), Some(is)) = (old.get(gone), new.get(count - gone))
                && same(was, is)
            {
                return (gone, count - gone);
            }
        }
    }
    (AHEAD.min(old.len()), AHEAD.min(new.len()))
}

/// Whether two shapes look the same.
fn same(a: &ClippedShape, b: &ClippedShape) -> bool {
    (a.clip_rect, a.transform_after_tessellation) == (b.clip_rect, b.transform_after_tessellation)
        && match (&a.shape, &b.shape) {
            (Shape::Text(a), Shape::Text(b)) => same_text(a, b),
            (Shape::Mesh(a), Shape::Mesh(b)) => Arc::ptr_eq(a, b) || a == b,
            (a, b) => a == b,
        }
}

/// Whether both begin with a mesh.
fn is_mesh(old: &[ClippedShape], new: &[ClippedShape]) -> bool {
    [old, new].iter().all(|shapes| matches!(shapes.first().map(|first| &first.shape), Some(Shape::Mesh(_))))
}

/// Where two meshes differ, one of which takes the other's place: triangles that both begin or end with stay as they are.
fn between(old: &ClippedShape, new: &ClippedShape) -> Option<Rect> {
    let (Shape::Mesh(was), Shape::Mesh(is)) = (&old.shape, &new.shape) else { return None };
    if (old.clip_rect, old.transform_after_tessellation, was.texture_id)
        != (new.clip_rect, new.transform_after_tessellation, is.texture_id)
    {
        return None;
    }
    let corners = |mesh: &Mesh, of: &[u32; 3]| of.map(|i| mesh.vertices.get(i as usize).copied());
    let same = |(a, b): &(&[u32; 3], &[u32; 3])| corners(was, a) == corners(is, b);
    let (mut gone, mut come) = (was.indices.as_chunks::<3>().0, is.indices.as_chunks::<3>().0);
    let first = gone.iter().zip(come).take_while(same).count();
    (gone, come) = (&gone[first..], &come[first..]);
    let last = gone.iter().rev().zip(come.iter().rev()).take_while(same).count();
    (gone, come) = (&gone[..gone.len() - last], &come[..come.len() - last]);
    let mut place = Rect::NOTHING;
    for (mesh, triangles) in [(was, gone), (is, come)] {
        for corner in triangles.iter().flat_map(|of| corners(mesh, of)).flatten() {
            place.extend_with(corner.pos);
        }
    }
    // a place of nothing is none
    let place = if place.is_negative() { Rect::from_min_size(new.clip_rect.min, Vec2::ZERO) } else { place };
    Some((new.transform_after_tessellation * place).intersect(new.clip_rect))
}

/// Text that stays is laid out once: mostly there is nothing to compare letter by letter.
fn same_text(a: &TextShape, b: &TextShape) -> bool {
    let style = |text: &TextShape| {
        (
            text.pos,
            text.underline,
            text.fallback_color,
            text.override_text_color,
            text.opacity_factor,
            text.angle,
        )
    };
    style(a) == style(b) && (Arc::ptr_eq(&a.galley, &b.galley) || a.galley == b.galley)
}

/// Where a shape leaves something.
fn place(shape: &ClippedShape) -> Rect {
    // a mesh ends where it says
    let reach = if let Shape::Mesh(_) = shape.shape { 0.0 } else { REACH };
    let bounds = shape.shape.visual_bounding_rect().expand(reach);
    (shape.transform_after_tessellation * bounds).intersect(shape.clip_rect)
}

/// Whether nothing of what lies below a shape is seen in `place`.
fn covers(shape: &ClippedShape, place: Rect) -> bool {
    let Shape::Rect(RectShape { rect, corner_radius, fill, blur_width, brush, angle, .. }) = &shape.shape
    else {
        return false;
    };
    // a square in a rounded corner, and a soft edge
    let radius = [corner_radius.nw, corner_radius.ne, corner_radius.sw, corner_radius.se].into_iter().max();
    let within = rect.shrink(0.3 * f32::from(radius.unwrap_or(0)) + 1.0);
    fill.a() == 255
        && shape.transform_after_tessellation == TSTransform::IDENTITY
        && (*blur_width, *angle) == (0.0, 0.0)
        && brush.is_none()
        && shape.clip_rect.contains_rect(place)
        && within.contains_rect(place)
}

/// The whole pixels that have something of `place`, inside the window.
fn snapped(place: Rect, window: Rect, pixels_per_point: f32) -> Rect {
    let place = place.intersect(window);
    let low = |x: f32| (x * pixels_per_point).floor() / pixels_per_point;
    let high = |x: f32| (x * pixels_per_point).ceil() / pixels_per_point;
    Rect::from_min_max(pos2(low(place.min.x), low(place.min.y)), pos2(high(place.max.x), high(place.max.y)))
}

/// Adds a place, together with those that it is cheaper to draw with it.
fn add(places: &mut Vec<Rect>, mut place: Rect) {
    let waste = |a: Rect, b: Rect| a.union(b).area() - a.area() - b.area();
    while let Some(near) = places.iter().position(|other| waste(*other, place) < SLACK) {
        place = place.union(places.swap_remove(near));
    }
    places.push(place);
    if places.len() > MOST
        && let Some(last) = places.pop()
    {
        let nearest =
            (0..places.len()).min_by(|a, b| waste(places[*a], last).total_cmp(&waste(places[*b], last)));
        let near = places.swap_remove(nearest.unwrap_or(0));
        add(places, near.union(last));
    }
}

#[cfg(test)]
mod tests;
