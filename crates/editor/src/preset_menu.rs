//! Menu of presets: factory presets, user presets, and a line to save the current settings.

use super::controls::{context_menu, follow_keyboard, icon};
use super::edits::Edit;
use super::files::presets::tidy_name;
use super::paint::{self, pen, shortened};
use super::theme::{self, PAD};
use super::view_model::ViewCx;
use egui::{Align2, CornerRadius, Rect, Role, Sense, Stroke, TextEdit, Ui, WidgetInfo, pos2, vec2};
use plugin_core::document::SLOT_COUNT;
use plugin_core::presets::{self, Preset, Values};

/// State of the menu: preset loaded in each slot, and the name being typed.
#[derive(Debug, Default)]
pub struct PresetMenu {
    loaded: [Option<Preset>; SLOT_COUNT],
    typed: String,
}

/// Width of the two buttons beside the menu, points.
const STEPS_WIDTH: f32 = 50.0;

impl PresetMenu {
    /// Draws the menu's button in `place`, and those of the previous and the next preset.
    pub fn draw_menu(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>, place: Rect) {
        let palette = cx.palette;
        let steps = Rect::from_min_max(pos2(place.max.x - STEPS_WIDTH, place.min.y), place.max);
        let place = Rect::from_min_max(place.min, pos2(steps.min.x, place.max.y));
        for (index, name, step) in [(0, "Previous preset", -1), (1, "Next preset", 1)] {
            let centre = pos2(steps.min.x + 13.0 + 24.0 * index as f32, steps.center().y);
            let response = icon(ui, &palette, centre, name, true, |painter, c, ink| {
                let side = step as f32;
                let ends = [vec2(-side * 2.0, -4.5), vec2(side * 2.5, 0.0), vec2(-side * 2.0, 4.5)];
                painter.line(ends.map(|end| c + end).to_vec(), Stroke::new(1.75, ink));
            });
            if response.clicked() {
                self.step(cx, step);
            }
        }
        let response = ui.interact(place, ui.scope_id().with("presets"), Sense::click());
        let words = self.words(cx);
        response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Presets"));
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(words.as_str()));
        let fill = if response.hovered() { palette.line } else { palette.raised };
        ui.painter().rect_filled(place, CornerRadius::same((place.height() / 2.0) as u8), fill);
        let ink = pen(theme::font(theme::BODY), palette.text);
        let inside = Rect::from_min_max(place.min + vec2(PAD, 0.0), place.max - vec2(24.0, 0.0));
        paint::text(ui, inside, Align2::LEFT_CENTER, &shortened(ui, &words, &ink, inside.width()), &ink);
        paint::chevron(ui, pos2(place.max.x - 14.0, place.center().y + 1.0), palette.dim);
        if response.has_focus() {
            paint::focus_ring(ui, place, &palette);
        }
        egui::Popup::menu(&response)
            .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| self.menu(ui, cx));
        response.on_hover_text("Starting points. They leave input, level, name and role alone.");
    }

    /// Loads the preset `step` places after the one that was loaded last: factory presets, then the user's, around and around.
    fn step(&mut self, cx: &mut ViewCx<'_>, step: isize) {
        let model = cx.model;
        let mut all = presets::factory(model.chain_kind, model.role);
        all.extend(model.presets.iter().cloned());
        let loaded = self.loaded[model.slot].as_ref();
        let now = loaded.and_then(|loaded| all.iter().position(|preset| preset.name == loaded.name));
        let count = all.len() as isize;
        let next = match now {
            Some(now) => (now as isize + step).rem_euclid(count.max(1)),
            None if step > 0 => 0,
            None => count - 1,
        };
        if let Some(preset) = usize::try_from(next).ok().and_then(|next| all.get(next)) {
            load(cx, preset);
            self.loaded[model.slot] = Some(preset.clone());
        }
    }

    fn words(&self, cx: &ViewCx<'_>) -> String {
        let is = |values: &Values| values.iter().all(|(row, value)| cx.model.value(row) == *value);
        match &self.loaded[cx.model.slot] {
            Some(preset) if is(&preset.values) => preset.name.clone(),
            Some(preset) => format!("{}, edited", preset.name),
            None if presets::rows(cx.model.chain_kind).all(|row| cx.model.value(row) == row.default) => {
                "Neutral".into()
            }
            None => "No preset".into(),
        }
    }

    fn menu(&mut self, ui: &mut Ui, cx: &mut ViewCx<'_>) {
        let model = cx.model;
        let caption = |ui: &mut Ui, words: &str| {
            ui.label(egui::RichText::new(words).size(theme::SMALL).color(cx.palette.secondary));
        };
        ui.set_min_width(240.0);
        let mut chosen = None;
        egui::ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
            caption(ui, "Factory presets");
            for preset in presets::factory(model.chain_kind, model.role) {
                if ui.button(preset.name.as_str()).clicked() {
                    chosen = Some(preset);
                }
            }
            if !model.presets.is_empty() {
                ui.separator();
                caption(ui, "User presets (right click or M: remove)");
            }
            for preset in &model.presets {
                let button = ui.button(preset.name.as_str());
                if button.clicked() {
                    chosen = Some(preset.clone());
                }
                context_menu(&button, |ui| {
                    if ui.button(format!("Remove {}", preset.name)).clicked() {
                        cx.edits.request(Edit::RemovePreset(preset.name.clone()));
                        ui.close();
                    }
                });
            }
            follow_keyboard(ui);
        });
        ui.separator();
        caption(ui, "Save current settings as");
        ui.horizontal(|ui| {
            let field = ui.add(TextEdit::singleline(&mut self.typed).hint_text("name").desired_width(150.0));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Name of the preset"));
            let name = tidy_name(&self.typed);
            let there = model.presets.iter().any(|preset| Some(&preset.name) == name.as_ref());
            let save =
                ui.add_enabled(name.is_some(), egui::Button::new(if there { "Replace" } else { "Save" }));
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if (save.clicked() || entered)
                && let Some(name) = name
            {
                let values = presets::rows(model.chain_kind).map(|row| (row, model.value(row))).collect();
                let preset = Preset { name, values };
                self.loaded[model.slot] = Some(preset.clone());
                cx.edits.request(Edit::SavePreset(preset));
                self.typed.clear();
                ui.close();
            }
        });
        if let Some(preset) = chosen {
            load(cx, &preset);
            self.loaded[model.slot] = Some(preset);
            ui.close();
        }
    }
}

/// Loads a preset, as one step.
fn load(cx: &mut ViewCx<'_>, preset: &Preset) {
    let model = cx.model;
    cx.edits.together(|edits| {
        for &(row, value) in &preset.values {
            if model.value(row) != value {
                edits.put(row, model.value(row), value);
            }
        }
    });
}
