//! Isolated bursts: moments shorter than 10 ms that are far louder than everything else, as clicks of a broken export are
//! and drums are not.
//!
//! Everything else is the 99.9th percentile of the peaks of all 10 ms that sound. A burst is more than 20 dB over that and
//! within 10 ms back at 6 dB over it or below: the hit of a drum rings longer, and what comes often is in the percentile.

use core::ops::Range;

use dsp::largest;
use units::{Db, Hz};

/// Cells, 1 ms each, of a window.
pub(crate) const WINDOW_CELLS: usize = 10;
/// A burst is louder than everything else by this, linear: 20 dB.
const LOUDER: f64 = 10.0;
/// And over when the level is back at this over everything else, linear: 6 dB.
const OVER: f64 = 2.0;
/// Windows below this, -90 dBFS, do not sound.
const SILENCE_PEAK: f64 = 3.2e-5;
/// Windows that must sound before any of them is called isolated: a second.
const MIN_WINDOWS: usize = 100;
/// Windows of which one is beyond the percentile.
const PERCENTILE: usize = 1000;
/// Windows that may always be beyond it: one burst lies in two.
const MIN_BEYOND: usize = 2;

/// An isolated burst.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Burst {
    /// Its frames, to 1 ms.
    pub(crate) frames: Range<u64>,
    /// Its highest sample, linear.
    pub(crate) peak: f64,
    /// Its level over everything else.
    pub(crate) over: Db,
}

/// The peaks of one window in detail.
#[derive(Clone, Copy, Debug)]
struct LoudWindow {
    index: usize,
    cells: [f64; WINDOW_CELLS],
}

impl LoudWindow {
    fn peak(&self) -> f64 {
        self.cells.iter().fold(0.0, |peak: f64, cell| peak.max(*cell))
    }
}

/// Finds bursts in audio that passes once. Memory: 400 bytes for a second of audio.
#[derive(Clone, Debug)]
pub(crate) struct BurstDetector {
    /// Frames of a cell.
    cell_frames: usize,
    /// Frames of the current cell so far.
    filled: usize,
    cell: usize,
    cells: [f64; WINDOW_CELLS],
    /// The peak of every window.
    windows: Vec<f32>,
    /// The loudest windows in detail: all that can be over the percentile.
    loudest: Vec<LoudWindow>,
}

impl BurstDetector {
    pub(crate) fn new(rate: Hz) -> Self {
        let cell_frames = ((rate.0 / 1000.0).round() as usize).max(1);
        Self {
            cell_frames,
            filled: 0,
            cell: 0,
            cells: [0.0; WINDOW_CELLS],
            windows: Vec::new(),
            loudest: Vec::new(),
        }
    }

    /// Takes the next frames of all channels.
    pub(crate) fn process<P: AsRef<[f64]>>(&mut self, planes: &[P]) {
        let frames = planes.first().map_or(0, |plane| plane.as_ref().len());
        let mut at = 0;
        while at < frames {
            let end = (at + self.cell_frames - self.filled).min(frames);
            for plane in planes {
                self.cells[self.cell] = self.cells[self.cell].max(largest(&plane.as_ref()[at..end]));
            }
            self.filled += end - at;
            at = end;
            if self.filled == self.cell_frames {
                self.filled = 0;
                self.cell += 1;
                if self.cell == WINDOW_CELLS {
                    self.end_window();
                }
            }
        }
    }

    fn end_window(&mut self) {
        let window = LoudWindow { index: self.windows.len(), cells: self.cells };
        self.windows.push(window.peak() as f32);
        self.loudest.push(window);
        self.cells = [0.0; WINDOW_CELLS];
        self.cell = 0;
        let most = MIN_WINDOWS + 2 * self.windows.len() / PERCENTILE;
        if self.loudest.len() > 2 * most {
            self.loudest.sort_by(|a, b| b.peak().total_cmp(&a.peak()).then(a.index.cmp(&b.index)));
            self.loudest.truncate(most);
        }
    }

    /// The bursts so far, the first one first.
    pub(crate) fn bursts(&self) -> Vec<Burst> {
        let mut whole = self.clone();
        if whole.filled > 0 || whole.cell > 0 {
            whole.end_window();
        }
        whole.find()
    }

    fn find(mut self) -> Vec<Burst> {
        let mut sounding: Vec<f32> =
            self.windows.iter().copied().filter(|peak| f64::from(*peak) > SILENCE_PEAK).collect();
        let beyond = (sounding.len() / PERCENTILE).max(MIN_BEYOND);
        if sounding.len() < MIN_WINDOWS {
            return Vec::new();
        }
        let (_, rest, _) = sounding.select_nth_unstable_by(beyond, |a, b| b.total_cmp(a));
        let rest = f64::from(*rest);
        self.loudest.retain(|window| window.peak() > OVER * rest);
        self.loudest.sort_by_key(|window| window.index);
        let cells = self.loudest.iter().flat_map(|window| {
            window.cells.iter().enumerate().map(|(n, peak)| ((window.index * WINDOW_CELLS + n) as u64, *peak))
        });
        let mut found: Vec<(Range<u64>, f64)> = Vec::new();
        for (cell, peak) in cells.filter(|(_, peak)| *peak > OVER * rest) {
            match found.last_mut() {
                Some((range, most)) if range.end == cell => {
                    range.end += 1;
                    *most = most.max(peak);
                }
                _ => found.push((cell..cell + 1, peak)),
            }
        }
        let frames = self.cell_frames as u64;
        found
            .into_iter()
            .filter(|(cells, peak)| *peak > LOUDER * rest && cells.end - cells.start <= WINDOW_CELLS as u64)
            .map(|(cells, peak)| Burst {
                frames: cells.start * frames..cells.end * frames,
                peak,
                over: Db::from_gain(peak / rest),
            })
            .collect()
    }

    /// The peaks of all whole windows of 10 ms; 0 where a burst is.
    pub(crate) fn windows(&self, bursts: &[Burst]) -> Vec<f32> {
        let window_frames = (self.cell_frames * WINDOW_CELLS) as u64;
        let mut windows = self.windows.clone();
        for burst in bursts {
            let last = ((burst.frames.end - 1) / window_frames + 1).min(windows.len() as u64) as usize;
            let first = ((burst.frames.start / window_frames) as usize).min(last);
            windows[first..last].fill(0.0);
        }
        windows
    }

    /// The highest sample outside bursts, linear.
    pub(crate) fn peak_without(&self, bursts: &[Burst]) -> f64 {
        let whole = self.windows(bursts).iter().fold(0.0, |peak: f64, x| peak.max(f64::from(*x)));
        let last = (self.windows.len() * self.cell_frames * WINDOW_CELLS) as u64;
        let in_last = bursts.iter().any(|burst| burst.frames.end > last);
        if in_last { whole } else { self.cells.iter().fold(whole, |peak, x| peak.max(*x)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    const RATE: usize = 48_000;

    fn bursts(audio: &[f64]) -> Vec<Burst> {
        let mut whole = BurstDetector::new(Hz(RATE as f64));
        whole.process(&[audio]);
        let mut cut = BurstDetector::new(Hz(RATE as f64));
        audio.chunks(777).for_each(|chunk| cut.process(&[chunk]));
        assert_eq!(whole.bursts(), cut.bursts());
        whole.bursts()
    }

    /// Hits of a drum: bursts of noise that decay by 60 dB in `decay` seconds, each at its own level.
    fn drums(seconds: usize, per_second: f64, decay: f64, level: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut audio = noise(3, seconds * RATE, 1e-4);
        let hits = (seconds as f64 * per_second) as usize;
        for hit in 0..hits {
            let start = (hit as f64 / per_second * RATE as f64) as usize;
            let own = noise(hit as u64 + 9, (decay * RATE as f64) as usize, level(hit));
            for (n, x) in own.iter().enumerate() {
                if let Some(to) = audio.get_mut(start + n) {
                    *to += x * (-6.9 * n as f64 / own.len() as f64).exp();
                }
            }
        }
        audio
    }

    #[test]
    fn a_click_in_music_is_found_where_it_is_and_how_long() {
        for (at, length) in [(0, 10), (5 * RATE, 1), (3 * RATE + 470, 300), (8 * RATE - 2, 2)] {
            let mut audio = noise(1, 8 * RATE, 0.05);
            audio[at..at + length].fill(0.9);
            let found = bursts(&audio);
            assert_eq!(found.len(), 1, "{at}");
            let range = &found[0].frames;
            assert!(range.start <= at as u64 && at as u64 - range.start < 48, "{at}: {range:?}");
            assert!(range.end >= (at + length) as u64 && range.end <= (at + length + 48) as u64, "{range:?}");
            assert!(found[0].over.0 > 20.0 && found[0].over.0 < 28.0 && found[0].peak == 0.9);
        }
    }

    #[test]
    fn nineteen_db_or_twelve_milliseconds_are_none() {
        let music = noise(1, 8 * RATE, 0.05);
        let with = |length: usize, level: f64| {
            let mut audio = music.clone();
            audio[100_000..100_000 + length].fill(level);
            audio
        };
        let most = 0.05;
        assert!(bursts(&with(100, most * 8.9)).is_empty());
        assert!(bursts(&with(576, 1.0)).is_empty());
        assert_eq!(bursts(&with(400, 1.0)).len(), 1);
    }

    #[test]
    fn drums_have_none_however_sparse_or_uneven() {
        for decay in [0.04, 0.15, 0.6] {
            for per_second in [0.2, 1.0, 4.0, 9.0] {
                assert!(bursts(&drums(30, per_second, decay, |_| 0.8)).is_empty(), "{decay} {per_second}");
                // One accent among brushes, 26 dB over them.
                let accent = |hit: usize| if hit == 3 { 0.9 } else { 0.045 };
                assert!(bursts(&drums(30, per_second, decay, accent)).is_empty(), "{decay} {per_second}");
            }
        }
    }

    #[test]
    fn a_file_that_is_silent_beside_it_says_nothing() {
        let mut audio = vec![0.0; 8 * RATE];
        audio[1000..1100].fill(1.0);
        assert!(bursts(&audio).is_empty());
        assert!(bursts(&[]).is_empty());
    }

    #[test]
    fn the_peak_outside_is_that_of_the_music() {
        let mut audio = noise(1, 8 * RATE + 17, 0.05);
        let most = audio.iter().fold(0.0, |peak: f64, x| peak.max(x.abs()));
        audio[100_000..100_010].fill(3.0);
        let mut detector = BurstDetector::new(Hz(RATE as f64));
        detector.process(&[&audio]);
        let found = detector.bursts();
        assert!(detector.peak_without(&[]) == 3.0);
        assert!((detector.peak_without(&found) - most).abs() < 1e-3 * most);
    }
}
