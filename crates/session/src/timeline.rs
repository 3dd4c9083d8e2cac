//! The project's timeline: where a block sits on it, and the grid of hops.

/// A hop of the project's timeline: hop `k` covers frames `[k * hop, (k + 1) * hop)`.
pub type Place = i64;

/// The hop that holds the frame `position`, and how far into it that is.
pub fn place(position: i64, hop_frames: usize) -> (Place, usize) {
    let hop = hop_frames as i64;
    (position.div_euclid(hop), position.rem_euclid(hop) as usize)
}

/// The frame of a position in seconds: hosts that count in seconds round differently from block to block, which the
/// [`TransportTracker`] evens out.
pub fn frame_of_seconds(seconds: f64, rate: units::Hz) -> i64 {
    (seconds * rate.0).round() as i64
}

/// How far a host's position may be from the expected one and still continue it, frames.
const SLACK: u64 = 2;

/// A flywheel over the host's position: it runs on by what is processed as long as the host says nearly the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct TransportTracker {
    /// Where the next block is expected; `None` while live.
    expected: Option<i64>,
    segment: u64,
}

/// Where a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its first frame on the timeline; `None` while live.
    pub position: Option<i64>,
    /// Counts up with every jump, start and stop.
    pub segment: u64,
    /// True when the block does not continue the one before.
    pub jumped: bool,
}

impl TransportTracker {
    /// Opens a new segment, whatever comes next.
    pub fn break_off(&mut self) {
        (self.expected, self.segment) = (None, self.segment + 1);
    }

    /// Locates a block of `frames` frames that the host says starts at `host` (in frames; `None` without a running
    /// transport).
    pub fn locate(&mut self, host: Option<i64>, frames: usize) -> Located {
        let position = match (host, self.expected) {
            (Some(host), Some(expected)) if host.abs_diff(expected) <= SLACK => Some(expected),
            (host, _) => host,
        };
        let jumped = position != self.expected;
        self.segment += u64::from(jumped);
        self.expected = position.map(|position| position.saturating_add(frames as i64));
        Located { position, segment: self.segment, jumped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_bridged_and_a_jump_opens_a_segment() {
        let mut wheel = TransportTracker::default();
        let first = wheel.locate(Some(1000), 512);
        assert_eq!((first.position, first.jumped), (Some(1000), true));
        for (host, expected) in [(1513, 1512), (2022, 2024), (2537, 2536)] {
            let next = wheel.locate(Some(host), 512);
            assert_eq!((next.position, next.jumped, next.segment), (Some(expected), false, first.segment));
        }
        let loops = wheel.locate(Some(1000), 512);
        assert_eq!((loops.position, loops.jumped), (Some(1000), true));
        assert_eq!(loops.segment, first.segment + 1);
        assert!(wheel.locate(Some(1515), 512).jumped, "three frames off is a jump");
    }

    #[test]
    fn without_a_position_it_is_live() {
        let mut wheel = TransportTracker::default();
        let live = wheel.locate(None, 512);
        assert_eq!((live.position, live.jumped), (None, false));
        assert!(wheel.locate(Some(0), 512).jumped);
        let stopped = wheel.locate(None, 512);
        assert_eq!((stopped.position, stopped.jumped), (None, true));
        assert!(!wheel.locate(None, 512).jumped);
    }

    #[test]
    fn hops_before_zero_are_on_the_same_grid() {
        assert_eq!(place(-1, 4800), (-1, 4799));
        assert_eq!(place(-4800, 4800), (-1, 0));
        assert_eq!(place(4800, 4800), (1, 0));
        assert_eq!(frame_of_seconds(0.1, units::Hz(44_100.0)), 4410);
    }

    #[test]
    fn a_break_and_the_ends_of_time_open_segments() {
        let mut wheel = TransportTracker::default();
        let first = wheel.locate(Some(0), 512);
        wheel.break_off();
        let next = wheel.locate(Some(512), 512);
        assert!(next.jumped && next.segment > first.segment);
        let stopped = wheel.locate(None, 512);
        wheel.break_off();
        assert!(wheel.locate(None, 512).segment > stopped.segment, "silence is broken off, too");
        assert!(wheel.locate(Some(i64::MIN), 512).jumped);
        assert!(wheel.locate(Some(i64::MAX), 512).jumped);
        assert!(!wheel.locate(Some(i64::MAX), 512).jumped);
    }
}
