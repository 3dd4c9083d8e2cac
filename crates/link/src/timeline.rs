//! Positions of an instance's audio on the project's timeline, as plain values. Blocks are placed there by
//! [`session::timeline::TransportTracker`].

/// Segments that a ring remembers.
pub const MAX_SEGMENTS: usize = 16;

/// Frames that follow each other on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Number of the segment, counted per instance; every jump, loop, start and stop begins the next.
    pub pass: u64,
    /// The first frame's position on the timeline; `None` while live.
    pub position: Option<i64>,
    /// The first frame's counter: frames since the ring was made.
    pub counter: u64,
    /// Frames so far.
    pub frames: u64,
}

impl Segment {
    /// The counter after the last frame.
    pub fn end(&self) -> u64 {
        self.counter + self.frames
    }
}

/// Frames found on a timeline: those with counters in `counter..counter + frames`, which follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Number of their segment.
    pub pass: u64,
    /// The first frame's counter.
    pub counter: u64,
    /// Frames so far, at least one.
    pub frames: u64,
}

/// Contents of a ring at one moment, by position.
#[derive(Clone, Copy, Debug)]
pub struct Timeline {
    segments: [Segment; MAX_SEGMENTS],
    count: usize,
    /// The oldest counter that is not overwritten.
    oldest: u64,
    /// The counter after the newest frame.
    end: u64,
}

impl Timeline {
    /// A timeline of `count` segments, oldest first, and the range of counters that the ring holds.
    pub(super) fn new(segments: [Segment; MAX_SEGMENTS], count: usize, oldest: u64, end: u64) -> Self {
        Self { segments, count: count.min(MAX_SEGMENTS), oldest, end }
    }

    /// The last segments, oldest first. Their oldest frames may be overwritten.
    pub fn segments(&self) -> &[Segment] {
        &self.segments[..self.count]
    }

    /// The oldest counter that was not overwritten when the timeline was read.
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The counter after the newest frame.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The counter after the newest frame that has a position; 0 if none has.
    pub fn positioned_end(&self) -> u64 {
        let positioned = self.segments().iter().filter(|segment| segment.position.is_some());
        positioned.map(Segment::end).max().unwrap_or(0)
    }

    /// The first occurrence of `position` with a counter of at least `after`. A reader that passes the end of its last
    /// read follows every pass of a loop in order, however far the writer is ahead.
    pub fn find(&self, position: i64, after: u64) -> Option<Span> {
        let after = after.max(self.oldest);
        self.occurrences(position).find(|span| span.counter >= after)
    }

    /// The last occurrence of `position`.
    pub fn find_last(&self, position: i64) -> Option<Span> {
        self.occurrences(position).filter(|span| span.counter >= self.oldest).last()
    }

    /// True if `position` was played in one of the segments, even if its frame has been overwritten since.
    pub fn has_played(&self, position: i64) -> bool {
        self.occurrences(position).next().is_some()
    }

    fn occurrences(&self, position: i64) -> impl Iterator<Item = Span> {
        self.segments().iter().filter_map(move |segment| {
            let offset = u64::try_from(position.checked_sub(segment.position?)?).ok()?;
            (offset < segment.frames).then(|| Span {
                pass: segment.pass,
                counter: segment.counter + offset,
                frames: segment.frames - offset,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(segments: &[(Option<i64>, u64)], oldest: u64) -> Timeline {
        let mut all = [Segment { pass: 0, position: None, counter: 0, frames: 0 }; MAX_SEGMENTS];
        let mut counter = 0;
        for (n, &(position, frames)) in segments.iter().enumerate() {
            all[n] = Segment { pass: n as u64, position, counter, frames };
            counter += frames;
        }
        Timeline::new(all, segments.len(), oldest, counter)
    }

    #[test]
    fn every_pass_of_a_loop_is_found_in_order() {
        let timeline = timeline(&[(Some(100), 50), (None, 30), (Some(100), 50), (Some(100), 20)], 0);
        let first = timeline.find(110, 0);
        assert_eq!(first, Some(Span { pass: 0, counter: 10, frames: 40 }));
        let second = timeline.find(110, 11);
        assert_eq!(second, Some(Span { pass: 2, counter: 90, frames: 40 }));
        let third = timeline.find(110, 91);
        assert_eq!(third, Some(Span { pass: 3, counter: 140, frames: 10 }));
        assert_eq!(timeline.find_last(110), third);
        assert_eq!(timeline.find(110, 141), None);
        assert_eq!(timeline.positioned_end(), timeline.end());
        assert_eq!(timeline.find_last(130), second.map(|span| Span { counter: 110, frames: 20, ..span }));
    }

    #[test]
    fn positions_before_after_or_overwritten_are_not_found() {
        let timeline = timeline(&[(Some(-10), 50)], 20);
        assert_eq!(timeline.find(-11, 0), None);
        assert_eq!(timeline.find(40, 0), None);
        assert_eq!(timeline.find(9, 0), None);
        assert_eq!(timeline.find(10, 0), Some(Span { pass: 0, counter: 20, frames: 30 }));
        assert_eq!(timeline.find_last(9), None);
        assert_eq!([-11, -10, 9, 39, 40].map(|at| timeline.has_played(at)), [false, true, true, true, false]);
        assert_eq!(timeline.find(i64::MIN, 0), None);
        assert_eq!((timeline.end(), timeline.positioned_end()), (50, 50));
        assert_eq!(timeline.find(i64::MAX, 0), None);
    }
}
