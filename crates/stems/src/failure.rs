//! Failures of commands, and lines beside their results.

use std::io::Write;

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

/// One line for the user beside the results.
pub(crate) fn note(line: &str) {
    // Nobody to tell is no reason to stop.
    let _ = writeln!(std::io::stderr(), "stems: {}", one_line(line));
}
