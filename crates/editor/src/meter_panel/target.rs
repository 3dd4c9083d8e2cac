//! Target of the song: its line on the bar of loudness, and the menu of target, unit and scale.

use super::loudness;
use crate::controls::{self, follow_keyboard};
use crate::display::{LoudnessScale, LoudnessTarget, LoudnessUnit, MeterDisplay, TARGET_RANGE};
use crate::edits::Edit;
use crate::format::{number, signed};
use crate::paint::{self, pen};
use crate::theme;
use crate::view_model::ViewCx;
use egui::{
    Align2, CornerRadius, Popup, PopupCloseBehavior, Pos2, Rect, Response, Role, ScrollArea, Stroke, Ui,
    WidgetInfo, pos2, vec2,
};
use units::Lufs;

/// Draws the bar of loudness at the top of `place`, with its scale unless it `is_compact`; returns its lower end.
pub(super) fn draw_loudness_bar(ui: &Ui, cx: &ViewCx<'_>, place: Rect, is_compact: bool) -> f32 {
    let (palette, display) = (&cx.palette, &cx.model.display.meter);
    let rail = Rect::from_min_size(place.min, vec2(place.width(), 6.0));
    ui.painter().rect_filled(rail, CornerRadius::same(3), palette.background);
    let x = |level: Lufs| rail.min.x + rail.width() * display.fraction(level);
    let reading = &cx.model.reading;
    if let Some(momentary) = reading.momentary {
        let fill = Rect::from_min_max(rail.min, pos2(x(momentary), rail.max.y));
        ui.painter().rect_filled(fill, CornerRadius::same(3), cx.track);
    }
    for (level, stroke) in [
        (reading.short_term, Stroke::new(1.5, palette.text)),
        (reading.integrated, Stroke::new(2.5, palette.text)),
    ] {
        if let Some(level) = level {
            ui.painter().vline(x(level), rail.y_range(), stroke);
        }
    }
    if let Some(target) = &display.target {
        let x = x(target.loudness);
        ui.painter().vline(x, rail.min.y - 3.0..=rail.max.y + 3.0, Stroke::new(2.0, palette.accent));
    }
    let value = format!(
        "M {}, S {}, I {} {}",
        loudness(cx, reading.momentary),
        loudness(cx, reading.short_term),
        loudness(cx, reading.integrated),
        display.unit_name()
    );
    let response = ui.interact(rail, ui.scope_id().with("loudness bar"), egui::Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, "Loudness bar"));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(value));
    response.on_hover_text("Momentary loudness as a bar, short-term as a thin line, integrated as a thick one; the target in blue. Target opens unit and scale.");
    if is_compact {
        return rail.max.y;
    }
    let tiny = pen(theme::font(theme::TINY), palette.dim);
    // both ends of a scale are labelled: what is at the edge stands inside
    let steps = 3;
    let line = Rect::from_min_size(pos2(rail.min.x, rail.max.y + 3.0), vec2(rail.width(), 11.0));
    for (step, level) in display.labels(steps).enumerate() {
        let align = match step {
            0 => Align2::LEFT_CENTER,
            step if step == steps => Align2::RIGHT_CENTER,
            _ => Align2::CENTER_CENTER,
        };
        let at = match step {
            0 => line,
            step if step == steps => line,
            _ => Rect::from_center_size(pos2(x(level), line.center().y), vec2(36.0, 11.0)),
        };
        let figure = display.figure(level);
        let words =
            if display.unit == LoudnessUnit::Relative { signed(figure, 0) } else { number(figure, 0) };
        paint::text(ui, at, align, &words, &tiny);
    }
    line.max.y
}

/// Opens the menu of the row *Target*, whose name ends at `end`.
pub(super) fn draw_menu(ui: &Ui, cx: &mut ViewCx<'_>, response: &Response, end: Pos2) {
    let palette = cx.palette;
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(Role::ComboBox));
    let ink = if response.hovered() { palette.accent } else { palette.dim };
    paint::chevron(ui, pos2(end.x + 8.0, end.y + 1.0), ink);
    let now = &cx.model.display.meter;
    if let Some(target) = &now.target {
        let small = pen(theme::font(theme::TINY), palette.accent);
        let at = Rect::from_min_size(pos2(end.x + 15.0, end.y - 6.0), vec2(30.0, 12.0));
        paint::text(ui, at, Align2::LEFT_CENTER, &number(target.loudness.0, 0), &small);
    }
    if response.has_focus() {
        paint::focus_ring(ui, response.rect, &palette);
    }
    let mut chosen = now.clone();
    Popup::menu(response)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| menu(ui, cx, &mut chosen));
    if chosen != *now {
        cx.edits.request(Edit::MeterDisplay(chosen));
    }
}

fn menu(ui: &mut Ui, cx: &ViewCx<'_>, display: &mut MeterDisplay) {
    let caption = |ui: &mut Ui, words: &str| {
        ui.label(egui::RichText::new(words).size(theme::SMALL).color(cx.palette.secondary));
    };
    ui.set_min_width(230.0);
    caption(ui, "Unit and scale");
    ui.horizontal(|ui| {
        ui.selectable_value(&mut display.unit, LoudnessUnit::Absolute, "LUFS");
        ui.selectable_value(&mut display.unit, LoudnessUnit::Relative, "LU")
            .on_hover_text("Relative to the target; without one to −23 LUFS (EBU R 128).");
    });
    ui.horizontal(|ui| {
        for (scale, _, words) in LoudnessScale::ALL {
            ui.selectable_value(&mut display.scale, scale, words);
        }
    });
    ui.separator();
    caption(ui, "Target of the song");
    ui.horizontal(|ui| {
        let mut figure = display.reference().0;
        ui.label("Own");
        let response = ui.add(controls::figure(&mut figure, TARGET_RANGE, " LUFS"));
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_label("Own target"));
        if response.changed() {
            display.target = Some(LoudnessTarget::own(Lufs(figure)));
        }
        if ui.selectable_label(display.target.is_none(), "No target").clicked() {
            display.target = None;
        }
    });
    ScrollArea::vertical().max_height(220.0).show(ui, |ui| {
        for target in LoudnessTarget::platforms() {
            let words = format!("{}  {}", target.name, number(target.loudness.0, 0));
            if ui.selectable_label(display.target.as_ref() == Some(&target), words).clicked() {
                display.target = Some(target);
            }
        }
        follow_keyboard(ui);
    });
}
