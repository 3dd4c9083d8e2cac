//! What wakes an idle window: a thread of its own, while it is open, that hears when the audio thread has sound to show,
//! sees when a host has changed a parameter, and looks now and then whether the view has something else to show. So a window
//! that shows nothing new is not drawn.

use egui::Context;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two looks: sooner than the eye minds.
const PACE: Duration = Duration::from_millis(40);

/// An ear; dropped, its thread has ended.
#[derive(Debug)]
pub(super) struct Ear {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Ear {
    /// Has `ctx` drawn whenever `is_new`, once the window is `drawn`: before it is on the screen, asking for a frame would
    /// be lost, and with it all that follow. Without a thread (the system has none left) the window draws itself less soon.
    pub(super) fn open(
        ctx: Context,
        drawn: Arc<AtomicBool>,
        mut is_new: impl FnMut() -> bool + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let listen = move || {
            while !stopped.load(Ordering::Acquire) {
                if drawn.load(Ordering::Relaxed) && is_new() {
                    ctx.request_repaint();
                }
                std::thread::park_timeout(PACE);
            }
        };
        let thread = std::thread::Builder::new().name("stemlink window".into()).spawn(listen).ok();
        Self { thread, stop }
    }

    /// False if the system had no thread for it.
    pub(super) fn is_listening(&self) -> bool {
        self.thread.is_some()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // it has nothing that panics
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Instant;

    #[test]
    fn a_window_is_woken_by_what_is_new_once_it_is_drawn_and_never_after_it_is_closed() {
        let (ctx, drawn, news) =
            (Context::default(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
        let woken = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&woken);
        ctx.set_request_repaint_callback(move |_| *counted.lock().expect("plain") += 1);
        let count = || *woken.lock().expect("plain");
        let new = Arc::clone(&news);
        let ear = Ear::open(ctx, Arc::clone(&drawn), move || new.swap(false, Ordering::Relaxed));
        std::thread::sleep(3 * PACE);
        assert_eq!(count(), 0, "not yet drawn");
        drawn.store(true, Ordering::Relaxed);
        let start = Instant::now();
        while count() == 0 && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(PACE / 4);
        }
        assert_eq!(count(), 1);
        std::thread::sleep(3 * PACE);
        assert_eq!(count(), 1, "nothing is new");
        drop(ear);
        news.store(true, Ordering::Relaxed);
        std::thread::sleep(3 * PACE);
        assert_eq!(count(), 1, "closed");
    }
}
