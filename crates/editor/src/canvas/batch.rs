//! Tessellated shapes in one list of corners, for a plate.

use egui::epaint::{ClippedPrimitive, Primitive, Vertex, WHITE_UV};
use egui::{Pos2, Rect, TextureId};

/// What a plate does, in order. Rectangles are left, top, width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Makes a place black.
    Wipe([i32; 4]),
    /// Draws triangles inside a place.
    Draw {
        /// The place.
        place: [i32; 4],
        /// Of what its corners have parts; most have none, and are drawn for a third of the cost.
        texture: Option<TextureId>,
        /// The first of its indices.
        from: i32,
        /// How many there are.
        count: i32,
    },
}

/// What is to be drawn: steps, the corners of all triangles, and three indices of corners for each.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) steps: Vec<Step>,
    /// As the graphics library takes them: see [`Batch::STRIDE`].
    pub(super) corners: Vec<u8>,
    pub(super) indices: Vec<u8>,
    count: u32,
}

impl Batch {
    /// Bytes of a corner: x and y in points, u and v of the texture as `f32`; red, green, blue, alpha, premultiplied.
    pub(super) const STRIDE: i32 = 20;

    /// Makes a place black.
    pub(super) fn wipe(&mut self, place: Rect, pixels_per_point: f32) {
        self.steps.push(Step::Wipe(pixels(place, pixels_per_point)));
    }

    /// Draws what was tessellated.
    pub(super) fn add(&mut self, primitives: &[ClippedPrimitive], pixels_per_point: f32) {
        for ClippedPrimitive { clip_rect, primitive } in primitives {
            // views have no painters of their own
            let Primitive::Mesh(mesh) = primitive else { continue };
            let place = pixels(*clip_rect, pixels_per_point);
            let first = self.count;
            self.corners.reserve(mesh.vertices.len() * Self::STRIDE as usize);
            self.indices.reserve(4 * mesh.indices.len());
            mesh.vertices.iter().for_each(|corner| self.corner(corner));
            // mostly all of a mesh is letters, or nothing of it
            let is_white = |vertex: &Vertex| vertex.uv == WHITE_UV;
            let all_plain = mesh.texture_id == TextureId::default() && mesh.vertices.iter().all(is_white);
            let some_plain = mesh.texture_id == TextureId::default() && !all_plain;
            for triangle in mesh.indices.as_chunks::<3>().0 {
                if !is_seen(triangle.map(|i| mesh.vertices.get(i as usize).map(|v| v.pos)), *clip_rect) {
                    continue;
                }
                let is_plain = all_plain
                    || some_plain
                        && triangle.iter().all(|&i| mesh.vertices.get(i as usize).is_some_and(is_white));
                let texture = (!is_plain).then_some(mesh.texture_id);
                self.triangle(place, texture, triangle.map(|i| first + i));
            }
        }
    }

    fn corner(&mut self, corner: &Vertex) {
        let [x, y, u, v] = [corner.pos.x, corner.pos.y, corner.uv.x, corner.uv.y].map(f32::to_ne_bytes);
        let mut bytes = [0; Self::STRIDE as usize];
        for (place, word) in
            bytes.as_chunks_mut::<4>().0.iter_mut().zip([x, y, u, v, corner.color.to_array()])
        {
            *place = word;
        }
        // one copy, not five
        self.corners.extend_from_slice(&bytes);
        self.count += 1;
    }

    fn triangle(&mut self, at: [i32; 4], of: Option<TextureId>, corners: [u32; 3]) {
        let end = (self.indices.len() / 4) as i32;
        match self.steps.last_mut() {
            Some(Step::Draw { place, texture, count, .. }) if (*place, *texture) == (at, of) => *count += 3,
            _ => self.steps.push(Step::Draw { place: at, texture: of, from: end, count: 3 }),
        }
        let mut bytes = [0; 12];
        for (place, index) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(corners) {
            *place = index.to_ne_bytes();
        }
        self.indices.extend_from_slice(&bytes);
    }
}

/// Whether a triangle may reach into a place: most of what is only partly there is not.
fn is_seen(corners: [Option<Pos2>; 3], place: Rect) -> bool {
    let [Some(a), Some(b), Some(c)] = corners else { return false };
    a.x.min(b.x).min(c.x) <= place.max.x
        && a.y.min(b.y).min(c.y) <= place.max.y
        && a.x.max(b.x).max(c.x) >= place.min.x
        && a.y.max(b.y).max(c.y) >= place.min.y
}

/// A place in pixels.
fn pixels(place: Rect, pixels_per_point: f32) -> [i32; 4] {
    let [left, top, right, bottom] = [place.min.x, place.min.y, place.max.x, place.max.y]
        .map(|x| (x * pixels_per_point).round().max(0.0) as i32);
    [left, top, (right - left).max(0), (bottom - top).max(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Color32, Mesh, pos2};

    fn clipped(mesh: Mesh) -> ClippedPrimitive {
        let clip_rect = Rect::from_min_max(pos2(1.0, 2.0), pos2(11.0, 22.0));
        ClippedPrimitive { clip_rect, primitive: Primitive::Mesh(mesh) }
    }

    #[test]
    fn order_stays_and_neighbours_of_a_kind_are_drawn_at_once() {
        let plain = |x: f32| {
            let mut mesh = Mesh::default();
            mesh.add_colored_rect(Rect::from_min_max(pos2(x, 3.0), pos2(x + 1.0, 4.0)), Color32::RED);
            mesh
        };
        let mut letters = Mesh::default();
        letters.add_rect_with_uv(
            Rect::from_min_max(pos2(1.0, 3.0), pos2(4.0, 6.0)),
            Rect::from_min_max(pos2(0.5, 0.5), pos2(0.75, 0.75)),
            Color32::WHITE,
        );
        let mut all = plain(1.0);
        // the last is elsewhere
        for mesh in [plain(2.0), letters, plain(4.0), plain(20.0)] {
            all.append(mesh);
        }
        let mut batch = Batch::default();
        batch.wipe(Rect::from_min_max(pos2(1.0, 2.0), pos2(3.0, 4.0)), 2.0);
        batch.add(&[clipped(all), clipped(plain(6.0))], 2.0);
        let place = [2, 4, 20, 40];
        let letters = Some(TextureId::default());
        assert_eq!(
            batch.steps,
            [
                Step::Wipe([2, 4, 4, 4]),
                Step::Draw { place, texture: None, from: 0, count: 12 },
                Step::Draw { place, texture: letters, from: 12, count: 6 },
                // the second mesh's corners follow those of the first
                Step::Draw { place, texture: None, from: 18, count: 12 },
            ]
        );
        assert_eq!(batch.corners.len(), 24 * Batch::STRIDE as usize);
        let last: Vec<u32> =
            batch.indices.as_chunks::<4>().0[24..].iter().map(|bytes| u32::from_ne_bytes(*bytes)).collect();
        assert!(last.iter().all(|i| (20..24).contains(i)), "{last:?}");
        let corner = &batch.corners[..Batch::STRIDE as usize];
        assert_eq!(corner[16..], Color32::RED.to_array());
    }
}
