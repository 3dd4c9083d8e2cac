//! Ghost fader: predicts a louder or quieter stem. Nothing audible changes until *Apply*.
//!
//! The prediction shows while the fader is dragged, turned by the wheel, or moved by arrow keys or a typed value, and stays
//! for a while after it was let go, beside the buttons that apply the move or forget it.

use crate::edits::{Edit, Edits};
use crate::field::{asked_number, describe_number, is_typed, start_typing, type_line, wheel};
use crate::format::signed;
use crate::paint::{self, Pen, pen};
use crate::theme::{self, Palette};
use crate::view_model::ViewCx;
use egui::{
    Align2, CornerRadius, Event, EventFilter, Key, Rect, Response, Role, Sense, Shape, Stroke, Ui,
    WidgetInfo, pos2, vec2,
};
use plugin_core::command::{Proposal, TrimRequest};
use plugin_core::session_view::{StemCard, TrimRequestState};
use session::record::StemId;
use units::Db;

/// Range of a rail, up and down, dB: a point of a usual rail is a tenth of a decibel.
const RAIL_RANGE_DB: f64 = 6.0;
/// Largest gain that can be typed and asked of a Stem, dB.
pub(super) const MAX_GAIN_DB: f64 = 24.0;
/// Step of wheel and arrow keys, dB.
pub(super) const STEP_DB: f64 = 0.5;
/// The same with Shift, dB.
pub(super) const FINE_STEP_DB: f64 = 0.1;
/// Size of the handle while the fader is away from 0, points: it has the number.
const HANDLE_SIZE: egui::Vec2 = vec2(36.0, 18.0);
/// Time for which a move that was let go stays, seconds.
const KEEP_SECONDS: f64 = 30.0;

/// Input that holds a ghost fader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GhostInput {
    /// Drag.
    Hand,
    /// Wheel, until the pointer leaves.
    Wheel,
    /// Arrow keys or a typed value, until the focus leaves.
    Keys,
}

/// Text at the right end of a rail.
struct GhostNote {
    words: String,
    pen: Pen,
    meaning: &'static str,
}

/// Ghost faders of a table; at most one is moved at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Ghosts {
    held: Option<(Proposal, GhostInput)>,
    /// Move that was let go, and the time at which it is forgotten, seconds.
    kept: Option<(Proposal, f64)>,
    /// Move last sent to the Master.
    sent: Option<Proposal>,
}

impl Ghosts {
    /// Returns the move whose prediction is shown.
    pub(super) fn shown(&self) -> Option<Proposal> {
        self.held.map(|(proposal, _)| proposal).or(self.kept.map(|(proposal, _)| proposal))
    }

    /// Clears the move that is shown.
    pub(super) fn forget(&mut self) {
        (self.held, self.kept) = (None, None);
    }

    /// Forgets a move that was let go long enough ago; returns the seconds that are left to the one that is kept. The window
    /// is drawn again when they change.
    pub(super) fn seconds_left(&mut self, ui: &Ui) -> Option<f64> {
        let (_, deadline) = self.kept.filter(|_| self.held.is_none())?;
        let left = deadline - ui.input(|input| input.time);
        if left <= 0.0 {
            self.forget();
            return None;
        }
        let next = std::time::Duration::from_secs_f64((left - left.floor()).max(0.05));
        ui.ctx().request_repaint_after(next);
        Some(left)
    }

    /// Sends the move to the Master if it has changed.
    pub(super) fn send_prediction(&mut self, edits: &mut Edits) {
        let shown = self.shown();
        if shown != self.sent {
            self.sent = shown;
            edits.request(Edit::Predict(shown));
        }
    }

    fn hold(&mut self, proposal: Proposal, hold: GhostInput) {
        let gain = Db(((proposal.gain.0 * 10.0).round() / 10.0).clamp(-MAX_GAIN_DB, MAX_GAIN_DB));
        let proposal = Proposal { gain, ..proposal };
        (self.held, self.kept) = (Some((proposal, hold)), None);
    }

    /// Ends `hold` at `time`, seconds; a move that changes something is kept for a while.
    fn let_go(&mut self, stem: StemId, hold: GhostInput, time: f64) {
        if self.is_held(stem, hold) {
            let moved =
                self.held.take().map(|(proposal, _)| proposal).filter(|proposal| proposal.gain.0 != 0.0);
            self.kept = moved.map(|proposal| (proposal, time + KEEP_SECONDS));
        }
    }

    fn is_held(&self, stem: StemId, hold: GhostInput) -> bool {
        self.held.is_some_and(|(proposal, how)| proposal.stem == stem && how == hold)
    }

    /// Returns the gain shown for a stem; 0 without one.
    fn gain(&self, stem: StemId) -> Db {
        self.shown().filter(|proposal| proposal.stem == stem).map_or(Db(0.0), |proposal| proposal.gain)
    }

    /// Draws the ghost fader of `stem` in `place`. `others`: change of this stem by another stem's move.
    pub(super) fn draw_fader(
        &mut self,
        ui: &mut Ui,
        cx: &mut ViewCx<'_>,
        place: Rect,
        stem: &StemCard,
        others: Option<Db>,
    ) {
        let id = ui.scope_id().with(("ghost", stem.id));
        let rail = place;
        let note = self.note(cx, stem, others);
        let room = note.as_ref().map_or(0.0, |note| paint::width(ui, &note.words, &note.pen) + 6.0);
        // what opens the line to type in is not typed into it, too
        let typed = is_typed(ui, id);
        let free = Rect::from_min_max(rail.min, pos2(rail.max.x - room, rail.max.y));
        let response = ui.interact(free, id, Sense::click_and_drag());
        self.describe(ui, &response, stem);
        if let Some(asked) = asked_number(ui, id) {
            self.hold(Proposal { stem: stem.id, gain: Db(asked) }, GhostInput::Keys);
        }
        self.drag(ui, &response, rail, stem.id);
        self.turn(ui, &response, stem.id);
        self.keys(ui, cx, &response, stem);
        self.draw(ui, &cx.palette, rail, &response, stem.id);
        if typed {
            let line = Rect::from_center_size(rail.center(), vec2(72.0, 20.0));
            let text = type_line(ui, &cx.palette, line, id, theme::BODY);
            if let Some(gain) = text.as_deref().and_then(decibels_of) {
                self.hold(Proposal { stem: stem.id, gain }, GhostInput::Keys);
            }
        } else if let Some(note) = note {
            let place = Rect::from_min_max(pos2(free.max.x, rail.min.y), rail.max);
            ui.painter().rect_filled(place, 0.0, cx.palette.panel);
            paint::label(ui, place, Align2::RIGHT_CENTER, &note.words, &note.pen).on_hover_text(note.meaning);
        }
        response.on_hover_text(
            "What if? Drag (Shift: finer), turn or type: it says what the move would do, and changes nothing that is heard.\nApply, below, asks the Stem for it. Enter: apply; Escape or a double-click: forget.",
        );
    }

    fn describe(&self, ui: &Ui, response: &Response, stem: &StemCard) {
        let (gain, name) = (self.gain(stem.id), format!("{}: what if", stem.name()));
        response
            .widget_info(|| WidgetInfo { label: Some(name.clone()), ..WidgetInfo::drag_value(true, gain.0) });
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_role(Role::Slider);
            node.set_value(format!("{} dB", signed(gain.0, 1)));
        });
        describe_number(ui, response.id, Some(gain.0), -MAX_GAIN_DB..=MAX_GAIN_DB);
    }

    fn drag(&mut self, ui: &Ui, response: &Response, rail: Rect, stem: StemId) {
        if response.drag_started() {
            let gain = self.gain(stem).0;
            ui.data_mut(|data| data.insert_temp(response.id, gain));
        }
        if response.dragged() {
            let fine = if ui.input(|input| input.modifiers.shift) { 0.1 } else { 1.0 };
            let way = f64::from(response.drag_delta().x / line(rail).width()) * 2.0 * RAIL_RANGE_DB * fine;
            let gain = ui.data_mut(|data| {
                let gain = data.get_temp_mut_or_default::<f64>(response.id);
                // beyond the end of the rail it goes on
                *gain = (*gain + way).clamp(-2.0 * RAIL_RANGE_DB, 2.0 * RAIL_RANGE_DB);
                *gain
            });
            self.hold(Proposal { stem, gain: Db(gain) }, GhostInput::Hand);
        }
        if response.drag_stopped() {
            self.let_go(stem, GhostInput::Hand, ui.input(|input| input.time));
        }
        if response.double_clicked() {
            self.forget();
        } else if response.clicked() {
            response.request_focus();
        }
    }

    fn turn(&mut self, ui: &Ui, response: &Response, stem: StemId) {
        let turns = wheel(ui, response);
        if turns != 0.0 && !response.dragged() {
            self.step(ui, stem, f64::from(turns), GhostInput::Wheel);
        } else if !response.contains_pointer() {
            self.let_go(stem, GhostInput::Wheel, ui.input(|input| input.time));
        }
    }

    fn step(&mut self, ui: &Ui, stem: StemId, turns: f64, hold: GhostInput) {
        let step = if ui.input(|input| input.modifiers.shift) { FINE_STEP_DB } else { STEP_DB };
        let gain = Db(self.gain(stem).0 + turns * step);
        self.hold(Proposal { stem, gain }, hold);
    }

    fn keys(&mut self, ui: &Ui, cx: &mut ViewCx<'_>, response: &Response, stem: &StemCard) {
        if !response.has_focus() {
            if !is_typed(ui, response.id) {
                self.let_go(stem.id, GhostInput::Keys, ui.input(|input| input.time));
            }
            return;
        }
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, escape: true, tab: false };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        for event in ui.input(|input| input.events.clone()) {
            match event {
                Event::Key { key: Key::ArrowUp | Key::ArrowRight, pressed: true, .. } => {
                    self.step(ui, stem.id, 1.0, GhostInput::Keys);
                }
                Event::Key { key: Key::ArrowDown | Key::ArrowLeft, pressed: true, .. } => {
                    self.step(ui, stem.id, -1.0, GhostInput::Keys);
                }
                Event::Key { key: Key::Delete | Key::Backspace | Key::Escape, pressed: true, .. } => {
                    self.forget();
                }
                Event::Key { key: Key::Enter, pressed: true, .. } => match self.shown() {
                    Some(proposal) if proposal.stem == stem.id => self.apply(cx, stem, proposal),
                    _ => start_typing(ui, response.id, signed(0.0, 1)),
                },
                Event::Text(typed)
                    if typed.starts_with(|c: char| c.is_ascii_digit() || "+-.,".contains(c)) =>
                {
                    start_typing(ui, response.id, typed);
                }
                _ => {}
            }
        }
    }

    /// Asks the Stem for the trim and clears the ghost.
    pub(super) fn apply(&mut self, cx: &mut ViewCx<'_>, stem: &StemCard, proposal: Proposal) {
        let trim = Db((stem.trim.0 + proposal.gain.0).clamp(-MAX_GAIN_DB, MAX_GAIN_DB));
        cx.edits.ask_trim(stem.trim, TrimRequest { stem: stem.id, base: stem.revision, trim });
        self.forget();
    }

    /// Returns the change by another stem's move, or the state of the last request, with its colour and its meaning.
    fn note(&self, cx: &ViewCx<'_>, stem: &StemCard, others: Option<Db>) -> Option<GhostNote> {
        let palette = &cx.palette;
        if self.shown().is_some_and(|proposal| proposal.stem == stem.id) {
            return None;
        }
        let (words, ink, meaning) = match (others, stem.request) {
            (Some(others), _) => (
                format!("{} dB", signed(others.0, 1)),
                palette.accent,
                "What this stem changes in playback, as the platform normalizes the song.",
            ),
            (None, TrimRequestState::Asked(_)) => {
                ("asked".into(), palette.accent, "The Stem has been asked and has not answered yet.")
            }
            (None, TrimRequestState::Refused) => (
                "changed".into(),
                palette.reduction,
                "The Stem had been changed meanwhile: nothing was done. Look, and ask again.",
            ),
            (None, TrimRequestState::Unanswered) => (
                "no answer".into(),
                palette.reduction,
                "The Stem was asked and has not answered: its host is busy, or it has gone. Nothing was done so far.",
            ),
            (None, TrimRequestState::None) => return None,
        };
        Some(GhostNote { words, pen: pen(theme::font(theme::SMALL), ink), meaning })
    }

    fn draw(&self, ui: &Ui, palette: &Palette, rail: Rect, response: &Response, stem: StemId) {
        let line = line(rail);
        ui.painter().rect_filled(line, CornerRadius::same(2), palette.background);
        let gain = self.gain(stem);
        let part = (gain.0.clamp(-RAIL_RANGE_DB, RAIL_RANGE_DB) / RAIL_RANGE_DB) as f32;
        let (middle, x) = (line.center(), line.center().x + part * line.width() / 2.0);
        ui.painter().vline(middle.x, middle.y - 6.0..=middle.y + 6.0, Stroke::new(1.0, palette.line));
        if self.shown().is_some_and(|proposal| proposal.stem == stem) {
            let from =
                Rect::from_min_max(pos2(middle.x.min(x), line.min.y), pos2(middle.x.max(x), line.max.y));
            ui.painter().rect_filled(from, CornerRadius::same(2), palette.accent);
            let inside = rail.shrink2(HANDLE_SIZE / 2.0);
            let handle = pos2(x.clamp(inside.min.x, inside.max.x.max(inside.min.x)), middle.y);
            let handle = Rect::from_center_size(handle, HANDLE_SIZE);
            ui.painter().rect_filled(handle, CornerRadius::same(9), palette.accent);
            let ink = pen(theme::strong(theme::SMALL), palette.on_accent);
            paint::text(ui, handle, Align2::CENTER_CENTER, &signed(gain.0, 1), &ink);
        } else {
            // dashed and hollow: not there until it is moved
            let ink = if response.hovered() { palette.accent } else { palette.dim };
            ui.painter().circle_filled(middle, 7.0, palette.panel);
            let circle: Vec<_> = (0..=32)
                .map(|i| middle + 6.5 * egui::Vec2::angled(core::f32::consts::TAU * i as f32 / 32.0))
                .collect();
            ui.painter().extend(Shape::dashed_line(&circle, Stroke::new(1.25, ink), 2.6, 2.5));
        }
        if response.has_focus() {
            paint::focus_ring(ui, Rect::from_center_size(pos2(x, middle.y), vec2(18.0, 18.0)), palette);
        }
    }
}

/// Returns the line of a rail.
fn line(rail: Rect) -> Rect {
    Rect::from_center_size(rail.center(), vec2(rail.width() - 12.0, 4.0))
}

/// Parses typed decibels, with or without unit, with either minus sign.
pub(super) fn decibels_of(text: &str) -> Option<Db> {
    let text = text.trim().replace('\u{2212}', "-").replace(',', ".");
    let number = text.strip_suffix("dB").or(text.strip_suffix("db")).unwrap_or(&text).trim();
    number.parse().ok().filter(|x: &f64| x.is_finite()).map(|x| Db(x.clamp(-MAX_GAIN_DB, MAX_GAIN_DB)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_decibels_are_read_as_people_write_them() {
        let of = |text: &str| decibels_of(text).map(|db| db.0);
        assert_eq!(
            [of("2"), of("+1.5 dB"), of(" -3 db"), of("\u{2212}0,5")],
            [Some(2.0), Some(1.5), Some(-3.0), Some(-0.5)]
        );
        assert_eq!(
            [of("99"), of("nan"), of("inf"), of("three"), of("")],
            [Some(24.0), None, None, None, None]
        );
    }

    #[test]
    fn the_master_is_told_once_of_a_move_and_once_that_it_is_forgotten() {
        let (mut ghosts, mut edits) = (Ghosts::default(), Edits::default());
        let stem = StemId(7);
        ghosts.hold(Proposal { stem, gain: Db(2.04) }, GhostInput::Hand);
        ghosts.send_prediction(&mut edits);
        ghosts.hold(Proposal { stem, gain: Db(1.96) }, GhostInput::Hand);
        ghosts.send_prediction(&mut edits);
        let sent = Proposal { stem, gain: Db(2.0) };
        assert_eq!(edits.take(), [Edit::Predict(Some(sent))]);
        ghosts.let_go(stem, GhostInput::Wheel, 1.0);
        assert_eq!(ghosts.held, Some((sent, GhostInput::Hand)), "only what holds it lets it go");
        ghosts.let_go(stem, GhostInput::Hand, 1.0);
        ghosts.send_prediction(&mut edits);
        assert_eq!((ghosts.shown(), edits.take()), (Some(sent), Vec::new()), "it stays for a while");
        ghosts.forget();
        ghosts.send_prediction(&mut edits);
        ghosts.send_prediction(&mut edits);
        assert_eq!(edits.take(), [Edit::Predict(None)]);
        // a fader that came back to 0 leaves nothing
        ghosts.hold(Proposal { stem, gain: Db(0.02) }, GhostInput::Hand);
        ghosts.let_go(stem, GhostInput::Hand, 1.0);
        assert_eq!(ghosts.shown(), None);
    }
}
