//! Trim that Masters have asked of a Stem: dragged, typed or reset. One request per gesture, because the Stem has to
//! accept each.

use super::ghost::{FINE_STEP_DB, MAX_GAIN_DB, STEP_DB, decibels_of};
use crate::controls::context_menu;
use crate::field::{arrow_steps, asked_number, describe_number, is_typed, start_typing, type_line};
use crate::format::signed;
use crate::paint::{self, pen};
use crate::theme;
use crate::view_model::ViewCx;
use egui::{Align2, Event, Key, Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};
use plugin_core::command::{TrimChange, TrimRequest};
use plugin_core::session_view::{StemCard, TrimRequestState};
use units::Db;

/// Change per point of dragging, dB; with Shift a tenth of it.
const DB_PER_POINT: f64 = 0.1;

/// Trim that is being dragged.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// Revision of the trim at the start of the drag.
    base: u64,
    /// Dragged value, dB, not yet rounded.
    at: f64,
}

impl Held {
    fn trim(self) -> Db {
        Db((self.at * 10.0).round() / 10.0)
    }
}

fn ask(cx: &mut ViewCx<'_>, stem: &StemCard, base: u64, trim: Db) {
    cx.edits.ask_trim(stem.trim, TrimRequest { stem: stem.id, base, trim });
}

/// Draws the trim in `cell`.
pub(super) fn draw_trim(ui: &mut Ui, cx: &mut ViewCx<'_>, cell: Rect, stem: &StemCard) {
    let palette = cx.palette;
    let id = ui.scope_id().with(("trim", stem.id));
    let at = Rect::from_center_size(cell.center(), vec2(cell.width(), 20.0));
    if is_typed(ui, id) {
        // the keyboard comes back to this
        let _ = ui.interact(at, id, Sense::click());
        if let Some(trim) = type_line(ui, &palette, at, id, theme::BODY).as_deref().and_then(decibels_of) {
            ask(cx, stem, stem.revision, trim);
        }
        return;
    }
    let response = ui.interact(at, id, Sense::click_and_drag());
    let held = drag(ui, cx, &response, stem);
    let (shown, ink) = match (held, stem.request) {
        (Some(held), _) => (held.trim(), palette.accent),
        (None, TrimRequestState::Asked(trim)) => (trim, palette.accent),
        (None, _) => (stem.trim, if stem.trim.0 == 0.0 { palette.dim } else { palette.text }),
    };
    let words = signed(shown.0, 1);
    response.widget_info(|| WidgetInfo {
        label: Some(format!("{} Trim", stem.name())),
        ..WidgetInfo::drag_value(true, shown.0)
    });
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::SpinButton);
        node.set_value(format!("{words} dB"));
    });
    describe_number(ui, id, Some(shown.0), -MAX_GAIN_DB..=MAX_GAIN_DB);
    if let Some(asked) = asked_number(ui, id) {
        ask(
            cx,
            stem,
            stem.revision,
            Held { at: asked.clamp(-MAX_GAIN_DB, MAX_GAIN_DB), base: stem.revision }.trim(),
        );
    }
    let ink = if response.hovered() { palette.accent } else { ink };
    paint::text(ui, at, Align2::RIGHT_CENTER, &words, &pen(theme::font(theme::BODY), ink));
    let steps = arrow_steps(ui, &response);
    // a Stem that has not answered yet would refuse a second request
    if steps != 0.0 && !matches!(stem.request, TrimRequestState::Asked(_)) {
        let step = if ui.input(|input| input.modifiers.shift) { FINE_STEP_DB } else { STEP_DB };
        let trim = (shown.0 + f64::from(steps) * step).clamp(-MAX_GAIN_DB, MAX_GAIN_DB);
        ask(cx, stem, stem.revision, Held { at: trim, base: stem.revision }.trim());
    }
    if response.has_focus() {
        paint::focus_ring(ui, at, &palette);
        keys(ui, cx, &response, stem);
    }
    if response.double_clicked() {
        ask(cx, stem, stem.revision, Db(0.0));
    } else if response.clicked() {
        response.request_focus();
    }
    context_menu(&response, |ui| {
        if ui.button("No trim").clicked() {
            ask(cx, stem, stem.revision, Db(0.0));
            ui.close();
        }
        let stems = cx.model.snapshot.stems.iter().filter(|stem| stem.status.is_linked());
        let changes: Vec<TrimChange> = stems
            .filter(|stem| stem.trim.0 != 0.0)
            .map(|stem| TrimChange { stem: stem.id, before: stem.trim, after: Db(0.0) })
            .collect();
        if ui.add_enabled(!changes.is_empty(), egui::Button::new("No trims at all")).clicked() {
            cx.edits.put_trims(changes);
            ui.close();
        }
    });
    response.on_hover_text("What Masters have asked this stem's level to change by, dB. The Stem keeps it. Drag, use the arrow keys (with Shift finely) or type; double click or Delete: none.");
}

/// Handles the drag; its end asks the Stem for the trim.
fn drag(ui: &Ui, cx: &mut ViewCx<'_>, response: &Response, stem: &StemCard) -> Option<Held> {
    if response.drag_started_by(egui::PointerButton::Primary) {
        let held = Held { base: stem.revision, at: stem.trim.0 };
        ui.data_mut(|data| data.insert_temp(response.id, held));
    }
    let mut held = ui.data(|data| data.get_temp::<Held>(response.id))?;
    if response.dragged_by(egui::PointerButton::Primary) {
        let (way, fine) = (response.drag_delta(), ui.input(|input| input.modifiers.shift));
        let speed = if fine { 0.1 * DB_PER_POINT } else { DB_PER_POINT };
        held.at = (held.at + f64::from(way.x - way.y) * speed).clamp(-MAX_GAIN_DB, MAX_GAIN_DB);
        ui.data_mut(|data| data.insert_temp(response.id, held));
        ui.ctx().set_cursor_icon(egui::CursorIcon::ResizeVertical);
        return Some(held);
    }
    ui.data_mut(|data| data.remove_temp::<Held>(response.id));
    if response.drag_stopped() {
        ask(cx, stem, held.base, held.trim());
    }
    None
}

fn keys(ui: &Ui, cx: &mut ViewCx<'_>, response: &Response, stem: &StemCard) {
    let typed = ui.input(|input| {
        input.events.iter().find_map(|event| match event {
            Event::Key { key: Key::Enter, pressed: true, .. } => Some(signed(stem.trim.0, 1)),
            Event::Text(typed) if typed.starts_with(|c: char| c.is_ascii_digit() || "+-.,".contains(c)) => {
                Some(typed.clone())
            }
            _ => None,
        })
    });
    if let Some(text) = typed {
        start_typing(ui, response.id, text);
    } else if ui.input(|input| input.key_pressed(Key::Delete) || input.key_pressed(Key::Backspace)) {
        ask(cx, stem, stem.revision, Db(0.0));
    }
}
