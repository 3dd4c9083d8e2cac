//! Card with all parameters of the selected band.

use super::axes::Axes;
use super::{BandRows, Graph};
use crate::controls::{choice, control, dot, icon};
use crate::field::Style;
use crate::listen;
use crate::paint::{self, pen};
use crate::theme::{self, PAD};
use crate::view_model::ViewCx;
use chain::monitor::MonitorMode;
use chain::parameters::Parameter;
use egui::{Align2, CornerRadius, Rect, Sense, Stroke, Ui, pos2, vec2};
use units::Hz;

/// Size of one value, points.
const VALUE_SIZE: egui::Vec2 = vec2(72.0, 34.0);

pub(super) fn draw_band_card(graph: &mut Graph, ui: &mut Ui, cx: &mut ViewCx<'_>, axes: &Axes) {
    let Some(band) = graph.selected.and_then(|index| BandRows::all(cx.model.chain_kind).get(index)) else {
        return;
    };
    if !band.is_used(cx) {
        graph.selected = None;
        return;
    }
    let plain: Vec<&'static Parameter> = [
        Some(band.frequency),
        Some(band.gain).filter(|_| band.has_gain(cx)),
        Some(band.q).filter(|_| band.has_q(cx)),
        Some(band.slope).filter(|_| band.is_cut(cx)),
        band.range.filter(|_| band.has_gain(cx)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let dynamics: Vec<&'static Parameter> =
        if band.is_dynamic(cx) { band.dynamics.into_iter().flatten().collect() } else { Vec::new() };
    let columns = plain.len().max(dynamics.len()).max(4) as f32;
    let rows = if dynamics.is_empty() { 1.0 } else { 2.0 };
    let size = vec2(columns * VALUE_SIZE.x + 2.0 * PAD - 8.0, 30.0 + rows * (VALUE_SIZE.y + 4.0) + 8.0);
    let x = axes.x(Hz(cx.number(band.frequency).unwrap_or(1000.0)));
    let free = axes.plot.shrink2(vec2(4.0, 6.0));
    let left = (x - size.x / 2.0).clamp(free.min.x, (free.max.x - size.x).max(free.min.x));
    let top = if graph.card_at_top { free.min.y } else { free.max.y - size.y };
    let card = Rect::from_min_size(pos2(left, top), size);

    let ground = ui.interact(card, ui.scope_id().with("band card"), Sense::click_and_drag());
    ground.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Group, true, "Band"));
    let palette = cx.palette;
    let round = CornerRadius::same(8);
    ui.painter().rect(card, round, palette.raised, Stroke::new(1.0, palette.line), egui::StrokeKind::Inside);
    header(graph, ui, cx, band, card);
    for (row, cells) in [plain, dynamics].into_iter().enumerate() {
        for (column, parameter) in cells.into_iter().enumerate() {
            let min = pos2(
                card.min.x + PAD + column as f32 * VALUE_SIZE.x,
                card.min.y + 30.0 + row as f32 * (VALUE_SIZE.y + 4.0),
            );
            let place = Rect::from_min_size(min, VALUE_SIZE - vec2(8.0, 2.0));
            let caption = if Some(parameter) == band.range { "Range" } else { parameter.name.as_str() };
            let dim = !cx.is_on(band.on);
            control(ui, cx, place, parameter, Style { caption: Some(caption), dim, ..Style::default() });
        }
    }
}

fn header(graph: &mut Graph, ui: &mut Ui, cx: &mut ViewCx<'_>, band: &BandRows, card: Rect) {
    let y = card.min.y + 17.0;
    dot(ui, cx, pos2(card.min.x + PAD + 6.0, y), band.on);
    let bold = pen(theme::strong(theme::BODY), cx.palette.text);
    let title = Rect::from_min_size(pos2(card.min.x + PAD + 20.0, y - 9.0), vec2(56.0, 18.0));
    let title = paint::text(ui, title, Align2::LEFT_CENTER, &format!("Band {}", band.index + 1), &bold);
    let place = Rect::from_min_size(pos2(title.max.x + 12.0, y - 9.0), vec2(84.0, 21.0));
    choice(ui, cx, place, band.shape, Style::default());
    let place = Rect::from_min_size(pos2(place.max.x + 4.0, y - 9.0), vec2(66.0, 21.0));
    choice(ui, cx, place, band.place, Style::default());
    let name = format!("Hold to hear band {}", band.index + 1);
    let is_heard = cx.model.listen == MonitorMode::Band(band.index);
    let heard = cx.palette.reduction;
    let hear = icon(ui, &cx.palette, pos2(card.max.x - 42.0, y), &name, true, |painter, c, ink| {
        listen::headphones(painter, c, if is_heard { heard } else { ink });
    });
    if hear.is_pointer_button_down_on() {
        graph.hold_solo(cx, band.index);
    }
    let close =
        icon(ui, &cx.palette, pos2(card.max.x - 16.0, y), "Remove the band", true, |painter, c, ink| {
            let stroke = Stroke::new(1.5, ink);
            painter.line_segment([c - vec2(3.5, 3.5), c + vec2(3.5, 3.5)], stroke);
            painter.line_segment([c + vec2(-3.5, 3.5), c + vec2(3.5, -3.5)], stroke);
        });
    if close.clicked() {
        band.reset(cx);
        graph.selected = None;
    }
}
