//! Wakes an idle window: a thread, while the window is open, that looks for sound, for parameters that a host has
//! changed and, now and then, for anything else that the view would draw differently. A window with nothing new to
//! show is not drawn.

use egui::Context;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two checks: below what the eye notices as a delay.
const CHECK_INTERVAL: Duration = Duration::from_millis(40);

/// Thread that requests frames for a window; dropping it ends and joins the thread.
#[derive(Debug)]
pub(super) struct Waker {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Waker {
    /// Starts the thread: it has `ctx` drawn whenever `is_new`, once the window is `drawn`. A frame requested before
    /// the window is on the screen would be lost, and with it all that follow. If the system has no thread left, the
    /// window requests frames itself, less often.
    pub(super) fn open(
        ctx: Context,
        drawn: Arc<AtomicBool>,
        mut is_new: impl FnMut() -> bool + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let check = move || {
            while !stopped.load(Ordering::Acquire) {
                if drawn.load(Ordering::Relaxed) && is_new() {
                    ctx.request_repaint();
                }
                std::thread::park_timeout(CHECK_INTERVAL);
            }
        };
        let thread = std::thread::Builder::new().name("stemlink window".into()).spawn(check).ok();
        Self { thread, stop }
    }

    /// False if the system had no thread for it.
    pub(super) fn is_running(&self) -> bool {
        self.thread.is_some()
    }
}

impl Drop for Waker {
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
        let waker = Waker::open(ctx, Arc::clone(&drawn), move || new.swap(false, Ordering::Relaxed));
        std::thread::sleep(3 * CHECK_INTERVAL);
        assert_eq!(count(), 0, "not yet drawn");
        drawn.store(true, Ordering::Relaxed);
        let start = Instant::now();
        while count() == 0 && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(CHECK_INTERVAL / 4);
        }
        assert_eq!(count(), 1);
        std::thread::sleep(3 * CHECK_INTERVAL);
        assert_eq!(count(), 1, "nothing is new");
        drop(waker);
        news.store(true, Ordering::Relaxed);
        std::thread::sleep(3 * CHECK_INTERVAL);
        assert_eq!(count(), 1, "closed");
    }
}
