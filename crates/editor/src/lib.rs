//! Window of a plugin: every parameter, the meters, settings A to D.
//!
//! It draws a [`Reading`](meter::Reading) and never computes loudness. Every value can be set by mouse alone
//! ([`field`]), because text fields get no keys in some hosts.

#[cfg(target_os = "linux")]
mod accessibility;
pub mod analyser;
pub mod controls;
pub mod display;
mod dynamics_pane;
pub mod edits;
mod embed;
pub mod fader;
pub mod field;
pub mod files;
pub mod footer;
pub mod format;
pub mod graph;
pub mod header;
mod legend;
pub mod listen;
mod looks;
mod loudness_pane;
pub mod master;
mod master_model;
pub mod meter_panel;
pub mod modules;
mod neighbours;
pub mod noise;
pub mod notices;
pub mod paint;
mod panes;
mod plain;
pub mod preset_menu;
mod references;
pub mod refusals;
pub mod stem;
pub mod theme;
mod time_view;
pub mod tooltips;
mod trims;
pub mod view_model;
mod waker;
mod window;

use chain::parameters::Parameter;
use egui::{Ui, Vec2};
use files::reference_loader::ReferenceLoader;
use nice_plug::context::gui::{GuiContext, ParamSetter};
use nice_plug::prelude::TrackInfo;
use plugin_core::Output;
use plugin_core::context::PluginContext;
use plugin_core::control::Control;
use plugin_core::document::ParameterSnapshot;
use plugin_core::groups::Visitor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use waker::Waker;

/// Time from one frame to the next while sound moves the picture: thirty frames a second, on every system.
const FRAME_INTERVAL: Duration = Duration::from_millis(33);
/// Time between two checks, while nothing sounds, for changes that send no wake-up, such as readings of other Stems.
const IDLE_CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// Poll interval of the framework's repaint notifier: never. A frame requested from the X server before the window is
/// mapped is never answered, and the framework then waits for that answer for ever.
const NOTIFIER_POLL_INTERVAL: Duration = Duration::from_secs(1 << 30);

pub use embed::Editor;

/// Returns the editor of a plugin. Nothing is opened yet.
pub fn editor<O: Output>(
    name: &str,
    plugin: Arc<PluginContext<O>>,
    before_opening: impl Fn() + Send + 'static,
) -> Editor<O> {
    Editor::new(name, PluginView::new(name, plugin), Box::new(before_opening))
}

/// PluginView of a plugin's window.
pub struct PluginView<O: Output> {
    /// Name of the plugin.
    name: String,
    /// The plugin, which the window may outlive.
    plugin: Arc<PluginContext<O>>,
    /// `None` while no window is open.
    context: Option<GuiContext>,
    /// The window has reported its size since it was opened.
    sized: bool,
    /// The window has been drawn since it was opened.
    drawn: Arc<AtomicBool>,
    /// The window redraws by itself and need not be woken.
    awake: Arc<AtomicBool>,
    /// `None` while no window is open.
    waker: Option<Waker>,
    /// `None` while no window is open.
    #[cfg(target_os = "linux")]
    accessibility: Option<accessibility::Accessibility>,
    /// Drawing has panicked; the window stays empty, the host lives.
    failed: bool,
    /// Sound has been processed since the last frame.
    sounds: Arc<AtomicBool>,
    window: window::WindowController,
}

impl<O: Output> PluginView<O> {
    fn new(name: &str, plugin: Arc<PluginContext<O>>) -> Self {
        let sounds = Arc::new(AtomicBool::new(false));
        let bell = Arc::clone(&sounds);
        plugin.meters.scope().set_sound_callback(move || bell.store(true, Ordering::Relaxed));
        Self {
            name: name.into(),
            plugin,
            context: None,
            sized: false,
            drawn: Arc::default(),
            awake: Arc::default(),
            waker: None,
            #[cfg(target_os = "linux")]
            accessibility: None,
            failed: false,
            sounds,
            window: window::WindowController::default(),
        }
    }

    /// Prepares the view for a window that has been opened. `is_stale` calls [`Self::is_stale`] from another thread.
    fn opened(
        &mut self,
        ctx: &egui::Context,
        context: GuiContext,
        is_stale: impl Fn() -> bool + Send + 'static,
    ) {
        self.context = Some(context);
        (self.failed, self.sized) = (false, false);
        self.drawn.store(false, Ordering::Relaxed);
        let (sounds, awake, plugin) =
            (Arc::clone(&self.sounds), Arc::clone(&self.awake), Arc::clone(&self.plugin));
        #[cfg(target_os = "linux")]
        let is_stale = {
            self.accessibility = accessibility::Accessibility::open(ctx);
            let is_waiting = self.accessibility.as_ref().map(accessibility::Accessibility::is_waiting);
            move || is_waiting.as_ref().is_some_and(|is_waiting| is_waiting()) || is_stale()
        };
        let mut seen = plugin.params.changes();
        // a window that draws by itself draws the newest snapshot
        let is_new = move || {
            let changes = plugin.params.changes();
            let changed = std::mem::replace(&mut seen, changes) != changes;
            !awake.load(Ordering::Relaxed) && (changed || sounds.load(Ordering::Relaxed) || is_stale())
        };
        self.waker = Some(Waker::open(ctx.clone(), Arc::clone(&self.drawn), is_new));
        self.window.open(ctx, &self.plugin, &self.drawn);
    }

    /// Title of the window: the plugin, and the track that it is on.
    fn title(&self) -> String {
        let track = self.plugin.track.name();
        if track.is_empty() { self.name.clone() } else { format!("{}: {track}", self.name) }
    }

    /// Draws a frame of a window of that size, in points of the system.
    fn frame(&mut self, ui: &mut Ui, room: Vec2, has_focus: bool) {
        let start = Instant::now();
        self.tell_of_window(has_focus);
        self.drawn.store(true, Ordering::Relaxed);
        // stored before anything is read: from here on, a change wakes a window that will not draw again by itself
        let moves = self.sounds.swap(false, Ordering::Relaxed) || self.window.is_moving();
        self.awake.store(moves, Ordering::Relaxed);
        let Some(context) = self.context.clone().filter(|_| !self.failed) else { return };
        let drawn = catch_unwind(AssertUnwindSafe(|| self.draw(ui, room, &context.param_setter())));
        self.failed = drawn.is_err();
        if moves {
            request_frame(ui.ctx(), FRAME_INTERVAL.saturating_sub(start.elapsed()));
        } else if !self.waker.as_ref().is_some_and(Waker::is_running) {
            request_frame(ui.ctx(), IDLE_CHECK_INTERVAL);
        }
    }

    #[cfg(target_os = "linux")]
    fn tell_of_window(&self, has_focus: bool) {
        if let Some(accessibility) = &self.accessibility {
            accessibility.set_window(|| self.title(), has_focus);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn tell_of_window(&self, _has_focus: bool) {}

    /// Returns true if the window would look different if it were drawn now.
    fn is_stale(&self) -> bool {
        if self.context.is_none() || self.failed {
            return false;
        }
        self.window.is_stale(&self.plugin.shared)
    }

    /// Ends everything that belongs to the closed window, monitoring too. Returns its waker and its loader: their threads
    /// end without the view's lock.
    fn closed(&mut self) -> (Option<Waker>, Option<ReferenceLoader>) {
        self.context = None;
        #[cfg(target_os = "linux")]
        drop(self.accessibility.take());
        let loader = self.window.close(&self.plugin);
        self.plugin.params.store.noise().keep_learned();
        (self.waker.take(), loader)
    }

    fn track_info_changed(&mut self, info: TrackInfo) {
        let colour = info.color().map(|colour| {
            let (red, green, blue, _) = colour.rgba();
            [red, green, blue]
        });
        self.plugin.track.set_info(info.name(), colour);
    }

    fn draw(&mut self, ui: &mut Ui, room: Vec2, setter: &ParamSetter<'_>) {
        self.window.note_frame(&self.plugin.shared);
        self.window.fit::<O>(ui, room);
        self.window.draw_view(ui, &self.plugin, setter);
    }
}

/// Has the window drawn once more, `delay` from now. Egui takes a predicted frame time off every delay.
fn request_frame(ctx: &egui::Context, delay: Duration) {
    let predicted = ctx.input(|input| Duration::try_from_secs_f32(input.predicted_dt)).unwrap_or_default();
    ctx.request_repaint_after(delay + predicted);
}

/// Sets every parameter to a snapshot's value through host gestures.
struct Recall<'a, 'b> {
    snapshot: &'a ParameterSnapshot,
    setter: &'a ParamSetter<'b>,
}

impl Visitor for Recall<'_, '_> {
    fn visit<C: Control>(&mut self, row: &'static Parameter, control: &C) {
        let plain = C::plain(row, self.snapshot.value(row));
        if plain != control.unmodulated_plain_value() {
            self.setter.begin_set_parameter(control);
            self.setter.set_parameter(control, plain);
            self.setter.end_set_parameter(control);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::monitor::MonitorMode;
    use plugin_core::groups::{MasterOutput, StemOutput};
    use units::Db;

    fn ends<O: Output>(listen: MonitorMode) {
        let plugin = Arc::<PluginContext<O>>::default();
        let mut view = PluginView::new("Stemlink", Arc::clone(&plugin));
        plugin.shared.monitor.set_mode(listen);
        drop(view.closed());
        assert_eq!(plugin.shared.monitor.mode(), MonitorMode::Off, "{listen:?}");
    }

    #[test]
    fn what_is_heard_instead_of_the_output_ends_with_the_window() {
        let reference = MonitorMode::Reference { song: 1, gain: Db(-3.0) };
        for listen in [
            MonitorMode::Delta,
            MonitorMode::Bypass(Db(1.0)),
            MonitorMode::Gain(Db(-4.0)),
            MonitorMode::Mono,
            reference,
        ] {
            ends::<StemOutput>(listen);
            ends::<MasterOutput>(listen);
        }
    }
}
