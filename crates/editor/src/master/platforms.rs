//! Playback on the platforms: a cell each, with the limit that binds; rule, source and date in the tooltip.

use super::FirstMinute;
use crate::controls::{Weight, menu, pill, pill_width};
use crate::edits::Edit;
use crate::format::{number, signed, time};
use crate::paint::{self, pen, shortened};
use crate::theme::{self, GRID, PAD};
use crate::view_model::ViewCx;
use chain::monitor::MonitorMode;
use egui::{Align2, CornerRadius, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use plugin_core::command::Proposal;
use plugin_core::session_view::BusPosition;
use session::playback::{GainBound, HEADING, Playback};
use session::session_report::PlatformReport;
use session::target::{NormalizationTarget, TargetUse, TurnUpRule};

/// Height of the row, points.
pub(super) const HEIGHT: f32 = 76.0;
/// Smallest width of a cell, points.
const MIN_CELL_WIDTH: f32 = 100.0;
/// Button that plays the mix at the gain of the chosen platform.
const LISTEN: &str = "Listen normalized";

/// Draws the platforms in `place`. `chosen`: index of the platform whose predictions show. `shown`: move being predicted.
pub(super) fn draw_platforms(
    ui: &mut Ui,
    cx: &mut ViewCx<'_>,
    place: Rect,
    chosen: &mut usize,
    shown: Option<Proposal>,
) {
    let palette = cx.palette;
    paint::panel(ui, place, &palette);
    let inner = place.shrink2(vec2(PAD, 6.0));
    let model = &cx.model.master;
    let (small, dim) =
        (pen(theme::font(theme::SMALL), palette.secondary), pen(theme::font(theme::SMALL), palette.dim));
    let top = Rect::from_min_size(inner.min, vec2(inner.width(), 16.0));
    let ready = FirstMinute::from_heard(cx.model.heard);
    let heading = match (model.placement, cx.model.snapshot.has_final) {
        (BusPosition::Mix, true) => format!("{HEADING} · before the last Master"),
        (BusPosition::Mix, false) => format!("{HEADING} · before the master fader"),
        (BusPosition::Final, _) => HEADING.to_owned(),
    };
    let title = paint::label(ui, top, Align2::LEFT_CENTER, &heading, &small).rect;
    if ready < FirstMinute::Platforms || model.platforms.is_empty() {
        let line = Rect::from_min_max(pos2(inner.min.x, top.max.y), inner.max);
        let words = match cx.model.heard.0 {
            ms if ms < 100.0 => "After 30 s of music.".to_owned(),
            ms => format!("After 30 s of music; heard {}.", time(ms / 1000.0)),
        };
        paint::label(ui, line, Align2::LEFT_CENTER, &words, &dim);
        return;
    }
    let all = Rect::from_min_max(pos2(inner.max.x - 96.0, top.min.y), top.max);
    everything(ui, cx, all);
    let hear = Rect::from_min_max(
        pos2(all.min.x - PAD - pill_width(ui, LISTEN), top.min.y - 1.0),
        pos2(all.min.x - PAD, top.max.y + 1.0),
    );
    as_played(ui, cx, hear, *chosen);
    let heard = format!("heard {}", time(cx.model.heard.0 / 1000.0));
    let at = Rect::from_min_max(pos2(title.max.x + PAD, top.min.y), pos2(hear.min.x - PAD, top.max.y));
    if at.width() > paint::width(ui, &heard, &dim) {
        paint::label(ui, at, Align2::LEFT_CENTER, &heard, &dim);
    }
    let cells = (inner.width() / MIN_CELL_WIDTH).floor().max(1.0) as usize;
    // delivery specifications and platforms that do not normalize change nothing; they are in the list of all
    let played: Vec<(usize, &PlatformReport)> = model
        .platforms
        .iter()
        .enumerate()
        .filter(|(_, platform)| {
            let playback = platform.playback;
            playback.is_some_and(|p| !matches!(p.bound, GainBound::Delivery | GainBound::NotNormalized))
        })
        .take(cells)
        .collect();
    let width = (inner.width() / played.len().max(1) as f32).min(MIN_CELL_WIDTH * 1.6);
    let last =
        model.answer.as_ref().filter(|answer| shown.is_some_and(|shown| shown.stem == answer.proposal.stem));
    for (n, (index, platform)) in played.into_iter().enumerate() {
        let at = Rect::from_min_max(
            pos2(inner.min.x + n as f32 * width, top.max.y + 3.0),
            pos2(inner.min.x + (n + 1) as f32 * width - 3.0 * GRID, inner.max.y),
        );
        let after =
            last.and_then(|answer| answer.platform_changes().get(index)).and_then(|exchange| exchange.after);
        if cell(ui, cx, at, platform, after, index == *chosen) {
            *chosen = index;
        }
    }
}

/// Draws one platform; returns true when it was pressed.
fn cell(
    ui: &Ui,
    cx: &ViewCx<'_>,
    at: Rect,
    platform: &PlatformReport,
    after: Option<Playback>,
    chosen: bool,
) -> bool {
    let palette = &cx.palette;
    let target = cx.model.master.target(&platform.id);
    let name = target.map_or(platform.id.as_str(), |target| target.name.as_str());
    let response = ui.interact(at, ui.scope_id().with(("platform", &platform.id)), Sense::click());
    let now = platform.playback.and_then(|playback| playback.gain);
    let change = now.map_or("–".to_owned(), |gain| format!("{} dB", signed(gain.0, 1)));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(change.as_str()));
    if chosen || response.hovered() {
        let ground = at.expand2(vec2(5.0, 2.0));
        ui.painter().rect_filled(ground, CornerRadius::same(6), palette.raised);
    }
    if response.has_focus() {
        paint::focus_ring(ui, at, palette);
    }
    let line =
        |top: f32, height: f32| Rect::from_min_size(pos2(at.min.x, at.min.y + top), vec2(at.width(), height));
    let small = pen(theme::font(theme::SMALL), palette.secondary);
    paint::text(ui, line(0.0, 14.0), Align2::LEFT_CENTER, &shortened(ui, name, &small, at.width()), &small);
    let bold = pen(theme::strong(theme::TITLE), palette.text);
    let value = paint::text(ui, line(14.0, 20.0), Align2::LEFT_CENTER, &change, &bold);
    let next = after
        .and_then(|playback| playback.gain)
        .filter(|next| now.is_some_and(|now| (next.0 - now.0).abs() >= 0.05));
    if let (Some(next), Some(now)) = (next, now) {
        let accent = pen(theme::strong(theme::SMALL), palette.accent);
        let beside = Rect::from_min_max(pos2(value.max.x + 5.0, value.min.y), pos2(at.max.x, value.max.y));
        let words = signed(next.0 - now.0, 1);
        if paint::width(ui, &words, &accent) <= beside.width() {
            paint::text(ui, beside, Align2::LEFT_CENTER, &words, &accent);
        }
    }
    let dim = pen(theme::font(theme::TINY), palette.dim);
    let bound = bound(cx, after.or(platform.playback));
    paint::text(ui, line(34.0, 12.0), Align2::LEFT_CENTER, &shortened(ui, &bound, &dim, at.width()), &dim);
    let pressed = response.clicked();
    response.on_hover_ui(|ui| {
        ui.set_max_width(340.0);
        ui.label(egui::RichText::new(platform.sentence.as_str()).font(theme::strong(theme::BODY)));
        if let Some(target) = target {
            for line in rule(target) {
                ui.label(egui::RichText::new(line).size(theme::SMALL));
            }
        }
    });
    pressed
}

/// Draws *Listen normalized*: the song at the gain of the chosen platform, which the monitor gain follows.
fn as_played(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect, chosen: usize) {
    let palette = cx.palette;
    let platform = cx.model.master.platforms.get(chosen);
    let gain = platform.and_then(|platform| platform.playback?.gain);
    let now = match cx.model.listen {
        MonitorMode::Gain(now) => Some(now),
        _ => None,
    };
    let weight = if now.is_some() { Weight::Chosen } else { Weight::Quiet };
    let response = pill(ui, &palette, place, LISTEN, weight, gain.is_some() || now.is_some());
    if response.clicked() {
        let listen = gain.filter(|_| now.is_none()).map_or(MonitorMode::Off, MonitorMode::Gain);
        cx.edits.request(Edit::MonitorMode(listen));
    } else if let Some(now) = now {
        match gain {
            // a listener would not notice less
            Some(gain) if (gain.0 - now.0).abs() < 0.05 => {}
            gain => cx.edits.request(Edit::MonitorMode(gain.map_or(MonitorMode::Off, MonitorMode::Gain))),
        }
    }
    let name = platform
        .and_then(|platform| cx.model.master.target(&platform.id))
        .map_or("the platform", |t| &t.name);
    response.on_hover_text(format!(
        "Plays the song at the level that {name} gives it, behind the meters. Never saved, never in a render; ends when the window closes."
    ));
}

/// Returns the limit that binds, and the stem behind it.
fn bound(cx: &ViewCx<'_>, playback: Option<Playback>) -> String {
    let snapshot = &cx.model.snapshot;
    match playback.map(|playback| playback.bound) {
        Some(GainBound::Loudness) => "loudness".into(),
        Some(GainBound::Peak) => {
            let whose = snapshot.session().and_then(|session| session.loudest_peak);
            whose.map_or("peak".into(), |stem| format!("peak: {}", snapshot.name(stem)))
        }
        Some(GainBound::NoTurnUp) => "never turns up".into(),
        Some(GainBound::Unknown) => "rule not published".into(),
        Some(GainBound::PeakUnknown) => "peak not known yet".into(),
        Some(GainBound::Delivery) => "delivery".into(),
        Some(GainBound::NotNormalized) => "not normalized".into(),
        None => String::new(),
    }
}

/// Returns a rule as text, with its source.
fn rule(target: &NormalizationTarget) -> Vec<String> {
    let no_target =
        if target.usage == TargetUse::AsDelivered { "no normalization" } else { "no target published" };
    let aim = target.loudness.map_or(no_target.into(), |l| format!("{} LUFS", number(l.0, 1)));
    let up = match target.usage {
        TargetUse::Playback { turns_up } => match turns_up {
            TurnUpRule::No => "never turns up".into(),
            TurnUpRule::Unknown => "whether it turns up is not published".into(),
            TurnUpRule::ToPeak(limit) => format!("turns up until {} dBTP", number(limit.0, 1)),
            TurnUpRule::PeakRuleUnknown => "turns up; what it does about peaks is not published".into(),
            TurnUpRule::IgnoringPeaks => "turns up whatever the peaks".into(),
        },
        TargetUse::Delivery { .. } => "for delivered files".to_owned(),
        TargetUse::AsDelivered => "plays songs as they are".to_owned(),
    };
    let mut lines = vec![format!("Rule: {aim}, {up}. By {}.", target.mode)];
    lines.extend(target.peak_limit.map(|peak| format!("Asks for masters below {} dBTP.", number(peak.0, 1))));
    lines.extend(target.loud_peak_limit.map(|loud| {
        let (louder_than, peak) = (number(loud.louder_than.0, 1), number(loud.peak_limit.0, 1));
        format!("Of masters louder than {louder_than} LUFS: below {peak} dBTP.")
    }));
    if !target.client.is_empty() {
        lines.push(format!("Players: {}.", target.client));
    }
    if !target.note.is_empty() {
        lines.push(target.note.clone());
    }
    lines.push(format!("Source: {}", target.source));
    lines.push(format!("Read {}; {}.", target.date, target.status.word()));
    lines
}

/// Draws the menu with the sentences of all platforms and delivery specifications.
fn everything(ui: &mut Ui, cx: &ViewCx<'_>, place: Rect) {
    let palette = cx.palette;
    let response = menu(ui, &palette, place, "All platforms", "All platforms", palette.secondary);
    egui::Popup::menu(&response).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(420.0);
        egui::ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
            for platform in &cx.model.master.platforms {
                let sentence = ui.label(platform.sentence.as_str());
                if let Some(target) = cx.model.master.target(&platform.id) {
                    sentence.on_hover_text(rule(target).join("\n"));
                }
            }
        });
    });
}
