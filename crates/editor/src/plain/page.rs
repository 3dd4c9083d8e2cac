//! Software rendering of the page's text.

use super::PageText;
use crate::theme::{BODY, GAP, Palette, SMALL, TITLE, font, fonts, strong};
use egui::epaint::FontColorTransferFunction;
use egui::epaint::text::{Fonts, LayoutJob, TextOptions};
use egui::{Color32, FontId, Galley, Vec2, vec2};
use std::sync::Arc;

const MESSAGE: &str = "This window needs OpenGL, which is not working here.";
const ADVICE: &str = "Every parameter can be used in the host's own list of parameters.";

/// Largest width of lines, points.
const MAX_LINE_WIDTH: f32 = 480.0;
/// Smallest margin at every side, points.
const MARGIN: f32 = 24.0;

/// Pixels, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageImage {
    /// Pixels in a row.
    pub(super) width: usize,
    /// `width` times the number of rows.
    pub(super) pixels: Vec<Color32>,
}

/// Painter of the page.
pub(super) struct PagePainter {
    fonts: Fonts,
    words: PageText,
    palette: Palette,
}

impl PagePainter {
    /// Reads the fonts.
    pub(super) fn new(words: PageText, palette: Palette) -> Self {
        let color_transfer_function = if palette.dark {
            FontColorTransferFunction::DARK_MODE_DEFAULT
        } else {
            FontColorTransferFunction::LIGHT_MODE_DEFAULT
        };
        let options = TextOptions { color_transfer_function, ..TextOptions::default() };
        Self { fonts: Fonts::new(options, fonts()), words, palette }
    }

    /// Paints the page at a size in pixels. Text without room is cut.
    pub(super) fn paint(&mut self, (width, height): (usize, usize), pixels_per_point: f32) -> PageImage {
        let size = vec2(width as f32, height as f32) / pixels_per_point;
        let column = (size.x - 2.0 * MARGIN).clamp(1.0, MAX_LINE_WIDTH);
        let lines = self.lines(column, pixels_per_point);
        let used = lines.iter().map(|line| line.size().y).sum::<f32>() + GAP * (lines.len() - 1) as f32;
        let mut at = vec2((size.x - column) / 2.0, (size.y - used) / 2.0).max(Vec2::ZERO);
        let mut picture = PageImage { width, pixels: vec![self.palette.background; width * height] };
        for line in lines {
            self.write(&mut picture, &line, at, pixels_per_point);
            at.y += line.size().y + GAP;
        }
        picture
    }

    fn lines(&mut self, column: f32, pixels_per_point: f32) -> Vec<Arc<Galley>> {
        let (words, palette) = (&self.words, &self.palette);
        let texts: [(&str, FontId, Color32, usize); 4] = [
            (&words.title, strong(TITLE), palette.text, 2),
            (MESSAGE, font(BODY), palette.text, usize::MAX),
            (&words.reason, font(SMALL), palette.secondary, 6),
            (ADVICE, font(BODY), palette.text, usize::MAX),
        ];
        let mut fonts = self.fonts.with_pixels_per_point(pixels_per_point);
        let laid_out = texts.into_iter().map(|(text, font, colour, rows)| {
            let mut job = LayoutJob::simple(text.into(), font, colour, column);
            job.wrap.max_rows = rows;
            fonts.layout_job(job)
        });
        laid_out.collect()
    }

    /// Copies the coverage of every letter from the fonts' atlas.
    fn write(&self, picture: &mut PageImage, text: &Galley, at: Vec2, pixels_per_point: f32) {
        let atlas = self.fonts.texture_atlas().image();
        let colour = text.job.sections.first().map_or(self.palette.text, |section| section.format.color);
        for row in &text.rows {
            // first the row, then each letter in it, onto whole pixels: so that all stand on one line
            let origin = ((at + row.pos.to_vec2()) * pixels_per_point).round();
            for glyph in &row.glyphs {
                let letter = glyph.uv_rect;
                let corner = origin + ((glyph.pos.to_vec2() + letter.offset) * pixels_per_point).round();
                let [left, top] = letter.min.map(usize::from);
                let [right, bottom] = letter.max.map(usize::from);
                for (y, x) in (top..bottom).flat_map(|y| (left..right).map(move |x| (y, x))) {
                    let coverage = atlas.pixels.get(y * atlas.width() + x).map_or(0, Color32::a);
                    let place = (corner.x + (x - left) as f32, corner.y + (y - top) as f32);
                    picture.blend(place, colour, coverage);
                }
            }
        }
    }
}

impl PageImage {
    /// Mixes a colour into a pixel; ignores pixels outside the picture.
    fn blend(&mut self, (x, y): (f32, f32), colour: Color32, coverage: u8) {
        if x < 0.0 || y < 0.0 || x >= self.width as f32 {
            return;
        }
        if let Some(pixel) = self.pixels.get_mut(y as usize * self.width + x as usize) {
            let mix = |under: u8, over: u8| {
                let (under, over, part) = (u32::from(under), u32::from(over), u32::from(coverage));
                ((under * (255 - part) + over * part + 127) / 255) as u8
            };
            *pixel = Color32::from_rgb(
                mix(pixel.r(), colour.r()),
                mix(pixel.g(), colour.g()),
                mix(pixel.b(), colour.b()),
            );
        }
    }
}

#[cfg(test)]
mod tests;
