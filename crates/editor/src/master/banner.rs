//! Prediction of a move: loudness into the master, out of it, and the change of everything else once normalized.

use super::status::NO_POSITION;
use crate::controls::{Weight, icon, pill};
use crate::format::{number, signed};
use crate::paint::{self, pen, shortened};
use crate::theme::{self, CORNER_RADIUS, GAP, PAD};
use crate::view_model::ViewCx;
use egui::{Align2, Color32, CornerRadius, Rect, Role, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use meter::Reading;
use plugin_core::command::Proposal;
use plugin_core::session_view::{MasterOutcome, MoveAnswer};
use session::heard_part::{EXACT_FOOTNOTE, HeardPart};
use session::predict::Certainty;

/// Action of the user on the move that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MoveAction {
    /// Asks the Stem for it.
    Apply,
    /// Forgets it.
    Forget,
}

/// Width of the buttons at the right, points.
const BUTTONS_WIDTH: f32 = 94.0;

/// Draws *Apply* and the cross, with the seconds `left` until the move is forgotten, in `place`.
fn buttons(
    ui: &mut Ui,
    cx: &ViewCx<'_>,
    place: Rect,
    proposal: Proposal,
    left: Option<f64>,
) -> Option<MoveAction> {
    let palette = cx.palette;
    let gain = signed(proposal.gain.0, 1);
    let name = cx.model.snapshot.name(proposal.stem);
    let at = Rect::from_min_size(place.min, vec2(place.width(), 22.0));
    let response = pill(ui, &palette, at, &format!("Apply {gain}"), Weight::Chosen, proposal.gain.0 != 0.0);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Apply {gain} dB to {name}")));
    let mut action = response.clicked().then_some(MoveAction::Apply);
    response.on_hover_text("Asks the Stem for this change: it keeps it in its own state.");
    let below = Rect::from_min_max(pos2(place.min.x, at.max.y + 2.0), place.max);
    let centre = pos2(below.max.x - 10.0, below.center().y);
    let cross = icon(ui, &palette, centre, "Forget the move", true, |painter, c, ink| {
        let stroke = Stroke::new(1.5, ink);
        painter.line_segment([c - vec2(3.5, 3.5), c + vec2(3.5, 3.5)], stroke);
        painter.line_segment([c + vec2(-3.5, 3.5), c + vec2(3.5, -3.5)], stroke);
    });
    if cross.clicked() {
        action = Some(MoveAction::Forget);
    }
    if let Some(left) = left {
        let line = Rect::from_min_max(below.min, pos2(centre.x - 12.0, below.max.y));
        let dim = pen(theme::font(theme::SMALL), palette.secondary);
        let words = format!("forgets in {} s", number(left.ceil(), 0));
        let short = format!("{} s", number(left.ceil(), 0));
        let words = if paint::width(ui, &words, &dim) <= line.width() { words } else { short };
        paint::label(ui, line, Align2::RIGHT_CENTER, &words, &dim)
            .on_hover_text("Time until this move is forgotten. Moving the fader, or the cross, ends it.");
    }
    action
}

/// Draws the prediction in `place`, with the buttons for its move, which is forgotten in `left` seconds; returns what the user
/// does with it.
pub(super) fn draw_prediction(
    ui: &mut Ui,
    cx: &ViewCx<'_>,
    place: Rect,
    (proposal, left): (Proposal, Option<f64>),
    platform: usize,
) -> Option<MoveAction> {
    let palette = &cx.palette;
    ui.painter().rect(
        place,
        CornerRadius::same(CORNER_RADIUS as u8),
        palette.raised,
        Stroke::new(1.0, palette.accent),
        StrokeKind::Inside,
    );
    let inner = place.shrink2(vec2(PAD, 8.0));
    let column = Rect::from_center_size(
        pos2(inner.max.x - BUTTONS_WIDTH / 2.0, inner.center().y),
        vec2(BUTTONS_WIDTH, 44.0),
    );
    let action = buttons(ui, cx, column, proposal, left);
    let inner = Rect::from_min_max(inner.min, pos2(column.min.x - PAD, inner.max.y));
    figures(ui, cx, inner, proposal, platform);
    action
}

/// Least share of the width that the footnote of *exact* has beside the move's words.
const FOOTNOTE_SHARE: f32 = 0.4;

/// Draws the words and figures of the prediction in `inner`.
fn figures(ui: &Ui, cx: &ViewCx<'_>, inner: Rect, proposal: Proposal, platform: usize) {
    let palette = &cx.palette;
    let answer = cx.model.master.answer.as_ref().filter(|answer| answer.proposal.stem == proposal.stem);
    // figures are never shown for a move other than the one that they are of
    let of = answer.map_or(proposal, |answer| answer.proposal);
    let step = (inner.height() / 2.0).min(24.0);
    let line = |n: f32, left: f32, right: f32| {
        let y = inner.center().y + (n - 0.5) * step;
        Rect::from_min_max(pos2(left, y - 9.0), pos2(right, y + 9.0))
    };
    let figures = inner.max.x - (inner.width() * 0.56).clamp(376.0, 520.0);
    let name = cx.model.snapshot.full_name(of.stem);
    let mut words = format!("If {name} {} dB", signed(of.gain.0, 1));
    if answer.is_some_and(|answer| answer.input.returns_not_included) {
        words += " · returns not included";
    }
    if let Some(whole) = answer.and_then(|answer| answer.input.whole) {
        words = format!("{words} · {}", whole.words());
    }
    let surprise = answer.and_then(|answer| answer.input.surprise);
    if let Some(surprise) = surprise {
        words = format!("{words} · {}", surprise.sentence());
    }
    let bold = pen(theme::strong(theme::BODY), palette.text);
    let left = line(0.0, inner.min.x, figures - GAP);
    let is_exact = answer.is_some_and(|answer| answer.input.certainty == Certainty::Exact);
    // room for the footnote
    let room = if is_exact { (1.0 - FOOTNOTE_SHARE) * left.width() - GAP } else { left.width() };
    let shown = shortened(ui, &words, &bold, room);
    let drawn = paint::label(ui, left, Align2::LEFT_CENTER, &shown, &bold);
    let end = drawn.rect.max.x;
    drawn.on_hover_text(&words);
    let Some(answer) = answer else {
        let quiet = pen(theme::font(theme::SMALL), palette.secondary);
        let waits = if cx.model.snapshot.is_nested_unheard(proposal.stem) {
            "Not heard inside the other stem yet: press play."
        } else if cx.model.snapshot.session().is_some() {
            "Predicting…"
        } else if cx.model.master.lacks_position {
            NO_POSITION
        } else {
            "Nothing was heard yet: press play."
        };
        paint::label(ui, line(1.0, inner.min.x, inner.max.x), Align2::LEFT_CENTER, waits, &quiet);
        return;
    };
    price(ui, cx, line(1.0, inner.min.x, figures - GAP), answer, platform);
    let (sure, ink) = match answer.input.certainty {
        Certainty::Exact => ("exact*".to_owned(), palette.good),
        Certainty::Estimate(width) => (format!("estimate ±{} LU", number(width.0, 2)), palette.reduction),
    };
    if is_exact {
        // the footnote stands where the word stands, or on a line of its own where there is more room
        let beside = Rect::from_min_max(pos2(end + GAP, left.min.y), left.max);
        let below = line(2.0, inner.min.x, inner.max.x);
        let quiet = pen(theme::font(theme::SMALL), palette.secondary);
        let fits = paint::width(ui, EXACT_FOOTNOTE, &quiet) <= beside.width();
        let place = if fits || below.max.y > inner.max.y { beside } else { below };
        let words = shortened(ui, EXACT_FOOTNOTE, &quiet, place.width());
        // a few letters say nothing: then the word's own tooltip does
        if fits || place.width() >= MIN_FOOTNOTE_WIDTH {
            paint::label(ui, place, Align2::LEFT_CENTER, &words, &quiet).on_hover_text(EXACT_FOOTNOTE);
        }
    }
    let part = HeardPart::from(answer.input.progress);
    let into =
        LoudnessRow { name: "into the master", before: answer.input.before, after: answer.input.after };
    let over = part.certainty_words(answer.input.certainty.half_width());
    into.draw_row(ui, cx, line(0.0, figures, inner.max.x), &over, ink);
    let below = line(1.0, figures, inner.max.x);
    let name = "out of the master";
    match &answer.output {
        MasterOutcome::AsItEntered => {
            LoudnessRow { name, before: answer.input.before, after: answer.input.after }
                .draw_row(ui, cx, below, &sure, ink);
        }
        MasterOutcome::Simulated(simulated) => {
            let length = number(simulated.length.0 / 1000.0, 0);
            let words = match simulated.half_width.0 {
                half_width if half_width.is_finite() => {
                    format!("simulated, {length} s ±{} LU", number(half_width, 2))
                }
                _ => format!("simulated, {length} s only"),
            };
            LoudnessRow { name, before: simulated.before, after: simulated.after }.draw_row(
                ui,
                cx,
                below,
                &words,
                palette.reduction,
            );
        }
        MasterOutcome::Unknown => aside(ui, cx, below, name, "unknown past this plugin"),
    }
}

/// Draws the change of everything else on the chosen platform.
fn price(ui: &Ui, cx: &ViewCx<'_>, place: Rect, answer: &MoveAnswer, platform: usize) {
    let Some(exchange) = answer.platform_changes().get(platform).or(answer.platform_changes().first()) else {
        return;
    };
    let quiet = pen(theme::font(theme::SMALL), cx.palette.secondary);
    let target = cx.model.master.target(&exchange.id).map_or("", |target| target.name.as_str());
    let (long, short) = match (&exchange.sentence, exchange.others) {
        (Some(sentence), Some(others)) => {
            (format!("{sentence} ({target})"), format!("Others {} dB on {target}", signed(others.0, 1)))
        }
        (None, Some(others)) => {
            let words = format!("Others {} dB on {target}", signed(others.0, 1));
            (words.clone(), words)
        }
        _ => (format!("What {target} does with it is not published"), format!("{target}: not published")),
    };
    let words = if paint::width(ui, &long, &quiet) <= place.width() { &long } else { &short };
    let words = shortened(ui, words, &quiet, place.width());
    paint::label(ui, place, Align2::LEFT_CENTER, &words, &quiet).on_hover_text(long);
}

/// Width below which a footnote that is cut says nothing, points.
const MIN_FOOTNOTE_WIDTH: f32 = 120.0;

struct LoudnessRow {
    name: &'static str,
    before: Reading,
    after: Reading,
}

/// Width of a name, points.
const NAME_WIDTH: f32 = 98.0;
const FIGURE_WIDTH: f32 = 116.0;

impl LoudnessRow {
    fn draw_row(&self, ui: &Ui, cx: &ViewCx<'_>, place: Rect, sure: &str, ink: Color32) {
        let palette = &cx.palette;
        let figures = match (self.before.integrated, self.after.integrated) {
            (Some(before), Some(after)) => {
                format!("{} LUFS ({})", number(after.0, 1), signed(after.0 - before.0, 2))
            }
            (None, Some(after)) => format!("{} LUFS", number(after.0, 1)),
            _ => "silence".into(),
        };
        aside(ui, cx, place, self.name, "");
        let bold = pen(theme::strong(theme::BODY), palette.text);
        let at = Rect::from_min_max(
            pos2(place.min.x + NAME_WIDTH, place.min.y),
            pos2(place.min.x + NAME_WIDTH + FIGURE_WIDTH + 30.0, place.max.y),
        );
        let drawn = paint::label(ui, at, Align2::LEFT_CENTER, &figures, &bold).rect;
        let left = (place.min.x + NAME_WIDTH + FIGURE_WIDTH + 10.0).max(drawn.max.x + 10.0);
        let rest = Rect::from_min_max(pos2(left, place.min.y), place.max);
        let small = pen(theme::font(theme::SMALL), ink);
        let words = shortened(ui, sure, &small, rest.width());
        let footnote = if sure.contains('*') { format!("{sure}\n{EXACT_FOOTNOTE}") } else { sure.to_owned() };
        paint::label(ui, rest, Align2::LEFT_CENTER, &words, &small).on_hover_text(footnote);
    }
}

/// Draws a name, and a text instead of figures.
fn aside(ui: &Ui, cx: &ViewCx<'_>, place: Rect, name: &str, words: &str) {
    let quiet = pen(theme::font(theme::SMALL), cx.palette.secondary);
    let at = Rect::from_min_max(place.min, pos2(place.min.x + NAME_WIDTH, place.max.y));
    paint::label(ui, at, Align2::LEFT_CENTER, name, &quiet);
    if !words.is_empty() {
        let at = Rect::from_min_max(pos2(place.min.x + NAME_WIDTH, place.min.y), place.max);
        paint::label(ui, at, Align2::LEFT_CENTER, words, &quiet);
    }
}
