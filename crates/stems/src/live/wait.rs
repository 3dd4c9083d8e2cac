//! Waiting for a session.

use std::time::Duration;

use crate::common::is_interrupted;
use crate::failure::Failure;

/// Time between two looks while something is waited for.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Waits; fails after Ctrl-C.
pub(super) fn pause(time: Duration) -> Result<(), Failure> {
    std::thread::sleep(time);
    if is_interrupted() { Err(Failure::new("live: interrupted; run it again")) } else { Ok(()) }
}
