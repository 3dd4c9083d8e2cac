//! Threshold curve of the noise reduction: nine points to drag, straight lines between them.

use crate::edits::Edit;
use crate::field::{asked_number, describe_number, wheel};
use crate::format::signed;
use crate::paint::{self, area, pen};
use crate::theme::{self, Palette};
use crate::tooltips;
use crate::view_model::ViewCx;
use dsp::denoise::{CURVE_POINTS, ThresholdCurve};
use egui::{
    Align2, CornerRadius, EventFilter, Key, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use plugin_core::noise::MAX_CURVE_OFFSET;
use units::Db;

/// Height with caption and scale, points.
pub const HEIGHT: f32 = 104.0;

/// Step of wheel and keys, dB.
const STEP_DB: f64 = 0.5;
const FINE_FACTOR: f64 = 0.1;

/// Returns the frequency of a point as text.
fn octave(point: usize) -> String {
    match 62.5 * f64::powi(2.0, point as i32) {
        f if f >= 1000.0 => format!("{:.0}k", f / 1000.0),
        f => format!("{:.0}", f.ceil()),
    }
}

/// Draws the curve in `place`.
pub fn draw_threshold_curve(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
    let palette = cx.palette;
    let curve = cx.model.settings.denoise.curve;
    let small = pen(theme::font(theme::SMALL), palette.secondary);
    let top = Rect::from_min_size(place.min, vec2(place.width(), 16.0));
    paint::label(ui, top, Align2::LEFT_CENTER, "Threshold per octave", &small)
        .on_hover_text(tooltips::noise_curve());
    let well = Rect::from_min_max(pos2(place.min.x, top.max.y + 2.0), pos2(place.max.x, place.max.y - 16.0));
    ui.painter().rect_filled(well, CornerRadius::same(4), palette.background);
    ui.painter().hline(well.x_range(), well.center().y, Stroke::new(1.0, palette.line));
    let step = well.width() / CURVE_POINTS as f32;
    let half = well.height() / 2.0 - 6.0;
    let at = |point: usize, db: Db| {
        let x = well.min.x + (point as f32 + 0.5) * step;
        pos2(x, well.center().y - (db.0 / MAX_CURVE_OFFSET) as f32 * half)
    };
    let line: Vec<_> = curve.iter().enumerate().map(|(point, db)| at(point, *db)).collect();
    area(ui.painter(), &line, well.center().y, Palette::faint(cx.track, 0.25));
    ui.painter().line(line, Stroke::new(1.25, cx.track));
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    for point in 0..CURVE_POINTS {
        let column = Rect::from_x_y_ranges(
            well.min.x + point as f32 * step..=well.min.x + (point + 1) as f32 * step,
            well.y_range(),
        );
        let below = Rect::from_min_max(pos2(column.min.x, well.max.y + 2.0), pos2(column.max.x, place.max.y));
        paint::text(ui, below, Align2::CENTER_CENTER, &octave(point), &tiny);
        let response = ui.interact(column, ui.scope_id().with(("octave", point)), Sense::click_and_drag());
        let now = moved(ui, cx, &response, point, half);
        let lively = response.hovered() || response.dragged() || response.has_focus();
        let ink = if lively { palette.accent } else { cx.track };
        ui.painter().circle_filled(at(point, now[point]), if lively { 4.5 } else { 3.0 }, ink);
        if response.has_focus() {
            paint::focus_ring(ui, column.shrink(2.0), &palette);
        }
        let name = format!("Threshold at {} Hz", octave(point).replace('k', "000"));
        response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, &name));
        let value = format!("{} dB", signed(now[point].0, 1));
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(value.as_str()));
        describe_number(ui, response.id, Some(now[point].0), -MAX_CURVE_OFFSET..=MAX_CURVE_OFFSET);
        response.on_hover_text(format!("{name}: {value}. {}", tooltips::noise_curve()));
    }
}

/// Handles drag, wheel and keys on `point` and returns the new curve. A drag is one undo step, and so are turns in a row.
fn moved(ui: &Ui, cx: &mut ViewCx<'_>, response: &Response, point: usize, half: f32) -> ThresholdCurve {
    let curve = cx.model.settings.denoise.curve;
    let with = |db: f64| {
        let mut curve = curve;
        // as people would type it
        curve[point] = Db((db.clamp(-MAX_CURVE_OFFSET, MAX_CURVE_OFFSET) * 10.0).round() / 10.0);
        curve
    };
    let (shift, time) = ui.input(|input| (input.modifiers.shift, input.time));
    let started = response.drag_started().then_some((curve, curve[point].0));
    let held = started.or_else(|| ui.data(|data| data.get_temp::<(ThresholdCurve, f64)>(response.id)));
    if let Some((before, way)) = held.filter(|_| response.dragged() || response.drag_stopped()) {
        let speed = if shift { FINE_FACTOR } else { 1.0 };
        let way = way - f64::from(response.drag_delta().y) * speed * MAX_CURVE_OFFSET / f64::from(half);
        let way = way.clamp(-MAX_CURVE_OFFSET, MAX_CURVE_OFFSET);
        let now = with(way);
        if now != curve {
            cx.edits.request(Edit::NoiseCurve(now));
        }
        if response.drag_stopped() {
            ui.data_mut(|data| data.remove_temp::<(ThresholdCurve, f64)>(response.id));
            cx.edits.record_curve(before, now);
        } else {
            ui.data_mut(|data| data.insert_temp(response.id, (before, way)));
        }
        return now;
    }
    let steps = f64::from(wheel(ui, response)) + keys(ui, response);
    let step = if shift { FINE_FACTOR } else { STEP_DB };
    let asked = asked_number(ui, response.id).or(response.double_clicked().then_some(0.0));
    if let Some(asked) = asked {
        let now = with(asked);
        cx.edits.put_curve(curve, now);
        return now;
    }
    if steps == 0.0 {
        return curve;
    }
    let now = with(curve[point].0 + steps * step);
    cx.edits.turn_curve(point, curve, now, time);
    now
}

/// Returns the steps by arrow keys if the point has the focus.
fn keys(ui: &Ui, response: &Response) -> f64 {
    if !response.has_focus() {
        return 0.0;
    }
    let filter = EventFilter { horizontal_arrows: false, vertical_arrows: true, escape: false, tab: false };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let pressed = |key| f64::from(u8::from(ui.input(|input| input.key_pressed(key))));
    pressed(Key::ArrowUp) - pressed(Key::ArrowDown)
}
