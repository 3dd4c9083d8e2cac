//! How much is said, by how much was heard: the first minute.

use units::Ms;

/// What there is to show yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing was heard.
    Silent,
    /// Levels and coverage: from 3 s on.
    Levels,
    /// Shares of what was heard so far: from 10 s on.
    Shares,
    /// Platforms and the loudest stretch: from 30 s on.
    Platforms,
}

impl Stage {
    /// What there is to show when so much was heard.
    pub fn of(heard: Ms) -> Self {
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
        let at = |seconds: f64| Stage::of(Ms(seconds * 1000.0));
        assert_eq!(
            [at(0.0), at(2.9), at(3.0), at(9.9)],
            [Stage::Silent, Stage::Silent, Stage::Levels, Stage::Levels]
        );
        assert_eq!([at(10.0), at(29.9), at(30.0)], [Stage::Shares, Stage::Shares, Stage::Platforms]);
        assert!(Stage::Silent < Stage::Levels && Stage::Shares < Stage::Platforms);
    }
}
