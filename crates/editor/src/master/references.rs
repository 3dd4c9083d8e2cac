//! Tab of references: their figures, the one that plays, and the file chooser.

use crate::controls::{Weight, follow_keyboard, pill, pill_width};
use crate::edits::Edit;
use crate::format::{number, signed, time};
use crate::paint::{self, pen, shortened};
use crate::theme::{self, PAD};
use crate::tooltips;
use crate::view_model::ViewCx;
use chain::monitor::MonitorMode;
use egui::{Align2, CornerRadius, Rect, Role, TextEdit, Ui, WidgetInfo, pos2, vec2};
use plugin_core::references::{
    FolderListing, MAX_REFERENCES, Reference, ReferenceList, ReferenceReadings, ReferenceState, file_name,
};
use std::path::Path;

/// Smallest height of a row, points.
const MIN_ROW_HEIGHT: f32 = 36.0;
const MAX_ROW_HEIGHT: f32 = 52.0;
/// Height of a button, points.
const BUTTON_HEIGHT: f32 = 24.0;
/// Largest height of the file list, points; a longer list scrolls.
const MAX_LIST_HEIGHT: f32 = 240.0;

const LOUDEST_LABEL: &str = "Loudest 20 s";
const TRANSPORT_LABEL: &str = "With the transport";
const ADD_LABEL: &str = "Add a song\u{2026}";
const PLAY_LABEL: &str = "Play";
const REMOVE_LABEL: &str = "Remove";
const SWITCH_LABEL: &str = "Reference";

/// ReferenceState of the tab.
#[derive(Debug, Default)]
pub(super) struct ReferencesTab {
    /// Path being typed.
    typed: String,
}

/// Draws the button that switches between mix and reference, left of `right`; returns its left end.
pub(super) fn switch(ui: &mut Ui, cx: &mut ViewCx<'_>, right: egui::Pos2) -> f32 {
    let references = &cx.model.master.references;
    let hears = matches!(cx.model.listen, MonitorMode::Reference { .. }) || references.awaited.is_some();
    let next = references.next_playable();
    if !hears && next.is_none() {
        return right.x;
    }
    let at = Rect::from_min_max(
        pos2(right.x - pill_width(ui, SWITCH_LABEL), right.y - BUTTON_HEIGHT / 2.0),
        pos2(right.x, right.y + BUTTON_HEIGHT / 2.0),
    );
    let weight = if hears { Weight::Chosen } else { Weight::Quiet };
    let response = pill(ui, &cx.palette, at, SWITCH_LABEL, weight, true);
    let path = next.and_then(|index| references.kept.get(index)).map(|one| one.path.clone());
    let words = path.as_deref().map_or("a reference", file_name);
    let explained =
        format!("Switches between the mix and {words}, equally loud. {}", tooltips::references("match"));
    if response.clicked() {
        cx.edits.request(Edit::PlayReference(path.filter(|_| !hears)));
    }
    response.on_hover_text(explained);
    at.min.x - 8.0
}

impl ReferencesTab {
    /// Draws the tab in `place`.
    pub(super) fn draw_tab(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
        let palette = cx.palette;
        paint::panel(ui, place, &palette);
        let inner = place.shrink(PAD);
        let top = Rect::from_min_size(inner.min, vec2(inner.width(), BUTTON_HEIGHT));
        let small = pen(theme::font(theme::SMALL), palette.secondary);
        let left = self.buttons(ui, cx, top);
        let references = &cx.model.master.references;
        let title = match references.mix {
            Some(mix) => {
                format!("Songs to compare with, as loud as the mix so far: {} LUFS", number(mix.0, 1))
            }
            None => "Songs to compare with, as loud as the mix: play it first".into(),
        };
        let room = Rect::from_min_max(top.min, pos2(left - 8.0, top.max.y));
        let shown = shortened(ui, &title, &small, room.width());
        paint::label(ui, room, Align2::LEFT_CENTER, &shown, &small)
            .on_hover_text(format!("{title}. {}", tooltips::references("match")));
        let list = Rect::from_min_max(pos2(inner.min.x, top.max.y + 8.0), inner.max);
        if references.kept.is_empty() {
            let words = "Add a song that you know well: one click here switches between it and your mix, equally loud.";
            let words = shortened(ui, words, &small, list.width());
            paint::label(ui, list, Align2::CENTER_CENTER, &words, &small);
            return;
        }
        let height = (list.height() / MAX_REFERENCES as f32).clamp(MIN_ROW_HEIGHT, MAX_ROW_HEIGHT).floor();
        for index in 0..references.kept.len().min(MAX_REFERENCES) {
            let y = list.min.y + index as f32 * height;
            row(ui, cx, Rect::from_min_max(pos2(list.min.x, y), pos2(list.max.x, y + height - 4.0)), index);
        }
    }

    /// Draws the play mode buttons and the one that adds a reference; returns their left end.
    fn buttons(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>, top: Rect) -> f32 {
        let palette = cx.palette;
        let references = &cx.model.master.references;
        let mut right = top.max.x;
        let mut button = |ui: &mut Ui, words: &str, weight, enabled| {
            let at =
                Rect::from_min_max(pos2(right - pill_width(ui, words), top.min.y), pos2(right, top.max.y));
            right = at.min.x - 6.0;
            pill(ui, &palette, at, words, weight, enabled)
        };
        let add = button(ui, ADD_LABEL, Weight::Quiet, references.kept.len() < MAX_REFERENCES);
        let weight = |chosen| if chosen { Weight::Chosen } else { Weight::Quiet };
        for (words, along) in [(TRANSPORT_LABEL, true), (LOUDEST_LABEL, false)] {
            let response = button(ui, words, weight(references.along == along), true);
            if response.clicked() {
                cx.edits.request(Edit::FollowTransport(along));
            }
            response.on_hover_text(tooltips::references(words));
        }
        if add.clicked() {
            let beside = references.kept.last().and_then(|one| folder(&one.path));
            let last = references.listing.as_ref().filter(|listing| listing.fault.is_empty());
            let folder = last.map(|listing| listing.folder.as_str()).or(beside);
            cx.edits.request(Edit::ListFolder(folder.map(str::to_owned)));
        }
        egui::Popup::menu(&add)
            .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| self.choose(ui, cx));
        add.on_hover_text(tooltips::references(ADD_LABEL));
        right
    }

    /// Draws the file chooser, with a text line for a path.
    fn choose(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>) {
        let palette = cx.palette;
        ui.set_width(360.0);
        let mut chosen = None;
        if let Some(listing) = &cx.model.master.references.listing {
            let small = |words: &str| egui::RichText::new(words).size(theme::SMALL);
            ui.add(egui::Label::new(small(&listing.folder).color(palette.secondary)).wrap());
            if !listing.fault.is_empty() {
                ui.add(egui::Label::new(small(&listing.fault).color(palette.reduction)).wrap());
            }
            egui::ScrollArea::vertical()
                .max_height(MAX_LIST_HEIGHT)
                .min_scrolled_height(MAX_LIST_HEIGHT)
                .auto_shrink([false, true])
                .show(ui, |ui| {
                    chosen = entries(ui, cx, listing);
                    follow_keyboard(ui);
                });
        }
        ui.separator();
        ui.horizontal(|ui| {
            let field = ui.add(
                TextEdit::singleline(&mut self.typed)
                    .hint_text("or its path")
                    .desired_width(270.0)
                    .align(egui::Align2::LEFT_CENTER),
            );
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Path of a song"));
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let typed = self.typed.trim().trim_matches('"');
            let add = ui.add_enabled(!typed.is_empty(), egui::Button::new("Add"));
            if (add.clicked() || entered) && !typed.is_empty() {
                chosen = Some(typed.to_owned());
                self.typed.clear();
            }
        });
        if let Some(path) = chosen {
            let now: Vec<String> = paths(&cx.model.master.references);
            if !now.contains(&path) && now.len() < MAX_REFERENCES {
                let files = now.iter().cloned().chain([path]).collect();
                cx.edits.put_references(now, files);
            }
            ui.close();
        }
    }
}

/// Draws the entries of a folder; returns the file that was pressed.
fn entries(ui: &mut Ui, cx: &mut ViewCx<'_>, listing: &FolderListing) -> Option<String> {
    let mut go = None;
    let mut chosen = None;
    if let Some(above) = &listing.above
        && ui.button("\u{2191} up").clicked()
    {
        go = Some(above.clone());
    }
    for folder in &listing.folders {
        if ui.button(format!("{}/", file_name(folder))).clicked() {
            go = Some(folder.clone());
        }
    }
    for file in &listing.files {
        if ui.button(file_name(file)).clicked() {
            chosen = Some(file.clone());
        }
    }
    if listing.files.is_empty() && listing.fault.is_empty() {
        let words = "No audio files here";
        ui.label(egui::RichText::new(words).size(theme::SMALL).color(cx.palette.dim));
    }
    if go.is_some() {
        cx.edits.request(Edit::ListFolder(go));
    }
    chosen
}

fn paths(references: &ReferenceList) -> Vec<String> {
    references.kept.iter().map(|one| one.path.clone()).collect()
}

/// Returns the folder of a file.
fn folder(path: &str) -> Option<&str> {
    Path::new(path).parent()?.to_str().filter(|folder| !folder.is_empty())
}

fn row(ui: &mut Ui, cx: &mut ViewCx<'_>, at: Rect, index: usize) {
    let palette = cx.palette;
    let references = &cx.model.master.references;
    let reference = &references.kept[index];
    let (hears, awaited) = (references.heard == Some(index), references.awaited == Some(index));
    ui.painter().rect_filled(at, CornerRadius::same(6), palette.background);
    let inner = at.shrink2(vec2(10.0, 2.0));
    let y = inner.center().y;
    let button = |right: f32, width: f32| {
        Rect::from_min_max(pos2(right - width, y - BUTTON_HEIGHT / 2.0), pos2(right, y + BUTTON_HEIGHT / 2.0))
    };
    let remove = button(inner.max.x, pill_width(ui, REMOVE_LABEL));
    if named(ui, cx, remove, REMOVE_LABEL, reference, Weight::Quiet, true).clicked() {
        let now = paths(references);
        let mut files = now.clone();
        files.remove(index);
        cx.edits.put_references(now, files);
    }
    let can = references.matched_gain(index).is_some();
    let hear = button(remove.min.x - 6.0, pill_width(ui, PLAY_LABEL) + 8.0);
    let weight = if hears || awaited { Weight::Chosen } else { Weight::Quiet };
    let response = named(ui, cx, hear, PLAY_LABEL, reference, weight, can || hears || awaited);
    if response.clicked() {
        cx.edits.request(Edit::PlayReference((!hears && !awaited).then(|| reference.path.clone())));
    }
    response.on_hover_text(tooltips::references(PLAY_LABEL));
    let words = Rect::from_min_max(inner.min, pos2(hear.min.x - 10.0, inner.max.y));
    let (first, second) = words.split_top_bottom_at_fraction(0.5);
    let bold = pen(theme::strong(theme::BODY), palette.text);
    let title = shortened(ui, reference.name(), &bold, first.width());
    paint::label(ui, first, Align2::LEFT_CENTER, &title, &bold).on_hover_text(&reference.path);
    let (said, ink) = match &reference.state {
        ReferenceState::Reading => ("Being measured\u{2026}".to_owned(), palette.secondary),
        ReferenceState::Broken(fault) => (fault.clone(), palette.reduction),
        ReferenceState::Ready(_) if awaited => ("Being read\u{2026}".to_owned(), palette.secondary),
        ReferenceState::Ready(figures) => (figures_of(references, index, figures), palette.secondary),
    };
    let small = pen(theme::font(theme::SMALL), ink);
    let shown = shortened(ui, &said, &small, second.width());
    paint::label(ui, second, Align2::LEFT_CENTER, &shown, &small).on_hover_text(said);
}

/// Draws a button of a row, with the song in its accessible name.
fn named(
    ui: &mut Ui,
    cx: &ViewCx<'_>,
    at: Rect,
    words: &str,
    reference: &Reference,
    weight: Weight,
    enabled: bool,
) -> egui::Response {
    let response = pill(ui, &cx.palette, at, words, weight, enabled);
    let name = format!("{words} {}", reference.name());
    response.widget_info(|| WidgetInfo::selected(Role::Button, enabled, weight == Weight::Chosen, &name));
    response
}

/// Returns a song's figures and its playback gain as text.
fn figures_of(references: &ReferenceList, index: usize, figures: &ReferenceReadings) -> String {
    let loudness = figures.integrated.map_or("silence".into(), |i| format!("{} LUFS", number(i.0, 1)));
    let peak = figures.true_peak.map_or("–".into(), |peak| format!("{} dBTP", number(peak.0, 1)));
    let length = time(figures.length.0 / 1000.0);
    let gain = match references.matched_gain(index) {
        None => String::new(),
        Some(matched) if matched.shortfall.0 < 0.05 => {
            format!("  ·  played {} dB", signed(matched.gain.0, 1))
        }
        Some(matched) => format!(
            "  ·  played {} dB, still {} LU quieter: its true peak allows no more",
            signed(matched.gain.0, 1),
            number(matched.shortfall.0, 1)
        ),
    };
    format!("{loudness}  ·  {peak}  ·  {length}{gain}")
}
