//! The end of a command.

use crate::failure::Failure;

/// The end of a command that could run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, nothing to report: exit code 0.
    Clean,
    /// Done, and there is something wrong with what it was given: exit code 1.
    Faults,
    /// Done in part; what could not be has been shown, a line each: exit code 2.
    Partly,
}

/// A command that could run: its end and, with `--json`, its document.
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) json: Option<serde_json::Value>,
}

impl From<Outcome> for Done {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, json: None }
    }
}

/// The result of a command; an error will be shown as one line, exit code 2.
pub(crate) type CommandResult = Result<Done, Failure>;

impl Outcome {
    /// The worse of two.
    pub(crate) fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Partly, _) | (_, Self::Partly) => Self::Partly,
            (Self::Faults, _) | (_, Self::Faults) => Self::Faults,
            _ => Self::Clean,
        }
    }
}
