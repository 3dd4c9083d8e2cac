//! Value field that is dragged, turned, typed and reset: by mouse alone, or by keyboard alone.
//!
//! Drag up or right for more, with Shift ten times finer; the wheel turns in the steps people think in; a double click
//! or Delete is the default; a click or Tab gives it the keyboard: arrows turn, figures or Enter type, with units.

use super::format::{figures_and_unit, whole};
use super::paint::{self, pen};
use super::theme::{self, GRID, Palette};
use super::tooltips;
use super::view_model::ViewCx;
use chain::parameters::{Parameter, ParameterKind, Skew, Value};
use egui::accesskit::{Action, ActionData, ActionRequest};
use egui::{
    Align2, Event, EventFilter, Id, Key, MouseWheelUnit, Rect, Response, Role, Sense, TextEdit, Ui,
    WidgetInfo, pos2, vec2,
};
use plugin_core::control::full_name;
use plugin_core::normalized::{normalized_from_value, value_from_normalized};
use plugin_core::text::parse;
use std::ops::RangeInclusive;

/// Points of dragging for the whole range.
const DRAG_RANGE_POINTS: f32 = 240.0;
/// Factor of dragging and steps while Shift is held.
const FINE_FACTOR: f32 = 0.1;

/// Style of a field.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// A label above; the field takes 32 points then, else 20.
    pub caption: Option<&'a str>,
    /// Size of the figures.
    pub size: f32,
    /// Alignment of the figures.
    pub align: Align2,
    /// The unit is off: drawn dim, still usable.
    pub dim: bool,
}

impl Default for Style<'_> {
    fn default() -> Self {
        Self { caption: None, size: theme::BODY, align: Align2::LEFT_CENTER, dim: false }
    }
}

/// Text being typed, and its field.
#[derive(Clone, Debug, Default)]
struct Typing {
    field: Option<Id>,
    text: String,
    fresh: bool,
}

fn typing() -> Id {
    Id::unique("stemlink typing")
}

/// Draws the field of a number in `place`.
pub fn field(
    ui: &mut Ui,
    cx: &mut ViewCx<'_>,
    place: Rect,
    row: &'static Parameter,
    style: Style<'_>,
) -> Response {
    let id = ui.scope_id().with(("field", &row.id));
    let response = ui.interact(place, id, Sense::click_and_drag());
    describe(ui, cx, &response, row);
    accept_number(ui, cx, &response, row);
    let value_place = draw_caption(ui, cx, place, style);
    if is_typed(ui, id) {
        let typed = type_line(ui, &cx.palette, value_place, id, style.size);
        if let Some(value) = typed.and_then(|text| parse(row, &text)) {
            cx.put(row, value);
        }
        return response;
    }
    drag(ui, cx, &response, row);
    turn(ui, cx, &response, row);
    keys(ui, cx, &response, row);
    if response.double_clicked() {
        cx.put(row, row.default);
    } else if response.clicked() {
        response.request_focus();
    }
    draw(ui, cx, value_place, row, &response, style);
    explain(response, row)
}

/// Sets the accessible name and value.
pub(super) fn describe(ui: &Ui, cx: &ViewCx<'_>, response: &Response, row: &Parameter) {
    response.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, full_name(row)));
    let value = cx.value(row);
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(whole(row, value)));
}

/// Sets a number as the accessible value that assistive technology can set, too; none while the value is off.
pub(super) fn describe_number(ui: &Ui, id: Id, number: Option<f64>, range: RangeInclusive<f64>) {
    ui.ctx().accesskit_node_builder(id, |node| {
        node.add_action(Action::SetValue);
        node.set_min_numeric_value(*range.start());
        node.set_max_numeric_value(*range.end());
        if let Some(number) = number {
            node.set_numeric_value(number);
        }
    });
}

/// Returns the number that assistive technology has asked the control `id` to take in this frame.
pub(super) fn asked_number(ui: &Ui, id: Id) -> Option<f64> {
    let number = |request: &ActionRequest| match request.data {
        Some(ActionData::NumericValue(number)) => Some(number).filter(|number| number.is_finite()),
        _ => None,
    };
    ui.input(|input| input.accesskit_action_requests(id, Action::SetValue).filter_map(number).last())
}

/// Offers the number of `row` to assistive technology and takes the one that is asked for.
pub(super) fn accept_number(ui: &Ui, cx: &mut ViewCx<'_>, response: &Response, row: &'static Parameter) {
    let ParameterKind::Number { min, max, .. } = row.kind else { return };
    let number = if let Value::Number(number) = cx.value(row) { number } else { None };
    describe_number(ui, response.id, number, min..=max);
    if let Some(asked) = asked_number(ui, response.id) {
        cx.put(row, Value::Number(Some(asked.clamp(min, max))));
    }
}

/// Adds the tooltip: meaning, range and default.
pub(super) fn explain(response: Response, row: &'static Parameter) -> Response {
    response.on_hover_ui(|ui| {
        ui.set_max_width(280.0);
        ui.label(egui::RichText::new(full_name(row)).font(theme::strong(theme::BODY)));
        ui.label(tooltips::meaning(row));
        let model = format!("{}; default {}", row.range(), whole(row, row.default));
        ui.label(egui::RichText::new(model).size(theme::SMALL).color(ui.visuals().weak_text_color()));
    })
}

fn draw_caption(ui: &Ui, cx: &ViewCx<'_>, place: Rect, style: Style<'_>) -> Rect {
    let Some(caption) = style.caption else { return place };
    let top = Rect::from_min_size(place.min, vec2(place.width(), 14.0));
    let colour = if style.dim { cx.palette.dim } else { cx.palette.secondary };
    let align = Align2([style.align.x(), egui::Align::Center]);
    let pen = pen(theme::font(theme::SMALL), colour);
    // where there is no room for all of it, the first word
    let first = caption.split(' ').next().unwrap_or_default();
    let words = if paint::width(ui, caption, &pen) <= top.width() { caption } else { first };
    paint::text(ui, top, align, words, &pen);
    Rect::from_min_max(pos2(place.min.x, place.min.y + 14.0), place.max)
}

fn draw(ui: &Ui, cx: &ViewCx<'_>, place: Rect, row: &Parameter, response: &Response, style: Style<'_>) {
    let palette = &cx.palette;
    let value = cx.value(row);
    let (figures, unit) = figures_and_unit(row, value);
    let held = cx.edits.holds(row);
    let colour = match () {
        () if held || response.hovered() => palette.accent,
        () if style.dim => palette.dim,
        () => palette.text,
    };
    let (big, small) = (pen(theme::strong(style.size), colour), pen(theme::font(theme::SMALL), palette.dim));
    let line = Rect::from_min_max(place.min, pos2(place.max.x, place.max.y - 3.0));
    let unit = if unit.is_empty() || unit == ":1" { unit.to_owned() } else { format!(" {unit}") };
    // the unit goes first where there is no room for both
    let both = paint::width(ui, &figures, &big) + paint::width(ui, &unit, &small);
    let runs: &[paint::TextRun<'_>] =
        if both <= line.width() + 0.5 { &[(&figures, &big), (&unit, &small)] } else { &[(&figures, &big)] };
    paint::runs(ui, line, style.align, runs);
    draw_position(ui, cx, place, row, value, style.dim);
    if response.has_focus() {
        paint::focus_ring(ui, place, palette);
    }
}

/// Draws a thin line from the default to the value.
fn draw_position(ui: &Ui, cx: &ViewCx<'_>, place: Rect, row: &Parameter, value: Value, dim: bool) {
    let y = place.max.y - 1.0;
    let at = |value| place.min.x + place.width() * normalized_from_value(row, value);
    ui.painter().hline(place.x_range(), y, egui::Stroke::new(2.0, cx.palette.line));
    let (from, to) = (at(row.default), at(value));
    let colour = if dim { cx.palette.dim } else { cx.palette.accent };
    if (from - to).abs() > 0.5 {
        ui.painter().hline(from.min(to)..=from.max(to), y, egui::Stroke::new(2.0, colour));
    }
}

fn drag(ui: &Ui, cx: &mut ViewCx<'_>, response: &Response, row: &'static Parameter) {
    if response.drag_started() {
        cx.begin(row);
        ui.data_mut(|data| data.insert_temp(response.id, normalized_from_value(row, cx.model.value(row))));
    }
    if response.dragged() {
        let delta = response.drag_delta();
        let speed = if ui.input(|input| input.modifiers.shift) { FINE_FACTOR } else { 1.0 };
        let normalized = ui.data_mut(|data| {
            let normalized = data.get_temp_mut_or_default::<f32>(response.id);
            *normalized = (*normalized + (delta.x - delta.y) / DRAG_RANGE_POINTS * speed).clamp(0.0, 1.0);
            *normalized
        });
        cx.edits.set(row, value_from_normalized(row, normalized));
        ui.ctx().set_cursor_icon(egui::CursorIcon::ResizeVertical);
    }
    if response.drag_stopped() {
        cx.edits.end(row);
    }
}

/// Returns the whole turns of the wheel over `response` in this frame; the remainder carries over.
pub(super) fn wheel(ui: &Ui, response: &Response) -> f32 {
    if !response.contains_pointer() {
        return 0.0;
    }
    let turned: f32 = ui.input(|input| {
        let turns = |event: &Event| match event {
            Event::MouseWheel { unit, delta, .. } => match unit {
                MouseWheelUnit::Point => (delta.x + delta.y) / 40.0,
                MouseWheelUnit::Line | MouseWheelUnit::Page => delta.x + delta.y,
            },
            _ => 0.0,
        };
        input.events.iter().map(turns).sum()
    });
    if turned == 0.0 {
        return 0.0;
    }
    ui.data_mut(|data| {
        let kept = data.get_temp_mut_or_default::<f32>(response.id.with("wheel"));
        *kept += turned;
        let whole = kept.trunc();
        *kept -= whole;
        whole
    })
}

pub(super) fn turn(ui: &Ui, cx: &mut ViewCx<'_>, response: &Response, row: &'static Parameter) {
    let turns = wheel(ui, response);
    if turns != 0.0 && !cx.edits.holds(row) {
        let (fine, time) = ui.input(|input| (input.modifiers.shift, input.time));
        let now = cx.model.value(row);
        cx.edits.turn(row, now, stepped(row, now, turns, fine), time);
    }
}

/// Returns the steps by arrow keys in this frame, if `response` has the keyboard.
pub(super) fn arrow_steps(ui: &Ui, response: &Response) -> f32 {
    if !response.has_focus() {
        return 0.0;
    }
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, escape: false, tab: false };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    ui.input(|input| {
        let step = |event: &Event| match event {
            Event::Key { key: Key::ArrowUp | Key::ArrowRight, pressed: true, .. } => 1.0,
            Event::Key { key: Key::ArrowDown | Key::ArrowLeft, pressed: true, .. } => -1.0,
            _ => 0.0,
        };
        input.events.iter().map(step).sum()
    })
}

fn keys(ui: &Ui, cx: &mut ViewCx<'_>, response: &Response, row: &'static Parameter) {
    let turns = arrow_steps(ui, response);
    if !response.has_focus() {
        return;
    }
    let (mut default, mut text, mut fine, mut time) = (false, None, false, 0.0);
    ui.input(|input| {
        (fine, time) = (input.modifiers.shift, input.time);
        for event in &input.events {
            match event {
                Event::Key { key: Key::Delete | Key::Backspace, pressed: true, .. } => default = true,
                Event::Key { key: Key::Enter, pressed: true, .. } => text = Some(String::new()),
                Event::Text(typed)
                    if typed.starts_with(|c: char| c.is_ascii_digit() || "+-.,".contains(c)) =>
                {
                    text = Some(typed.clone());
                }
                _ => {}
            }
        }
    });
    if default {
        cx.put(row, row.default);
    } else if turns != 0.0 {
        let now = cx.model.value(row);
        cx.edits.turn(row, now, stepped(row, now, turns, fine), time);
    }
    if let Some(text) = text {
        start_typing(ui, response.id, if text.is_empty() { whole(row, cx.value(row)) } else { text });
    }
}

/// Returns true while text is typed into `field`.
pub(super) fn is_typed(ui: &Ui, field: Id) -> bool {
    ui.data(|data| data.get_temp::<Typing>(typing())).is_some_and(|typing| typing.field == Some(field))
}

/// Opens the text line of `field`; it has the keyboard from the next frame on.
pub(super) fn start_typing(ui: &Ui, field: Id, text: String) {
    let edit = field.with("edit");
    let end = text.chars().count();
    // what is typed next goes behind a first figure, and instead of a value
    let start = if end == 1 { end } else { 0 };
    let mut state = egui::text_edit::TextEditState::default();
    let at = |index: usize| egui::text::CCursor::new(index);
    state.cursor.set_char_range(Some(egui::text::CCursorRange::two(at(start), at(end))));
    state.store(ui.ctx(), edit);
    ui.memory_mut(|memory| memory.request_focus(edit));
    ui.data_mut(|data| data.insert_temp(typing(), Typing { field: Some(field), text, fresh: true }));
    ui.ctx().request_repaint();
}

/// Draws the text line of `field` over `place` while it is open; returns the text once, when it is entered.
pub(super) fn type_line(ui: &mut Ui, palette: &Palette, place: Rect, field: Id, size: f32) -> Option<String> {
    let typed = ui.data(|data| data.get_temp::<Typing>(typing()));
    let mut typed = typed.filter(|typing| typing.field == Some(field))?;
    let place = place.expand2(vec2(GRID, 0.0));
    ui.painter().rect_filled(place, 4.0, palette.background);
    paint::focus_ring(ui, place, palette);
    let inside = place.shrink2(vec2(GRID, 0.0));
    let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(inside));
    let edit = TextEdit::singleline(&mut typed.text)
        .id(field.with("edit"))
        .font(theme::strong(size))
        .frame(egui::Frame::NONE)
        .margin(egui::Margin::ZERO)
        .align(Align2::LEFT_CENTER)
        .desired_width(inside.width());
    let response = inner.add_sized(inside.size(), edit);
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label("New value"));
    if typed.fresh {
        typed.fresh = false;
        response.request_focus();
    } else if response.lost_focus() {
        ui.data_mut(|data| data.remove_temp::<Typing>(typing()));
        let (entered, escaped) =
            ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Escape)));
        if entered || escaped {
            ui.memory_mut(|memory| memory.request_focus(field));
        }
        return (!escaped).then_some(typed.text);
    }
    ui.data_mut(|data| data.insert_temp(typing(), typed));
    None
}

/// Returns `value` moved by `steps`. Steps are round numbers for units such as dB, else hundredths of the range.
pub fn stepped(row: &Parameter, value: Value, steps: f32, fine: bool) -> Value {
    let on = f64::from(steps);
    match (row.kind, value) {
        (ParameterKind::Switch, _) => Value::Switch(on > 0.0),
        (ParameterKind::Choice(choices), Value::Choice(index)) => {
            Value::Choice((index as f64 + on).clamp(0.0, choices.len() as f64 - 1.0) as usize)
        }
        (ParameterKind::Number { may_be_off: true, .. }, Value::Number(None)) if on < 0.0 => value,
        (ParameterKind::Number { min, may_be_off: true, .. }, Value::Number(None)) => {
            Value::Number(Some(min))
        }
        (ParameterKind::Number { min, may_be_off: true, .. }, Value::Number(Some(x)))
            if x <= min && on < 0.0 =>
        {
            Value::Number(None)
        }
        (ParameterKind::Number { min, max, skew: Skew::Steps(size), .. }, Value::Number(Some(x))) => {
            Value::Number(Some((x + size * on).clamp(min, max)))
        }
        (ParameterKind::Number { min, max, unit, skew: Skew::Linear, .. }, Value::Number(Some(x))) => {
            let (step, finer) = match unit {
                "dB" | "dBFS" | "dBTP" => (0.5, 0.1),
                "%" => (5.0, 1.0),
                _ => ((max - min) / 50.0, (max - min) / 500.0),
            };
            let step = if fine { finer } else { step };
            Value::Number(Some(((x / step + on).round() * step).clamp(min, max)))
        }
        (ParameterKind::Number { .. }, Value::Number(Some(_))) => {
            let way = if fine { 0.001 } else { 0.01 };
            value_from_normalized(row, (normalized_from_value(row, value) + steps * way).clamp(0.0, 1.0))
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::parameters::PARAMETERS;

    fn step(id: &str, x: Option<f64>, steps: f32, fine: bool) -> Option<f64> {
        let row = PARAMETERS.find(id).expect("exists");
        let Value::Number(x) = stepped(row, Value::Number(x), steps, fine) else { panic!("a number") };
        x
    }

    #[test]
    fn steps_are_what_people_count_in() {
        assert_eq!(step("eq1_gain", Some(1.37), 1.0, false), Some(2.0));
        assert_eq!(step("eq1_gain", Some(1.0), -2.0, false), Some(0.0));
        assert!((step("eq1_gain", Some(1.0), 1.0, true).expect("on") - 1.1).abs() < 1e-9);
        assert_eq!(step("level", Some(12.0), 1.0, false), Some(12.0));
        assert_eq!(step("eq1_slope", Some(12.0), 1.0, false), Some(18.0));
        assert_eq!(step("width", Some(100.0), -1.0, false), Some(95.0));
    }

    #[test]
    fn below_the_least_is_off_where_there_is_off() {
        assert_eq!(step("comp_hp", Some(20.0), -1.0, false), None);
        assert_eq!(step("comp_hp", None, -1.0, false), None);
        assert_eq!(step("comp_hp", None, 1.0, false), Some(20.0));
    }
}
