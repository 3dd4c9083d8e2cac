//! Header of a window: name and role, settings A to D, undo, link status, window menu, bypass.

use super::controls::{Weight, context_menu, icon, menu, pill};
use super::edits::Edit;
use super::listen;
use super::master::audition;
use super::paint::{self, pen, shortened};
use super::preset_menu::PresetMenu;
use super::stem::WindowRequests;
use super::theme::{self, PAD, Palette};
use super::view_model::ViewCx;
use chain::ChainKind;
use chain::monitor::MonitorMode;
use chain::parameters::Value;
use egui::{Align2, Color32, Pos2, Rect, Shape, Stroke, Ui, pos2, vec2};
use plugin_core::document::SLOT_COUNT;
use plugin_core::session_view::{BusPosition, MasterLink, StemCard, TrimRequestState};
use session::role::Role as StemRole;
use session::stem_status::StemStatus;

/// Height in points.
pub const HEIGHT: f32 = 44.0;

/// Names of the settings slots.
pub const SLOT_NAMES: [&str; SLOT_COUNT] = ["A", "B", "C", "D"];

/// Draws the header in `place`.
pub fn draw_header(
    ui: &mut Ui,
    cx: &mut ViewCx<'_>,
    place: Rect,
    menu: &mut PresetMenu,
    requests: &mut WindowRequests,
) {
    let palette = cx.palette;
    ui.painter().rect_filled(place, 0.0, palette.panel);
    let edge = Rect::from_min_size(place.min, vec2(4.0, place.height()));
    ui.painter().rect_filled(edge, 0.0, cx.track);

    let y = place.center().y;
    let mut right = place.max.x - PAD;
    right = power(ui, cx, pos2(right - 12.0, y)) - 4.0;
    right = window_menu(ui, cx, pos2(right - 12.0, y), requests) - 4.0;
    right = listen::button(ui, cx, pos2(right - 12.0, y)) - PAD;
    let room = place.width();
    let link_width = if room > 900.0 { 190.0 } else { 132.0 };
    let at = Rect::from_min_max(pos2(right - link_width, y - 10.0), pos2(right, y + 10.0));
    match (cx.model.listen, audition::words(cx.model)) {
        (MonitorMode::Off, None) => link(ui, cx, at),
        (MonitorMode::Off, Some(heard)) => audition::sign(ui, cx, at, &heard),
        _ => listen::sign(ui, cx, at),
    }
    right -= link_width + PAD;

    // name and role share what the fixed parts leave
    let preset_width = (room * 0.18).clamp(124.0, 240.0);
    let fixed = 4.0 * 28.0 + 2.0 * 26.0 + preset_width + 3.0 * PAD;
    let names = Rect::from_min_max(pos2(place.min.x + 16.0, y - 11.0), pos2(right - fixed, y + 11.0));
    let used = name_and_role(ui, cx, names);
    let mut left = used + PAD;
    left = slots(ui, cx, pos2(left, y)) + PAD;
    steps(ui, cx, pos2(left, y));
    left += 2.0 * 26.0 + PAD;
    menu.draw_menu(ui, cx, Rect::from_min_size(pos2(left, y - 13.0), vec2(preset_width, 26.0)));
}

/// Draws the track's name and the stem's role; returns their right end.
fn name_and_role(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) -> f32 {
    let palette = cx.palette;
    let model = cx.model;
    let role =
        if model.role_is_guessed { format!("{}?", model.role.name()) } else { model.role.name().into() };
    let role_pen = pen(theme::font(theme::BODY), palette.secondary);
    let words = if model.chain_kind == ChainKind::Stem { &role } else { model.master.placement.name() };
    let role_width = paint::width(ui, words, &role_pen) + 18.0;
    let fallback = if model.chain_kind == ChainKind::Stem { "Stem" } else { "Master" };
    let name = if model.name.is_empty() { fallback } else { &model.name };
    let bold = pen(theme::strong(theme::TITLE), palette.text);
    let width = paint::width(ui, name, &bold).min(place.width() - role_width - 12.0);
    let at = Rect::from_min_size(place.min, vec2(width, place.height()));
    // a long name may be cut; the tooltip has it all
    let written = shortened(ui, name, &bold, at.width());
    paint::label(ui, at, Align2::LEFT_CENTER, &written, &bold).on_hover_text(name);
    let at = Rect::from_min_size(pos2(at.max.x + 10.0, place.min.y), vec2(role_width, place.height()));
    if model.chain_kind == ChainKind::Master {
        return placement(ui, cx, at);
    }
    let response = menu(ui, &palette, at, "Role", &role, palette.secondary);
    egui::Popup::menu(&response).show(|ui| {
        if ui.selectable_label(model.role_is_guessed, "Guess from the name").clicked() {
            cx.edits.request(Edit::Role(None));
            ui.close();
        }
        for role in StemRole::ALL {
            let chosen = !model.role_is_guessed && role == model.role;
            if ui.selectable_label(chosen, role.name()).clicked() {
                cx.edits.request(Edit::Role(Some(role)));
                ui.close();
            }
        }
    });
    let right = response.rect.max.x;
    response.on_hover_text("Role of this stem in the song. It selects presets and colours, never the sound.");
    right
}

/// Draws the menu of a Master's placement; returns its right end.
fn placement(ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) -> f32 {
    let palette = cx.palette;
    let now = cx.model.master.placement;
    let response = menu(ui, &palette, place, "Placement", now.name(), palette.secondary);
    egui::Popup::menu(&response).show(|ui| {
        for (placement, words) in [
            (BusPosition::Mix, "Mix: first on the bus, where the stems come together"),
            (BusPosition::Final, "Final: last on the bus, or in a monitoring slot"),
        ] {
            if ui.selectable_label(placement == now, words).clicked() {
                cx.edits.request(Edit::BusPosition(placement));
                ui.close();
            }
        }
    });
    let right = response.rect.max.x;
    response.on_hover_text("Position of this Master. In Mix it relates the stems to its input; in Final its output is what you hear, and playback figures are of that.");
    right
}

/// Draws the slots A to D; returns their right end.
fn slots(ui: &mut Ui, cx: &mut ViewCx<'_>, start: Pos2) -> f32 {
    let mut x = start.x;
    for (index, letter) in SLOT_NAMES.into_iter().enumerate() {
        let place = Rect::from_min_size(pos2(x, start.y - 12.0), vec2(24.0, 24.0));
        let chosen = index == cx.model.slot;
        let response =
            pill(ui, &cx.palette, place, letter, if chosen { Weight::Chosen } else { Weight::Quiet }, true);
        if cx.model.used[index] && !chosen {
            ui.painter().circle_filled(pos2(place.center().x, place.max.y - 4.0), 1.5, cx.palette.accent);
        }
        if response.clicked() && !chosen {
            cx.edits.request(Edit::Slot(index));
        }
        context_menu(&response, |ui| {
            for (other, name) in
                SLOT_NAMES.into_iter().enumerate().filter(|&(other, _)| other != cx.model.slot)
            {
                if ui.button(format!("Copy {} to {name}", SLOT_NAMES[cx.model.slot])).clicked() {
                    cx.edits.request(Edit::CopyTo(other));
                    ui.close();
                }
            }
        });
        response.on_hover_text(match cx.model.chain_kind {
            ChainKind::Stem => "Settings to compare. Right-click: copy.",
            ChainKind::Master => "Settings to compare, with the trims of all stems. Right-click: copy.",
        });
        x += 28.0;
    }
    x - 4.0
}

fn steps(ui: &mut Ui, cx: &mut ViewCx<'_>, start: Pos2) {
    // what a Stem has not answered cannot be taken back yet
    let is_asked = |stem: &StemCard| matches!(stem.request, TrimRequestState::Asked(_));
    let settled = !cx.model.snapshot.stems.iter().any(is_asked);
    let can = cx.edits.can_undo() && settled;
    if icon(ui, &cx.palette, start + vec2(12.0, 0.0), "Undo", can, |p, c, ink| arrow(p, c, -1.0, ink))
        .clicked()
    {
        cx.edits.undo();
    }
    let can = cx.edits.can_redo() && settled;
    if icon(ui, &cx.palette, start + vec2(38.0, 0.0), "Redo", can, |p, c, ink| arrow(p, c, 1.0, ink))
        .clicked()
    {
        cx.edits.redo();
    }
    let undo = ui.input(|i| i.modifiers.command && !i.modifiers.shift && i.key_pressed(egui::Key::Z));
    let redo = ui.input(|i| i.modifiers.command && i.modifiers.shift && i.key_pressed(egui::Key::Z));
    if !settled {
        return;
    }
    if undo {
        cx.edits.undo();
    } else if redo {
        cx.edits.redo();
    }
}

/// Draws a bent arrow, to the left or right.
fn arrow(painter: &egui::Painter, centre: Pos2, side: f32, ink: Color32) {
    let stroke = Stroke::new(1.5, ink);
    let at = |x: f32, y: f32| centre + vec2(side * x, y);
    let bend: Vec<Pos2> = (0..=12)
        .map(|i| {
            let angle = core::f32::consts::PI * (i as f32 / 12.0 - 0.5);
            at(-1.5 - 4.0 * angle.cos(), 1.5 + 4.0 * angle.sin())
        })
        .collect();
    painter.add(Shape::line(bend, stroke));
    painter.line_segment([at(-1.5, -2.5), at(5.5, -2.5)], stroke);
    painter.add(Shape::line(vec![at(2.5, -5.5), at(5.5, -2.5), at(2.5, 0.5)], stroke));
    painter.line_segment([at(-1.5, 5.5), at(1.5, 5.5)], stroke);
}

fn power(ui: &mut Ui, cx: &mut ViewCx<'_>, centre: Pos2) -> f32 {
    let Some(row) = cx.row("bypass") else { return centre.x };
    let bypassed = cx.is_on(row);
    let palette = cx.palette;
    let response = icon(ui, &palette, centre, "Bypass", true, |painter, c, ink| {
        let ink = if bypassed { palette.reduction } else { ink };
        let stroke = Stroke::new(1.75, ink);
        let arc: Vec<Pos2> = (0..=20)
            .map(|i| {
                let angle =
                    -core::f32::consts::FRAC_PI_2 + 0.7 + (core::f32::consts::TAU - 1.4) * i as f32 / 20.0;
                c + vec2(6.0 * angle.cos(), 6.0 * angle.sin() + 0.5)
            })
            .collect();
        painter.add(Shape::line(arc, stroke));
        painter.line_segment([c - vec2(0.0, 7.0), c], stroke);
    });
    if response.clicked() {
        cx.put(row, Value::Switch(!bypassed));
    }
    centre.x - 12.0
}

const RESTART_TOOLTIP: &str = "Pressing play at the start of what was heard, or before it, resets integrated loudness, range, peaks and heard. Loops and jumps do not. Otherwise what is heard again replaces what was heard there. Saved with the project.";

/// Draws the menu of scale, appearance and meters; returns its left end.
fn window_menu(ui: &mut Ui, cx: &mut ViewCx<'_>, centre: Pos2, requests: &mut WindowRequests) -> f32 {
    let palette = cx.palette;
    let response = icon(ui, &palette, centre, "Window", true, |painter, c, ink| {
        for y in [-4.0, 0.0, 4.0] {
            painter.hline(c.x - 6.0..=c.x + 6.0, c.y + y, Stroke::new(1.5, ink));
        }
    });
    let refused = cx.model.refusals.scale.map(|scale| refused_scale(scale, ui.ctx().zoom_factor()));
    if refused.is_some() {
        ui.painter().circle_filled(centre + vec2(9.0, -8.0), 3.0, palette.red);
    }
    egui::Popup::menu(&response).show(|ui| {
        ui.label(egui::RichText::new("Scale").size(theme::SMALL).color(palette.secondary));
        let now = ui.ctx().zoom_factor();
        for scale in theme::SCALES {
            if ui.selectable_label((scale - now).abs() < 0.01, format!("{:.0} %", scale * 100.0)).clicked() {
                requests.scale = Some(scale);
                ui.close();
            }
        }
        if let Some(words) = &refused {
            ui.label(egui::RichText::new(words).size(theme::SMALL).color(palette.red));
        }
        ui.separator();
        for (words, offered) in [("Dark", Palette::DARK), ("Light", Palette::LIGHT)] {
            if ui.selectable_label(palette.dark == offered.dark, words).clicked() {
                requests.dark = Some(offered.dark);
                ui.close();
            }
        }
        ui.separator();
        ui.label(egui::RichText::new("Meters").size(theme::SMALL).color(palette.secondary));
        let restarts = cx.model.restarts_with_play;
        let option = ui.selectable_label(restarts, "A play from the start begins anew");
        if option.on_hover_text(RESTART_TOOLTIP).clicked() {
            cx.edits.request(Edit::RestartWithPlay(!restarts));
            ui.close();
        }
    });
    if let Some(words) = refused {
        response.on_hover_text(words);
    }
    centre.x - 12.0
}

/// Returns the message that the host leaves the window too small for `scale`, so that `now` is in force.
fn refused_scale(scale: f32, now: f32) -> String {
    format!(
        "The host keeps the window too small for {:.0} %: it is drawn as large as fits, {:.0} %",
        scale * 100.0,
        now * 100.0
    )
}

/// Draws the number of Stems that a Master sees, with a lamp.
fn stems(ui: &Ui, cx: &ViewCx<'_>, place: Rect) {
    let (palette, session) = (&cx.palette, &cx.model.snapshot);
    let gone = session.stems.iter().filter(|stem| stem.status == StemStatus::Gone).count();
    let count = session.summed_stems().count();
    let plural = if count == 1 { "" } else { "s" };
    let (lamp, ink, words) = match (count, gone) {
        (0, 0) => (palette.dim, palette.secondary, "No stems yet".to_owned()),
        (_, 0) => (palette.good, palette.secondary, format!("{count} stem{plural}")),
        _ => (palette.red, palette.red, format!("{count} stem{plural}, {gone} gone")),
    };
    let response = paint::label(ui, place, Align2::RIGHT_CENTER, &words, &pen(theme::font(theme::BODY), ink));
    ui.painter().circle_filled(pos2(response.rect.min.x - 9.0, place.center().y), 3.5, lamp);
    let fault = session.faults.first().map(|fault| fault.text.as_str());
    response.on_hover_text(fault.unwrap_or("Stems whose sound makes up this mix."));
}

/// Draws the link status with a lamp.
fn link(ui: &Ui, cx: &ViewCx<'_>, place: Rect) {
    if cx.model.chain_kind == ChainKind::Master {
        stems(ui, cx, place);
        return;
    }
    let palette = &cx.palette;
    let (lamp, ink, words) = match &cx.model.snapshot.master {
        MasterLink::Waiting => (palette.dim, palette.secondary, "Waiting for Master".to_owned()),
        MasterLink::Lost => (palette.red, palette.red, "Link lost".to_owned()),
        MasterLink::Linked(linked) => {
            let plural = if linked.stems == 1 { "" } else { "s" };
            (palette.good, palette.secondary, format!("Linked · {} stem{plural}", linked.stems))
        }
    };
    let response = paint::label(ui, place, Align2::RIGHT_CENTER, &words, &pen(theme::font(theme::BODY), ink));
    ui.painter().circle_filled(pos2(response.rect.min.x - 9.0, place.center().y), 3.5, lamp);
    response.on_hover_text(match cx.model.snapshot.master {
        MasterLink::Waiting => "Put Stemlink Master on the master bus: it finds this stem by its sound.",
        MasterLink::Lost => "The Master was closed. The sound follows this plugin's own settings.",
        MasterLink::Linked(_) => "The Master sees this stem.",
    });
}
