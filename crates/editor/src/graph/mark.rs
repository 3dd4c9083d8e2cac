//! Band that a Master's user has marked at this Stem because another one covers it there, with a dynamic band to accept.

use super::axes::Axes;
use super::band::put_all;
use super::{BandRows, Graph};
use crate::controls::{Weight, icon, pill, pill_width};
use crate::edits::Edit;
use crate::format::number;
use crate::paint::{self, pen};
use crate::theme::{self, PAD, Palette};
use crate::view_model::ViewCx;
use chain::parameters::{Parameter, Value};
use egui::{Align2, CornerRadius, Rect, Stroke, StrokeKind, Ui, pos2, vec2};
use plugin_core::normalized::{normalized_from_value, value_from_normalized};
use session::masking::centre_hz;
use units::{Db, Hz};

/// Quality of a band as wide as a third of an octave.
const THIRD_OCTAVE_Q: f64 = 4.318;
/// Gain by which the offered band rises at most when the stem is loud there.
const OFFERED_RANGE: Db = Db(3.0);
/// Half of a third of an octave, as a factor.
const HALF_BAND_RATIO: f64 = 1.122;

/// Draws the mark, and takes the answer to what it offers.
pub(super) fn draw_mark(graph: &mut Graph, ui: &mut Ui, cx: &mut ViewCx<'_>, axes: &Axes) {
    let Some(mark) = cx.model.snapshot.mark else { return };
    let palette = cx.palette;
    let centre = centre_hz(mark.band);
    let (low, high) = (axes.x(Hz(centre / HALF_BAND_RATIO)), axes.x(Hz(centre * HALF_BAND_RATIO)));
    let band = Rect::from_x_y_ranges(low..=high, axes.plot.y_range()).intersect(axes.plot);
    ui.painter().rect(
        band,
        0.0,
        Palette::faint(palette.reduction, 0.12),
        Stroke::new(1.0, palette.reduction),
        StrokeKind::Inside,
    );
    let hertz = match centre {
        f if f >= 1000.0 => format!("{} kHz", number(f / 1000.0, 1)),
        f => format!("{} Hz", number(f, 0)),
    };
    let words = format!("{hertz}: covered by {}", cx.model.snapshot.name(mark.by));
    let small = pen(theme::font(theme::SMALL), palette.text);
    const ADD: &str = "Add dynamic band";
    let button = pill_width(ui, ADD);
    let width = (paint::width(ui, &words, &small) + PAD + button + 34.0).min(axes.plot.width());
    let left = (band.center().x - width / 2.0).clamp(axes.plot.min.x, axes.plot.max.x - width);
    let card = Rect::from_min_size(pos2(left, axes.plot.max.y - 34.0), vec2(width, 30.0));
    let edge = Stroke::new(1.0, palette.reduction);
    ui.painter().rect(card, CornerRadius::same(8), palette.raised, edge, StrokeKind::Inside);
    let text = Rect::from_min_max(card.min + vec2(8.0, 0.0), pos2(card.max.x - button - 30.0, card.max.y));
    let shown = paint::shortened(ui, &words, &small, text.width());
    paint::label(ui, text, Align2::LEFT_CENTER, &shown, &small)
        .on_hover_text("Marked in the Master's window, on its page Masking.");
    let at = Rect::from_min_size(pos2(text.max.x + 2.0, card.center().y - 11.0), vec2(button, 22.0));
    let free = BandRows::all(cx.model.chain_kind).iter().find(|band| !band.is_used(cx));
    let response = pill(ui, &palette, at, ADD, Weight::Chosen, free.is_some());
    if let Some(free) = free.filter(|_| response.clicked()) {
        accept(cx, free, centre);
        graph.select_all(&[free.index]);
        cx.edits.request(Edit::RemoveMark);
    }
    response.on_hover_text("A bell there whose gain rises by up to 3 dB when this stem is loud in the band: it comes through where it matters. One step to undo.");
    let cross =
        icon(ui, &palette, pos2(card.max.x - 14.0, card.center().y), "Remove the mark", true, |p, c, ink| {
            let stroke = Stroke::new(1.5, ink);
            p.line_segment([c - vec2(3.5, 3.5), c + vec2(3.5, 3.5)], stroke);
            p.line_segment([c + vec2(-3.5, 3.5), c + vec2(3.5, -3.5)], stroke);
        });
    if cross.clicked() {
        cx.edits.request(Edit::RemoveMark);
    }
}

/// Sets an unused band to the offered one.
fn accept(cx: &mut ViewCx<'_>, band: &BandRows, centre: f64) {
    let tidy = |row: &'static Parameter, x: f64| {
        (row, value_from_normalized(row, normalized_from_value(row, Value::Number(Some(x)))))
    };
    let mut changes =
        vec![(band.on, Value::Switch(true)), tidy(band.frequency, centre), tidy(band.q, THIRD_OCTAVE_Q)];
    changes.extend(band.range.map(|range| tidy(range, OFFERED_RANGE.0)));
    put_all(cx, &changes);
}
