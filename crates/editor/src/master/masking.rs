//! Masking between stems: bands across, stems down, the most masked first. Three kinds of cell: clear, shared, covered.

use crate::controls::{Weight, pill, pill_width};
use crate::edits::Edit;
use crate::format::number;
use crate::paint::{self, pen, shortened};
use crate::theme::{self, PAD, Palette};
use crate::view_model::ViewCx;
use egui::{Align2, Color32, CornerRadius, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use plugin_core::session_view::{BandMark, StemCard};
use session::masking::{BAND_COUNT, BandLevels, Masking, centre_hz, masking};

/// Smallest height of a row, points.
const MIN_ROW_HEIGHT: f32 = 16.0;
const MAX_ROW_HEIGHT: f32 = 72.0;
/// Width of the names, points.
const NAME_WIDTH: f32 = 132.0;
const COVERED_WIDTH: f32 = 56.0;

/// Kind of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cover {
    /// The stem is louder than the others together by 2 dB or more.
    Clear,
    /// In between.
    Shared,
    /// The others are louder by 2 dB or more.
    Covered,
}

impl Cover {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Clear, "clear"), (Self::Shared, "shared"), (Self::Covered, "covered")];

    /// Returns the kind of a masking, 0 to 1.
    fn of(part: f64) -> Self {
        match part {
            x if x < 1.0 / 3.0 => Self::Clear,
            x if x < 2.0 / 3.0 => Self::Shared,
            _ => Self::Covered,
        }
    }

    /// Draws a cell of a stem of that colour: the fuller, the more is covered, so that kinds differ without colours, too.
    fn draw(self, ui: &Ui, palette: &Palette, cell: Rect, colour: Color32) {
        let round = CornerRadius::same(2);
        ui.painter().rect_filled(cell, round, Palette::faint(colour, 0.22));
        let half = Rect::from_min_max(pos2(cell.min.x, cell.center().y), cell.max);
        match self {
            Self::Clear => {}
            Self::Shared => {
                ui.painter().rect_filled(half, round, Palette::faint(palette.reduction, 0.45));
            }
            Self::Covered => {
                ui.painter().rect_filled(cell, round, Palette::faint(palette.reduction, 0.85));
            }
        }
    }
}

/// Returns the spectra of stems: as they are now, or the averages of the song where there are any.
fn spectra(cx: &ViewCx<'_>, stems: &[&StemCard], is_now: bool) -> Vec<BandLevels> {
    let averages = &cx.model.master.song_spectra;
    let average = |stem: &StemCard| averages.iter().find(|(id, _)| *id == stem.id).map(|(_, levels)| *levels);
    stems.iter().map(|stem| average(stem).filter(|_| !is_now).unwrap_or(stem.spectrum)).collect()
}

/// Draws the masking page in `place`; `is_now`: of this moment, not of the song.
pub(super) fn draw_masking(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect, is_now: &mut bool) {
    let palette = &cx.palette.clone();
    paint::panel(ui, place, palette);
    let inner = place.shrink(PAD);
    let small = pen(theme::font(theme::SMALL), palette.secondary);
    let top = Rect::from_min_size(inner.min, vec2(inner.width(), 18.0));
    let model = cx.model;
    let stems: Vec<&StemCard> = model.snapshot.summed_stems().collect();
    let spectra = spectra(cx, &stems, *is_now);
    let sounding = spectra.iter().filter(|levels| levels.iter().any(Option::is_some)).count();
    if sounding < 2 {
        let words = "Press play: with two stems sounding, this shows where they cover each other.";
        paint::label(ui, inner, Align2::CENTER_CENTER, words, &small);
        return;
    }
    let mut right = top.max.x;
    for (words, now) in [("Now", true), ("Song", false)] {
        let at = Rect::from_min_max(
            pos2(right - pill_width(ui, words), top.min.y - 1.0),
            pos2(right, top.max.y + 1.0),
        );
        let weight = if now == *is_now { Weight::Chosen } else { Weight::Quiet };
        let response = pill(ui, palette, at, words, weight, true);
        if response.clicked() {
            *is_now = now;
        }
        response.on_hover_text(if now {
            "The last moments."
        } else {
            "The average of all that was played since this window was opened, or since meters were reset."
        });
        right = at.min.x - 4.0;
    }
    for (cover, words) in Cover::ALL.into_iter().rev() {
        let room = Rect::from_min_max(top.min, pos2(right - 4.0, top.max.y));
        let at = paint::text(ui, room, Align2::RIGHT_CENTER, words, &small);
        let cell = Rect::from_center_size(pos2(at.min.x - 9.0, top.center().y), vec2(10.0, 12.0));
        cover.draw(ui, palette, cell, palette.secondary);
        right = cell.min.x - 8.0;
    }
    let title = "Where stems are covered by the others. A hint from averages: trust your ears.";
    let room = Rect::from_min_max(top.min, pos2(right - PAD, top.max.y));
    let shown = shortened(ui, title, &small, room.width());
    paint::label(ui, room, Align2::LEFT_CENTER, &shown, &small).on_hover_text(title);
    let found = masking(&spectra);
    let mut order: Vec<usize> = (0..stems.len()).collect();
    order.sort_by(|a, b| found[*b].average().total_cmp(&found[*a].average()));
    let list = Rect::from_min_max(pos2(inner.min.x, top.max.y + 4.0), pos2(inner.max.x, inner.max.y - 18.0));
    let fit = ((list.height() / MIN_ROW_HEIGHT) as usize).max(1);
    let shown = order.len().min(fit);
    let height = (list.height() / shown as f32).clamp(MIN_ROW_HEIGHT, MAX_ROW_HEIGHT).floor();
    let grid = Rect::from_min_max(
        pos2(list.min.x + NAME_WIDTH, list.min.y),
        pos2(list.max.x - COVERED_WIDTH, list.min.y + height * shown as f32),
    );
    for (line, stem) in order.iter().take(fit).enumerate() {
        let y = list.min.y + line as f32 * height;
        let at = Rect::from_min_max(pos2(list.min.x, y), pos2(list.max.x, y + height));
        row(ui, cx, at, grid, &stems, *stem, &found[*stem]);
    }
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    for (band, words) in [
        (0, "20"),
        (4, "50"),
        (7, "100"),
        (10, "200"),
        (14, "500"),
        (17, "1k"),
        (20, "2k"),
        (24, "5k"),
        (27, "10k"),
        (30, "20k"),
    ] {
        let x = grid.min.x + (band as f32 + 0.5) / BAND_COUNT as f32 * grid.width();
        let at = Rect::from_center_size(pos2(x, grid.max.y + 9.0), vec2(28.0, 14.0));
        paint::text(ui, at, Align2::CENTER_CENTER, words, &tiny);
    }
    if order.len() > fit {
        let words = format!("{} more are covered less", order.len() - fit);
        let at = Rect::from_min_max(
            pos2(inner.min.x, grid.max.y + 2.0),
            pos2(grid.min.x - 4.0, grid.max.y + 16.0),
        );
        paint::text(ui, at, Align2::LEFT_CENTER, &words, &tiny);
    }
}

fn row(
    ui: &Ui,
    cx: &mut ViewCx<'_>,
    at: Rect,
    grid: Rect,
    stems: &[&StemCard],
    stem: usize,
    masking: &Masking,
) {
    let palette = &cx.palette.clone();
    let card = stems[stem];
    let colour = palette.track(card.colour, card.role);
    let bar = Rect::from_min_max(pos2(at.min.x, at.min.y + 2.0), pos2(at.min.x + 4.0, at.max.y - 2.0));
    ui.painter().rect_filled(bar, CornerRadius::same(2), colour);
    let names = Rect::from_min_max(pos2(at.min.x + 12.0, at.min.y), pos2(grid.min.x - 8.0, at.max.y));
    let ink = pen(theme::font(if at.height() < 20.0 { theme::SMALL } else { theme::BODY }), palette.text);
    let name = shortened(ui, card.name(), &ink, names.width());
    paint::label(ui, names, Align2::LEFT_CENTER, &name, &ink);
    let width = grid.width() / BAND_COUNT as f32;
    for (band, part) in masking.bands.iter().enumerate() {
        let cell = Rect::from_min_max(
            pos2(grid.min.x + band as f32 * width + 0.5, at.min.y + 1.0),
            pos2(grid.min.x + (band + 1) as f32 * width - 0.5, at.max.y - 1.0),
        );
        let Some(part) = part else {
            ui.painter().rect_filled(cell, CornerRadius::same(2), palette.background);
            continue;
        };
        Cover::of(*part).draw(ui, palette, cell, colour);
    }
    let cells = Rect::from_x_y_ranges(grid.x_range(), at.y_range());
    let response = ui.interact(cells, ui.scope_id().with(("covered", card.id)), Sense::click());
    let percent = format!("{} %", number(masking.average() * 100.0, 0));
    response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, format!("{} covered", card.name())));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(percent.as_str()));
    let band_at = |x: f32| (((x - grid.min.x) / width).max(0.0) as usize).min(BAND_COUNT - 1);
    if response.clicked()
        && let Some(pointer) = response.interact_pointer_pos()
    {
        let band = band_at(pointer.x);
        let is_covered = masking.bands[band].is_some_and(|part| Cover::of(part) != Cover::Clear);
        if let Some(by) = masking.by[band].filter(|_| is_covered) {
            cx.edits.request(Edit::MarkBand(card.id, BandMark { by: stems[by].id, band }));
        }
    }
    if let Some(pointer) = response.hover_pos() {
        response.on_hover_text(told(stems, card, masking, band_at(pointer.x)));
    }
    let whole = Rect::from_min_max(pos2(grid.max.x + 6.0, at.min.y), at.max);
    let quiet = pen(theme::font(theme::SMALL), palette.secondary);
    paint::label(ui, whole, Align2::RIGHT_CENTER, &percent, &quiet)
        .on_hover_text("How much of this stem is covered, on average over the bands in which it sounds.");
}

fn told(stems: &[&StemCard], card: &StemCard, masking: &Masking, band: usize) -> String {
    let hertz = match centre_hz(band) {
        f if f >= 1000.0 => format!("{} kHz", number(f / 1000.0, 1)),
        f => format!("{} Hz", number(f, 0)),
    };
    match (masking.bands[band], masking.by[band]) {
        (Some(part), Some(by)) if part > 0.0 => {
            let click = if Cover::of(part) == Cover::Clear {
                ""
            } else {
                "\nClick: mark this band at the stem; its window offers a dynamic band there."
            };
            format!(
                "{}: {} is {} % covered, most by {}{click}",
                hertz,
                card.name(),
                number(part * 100.0, 0),
                stems[by].name()
            )
        }
        (Some(_), _) => format!("{hertz}: {} is clear", card.name()),
        (None, _) => format!("{hertz}: {} has next to nothing here", card.name()),
    }
}
