//! Peaks cut off flat at any level: clipping that was turned down afterwards.
//!
//! A flat top is three or more samples in a row that are one value, the highest of the file, and that the samples beside them
//! reach in a step: the crest of a low note is flat too, but round. Where the level is held for long, as by a square wave,
//! nothing was cut off.

use audiofile::SampleFormat;

/// Samples in a row that make a flat top.
const LENGTH: u64 = 3;
/// Flat tops of a file that are no chance.
const MIN_COUNT: u64 = 10;
/// A step into a flat top is this many times what counts as one value.
const STEP: f64 = 8.0;
/// Samples at the level, as a part of all that sound, from which a file is a wave that holds it.
const HELD: f64 = 0.1;

/// Flat tops of one channel, at the highest level so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FlatTops {
    /// Difference up to which samples count as one value, linear.
    same: f64,
    level: f64,
    count: u64,
    first: u64,
    /// Samples in flat tops.
    held: u64,
    /// Samples that sound.
    sounding: u64,
    /// The current run: its value, its length, and whether a step led to it.
    value: f64,
    run: u64,
    stepped: bool,
    last: f64,
}

/// The flat tops of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FlatTopsFound {
    /// The level, linear.
    pub(super) level: f64,
    /// Their number.
    pub(super) count: u64,
    /// Frame of the first.
    pub(super) first: u64,
}

impl FlatTops {
    pub(super) fn new(format: SampleFormat) -> Self {
        let same = match format {
            SampleFormat::Int { bits } => 1.5 * 2f64.powi(1 - i32::from(bits)),
            SampleFormat::Float { .. } => 1e-7,
        };
        Self { same, ..Self::default() }
    }

    /// Takes samples, the first of which is that of `frame`.
    pub(super) fn process(&mut self, samples: &[f64], frame: u64) {
        for (n, &x) in samples.iter().enumerate() {
            let magnitude = x.abs();
            if magnitude < self.level - self.same || magnitude < STEP * self.same {
                // Below the level nothing is of interest.
                self.run = 0;
            } else if self.run > 0 && (x - self.value).abs() <= self.same {
                self.run += 1;
                if self.run == LENGTH && self.stepped {
                    self.add(frame + n as u64 + 1 - LENGTH);
                } else if self.run > LENGTH && self.stepped {
                    self.held += 1;
                }
            } else {
                if magnitude > self.level + self.same {
                    (self.level, self.count, self.held) = (magnitude, 0, 0);
                }
                (self.value, self.run) = (x, 1);
                self.stepped = (x - self.last).abs() > STEP * self.same;
            }
            self.sounding += u64::from(magnitude > STEP * self.same);
            self.last = x;
        }
    }

    fn add(&mut self, frame: u64) {
        if self.count == 0 {
            self.first = frame;
        }
        self.count += 1;
        self.held += LENGTH;
    }

    /// Both channels of a file together: the higher level counts.
    pub(super) fn merged(self, other: Self) -> Self {
        let (mut high, low) = if self.level >= other.level { (self, other) } else { (other, self) };
        if high.level - low.level <= high.same {
            high.first = match (high.count, low.count) {
                (0, _) => low.first,
                (_, 0) => high.first,
                _ => high.first.min(low.first),
            };
            high.count += low.count;
            high.held += low.held;
        }
        high.sounding += low.sounding;
        high
    }

    /// The flat tops, if there are so many that they are no chance, and so few that they are no wave form.
    pub(super) fn found(&self) -> Option<FlatTopsFound> {
        let cut = self.count >= MIN_COUNT && (self.held as f64) < HELD * self.sounding as f64;
        cut.then_some(FlatTopsFound { level: self.level, count: self.count, first: self.first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    const FORMATS: [SampleFormat; 3] =
        [SampleFormat::Int { bits: 16 }, SampleFormat::Int { bits: 24 }, SampleFormat::Float { bits: 32 }];

    fn stored(samples: &[f64], format: SampleFormat) -> Vec<f64> {
        match format {
            SampleFormat::Int { bits } => {
                let scale = 2f64.powi(i32::from(bits) - 1);
                samples.iter().map(|x| (x * scale).round() / scale).collect()
            }
            SampleFormat::Float { .. } => samples.iter().map(|x| f64::from(*x as f32)).collect(),
        }
    }

    fn found(samples: &[f64], format: SampleFormat) -> Option<FlatTopsFound> {
        let samples = stored(samples, format);
        let mut whole = FlatTops::new(format);
        whole.process(&samples, 0);
        let mut cut = FlatTops::new(format);
        samples.chunks(97).enumerate().for_each(|(n, chunk)| cut.process(chunk, n as u64 * 97));
        assert_eq!(whole.found(), cut.found());
        whole.found()
    }

    /// Low notes and noise that swell.
    fn music() -> Vec<f64> {
        let swell = |n: usize| 0.55 + 0.45 * (n as f64 * 1e-4).sin();
        let note = |n: usize| 0.6 * (n as f64 * 0.0072).sin();
        noise(5, 96_000, 0.2).iter().enumerate().map(|(n, x)| swell(n) * (note(n) + x)).collect()
    }

    #[test]
    fn clipping_is_found_after_it_was_turned_down() {
        for format in FORMATS {
            let clipped: Vec<f64> = music().iter().map(|x| 0.3 * x.clamp(-0.5, 0.5)).collect();
            let flat = found(&clipped, format).expect("flat tops");
            assert!((flat.level - 0.15).abs() < 1e-4 && flat.count > 100, "{flat:?}");
            let first = clipped.windows(3).position(|w| w.iter().all(|x| x.abs() == 0.15)).expect("one");
            assert!(flat.first.abs_diff(first as u64) <= 1, "{flat:?} {first}");
        }
    }

    #[test]
    fn music_low_notes_and_square_waves_have_none() {
        let low = |hertz: f64| -> Vec<f64> {
            (0..96_000).map(|n| 0.7 * (n as f64 * hertz / 48_000.0 * core::f64::consts::TAU).sin()).collect()
        };
        let square: Vec<f64> = low(110.0).iter().map(|x| 0.4 * x.signum()).collect();
        for format in FORMATS {
            assert_eq!(found(&music(), format), None);
            for hertz in [20.0, 31.0, 50.0, 110.0] {
                assert_eq!(found(&low(hertz), format), None, "{hertz} {format:?}");
            }
            assert_eq!(found(&square, format), None);
            assert_eq!(found(&[0.0; 1000], format), None);
        }
    }
}
