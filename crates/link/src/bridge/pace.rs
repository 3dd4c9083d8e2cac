//! How often the bridge looks, and when it loses patience.

use std::time::Duration;

/// The bridge's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// Between two looks while audio crosses the bridge.
    pub busy: Duration,
    /// Between two looks at everything but audio, while audio crosses.
    pub telling: Duration,
    /// Between two looks otherwise, and between two looks at the folder.
    pub idle: Duration,
    /// Without a new block an instance is asleep.
    pub asleep: Duration,
    /// Without a heartbeat an instance is dim.
    pub dim: Duration,
    /// Without a heartbeat an instance is gone.
    pub gone: Duration,
    /// Before another try when the folder or a file could not be used.
    pub retry: Duration,
}

impl Intervals {
    /// The pace of plugins.
    pub const DEFAULT: Self = Self {
        busy: Duration::from_millis(5),
        telling: Duration::from_millis(50),
        idle: Duration::from_millis(250),
        asleep: Duration::from_secs(1),
        dim: Duration::from_secs(1),
        gone: Duration::from_secs(3),
        retry: Duration::from_secs(5),
    };
}

impl Default for Intervals {
    fn default() -> Self {
        Self::DEFAULT
    }
}
