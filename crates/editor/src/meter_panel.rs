//! Meter panel at the right of a view: readings, level bars, stereo field.

mod bars;
mod stereo;
mod target;

use super::edits::Edit;
use super::format::{number, signed, time};
use super::paint::{self, pen};
use super::theme::{self, GAP, PAD, Palette};
use super::tooltips;
use super::view_model::ViewCx;
use chain::ChainKind;
use egui::{Align2, Color32, CornerRadius, Popup, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use units::Lufs;

/// Text in place of a number that does not exist.
pub(super) const NO_VALUE: &str = "–";
/// Height of a panel's inside below which everything is drawn closer together, points.
const COMPACT_HEIGHT: f32 = 240.0;
/// Smallest height of a row, points.
const MIN_ROW_HEIGHT: f32 = 13.0;
/// Smallest height of the bars with the space above them, points.
const MIN_BARS_HEIGHT: f32 = 36.0;
/// Smallest height of a row beside upright bars, points.
const MIN_UPRIGHT_ROW_HEIGHT: f32 = 13.4;
/// Width of the units, points.
const UNIT_WIDTH: f32 = 34.0;

/// Order of the panel's readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readings {
    /// One chain: momentary readings first.
    Chain,
    /// Output of a Master: integrated readings first.
    Output,
}

/// A reading in its row.
struct ReadingRow {
    name: &'static str,
    value: String,
    unit: &'static str,
    ink: Color32,
}

impl ReadingRow {
    fn new(name: &'static str, value: String, unit: &'static str, ink: Color32) -> Self {
        Self { name, value, unit, ink }
    }
}

/// Returns the width of the panel in a space of that width, points.
pub fn panel_width(whole: f32) -> f32 {
    (whole * 0.22).clamp(184.0, 264.0).round()
}

/// Draws the panel in `place`.
pub fn draw_meter_panel(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect, what: Readings) {
    let palette = cx.palette;
    paint::panel(ui, place, &palette);
    let inner = place.shrink(PAD);
    let y = big_reading(ui, cx, inner, what);
    let mut rows = rows(cx, what);
    // in the smallest panel what bars or the field show gives way to them
    let fit = ((inner.max.y - y - MIN_BARS_HEIGHT) / MIN_ROW_HEIGHT).max(6.0) as usize;
    rows.truncate(fit);
    // rows give way before meters do
    let row_height = |meters: f32| (inner.max.y - y - meters) / rows.len() as f32;
    let upright = row_height(bars::UPRIGHT_HEIGHT + GAP);
    let is_upright = upright >= MIN_UPRIGHT_ROW_HEIGHT;
    let row_height = if is_upright { upright } else { row_height(54.0) }.clamp(MIN_ROW_HEIGHT, 21.0);
    let mut y = y;
    for reading in rows {
        let line = Rect::from_min_size(pos2(inner.min.x, y), vec2(inner.width(), row_height));
        row(ui, cx, line, &reading);
        y += row_height;
    }
    let rest = Rect::from_min_max(pos2(inner.min.x, y + 6.0), inner.max);
    if is_upright {
        let upright = Rect::from_min_size(rest.min, vec2(bars::UPRIGHT_WIDTH, rest.height()));
        bars::draw_upright(ui, cx, upright);
        let field = Rect::from_min_max(pos2(upright.max.x + PAD, rest.min.y), rest.max);
        if field.width() >= 48.0 {
            stereo::draw_field(ui, cx, field);
        }
    } else if rest.height() >= 24.0 {
        bars::draw_lying(ui, cx, rest);
    }
}

/// Returns a loudness as text in the unit of the window.
pub(super) fn loudness(cx: &ViewCx<'_>, value: Option<Lufs>) -> String {
    let display = &cx.model.display.meter;
    let write = if display.unit_name() == "LU" { signed } else { number };
    value.map_or(NO_VALUE.into(), |value| write(display.figure(value), 1))
}

fn rows(cx: &ViewCx<'_>, what: Readings) -> Vec<ReadingRow> {
    let (palette, reading) = (&cx.palette, &cx.model.reading);
    let of = ReadingRow::new;
    let one = |x: Option<f64>| x.map_or(NO_VALUE.into(), |x| number(x, 1));
    let reduction = cx.model.health.compressor_reduction.0 + cx.model.health.limiter_reduction.0;
    let over = reading.true_peak.is_some_and(|peak| peak.0 > 0.0);
    let unit = cx.model.display.meter.unit_name();
    let momentary = of("Momentary", loudness(cx, reading.momentary), unit, palette.text);
    let difference = cx.model.display.meter.difference(reading.integrated);
    let target = of("Target", difference.map_or(NO_VALUE.into(), |lu| signed(lu.0, 1)), "LU", palette.text);
    let heard = of("Heard", time(cx.model.heard.0 / 1000.0), "", palette.text);
    let range = of("Range", one(reading.range.map(|r| r.0)), "LU", palette.text);
    let peak_ink = if over { palette.red } else { palette.text };
    let peak = of("True peak", one(reading.true_peak.map(|p| p.0)), "dBTP", peak_ink);
    let reduction_ink = if reduction >= 0.05 { palette.reduction } else { palette.text };
    let reduction = of("Gain reduction", number(reduction, 1), "dB", reduction_ink);
    match what {
        Readings::Chain => {
            let correlation = cx.model.picture.correlation.map_or(NO_VALUE.into(), |c| signed(c, 2));
            let ink = if is_bad(cx) { palette.reduction } else { palette.text };
            let integrated = of("Integrated", loudness(cx, reading.integrated), unit, palette.text);
            let psr = of("PSR", one(reading.psr.map(|p| p.0)), "LU", palette.text);
            let correlation = of("Correlation", correlation, "", ink);
            vec![momentary, integrated, heard, target, range, peak, psr, reduction, correlation]
        }
        Readings::Output => {
            let short = of("Short-term", loudness(cx, reading.short_term), unit, palette.text);
            let plr = of("PLR", one(reading.plr().map(|p| p.0)), "LU", palette.text);
            vec![heard, momentary, short, target, range, peak, plr, reduction]
        }
    }
}

fn is_bad(cx: &ViewCx<'_>) -> bool {
    cx.model.picture.correlation.is_some_and(|c| c < 0.0)
}

/// Draws the main reading with the maxima above it and the bar of loudness below; returns the lower end.
fn big_reading(ui: &Ui, cx: &ViewCx<'_>, inner: Rect, what: Readings) -> f32 {
    let (palette, reading) = (&cx.palette, &cx.model.reading);
    let (words, value) = match what {
        Readings::Chain => ("Short-term", reading.short_term),
        Readings::Output => ("Integrated", reading.integrated),
    };
    let is_compact = inner.height() < COMPACT_HEIGHT;
    let top = Rect::from_min_size(inner.min, vec2(inner.width(), 14.0));
    let label = pen(theme::font(theme::SMALL), palette.secondary);
    let name = paint::text(ui, top, Align2::LEFT_CENTER, words, &label);
    let dim = pen(theme::font(theme::TINY), palette.dim);
    paint::text(ui, top, Align2::RIGHT_CENTER, "max", &dim);
    let height = if is_compact { 29.0 } else { 34.0 };
    let figures = Rect::from_min_size(pos2(inner.min.x, top.max.y), vec2(inner.width(), height));
    let text = loudness(cx, value);
    let (bold, small) =
        (pen(theme::strong(theme::HUGE), palette.text), pen(theme::font(theme::SMALL), palette.dim));
    let at = paint::text(ui, figures, Align2::LEFT_CENTER, &text, &bold);
    let right = maxima(ui, cx, figures);
    let beside = Rect::from_min_max(pos2(at.max.x + 5.0, at.min.y), pos2(right - 4.0, at.max.y - 5.0));
    let unit_name = cx.model.display.meter.unit_name();
    let mut all = name.union(at);
    if paint::width(ui, unit_name, &small) <= beside.width() {
        all = all.union(paint::text(ui, beside, Align2::LEFT_BOTTOM, unit_name, &small));
    }
    all.max.y = figures.max.y;
    label_reading(ui, words, &format!("{text} {unit_name}"), all);
    let rest = Rect::from_min_max(pos2(inner.min.x, figures.max.y), inner.max);
    target::draw_loudness_bar(ui, cx, rest, is_compact) + if is_compact { 3.0 } else { 6.0 }
}

/// Draws the highest momentary and short-term loudness, one above the other, at the right of `place`; returns the left end.
fn maxima(ui: &Ui, cx: &ViewCx<'_>, place: Rect) -> f32 {
    let palette = &cx.palette;
    let (dim, ink) =
        (pen(theme::font(theme::TINY), palette.dim), pen(theme::strong(theme::TINY), palette.secondary));
    let unit = cx.model.display.meter.unit_name();
    let reading = &cx.model.reading;
    let mut left = place.max.x;
    for (index, (name, letter, value)) in
        [("Momentary max", "M", reading.momentary_max), ("Short-term max", "S", reading.short_term_max)]
            .into_iter()
            .enumerate()
    {
        let value = loudness(cx, value);
        let top = pos2(place.min.x, place.min.y + 1.0 + 13.0 * index as f32);
        let line = Rect::from_min_size(top, vec2(place.width(), 13.0));
        let figures = paint::text(ui, line, Align2::RIGHT_CENTER, &value, &ink);
        let line = Rect::from_min_max(line.min, pos2(figures.min.x - 3.0, line.max.y));
        let letter = paint::text(ui, line, Align2::RIGHT_CENTER, letter, &dim);
        label_reading(ui, name, &format!("{value} {unit}"), figures.union(letter));
        left = left.min(letter.min.x);
    }
    left
}

/// Gives a drawn reading its accessible name, its value and its tooltip.
fn label_reading(ui: &Ui, name: &str, value: &str, place: Rect) -> egui::Response {
    let sense =
        if ["Heard", "Target", "Peak L", "Peak R"].contains(&name) { Sense::click() } else { Sense::hover() };
    let response = ui.interact(place, ui.scope_id().with(("reading", name)), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(value));
    let meaning = tooltips::reading(name);
    if meaning.is_empty() { response } else { response.on_hover_text(meaning) }
}

fn row(ui: &mut Ui, cx: &mut ViewCx<'_>, line: Rect, reading: &ReadingRow) {
    let palette = cx.palette;
    let ReadingRow { name, value, unit, ink } = reading;
    let unit_at = Rect::from_min_max(pos2(line.max.x - UNIT_WIDTH + 4.0, line.min.y), line.max);
    let is_heard = *name == "Heard";
    let own = if is_heard { Rect::from_min_max(line.min, pos2(unit_at.min.x, line.max.y)) } else { line };
    let words = match &cx.model.display.meter.target {
        Some(target) if *name == "Target" => {
            format!("{value} {unit} to {}, {} LUFS", target.name, number(target.loudness.0, 1))
        }
        None if *name == "Target" => "none".into(),
        _ => format!("{value} {unit}"),
    };
    let response = label_reading(ui, name, &words, own);
    let label = if response.hovered() { palette.text } else { palette.secondary };
    let small = pen(theme::font(theme::SMALL), label);
    let written = paint::text(ui, line, Align2::LEFT_CENTER, name, &small);
    // units stand under each other, figures end at one line
    paint::text(ui, unit_at, Align2::LEFT_CENTER, unit, &pen(theme::font(theme::TINY), palette.dim));
    let at = Rect::from_min_max(line.min, pos2(line.max.x - UNIT_WIDTH, line.max.y));
    paint::text(ui, at, Align2::RIGHT_CENTER, value, &pen(theme::strong(theme::BODY), *ink));
    if *name == "Target" {
        target::draw_menu(ui, cx, &response, pos2(written.max.x, line.center().y));
    } else if is_heard {
        if response.clicked() {
            cx.edits.request(Edit::Restart);
        }
        reset(ui, cx, unit_at);
    }
}

/// Draws the button that resets loudness and peaks; a Master's opens a menu that resets the Stems, too.
fn reset(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
    let palette = cx.palette;
    let place = Rect::from_center_size(place.center(), vec2(place.width(), place.height().min(15.0) - 1.0));
    let response = ui.interact(place, ui.scope_id().with("reset loudness"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Reset loudness"));
    let (fill, ink) =
        if response.hovered() { (palette.line, palette.text) } else { (palette.raised, palette.secondary) };
    ui.painter().rect(
        place,
        CornerRadius::same(4),
        fill,
        Stroke::new(1.0, palette.line),
        egui::StrokeKind::Inside,
    );
    paint::text(ui, place, Align2::CENTER_CENTER, "Reset", &pen(theme::font(theme::TINY), ink));
    if response.has_focus() {
        paint::focus_ring(ui, place, &palette);
    }
    if cx.model.chain_kind == ChainKind::Stem {
        if response.clicked() {
            cx.edits.request(Edit::Restart);
        }
        response.on_hover_text("Loudness, range, peaks and what was heard begin anew.");
        return;
    }
    Popup::menu(&response).show(|ui| {
        let own = ui.button("Reset this Master");
        if own
            .on_hover_text("Its loudness and peaks, and all that it has heard of the session, begin anew.")
            .clicked()
        {
            cx.edits.request(Edit::Restart);
            ui.close();
        }
        let stems = ui.button("Reset all stems");
        if stems.on_hover_text("The same, and the loudness and peaks of every Stem of the session.").clicked()
        {
            cx.edits.request(Edit::Restart);
            cx.edits.request(Edit::ResetStems);
            ui.close();
        }
    });
    response.on_hover_text(
        "Loudness, range, peaks and what was heard begin anew: of this Master, or of all Stems, too.",
    );
}

/// Stroke of a scale's lines.
fn tick(palette: &Palette) -> Stroke {
    Stroke::new(1.0, Palette::faint(palette.dim, 0.45))
}
