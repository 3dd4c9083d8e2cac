//! The plain list of everything: groups, parameters, meters, health. Complete whatever the table holds; it draws a
//! [`Reading`](meter::Reading) and never computes loudness.

use super::{Recall, View, hand};
use chain::ChainKind;
use chain::parameters::{Parameter, Value};
use egui::{Align, Color32, Grid, Layout, RichText, ScrollArea, Sense, Ui, vec2};
use nice_plug::context::gui::ParamSetter;
use plugin_core::Output;
use plugin_core::control::Control;
use plugin_core::document::SLOTS;
use plugin_core::groups::Visitor;
use session::role::Role;

/// Widths of the list of groups, of a parameter's name and of a meter, points.
const GROUPS: f32 = 108.0;
const NAMES: f32 = 96.0;
const METER: f32 = 62.0;

impl<O: Output> View<O> {
    /// Draws it.
    pub(super) fn list(&mut self, ui: &mut Ui, setter: &ParamSetter<'_>) {
        egui::Frame::central_panel(ui.style()).show(ui, |ui| {
            self.head(ui, setter);
            ui.separator();
            self.meters(ui);
            ui.separator();
            self.health(ui);
            ui.separator();
            let height = ui.available_height();
            ui.horizontal_top(|ui| {
                ui.allocate_ui(vec2(GROUPS, height), |ui| self.groups(ui));
                ui.separator();
                ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| self.group(ui, setter));
            });
        });
    }

    fn head(&mut self, ui: &mut Ui, setter: &ParamSetter<'_>) {
        ui.horizontal(|ui| {
            if ui.button("Back").on_hover_text("From the list of everything to the view").clicked() {
                self.window.plain = false;
            }
            ui.label(RichText::new(&self.name).strong().size(16.0));
            ui.add_space(8.0);
            if let Some([red, green, blue]) = self.track.colour() {
                let (dot, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
                ui.painter().rect_filled(dot, 2.0, Color32::from_rgb(red, green, blue));
            }
            let name = self.track.name();
            ui.label(if name.is_empty() { "unnamed track" } else { &name });
            if O::CHAIN_KIND == ChainKind::Stem {
                self.role(ui);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let slot = self.params.store.document().slot;
                for (index, letter) in ["A", "B", "C", "D"].into_iter().enumerate().take(SLOTS).rev() {
                    let chosen = ui.selectable_label(index == slot, letter).clicked() && index != slot;
                    if chosen {
                        let snapshot = self.params.store.switch_to(index, self.params.snapshot());
                        let rows = self.params.rows().iter();
                        self.params.each(&mut Recall { rows, snapshot: &snapshot, setter });
                    }
                }
                ui.label("Settings").on_hover_text("Four sets of settings; a new one starts as a copy");
            });
        });
    }

    fn role(&self, ui: &mut Ui) {
        let chosen = self.params.store.role();
        let guessed = format!("{}?", self.track.role().id());
        let shown = chosen.map_or(guessed.as_str(), |role| role.id());
        let list = egui::ComboBox::from_id_salt("role").selected_text(shown).show_ui(ui, |ui| {
            let mut role = chosen;
            ui.selectable_value(&mut role, None, &guessed);
            for one in Role::ALL {
                ui.selectable_value(&mut role, Some(one), one.id());
            }
            if role != chosen {
                self.params.store.choose_role(role);
            }
        });
        list.response.on_hover_text("What the stem is; with a question mark, guessed from the track's name");
    }

    fn meters(&self, ui: &mut Ui) {
        let (reading, health) = (self.gauges.reading(), self.gauges.health());
        ui.horizontal(|ui| {
            let mut show = |name: &str, value: Option<f64>, unit: &str, what: &str| {
                let value = value.map_or("\u{2013}".into(), |value| format!("{value:.1}"));
                ui.allocate_ui(vec2(METER, 44.0), |ui| {
                    ui.vertical_centered(|ui| {
                        ui.label(RichText::new(name).small().weak());
                        ui.label(RichText::new(value).size(17.0));
                        ui.label(RichText::new(unit).small().weak());
                    });
                })
                .response
                .on_hover_text(what);
            };
            show("M", reading.momentary.map(|x| x.0), "LUFS", "Momentary loudness, 400 ms");
            show("S", reading.short_term.map(|x| x.0), "LUFS", "Short-term loudness, 3 s");
            show("I", reading.integrated.map(|x| x.0), "LUFS", "Integrated loudness");
            show("LRA", reading.range.map(|x| x.0), "LU", "Loudness range");
            show("TP", reading.true_peak.map(|x| x.0), "dBTP", "Highest true peak");
            show("PLR", reading.plr().map(|x| x.0), "LU", "True peak less integrated loudness");
            show("Comp", Some(health.compressor_reduction.0), "dB", "What the compressor takes away");
            show("Limit", Some(health.limiter_reduction.0), "dB", "What the limiter takes away");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button("Restart").on_hover_text("Start I, LRA and the peaks anew").clicked() {
                    self.gauges.restart();
                }
            });
        });
    }

    fn health(&self, ui: &mut Ui) {
        let health = self.gauges.health();
        ui.horizontal_wrapped(|ui| {
            let warn = ui.visuals().warn_fg_color;
            ui.label(format!("Latency {} samples", self.gauges.latency()));
            let mut count = |count: u64, what: &str, cure: &str| {
                let text = RichText::new(format!("{what} {count}"));
                let text = if count > 0 { text.color(warn) } else { text.weak() };
                ui.label(text).on_hover_text(cure);
            };
            count(health.sanitized, "Broken samples in", "Not a number or infinite; each became silence");
            count(health.faults, "Muted", "The chain made something infinite; it was muted and started anew");
            count(
                self.gauges.panics(),
                "Errors",
                "After an error the input passes until the host restarts audio",
            );
            if let Some(notice) = self.params.store.notice() {
                ui.colored_label(warn, format!("State not loaded: {notice}"));
            }
        });
    }

    /// The groups to choose from; a dot stands before those that are on.
    fn groups(&mut self, ui: &mut Ui) {
        let mut groups = Groups { rows: self.params.rows().iter(), found: Vec::new() };
        self.params.each(&mut groups);
        if self.group.is_empty() {
            self.group = groups.found.first().map_or("", |(group, _)| group);
        }
        ui.vertical(|ui| {
            for (group, on) in groups.found {
                let dot = if on { "\u{2022}" } else { "  " };
                let label = egui::Button::selectable(self.group == group, format!("{dot} {group}"));
                if ui.add(label.min_size(vec2(GROUPS, 0.0))).clicked() {
                    self.group = group;
                }
            }
        });
    }

    /// The parameters of the chosen group.
    fn group(&self, ui: &mut Ui, setter: &ParamSetter<'_>) {
        Grid::new(self.group).num_columns(3).min_col_width(NAMES).spacing(vec2(12.0, 6.0)).show(ui, |ui| {
            let rows = self.params.rows().iter();
            self.params.each(&mut Rows { rows, group: self.group, ui: &mut *ui, setter });
            if self.params.rows().first().is_some_and(|row| row.group == self.group) {
                ui.label("Latency").on_hover_text("Takes effect when the host restarts the plugin");
                hand::choice_field(ui, "latency_class", &self.params.latency_class, setter);
                ui.end_row();
            }
        });
    }
}

/// Collects the groups, and whether they are on.
struct Groups<'a> {
    rows: core::slice::Iter<'a, &'static Parameter>,
    found: Vec<(&'static str, bool)>,
}

impl Visitor for Groups<'_> {
    fn visit<C: Control>(&mut self, control: &C) {
        let Some(parameter) = self.rows.next() else { return };
        if self.found.last().is_none_or(|(group, _)| *group != parameter.group) {
            self.found.push((&parameter.group, false));
        }
        if let (Value::Switch(true), Some((_, on)), "On") =
            (control.value(parameter), self.found.last_mut(), parameter.name.as_str())
        {
            *on = true;
        }
    }
}

/// Draws the parameters of a group.
struct Rows<'a, 'b> {
    rows: core::slice::Iter<'a, &'static Parameter>,
    group: &'static str,
    ui: &'a mut Ui,
    setter: &'a ParamSetter<'b>,
}

impl Visitor for Rows<'_, '_> {
    fn visit<C: Control>(&mut self, control: &C) {
        let Some(parameter) = self.rows.next().filter(|row| row.group == self.group) else { return };
        self.ui.label(&parameter.name);
        hand::field(self.ui, parameter, control, self.setter);
        self.ui.end_row();
    }
}
