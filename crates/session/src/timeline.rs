//! Timeline of the project: positions of blocks, and the grid of hops.

/// Number of a hop on the timeline: hop `k` covers frames `[k * hop, (k + 1) * hop)`.
pub type HopIndex = i64;

/// Returns the hop that contains the frame `position`, and the frames of it before that.
pub fn hop_at(position: i64, hop_frames: usize) -> (HopIndex, usize) {
    let hop = hop_frames as i64;
    (position.div_euclid(hop), position.rem_euclid(hop) as usize)
}

/// Returns the frame of a position in seconds. Hosts that count in seconds round differently from block to block,
/// which [`TransportTracker`] evens out.
pub fn frame_of_seconds(seconds: f64, rate: units::Hz) -> i64 {
    (seconds * rate.0).round() as i64
}

/// Difference from the expected position up to which a host's position continues it, frames.
const POSITION_SLACK_FRAMES: u64 = 2;

/// Tracker of the host's position: it advances by the frames processed as long as the host agrees within two frames.
#[derive(Clone, Copy, Debug, Default)]
pub struct TransportTracker {
    /// Expected position of the next block; `None` while the transport does not run.
    expected: Option<i64>,
    segment: u64,
}

/// Position of a block on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPosition {
    /// First frame of the block; `None` while the transport does not run.
    pub position: Option<i64>,
    /// Counter of jumps, starts and stops.
    pub segment: u64,
    /// True if the block does not continue the one before.
    pub jumped: bool,
}

impl TransportTracker {
    /// Starts a new segment with the next block.
    pub fn start_segment(&mut self) {
        (self.expected, self.segment) = (None, self.segment + 1);
    }

    /// Locates a block of `frames` frames. `host`: its position by the host, frames; `None` while the transport does
    /// not run.
    pub fn locate(&mut self, host: Option<i64>, frames: usize) -> BlockPosition {
        let position = match (host, self.expected) {
            (Some(host), Some(expected)) if host.abs_diff(expected) <= POSITION_SLACK_FRAMES => {
                Some(expected)
            }
            (host, _) => host,
        };
        let jumped = position != self.expected;
        self.segment += u64::from(jumped);
        self.expected = position.map(|position| position.saturating_add(frames as i64));
        BlockPosition { position, segment: self.segment, jumped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_bridged_and_a_jump_opens_a_segment() {
        let mut tracker = TransportTracker::default();
        let first = tracker.locate(Some(1000), 512);
        assert_eq!((first.position, first.jumped), (Some(1000), true));
        for (host, expected) in [(1513, 1512), (2022, 2024), (2537, 2536)] {
            let next = tracker.locate(Some(host), 512);
            assert_eq!((next.position, next.jumped, next.segment), (Some(expected), false, first.segment));
        }
        let loops = tracker.locate(Some(1000), 512);
        assert_eq!((loops.position, loops.jumped), (Some(1000), true));
        assert_eq!(loops.segment, first.segment + 1);
        assert!(tracker.locate(Some(1515), 512).jumped, "three frames off is a jump");
    }

    #[test]
    fn without_a_position_it_is_live() {
        let mut tracker = TransportTracker::default();
        let live = tracker.locate(None, 512);
        assert_eq!((live.position, live.jumped), (None, false));
        assert!(tracker.locate(Some(0), 512).jumped);
        let stopped = tracker.locate(None, 512);
        assert_eq!((stopped.position, stopped.jumped), (None, true));
        assert!(!tracker.locate(None, 512).jumped);
    }

    #[test]
    fn hops_before_zero_are_on_the_same_grid() {
        assert_eq!(hop_at(-1, 4800), (-1, 4799));
        assert_eq!(hop_at(-4800, 4800), (-1, 0));
        assert_eq!(hop_at(4800, 4800), (1, 0));
        assert_eq!(frame_of_seconds(0.1, units::Hz(44_100.0)), 4410);
    }

    #[test]
    fn a_break_and_the_ends_of_time_open_segments() {
        let mut tracker = TransportTracker::default();
        let first = tracker.locate(Some(0), 512);
        tracker.start_segment();
        let next = tracker.locate(Some(512), 512);
        assert!(next.jumped && next.segment > first.segment);
        let stopped = tracker.locate(None, 512);
        tracker.start_segment();
        assert!(tracker.locate(None, 512).segment > stopped.segment, "silence is broken off, too");
        assert!(tracker.locate(Some(i64::MIN), 512).jumped);
        assert!(tracker.locate(Some(i64::MAX), 512).jumped);
        assert!(!tracker.locate(Some(i64::MAX), 512).jumped);
    }
}
