//! Menu of monitor modes, and the banner that shows the active one.

use super::controls::icon;
use super::edits::Edit;
use super::format::{signed, whole};
use super::graph::BandRows;
use super::paint::{self, pen, shortened};
use super::theme;
use super::tooltips;
use super::view_model::{ViewCx, ViewModel};
use chain::monitor::MonitorMode;
use chain::{ChainKind, LatencyClass};
use egui::{Align2, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, vec2};
use session::audition::AuditionEffect;

/// Returns a monitor mode as text.
pub fn words(listen: MonitorMode) -> String {
    match listen {
        MonitorMode::Off => "the output".into(),
        MonitorMode::Delta => "the difference".into(),
        MonitorMode::Bypass(gain) => format!("the input, {} dB", signed(gain.0, 1)),
        MonitorMode::Gain(gain) => format!("the normalized output, {} dB", signed(gain.0, 1)),
        MonitorMode::Unity(gain) => format!("unity gain, {} dB", signed(gain.0, 1)),
        MonitorMode::Mono => "mono".into(),
        MonitorMode::Side => "side".into(),
        MonitorMode::Left => "left".into(),
        MonitorMode::Right => "right".into(),
        MonitorMode::Band(band) => format!("band {}", band + 1),
        MonitorMode::Key(band) => format!("key of band {}", band + 1),
        MonitorMode::Removed => "removed noise".into(),
        MonitorMode::Mute => "nothing".into(),
        MonitorMode::Reference { gain, .. } => format!("a reference, {} dB", signed(gain.0, 1)),
    }
}

/// Menu entry: monitor mode, text, and true if it is available.
type ListenEntry = (MonitorMode, String, bool);

/// Returns the entries of the menu.
fn listen_entries(model: &ViewModel, cx: &ViewCx<'_>) -> Vec<ListenEntry> {
    let gain = model.match_gain.unwrap_or_default();
    let matched = match model.match_gain {
        Some(gain) => format!("Input, equally loud ({} dB)", signed(gain.0, 1)),
        None => "Input, equally loud".into(),
    };
    let mut all = vec![
        (MonitorMode::Bypass(gain), matched, model.match_gain.is_some()),
        (MonitorMode::Delta, "Difference (output minus input)".into(), true),
        (MonitorMode::Mono, "Mono".into(), true),
        (MonitorMode::Side, "Side".into(), true),
        (MonitorMode::Left, "Left on both".into(), true),
        (MonitorMode::Right, "Right on both".into(), true),
    ];
    for band in BandRows::all(model.chain_kind).iter().filter(|band| cx.is_on(band.on)) {
        let frequency = whole(band.frequency, cx.value(band.frequency));
        all.push((MonitorMode::Band(band.index), format!("Band {}: {frequency}", band.index + 1), true));
        if band.is_dynamic(cx) {
            all.push((MonitorMode::Key(band.index), format!("Key of band {}", band.index + 1), true));
        }
    }
    let denoises =
        model.class == LatencyClass::LinearDenoise && cx.row("dn_on").is_some_and(|row| cx.is_on(row));
    all.push((MonitorMode::Removed, "Removed noise".into(), denoises));
    all
}

/// Returns true for the same mode, regardless of its gain.
fn same(a: MonitorMode, b: MonitorMode) -> bool {
    core::mem::discriminant(&a) == core::mem::discriminant(&b)
        && match (a, b) {
            (MonitorMode::Band(a), MonitorMode::Band(b)) | (MonitorMode::Key(a), MonitorMode::Key(b)) => {
                a == b
            }
            _ => true,
        }
}

/// Draws a column of the menu.
fn entries(ui: &mut Ui, cx: &mut ViewCx<'_>, ways: Vec<ListenEntry>) {
    for (listen, words, can) in ways {
        let chosen = same(listen, cx.model.listen);
        let entry = ui.add_enabled(can, egui::Button::selectable(chosen, words));
        let entry = entry.on_hover_text(tooltips::listening(listen));
        if entry.on_disabled_hover_text(tooltips::listening(listen)).clicked() {
            cx.edits.request(Edit::MonitorMode(if chosen { MonitorMode::Off } else { listen }));
            ui.close();
        }
    }
}

/// Draws a pair of headphones around `centre`.
pub(super) fn headphones(painter: &egui::Painter, centre: Pos2, ink: egui::Color32) {
    let arc: Vec<Pos2> = (0..=16)
        .map(|i| {
            let angle = core::f32::consts::PI * (1.0 + i as f32 / 16.0);
            centre + vec2(6.5 * angle.cos(), 6.5 * angle.sin() + 1.0)
        })
        .collect();
    painter.add(egui::Shape::line(arc, Stroke::new(1.5, ink)));
    for side in [-1.0, 1.0] {
        let cup = Rect::from_center_size(centre + vec2(side * 5.5, 3.5), vec2(3.5, 6.0));
        painter.rect_filled(cup, 1.5, ink);
    }
}

/// Draws the button that opens the menu, around `centre`; returns its left end.
pub fn button(ui: &mut Ui, cx: &mut ViewCx<'_>, centre: Pos2) -> f32 {
    let (palette, model) = (cx.palette, cx.model);
    let response = icon(ui, &palette, centre, "Listen", true, |painter, c, ink| {
        headphones(painter, c, if model.listen == MonitorMode::Off { ink } else { palette.reduction });
    });
    egui::Popup::menu(&response).show(|ui| {
        ui.label(egui::RichText::new("Listen to").size(theme::SMALL).color(palette.secondary));
        let off = (MonitorMode::Off, "Output".to_owned(), true);
        let of_bands = |way: &ListenEntry| matches!(way.0, MonitorMode::Band(_) | MonitorMode::Key(_));
        let (bands, others): (Vec<ListenEntry>, Vec<ListenEntry>) =
            listen_entries(model, cx).into_iter().partition(of_bands);
        let others = std::iter::once(off).chain(others).collect();
        // eight bands that move are too many for one column of a small window
        ui.horizontal_top(|ui| {
            for column in [others, bands] {
                ui.vertical(|ui| entries(ui, cx, column));
            }
        });
    });
    centre.x - 12.0
}

/// Draws the banner of the active monitor mode in `place`; a click ends the mode.
pub fn sign(ui: &Ui, cx: &mut ViewCx<'_>, place: Rect) {
    let ink = pen(theme::strong(theme::SMALL), cx.palette.background);
    let references = &cx.model.master.references;
    let song = references.heard.and_then(|index| references.kept.get(index));
    let whole = match (cx.model.asked, song) {
        (Some(AuditionEffect::Muted), _) => "Muted by the Master".to_owned(),
        (Some(AuditionEffect::Bypassed), _) => "Bypassed by the Master".to_owned(),
        (None, Some(song)) => format!("Listening to {}", song.name()),
        (None, None) => format!("Listening to {}", words(cx.model.listen)),
    };
    let shown = shortened(ui, &whole, &ink, place.width() - 20.0);
    let response = banner(ui, cx, place, (&shown, &whole));
    if response.clicked() {
        cx.edits.request(Edit::MonitorMode(MonitorMode::Off));
    }
    let chain_kind = if cx.model.chain_kind == ChainKind::Stem { "Stem" } else { "Master" };
    response.on_hover_text(match cx.model.asked {
        Some(AuditionEffect::Muted) => format!("The Master's window mutes this stem. {ENDS_NOTE}"),
        Some(AuditionEffect::Bypassed) => format!("The Master's window bypasses this stem's chain. {ENDS_NOTE}"),
        None => format!(
            "You are not hearing what this {chain_kind} will print. {} Never saved, never in a render; ends when this window closes, or by a click here.",
            tooltips::listening(cx.model.listen)
        ),
    });
}

const ENDS_NOTE: &str =
    "Never saved, never in a render; ends when the Master's window closes, or by a click here.";

/// Draws a banner at the right of `place`: shortened text, full text.
pub(super) fn banner(ui: &Ui, cx: &ViewCx<'_>, place: Rect, (shown, whole): (&str, &str)) -> Response {
    let palette = &cx.palette;
    let ink = pen(theme::strong(theme::SMALL), palette.background);
    let width = paint::width(ui, shown, &ink) + 20.0;
    let at = Rect::from_min_max(egui::pos2(place.max.x - width, place.min.y), place.max);
    let response = ui.interact(at, ui.scope_id().with("hearing"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, whole));
    ui.painter().rect_filled(at, at.height() / 2.0, palette.reduction);
    paint::text(ui, at.shrink2(vec2(4.0, 0.0)), Align2::CENTER_CENTER, shown, &ink);
    if response.has_focus() {
        paint::focus_ring(ui, at, palette);
    }
    response
}
