//! Switches, choices and buttons.

use super::field::{Style, describe, explain, field, turn};
use super::format::{number, whole};
use super::paint::{self, pen};
use super::theme::{self, GRID, Palette};
use super::view_model::ViewCx;
use chain::parameters::{Parameter, ParameterKind, Value};
use core::ops::RangeInclusive;
use egui::{
    Align2, Color32, CornerRadius, DragValue, Key, Modifiers, Pos2, Rect, Response, Role, Sense,
    SetOpenCommand, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use plugin_core::control::full_name;

/// Control of a parameter of any kind, under its name: 32 points high.
pub fn control(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect, row: &'static Parameter, style: Style<'_>) {
    match row.kind {
        ParameterKind::Number { .. } => drop(field(ui, cx, place, row, style)),
        ParameterKind::Choice(_) => drop(choice(ui, cx, place, row, style)),
        ParameterKind::Switch => {
            let centre =
                pos2(place.min.x + 7.0, place.center().y + if style.caption.is_some() { 7.0 } else { 0.0 });
            dot(ui, cx, centre, row);
            let words = if cx.is_on(row) { "On" } else { "Off" };
            let colour = if style.dim { cx.palette.dim } else { cx.palette.text };
            let beside = Rect::from_center_size(pos2(centre.x + 12.0 + 20.0, centre.y), vec2(40.0, 16.0));
            paint::text(ui, beside, Align2::LEFT_CENTER, words, &pen(theme::font(theme::BODY), colour));
            if let Some(caption) = style.caption {
                let top = Rect::from_min_size(place.min, vec2(place.width(), 14.0));
                let pen = pen(theme::font(theme::SMALL), cx.palette.secondary);
                paint::text(ui, top, Align2::LEFT_CENTER, caption, &pen);
            }
        }
    }
}

/// Figure with one decimal that is dragged, or typed with or without its unit.
pub fn figure<'a>(value: &'a mut f64, range: RangeInclusive<f64>, unit: &'a str) -> DragValue<'a> {
    DragValue::new(value)
        .range(range)
        .speed(0.1)
        .custom_formatter(|figure, _| number(figure, 1))
        .custom_parser(|typed| {
            let typed = typed.replace('\u{2212}', "-");
            typed.trim_end_matches(|c: char| c.is_alphabetic() || c == ' ').trim().parse().ok()
        })
        .suffix(unit)
}

/// A switch: a dot, filled when on.
pub fn dot(ui: &mut Ui, cx: &mut ViewCx<'_>, centre: Pos2, row: &'static Parameter) -> Response {
    let place = Rect::from_center_size(centre, vec2(20.0, 20.0));
    let response = ui.interact(place, ui.scope_id().with(("dot", &row.id)), Sense::click());
    let on = cx.is_on(row);
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, on, full_name(row)));
    if response.clicked() {
        cx.put(row, Value::Switch(!on));
    }
    let palette = &cx.palette;
    let edge = if on || response.hovered() { palette.accent } else { palette.dim };
    let fill = if on { palette.accent } else { Color32::TRANSPARENT };
    ui.painter().circle(centre, 6.0, fill, Stroke::new(1.5, edge));
    if response.has_focus() {
        paint::focus_ring(ui, place.shrink(2.0), palette);
    }
    explain(response, row)
}

/// Choice of a parameter, drawn in `place`; a menu lists all choices, the wheel steps through them.
pub fn choice(
    ui: &mut Ui,
    cx: &mut ViewCx<'_>,
    place: Rect,
    row: &'static Parameter,
    style: Style<'_>,
) -> Response {
    let response = ui.interact(place, ui.scope_id().with(("choice", &row.id)), Sense::click());
    describe(ui, cx, &response, row);
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(Role::ComboBox));
    turn(ui, cx, &response, row);
    let palette = cx.palette;
    let mut words = place;
    if let Some(caption) = style.caption {
        let top = Rect::from_min_size(place.min, vec2(place.width(), 14.0));
        paint::text(
            ui,
            top,
            Align2::LEFT_CENTER,
            caption,
            &pen(theme::font(theme::SMALL), palette.secondary),
        );
        words.min.y += 14.0;
    }
    words.max.y -= 3.0;
    words.max.x -= 12.0;
    let colour = match () {
        () if response.hovered() => palette.accent,
        () if style.dim => palette.dim,
        () => palette.text,
    };
    let written = paint::text(
        ui,
        words,
        Align2::LEFT_CENTER,
        &whole(row, cx.value(row)),
        &pen(theme::strong(style.size), colour),
    );
    paint::chevron(ui, pos2(written.max.x + 8.0, words.center().y + 1.0), palette.dim);
    if response.has_focus() {
        paint::focus_ring(ui, place, &palette);
    }
    let now = cx.value(row);
    let mut chosen = None;
    egui::Popup::menu(&response).show(|ui| choose(ui, row, now, &mut chosen));
    if let Some(value) = chosen {
        cx.put(row, value);
    }
    explain(response, row)
}

/// The choices of `row` in a menu; for numbers in steps, each of them.
pub fn choose(ui: &mut Ui, row: &Parameter, now: Value, chosen: &mut Option<Value>) {
    let ParameterKind::Choice(choices) = row.kind else { return };
    for (index, name) in choices.iter().enumerate() {
        if ui.selectable_label(now == Value::Choice(index), *name).clicked() {
            *chosen = Some(Value::Choice(index));
            ui.close();
        }
    }
}

/// Opens the menu of a control's rarer actions at the pointer by the right button, or below the control by the key M while it
/// has the keyboard.
pub fn context_menu(response: &Response, contents: impl FnOnce(&mut Ui)) {
    let ctx = &response.ctx;
    let by_key = response.has_focus() && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::M));
    if by_key || response.secondary_clicked() {
        ctx.data_mut(|data| data.insert_temp(response.id.with(BY_KEY), by_key));
    }
    let mut popup = egui::Popup::context_menu(response);
    if was_opened_by_key(response) {
        popup = popup.at_position(response.rect.left_bottom());
    }
    if by_key {
        popup = popup.open_memory(Some(SetOpenCommand::Bool(true)));
    }
    popup.show(contents);
}

const BY_KEY: &str = "menu by key";

/// Returns true if the [`context_menu`] was last opened by key.
pub fn was_opened_by_key(response: &Response) -> bool {
    response.ctx.data(|data| data.get_temp(response.id.with(BY_KEY))).unwrap_or_default()
}

/// Scrolls the list that `ui` is drawing to the entry that has just got the keyboard.
pub fn follow_keyboard(ui: &Ui) {
    let focused = ui.memory(egui::Memory::focused);
    let entry = focused.and_then(|id| ui.ctx().read_response(id)).filter(Response::gained_focus);
    if let Some(entry) =
        entry.filter(|entry| entry.layer_id == ui.layer_id() && ui.min_rect().intersects(entry.rect))
    {
        ui.scroll_to_rect(entry.rect, None);
    }
}

/// Emphasis of a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// No emphasis.
    Quiet,
    /// Chosen: the accent.
    Chosen,
}

/// Button with a text and round ends.
pub fn pill(
    ui: &mut Ui,
    palette: &Palette,
    place: Rect,
    words: &str,
    weight: Weight,
    enabled: bool,
) -> Response {
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    // the same words may stand on several cards
    let at = (place.min.x as i32, place.min.y as i32);
    let response = ui.interact(place, ui.scope_id().with(("pill", words, at)), sense);
    response.widget_info(|| WidgetInfo::selected(Role::Button, enabled, weight == Weight::Chosen, words));
    let (fill, ink) = match (weight, enabled) {
        (Weight::Chosen, _) => (palette.accent, palette.on_accent),
        (_, false) => (palette.raised, palette.dim),
        _ if response.hovered() => (palette.line, palette.text),
        _ => (palette.raised, palette.secondary),
    };
    let round = CornerRadius::same((place.height() / 2.0) as u8);
    ui.painter().rect_filled(place, round, fill);
    paint::text(
        ui,
        place.shrink2(vec2(2.0, 0.0)),
        Align2::CENTER_CENTER,
        words,
        &pen(theme::font(theme::BODY), ink),
    );
    if response.has_focus() {
        paint::focus_ring(ui, place, palette);
    }
    response
}

/// Returns the width of a [`pill`] with this text, points.
pub fn pill_width(ui: &Ui, words: &str) -> f32 {
    (paint::width(ui, words, &pen(theme::font(theme::BODY), Color32::WHITE)) + 5.0 * GRID).ceil()
}

/// Width of the chevron of a [`menu`] and the space before it, points.
pub const MENU_CHEVRON_WIDTH: f32 = 16.0;

/// Text with a chevron that opens a menu; at most as wide as `place`.
pub fn menu(ui: &mut Ui, palette: &Palette, place: Rect, name: &str, words: &str, ink: Color32) -> Response {
    let pen = pen(theme::font(theme::BODY), ink);
    let width = (paint::width(ui, words, &pen) + MENU_CHEVRON_WIDTH).min(place.width());
    let place = Rect::from_min_size(place.min, vec2(width, place.height()));
    let response = ui.interact(place, ui.scope_id().with(("menu", name)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(words));
    let text = Rect::from_min_max(place.min, pos2(place.max.x - 14.0, place.max.y));
    let written = paint::text(ui, text, Align2::LEFT_CENTER, words, &pen);
    let ink = if response.hovered() { palette.accent } else { palette.dim };
    paint::chevron(ui, pos2(written.max.x + 8.0, place.center().y + 1.0), ink);
    if response.has_focus() {
        paint::focus_ring(ui, place, palette);
    }
    response
}

/// Round button with a drawing: `draw` gets its centre and its colour.
pub fn icon(
    ui: &mut Ui,
    palette: &Palette,
    centre: Pos2,
    name: &str,
    enabled: bool,
    draw: impl FnOnce(&egui::Painter, Pos2, Color32),
) -> Response {
    let place = Rect::from_center_size(centre, vec2(24.0, 24.0));
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let response = ui.interact(place, ui.scope_id().with(("icon", name)), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    let ink = match (enabled, response.hovered()) {
        (false, _) => palette.line,
        (true, true) => palette.accent,
        (true, false) => palette.secondary,
    };
    draw(ui.painter(), centre, ink);
    if response.has_focus() {
        paint::focus_ring(ui, place.shrink(1.0), palette);
    }
    response.on_hover_text(name)
}
