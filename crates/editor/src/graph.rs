//! Graph of the equalizer: response, nodes, spectra.

mod axes;
mod band;
mod card;
mod clipboard;
mod curve;
mod handles;
mod mark;
mod nodes;
mod spectrum;

use super::edits::Edit;
use super::paint::{self, between};
use super::theme::Palette;
use super::view_model::{Clash, ViewCx};
use axes::Axes;
pub use band::BandRows;
use chain::monitor::MonitorMode;
use curve::Curves;
use dsp::equalizer::BANDS;
use egui::{Rect, Sense, Stroke, Ui, pos2};
use spectrum::FrozenSpectra;

/// State of the graph between frames; it never affects the sound.
#[derive(Debug)]
pub struct Graph {
    /// The band whose card is shown, by index.
    pub selected: Option<usize>,
    /// Range of the gain axis, up and down, dB.
    pub range: f64,
    /// Bands that are selected beside that one.
    also: [bool; BANDS],
    /// Monitor mode from before a band's headphone is held.
    soloed: Option<MonitorMode>,
    /// Message until the next click.
    message: Option<String>,
    /// A node or the background has the keyboard.
    has_keyboard: bool,
    curves: Curves,
    frozen: FrozenSpectra,
    /// The card stands at the top, not at the bottom.
    card_at_top: bool,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            selected: None,
            range: 18.0,
            also: [false; BANDS],
            soloed: None,
            message: None,
            has_keyboard: false,
            curves: Curves::default(),
            frozen: FrozenSpectra::default(),
            card_at_top: false,
        }
    }
}

impl Graph {
    /// Draws the graph in `place`, and its menus at the right of `bar`.
    pub fn draw_graph(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>, bar: Rect, place: Rect) {
        let palette = cx.palette;
        let axes = Axes::new(place, self.range, cx.model.display.spectrum.range);
        let ground = ui.interact(axes.plot, ui.scope_id().with("equalizer"), Sense::click_and_drag());
        ground.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Canvas, true, "Equalizer"));
        axes.draw(ui, &palette);
        self.spectra(ui, cx, &axes);
        self.curves.follow(&cx.model.settings.equalizer, cx.model.rate, axes.plot.width());
        self.response(ui, cx, &axes);
        nodes::ground(self, ui, cx, &axes, &ground);
        spectrum::draw_scale(ui, &palette, &axes);
        let right = self.frozen.draw_controls(ui, cx, bar);
        axes::choose_range(ui, &palette, pos2(right, bar.min.y), &mut self.range);
        self.frozen.draw_readout(ui, cx, &axes, &ground);
        self.has_keyboard = ground.has_focus();
        nodes::draw_nodes(self, ui, cx, &axes);
        handles::draw_handles(self, ui, cx, &axes);
        card::draw_band_card(self, ui, cx, &axes);
        if self.selected.is_none() {
            mark::draw_mark(self, ui, cx, &axes);
        }
        self.end_solo(ui, cx);
        if self.has_keyboard {
            clipboard::keys(self, ui, cx);
        }
        if let Some(message) = &self.message {
            let ink = paint::pen(super::theme::font(super::theme::SMALL), palette.reduction);
            let line =
                Rect::from_min_size(axes.plot.left_bottom() + egui::vec2(8.0, -20.0), axes.plot.size());
            paint::label(ui, line.with_max_y(axes.plot.max.y), egui::Align2::LEFT_CENTER, message, &ink);
        }
    }

    /// Returns the selected bands, by index.
    fn selection(&self) -> Vec<usize> {
        (0..BANDS).filter(|index| self.is_selected(*index)).collect()
    }

    fn is_selected(&self, index: usize) -> bool {
        self.selected == Some(index) || self.also[index]
    }

    /// Returns the bands that move with `index`: the selection if it is one of them.
    fn moved_with(&self, index: usize) -> Vec<usize> {
        if self.is_selected(index) { self.selection() } else { vec![index] }
    }

    /// Selects these bands and no other; the card is that of a single one.
    fn select_all(&mut self, bands: &[usize]) {
        self.also = core::array::from_fn(|index| bands.contains(&index));
        self.selected = if let [single] = bands { Some(*single) } else { None };
    }

    /// Plays a band while its headphone is held.
    fn hold_solo(&mut self, cx: &mut ViewCx<'_>, band: usize) {
        if self.soloed.is_none() {
            self.soloed = Some(cx.model.listen);
            cx.edits.request(Edit::MonitorMode(MonitorMode::Band(band)));
        }
    }

    /// Returns to what was heard before once nothing is held any more.
    fn end_solo(&mut self, ui: &Ui, cx: &mut ViewCx<'_>) {
        if let Some(before) = self.soloed
            && !ui.input(|input| input.pointer.any_down())
        {
            self.soloed = None;
            cx.edits.request(Edit::MonitorMode(before));
        }
    }

    fn spectra(&self, ui: &Ui, cx: &ViewCx<'_>, axes: &Axes) {
        for other in &cx.model.others {
            let points = spectrum::line(axes, &other.levels);
            ui.painter().line(points, Stroke::new(1.0, Palette::faint(other.colour, 0.45)));
        }
        if !cx.model.picture.fades {
            collisions(ui, cx, axes);
        }
        self.frozen.draw(ui, cx, axes);
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

/// Largest number of stems whose collisions are named.
const MAX_NAMED_COLLISIONS: usize = 3;

/// Draws where other stems are in the way, in their colours. Each of at most three is named once, over its widest range; the
/// rest is told by its band alone.
fn collisions(ui: &Ui, cx: &ViewCx<'_>, axes: &Axes) {
    let palette = &cx.palette;
    let place =
        |clash: &Clash| Rect::from_x_y_ranges(axes.x(clash.low)..=axes.x(clash.high), axes.plot.y_range());
    let mut named: Vec<&Clash> = Vec::new();
    for clash in &cx.model.clashes {
        let band = place(clash);
        ui.painter().rect_filled(band, 0.0, Palette::faint(clash.colour, 0.12));
        let edge = Stroke::new(2.0, Palette::faint(clash.colour, 0.9));
        ui.painter().hline(band.x_range(), band.min.y + 1.0, edge);
        match named.iter_mut().find(|known| known.name == clash.name) {
            Some(known) if place(known).width() < band.width() => *known = clash,
            Some(_) => {}
            None => named.push(clash),
        }
    }
    named.sort_by(|a, b| place(b).width().total_cmp(&place(a).width()));
    named.truncate(MAX_NAMED_COLLISIONS);
    named.sort_by(|a, b| a.low.0.total_cmp(&b.low.0));
    let left = axes.plot.min.x;
    let mut lines = [left; MAX_NAMED_COLLISIONS];
    let pen = paint::pen(super::theme::font(super::theme::SMALL), palette.text);
    for clash in named {
        let band = place(clash);
        let words = format!("collides with {}", clash.name);
        let width = (paint::width(ui, &words, &pen) + 14.0).min(axes.plot.width());
        let left = (band.center().x - width / 2.0).clamp(axes.plot.min.x, axes.plot.max.x - width);
        let Some(line) = lines.iter().position(|end| *end <= left) else { continue };
        lines[line] = left + width + 8.0;
        let top = pos2(left, band.min.y + 4.0 + 14.0 * line as f32);
        let at = Rect::from_min_size(top, egui::vec2(width, 14.0));
        ui.painter().rect_filled(at, 3.0, Palette::faint(palette.panel, 0.75));
        ui.painter().circle_filled(pos2(at.min.x + 6.0, at.center().y), 3.0, clash.colour);
        let at = Rect::from_min_max(pos2(at.min.x + 13.0, at.min.y), at.max);
        paint::label(ui, at, egui::Align2::LEFT_CENTER, &words, &pen).on_hover_text(
            "There the other stem is louder, as far as averages tell (third octaves, spread as masking spreads; Terhardt 1979). A hint: trust your ears.",
        );
    }
}

/// Returns a painter that is clipped to the plot.
fn inside(ui: &Ui, axes: &Axes) -> egui::Painter {
    ui.painter().with_clip_rect(axes.plot)
}
