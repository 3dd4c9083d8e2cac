//! The window of a plugin: every parameter, the meters, settings A to D.
//!
//! Plain but complete; it draws a [`Reading`](crate::meter::Reading) and never computes loudness. Every value can be
//! set by mouse alone (drag, shift-drag, double click for the default), because text fields get no keys in some hosts.

pub mod controls;
pub mod edits;
pub mod facts;
pub mod fader;
pub mod field;
pub mod foot;
pub mod graph;
pub mod head;
pub mod paint;
pub mod picture;
pub mod preset_files;
pub mod preset_menu;
pub mod shown;
pub mod side;
pub mod stem;
pub mod strip;
pub mod terms;
pub mod theme;
mod window;

use crate::chain::Seat;
use crate::chain::parameters::Parameter;
use crate::gauges::Gauges;
use crate::params::control::Control;
use crate::params::document::{SLOTS, Snapshot};
use crate::params::groups::Visitor;
use crate::params::track::Track;
use crate::params::{ChainParams, Output};
use crate::session::role::Role;
use egui::{Color32, Grid, RichText, ScrollArea, Ui};
use nice_plug::context::gui::{GuiContext, ParamSetter};
use nice_plug::editor::ResizeHint;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::prelude::TrackInfo;
use nice_plug_egui::widgets::ParamSlider;
use nice_plug_egui::{
    EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, baseview,
    create_egui_editor,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// A window's size when it is first opened, points.
const SIZE: LogicalSize<f32> = LogicalSize::new(stem::USUAL.x, stem::USUAL.y);
const LEAST_SIZE: LogicalSize<f32> = LogicalSize::new(stem::LEAST.x, stem::LEAST.y);
/// How often the plain list's meters are drawn.
const REFRESH: Duration = Duration::from_millis(50);
/// How often a window looks whether there is something new: what moves, moves thirty times a second.
const POLL: Duration = Duration::from_millis(33);

/// What a host embeds.
pub type Editor<O> = EguiEditor<View<O>>;

/// The editor of a plugin. Nothing is opened yet.
pub fn editor<O: Output>(
    name: &str,
    params: Arc<ChainParams<O>>,
    gauges: Arc<Gauges>,
    track: Arc<Track>,
) -> Option<Editor<O>> {
    let settings = EguiNiceSettings::new()
        .with_tile(name)
        .with_repaint_poll_interval(POLL)
        .with_resize_hint(ResizeHint::resizable().with_min_logical_size(LEAST_SIZE));
    let notifier = RepaintNotifier::new();
    let waker = notifier.clone();
    // an atomic flag that the window looks at
    gauges.scope().on_sound(move || waker.request_repaint());
    let window = window::Window::default();
    let view = View { name: name.into(), params, gauges, track, context: None, failed: false, window };
    create_egui_editor(EguiEditorState::from_size(SIZE, 1.0), notifier, settings, view)
}

/// Draws the window.
pub struct View<O: Output> {
    name: String,
    params: Arc<ChainParams<O>>,
    gauges: Arc<Gauges>,
    track: Arc<Track>,
    /// Only while a window is open.
    context: Option<GuiContext>,
    /// Drawing has panicked; the window stays empty, the host lives.
    failed: bool,
    window: window::Window,
}

impl<O: Output> NiceEguiApp for View<O> {
    fn build(
        &mut self,
        ctx: egui::Context,
        context: GuiContext,
        _: &mut Frame,
    ) -> Result<(), baseview::HandlerError> {
        self.context = Some(context);
        self.failed = false;
        self.window.open::<O>(&ctx, &self.gauges);
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        let Some(context) = self.context.clone().filter(|_| !self.failed) else { return };
        let drawn = catch_unwind(AssertUnwindSafe(|| self.draw(ui, &context.param_setter())));
        self.failed = drawn.is_err();
    }

    fn editor_closed(&mut self) {
        self.context = None;
        self.window.close();
    }

    fn track_info_changed(&mut self, info: TrackInfo) {
        let colour = info.color().map(|colour| {
            let (red, green, blue, _) = colour.rgba();
            [red, green, blue]
        });
        self.track.tell(info.name(), colour);
    }
}

impl<O: Output> View<O> {
    fn draw(&mut self, ui: &mut Ui, setter: &ParamSetter<'_>) {
        if self.window.plain {
            self.window.plain = !ui.button("Back").clicked();
            ui.ctx().request_repaint_after(REFRESH);
            self.list(ui, setter);
        } else {
            self.window.show(ui, &self.params, &self.gauges, &self.track, setter);
        }
    }

    /// The plain list of all parameters.
    fn list(&self, ui: &mut Ui, setter: &ParamSetter<'_>) {
        egui::Frame::central_panel(ui.style()).show(ui, |ui| {
            self.head(ui, setter);
            if let Some(notice) = self.params.store.notice() {
                ui.colored_label(ui.visuals().warn_fg_color, format!("State not loaded: {notice}"));
            }
            self.meters(ui);
            ui.separator();
            ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
                Grid::new("parameters").num_columns(2).striped(true).show(ui, |ui| {
                    row(ui, "Latency", &self.params.latency_class, setter);
                    self.params.each(&mut Rows { rows: self.params.rows().iter(), group: "", ui, setter });
                });
            });
        });
    }

    fn head(&self, ui: &mut Ui, setter: &ParamSetter<'_>) {
        ui.horizontal(|ui| {
            ui.label(RichText::new(&self.name).strong());
            if let Some([red, green, blue]) = self.track.colour() {
                ui.colored_label(Color32::from_rgb(red, green, blue), "\u{25a0}");
            }
            let name = self.track.name();
            ui.label(if name.is_empty() { "unnamed track" } else { &name });
            if O::SEAT == Seat::Stem {
                self.role(ui);
            }
            let slot = self.params.store.document().slot;
            for (index, letter) in ["A", "B", "C", "D"].into_iter().enumerate().take(SLOTS) {
                if ui.selectable_label(index == slot, letter).clicked() && index != slot {
                    let chosen = self.params.store.switch_to(index, self.params.snapshot());
                    self.params.each(&mut Recall {
                        rows: self.params.rows().iter(),
                        snapshot: &chosen,
                        setter,
                    });
                }
            }
        });
    }

    fn role(&self, ui: &mut Ui) {
        let chosen = self.params.store.role();
        let guessed = format!("{}?", self.track.role().id());
        let shown = chosen.map_or(guessed.as_str(), |role| role.id());
        egui::ComboBox::from_id_salt("role").selected_text(shown).show_ui(ui, |ui| {
            let mut role = chosen;
            ui.selectable_value(&mut role, None, &guessed);
            for one in Role::ALL {
                ui.selectable_value(&mut role, Some(one), one.id());
            }
            if role != chosen {
                self.params.store.choose_role(role);
            }
        });
    }

    fn meters(&self, ui: &mut Ui) {
        let (reading, health) = (self.gauges.reading(), self.gauges.health());
        ui.horizontal_wrapped(|ui| {
            let mut show = |name: &str, value: Option<f64>, unit: &str| {
                let value = value.map_or("\u{2013}".into(), |value| format!("{value:.1}"));
                ui.label(format!("{name} {value} {unit}"));
            };
            show("M", reading.momentary.map(|x| x.0), "LUFS");
            show("S", reading.short_term.map(|x| x.0), "LUFS");
            show("I", reading.integrated.map(|x| x.0), "LUFS");
            show("LRA", reading.range.map(|x| x.0), "LU");
            show("TP", reading.true_peak.map(|x| x.0), "dBTP");
            show("Compressor", Some(health.compressor_reduction.0), "dB");
            show("Limiter", Some(health.limiter_reduction.0), "dB");
            if ui.button("Restart").clicked() {
                self.gauges.restart();
            }
            ui.label(format!("Latency {} samples", self.gauges.latency()));
            let warn = ui.visuals().warn_fg_color;
            if health.sanitized > 0 {
                ui.colored_label(warn, format!("{} samples came in broken", health.sanitized));
            }
            if health.faults > 0 {
                ui.colored_label(warn, format!("muted {} times", health.faults));
            }
            if self.gauges.panics() > 0 {
                ui.colored_label(warn, "stopped after an error: the input passes; restart the engine");
            }
        });
    }
}

fn row(ui: &mut Ui, name: &str, control: &impl nice_plug::prelude::Param, setter: &ParamSetter<'_>) {
    ui.label(name);
    ui.add(ParamSlider::for_param(control, setter).with_width(200.0));
    ui.end_row();
}

/// Draws a slider for each parameter, under its group.
struct Rows<'a, 'b> {
    rows: core::slice::Iter<'a, &'static Parameter>,
    group: &'static str,
    ui: &'a mut Ui,
    setter: &'a ParamSetter<'b>,
}

impl Visitor for Rows<'_, '_> {
    fn visit<C: Control>(&mut self, control: &C) {
        let Some(parameter) = self.rows.next() else { return };
        if parameter.group != self.group {
            self.group = &parameter.group;
            self.ui.label(RichText::new(self.group).strong());
            self.ui.end_row();
        }
        row(self.ui, &parameter.name, control, self.setter);
    }
}

/// Sets every parameter to a snapshot's value, as a person would.
struct Recall<'a, 'b> {
    rows: core::slice::Iter<'a, &'static Parameter>,
    snapshot: &'a Snapshot,
    setter: &'a ParamSetter<'b>,
}

impl Visitor for Recall<'_, '_> {
    fn visit<C: Control>(&mut self, control: &C) {
        let Some(parameter) = self.rows.next() else { return };
        let plain = C::plain(parameter, self.snapshot.value(parameter));
        if plain != control.unmodulated_plain_value() {
            self.setter.begin_set_parameter(control);
            self.setter.set_parameter(control, plain);
            self.setter.end_set_parameter(control);
        }
    }
}
