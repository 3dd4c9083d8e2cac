//! Failures of commands, and lines beside their results.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use audiofile::Error;
use audiofile::error::one_line;

/// The reason for which a command could not run, in one line.
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }

    /// The line.
    pub(crate) fn line(&self) -> &str {
        &self.0
    }

    pub(crate) fn print(&self) {
        note(&self.0);
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.to_string())
    }
}

static FAULTS: AtomicBool = AtomicBool::new(false);

/// One line for the user about something that is wrong with what the command was given: it ends with exit code 1 at least.
pub(crate) fn fault(line: &str) {
    FAULTS.store(true, Ordering::Relaxed);
    note(line);
}

/// True if there was a [`fault`].
pub(crate) fn has_faults() -> bool {
    FAULTS.load(Ordering::Relaxed)
}

/// One line for the user beside the results.
pub(crate) fn note(line: &str) {
    // Nobody to tell is no reason to stop.
    let _ = writeln!(std::io::stderr(), "stems: {}", one_line(line));
}
