//! The second opinion: the `ebur128` crate measures what our own meter measured.

use audiofile::AudioInfo;
use ebur128::{Channel, EbuR128, Mode};
use meter::Reading;
use meter::layout::{Layout, SpeakerPosition};
use units::{Dbtp, Lu, Lufs, decibels};

/// The most that the two meters may differ in integrated loudness.
pub const LOUDNESS_TOLERANCE: f64 = 0.05;
/// The most that they may differ in true peak.
pub const PEAK_TOLERANCE: f64 = 0.1;

/// Frames of silence that its interpolator needs to pass on all that was fed.
const RUN_OUT: usize = 64;
/// The lowest true peak that is compared: below it the second meter's single precision may see nothing.
const LOWEST_PEAK: f64 = -150.0;

/// `ebur128` as a meter beside ours.
pub struct SecondMeter {
    loudness: EbuR128,
    /// Told that the rate is 48 kHz, so that it interpolates four times at every rate, as our meter does.
    peaks: EbuR128,
    interleaved: Vec<f64>,
}

/// The reading of the second meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SecondReading {
    /// Integrated loudness.
    pub integrated: Option<Lufs>,
    /// Loudness range.
    pub range: Option<Lu>,
    /// True peak.
    pub true_peak: Option<Dbtp>,
}

impl SecondMeter {
    /// A meter for audio like `info`'s in `layout`, or `None` where `ebur128` has none (its rates end at 2.8 MHz, its channels at
    /// 64).
    pub fn new(info: &AudioInfo, layout: &Layout) -> Option<Self> {
        let channels = u32::try_from(info.channels).ok()?;
        let mut loudness = EbuR128::new(channels, info.rate.0 as u32, Mode::I | Mode::LRA).ok()?;
        let peaks = EbuR128::new(channels, 48_000, Mode::TRUE_PEAK).ok()?;
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
        Some(Self { loudness, peaks, interleaved: Vec::new() })
    }

    /// Takes a block, planar.
    pub fn process(&mut self, channels: &[&[f64]]) {
        let frames = channels.first().map_or(0, |c| c.len());
        self.interleaved.clear();
        for frame in 0..frames {
            let clean = |x: f64| if x.is_finite() { x } else { 0.0 };
            self.interleaved.extend(channels.iter().map(|c| clean(c[frame])));
        }
        // Both calls fail only for a wrong number of samples.
        let fed =
            self.loudness.add_frames_f64(&self.interleaved).and(self.peaks.add_frames_f64(&self.interleaved));
        debug_assert!(fed.is_ok());
    }

    /// Its reading, as if silence followed: true peaks behind the last sample count.
    pub fn reading(mut self) -> SecondReading {
        let silence = vec![0.0; RUN_OUT * self.peaks.channels() as usize];
        let fed = self.peaks.add_frames_f64(&silence);
        debug_assert!(fed.is_ok());
        let finite = |value: core::result::Result<f64, ebur128::Error>| value.ok().filter(|v| v.is_finite());
        let channels = self.peaks.channels();
        let peak = (0..channels).filter_map(|c| self.peaks.true_peak(c).ok()).fold(0.0, f64::max);
        SecondReading {
            integrated: finite(self.loudness.loudness_global()).map(Lufs),
            range: finite(self.loudness.loudness_range()).map(Lu),
            true_peak: (peak > 0.0).then(|| Dbtp(decibels(peak))),
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
