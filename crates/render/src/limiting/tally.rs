//! Sums of a reduction over a song, by owners, and its events.

use units::{Db, Hz, Ms};

/// Reduction from which a moment belongs to an event.
const EVENT_REDUCTION: Db = Db(0.1);

/// A stage that reduces, over a song. A moment's reduction is that of the channel that is reduced more.
#[derive(Clone, Debug, PartialEq)]
pub struct StageLimiting {
    /// Reduction times its duration, dB s.
    pub decibel_seconds: f64,
    /// The deepest reduction.
    pub deepest: Db,
    /// Frame of the deepest reduction.
    pub deepest_at: u64,
    /// The owners, in the order of the rows.
    pub rows: Vec<LimitingRow>,
}

/// Part of a row in a stage's reduction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitingRow {
    /// Decibel seconds, signed.
    pub decibel_seconds: f64,
    /// Part of all decibel seconds; none where nothing is reduced.
    pub share: Option<f64>,
}

/// A stretch of the song in which the limiter reduces by 0.1 dB or more, gaps shorter than its release included.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitingEvent {
    /// First frame.
    pub from: u64,
    /// First frame after it.
    pub to: u64,
    /// Frame of the deepest reduction.
    pub at: u64,
    /// The deepest reduction.
    pub depth: Db,
    /// Reduction times its duration, dB s.
    pub decibel_seconds: f64,
    /// Parts of the rows in the deepest reduction: signed, they sum to one.
    pub parts: Vec<f64>,
}

/// Collects a stage's decibels frame by frame.
pub(super) struct Tally {
    rate: Hz,
    /// Frames of a gap that ends an event.
    gap: u64,
    rows: Vec<f64>,
    whole: f64,
    deepest: Db,
    deepest_at: u64,
    events: Vec<LimitingEvent>,
    open: Option<LimitingEvent>,
    /// Decibel frames since the open event's last frame.
    since: f64,
}

impl Tally {
    pub(super) fn new(rate: Hz, rows: usize, release: Ms) -> Self {
        Self {
            rate,
            gap: release.samples(rate).0 as u64,
            rows: vec![0.0; rows],
            whole: 0.0,
            deepest: Db(0.0),
            deepest_at: 0,
            events: Vec::new(),
            open: None,
            since: 0.0,
        }
    }

    /// Takes the decibels of each row in both channels at a frame; frames come in order.
    pub(super) fn push(&mut self, place: i64, sides: [&[f64]; 2]) {
        let frame = place.max(0) as u64;
        let [left, right] = sides.map(|rows| rows.iter().sum::<f64>());
        let (whole, rows) = if right > left { (right, sides[1]) } else { (left, sides[0]) };
        self.whole += whole;
        self.rows.iter_mut().zip(rows).for_each(|(sum, row)| *sum += row);
        if whole > self.deepest.0 {
            (self.deepest, self.deepest_at) = (Db(whole), frame);
        }
        if self.open.as_ref().is_some_and(|open| frame >= open.to + self.gap) {
            self.events.extend(self.open.take());
        }
        self.since += whole;
        if whole < EVENT_REDUCTION.0 {
            return;
        }
        let open = self.open.get_or_insert_with(|| {
            self.since = whole; // what came before is in no event
            LimitingEvent {
                from: frame,
                to: frame,
                at: frame,
                depth: Db(0.0),
                decibel_seconds: 0.0,
                parts: Vec::new(),
            }
        });
        open.to = frame + 1;
        open.decibel_seconds += self.since / self.rate.0;
        self.since = 0.0;
        if whole > open.depth.0 {
            (open.depth, open.at) = (Db(whole), frame);
            open.parts.clear();
            open.parts.extend(rows.iter().map(|row| row / whole));
        }
    }

    pub(super) fn finish(mut self) -> (StageLimiting, Vec<LimitingEvent>) {
        self.events.extend(self.open.take());
        let row = |decibels: &f64| LimitingRow {
            decibel_seconds: decibels / self.rate.0,
            share: (self.whole > 0.0).then(|| decibels / self.whole),
        };
        let stage = StageLimiting {
            decibel_seconds: self.whole / self.rate.0,
            deepest: self.deepest,
            deepest_at: self.deepest_at,
            rows: self.rows.iter().map(row).collect(),
        };
        (stage, self.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_shorter_than_the_release_are_inside_an_event() {
        let mut tally = Tally::new(Hz(1000.0), 2, Ms(50.0));
        let levels = |frame: i64| match frame {
            100..=199 => 1.0,
            230..=239 => 0.05,
            240..=259 => 3.0,
            310..=319 => 0.2,
            _ => 0.0,
        };
        for frame in 0..500 {
            let level = levels(frame);
            if level > 0.0 {
                // the right channel is reduced less and does not count
                tally.push(frame, [&[0.75 * level, 0.25 * level], &[0.0, 0.5 * level]]);
            }
        }
        let (stage, events) = tally.finish();
        let spans: Vec<[u64; 3]> = events.iter().map(|event| [event.from, event.to, event.at]).collect();
        assert_eq!(spans, [[100, 260, 240], [310, 320, 310]]);
        assert_eq!((events[0].depth, &events[0].parts[..]), (Db(3.0), &[0.75, 0.25][..]));
        let seconds = [0.1 + 0.01 * 0.05 + 0.02 * 3.0, 0.01 * 0.2];
        assert!(events.iter().zip(seconds).all(|(event, dbs)| (event.decibel_seconds - dbs).abs() < 1e-12));
        assert!((stage.decibel_seconds - seconds[0] - seconds[1]).abs() < 1e-12);
        assert_eq!(
            stage.rows.iter().map(|row| row.share.map(|s| (s * 1e9).round())).collect::<Vec<_>>(),
            [Some(0.75e9), Some(0.25e9)]
        );
        assert_eq!((stage.deepest, stage.deepest_at), (Db(3.0), 240));
        assert!(Tally::new(Hz(1000.0), 1, Ms(50.0)).finish().0.rows[0].share.is_none());
    }
}
