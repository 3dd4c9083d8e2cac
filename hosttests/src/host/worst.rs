//! The worst host: what hosts may do and some do, all of it at once. Tests that open and play plugins through this crate's
//! host run in it, too, if the environment says so.
//!
//! - Every thread that calls a plugin has little stack: [`on_a_small_stack`].
//! - An instance of a project is activated before its state is loaded: [`Plugin::open`].
//! - In the middle of a song all plugins are activated anew, to be rendered offline, and once more to play on: see
//!   [`Plugin::freewheel`].
//! - A transport that stands goes on processing silence; a Stem's timeline is ahead of its Master's by what lies between
//!   them; while an audio thread plays and sets parameters by events, the main thread sets all of them by a state. These
//!   are the desk's, in `tests/link/desk.rs`.

use super::Plugin;
use clack_extensions::render::{PluginRender, RenderMode};

/// Variable that makes the host the worst one.
pub const WORST_HOST: &str = "STEMLINK_WORST_HOST";

/// Stack of a host's thread, bytes: with a release, and with debug assertions, whose frames are larger.
pub const SMALL_STACK: usize = if cfg!(debug_assertions) { 256 << 10 } else { 128 << 10 };

/// True in the worst host.
pub fn is_worst() -> bool {
    std::env::var(WORST_HOST).is_ok_and(|value| value == "1")
}

/// Does `work` on a thread with a [`SMALL_STACK`]; what exceeds it ends the process.
///
/// # Panics
/// If `work` does.
pub fn on_a_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(SMALL_STACK).spawn_scoped(scope, work);
        match thread.expect("a thread starts").join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Plugin {
    /// Activates an instance of a project and loads its saved state, if it has one; in the worst host in this order.
    pub fn open(&mut self, state: Option<&[u8]>, rate: f64, longest: u32) {
        if is_worst() {
            self.activate(rate, longest);
        }
        if let Some(state) = state {
            assert!(self.load(state), "the state is loaded");
        }
        if !is_worst() {
            self.activate(rate, longest);
        }
    }

    /// Activates it anew, for rendering offline or for playing.
    pub fn freewheel(&mut self, offline: bool, rate: f64, longest: u32) {
        self.deactivate();
        let handle = self.instance.plugin_handle();
        let render: PluginRender = handle.get_extension().expect("modes of rendering");
        let mode = if offline { RenderMode::Offline } else { RenderMode::Realtime };
        render.set(&handle, mode).expect("the mode is taken");
        self.activate(rate, longest);
    }
}
