//! Software painter for egui's meshes.

use egui::epaint::{ImageData, ImageDelta, Primitive, Vertex};
use egui::{ClippedPrimitive, Color32, TextureId, TexturesDelta};
use egui_kittest::TestRenderer;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

/// Textures by id: width, height, premultiplied colours.
type Textures = HashMap<TextureId, (usize, usize, Vec<Color32>)>;

/// Textures of the painter; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Painter(Rc<RefCell<Textures>>);

impl TestRenderer for Painter {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        let mut textures = self.0.borrow_mut();
        for (id, changes) in delta.set.drain() {
            for ImageDelta { image, pos, .. } in changes {
                let ImageData::Color(image) = image;
                let [width, height] = image.size;
                match pos {
                    None => drop(textures.insert(id, (width, height, image.pixels.clone()))),
                    Some([x, y]) => {
                        let Some((whole, _, pixels)) = textures.get_mut(&id) else { continue };
                        for (row, line) in image.pixels.chunks(width).enumerate() {
                            let start = (y + row) * *whole + x;
                            pixels[start..start + width].copy_from_slice(line);
                        }
                    }
                }
            }
        }
        delta.free.clear();
    }
}

/// A drawn window: premultiplied colours, row by row.
#[derive(Clone, Debug)]
pub struct Image {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Pixels, `width * height`.
    pub pixels: Vec<[f32; 4]>,
}

impl Painter {
    /// Draws tessellated shapes.
    pub fn draw(&self, primitives: &[ClippedPrimitive], size: egui::Vec2, pixels_per_point: f32) -> Image {
        let (width, height) =
            ((size.x * pixels_per_point).round() as usize, (size.y * pixels_per_point).round() as usize);
        let mut image = Image { width, height, pixels: vec![[0.0, 0.0, 0.0, 1.0]; width * height] };
        let textures = self.0.borrow();
        for ClippedPrimitive { clip_rect, primitive } in primitives {
            let Primitive::Mesh(mesh) = primitive else { continue };
            let Some(texture) = textures.get(&mesh.texture_id) else { continue };
            let clip = [clip_rect.min.x, clip_rect.min.y, clip_rect.max.x, clip_rect.max.y]
                .map(|x| (x * pixels_per_point).round().max(0.0) as usize);
            for triangle in mesh.indices.chunks_exact(3) {
                let corners = [0, 1, 2].map(|i| mesh.vertices[triangle[i] as usize]);
                image.triangle(corners, clip, texture, pixels_per_point);
            }
        }
        image
    }
}

impl Image {
    fn triangle(
        &mut self,
        corners: [Vertex; 3],
        [left, top, right, bottom]: [usize; 4],
        texture: &(usize, usize, Vec<Color32>),
        scale: f32,
    ) {
        let p = corners.map(|v| (v.pos.x * scale, v.pos.y * scale));
        let edge =
            |a: (f32, f32), b: (f32, f32), x: f32, y: f32| (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0);
        let area = edge(p[0], p[1], p[2].0, p[2].1);
        if area == 0.0 || !area.is_finite() {
            return;
        }
        let least = |f: fn(&(f32, f32)) -> f32| {
            p.iter().map(f).fold(f32::INFINITY, f32::min).floor().max(0.0) as usize
        };
        let most = |f: fn(&(f32, f32)) -> f32| p.iter().map(f).fold(0.0, f32::max).ceil().max(0.0) as usize;
        let (x0, x1) = (least(|p| p.0).max(left), most(|p| p.0).min(right).min(self.width));
        let (y0, y1) = (least(|p| p.1).max(top), most(|p| p.1).min(bottom).min(self.height));
        let colours = corners.map(|v| v.color.to_array().map(f32::from));
        // a pixel on the edge of two triangles belongs to the one whose edge is at its top or left
        let owns = |a: (f32, f32), b: (f32, f32)| {
            let (dx, dy) = if area > 0.0 { (b.0 - a.0, b.1 - a.1) } else { (a.0 - b.0, a.1 - b.1) };
            dy < 0.0 || (dy == 0.0 && dx > 0.0)
        };
        let sides = [(p[1], p[2]), (p[2], p[0]), (p[0], p[1])];
        for y in y0..y1 {
            for x in x0..x1 {
                let (cx, cy) = (x as f32 + 0.5, y as f32 + 0.5);
                let weights = sides.map(|(a, b)| edge(a, b, cx, cy) / area);
                let inside = |i: usize| weights[i] > 0.0 || weights[i] == 0.0 && owns(sides[i].0, sides[i].1);
                if !(inside(0) && inside(1) && inside(2)) {
                    continue;
                }
                let mix = |values: [f32; 3]| (0..3).map(|i| values[i] * weights[i]).sum::<f32>();
                let texel = sample(texture, mix(corners.map(|v| v.uv.x)), mix(corners.map(|v| v.uv.y)));
                let source: [f32; 4] =
                    core::array::from_fn(|c| mix(colours.map(|colour| colour[c])) / 255.0 * texel[c]);
                let pixel = &mut self.pixels[y * self.width + x];
                for c in 0..4 {
                    pixel[c] = source[c] + pixel[c] * (1.0 - source[3]);
                }
            }
        }
    }

    /// Writes a PNG file, making its folder.
    pub fn save(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        let file = std::io::BufWriter::new(std::fs::File::create(path)?);
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let byte = |x: f32| (x.clamp(0.0, 1.0) * 255.0).round() as u8;
        let bytes: Vec<u8> = self.pixels.iter().flat_map(|p| [byte(p[0]), byte(p[1]), byte(p[2])]).collect();
        encoder.write_header()?.write_image_data(&bytes)?;
        Ok(())
    }
}

/// Bilinear, clamped at the edges.
fn sample((width, height, pixels): &(usize, usize, Vec<Color32>), u: f32, v: f32) -> [f32; 4] {
    let (x, y) = (u * *width as f32 - 0.5, v * *height as f32 - 0.5);
    let (fx, fy) = (x - x.floor(), y - y.floor());
    let at = |dx: f32, dy: f32| {
        let column = (x.floor() + dx).clamp(0.0, *width as f32 - 1.0) as usize;
        let row = (y.floor() + dy).clamp(0.0, *height as f32 - 1.0) as usize;
        pixels[row * width + column].to_array().map(|c| f32::from(c) / 255.0)
    };
    let [a, b, c, d] = [at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0), at(1.0, 1.0)];
    core::array::from_fn(|i| {
        let (top, low) = (a[i] + (b[i] - a[i]) * fx, c[i] + (d[i] - c[i]) * fx);
        top + (low - top) * fy
    })
}
