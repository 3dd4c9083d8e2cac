//! The window of a plugin: every parameter, the meters, settings A to D.
//!
//! It draws a [`Reading`](meter::Reading) and never computes loudness. Every value can be set by mouse alone
//! ([`field`], and in the plain list of everything `hand`), because text fields get no keys in some hosts.

mod canvas;
pub mod controls;
pub mod damage;
mod ear;
pub mod edits;
mod embed;
pub mod facts;
pub mod fader;
pub mod field;
pub mod files;
pub mod foot;
pub mod graph;
mod hand;
pub mod head;
mod list;
pub mod listen;
pub mod master;
mod neighbours;
pub mod noise;
pub mod notices;
#[cfg(target_os = "linux")]
mod pace;
pub mod paint;
pub mod picture;
mod plain;
pub mod preset_menu;
mod references;
mod session;
pub mod shown;
pub mod side;
pub mod stem;
pub mod strip;
pub mod terms;
pub mod theme;
mod trace;
mod trims;
mod window;

use chain::parameters::Parameter;
use ear::Ear;
use egui::{Ui, Vec2};
use files::shelf::Shelf;
use nice_plug::context::gui::{GuiContext, ParamSetter};
use nice_plug::prelude::TrackInfo;
#[cfg(target_os = "linux")]
use nice_plug_egui::baseview::WindowContext;
use plugin_core::board::Board;
use plugin_core::control::Control;
use plugin_core::document::Snapshot;
use plugin_core::gauges::Gauges;
use plugin_core::groups::Visitor;
use plugin_core::track::Track;
use plugin_core::{ChainParams, Output};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How soon a window is drawn again while there is sound: sixty times a second. On X11 that takes a [`pace`].
const LIVELY: Duration = Duration::from_millis(16);
/// And while there is none, it is looked so often whether there is something to be drawn that nobody wakes the window for,
/// such as what other Stems tell.
const IDLE: Duration = Duration::from_millis(500);
/// How often the framework looks whether somebody wants a window drawn: never. If it asks the X server for a frame before
/// the window is on the screen, the answer is lost, and it waits for it for ever on an empty window.
const NEVER: Duration = Duration::from_secs(1 << 30);

pub use embed::Editor;

/// The editor of a plugin. Nothing is opened yet.
pub fn editor<O: Output>(
    name: &str,
    params: Arc<ChainParams<O>>,
    gauges: Arc<Gauges>,
    track: Arc<Track>,
    board: Arc<Board>,
) -> Editor<O> {
    Editor::new(name, View::new(name, params, gauges, track, board))
}

/// Draws the window.
pub struct View<O: Output> {
    name: String,
    params: Arc<ChainParams<O>>,
    gauges: Arc<Gauges>,
    track: Arc<Track>,
    board: Arc<Board>,
    /// Only while a window is open.
    context: Option<GuiContext>,
    /// The window has told its size since it was opened.
    sized: bool,
    /// It has been drawn since.
    drawn: Arc<AtomicBool>,
    /// It draws as sound moves, and need not be woken.
    awake: Arc<AtomicBool>,
    /// What wakes it.
    ear: Option<Ear>,
    /// What has it drawn at every refresh of the screen.
    #[cfg(target_os = "linux")]
    pace: pace::Pace,
    /// Drawing has panicked; the window stays empty, the host lives.
    failed: bool,
    /// There was sound since the last look.
    sounds: Arc<AtomicBool>,
    window: window::Window,
    /// The group that the plain list shows; empty for the first.
    group: &'static str,
}

impl<O: Output> View<O> {
    fn new(
        name: &str,
        params: Arc<ChainParams<O>>,
        gauges: Arc<Gauges>,
        track: Arc<Track>,
        board: Arc<Board>,
    ) -> Self {
        let sounds = Arc::new(AtomicBool::new(false));
        let bell = Arc::clone(&sounds);
        gauges.scope().on_sound(move || bell.store(true, Ordering::Relaxed));
        Self {
            name: name.into(),
            params,
            gauges,
            track,
            board,
            context: None,
            sized: false,
            drawn: Arc::default(),
            awake: Arc::default(),
            ear: None,
            #[cfg(target_os = "linux")]
            pace: pace::Pace::default(),
            failed: false,
            sounds,
            window: window::Window::default(),
            group: "",
        }
    }

    /// A window has been opened. `is_stale` asks the view from another thread whether it [is](Self::is_stale).
    fn opened(
        &mut self,
        ctx: &egui::Context,
        context: GuiContext,
        is_stale: impl Fn() -> bool + Send + 'static,
    ) {
        self.context = Some(context);
        (self.failed, self.sized) = (false, false);
        self.drawn.store(false, Ordering::Relaxed);
        let (sounds, awake, params) =
            (Arc::clone(&self.sounds), Arc::clone(&self.awake), Arc::clone(&self.params));
        let (mut seen, mut looked) = (params.changes(), Instant::now());
        let is_new = move || {
            let changes = params.changes();
            let is_new = sounds.load(Ordering::Relaxed) | (std::mem::replace(&mut seen, changes) != changes);
            if awake.load(Ordering::Relaxed) || is_new || looked.elapsed() < IDLE {
                return is_new && !awake.load(Ordering::Relaxed);
            }
            looked = Instant::now();
            is_stale()
        };
        self.ear = Some(Ear::open(ctx.clone(), Arc::clone(&self.drawn), is_new));
        self.window.open::<O>(ctx, &self.gauges, &self.drawn);
    }

    /// Draws a frame of a window of that size, points of the system. True if something moves in it, so that the next one must be as soon as can be.
    fn frame(&mut self, ui: &mut Ui, room: Vec2) -> bool {
        self.drawn.store(true, Ordering::Relaxed);
        let sounds = self.sounds.swap(false, Ordering::Relaxed);
        self.awake.store(sounds, Ordering::Relaxed);
        let Some(context) = self.context.clone().filter(|_| !self.failed) else { return false };
        let drawn = catch_unwind(AssertUnwindSafe(|| self.draw(ui, room, &context.param_setter())));
        self.failed = drawn.is_err();
        let moves =
            sounds || ui.ctx().has_requested_repaint() || ui.input(|input| !input.raw.events.is_empty());
        if sounds {
            ui.ctx().request_repaint_after(LIVELY);
        } else if !self.ear.as_ref().is_some_and(Ear::is_listening) {
            ui.ctx().request_repaint_after(IDLE);
        }
        moves && !self.failed
    }

    /// Whether the window would show something else if it were drawn now.
    fn is_stale(&mut self) -> bool {
        if self.context.is_none() || self.failed {
            return false;
        }
        let plugin = (&*self.params, &*self.gauges, &*self.track, &*self.board);
        // what panics is found out again, and told, where it is drawn
        catch_unwind(AssertUnwindSafe(|| self.window.is_stale(plugin))).unwrap_or(true)
    }

    /// A frame is about to be shown in which something moves.
    #[cfg(target_os = "linux")]
    fn hasten(&mut self, window: &WindowContext) {
        if self.context.is_some() {
            self.pace.hasten(window);
        }
    }

    /// The window has been closed: what was heard instead of the output ends with it. Returns what woke it and
    /// what read files for it: their threads end without the view's lock.
    fn closed(&mut self) -> (Option<Ear>, Option<Shelf>) {
        self.context = None;
        #[cfg(target_os = "linux")]
        {
            self.pace = pace::Pace::default();
        }
        let shelf = self.window.close::<O>(&self.board);
        self.params.store.noise().keep();
        self.board.listening.end();
        (self.ear.take(), shelf)
    }

    fn track_info_changed(&mut self, info: TrackInfo) {
        let colour = info.color().map(|colour| {
            let (red, green, blue, _) = colour.rgba();
            [red, green, blue]
        });
        self.track.tell(info.name(), colour);
    }

    fn draw(&mut self, ui: &mut Ui, room: Vec2, setter: &ParamSetter<'_>) {
        self.window.fit::<O>(ui, room);
        if self.window.plain {
            self.list(ui, setter);
        } else {
            self.window.show(ui, (&self.params, &self.gauges, &self.track, &self.board), setter);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use chain::listen::MonitorMode;
    use plugin_core::groups::{MasterOutput, StemOutput};
    use units::Db;

    fn ends<O: Output>(listen: MonitorMode) {
        let board = Arc::<Board>::default();
        let mut view = View::<O>::new("", Arc::default(), Arc::default(), Arc::default(), Arc::clone(&board));
        board.listening.want(listen);
        drop(view.closed());
        assert_eq!(board.listening.wanted(), MonitorMode::Off, "{listen:?}");
    }

    #[test]
    fn stems_are_heard_as_they_are_again_when_the_window_closes() {
        use ::session::audition::Audition;
        use ::session::record::StemId;
        use plugin_core::room::StemCard;
        use std::sync::atomic::{AtomicUsize, Ordering};

        let (board, asked) = (Arc::<Board>::default(), Arc::<AtomicUsize>::default());
        let count = Arc::clone(&asked);
        board.look_by(|| (vec![StemCard::new(StemId(1), "Drums")], false));
        board.hear_by(move |all| count.store(all.len(), Ordering::Relaxed));
        let mut view =
            View::<MasterOutput>::new("", Arc::default(), Arc::default(), Arc::default(), Arc::clone(&board));
        board.audition(Some((StemId(1), Audition::Mute)));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        drop(view.closed());
        assert_eq!(asked.load(Ordering::Relaxed), 0);
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
