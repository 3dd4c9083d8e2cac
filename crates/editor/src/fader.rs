//! Horizontal fader for levels.

use super::field::{Style, accept_number, describe, explain, field, turn};
use super::theme::Palette;
use super::view_model::ViewCx;
use chain::parameters::Parameter;
use egui::{Color32, CornerRadius, Rect, Role, Sense, Stroke, Ui, pos2, vec2};
use plugin_core::normalized::{normalized_from_value, value_from_normalized};

/// Draws the fader of `row` in `place`, its value to the right.
pub fn fader(
    ui: &mut Ui,
    cx: &mut ViewCx<'_>,
    place: Rect,
    row: &'static Parameter,
    colour: Color32,
) -> egui::Response {
    let value_width = 76.0;
    let track = Rect::from_min_max(place.min, pos2(place.max.x - value_width, place.max.y));
    let response = ui.interact(track, ui.scope_id().with(("fader", &row.id)), Sense::click_and_drag());
    describe(ui, cx, &response, row);
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(Role::Slider));
    accept_number(ui, cx, &response, row);
    if response.drag_started() {
        cx.begin(row);
        ui.data_mut(|data| data.insert_temp(response.id, normalized_from_value(row, cx.model.value(row))));
    }
    if response.dragged() {
        let fine = if ui.input(|input| input.modifiers.shift) { 0.1 } else { 1.0 };
        // looked up before the memory is locked: both are egui's one lock
        let way = response.drag_delta().x / track.width() * fine;
        let normalized = ui.data_mut(|data| {
            let normalized = data.get_temp_mut_or_default::<f32>(response.id);
            *normalized = (*normalized + way).clamp(0.0, 1.0);
            *normalized
        });
        cx.edits.set(row, value_from_normalized(row, normalized));
    }
    if response.drag_stopped() {
        cx.edits.end(row);
    }
    turn(ui, cx, &response, row);
    if response.double_clicked() {
        cx.put(row, row.default);
    }
    let normalized = normalized_from_value(row, cx.value(row));
    draw(
        ui,
        &cx.palette,
        track,
        normalized,
        normalized_from_value(row, row.default),
        colour,
        response.hovered() || response.dragged(),
    );
    let value = Rect::from_min_max(pos2(track.max.x + 12.0, place.min.y), place.max);
    field(ui, cx, value, row, Style::default());
    explain(response, row)
}

fn draw(ui: &Ui, palette: &Palette, track: Rect, normalized: f32, rest: f32, colour: Color32, held: bool) {
    let rail = Rect::from_center_size(track.center(), vec2(track.width(), 6.0));
    let round = CornerRadius::same(3);
    let x = rail.min.x + rail.width() * normalized;
    ui.painter().rect_filled(rail, round, palette.background);
    let filled = Rect::from_min_max(rail.min, pos2(x, rail.max.y));
    ui.painter().rect_filled(filled, round, colour);
    let mark = rail.min.x + rail.width() * rest;
    ui.painter().vline(mark, rail.min.y - 5.0..=rail.min.y - 1.0, Stroke::new(1.0, palette.dim));
    let knob = if held { palette.accent } else { palette.text };
    ui.painter().circle(pos2(x, rail.center().y), 7.0, knob, Stroke::new(2.0, palette.panel));
}
