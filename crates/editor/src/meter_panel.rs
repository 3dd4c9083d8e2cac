//! Meter panel at the right of a view: readings, level bars, stereo field.

use super::analyser::FLOOR_DB;
use super::edits::Edit;
use super::format::{number, signed, time};
use super::paint::{self, pen};
use super::theme::{self, PAD, Palette};
use super::tooltips;
use super::view_model::ViewCx;
use egui::{Align2, Color32, CornerRadius, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

/// Level at the bottom of the bars, dBFS; the top is full scale.
const LOWEST_LEVEL_DB: f32 = -60.0;
/// Text in place of a number that does not exist.
const NO_VALUE: &str = "–";

/// Order of the panel's readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readings {
    /// One chain: momentary readings first.
    Chain,
    /// Output of a Master: integrated readings first.
    Output,
}

/// Reading: name, value, unit, colour.
type ReadingRow = (&'static str, String, &'static str, Color32);

/// Draws the panel in `place`.
pub fn draw_meter_panel(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect, what: Readings) {
    let palette = cx.palette;
    paint::panel(ui, place, &palette);
    let inner = place.shrink(PAD);
    let reading = &cx.model.reading;
    let (name, value) = match what {
        Readings::Chain => ("Short-term", reading.short_term.map(|s| s.0)),
        Readings::Output => ("Integrated", reading.integrated.map(|i| i.0)),
    };
    let y = huge(ui, cx, inner, name, value);
    let rows = rows(cx, what);
    // rows give way before meters do
    let row_height = ((inner.max.y - y - 46.0) / rows.len() as f32).clamp(14.5, 22.0);
    let mut y = y;
    for (name, value, unit, ink) in rows {
        let line = Rect::from_min_size(pos2(inner.min.x, y), vec2(inner.width(), row_height));
        row(ui, cx, line, name, &value, unit, ink);
        y += row_height;
    }
    let rest = Rect::from_min_max(pos2(inner.min.x, y + 8.0), inner.max);
    if rest.height() >= 84.0 {
        let third = (rest.width() * 0.4).floor();
        upright(ui, cx, Rect::from_min_size(rest.min, vec2(third, rest.height())));
        let field = Rect::from_min_max(pos2(rest.min.x + third + PAD, rest.min.y), rest.max);
        stereo(ui, cx, field);
    } else if rest.height() >= 24.0 {
        lying(ui, cx, rest);
    }
}

fn rows(cx: &ViewCx<'_>, what: Readings) -> Vec<ReadingRow> {
    let (palette, reading) = (&cx.palette, &cx.model.reading);
    let one = |x: Option<f64>| x.map_or(NO_VALUE.into(), |x| number(x, 1));
    let reduction = cx.model.health.compressor_reduction.0 + cx.model.health.limiter_reduction.0;
    let over = reading.true_peak.is_some_and(|peak| peak.0 > 0.0);
    let momentary = ("Momentary", one(reading.momentary.map(|m| m.0)), "LUFS", palette.text);
    let heard = ("Heard", time(cx.model.heard.0 / 1000.0), "", palette.text);
    let range = ("Range", one(reading.range.map(|r| r.0)), "LU", palette.text);
    let peak_ink = if over { palette.red } else { palette.text };
    let peak = ("True peak", one(reading.true_peak.map(|p| p.0)), "dBTP", peak_ink);
    let reduction_ink = if reduction >= 0.05 { palette.reduction } else { palette.text };
    let reduction = ("Gain reduction", number(reduction, 1), "dB", reduction_ink);
    match what {
        Readings::Chain => {
            let correlation = cx.model.picture.correlation.map_or(NO_VALUE.into(), |c| signed(c, 2));
            let ink = if is_bad(cx) { palette.reduction } else { palette.text };
            let integrated = ("Integrated", one(reading.integrated.map(|i| i.0)), "LUFS", palette.text);
            let psr = ("PSR", one(reading.psr.map(|p| p.0)), "LU", palette.text);
            vec![
                momentary,
                integrated,
                heard,
                range,
                peak,
                psr,
                reduction,
                ("Correlation", correlation, "", ink),
            ]
        }
        Readings::Output => {
            let short = ("Short-term", one(reading.short_term.map(|s| s.0)), "LUFS", palette.text);
            let plr = ("PLR", one(reading.plr().map(|p| p.0)), "LU", palette.text);
            vec![heard, momentary, short, range, peak, plr, reduction]
        }
    }
}

fn is_bad(cx: &ViewCx<'_>) -> bool {
    cx.model.picture.correlation.is_some_and(|c| c < 0.0)
}

/// Draws the main reading; returns its lower end.
fn huge(ui: &Ui, cx: &ViewCx<'_>, inner: Rect, words: &str, value: Option<f64>) -> f32 {
    let palette = &cx.palette;
    let top = Rect::from_min_size(inner.min, vec2(inner.width(), 14.0));
    let label = pen(theme::font(theme::SMALL), palette.secondary);
    let name = paint::text(ui, top, Align2::LEFT_CENTER, words, &label);
    let figures = Rect::from_min_size(pos2(inner.min.x, top.max.y), vec2(inner.width(), 34.0));
    let text = value.map_or(NO_VALUE.into(), |value| number(value, 1));
    let (bold, unit) =
        (pen(theme::strong(theme::HUGE), palette.text), pen(theme::font(theme::SMALL), palette.dim));
    let at = paint::text(ui, figures, Align2::LEFT_CENTER, &text, &bold);
    let beside = Rect::from_min_max(pos2(at.max.x + 6.0, at.min.y), pos2(inner.max.x, at.max.y - 5.0));
    let unit = paint::text(ui, beside, Align2::LEFT_BOTTOM, "LUFS", &unit);
    label_reading(ui, words, &format!("{text} LUFS"), name.union(at).union(unit));
    figures.max.y + 4.0
}

/// Gives a drawn reading its accessible name, its value and its tooltip.
fn label_reading(ui: &Ui, name: &str, value: &str, place: Rect) -> egui::Response {
    let sense = if name == "Heard" { Sense::click() } else { Sense::hover() };
    let response = ui.interact(place, ui.scope_id().with(("reading", name)), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(value));
    let meaning = tooltips::reading(name);
    if meaning.is_empty() { response } else { response.on_hover_text(meaning) }
}

fn row(ui: &Ui, cx: &mut ViewCx<'_>, line: Rect, name: &str, value: &str, unit: &str, ink: Color32) {
    let palette = &cx.palette;
    let response = label_reading(ui, name, &format!("{value} {unit}"), line);
    let label = if response.hovered() { palette.text } else { palette.secondary };
    paint::text(ui, line, Align2::LEFT_CENTER, name, &pen(theme::font(theme::SMALL), label));
    // units stand under each other, figures end at one line
    let unit_width = 34.0;
    let unit_at = Rect::from_min_max(pos2(line.max.x - unit_width + 4.0, line.min.y), line.max);
    paint::text(ui, unit_at, Align2::LEFT_CENTER, unit, &pen(theme::font(theme::TINY), palette.dim));
    let at = Rect::from_min_max(line.min, pos2(line.max.x - unit_width, line.max.y));
    paint::text(ui, at, Align2::RIGHT_CENTER, value, &pen(theme::strong(theme::BODY), ink));
    if response.clicked() {
        cx.edits.request(Edit::Restart);
    }
}

fn level_fraction(level: f32) -> f32 {
    ((level - LOWEST_LEVEL_DB) / -LOWEST_LEVEL_DB).clamp(0.0, 1.0)
}

/// Bars of left, right and gain reduction: name, level and peak hold from 0 to 1, colour.
fn bars(cx: &ViewCx<'_>) -> [(&'static str, f32, f32, Color32); 3] {
    let picture = &cx.model.picture;
    // of this moment; the figure is told less often
    let reduction = picture.reductions.last().map_or(0.0, |[compressor, limiter]| compressor + limiter);
    let colour = |level: f32| if level >= 0.0 { cx.palette.red } else { cx.track };
    [
        ("L", level_fraction(picture.levels[0]), level_fraction(picture.holds[0]), colour(picture.holds[0])),
        ("R", level_fraction(picture.levels[1]), level_fraction(picture.holds[1]), colour(picture.holds[1])),
        ("GR", (reduction / 12.0).clamp(0.0, 1.0), 0.0, cx.palette.reduction),
    ]
}

fn upright(ui: &Ui, cx: &ViewCx<'_>, place: Rect) {
    let palette = &cx.palette;
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    let width = ((place.width() - 16.0) / 3.0).min(16.0);
    let bottom = place.max.y - 16.0;
    for (i, (name, level, hold, colour)) in bars(cx).into_iter().enumerate() {
        let x = place.min.x + i as f32 * (width + 8.0);
        let well = Rect::from_min_max(pos2(x, place.min.y), pos2(x + width, bottom));
        ui.painter().rect_filled(well, CornerRadius::same(3), palette.background);
        let height = well.height() * level;
        let fill = if name == "GR" {
            Rect::from_min_size(well.min, vec2(width, height))
        } else {
            Rect::from_min_max(pos2(x, bottom - height), well.max)
        };
        ui.painter().rect_filled(fill, CornerRadius::same(3), colour);
        if hold > 0.0 {
            ui.painter().hline(well.x_range(), bottom - well.height() * hold, Stroke::new(1.5, palette.text));
        }
        let below = Rect::from_center_size(pos2(well.center().x, place.max.y - 6.0), vec2(24.0, 12.0));
        paint::text(ui, below, Align2::CENTER_CENTER, name, &tiny);
    }
}

fn lying(ui: &Ui, cx: &ViewCx<'_>, place: Rect) {
    let step = (place.height() / 3.0).min(13.0);
    for (i, (name, level, _, colour)) in bars(cx).into_iter().enumerate() {
        let y = place.max.y - step * (2.5 - i as f32);
        let at = Rect::from_min_max(pos2(place.min.x, y - 6.0), pos2(place.min.x + 20.0, y + 6.0));
        paint::text(ui, at, Align2::LEFT_CENTER, name, &pen(theme::font(theme::TINY), cx.palette.dim));
        let rail = Rect::from_min_max(pos2(place.min.x + 22.0, y - 3.0), pos2(place.max.x, y + 3.0));
        paint::bar(ui, rail, level, colour, &cx.palette);
    }
}

/// Draws the stereo field: mid upwards, side across; mono is a vertical line.
fn stereo(ui: &Ui, cx: &ViewCx<'_>, place: Rect) {
    let palette = &cx.palette;
    let below = Rect::from_min_max(pos2(place.min.x, place.max.y - 12.0), place.max);
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    paint::text(ui, below, Align2::CENTER_CENTER, "stereo field", &tiny);
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
