//! Status line below the stems: next step, coverage of the mix and, if it is incomplete, one cause and one button.

use super::FirstMinute;
use super::checklist::percent;
use crate::controls::{Weight, pill, pill_width};
use crate::edits::Edit;
use crate::paint::{self, pen, shortened};
use crate::theme::{self, PAD};
use crate::view_model::ViewCx;
use egui::{Align2, Rect, Ui, pos2, vec2};
use plugin_core::session_view::SessionSnapshot;
use session::finding::RoutingFinding;
use session::record::StemId;
use session::session_report::SessionReport;

/// Draws the hint of an empty table.
pub(super) fn nobody(ui: &Ui, cx: &ViewCx<'_>, place: Rect) {
    let palette = &cx.palette;
    let middle = place.center();
    let line = |y: f32| Rect::from_center_size(pos2(middle.x, y), vec2(place.width(), 20.0));
    let (title, quiet) =
        (pen(theme::strong(theme::TITLE), palette.text), pen(theme::font(theme::BODY), palette.secondary));
    paint::label(ui, line(middle.y - 14.0), Align2::CENTER_CENTER, "No stems yet", &title);
    let words = "Put Stemlink Stem on every stem bus. The sound stays as it is.";
    paint::label(ui, line(middle.y + 10.0), Align2::CENTER_CENTER, words, &quiet);
}

/// Remedy for the unexplained part of the mix.
enum Offer {
    /// The stem may be muted on purpose.
    Muted(StemId),
    /// The rest may be returns of the stem.
    Follows(StemId),
    /// Words of advice.
    Advice(&'static str),
}

/// Remark on a host that gives no position.
pub(super) const NO_POSITION: &str =
    "This host gives no position on its timeline: stems cannot be summed here.";

/// Draws the status line in `place`.
pub(super) fn draw_status_line(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
    let palette = cx.palette;
    let snapshot = &cx.model.snapshot;
    let count = snapshot.summed_stems().count();
    if count == 0 {
        return;
    }
    let small = pen(theme::font(theme::SMALL), palette.secondary);
    let Some(session) = snapshot
        .session()
        .filter(|_| FirstMinute::from_heard(snapshot.heard_length()) >= FirstMinute::Levels)
    else {
        let plural = if count == 1 { "" } else { "s" };
        let is_listening = snapshot.analysis.as_ref().is_some_and(|analysis| analysis.listening);
        let words = if is_listening || snapshot.heard_length().0 > 0.0 {
            "Listening."
        } else if cx.model.master.lacks_position {
            NO_POSITION
        } else {
            "Press play."
        };
        let words = format!("{count} stem{plural}. {words}");
        paint::label(ui, place, Align2::LEFT_CENTER, &words, &pen(theme::strong(theme::BODY), palette.text));
        return;
    };
    let offer = offer(snapshot, session);
    let mut right = place.max.x;
    if let Some((_, offer)) = &offer {
        right = button(ui, cx, place, offer) - PAD;
    }
    let trusted = session.is_trusted();
    let lamp = if trusted { palette.good } else { palette.dim };
    let y = place.center().y;
    ui.painter().circle_filled(pos2(place.min.x + 4.0, y), 3.5, lamp);
    let mut left = place.min.x + 14.0;
    if let Some(coverage) = session.coverage {
        let words = format!("Links explain {} %", percent(coverage));
        let at = Rect::from_min_max(pos2(left, place.min.y), pos2(right, place.max.y));
        let response = paint::label(ui, at, Align2::LEFT_CENTER, &words, &small);
        left = response.rect.max.x + PAD;
        response.on_hover_text(
            "Part of the mix that the linked stems account for. Below 99.9 % shares are grey, because they cover only a part.",
        );
    }
    if let Some((cause, _)) = &offer {
        let at = Rect::from_min_max(pos2(left, place.min.y), pos2(right, place.max.y));
        let words = shortened(ui, cause, &small, at.width());
        let ink = pen(theme::font(theme::SMALL), palette.text);
        paint::label(ui, at, Align2::LEFT_CENTER, &words, &ink).on_hover_text(cause);
    }
}

/// Returns the most important cause as text, with its remedy.
fn offer(snapshot: &SessionSnapshot, session: &SessionReport) -> Option<(String, Offer)> {
    if let Some(stem) = session.unconfirmed_mutes.first() {
        let words = format!("{} is missing from the mix. Is its mute meant?", snapshot.name(*stem));
        return Some((words, Offer::Muted(*stem)));
    }
    let finding = session.findings.first()?;
    let listed: Vec<StemId> =
        session.stems.iter().map(|stem| stem.id).chain(session.left_out.iter().copied()).collect();
    let id = |stem: usize| listed.get(stem).copied();
    let words = finding.sentence(|stem| id(stem).map_or("a stem", |id| snapshot.name(id)).to_owned());
    let offer = match *finding {
        RoutingFinding::Returns { stem, .. } | RoutingFinding::Processed { stem, .. } => {
            Offer::Follows(id(stem)?)
        }
        RoutingFinding::Unlinked { .. } => Offer::Advice(
            "Put a Stem on every bus and track that reaches the master, returns too, or accept that moves do not include the rest.",
        ),
        RoutingFinding::Doubled { .. } => Offer::Advice(
            "The stem reaches the mix on two ways, one later. Look for a second send or output, or for a delay on one of them.",
        ),
        RoutingFinding::Late { .. } => Offer::Advice(
            "A plugin after the Stem delays it, and the host does not make up for it. It is aligned here; in the mix it may comb with what it bleeds into.",
        ),
        RoutingFinding::Louder { .. } => Offer::Advice(
            "A fader at +6 dB and a stem that is routed twice look the same. If no fader says so, look for a second output.",
        ),
        RoutingFinding::Ambiguous { .. } => Offer::Advice(
            "Sums, shares and moves are the same at each of these delays, as long as it repeats. Play a passage in which it changes, and the delay is known.",
        ),
        RoutingFinding::NotFound { .. } => Offer::Advice(
            "Its audio is not in the mix as this Master gets it. A muted bus, another output or a level far below the mix look like that; once it is heard it is counted.",
        ),
        RoutingFinding::Inseparable { .. } => Offer::Advice(
            "Both carry nearly the same sound. Their sum is known, their parts are not: a move of one alone is an estimate.",
        ),
    };
    Some((words, offer))
}

fn button(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect, offer: &Offer) -> f32 {
    let palette = cx.palette;
    let snapshot = &cx.model.snapshot;
    let (words, weight) = match offer {
        Offer::Muted(_) => ("It is meant".to_owned(), Weight::Quiet),
        Offer::Follows(stem) => {
            let chosen = snapshot.follows == Some(*stem);
            ("It moves along".to_owned(), if chosen { Weight::Chosen } else { Weight::Quiet })
        }
        Offer::Advice(_) => ("What to do".to_owned(), Weight::Quiet),
    };
    let width = pill_width(ui, &words);
    let at = Rect::from_min_max(
        pos2(place.max.x - width, place.center().y - 11.0),
        pos2(place.max.x, place.center().y + 11.0),
    );
    let response = pill(ui, &palette, at, &words, weight, true);
    match offer {
        Offer::Muted(stem) => {
            if response.clicked() {
                cx.edits.request(Edit::ConfirmMute(*stem));
            }
            response.on_hover_text("The mute is part of the mix: it is recorded. Else what is played meanwhile is an audition and changes no figure.");
        }
        Offer::Follows(stem) => {
            if response.clicked() {
                let follows = if weight == Weight::Chosen { None } else { Some(*stem) };
                cx.edits.request(Edit::Follow(follows));
            }
            response.on_hover_text("What the links do not explain is made of this stem, so predictions move it with it. Until then they say \"returns not included\".");
        }
        Offer::Advice(advice) => {
            egui::Popup::menu(&response).show(|ui| {
                ui.set_max_width(320.0);
                ui.label(*advice);
            });
        }
    }
    at.min.x
}
