//! Footer of a chain's view: level, the chain's two ends, the stem's share of the mix, latency.

use super::controls::{MENU_MARK, control, menu};
use super::edits::Edit;
use super::facts::ViewCx;
use super::fader::fader;
use super::field::Style;
use super::format::{number, signed, time};
use super::paint::{self, pen, shortened};
use super::theme::{self, PAD};
use chain::ChainKind;
use chain::parameters::Parameter;
use egui::{Align2, Popup, PopupCloseBehavior, Rect, RectAlign, Sense, Ui, pos2, vec2};
use plugin_core::session_view::{LinkedMaster, MasterLink};
use session::playback::exchange_sentence;
use units::Db;

/// Height in points.
pub const HEIGHT: f32 = 60.0;

/// Parameters of the chain's two ends that stand nowhere else.
const ENDS: [&str; 5] = ["in_trim", "in_polarity", "align_delay", "dc_on", "dither"];

/// Draws it in `place`.
pub fn show(ui: &mut Ui, desk: &mut ViewCx<'_>, place: Rect) {
    paint::panel(ui, place, &desk.look);
    let inner = place.shrink2(vec2(PAD, 8.0));
    let (first, second) = (inner.min.y + 11.0, inner.min.y + 34.0);
    let right = latency(ui, desk, inner, first);
    let left_width = ((right - inner.min.x) * 0.48).floor();
    let left = Rect::from_min_size(inner.min, vec2(left_width - PAD, inner.height()));
    let middle =
        Rect::from_min_max(pos2(inner.min.x + left_width + PAD, inner.min.y), pos2(right - PAD, inner.max.y));
    level(ui, desk, left, first, second);
    share(ui, desk, middle, first, second);
}

fn line(place: Rect, y: f32) -> Rect {
    Rect::from_min_max(pos2(place.min.x, y - 10.0), pos2(place.max.x, y + 10.0))
}

fn level(ui: &mut Ui, desk: &mut ViewCx<'_>, place: Rect, first: f32, second: f32) {
    let look = desk.look;
    let name = pen(theme::font(theme::SMALL), look.secondary);
    let ends = ends(ui, desk, line(place, second));
    let mut words = paint::label(ui, line(place, first), Align2::LEFT_CENTER, "Level", &name).rect;
    words.max.x = words.max.x.max(ends.max.x);
    if let Some(row) = desk.row("level") {
        let at = Rect::from_min_max(pos2(words.max.x + PAD, first - 10.0), pos2(place.max.x, first + 10.0));
        let response = fader(ui, desk, at, row, desk.track);
        if let Some(price) = price(desk) {
            response.on_hover_text(price);
        }
    }
    let at = line(Rect::from_min_max(pos2(words.max.x + PAD, place.min.y), place.max), second);
    // also without a Master: the Stem owns it
    let trim = desk.facts.trim;
    if trim.0 != 0.0 {
        let words = format!("Master asks {} dB · in effect", signed(trim.0, 1));
        let shown =
            paint::label(ui, at, Align2::LEFT_CENTER, &words, &pen(theme::font(theme::SMALL), look.accent));
        let shown = shown.interact(egui::Sense::click()).on_hover_text("Click: make it a part of the level");
        if shown.clicked() {
            desk.edits.want(Edit::TakeTrim);
        }
    }
}

/// Draws the menu of the chain's two ends; returns its place.
fn ends(ui: &mut Ui, desk: &mut ViewCx<'_>, place: Rect) -> Rect {
    let rows: Vec<&'static Parameter> = ENDS.iter().filter_map(|id| desk.row(id)).collect();
    let changed = rows.iter().any(|row| desk.value(row) != row.default);
    let ink = if changed { desk.look.accent } else { desk.look.secondary };
    let response = menu(ui, &desk.look, place, "Input and output", "In/Out", ink);
    Popup::menu(&response)
        .align(RectAlign::TOP_START)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            let cell = vec2(104.0, 36.0);
            let (place, _) = ui.allocate_exact_size(vec2(rows.len() as f32 * cell.x, cell.y), Sense::hover());
            for (column, row) in rows.into_iter().enumerate() {
                let min = place.min + vec2(column as f32 * cell.x, 0.0);
                let at = Rect::from_min_size(min, cell - vec2(14.0, 0.0));
                control(ui, desk, at, row, Style { caption: Some(&row.name), ..Style::default() });
            }
        });
    let rect = response.rect;
    let dither = if desk.facts.chain_kind == ChainKind::Master { ", dither" } else { "" };
    response.on_hover_text(format!("Input gain, polarity, alignment and DC filter{dither}"));
    rect
}

/// Sentence on one decibel more of this stem: the change of all others once normalized.
fn price(desk: &ViewCx<'_>) -> Option<String> {
    let MasterLink::Linked(LinkedMaster { share: Some(share), .. }) = &desk.facts.snapshot.master else {
        return None;
    };
    Some(exchange_sentence("this stem", Db(1.0), Db(-share)))
}

/// Draws the first platform's gain on a Master's output.
fn playback(ui: &Ui, desk: &ViewCx<'_>, place: Rect, first: f32, second: f32) {
    let look = &desk.look;
    let (small, dim) =
        (pen(theme::font(theme::SMALL), look.secondary), pen(theme::font(theme::SMALL), look.dim));
    paint::label(ui, line(place, first), Align2::LEFT_CENTER, "Playback change", &small);
    let words = desk.facts.master.platforms.first().map_or("Press play", |platform| &platform.sentence);
    let shown = shortened(ui, words, &dim, place.width());
    paint::label(ui, line(place, second), Align2::LEFT_CENTER, &shown, &dim).on_hover_text(words);
}

fn share(ui: &Ui, desk: &ViewCx<'_>, place: Rect, first: f32, second: f32) {
    if desk.facts.chain_kind == ChainKind::Master {
        playback(ui, desk, place, first, second);
        return;
    }
    let look = &desk.look;
    let small = pen(theme::font(theme::SMALL), look.secondary);
    let linked = match &desk.facts.snapshot.master {
        MasterLink::Linked(linked) => linked,
        waiting => {
            paint::label(ui, line(place, first), Align2::LEFT_CENTER, "Loudness share", &small);
            let words =
                if *waiting == MasterLink::Lost { "The Master is gone" } else { "Waiting for Master" };
            let dim = pen(theme::font(theme::SMALL), look.dim);
            paint::label(ui, line(place, second), Align2::LEFT_CENTER, words, &dim);
            return;
        }
    };
    let words = paint::label(ui, line(place, first), Align2::LEFT_CENTER, "Loudness share", &small).rect;
    let Some(share) = linked.share else {
        let dim = pen(theme::font(theme::SMALL), look.dim);
        paint::label(ui, line(place, second), Align2::LEFT_CENTER, "Press play", &dim);
        return;
    };
    let value = Rect::from_min_max(pos2(place.max.x - 44.0, first - 10.0), pos2(place.max.x, first + 10.0));
    let bold = pen(theme::strong(theme::BODY), look.text);
    paint::label(ui, value, Align2::RIGHT_CENTER, &format!("{} %", number(share * 100.0, 0)), &bold);
    let rail = Rect::from_min_max(pos2(words.max.x + PAD, first - 4.0), pos2(value.min.x - 8.0, first + 4.0));
    if rail.width() > 24.0 {
        paint::bar(ui, rail, share as f32, desk.track, look);
    }
    let (kind, ink) = if linked.exact { ("exact", look.good) } else { ("estimate", look.reduction) };
    let tag = paint::label(
        ui,
        line(place, second),
        Align2::RIGHT_CENTER,
        kind,
        &pen(theme::font(theme::SMALL), ink),
    );
    let rest = Rect::from_min_max(line(place, second).min, pos2(tag.rect.min.x - 8.0, second + 10.0));
    let long = exchange_sentence("this stem", Db(1.0), Db(-share));
    let short = format!("+1 dB: others {} dB", signed(-share, 1));
    let dim = pen(theme::font(theme::SMALL), look.secondary);
    let fits = paint::width(ui, &long, &dim) <= rest.width();
    let heard = format!("Of what was heard so far: {}", time(linked.heard.0 / 1000.0));
    paint::label(ui, rest, Align2::LEFT_CENTER, if fits { &long } else { &short }, &dim).on_hover_text(heard);
}

/// The latency class; returns where the line to the left of it ends.
fn latency(ui: &mut Ui, desk: &mut ViewCx<'_>, inner: Rect, first: f32) -> f32 {
    let look = desk.look;
    // room for the longest name, so that a choice moves nothing
    let pen_of_names = pen(theme::font(theme::BODY), look.text);
    let names = desk.facts.classes.iter().map(|(_, name)| paint::width(ui, name, &pen_of_names));
    let width = 52.0 + names.fold(100.0, f32::max) + MENU_MARK;
    let at = Rect::from_min_max(pos2(inner.max.x - width, first - 10.0), pos2(inner.max.x, first + 10.0));
    let label = pen(theme::font(theme::SMALL), look.secondary);
    paint::label(ui, at, Align2::LEFT_CENTER, "Latency", &label);
    let choice = Rect::from_min_max(pos2(at.min.x + 52.0, at.min.y), at.max);
    let response = menu(ui, &look, choice, "Latency class", desk.facts.class_name(), look.text);
    egui::Popup::menu(&response).show(|ui| {
        for &(class, name) in desk.facts.classes {
            if ui.selectable_label(class == desk.facts.class, name).clicked() {
                desk.edits.want(Edit::Class(class));
                ui.close();
            }
        }
    });
    response.on_hover_text("What the chain may take in time. Units never change the latency within a class; another class restarts the plugin.");
    let below = Rect::from_min_max(pos2(at.min.x + 52.0, inner.max.y - 20.0), pos2(at.max.x, inner.max.y));
    let dim = pen(theme::font(theme::SMALL), look.dim);
    let samples = desk.facts.latency;
    let words = match desk.facts.rate {
        Some(rate) if samples > 0 => {
            format!("{samples} · {} ms", number(samples as f64 / rate.0 * 1e3, usize::from(samples < 4000)))
        }
        _ => format!("{samples} samples"),
    };
    paint::label(ui, below, Align2::LEFT_CENTER, &words, &dim);
    at.min.x - PAD
}
