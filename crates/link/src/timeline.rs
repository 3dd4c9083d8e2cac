//! What of an instance's audio is where on the project's timeline: plain values. Blocks are placed on it by
//! [`session::timeline::TransportTracker`].

/// Segments that are remembered.
pub const SEGMENTS: usize = 16;

/// Frames that follow each other on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Counts the segments of an instance; every jump, loop, start and stop begins the next.
    pub pass: u64,
    /// The first frame's position on the timeline; `None`: live.
    pub position: Option<i64>,
    /// The first frame's counter.
    pub counter: u64,
    /// Frames so far.
    pub frames: u64,
}

impl Segment {
    /// The counter behind the last frame.
    pub fn end(&self) -> u64 {
        self.counter + self.frames
    }
}

/// Frames that were found: those at `counter..counter + frames` follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The segment they are in.
    pub pass: u64,
    /// The first frame's counter.
    pub counter: u64,
    /// How many there are by now, at least one.
    pub frames: u64,
}

/// What of a ring's audio is where, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Timeline {
    segments: [Segment; SEGMENTS],
    count: usize,
    /// The oldest counter whose frame is still there.
    oldest: u64,
    /// The counter behind the newest frame.
    end: u64,
}

impl Timeline {
    /// A timeline of `count` segments, oldest first, and the counters that the ring holds.
    pub(super) fn new(segments: [Segment; SEGMENTS], count: usize, oldest: u64, end: u64) -> Self {
        Self { segments, count: count.min(SEGMENTS), oldest, end }
    }

    /// The segments that are remembered, oldest first. Their oldest frames may be gone.
    pub fn segments(&self) -> &[Segment] {
        &self.segments[..self.count]
    }

    /// The oldest counter whose frame is still there; a moment later it may not be.
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The counter behind the newest frame.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The first occurrence of `position` whose counter is `after` or more. A reader that passes on what it has read
    /// follows every pass of a loop in order, however far the writer is ahead.
    pub fn find(&self, position: i64, after: u64) -> Option<Span> {
        let after = after.max(self.oldest);
        self.occurrences(position).find(|span| span.counter >= after)
    }

    /// The last occurrence of `position`.
    pub fn find_last(&self, position: i64) -> Option<Span> {
        self.occurrences(position).filter(|span| span.counter >= self.oldest).last()
    }

    /// Whether `position` was played in one of the segments; its frame may have been overwritten since.
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
        let mut all = [Segment { pass: 0, position: None, counter: 0, frames: 0 }; SEGMENTS];
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
        assert_eq!(timeline.find_last(130), second.map(|span| Span { counter: 110, frames: 20, ..span }));
    }

    #[test]
    fn what_is_before_behind_or_overwritten_is_not_found() {
        let timeline = timeline(&[(Some(-10), 50)], 20);
        assert_eq!(timeline.find(-11, 0), None);
        assert_eq!(timeline.find(40, 0), None);
        assert_eq!(timeline.find(9, 0), None);
        assert_eq!(timeline.find(10, 0), Some(Span { pass: 0, counter: 20, frames: 30 }));
        assert_eq!(timeline.find_last(9), None);
        assert_eq!([-11, -10, 9, 39, 40].map(|at| timeline.has_played(at)), [false, true, true, true, false]);
        assert_eq!(timeline.find(i64::MIN, 0), None);
        assert_eq!(timeline.find(i64::MAX, 0), None);
    }
}
