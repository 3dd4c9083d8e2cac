//! Legend of the words and patterns by which windows tell how sure a figure is.

use super::controls::menu;
use super::theme::{self, Palette};
use egui::{Color32, Rect, RichText, Sense, Stroke, Ui, pos2, vec2};
use session::heard_part::EXACT_FOOTNOTE;

/// Width of the menu's button, points.
pub(super) const WIDTH: f32 = 62.0;

/// Hatching of a passage: direction of its strokes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hatching {
    /// Not heard yet.
    Rising,
    /// Heard, and not counted.
    Falling,
}

impl Hatching {
    /// Returns the colour of the strokes.
    pub(super) fn ink(self, palette: &Palette) -> Color32 {
        if self == Self::Rising { palette.line } else { palette.dim }
    }
}

/// Draws the button *Legend*, which opens it, at the right end of `place`.
pub(super) fn draw_menu(ui: &mut Ui, palette: &Palette, place: Rect) {
    let at = Rect::from_min_max(pos2(place.max.x - WIDTH, place.min.y), place.max);
    let response = menu(ui, palette, at, "Legend", "Legend", palette.secondary);
    egui::Popup::menu(&response).show(|ui| {
        ui.set_width(330.0);
        let exact = EXACT_FOOTNOTE.trim_start_matches("* ");
        line(ui, palette, Some((palette.good, "exact*")), exact);
        line(ui, palette, Some((palette.reduction, "estimate ±")), "The truth lies within the interval.");
        line(
            ui,
            palette,
            Some((palette.reduction, "simulated")),
            "Excerpts of the song were run through the Master's chain; ± is the largest error.",
        );
        ui.separator();
        pattern(ui, palette, Hatching::Rising, "Not heard yet: it counts in no figure.");
        pattern(
            ui,
            palette,
            Hatching::Falling,
            "Heard soloed, with other settings, or long ago: it does not count.",
        );
    });
}

fn line(ui: &mut Ui, palette: &Palette, word: Option<(Color32, &str)>, meaning: &str) {
    ui.horizontal_top(|ui| {
        if let Some((ink, word)) = word {
            ui.add_sized(vec2(74.0, 16.0), egui::Label::new(RichText::new(word).color(ink)));
        }
        ui.add(egui::Label::new(RichText::new(meaning).size(theme::SMALL).color(palette.text)).wrap());
    });
}

fn pattern(ui: &mut Ui, palette: &Palette, hatching: Hatching, meaning: &str) {
    ui.horizontal(|ui| {
        let (place, _) = ui.allocate_exact_size(vec2(74.0, 16.0), Sense::hover());
        ui.painter().rect_filled(place, 2.0, palette.background);
        strokes(&ui.painter().with_clip_rect(place), place, hatching, hatching.ink(palette));
        ui.add(egui::Label::new(RichText::new(meaning).size(theme::SMALL).color(palette.text)).wrap());
    });
}

/// Draws the strokes of a hatching over `place`.
pub(super) fn strokes(painter: &egui::Painter, place: Rect, hatching: Hatching, ink: Color32) {
    const SPACING: f32 = 5.0;
    let height = place.height();
    let mut x = place.min.x - height;
    while x < place.max.x {
        let (low, high) = if hatching == Hatching::Rising { (x, x + height) } else { (x + height, x) };
        painter.line_segment([pos2(low, place.max.y), pos2(high, place.min.y)], Stroke::new(1.0, ink));
        x += SPACING;
    }
}
