//! Intervals of the link's worker, and times after which an instance counts as asleep, unresponsive or gone.

use std::time::Duration;

/// Times of the link's worker and of observers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// Between rounds while audio is exchanged.
    pub audio: Duration,
    /// Between exchanges of records while audio is exchanged.
    pub records: Duration,
    /// Between rounds while no audio is exchanged, and between listings of the folder.
    pub idle: Duration,
    /// Without a new block an instance is asleep.
    pub asleep_after: Duration,
    /// Without a heartbeat an instance is unresponsive.
    pub unresponsive_after: Duration,
    /// Without a heartbeat an instance is gone.
    pub gone_after: Duration,
    /// Before another attempt after a folder or file could not be used.
    pub retry: Duration,
}

impl Intervals {
    /// Intervals of the plugins.
    pub const DEFAULT: Self = Self {
        audio: Duration::from_millis(5),
        records: Duration::from_millis(50),
        idle: Duration::from_millis(250),
        asleep_after: Duration::from_secs(1),
        unresponsive_after: Duration::from_secs(1),
        gone_after: Duration::from_secs(3),
        retry: Duration::from_secs(5),
    };
}

impl Default for Intervals {
    fn default() -> Self {
        Self::DEFAULT
    }
}
