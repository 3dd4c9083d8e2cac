//! The presets' menu: those that come with the plugin, the user's own, and a line to keep the present sound under.

use super::edits::Edit;
use super::facts::ViewCx;
use super::files::presets::tidy_name;
use super::paint::{self, pen, shortened};
use super::theme::{self, PAD};
use egui::{Align2, CornerRadius, Rect, Role, Sense, TextEdit, Ui, WidgetInfo, pos2, vec2};
use plugin_core::document::SLOT_COUNT;
use plugin_core::presets::{self, Preset, Values};

/// What was loaded in each slot, and what is being typed.
#[derive(Debug, Default)]
pub struct PresetMenu {
    loaded: [Option<Preset>; SLOT_COUNT],
    typed: String,
}

impl PresetMenu {
    /// Draws it in `place`.
    pub fn show(&mut self, ui: &mut Ui, desk: &mut ViewCx<'_>, place: Rect) {
        let look = desk.look;
        let response = ui.interact(place, ui.scope_id().with("presets"), Sense::click());
        let words = self.words(desk);
        response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Presets"));
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(words.as_str()));
        let fill = if response.hovered() { look.line } else { look.raised };
        ui.painter().rect_filled(place, CornerRadius::same((place.height() / 2.0) as u8), fill);
        let ink = pen(theme::font(theme::BODY), look.text);
        let inside = Rect::from_min_max(place.min + vec2(PAD, 0.0), place.max - vec2(24.0, 0.0));
        paint::text(ui, inside, Align2::LEFT_CENTER, &shortened(ui, &words, &ink, inside.width()), &ink);
        paint::chevron(ui, pos2(place.max.x - 14.0, place.center().y + 1.0), look.dim);
        if response.has_focus() {
            paint::focus_ring(ui, place, &look);
        }
        egui::Popup::menu(&response)
            .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| self.menu(ui, desk));
        response.on_hover_text("Starting points. They leave input, level, name and role alone.");
    }

    fn words(&self, desk: &ViewCx<'_>) -> String {
        let is = |values: &Values| values.iter().all(|(row, value)| desk.facts.value(row) == *value);
        match &self.loaded[desk.facts.slot] {
            Some(preset) if is(&preset.values) => preset.name.clone(),
            Some(preset) => format!("{}, edited", preset.name),
            None if presets::rows(desk.facts.chain_kind).all(|row| desk.facts.value(row) == row.default) => {
                "Neutral".into()
            }
            None => "No preset".into(),
        }
    }

    fn menu(&mut self, ui: &mut Ui, desk: &mut ViewCx<'_>) {
        let facts = desk.facts;
        let caption = |ui: &mut Ui, words: &str| {
            ui.label(egui::RichText::new(words).size(theme::SMALL).color(desk.look.secondary));
        };
        ui.set_min_width(240.0);
        let mut chosen = None;
        egui::ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
            caption(ui, "From the house");
            for preset in presets::factory(facts.chain_kind, facts.role) {
                if ui.button(preset.name.as_str()).clicked() {
                    chosen = Some(preset);
                }
            }
            if !facts.presets.is_empty() {
                ui.separator();
                caption(ui, "Your own; right click: remove");
            }
            for preset in &facts.presets {
                let button = ui.button(preset.name.as_str());
                if button.clicked() {
                    chosen = Some(preset.clone());
                }
                button.context_menu(|ui| {
                    if ui.button(format!("Remove {}", preset.name)).clicked() {
                        desk.edits.want(Edit::RemovePreset(preset.name.clone()));
                        ui.close();
                    }
                });
            }
        });
        ui.separator();
        caption(ui, "Keep the present sound as");
        ui.horizontal(|ui| {
            let field = ui.add(TextEdit::singleline(&mut self.typed).hint_text("name").desired_width(150.0));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Name of the preset"));
            let name = tidy_name(&self.typed);
            let there = facts.presets.iter().any(|preset| Some(&preset.name) == name.as_ref());
            let save =
                ui.add_enabled(name.is_some(), egui::Button::new(if there { "Replace" } else { "Save" }));
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if (save.clicked() || entered)
                && let Some(name) = name
            {
                let values = presets::rows(facts.chain_kind).map(|row| (row, facts.value(row))).collect();
                let preset = Preset { name, values };
                self.loaded[facts.slot] = Some(preset.clone());
                desk.edits.want(Edit::SavePreset(preset));
                self.typed.clear();
                ui.close();
            }
        });
        if let Some(preset) = chosen {
            load(desk, &preset);
            self.loaded[facts.slot] = Some(preset);
            ui.close();
        }
    }
}

/// Sets what a preset sets, as one step.
fn load(desk: &mut ViewCx<'_>, preset: &Preset) {
    let facts = desk.facts;
    desk.edits.together(|edits| {
        for &(row, value) in &preset.values {
            if facts.value(row) != value {
                edits.put(row, facts.value(row), value);
            }
        }
    });
}
