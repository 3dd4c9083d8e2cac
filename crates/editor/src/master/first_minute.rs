//! Stages of the first minute: figures appear as more has been heard.

use units::Ms;

/// Stage that the heard duration allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FirstMinute {
    /// Nothing was heard.
    Silent,
    /// Levels and coverage: from 3 s on.
    Levels,
    /// Shares of what was heard so far: from 10 s on.
    Shares,
    /// Platforms and the loudest stretch: from 30 s on.
    Platforms,
}

impl FirstMinute {
    /// Returns the stage for a heard duration.
    pub fn from_heard(heard: Ms) -> Self {
        match heard.0 {
            ms if ms >= 30_000.0 => Self::Platforms,
            ms if ms >= 10_000.0 => Self::Shares,
            ms if ms >= 3_000.0 => Self::Levels,
            _ => Self::Silent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_minute_says_more_and_more() {
        let at = |seconds: f64| FirstMinute::from_heard(Ms(seconds * 1000.0));
        assert_eq!(
            [at(0.0), at(2.9), at(3.0), at(9.9)],
            [FirstMinute::Silent, FirstMinute::Silent, FirstMinute::Levels, FirstMinute::Levels]
        );
        assert_eq!(
            [at(10.0), at(29.9), at(30.0)],
            [FirstMinute::Shares, FirstMinute::Shares, FirstMinute::Platforms]
        );
        assert!(FirstMinute::Silent < FirstMinute::Levels && FirstMinute::Shares < FirstMinute::Platforms);
    }
}
