//! Graph of the equalizer: response, nodes, spectra.

mod axes;
mod band;
mod card;
mod curve;
mod nodes;

use super::analyser::AnalyserFrame;
use super::paint::{self, area, between};
use super::theme::Palette;
use super::view_model::ViewCx;
use axes::Axes;
pub use band::BandRows;
use curve::Curves;
use egui::{Pos2, Rect, Sense, Stroke, Ui, pos2};

/// Largest distance of two spectra that are drawn as one line, dB: less than half a pixel.
const LINE_TOLERANCE_DB: f32 = 0.1;

/// State of the graph between frames; it never affects the sound.
#[derive(Debug)]
pub struct Graph {
    /// The band whose card is shown, by index.
    pub selected: Option<usize>,
    /// Range of the gain axis, up and down, dB.
    pub range: f64,
    curves: Curves,
    /// The card stands at the top, not at the bottom.
    card_at_top: bool,
}

impl Default for Graph {
    fn default() -> Self {
        Self { selected: None, range: 18.0, curves: Curves::default(), card_at_top: false }
    }
}

impl Graph {
    /// Draws the graph in `place`.
    pub fn draw_graph(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
        let palette = cx.palette;
        paint::panel(ui, place, &palette);
        let axes = Axes::new(place, self.range);
        let ground = ui.interact(axes.plot, ui.scope_id().with("equalizer"), Sense::click());
        ground.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Canvas, true, "Equalizer"));
        axes.draw(ui, &palette);
        self.spectra(ui, cx, &axes);
        self.curves.follow(&cx.model.settings.equalizer, cx.model.rate, axes.plot.width());
        self.response(ui, cx, &axes);
        nodes::ground(self, ui, cx, &axes, &ground);
        axes::choose_range(ui, &palette, place, &mut self.range);
        nodes::draw_nodes(self, ui, cx, &axes);
        card::draw_band_card(self, ui, cx, &axes);
    }

    fn spectra(&self, ui: &Ui, cx: &ViewCx<'_>, axes: &Axes) {
        let AnalyserFrame { before, after, .. } = &cx.model.picture;
        for other in &cx.model.others {
            let points = spectrum(axes, &other.levels);
            ui.painter().line(points, Stroke::new(1.0, Palette::faint(other.colour, 0.45)));
        }
        // names of neighbours stand on lines of their own, and what finds no line is told by its band alone
        let left = axes.plot.min.x;
        // the first begins behind the choice of the range
        let mut lines = [left + 64.0, left, left];
        let pen = paint::pen(super::theme::font(super::theme::SMALL), cx.palette.good);
        for clash in &cx.model.clashes {
            let band = Rect::from_x_y_ranges(axes.x(clash.low)..=axes.x(clash.high), axes.plot.y_range());
            ui.painter().rect_filled(band, 0.0, Palette::faint(cx.palette.good, 0.12));
            let words = format!("collides with {}", clash.name);
            let width = paint::width(ui, &words, &pen).min(axes.plot.width());
            let left = (band.center().x - width / 2.0).clamp(axes.plot.min.x, axes.plot.max.x - width);
            if let Some(line) = lines.iter().position(|end| *end <= left) {
                lines[line] = left + width + 8.0;
                let top = pos2(left, band.min.y + 3.0 + 14.0 * line as f32);
                let place = Rect::from_min_size(top, egui::vec2(width, 14.0));
                paint::label(ui, place, egui::Align2::LEFT_CENTER, &words, &pen).on_hover_text(
                    "There the other stem is louder, as far as averages tell (third octaves, spread as masking spreads; Terhardt 1979). A hint: trust your ears.",
                );
            }
        }
        if before.iter().chain(after).all(|&level| level <= super::analyser::FLOOR_DB) {
            return;
        }
        let points = spectrum(axes, after);
        area(ui.painter(), &points, axes.plot.max.y, Palette::faint(cx.track, 0.16));
        // what comes in is a hair line: it matters where it differs, and elsewhere lies below the other
        if before.iter().zip(after).any(|(before, after)| (before - after).abs() > LINE_TOLERANCE_DB) {
            let entering = spectrum(axes, before);
            ui.painter().line(entering, Stroke::new(1.0, Palette::faint(cx.palette.dim, 0.7)));
        }
        ui.painter().line(points, Stroke::new(1.25, Palette::faint(cx.track, 0.85)));
    }

    fn response(&self, ui: &Ui, cx: &ViewCx<'_>, axes: &Axes) {
        let palette = &cx.palette;
        for band in BandRows::all(cx.model.chain_kind) {
            let moving = self.curves.moving(cx, band);
            if let Some((still, moved)) = moving {
                let (still, moved) = (axes.line(&still), axes.line(&moved));
                between(&inside(ui, axes), &still, &moved, Palette::faint(palette.accent, 0.28));
            }
        }
        if let Some(index) = self.selected
            && let Some(own) = self.curves.own(index)
        {
            let flat = vec![0.0; own.len()];
            let (flat, own) = (axes.line(&flat), axes.line(own));
            between(&inside(ui, axes), &flat, &own, Palette::faint(palette.accent, 0.14));
        }
        let inside = inside(ui, axes);
        for (index, (placement, levels)) in self.curves.apart().iter().enumerate() {
            let points = axes.line(levels);
            if let Some(end) = points.last() {
                // beside each other: where they end they often meet
                let at = axes.plot.shrink(8.0).clamp(pos2(end.x - 10.0 - 14.0 * index as f32, end.y - 8.0));
                let tag = Rect::from_center_size(at, egui::vec2(16.0, 12.0));
                let pen = paint::pen(super::theme::strong(super::theme::TINY), palette.secondary);
                paint::text(ui, tag, egui::Align2::CENTER_CENTER, placement, &pen);
            }
            inside.line(points, Stroke::new(1.5, palette.secondary));
        }
        inside.line(axes.line(self.curves.whole()), Stroke::new(2.0, palette.text));
    }
}

/// Returns a spectrum as a line, from the first to the last point above the bottom of the plot.
fn spectrum(axes: &Axes, levels: &[f32]) -> Vec<Pos2> {
    let last = levels.len().saturating_sub(1).max(1) as f32;
    let seen = |level: &f32| *level > axes::LOWEST_LEVEL_DB;
    let (Some(from), Some(to)) = (levels.iter().position(seen), levels.iter().rposition(seen)) else {
        return Vec::new();
    };
    (from..=to).map(|i| axes.level(i as f32 / last, levels[i])).collect()
}

/// Returns a painter that is clipped to the plot.
fn inside(ui: &Ui, axes: &Axes) -> egui::Painter {
    ui.painter().with_clip_rect(axes.plot)
}
