//! The second opinion: the `ebur128` crate measures what our own meter measured.

use dsp::largest;
use ebur128::{Channel, EbuR128, Mode};
use meter::Reading;
use meter::layout::{Layout, SpeakerPosition};
use units::{Dbtp, Hz, Lu, Lufs, decibels};

/// The most that the two meters may differ in integrated loudness.
pub const LOUDNESS_TOLERANCE: f64 = 0.05;
/// The most that they may differ in true peak.
pub const PEAK_TOLERANCE: f64 = 0.1;

/// Frames of silence that its interpolator needs to pass on all that was fed.
const RUN_OUT: usize = 64;
/// The lowest true peak that is compared: below it the second meter's single precision may see nothing.
const LOWEST_PEAK: f64 = -150.0;

/// Frames that are looked at together for true peaks.
const SPAN: usize = 64;
/// Frames before a span that its values depend on: at least the 12 that the second meter interpolates from.
const REACH: usize = 16;
/// No value between samples exceeds the largest sample around by more than this factor: the magnitudes of the
/// coefficients sum to less in each phase of its interpolator, which is a sinc of 48 taps in a Hann window.
const MAX_OVERSHOOT: f64 = 1.9;

/// `ebur128` as a meter beside ours.
pub struct SecondMeter {
    loudness: EbuR128,
    peaks: SecondPeaks,
    /// The last frames, then those being measured.
    interleaved: Vec<f64>,
}

/// Its true peaks. Spans that hold no new maximum, by the bound of its overshoots, are not interpolated: this changes the cost,
/// never the result.
struct SecondPeaks {
    /// Told that the rate is 48 kHz, so that it interpolates four times at every rate, as our meter does.
    meter: EbuR128,
    channels: usize,
    /// The highest true peak so far, linear.
    highest: f64,
    /// The largest sample of the span before.
    before: f64,
    /// The meter has heard the span before.
    is_next: bool,
}

impl SecondPeaks {
    fn new(channels: u32) -> Option<Self> {
        let meter = EbuR128::new(channels, 48_000, Mode::TRUE_PEAK).ok()?;
        Some(Self { meter, channels: channels as usize, highest: 0.0, before: 0.0, is_next: true })
    }

    /// Takes the frames that lie in `frames` behind [`REACH`] others.
    fn process(&mut self, frames: &[f64]) {
        let reach = REACH * self.channels;
        let mut at = reach;
        while at < frames.len() {
            let span = &frames[at..frames.len().min(at + SPAN * self.channels)];
            let largest = largest(span);
            // One that is shorter than the reach depends on what lies before the span before it.
            let around = if span.len() < reach { f64::INFINITY } else { largest.max(self.before) };
            let may_rise = around * MAX_OVERSHOOT >= self.highest;
            // Both calls fail only for a wrong number of samples.
            if may_rise && !self.is_next {
                let seeded = self.meter.seed_frames_f64(&frames[at - reach..at]);
                debug_assert!(seeded.is_ok());
            }
            if may_rise {
                let fed = self.meter.add_frames_f64(span);
                debug_assert!(fed.is_ok());
                let peaks = (0..self.channels as u32).filter_map(|c| self.meter.true_peak(c).ok());
                self.highest = peaks.fold(self.highest, f64::max);
            }
            self.is_next = may_rise;
            self.before = if span.len() < reach { f64::INFINITY } else { largest };
            at += span.len();
        }
    }
}

/// The reading of the second meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SecondReading {
    /// Integrated loudness.
    pub integrated: Option<Lufs>,
    /// Loudness range, where it was asked for.
    pub range: Option<Lu>,
    /// True peak.
    pub true_peak: Option<Dbtp>,
}

impl SecondMeter {
    /// A meter for audio at `rate` in `layout`, or `None` where `ebur128` has none (its rates end at 2.8 MHz, its channels at
    /// 64).
    pub fn new(rate: Hz, layout: &Layout) -> Option<Self> {
        Self::with_mode(rate, layout, Mode::I)
    }

    /// The same with loudness range, at almost twice the cost of loudness.
    pub fn with_range(rate: Hz, layout: &Layout) -> Option<Self> {
        Self::with_mode(rate, layout, Mode::I | Mode::LRA)
    }

    fn with_mode(rate: Hz, layout: &Layout, mode: Mode) -> Option<Self> {
        let channels = u32::try_from(layout.channels()).ok()?;
        let mut loudness = EbuR128::new(channels, rate.0 as u32, mode).ok()?;
        let map: Vec<Channel> = (layout.positions().iter().zip(layout.weights()))
            .map(|(position, weight)| match position {
                SpeakerPosition::LowFrequency => Channel::Unused,
                _ if *weight >= 2.0 => Channel::DualMono,
                // Only the weight matters to the sum: this one is counted with 1.41, the others with 1.
                _ if *weight > 1.0 => Channel::LeftSurround,
                _ => Channel::Left,
            })
            .collect();
        loudness.set_channel_map(&map).ok()?;
        let interleaved = vec![0.0; REACH * layout.channels()];
        Some(Self { loudness, peaks: SecondPeaks::new(channels)?, interleaved })
    }

    /// Takes a block, planar.
    pub fn process(&mut self, channels: &[&[f64]]) {
        let frames = channels.first().map_or(0, |c| c.len());
        let history = REACH * channels.len();
        self.interleaved.drain(..self.interleaved.len() - history);
        let clean = |x: f64| if x.is_finite() { x } else { 0.0 };
        match channels {
            [left, right] => self
                .interleaved
                .extend(left.iter().zip(*right).flat_map(|(left, right)| [clean(*left), clean(*right)])),
            _ => (0..frames).for_each(|frame| {
                self.interleaved.extend(channels.iter().map(|c| clean(c[frame])));
            }),
        }
        self.peaks.process(&self.interleaved);
        // It fails only for a wrong number of samples.
        let fed = self.loudness.add_frames_f64(&self.interleaved[history..]);
        debug_assert!(fed.is_ok());
    }

    /// Its reading, as if silence followed: true peaks behind the last sample count.
    pub fn reading(mut self) -> SecondReading {
        let history = self.interleaved.len() - REACH * self.peaks.channels;
        self.interleaved.drain(..history);
        self.interleaved.resize((REACH + RUN_OUT) * self.peaks.channels, 0.0);
        self.peaks.process(&self.interleaved);
        let finite = |value: core::result::Result<f64, ebur128::Error>| value.ok().filter(|v| v.is_finite());
        SecondReading {
            integrated: finite(self.loudness.loudness_global()).map(Lufs),
            range: finite(self.loudness.loudness_range()).map(Lu),
            true_peak: (self.peaks.highest > 0.0).then(|| Dbtp(decibels(self.peaks.highest))),
        }
    }
}

/// True if both meters say the same: within 0.05 LU and 0.1 dB, or both nothing.
pub fn agree(first: &Reading, second: &SecondReading) -> bool {
    let near = |a: Option<f64>, b: Option<f64>, tolerance: f64| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance,
        (None, None) => true,
        _ => false,
    };
    let peak = |peak: Option<Dbtp>| peak.map(|peak| peak.0).filter(|peak| *peak > LOWEST_PEAK);
    near(first.integrated.map(|v| v.0), second.integrated.map(|v| v.0), LOUDNESS_TOLERANCE)
        && near(peak(first.true_peak), peak(second.true_peak), PEAK_TOLERANCE)
}

/// True if `read_back`, a file's reading, is what was rendered into it. Our two ways to measure ([`meter::Meter`] and
/// [`meter::programme::ProgrammeMeter`]) differ by their roundings only.
pub(crate) fn is_as_rendered(read_back: &Reading, rendered: &Reading) -> bool {
    const ROUNDING: f64 = 1e-6;
    let same = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= ROUNDING,
        (a, b) => a == b,
    };
    same(read_back.integrated.map(|v| v.0), rendered.integrated.map(|v| v.0))
        && same(read_back.true_peak.map(|v| v.0), rendered.true_peak.map(|v| v.0))
        && same(read_back.sample_peak.map(|v| v.0), rendered.sample_peak.map(|v| v.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    /// The second meter's true peak of interleaved samples, every one of which it interpolates.
    fn slow(samples: &[f64], channels: u32) -> f64 {
        let mut meter = EbuR128::new(channels, 48_000, Mode::TRUE_PEAK).expect("a meter");
        meter.add_frames_f64(samples).expect("whole frames");
        meter.add_frames_f64(&vec![0.0; RUN_OUT * channels as usize]).expect("whole frames");
        (0..channels).filter_map(|c| meter.true_peak(c).ok()).fold(0.0, f64::max)
    }

    #[test]
    fn skipping_never_changes_the_second_true_peak() {
        for seed in 0..60 {
            let channels = [1, 2, 6][seed as usize % 3];
            let mut samples = noise(seed, 2500 * channels, 0.5);
            for (i, x) in samples.iter_mut().enumerate() {
                *x *= (i as f64 * 0.002 / channels as f64 + seed as f64).sin().powi(4);
            }
            // The worst case of its interpolator, twice: alternating signs about a half.
            for at in [700, 1900] {
                for n in 0..12 {
                    let sign = if (n < 6) == (n % 2 == 0) { 0.45 } else { -0.45 };
                    samples[(at + n) * channels] = sign * if at == 700 { 1.0 } else { 1.01 };
                }
            }
            for block in [1, 15, 64, 777] {
                let mut meter =
                    SecondMeter::new(Hz(48_000.0), &Layout::new(channels, None)).expect("a meter");
                for frames in samples.chunks(block * channels) {
                    let planes: Vec<Vec<f64>> = (0..channels)
                        .map(|c| frames.iter().skip(c).step_by(channels).copied().collect())
                        .collect();
                    meter.process(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>());
                }
                let found = meter.reading().true_peak.expect("a peak").0;
                assert_eq!(found, decibels(slow(&samples, channels as u32)), "{seed} {block}");
            }
        }
    }

    #[test]
    fn the_bound_of_overshoots_is_above_the_worst_case() {
        let phase = |phase: usize| {
            (0..12).map(move |k| {
                let j = (4 * k + phase) as f64;
                let (x, window) = ((j - 24.0) / 4.0, 0.5 - 0.5 * (core::f64::consts::TAU * j / 48.0).cos());
                (window * dsp::kaiser::sinc(x)).abs()
            })
        };
        let most = (1..4).map(|p| phase(p).sum::<f64>()).fold(0.0, f64::max);
        assert!(most < MAX_OVERSHOOT && most > 0.8 * MAX_OVERSHOOT, "{most}");
    }
}
