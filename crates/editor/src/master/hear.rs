//! AuditionEffect a stem alone, the mix without it, or the stem as it enters its chain: three switches in its row, three lines in
//! its menu, and the sign that says so to everybody.

use crate::edits::Edit;
use crate::facts::{ViewCx, ViewModel};
use crate::paint::{self, pen, shortened};
use crate::theme;
use egui::{Align2, CornerRadius, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use plugin_core::session_view::{SessionSnapshot, StemCard};
use session::audition::{Audition, AuditionEffect};

/// How wide the switches of a row are together.
pub(super) const WIDTH: f32 = 3.0 * SIZE + 2.0 * GAP;
const SIZE: f32 = 20.0;
const GAP: f32 = 2.0;

/// A switch's letter.
fn letter(audition: Audition) -> &'static str {
    match audition {
        Audition::Solo => "L",
        Audition::Mute => "M",
        Audition::Bypass => "B",
    }
}

/// Its verb.
fn verb(audition: Audition) -> &'static str {
    match audition {
        Audition::Solo => "Listen to",
        Audition::Mute => "Mute",
        Audition::Bypass => "Bypass",
    }
}

fn meaning(audition: Audition) -> &'static str {
    match audition {
        Audition::Solo => "Hear it without the stems that are not listened to. Ctrl or Cmd click: it alone.",
        Audition::Mute => "Hear the mix without it.",
        Audition::Bypass => {
            "Hear it as it enters its chain, as late as it leaves it and as loud as it comes in."
        }
    }
}

const ENDS: &str =
    "Only for as long as this window is open: never saved, never in a render, and no figure is taken of it.";

/// The switches of `stem` in `cell`.
pub(super) fn switches(ui: &mut Ui, desk: &mut ViewCx<'_>, cell: Rect, stem: &StemCard) {
    let height = SIZE.min(cell.height() - 4.0);
    for (n, audition) in Audition::ALL.into_iter().enumerate() {
        let left = cell.min.x + n as f32 * (SIZE + GAP);
        let at = Rect::from_min_size(pos2(left, cell.center().y - height / 2.0), vec2(SIZE, height));
        switch(ui, desk, at, stem, audition);
    }
}

fn switch(ui: &mut Ui, desk: &mut ViewCx<'_>, at: Rect, stem: &StemCard, audition: Audition) {
    let look = desk.look;
    let on = desk.facts.snapshot.auditions.has(stem.id, audition);
    let response = ui.interact(at, ui.scope_id().with(("hear", stem.id, letter(audition))), Sense::click());
    let name = format!("{} {}", verb(audition), stem.name());
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, on, &name));
    let (fill, ink) = match (on, response.hovered()) {
        (true, _) => (look.reduction, look.background),
        (false, true) => (look.line, look.text),
        (false, false) => (look.background, look.secondary),
    };
    ui.painter().rect_filled(at, CornerRadius::same(5), fill);
    paint::text(ui, at, Align2::CENTER_CENTER, letter(audition), &pen(theme::strong(theme::SMALL), ink));
    if response.has_focus() {
        paint::focus_ring(ui, at, &look);
    }
    if response.clicked() {
        if audition == Audition::Solo && ui.input(|input| input.modifiers.command) {
            desk.edits.want(Edit::Audition(None));
        }
        desk.edits.want(Edit::Audition(Some((stem.id, audition))));
    }
    response.on_hover_text(format!("{name}. {} {ENDS}", meaning(audition)));
}

/// The same as lines of the menu of `stem`.
pub(super) fn menu(ui: &mut Ui, desk: &mut ViewCx<'_>, stem: &StemCard) {
    for audition in Audition::ALL {
        let on = desk.facts.snapshot.auditions.has(stem.id, audition);
        let entry = ui.selectable_label(on, verb(audition).trim_end_matches(" to"));
        if entry.on_hover_text(format!("{} {ENDS}", meaning(audition))).clicked() {
            desk.edits.want(Edit::Audition(Some((stem.id, audition))));
            ui.close();
        }
    }
    if !desk.facts.snapshot.auditions.is_empty() && ui.button("Hear the mix as it is").clicked() {
        desk.edits.want(Edit::Audition(None));
        ui.close();
    }
    ui.separator();
}

/// How `stem` is heard at this Master, in words; `None`: as it is.
pub(super) fn state(session: &SessionSnapshot, stem: &StemCard) -> Option<&'static str> {
    let outer = |id| session.stem(id).and_then(|stem| stem.inside);
    session.auditions.effect(stem.id, outer).map(|hearing| match hearing {
        AuditionEffect::Muted => "muted here",
        AuditionEffect::Bypassed => "bypassed here",
    })
}

/// What is heard instead of the mix, in words; `None`: the mix as it is.
pub(crate) fn words(facts: &ViewModel) -> Option<String> {
    let session = &facts.snapshot;
    let named = |audition| {
        let stems = session.stems.iter().filter(|stem| session.auditions.has(stem.id, audition));
        let names: Vec<&str> = stems.map(StemCard::name).collect();
        match names[..] {
            [] => None,
            [one] => Some(one.to_owned()),
            _ => Some(format!("{} stems", names.len())),
        }
    };
    let listened = named(Audition::Solo).map(|who| format!("{who} alone"));
    let muted = named(Audition::Mute).map(|who| format!("without {who}"));
    let bypassed = named(Audition::Bypass).map(|who| format!("{who} bypassed"));
    let all: Vec<String> = [listened, muted, bypassed].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// The sign that says `heard` in `place`; a click ends it.
pub(crate) fn sign(ui: &Ui, desk: &mut ViewCx<'_>, place: Rect, heard: &str) {
    let ink = pen(theme::strong(theme::SMALL), desk.look.background);
    let whole = format!("AuditionEffect {heard}");
    let shown = shortened(ui, &whole, &ink, place.width() - 20.0);
    let tip = format!("{whole}. {ENDS} A click ends it.");
    if crate::listen::banner(ui, desk, place, (&shown, &whole)).on_hover_text(tip).clicked() {
        desk.edits.want(Edit::Audition(None));
    }
}
