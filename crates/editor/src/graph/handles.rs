//! Handles of Q beside the selected node: at the edges of the bandwidth, dragged outwards for a wider band.

use super::axes::Axes;
use super::nodes::centre;
use super::{BandRows, Graph};
use crate::field::{accept_number, arrow_steps, stepped};
use crate::format::whole;
use crate::view_model::ViewCx;
use chain::parameters::Value;
use egui::{Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use plugin_core::normalized::{normalized_from_value, value_from_normalized};
use units::Hz;

const HANDLE_RADIUS: f32 = 4.0;
/// Half of the square that reacts to the pointer, points.
const HIT_RADIUS: f32 = 8.0;
/// Smallest distance of a handle from its node, points, where both could not be told apart.
const MIN_DISTANCE: f32 = 15.0;

/// Returns the ratio of the upper edge of a band of quality `q` to its centre: both edges are as far from it, and their
/// difference is the centre over `q`.
fn edge_ratio(q: f64) -> f64 {
    let half = 0.5 / q;
    half + (1.0 + half * half).sqrt()
}

/// Returns the quality of a band whose upper edge is `ratio` times its centre, above 1.
fn q_of(ratio: f64) -> f64 {
    1.0 / (ratio - 1.0 / ratio)
}

/// Draws both handles of the selected band, if it has a Q.
pub(super) fn draw_handles(graph: &Graph, ui: &Ui, cx: &mut ViewCx<'_>, axes: &Axes) {
    let band = graph.selected.and_then(|index| BandRows::all(cx.model.chain_kind).get(index));
    let Some(band) = band.filter(|band| band.is_used(cx) && band.has_q(cx) && !band.is_cut(cx)) else {
        return;
    };
    let node = centre(cx, axes, band);
    let frequency = cx.number(band.frequency).unwrap_or(1000.0);
    let q = cx.number(band.q).unwrap_or(1.0);
    for (side, word) in [(-1.0, "left"), (1.0, "right")] {
        let edge = frequency * edge_ratio(q).powf(f64::from(side));
        let away = (axes.x(Hz(edge)) - node.x).abs().max(MIN_DISTANCE);
        let at = pos2(node.x + side * away, node.y);
        if !axes.plot.contains(at) {
            continue;
        }
        let place = Rect::from_center_size(at, vec2(2.0 * HIT_RADIUS, 2.0 * HIT_RADIUS));
        let response =
            ui.interact(place, ui.scope_id().with(("q handle", word)), Sense::drag() | Sense::FOCUSABLE);
        let name = format!("Band {} width, {word}", band.index + 1);
        response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, &name));
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_value(format!("Q {}", whole(band.q, cx.value(band.q))));
        });
        accept_number(ui, cx, &response, band.q);
        let steps = arrow_steps(ui, &response);
        if steps != 0.0 {
            let (fine, time) = ui.input(|input| (input.modifiers.shift, input.time));
            let now = cx.model.value(band.q);
            cx.edits.turn(band.q, now, stepped(band.q, now, steps, fine), time);
        }
        if response.drag_started() {
            cx.begin(band.q);
        }
        if response.dragged()
            && let Some(pointer) = response.interact_pointer_pos()
        {
            let (hz, _) = axes.at(pointer);
            let ratio = (hz.0 / frequency).powf(f64::from(side)).max(1.005);
            let wanted = normalized_from_value(band.q, Value::Number(Some(q_of(ratio))));
            cx.edits.set(band.q, value_from_normalized(band.q, wanted));
        }
        if response.drag_stopped() {
            cx.edits.end(band.q);
        }
        let palette = &cx.palette;
        ui.painter().line_segment([node, at], Stroke::new(1.0, palette.accent));
        let fill = if response.hovered() || response.dragged() { palette.accent } else { palette.panel };
        ui.painter().circle(at, HANDLE_RADIUS, fill, Stroke::new(1.5, palette.accent));
        if response.has_focus() {
            ui.painter().circle_stroke(at, HANDLE_RADIUS + 3.0, Stroke::new(1.5, palette.accent));
        }
        response.on_hover_text("Width of the band: drag outwards for a lower Q.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_and_q_go_there_and_back() {
        for q in [0.1, 0.71, 1.0, 4.0, 30.0] {
            assert!((q_of(edge_ratio(q)) - q).abs() < 1e-9 * q, "{q}");
        }
        // an octave is a Q of the square root of two
        assert!((q_of(core::f64::consts::SQRT_2) - core::f64::consts::SQRT_2).abs() < 1e-12);
    }
}
