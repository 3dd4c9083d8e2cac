//! Waiting for what other threads and processes do.

use core::fmt::Display;
use std::time::{Duration, Instant};

/// Longest wait: a busy machine takes minutes for what takes milliseconds.
const LIMIT: Duration = Duration::from_secs(240);

/// Returns what `look` finds, as soon as it does; `what` is in the message if it never does.
///
/// # Panics
/// If it finds nothing within four minutes.
#[track_caller]
pub fn eventually<T>(what: impl Display, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
