//! Moves of a stem: gains over the whole song, or over ranges of it with faded ends.

use std::f64::consts::PI;

use session::predict::Move;
use units::{Db, Hz};

/// Largest gain of a move, either way.
pub const LARGEST_MOVE: Db = Db(60.0);
/// Length of the fades of a range if none is given, seconds.
pub const DEFAULT_FADE: f64 = 0.05;
/// Longest fade, seconds.
pub const LONGEST_FADE: f64 = 60.0;

/// Range of a song, half-open: outside of it nothing changes, to the bit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeSpan {
    from: f64,
    to: f64,
    fade: f64,
}

impl TimeSpan {
    /// Returns the range from `from` to before `to`, with a fade of `fade` inside each end; all in seconds. `None` unless
    /// `0 <= from < to`, and `fade` is 0 to [`LONGEST_FADE`].
    pub fn new(from: f64, to: f64, fade: f64) -> Option<Self> {
        let fits = from >= 0.0 && from < to && to.is_finite() && (0.0..=LONGEST_FADE).contains(&fade);
        fits.then_some(Self { from, to, fade })
    }

    /// Start, seconds of the song.
    pub fn from(self) -> f64 {
        self.from
    }

    /// First moment after it, seconds of the song.
    pub fn to(self) -> f64 {
        self.to
    }

    /// Length of the fade inside each end, seconds; a range from the song's start has none there, and in a range shorter than two of them, they meet in its middle.
    pub fn fade(self) -> f64 {
        self.fade
    }
}

/// Gain on a stem, over the whole song or a range of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedMove {
    /// Gain on top of the present one.
    pub gain: Db,
    /// The range; none: the whole song.
    pub span: Option<TimeSpan>,
}

/// Move of one stem of a bundle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StemMove {
    /// Index of the stem.
    pub stem: usize,
    /// Gain and range.
    pub change: TimedMove,
}

impl From<Move> for StemMove {
    fn from(one: Move) -> Self {
        Self { stem: one.source, change: TimedMove { gain: one.gain, span: None } }
    }
}

impl StemMove {
    /// The move if it is of the whole song.
    pub fn whole(&self) -> Option<Move> {
        self.change.span.is_none().then_some(Move { source: self.stem, gain: self.change.gain })
    }
}

/// Gain of a stem over the song: the sum of its moves in decibels at every frame.
#[derive(Clone, Debug)]
pub struct GainAutomation {
    whole: Db,
    ranges: Vec<FrameRange>,
}

/// A range in frames.
#[derive(Clone, Copy, Debug)]
struct FrameRange {
    gain: Db,
    from: u64,
    to: u64,
    /// Frames of each fade.
    fade: f64,
}

impl GainAutomation {
    /// Returns the sum of `moves` at a rate.
    pub fn new(moves: &[TimedMove], rate: Hz) -> Self {
        let whole = moves.iter().filter(|one| one.span.is_none()).fold(Db(0.0), |sum, one| sum + one.gain);
        let frame = |seconds: f64| (seconds * rate.0).round() as u64;
        let range = |one: &TimedMove| {
            let TimeSpan { from, to, fade } = one.span?;
            let [from, to] = [from, to].map(frame);
            let fade = (fade * rate.0).min((to - from) as f64 / 2.0);
            Some(FrameRange { gain: one.gain, from, to, fade })
        };
        Self { whole, ranges: moves.iter().filter_map(range).collect() }
    }

    /// Fills `gains` with the linear gains of the frames from `start` on.
    pub fn fill(&self, start: u64, gains: &mut [f64]) {
        let mut last = (self.whole, self.whole.gain());
        for (frame, gain) in (start..).zip(gains) {
            let level = self.ranges.iter().fold(self.whole, |sum, range| sum + range.level(frame));
            if level != last.0 {
                last = (level, level.gain());
            }
            *gain = last.1;
        }
    }
}

impl FrameRange {
    /// Gain at a frame: a raised cosine in decibels at the ends, nothing outside.
    fn level(&self, frame: u64) -> Db {
        if !(self.from..self.to).contains(&frame) {
            return Db(0.0);
        }
        // a song that begins inside the range begins with all of it
        let begun = if self.from == 0 { u64::MAX } else { frame - self.from };
        let inside = begun.min(self.to - 1 - frame) as f64 + 0.5;
        if inside >= self.fade {
            return self.gain;
        }
        Db(self.gain.0 * (0.5 - 0.5 * (PI * inside / self.fade).cos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Hz = Hz(1000.0);

    fn gains(moves: &[(f64, Option<[f64; 3]>)], start: u64, frames: usize) -> Vec<f64> {
        let moves: Vec<TimedMove> = moves
            .iter()
            .map(|(gain, span)| TimedMove {
                gain: Db(*gain),
                span: span.map(|[from, to, fade]| TimeSpan::new(from, to, fade).expect("is a range")),
            })
            .collect();
        let mut gains = vec![f64::NAN; frames];
        GainAutomation::new(&moves, RATE).fill(start, &mut gains);
        gains
    }

    #[test]
    fn a_range_is_half_open_and_its_fades_are_inside() {
        let hard = gains(&[(6.0, Some([0.01, 0.02, 0.0]))], 0, 30);
        let full = Db(6.0).gain();
        assert!(hard.iter().enumerate().all(|(n, g)| *g == if (10..20).contains(&n) { full } else { 1.0 }));
        let faded = gains(&[(6.0, Some([0.01, 0.03, 0.005]))], 0, 40);
        assert!(faded[..10].iter().chain(&faded[30..]).all(|gain| *gain == 1.0));
        assert!(faded[15..25].iter().all(|gain| *gain == full));
        assert!(faded[10..16].is_sorted() && faded[10] > 1.0 && faded[10] < 1.02, "{faded:?}");
        let back: Vec<f64> = faded.iter().rev().copied().collect();
        assert!(faded[10..30].iter().zip(&back[10..30]).all(|(a, b)| a == b), "symmetric");
        // half of the decibels in the middle of a fade
        assert!((faded[12] - Db(3.0).gain()).abs() < 1e-12);
    }

    #[test]
    fn a_range_from_the_start_of_the_song_begins_with_all_of_it() {
        let start = gains(&[(6.0, Some([0.0, 0.02, 0.005]))], 0, 30);
        assert!(start[..15].iter().all(|gain| *gain == Db(6.0).gain()));
        assert!(start[19] > 1.0 && start[19] < 1.02 && start[20] == 1.0);
    }

    #[test]
    fn fades_of_a_short_range_meet_in_its_middle() {
        let short = gains(&[(12.0, Some([0.01, 0.02, 1.0]))], 0, 30);
        assert!(short[10..15].is_sorted() && short[14] > Db(11.0).gain() && short[14] <= Db(12.0).gain());
        assert_eq!(short[14], short[15]);
    }

    #[test]
    fn moves_add_up_in_decibels_at_every_frame_whatever_the_blocks_are() {
        let moves = [(-2.0, None), (3.0, Some([0.01, 0.05, 0.01])), (-6.0, Some([0.03, 0.2, 0.02]))];
        let all = gains(&moves, 0, 300);
        assert_eq!(all[5], Db(-2.0).gain());
        assert!((all[250] - Db(-2.0).gain()).abs() < 1e-15);
        for frame in 0..300 {
            let alone = moves.map(|one| gains(&[one], frame, 1)[0]);
            assert!((all[frame as usize] - alone.iter().product::<f64>()).abs() < 1e-12, "{frame}");
            assert_eq!(gains(&moves, frame, 7)[0], all[frame as usize]);
        }
        assert!(gains(&[], 0, 10).iter().all(|gain| *gain == 1.0));
    }

    #[test]
    fn ranges_that_are_none_are_refused() {
        for [from, to, fade] in
            [[2.0, 1.0, 0.0], [1.0, 1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, f64::INFINITY, 0.0], [0.0, 1.0, -0.1]]
        {
            assert_eq!(TimeSpan::new(from, to, fade), None);
        }
        assert_eq!(TimeSpan::new(0.0, 1.0, 61.0), None);
        assert_eq!(TimeSpan::new(f64::NAN, 1.0, 0.0), None);
    }
}
