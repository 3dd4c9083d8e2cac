//! Stereo field: mid upwards, side across; mono is a vertical line.

use crate::analyser::FLOOR_DB;
use crate::paint::{self, pen};
use crate::theme::{self, Palette};
use crate::view_model::ViewCx;
use egui::{Align2, CornerRadius, Rect, Stroke, Ui, pos2, vec2};

/// Draws the field in `place`.
pub(super) fn draw_field(ui: &Ui, cx: &ViewCx<'_>, place: Rect) {
    let palette = &cx.palette;
    let below = Rect::from_min_max(pos2(place.min.x, place.max.y - 12.0), place.max);
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    let words = if below.width() >= 60.0 { "stereo field" } else { "stereo" };
    paint::text(ui, below, Align2::CENTER_CENTER, words, &tiny);
    let well = Rect::from_min_max(place.min, pos2(place.max.x, place.max.y - 16.0));
    ui.painter().rect_filled(well, CornerRadius::same(6), palette.background);
    let (centre, reach) = (well.center(), well.size().min_elem() * 0.5 - 4.0);
    let grid = Stroke::new(1.0, Palette::faint(palette.line, 0.8));
    ui.painter().line_segment([centre - vec2(0.0, reach), centre + vec2(0.0, reach)], grid);
    ui.painter().line_segment([centre - vec2(reach, 0.0), centre + vec2(reach, 0.0)], grid);
    // quiet music fills the field, too: the loudest of these frames is at its edge
    let frames = &cx.model.picture.field;
    let loudest = frames.iter().flatten().fold(0.0f32, |m, x| m.max(x.abs()));
    if loudest <= units::linear(f64::from(FLOOR_DB)) as f32 {
        return;
    }
    let scale = reach / (loudest * core::f32::consts::SQRT_2);
    let mut mesh = egui::Mesh::default();
    let colour = Palette::faint(cx.track, 0.55);
    for [left, right] in frames.iter().step_by(5) {
        let turned = vec2(right - left, -(left + right)) * core::f32::consts::FRAC_1_SQRT_2;
        mesh.add_colored_rect(Rect::from_center_size(centre + turned * scale, vec2(1.5, 1.5)), colour);
    }
    ui.painter().with_clip_rect(well).add(mesh);
}
