//! AuditionEffect something else than the output: the menu of ways, and the sign that one is on.

use super::controls::icon;
use super::edits::Edit;
use super::facts::{ViewCx, ViewModel};
use super::format::{signed, whole};
use super::graph::Band;
use super::paint::{self, pen, shortened};
use super::theme;
use super::tooltips;
use chain::monitor::MonitorMode;
use chain::{ChainKind, LatencyClass};
use egui::{Align2, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, vec2};
use session::audition::AuditionEffect;

/// A way of listening in words.
pub fn words(listen: MonitorMode) -> String {
    match listen {
        MonitorMode::Off => "the output".into(),
        MonitorMode::Delta => "what changes".into(),
        MonitorMode::Bypass(gain) => format!("the input, {} dB", signed(gain.0, 1)),
        MonitorMode::Gain(gain) => format!("as played, {} dB", signed(gain.0, 1)),
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

/// A way of listening, its words in the menu, and whether it can be had now.
type Way = (MonitorMode, String, bool);

/// The ways there are, each with its words in the menu and whether it can be had now.
fn ways(facts: &ViewModel, desk: &ViewCx<'_>) -> Vec<Way> {
    let gain = facts.match_gain.unwrap_or_default();
    let matched = match facts.match_gain {
        Some(gain) => format!("Input, equally loud ({} dB)", signed(gain.0, 1)),
        None => "Input, equally loud".into(),
    };
    let mut all = vec![
        (MonitorMode::Bypass(gain), matched, facts.match_gain.is_some()),
        (MonitorMode::Delta, "What the chain changes".into(), true),
        (MonitorMode::Mono, "Mono".into(), true),
        (MonitorMode::Side, "Side".into(), true),
        (MonitorMode::Left, "Left on both".into(), true),
        (MonitorMode::Right, "Right on both".into(), true),
    ];
    for band in Band::all(facts.chain_kind).iter().filter(|band| desk.is_on(band.on)) {
        let frequency = whole(band.frequency, desk.value(band.frequency));
        all.push((MonitorMode::Band(band.index), format!("Band {}: {frequency}", band.index + 1), true));
        if band.is_dynamic(desk) {
            all.push((MonitorMode::Key(band.index), format!("What moves band {}", band.index + 1), true));
        }
    }
    let denoises =
        facts.class == LatencyClass::LinearDenoise && desk.row("dn_on").is_some_and(|row| desk.is_on(row));
    all.push((MonitorMode::Removed, "Removed noise".into(), denoises));
    all
}

/// The same way, whatever its gain.
fn same(a: MonitorMode, b: MonitorMode) -> bool {
    core::mem::discriminant(&a) == core::mem::discriminant(&b)
        && match (a, b) {
            (MonitorMode::Band(a), MonitorMode::Band(b)) | (MonitorMode::Key(a), MonitorMode::Key(b)) => {
                a == b
            }
            _ => true,
        }
}

/// A column of the menu.
fn entries(ui: &mut Ui, desk: &mut ViewCx<'_>, ways: Vec<Way>) {
    for (listen, words, can) in ways {
        let chosen = same(listen, desk.facts.listen);
        let entry = ui.add_enabled(can, egui::Button::selectable(chosen, words));
        let entry = entry.on_hover_text(tooltips::listening(listen));
        if entry.on_disabled_hover_text(tooltips::listening(listen)).clicked() {
            desk.edits.want(Edit::MonitorMode(if chosen { MonitorMode::Off } else { listen }));
            ui.close();
        }
    }
}

/// The button that opens the menu, around `centre`; returns where it begins.
pub fn button(ui: &mut Ui, desk: &mut ViewCx<'_>, centre: Pos2) -> f32 {
    let (look, facts) = (desk.look, desk.facts);
    let response = icon(ui, &look, centre, "Listen", true, |painter, c, ink| {
        let ink = if facts.listen == MonitorMode::Off { ink } else { look.reduction };
        // headphones
        let stroke = Stroke::new(1.5, ink);
        let arc: Vec<Pos2> = (0..=16)
            .map(|i| {
                let angle = core::f32::consts::PI * (1.0 + i as f32 / 16.0);
                c + vec2(6.5 * angle.cos(), 6.5 * angle.sin() + 1.0)
            })
            .collect();
        painter.add(egui::Shape::line(arc, stroke));
        for side in [-1.0, 1.0] {
            let cup = Rect::from_center_size(c + vec2(side * 5.5, 3.5), vec2(3.5, 6.0));
            painter.rect_filled(cup, 1.5, ink);
        }
    });
    egui::Popup::menu(&response).show(|ui| {
        ui.label(egui::RichText::new("Listen to").size(theme::SMALL).color(look.secondary));
        let off = (MonitorMode::Off, "Output".to_owned(), true);
        let of_bands = |way: &Way| matches!(way.0, MonitorMode::Band(_) | MonitorMode::Key(_));
        let (bands, others): (Vec<Way>, Vec<Way>) = ways(facts, desk).into_iter().partition(of_bands);
        let others = std::iter::once(off).chain(others).collect();
        // eight bands that move are too many for one column of a small window
        ui.horizontal_top(|ui| {
            for column in [others, bands] {
                ui.vertical(|ui| entries(ui, desk, column));
            }
        });
    });
    centre.x - 12.0
}

/// What is heard instead of the output, to be seen by everybody: in `place`; a click ends it.
pub fn sign(ui: &Ui, desk: &mut ViewCx<'_>, place: Rect) {
    let ink = pen(theme::strong(theme::SMALL), desk.look.background);
    let references = &desk.facts.master.references;
    let song = references.heard.and_then(|index| references.kept.get(index));
    let whole = match (desk.facts.asked, song) {
        (Some(AuditionEffect::Muted), _) => "Muted by the Master".to_owned(),
        (Some(AuditionEffect::Bypassed), _) => "Bypassed by the Master".to_owned(),
        (None, Some(song)) => format!("AuditionEffect {}", song.name()),
        (None, None) => format!("AuditionEffect {}", words(desk.facts.listen)),
    };
    let shown = shortened(ui, &whole, &ink, place.width() - 20.0);
    let response = banner(ui, desk, place, (&shown, &whole));
    if response.clicked() {
        desk.edits.want(Edit::MonitorMode(MonitorMode::Off));
    }
    let chain_kind = if desk.facts.chain_kind == ChainKind::Stem { "Stem" } else { "Master" };
    response.on_hover_text(match desk.facts.asked {
        Some(AuditionEffect::Muted) => format!("Somebody at the Master hears the mix without it. {ENDS}"),
        Some(AuditionEffect::Bypassed) => format!("Somebody at the Master hears it as it enters its chain. {ENDS}"),
        None => format!(
            "This {chain_kind} is heard otherwise than it will be printed: {} Never saved, never in a render; ends with this window, or by a click here.",
            tooltips::listening(desk.facts.listen)
        ),
    });
}

const ENDS: &str = "Never saved, never in a render; ends with the Master's window, or by a click here.";

/// A sign on the right of `place`: what of its words is shown, and all of them.
pub(super) fn banner(ui: &Ui, desk: &ViewCx<'_>, place: Rect, (shown, whole): (&str, &str)) -> Response {
    let look = &desk.look;
    let ink = pen(theme::strong(theme::SMALL), look.background);
    let width = paint::width(ui, shown, &ink) + 20.0;
    let at = Rect::from_min_max(egui::pos2(place.max.x - width, place.min.y), place.max);
    let response = ui.interact(at, ui.scope_id().with("hearing"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, whole));
    ui.painter().rect_filled(at, at.height() / 2.0, look.reduction);
    paint::text(ui, at.shrink2(vec2(4.0, 0.0)), Align2::CENTER_CENTER, shown, &ink);
    if response.has_focus() {
        paint::focus_ring(ui, at, look);
    }
    response
}
