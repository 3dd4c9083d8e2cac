//! Telling how far long work is, and being told to stop.

use std::path::Path;

use audiofile::error::{Error, Result};

/// Listens to long work. Stopping is by error: work that is stopped leaves nothing behind.
pub trait Progress {
    /// A stretch of work begins: what, and how many steps (frames, mostly) it has.
    fn begin(&mut self, what: &str, steps: u64);

    /// So many more steps are done. False: stop.
    fn advance(&mut self, steps: u64) -> bool;
}

/// Listens to nothing and never stops.
pub struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _: &str, _: u64) {}

    fn advance(&mut self, _: u64) -> bool {
        true
    }
}

/// Advances, and turns a stop into the error of the work on `path`.
///
/// # Errors
/// If the listener says stop.
pub fn advance(progress: &mut dyn Progress, steps: u64, path: &Path) -> Result<()> {
    if progress.advance(steps) { Ok(()) } else { Err(Error::Interrupted { path: path.to_owned() }) }
}
