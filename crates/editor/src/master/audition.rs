//! Solo, mute and bypass of stems: three switches in a row, three lines in a menu, and the banner that shows them.

use crate::edits::Edit;
use crate::paint::{self, pen, shortened};
use crate::theme;
use crate::view_model::{ViewCx, ViewModel};
use egui::{Align2, CornerRadius, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use plugin_core::session_view::{SessionSnapshot, StemCard};
use session::audition::{Audition, AuditionEffect};

/// Width of the three switches of a row, points.
pub(super) const SWITCHES_WIDTH: f32 = 3.0 * SWITCH_SIZE + 2.0 * SWITCH_GAP;
const SWITCH_SIZE: f32 = 20.0;
const SWITCH_GAP: f32 = 2.0;

/// Returns the letter on a switch.
fn letter(audition: Audition) -> &'static str {
    match audition {
        Audition::Solo => "S",
        Audition::Mute => "M",
        Audition::Bypass => "B",
    }
}

/// Returns the name of a switch.
fn verb(audition: Audition) -> &'static str {
    match audition {
        Audition::Solo => "Solo",
        Audition::Mute => "Mute",
        Audition::Bypass => "Bypass",
    }
}

fn meaning(audition: Audition) -> &'static str {
    match audition {
        Audition::Solo => "Plays only the soloed stems. Ctrl or Cmd click: solo this stem alone.",
        Audition::Mute => "Plays the mix without this stem.",
        Audition::Bypass => "Plays the stem before its chain, with the chain's delay and at its input level.",
    }
}

const ENDS_NOTE: &str =
    "Ends when this window closes; never saved, never in a render, and counted in no figure.";

/// Draws the switches of `stem` in `cell`.
pub(super) fn switches(ui: &mut Ui, cx: &mut ViewCx<'_>, cell: Rect, stem: &StemCard) {
    let height = SWITCH_SIZE.min(cell.height() - 4.0);
    for (n, audition) in Audition::ALL.into_iter().enumerate() {
        let left = cell.min.x + n as f32 * (SWITCH_SIZE + SWITCH_GAP);
        let at = Rect::from_min_size(pos2(left, cell.center().y - height / 2.0), vec2(SWITCH_SIZE, height));
        switch(ui, cx, at, stem, audition);
    }
}

fn switch(ui: &mut Ui, cx: &mut ViewCx<'_>, at: Rect, stem: &StemCard, audition: Audition) {
    let palette = cx.palette;
    let on = cx.model.snapshot.auditions.has(stem.id, audition);
    let response = ui.interact(at, ui.scope_id().with(("hear", stem.id, letter(audition))), Sense::click());
    let name = format!("{} {}", verb(audition), stem.name());
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, on, &name));
    let (fill, ink) = match (on, response.hovered()) {
        (true, _) => (palette.reduction, palette.background),
        (false, true) => (palette.line, palette.text),
        (false, false) => (palette.background, palette.secondary),
    };
    ui.painter().rect_filled(at, CornerRadius::same(5), fill);
    paint::text(ui, at, Align2::CENTER_CENTER, letter(audition), &pen(theme::strong(theme::SMALL), ink));
    if response.has_focus() {
        paint::focus_ring(ui, at, &palette);
    }
    if response.clicked() {
        if audition == Audition::Solo && ui.input(|input| input.modifiers.command) {
            cx.edits.request(Edit::Audition(None));
        }
        cx.edits.request(Edit::Audition(Some((stem.id, audition))));
    }
    response.on_hover_text(format!("{name}. {} {ENDS_NOTE}", meaning(audition)));
}

/// Adds the switches to the menu of `stem`.
pub(super) fn menu(ui: &mut Ui, cx: &mut ViewCx<'_>, stem: &StemCard) {
    for audition in Audition::ALL {
        let on = cx.model.snapshot.auditions.has(stem.id, audition);
        let entry = ui.selectable_label(on, verb(audition));
        if entry.on_hover_text(format!("{} {ENDS_NOTE}", meaning(audition))).clicked() {
            cx.edits.request(Edit::Audition(Some((stem.id, audition))));
            ui.close();
        }
    }
    if !cx.model.snapshot.auditions.is_empty() && ui.button("Clear solo, mute, bypass").clicked() {
        cx.edits.request(Edit::Audition(None));
        ui.close();
    }
    ui.separator();
}

/// Returns the effect of this Master's audition on `stem` as text.
pub(super) fn state(session: &SessionSnapshot, stem: &StemCard) -> Option<&'static str> {
    let outer = |id| session.stem(id).and_then(|stem| stem.inside);
    session.auditions.effect(stem.id, outer).map(|hearing| match hearing {
        AuditionEffect::Muted => "muted here",
        AuditionEffect::Bypassed => "bypassed here",
    })
}

/// Returns the active auditions as text; `None` without any.
pub(crate) fn words(model: &ViewModel) -> Option<String> {
    let session = &model.snapshot;
    let named = |audition| {
        let stems = session.stems.iter().filter(|stem| session.auditions.has(stem.id, audition));
        let names: Vec<&str> = stems.map(StemCard::name).collect();
        match names[..] {
            [] => None,
            [one] => Some(one.to_owned()),
            _ => Some(format!("{} stems", names.len())),
        }
    };
    let listened = named(Audition::Solo).map(|who| format!("{who} soloed"));
    let muted = named(Audition::Mute).map(|who| format!("{who} muted"));
    let bypassed = named(Audition::Bypass).map(|who| format!("{who} bypassed"));
    let all: Vec<String> = [listened, muted, bypassed].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Draws the banner of the auditions `heard` in `place`; a click ends them.
pub(crate) fn sign(ui: &Ui, cx: &mut ViewCx<'_>, place: Rect, heard: &str) {
    let ink = pen(theme::strong(theme::SMALL), cx.palette.background);
    let whole = format!("Listening to {heard}");
    let shown = shortened(ui, &whole, &ink, place.width() - 20.0);
    let tip = format!("{whole}. {ENDS_NOTE} A click ends it.");
    if crate::listen::banner(ui, cx, place, (&shown, &whole)).on_hover_text(tip).clicked() {
        cx.edits.request(Edit::Audition(None));
    }
}
