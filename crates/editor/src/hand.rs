//! One parameter in a window: its name, a control to take hold of, its value to be typed.
//!
//! Whatever its kind it is set by mouse alone: drag (shift: finer), wheel (shift: finer), double click for the default.

use chain::parameters::{Kind, Parameter};
use egui::{Event, Key, Rect, Response, Sense, TextEdit, Ui, pos2, vec2};
use nice_plug::context::gui::ParamSetter;
use plugin_core::control::Control;
use plugin_core::text::parse;
use plugin_core::travel::steps;

/// The width of what is dragged and of a value, points.
const BAR: f32 = 220.0;
const VALUE: f32 = 110.0;
const HEIGHT: f32 = 18.0;
/// How far a notch of the wheel moves a control that has no steps.
const NOTCH: f32 = 0.01;
/// What shift makes of a movement.
const FINE: f32 = 0.1;

/// Draws the parameter of `row`, without its name.
pub(super) fn field<C: Control>(ui: &mut Ui, row: &Parameter, control: &C, setter: &ParamSetter<'_>) {
    let hand = Hand { control, setter, steps: choices(row) };
    match row.kind {
        Kind::Switch => hand.switch(ui),
        Kind::Choice(names) => hand.choice(ui, &row.id, names),
        Kind::Number { min, max, .. } => {
            let origin = if min < 0.0 && max > 0.0 { control.default_normalized_value() } else { 0.0 };
            hand.bar(ui, origin);
        }
    }
    if matches!(row.kind, Kind::Number { .. }) {
        hand.value(ui, row);
    } else {
        ui.label("");
    }
}

/// Draws a parameter that is not the chain's, with as many choices as it has steps.
pub(super) fn choice_field(
    ui: &mut Ui,
    id: &str,
    control: &impl nice_plug::prelude::Param,
    setter: &ParamSetter<'_>,
) {
    let last = control.step_count().unwrap_or(1);
    let names: Vec<String> =
        (0..=last).map(|i| control.normalized_value_to_string(i as f32 / last as f32, true)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Hand { control, setter, steps: Some(names.len()) }.choice(ui, id, &names);
}

/// Positions of a control that has them.
fn choices(row: &Parameter) -> Option<usize> {
    if row.kind == Kind::Switch { Some(2) } else { steps(row) }
}

/// A hand on a parameter.
struct Hand<'a, 'b, C> {
    control: &'a C,
    setter: &'a ParamSetter<'b>,
    /// `None` for a continuous control.
    steps: Option<usize>,
}

impl<C: nice_plug::prelude::Param> Hand<'_, '_, C> {
    fn travel(&self) -> f32 {
        self.control.unmodulated_normalized_value()
    }

    /// Moves to `travel` if that is another value.
    fn move_to(&self, travel: f32) {
        let plain = self.control.preview_plain(travel.clamp(0.0, 1.0));
        if plain != self.control.unmodulated_plain_value() {
            self.setter.set_parameter(self.control, plain);
        }
    }

    /// A whole gesture.
    fn set(&self, travel: f32) {
        self.setter.begin_set_parameter(self.control);
        self.move_to(travel);
        self.setter.end_set_parameter(self.control);
    }

    fn reset(&self) {
        self.set(self.control.default_normalized_value());
    }

    /// The wheel over `response`; it then scrolls nothing else.
    fn wheel(&self, ui: &Ui, response: &Response) {
        if !response.hovered() {
            return;
        }
        let (turned, fine) = ui.input_mut(|input| {
            let turned: f32 = input
                .events
                .iter()
                .map(|event| match event {
                    Event::MouseWheel { delta, .. } if delta.x + delta.y != 0.0 => {
                        (delta.x + delta.y).signum()
                    }
                    _ => 0.0,
                })
                .sum();
            input.smooth_scroll_delta = egui::Vec2::ZERO;
            (turned, input.modifiers.shift)
        });
        if turned != 0.0 {
            let notch = match self.steps {
                Some(steps) => 1.0 / (steps.max(2) - 1) as f32,
                None => NOTCH * if fine { FINE } else { 1.0 },
            };
            self.set(self.travel() + turned * notch);
        }
    }

    fn switch(&self, ui: &mut Ui) {
        let on = self.travel() >= 0.5;
        let text = if on { "On" } else { "Off" };
        let response = ui.add_sized([BAR, HEIGHT], egui::Button::new(text).selected(on));
        if response.clicked() {
            self.set(if on { 0.0 } else { 1.0 });
        }
        self.wheel(ui, &response);
    }

    fn choice(&self, ui: &mut Ui, id: &str, names: &[&str]) {
        let last = names.len().max(2) - 1;
        let now = (self.travel() * last as f32).round() as usize;
        let shown = names.get(now).copied().unwrap_or_default();
        let list = egui::ComboBox::from_id_salt(id).selected_text(shown).width(BAR).show_ui(ui, |ui| {
            for (i, name) in names.iter().enumerate() {
                if ui.selectable_label(i == now, *name).clicked() {
                    self.set(i as f32 / last as f32);
                }
            }
        });
        if list.response.double_clicked() {
            self.reset();
        }
        self.wheel(ui, &list.response);
    }

    /// A bar, filled from `origin` to the value. Dragging is relative: taking hold changes nothing.
    fn bar(&self, ui: &mut Ui, origin: f32) {
        let (rect, response) = ui.allocate_exact_size(vec2(BAR, HEIGHT), Sense::click_and_drag());
        // where the hand is, which stepped values are not
        let held = response.id.with("held");
        if response.drag_started() {
            self.setter.begin_set_parameter(self.control);
            ui.data_mut(|data| data.insert_temp(held, self.travel()));
        }
        if response.dragged() {
            let fine = if ui.input(|input| input.modifiers.shift) { FINE } else { 1.0 };
            let from: f32 = ui.data(|data| data.get_temp(held)).unwrap_or_else(|| self.travel());
            let to = (from + response.drag_delta().x / BAR * fine).clamp(0.0, 1.0);
            ui.data_mut(|data| data.insert_temp(held, to));
            self.move_to(to);
        }
        if response.drag_stopped() {
            self.setter.end_set_parameter(self.control);
        }
        if response.double_clicked() {
            self.reset();
        }
        self.wheel(ui, &response);

        if ui.is_rect_visible(rect) {
            let visuals = ui.style().interact(&response);
            let at = |travel: f32| rect.left() + rect.width() * travel;
            let (from, to) = (at(origin.min(self.travel())), at(origin.max(self.travel())));
            let filled = Rect::from_min_max(pos2(from, rect.top()), pos2(to, rect.bottom()));
            let painter = ui.painter();
            painter.rect_filled(rect, 2.0, ui.visuals().extreme_bg_color);
            painter.rect_filled(filled, 2.0, ui.visuals().selection.bg_fill);
            painter.vline(at(self.travel()), rect.y_range(), visuals.fg_stroke);
            painter.rect_stroke(rect, 2.0, ui.visuals().widgets.inactive.bg_stroke, egui::StrokeKind::Inside);
        }
        response.on_hover_text("Drag, shift for fine; wheel; double click for the default");
    }

    /// The value; a click lets one type another.
    fn value(&self, ui: &mut Ui, row: &Parameter) {
        let id = ui.scope_id().with(("typing", &row.id));
        let Some(mut typed) = ui.data(|data| data.get_temp::<String>(id)) else {
            let shown = self.control.normalized_value_to_string(self.travel(), true);
            let button = egui::Button::new(&shown).frame(false).min_size(vec2(VALUE, HEIGHT));
            if ui.add(button).on_hover_text("Click to type").clicked() {
                ui.data_mut(|data| data.insert_temp(id, shown));
            }
            return;
        };
        let field = TextEdit::singleline(&mut typed).id(id.with("text")).desired_width(VALUE - 8.0);
        let is_new = ui.memory(|memory| memory.focused() != Some(id.with("text")));
        let response = ui.add(field);
        if is_new && !response.lost_focus() {
            response.request_focus();
        }
        if response.lost_focus() {
            let wanted =
                ui.input(|input| input.key_pressed(Key::Enter)).then(|| parse(row, &typed)).flatten();
            if wanted.is_some()
                && let Some(travel) = self.control.string_to_normalized_value(&typed)
            {
                self.set(travel);
            }
            ui.data_mut(|data| data.remove::<String>(id));
        } else {
            ui.data_mut(|data| data.insert_temp(id, typed));
        }
    }
}
