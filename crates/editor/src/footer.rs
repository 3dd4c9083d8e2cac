//! Footer of a chain's view: level, the chain's two ends, the stem's share of the mix, latency.

use super::controls::{MENU_CHEVRON_WIDTH, control, menu};
use super::edits::Edit;
use super::fader::fader;
use super::field::Style;
use super::format::{number, signed};
use super::paint::{self, pen, shortened};
use super::theme::{self, PAD};
use super::view_model::ViewCx;
use chain::ChainKind;
use chain::parameters::Parameter;
use egui::{Align2, Popup, PopupCloseBehavior, Rect, RectAlign, Sense, Ui, pos2, vec2};
use plugin_core::session_view::{LinkedMaster, MasterLink};
use session::heard_part::EXACT_FOOTNOTE;
use session::playback::exchange_sentence;
use units::Db;

/// Height in points.
pub const HEIGHT: f32 = 60.0;

/// Ids of input and output parameters that no other panel shows.
const INPUT_OUTPUT_IDS: [&str; 5] = ["in_trim", "in_polarity", "align_delay", "dc_on", "dither"];

/// Draws the footer in `place`.
pub fn draw_footer(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
    paint::panel(ui, place, &cx.palette);
    let inner = place.shrink2(vec2(PAD, 8.0));
    let (first, second) = (inner.min.y + 11.0, inner.min.y + 34.0);
    let right = latency(ui, cx, inner, first);
    let left_width = ((right - inner.min.x) * 0.48).floor();
    let left = Rect::from_min_size(inner.min, vec2(left_width - PAD, inner.height()));
    let middle =
        Rect::from_min_max(pos2(inner.min.x + left_width + PAD, inner.min.y), pos2(right - PAD, inner.max.y));
    level(ui, cx, left, first, second);
    share(ui, cx, middle, first, second);
}

fn line(place: Rect, y: f32) -> Rect {
    Rect::from_min_max(pos2(place.min.x, y - 10.0), pos2(place.max.x, y + 10.0))
}

fn level(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect, first: f32, second: f32) {
    let palette = cx.palette;
    let name = pen(theme::font(theme::SMALL), palette.secondary);
    let ends = input_output_menu(ui, cx, line(place, second));
    let mut words = paint::label(ui, line(place, first), Align2::LEFT_CENTER, "Level", &name).rect;
    words.max.x = words.max.x.max(ends.max.x);
    if let Some(row) = cx.row("level") {
        let at = Rect::from_min_max(pos2(words.max.x + PAD, first - 10.0), pos2(place.max.x, first + 10.0));
        let response = fader(ui, cx, at, row, cx.track);
        if let Some(price) = price(cx) {
            response.on_hover_text(price);
        }
    }
    let at = line(Rect::from_min_max(pos2(words.max.x + PAD, place.min.y), place.max), second);
    // also without a Master: the Stem owns it
    let trim = cx.model.trim;
    if trim.0 != 0.0 {
        let words = format!("Master asks {} dB · in effect", signed(trim.0, 1));
        let shown = paint::label(
            ui,
            at,
            Align2::LEFT_CENTER,
            &words,
            &pen(theme::font(theme::SMALL), palette.accent),
        );
        let shown = shown.interact(egui::Sense::click()).on_hover_text("Click: make it a part of the level");
        if shown.clicked() {
            cx.edits.request(Edit::TakeTrim);
        }
    }
}

/// Draws the menu of input and output parameters; returns its place.
fn input_output_menu(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) -> Rect {
    let rows: Vec<&'static Parameter> = INPUT_OUTPUT_IDS.iter().filter_map(|id| cx.row(id)).collect();
    let changed = rows.iter().any(|row| cx.value(row) != row.default);
    let ink = if changed { cx.palette.accent } else { cx.palette.secondary };
    let response = menu(ui, &cx.palette, place, "Input and output", "In/Out", ink);
    Popup::menu(&response)
        .align(RectAlign::TOP_START)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            let cell = vec2(104.0, 36.0);
            let (place, _) = ui.allocate_exact_size(vec2(rows.len() as f32 * cell.x, cell.y), Sense::hover());
            for (column, row) in rows.into_iter().enumerate() {
                let min = place.min + vec2(column as f32 * cell.x, 0.0);
                let at = Rect::from_min_size(min, cell - vec2(14.0, 0.0));
                control(ui, cx, at, row, Style { caption: Some(&row.name), ..Style::default() });
            }
        });
    let rect = response.rect;
    let dither = if cx.model.chain_kind == ChainKind::Master { ", dither" } else { "" };
    response.on_hover_text(format!("Input gain, polarity, alignment and DC filter{dither}"));
    rect
}

/// Sentence on one decibel more of this stem: the change of all others once normalized.
fn price(cx: &ViewCx<'_>) -> Option<String> {
    let MasterLink::Linked(LinkedMaster { share: Some(share), .. }) = &cx.model.snapshot.master else {
        return None;
    };
    Some(exchange_sentence("this stem", Db(1.0), Db(-share)))
}

/// Draws the first platform's gain on a Master's output.
fn playback(ui: &Ui, cx: &ViewCx<'_>, place: Rect, first: f32, second: f32) {
    let palette = &cx.palette;
    let (small, dim) =
        (pen(theme::font(theme::SMALL), palette.secondary), pen(theme::font(theme::SMALL), palette.dim));
    paint::label(ui, line(place, first), Align2::LEFT_CENTER, "Playback change", &small);
    let nothing = if cx.model.master.lacks_position { "No position from the host" } else { "Press play" };
    let words = cx.model.master.platforms.first().map_or(nothing, |platform| &platform.sentence);
    // its first sentence where there is no room for all of it
    let first = words.find(". ").map_or(words, |end| &words[..=end]);
    let fits = paint::width(ui, words, &dim) <= place.width();
    let shown = shortened(ui, if fits { words } else { first }, &dim, place.width());
    paint::label(ui, line(place, second), Align2::LEFT_CENTER, &shown, &dim).on_hover_text(words);
}

fn share(ui: &Ui, cx: &ViewCx<'_>, place: Rect, first: f32, second: f32) {
    if cx.model.chain_kind == ChainKind::Master {
        playback(ui, cx, place, first, second);
        return;
    }
    let palette = &cx.palette;
    let small = pen(theme::font(theme::SMALL), palette.secondary);
    let linked = match &cx.model.snapshot.master {
        MasterLink::Linked(linked) => linked,
        waiting => {
            paint::label(ui, line(place, first), Align2::LEFT_CENTER, "Loudness share", &small);
            let words = if *waiting == MasterLink::Lost { "Link lost" } else { "Waiting for Master" };
            let dim = pen(theme::font(theme::SMALL), palette.dim);
            paint::label(ui, line(place, second), Align2::LEFT_CENTER, words, &dim);
            return;
        }
    };
    let words = paint::label(ui, line(place, first), Align2::LEFT_CENTER, "Loudness share", &small).rect;
    let Some(share) = linked.share else {
        let dim = pen(theme::font(theme::SMALL), palette.dim);
        let inside = linked.inside.as_ref().map(|outer| format!("Inside {outer}, counted there"));
        let words = shortened(ui, inside.as_deref().unwrap_or("Nothing heard yet"), &dim, place.width());
        paint::label(ui, line(place, second), Align2::LEFT_CENTER, &words, &dim);
        return;
    };
    let value = Rect::from_min_max(pos2(place.max.x - 44.0, first - 10.0), pos2(place.max.x, first + 10.0));
    let bold = pen(theme::strong(theme::BODY), palette.text);
    paint::label(ui, value, Align2::RIGHT_CENTER, &format!("{} %", number(share * 100.0, 0)), &bold);
    let rail = Rect::from_min_max(pos2(words.max.x + PAD, first - 4.0), pos2(value.min.x - 8.0, first + 4.0));
    if rail.width() > 24.0 {
        paint::bar(ui, rail, share as f32, cx.track, palette);
    }
    let (kind, ink) = match (linked.exact, linked.part.is_whole()) {
        (true, true) => ("exact*".to_owned(), palette.good),
        (true, false) => (format!("exact* for {}", linked.part.words()), palette.good),
        (false, _) => ("estimate".to_owned(), palette.reduction),
    };
    let tag = paint::label(
        ui,
        line(place, second),
        Align2::RIGHT_CENTER,
        &kind,
        &pen(theme::font(theme::SMALL), ink),
    );
    let tag = if linked.exact { tag.on_hover_text(EXACT_FOOTNOTE) } else { tag };
    let rest = Rect::from_min_max(line(place, second).min, pos2(tag.rect.min.x - 8.0, second + 10.0));
    let long = exchange_sentence("this stem", Db(1.0), Db(-share));
    let short = format!("+1 dB: others {} dB", signed(-share, 1));
    let dim = pen(theme::font(theme::SMALL), palette.secondary);
    let fits = paint::width(ui, &long, &dim) <= rest.width();
    let heard = format!("Of what was heard so far: {}", linked.part.words());
    paint::label(ui, rest, Align2::LEFT_CENTER, if fits { &long } else { &short }, &dim).on_hover_text(heard);
}

/// Draws the latency class; returns the right end of the line to its left.
fn latency(ui: &mut Ui, cx: &mut ViewCx<'_>, inner: Rect, first: f32) -> f32 {
    let palette = cx.palette;
    // room for the longest name, so that a choice moves nothing
    let pen_of_names = pen(theme::font(theme::BODY), palette.text);
    let names = cx.model.classes.iter().map(|(_, name)| paint::width(ui, name, &pen_of_names));
    let width = 52.0 + names.fold(100.0, f32::max) + MENU_CHEVRON_WIDTH;
    let at = Rect::from_min_max(pos2(inner.max.x - width, first - 10.0), pos2(inner.max.x, first + 10.0));
    let label = pen(theme::font(theme::SMALL), palette.secondary);
    paint::label(ui, at, Align2::LEFT_CENTER, "Latency", &label);
    let choice = Rect::from_min_max(pos2(at.min.x + 52.0, at.min.y), at.max);
    let response = menu(ui, &palette, choice, "Latency class", cx.model.class_name(), palette.text);
    egui::Popup::menu(&response).show(|ui| {
        for &(class, name) in cx.model.classes {
            if ui.selectable_label(class == cx.model.class, name).clicked() {
                cx.edits.request(Edit::Class(class));
                ui.close();
            }
        }
    });
    response.on_hover_text("Latency that the chain may add. Units never change the latency within a class; another class takes effect when the host restarts the plugin, for which it is asked at once.");
    let below = Rect::from_min_max(pos2(at.min.x + 52.0, inner.max.y - 20.0), pos2(at.max.x, inner.max.y));
    if cx.model.refusals.restart {
        let ink = pen(theme::font(theme::SMALL), palette.red);
        paint::label(ui, below, Align2::LEFT_CENTER, "not active yet", &ink).on_hover_text("The host has been asked to restart the plugin and has not done so yet; until then the class before is active. Stop and start playback; if that does not help, switch the plugin off and on in the host, or open the project again.");
        return at.min.x - PAD;
    }
    let dim = pen(theme::font(theme::SMALL), palette.dim);
    let samples = cx.model.latency;
    let words = match cx.model.rate {
        Some(rate) if samples > 0 => {
            format!("{samples} · {} ms", number(samples as f64 / rate.0 * 1e3, usize::from(samples < 4000)))
        }
        _ => format!("{samples} samples"),
    };
    paint::label(ui, below, Align2::LEFT_CENTER, &words, &dim);
    at.min.x - PAD
}
